"""The outline in the whole window, by real events; and with many layers by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from designer.core import edits
from designer.core.block_edits import add_block
from designer.core.document import Document
from designer.core.editor import Editor
from designer.core.graph import Graph, Node
from designer.core.level import Level
from designer.core.message import message
from designer.ui.app import App
from designer.ui.outline_model import OutlineModel, Place
from designer.ui.state import State
from tests.ui.canvas.conftest import CTRL, LEFT
from tests.ui.person import Person

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QApplication, QWidget
    from pytestqt.qtbot import QtBot

    from designer.ui.outline import Outline

LABEL = message("set up")


@pytest.fixture
def person(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Person:
    """Somebody in front of the app with GPT-2 and its outline."""
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
    somebody = Person(app)
    somebody.press(Qt.Key.Key_F, CTRL)
    return somebody


def outline(person: Person) -> Outline:
    return person.app.outline


def click(person: Person, path: tuple[str, ...], double: bool = False) -> None:
    """Click the row to which these names lead."""
    entry = outline(person).model.root
    for name in path:
        assert entry is not None
        entry = next(child for child in entry.children if child.name == name)
    assert entry is not None
    view = outline(person).view
    index = outline(person).model.index_of(entry)
    view.scrollTo(index)
    at = view.visualRect(index).center()
    QTest.mouseClick(view.viewport(), LEFT, pos=at)
    if double:
        QTest.mouseDClick(view.viewport(), LEFT, pos=at)


def test_ctrl_f_brings_the_whole_design_unfolded(person: Person) -> None:
    assert outline(person).isVisible()
    assert outline(person).search.hasFocus()
    names = outline(person).names()
    assert names[:6] == ["GPT-2", "tokens", "wte", "wpe", "add", "drop"]
    assert {"h", "ln_1", "attn", "c_attn", "ln_f", "lm_head"} <= set(names)


def test_parts_say_what_they_come_to(person: Person) -> None:
    root = outline(person).model.root
    assert root is not None
    assert root.figure() == "124,439,808"
    by_name = {entry.name: entry for entry in root.children}
    assert (by_name["h"].copies, by_name["h"].figure()) == ("×12", "85,054,464")
    assert by_name["lm_head"].figure() == "tied"
    inside = sum(int(e.figure().replace(",", "") or 0) for e in by_name["h"].children)
    assert inside * 12 == 85_054_464


def test_a_click_goes_into_blocks_and_out_of_them(person: Person) -> None:
    app = person.app
    click(person, ("h", "attn", "c_attn"))
    assert isinstance(app.level, Level)
    assert app.descent.depth == 2
    nodes = app.level.document.graph.nodes
    assert [nodes[id].name for id in app.canvas.selection] == ["c_attn"]
    assert outline(person).view.level == app.level.path
    click(person, ("wte",))
    assert app.descent.depth == 0


def test_a_double_click_goes_into_a_block(person: Person) -> None:
    click(person, ("h",), double=True)
    assert isinstance(person.app.level, Level)
    assert person.app.level.block == "Block"
    click(person, ())
    assert person.app.descent.depth == 0


def test_words_find_layers_within_blocks(person: Person) -> None:
    QTest.keyClicks(outline(person).search, "c_at")
    assert outline(person).names() == ["GPT-2", "h", "attn", "c_attn"]
    QTest.keyClick(outline(person).search, Qt.Key.Key_Return)
    assert person.app.descent.depth == 2
    QTest.keyClicks(outline(person).search, "xx")
    assert outline(person).none.text() == "No layer is called c_atxx."
    assert outline(person).none.isVisible()
    QTest.keyClick(outline(person).search, Qt.Key.Key_Escape)
    assert "wte" in outline(person).names()


def test_what_was_folded_stays_folded_when_the_design_changes(person: Person, qtbot: QtBot) -> None:
    panel = outline(person)
    entry = panel.model.find(Place())
    assert entry is not None
    use = next(child for child in entry.children if child.name == "h")
    panel.view.setCurrentIndex(panel.model.index_of(use))
    panel.view.setFocus()
    QTest.keyClick(panel.view, Qt.Key.Key_Left)
    assert "ln_1" not in panel.names()
    drop = next(i for i, n in person.editor.document.graph.nodes.items() if n.name == "drop")
    person.editor.apply(edits.rename(drop, "dropout"), LABEL)
    qtbot.waitUntil(lambda: "dropout" in panel.names())
    assert "ln_1" not in panel.names()


def test_a_removed_layer_leaves_the_tree_at_once(person: Person) -> None:
    drop = next(i for i, n in person.editor.document.graph.nodes.items() if n.name == "drop")
    person.editor.apply(edits.remove_nodes([drop]), LABEL)
    assert "drop" not in outline(person).names()[:8]
    person.editor.undo()


def test_ten_thousand_uses_are_unfolded_only_where_one_looks() -> None:
    editor = Editor(Document("Large"))
    editor.apply(add_block("Part"), LABEL)
    level = Level(editor, "Part")
    level.apply(edits.add_node("ReLU", (0, 0), name="inside"), LABEL)
    level.close()
    graph = Graph()
    for id in range(10, 10_010):
        options: tuple[tuple[str, object], ...] = (("copies", 1), ("sharing", "own"))
        graph = graph.with_node(id, Node(f"n{id}", f"n{id}", "block:Part", options))  # type: ignore[arg-type]
    document = editor.document
    large = Editor(Document("Large", graph, blocks=document.blocks))
    model = OutlineModel()
    model.rebuild(large)
    root = model.index(0, 0)
    assert model.rowCount(root) == 10_000
    assert model.root is not None
    assert all(entry._children is None for entry in model.root.children)
    last = model.index(9_999, 0, root)
    assert model.hasChildren(last)
    assert model.data(model.index(0, 0, last)) == "inside"
    assert sum(entry._children is not None for entry in model.root.children) == 1
    model.rebuild(large, "n10009")
    assert model.rowCount(model.index(0, 0)) == 1
