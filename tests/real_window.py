"""Draws the CIFAR-10 CNN in a real window with a real mouse and keyboard, and takes pictures.

`python -m tests.real_window [FOLDER]` starts an X server of its own, runs the app on it and works
it with xdotool alone; it reads the app to know where things are, and changes nothing by itself.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, QPoint, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QWidget

from designer.ui.app import App
from designer.ui.inspector.fields import ValueRow
from designer.ui.state import State
from tests.x_display import missing_tools, own_display, xdotool

if TYPE_CHECKING:
    from collections.abc import Callable

    from designer.core.editor import Editor
    from designer.core.graph import NodeId
    from designer.ui.canvas.cards import Card

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent
SCREENSHOTS = ROOT / "build" / "screenshots"
PICTURES = ROOT / "resources" / "pictures"
CIFAR10 = 160_202
GPT2 = 124_439_808
PATIENCE = 20.0
"""Seconds after which what has not come about will not."""


class Failed(Exception):
    """What was to be seen did not come about."""


class Reader(QObject):
    """Runs questions of another thread on the app's own."""

    asked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.asked.connect(self._answer, Qt.ConnectionType.QueuedConnection)

    def _answer(self, question: Callable[[], None]) -> None:
        question()

    def read(self, look: Callable[[], T]) -> T:
        """What `look` sees, on the app's thread; also while a drag or a dialog goes on there."""
        answer: Future[T] = Future()

        def ask() -> None:
            try:
                answer.set_result(look())
            except Exception as error:  # noqa: BLE001 (raised again where it was asked)
                answer.set_exception(error)

        self.asked.emit(ask)
        return answer.result(PATIENCE)


