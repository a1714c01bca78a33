"""What is wrong is said at the port, and the light bulb offers ways to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from designer.core import edits
from designer.core.expression import Expression
from tests.ui.canvas.conftest import ALT, LEFT, NONE, Desk, document, wired

if TYPE_CHECKING:
    from designer.core.document import Document
    from designer.core.editor import Editor

KEYS = [Qt.Key.Key_Return, Qt.Key.Key_Enter]


def broken(pinned: bool = True) -> Document:
    """1 Input → 2 Linear that expects 512 → 3 Linear."""
    shape = tuple(Expression(x) if isinstance(x, str) else x for x in ("B", 128, 2, 2))
    pin: dict[str, int] = {"in_features": 512} if pinned else {}
    return document(
        edits.add_node("Input", (0, 0), {"shape": shape}, "image"),
        edits.add_node("Linear", (0, 140), {"out_features": 128, **pin}, "fc1"),
        edits.add_node("Linear", (0, 244), {"out_features": 10}, "fc2"),
        wired(1, 2),
        wired(2, 3),
    )


def errors(editor: Editor) -> list[str]:
    """The sentences of all errors."""
    return [str(p.message) for p in editor.analysis.problems() if p.severity == "error"]


@pytest.mark.parametrize("key", KEYS)
def test_alt_enter_and_enter_apply_the_first_fix_as_one_step(desk: Desk, key: Qt.Key) -> None:
    editor = desk.show(broken())
    assert errors(editor) == ["Linear expects [..., 512], got [B, 128, 2, 2]."]
    desk.hand.click(0, 140)
    desk.hand.key(key, ALT)
    popup = desk.canvas._fix_popup
    assert popup is not None
    assert popup.isVisible()
    first = popup.fixes[0]
    assert str(first.label) == "Insert Flatten"
    assert str(first.shape) == "[B, 512]"
    desk.hand.key(key)
    assert desk.kinds() == ["Input", "Linear", "Linear", "Flatten"]
    assert errors(editor) == []
    assert len(editor.steps) == 1
    assert not popup.isVisible()
    editor.undo()
    assert len(errors(editor)) == 1


def test_the_bulb_opens_the_fixes_of_its_node_and_a_row_can_be_clicked(desk: Desk) -> None:
    editor = desk.show(broken())
    desk.canvas.view.viewport().repaint()
    bubble = desk.canvas.view.item.bubble
    assert bubble is not None
    assert bubble.node == 2
    desk.hand.click(*bubble.bulb.centre)
    popup = desk.canvas._fix_popup
    assert popup is not None
    labels = [str(fix.label) for fix in popup.fixes]
    row = labels.index("Set in_features to 2") + 1
    place = popup.list.rect_of(row).center().toPoint()
    QTest.mouseClick(popup.list.viewport(), LEFT, NONE, place)
    assert editor.document.graph.nodes[2].option("in_features") == 2
    assert errors(editor) == []


def test_the_arrows_choose_another_fix(desk: Desk) -> None:
    editor = desk.show(broken())
    desk.hand.click(0, 140)
    desk.hand.key(Qt.Key.Key_Return, ALT)
    popup = desk.canvas._fix_popup
    assert popup is not None
    desk.hand.key(Qt.Key.Key_Down)
    second = popup.fixes[1]
    desk.hand.key(Qt.Key.Key_Return)
    assert editor.steps[-1].label == second.label
    assert editor.steps[-1].parameters == second.parameters


def test_esc_closes_the_fixes_and_changes_nothing(desk: Desk) -> None:
    editor = desk.show(broken())
    desk.hand.click(0, 140)
    desk.hand.key(Qt.Key.Key_Return, ALT)
    desk.hand.key(Qt.Key.Key_Escape)
    assert editor.steps == []
    assert desk.hand.focus() is desk.canvas.view


def test_a_warning_is_shown_only_where_one_looks(desk: Desk) -> None:
    desk.show(broken(pinned=False))
    desk.canvas.view.viewport().repaint()
    assert desk.canvas.view.item.bubble is None
    desk.hand.click(0, 140)
    desk.canvas.view.viewport().repaint()
    bubble = desk.canvas.view.item.bubble
    assert bubble is not None
    assert bubble.token == "warn"


def test_what_has_no_fix_says_so(desk: Desk) -> None:
    desk.show(broken(pinned=False))
    heard: list[str] = []
    desk.canvas.said.connect(heard.append)
    desk.hand.click(0, 0)
    desk.hand.key(Qt.Key.Key_Return, ALT)
    assert heard == ["There is no fix to offer for image."]
