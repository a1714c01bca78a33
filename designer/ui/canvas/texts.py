"""Text on the canvas: laid out once, kept, and never drawn smaller than it can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QFontMetricsF, QStaticText, QTextLayout, QTransform

from designer.ui.theme import ROLES, Role, make_font

if TYPE_CHECKING:
    from PySide6.QtGui import QFont, QPainter

SMALLEST = 9.5
"""No text is smaller than this on the screen, in pixels."""

_MOST_KEPT = 60_000
_STEP = 0.125


class Face(NamedTuple):
    """A role of type, enlarged `grow` times so that it can be read at a small zoom."""

    role: str
    grow: float = 1.0


class Laid(NamedTuple):
    """A line of text that is laid out, with its width and its height above the base line."""

    text: QStaticText
    width: float
    ascent: float


def face(role: str, zoom: float, least: float = SMALLEST) -> Face:
    """The role as large as it must be for `least` pixels on the screen at this zoom."""
    needed = least / (ROLES[role].px * zoom)
    if needed <= 1:
        return Face(role)
    # In steps, so that zooming does not lay out every line anew at every turn of the wheel.
    return Face(role, 1 + _STEP * -(-(needed - 1) // _STEP))


class Texts:
    """Fonts, widths and laid out lines of the canvas, at 100 % zoom."""

    def __init__(self) -> None:
        self._fonts: dict[Face, QFont] = {}
        self._metrics: dict[Face, QFontMetricsF] = {}
        self._laid: dict[tuple[str, Face], Laid] = {}
        self._elided: dict[tuple[str, Face, int], str] = {}

    def font(self, face: Face) -> QFont:
        """The font of a face."""
        if face not in self._fonts:
            role = ROLES[face.role]
            self._fonts[face] = make_font(Role(role.px * face.grow, role.weight, role.mono))
        return self._fonts[face]

    def metrics(self, face: Face) -> QFontMetricsF:
        """The measures of a face."""
        if face not in self._metrics:
            self._metrics[face] = QFontMetricsF(self.font(face))
        return self._metrics[face]

    def width(self, text: str, role: str) -> float:
        """How wide a text is at 100 % zoom."""
        return self.metrics(Face(role)).horizontalAdvance(text)

    def laid(self, text: str, face: Face) -> Laid:
        """A line, laid out now if it was not before."""
        key = (text, face)
        found = self._laid.get(key)
        if found is None:
            if len(self._laid) >= _MOST_KEPT:
                self._laid.clear()
            found = self._laid[key] = self._lay(text, face)
        return found

    def _lay(self, text: str, face: Face) -> Laid:
        font = self.font(face)
        layout = QTextLayout(text, font)
        layout.beginLayout()
        line = layout.createLine()
        layout.endLayout()
        static = QStaticText(text)
        static.setTextFormat(Qt.TextFormat.PlainText)
        static.setPerformanceHint(QStaticText.PerformanceHint.AggressiveCaching)
        static.prepare(QTransform(), font)
        return Laid(static, line.naturalTextWidth(), line.ascent())

    def elided(self, text: str, face: Face, width: float) -> str:
        """A name with its middle left out where it is wider than `width`."""
        if self.laid(text, face).width <= width:
            return text
        key = (text, face, int(width))
        if key not in self._elided:
            if len(self._elided) >= _MOST_KEPT:
                self._elided.clear()
            self._elided[key] = self.metrics(face).elidedText(
                text, Qt.TextElideMode.ElideMiddle, max(0.0, width)
            )
        return self._elided[key]

    def draw(self, painter: QPainter, place: tuple[float, float], text: str, face: Face) -> float:
        """Draw a line that begins at `place` on its base line; how wide it is."""
        laid = self.laid(text, face)
        painter.setFont(self.font(face))
        painter.drawStaticText(QPointF(place[0], place[1] - laid.ascent), laid.text)
        return laid.width
