"""Blocks and presets in files: kept, and checked as the document's own graph is."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from designer.core import edits
from designer.core.analysis import Analysis
from designer.core.block import BLOCK
from designer.core.block_edits import add_block, set_preset
from designer.core.document import Block, Document, Variable
from designer.core.expression import Expression
from designer.core.grouping import group
from designer.files import limits
from designer.files.codec import read_document, write_document
from designer.files.limits import BLOCKS_WITHIN
from designer.files.refusal import Refusal
from tests.core.drawing import Drawing
from tests.files.test_codec import JSON, notices, plain, problems, read, spots

if TYPE_CHECKING:
    from collections.abc import Callable


def drawn() -> Document:
    """A feed-forward part as a block with an argument, in a block that adds it to its input."""
    drawing = Drawing(d_model=8)
    x = drawing.input("B", "d_model")
    up = drawing.add("Linear", x, out_features=Expression("4*d_model"))
    down = drawing.add("Linear", drawing.add("ReLU", up), out_features=Expression("d_model"))
    both = drawing.add("Add", x, down)
    drawing.add("Output", both)
    drawing.do(group([up, up + 1, down], "Mlp"))
    use = max(drawing.editor.document.graph.nodes)
    drawing.do(group([use, both], "Layer"))
    drawing.do(set_preset("wide", {"d_model": 16}))
    return drawing.editor.document


@pytest.fixture
def data() -> dict[str, Any]:
    return plain(drawn())


def test_blocks_and_presets_come_back(data: dict[str, Any]) -> None:
    document = drawn()
    again = read(data)
    assert again == document
    assert write_document(again) == write_document(document)
    assert list(again.blocks) == ["Mlp", "Layer"]
    assert again.presets == {"wide": {"d_model": 16}}
    assert again.next_id == document.next_id
    assert Analysis(again).totals() == Analysis(document).totals()
    assert Analysis(again).totals().parameters == 8 * 32 + 32 + 32 * 8 + 8
    assert notices(data) == []


def test_a_document_without_blocks_has_no_section_for_them() -> None:
    drawing = Drawing()
    drawing.input("B", 3)
    assert plain(drawing.editor.document).keys().isdisjoint(("blocks", "presets"))
    assert read({**plain(drawing.editor.document), "blocks": {}}) == drawing.editor.document


def test_positions_of_all_levels_stand_in_one_section(data: dict[str, Any]) -> None:
    ids = [node["id"] for owner in (data, *data["blocks"].values()) for node in owner["nodes"]]
    assert [id for id, *_ in data["layout"]] == sorted(ids)


def test_options_of_uses_are_spelled_by_the_arguments() -> None:
    arguments = {
        "width": Variable(8),
        "half": Variable(Expression("width//2")),
        "rate": Variable(0.5),
        "flag": Variable(True),
        "mode": Variable("zeros", choices=("zeros", "circular")),
    }
    drawing = Drawing(width=4, which=Variable("zeros").value)
    drawing.do(add_block("Part", Block(arguments=arguments)))
    values = {
        "width": Expression("2*width"),
        "rate": Expression("1/width"),
        "flag": Expression("width > 3"),
        "mode": Expression("which"),
        "half": None,
    }
    drawing.do(edits.add_node("block:Part", (0.0, 0.0), values))
    (use,) = plain(drawing.editor.document)["nodes"]
    assert use["options"] == {
        "width": "2*width",
        "half": None,
        "rate": "1/width",
        "flag": "width > 3",
        "mode": {"expression": "which"},
        "copies": 1,
        "sharing": "own",
    }
    assert read(plain(drawing.editor.document)) == drawing.editor.document
    drawing.do(edits.set_options([use["id"]], {"mode": "circular"}))
    assert plain(drawing.editor.document)["nodes"][0]["options"]["mode"] == "circular"
    assert read(plain(drawing.editor.document)) == drawing.editor.document


def test_missing_options_of_a_use_are_not_given(data: dict[str, Any]) -> None:
    use = next(node for node in data["nodes"] if node["kind"] == "block:Layer")
    use["options"] = {"copies": 3, "colour": "red"}
    options = read(data).graph.nodes[use["id"]].options
    assert options == (
        ("d_model", None),
        ("copies", 3),
        ("sharing", "own"),
        ("colour", "red"),
    )
    index = data["nodes"].index(use)
    place = f"$.nodes[{index}].options.colour"
    assert notices(data) == [f"block:Layer has no option {place}; it is kept."]


def test_a_use_of_a_block_that_is_not_there_is_kept(data: dict[str, Any]) -> None:
    foreign = {"id": 90, "name": "gone", "kind": "block:Gone", "options": {"width": "4*d"}}
    data["blocks"]["Mlp"]["nodes"].append(foreign)
    assert plain(read(data)) == data
    assert notices(data) == ['The kind "block:Gone" is unknown; its layers are kept.']


def test_unknown_fields_of_blocks_are_kept(data: dict[str, Any]) -> None:
    data["blocks"]["Mlp"]["colour"] = {"hue": 4}
    data["blocks"]["Mlp"]["arguments"]["d_model"]["unit"] = "px"
    data["blocks"]["Layer"]["nodes"][0]["group"] = 1
    assert json.dumps(plain(read(data))) == json.dumps(data)
    assert set(notices(data)) == {
        "The field $.blocks.Mlp.colour is unknown; it is kept.",
        "The field $.blocks.Mlp.arguments.d_model.unit is unknown; it is kept.",
        "The field $.blocks.Layer.nodes[0].group is unknown; it is kept.",
    }


def test_a_value_for_a_variable_that_is_not_declared_is_kept(data: dict[str, Any]) -> None:
    data["presets"]["wide"]["n_heads"] = "many"
    assert plain(read(data)) == data
    told = "$.presets.wide.n_heads is for a variable that is not declared; it is kept."
    assert notices(data) == [told]


# What is refused


def first(data: dict[str, Any], name: str = "Mlp") -> dict[str, Any]:
    found: dict[str, Any] = data["blocks"][name]["nodes"][0]
    return found


def use_of(name: str, id: int) -> dict[str, Any]:
    return {"id": id, "name": "use", "kind": f"{BLOCK}{name}", "options": {}}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda d: d.update(blocks=[]), "$.blocks: must be an object, is a list."),
        (lambda d: d["blocks"].update(B=3), "$.blocks.B: must be an object, is 3."),
        (lambda d: d["blocks"].update({"a b": {}}), '$.blocks["a b"]: a b cannot be a class'),
        (lambda d: d["blocks"].update({"class": {}}), "$.blocks.class: class cannot be a class"),
        (lambda d: d["blocks"].update(Linear={}), "$.blocks.Linear: Linear cannot be a class"),
        (lambda d: d["blocks"]["Mlp"].update(note=3), "$.blocks.Mlp.note: must be a text, is 3."),
        (lambda d: d["blocks"]["Mlp"].update(nodes={}), "$.blocks.Mlp.nodes: must be a list"),
        (lambda d: d["blocks"]["Mlp"].update(arguments=[]), "$.blocks.Mlp.arguments: must be an"),
        (
            lambda d: d["blocks"]["Mlp"]["arguments"].update({"x y": {"value": 1}}),
            '$.blocks.Mlp.arguments["x y"]: A name has',
        ),
        (
            lambda d: d["blocks"]["Mlp"]["arguments"].update(copies={"value": 1}),
            "$.blocks.Mlp.arguments.copies: copies has a meaning already.",
        ),
        (
            lambda d: d["blocks"]["Mlp"]["arguments"].update(inputs={"value": 1}),
            "$.blocks.Mlp.arguments.inputs: inputs has a meaning already.",
        ),
        (
            lambda d: first(d).update(id=d["nodes"][0]["id"]),
            "$.blocks.Mlp.nodes[0].id: the id 1 belongs to another node already.",
        ),
        (
            lambda d: first(d).update(id=first(d, "Layer")["id"]),
            "$.blocks.Layer.nodes[0].id: the id",
        ),
        (lambda d: first(d).pop("kind"), "$.blocks.Mlp.nodes[0].kind: is missing."),
        (
            lambda d: d["blocks"]["Mlp"]["edges"].append([1, "out", 2, "y"]),
            "$.blocks.Mlp.edges[4][0]: there is no node 1.",
        ),
        (
            lambda d: d["blocks"]["Mlp"]["edges"].append([4, "out", 2, "y"]),
            "$.blocks.Mlp.edges[4]: the wire from node 4 to node 2 closes a loop.",
        ),
        (
            lambda d: d["blocks"]["Mlp"]["ties"].append([2, "weight", 1, "weight"]),
            "$.blocks.Mlp.ties[0][2]: there is no node 1.",
        ),
        (
            lambda d: d["blocks"]["Mlp"]["nodes"].append(use_of("Mlp", 99)),
            "$.blocks.Mlp: a block contains itself: Mlp → Mlp.",
        ),
        (
            lambda d: d["blocks"]["Mlp"]["nodes"].append(use_of("Layer", 99)),
            "$.blocks.Mlp: a block contains itself: Mlp → Layer → Mlp.",
        ),
        (lambda d: d.update(presets=[]), "$.presets: must be an object, is a list."),
        (lambda d: d["presets"].update(wide=3), "$.presets.wide: must be an object, is 3."),
        (lambda d: d["presets"].update({" ": {}}), '$.presets[" "]: A preset needs a name'),
        (lambda d: d["presets"].update({"n" * 101: {}}), "A preset needs a name of at most 100"),
        (
            lambda d: d["presets"]["wide"].update(d_model=None),
            "$.presets.wide.d_model: must be a number, true, false or a text.",
        ),
        (
            lambda d: d["presets"]["wide"].update(d_model={"expression": "4*n"}),
            "$.presets.wide.d_model: must be a number, true, false or a text.",
        ),
        (
            lambda d: d["presets"]["wide"].update(d_model=[1]),
            "$.presets.wide.d_model: must be a number",
        ),
    ],
)
def test_fault_is_named_with_its_place(
    data: dict[str, Any], change: Callable[[dict[str, Any]], object], expected: str
) -> None:
    change(data)
    assert any(expected in sentence for sentence in problems(data))


def nested(depth: int, uses: int = 1) -> dict[str, Any]:
    """Blocks B0, B1 … each of which is made of `uses` of the one before."""
    blocks: dict[str, Any] = {"B0": {"nodes": [{**use_of("B0", 1), "kind": "ReLU"}]}}
    for level in range(1, depth):
        ids = range(100 * level, 100 * level + uses)
        blocks[f"B{level}"] = {"nodes": [use_of(f"B{level - 1}", id) for id in ids]}
    return {"format": "netdraft", "version": 1, "blocks": blocks}


def test_a_long_circle_is_told_in_short() -> None:
    data = nested(30)
    data["blocks"]["B0"]["nodes"].append(use_of("B29", 9))
    way = "B0 → B29 → B28 → B27 → … → B2 → B1 → B0"
    assert problems(data) == [f"$.blocks.B0: a block contains itself: {way}."]


def test_blocks_within_blocks_are_limited_and_can_be_analysed() -> None:
    deepest = nested(BLOCKS_WITHIN)
    deepest["nodes"] = [use_of(f"B{BLOCKS_WITHIN - 1}", 9_999)]
    assert Analysis(read(deepest)).findings[9_999].result is not None
    assert problems(nested(BLOCKS_WITHIN + 1)) == [
        "$.blocks.B64: blocks are within one another to more than 64 levels."
    ]


def test_layers_that_blocks_make_of_a_small_file_are_limited() -> None:
    assert problems(nested(8, uses=8)) == [
        "$.blocks.B7: with those of its blocks it has more than 1,000,000 layers."
    ]
    data = {**nested(7, uses=8), "nodes": [use_of("B6", 9_990 + n) for n in range(5)]}
    assert problems(data) == ["$: with those of its blocks it has more than 1,000,000 layers."]


def test_nodes_of_all_graphs_together_are_limited() -> None:
    node = {"name": "n", "kind": "ReLU", "options": {}}
    count = limits.NODES // 2 + 1
    top = [{"id": id, **node} for id in range(1, count + 1)]
    inner = [{"id": id, **node} for id in range(count + 1, 2 * count + 1)]
    data = {"format": "netdraft", "version": 1, "nodes": top, "blocks": {"B": {"nodes": inner}}}
    assert problems(data) == [
        "$.blocks.B.nodes: 100,002 items with those of other graphs, at most 100,000 are allowed."
    ]


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_a_file_with_anything_in_any_place_of_a_block_is_read_or_refused(
    draw: st.DataObject,
) -> None:
    data = copy.deepcopy(SAVED)
    kinds = st.sampled_from(["block:Mlp", "block:Layer", "block:Gone", "d_model", "copies"])
    for _ in range(draw.draw(st.integers(1, 3))):
        sections = [data["blocks"], data["presets"]]
        owner, key = draw.draw(st.sampled_from([s for part in sections for s in spots(part)]))
        owner[key] = draw.draw(JSON | kinds)
    try:
        document = read(data)
    except Refusal:
        assert all(sentence.startswith("$") for sentence in problems(data))
    else:
        written = write_document(document)
        assert read_document(written, "x").document == document
        assert write_document(read_document(written, "x").document) == written
        Analysis(document)


SAVED = plain(drawn())
