"""`netdraft count` of designs with blocks, and with other values of their variables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from designer.cli.choosing import with_values
from designer.core.document import Document, Variable, drafted
from designer.core.edits import set_options
from designer.core.expression import Expression
from designer.files.refusal import Refusal
from tests.cli.command import netdraft, saved
from tests.core.drawing import Drawing
from tests.files.test_blocks import drawn

if TYPE_CHECKING:
    from pathlib import Path

    from designer.core.option import Raw

ONE = 8 * 32 + 32 + 32 * 8 + 8


def stacked(copies: int = 12, sharing: str = "own") -> Document:
    """A design with copies of a block that has a block in it, and a preset."""
    document = drawn()
    (use,) = [id for id, node in document.graph.nodes.items() if node.kind == "block:Layer"]
    return drafted(document, set_options([use], {"copies": copies, "sharing": sharing}))[0]


def test_the_table_shows_copies_of_a_block(tmp_path: Path) -> None:
    done = netdraft("count", saved(stacked(), tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[2].split() == ["layer1", "Layer", "×12", "[B,", "8]", "6,624", "100.0%"]
    assert f"parameters  {12 * ONE:,} = 12 × {ONE:,}" in lines
    assert not any(line.startswith("block") for line in lines)


@pytest.mark.parametrize(
    ("copies", "sharing", "shown"),
    [(1, "own", "Layer"), (3, "shared", "Layer ×3 with shared weights")],
)
def test_what_copies_have_in_common_is_said(
    tmp_path: Path, copies: int, sharing: str, shown: str
) -> None:
    done = netdraft("count", saved(stacked(copies, sharing), tmp_path))
    line = done.stdout.splitlines()[2]
    assert line.removeprefix("layer1").rpartition("[B")[0].strip() == shown
    assert line.split()[-2] == f"{ONE}"


def test_blocks_are_listed_with_the_parameters_of_each_use(tmp_path: Path) -> None:
    done = netdraft("count", saved(stacked(), tmp_path), "--blocks")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-3:] == [
        "block  use          copies  parameters per copy",
        "Layer  layer1       ×12                     552",
        "Mlp    layer1.mlp1  ×1                      552",
    ]
    found = json.loads(netdraft("count", saved(stacked(), tmp_path), "--blocks", "--json").stdout)
    assert found["blocks"][0] == {
        "block": "Layer",
        "use": "layer1",
        "copies": 12,
        "sharing": "own",
        "parameters_per_copy": ONE,
    }
    assert [use["use"] for use in found["blocks"]] == ["layer1", "layer1.mlp1"]


def test_a_design_without_blocks_says_so() -> None:
    done = netdraft("count", "linear-regression", "--blocks")
    assert done.stdout.splitlines()[-1] == "No blocks are used."


def test_what_is_not_known_of_a_block_is_not_counted(tmp_path: Path) -> None:
    drawing = Drawing()
    drawing.do(lambda draft: draft.put("block", "Mlp", drawn().blocks["Mlp"]))
    (port,) = [
        id
        for id, node in drawing.editor.document.blocks["Mlp"].graph.nodes.items()
        if node.kind == "Input"
    ]
    assert port
    drawing.add("block:Mlp", copies=2)
    done = netdraft("count", saved(drawing.editor.document, tmp_path), "--blocks")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].split() == ["Mlp", "mlp1", "×2", "?"]


def test_a_preset_and_other_values_are_counted_with(tmp_path: Path) -> None:
    path = saved(stacked(), tmp_path)
    before = path.read_bytes()
    done = netdraft("count", path, "--preset", "wide")
    assert done.returncode == 0
    assert "[B, 16]" in done.stdout
    wide = json.loads(netdraft("count", path, "--preset", "wide", "--json").stdout)
    assert wide["parameters"] == 12 * (16 * 64 + 64 + 64 * 16 + 16)
    given = netdraft("count", path, "--preset", "wide", "--set", "d_model=4", "--json")
    assert json.loads(given.stdout)["parameters"] == 12 * (4 * 16 + 16 + 16 * 4 + 4)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--preset", "narrow"], "There is no preset narrow. There are: wide."),
        (["--set", "n=3"], "There is no variable n. There are: d_model."),
        (["--set", "d_model"], "--set takes NAME=VALUE, not d_model."),
        (["--set", "=3"], "--set takes NAME=VALUE, not =3."),
        (["--set", "d_model=4*+"], "d_model: Something is missing after +."),
    ],
)
def test_what_cannot_be_chosen_is_refused(
    tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    done = netdraft("count", saved(stacked(), tmp_path), *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"netdraft: {sentence}\n"


def test_a_value_that_does_not_fit_is_a_problem_of_the_design(tmp_path: Path) -> None:
    done = netdraft("count", saved(stacked(), tmp_path), "--set", "d_model=q")
    assert done.returncode == 1
    assert done.stderr.startswith("d_model: q is neither a variable nor a free dimension.\n")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("width", "1024", 1024),
        ("width", "-3", -3),
        ("width", "2.5e-3", 2.5e-3),
        ("width", "4*other", Expression("4*other")),
        ("width", "inf", Expression("inf")),
        ("flag", "false", False),
        ("mode", "circular", "circular"),
        ("label", "4*width", "4*width"),
        ("label", "", ""),
    ],
)
def test_texts_become_values_of_the_kind_of_the_variable(
    name: str, text: str, expected: Raw
) -> None:
    choices = ("zeros", "circular")
    variables = {
        "width": Variable(8, note="kept"),
        "flag": Variable(True),
        "mode": Variable("zeros", choices=choices),
        "label": Variable("x"),
    }
    changed = with_values(Document(variables=variables), None, [f" {name} = {text} "])
    assert repr(changed.variables[name].value) == repr(expected)
    assert changed.variables[name].choices == variables[name].choices
    assert changed.variables["width"].note == "kept"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("flag=1", "flag is true or false, not 1."),
        ("mode=same", "mode is one of zeros, circular, not same."),
        ("n=1", "There is no variable n. There are: flag, mode."),
    ],
)
def test_texts_of_another_kind_are_refused(text: str, sentence: str) -> None:
    variables = {"flag": Variable(True), "mode": Variable("zeros", choices=("zeros", "circular"))}
    with pytest.raises(Refusal) as caught:
        with_values(Document(variables=variables), None, [text])
    assert str(caught.value) == sentence


def test_a_design_without_presets_has_none_to_name() -> None:
    with pytest.raises(Refusal, match=r"^There is no preset small\.$"):
        with_values(Document(), "small", [])
