"""Blocks: a use says what its layers say, and follows every edit at every level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from designer.core import edits
from designer.core.analysis import Analysis
from designer.core.block import BLOCK
from designer.core.block_edits import (
    add_block,
    make_own,
    remove_block,
    remove_preset,
    rename_block,
    set_note,
    set_preset,
    use_preset,
)
from designer.core.document import Variable, inside
from designer.core.expression import Expression
from designer.core.folding import fold, unfold
from designer.core.graph import ParamRef, Source, Target
from designer.core.grouping import group
from designer.core.kinds import uses_of
from designer.core.unpacking import unpack
from tests.core.drawing import STEP, Drawing
from tests.core.test_analysis import edit_plans, planned, state

if TYPE_CHECKING:
    from designer.core.document import Document, Edit
    from designer.core.editor import Editor
    from designer.core.graph import NodeId

E = Expression


def feed_forward(drawing: Drawing, name: str = "Ff") -> None:
    """Declare a block: Linear to `hidden`, GELU, Linear back to `d`, plus what came in."""
    drawing.do(add_block(name))
    at = drawing.editor.document.next_id
    steps = [
        edits.set_variable("d", Variable(8)),
        edits.set_variable("hidden", Variable(E("4*d"))),
        edits.set_variable("bias", Variable(True)),
        edits.add_node("Input", (0, 0), {"shape": (E("B"), E("T"), E("d"))}, "x"),
        edits.add_node("Linear", (0, 1), {"out_features": E("hidden"), "bias": E("bias")}, "up"),
        edits.add_node("GELU", (0, 2)),
        edits.add_node("Linear", (0, 3), {"out_features": E("d"), "bias": E("bias")}, "down"),
        edits.add_node("Add", (0, 4)),
        edits.add_node("Output", (0, 5), {}, "out"),
        *(edits.connect(Source(at + n, "out"), Target(at + n + 1, "x")) for n in range(3)),
        edits.connect(Source(at, "out"), Target(at + 4, "xs", 0)),
        edits.connect(Source(at + 3, "out"), Target(at + 4, "xs", 1)),
        edits.connect(Source(at + 4, "out"), Target(at + 5, "x")),
    ]
    drawing.do(inside(name, edits.all_of(steps)))


def test_arguments_are_given_left_out_or_worked_out_from_others() -> None:
    drawing = Drawing(wide=16)
    feed_forward(drawing)
    x = drawing.input("B", "T", 8)
    plain = drawing.add("block:Ff", x)
    hidden = drawing.add("block:Ff", plain, hidden=5, bias=False)
    wider = drawing.add("Linear", hidden, out_features=E("wide"))
    other = drawing.add("block:Ff", wider, d=E("wide"))
    counts = [drawing.finding(id).counted.parameters for id in (plain, hidden, other)]
    assert counts == [2 * 8 * 32 + 32 + 8, 2 * 8 * 5, 2 * 16 * 64 + 64 + 16]
    assert drawing.shape(other) == "[B, T, wide]"
    assert not [p for p in drawing.editor.analysis.problems() if p.blocks]
    assert [p.name for p in drawing.finding(plain).params] == [
        "up.weight",
        "up.bias",
        "down.weight",
        "down.bias",
    ]


def test_what_is_wrong_inside_is_said_at_the_use_and_the_rest_carries_on() -> None:
    drawing = Drawing()
    feed_forward(drawing)
    use = drawing.add("block:Ff", drawing.input("B", "T", 9))
    problem = drawing.finding(use).problems[0]
    assert problem.severity == "error"
    assert str(problem.message).startswith("Inside, add1: ")
    drawing.do(edits.set_options([use], {"d": 9}))
    assert not [p for p in drawing.finding(use).problems if p.blocks]


def test_an_edit_in_a_block_changes_every_use() -> None:
    drawing = Drawing()
    feed_forward(drawing)
    x = drawing.input("B", "T", 8)
    first = drawing.add("block:Ff", x)
    drawing.add("block:Ff", first, hidden=3)
    before = drawing.parameters
    (up,) = (
        id for id, n in drawing.editor.document.blocks["Ff"].graph.nodes.items() if n.name == "up"
    )
    drawing.do(inside("Ff", edits.set_options([up], {"bias": False})))
    assert drawing.parameters == before - 32 - 3
    drawing.editor.undo()
    assert drawing.parameters == before


def test_a_block_that_nothing_uses_is_valid_and_one_without_output_is_not_complete() -> None:
    drawing = Drawing()
    feed_forward(drawing)
    drawing.do(add_block("Empty"))
    assert not drawing.editor.analysis.problems()
    use = drawing.add("block:Empty")
    (problem,) = drawing.finding(use).problems
    assert (problem.severity, str(problem.message)) == ("incomplete", "Empty has no Output yet.")


def test_a_block_cannot_contain_itself_however_deep() -> None:
    drawing = Drawing()
    feed_forward(drawing)
    for name, inner in (("Middle", "Ff"), ("Top", "Middle")):
        drawing.do(add_block(name))
        drawing.do(inside(name, edits.add_node(f"block:{inner}", (0, 0))))
    before = drawing.editor.document
    for level in ("Ff", "Middle", "Top"):
        with pytest.raises(edits.Refused, match=f"{level} cannot contain itself"):
            drawing.do(inside(level, edits.add_node("block:Top", (0, 0))))
    assert drawing.editor.document is before


def test_a_loop_in_a_block_is_refused_and_nothing_changes() -> None:
    drawing = Drawing()
    feed_forward(drawing)
    drawing.add("block:Ff", drawing.input("B", "T", 8))
    before, known = drawing.editor.document, state(drawing.editor.analysis)
    ids = {n.name: id for id, n in before.blocks["Ff"].graph.nodes.items()}
    with pytest.raises(edits.Refused, match="loop"):
        drawing.do(inside("Ff", edits.connect(Source(ids["add1"], "out"), Target(ids["up"], "x"))))
    assert drawing.editor.document is before
    assert state(drawing.editor.analysis) == known == state(Analysis(before))
    drawing.do(edits.set_title("still works"))


# Names


def test_an_argument_is_renamed_at_all_uses_and_kept_while_it_is_used() -> None:
    drawing = Drawing()
    feed_forward(drawing)
    use = drawing.add("block:Ff", drawing.input("B", "T", 16), d=16)
    before = drawing.parameters
    drawing.do(inside("Ff", edits.rename_name("d", "width")))
    block = drawing.editor.document.blocks["Ff"]
    assert list(block.arguments) == ["width", "hidden", "bias"]
    assert block.arguments["hidden"].value == E("4*width")
    assert drawing.editor.document.graph.nodes[use].option("width") == 16
    assert drawing.parameters == before
    with pytest.raises(edits.Refused, match="width is used by"):
        drawing.do(inside("Ff", edits.remove_name("width")))
    with pytest.raises(edits.Refused, match="Every block has copies already"):
        drawing.do(inside("Ff", edits.set_variable("copies", Variable(1))))


def test_an_argument_that_goes_is_taken_from_all_uses() -> None:
    drawing = Drawing()
    feed_forward(drawing)
    drawing.do(inside("Ff", edits.set_variable("spare", Variable(1))))
    use = drawing.add("block:Ff", drawing.input("B", "T", 8), spare=3)
    drawing.do(inside("Ff", edits.remove_name("spare")))
    assert "spare" not in dict(drawing.editor.document.graph.nodes[use].options)
    drawing.do(inside("Ff", edits.set_variable("spare", Variable(2))))
    assert drawing.editor.analysis.findings[use].layer.spare is None  # type: ignore[union-attr]


def test_ports_take_their_wires_along() -> None:
    drawing = Drawing()
    feed_forward(drawing)
    x = drawing.input("B", "T", 8)
    use = drawing.add("block:Ff", x)
    end = drawing.add("Output", use)
    ids = {n.name: id for id, n in drawing.editor.document.blocks["Ff"].graph.nodes.items()}
    drawing.do(inside("Ff", edits.rename(ids["x"], "tokens")))
    drawing.do(inside("Ff", edits.rename(ids["out"], "result")))
    graph = drawing.editor.document.graph
    assert graph.source(Target(use, "tokens")) == Source(x, "out")
    assert graph.source(Target(end, "x")) == Source(use, "result")
    assert not [p for p in drawing.editor.analysis.problems() if p.blocks]
    drawing.do(inside("Ff", edits.remove_nodes([ids["out"]])))
    assert drawing.editor.document.graph.source(Target(end, "x")) is None


def test_a_free_dimension_is_renamed_at_all_levels() -> None:
    drawing = Drawing()
    feed_forward(drawing)
    drawing.add("block:Ff", drawing.input("B", "T", 8))
    drawing.do(edits.rename_name("T", "S"))
    (shape,) = (
        n.option("shape")
        for n in drawing.editor.document.blocks["Ff"].graph.nodes.values()
        if n.kind == "Input"
    )
    assert shape == (E("B"), E("S"), E("d"))
    with pytest.raises(edits.Refused, match="S is used by"):
        drawing.do(edits.remove_name("S"))


def test_presets_follow_their_variables() -> None:
    drawing = Drawing(d=8, n=2)
    drawing.do(set_preset("small", {"d": 4, "n": 1}))
    drawing.do(edits.rename_name("d", "width"))
    assert drawing.editor.document.presets == {"small": {"width": 4, "n": 1}}
    drawing.do(edits.remove_name("n"))
    assert drawing.editor.document.presets == {"small": {"width": 4}}
    drawing.do(use_preset("small"))
    assert drawing.editor.document.variables["width"].value == 4
    drawing.do(remove_preset("small"))
    assert not drawing.editor.document.presets
    with pytest.raises(edits.Refused, match="There is no preset small"):
        drawing.do(use_preset("small"))


def test_blocks_are_named_noted_and_removed() -> None:
    drawing = Drawing()
    feed_forward(drawing)
    use = drawing.add("block:Ff", drawing.input("B", "T", 8))
    total = drawing.parameters
    drawing.do(rename_block("Ff", "FeedForward"))
    assert drawing.editor.document.graph.nodes[use].kind == "block:FeedForward"
    assert drawing.parameters == total
    drawing.do(set_note("FeedForward", "Two layers."))
    with pytest.raises(edits.Refused, match="FeedForward is used by ff1"):
        drawing.do(remove_block("FeedForward"))
    for name in ("Linear", "1st", "class", "a b"):
        with pytest.raises(edits.Refused, match="cannot be a class"):
            drawing.do(rename_block("FeedForward", name))
    drawing.do(edits.remove_nodes([use]))
    drawing.do(remove_block("FeedForward"))
    assert not drawing.editor.document.blocks


def test_a_use_gets_a_block_of_its_own() -> None:
    drawing = Drawing()
    feed_forward(drawing)
    first = drawing.add("block:Ff", drawing.input("B", "T", 8))
    second = drawing.add("block:Ff", first)
    total = drawing.parameters
    drawing.do(make_own(second))
    assert drawing.editor.document.graph.nodes[second].kind == "block:Ff2"
    assert drawing.parameters == total
    drawing.do(inside("Ff2", edits.set_variable("hidden", Variable(1))))
    assert drawing.finding(first).counted.parameters * 2 == total
    assert drawing.finding(second).counted.parameters == 2 * 8 + 1 + 8


# Copies


@pytest.mark.parametrize("sharing", ["own", "shared"])
def test_a_thousand_copies_are_examined_like_two(sharing: str) -> None:
    drawing = Drawing()
    feed_forward(drawing)
    use = drawing.add("block:Ff", drawing.input("B", "T", 8), copies=2, sharing=sharing)
    one = drawing.finding(use).counted.parameters // (2 if sharing == "own" else 1)
    analysis = drawing.editor.analysis
    costs = []
    for copies in (3, 1000, 10**6):
        examined, inferred = analysis.examined, analysis.inferred
        drawing.do(edits.set_options([use], {"copies": copies}))
        costs.append((analysis.examined - examined, analysis.inferred - inferred))
        times = copies if sharing == "own" else 1
        assert drawing.parameters == times * one
    assert costs == [costs[0]] * 3


# One module in several places


def siamese() -> tuple[Drawing, NodeId, NodeId]:
    """Two inputs, and a Linear for each of them that is one module."""
    drawing = Drawing(d=4)
    first = drawing.add("Linear", drawing.input("B", 8), out_features=E("d"))
    second = drawing.add("Linear", drawing.input("B", 8), out_features=9, bias=False)
    drawing.do(edits.share(second, first))
    return drawing, first, second


def test_a_layer_that_is_the_same_as_another_has_its_options_and_counts_once() -> None:
    drawing, first, second = siamese()
    assert (drawing.parameters, drawing.shape(second)) == (36, "[B, d]")
    assert not drawing.finding(second).params
    assert drawing.finding(second).result.flops == drawing.finding(first).result.flops  # type: ignore[union-attr]
    drawing.do(edits.set_variable("d", Variable(5)))
    assert drawing.parameters == 45
    drawing.do(edits.set_options([second], {"out_features": 2}))
    assert (drawing.parameters, drawing.shape(first)) == (18, "[B, 2]")
    drawing.do(edits.set_trainable([second], False))
    assert drawing.editor.analysis.totals().trainable == 0
    drawing.do(edits.unshare(second))
    assert drawing.parameters == 36


def test_one_module_cannot_have_weights_for_two_inputs() -> None:
    drawing, first, second = siamese()
    drawing.do(edits.connect(Source(drawing.input("B", 3), "out"), Target(second, "x")))
    (problem,) = drawing.finding(second).problems
    assert str(problem.message) == "fc1 has weight [d, 8]; fc2 would need [d, 3]."
    assert problem.blocks
    drawing.do(edits.connect(Source(drawing.input("T", 3), "out"), Target(first, "x")))
    assert not drawing.finding(second).problems


def test_sizes_that_no_weight_shows_count_too() -> None:
    drawing = Drawing()
    first = drawing.add("LayerNorm", drawing.input("B", 8), elementwise_affine=False)
    second = drawing.add("LayerNorm", drawing.input("B", 4), elementwise_affine=False)
    drawing.do(edits.share(second, first))
    (problem,) = drawing.finding(second).problems
    assert str(problem.message) == "ln2 would need another module than ln1 for its input."


def test_where_the_owner_goes_the_first_call_has_the_module() -> None:
    drawing, first, second = siamese()
    third = drawing.add("Linear", drawing.input("B", 8))
    drawing.do(edits.share(third, second))
    assert drawing.editor.document.graph.nodes[third].same_as == first
    tied = drawing.add("Linear", drawing.input("B", 8), out_features=E("d"))
    drawing.tie(tied, first)
    drawing.do(edits.remove_nodes([first]))
    nodes = drawing.editor.document.graph.nodes
    assert (nodes[second].same_as, nodes[third].same_as) == (None, second)
    assert dict(drawing.editor.document.graph.ties) == {
        ParamRef(tied, "weight"): ParamRef(second, "weight")
    }
    assert drawing.parameters == 36 + 4


def test_what_cannot_be_the_same_is_refused() -> None:
    drawing, first, second = siamese()
    other = drawing.add("ReLU", second)
    for pair, text in (
        ((first, second), "fc1 is that layer itself"),
        ((other, first), "relu1 and fc1 are no layers of one kind"),
    ):
        with pytest.raises(edits.Refused, match=text):
            drawing.do(edits.share(*pair))
    with pytest.raises(edits.Refused, match="fc2 and fc1 are one layer"):
        drawing.do(group([second]))
    drawing.do(group([first, second, other], "Branches"))
    assert drawing.parameters == 36


# Random edits at all levels

BLOCK_MOVES = (
    *("group", "group", "use", "use", "unpack", "fold", "unfold", "own", "copies", "routed"),
    *("argument", "give", "port", "block", "no block", "same", "own again", "wire use", "retitle"),
)


def planned_block(
    document: Document, level: str, move: str, at: tuple[int, int, int]
) -> Edit | None:
    """An edit that has to do with blocks, at a level of a document."""
    a, b, c = at
    graph, names = document.at(level).graph, list(document.blocks)
    ids = graph.ids()
    uses = [id for id in ids if graph.nodes[id].kind.startswith(BLOCK)]
    use = uses[a % len(uses)] if uses else 0
    name = names[b % len(names)] if names else ""
    some = [id for place, id in enumerate(ids) if (a >> place % 10) & 1]
    ends = [id for id in ids if graph.nodes[id].kind in ("Input", "Output")]
    anywhere: dict[str, Edit] = {
        "group": group(some),
        "fold": fold(some),
        "argument": edits.set_variable("depd"[b % 4], Variable((c % 5 + 1, True, E("2*d"))[a % 3])),
    }
    with_blocks: dict[str, Edit] = {
        "use": edits.add_node(f"{BLOCK}{name}", (0.0, 0.0)),
        "block": rename_block(name, f"Block{a % 9}"),
        "no block": remove_block(name),
        "retitle": set_note(name, str(c)),
    }
    with_uses: dict[str, Edit] = {
        "unpack": unpack(use),
        "unfold": unfold(use, c % 4 + 1),
        "own": make_own(use),
        "copies": edits.set_options([use], {"copies": c % 4, "sharing": ("own", "shared")[b % 2]}),
        "routed": edits.set_options([use], {"sharing": ("routed", "own")[b % 2]}),
        "give": edits.set_options([use], {"d": (None, c % 7, E("d"), True)[b % 4]}),
    }
    with_layers: dict[str, Edit] = (
        {}
        if not ids
        else {
            "same": edits.share(ids[a % len(ids)], ids[b % len(ids)]),
            "own again": edits.unshare(ids[a % len(ids)]),
            "wire use": edits.connect(Source(ids[b % len(ids)], "out"), Target(use, "x")),
        }
    )
    if ends:
        with_layers["port"] = edits.rename(ends[a % len(ends)], f"port{c % 3}")
    known = {
        **anywhere,
        **with_layers,
        **(with_blocks if names else {}),
        **(with_uses if uses else {}),
    }
    return known.get(move)


@st.composite
def level_plans(draw: st.DrawFn) -> list[tuple[int, str, tuple[int, int, int]]]:
    """Edits at levels: plain ones, and those of blocks."""
    numbers = st.integers(0, 1023)
    plain = draw(edit_plans())
    blocks = st.tuples(st.sampled_from(BLOCK_MOVES), numbers, numbers, numbers)
    plans = [*plain, *draw(st.lists(blocks, min_size=5, max_size=30))]
    levels = st.integers(0, 3)
    return [(draw(levels), move, (a, b, c)) for move, a, b, c in draw(st.permutations(plans))]


def planned_at(editor: Editor, plan: tuple[int, str, tuple[int, int, int]]) -> Edit | None:
    """The edit that a plan comes to; None where it has nothing to work on."""
    place, move, at = plan
    document = editor.document
    levels = ["", *document.blocks]
    level = levels[place % len(levels)]
    if move in BLOCK_MOVES:
        edit = planned_block(document, level, move, at)
    else:
        analysis = editor.analysis
        if level:
            analysis = analysis.kinds[f"{BLOCK}{level}"].alone()  # type: ignore[attr-defined]
        edit = planned(document.at(level), analysis, (move, *at))
    return inside(level, edit) if edit else None


@settings(max_examples=100, deadline=None)
@given(level_plans())
def test_following_edits_of_blocks_equals_starting_anew(
    plans: list[tuple[int, str, tuple[int, int, int]]],
) -> None:
    editor = Drawing(d=4).editor
    editor.apply(edits.add_node("Input", (0, 0)), STEP)
    documents, states = [editor.document], [state(editor.analysis)]
    for plan in plans:
        edit = planned_at(editor, plan)
        if edit is not None and follow(editor, edit, states[-1]):
            documents.append(editor.document)
            states.append(state(editor.analysis))
    for document, expected in zip(reversed(documents[:-1]), reversed(states[:-1]), strict=True):
        editor.undo()
        assert editor.document is document
        assert state(editor.analysis) == expected
    for document, expected in zip(documents[1:], states[1:], strict=True):
        editor.redo()
        assert (editor.document, state(editor.analysis)) == (document, expected)


def follow(editor: Editor, edit: Edit, known: Any) -> bool:
    """Preview an edit and make it; whether it has changed anything. What it says must hold."""
    before, refused = editor.document, False
    try:
        preview = editor.preview(edit)
    except edits.Refused:
        refused = True
    assert editor.document is before
    assert state(editor.analysis) == known
    if refused or editor.apply(edit, STEP) is None:
        return False
    assert editor.analysis.totals() == preview.after
    assert state(editor.analysis) == state(Analysis(editor.document))
    assert before.apply(editor.steps[-1].delta) == editor.document
    assert editor.document.apply(editor.steps[-1].delta.inverse()) == before
    return True


def test_uses_are_found_at_all_levels() -> None:
    drawing = Drawing()
    feed_forward(drawing)
    drawing.do(add_block("Top"))
    drawing.do(inside("Top", edits.add_node("block:Ff", (0, 0))))
    use = drawing.add("block:Ff")
    assert uses_of(drawing.editor.document, "block:Ff") == [("", use), ("Top", use - 1)]
