"""The whole design, small, with a frame around what is in view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPixmap

from designer.ui.canvas.controls import Overlay
from designer.ui.canvas.geometry import Box, Point
from designer.ui.canvas.levels import LIMITS

if TYPE_CHECKING:
    from PySide6.QtGui import QMouseEvent
    from PySide6.QtWidgets import QWidget

    from designer.ui.canvas.stage import Stage
    from designer.ui.canvas.view import View
    from designer.ui.theme import Theme

WIDTH, HEIGHT = 168, 116
_INSET = 6
_LEAST = 4
"""Designs of fewer nodes need no map."""
_MANY = 400
"""From here on nodes are drawn in one go."""


class Minimap(Overlay):
    """Hidden while all is in view from far, or when the design is very small."""

    def __init__(self, theme: Theme, stage: Stage, view: View, parent: QWidget) -> None:
        super().__init__(theme, parent)
        self._stage = stage
        self._view = view
        self._image = QPixmap()
        self._covering: QWidget | None = None
        self._made_for: tuple[object, ...] = ()
        self.setAccessibleName("Map of the design")
        self.restyle()
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        stage.edited.connect(self.refresh)
        stage.changed.connect(self.update)
        view.scrolled.connect(self.refresh)
        self.hide()

    def restyle(self) -> None:
        """Take the size from the theme in force."""
        self.setFixedSize(self.theme.px(WIDTH), self.theme.px(HEIGHT))
        self._made_for = ()

    def set_covering(self, popup: QWidget | None) -> None:
        """Hide while a popup stands over the map."""
        self._covering = popup
        self.refresh()

    def _covered(self) -> bool:
        if self._covering is None or self._covering.isHidden():
            return False
        place = self._view.mapTo(self._view.window(), self.pos())
        return self._covering.geometry().intersects(QRect(place, self.size()))

    def refresh(self) -> None:
        """Show or hide, and draw anew."""
        bounds = self._stage.drawing.bounds()
        shown = self._view.shown()
        whole = bounds is not None and shown.united(bounds) == shown
        far = self._stage.zoom < LIMITS[0]
        large = len(self._stage.drawing.cards) >= _LEAST
        self.setVisible(large and not (whole and far) and not self._covered())
        self.update()

    def _area(self) -> Box:
        """The part of the canvas that the map shows, in the map's proportions."""
        bounds = self._stage.drawing.bounds() or Box(0, 0, 1, 1)
        area = bounds.grown(max(bounds.width, bounds.height) * 0.05 + 20)
        ratio = (self.width() - 2 * _INSET) / (self.height() - 2 * _INSET)
        width, height = max(area.width, area.height * ratio), max(area.height, area.width / ratio)
        return Box(area.centre.x - width / 2, area.centre.y - height / 2, width, height)

    def _scale(self, area: Box) -> float:
        return (self.width() - 2 * _INSET) / area.width

    def draw(self, painter: QPainter) -> None:
        area = self._area()
        scale = self._scale(area)
        painter.setClipRect(QRectF(self.rect()).adjusted(2, 2, -2, -2))
        drawing, ratio = self._stage.drawing, self.devicePixelRatioF()
        made_for = (id(drawing.editor), drawing.version, self.theme.name, ratio)
        if made_for != self._made_for:
            self._made_for = made_for
            self._image = self._drawn(area, scale, ratio)
        painter.drawPixmap(QPointF(0, 0), self._image)
        self._draw_view(painter, area, scale)

    def _drawn(self, area: Box, scale: float, ratio: float) -> QPixmap:
        """The nodes as an image, which stays while only the view moves."""
        image = QPixmap(self.size() * ratio)
        image.setDevicePixelRatio(ratio)
        image.fill(Qt.GlobalColor.transparent)
        with QPainter(image) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            if len(self._stage.drawing.cards) > _MANY:
                self._draw_many(painter, area, scale)
            else:
                self._draw_few(painter, area, scale)
        return image

    def _draw_few(self, painter: QPainter, area: Box, scale: float) -> None:
        theme = self.theme
        painter.setPen(Qt.PenStyle.NoPen)
        for card in self._stage.drawing.cards.values():
            bad = card.state == "error"
            painter.setBrush(theme.colour("error") if bad else theme.graphic(card.family))
            rect = self._mapped(card.box, area, scale)
            radius = min(2.0, rect.height() / 2)
            painter.drawRoundedRect(rect, radius, radius)

    def _draw_many(self, painter: QPainter, area: Box, scale: float) -> None:
        self._stage.far.follow()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.translate(_INSET, _INSET)
        painter.scale(scale, scale)
        painter.translate(-area.x, -area.y)
        self._stage.far.paint_boxes(painter, self.theme)

    def _draw_view(self, painter: QPainter, area: Box, scale: float) -> None:
        inner = QRectF(self.rect()).adjusted(_INSET, _INSET, -_INSET, -_INSET)
        seen = self._mapped(self._view.shown(), area, scale).intersected(inner)
        fill = self.theme.colour("accent")
        fill.setAlphaF(0.08)
        painter.setBrush(fill)
        painter.setPen(QPen(self.theme.colour("accent"), 1))
        painter.drawRoundedRect(seen, 2, 2)

    def _mapped(self, box: Box, area: Box, scale: float) -> QRectF:
        x, y = (box.x - area.x) * scale + _INSET, (box.y - area.y) * scale + _INSET
        return QRectF(x, y, max(1.5, box.width * scale), max(1.5, box.height * scale))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._go(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._go(event.position())

    def _go(self, at: QPointF) -> None:
        area = self._area()
        scale = self._scale(area)
        self._view.centre_on(
            Point((at.x() - _INSET) / scale + area.x, (at.y() - _INSET) / scale + area.y)
        )
