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
from PySide6.QtWidgets import QApplication, QComboBox, QWidget

from designer.core.analysis import Analysis
from designer.core.block import BLOCK
from designer.core.editor import Editor
from designer.core.layer import CATALOGUE
from designer.core.level import Level
from designer.ui.actions import ACTIONS
from designer.ui.app import App
from designer.ui.canvas.drawing import Drawing
from designer.ui.state import State
from tests.core.test_analysis import state as said_by
from tests.ui.canvas.conftest import ALT, CTRL, LEFT, NONE, SHIFT, Hand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from PySide6.QtCore import QMessageLogContext, QtMsgType
    from pytestqt.qtbot import QtBot

    from designer.core.document import Document
    from designer.core.editor import Editable

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


BLOCK_COMMANDS = [
    action.title for action in ACTIONS if action.menu == "Design" and action.group in (2, 3)
]
"""What one does with blocks, as the search for commands lists it."""

EXAMPLES = ("GPT-2", "Mixtral", "ResNet", "seq2seq", "U-Net")
"""Designs with blocks, variables and presets, as they are searched for."""

COPIES = ("1", "2", "3", "n", "0", "1000000", "-1", "2*2", "own", "shared", "")


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
            (30, self.edit_field),
            (20, self.group),
            (25, self.command),
            (25, self.enter),
            (20, self.leave),
            (20, self.drop_block),
            (8, self.edit_copies),
            (3, self.open_example),
            (4, self.use_preset),
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
        if len(self.nodes_here()) < MOST_LAYERS:
            kind = self.random.choice([*CATALOGUE, "Input", "Conv2d", "Linear", "LSTM", "Add", "x"])
            at = self.app.canvas.view.mapToScene(self.place())
            self.say("drop", kind)
            self.hand.carry(kind, at.x(), at.y(), self.random.random() < 0.9)

    # Blocks

    def nodes_here(self) -> list[int]:
        """The layers of the level in front."""
        assert self.app.level is not None
        return list(self.app.level.document.graph.nodes)

    def uses_here(self) -> list[int]:
        """The uses of blocks of the level in front."""
        assert self.app.level is not None
        nodes = self.app.level.document.graph.nodes
        return [id for id, node in nodes.items() if node.kind.startswith(BLOCK)]

    def on(self, id: int) -> QPoint:
        """A place on the name of a layer."""
        box = self.app.canvas.stage.drawing.cards[id].box
        return self.hand.pixel(box.x + box.width / 2, box.y + 12)

    def select(self, ids: list[int]) -> None:
        """Click some layers, with Shift from the second on."""
        for place, at in enumerate([self.on(id) for id in ids]):
            QTest.mouseClick(self.hand.viewport, LEFT, SHIFT if place else NONE, at)

    def group(self) -> None:
        """Select some layers near each other and press Ctrl+G, or fold what is selected."""
        ids = self.nodes_here()
        if ids:
            start = self.random.randrange(len(ids))
            chosen = ids[start : start + self.random.randrange(1, 5)]
            self.say("group", chosen)
            self.select(chosen)
            self.send_key("Ctrl+G")

    def command(self) -> None:
        """Select one or two layers and choose a command for blocks in the search for commands."""
        ids = self.uses_here() or self.nodes_here()
        title = self.random.choice(BLOCK_COMMANDS)
        if ids:
            self.select(self.random.sample(ids, min(len(ids), self.random.choice((1, 1, 2)))))
        self.say("command", title)
        self.search_command(title)

    def search_command(self, words: str) -> None:
        """Press Ctrl+K, type, press Enter."""
        self.send_key("Ctrl+K")
        QTest.keyClicks(self.focus(), words)
        QTest.keyClick(self.focus(), Qt.Key.Key_Return)

    def enter(self) -> None:
        uses = self.uses_here()
        if uses:
            id = self.random.choice(uses)
            self.say("enter", id)
            at = self.on(id)
            QTest.mouseClick(self.hand.viewport, LEFT, NONE, at)
            QTest.mouseDClick(self.hand.viewport, LEFT, NONE, at)
            QTest.mouseRelease(self.hand.viewport, LEFT, NONE, at)

    def leave(self) -> None:
        crumbs = self.app.canvas.breadcrumb.crumbs
        if self.app.descent.depth and self.random.random() < 0.5:
            crumb = self.random.choice(crumbs)
            self.say("crumb", crumb.text())
            QTest.mouseClick(crumb, LEFT)
        else:
            self.say("escape")
            self.send_key("Esc")
            self.send_key("Esc")

    def drop_block(self) -> None:
        """Bring a block of the design onto the canvas: also into itself, which is refused."""
        blocks = list(self.app.editor.document.blocks) if self.app.editor else []
        if blocks and len(self.nodes_here()) < MOST_LAYERS:
            kind = f"{BLOCK}{self.random.choice(blocks)}"
            at = self.app.canvas.view.mapToScene(self.place())
            self.say("drop", kind)
            self.hand.carry(kind, at.x(), at.y())

    def edit_copies(self) -> None:
        """Type a number of copies into the inspector of a use."""
        uses = self.uses_here()
        if uses:
            self.select([self.random.choice(uses)])
            field = getattr(self.app.inspector.rows.get("copies"), "field", None)
            if isinstance(field, QWidget) and field.isVisible():
                text = self.random.choice(COPIES)
                self.say("copies", text)
                QTest.mouseClick(field, LEFT, NONE, QPoint(12, field.height() // 2))
                QTest.keyClick(field, Qt.Key.Key_A, CTRL)
                QTest.keyClicks(field, text)

    def open_example(self) -> None:
        """Open a design that has blocks and presets, unless there are many documents."""
        if len(self.app.desk.documents) < 4:
            words = self.random.choice(EXAMPLES)
            self.say("example", words)
            self.search_command(f"Open example {words}")

    def use_preset(self) -> None:
        """Choose a preset by its name, in the panel of the variables."""
        self.app.window.show_variables()
        boxes = [box for box in self.app.variables.findChildren(QComboBox) if box.isVisible()]
        if boxes:
            self.say("preset")
            QTest.keyClick(boxes[0], self.random.choice((Qt.Key.Key_Down, Qt.Key.Key_Up)))

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
        app, editor, level = self.app, self.app.editor, self.app.level
        assert editor is not None
        assert level is not None
        assert said_by(editor.analysis) == said_by(Analysis(editor.document))
        assert said_by(level.analysis) == said_by(anew(level).analysis)
        self.check_canvas(level)
        blocks = editor.document.blocks.values()
        everywhere = {id for block in blocks for id in block.graph.nodes}
        assert set(editor.document.layout) == everywhere | set(editor.document.graph.nodes)
        assert app.window.documents.count() == len(app.desk.documents)
        kept = {place: pair for place, pair in self.first.items() if place == id(editor)}
        first = editor.steps[0].before if editor.steps else editor.document
        self.first = kept or {id(editor): (editor, first)}

    def check_canvas(self, level: Editable) -> None:
        """What is drawn is the level in front."""
        canvas, graph = self.app.canvas, level.document.graph
        drawing, fresh = canvas.stage.drawing, Drawing(canvas.stage.texts.width)
        fresh.read(level)
        assert canvas.editor is level
        assert set(canvas.selection) <= set(graph.nodes)
        assert set(drawing.wires) == {edge.target for edge in graph.edges()}
        assert set(drawing.cards) == set(fresh.cards) == set(graph.nodes)
        for id, card in fresh.cards.items():
            # One whose options cannot be read keeps the size that it had.
            if level.analysis.findings[id].result is not None:
                assert drawing.cards[id] == card
        assert len(canvas.breadcrumb.crumbs) == self.app.descent.depth + 1

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


def anew(level: Editable) -> Editable:
    """The same level of the same document, without the edits that led there."""
    if isinstance(level, Level):
        return Level(Editor(level.editor.document), level.block, level.path)
    return Editor(level.document)


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
def app(qtbot: QtBot, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    """The app with an empty design, and an empty library of blocks."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
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
