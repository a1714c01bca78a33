"""Blocks in the whole window, by real events: gone into, named, given arguments, kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from designer.core.level import Level
from designer.ui.app import App
from designer.ui.state import State
from tests.ui.canvas.conftest import CTRL, LEFT
from tests.ui.person import Person

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QApplication, QLineEdit, QWidget
    from pytestqt.qtbot import QtBot

    from designer.core.graph import NodeId


@pytest.fixture
def person(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Person:
    """Somebody in front of the app with GPT-2."""
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


def node(person: Person, name: str) -> NodeId:
    assert person.app.level is not None
    nodes = person.app.level.document.graph.nodes
    return next(id for id, node in nodes.items() if node.name == name)


def enter(person: Person) -> None:
    """Click the block on the canvas and press Enter."""
    person.app.canvas.fit_all()
    person.click(node(person, "h"))
    person.app.canvas.setFocus()
    person.press(Qt.Key.Key_Return)


def write(field: QLineEdit, text: str) -> None:
    """Click into a field, take all of it, type, press Enter."""
    QTest.mouseClick(field, LEFT)
    QTest.keySequence(field, "Ctrl+A")
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Return)


def test_the_inspector_leads_into_the_block(person: Person) -> None:
    person.click(node(person, "h"))
    QTest.mouseClick(person.app.inspector.links.links["enter"], LEFT)
    assert isinstance(person.app.level, Level)
    assert person.app.level.block == "Block"


def test_totals_and_title_are_those_of_one_copy(person: Person) -> None:
    enter(person)
    app = person.app
    assert app.inspector.header.name.text() == "Block"
    assert app.inspector.header.copies.text() == "×12"
    assert app.inspector.header.kind.text() == "8 layers, 7,087,872 parameters"
    assert app.totals.total.text().startswith("7,087,872")
    assert app.totals.title.note() == "this block, one copy"
    person.press(Qt.Key.Key_Escape)
    assert app.totals.title.note() == "whole design"
    assert not app.inspector.header.copies.isVisible()


def test_a_block_is_renamed_where_it_stands_and_undo_gives_its_name_back(person: Person) -> None:
    enter(person)
    app = person.app
    write(app.inspector.header.name, "TransformerBlock")
    assert isinstance(app.level, Level)
    assert (app.level.block, app.descent.depth) == ("TransformerBlock", 1)
    assert "TransformerBlock" in person.editor.document.blocks
    assert app.descent.trail()[-1] == ("TransformerBlock", "×12")
    app.canvas.setFocus()
    person.press(Qt.Key.Key_Z, CTRL)
    assert app.level.block == app.inspector.header.name.text() == "Block"


def test_a_name_that_is_taken_is_refused_with_a_sentence(person: Person) -> None:
    enter(person)
    header = person.app.inspector.header
    write(header.name, "Linear")
    assert header.refusal.text().startswith("Linear cannot be a class")
    assert "Block" in person.editor.document.blocks


def test_arguments_are_added_changed_and_removed(person: Person) -> None:
    enter(person)
    arguments = person.app.inspector.design.block.arguments
    assert {"d_model", "n_heads"} <= {row.shown.name for row in arguments.rows}
    QTest.mouseClick(arguments.new.link, LEFT)
    write(arguments.new.field, "extra")
    row = arguments.row("extra")
    assert row is not None
    write(row.field, "2*d_model")
    assert row.field.remark().text == "= 1,536"
    assert "extra" in person.editor.document.blocks["Block"].arguments
    assert "extra" not in person.editor.document.variables
    row.delete_wanted.emit("extra")
    assert arguments.row("extra") is None


def test_a_used_argument_is_not_removed(person: Person) -> None:
    enter(person)
    row = person.app.inspector.design.block.arguments.row("d_model")
    assert row is not None
    menu = row.make_menu()
    next(action for action in menu.actions() if action.text() == "Delete").trigger()
    assert row.line().startswith("d_model is used by")


def test_a_note_is_one_step(person: Person) -> None:
    enter(person)
    steps = len(person.editor.steps)
    field = person.app.inspector.design.block.note
    write(field, "Pre-norm")
    assert person.editor.document.blocks["Block"].note == "Pre-norm"
    assert len(person.editor.steps) == steps + 1
    person.editor.undo()
    assert field.text() == person.editor.document.blocks["Block"].note != "Pre-norm"


def test_a_variable_outside_reaches_the_open_block(person: Person) -> None:
    enter(person)
    app = person.app
    app.window.show_variables()
    write(app.variables.row("d_model").field, "1536")
    assert app.totals.total.text().startswith("28,")
    assert app.inspector.header.kind.text().startswith("8 layers, 28,")
