"""The arrays that are drawn from far away follow the drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from designer.core.editor import Editor
from designer.core.edits import Refused
from designer.ui.canvas.far import Far
from tests.ui.canvas.conftest import chain
from tests.ui.canvas.test_drawing import LABEL, drawn, steps

if TYPE_CHECKING:
    from designer.core.document import Edit
    from designer.ui.canvas.drawing import Drawing


def held(far: Far) -> tuple[set[tuple[str, tuple[float, ...]]], set[tuple[float, ...]]]:
    """What the arrays hold: boxes with their colours, and lines."""
    boxes = {(token, tuple(row)) for token, rows in far._boxes.items() for row in rows}
    lines = set() if far._lines is None else {tuple(row) for row in far._lines}
    return boxes, lines


def expected(drawing: Drawing) -> tuple[set[tuple[str, tuple[float, ...]]], set[tuple[float, ...]]]:
    """What they should hold."""
    boxes = {
        ("error" if card.state == "error" else f"g-{card.family}", tuple(card.box))
        for card in drawing.cards.values()
    }
    return boxes, {tuple(float(x) for end in drawing.ends(t) for x in end) for t in drawing.wires}


@settings(max_examples=40)
@given(st.lists(steps(), max_size=15), st.data())
def test_the_arrays_hold_what_the_drawing_has(made: list[Edit], data: st.DataObject) -> None:
    editor = Editor(chain())
    drawing = drawn(editor)
    far = Far(drawing)
    for edit in made:
        if data.draw(st.booleans()):
            far.follow()
        try:
            editor.apply(edit, LABEL)
        except Refused:
            continue
    far.follow()
    assert held(far) == expected(drawing)


def test_a_drag_is_followed_row_by_row() -> None:
    drawing = drawn(Editor(chain()))
    far = Far(drawing)
    far.follow()
    boxes = far._boxes
    drawing.lift([2])
    drawing.shift([2], 16, -8)
    far.follow()
    assert far._boxes is boxes
    assert held(far) == expected(drawing)
