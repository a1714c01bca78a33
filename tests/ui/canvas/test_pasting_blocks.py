"""Uses of blocks put in from the clipboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from designer.core.document import drafted
from designer.core.edits import add_node, all_of, connect, move
from designer.core.graph import Source, Target
from designer.core.grouping import group
from designer.ui.canvas.geometry import Point
from tests.ui.canvas.conftest import CTRL, Desk, document

if TYPE_CHECKING:
    from designer.core.document import Document


def with_block() -> Document:
    """A use of a block near the middle, whose layers stand far from it at their own level."""
    drawn = document(
        add_node("ReLU", (0.0, 5000.0)),
        add_node("Tanh", (0.0, 5200.0)),
        connect(Source(1, "out"), Target(2, "x")),
    )
    grouped, _ = drafted(drawn, all_of([group([1, 2])]))
    (use,) = grouped.graph.nodes
    return drafted(grouped, move({use: (0.0, 0.0)}))[0]


def test_a_use_lands_where_one_looks(desk: Desk) -> None:
    editor = desk.show(with_block())
    (use,) = editor.document.graph.nodes
    desk.canvas.select((use,))
    desk.hand.key(Qt.Key.Key_C, CTRL)
    desk.canvas.view.centre_on(Point(3000.0, 0.0))
    desk.hand.key(Qt.Key.Key_V, CTRL)
    (pasted,) = desk.canvas.selection
    assert pasted != use
    assert desk.canvas.view.shown().contains(desk.canvas.stage.drawing.cards[pasted].box.centre)
