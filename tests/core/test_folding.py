"""Chains that come again become copies, and copies chains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from designer.core import edits
from designer.core.folding import fold, unfold
from designer.core.unpacking import unpack
from tests.core.drawing import Drawing

if TYPE_CHECKING:
    from designer.core.graph import Graph, NodeId


def chain(drawing: Drawing, kinds: list[str], start: NodeId) -> list[NodeId]:
    """Layers one behind the other; every Linear has as many outputs as inputs."""
    ids = []
    for kind in kinds:
        start = drawing.add(kind, start)
        if kind == "Linear":
            drawing.do(edits.set_options([start], {"out_features": 8}))
        ids.append(start)
    return ids


def kinds_along(graph: Graph, start: NodeId) -> list[str]:
    """The kinds of the layers that follow one another from a layer on."""
    found = []
    while edges := list(graph.edges_from(start)):
        start = edges[0].target.node
        found.append(graph.nodes[start].kind)
    return found


def uses(drawing: Drawing) -> list[NodeId]:
    """The uses of blocks."""
    nodes = drawing.editor.document.graph.nodes
    return [id for id in sorted(nodes) if nodes[id].kind.startswith("block:")]


def test_ninety_nine_pairs_are_one_block_ninety_nine_times() -> None:
    drawing = Drawing()
    ids = chain(drawing, ["Linear", "ReLU"] * 99, drawing.input("B", 8))
    drawing.add("Output", ids[-1])
    total = drawing.parameters
    drawing.do(fold(ids, "Pair"))
    (use,) = uses(drawing)
    assert drawing.editor.document.graph.nodes[use].option("copies") == 99
    assert (drawing.parameters, drawing.shape(use)) == (total, "[B, 8]")
    assert not drawing.editor.analysis.problems()
    drawing.editor.undo()
    assert drawing.parameters == total


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.sampled_from(["Linear", "ReLU", "Tanh"]), min_size=1, max_size=4),
    st.integers(2, 5),
)
def test_any_period_is_found_and_unfolds_into_the_same_chain(period: list[str], times: int) -> None:
    drawing = Drawing()
    x = drawing.input("B", 8)
    ids = chain(drawing, period * times, x)
    drawing.add("Output", ids[-1])
    total = drawing.parameters
    drawing.do(fold(reversed(ids), "Again"))
    (use,) = uses(drawing)
    copies = drawing.editor.document.graph.nodes[use].option("copies")
    assert isinstance(copies, int)
    assert copies % times == 0
    assert drawing.parameters == total
    drawing.do(unfold(use, copies))
    assert kinds_along(drawing.editor.document.graph, x) == ["block:Again"] * copies + ["Output"]
    for each in uses(drawing):
        drawing.do(unpack(each))
    assert kinds_along(drawing.editor.document.graph, x) == [*period * times, "Output"]
    assert drawing.parameters == total
    assert not [p for p in drawing.editor.analysis.problems() if p.blocks]
    assert not drawing.editor.document.blocks


def test_uses_of_a_block_fold_into_copies_of_it() -> None:
    drawing = Drawing()
    ids = chain(drawing, ["Linear", "ReLU"] * 2, drawing.input("B", 8))
    end = drawing.add("Output", ids[-1])
    drawing.do(fold(ids, "Pair"))
    drawing.do(unfold(uses(drawing)[0], 2))
    more = drawing.add("block:Pair", uses(drawing)[-1])
    drawing.wire(more, end)
    drawing.do(fold(uses(drawing)))
    (use,) = uses(drawing)
    assert list(drawing.editor.document.blocks) == ["Pair"]
    assert drawing.editor.document.graph.nodes[use].option("copies") == 3
    assert drawing.parameters == 3 * 72


def test_a_chain_at_the_end_of_nothing_folds_too() -> None:
    drawing = Drawing()
    ids = chain(drawing, ["Linear"] * 3, drawing.input("B", 8))
    drawing.do(fold(ids))
    (use,) = uses(drawing)
    assert (drawing.parameters, drawing.shape(use)) == (3 * 72, "[B, 8]")


def test_the_first_copy_may_take_something_else() -> None:
    drawing = Drawing()
    ids = chain(drawing, ["Linear"] * 3, drawing.input("B", 5))
    drawing.add("Output", ids[-1])
    drawing.do(fold(ids))
    assert drawing.parameters == 48 + 2 * 72
    assert not [p for p in drawing.editor.analysis.problems() if p.blocks]


def test_what_does_not_feed_itself_is_told_with_both_shapes() -> None:
    drawing = Drawing()
    x = drawing.input("B", 64)
    ids = []
    for _ in range(3):
        x = drawing.add("Unflatten", x, dim=-1, unflattened_size=(2, -1))
        ids.append(x)
    drawing.do(fold(ids))
    (use,) = uses(drawing)
    said = [str(p.message) for p in drawing.finding(use).problems if p.blocks]
    assert "takes [B, 2, 32] and gives [B, 2, 2, 16]" in said[0]


def test_what_cannot_be_folded_is_refused_with_a_sentence() -> None:
    drawing = Drawing()
    x = drawing.input("B", 8)
    ids = chain(drawing, ["Linear", "ReLU", "Tanh"], x)
    branch = drawing.add("Sigmoid", ids[0])
    tied = chain(drawing, ["Linear", "Linear"], x)
    drawing.tie(tied[1], tied[0])
    cases = [
        (ids[1:], "No part of this chain comes again"),
        ([ids[0], ids[1]], "fc1 is not in a chain"),
        ([ids[1], branch], "Select two or more layers that follow one another"),
        ([x, ids[0]], "input1 cannot be repeated"),
        (tied, "shares a tensor with another layer"),
    ]
    before = drawing.editor.document
    for chosen, text in cases:
        with pytest.raises(edits.Refused, match=text):
            drawing.do(fold(chosen))
    with pytest.raises(edits.Refused, match="fc1 has no copies of its own"):
        drawing.do(unfold(ids[0], 3))
    assert drawing.editor.document is before


def test_copies_that_share_their_weights_do_not_unfold() -> None:
    drawing = Drawing()
    ids = chain(drawing, ["Linear"] * 3, drawing.input("B", 8))
    drawing.do(fold(ids))
    (use,) = uses(drawing)
    for copies in (1, 1001):
        with pytest.raises(edits.Refused, match="can be unfolded into 2 to 1000 layers"):
            drawing.do(unfold(use, copies))
    drawing.do(edits.set_options([use], {"sharing": "shared"}))
    with pytest.raises(edits.Refused, match="has no copies of its own"):
        drawing.do(unfold(use, 3))
