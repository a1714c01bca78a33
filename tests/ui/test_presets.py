"""The presets in the variables panel, used as a person uses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QVBoxLayout, QWidget

import designer.layers  # noqa: F401
from designer.ui.documents import open_example
from designer.ui.presets import CHANGED, Presets, present
from designer.ui.totals import TotalsPanel
from designer.ui.variables import Variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from designer.core.editor import Editor
    from designer.ui.theme import Theme

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(qtbot: QtBot, theme: Theme) -> Iterator[Variables]:
    """The panel with GPT-2 in a window that has the keyboard."""
    window = QWidget()
    layout = QVBoxLayout(window)
    window.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    panel = Variables(theme)
    layout.addWidget(panel)
    panel.set_editor(open_example("gpt2").editor)
    qtbot.addWidget(window)
    window.resize(344, 800)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    window.setFocus()
    yield panel
    panel.set_editor(None)


def editor_of(panel: Variables) -> Editor:
    editor = panel.presets.editor
    assert editor is not None
    return editor  # type: ignore[return-value]


def choose(presets: Presets, name: str) -> None:
    """Go to an entry of the drop-down by the arrow keys."""
    presets.box.setFocus()
    QTest.keyClick(presets.box, Qt.Key.Key_Home)
    while presets.box.currentText() != name:
        before = presets.box.currentIndex()
        QTest.keyClick(presets.box, Qt.Key.Key_Down)
        assert presets.box.currentIndex() != before, f"no preset {name}"


def pick(presets: Presets, words: str) -> None:
    action = next(a for a in presets.make_menu().actions() if a.text() == words)
    action.trigger()


def write(presets: Presets, name: str) -> None:
    QTest.keySequence(presets.name, "Ctrl+A")
    QTest.keyClicks(presets.name, name)
    QTest.keyClick(presets.name, Qt.Key.Key_Return)


def test_it_shows_the_preset_that_the_values_are(panel: Variables) -> None:
    box = panel.presets.box
    assert box.currentText() == "gpt2"
    shown = [box.itemText(place) for place in range(box.count())]
    assert shown == ["gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl"]


def test_a_choice_changes_all_values_in_one_step(panel: Variables) -> None:
    editor = editor_of(panel)
    steps = len(editor.steps)
    QTest.keyClick(panel.presets.box, Qt.Key.Key_Down)
    assert present(editor.document) == panel.presets.box.currentText() == "gpt2-medium"
    assert editor.analysis.totals().parameters == 354_823_168
    assert panel.row("d_model").field.text() == "1024"
    assert len(editor.steps) == steps + 1
    editor.undo()
    assert panel.presets.box.currentText() == "gpt2"
    assert editor.analysis.totals().parameters == 124_439_808


def test_a_changed_value_is_told_and_can_be_kept(panel: Variables) -> None:
    presets, editor = panel.presets, editor_of(panel)
    field = panel.row("n_layers").field
    QTest.mouseClick(field, LEFT)
    QTest.keySequence(field, "Ctrl+A")
    QTest.keyClicks(field, "13")
    assert presets.box.currentText() == CHANGED
    pick(presets, "Save values in gpt2")
    assert presets.box.currentText() == "gpt2"
    assert editor.document.presets["gpt2"]["n_layers"] == 13


def test_present_values_become_a_preset(panel: Variables) -> None:
    presets, editor = panel.presets, editor_of(panel)
    pick(presets, "Save values as a new preset")
    write(presets, "mine")
    assert "mine" in editor.document.presets
    assert dict(editor.document.presets["mine"]).keys() <= editor.document.variables.keys()
    assert not presets.name.isVisible()


@pytest.mark.parametrize(("name", "said"), [("gpt2-xl", "already"), ("   ", "needs a name")])
def test_a_name_that_cannot_be_is_refused(panel: Variables, name: str, said: str) -> None:
    presets, editor = panel.presets, editor_of(panel)
    before = editor.document
    pick(presets, "Save values as a new preset")
    write(presets, name)
    assert said in presets.line()
    assert editor.document is before


def test_a_preset_is_renamed_in_its_place_and_removed(panel: Variables) -> None:
    presets, editor = panel.presets, editor_of(panel)
    choose(presets, "gpt2-large")
    pick(presets, "Rename gpt2-large")
    write(presets, "large")
    assert list(editor.document.presets) == ["gpt2", "gpt2-medium", "large", "gpt2-xl"]
    assert presets.box.currentText() == "large"
    pick(presets, "Remove large")
    assert list(editor.document.presets) == ["gpt2", "gpt2-medium", "gpt2-xl"]
    assert presets.box.currentText() == CHANGED


def test_dragging_a_variable_changes_the_totals_at_each_move(
    panel: Variables, theme: Theme, qtbot: QtBot
) -> None:
    totals = TotalsPanel(theme)
    qtbot.addWidget(totals)
    totals.set_editor(editor_of(panel))
    row, seen = panel.row("n_layers"), []
    QTest.mousePress(row.label, LEFT, pos=QPoint(10, 8))
    for x in range(14, 43, 4):
        QTest.mouseMove(row.label, QPoint(x, 8))
        seen.append(totals.total.text().split()[0])
    QTest.mouseRelease(row.label, LEFT, pos=QPoint(42, 8))
    assert len(set(seen)) == len(seen)
    layers = editor_of(panel).document.variables["n_layers"].value
    assert isinstance(layers, int)
    assert seen[-1] == f"{124_439_808 + (layers - 12) * 7_087_872:,}"
    assert len(editor_of(panel).steps) == 1
    totals.set_editor(None)
