"""A block being worked on follows its design, whoever hears of an edit first."""

from __future__ import annotations

import designer.layers  # noqa: F401
from designer.core import edits
from designer.core.document import Document
from designer.core.editor import Editor
from designer.core.graph import Source, Target
from designer.core.grouping import group
from designer.core.level import Level
from designer.core.message import message

STEP = message("Step")


def design() -> Editor:
    """1 Input → 4, a use of Block, which is 2 Linear and 3 ReLU."""
    editor = Editor(Document())
    shape = (8, 64)
    steps = (
        edits.add_node("Input", (0, 0), {"shape": shape}),
        edits.add_node("Linear", (0, 120), {"out_features": 32}),
        edits.add_node("ReLU", (0, 240)),
        edits.connect(Source(1, "out"), Target(2, "x")),
        edits.connect(Source(2, "out"), Target(3, "x")),
        group((2, 3)),
    )
    for step in steps:
        editor.apply(step, STEP)
    return editor


def test_document_and_analysis_agree_for_who_hears_before_the_level() -> None:
    editor = design()
    seen: list[tuple[set[int], set[int]]] = []
    levels: list[Level] = []

    def hear(_: object) -> None:
        seen.extend((set(at.document.graph.nodes), set(at.analysis.findings)) for at in levels)

    editor.listen(hear)
    levels.append(Level(editor, "Block", (4,)))
    levels[0].apply(edits.remove_nodes([3]), STEP)
    editor.undo()
    assert [len(nodes) for nodes, _ in seen] == [2, 3]
    assert all(nodes == findings for nodes, findings in seen)


def test_a_level_whose_block_is_gone_stays_as_it_was() -> None:
    editor = design()
    level = Level(editor, "Block", (4,))
    nodes = set(level.document.graph.nodes)
    editor.undo()
    assert not level.exists
    assert set(level.document.graph.nodes) == set(level.analysis.findings) == nodes
    editor.redo()
    assert level.exists
    assert level.analysis.totals().parameters == 64 * 32 + 32


def test_a_preview_leaves_the_level_as_it_is() -> None:
    editor = design()
    level = Level(editor, "Block", (4,))
    heard: list[frozenset[int]] = []
    level.listen(lambda notice: heard.append(notice.nodes))
    linear = min(level.document.graph.nodes)
    preview = level.preview(edits.set_options((linear,), {"bias": False}))
    assert preview.parameters == -32
    assert level.analysis.totals().parameters == 64 * 32 + 32
    assert not heard
    level.apply(edits.set_options((linear,), {"bias": False}), STEP)
    assert level.analysis.totals().parameters == 64 * 32
    assert linear in heard[0]
