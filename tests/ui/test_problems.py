"""The problems panel: rows for all that stands against a design, and what a click on one does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtTest import QTest

import designer.layers  # noqa: F401
from designer.core import edits
from designer.core.editor import Editor
from designer.core.expression import Expression
from designer.core.message import message
from designer.ui import problems
from designer.ui.problems import ProblemsPanel, sorted_problems
from tests.ui.canvas.conftest import LEFT, chain, document, wired

if TYPE_CHECKING:
    import pytest
    from pytestqt.qtbot import QtBot

    from designer.ui.theme import Theme

LABEL = message("edit")


def panel_of(qtbot: QtBot, theme: Theme, editor: Editor) -> ProblemsPanel:
    panel = ProblemsPanel(theme)
    qtbot.addWidget(panel)
    panel.resize(900, 300)
    panel.set_editor(editor)
    panel.show()
    return panel


def normed_over_a_free_axis() -> Editor:
    """1 Input [B] → 2 LayerNorm without weights → 3 Output: only code shows what is wrong."""
    return Editor(
        document(
            edits.add_node("Input", (0, 0), {"shape": (4, Expression("B"))}, "image"),
            edits.add_node("LayerNorm", (0, 120), {"elementwise_affine": False}, "norm1"),
            edits.add_node("Output", (0, 240), None, "scores"),
            wired(1, 2),
            wired(2, 3),
        )
    )


def test_what_only_code_would_show_is_shown_and_leads_to_its_layer(
    qtbot: QtBot, theme: Theme
) -> None:
    editor = normed_over_a_free_axis()
    assert not editor.analysis.problems()
    panel = panel_of(qtbot, theme, editor)
    (row,) = panel.rows()
    assert row.text().startswith("norm1: ")
    assert row.problem is not None
    assert row.problem.blocks
    with qtbot.waitSignal(panel.node_wanted) as wanted:
        QTest.mouseClick(row, LEFT)
    assert wanted.args == [2]


def test_rows_follow_edits_and_undo(qtbot: QtBot, theme: Theme) -> None:
    editor = Editor(chain())
    panel = panel_of(qtbot, theme, editor)
    assert not panel.rows()
    editor.apply(edits.set_options((2,), {"in_features": 7}), LABEL)
    assert panel.rows()[0].text() == "fc1: Linear expects [..., 7], got [B, 64]."
    editor.undo()
    assert not panel.rows()
    editor.apply(edits.add_node("Linear", (300, 0), None, "aside"), LABEL)
    assert [row.text().split(":")[0] for row in panel.rows()] == ["aside", "aside"]


def test_a_large_design_is_not_walked_over_at_each_edit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problems, "AT_ONCE", 2)
    assert sorted_problems(normed_over_a_free_axis()) == []
