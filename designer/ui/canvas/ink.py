"""What painting needs: the painter, the theme, laid out text, and how far one has zoomed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPen

from designer.ui import icons
from designer.ui.canvas.texts import SMALLEST, Texts, face

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from PySide6.QtGui import QPainter

    from designer.core.graph import NodeId, Target
    from designer.ui.canvas.geometry import Box, Spot
    from designer.ui.canvas.labels import Span
    from designer.ui.canvas.levels import Level
    from designer.ui.canvas.pictures import Pictures
    from designer.ui.theme import Theme


@dataclass(slots=True)
class Marks:
    """What of the drawing is picked out at the moment."""

    selected: frozenset[NodeId] = frozenset()
    hovered: NodeId | None = None
    hovered_wire: Target | None = None
    picked_wire: Target | None = None
    chip: tuple[NodeId, NodeId] | None = None
    """A layer of a block that is picked out on its use: the use, and the layer in it."""
    focused: NodeId | None = None
    """The node that keys act on, while the keyboard is used."""
    told: NodeId | None = None
    """The node whose problem is shown in full."""
    accepts: Callable[[Spot], bool] | None = None
    """While a wire is dragged: whether it may end at a port."""
    nearest: Spot | None = None
    hidden_wire: Target | None = None
    """A wire that the dragged one would replace."""
    split_wire: Target | None = None
    """A wire that a layer would go into."""


@dataclass(slots=True)
class Ink:
    """A painter with the theme's colours and the canvas's text."""

    painter: QPainter
    theme: Theme
    texts: Texts
    pictures: Pictures
    zoom: float
    level: Level
    marks: Marks = field(default_factory=Marks)
    total: int = 0
    """Parameters of the design, of which shares are taken."""

    def colour(self, token: str) -> QColor:
        """A colour of the theme."""
        return self.theme.colour(token)

    def pen(self, token: str, width: float = 1.0) -> QPen:
        """A solid pen with round caps."""
        style, cap, join = (
            Qt.PenStyle.SolidLine,
            Qt.PenCapStyle.RoundCap,
            Qt.PenJoinStyle.RoundJoin,
        )
        return QPen(self.colour(token), width, style, cap, join)

    def dashed(self, token: str, width: float, *pattern: float) -> QPen:
        """A pen with dashes of these lengths in pixels."""
        pen = self.pen(token, width)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        pen.setDashPattern([length / width for length in pattern])
        return pen

    def box(self, box: Box, radius: float, fill: str = "", border: QPen | None = None) -> None:
        """A rounded box; its border lies inside."""
        painter = self.painter
        painter.setBrush(self.colour(fill) if fill else Qt.BrushStyle.NoBrush)
        rect = rect_of(box)
        if border is None:
            painter.setPen(Qt.PenStyle.NoPen)
        else:
            painter.setPen(border)
            half = border.widthF() / 2
            rect, radius = rect.adjusted(half, half, -half, -half), radius - half
        painter.drawRoundedRect(rect, radius, radius)

    def text(
        self, x: float, base: float, text: str, style: tuple[str, str], least: float = SMALLEST
    ) -> float:
        """Write a line that begins at `x`; `style` is role and colour. How wide it is."""
        self.painter.setPen(self.colour(style[1]))
        return self.texts.draw(self.painter, (x, base), text, face(style[0], self.zoom, least))

    def text_right(self, x: float, base: float, text: str, style: tuple[str, str]) -> float:
        """Write a line that ends at `x`; how wide it is."""
        width = self.width(text, style[0])
        self.text(x - width, base, text, style)
        return width

    def width(self, text: str, role: str, least: float = SMALLEST) -> float:
        """How wide a line would be."""
        return self.texts.laid(text, face(role, self.zoom, least)).width

    def elided(self, text: str, role: str, width: float, least: float = SMALLEST) -> str:
        """A name that fits into `width`."""
        return self.texts.elided(text, face(role, self.zoom, least), width)

    def spans(self, x: float, base: float, spans: Iterable[Span]) -> float:
        """Write stretches of text one after another; where they end."""
        for span in spans:
            x += self.text(x, base, span.text, (span.role, span.token))
        return x

    def spans_width(self, spans: Iterable[Span]) -> float:
        """How wide they would be together."""
        return sum(self.width(span.text, span.role) for span in spans)

    def icon(self, x: float, y: float, name: str, token: str, size: float = 16) -> None:
        """An icon in a colour, its upper left corner at (x, y)."""
        icons.paint(self.painter, QRectF(x, y, size, size), name, self.colour(token))


def rect_of(box: Box) -> QRectF:
    """The box for Qt."""
    return QRectF(box.x, box.y, box.width, box.height)


def point_of(point: tuple[float, float]) -> QPointF:
    """The point for Qt."""
    return QPointF(point[0], point[1])
