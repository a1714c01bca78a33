"""Parts of a design: copied, and put into the same or another one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from immutables import Map

from designer.core import edits
from designer.core.analysis import Analysis
from designer.core.block import BLOCK
from designer.core.block_edits import set_note, set_preset
from designer.core.custom_edits import set_custom
from designer.core.document import Document, drafted, inside
from designer.core.edits import Refused
from designer.core.expression import Expression
from designer.core.fragment import part, put_in
from designer.core.graph import ParamRef, Source, Target
from designer.core.grouping import group
from designer.files.codec import read_document, write_document
from tests.core.customs import GATED
from tests.core.drawing import Drawing
from tests.files.strategies import documents


def tied_pair(drawing: Drawing) -> tuple[int, int, int]:
    """An input, an embedding and a head tied to it."""
    tokens = drawing.input("B", "T", dtype="int64")
    wte = drawing.add("Embedding", tokens, num_embeddings=Expression("v"), embedding_dim=4)
    head = drawing.add("Linear", wte, out_features=Expression("v"), bias=False)
    drawing.tie(head, wte)
    return tokens, wte, head


def test_a_part_keeps_wires_ties_and_names_among_itself() -> None:
    drawing = Drawing(v=Expression("2*w"), w=5, unused=1)
    tokens, wte, head = tied_pair(drawing)
    piece = part(drawing.editor.document, [wte, head])
    assert set(piece.graph.nodes) == {wte, head}
    assert [edge.source.node for edge in piece.graph.edges()] == [wte]
    assert piece.graph.ties == drawing.editor.document.graph.ties
    assert list(piece.variables) == ["v", "w"]
    assert not piece.dimensions
    assert tokens not in piece.layout


def test_what_is_put_in_again_has_names_ids_and_ties_of_its_own() -> None:
    drawing = Drawing(v=10)
    _, wte, head = tied_pair(drawing)
    document = drawing.editor.document
    before = drawing.parameters
    drawing.do(put_in(part(document, [wte, head]), 20, 30))
    graph = drawing.editor.document.graph
    new_wte, new_head = 4, 5
    assert graph.source(Target(new_head, "x")) == Source(new_wte, "out")
    assert graph.ties[ParamRef(new_head, "weight")] == ParamRef(new_wte, "weight")
    assert len({node.name for node in graph.nodes.values()}) == 5
    assert len({node.attribute for node in graph.nodes.values()}) == 5
    assert drawing.editor.document.layout[new_wte] == (20.0, 230.0)
    assert drawing.parameters == 2 * before
    drawing.editor.undo()
    assert drawing.editor.document == document


def test_another_design_learns_the_names_and_keeps_its_own_values() -> None:
    source = Drawing(v=10, w=3)
    ids = tied_pair(source)
    target = Drawing(v=7)
    target.do(put_in(part(source.editor.document, ids), 0, 0))
    document = target.editor.document
    assert document.variables["v"].value == 7
    assert "w" not in document.variables
    assert target.parameters == 28
    assert not Analysis(document).problems()


def test_layers_without_a_place_can_be_copied_and_removed() -> None:
    drawing = Drawing(v=10)
    tied_pair(drawing)
    document = replace(drawing.editor.document, layout=Map())
    piece = part(document, [2, 3])
    assert not piece.layout
    changed, _ = drafted(document, put_in(piece, 5, 6))
    assert changed.layout[5] == (5.0, 6.0)
    removed, delta = drafted(document, edits.remove_nodes([2]))
    assert 2 not in removed.graph.nodes
    assert removed.apply(delta.inverse()) == document


# Blocks


def nested(width: int = 8) -> tuple[Drawing, int]:
    """A feed-forward part as a block, in a block that adds it to its input; and a use of that."""
    drawing = Drawing(d=width)
    x = drawing.input("B", "d")
    up = drawing.add("Linear", x, out_features=Expression("4*d"))
    down = drawing.add("Linear", drawing.add("ReLU", up), out_features=Expression("d"))
    both = drawing.add("Add", x, down)
    drawing.add("Output", both)
    drawing.do(group([up, up + 1, down], "Mlp"))
    drawing.do(group([max(drawing.editor.document.graph.nodes), both], "Layer"))
    return drawing, max(drawing.editor.document.graph.nodes)


def test_a_part_takes_its_blocks_along_and_only_them() -> None:
    drawing, use = nested()
    drawing.do(set_preset("wide", {"d": 16}))
    linear = drawing.add("Linear", out_features=3)
    document = drawing.editor.document
    assert part(document, [use]).blocks == document.blocks
    assert part(document, [linear]).blocks == {}
    within = document.at("Layer")
    (mlp,) = [id for id, node in within.graph.nodes.items() if node.kind == "block:Mlp"]
    piece = part(within, [mlp])
    assert list(piece.blocks) == ["Mlp"]
    assert set(piece.layout) == {mlp, *document.blocks["Mlp"].graph.nodes}
    assert list(piece.variables) == ["d"]
    assert piece.presets == {}


def test_free_dimensions_within_blocks_are_taken_along() -> None:
    drawing, use = nested()
    (port,) = [
        id
        for id, node in drawing.editor.document.blocks["Layer"].graph.nodes.items()
        if node.kind == "Input"
    ]
    shape = (Expression("T"), Expression("d"))
    drawing.do(inside("Layer", edits.set_options([port], {"shape": shape})))
    assert "T" in part(drawing.editor.document, [use]).dimensions


def test_another_design_gets_the_blocks_with_ids_and_places() -> None:
    source, use = nested()
    target = Drawing()
    target.input("B", 8)
    target.do(put_in(part(source.editor.document, [use]), 0, 0))
    document = target.editor.document
    assert list(document.blocks) == ["Mlp", "Layer"]
    assert max(document.graph.nodes) == 2
    ids = [
        id
        for graph in (document.graph, *(b.graph for b in document.blocks.values()))
        for id in graph.nodes
    ]
    assert sorted(ids) == list(range(1, len(ids) + 1)) == sorted(document.layout)
    target.wire(1, 2)
    assert target.finding(2).result is not None
    assert target.parameters == source.parameters
    target.editor.undo()
    target.editor.undo()
    assert not target.editor.document.blocks


def test_an_equal_block_is_used_and_not_declared_again() -> None:
    drawing, use = nested()
    blocks = drawing.editor.document.blocks
    before = drawing.parameters
    drawing.do(put_in(part(drawing.editor.document, [use]), 0, 0))
    assert drawing.editor.document.blocks == blocks
    new = max(drawing.editor.document.graph.nodes)
    drawing.wire(1, new)
    assert drawing.parameters == 2 * before


def test_a_block_that_differs_gets_a_number_and_its_uses_follow() -> None:
    source, use = nested()
    target, _ = nested()
    target.do(set_note("Mlp", "another one"))
    piece = part(source.editor.document, [use])
    target.do(put_in(piece, 0, 0))
    document = target.editor.document
    assert list(document.blocks) == ["Mlp", "Layer", "Mlp2", "Layer2"]
    kinds = {node.kind for node in document.blocks["Layer2"].graph.nodes.values()}
    assert "block:Mlp2" in kinds
    assert "block:Mlp" not in kinds
    assert document.graph.nodes[max(document.graph.nodes)].kind == "block:Layer2"
    target.do(put_in(piece, 0, 0))
    assert list(target.editor.document.blocks) == list(document.blocks)


def test_a_long_name_can_still_get_a_number() -> None:
    drawing, use = nested()
    name = "L" * 48
    drawing.do(group([use], name))
    piece = part(drawing.editor.document, [max(drawing.editor.document.graph.nodes)])
    drawing.do(set_note(name, "another one"))
    drawing.do(put_in(piece, 0, 0))
    document = drawing.editor.document
    assert list(document.blocks)[-1] == "L" * 40 + "2"
    assert read_document(write_document(document), "x").document == document


@pytest.mark.parametrize("level", ["Mlp", "Layer"])
def test_a_block_cannot_be_put_into_itself(level: str) -> None:
    drawing, use = nested()
    document = drawing.editor.document
    piece = part(document, [use])
    with pytest.raises(Refused, match=f"{level} cannot contain itself"):
        drawing.do(inside(level, put_in(piece, 0, 0)))
    assert drawing.editor.document is document


def test_a_part_can_be_put_into_another_block() -> None:
    drawing, _ = nested()
    (mlp,) = [
        id
        for id, node in drawing.editor.document.blocks["Layer"].graph.nodes.items()
        if node.kind == "block:Mlp"
    ]
    piece = part(drawing.editor.document.at("Layer"), [mlp])
    blocks = drawing.editor.document.blocks
    drawing.do(inside("Layer", put_in(piece, 0, 0)))
    changed = drawing.editor.document.blocks
    assert list(changed) == ["Mlp", "Layer"]
    assert changed["Mlp"] is blocks["Mlp"]
    kinds = [node.kind for node in changed["Layer"].graph.nodes.values()]
    assert kinds.count("block:Mlp") == 2


def test_an_argument_that_a_block_cannot_have_is_refused() -> None:
    source = Drawing(copies=3)
    linear = source.add("Linear", out_features=Expression("copies"))
    target, _ = nested()
    with pytest.raises(Refused, match="Every block has copies already"):
        target.do(inside("Mlp", put_in(part(source.editor.document, [linear]), 0, 0)))


def test_custom_layers_are_taken_along_and_renamed_where_another_has_the_name() -> None:
    source = Drawing()
    source.do(set_custom(GATED))
    use = source.add("custom:GatedScale")
    piece = part(source.editor.document, [use])
    assert list(piece.customs) == ["GatedScale"]
    target = Drawing()
    target.do(put_in(piece, 0, 0))
    target.do(put_in(piece, 0, 0))
    assert dict(target.editor.document.customs) == {"GatedScale": GATED}
    target.do(set_custom(replace(GATED, note="another one")))
    target.do(put_in(piece, 0, 0))
    target.do(put_in(piece, 0, 0))
    customs = target.editor.document.customs
    assert list(customs) == ["GatedScale", "GatedScale2"]
    assert "class GatedScale2(nn.Module)" in customs["GatedScale2"].source
    kinds = [node.kind for _, node in sorted(target.editor.document.graph.nodes.items())]
    assert kinds == [f"custom:GatedScale{n}" for n in ("", "", "2", "2")]


def meaning(document: Document, kind: str) -> str:
    """A block written out, whatever it and its ids are called."""
    block = document.blocks.get(kind.removeprefix(BLOCK))
    if block is None or not kind.startswith(BLOCK):
        return kind
    ids = {id: place for place, id in enumerate(block.graph.ids())}
    nodes = [
        repr(replace(node, kind=meaning(document, node.kind)))
        for _, node in sorted(block.graph.nodes.items())
    ]
    edges = [
        (s._replace(node=ids[s.node]), t._replace(node=ids[t.node])) for s, t in block.graph.edges()
    ]
    ties = sorted((ids[p.node], p.param, ids[o.node], o.param) for p, o in block.graph.ties.items())
    return repr((nodes, edges, ties, block.arguments, block.note, block.extra))


@given(st.data(), documents(), documents())
@settings(max_examples=80, deadline=None)
def test_parts_mean_the_same_in_any_design(
    data: st.DataObject, source: Document, target: Document
) -> None:
    chosen = data.draw(st.lists(st.sampled_from([*source.graph.ids(), 0])).map(set)) - {0}
    piece = part(source, chosen)
    changed, delta = drafted(target, put_in(piece, 0, 0))
    new = sorted(set(changed.graph.nodes) - set(target.graph.nodes))
    assert new == list(range(target.next_id, target.next_id + len(chosen)))
    for before, after in zip(sorted(chosen), new, strict=True):
        old, copied = source.graph.nodes[before], changed.graph.nodes[after]
        assert meaning(changed, copied.kind) == meaning(source, old.kind)
        assert repr(copied.options) == repr(old.options)
    for name, block in target.blocks.items():
        assert changed.blocks[name] is block
    assert changed.presets == target.presets
    assert changed.apply(delta.inverse()) == target
    assert read_document(write_document(changed), "x").document == changed
    again, _ = drafted(changed, put_in(piece, 0, 0))
    assert again.blocks == changed.blocks
