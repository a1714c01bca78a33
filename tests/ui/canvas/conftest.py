"""A canvas in a window, a hand that presses keys and moves the pointer, and designs to draw in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

import designer.layers  # noqa: F401
from designer.core import edits
from designer.core.document import Dimension, Document, drafted
from designer.core.editor import Editor
from designer.core.expression import Expression
from designer.core.graph import Source, Target
from designer.ui.canvas import Canvas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from designer.core.document import Edit
    from designer.ui.theme import Theme

LEFT = Qt.MouseButton.LeftButton
MIDDLE = Qt.MouseButton.MiddleButton
NONE = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier

KIND = "application/x-netdraft-kind"


def document(*steps: Edit) -> Document:
    """A document with the free dimension B, made by edits."""
    made, _ = drafted(
        Document(), edits.all_of((edits.set_dimension("B", Dimension("batch")), *steps))
    )
    return made


def wired(source: int, target: int, port: str = "x", slot: int = 0, out: str = "out") -> Edit:
    """A wire between two nodes."""
    return edits.connect(Source(source, out), Target(target, port, slot))


def chain() -> Document:
    """1 Input → 2 Linear → 3 ReLU → 4 Output, below one another."""
    shape = (Expression("B"), 64)
    return document(
        edits.add_node("Input", (0, 0), {"shape": shape}, "image"),
        edits.add_node("Linear", (0, 120), {"out_features": 32}, "fc1"),
        edits.add_node("ReLU", (0, 240), None, "relu1"),
        edits.add_node("Output", (0, 360), None, "scores"),
        wired(1, 2),
        wired(2, 3),
        wired(3, 4),
    )


def loose() -> Document:
    """1 Input and 2 Linear and 3 Linear, without wires."""
    shape = (Expression("B"), 64)
    return document(
        edits.add_node("Input", (0, 0), {"shape": shape}, "image"),
        edits.add_node("Linear", (0, 160), {"out_features": 32}, "fc1"),
        edits.add_node("Linear", (0, 320), {"out_features": 8}, "fc2"),
    )


class Hand:
    """Real events for a canvas, at places of its drawing."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas
        self.viewport = canvas.view.viewport()
        self.at = QPoint(0, 0)

    def pixel(self, x: float, y: float) -> QPoint:
        """The point of the viewport over a place on the canvas."""
        return self.canvas.view.viewportTransform().map(QPointF(x, y)).toPoint()

    def move(self, x: float, y: float) -> None:
        """Move the pointer there, by way of a point beside it."""
        self.at = self.pixel(x, y)
        QTest.mouseMove(self.viewport, self.at + QPoint(3, 2))
        QTest.mouseMove(self.viewport, self.at)

    def press(
        self,
        x: float,
        y: float,
        keys: Qt.KeyboardModifier = NONE,
        button: Qt.MouseButton = LEFT,
    ) -> None:
        """Press a button there."""
        self.move(x, y)
        QTest.mousePress(self.viewport, button, keys, self.at)

    def release(self, keys: Qt.KeyboardModifier = NONE, button: Qt.MouseButton = LEFT) -> None:
        """Release the button where the pointer is."""
        QTest.mouseRelease(self.viewport, button, keys, self.at)

    def click(self, x: float, y: float, keys: Qt.KeyboardModifier = NONE) -> None:
        """Press and release."""
        self.press(x, y, keys)
        self.release(keys)

    def drag(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        button: Qt.MouseButton = LEFT,
        keys: Qt.KeyboardModifier = NONE,
    ) -> None:
        """Press, move in steps, release."""
        self.press(*start, keys, button)
        for step in (0.3, 0.7, 1.0):
            x = start[0] + (end[0] - start[0]) * step
            y = start[1] + (end[1] - start[1]) * step
            self.at = self.pixel(x, y) if button == LEFT else self.at
            QTest.mouseMove(self.viewport, self.at)
        self.release(keys, button)

    def double_click(self, x: float, y: float) -> None:
        """Two clicks in a row."""
        self.click(x, y)
        QTest.mouseDClick(self.viewport, LEFT, NONE, self.at)
        QTest.mouseRelease(self.viewport, LEFT, NONE, self.at)

    def key(self, key: Qt.Key, keys: Qt.KeyboardModifier = NONE) -> None:
        """Press a key where the keyboard is."""
        QTest.keyClick(self.focus(), key, keys)

    def type(self, text: str) -> None:
        """Type where the keyboard is."""
        QTest.keyClicks(self.focus(), text)

    def focus(self) -> QWidget:
        """The widget that has the keyboard."""
        widget = QApplication.focusWidget()
        assert widget is not None
        return widget

    # Dragging from the palette

    def carry(self, kind: str, x: float, y: float, drop: bool = True) -> bool:
        """Bring a layer from elsewhere and drop it there; whether it was taken."""
        data, place = QMimeData(), QPointF(self.pixel(x, y))
        data.setData(KIND, kind.encode())
        enter = QDragEnterEvent(place.toPoint(), Qt.DropAction.CopyAction, data, LEFT, NONE)
        QApplication.sendEvent(self.viewport, enter)
        if not enter.isAccepted():
            return False
        over = QDragMoveEvent(place.toPoint(), Qt.DropAction.CopyAction, data, LEFT, NONE)
        QApplication.sendEvent(self.viewport, over)
        if not drop:
            QApplication.sendEvent(self.viewport, QDragLeaveEvent())
            return True
        event = QDropEvent(place, Qt.DropAction.CopyAction, data, LEFT, NONE)
        QApplication.sendEvent(self.viewport, event)
        return event.isAccepted()


class Desk:
    """A canvas with its editor and a hand; for reading its state only."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas
        self.hand = Hand(canvas)

    def show(self, shown: Document) -> Editor:
        """Show a design at 100 %, its middle in the middle."""
        editor = Editor(shown)
        self.canvas.set_editor(editor)
        self.canvas.zoom_to(100)
        self.canvas.setFocus()
        return editor

    def places(self) -> dict[int, tuple[float, float]]:
        """Where the nodes are."""
        assert self.canvas.editor is not None
        return dict(self.canvas.editor.document.layout)

    def edges(self) -> set[tuple[int, int]]:
        """The wires, by the nodes that they join."""
        assert self.canvas.editor is not None
        edges = self.canvas.editor.document.graph.edges()
        return {(edge.source.node, edge.target.node) for edge in edges}

    def kinds(self) -> list[str]:
        """The kinds of the nodes in stored order."""
        assert self.canvas.editor is not None
        graph = self.canvas.editor.document.graph
        return [graph.nodes[id].kind for id in graph.ids()]


@pytest.fixture
def desk(qtbot: QtBot, theme: Theme) -> Iterator[Desk]:
    """An empty canvas, 1000 × 800, shown and with the keyboard."""
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(1000, 800)
    canvas = Canvas(theme)
    canvas.setParent(window)
    canvas.setGeometry(0, 0, 1000, 800)
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()
    canvas.setFocus()
    yield Desk(canvas)
    canvas.set_editor(None)
