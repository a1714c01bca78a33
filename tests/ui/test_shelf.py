"""The blocks at the foot of the palette, those of the design and of the library, by real events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from designer.core.level import Level
from designer.files.library import library
from designer.ui.app import App
from designer.ui.dragging import MIME_LIBRARY
from designer.ui.state import State
from tests.ui.canvas.conftest import CTRL, LEFT, NONE
from tests.ui.person import Person

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QWidget
    from pytestqt.qtbot import QtBot

    from designer.ui.shelf import BlockCard, Shelf

COPY = Qt.DropAction.CopyAction


@pytest.fixture
def person(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Person:
    """Somebody in front of the app with GPT-2, whose library is empty."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    app = App(qapp, State(tmp_path / "state"))

    def leave(_: QWidget) -> None:
        for document in app.desk.documents:
            document.editor.mark_saved()

    qtbot.addWidget(app.window, before_close_func=leave)
    app.window.resize(1500, 950)
    with qtbot.waitExposed(app.window):
        app.window.show()
    app.desk.open_example("gpt2")
    app.window.activateWindow()
    app.canvas.setFocus()
    return Person(app)


def shelf(person: Person) -> Shelf:
    return person.app.palette.shelf


def card(person: Person, name: str) -> BlockCard:
    return next(card for card in shelf(person).blocks if card.text() == name)


def pick(card: BlockCard, words: str) -> None:
    next(a for a in card.make_menu().actions() if a.text() == words).trigger()


def test_it_shows_how_often_each_block_is_there_and_what_one_has(
    person: Person, qtbot: QtBot
) -> None:
    assert card(person, "Block").says() == "Block ×12 7,087,872 each"
    variables = person.app.variables
    field = variables.row("n_layers").field
    person.app.window.show_variables()
    QTest.mouseClick(field, LEFT)
    QTest.keySequence(field, "Ctrl+A")
    QTest.keyClicks(field, "24")
    qtbot.waitUntil(lambda: card(person, "Block").says() == "Block ×24 7,087,872 each")


def test_a_new_block_is_empty_and_open(person: Person) -> None:
    QTest.mouseClick(shelf(person).new, LEFT)
    level = person.app.level
    assert isinstance(level, Level)
    assert not level.document.graph.nodes
    assert card(person, level.block).says() == f"{level.block} not used 0 each"


def test_a_double_click_adds_a_use_and_a_drag_too(person: Person) -> None:
    before = len(person.editor.document.graph.nodes)
    QTest.mouseDClick(card(person, "Block"), LEFT)
    person.drop("block:Block", 500, 500)
    kinds = [node.kind for node in person.editor.document.graph.nodes.values()]
    assert len(kinds) == before + 2
    assert kinds.count("block:Block") == 3


def test_a_block_is_entered_and_opened_by_itself(person: Person) -> None:
    pick(card(person, "Block"), "Enter")
    level = person.app.level
    assert isinstance(level, Level)
    assert (level.block, len(level.path)) == ("Block", 1)
    pick(card(person, "Block"), "Open by itself")
    level = person.app.level
    assert isinstance(level, Level)
    assert (level.block, level.path) == ("Block", ())


def test_a_block_is_renamed_duplicated_and_removed(person: Person) -> None:
    pick(card(person, "Block"), "Rename")
    name = card(person, "Block").name
    QTest.keySequence(name, "Ctrl+A")
    QTest.keyClicks(name, "Decoder")
    QTest.keyClick(name, Qt.Key.Key_Return)
    assert "Decoder" in person.editor.document.blocks
    pick(card(person, "Decoder"), "Duplicate")
    assert card(person, "Decoder2").says().startswith("Decoder2 not used 7,087,872")
    pick(card(person, "Decoder2"), "Remove")
    assert "Decoder2" not in person.editor.document.blocks
    pick(card(person, "Decoder"), "Remove")
    assert person.app.window.status.texts()[0] == "Decoder is used by h."
    assert "Decoder" in person.editor.document.blocks


def test_a_design_without_blocks_says_how_to_make_one(person: Person) -> None:
    person.press(Qt.Key.Key_N, CTRL)
    assert shelf(person).hint.isVisible()
    assert shelf(person).hint.text().startswith("Select layers and press Ctrl G")
    assert not shelf(person).blocks


def test_a_block_of_the_library_goes_into_another_design(person: Person) -> None:
    assert not shelf(person).library
    pick(card(person, "Block"), "Save to library")
    assert [entry.name for entry in library()] == ["Block"]
    (kept,) = shelf(person).library
    person.press(Qt.Key.Key_N, CTRL)
    drop(person, str(kept.entry.path), 40, 40)
    document = person.editor.document
    assert [node.kind for node in document.graph.nodes.values()] == ["block:Block"]
    assert "Block" in document.blocks
    QTest.mouseDClick(kept, LEFT)
    assert len(person.editor.document.graph.nodes) == 2
    menu = kept.make_menu()
    next(a for a in menu.actions() if a.text() == "Remove from library").trigger()
    assert not library()
    assert not shelf(person).library


def drop(person: Person, path: str, x: float, y: float) -> None:
    """Drag a block of the library to a place on the canvas."""
    data = QMimeData()
    data.setData(MIME_LIBRARY, path.encode())
    view = person.app.canvas.view
    place = view.viewportTransform().map(QPointF(x, y))
    enter = QDragEnterEvent(place.toPoint(), COPY, data, LEFT, NONE)
    QApplication.sendEvent(view.viewport(), enter)
    assert enter.isAccepted()
    QApplication.sendEvent(view.viewport(), QDropEvent(place, COPY, data, LEFT, NONE))
