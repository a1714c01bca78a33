"""The inspector, used as a person uses it: with keys and the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QGuiApplication, QInputMethodEvent, QKeySequence, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QVBoxLayout, QWidget

from designer.core import edits
from designer.core.document import Dimension, Document, Variable
from designer.core.editor import Editor
from designer.core.expression import Expression
from designer.core.graph import ParamRef, Source, Target
from designer.core.message import message
from designer.ui.documents import open_example
from designer.ui.inspector import Inspector, ties
from designer.ui.inspector.facts import shape_spans
from designer.ui.inspector.fields import ChoiceRow, SwitchRow, ValueRow
from designer.ui.widgets.buttons import Control
from tests.core.drawing import Drawing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from designer.core.graph import NodeId
    from designer.core.option import Raw
    from designer.ui.theme import Theme
    from designer.ui.widgets.value_field import ValueField

LABEL = message("set up")


def chain(*layers: tuple[str, dict[str, Raw]], variables: dict[str, Variable]) -> Editor:
    """An input [B, 8] and some layers behind it, one after another; ids from 1."""
    editor = Editor(Document(variables=variables, dimensions={"B": Dimension("batch")}))
    shape: Raw = (Expression("B"), 8)
    editor.apply(edits.add_node("Input", (0, 0), {"shape": shape}, name="x"), LABEL)
    for place, (kind, options) in enumerate(layers, 2):
        editor.apply(edits.add_node(kind, (0, 104.0 * place), options), LABEL)
        editor.apply(edits.connect(Source(place - 1, "out"), Target(place, "x")), LABEL)
    editor.mark_saved()
    return editor


@pytest.fixture
def editor() -> Editor:
    """Input, Linear 16, ReLU, Linear 4; parameters 144 + 68."""
    return chain(
        ("Linear", {"out_features": 16}),
        ("ReLU", {}),
        ("Linear", {"out_features": 4}),
        variables={"d": Variable(8)},
    )


@pytest.fixture
def inspector(qtbot: QtBot, theme: Theme, editor: Editor) -> Iterator[Inspector]:
    """An inspector in a window that has the keyboard."""
    window = QWidget()
    layout = QVBoxLayout(window)
    layout.setContentsMargins(0, 0, 0, 0)
    window.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    panel = Inspector(theme)
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


def value_field(inspector: Inspector, name: str) -> ValueField:
    row = inspector.rows[name]
    assert isinstance(row, ValueRow)
    return row.field


def edit(field: ValueField, text: str) -> None:
    """Click into a field, take all of it and type."""
    QTest.mouseClick(field, Qt.MouseButton.LeftButton)
    QTest.keySequence(field, "Ctrl+A")
    QTest.keyClicks(field, text)


def compose(field: QWidget, text: str) -> None:
    """Type by an input method: a preedit first, then the characters chosen."""
    QApplication.sendEvent(field, QInputMethodEvent("bian ma qi", []))
    event = QInputMethodEvent()
    event.setCommitString(text)
    QApplication.sendEvent(field, event)


def option(editor: Editor, id: NodeId, name: str) -> Raw:
    return editor.document.graph.nodes[id].option(name)


def parameters(editor: Editor) -> int:
    return editor.analysis.counted.parameters


def choose(menu: QMenu, words: str) -> None:
    """Choose an entry by its words."""
    action = next(action for action in menu.actions() if action.text() == words)
    action.trigger()


def test_totals_follow_every_keystroke_and_typing_is_one_step(
    inspector: Inspector, editor: Editor
) -> None:
    inspector.show_nodes([2])
    field, seen, steps = value_field(inspector, "out_features"), [], len(editor.steps)
    edit(field, "")
    for sign in "32":
        QTest.keyClicks(field, sign)
        seen.append(parameters(editor))
    assert seen == [8 * 3 + 3 + 3 * 4 + 4, 8 * 32 + 32 + 32 * 4 + 4]
    assert len(editor.steps) == steps + 1
    editor.undo()
    assert parameters(editor) == 212
    assert field.text() == "16"


def test_two_visits_of_a_field_are_two_steps(inspector: Inspector, editor: Editor) -> None:
    inspector.show_nodes([2])
    field, steps = value_field(inspector, "out_features"), len(editor.steps)
    edit(field, "32")
    QTest.keyClick(field, Qt.Key.Key_Tab)
    assert not field.hasFocus()
    edit(field, "64")
    assert len(editor.steps) == steps + 2


def test_typing_keeps_keyboard_and_cursor(inspector: Inspector, editor: Editor) -> None:
    inspector.show_nodes([2])
    field = value_field(inspector, "out_features")
    edit(field, "128")
    field.setCursorPosition(1)
    QTest.keyClicks(field, "0")
    assert value_field(inspector, "out_features") is field
    assert field.hasFocus()
    assert (field.text(), field.cursorPosition()) == ("1028", 2)


def test_an_expression_shows_its_value_and_the_formula_follows(
    inspector: Inspector, editor: Editor
) -> None:
    inspector.show_nodes([2])
    field = value_field(inspector, "out_features")
    edit(field, "4*d")
    assert option(editor, 2, "out_features") == Expression("4*d")
    assert (field.remark().text, field.remark().icon) == ("= 32", "check")
    assert inspector.facts.formula.text() == "in × out + out\n8 × 32 + 32 = 288"


def test_a_wrong_value_stays_and_its_sentence_stands_under_it(
    inspector: Inspector, editor: Editor
) -> None:
    inspector.show_nodes([2])
    field = value_field(inspector, "out_features")
    edit(field, "4*")
    assert field.text() == "4*"
    assert option(editor, 2, "out_features") == Expression("4*")
    [problem] = [p for p in editor.analysis.findings[2].problems if p.option == "out_features"]
    assert inspector.rows["out_features"].line() == str(problem.message)
    assert field.property("state") == "error"
    QTest.keyClicks(field, "d")
    assert field.property("state") == ""
    assert "takes 32: agrees" in inspector.rows["out_features"].line()


def test_an_empty_field_shows_what_the_wire_brings_and_typing_pins_it(
    inspector: Inspector, editor: Editor
) -> None:
    inspector.show_nodes([2])
    field = value_field(inspector, "in_features")
    assert (field.text(), field.placeholderText()) == ("", "8")
    assert (field.remark().text, field.remark().icon) == ("from wire", "link")
    edit(field, "8")
    assert option(editor, 2, "in_features") == 8
    assert field.remark().icon == "check"
    edit(field, "9")
    assert inspector.rows["in_features"].line() == "Linear expects [..., 9], got [B, 8]."
    QTest.keyClick(field, Qt.Key.Key_Backspace)
    assert option(editor, 2, "in_features") is None
    assert inspector.rows["in_features"].line() == inspector.rows["in_features"].help


def test_undo_in_a_field_is_that_of_the_design(inspector: Inspector, editor: Editor) -> None:
    undo = QAction("Undo", inspector.window())
    undo.setShortcut(QKeySequence.StandardKey.Undo)
    undo.triggered.connect(editor.undo)
    inspector.window().addAction(undo)
    inspector.show_nodes([2])
    toggle = inspector.rows["bias"].control()
    QTest.mouseClick(toggle, Qt.MouseButton.LeftButton)
    field = value_field(inspector, "out_features")
    edit(field, "32")
    QTest.keySequence(field, QKeySequence.StandardKey.Undo)
    assert (field.text(), option(editor, 2, "out_features")) == ("16", 16)
    QTest.keySequence(field, QKeySequence.StandardKey.Undo)
    assert option(editor, 2, "bias") is True


def test_escape_takes_back_what_was_typed(inspector: Inspector, editor: Editor) -> None:
    inspector.show_nodes([2])
    field, steps = value_field(inspector, "out_features"), len(editor.steps)
    edit(field, "99")
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == "16"
    assert (option(editor, 2, "out_features"), len(editor.steps)) == (16, steps)


@pytest.mark.parametrize(
    ("key", "modifier", "after"),
    [
        (Qt.Key.Key_Up, Qt.KeyboardModifier.NoModifier, 17),
        (Qt.Key.Key_Down, Qt.KeyboardModifier.NoModifier, 15),
        (Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier, 26),
        (Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier, 6),
    ],
)
def test_arrows_step_a_number(
    inspector: Inspector,
    editor: Editor,
    key: Qt.Key,
    modifier: Qt.KeyboardModifier,
    after: int,
) -> None:
    inspector.show_nodes([2])
    field = value_field(inspector, "out_features")
    QTest.mouseClick(field, Qt.MouseButton.LeftButton)
    QTest.keyClick(field, key, modifier)
    assert option(editor, 2, "out_features") == after


def wheel(field: ValueField, notches: int) -> bool:
    """Turn the wheel over a field; whether it was taken."""
    middle = QPointF(field.rect().center())
    event = QWheelEvent(
        middle,
        QPointF(field.mapToGlobal(field.rect().center())),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(field, event)
    return event.isAccepted()


def test_the_wheel_steps_only_with_the_keyboard_in_the_field(
    inspector: Inspector, editor: Editor
) -> None:
    inspector.show_nodes([2])
    field = value_field(inspector, "out_features")
    assert not wheel(field, 1)
    assert option(editor, 2, "out_features") == 16
    QTest.mouseClick(field, Qt.MouseButton.LeftButton)
    assert wheel(field, 2)
    assert option(editor, 2, "out_features") == 18


def test_dragging_the_name_of_an_option_scrubs_its_number(
    inspector: Inspector, editor: Editor
) -> None:
    inspector.show_nodes([2])
    label, steps = inspector.rows["out_features"]._label, len(editor.steps)
    start = label.rect().center()
    QTest.mousePress(label, Qt.MouseButton.LeftButton, pos=start)
    for x in (8, 20, 40):
        QTest.mouseMove(label, start + QPoint(x, 0))
    QTest.mouseRelease(label, Qt.MouseButton.LeftButton, pos=start + QPoint(40, 0))
    assert option(editor, 2, "out_features") == 26
    assert len(editor.steps) == steps + 1


def test_a_switch_says_what_it_adds(inspector: Inspector, editor: Editor) -> None:
    inspector.show_nodes([2])
    row = inspector.rows["bias"]
    assert isinstance(row, SwitchRow)
    assert row.note.text() == "adds 16"
    QTest.mouseClick(row.toggle, Qt.MouseButton.LeftButton)
    assert option(editor, 2, "bias") is False
    assert parameters(editor) == 212 - 16
    assert (row.toggle.isChecked(), row.note.text()) == (False, "adds 16")
    editor.undo()
    assert row.toggle.isChecked()


def test_weights_are_locked_by_the_switch(inspector: Inspector, editor: Editor) -> None:
    inspector.show_nodes([2])
    inspector.trainable.toggle.setFocus()
    QTest.keyClick(inspector.trainable.toggle, Qt.Key.Key_Space)
    assert not editor.document.graph.nodes[2].trainable
    assert editor.analysis.trainable == 68
    inspector.show_nodes([3])
    assert inspector.trainable.isHidden()


def test_a_choice_is_made_by_key(inspector: Inspector, editor: Editor) -> None:
    editor.apply(edits.add_node("GELU", (0, 0)), LABEL)
    inspector.show_nodes([5])
    row = inspector.rows["approximate"]
    assert isinstance(row, ChoiceRow)
    row.box.setFocus()
    QTest.keyClick(row.box, Qt.Key.Key_Down)
    assert option(editor, 5, "approximate") == "tanh"


def test_the_help_of_an_option_is_at_its_name_and_under_its_field(inspector: Inspector) -> None:
    inspector.show_nodes([2])
    row = inspector.rows["out_features"]
    assert "Size of the last axis of the output." in row._label.toolTip()
    assert row.line() == ""
    QTest.mouseClick(row.control(), Qt.MouseButton.LeftButton)
    assert row.line() == "Size of the last axis of the output. fc2 takes 16: agrees."


def test_a_list_is_typed_with_commas(inspector: Inspector, editor: Editor) -> None:
    inspector.show_nodes([1])
    edit(value_field(inspector, "shape"), "B, d, 2*d")
    assert editor.analysis.findings[1].outputs["out"].rank == 3
    assert value_field(inspector, "shape").remark().text == "= B, 8, 16"


def test_several_layers_are_edited_together(inspector: Inspector, editor: Editor) -> None:
    inspector.show_nodes([2, 4])
    assert inspector.header.name.text() == "2 layers"
    assert inspector.header.kind.text() == "Linear"
    assert inspector.sum.text() == "Parameters 212"
    field, steps = value_field(inspector, "out_features"), len(editor.steps)
    assert (field.text(), field.placeholderText()) == ("", "mixed")
    edit(field, "10")
    assert [option(editor, id, "out_features") for id in (2, 4)] == [10, 10]
    assert len(editor.steps) == steps + 1
    assert field.text() == "10"
    inspector.show_nodes([2, 3])
    assert not inspector.rows


def test_shapes_and_neighbours_are_shown_and_lead_there(qtbot: QtBot, inspector: Inspector) -> None:
    inspector.show_nodes([2])
    into, out = (row for row in inspector.facts.wires if not row.isHidden())
    assert into.text() == "In [B, 8] from x"
    assert out.text() == "Out [B, 16] to relu1"
    with qtbot.waitSignal(inspector.node_wanted) as wanted:
        QTest.mouseClick(out.link, Qt.MouseButton.LeftButton)
    assert wanted.args == [3]


def test_axes_that_a_layer_changes_are_strong(editor: Editor) -> None:
    finding = editor.analysis.findings[2]
    before = finding.inputs["x"]
    assert not isinstance(before, tuple)
    spans = shape_spans(finding.outputs["out"], before)
    assert [span.text for span in spans if span.role == "mono-strong"] == ["16"]


def test_the_formula_is_copied(inspector: Inspector) -> None:
    inspector.show_nodes([2])
    said: list[str] = []
    inspector.said.connect(said.append)
    [button] = [
        control
        for control in inspector.facts.formula.findChildren(Control)
        if control.accessibleName() == "Copy the formula"
    ]
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "in × out + out\n8 × 16 + 16 = 144"
    assert said


def test_tensors_are_listed_with_exact_counts_and_buffers_marked(
    inspector: Inspector, editor: Editor
) -> None:
    editor.apply(edits.add_node("BatchNorm1d", (0, 0)), LABEL)
    editor.apply(edits.connect(Source(2, "out"), Target(5, "x")), LABEL)
    inspector.show_nodes([5])
    rows = [row.text() for row in inspector.facts.tensors if not row.isHidden()]
    assert rows[:2] == ["weight [16] 16", "bias [16] 16"]
    assert "running_mean [16] buffer 16" in rows


def test_a_name_is_edited_in_place(inspector: Inspector, editor: Editor) -> None:
    inspector.show_nodes([2])
    name = inspector.header.name
    QTest.mouseClick(name, Qt.MouseButton.LeftButton)
    QTest.keySequence(name, "Ctrl+A")
    QTest.keyClicks(name, "relu1")
    QTest.keyClick(name, Qt.Key.Key_Return)
    assert inspector.header.refusal.text() == "There is a layer relu1 already."
    assert not inspector.header.refusal.isHidden()
    QTest.keySequence(name, "Ctrl+A")
    compose(name, "编码器")
    QTest.keyClick(name, Qt.Key.Key_Return)
    assert editor.document.graph.nodes[2].name == "编码器"
    assert inspector.header.refusal.isHidden()


def test_without_a_selection_the_title_of_the_design_is_edited(
    inspector: Inspector, editor: Editor
) -> None:
    inspector.show_nodes([])
    assert inspector.header.kind.text() == "4 layers, 212 parameters"
    assert [row.text() for row in inspector.design.rows] == ["In [B, 8] x"]
    name = inspector.header.name
    QTest.mouseClick(name, Qt.MouseButton.LeftButton)
    QTest.keyClicks(name, "My net")
    QTest.keyClick(name, Qt.Key.Key_Return)
    assert editor.document.title == "My net"


def test_an_output_that_is_added_is_listed(inspector: Inspector, editor: Editor) -> None:
    editor.apply(edits.add_node("Output", (0, 0), name="y"), LABEL)
    editor.apply(edits.connect(Source(4, "out"), Target(5, "x")), LABEL)
    assert [row.text() for row in inspector.design.rows] == ["In [B, 8] x", "Out [B, 4] y"]


def test_a_weight_is_tied_and_untied(inspector: Inspector, editor: Editor) -> None:
    editor.apply(
        edits.all_of((edits.set_options([4], {"out_features": 8}), edits.rename(2, "first"))),
        LABEL,
    )
    editor.apply(edits.add_node("Linear", (0, 0), {"out_features": 16}, name="twin"), LABEL)
    editor.apply(edits.connect(Source(1, "out"), Target(5, "x")), LABEL)
    before = parameters(editor)
    inspector.show_nodes([5])
    [submenu] = [
        action.menu()
        for action in inspector.make_menu().actions()
        if action.text() == "Tie weight to…"
    ]
    assert isinstance(submenu, QMenu)
    assert [action.text() for action in submenu.actions()] == ["first.weight"]
    choose(submenu, "first.weight")
    assert editor.document.graph.ties[ParamRef(5, "weight")] == ParamRef(2, "weight")
    assert parameters(editor) == before - 128
    assert "weight [16, 8] 0 counted in first" in [row.text() for row in inspector.facts.tensors]
    assert "weight: 0, counted in first" in inspector.facts.formula.text()
    [tie] = [row for row in inspector.facts.ties if not row.isHidden()]
    assert tie.link.text() == "weight is tied to first.weight"
    QTest.mouseClick(tie.untie, Qt.MouseButton.LeftButton)
    assert parameters(editor) == before


def test_the_menu_locks_renames_and_deletes(inspector: Inspector, editor: Editor) -> None:
    inspector.show_nodes([2])
    choose(inspector.make_menu(), "Lock weights")
    assert not editor.document.graph.nodes[2].trainable
    choose(inspector.make_menu(), "Rename")
    assert inspector.header.name.hasFocus()
    choose(inspector.make_menu(), "Delete")
    assert 2 not in editor.document.graph.nodes
    assert inspector.ids == ()


def test_the_menu_opens_by_key(qtbot: QtBot, inspector: Inspector) -> None:
    inspector.show_nodes([2])
    inspector.header.menu_button.setFocus()
    QTest.keyClick(inspector.header.menu_button, Qt.Key.Key_Space)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert "Delete" in [action.text() for action in menu.actions()]
    menu.close()


def test_ways_to_fix_a_layer_are_asked_for(qtbot: QtBot, inspector: Inspector) -> None:
    inspector.show_nodes([2])
    assert inspector.fix_link.isHidden()
    edit(value_field(inspector, "in_features"), "9")
    qtbot.waitUntil(lambda: not inspector.fix_link.isHidden())
    with qtbot.waitSignal(inspector.fixes_wanted) as wanted:
        QTest.mouseClick(inspector.fix_link, Qt.MouseButton.LeftButton)
    assert wanted.args == [2]


def test_every_control_is_reached_by_tab_and_has_a_name(inspector: Inspector) -> None:
    inspector.show_nodes([2])
    inspector.header.name.setFocus()
    reached: list[str] = []
    for _ in range(20):
        focus = QApplication.focusWidget()
        assert focus is not None
        if focus.accessibleName() in reached:
            break
        reached.append(focus.accessibleName())
        QTest.keyClick(focus, Qt.Key.Key_Tab)
    form = ["Name", "More", "in_features", "out_features", "bias", "Trainable"]
    wanted = [*form, "from x", "to relu1", "Copy the formula"]
    assert reached[: len(wanted)] == wanted


def test_a_layer_of_an_unknown_kind_is_shown_with_its_problem(
    inspector: Inspector, editor: Editor
) -> None:
    from designer.core.graph import Node

    editor.apply(edits.put_nodes([(9, Node("odd", "odd", "Novelty"))]), LABEL)
    inspector.show_nodes([9])
    assert inspector.header.kind.text() == "Novelty"
    assert "does not know the layer Novelty" in inspector.problems.text()


def test_the_example_is_shown_as_it_counts(inspector: Inspector) -> None:
    editor = open_example("gpt2").editor
    inspector.set_editor(editor)
    ids = {node.name: id for id, node in editor.document.graph.nodes.items()}
    inspector.show_nodes([ids["wte"]])
    assert value_field(inspector, "embedding_dim").remark().text == "= 768"
    assert "50,257 × 768 = 38,597,376" in inspector.facts.formula.text()
    inspector.show_nodes([ids["lm_head"]])
    assert "counted in wte" in inspector.facts.formula.text()


def test_an_edit_far_away_looks_at_nothing_here(
    inspector: Inspector, editor: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is shown is read off the selected layers, however many others there are."""
    from designer.core.finding import Finding

    inspector.show_nodes([2])
    seen: list[NodeId] = []

    class Watched(dict[int, Finding]):
        def __getitem__(self, id: int) -> Finding:
            seen.append(id)
            return super().__getitem__(id)

    for place in range(50):
        editor.apply(edits.add_node("ReLU", (0, 0), name=f"far{place}"), LABEL)
    monkeypatch.setattr(editor.analysis, "findings", Watched(editor.analysis.findings))
    inspector.show_nodes([2])
    assert set(seen) <= {1, 2, 3, 4}


def test_copies_stand_in_one_row_and_what_works_per_token_is_told(inspector: Inspector) -> None:
    drawing = Drawing()
    options = {"num_experts": 8, "top_k": 2, "d_hidden": 32}
    moe = drawing.add("MixtureOfExperts", drawing.input("B", 16), name="moe", **options)
    inspector.set_editor(drawing.editor)
    inspector.show_nodes([moe])
    rows = [row.text() for row in inspector.facts.tensors if not row.isHidden()]
    assert rows == [
        "gate.weight [8, 16] 128",
        "experts.0…7.gate_proj.weight [32, 16] × 8 4,096",
        "experts.0…7.up_proj.weight [32, 16] × 8 4,096",
        "experts.0…7.down_proj.weight [16, 32] × 8 4,096",
    ]
    assert "8 × (2 × 16 × 32 + 32 × 16)" in inspector.facts.formula.text()
    assert "active per token: 3,200" in inspector.facts.formula.text()
    labels = [ref.name for ref in ties.tieable(drawing.editor.analysis, moe)]
    assert labels == ["gate.weight"]
