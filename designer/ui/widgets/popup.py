"""The frame of a popup: rounded, raised above the window, with a shadow kept as nine patches."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QCoreApplication,
    QEvent,
    QMargins,
    QObject,
    QPoint,
    QRect,
    QRectF,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from shiboken6 import isValid

from designer.ui.widgets import paint

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent

    from designer.ui.theme import Theme

RADIUS = 10
BLUR = 32
DROP = 12
MARGIN = QMargins(BLUR, BLUR - DROP, BLUR, BLUR + DROP)
_CORNER = 2 * BLUR
_SHADOWS = {"dark": QColor(0, 0, 0, 128), "light": QColor(20, 28, 45, 41)}


@functools.lru_cache(maxsize=8)
def shadow(theme_name: str, ratio: float) -> QImage:
    """The shadow of a small popup: its corners are drawn as they are, its edges are stretched."""
    side = 2 * _CORNER + 2
    pixels = math.ceil(side * ratio)
    # 16 bits a channel, since the many faint layers would be rounded away in 8.
    image = QImage(pixels, pixels, QImage.Format.Format_RGBA64_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    with QPainter(image) as painter:
        _paint_layers(painter, QRectF(0, 0, side, side), _SHADOWS[theme_name])
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)


def _paint_layers(painter: QPainter, outer: QRectF, colour: QColor) -> None:
    """Rounded boxes from the widest to the narrowest, which add up to a Gaussian edge."""
    layer, done = QColor(colour), 0.0
    for grow in range(BLUR, -BLUR, -2):
        reached = colour.alphaF() * (1 + math.erf((1 - grow) / (BLUR / math.sqrt(2)))) / 2
        layer.setAlphaF((reached - done) / (1 - done))
        done = reached
        inset = BLUR - grow
        rect = outer.adjusted(inset, inset, -inset, -inset)
        paint.box(painter, rect, max(2, RADIUS + grow), layer)


def paint_shadow(painter: QPainter, frame: QRect, theme: Theme) -> None:
    """Draw the shadow of a popup that fills `frame`, from the cached patches."""
    image = shadow(theme.name, painter.device().devicePixelRatioF())
    reach, ratio, side = MARGIN.left(), image.devicePixelRatio(), 2 * _CORNER + 2
    outer = QRectF(frame).adjusted(-reach, -reach, reach, reach).translated(0, DROP)
    xs = (0.0, _CORNER, outer.width() - _CORNER, outer.width())
    ys = (0.0, _CORNER, outer.height() - _CORNER, outer.height())
    cuts = (0.0, _CORNER, side - _CORNER, float(side))
    for i in range(3):
        for j in range(3):
            target = QRectF(xs[i], ys[j], xs[i + 1] - xs[i], ys[j + 1] - ys[j])
            source = QRectF(cuts[i], cuts[j], cuts[i + 1] - cuts[i], cuts[j + 1] - cuts[j])
            scaled = QRectF(
                source.x() * ratio,
                source.y() * ratio,
                source.width() * ratio,
                source.height() * ratio,
            )
            painter.drawImage(target.translated(outer.topLeft()), image, scaled)


def _application() -> QCoreApplication:
    app = QCoreApplication.instance()
    if app is None:
        raise RuntimeError("A popup is opened without an application.")
    return app


class PopupFrame(QWidget):
    """A popup inside the window. It closes on Esc and when something else is clicked.

    It is a child of the window rather than a window of its own, so that its shadow and its round
    corners need no compositor, and the window manager cannot move it.
    """

    closed = Signal()

    def __init__(self, theme: Theme, window: QWidget, name: str) -> None:
        super().__init__(window)
        self.theme = theme
        self._window = window
        self._before: QWidget | None = None
        self.body = QVBoxLayout(self)
        self.body.setSpacing(0)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.hide()
        theme.changed.connect(self.restyle)
        self.restyle()

    def restyle(self) -> None:
        """Take sizes from the theme in force."""
        inside = MARGIN + QMargins(1, 1, 1, 1)
        self.body.setContentsMargins(inside)
        self.update()

    def frame(self) -> QRect:
        """The visible box, in the popup's own coordinates."""
        return self.rect().marginsRemoved(MARGIN)

    def open_at(self, place: QPoint, width: int) -> None:
        """Show the popup `width` px wide with its top left corner at `place` of the window.

        It is moved where it would stand over the window's edge.
        """
        self._before = QApplication.focusWidget()
        self.fit(width)
        room = self._window.size()
        frame = self.frame()
        x = max(8, min(place.x(), room.width() - frame.width() - 8))
        y = max(8, min(place.y(), room.height() - frame.height() - 8))
        self.move(x - MARGIN.left(), y - MARGIN.top())
        self.show()
        self.raise_()
        self.setFocus(Qt.FocusReason.PopupFocusReason)
        _application().installEventFilter(self)

    def fit(self, width: int) -> None:
        """Take the height that the contents need at `width`."""
        outer = width + MARGIN.left() + MARGIN.right()
        self.setFixedWidth(outer)
        self.body.activate()
        height = self.body.heightForWidth(outer) if self.body.hasHeightForWidth() else -1
        self.setFixedHeight(height if height > 0 else self.body.sizeHint().height())

    def close_popup(self) -> None:
        """Hide it and give the keyboard back to where it was."""
        if self.isHidden():
            return
        _application().removeEventFilter(self)
        self._give_focus_back()
        self.hide()
        self.closed.emit()

    def _give_focus_back(self) -> None:
        # Before it is hidden: Qt would move the keyboard on as if Tab had been pressed.
        focus: QWidget | None = QApplication.focusWidget()
        before, self._before = self._before, None
        if focus is None or not (focus is self or self.isAncestorOf(focus)):
            return
        if before is not None and isValid(before) and before.isVisible():
            before.setFocus(Qt.FocusReason.PopupFocusReason)
        else:
            focus.clearFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonPress and isinstance(watched, QWidget):
            inside = watched is self or self.isAncestorOf(watched)
            if not inside and watched.window() is self.window():
                self.close_popup()
        return False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self.frame().contains(event.position().toPoint()):
            self.close_popup()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_popup()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        frame = self.frame()
        with QPainter(self) as painter:
            paint_shadow(painter, frame, self.theme)
            paint.box(
                painter,
                QRectF(frame),
                RADIUS,
                self.theme.colour("raised"),
                self.theme.colour("border-strong"),
            )
