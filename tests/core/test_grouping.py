"""Layers become a block and come out of it again, without any number changing."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from designer.core import count, edits
from designer.core.analysis import Analysis
from designer.core.block_edits import add_block
from designer.core.document import drafted, inside
from designer.core.expression import Expression
from designer.core.graph import ParamRef, Source
from designer.core.grouping import PORTS, group
from designer.core.unpacking import unpack
from tests.core.drawing import Drawing
from tests.core.parts import convex, tensors_of
from tests.export.designs import random_design

if TYPE_CHECKING:
    from designer.core.document import Document
    from designer.core.graph import NodeId

E = Expression


def facts(analysis: Analysis, within: str = "") -> Any:
    """Outputs, tensors by name, totals and operations of a design; `within` is a block's use."""
    nodes, findings = analysis.document.graph.nodes, analysis.findings
    outputs = [
        str(findings[id].inputs.get("x")) for id in sorted(nodes) if nodes[id].kind == "Output"
    ]
    rows = {
        row.key.removeprefix(within): (
            str(row.param.shape),
            row.param.part,
            row.norm,
            row.trainable,
        )
        for row in count.rows(analysis)
    }
    flops = sum((f.result.flops for f in findings.values() if f.result), 0)
    blocked = [str(p.message) for p in analysis.problems() if p.blocks]
    return outputs, rows, analysis.totals(), str(flops), blocked


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**9))
def test_any_part_of_a_design_says_as_a_block_what_it_said(seed: int) -> None:
    pick = Random(seed)
    document = random_design(pick)
    before = Analysis(document)
    chosen = convex(document.graph, pick)
    grouped, _ = drafted(document, group(chosen, "Part", tensors_of(before)))
    use = grouped.graph.nodes[document.next_id]
    assert facts(Analysis(grouped), f"{use.attribute}.") == facts(before)
    again, _ = drafted(grouped, unpack(document.next_id))
    assert again == document


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**9))
def test_blocks_within_blocks_count_the_same_and_unpack_one_by_one(seed: int) -> None:
    pick = Random(seed)
    document = random_design(pick, 14)
    total = Analysis(document).totals()
    documents: list[tuple[Document, str, NodeId]] = []
    level = ""
    for number in range(3):
        chosen = convex(document.at(level).graph, pick)
        documents.append((document, level, document.next_id))
        document, _ = drafted(document, inside(level, group(chosen, f"Part{number}")))
        level = f"Part{number}"
        if all(n.kind in PORTS for n in document.at(level).graph.nodes.values()):
            break
    found = Analysis(document)
    assert found.totals() == total
    for before, at, use in reversed(documents):
        document, _ = drafted(document, inside(at, unpack(use)))
        assert document == before


def test_a_wire_to_several_layers_is_one_port_and_names_tell_what_comes() -> None:
    drawing = Drawing(d=8)
    tokens, other = drawing.input("B", "d"), drawing.input("B", "d")
    first = drawing.add("Linear", tokens, out_features=E("d"))
    both = drawing.add("Add", first, tokens)
    last = drawing.add("Add", both, other)
    drawing.add("Output", first)
    drawing.add("Output", last)
    drawing.do(group([first, both, last], "Mix", tensors_of(drawing.editor.analysis)))
    block = drawing.editor.document.blocks["Mix"]
    ports = [(n.kind, n.name) for _, n in sorted(block.graph.nodes.items()) if n.kind in PORTS]
    assert ports == [
        ("Input", "input1"),
        ("Input", "input2"),
        ("Output", "fc1_out"),
        ("Output", "add2_out"),
    ]
    assert list(block.arguments) == ["d"]
    assert block.arguments["d"].value == 8
    use = max(drawing.editor.document.graph.nodes)
    assert drawing.editor.document.graph.nodes[use].option("d") == E("d")


def test_layers_that_nothing_follows_still_give_something() -> None:
    drawing = Drawing()
    fc = drawing.add("Linear", drawing.input("B", 8), out_features=4)
    act = drawing.add("ReLU", fc)
    drawing.do(group([fc, act], "End", tensors_of(drawing.editor.analysis)))
    (use,) = (id for id, n in drawing.editor.document.graph.nodes.items() if n.kind == "block:End")
    assert drawing.shape(use) == "[B, 4]"


