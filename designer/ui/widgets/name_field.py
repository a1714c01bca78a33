"""A name that is edited where it stands: plain text until it has the keyboard, then a field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit

if TYPE_CHECKING:
    from PySide6.QtGui import QFocusEvent, QKeyEvent

    from designer.ui.theme import Theme


class NameField(QLineEdit):
    """Enter, and leaving it, hand the new name over by `accepted`; Esc takes it back.

    `left` says that the keyboard has gone elsewhere, or that there is nothing more to take back.
    """

    accepted = Signal(str)
    left = Signal()

    def __init__(self, theme: Theme, name: str, role: str) -> None:
        super().__init__()
        self._theme = theme
        self._role = role
        self._shown = ""
        self.setAccessibleName(name)
        self.setProperty("plain", "true")
        self.returnPressed.connect(self._take)
        theme.changed.connect(self.restyle)
        self.restyle()

    def restyle(self) -> None:
        """Take the font from the theme in force."""
        self.setFont(self._theme.font(self._role))

    def show_name(self, name: str) -> None:
        """Show the name as it is now, unless another one is being typed."""
        typing = self.hasFocus() and self.text() != self._shown
        self._shown = name
        if not typing:
            self.give_up()

    def reset(self, name: str) -> None:
        """Show a name, whatever is being typed."""
        self._shown = name
        self.give_up()

    def give_up(self) -> None:
        """Go back to the name as it is."""
        if self.text() != self._shown:
            self.setText(self._shown)
            self.setCursorPosition(0)

    def _take(self) -> None:
        if self.text() != self._shown:
            self.accepted.emit(self.text())

    def _set_plain(self, plain: bool) -> None:
        self.setProperty("plain", "true" if plain else "false")
        self.style().unpolish(self)
        self.style().polish(self)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._set_plain(False)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._take()
        self.give_up()
        self._set_plain(True)
        self.deselect()
        self.setCursorPosition(0)
        self.left.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.give_up()
            self.left.emit()
        else:
            super().keyPressEvent(event)
