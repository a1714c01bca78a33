"""Blocks drawn by hand: made, entered, edited, taken apart; only mouse and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from designer.core.block import BLOCK
from designer.core.level import Level
from designer.ui.actions import key_text
from designer.ui.app import App
from designer.ui.state import State
from tests.ui.canvas.conftest import CTRL, LEFT, NONE, SHIFT
from tests.ui.person import Person

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QApplication, QWidget
    from pytestqt.qtbot import QtBot

    from designer.core.document import Document
    from designer.core.graph import NodeId
    from designer.ui.canvas.cards import Card

FC1, FC2 = 64 * 128 + 128, 128 * 128 + 128
"""Parameters of the two Linear layers that are drawn."""


@pytest.fixture
def person(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Person:
    """Somebody who has drawn Input → fc1 → relu1 → fc2 → Output."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    app = App(qapp, State(tmp_path / "state"))

    def leave(_: QWidget) -> None:
        for document in app.desk.documents:
            document.editor.mark_saved()

    qtbot.addWidget(app.window, before_close_func=leave)
    app.window.resize(1500, 950)
    with qtbot.waitExposed(app.window):
        app.window.show()
    app.desk.new()
    app.window.activateWindow()
    app.canvas.setFocus()
    person = Person(app)
    person.drop("Input", 0, -240)
    person.fill("shape", "B, 64")
    before = person.newest
    for place, kind in enumerate(("Linear", "ReLU", "Linear", "Output")):
        layer = person.drop(kind, 0, -120 + 120 * place)
        person.pull(before, layer)
        before = layer
    return person


# Reading, and what hands do


def here(person: Person) -> Document:
    """The level in front as a document."""
    assert person.app.level is not None
    return person.app.level.document


def named(person: Person, name: str) -> NodeId:
    nodes = here(person).graph.nodes
    return next(id for id, node in nodes.items() if node.name == name)


def names(person: Person) -> set[str]:
    return {node.name for node in here(person).graph.nodes.values()}


def card(person: Person, name: str) -> Card:
    return person.app.canvas.stage.drawing.cards[named(person, name)]


def edges(person: Person) -> set[tuple[str, str]]:
    graph = here(person).graph
    nodes = graph.nodes
    return {(nodes[e.source.node].name, nodes[e.target.node].name) for e in graph.edges()}


def total(person: Person) -> int:
    """The parameters of the whole design."""
    return person.editor.analysis.totals().parameters


def select(person: Person, *wanted: str) -> None:
    """Click layers, the second and further ones with Shift."""
    person.app.canvas.setFocus()
    for place, name in enumerate(wanted):
        box = card(person, name).box
        person.hand.click(box.x + 50, box.y + 12, SHIFT if place else NONE)


def key(person: Person, key: Qt.Key, keys: Qt.KeyboardModifier = NONE) -> None:
    person.app.canvas.setFocus()
    person.press(key, keys)


def make_block(person: Person, *wanted: str) -> None:
    select(person, *wanted)
    key(person, Qt.Key.Key_G, CTRL)


def make_inner(person: Person) -> None:
    """Make a block of the three layers in the middle."""
    make_block(person, "fc1", "relu1", "fc2")


def enter(person: Person, name: str = "block1") -> None:
    select(person, name)
    key(person, Qt.Key.Key_Return)


def undo(person: Person, times: int = 1) -> None:
    for _ in range(times):
        key(person, Qt.Key.Key_Z, CTRL)


def choose(person: Person, title: str) -> None:
    """Find a command by its title with Ctrl+K, press Enter."""
    key(person, Qt.Key.Key_K, CTRL)
    person.hand.type(title)
    person.hand.key(Qt.Key.Key_Return)


def pull(person: Person, source: str, target: str) -> None:
    start, end = card(person, source).outputs[0].place, card(person, target).inputs[0].place
    person.hand.drag((start.x, start.y), (end.x, end.y))


def said(person: Person) -> str:
    """The sentence in the status line."""
    return person.app.window.status.state.text()


# Made and taken apart


def test_a_selection_becomes_a_block_with_a_card(person: Person) -> None:
    assert total(person) == FC1 + FC2
    make_inner(person)
    shown = card(person, "block1")
    assert names(person) == {"input1", "block1", "output1"}
    assert edges(person) == {("input1", "block1"), ("block1", "output1")}
    assert [member.name for member in shown.members] == ["fc1", "relu1", "fc2"]
    assert (shown.shape, shown.count, shown.copies) == ("block", f"{FC1 + FC2:,}", "")
    assert person.app.canvas.selection == [shown.id]
    assert total(person) == FC1 + FC2


