"""Painting from far away: one call for each family, straight from arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QLineF, QRectF, Qt
from shiboken6 import wrapInstance

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter

    from designer.core.editor import Editable
    from designer.core.graph import NodeId, Target
    from designer.ui.canvas.cards import Card
    from designer.ui.canvas.drawing import Drawing
    from designer.ui.canvas.geometry import Box
    from designer.ui.canvas.ink import Ink
    from designer.ui.theme import Theme


class Far:
    """Arrays of a drawing's boxes by colour, and of its wires as straight lines.

    They follow the drawing: only what has changed is written anew, unless there are other nodes
    or wires than before.
    """

    def __init__(self, drawing: Drawing) -> None:
        self._drawing = drawing
        self._made_for: tuple[Editable | None, int] = (None, -1)
        self._boxes: dict[str, Any] = {}
        self._rows: dict[NodeId, tuple[str, int]] = {}
        self._lines: Any = None
        self._line_rows: dict[Target, int] = {}

    def paint(self, ink: Ink) -> None:
        """Draw all wires and nodes as lines and boxes."""
        self.follow()
        painter = ink.painter
        painter.setRenderHint(painter.RenderHint.Antialiasing, False)
        if self._lines is not None:
            pen = ink.pen("wire", 1)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.drawLines(_wrapped(self._lines, QLineF), len(self._lines))
        painter.setPen(Qt.PenStyle.NoPen)
        self.paint_boxes(painter, ink.theme)
        self._paint_selection(ink, self._drawing)
        painter.setRenderHint(painter.RenderHint.Antialiasing)

    def paint_boxes(self, painter: QPainter, theme: Theme) -> None:
        """Draw all nodes as boxes, in one call for each colour."""
        for token, boxes in self._boxes.items():
            painter.setBrush(theme.colour(token))
            painter.drawRects(_wrapped(boxes, QRectF), len(boxes))

    def _paint_selection(self, ink: Ink, drawing: Drawing) -> None:
        chosen = [drawing.cards[id].box for id in ink.marks.selected if id in drawing.cards]
        pen = ink.pen("accent", 2)
        pen.setCosmetic(True)
        ink.painter.setPen(pen)
        ink.painter.setBrush(Qt.BrushStyle.NoBrush)
        around = 2 / ink.zoom
        ink.painter.drawRects(
            [QRectF(*box).adjusted(-around, -around, around, around) for box in chosen]
        )

    def follow(self) -> None:
        """Bring the arrays up to date."""
        drawing = self._drawing
        editor, version = self._made_for
        self._made_for = (drawing.editor, drawing.version)
        changed = drawing.changed_since(version) if editor is drawing.editor else None
        if version == drawing.version and editor is drawing.editor:
            return
        if changed is None or not all(map(self._rewrite, changed)):
            self._make()

    def _rewrite(self, id: NodeId) -> bool:
        """Write a node and its wires anew; False where its colour is another one."""
        card = self._drawing.cards[id]
        token, row = self._rows.get(id, ("", 0))
        if token != _token(card):
            return False
        self._boxes[token][row] = card.box
        for target in self._drawing.targets_at(id):
            start, end = self._drawing.ends(target)
            self._lines[self._line_rows[target]] = (*start, *end)
        return True

    def _make(self) -> None:
        import numpy as np

        by_token: dict[str, list[Box]] = {}
        self._rows = {}
        for id, card in self._drawing.cards.items():
            boxes = by_token.setdefault(_token(card), [])
            self._rows[id] = (_token(card), len(boxes))
            boxes.append(card.box)
        self._boxes = {token: np.array(boxes, float) for token, boxes in by_token.items()}
        self._line_rows = {target: row for row, target in enumerate(self._drawing.wires)}
        ends = map(self._drawing.ends, self._drawing.wires)
        lines = [(*start, *end) for start, end in ends]
        self._lines = np.array(lines, float) if lines else None


def _token(card: Card) -> str:
    return "error" if card.state == "error" else f"g-{card.family}"


def _wrapped(array: Any, kind: type) -> Any:
    """The first element of an array of doubles as a Qt value; the others follow it in memory."""
    return wrapInstance(array.ctypes.data, kind)
