"""Fixes: those of the pictures, and that each gives exactly what it shows, on random breaks."""

from __future__ import annotations

import random

import pytest

from designer.core import edits
from designer.core.document import Dimension, Variable
from designer.core.expression import Expression
from designer.core.graph import Target
from designer.core.tensor import Tensor
from designer.layers.fixes import Fix, fixes
from tests.core.drawing import Drawing, cifar10


def offered(found: list[Fix]) -> list[tuple[str, str, int, bool]]:
    """Label, shape, change and whether all is well then."""
    return [(str(fix.label), str(fix.shape), fix.parameters, fix.clean) for fix in found]


def test_a_linear_pinned_to_the_flat_width_is_offered_what_the_picture_shows() -> None:
    drawing = Drawing()
    first = cifar10(drawing, flatten=False, in_features=512)
    found = fixes(drawing.editor, first)
    assert offered(found) == [
        ("Insert Flatten", "[B, 512]", 0, True),
        ("Set in_features to 2", "[B, 128, 2, 128]", -65_280, False),
        ("Insert AdaptiveAvgPool2d(1) and Flatten", "[B, 128]", -49_152, True),
    ]
    assert [str(fix.note) for fix in found] == [
        "all shapes agree",
        "acts on the width alone",
        "all shapes agree",
    ]


def test_a_width_left_empty_gets_the_same_fixes_from_its_warning() -> None:
    drawing = Drawing()
    first = cifar10(drawing, flatten=False)
    assert offered(fixes(drawing.editor, first)) == [
        ("Insert Flatten", "[B, 512]", 65_280, True),
        ("Set in_features to 2", "[B, 128, 2, 128]", 0, False),
        ("Insert AdaptiveAvgPool2d(1) and Flatten", "[B, 128]", 16_128, True),
    ]


def test_two_linear_layers_in_a_row_are_offered_an_activation() -> None:
    drawing = Drawing()
    node = drawing.add("Linear", drawing.input("B", 8), out_features=4)
    second = drawing.add("Linear", node, out_features=2)
    assert "together they act as one" in str(drawing.finding(second).problems[0].message)
    assert offered(fixes(drawing.editor, second)) == [("Insert ReLU", "[B, 4]", 0, True)]


def test_an_undeclared_name_is_offered_both_declarations() -> None:
    drawing = Drawing()
    fc = drawing.add("Linear", drawing.input("B", 8), out_features=Expression("width"))
    labels = [str(fix.label) for fix in fixes(drawing.editor, fc)]
    assert labels[0] == "Declare width as a variable, 128"


def test_two_free_dimensions_can_be_made_one() -> None:
    drawing = Drawing()
    drawing.do(edits.set_dimension("S", Dimension("tokens")))
    first, second = drawing.input("B", "T", 8), drawing.input("B", "S", 8)
    add = drawing.add("Add", first, second)
    found = fixes(drawing.editor, add)
    assert "one dimension" in str(found[0].label)
    drawing.do(found[0].edit)
    assert not drawing.finding(add).problems


def test_an_assumption_that_only_holds_now_can_be_declared() -> None:
    drawing = Drawing(d=12, h=3)
    x = drawing.input("B", "T", Expression("d"))
    split = drawing.add(
        "Unflatten", x, dim=-1, unflattened_size=(Expression("h"), Expression("d//h"))
    )
    assert [p.severity for p in drawing.finding(split).problems] == ["hint"]
    found = fixes(drawing.editor, split)
    assert "Declare that h divides d" in [str(fix.label) for fix in found]
    drawing.do(next(fix.edit for fix in found if "divides" in str(fix.label)))
    assert not drawing.finding(split).problems


def test_a_missing_wire_is_offered_the_nearest_free_output() -> None:
    drawing = Drawing()
    drawing.input("B", 8)
    fc = drawing.add("Linear", out_features=4)
    assert offered(fixes(drawing.editor, fc)) == [("Connect input1", "[B, 4]", 32, True)]


def broken(seed: int) -> tuple[Drawing, int]:
    """A drawing with one thing wrong, and the node where it shows."""
    choice = random.Random(seed)
    drawing = Drawing(d=choice.choice((8, 16, 24)))
    size = choice.choice((16, 20, 32))
    node = drawing.input("B", choice.randint(1, 4), size, size)
    for _ in range(choice.randint(1, 3)):
        width = choice.choice((4, 8, Expression("d")))
        node = drawing.add("Conv2d", node, out_channels=width, kernel_size=choice.choice((1, 3)))
        node = drawing.add(choice.choice(("ReLU", "GELU", "Dropout")), node)
    ways = ("pinned", "channels", "unconnected", "name", "add", "option")
    return drawing, breaks(drawing, node, choice.choice(ways), choice)


def breaks(drawing: Drawing, node: int, way: str, choice: random.Random) -> int:
    """Break a drawing behind `node` in one way."""
    wide = choice.randint(40, 900)
    if way == "add":
        other = drawing.add("Conv2d", node, out_channels=choice.randint(30, 60), kernel_size=1)
        return drawing.add("Add", node, other)
    if way == "unconnected":
        return drawing.add("BatchNorm2d")
    kind, options = {
        "pinned": ("Linear", {"in_features": wide, "out_features": 5}),
        "channels": ("Conv2d", {"in_channels": wide, "out_channels": 3}),
        "name": ("Conv2d", {"out_channels": Expression("wide")}),
        "option": ("MaxPool2d", {"kernel_size": choice.choice((0, 500))}),
    }[way]
    return drawing.add(kind, node, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(200))
def test_an_applied_fix_gives_exactly_what_was_shown(seed: int) -> None:
    drawing, node = broken(seed)
    found = fixes(drawing.editor, node)
    assert found
    for fix in found:
        _apply_and_compare(drawing, node, fix)


def _apply_and_compare(drawing: Drawing, node: int, fix: Fix) -> None:
    before = drawing.parameters
    document = drawing.editor.document
    drawing.editor.apply(fix.edit, fix.label)
    finding = drawing.finding(node)
    shapes = [*finding.outputs.values(), *finding.inputs.values()]
    assert drawing.parameters - before == fix.parameters
    assert fix.shape in [shape for shape in shapes if isinstance(shape, Tensor)]
    left = [p for p in finding.problems if p.severity != "hint"]
    doubted = str(fix.note) == "acts on the width alone"
    assert fix.clean == (not left and not doubted)
    drawing.editor.undo()
    assert drawing.editor.document == document


def test_a_fix_is_one_step_and_undo_takes_it_back() -> None:
    drawing = Drawing(e=3)
    drawing.do(edits.set_variable("f", Variable(2)))
    first = cifar10(drawing, flatten=False, in_features=512)
    steps = len(drawing.editor.steps)
    fix = fixes(drawing.editor, first)[0]
    drawing.editor.apply(fix.edit, fix.label)
    assert len(drawing.editor.steps) == steps + 1
    source = drawing.editor.document.graph.source(Target(first, "x"))
    assert source is not None
    assert drawing.editor.document.graph.nodes[source.node].kind == "Flatten"
    drawing.editor.undo()
    assert fixes(drawing.editor, first) != []