def test_a_rubber_band_around_the_layers_does_too(person: Person) -> None:
    cards = [card(person, name).box for name in ("fc1", "relu1", "fc2")]
    left, top = min(box.x for box in cards) - 30, cards[0].y - 8
    right, bottom = max(box.right for box in cards) + 30, cards[-1].bottom + 8
    person.hand.drag((left, top), (right, bottom))
    key(person, Qt.Key.Key_G, CTRL)
    assert names(person) == {"input1", "block1", "output1"}


def test_an_input_stays_outside_with_a_sentence(person: Person) -> None:
    make_block(person, "input1", "fc1")
    assert not person.editor.document.blocks
    assert said(person) == "input1 stays outside: a block has ports of its own."


def test_unpacking_gives_back_what_was_there(person: Person) -> None:
    before = person.editor.document
    make_inner(person)
    key(person, Qt.Key.Key_G, CTRL | SHIFT)
    after = person.editor.document
    assert after.graph == before.graph
    assert dict(after.layout) == dict(before.layout)
    assert not after.blocks
    assert {here(person).graph.nodes[id].name for id in person.app.canvas.selection} == {
        "fc1",
        "relu1",
        "fc2",
    }


def test_a_block_is_one_step_of_the_history(person: Person) -> None:
    before = person.editor.document
    make_inner(person)
    undo(person)
    assert person.editor.document == before
    key(person, Qt.Key.Key_Y, CTRL)
    assert list(person.editor.document.blocks) == ["Block"]


# In and out


def test_enter_goes_in_and_escape_first_clears_the_selection(person: Person) -> None:
    make_inner(person)
    enter(person)
    app = person.app
    assert isinstance(app.level, Level)
    assert names(person) == {"x", "fc1", "relu1", "fc2", "out"}
    assert [crumb.text() for crumb in app.canvas.breadcrumb.crumbs][1:] == ["Block"]
    select(person, "fc1")
    key(person, Qt.Key.Key_Escape)
    assert (app.descent.depth, app.canvas.selection) == (1, [])
    key(person, Qt.Key.Key_Escape)
    assert app.descent.depth == 0
    assert app.canvas.selection == [named(person, "block1")]
    assert app.canvas.breadcrumb.isHidden()


def test_a_double_click_goes_in_and_the_breadcrumb_out(person: Person) -> None:
    make_inner(person)
    box = card(person, "block1").box
    person.hand.double_click(box.x + 60, box.y + 12)
    app = person.app
    assert app.descent.depth == 1
    make_block(person, "fc1", "relu1")
    enter(person, "block21")
    assert (app.descent.depth, names(person)) == (2, {"x", "fc1", "relu1", "out"})
    crumbs = app.canvas.breadcrumb.crumbs
    assert [crumb.text() for crumb in crumbs][1:] == ["Block", "Block2"]
    QTest.mouseClick(crumbs[0], LEFT)
    assert app.descent.depth == 0
    assert app.canvas.selection == [named(person, "block1")]


def test_each_level_keeps_what_was_in_view(person: Person) -> None:
    make_inner(person)
    canvas = person.app.canvas
    key(person, Qt.Key.Key_0, CTRL)
    outside = canvas.zoom
    enter(person)
    key(person, Qt.Key.Key_Minus, CTRL)
    key(person, Qt.Key.Key_Minus, CTRL)
    inside = canvas.zoom
    assert inside != outside
    key(person, Qt.Key.Key_Escape)
    key(person, Qt.Key.Key_Escape)
    assert canvas.zoom == outside
    enter(person)
    assert canvas.zoom == inside


# Inside


def test_an_edit_inside_reaches_every_use(person: Person) -> None:
    make_inner(person)
    select(person, "block1")
    key(person, Qt.Key.Key_D, CTRL)
    pull(person, "input1", "block2")
    enter(person)
    select(person, "fc2")
    person.fill("out_features", "10")
    block = FC1 + 128 * 10 + 10
    assert total(person) == 2 * block
    assert person.app.totals.total.text().startswith(f"{block:,}")
    key(person, Qt.Key.Key_Escape)
    key(person, Qt.Key.Key_Escape)
    assert card(person, "block1").count == card(person, "block2").count == f"{block:,}"
    assert person.app.totals.total.text().startswith(f"{2 * block:,}")


def test_undo_inside_stays_inside(person: Person) -> None:
    make_inner(person)
    enter(person)
    select(person, "relu1")
    key(person, Qt.Key.Key_Delete)
    assert "relu1" not in names(person)
    undo(person)
    assert ("fc1", "relu1") in edges(person)
    assert person.app.descent.depth == 1


