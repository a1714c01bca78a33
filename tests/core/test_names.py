"""Names that people choose become attributes that work in a module class."""

from __future__ import annotations

import builtins
import keyword
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from designer.core.names import RESERVED, is_python_name, python_name

NAMES = "from torch import nn; print(*dir(nn.Module()), 'training')"


def test_every_public_name_of_a_module_is_reserved() -> None:
    # In a Python of its own: other libraries add to nn.Module when they are imported.
    done = subprocess.run([sys.executable, "-c", NAMES], capture_output=True, text=True, check=True)
    names = done.stdout.split()
    assert "forward" in names
    assert {name for name in names if not name.startswith("_")} <= RESERVED


@pytest.mark.parametrize(
    "name", [*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "torch", "nn", "F", "self", "x-"]
)
def test_no_reserved_name_comes_out(name: str) -> None:
    made = python_name(name)
    assert made not in RESERVED
    assert is_python_name(made)


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("conv1", "conv1"),
        ("mlp up", "mlp_up"),
        ("a-b", "a_b"),
        ("1x1", "layer_1x1"),
        ("注意力", "layer"),
        ("ﬁlter", "filter_"),
        ("__x", "x"),
        ("train", "train_"),
        ("💥", "layer"),
        ("", "layer"),
        ("a" * 10_000, "a" * 40),
    ],
)
def test_names_stay_readable(name: str, made: str) -> None:
    assert python_name(name) == made


@given(st.lists(st.text(max_size=80), max_size=12))
def test_names_are_unique_stable_and_legal(names: list[str]) -> None:
    taken: list[str] = []
    for name in names:
        made = python_name(name, taken)
        assert made == python_name(name, taken)
        assert made not in taken
        assert is_python_name(made)
        taken.append(made)


def test_a_user_attribute_in_the_file_is_checked_the_same_way() -> None:
    assert not is_python_name("forward")
    assert not is_python_name("__conv")
    assert not is_python_name("名")
    assert is_python_name("h0_ln_1")
