"""Fields to type into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QComboBox, QLineEdit

from designer.ui import icons
from designer.ui.widgets import paint
from designer.ui.widgets.buttons import CONTROL, SMALL_ICON, Control

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent, QPaintEvent, QWheelEvent

    from designer.ui.theme import Theme


class SearchField(QLineEdit):
    """A field for a search, with the magnifier before and its key behind the text.

    Esc clears it; when it is empty already, `left` is emitted.
    """

    left = Signal()

    def __init__(self, theme: Theme, hint: str, key: str = "") -> None:
        super().__init__()
        self._theme = theme
        self._key = key
        self.setPlaceholderText(hint)
        self.setAccessibleName(hint)
        theme.changed.connect(self.restyle)
        self.restyle()

    def restyle(self) -> None:
        """Take font and room from the theme in force."""
        self.setFont(self._theme.font("body"))
        badge = paint.key_badge_width(self._theme, self._key) if self._key else 0
        self.setTextMargins(self._theme.px(21), 0, round(badge), 0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif self.text():
            self.clear()
        else:
            self.left.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        rect, side = QRectF(self.rect()), self._theme.px(SMALL_ICON)
        with QPainter(self) as painter:
            place = QRectF(self._theme.px(10), rect.center().y() - side / 2, side, side)
            icons.paint(painter, place, "search", self._theme.colour("text-3"))
            if self._key and not self.text():
                right = QPointF(rect.right() - self._theme.px(9), rect.center().y())
                paint.paint_key_badge(painter, self._theme, right, self._key)


class ComboBox(QComboBox):
    """A choice from a list, with the theme's own arrow."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName(name)
        theme.changed.connect(self.restyle)
        self.restyle()

    def restyle(self) -> None:
        """Take the font from the theme in force."""
        self.setFont(self._theme.font("body"))

    def wheelEvent(self, event: QWheelEvent) -> None:
        # A wheel that scrolls the panel must not change a value on its way.
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        rect, side = QRectF(self.rect()), self._theme.px(SMALL_ICON)
        place = QRectF(rect.right() - side - self._theme.px(7), 0, side, side)
        place.moveTop(rect.center().y() - side / 2)
        token = "text-2" if self.isEnabled() else "text-off"
        with QPainter(self) as painter:
            icons.paint(painter, place, "down", self._theme.colour(token))


class SearchButton(Control):
    """Looks like a field and opens a search: its words, and at the right its key."""

    def __init__(self, theme: Theme, text: str, key: str, width: int) -> None:
        super().__init__(theme, text)
        self._key = key
        self._width = width
        self._compact = False

    def set_compact(self, compact: bool) -> None:
        """Show no more than the icon."""
        self._compact = compact
        self.setToolTip(f"{self.text()} ({self._key})" if compact else "")
        self.restyle()

    def sizeHint(self) -> QSize:
        return QSize(self.theme.px(34 if self._compact else self._width), self.theme.px(CONTROL))

    def draw(self, painter: QPainter, rect: QRectF) -> None:
        theme, side = self.theme, self.theme.px(SMALL_ICON)
        border = "text-3" if self.pointed() else "border-strong"
        paint.box(painter, rect, theme.px(6), theme.colour("field"), theme.colour(border))
        place = QRectF(theme.px(10), rect.center().y() - side / 2, side, side)
        icons.paint(painter, place, "search", self.ink("text-3"))
        if not self._compact:
            self._draw_words(painter, rect)

    def _draw_words(self, painter: QPainter, rect: QRectF) -> None:
        theme = self.theme
        right = QPointF(rect.right() - theme.px(10), rect.center().y())
        paint.paint_key_badge(painter, theme, right, self._key, boxed=False)
        painter.setFont(theme.font("body"))
        base = paint.base_line(rect, QFontMetricsF(painter.font()))
        painter.setPen(self.ink("text-3"))
        painter.drawText(QPointF(theme.px(32), base), self.text())
