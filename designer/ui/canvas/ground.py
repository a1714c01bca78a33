"""The dots behind the drawing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPixmap

from designer.ui.canvas.geometry import GRID
from designer.ui.canvas.levels import LIMITS

if TYPE_CHECKING:
    from designer.ui.theme import Theme

_MORE = 256


class Ground:
    """Dots every 16 px that fade out as one zooms away.

    One row of them is kept as an image: drawing each dot would cost more than all nodes together.
    """

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._row = QPixmap()
        self._made_for: tuple[object, ...] = ()

    def paint(self, painter: QPainter, rect: QRectF, zoom: float) -> None:
        """Draw the dots in a part of the canvas."""
        if zoom <= LIMITS[1]:
            return
        first = GRID * math.floor(rect.left() / GRID)
        transform = painter.worldTransform()
        right = transform.map(rect.bottomRight()).x()
        rows = range(math.floor(rect.top() / GRID), math.ceil(rect.bottom() / GRID) + 1)
        places = [transform.map(QPointF(first, GRID * row)) for row in rows]
        ratio = painter.device().devicePixelRatioF()
        self._prepare(right - places[0].x(), zoom, ratio)
        painter.save()
        painter.resetTransform()
        for place in places:
            painter.drawPixmap(QPointF(round(place.x()), round(place.y())), self._row)
        painter.restore()

    def _prepare(self, width: float, zoom: float, ratio: float) -> None:
        """Make the row of dots, unless there is one that is long enough."""
        made_for = (self._theme.name, zoom, ratio)
        if made_for == self._made_for and self._row.width() >= width * ratio:
            return
        self._made_for = made_for
        length = math.ceil(width) + _MORE
        self._row = QPixmap(math.ceil(length * ratio), math.ceil(ratio))
        self._row.setDevicePixelRatio(ratio)
        self._row.fill(Qt.GlobalColor.transparent)
        colour = self._theme.colour("grid")
        colour.setAlphaF(min(1.0, (zoom - LIMITS[1]) / (LIMITS[2] - LIMITS[1])))
        step = GRID * zoom
        with QPainter(self._row) as painter:
            for index in range(math.ceil(length / step)):
                painter.fillRect(QRectF(round(index * step), 0, 1, 1), colour)
