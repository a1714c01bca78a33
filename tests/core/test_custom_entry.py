"""Declarations of custom layers as people type them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from designer.core.custom import CustomInput, CustomOption, CustomOutput, CustomParam
from designer.core.custom_entry import part_of, texts_of
from designer.core.expression import Expression
from tests.core.customs import GATED, PAIRS

if TYPE_CHECKING:
    from designer.core.option import Raw

PARTS = [
    *(*GATED.inputs, *GATED.options, *GATED.outputs, *GATED.params),
    *(*PAIRS.inputs, *PAIRS.options, *PAIRS.outputs, *PAIRS.params),
]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_what_is_shown_declares_the_same(part: object) -> None:
    assert part_of(type(part), texts_of(part), ()) == part


def test_texts_as_people_type_them() -> None:
    texts = {"name": " x ", "axes": "..., 2*T,min(d, 4)", "optional": "Yes", "dtype": ""}
    assert part_of(CustomInput, texts, ()) == CustomInput("x", ("...", "2*T", "min(d, 4)"), True)
    texts = {"name": "w", "axes": "", "part": "bias", "dtype": "float32", "when": " bias"}
    assert part_of(CustomParam, texts, ()) == CustomParam("w", (), "bias", when="bias")
    extra = (("more", 1),)
    assert part_of(CustomOutput, {"name": "y", "axes": "d"}, extra).extra == extra


@pytest.mark.parametrize(
    ("kind", "text", "default"),
    [
        ("size", "", None),
        ("size", "64", 64),
        ("integer", "z", Expression("z")),
        ("real", "1e-5", 1e-5),
        ("flag", "true", True),
        ("choice", "b", "b"),
        ("choice", "c", Expression("c")),
        ("letter", "b", "b"),
    ],
)
def test_defaults(kind: str, text: str, default: Raw) -> None:
    texts = {"name": "n", "type": kind, "default": text, "help": "", "choices": "a, b"}
    made = part_of(CustomOption, texts, ())
    assert made.default == default
    assert made.choices == ("a", "b")


@given(st.floats(allow_nan=False, allow_infinity=False), st.booleans())
def test_numbers_and_flags_come_back(number: float, flag: bool) -> None:
    for part in (CustomOption("n", "real", number), CustomOption("n", "flag", flag)):
        assert part_of(CustomOption, texts_of(part), ()) == part
