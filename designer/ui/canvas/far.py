"""Painting from far away: one call for each family, straight from arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QLineF, QRectF, Qt
from shiboken6 import wrapInstance

if TYPE_CHECKING:
    from designer.ui.canvas.drawing import Drawing
    from designer.ui.canvas.ink import Ink


class Far:
    """Arrays of a drawing's boxes by family, and of its wires as straight lines.

    They are made again when the drawing has changed.
    """

    def __init__(self) -> None:
        self._version: tuple[int, int] | None = None
        self._boxes: dict[str, Any] = {}
        self._lines: Any = None

    def paint(self, ink: Ink, drawing: Drawing) -> None:
        """Draw all wires and nodes as lines and boxes."""
        self._refresh(drawing)
        painter = ink.painter
        painter.setRenderHint(painter.RenderHint.Antialiasing, False)
        if self._lines is not None:
            pen = ink.pen("wire", 1)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.drawLines(_wrapped(self._lines, QLineF), len(self._lines))
        painter.setPen(Qt.PenStyle.NoPen)
        for token, boxes in self._boxes.items():
            painter.setBrush(ink.colour(token))
            painter.drawRects(_wrapped(boxes, QRectF), len(boxes))
        self._paint_selection(ink, drawing)
        painter.setRenderHint(painter.RenderHint.Antialiasing)

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

    def _refresh(self, drawing: Drawing) -> None:
        version = (id(drawing.editor), drawing.version)
        if version == self._version:
            return
        import numpy as np

        self._version = version
        by_token: dict[str, list[tuple[float, ...]]] = {}
        for card in drawing.cards.values():
            token = "error" if card.state == "error" else f"g-{card.family}"
            by_token.setdefault(token, []).append(card.box)
        self._boxes = {token: np.array(boxes, float) for token, boxes in by_token.items()}
        lines = [(*start, *end) for start, end in drawing.ends()]
        self._lines = np.array(lines, float) if lines else None


def _wrapped(array: Any, kind: type) -> Any:
    """The first element of an array of doubles as a Qt value; the others follow it in memory."""
    return wrapInstance(array.ctypes.data, kind)
