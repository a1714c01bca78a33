"""Somebody who does anything at all: random real events, after which everything still agrees."""

from __future__ import annotations

import os
import random
import sys
from collections import deque
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer, qInstallMessageHandler
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from designer.core.analysis import Analysis
from designer.core.layer import CATALOGUE
from designer.ui.actions import ACTIONS
from designer.ui.app import App
from designer.ui.state import State
from tests.core.test_analysis import state as said_by
from tests.ui.canvas.conftest import ALT, CTRL, LEFT, NONE, SHIFT, Hand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from PySide6.QtCore import QMessageLogContext, QtMsgType
    from pytestqt.qtbot import QtBot

    from designer.core.document import Document
    from designer.core.editor import Editor

EVENTS = int(os.environ.get("NETDRAFT_EVENTS", "500"))
"""Events for each seed."""

SEEDS = [int(seed) for seed in os.environ.get("NETDRAFT_SEEDS", "1 2 3 4").split()]

PLATFORM = ("This plugin does not support", "QFont::", "qt.qpa.")
"""What the offscreen platform says of itself."""

_SIGNS = {".": "Period", "=": "Equal", "-": "Minus", "/": "Slash", "?": "Question"}

MOST_LAYERS = 30
TEXTS = (
    "conv2d",
    "linear",
    "add",
    "B, 3, 32, 32",
    "B, T, 8",
    "2*d",
    "768",
    "0",
    "-1",
    "(3, 5)",
    "1/0",
    "d_model",
    "é&<b>",
    "9**9**9",
    "lambda",
    "layer7",
)
KEYS = [
    *sorted({key for action in ACTIONS for key in action.keys} - {"Ctrl+Q"}),
    *("Up", "Down", "Left", "Right", "Shift+Up", "Shift+Right", "Esc", "Esc", "Return"),
    *("Tab", "Shift+Tab", "Space", "Del", "Shift+Del", "Ctrl+A", "Ctrl+V", "Ctrl+Z", "Ctrl+Y"),
]


