"""The field for a number or an expression: its value at the right, stepping, and scrubbing."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QKeySequence, QPainter
from PySide6.QtWidgets import QLineEdit

from designer.core.entry import stepped
from designer.ui import icons
from designer.ui.widgets import paint
from designer.ui.widgets.text import ElidedLabel

if TYPE_CHECKING:
    from PySide6.QtGui import QFocusEvent, QMouseEvent, QPaintEvent, QResizeEvent, QWheelEvent

    from designer.ui.theme import Theme

LONGEST_TEXT = 2000
PIXELS_A_STEP = 4
_NOTCH = 120
_LARGE_STEP = 10

_sessions = count(1)


@dataclass(frozen=True, slots=True)
class Remark:
    """What stands at the right in a field: a few words, and an icon in a colour of the theme."""

    text: str = ""
    icon: str = ""
    token: str = "text-3"


class ValueField(QLineEdit):
    """A line to type into; `typed` tells of every change that a person makes.

    `session` is the same number while the keyboard stays in the field, or one drag lasts: what is
    done meanwhile is one step. `ended` says that a session is over. Esc takes the text back to
    what it was at its beginning.
    """

    typed = Signal(str)
    ended = Signal()
    focused = Signal(bool)

    def __init__(self, theme: Theme, name: str, role: str = "mono") -> None:
        super().__init__()
        self._theme = theme
        self._role = role
        self._remark = Remark()
        self._before = ""
        self.least: float | None = None
        self.most: float | None = None
        self.session = next(_sessions)
        self.setMaxLength(LONGEST_TEXT)
        self.setAccessibleName(name)
        self.textEdited.connect(self.typed.emit)
        self.textChanged.connect(self._make_room)
        self.returnPressed.connect(self._taken)
        theme.changed.connect(self.restyle)
        self.restyle()

    def restyle(self) -> None:
        """Take font and room from the theme in force."""
        self.setFont(self._theme.font(self._role))
        self._make_room()

    def show_text(self, text: str) -> None:
        """Show another text; the cursor stays where it is as far as it can."""
        if text != self.text():
            cursor = self.cursorPosition()
            self.setText(text)
            self.setCursorPosition(min(cursor, len(text)) if self.hasFocus() else 0)

    def remark(self) -> Remark:
        """What stands at the right."""
        return self._remark

    def set_remark(self, remark: Remark) -> None:
        """Show something at the right; its words give way to a long text."""
        if remark != self._remark:
            self._remark = remark
            self.setAccessibleDescription(remark.text)
            self._make_room()
            self.update()

    def set_faulty(self, faulty: bool) -> None:
        """Draw the outline in the colour of errors, or not."""
        state = "error" if faulty else ""
        if self.property("state") != state:
            self.setProperty("state", state)
            self.style().unpolish(self)
            self.style().polish(self)

    def begin_session(self) -> None:
        """What is typed from now on is a step of its own."""
        self._before = self.text()
        self.session = next(_sessions)

    def step(self, by: int) -> bool:
        """Change the whole number at the cursor; False where there is none."""
        result = stepped(self.text(), self.cursorPosition(), by, self.least, self.most)
        if result is None:
            return False
        self.setText(result.text)
        self.setCursorPosition(result.cursor)
        self.typed.emit(result.text)
        return True

    def _taken(self) -> None:
        self.ended.emit()
        self.begin_session()
        self.selectAll()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() not in _PASSING:
            self.begin_session()
        self.focused.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() not in _PASSING:
            self.ended.emit()
        self.focused.emit(False)

    def event(self, event: QEvent) -> bool:
        """Leave undo and redo to the window: what is typed here is in the document at once."""
        if event.type() == QEvent.Type.ShortcutOverride and _is_of_the_window(event):
            event.ignore()
            return False
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        large = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        by = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()), 0)
        if by:
            self.step(by * (_LARGE_STEP if large else 1))
        elif event.key() == Qt.Key.Key_Escape and self.text() != self._before:
            self.setText(self._before)
            self.typed.emit(self._before)
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        # Without the keyboard the wheel scrolls the panel and must not change a value on its way.
        notches = event.angleDelta().y() // _NOTCH or event.angleDelta().x() // _NOTCH
        large = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if not (self.hasFocus() and notches and self.step(notches * (_LARGE_STEP if large else 1))):
            event.ignore()

    # The words at the right

    def _reserved(self, with_text: bool) -> float:
        width = 0.0
        if self._remark.icon:
            width += self._theme.px(20)
        if with_text and self._remark.text:
            width += self._text_width(self._remark.text, "hint") + self._theme.px(8)
        return width

    def _text_width(self, text: str, role: str) -> float:
        return QFontMetricsF(self._theme.font(role)).horizontalAdvance(text)

    def _words_fit(self) -> bool:
        typed = self._text_width(self.text() or self.placeholderText(), self._role)
        return typed + self._reserved(with_text=True) + self._theme.px(20) <= self.width()

    def _make_room(self) -> None:
        self.setTextMargins(0, 0, round(self._reserved(self._words_fit())), 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._remark == Remark():
            return
        with QPainter(self) as painter:
            self._paint_remark(painter, QRectF(self.rect()))

    def _paint_remark(self, painter: QPainter, rect: QRectF) -> None:
        px, right = self._theme.px, rect.right() - self._theme.px(10)
        if self._remark.icon:
            side = px(14)
            place = QRectF(right - side, rect.center().y() - side / 2, side, side)
            icons.paint(painter, place, self._remark.icon, self._theme.colour(self._remark.token))
            right -= px(20)
        if self._remark.text and self._words_fit():
            painter.setFont(self._theme.font("hint"))
            painter.setPen(self._theme.colour("text-3"))
            base = paint.base_line(rect, QFontMetricsF(painter.font()))
            x = right - self._text_width(self._remark.text, "hint")
            painter.drawText(QPointF(x, base), self._remark.text)


_OF_THE_WINDOW = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)


def _is_of_the_window(event: QEvent) -> bool:
    return isinstance(event, QKeyEvent) and any(event.matches(key) for key in _OF_THE_WINDOW)


_PASSING = (Qt.FocusReason.PopupFocusReason, Qt.FocusReason.ActiveWindowFocusReason)
"""Reasons for which the keyboard goes away and comes back: a menu, another window."""


class ScrubLabel(ElidedLabel):
    """The name of a field; where it holds a whole number, dragging along it changes that."""

    def __init__(self, theme: Theme, text: str, field: ValueField, role: str = "body") -> None:
        super().__init__(theme, text, role, "text-2")
        self._field = field
        self._from: float | None = None
        self._done = 0
        field.textChanged.connect(self._show_use)
        self._show_use()

    def _usable(self) -> bool:
        text = self._field.text()
        return self._field.isEnabled() and stepped(text, len(text), 0) is not None

    def _show_use(self) -> None:
        usable = self._usable() or self._from is not None
        self.setCursor(Qt.CursorShape.SizeHorCursor if usable else Qt.CursorShape.ArrowCursor)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._usable():
            self._from, self._done = event.globalPosition().x(), 0
            self._field.begin_session()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._from is None:
            return
        distance = event.globalPosition().x() - self._from
        steps = int(distance / self._theme.px(PIXELS_A_STEP))
        large = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if steps != self._done:
            self._field.step((steps - self._done) * (_LARGE_STEP if large else 1))
            self._done = steps

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._from is not None:
            self._from = None
            self._field.ended.emit()
            self._field.begin_session()
