"""Custom layers in the window: declared in a dialog, shown in the palette, changed and removed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QWidget

from designer.core.custom_edits import set_custom
from designer.ui.app import App
from designer.ui.custom_layer import SOUND, CustomDialog
from designer.ui.state import State
from tests.core.customs import GATED, PAIRS
from tests.core.drawing import STEP, Drawing

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from designer.core.editor import Editor
    from designer.ui.theme import Theme


@pytest.fixture
def drawing() -> Drawing:
    """A design with a use of a custom layer."""
    made = Drawing()
    made.do(set_custom(GATED))
    made.add("custom:GatedScale", made.input("B", "T", 8), name="scale")
    return made


Open = Callable[..., CustomDialog]


@pytest.fixture
def opened(qtbot: QtBot, theme: Theme) -> Open:
    """Opens the dialog of an editor."""
    window = QWidget()
    qtbot.addWidget(window)

    def opened(editor: Editor, name: str = "") -> CustomDialog:
        dialog = CustomDialog(theme, window, editor, name)
        with qtbot.waitExposed(dialog):
            dialog.open()
        return dialog

    return opened


def fill(dialog: CustomDialog, key: str, row: int, column: int, text: str) -> None:
    """Type into a cell, or choose there."""
    table = dialog.tables[key].table
    table.setCurrentCell(row, column)
    table.edit(table.model().index(row, column))
    combos = [box for box in table.viewport().findChildren(QComboBox) if box.isVisible()]
    if combos:
        combos[0].setCurrentText(text)
        QTest.keyClick(combos[0], Qt.Key.Key_Return)
        table.setCurrentCell(row, 0)
        return
    (field,) = [f for f in table.viewport().findChildren(QLineEdit) if f.isVisible()]
    field.selectAll()
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Return)
    # A cell takes its text over only when the key has been dealt with.
    QApplication.processEvents()


def test_what_is_shown_is_what_is_declared(opened: Open, drawing: Drawing) -> None:
    drawing.do(set_custom(PAIRS))
    for custom in (GATED, PAIRS):
        dialog = opened(drawing.editor, custom.name)
        assert dialog.custom() == custom
        assert dialog.said.text() == SOUND
        steps = len(drawing.editor.steps)
        QTest.mouseClick(dialog.take, Qt.MouseButton.LeftButton)
        assert not dialog.isVisible()
        assert len(drawing.editor.steps) == steps


def test_a_new_layer_is_declared_in_one_step(opened: Open) -> None:
    editor = Drawing().editor
    dialog = opened(editor)
    dialog.name.clear()
    QTest.keyClicks(dialog.name, "Bias")
    assert dialog.said.text() == "The source has no class Bias."
    fill(dialog, "inputs", 0, 1, "..., d")
    fill(dialog, "outputs", 0, 1, "..., d")
    QTest.mouseClick(dialog.tables["params"].add, Qt.MouseButton.LeftButton)
    fill(dialog, "params", 0, 0, "bias")
    fill(dialog, "params", 0, 1, "d")
    fill(dialog, "params", 0, 2, "bias")
    QTest.mouseClick(dialog.tables["options"].add, Qt.MouseButton.LeftButton)
    fill(dialog, "options", 0, 0, "d")
    text = dialog.source.toPlainText().replace("class Custom(", "class Bias(")
    dialog.source.setPlainText(text)
    assert dialog.said.text() == SOUND
    QTest.mouseClick(dialog.take, Qt.MouseButton.LeftButton)
    custom = editor.document.customs["Bias"]
    assert custom.inputs[0].axes == ("...", "d")
    assert (custom.params[0].name, custom.params[0].part) == ("bias", "bias")
    assert len(editor.steps) == 1
    editor.undo()
    assert editor.document.customs == {}


def test_what_no_layer_can_be_is_not_taken(opened: Open) -> None:
    dialog = opened(Drawing().editor)
    assert dialog.take.isEnabled()
    dialog.name.clear()
    assert not dialog.take.isEnabled()
    assert "cannot be the name of a class" in dialog.said.text()


def test_what_is_wrong_is_said_while_it_is_typed(opened: Open, drawing: Drawing) -> None:
    dialog = opened(drawing.editor, "GatedScale")
    fill(dialog, "outputs", 1, 1, "..., groups +")
    assert dialog.said.text() == "means: Something is missing after +."
    fill(dialog, "outputs", 1, 1, "groups")
    dialog.source.setPlainText("class GatedScale(:\n")
    assert dialog.said.text() == "Line 1 of the source: invalid syntax."
    QTest.mouseClick(dialog.take, Qt.MouseButton.LeftButton)
    (problem,) = drawing.editor.analysis.problems()
    assert str(problem.message) == "Line 1 of the source: invalid syntax."


def test_another_name_takes_the_uses_along(opened: Open, drawing: Drawing) -> None:
    dialog = opened(drawing.editor, "GatedScale")
    dialog.name.setText("Scale")
    dialog.source.setPlainText(GATED.source.replace("class GatedScale", "class Scale"))
    QTest.mouseClick(dialog.take, Qt.MouseButton.LeftButton)
    assert list(drawing.editor.document.customs) == ["Scale"]
    kinds = [node.kind for node in drawing.editor.document.graph.nodes.values()]
    assert sorted(kinds) == ["Input", "custom:Scale"]
    assert drawing.editor.analysis.problems() == []
    drawing.do(set_custom(PAIRS))
    dialog = opened(drawing.editor, "Scale")
    dialog.name.setText("PairsOfTokens")
    QTest.mouseClick(dialog.take, Qt.MouseButton.LeftButton)
    assert dialog.isVisible()
    assert dialog.said.text() == "PairsOfTokens is declared already."
    QTest.mouseClick(dialog.leave, Qt.MouseButton.LeftButton)
    assert not dialog.isVisible()


def test_rows_are_removed_with_what_no_column_shows(opened: Open, drawing: Drawing) -> None:
    params = tuple(replace(p, extra=(("more", p.name),)) for p in GATED.params)
    drawing.do(set_custom(replace(GATED, params=params)))
    dialog = opened(drawing.editor, "GatedScale")
    table = dialog.tables["params"]
    table.table.setCurrentCell(1, 0)
    QTest.mouseClick(table.remove, Qt.MouseButton.LeftButton)
    assert dialog.custom().params == (params[0], *params[2:])


@pytest.fixture
def app(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> App:
    """The whole window with an empty design."""
    made = App(qapp, State(tmp_path / "state"))

    def leave(_: QWidget) -> None:
        for document in made.desk.documents:
            document.editor.mark_saved()

    qtbot.addWidget(made.window, before_close_func=leave)
    with qtbot.waitExposed(made.window):
        made.window.show()
    made.desk.new()
    return made


def dialog_of(app: App) -> CustomDialog:
    """The dialog that stands in front of the window."""
    return next(d for d in app.window.findChildren(CustomDialog) if d.isVisible())


def test_the_palette_has_the_custom_layers_of_the_design(app: App) -> None:
    customs = app.palette.customs
    assert customs.rows == []
    QTest.mouseClick(customs.new, Qt.MouseButton.LeftButton)
    dialog = dialog_of(app)
    QTest.mouseClick(dialog.take, Qt.MouseButton.LeftButton)
    assert [row.text() for row in customs.rows] == ["Custom"]
    QTest.keyClick(customs.rows[0], Qt.Key.Key_Return)
    editor = app.editor
    assert editor is not None
    assert [n.kind for n in editor.document.graph.nodes.values()] == ["custom:Custom"]
    app.palette.search.setText("custom")
    assert "custom:Custom" in [row.kind for row in app.palette.found]
    assert not customs.isVisible()
    app.palette.search.clear()
    customs.rows[0].change_wanted.emit("Custom")
    assert dialog_of(app).name.text() == "Custom"
    QTest.mouseClick(dialog_of(app).leave, Qt.MouseButton.LeftButton)


def test_a_custom_layer_in_use_is_not_removed(app: App) -> None:
    editor = app.editor
    assert editor is not None
    editor.apply(set_custom(GATED), STEP)
    app.palette.kind_chosen.emit("custom:GatedScale")
    app.palette.customs.rows[0].remove_wanted.emit("GatedScale")
    assert app.window.status.state.text() == "GatedScale is used by gated_scale1."
    app.desk.new()
    assert app.palette.customs.rows == []
    app.undo()
    app.desk.show_place(0)
    app.undo()
    app.palette.customs.rows[0].remove_wanted.emit("GatedScale")
    assert editor.document.customs == {}
    assert app.palette.customs.rows == []


def test_tab_indents_by_blanks(opened: Open) -> None:
    dialog = opened(Drawing().editor)
    dialog.source.clear()
    QTest.keyClick(dialog.source, Qt.Key.Key_Tab)
    assert dialog.source.toPlainText() == "    "
