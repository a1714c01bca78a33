"""Text in the widgets of the canvas: stretches in the theme's roles and colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QFontMetricsF

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtGui import QPainter

    from designer.ui.canvas.labels import Span
    from designer.ui.theme import Theme


class Pen:
    """Writes stretches of text in the theme's type."""

    def __init__(self, theme: Theme, painter: QPainter) -> None:
        self._theme = theme
        self._painter = painter

    def write(self, x: float, base: float, span: Span, room: float | None = None) -> float:
        """Write from `x` on, elided where it is wider than `room`; where it ends."""
        font = self._theme.font(span.role)
        metrics = QFontMetricsF(font)
        text = span.text
        if room is not None:
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
        self._painter.setFont(font)
        self._painter.setPen(self._theme.colour(span.token))
        self._painter.drawText(QPointF(x, base), text)
        return x + metrics.horizontalAdvance(text)

    def write_right(self, x: float, base: float, span: Span) -> None:
        """Write so that it ends at `x`."""
        self.write(x - self.width(span), base, span)

    def spans(
        self, x: float, base: float, spans: Iterable[Span], right: float | None = None
    ) -> float:
        """Write one after another, elided where they would go beyond `right`; where they end."""
        for span in spans:
            full = x + self.width(span)
            x = self.write(x, base, span, None if right is None else right - x)
            if x < full - 0.5:
                break
        return x

    def width(self, span: Span) -> float:
        """How wide it is."""
        return QFontMetricsF(self._theme.font(span.role)).horizontalAdvance(span.text)
