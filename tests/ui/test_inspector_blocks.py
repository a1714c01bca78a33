"""The inspector of uses of blocks, and of blocks that were entered, as a person uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QVBoxLayout, QWidget

import designer.layers  # noqa: F401
from designer.core import edits, size
from designer.core.block import BlockUse
from designer.core.block_edits import add_block
from designer.core.document import Dimension, Document, Variable
from designer.core.editor import Editor
from designer.core.expression import Expression
from designer.core.graph import Source, Target
from designer.core.level import Level
from designer.core.message import message
from designer.ui.inspector import Inspector
from designer.ui.inspector import block as blocks
from designer.ui.inspector.fields import SegmentRow, ValueRow
from designer.ui.widgets.text import Span, SpanParagraph

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from designer.core.graph import NodeId
    from designer.core.option import Raw
    from designer.ui.theme import Theme
    from designer.ui.widgets.value_field import ValueField

LABEL = message("set up")
LEFT = Qt.MouseButton.LeftButton
ONE = 8 * 32 + 32 + 32 * 8 + 8


def chain(level: Editor | Level, *layers: tuple[str, str, dict[str, Raw]]) -> list[NodeId]:
    """Layers one after another."""
    ids: list[NodeId] = []
    for place, (kind, name, options) in enumerate(layers):
        id = level.document.next_id
        level.apply(edits.add_node(kind, (0, 104.0 * place), options, name=name), LABEL)
        if ids:
            level.apply(edits.connect(Source(ids[-1], "out"), Target(id, "x")), LABEL)
        ids.append(id)
    return ids


@pytest.fixture
def editor() -> Editor:
    """An input [B, 8] and a block `Mlp` of two Linear layers, five times; `net` is its use."""
    variables = {"deep": Variable(5)}
    editor = Editor(Document("Deep", variables=variables, dimensions={"B": Dimension("batch")}))
    editor.apply(add_block("Mlp"), LABEL)
    level = Level(editor, "Mlp")
    wide = Variable(32, "width inside", divisors=("heads",))
    level.apply(edits.set_variable("wide", wide), LABEL)
    level.apply(edits.set_variable("heads", Variable(4)), LABEL)
    free: Raw = (Expression("B"), 8)
    chain(
        level,
        ("Input", "x", {"shape": free}),
        ("Linear", "up", {"out_features": Expression("wide")}),
        ("ReLU", "act", {}),
        ("Linear", "down", {"out_features": 8}),
        ("Output", "y", {}),
    )
    level.close()
    chain(
        editor,
        ("Input", "data", {"shape": free}),
        ("block:Mlp", "net", {"copies": Expression("deep")}),
        ("Output", "result", {}),
    )
    editor.mark_saved()
    return editor


def use_of(editor: Editor) -> NodeId:
    return next(id for id, n in editor.document.graph.nodes.items() if n.name == "net")


@pytest.fixture
def inspector(qtbot: QtBot, theme: Theme, editor: Editor) -> Iterator[Inspector]:
    """An inspector in a window that has the keyboard, with the use selected."""
    window = QWidget()
    layout = QVBoxLayout(window)
    layout.setContentsMargins(0, 0, 0, 0)
    window.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    panel = Inspector(theme)
    layout.addWidget(panel)
    panel.set_editor(editor)
    panel.show_nodes([use_of(editor)])
    qtbot.addWidget(window)
    window.resize(344, 700)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    window.setFocus()
    yield panel
    panel.set_editor(None)


def field(inspector: Inspector, name: str) -> ValueField:
    row = inspector.rows[name]
    assert isinstance(row, ValueRow)
    return row.field


def edit(field: ValueField, text: str) -> None:
    QTest.mouseClick(field, LEFT)
    QTest.keySequence(field, "Ctrl+A")
    QTest.keyClicks(field, text)


def test_a_use_says_what_it_is_and_how_often(inspector: Inspector) -> None:
    assert inspector.header.name.text() == "net"
    assert inspector.header.kind.text() == "Mlp with 3 layers"
    assert list(inspector.rows) == ["copies", "sharing", "wide", "heads"]
    assert [row.title for row in inspector.rows.values()] == ["Repeat", "Copies", "wide", "heads"]
    assert field(inspector, "copies").text() == "deep"
    assert field(inspector, "copies").remark().text == "= 5"
    assert inspector.arguments.isVisible()


def test_an_argument_that_is_not_given_shows_the_value_of_the_block(
    inspector: Inspector, editor: Editor
) -> None:
    wide = field(inspector, "wide")
    assert (wide.text(), wide.placeholderText()) == ("", "32")
    edit(wide, "6*deep")
    assert wide.remark().text == "= 30"
    one = 8 * 30 + 30 + 30 * 8 + 8
    assert editor.analysis.totals().parameters == 5 * one
    QTest.keySequence(wide, "Ctrl+A")
    QTest.keyClick(wide, Qt.Key.Key_Delete)
    assert editor.analysis.totals().parameters == 5 * ONE


def test_what_divides_another_argument_is_checked(inspector: Inspector) -> None:
    heads = field(inspector, "heads")
    QTest.mouseClick(heads, LEFT)
    assert heads.remark().icon == "check"
    assert inspector.rows["heads"].line().endswith("32 ÷ 4 = 8")
    assert not field(inspector, "wide").remark().icon


def test_the_count_is_one_copy_and_all_of_them(inspector: Inspector) -> None:
    assert inspector.facts.formula.text().splitlines() == [
        "up + down",
        "288 + 264 = 552",
        "× 5 copies = 2,760",
    ]


def test_a_click_shares_the_weights_of_all_copies(inspector: Inspector, editor: Editor) -> None:
    row = inspector.rows["sharing"]
    assert isinstance(row, SegmentRow)
    assert row.segments.value() == "own"
    QTest.mouseClick(row.segments.buttons["shared"], LEFT)
    assert editor.analysis.totals().parameters == ONE
    assert row.segments.value() == "shared"
    assert inspector.facts.formula.text().splitlines()[-1] == "shared by 5 copies = 552"
    editor.undo()
    assert row.segments.value() == "own"


@pytest.mark.parametrize(("copies", "sharing"), [(1, "own"), (3, "own"), (7, "shared")])
def test_the_sum_is_what_the_analysis_has(editor: Editor, copies: int, sharing: str) -> None:
    id = use_of(editor)
    editor.apply(edits.set_options((id,), {"copies": copies, "sharing": sharing}), LABEL)
    finding = editor.analysis.findings[id]
    lines = blocks.counted(finding)
    shown = int(lines[-1][-1].text.replace(",", ""))
    assert shown == finding.counted.parameters == ONE * (copies if sharing == "own" else 1)


def test_a_first_copy_that_differs_is_not_counted_as_the_others(editor: Editor) -> None:
    data = next(id for id, n in editor.document.graph.nodes.items() if n.name == "data")
    editor.apply(edits.set_options((data,), {"shape": (Expression("B"), 3)}), LABEL)
    finding = editor.analysis.findings[use_of(editor)]
    assert isinstance(finding.layer, BlockUse)
    assert finding.counted.parameters == ONE * 5 - 5 * 32
    assert blocks.counted(finding) == []


@pytest.mark.parametrize("verb", [blocks.ENTER, blocks.UNPACK])
def test_a_link_asks_for_what_it_says(inspector: Inspector, qtbot: QtBot, verb: str) -> None:
    with qtbot.waitSignal(inspector.block_wanted) as asked:
        QTest.mouseClick(inspector.links.links[verb], LEFT)
    assert asked.args == [verb]


def test_the_menu_offers_what_can_be_done(inspector: Inspector, editor: Editor) -> None:
    words = [action.text() for action in inspector.make_menu().actions() if action.text()]
    assert words[:5] == ["Rename", "Enter block", "Unpack", "Unfold", "Save to library"]
    chain(editor, ("block:Mlp", "other", {}))
    assert "Make its own" in [action.text() for action in inspector.make_menu().actions()]
    editor.apply(edits.set_options(inspector.ids, {"copies": 1}), LABEL)
    assert "Unfold" not in [action.text() for action in inspector.make_menu().actions()]


def test_many_tensors_are_told_by_layers_within_the_panel(
    inspector: Inspector, editor: Editor
) -> None:
    free: Raw = (Expression("B"), 16, 64)
    (words,) = chain(editor, ("Input", "words", {"shape": free}))
    options: dict[str, Raw] = {"d_model": 64, "num_layers": 6}
    (id,) = chain(editor, ("TransformerEncoder", "encoder_of_many_layers", options))
    editor.apply(edits.connect(Source(words, "out"), Target(id, "src")), LABEL)
    inspector.show_nodes([id])
    shown = [row for row in inspector.facts.tensors if row.isVisible()]
    finding = editor.analysis.findings[id]
    assert len(shown) <= 12 < len(finding.params)
    assert inspector.minimumSizeHint().width() <= 300
    known = [size.value(param.count) for param in finding.params]
    told = [int(row.text().split()[-1].replace(",", "")) for row in shown]
    assert sum(told) == sum(count for count in known if count is not None)


def test_the_inspector_fits_into_the_narrowest_panel(inspector: Inspector) -> None:
    assert inspector.minimumSizeHint().width() <= 300


def test_a_long_sum_goes_on_in_further_lines_and_keeps_its_result(theme: Theme) -> None:
    terms = " + ".join(["1,234,567"] * 60)
    line = SpanParagraph(theme, Span(f"{terms} = ", role="mono"), Span("74,074,020", role="mono"))
    lines = line.lines(280)
    assert len(lines) == line.most
    assert line.heightForWidth(280) == line.most * line.heightForWidth(100_000)
    assert lines[-1][-1].text == "74,074,020"
    assert lines[-1][0].text.startswith("…")
    assert line.text().count("1,234,567") == 60
