"""What stands against a design, also where only its code would show it."""

from __future__ import annotations

from designer.core.expression import Expression
from designer.export.standing import standing_problems
from tests.core.drawing import Drawing, cifar10


def told(drawing: Drawing) -> list[tuple[str, str]]:
    """Severity and sentence of all problems."""
    return [(p.severity, str(p.message)) for p in standing_problems(drawing.editor.analysis)]


def test_nothing_stands_against_a_whole_design() -> None:
    drawing = Drawing()
    cifar10(drawing)
    assert told(drawing) == []


def test_ends_that_are_not_drawn_yet_are_no_problem() -> None:
    drawing = Drawing()
    drawing.add("Linear", drawing.input("B", 8))
    assert told(drawing) == []


def test_a_layer_that_no_output_depends_on_is_hinted_at() -> None:
    drawing = Drawing()
    image = drawing.input("B", 8)
    drawing.add("Output", drawing.add("ReLU", image))
    aside = drawing.add("Linear", image)
    (problem,) = standing_problems(drawing.editor.analysis)
    assert (problem.severity, problem.node, problem.blocks) == ("hint", aside, False)


def test_a_module_made_from_a_free_dimension_is_an_error() -> None:
    drawing = Drawing()
    made = drawing.add("LayerNorm", drawing.input("B", "T"), elementwise_affine=False)
    drawing.add("Output", made)
    (problem,) = standing_problems(drawing.editor.analysis)
    assert (problem.severity, problem.node) == ("error", made)
    assert "T" in str(problem.message)


def test_a_dimension_that_no_input_has_is_an_error() -> None:
    drawing = Drawing()
    made = drawing.add("Reshape", drawing.input("B", 4), shape=(Expression("T"), -1))
    drawing.add("Output", made)
    blocking = [p for p in standing_problems(drawing.editor.analysis) if p.blocks]
    assert [p.node for p in blocking] == [made]
    assert "T" in str(blocking[0].message)
