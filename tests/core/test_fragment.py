"""Parts of a design: copied, and put into the same or another one."""

from __future__ import annotations

from designer.core.analysis import Analysis
from designer.core.expression import Expression
from designer.core.fragment import part, put_in
from designer.core.graph import ParamRef, Source, Target
from tests.core.drawing import Drawing


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