class Person:
    """Mouse and keyboard at the app; everything that is done goes through the X server."""

    def __init__(self, app: App, reader: Reader, folder: Path) -> None:
        self.app = app
        self.read = reader.read
        self.folder = folder

    # Waiting and looking

    def until(self, seen: Callable[[], object], what: str) -> None:
        """Wait until something is to be seen."""
        end = time.monotonic() + PATIENCE
        while not self.read(seen):
            if time.monotonic() > end:
                raise Failed(what)
            time.sleep(0.02)

    def settle(self) -> None:
        """Let the app do what is due, such as what is put off while somebody types."""
        time.sleep(0.4)
        self.read(lambda: None)

    def screenshot(self, name: str) -> Path:
        """Take a picture of the whole screen."""
        self.settle()
        path = self.folder / f"{name}.png"
        self.read(lambda: _save_screen(path))
        return path

    @property
    def editor(self) -> Editor:
        """The editor of the design in front, for reading."""
        editor = self.app.editor
        assert editor is not None
        return editor

    def parameters(self) -> int:
        """The total as the panel shows it."""
        return int(self.app.totals.total.text().split()[0].replace(",", ""))

    def expect_parameters(self, count: int) -> None:
        """Wait until the panel shows a total."""
        self.until(lambda: self.parameters() == count, f"the total is {count:,}")

    # Mouse

    def point(self, at: QPoint) -> None:
        """Move the pointer to a point of the screen."""
        xdotool("mousemove", "--sync", at.x(), at.y())

    def click(self, widget: QWidget, at: QPoint | None = None) -> None:
        """Click a widget in its middle, or at a point of it."""
        self.point(self.read(lambda: _on_screen(widget, at or widget.rect().center())))
        xdotool("click", 1)

    def drag(self, start: QPoint, end: QPoint) -> None:
        """Press, move in steps as a hand does, release."""
        self.point(start)
        xdotool("mousedown", 1)
        for step in (0.04, 0.1, 0.3, 0.6, 0.9, 0.97, 1.0):
            way = QPointF(end - start) * step
            xdotool("mousemove", start.x() + round(way.x()), start.y() + round(way.y()))
            self.read(lambda: None)
        self.settle()
        xdotool("mouseup", 1)

    # Keyboard

    def press(self, *keys: str) -> None:
        """Press keys one after another, such as `ctrl+z`."""
        for key in keys:
            xdotool("key", key)
            self.read(lambda: None)

    def type(self, text: str) -> None:
        """Type a text."""
        xdotool("type", "--delay", 12, "--", text)

    # The palette and the canvas

    def _place(self, x: float, y: float) -> QPoint:
        view = self.app.canvas.view
        return _on_screen(view.viewport(), view.viewportTransform().map(QPointF(x, y)).toPoint())

    def card(self, node: NodeId) -> Card:
        """A layer as it is drawn."""
        return self.app.canvas.stage.drawing.cards[node]

    def named(self, name: str) -> NodeId:
        """The layer of that name."""
        nodes = self.editor.document.graph.nodes
        return next(id for id, node in nodes.items() if node.name == name)

    def newest(self) -> NodeId:
        """The layer that was added last."""
        return max(self.editor.document.graph.nodes, default=0)

    def drag_in(self, words: str, x: float, y: float) -> NodeId:
        """Search the palette and drag what it finds first to a place on the canvas."""
        palette, before = self.app.palette, self.read(self.newest)
        self.click(palette.search)
        self.press("ctrl+a")
        self.type(words)
        self.until(lambda: palette.search.text() == words and palette.found, f"{words} is found")
        row = palette.found[0]
        self.until(row.isVisible, f"{words} is shown")
        start = self.read(lambda: _on_screen(row, QPoint(80, row.height() // 2)))
        self.drag(start, self.read(lambda: self._place(x, y)))
        self.until(lambda: self.newest() != before, f"{words} has been dropped")
        self.click(palette.search)
        self.press("ctrl+a", "BackSpace")
        return self.read(self.newest)

    def quick_add(self, words: str) -> NodeId:
        """Press Tab on the canvas, type what to look for, press Enter."""
        before = self.read(self.newest)
        self.open_quick_add(words)
        self.press("Return")
        self.until(lambda: self.newest() != before, f"{words} has been added")
        return self.read(self.newest)

    def open_quick_add(self, words: str) -> None:
        """Open the search on the canvas and type into it."""
        node = self.read(self.newest)
        if node not in self.read(lambda: self.app.canvas.selection):
            self.select(node)
        self.focus_canvas()
        self.press("Tab")
        self.until(lambda: isinstance(QApplication.focusWidget(), QLineEdit), "the search is open")
        self.type(words)
        self.until(lambda: _text_with_focus() == words, f"{words} is typed")

    def focus_canvas(self) -> None:
        """Bring the keyboard to the canvas: F6 goes from panel to panel."""
        for _ in range(5):
            if self.read(self.app.canvas.view.hasFocus):
                return
            self.press("F6")
        raise Failed("F6 reaches the canvas")

    def select(self, *nodes: NodeId) -> None:
        """Click layers on their names, the second and further ones with Shift."""
        if not self.read(lambda: all(self._in_view(node) for node in nodes)):
            self.focus_canvas()
            self.press("shift+1")
        for place, node in enumerate(nodes):
            self.point(self.read(partial(self._name, node)))
            xdotool("keydown" if place else "keyup", "shift")
            xdotool("click", 1)
        xdotool("keyup", "shift")
        wanted = sorted(nodes)
        self.until(lambda: self.app.canvas.selection == wanted, "the layers are selected")

    def _name(self, node: NodeId) -> QPoint:
        box = self.card(node).box
        return self._place(box.x + 50, box.y + 14)

    def _in_view(self, node: NodeId) -> bool:
        return self.app.canvas.view.shown().contains(self.card(node).box.centre)

    def pull(self, source: NodeId, target: NodeId) -> None:
        """Pull a wire from a layer's output to another's input."""
        start = self.read(lambda: self.card(source).outputs[0].place)
        end = self.read(lambda: self.card(target).inputs[0].place)
        self.drag(self.read(lambda: self._place(*start)), self.read(lambda: self._place(*end)))
        wanted = (source, target)
        self.until(lambda: wanted in self._joined(), "the wire joins the two layers")

    def _joined(self) -> set[tuple[NodeId, NodeId]]:
        edges = self.editor.document.graph.edges()
        return {(edge.source.node, edge.target.node) for edge in edges}

    # The inspector, files

    def fill(self, option: str, text: str) -> None:
        """Click into the field of an option, replace what is there."""
        self.until(lambda: option in self.app.inspector.rows, f"{option} has a field")
        row = self.app.inspector.rows[option]
        assert isinstance(row, ValueRow)
        field = row.field
        self.click(field, QPoint(12, self.read(field.height) // 2))
        self.press("ctrl+a")
        self.type(text)
        self.until(lambda: field.text() == text, f"{option} reads {text}")

    def export(self, path: Path) -> None:
        """Export with Ctrl+E, typing the path into the file dialog."""
        self.press("ctrl+e")
        self.until(lambda: isinstance(QApplication.activeModalWidget(), QFileDialog), "a dialog")
        self.press("ctrl+a")
        self.type(str(path))
        self.press("Return")
        self.until(path.exists, "the file has been written")
        self.until(lambda: QApplication.activeModalWidget() is None, "the dialog has closed")

    def switch_theme(self) -> None:
        """Click the theme button."""
        before = self.read(lambda: self.app.theme.name)
        self.click(self.app.window.top_bar.theme_button)
        self.until(lambda: self.app.theme.name != before, "the other theme is on")

    def in_both_themes(self, name: str) -> None:
        """Take a picture in the theme in force and one in the other, and go back."""
        self.screenshot(f"{name}-{self.read(lambda: self.app.theme.name)}")
        self.switch_theme()
        self.screenshot(f"{name}-{self.read(lambda: self.app.theme.name)}")
        self.switch_theme()

    def open_example(self, title: str) -> None:
        """Open an empty design and click the card of an example."""
        self.press("ctrl+n")
        self.until(lambda: not self.editor.document.graph.nodes, "an empty design is in front")
        self.until(self.app.welcome.isVisible, "the examples are offered")
        card = next(card for card in self.app.welcome.cards if card.text() == title)
        self.click(card)
        self.until(lambda: self.editor.document.title == title, f"{title} is open")


def _on_screen(widget: QWidget, at: QPoint) -> QPoint:
    """A point of a widget in pixels of the X server."""
    place = QPointF(widget.mapToGlobal(at)) * widget.devicePixelRatioF()
    return place.toPoint()


def _save_screen(path: Path) -> None:
    # Qt takes low quality as high compression; a PNG loses nothing by it.
    if not QGuiApplication.primaryScreen().grabWindow(0).save(str(path), "PNG", 0):
        raise OSError(f"{path} could not be written.")


def _text_with_focus() -> str:
    field = QApplication.focusWidget()
    return field.text() if isinstance(field, QLineEdit) else ""


# What the person does


def draw_cifar10(person: Person) -> None:
    """Input and first layers by mouse, the others by key."""
    image = person.drag_in("input", 0, -240)
    person.select(image)
    person.fill("shape", "B, 3, 32, 32")
    person.pull(image, person.drag_in("conv2d", 0, -140))
    for place, width in enumerate(("32", "64", "128")):
        if place:
            person.quick_add("conv2d")
        else:
            person.select(person.read(person.newest))
        person.fill("out_channels", width)
        person.fill("kernel_size", "3")
        person.quick_add("relu")
        person.quick_add("maxpool2d")
        person.fill("kernel_size", "2")
    person.quick_add("flatten")
    for width in ("128", "10"):
        person.quick_add("linear")
        person.fill("out_features", width)
        person.quick_add("relu" if width == "128" else "softmax")
    person.fill("dim", "-1")
    person.quick_add("output")
    person.expect_parameters(CIFAR10)
    assert not person.read(person.editor.analysis.problems)


def undo_and_redo(person: Person) -> None:
    """Take back the last step and make it again."""
    count = person.read(lambda: len(person.editor.document.graph.nodes))
    person.focus_canvas()
    person.press("ctrl+z")
    person.until(lambda: len(person.editor.document.graph.nodes) == count - 1, "a step is undone")
    person.press("ctrl+shift+z")
    person.until(lambda: len(person.editor.document.graph.nodes) == count, "it is made again")


def break_it(person: Person) -> None:
    """Delete Flatten, join its ends by hand, pin the width that Linear had."""
    flatten = person.read(lambda: person.named("flatten1"))
    linear = person.read(lambda: person.named("fc1"))
    pool = person.read(lambda: next(s for s, t in person._joined() if t == flatten))
    person.select(flatten)
    person.press("Delete")
    person.until(lambda: flatten not in person.editor.document.graph.nodes, "Flatten is gone")
    person.select(pool, linear)
    person.press("f")
    person.pull(pool, linear)
    person.expect_parameters(94_922)
    person.select(linear)
    person.fill("in_features", "512")
    sentence = "Linear expects [..., 512], got [B, 128, 2, 2]."
    row = person.app.inspector.rows["in_features"]
    person.until(lambda: row.line() == sentence, sentence)


def mend_it(person: Person) -> None:
    """Ask for fixes with Alt+Enter, look at them in both themes, take the first with Enter."""
    fc1 = person.read(lambda: person.named("fc1"))
    person.select(fc1)
    for _ in range(2):
        person.press("alt+Return")
        person.screenshot(f"error-{person.read(lambda: person.app.theme.name)}")
        person.press("Escape")
        person.switch_theme()
    person.select(fc1)
    person.press("alt+Return", "Return")
    person.until(lambda: not person.editor.analysis.problems(), "the fix has mended it")
    person.expect_parameters(CIFAR10)


def run_exported(path: Path) -> int:
    """The number of parameters of the module in an exported file, which takes an image."""
    import torch

    space: dict[str, object] = {}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), space)
    classes = [value for value in space.values() if isinstance(value, type)]
    module = next(made for made in classes if made.__module__ != "torch")()
    assert module(torch.rand(2, 3, 32, 32)).shape == (2, 10)
    return sum(parameter.numel() for parameter in module.parameters())


def look_at_quick_add(person: Person) -> None:
    """Open the search after a layer, in both themes."""
    person.select(person.read(lambda: person.named("conv3")))
    for _ in range(2):
        person.focus_canvas()
        person.press("Tab")
        person.type("pool")
        person.screenshot(f"quick-add-{person.read(lambda: person.app.theme.name)}")
        person.press("Escape")
        person.switch_theme()


def main_job(person: Person) -> str:
    """From an empty canvas to code that runs; returns what has been seen."""
    person.in_both_themes("start")
    draw_cifar10(person)
    undo_and_redo(person)
    person.press("shift+1")
    person.in_both_themes("cifar10")
    look_at_quick_add(person)
    break_it(person)
    mend_it(person)
    model = person.folder / "model.py"
    model.unlink(missing_ok=True)
    person.export(model)
    count = run_exported(model)
    if count != CIFAR10:
        raise Failed(f"the exported module has {CIFAR10:,} parameters, not {count:,}")
    look_at_gpt2(person)
    return (
        f"Drawn, broken, mended and exported by hand: {model.name} runs with {count:,} parameters."
    )


def look_at_gpt2(person: Person) -> None:
    """GPT-2, its variables and its code."""
    person.open_example("GPT-2")
    person.expect_parameters(GPT2)
    person.in_both_themes("gpt2")
    person.click(person.app.window.right.tabs.buttons[1])
    person.in_both_themes("variables")
    person.click(person.app.window.right.tabs.buttons[0])


def pictures(person: Person) -> str:
    """The pictures of the README: the start page; GPT-2 with its block selected and its code."""
    person.focus_canvas()
    person.press("ctrl+k")
    person.type("start page")
    person.press("Return")
    person.until(person.app.start.isVisible, "the start page is shown")
    person.until(lambda: not person.app.start.reading.busy, "every card has its count")
    person.in_both_themes("start")
    person.open_example("GPT-2")
    person.expect_parameters(GPT2)
    person.click(person.app.window.dock.tabs.buttons[1])
    rows = person.app.totals.layers
    person.click(person.read(lambda: next(row for row in rows if "h" in row.text().split())))
    layer = person.read(lambda: person.named("h"))
    person.until(lambda: person.app.canvas.selection == [layer], "the block is selected")
    person.focus_canvas()
    person.press("Home")
    person.in_both_themes("window")
    return f"The pictures are in {person.folder}."


# Starting


def options(words: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.real_window", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="where the pictures go")
    parser.add_argument("--pictures", action="store_true", help="make the README's pictures only")
    parser.add_argument("--size", default="1600x1000", help="the screen, such as 1280x800")
    return parser.parse_args(words)


def work(app: App, story: Callable[[Person], str], folder: Path) -> int:
    """Let a person follow a story at the app while it runs; the exit code."""
    reader, outcome = Reader(), [1]
    person = Person(app, reader, folder)

    def follow() -> None:
        try:
            person.until(app.window.isActiveWindow, "the window has the keyboard")
            print(story(person))
            outcome[0] = 0
        except Exception as error:
            person.screenshot("failed")
            print(f"It failed: {error!r}", file=sys.stderr)
            raise
        finally:
            # Not quit(): that would ask whether to save.
            reader.asked.emit(partial(QApplication.exit, outcome[0]))

    thread = threading.Thread(target=follow, name="person")
    thread.start()
    QApplication.exec()
    thread.join()
    return outcome[0]


def run(asked: argparse.Namespace, display: str, home: Path) -> int:
    """Start the app on a display and let the person work."""
    os.environ.update(DISPLAY=display, QT_QPA_PLATFORM="xcb", HOME=str(home))
    folder = asked.folder or (PICTURES if asked.pictures else SCREENSHOTS)
    folder.mkdir(parents=True, exist_ok=True)
    qt = QApplication(["netdraft"])
    app = App(qt, State(home / "state"))
    app.window.show()
    app.desk.new()
    return work(app, pictures if asked.pictures else main_job, folder.resolve())


def main(words: list[str] | None = None) -> int:
    """Exit code 0 where everything was seen, 1 where not, 2 where a tool is missing."""
    asked = options(words)
    missing = missing_tools()
    if missing:
        print(missing, file=sys.stderr)
        return 2
    size = QSize(*(int(part) for part in asked.size.split("x")))
    with own_display(size.width(), size.height()) as display, TemporaryDirectory() as home:
        return run(asked, display, Path(home))


if __name__ == "__main__":
    sys.exit(main())