def test_ties_go_through_the_wall_of_a_block() -> None:
    drawing = Drawing()
    tokens = drawing.input("B", "T", dtype="int64")
    wte = drawing.add("Embedding", tokens, num_embeddings=50, embedding_dim=4)
    act = drawing.add("ReLU", wte)
    head = drawing.add("Linear", act, out_features=50, bias=False)
    drawing.tie(head, wte)
    drawing.do(group([wte, act], "Embed"))
    (use,) = (
        id for id, n in drawing.editor.document.graph.nodes.items() if n.kind == "block:Embed"
    )
    ties = dict(drawing.editor.document.graph.ties)
    assert ties == {ParamRef(head, "weight"): ParamRef(use, "emb1.weight")}
    assert drawing.parameters == 200
    drawing.do(unpack(use))
    assert dict(drawing.editor.document.graph.ties) == {
        ParamRef(head, "weight"): ParamRef(wte, "weight")
    }
    assert drawing.parameters == 200


def test_a_second_use_unpacks_into_layers_of_its_own() -> None:
    drawing = Drawing(d=8)
    x = drawing.input("B", "d")
    fc = drawing.add("Linear", x, out_features=E("2*d"))
    end = drawing.add("Output", fc)
    drawing.do(group([fc], "Wide"))
    first = drawing.editor.document.graph.source(
        next(iter(drawing.editor.document.graph.edges_into(end))).target
    )
    assert first is not None
    second = drawing.add("block:Wide", first.node, d=E("d + 1"))
    total = drawing.parameters
    drawing.do(unpack(second))
    assert "Wide" in drawing.editor.document.blocks
    linear = [n for n in drawing.editor.document.graph.nodes.values() if n.kind == "Linear"]
    assert [node.option("out_features") for node in linear] == [E("2*(d + 1)")]
    assert drawing.parameters == total


def test_what_cannot_be_a_block_is_refused_with_a_sentence() -> None:
    drawing = Drawing()
    x = drawing.input("B", 8)
    first = drawing.add("ReLU", x)
    middle = drawing.add("Tanh", first)
    last = drawing.add("Sigmoid", middle)
    cases: list[tuple[list[NodeId], str, str]] = [
        ([], "", "Select the layers first"),
        ([x, first], "", "input1 stays outside"),
        ([first, last], "", "tanh1 is between these layers"),
        ([first], "Linear", "cannot be a class"),
        ([99], "", "There is no layer 99"),
    ]
    before = drawing.editor.document
    for chosen, name, text in cases:
        with pytest.raises(edits.Refused, match=text):
            drawing.do(group(chosen, name))
    with pytest.raises(edits.Refused, match="relu1 is not a block"):
        drawing.do(unpack(first))
    assert drawing.editor.document is before
    drawing.do(add_block("Taken"))
    with pytest.raises(edits.Refused, match="There is a block Taken already"):
        drawing.do(group([first], "Taken"))


def test_copies_are_unfolded_before_they_are_unpacked() -> None:
    drawing = Drawing()
    fc = drawing.add("Linear", drawing.input("B", 8), out_features=8)
    drawing.add("Output", fc)
    drawing.do(group([fc], "One"))
    (use,) = (id for id, n in drawing.editor.document.graph.nodes.items() if n.kind == "block:One")
    drawing.do(edits.set_options([use], {"copies": 3}))
    with pytest.raises(edits.Refused, match="one1 is several copies"):
        drawing.do(unpack(use))


def test_ports_without_wires_leave_nothing_behind() -> None:
    drawing = Drawing()
    fc = drawing.add("Linear", drawing.input("B", 8), out_features=8)
    end = drawing.add("Output", fc)
    drawing.do(group([fc], "One"))
    use = next(iter(drawing.editor.document.graph.edges_into(end))).source.node
    drawing.do(edits.disconnect(*(e.target for e in drawing.editor.document.graph.edges_into(use))))
    drawing.do(unpack(use))
    graph = drawing.editor.document.graph
    assert [edge.source for edge in graph.edges()] == [Source(fc, "out")]
