"""Presets in exported code: class methods that make the module with the values of a preset."""

from __future__ import annotations

from typing import Any

import pytest

from designer.core import edits
from designer.core.block_edits import remove_preset, set_preset, use_preset
from designer.core.edits import Refused
from designer.core.expression import Expression
from designer.export.check import check
from designer.export.program import build
from designer.export.pytorch import write
from tests.core.drawing import STEP, Drawing
from tests.export.designs import built


def family(**presets: dict[str, Any]) -> Drawing:
    """Two layers whose width and bias are variables, with presets."""
    drawing = Drawing(width=8, depth=2, bias=True)
    x = drawing.input("B", 3)
    x = drawing.add("Linear", x, name="small", out_features=Expression("width"))
    size = Expression("depth*width")
    x = drawing.add("Linear", x, name="fc", out_features=size, bias=Expression("bias"))
    drawing.add("Output", x)
    for name, values in presets.items():
        drawing.do(set_preset(name, values))
    return drawing


def methods(drawing: Drawing) -> dict[str, str]:
    """Of each preset that the code has, its method."""
    return {p.title: p.method for p in build(drawing.editor.analysis, "Family").presets}


def test_a_preset_makes_the_module_with_its_values() -> None:
    drawing = family(tiny={"width": 4}, wide={"width": 16, "depth": 3, "bias": False})
    made: Any = type(built(write(drawing.editor.analysis, "Family").text))
    assert made.tiny().small.weight.shape == (4, 3)
    assert made.wide().fc.weight.shape == (48, 16)
    assert made.wide().fc.bias is None
    for name in ("tiny", "wide"):
        drawing.do(use_preset(name))
        assert sum(p.numel() for p in getattr(made, name)().parameters()) == drawing.parameters


def test_names_of_presets_never_break_the_code() -> None:
    hostile = {"class": 1, "small": 2, "GPT-2 XL": 3, "小": 4, "forward": 5, 'x"); import os #': 6}
    drawing = family(**{name: {"width": width} for name, width in hostile.items()})
    found = methods(drawing)
    assert list(found) == list(hostile)
    assert len(set(found.values())) == len(hostile)
    assert found["GPT-2 XL"] == "gpt_2_xl"
    made: Any = type(built(write(drawing.editor.analysis, "Family").text))
    for name, width in hostile.items():
        assert getattr(made, found[name])().small.out_features == width


def test_a_preset_that_the_code_cannot_tell_has_no_method() -> None:
    drawing = family(tiny={"width": 4})
    drawing.do(edits.set_variable("unused", edits_variable(3)))
    drawing.do(set_preset("other", {"unused": 5}))
    assert list(methods(drawing)) == ["tiny"]


def edits_variable(value: int) -> Any:
    """A variable with a value."""
    from designer.core.document import Variable

    return Variable(value)


def test_the_comparison_runs_at_every_preset() -> None:
    drawing = family(tiny={"width": 4}, wide={"width": 16, "depth": 3, "bias": False})
    report = check(drawing.editor.document)
    names = [str(case.name) for case in report.cases]
    assert names[:3] == ["as drawn", "preset tiny", "preset wide"]
    assert report.matches


def test_a_preset_is_taken_back_in_one_step() -> None:
    drawing = family(wide={"width": 16, "depth": 3})
    before = drawing.parameters
    drawing.editor.apply(use_preset("wide"), STEP)
    assert drawing.parameters != before
    drawing.editor.undo()
    assert drawing.parameters == before


@pytest.mark.parametrize("value", [Expression("2*depth"), (1, 2), None, float("nan")])
def test_a_preset_holds_values_and_nothing_else(value: Any) -> None:
    drawing = family()
    with pytest.raises(Refused):
        drawing.do(set_preset("odd", {"width": value}))
    with pytest.raises(Refused, match="gone"):
        drawing.do(use_preset("gone"))


def test_a_preset_can_be_forgotten() -> None:
    drawing = family(tiny={"width": 4})
    drawing.do(remove_preset("tiny"))
    assert drawing.editor.document.presets == {}
