"""The range that is declared for a variable: a warning outside it, and never in the way."""

from __future__ import annotations

import pytest

from designer.core.document import Variable
from designer.core.edits import Refused
from designer.core.expression import Expression
from designer.core.naming import set_variable
from designer.export.pytorch import export_problems
from designer.files.codec import read_document, write_document
from designer.files.refusal import Refusal
from tests.core.drawing import Drawing


def warned(variable: Variable) -> list[tuple[str, str]]:
    """What is said of a design with this variable."""
    drawing = Drawing(width=4)
    drawing.do(set_variable("n", variable))
    return [(p.severity, str(p.message)) for p in drawing.editor.analysis.problems()]


def test_within_its_range_nothing_is_said() -> None:
    for value in (1, 8, 64):
        assert warned(Variable(value, least=1, most=64)) == []
    assert warned(Variable("text", least=1)) == []
    assert warned(Variable(True, least=5)) == []


@pytest.mark.parametrize(
    ("variable", "sentence"),
    [
        (Variable(65, least=1, most=64), "n is meant to be from 1 to 64, got 65."),
        (Variable(0, least=1), "n is meant to be at least 1, got 0."),
        (Variable(0.9, most=0.5), "n is meant to be at most 0.5, got 0.9."),
        (Variable(Expression("8*width"), most=16), "n is meant to be at most 16, got 32."),
    ],
)
def test_outside_it_a_warning_is_given(variable: Variable, sentence: str) -> None:
    assert warned(variable) == [("warning", sentence)]


def test_a_warning_does_not_keep_from_exporting() -> None:
    drawing = Drawing()
    drawing.do(set_variable("n", Variable(9, most=3)))
    x = drawing.input("B", 4)
    drawing.add("Output", drawing.add("Linear", x, out_features=Expression("n")))
    assert export_problems(drawing.editor.analysis) == []


@pytest.mark.parametrize("least", [float("nan"), float("inf"), 2**64, True])
def test_a_range_is_of_numbers(least: float) -> None:
    with pytest.raises(Refused, match="needs a range of numbers"):
        Drawing().do(set_variable("n", Variable(1, least=least)))


def test_a_range_is_not_empty() -> None:
    with pytest.raises(Refused, match="it is empty"):
        Drawing().do(set_variable("n", Variable(1, least=3, most=2)))


def test_files_keep_it() -> None:
    drawing = Drawing()
    drawing.do(set_variable("n", Variable(2, least=1, most=2.5)))
    data = write_document(drawing.editor.document)
    assert read_document(data, "here").document == drawing.editor.document
    for damage in (b'"least": 3', b'"least": "a"', b'"least": 1e300'):
        with pytest.raises(Refusal, match=r"variables\.n"):
            read_document(data.replace(b'"least": 1', damage), "here")
