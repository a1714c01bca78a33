"""A design as a small picture: its layers as chips in the colours of their families."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPainterPath, QPen

from designer.ui.widgets import paint

if TYPE_CHECKING:
    from designer.ui.gallery import Chip, Picture
    from designer.ui.theme import Theme

_MOST_SCALE = 0.42
_WIDENED = 2.6
"""A long design is drawn so much wider than it is, for its chips to be seen."""
_LEAST_CHIP = 3.2
_LANE = 9.0


class _Frame:
    """Where the places of a design are in a picture."""

    def __init__(self, picture: Picture, rect: QRectF) -> None:
        left = min(chip.x - chip.width / 2 for chip in picture.chips)
        right = max(chip.x + chip.width / 2 for chip in picture.chips)
        top = min(chip.y - chip.height / 2 for chip in picture.chips)
        bottom = max(chip.y + chip.height / 2 for chip in picture.chips)
        self._middle = QPointF((left + right) / 2, (top + bottom) / 2)
        self._centre = rect.center()
        self.down = min(_MOST_SCALE, rect.height() / max(bottom - top, 1))
        self.across = min(rect.width() / max(right - left, 1), self.down * _WIDENED, _MOST_SCALE)

    def at(self, x: float, y: float) -> QPointF:
        """A place of the design in the picture."""
        across, down = x - self._middle.x(), y - self._middle.y()
        return self._centre + QPointF(across * self.across, down * self.down)

    def box(self, chip: Chip) -> QRectF:
        """The chip of a layer in the picture."""
        height = max(min(chip.height * self.down * 1.1, 13.0), _LEAST_CHIP)
        box = QRectF(0, 0, max(chip.width * self.across, 2 * _LEAST_CHIP), height)
        box.moveCenter(self.at(chip.x, chip.y))
        return box


def paint_thumbnail(
    painter: QPainter, rect: QRectF, theme: Theme, picture: Picture, *, words: bool = True
) -> None:
    """Draw a design within `rect`, all of it; `words` adds how often blocks are repeated."""
    if not picture.chips:
        return
    frame = _Frame(picture, rect)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(theme.colour("wire"), 1))
    for wire in picture.wires:
        painter.drawPath(_way(frame, wire, picture))
    for chip in picture.chips:
        box = frame.box(chip)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.graphic(chip.family))
        painter.drawRoundedRect(box, 2, 2)
        if chip.copies and words:
            _paint_copies(painter, theme, box, chip.copies)


def _way(frame: _Frame, wire: tuple[float, float, float, float], picture: Picture) -> QPainterPath:
    """Straight to the next layer; past others in a lane at their left."""
    x, y, to_x, to_y = wire
    start, end = frame.at(x, y), frame.at(to_x, to_y)
    path = QPainterPath(start)
    between = [
        frame.box(chip).left()
        for chip in picture.chips
        if min(y, to_y) < chip.y < max(y, to_y) and abs(chip.x - (x + to_x) / 2) < chip.width / 2
    ]
    if not between:
        path.lineTo(end)
        return path
    lane = min(between) - _LANE
    gap = min(4.0, abs(end.y() - start.y()) / 4)
    path.lineTo(start.x(), start.y() + gap)
    path.lineTo(lane, start.y() + gap)
    path.lineTo(lane, end.y())
    path.lineTo(end)
    return path


def _paint_copies(painter: QPainter, theme: Theme, box: QRectF, copies: str) -> None:
    """A pill at the upper right corner of a block."""
    painter.setFont(theme.font("small"))
    width = QFontMetricsF(painter.font()).horizontalAdvance(copies) + theme.px(10)
    pill = QRectF(box.right() - 4, box.top() - theme.px(9), width, theme.px(15))
    paint.box(painter, pill, pill.height() / 2, theme.tint("block"), theme.graphic("block"))
    painter.setPen(theme.ink("block"))
    paint.centred_text(painter, pill, copies)
