"""The totals panel: lower bounds say so, and a large design is walked over after a pause."""

from __future__ import annotations

from typing import TYPE_CHECKING

import designer.layers  # noqa: F401
from designer.core import edits
from designer.core.editor import Editor
from designer.core.expression import Expression
from designer.core.message import message
from designer.ui import totals
from designer.ui.totals import TotalsPanel
from tests.core.drawing import Drawing
from tests.ui.canvas.conftest import chain, document

if TYPE_CHECKING:
    import pytest
    from pytestqt.qtbot import QtBot

    from designer.ui.theme import Theme

LABEL = message("edit")


def panel_of(qtbot: QtBot, theme: Theme, editor: Editor) -> TotalsPanel:
    panel = TotalsPanel(theme)
    qtbot.addWidget(panel)
    panel.resize(320, 700)
    panel.set_editor(editor)
    panel.show()
    return panel


def test_every_figure_of_a_design_that_is_known_is_exact(qtbot: QtBot, theme: Theme) -> None:
    panel = panel_of(qtbot, theme, Editor(chain()))
    assert "2,080" in panel.total.text()
    shown = [panel.total.text(), panel.split.text(), *(r.text() for r in panel.rows.values())]
    assert not [text for text in shown if "≥" in text]


def test_every_figure_of_a_design_with_something_unknown_is_a_lower_bound(
    qtbot: QtBot, theme: Theme
) -> None:
    editor = Editor(chain())
    panel = panel_of(qtbot, theme, editor)
    editor.apply(edits.set_options((2,), {"out_features": Expression("nope")}), LABEL)
    assert panel.total.text().startswith("≥ 0")
    for key in ("Memory", "Training, Adam", "Checkpoint"):
        assert "≥" in panel.rows[key].text()
    assert panel.split.text().count("≥") == 2


def test_a_narrow_panel_marks_a_lower_bound_too(qtbot: QtBot, theme: Theme) -> None:
    editor = Editor(
        document(edits.add_node("Linear", (0, 0), {"out_features": 10**12}, "wide")),
    )
    panel = panel_of(qtbot, theme, editor)
    panel.total.resize(60, 20)
    assert panel.total.shown().startswith("≥ 1.0T")


def test_the_total_of_a_large_design_is_there_at_once_and_the_rest_after_a_pause(
    qtbot: QtBot, theme: Theme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(totals, "AT_ONCE", 3)
    editor = Editor(chain())
    panel = panel_of(qtbot, theme, editor)
    editor.apply(edits.set_options((2,), {"out_features": 8}), LABEL)
    assert "520" in panel.total.text()
    qtbot.waitUntil(lambda: "520" in panel.layers[0].text())


def test_experts_are_told_in_all_and_per_token(qtbot: QtBot, theme: Theme) -> None:
    drawing = Drawing()
    options = {"num_experts": 8, "top_k": 2, "d_hidden": 32}
    moe = drawing.add("MixtureOfExperts", drawing.input("B", "T", 16), name="moe", **options)
    editor = drawing.editor
    panel = panel_of(qtbot, theme, editor)
    expert = 3 * 16 * 32
    assert f"{8 * expert + 128:,}" in panel.total.text()
    assert f"{2 * expert + 128:,}" in panel.rows[totals.ACTIVE].text()
    assert panel.rows[totals.ACTIVE].isVisible()
    editor.apply(edits.set_options((moe,), {"top_k": 8}), LABEL)
    assert not panel.rows[totals.ACTIVE].isVisible()
