"""The code panel: its text, lines and nodes, the comparison, find, and the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

import designer.layers  # noqa: F401  (fills the catalogue)
from designer.core import edits
from designer.core.document import Document
from designer.core.editor import Editor
from designer.core.message import message
from designer.export.check import SETTING, Case, Report
from designer.export.pytorch import HEADER, ExportError, write
from designer.export.saving import Foreign
from designer.files.refusal import Refusal
from designer.ui.code import CodePanel, export_to
from designer.ui.code import panel as code_panel
from designer.ui.code.colouring import stretches
from designer.ui.code.obstacles import FAULTY, NO_ENDS
from designer.ui.code.side import CANCEL, CHECK, DIFFERS, MATCHES, use_sentence
from designer.ui.code.view import CodeView, differences
from designer.ui.documents import examples, open_example

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from designer.core.analysis import Analysis
    from designer.core.document import Edit
    from designer.export.pytorch import Source
    from designer.ui.theme import Theme

EDIT = message("Edit")
CNN_FC1, CNN_CONV1 = 12, 2
LINEAR, LINEAR_OUTPUT = 2, 3
COMPARING = 120_000


def editor(name: str) -> Editor:
    return open_example(name).editor


@pytest.fixture
def panel(qtbot: QtBot, theme: Theme) -> CodePanel:
    result = CodePanel(theme)
    qtbot.addWidget(result)
    result.resize(960, 210)
    result.show()
    return result


def shown(panel: CodePanel, name: str = "cifar10-cnn") -> Editor:
    """Show an example in the panel."""
    result = editor(name)
    panel.set_editor(result)
    QApplication.processEvents()
    return result


def apply(of: Editor, edit: Edit) -> None:
    of.apply(edit, EDIT)
    QApplication.processEvents()


def listened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The titles of all code that the panel writes from now on."""
    written: list[str] = []

    def listening(analysis: Analysis, title: str) -> Source:
        written.append(title)
        return write(analysis, title)

    monkeypatch.setattr("designer.ui.code.panel.write", listening)
    return written


def sentences(panel: CodePanel) -> list[str]:
    return [row.text() for row in panel.obstacles.rows()]


def click(view: CodeView, line: int) -> None:
    y = 4 + (line - 1) * 19 + 9 - view.verticalScrollBar().value()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(60, y))


def hue(panel: CodePanel, line: int, word: str) -> str:
    """The colour in which a word of a line is drawn; empty for that of plain text."""
    block = panel.view.document().findBlockByNumber(line - 1)
    place = block.text().index(word)
    for part in block.layout().formats():
        if part.start <= place < part.start + part.length:
            return part.format.foreground().color().name()
    return ""


# Text


@pytest.mark.parametrize("name", examples())
def test_the_text_is_that_of_the_export(panel: CodePanel, name: str) -> None:
    design = shown(panel, name)
    expected = write(design.analysis, design.document.title).text
    assert panel.text() == expected
    assert panel.view.toPlainText() + "\n" == expected


def test_the_code_follows_an_edit_and_its_undoing(panel: CodePanel) -> None:
    design = shown(panel)
    before = panel.view.toPlainText()
    apply(design, edits.set_options([CNN_FC1], {"out_features": 256}))
    assert "self.fc1 = nn.Linear(512, 256)" in panel.view.toPlainText()
    design.undo()
    QApplication.processEvents()
    assert panel.view.toPlainText() == before


def test_edits_in_a_row_are_written_once(panel: CodePanel, monkeypatch: pytest.MonkeyPatch) -> None:
    design = shown(panel)
    written = listened(monkeypatch)
    for width in (10, 11, 12):
        design.apply(edits.set_options([CNN_FC1], {"out_features": width}), EDIT)
    QApplication.processEvents()
    assert len(written) == 1
    apply(design, edits.move({CNN_FC1: (5.0, 5.0)}))
    assert len(written) == 1


