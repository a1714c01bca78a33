"""Pictures of what has been painted, so that panning paints nothing twice."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPixmap

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from designer.ui.canvas.geometry import Box
    from designer.ui.canvas.ink import Ink

_MOST_PIXELS = 24_000_000


class Pictures:
    """Pixmaps by key. A picture is painted again when the zoom, theme or its content differ."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[object, QPixmap]] = {}
        self._look: tuple[object, ...] = ()
        self._pixels = 0

    def paint(
        self, ink: Ink, key: Hashable, content: object, area: Box, draw: Callable[[Ink], None]
    ) -> None:
        """Show what `draw` paints into an area, from its picture if that is still right.

        `content` is compared by identity.
        """
        ratio = ink.painter.device().devicePixelRatioF()
        look = (ink.zoom, ratio, ink.theme.name, ink.theme.scale, ink.level)
        if look != self._look or self._pixels > _MOST_PIXELS:
            self._kept.clear()
            self._look, self._pixels = look, 0
        kept = self._kept.get(key)
        if kept is None or kept[0] is not content:
            picture = self._made(ink, area, ratio, draw)
            self._kept[key] = content, picture
            self._pixels += picture.width() * picture.height()
        else:
            picture = kept[1]
        self._show(ink, area, picture)

    @staticmethod
    def _made(ink: Ink, area: Box, ratio: float, draw: Callable[[Ink], None]) -> QPixmap:
        scale = ink.zoom * ratio
        picture = QPixmap(math.ceil(area.width * scale) + 1, math.ceil(area.height * scale) + 1)
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        with QPainter(picture) as painter:
            painter.setRenderHints(ink.painter.renderHints())
            painter.scale(ink.zoom, ink.zoom)
            painter.translate(-area.x, -area.y)
            draw(replace(ink, painter=painter))
        return picture

    @staticmethod
    def _show(ink: Ink, area: Box, picture: QPixmap) -> None:
        painter = ink.painter
        transform = painter.worldTransform()
        place = transform.map(QPointF(area.x, area.y))
        painter.resetTransform()
        painter.drawPixmap(QPointF(round(place.x()), round(place.y())), picture)
        painter.setWorldTransform(transform)
