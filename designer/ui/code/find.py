"""A line to find words in the code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QHBoxLayout, QWidget

from designer.ui.widgets.buttons import IconButton
from designer.ui.widgets.fields import SearchField
from designer.ui.widgets.text import TextLabel

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent, QPaintEvent

    from designer.ui.code.view import CodeView
    from designer.ui.theme import Theme


class FindField(SearchField):
    """The field: Enter goes on, Shift Enter back, Esc leaves."""

    stepped = Signal(bool)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.stepped.emit(bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        else:
            super().keyPressEvent(event)


class FindLine(QWidget):
    """Finds words in a view, from its cursor on and round its end."""

    def __init__(self, theme: Theme, view: CodeView) -> None:
        super().__init__()
        self._theme = theme
        self._view = view
        self.field = FindField(theme, "Find in the code")
        self.found = TextLabel(theme, "", "hint", "text-2")
        self.back = IconButton(theme, "up", "Find the one before (Shift Enter)")
        self.on = IconButton(theme, "down", "Find the next (Enter)")
        self._end = IconButton(theme, "x", "Close (Esc)")
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(8), theme.px(3), theme.px(8), theme.px(3))
        row.setSpacing(theme.px(6))
        row.addWidget(self.field, 1)
        for widget in (self.found, self.back, self.on, self._end):
            row.addWidget(widget)
        self.field.stepped.connect(self.step)
        self.field.left.connect(self.leave)
        self.field.textChanged.connect(self._typed)
        self.on.clicked.connect(self._go_on)
        self.back.clicked.connect(self._go_back)
        self._end.clicked.connect(self.leave)
        self.hide()

    def open(self) -> None:
        """Show the line, with what is selected in it."""
        selected = self._view.textCursor().selectedText()
        if selected and "\u2029" not in selected:
            self.field.setText(selected)
        self.show()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def leave(self) -> None:
        """Close the line; the keyboard goes back to the code."""
        self.hide()
        self._view.setFocus(Qt.FocusReason.OtherFocusReason)

    def step(self, backwards: bool) -> None:
        """Go to the next place, or to the one before."""
        if self.field.text():
            self._view.find_text(self.field.text(), backwards)
        self._count()

    def _go_on(self) -> None:
        self.step(False)

    def _go_back(self) -> None:
        self.step(True)

    def _typed(self) -> None:
        # A longer word may stand where the cursor is: look from the start of what is selected.
        cursor = self._view.textCursor()
        cursor.setPosition(cursor.selectionStart())
        self._view.setTextCursor(cursor)
        self.step(False)

    def _count(self) -> None:
        wanted = self.field.text().lower()
        count = self._view.text().lower().count(wanted) if wanted else 0
        places = "1 place" if count == 1 else f"{count:,} places"
        self.found.setText((places if count else "Not found") if wanted else "")

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(0, 0, self.width(), 1, self._theme.colour("border"))
