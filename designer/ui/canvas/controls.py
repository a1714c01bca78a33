"""The zoom controls at the lower left of the canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QHBoxLayout, QWidget

from designer.ui.widgets import paint
from designer.ui.widgets.buttons import Control, IconButton

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from designer.ui.theme import Theme

RADIUS = 7


class Overlay(QWidget):
    """A small panel on the canvas."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self.theme
        with QPainter(self) as painter:
            paint.box(
                painter,
                QRectF(self.rect()),
                theme.px(RADIUS),
                theme.colour("panel"),
                theme.colour("border"),
            )
            self.draw(painter)

    def draw(self, painter: QPainter) -> None:
        """Draw what is on the panel."""


class ZoomLevel(Control):
    """The zoom as a number; a click goes back to 100 %."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "100%")
        self.setToolTip("Zoom to 100%")
        self.setAccessibleName("Zoom to 100%")

    def sizeHint(self) -> QSize:
        return QSize(self.theme.px(46), self.theme.px(28))

    def draw(self, painter: QPainter, rect: QRectF) -> None:
        if self.pointed():
            paint.box(painter, rect, self.theme.px(6), self.theme.colour("hover"))
        painter.setFont(self.theme.font("body"))
        painter.setPen(self.theme.colour("text"))
        width = QFontMetricsF(painter.font()).horizontalAdvance(self.text())
        base = paint.base_line(rect, QFontMetricsF(painter.font()))
        painter.drawText(QPointF(rect.center().x() - width / 2, base), self.text())


class ZoomControls(Overlay):
    """Zoom out, the zoom, zoom in, and fit all."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, parent)
        self.zoom_out = IconButton(theme, "minus", "Zoom out")
        self.level = ZoomLevel(theme)
        self.zoom_in = IconButton(theme, "plus", "Zoom in")
        self.fit = IconButton(theme, "fit", "Fit all")
        row = QHBoxLayout(self)
        row.setContentsMargins(1, 1, 1, 1)
        row.setSpacing(0)
        for button in (self.zoom_out, self.level, self.zoom_in, self.fit):
            row.addWidget(button)

    def show_zoom(self, zoom: float) -> None:
        """Write the zoom, 1.0 at 100 %."""
        self.level.setText(f"{zoom * 100:.0f}%")