def test_undo_of_the_making_goes_out(person: Person) -> None:
    make_inner(person)
    enter(person)
    undo(person)
    app = person.app
    assert app.descent.depth == 0
    assert names(person) == {"input1", "fc1", "relu1", "fc2", "output1"}
    assert set(app.canvas.stage.drawing.cards) == set(here(person).graph.nodes)
    key(person, Qt.Key.Key_Y, CTRL)
    assert "block1" in names(person)
    enter(person)
    assert app.descent.depth == 1


def test_quick_add_inside_offers_other_blocks_and_not_the_one_in_front(person: Person) -> None:
    make_inner(person)
    enter(person)
    make_block(person, "relu1")
    assert "Block2" in person.editor.document.blocks
    select(person, "fc2")
    person.add("block2")
    uses = [n for n in here(person).graph.nodes.values() if n.kind == f"{BLOCK}Block2"]
    assert len(uses) == 2
    enter(person, "block21")
    person.app.canvas.setFocus()
    person.hand.key(Qt.Key.Key_Tab)
    person.hand.type("block")
    person.hand.key(Qt.Key.Key_Return)
    person.hand.key(Qt.Key.Key_Escape)
    kinds = {node.kind for node in here(person).graph.nodes.values()}
    assert not kinds & {f"{BLOCK}Block", f"{BLOCK}Block2"}


def test_a_block_is_not_put_into_itself(person: Person) -> None:
    make_inner(person)
    enter(person)
    before = person.editor.document
    box = card(person, "out").box
    person.hand.carry(f"{BLOCK}Block", box.x, box.bottom + 120)
    assert person.editor.document is before
    assert said(person) == "Block cannot contain itself."


def test_nor_is_a_copy_of_its_use_pasted_into_it(person: Person) -> None:
    make_inner(person)
    select(person, "block1")
    key(person, Qt.Key.Key_C, CTRL)
    enter(person)
    before = person.editor.document
    key(person, Qt.Key.Key_V, CTRL)
    assert person.editor.document is before
    assert said(person) == "Block cannot contain itself."


def test_an_input_deleted_inside_takes_the_wire_of_the_use_along(person: Person) -> None:
    make_inner(person)
    enter(person)
    select(person, "x")
    key(person, Qt.Key.Key_Delete)
    key(person, Qt.Key.Key_Escape)
    key(person, Qt.Key.Key_Escape)
    assert not card(person, "block1").inputs
    assert edges(person) == {("block1", "output1")}
    undo(person)
    assert edges(person) == {("input1", "block1"), ("block1", "output1")}
    assert total(person) == FC1 + FC2


def test_a_port_renamed_inside_keeps_its_wire(person: Person) -> None:
    make_inner(person)
    enter(person)
    select(person, "x")
    key(person, Qt.Key.Key_F2)
    field = person.hand.focus()
    QTest.keySequence(field, "Ctrl+A")
    QTest.keyClicks(field, "image")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert "image" in names(person)
    key(person, Qt.Key.Key_Escape)
    key(person, Qt.Key.Key_Escape)
    assert [spot.port for spot in card(person, "block1").inputs] == ["image"]
    assert ("input1", "block1") in edges(person)


def test_a_use_is_renamed(person: Person) -> None:
    make_inner(person)
    select(person, "block1")
    key(person, Qt.Key.Key_F2)
    field = person.hand.focus()
    QTest.keySequence(field, "Ctrl+A")
    QTest.keyClicks(field, "head")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert "head" in names(person)
    enter(person, "head")
    assert person.app.descent.depth == 1


# Wires


def test_wires_go_to_and_from_the_ports_of_a_block(person: Person) -> None:
    make_inner(person)
    for name in ("block1", "output1"):
        spot = card(person, name).inputs[0].place
        person.hand.click(spot.x, spot.y - 20)
        key(person, Qt.Key.Key_Delete)
    assert not edges(person)
    pull(person, "input1", "block1")
    pull(person, "block1", "output1")
    assert edges(person) == {("input1", "block1"), ("block1", "output1")}


def test_a_wire_pulled_into_the_block_that_feeds_it_is_refused(person: Person) -> None:
    make_inner(person)
    before = edges(person)
    out, into = card(person, "block1").outputs[0].place, card(person, "block1").inputs[0].place
    person.hand.drag((out.x, out.y), (into.x, into.y))
    assert edges(person) == before
    assert said(person) == "A layer cannot feed itself."