class Anybody:
    """Does one random thing after another, and remembers what it did last."""

    def __init__(self, app: App, seed: int) -> None:
        self.app = app
        self.random = random.Random(seed)
        self.hand = Hand(app.canvas)
        self.done: deque[str] = deque(maxlen=40)
        self.held: tuple[QWidget, QPoint, Qt.MouseButton] | None = None
        self.top: QWidget = app.window
        self.acting = False
        self.first: dict[int, tuple[Editor, Document]] = {}
        self.deeds: list[tuple[int, Callable[[], None]]] = [
            (160, self.press_key),
            (120, self.type),
            (120, self.click),
            (80, self.drag),
            (80, self.connect),
            (50, self.drop),
            (40, self.move),
            (40, self.wheel),
            (30, self.press),
            (40, self.release),
            (30, self.double_click),
            (30, self.storm),
            (20, self.edit_field),
            (10, self.other_tab),
            (5, self.resize),
            (2, self.toggle_theme),
        ]

    def act(self) -> None:
        """Do something; a dialog or drag that opens meanwhile is left by Escape."""
        weights = [weight for weight, _ in self.deeds]
        (deed,) = self.random.choices([deed for _, deed in self.deeds], weights)
        self.acting = True
        try:
            deed()
        finally:
            self.acting = False
        window = self.app.window
        if not window.isVisible():
            window.show()
        if QApplication.activePopupWidget() is None and not window.isActiveWindow():
            window.activateWindow()  # what a window manager does when a popup is gone

    def escape(self) -> None:
        """Leave a dialog, menu or drag in which an event has got stuck."""
        if self.acting:
            QTest.keyClick(QApplication.activeModalWidget() or self.app.window, Qt.Key.Key_Escape)

    # Where

    def spot(self) -> tuple[QWidget, QPoint]:
        """A widget and a place in it: anywhere, or at a layer."""
        top = QApplication.activePopupWidget() or self.app.window
        if top is self.app.window and self.random.random() < 0.6:
            return self.hand.viewport, self.place()
        self.top = top  # shiboken forgets the children of a wrapper that goes away
        inside = top.rect()
        at = QPoint(self.random.randrange(inside.width()), self.random.randrange(inside.height()))
        widget = top.childAt(at) or top
        return widget, widget.mapFrom(top, at)

    def place(self) -> QPoint:
        """Somewhere on the canvas, mostly on a layer or one of its ports."""
        cards = list(self.app.canvas.stage.drawing.cards.values())
        if not cards or self.random.random() < 0.3:
            view = self.hand.viewport.rect()
            return QPoint(self.random.randrange(view.width()), self.random.randrange(view.height()))
        card = self.random.choice(cards)
        ports = [spot.place for spot in (*card.outputs, *card.inputs)]
        if ports and self.random.random() < 0.4:
            port = self.random.choice(ports)
            return self.hand.pixel(port.x, port.y)
        across, down = self.random.random(), self.random.random()
        box = card.box
        return self.hand.pixel(box.x + across * box.width, box.y + down * box.height)

    def keys(self) -> Qt.KeyboardModifier:
        """Mostly no modifier."""
        return self.random.choice((NONE, NONE, NONE, NONE, SHIFT, CTRL, ALT))

    # What

    def say(self, *words: object) -> None:
        self.done.append(" ".join(str(word) for word in words))

    def focus(self) -> QWidget:
        return (
            QApplication.activePopupWidget() or QApplication.focusWidget() or self.app.canvas.view
        )

    def press_key(self) -> None:
        key = self.random.choice(KEYS)
        self.say("key", key, type(self.focus()).__name__)
        self.send_key(key)

    def send_key(self, key: str) -> None:
        *keys, name = key.replace("++", "+Plus").split("+")
        held = NONE
        for modifier in keys:
            held |= {"Ctrl": CTRL, "Shift": SHIFT, "Alt": ALT}[modifier]
        names = {"Del": "Delete", "Esc": "Escape", **_SIGNS}
        QTest.keyClick(self.focus(), Qt.Key[f"Key_{names.get(name, name)}"], held)

    def type(self) -> None:
        text = self.random.choice((*TEXTS, str(self.random.randrange(1, 600))))
        self.say("type", text, type(self.focus()).__name__)
        QTest.keyClicks(self.focus(), text.encode("ascii", "ignore").decode())

    def edit_field(self) -> None:
        """Type another value into an option of what is selected."""
        rows = list(self.app.inspector.rows.values())
        if not rows:
            return
        row = self.random.choice(rows)
        field = getattr(row, "field", None)
        if isinstance(field, QWidget) and field.isVisible():
            text = self.random.choice(TEXTS).encode("ascii", "ignore").decode()
            self.say("field", text)
            QTest.mouseClick(field, LEFT, NONE, QPoint(12, field.height() // 2))
            QTest.keyClick(field, Qt.Key.Key_A, CTRL)
            QTest.keyClicks(field, text)

    def click(self) -> None:
        widget, at = self.spot()
        button = self.random.choice((LEFT, LEFT, LEFT, Qt.MouseButton.RightButton))
        self.say("click", type(widget).__name__, at.toTuple())
        QTest.mouseClick(widget, button, self.keys(), at)

    def double_click(self) -> None:
        widget, at = self.spot()
        self.say("double click", type(widget).__name__, at.toTuple())
        QTest.mouseDClick(widget, LEFT, NONE, at)

    def move(self) -> None:
        widget, at = self.spot()
        self.say("move", type(widget).__name__, at.toTuple())
        QTest.mouseMove(widget, at)

    def press(self) -> None:
        widget, at = self.spot()
        button = self.random.choice((LEFT, LEFT, Qt.MouseButton.MiddleButton))
        self.say("press", type(widget).__name__, at.toTuple())
        self.held = widget, at, button
        QTest.mousePress(widget, button, self.keys(), at)

    def release(self) -> None:
        widget, at, button = self.held or (*self.spot(), LEFT)
        self.held = None
        if _alive(widget):
            self.say("release", type(widget).__name__)
            QTest.mouseRelease(widget, button, NONE, at)

    def drag(self) -> None:
        widget, start = self.spot()
        end = self.place() if widget is self.hand.viewport else start + QPoint(30, 40)
        self.say("drag", type(widget).__name__, start.toTuple(), end.toTuple())
        self.pull(widget, start, end)

    def connect(self) -> None:
        """Pull a wire from a port of a layer to one of another."""
        cards = list(self.app.canvas.stage.drawing.cards.values())
        starts = [spot.place for card in cards for spot in card.outputs]
        ends = [spot.place for card in cards for spot in card.inputs]
        if starts and ends:
            start, end = self.random.choice(starts), self.random.choice(ends)
            self.say("connect", start, end)
            self.pull(
                self.hand.viewport,
                self.hand.pixel(start.x, start.y),
                self.hand.pixel(end.x, end.y),
            )

    def pull(self, widget: QWidget, start: QPoint, end: QPoint) -> None:
        QTest.mouseMove(widget, start)
        QTest.mousePress(widget, LEFT, self.keys(), start)
        for part in (0.2, 0.6, 1.0):
            if _alive(widget):
                QTest.mouseMove(widget, start + (end - start) * part)
        if self.random.random() < 0.1:
            self.send_key(self.random.choice(KEYS))
        if _alive(widget):
            QTest.mouseRelease(widget, LEFT, NONE, end)

    def drop(self) -> None:
        assert self.app.editor is not None
        if len(self.app.editor.document.graph.nodes) < MOST_LAYERS:
            kind = self.random.choice([*CATALOGUE, "Input", "Conv2d", "Linear", "LSTM", "Add", "x"])
            at = self.app.canvas.view.mapToScene(self.place())
            self.say("drop", kind)
            self.hand.carry(kind, at.x(), at.y(), self.random.random() < 0.9)

    def wheel(self) -> None:
        widget, at = self.spot()
        turn = QPoint(0, self.random.choice((-240, -120, 120, 240)))
        self.say("wheel", type(widget).__name__, turn.y())
        event = QWheelEvent(
            QPointF(at),
            QPointF(widget.mapToGlobal(at)),
            QPoint(),
            turn,
            Qt.MouseButton.NoButton,
            self.random.choice((NONE, CTRL, SHIFT)),
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(widget, event)

    def storm(self) -> None:
        """Undo and redo as fast as a key repeats."""
        key = self.random.choice(("Ctrl+Z", "Ctrl+Z", "Ctrl+Y"))
        times = self.random.randrange(2, 12)
        self.say("storm", key, times)
        for _ in range(times):
            self.send_key(key)

    def toggle_theme(self) -> None:
        self.say("theme")
        QTest.mouseClick(self.app.window.top_bar.theme_button, LEFT)

    def other_tab(self) -> None:
        bar = self.app.window.documents
        if bar.isVisible():
            place = self.random.randrange(bar.count())
            self.say("tab", place)
            QTest.mouseClick(bar, LEFT, NONE, bar.tabRect(place).center())

    def resize(self) -> None:
        width, height = self.random.randrange(900, 1700), self.random.randrange(600, 1100)
        self.say("resize", width, height)
        self.app.window.resize(width, height)

    # What has to hold

    def check(self) -> None:
        """What is shown is the document, and its analysis is that of the document anew."""
        app, editor = self.app, self.app.editor
        assert editor is not None
        graph = editor.document.graph
        assert said_by(editor.analysis) == said_by(Analysis(editor.document))
        assert set(app.canvas.stage.drawing.cards) == set(graph.nodes)
        assert set(app.canvas.selection) <= set(graph.nodes)
        assert set(editor.document.layout) == set(graph.nodes)
        assert app.window.documents.count() == len(app.desk.documents)
        kept = {place: pair for place, pair in self.first.items() if place == id(editor)}
        first = editor.steps[0].before if editor.steps else editor.document
        self.first = kept or {id(editor): (editor, first)}

    def undo_all(self) -> None:
        """Take all steps back by keys, down to the first document, and make them again."""
        editor = self.app.editor
        assert editor is not None
        self.let_go()
        last, steps = editor.document, editor.place
        for _ in range(steps):
            QTest.keyClick(self.app.canvas.view, Qt.Key.Key_Z, CTRL)
        assert editor.place == 0
        assert editor.document == self.first[id(editor)][1]
        self.check()
        for _ in range(steps):
            QTest.keyClick(self.app.canvas.view, Qt.Key.Key_Y, CTRL)
        assert editor.document == last
        self.check()

    def let_go(self) -> None:
        """Release the button, close popups and take the keyboard to the canvas."""
        self.release()
        while (popup := QApplication.activePopupWidget()) is not None:
            QTest.keyClick(popup, Qt.Key.Key_Escape)
            popup.close()
        self.app.window.activateWindow()
        for _ in range(3):
            QTest.keyClick(self.focus(), Qt.Key.Key_Escape)
        self.app.canvas.setFocus()


def _alive(widget: QWidget) -> bool:
    from shiboken6 import isValid

    return isValid(widget)


class Trouble(list[str]):
    """Exceptions that nobody caught and warnings of Qt."""

    def catch(self, kind: Any, error: BaseException, trace: Any) -> None:
        import traceback

        self.append("".join(traceback.format_exception(kind, error, trace)))

    def unraisable(self, args: Any) -> None:
        self.catch(args.exc_type, args.exc_value, args.exc_traceback)

    def hear(self, kind: QtMsgType, place: QMessageLogContext, text: str) -> None:
        if not text.startswith(PLATFORM):
            self.append(f"{kind}: {text}")


@pytest.fixture
def trouble(monkeypatch: pytest.MonkeyPatch) -> Iterator[Trouble]:
    """What went wrong so far."""
    found = Trouble()
    monkeypatch.setattr(sys, "excepthook", found.catch)
    monkeypatch.setattr(sys, "unraisablehook", found.unraisable)
    before = qInstallMessageHandler(found.hear)
    yield found
    qInstallMessageHandler(before)


@pytest.fixture
def app(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> App:
    """The app with an empty design."""
    app = App(qapp, State(tmp_path / "state"))

    def leave(_: QWidget) -> None:
        for document in app.desk.documents:
            document.editor.mark_saved()

    qtbot.addWidget(app.window, before_close_func=leave)
    with qtbot.waitExposed(app.window):
        app.window.show()
    app.desk.new()
    app.window.activateWindow()
    app.canvas.setFocus()
    return app


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_done_all_that_is_shown_agrees(app: App, trouble: Trouble, seed: int) -> None:
    anybody = Anybody(app, seed)
    rescue = QTimer(app)
    rescue.timeout.connect(anybody.escape)
    rescue.start(20)
    anybody.check()
    for place in range(1, EVENTS + 1):
        anybody.act()
        QApplication.processEvents()
        assert not trouble, f"event {place} of seed {seed}: {list(anybody.done)}"
        if place % 50 == 0:
            anybody.check()
        if place % 500 == 0:
            anybody.undo_all()
    rescue.stop()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not trouble
