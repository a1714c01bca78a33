"""Buttons: icon, text, chip and switch, all with a visible keyboard focus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from designer.ui import icons
from designer.ui.widgets import paint

if TYPE_CHECKING:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QAction, QColor, QEnterEvent, QFocusEvent, QMouseEvent, QPaintEvent

    from designer.ui.theme import Theme

CONTROL = 28
ICON = 16
SMALL_ICON = 14

_BY_KEY = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)


class Control(QAbstractButton):
    """A painted button. The ring of the focus shows only after a key was used to get here."""

    radius = 6.0

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self.theme = theme
        self._ring = False
        self.setText(name)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.restyle)

    def restyle(self) -> None:
        """Measure and draw again."""
        self.updateGeometry()
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._ring = event.reason() in _BY_KEY

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._ring = False
        super().mousePressEvent(event)

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.update()

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        rect = QRectF(self.rect())
        with QPainter(self) as painter:
            self.draw(painter, rect)
            if self._ring and self.hasFocus():
                paint.focus_ring(painter, rect, self.theme.px(self.radius), self.theme)

    def draw(self, painter: QPainter, rect: QRectF) -> None:
        """Draw the button, without the ring; each kind of button says how."""
        raise NotImplementedError

    def pointed(self) -> bool:
        """Whether the pointer is over a button that can be used."""
        return self.isEnabled() and self.underMouse()

    def ink(self, token: str) -> QColor:
        """The colour `token`, or that of disabled text."""
        return self.theme.colour(token if self.isEnabled() else "text-off")


class IconButton(Control):
    """A flat button of one icon; its name is its tooltip."""

    def __init__(self, theme: Theme, icon: str, name: str) -> None:
        super().__init__(theme, name)
        self._icon = icon
        self.setToolTip(name)

    def set_icon(self, icon: str) -> None:
        """Show another icon."""
        self._icon = icon
        self.update()

    def sizeHint(self) -> QSize:
        side = self.theme.px(CONTROL)
        return QSize(side, side)

    def draw(self, painter: QPainter, rect: QRectF) -> None:
        if self.isDown() or self.isChecked():
            paint.box(painter, rect, self.theme.px(6), self.theme.colour("pressed"))
        elif self.pointed():
            paint.box(painter, rect, self.theme.px(6), self.theme.colour("hover"))
        side = self.theme.px(ICON)
        place = QRectF(rect.center().x() - side / 2, rect.center().y() - side / 2, side, side)
        icons.paint(painter, place, self._icon, self.ink("text-2"))


class TextButton(Control):
    """A button with a text, and an icon before it; the primary one is filled with the accent."""

    def __init__(self, theme: Theme, text: str, icon: str = "", primary: bool = False) -> None:
        super().__init__(theme, text)
        self._icon = icon
        self._primary = primary

    def _role(self) -> str:
        return "body-strong" if self._primary else "body"

    def sizeHint(self) -> QSize:
        width = QFontMetricsF(self.theme.font(self._role())).horizontalAdvance(self.text())
        room = self._text_left() + self.theme.px(12)
        return QSize(round(width + room), self.theme.px(CONTROL))

    def _text_left(self) -> int:
        return self.theme.px(34 if self._icon else 12)

    def draw(self, painter: QPainter, rect: QRectF) -> None:
        self._draw_box(painter, rect)
        ink = self.ink("accent-ink" if self._primary else "text")
        if self._icon:
            side = self.theme.px(SMALL_ICON)
            place = QRectF(self.theme.px(13), rect.center().y() - side / 2, side, side)
            icons.paint(painter, place, self._icon, ink)
        painter.setFont(self.theme.font(self._role()))
        painter.setPen(ink)
        base = paint.base_line(rect, QFontMetricsF(painter.font()))
        painter.drawText(QPointF(self._text_left(), base), self.text())

    def _draw_box(self, painter: QPainter, rect: QRectF) -> None:
        if self._primary and self.isEnabled():
            fill = self.theme.colour("accent-fill")
            paint.box(painter, rect, self.theme.px(6), fill.darker(108) if self.isDown() else fill)
            return
        fill = self.theme.colour(
            "pressed" if self.isDown() else "hover" if self.pointed() else "node"
        )
        paint.box(painter, rect, self.theme.px(6), fill, self.theme.colour("border-strong"))


class ChipButton(Control):
    """A small card with a coloured icon and a name, as in «Recently used»."""

    def __init__(self, theme: Theme, text: str, icon: str, token: str) -> None:
        super().__init__(theme, text)
        self._icon = icon
        self._token = token
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        width = QFontMetricsF(self.theme.font("secondary")).horizontalAdvance(self.text())
        return QSize(round(width) + self.theme.px(34), self.theme.px(CONTROL))

    def minimumSizeHint(self) -> QSize:
        return QSize(self.theme.px(60), self.theme.px(CONTROL))

    def draw(self, painter: QPainter, rect: QRectF) -> None:
        theme = self.theme
        fill = theme.colour("pressed" if self.isDown() else "hover" if self.pointed() else "node")
        paint.box(painter, rect, theme.px(6), fill, theme.colour("border"))
        side = theme.px(SMALL_ICON)
        place = QRectF(theme.px(8), rect.center().y() - side / 2, side, side)
        icons.paint(painter, place, self._icon, self.ink(self._token))
        self._draw_name(painter, rect.adjusted(theme.px(27), 0, -theme.px(6), 0))

    def _draw_name(self, painter: QPainter, rect: QRectF) -> None:
        painter.setFont(self.theme.font("secondary"))
        painter.setPen(self.ink("text"))
        metrics = QFontMetricsF(painter.font())
        name = metrics.elidedText(self.text(), Qt.TextElideMode.ElideMiddle, rect.width())
        painter.drawText(QPointF(rect.left(), paint.base_line(rect, metrics)), name)


class Toggle(Control):
    """A switch: on is the accent and the knob at the right."""

    radius = 11.0

    def __init__(self, theme: Theme, name: str, checked: bool = False) -> None:
        super().__init__(theme, name)
        self.setCheckable(True)
        self.setChecked(checked)

    def sizeHint(self) -> QSize:
        # The switch is 30 × 18; the ring of the focus needs two pixels around it.
        return QSize(self.theme.px(34), self.theme.px(22))

    def draw(self, painter: QPainter, rect: QRectF) -> None:
        px = self.theme.px
        track = rect.adjusted(px(2), px(2), -px(2), -px(2))
        paint.box(painter, track, track.height() / 2, self._track())
        knob = track.height() - px(4)
        x = track.right() - px(2) - knob if self.isChecked() else track.left() + px(2)
        painter.setBrush(self.theme.colour("accent-ink"))
        painter.drawEllipse(QRectF(x, track.top() + px(2), knob, knob))

    def _track(self) -> QColor:
        if not self.isEnabled():
            return self.theme.colour("border-strong")
        return self.theme.colour("accent-fill" if self.isChecked() else "wire")


def follow(button: QAbstractButton, action: QAction) -> None:
    """Make `button` do what `action` does, and be enabled when it is."""
    button.clicked.connect(action.trigger)
    action.enabledChanged.connect(button.setEnabled)
    button.setEnabled(action.isEnabled())