# Copies


def test_copies_are_typed_in_the_inspector(person: Person) -> None:
    make_block(person, "relu1", "fc2")
    select(person, "block1")
    person.fill("copies", "12")
    assert card(person, "block1").copies == "×12"
    assert card(person, "block1").caption == f"{FC2:,} each"
    assert total(person) == FC1 + 12 * FC2
    enter(person)
    assert person.app.descent.trail()[-1] == ("Block", "×12")


def test_a_chain_folds_and_unfolds(person: Person) -> None:
    make_block(person, "relu1", "fc2")
    select(person, "block1")
    for _ in range(2):
        person.add("block")
    pull(person, "block3", "output1")
    assert total(person) == FC1 + 3 * FC2
    select(person, "block1", "block2", "block3")
    choose(person, "Fold chain into a repeated block")
    assert names(person) == {"input1", "fc1", "block1", "output1"}
    assert card(person, "block1").copies == "×3"
    assert total(person) == FC1 + 3 * FC2
    select(person, "block1")
    menus = person.app.window.top_bar.menus
    design = next(action for action in menus.actions() if action.text() == "Design")
    QTest.mouseClick(menus, LEFT, NONE, menus.actionGeometry(design).center())
    menu = design.menu()
    assert isinstance(menu, QMenu)
    unfold = person.app.window.commands["design.unfold"]
    QTest.mouseClick(menu, LEFT, NONE, menu.actionGeometry(unfold).center())
    assert names(person) == {"input1", "fc1", "block1", "block2", "block3", "output1"}
    assert total(person) == FC1 + 3 * FC2


def test_a_use_gets_a_block_of_its_own(person: Person) -> None:
    make_inner(person)
    select(person, "block1")
    key(person, Qt.Key.Key_D, CTRL)
    choose(person, "Make block its own")
    assert set(person.editor.document.blocks) == {"Block", "Block2"}
    enter(person, "block2")
    select(person, "fc1")
    key(person, Qt.Key.Key_L)
    assert not here(person).graph.nodes[named(person, "fc1")].trainable
    key(person, Qt.Key.Key_Escape)
    key(person, Qt.Key.Key_Escape)
    enter(person)
    assert here(person).graph.nodes[named(person, "fc1")].trainable


# Several documents


def test_a_use_is_pasted_into_another_document_and_into_a_block(person: Person) -> None:
    make_inner(person)
    select(person, "block1")
    key(person, Qt.Key.Key_C, CTRL)
    key(person, Qt.Key.Key_N, CTRL)
    key(person, Qt.Key.Key_V, CTRL)
    assert names(person) == {"block1"}
    assert list(person.editor.document.blocks) == ["Block"]
    person.drop("Linear", 0, 600)
    make_block(person, "fc1")
    enter(person, "block21")
    key(person, Qt.Key.Key_V, CTRL)
    uses = [n for n in here(person).graph.nodes.values() if n.kind == f"{BLOCK}Block"]
    assert len(uses) == 1
    assert list(person.editor.document.blocks) == ["Block", "Block2"]


def test_two_tabs_stand_at_levels_of_their_own(person: Person) -> None:
    make_inner(person)
    key(person, Qt.Key.Key_N, CTRL)
    person.drop("Linear", 0, 0)
    make_block(person, "fc1")
    enter(person)
    tabs = person.app.window.documents
    QTest.mouseClick(tabs, LEFT, NONE, tabs.tabRect(0).center())
    assert names(person) == {"input1", "block1", "output1"}
    assert set(person.app.canvas.stage.drawing.cards) == set(here(person).graph.nodes)
    enter(person)
    QTest.mouseClick(tabs, LEFT, NONE, tabs.tabRect(1).center())
    assert set(person.app.canvas.stage.drawing.cards) == set(here(person).graph.nodes)
    assert "input1" not in names(person)


def test_a_document_is_closed_while_one_is_inside(person: Person) -> None:
    make_inner(person)
    enter(person)
    person.answer("Discard")
    key(person, Qt.Key.Key_W, CTRL)
    app = person.app
    assert app.descent.depth == 0
    assert not here(person).graph.nodes
    assert not app.canvas.stage.drawing.cards
    assert len(app.desk.documents) == 1


def test_the_keys_of_blocks_are_in_the_menu(person: Person) -> None:
    commands = person.app.window.commands
    shown = {id: key_text(commands[id].about.keys[0]) for id in ("design.group", "design.unpack")}
    assert shown == {"design.group": "Ctrl G", "design.unpack": "Ctrl Shift G"}
