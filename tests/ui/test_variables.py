"""The variables panel, used as a person uses it: with keys and the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QVBoxLayout, QWidget

from designer.core import cost, edits
from designer.core.document import Dimension, Document, Variable
from designer.core.editor import Editor
from designer.core.expression import Expression
from designer.core.graph import Source, Target
from designer.core.message import message
from designer.ui.documents import open_example
from designer.ui.variables import Variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from designer.core.option import Raw
    from designer.ui.name_rows import NameRow
    from designer.ui.theme import Theme

LABEL = message("set up")


@pytest.fixture
def editor() -> Editor:
    """Input [B, d], Linear 4*d; variables d and heads, which divides d."""
    variables = {
        "d": Variable(8, "the width", divisors=("heads",)),
        "heads": Variable(2),
        "spare": Variable(1),
    }
    editor = Editor(Document(variables=variables, dimensions={"B": Dimension("batch")}))
    shape: Raw = (Expression("B"), Expression("d"))
    editor.apply(edits.add_node("Input", (0, 0), {"shape": shape}, name="x"), LABEL)
    wide = {"out_features": Expression("4*d")}
    editor.apply(edits.add_node("Linear", (0, 104), wide, name="up"), LABEL)
    editor.apply(edits.connect(Source(1, "out"), Target(2, "x")), LABEL)
    return editor


@pytest.fixture
def panel(qtbot: QtBot, theme: Theme, editor: Editor) -> Iterator[Variables]:
    """The panel in a window that has the keyboard."""
    window = QWidget()
    layout = QVBoxLayout(window)
    window.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    panel = Variables(theme)
    layout.addWidget(panel)
    panel.set_editor(editor)
    qtbot.addWidget(window)
    window.resize(344, 700)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    window.setFocus()
    yield panel
    panel.set_editor(None)


def edit(field: QLineEdit, text: str) -> None:
    """Click into a field, take all of it and type."""
    QTest.mouseClick(field, Qt.MouseButton.LeftButton)
    QTest.keySequence(field, "Ctrl+A")
    QTest.keyClicks(field, text)


def choose(row: NameRow, words: str) -> None:
    """Open the menu of a row by its button and choose an entry."""
    QTest.mouseClick(row.menu_button, Qt.MouseButton.LeftButton)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    next(action for action in menu.actions() if action.text() == words).trigger()
    menu.close()


def shown(panel: Variables) -> list[str]:
    return [row.shown.name for row in (*panel.variables, *panel.dimensions) if row.isVisible()]


def shape(editor: Editor) -> str:
    return str(editor.analysis.findings[2].outputs["out"])


def test_names_are_listed_with_values_uses_and_meanings(panel: Variables) -> None:
    assert shown(panel) == ["d", "heads", "spare", "B"]
    assert [panel.row(n).field.text() for n in shown(panel)] == ["8", "2", "1", "1"]
    words = [panel.row(n).field.remark().text for n in shown(panel)]
    assert words == ["2 fields", "1 field", "0 fields", "batch"]
    assert "the width. heads divides it" in panel.row("d").label.toolTip()


def test_a_value_changes_shapes_and_totals_at_each_keystroke_as_one_step(
    panel: Variables, editor: Editor
) -> None:
    field, steps, seen = panel.row("d").field, len(editor.steps), []
    edit(field, "")
    for sign in "12":
        QTest.keyClicks(field, sign)
        seen.append(editor.analysis.counted.parameters)
    assert seen == [1 * 4 + 4, 12 * 48 + 48]
    assert len(editor.steps) == steps + 1
    editor.undo()
    assert field.text() == "8"
    assert editor.analysis.counted.parameters == 8 * 32 + 32


def test_a_value_may_be_an_expression(panel: Variables, editor: Editor) -> None:
    edit(panel.row("d").field, "heads*16")
    assert editor.document.variables["d"].value == Expression("heads*16")
    assert panel.row("d").field.remark().text == "= 32"
    assert editor.analysis.counted.parameters == 32 * 128 + 128


def test_a_value_that_cannot_be_used_stays_with_its_reason(
    panel: Variables, editor: Editor
) -> None:
    row = panel.row("d")
    edit(row.field, "2*d")
    assert row.field.text() == "2*d"
    assert row.line() == "d depends on itself: d → d."
    assert row.field.property("state") == "error"
    QTest.keyClick(row.field, Qt.Key.Key_Escape)
    assert (row.field.text(), row.field.property("state")) == ("8", "")


def test_dragging_the_name_scrubs_the_value(panel: Variables, editor: Editor) -> None:
    label, steps = panel.row("d").label, len(editor.steps)
    start = label.rect().center()
    QTest.mousePress(label, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(label, start - QPoint(8, 0))
    QTest.mouseMove(label, start - QPoint(20, 0))
    QTest.mouseRelease(label, Qt.MouseButton.LeftButton, pos=start - QPoint(20, 0))
    assert editor.document.variables["d"].value == 3
    assert len(editor.steps) == steps + 1


def test_a_name_is_changed_in_place_wherever_it_is_used(panel: Variables, editor: Editor) -> None:
    row = panel.row("d")
    QTest.mouseDClick(row.label, Qt.MouseButton.LeftButton)
    assert row.name.hasFocus()
    QTest.keyClicks(row.name, "d_model")
    QTest.keyClick(row.name, Qt.Key.Key_Return)
    assert shown(panel)[0] == "d_model"
    assert editor.document.graph.nodes[2].option("out_features") == Expression("4*d_model")
    assert shape(editor) == "[B, 4*d_model]"
    assert not row.name.isVisible()


def test_a_name_that_cannot_be_is_refused_in_a_line(panel: Variables, editor: Editor) -> None:
    choose(panel.row("d"), "Rename")
    row = panel.row("d")
    QTest.keyClicks(row.name, "heads")
    QTest.keyClick(row.name, Qt.Key.Key_Return)
    assert row.line() == "heads is declared already."
    assert "d" in editor.document.variables


def test_what_is_used_is_not_deleted(panel: Variables, editor: Editor) -> None:
    choose(panel.row("d"), "Delete")
    assert panel.row("d").line() == "d is used by x.shape, up.out_features."
    assert "d" in editor.document.variables
    choose(panel.row("spare"), "Delete")
    assert shown(panel) == ["d", "heads", "B"]


def test_a_new_variable_asks_for_its_name(qtbot: QtBot, panel: Variables, editor: Editor) -> None:
    new = panel.variable_list.new
    QTest.mouseClick(new.link, Qt.MouseButton.LeftButton)
    assert new.field.hasFocus()
    QTest.keyClicks(new.field, "2x")
    QTest.keyClick(new.field, Qt.Key.Key_Return)
    assert new.line() == "A name has plain letters, digits and _, and begins with a letter or _."
    QTest.keySequence(new.field, "Ctrl+A")
    QTest.keyClicks(new.field, "vocab")
    with qtbot.waitSignal(panel.count_changed) as counted:
        QTest.keyClick(new.field, Qt.Key.Key_Return)
    assert counted.args == [4]
    field = panel.row("vocab").field
    assert field.hasFocus()
    QTest.keyClicks(field, "50257")
    assert editor.document.variables["vocab"].value == 50257
    assert not new.field.isVisible()


def test_escape_asks_for_no_name_any_more(panel: Variables, editor: Editor) -> None:
    QTest.mouseClick(panel.variable_list.new.link, Qt.MouseButton.LeftButton)
    QTest.keyClicks(panel.variable_list.new.field, "n")
    QTest.keyClick(panel.variable_list.new.field, Qt.Key.Key_Escape)
    assert panel.variable_list.new.link.isVisible()
    assert list(editor.document.variables) == ["d", "heads", "spare"]


def test_notes_and_divisors_are_edited_below(panel: Variables, editor: Editor) -> None:
    row, steps = panel.row("d"), len(editor.steps)
    choose(row, "Note")
    assert row.extra.hasFocus()
    edit(row.extra, "width of it all")
    assert editor.document.variables["d"].note == "width of it all"
    assert len(editor.steps) == steps + 1
    QTest.keyClick(row.extra, Qt.Key.Key_Return)
    assert not row.extra.isVisible()
    choose(row, "Divided by")
    assert row.extra.text() == "heads"
    edit(row.extra, "heads, 4")
    assert editor.document.variables["d"].divisors == ("heads", 4)


def test_a_range_is_declared_and_stepping_stays_within_it(panel: Variables, editor: Editor) -> None:
    row = panel.row("d")
    choose(row, "Range")
    edit(row.extra, "1 to x")
    assert row.line() == "A range reads 1 to 64, ≥ 1 or ≤ 64."
    edit(row.extra, "8 to 64")
    variable = editor.document.variables["d"]
    assert (variable.least, variable.most) == (8, 64)
    QTest.keyClick(row.extra, Qt.Key.Key_Return)
    edit(row.field, "64")
    row.field.setFocus()
    QTest.keyClick(row.field, Qt.Key.Key_Up)
    assert editor.document.variables["d"].value == 64
    edit(row.field, "65")
    assert row.line() == "d is meant to be from 8 to 64, got 65."
    assert editor.document.variables["d"].value == 65


def test_a_trial_size_changes_operations_and_no_shape(panel: Variables, editor: Editor) -> None:
    row, before = panel.row("B"), cost.forward(editor.analysis).flops
    edit(row.field, "16")
    assert editor.document.dimensions["B"].trial == 16
    assert cost.forward(editor.analysis).flops == 16 * before
    assert shape(editor) == "[B, 4*d]"


def test_a_trial_size_is_a_whole_number(panel: Variables, editor: Editor) -> None:
    row = panel.row("B")
    edit(row.field, "many")
    assert row.line() == "A size to try is a whole number from 1 on."
    assert editor.document.dimensions["B"].trial == 1
    QTest.keyClick(row.field, Qt.Key.Key_Tab)
    assert (row.field.text(), row.line()) == ("1", "")


def test_meaning_and_multiple_of_a_dimension_are_edited(panel: Variables, editor: Editor) -> None:
    row = panel.row("B")
    choose(row, "Meaning")
    edit(row.extra, "images")
    assert row.field.remark().text == "images"
    QTest.keyClick(row.extra, Qt.Key.Key_Return)
    choose(row, "Multiple of")
    edit(row.extra, "16")
    assert editor.document.dimensions["B"] == Dimension("images", 1, 16)
    edit(row.extra, "x")
    assert row.line() == "A multiple is a whole number from 1 on."


def test_a_new_dimension_is_declared(panel: Variables, editor: Editor) -> None:
    QTest.mouseClick(panel.dimension_list.new.link, Qt.MouseButton.LeftButton)
    QTest.keyClicks(panel.dimension_list.new.field, "T")
    QTest.keyClick(panel.dimension_list.new.field, Qt.Key.Key_Return)
    assert list(editor.document.dimensions) == ["B", "T"]
    assert panel.row("T").field.hasFocus()


def test_uses_follow_the_options_of_layers(panel: Variables, editor: Editor) -> None:
    editor.apply(edits.set_options([2], {"in_features": Expression("d")}), LABEL)
    assert panel.row("d").field.remark().text == "3 fields"
    editor.undo()
    assert panel.row("d").field.remark().text == "2 fields"
    editor.apply(edits.remove_nodes([2]), LABEL)
    assert panel.row("d").field.remark().text == "1 field"


def test_another_design_shows_its_own_names(qtbot: QtBot, panel: Variables) -> None:
    with qtbot.waitSignal(panel.count_changed) as counted:
        panel.set_editor(open_example("gpt2").editor)
    assert counted.args == [6]
    names = ["d_model", "n_heads", "n_layers", "vocab", "n_ctx", "p_drop"]
    assert shown(panel) == [*names, "B", "T"]


def test_tab_goes_down_the_rows(panel: Variables) -> None:
    panel.row("d").field.setFocus()
    reached = []
    for _ in range(9):
        focus = QApplication.focusWidget()
        assert focus is not None
        reached.append(focus.accessibleName())
        QTest.keyClick(focus, Qt.Key.Key_Tab)
    rows = [name for n in ("d", "heads", "spare") for name in (n, f"More for {n}")]
    assert reached == [*rows, "New variable", "B", "More for B"]
