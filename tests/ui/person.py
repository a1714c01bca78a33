"""Somebody at the app: real events only; the app is read to find where things are."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QMessageBox, QWidget

from designer.ui.inspector.fields import ValueRow
from tests.ui.canvas.conftest import CTRL, LEFT, NONE, Hand

if TYPE_CHECKING:
    from designer.core.editor import Editor
    from designer.core.graph import NodeId
    from designer.ui.app import App


class Person:
    """A person with a mouse and a keyboard in front of the window."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.hand = Hand(app.canvas)
        self.gestures = 0

    @property
    def editor(self) -> Editor:
        """The editor of the document in front, for reading."""
        editor = self.app.editor
        assert editor is not None
        return editor

    @property
    def newest(self) -> NodeId:
        """The layer that was added last."""
        return max(self.editor.document.graph.nodes)

    # On the canvas

    def drop(self, kind: str, x: float, y: float) -> NodeId:
        """Drag a layer from the palette to a place."""
        assert self.hand.carry(kind, x, y)
        return self.newest

    def add(self, words: str) -> NodeId:
        """Press Tab on the canvas, type what to look for, press Enter."""
        self.app.canvas.setFocus()
        self.hand.key(Qt.Key.Key_Tab)
        self.hand.type(words)
        self.hand.key(Qt.Key.Key_Return)
        return self.newest

    def pull(self, source: NodeId, target: NodeId, port: str = "x") -> None:
        """Pull a wire from the first output of a layer to an input of another."""
        cards = self.app.canvas.stage.drawing.cards
        start = cards[source].outputs[0].place
        end = next(spot.place for spot in cards[target].inputs if spot.port == port)
        self.hand.drag((start.x, start.y), (end.x, end.y))

    def click(self, node: NodeId) -> None:
        """Click a layer, on its name."""
        box = self.app.canvas.stage.drawing.cards[node].box
        self.hand.click(box.x + 60, box.y + 14)

    def press(self, key: Qt.Key, keys: Qt.KeyboardModifier = NONE) -> None:
        """Press a key where the keyboard is."""
        if QApplication.activeWindow() is None:
            # Without a window manager nothing makes the window active again after a dialog.
            self.app.window.activateWindow()
            QTest.qWaitForWindowActive(self.app.window)
        QTest.keyClick(self._focus(), key, keys)

    def _focus(self) -> QWidget:
        return QApplication.focusWidget() or self.app.window

    # In the inspector

    def field(self, option: str) -> QLineEdit:
        """The field of an option."""
        row = self.app.inspector.rows[option]
        assert isinstance(row, ValueRow)
        return row.field

    def fill(self, option: str, text: str) -> list[int]:
        """Click into a field, select what is there and type; totals after each keystroke."""
        field = self.field(option)
        QTest.mouseClick(field, LEFT, NONE, QPoint(12, field.height() // 2))
        QTest.keyClick(field, Qt.Key.Key_A, CTRL)
        totals = []
        for letter in text:
            QTest.keyClicks(field, letter)
            totals.append(self.editor.analysis.totals().parameters)
        return totals

    # Files

    def choose_file(self, name: str, then: str = "") -> None:
        """Be ready to type the name of a file of its folder into the dialog that opens next.

        `then` is the button of a message that follows it.
        """
        QTimer.singleShot(0, self.app, lambda: self._type_into_dialog(name, then))

    def _type_into_dialog(self, name: str, then: str) -> None:
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, QFileDialog):
            QTimer.singleShot(10, self.app, lambda: self._type_into_dialog(name, then))
            return
        if then:
            self.answer(then)
        field = cast("QLineEdit", dialog.findChild(QLineEdit, "fileNameEdit"))
        field.setFocus()
        QTest.keyClick(field, Qt.Key.Key_A, CTRL)
        QTest.keyClicks(field, name)
        QTest.keyClick(field, Qt.Key.Key_Return)

    def answer(self, button: str) -> None:
        """Be ready to press a button of the question that is about to open."""
        QTimer.singleShot(0, self.app, lambda: self._press_button(button))

    def _press_button(self, button: str) -> None:
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, QMessageBox):
            QTimer.singleShot(10, self.app, lambda: self._press_button(button))
            return
        for child in dialog.findChildren(QWidget):
            text = getattr(child, "text", None)
            if callable(text) and text().replace("&", "") == button:
                QTest.mouseClick(child, LEFT)
                return
        raise AssertionError(f"no button {button}")
