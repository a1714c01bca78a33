"""The line in which the name of a node is edited where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtWidgets import QLineEdit

from designer.core.edits import NAME_LIMIT

if TYPE_CHECKING:
    from PySide6.QtGui import QFocusEvent, QKeyEvent
    from PySide6.QtWidgets import QWidget

    from designer.core.graph import NodeId
    from designer.ui.theme import Theme

_LEAST_WIDTH = 140
_HEIGHT = 28


class NameEditor(QLineEdit):
    """Enter, and a click elsewhere, take the name; Esc leaves it as it was."""

    accepted = Signal(int, str)
    left = Signal()

    def __init__(self, theme: Theme, parent: QWidget, node: NodeId, name: str) -> None:
        super().__init__(name, parent)
        self._node = node
        self._theme = theme
        self._done = False
        self.setMaxLength(NAME_LIMIT)
        self.setFont(theme.font("body-strong"))
        self.setAccessibleName("Name of the layer")
        self.returnPressed.connect(self._take)

    def place(self, corners: tuple[QPointF, QPointF]) -> None:
        """Stand over a node, whose corners on the screen these are."""
        (left, top), width = corners[0].toTuple(), corners[1].x() - corners[0].x()
        px = self._theme.px
        self.setGeometry(round(left), round(top), max(round(width), px(_LEAST_WIDTH)), px(_HEIGHT))
        self.show()
        self.selectAll()
        self.setFocus(Qt.FocusReason.PopupFocusReason)

    def _take(self) -> None:
        if not self._done:
            self._done = True
            self.accepted.emit(self._node, self.text())
            self._leave()

    def give_up(self) -> None:
        """Close it without a new name."""
        if not self._done:
            self._done = True
            self._leave()

    def _leave(self) -> None:
        focused = self.hasFocus()
        self.hide()
        self.deleteLater()
        if focused:
            self.left.emit()

    def event(self, event: QEvent) -> bool:
        # The keys of the canvas do not act while one types here.
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        # Tab takes the name, like Enter.
        self._take()
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.give_up()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._take()