def test_nothing_is_written_while_the_panel_is_hidden(
    panel: CodePanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    design = shown(panel)
    panel.hide()
    written = listened(monkeypatch)
    apply(design, edits.rename(CNN_FC1, "head"))
    assert not written
    panel.show()
    assert len(written) == 1
    assert "self.head" in panel.view.toPlainText()


def test_selection_and_place_survive_an_edit(panel: CodePanel) -> None:
    design = shown(panel)
    cursor = panel.view.document().find("self.conv1")
    panel.view.setTextCursor(cursor)
    panel.view.verticalScrollBar().setValue(100)
    apply(design, edits.set_options([CNN_FC1], {"out_features": 256}))
    assert panel.view.textCursor().selectedText() == "self.conv1"
    assert panel.view.verticalScrollBar().value() == 100


lines = st.lists(st.sampled_from(["", "a", "b", ")", "c  # [B]"]), min_size=1, max_size=12)


@given(lines, lines)
def test_differences_make_one_text_of_the_other(old: list[str], new: list[str]) -> None:
    made = list(old)
    for start, stop, put in reversed(differences(old, new)):
        made[start:stop] = put
    assert made == new


@given(st.lists(lines, min_size=1, max_size=4))
def test_the_view_shows_any_text_after_any_other(texts: list[list[str]]) -> None:
    from designer.ui.theme import Theme

    view = CodeView(Theme())
    for text in texts:
        view.set_text("\n".join(text))
        assert view.toPlainText() == "\n".join(text)
    view.deleteLater()


def test_every_line_is_19_high(panel: CodePanel) -> None:
    shown(panel)
    layout = panel.view.document().documentLayout()
    block = panel.view.document().findBlockByNumber(20)
    assert layout.blockBoundingRect(block).top() == 4 + 20 * 19
    assert panel.view.line_at(4 + 20 * 19 - panel.view.verticalScrollBar().value()) == 21


def test_the_first_code_is_seen_from_its_start(panel: CodePanel) -> None:
    shown(panel, "gpt2")
    assert panel.view.verticalScrollBar().value() == 0
    assert panel.view.in_view().start == 1
    assert not panel.view.textCursor().hasSelection()
    panel.view.go_to(200)
    shown(panel)
    assert panel.view.verticalScrollBar().value() == 0


def test_a_name_of_the_window_names_the_class(panel: CodePanel) -> None:
    design = shown(panel)
    apply(design, edits.set_title(""))
    assert "class Network(" in panel.text()
    panel.set_name("my model")
    assert "class MyModel(" in panel.text()


# What stands in the way


def test_without_a_design_the_code_is_yet_to_appear(panel: CodePanel) -> None:
    assert panel.obstacles.heading.text() == NO_ENDS
    panel.set_editor(Editor(Document()))
    QApplication.processEvents()
    assert panel.obstacles.isVisible()
    assert panel.obstacles.heading.text() == NO_ENDS
    assert sentences(panel) == []
    assert panel.text() == ""
    assert not panel.copy.isEnabled()
    assert panel.side.isHidden()


def test_what_cannot_be_exported_says_why_and_leads_there(qtbot: QtBot, panel: CodePanel) -> None:
    design = shown(panel)
    apply(design, edits.set_options([CNN_FC1], {"in_features": 100}))
    assert panel.obstacles.heading.text() == FAULTY
    assert sentences(panel)[0] == str(design.analysis.problems()[0].message)
    with qtbot.waitSignal(panel.node_wanted) as asked:
        button = panel.obstacles.rows()[0].show_layer
        assert button.text() == "fc1"
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert asked.args == [CNN_FC1]
    design.undo()
    QApplication.processEvents()
    assert panel.view.isVisible()
    assert panel.copy.isEnabled()


# Lines and nodes


def test_the_lines_of_a_node_are_marked(panel: CodePanel) -> None:
    design = shown(panel)
    expected = write(design.analysis, design.document.title).lines
    panel.show_nodes([CNN_FC1])
    assert panel.view.marked() == list(expected[CNN_FC1])
    assert set(panel.view.marked()) & set(panel.view.in_view())
    panel.show_nodes([CNN_FC1, CNN_CONV1])
    assert panel.view.marked() == sorted((*expected[CNN_FC1], *expected[CNN_CONV1]))
    panel.show_nodes([])
    assert panel.view.marked() == []


def test_marks_are_drawn_over_the_whole_width_with_a_bar(panel: CodePanel, theme: Theme) -> None:
    shown(panel)
    panel.show_nodes([CNN_CONV1])
    line = panel.view.marked()[0]
    y = 4 + (line - 1) * 19 - panel.view.verticalScrollBar().value() + 2
    image = panel.grab().toImage()
    width = panel.view.viewport().width()
    for x in (10, 45, width):
        assert image.pixelColor(x, y) == theme.colour("accent-tint")
        assert image.pixelColor(x, y - 19) == theme.colour("panel")
    assert [image.pixelColor(x, y) == theme.colour("accent") for x in (0, 1, 2)] == [
        *(True, True, False)
    ]


def test_marks_follow_their_lines(panel: CodePanel) -> None:
    design = shown(panel)
    panel.show_nodes([CNN_FC1])
    before = panel.view.marked()
    apply(design, edits.set_trainable([CNN_CONV1], False))
    assert panel.view.marked() == [line + 1 for line in before]


def test_a_line_in_view_is_not_scrolled_away(panel: CodePanel) -> None:
    shown(panel, "gpt2")
    panel.view.go_to(150)
    view = panel.view.in_view()
    use = next(
        id
        for id, lines in panel._source.lines.items()
        if lines[0] < view.start and lines[-1] in view
    )
    place = panel.view.verticalScrollBar().value()
    panel.show_nodes([use])
    assert panel.view.verticalScrollBar().value() == place


@pytest.mark.parametrize(("line", "node"), [(12, CNN_CONV1), (37, CNN_FC1), (26, 1)])
def test_a_click_on_a_line_asks_for_its_node(
    qtbot: QtBot, panel: CodePanel, line: int, node: int
) -> None:
    shown(panel)
    panel.view.go_to(line)
    with qtbot.waitSignal(panel.node_wanted) as asked:
        click(panel.view, line)
    assert asked.args == [node]


def test_a_click_on_a_line_of_no_node_asks_for_nothing(qtbot: QtBot, panel: CodePanel) -> None:
    shown(panel)
    with qtbot.assertNotEmitted(panel.node_wanted):
        click(panel.view, 1)


def test_a_second_click_goes_on_to_the_next_node_of_a_line(qtbot: QtBot, panel: CodePanel) -> None:
    shown(panel, "linear-regression")
    panel.node_wanted.connect(lambda id: panel.show_nodes([id]))
    asked: list[int] = []
    panel.node_wanted.connect(asked.append)
    for _ in range(3):
        panel.view.go_to(15)
        click(panel.view, 15)
    assert asked == [LINEAR, LINEAR_OUTPUT, LINEAR]


def test_enter_on_a_line_asks_for_its_node(qtbot: QtBot, panel: CodePanel) -> None:
    shown(panel)
    panel.view.setTextCursor(panel.view.document().find("self.fc1"))
    with qtbot.waitSignal(panel.node_wanted) as asked:
        QTest.keyClick(panel.view, Qt.Key.Key_Return)
    assert asked.args == [CNN_FC1]


def test_the_box_says_where_the_selected_layer_is_used(qtbot: QtBot, panel: CodePanel) -> None:
    shown(panel)
    panel.show_nodes([CNN_FC1])
    assert panel.side.selected.text() == "Selected: fc1, used on lines 21 and 37."
    assert panel.side.go.text() == "Go to line 37"
    QTest.mouseClick(panel.side.go, Qt.MouseButton.LeftButton)
    assert 37 in panel.view.in_view()
    assert panel.side.go.text() == "Go to line 21"
    panel.show_nodes([CNN_FC1, CNN_CONV1])
    assert panel.side.selected.isHidden()
    assert panel.side.go.isHidden()


def test_lines_in_words() -> None:
    assert use_sentence("x", [3]) == "Selected: x, used on line 3."
    assert use_sentence("x", [5, 3, 4, 9]) == "Selected: x, used on lines 3 to 5 and 9."
    assert use_sentence("x", [1, 3, 5]) == "Selected: x, used on lines 1, 3 and 5."
    assert use_sentence("x", []) == "Selected: x, not in the code."


# The box


def test_the_box_says_what_the_module_comes_to(panel: CodePanel) -> None:
    shown(panel, "gpt2")
    assert panel.side.title.text() == f"model.py {panel.text().count(chr(10)):,} lines"
    assert panel.side.parameters.text() == "Parameters 124,439,808"
    assert panel.side.output.text() == "Output at B = 1, T = 1024"
    assert panel.side.shape.text() == "[1, 1024, 50257]"


def test_a_narrow_panel_has_no_box(panel: CodePanel) -> None:
    shown(panel)
    assert panel.side.isVisible()
    panel.resize(690, 210)
    assert panel.side.isHidden()
    panel.resize(710, 210)
    assert panel.side.isVisible()


# The comparison


def compare(qtbot: QtBot, panel: CodePanel) -> None:
    with qtbot.waitSignal(panel.comparison.finished, timeout=COMPARING):
        QTest.mouseClick(panel.side.check, Qt.MouseButton.LeftButton)
        assert panel.side.check.text() == CANCEL


def test_an_export_that_matches_says_so_until_the_next_edit(qtbot: QtBot, panel: CodePanel) -> None:
    design = shown(panel, "linear-regression")
    assert panel.side.verdict.isHidden()
    compare(qtbot, panel)
    assert panel.side.verdict.text() == MATCHES
    assert panel.side.parameters.text() == "Parameters in PyTorch 2"
    assert panel.side.check.isHidden()
    apply(design, edits.move({LINEAR: (7.0, 7.0)}))
    assert panel.side.verdict.isHidden()
    assert panel.side.parameters.text() == "Parameters 2"
    assert panel.side.check.text() == CHECK


def test_a_python_that_cannot_compare_says_why(
    qtbot: QtBot, panel: CodePanel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(SETTING, str(tmp_path / "none"))
    shown(panel, "linear-regression")
    compare(qtbot, panel)
    assert panel.side.verdict.text().startswith("The export was not compared\n")
    assert "cannot be run" in panel.side.verdict.text()
    assert panel.side.check.text() == CHECK


def test_differences_are_sentences(panel: CodePanel) -> None:
    design = shown(panel)
    told = tuple(message("{n} is wrong.", n=n) for n in range(6))
    report = Report((Case(message("as drawn"), differences=told),), "2.6")
    panel.comparison.finished.emit(design.document, report)
    assert panel.side.verdict.text().splitlines() == [
        DIFFERS,
        *(f"as drawn: {n} is wrong." for n in range(4)),
        "2 more",
    ]


def test_a_result_for_another_document_is_dropped(panel: CodePanel) -> None:
    shown(panel)
    other = editor("cifar10-cnn").document
    panel.comparison.finished.emit(other, Report((Case(message("as drawn")),), "2.6"))
    assert panel.side.verdict.isHidden()


@pytest.mark.parametrize("way", ["cancel", "edit", "close"])
def test_a_comparison_is_ended(qtbot: QtBot, panel: CodePanel, way: str) -> None:
    design = shown(panel, "linear-regression")
    QTest.mouseClick(panel.side.check, Qt.MouseButton.LeftButton)
    run = panel.comparison._run
    assert run is not None
    with qtbot.assertNotEmitted(panel.comparison.finished):
        if way == "cancel":
            QTest.mouseClick(panel.side.check, Qt.MouseButton.LeftButton)
        elif way == "edit":
            apply(design, edits.rename(LINEAR, "line"))
        else:
            panel.set_editor(None)
        # The child is ended: its answer is that it failed.
        ended = run.results.get(timeout=COMPARING / 1000)
    assert isinstance(ended, Report)
    assert ended.failure is not None
    assert not panel.comparison.running()
    assert panel.side.verdict.isHidden()


# The clipboard, and finding


def test_copy_puts_the_code_on_the_clipboard(qtbot: QtBot, panel: CodePanel) -> None:
    shown(panel)
    qtbot.addWidget(panel.tools)
    panel.tools.show()
    QTest.mouseClick(panel.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == panel.text()
    assert panel.text().startswith(HEADER)


def test_words_are_found_in_the_code(qtbot: QtBot, panel: CodePanel) -> None:
    shown(panel)
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(panel.view, Qt.Key.Key_F, control)
    field = panel.find_line.field
    assert field.isVisible()
    QTest.keyClicks(field, "nn.linear")

    def line() -> int:
        assert panel.view.textCursor().selectedText() == "nn.Linear"
        return panel.view.textCursor().blockNumber() + 1

    assert panel.find_line.found.text() == "2 places"
    assert line() == 21
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert line() == 23
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert line() == 21
    QTest.keyClick(field, Qt.Key.Key_Return, shift)
    assert line() == 23
    assert 23 in panel.view.in_view()
    QTest.keyClicks(field, "s")
    assert panel.find_line.found.text() == "Not found"
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert panel.find_line.isHidden()


# Colours


def test_the_words_of_the_code_have_their_colours(panel: CodePanel, theme: Theme) -> None:
    shown(panel)

    def name(token: str) -> str:
        return theme.colour(token).name()

    assert hue(panel, 1, "Generated") == name("text-3")
    assert hue(panel, 7, "class") == name("f-conv")
    assert hue(panel, 7, "CIFAR10CNN") == name("f-linear")
    assert hue(panel, 7, "Module") == ""
    assert hue(panel, 8, "160,202") == name("f-pool")
    panel.view.go_to(12)
    assert hue(panel, 10, "__init__") == name("f-linear")
    assert hue(panel, 11, "__init__") == ""
    assert hue(panel, 12, "32") == name("f-embed")


def test_lines_are_coloured_as_they_come_into_view(panel: CodePanel, theme: Theme) -> None:
    shown(panel, "gpt2")
    last = panel.text().count("\n")
    assert hue(panel, last, "return") == ""
    panel.view.go_to(last)
    assert hue(panel, last, "return") == theme.colour("f-conv").name()


def test_places_of_colours_count_as_qt_does() -> None:
    plain, wide = stretches("x = 'a'  # b")[-1], stretches("x = '𠀀'  # b")[-1]
    assert (wide.start, wide.length) == (plain.start + 1, plain.length)


def test_a_change_of_theme_changes_the_colours(
    qapp: QApplication, panel: CodePanel, theme: Theme
) -> None:
    shown(panel)
    dark, before = panel.grab().toImage(), hue(panel, 7, "class")
    theme.apply(qapp, "light")
    QApplication.processEvents()
    assert hue(panel, 7, "class") == theme.colour("f-conv").name() != before
    light = panel.grab().toImage()
    assert light.pixelColor(300, 2) == theme.colour("panel")
    assert light != dark


def test_lines_grow_with_the_scale(qapp: QApplication, panel: CodePanel, theme: Theme) -> None:
    shown(panel)
    theme.apply(qapp, "dark", 1.5)
    QApplication.processEvents()
    layout = panel.view.document().documentLayout()
    block = panel.view.document().findBlockByNumber(10)
    assert layout.blockBoundingRect(block).top() == 6 + 10 * 28


def test_the_code_cannot_be_edited(panel: CodePanel) -> None:
    shown(panel)
    before = panel.view.toPlainText()
    panel.view.moveCursor(QTextCursor.MoveOperation.End)
    QTest.keyClicks(panel.view, "x")
    QTest.keyClick(panel.view, Qt.Key.Key_Backspace)
    assert panel.view.toPlainText() == before


# The file


def test_the_code_is_written_to_a_file_again_and_again(tmp_path: Path) -> None:
    design, path = editor("cifar10-cnn"), tmp_path / "model.py"
    export_to(path, design, "One")
    export_to(path, design, "Two")
    assert path.read_bytes() == write(design.analysis, "Two").text.encode()


def test_a_file_of_somebody_else_is_replaced_only_on_demand(tmp_path: Path) -> None:
    design, path = editor("cifar10-cnn"), tmp_path / "model.py"
    path.write_text("mine\n", encoding="utf-8")
    with pytest.raises(Foreign, match="not exported by Netdraft"):
        export_to(path, design, "One")
    assert path.read_text(encoding="utf-8") == "mine\n"
    export_to(path, design, "One", replace=True)
    assert path.read_text(encoding="utf-8").startswith(HEADER)


def test_a_file_that_would_hide_what_the_code_imports_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="could not import torch"):
        export_to(tmp_path / "torch.py", editor("cifar10-cnn"), "One", replace=True)


def test_a_design_with_problems_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ExportError):
        export_to(tmp_path / "model.py", Editor(Document()), "One")
    assert list(tmp_path.iterdir()) == []


def test_what_was_selected_while_hidden_is_in_view_when_shown(panel: CodePanel) -> None:
    panel.hide()
    design = shown(panel, "gpt2")
    panel.show_nodes([max(design.document.graph.nodes) - 1])
    panel.show()
    QApplication.processEvents()
    assert set(panel.view.marked()) & set(panel.view.in_view())


def test_the_code_of_a_large_design_follows_after_a_pause(
    panel: CodePanel, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code_panel, "AT_ONCE", 3)
    cnn = shown(panel)
    qtbot.waitUntil(lambda: panel.view.text().startswith("#"))
    written = listened(monkeypatch)
    apply(cnn, edits.set_options((CNN_CONV1,), {"bias": False}))
    assert not written
    qtbot.waitUntil(lambda: len(written) == 1)
