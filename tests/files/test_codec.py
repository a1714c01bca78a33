"""Documents to bytes and back, and everything that a damaged or foreign file may hold."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from designer.core.analysis import Analysis
from designer.core.document import Dimension, Document
from designer.core.expression import Expression
from designer.core.graph import Edge, ParamRef, Source, Target
from designer.core.layer import CATALOGUE
from designer.core.names import is_python_name
from designer.files.codec import read_document, write_document
from designer.files.limits import AXIS, COORDINATE, NODES
from designer.files.refusal import Refusal
from designer.files.upgrades import UPGRADES, VERSION, upgraded
from designer.files.values import Fields
from tests.core.drawing import Drawing, cifar10
from tests.files.strategies import documents

if TYPE_CHECKING:
    from collections.abc import Callable


SAVED = Path(__file__).parent / "version-1.netdraft"


def plain(document: Document) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(write_document(document))
    return data


def read(data: object) -> Document:
    return read_document(json.dumps(data).encode(), "net.netdraft").document


def notices(data: object) -> list[str]:
    return [str(notice) for notice in read_document(json.dumps(data).encode(), "x").notices]


def problems(data: object) -> list[str]:
    """The sentences of a refusal; each names the file."""
    with pytest.raises(Refusal) as caught:
        read_document(json.dumps(data).encode(), "net.netdraft")
    found = [str(problem) for problem in caught.value.problems]
    assert all(sentence.startswith("net.netdraft, $") for sentence in found)
    assert str(caught.value).startswith(found[0])
    return [sentence.removeprefix("net.netdraft, ") for sentence in found]


@pytest.fixture
def drawn() -> Document:
    """The CIFAR-10 CNN with a variable, a tie and an unknown field."""
    drawing = Drawing(d_model=768, inner=Expression("4*d_model"))
    first = cifar10(drawing)
    drawing.tie(first + 2, first)
    return drawing.editor.document


@pytest.fixture
def data(drawn: Document) -> dict[str, Any]:
    return plain(drawn)


# Round trips


def fields_of(document: Document) -> dict[str, Any]:
    return {name: getattr(document, name) for name in Document.__dataclass_fields__}


@given(documents())
@settings(max_examples=150, deadline=None)
def test_documents_come_back_as_they_were(document: Document) -> None:
    written = write_document(document)
    loaded = read_document(written, "net.netdraft")
    again = loaded.document
    assert again == document
    assert loaded.version == VERSION
    assert write_document(again) == written
    # 1, 1.0 and True are equal; their texts are not.
    assert repr(again.variables) == repr(document.variables)
    assert repr(again.presets) == repr(document.presets)
    for level in ("", *document.blocks):
        before, after = document.at(level).graph, again.at(level).graph
        assert list(after.edges()) == list(before.edges())
        for id in before.ids():
            assert repr(after.nodes[id]) == repr(before.nodes[id])
            assert list(after.edges_from(id)) == list(before.edges_from(id))


def test_next_id_is_free(drawn: Document) -> None:
    assert read(plain(drawn)).next_id == max(drawn.graph.ids()) + 1
    assert read({"format": "netdraft", "version": 1}) == Document()


def test_numbers_of_a_read_design_are_those_of_the_drawn_one(drawn: Document) -> None:
    analysis, before = Analysis(read(plain(drawn))), Analysis(drawn)
    assert analysis.totals() == before.totals()
    for id, finding in before.findings.items():
        assert analysis.findings[id].outputs == finding.outputs
        assert analysis.findings[id].counted == finding.counted


def test_saved_file_of_version_1_stays_readable() -> None:
    saved = SAVED.read_bytes()
    loaded = read_document(saved, SAVED.name)
    graph = loaded.document.graph
    assert write_document(loaded.document) == saved
    assert loaded.version == 1
    assert loaded.document.title == "A design with all that a file can hold"
    assert loaded.document.variables["hidden"].value == Expression("4*d_model")
    assert loaded.document.variables["mode"].value == "zeros"
    assert loaded.document.dimensions["B"] == Dimension("batch", 8, 2)
    assert graph.nodes[2].option("padding_mode") == Expression("mode")
    assert graph.nodes[2].option("padding") == "same"
    assert graph.nodes[2].option("out_channels") == Expression("hidden//2")
    assert graph.nodes[3].options == (("rate", "0.5"), ("tree", Fields([("depth", (1, 2.0))])))
    assert graph.nodes[3].extra == (("colour", "red"),)
    assert not graph.nodes[4].trainable
    assert graph.nodes[4].attribute == "layer"
    assert graph.source(Target(5, "xs", 1)) == Source(3, "out")
    assert dict(graph.ties) == {ParamRef(6, "weight"): ParamRef(4, "weight")}
    assert loaded.document.layout[6] == (40.5, 600.0)
    assert loaded.document.settings == {"batch": 8}
    assert loaded.document.extra == (("future", Fields([("on", True)])),)
    assert [str(notice) for notice in loaded.notices] == [
        'The kind "Unknown" is unknown; its layers are kept.',
        "The field $.nodes[2].colour is unknown; it is kept.",
        "The field $.future is unknown; it is kept.",
    ]


def test_rows_make_small_differences(drawn: Document) -> None:
    before = write_document(drawn).decode().splitlines()
    id = max(drawn.graph.ids())
    moved = Document(**{**fields_of(drawn), "layout": drawn.layout.set(id, (1.5, 2.5))})
    after = write_document(moved).decode().splitlines()
    changed = [line for line in after if line not in before]
    assert changed == [f"    [{id}, 1.5, 2.5]"]
    assert len(before) == len(after)


def test_what_no_file_may_hold_is_replaced_in_saving(drawn: Document) -> None:
    titled = Document(**{**fields_of(drawn), "title": "a\0b\ud800c\td"})
    again = read_document(write_document(titled), "x").document
    assert again.title == "a\ufffdb\ufffdc\td"
    assert again.graph == drawn.graph


def test_position_that_is_no_number_does_not_keep_from_saving(drawn: Document) -> None:
    id = max(drawn.graph.ids())
    lost = drawn.layout.set(id, (float("nan"), float("inf")))
    document = Document(**{**fields_of(drawn), "layout": lost})
    assert read_document(write_document(document), "x").document.layout[id] == (0.0, 0.0)


# Header and versions


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ([], "$: must be an object, is a list."),
        ("netdraft", '$: must be an object, is the text "netdraft".'),
        ({"version": 1}, '$.format: is not "netdraft": this is another JSON file.'),
        ({"format": "x", "version": 1}, '$.format: is not "netdraft": this is another JSON file.'),
        ({"format": "netdraft"}, "$.version: is missing."),
        ({"format": "netdraft", "version": True}, "$.version: must be a whole number, is true."),
        ({"format": "netdraft", "version": 1.0}, "$.version: must be a whole number, is 1.0."),
        ({"format": "netdraft", "version": 0}, "$.version: must be at least 1."),
        (
            {"format": "netdraft", "version": 7, "nodes": 3},
            "$.version: version 7 needs a newer Netdraft: this one reads up to version 1.",
        ),
    ],
)
def test_header_is_checked_first(data: object, expected: str) -> None:
    assert problems(data) == [expected]


def test_older_versions_are_upgraded_step_by_step() -> None:
    upgrades: dict[int, Callable[[dict[str, object]], dict[str, object]]] = {
        1: lambda data: {**data, "layers": data["nodes"]},
        2: lambda data: {**data, "layers": [data["layers"]], "seen": data["version"]},
    }
    data: dict[str, object] = {"version": 1, "nodes": 5}
    newest = {"version": 3, "nodes": 5, "layers": [5], "seen": 2}
    assert upgraded(data, "x", upgrades, latest=3) == newest
    assert data == {"version": 1, "nodes": 5}
    assert upgraded(newest, "x", upgrades, latest=3) is newest


def test_every_older_version_has_an_upgrade() -> None:
    assert sorted(UPGRADES) == list(range(1, VERSION))


# What is wrong in a file


Change = "Callable[[dict[str, Any]], object]"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda d: d.update(nodes={}), "$.nodes: must be a list, is an object."),
        (lambda d: d.update(title=3), "$.title: must be a text, is 3."),
        (lambda d: d["nodes"].append(7), "$.nodes[16]: must be an object, is 7."),
        (lambda d: d["nodes"][1].pop("id"), "$.nodes[1].id: is missing."),
        (
            lambda d: d["nodes"][1].update(id="2"),
            '[1].id: must be a whole number, is the text "2".',
        ),
        (lambda d: d["nodes"][1].update(id=2.0), "$.nodes[1].id: must be a whole number, is 2.0."),
        (lambda d: d["nodes"][1].update(id=-2), "$.nodes[1].id: must be at least 1."),
        (lambda d: d["nodes"][1].update(id=1), "[1].id: the id 1 belongs to another node already."),
        (lambda d: d["nodes"][1].pop("kind"), "$.nodes[1].kind: is missing."),
        (lambda d: d["nodes"][1].update(kind=[]), "$.nodes[1].kind: must be a text, is a list."),
        (lambda d: d["nodes"][1].update(name="n" * 1001), "[1].name: 1,001 characters, at most"),
        (lambda d: d["nodes"][1].update(name="n" * 10**7), "[1].name: 10,000,000 characters, at"),
        (lambda d: d["nodes"][1].update(trainable=0), "[1].trainable: must be true or false, is 0"),
        (lambda d: d["nodes"][1].update(options=[]), "[1].options: must be an object, is a list."),
        (lambda d: d["edges"].append([1, "out", 99, "x"]), "$.edges[15][2]: there is no node 99."),
        (lambda d: d["edges"].append([1, "out", True, "x"]), "must be a whole number, is true."),
        (lambda d: d["edges"].append([1, "out"]), "$.edges[15][2]: is missing."),
        (lambda d: d["edges"].append([1, "a", 2, "x", 0, 9]), "$.edges[15]: 6 items, at most 5"),
        (lambda d: d["edges"].append([1, "a", 2, "x", -1]), "$.edges[15][4]: must be at least 0."),
        (lambda d: d["edges"].append([1, "out", 2, "x"]), "is a wire into x of node 2 already."),
        (
            lambda d: d["edges"].append([9, "out", 9, "y"]),
            "$.edges[15]: node 9 cannot feed itself.",
        ),
        (
            lambda d: d["edges"].append([9, "out", 2, "y"]),
            "wire from node 9 to node 2 closes a loop.",
        ),
        (lambda d: d["ties"].append([14, "weight", 2, "weight"]), "is tied already."),
        (
            lambda d: d["ties"].append([12, "weight", 2, "weight"]),
            "owner of this tie is tied itself.",
        ),
        (
            lambda d: d["ties"].append([99, "weight", 2, "weight"]),
            "$.ties[1][0]: there is no node 99.",
        ),
        (lambda d: d["layout"].append([1, 2]), "$.layout[16][2]: is missing."),
        (lambda d: d["layout"].append([1, "2", 3]), 'must be a number, is the text "2".'),
        (lambda d: d["layout"].append([1, None, 3]), "$.layout[16][1]: must be a number, is null."),
        (lambda d: d["variables"].update({"a b": {"value": 1}}), '$.variables["a b"]: A name has'),
        (lambda d: d["variables"].update({"min": {"value": 1}}), "min is a function."),
        (lambda d: d["variables"].update({"lambda": {"value": 1}}), "lambda is a word of Python."),
        (lambda d: d["variables"].update(n={}), "$.variables.n.value: is missing."),
        (lambda d: d["variables"].update(n=3), "$.variables.n: must be an object, is 3."),
        (lambda d: d["variables"].update(n={"value": 1, "note": 2}), "n.note: must be a text"),
        (lambda d: d["variables"].update(n={"value": 1, "choices": [1]}), "n.choices[0]: must be"),
        (
            lambda d: d["variables"].update(n={"value": 1, "divisors": [True]}),
            "n.divisors[0]: must",
        ),
        (lambda d: d["dimensions"].update(d_model={}), "$.dimensions.d_model: is declared as a"),
        (lambda d: d["dimensions"].update({"x-y": {}}), '$.dimensions["x-y"]: A name has plain'),
        (
            lambda d: d["dimensions"]["B"].update(trial=0),
            "$.dimensions.B.trial: must be at least 1.",
        ),
        (
            lambda d: d["dimensions"]["B"].update(trial=AXIS + 1),
            "B.trial: must be at most 9,223,372",
        ),
        (
            lambda d: d["dimensions"]["B"].update(multiple=None),
            "B.multiple: must be a whole number",
        ),
        (lambda d: d.update(settings=[]), "$.settings: must be an object, is a list."),
    ],
)
def test_fault_is_named_with_its_place(
    data: dict[str, Any], change: Callable[[dict[str, Any]], object], expected: str
) -> None:
    read(data)
    change(data)
    found = problems(data)
    assert any(expected in sentence for sentence in found)
    assert found[0].startswith("$")


def test_all_faults_are_told_at_once(data: dict[str, Any]) -> None:
    data["nodes"][1]["name"] = 5
    data["nodes"][3]["id"] = 1
    data["edges"] += [[1, "out", 77, "x"], [5, "out", 5, "y"], [8, "", 5, "z"]]
    data["layout"].append([1])
    found = problems(data)
    assert [sentence.split(":")[0] for sentence in found] == [
        "$.nodes[1].name",
        "$.nodes[3].id",
        "$.edges[2][2]",
        "$.edges[3][0]",
        "$.edges[15][2]",
        "$.edges[16]",
        "$.edges[17]",
        "$.layout[16][1]",
    ]
    with pytest.raises(Refusal, match="And 7 more faults"):
        read(data)


def test_many_faults_are_counted_but_not_all_listed(data: dict[str, Any]) -> None:
    data["edges"] += [[1, "out", 77, "x"]] * 5000
    assert len(problems(data)) == 100
    with pytest.raises(Refusal, match="And 4,999 more faults"):
        read(data)


def test_long_loop_is_found(data: dict[str, Any]) -> None:
    node = {"kind": "ReLU", "options": {}}
    count = 20_000
    data["nodes"] = [{"id": id, "name": f"n{id}", **node} for id in range(1, count + 1)]
    data["edges"] = [[id, "out", id % count + 1, "x"] for id in range(1, count + 1)]
    data["ties"], data["layout"] = [], []
    assert problems(data) == [
        f"$.edges[{count - 1}]: the wire from node {count} to node 1 closes a loop."
    ]
    data["edges"].pop()
    assert len(read(data).graph.nodes) == count


def test_number_of_nodes_is_limited(data: dict[str, Any]) -> None:
    data["nodes"] = [{}] * (NODES + 1)
    assert problems(data)[0] == "$.nodes: 100,001 items, at most 100,000 are allowed."


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 30)
    | st.sampled_from([2**63, 0.5, -0.0, 1e300, "", "x", "B", "ReLU", "out", "\u202e<b>&", "n\n"]),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.sampled_from(["id", "text", "expression", "kind", "x y"]), inner)
    ),
    max_leaves=6,
)


def spots(value: Any) -> list[tuple[Any, Any]]:
    """Every list and object in some data, with each of its keys."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    own = [(value, key) for key in keys]
    inner = [value[key] for key in keys if isinstance(value[key], dict | list)]
    return own + [spot for child in inner for spot in spots(child)]


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_file_with_anything_in_any_place_is_read_or_refused(draw: st.DataObject) -> None:
    data = json.loads(SAVED.read_bytes())
    for _ in range(draw.draw(st.integers(1, 3))):
        owner, key = draw.draw(st.sampled_from(spots(data)))
        owner[key] = draw.draw(JSON)
    try:
        document = read(data)
    except Refusal:
        problems(data)
    else:
        written = write_document(document)
        assert read_document(written, "x").document == document
        assert write_document(read_document(written, "x").document) == written
        Analysis(document)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_bytes_are_read_or_refused(draw: st.DataObject) -> None:
    data = bytearray(SAVED.read_bytes())
    for _ in range(draw.draw(st.integers(1, 4))):
        start = draw.draw(st.integers(0, len(data) - 1))
        length = draw.draw(st.integers(0, 8))
        data[start : start + length] = draw.draw(st.binary(max_size=8))
    try:
        document = read_document(bytes(data), "x").document
    except Refusal as refusal:
        told = str(refusal)
    else:
        told = "x" if read_document(write_document(document), "x").document == document else ""
    assert told.startswith("x")


# What is kept or put right


def test_unknown_kind_is_kept_as_it_is(data: dict[str, Any]) -> None:
    foreign = {
        "id": 50,
        "name": "<img src=//h/x.png> & é\u202e",
        "kind": "__import__('os').system",
        "options": {"b": [1, {"z": 1.0, "a": None}], "a": "4*x", "c": {"expression": "n"}},
        "colour": {"text": "x"},
    }
    data["nodes"] += [foreign, {**foreign, "id": 51}]
    read_back = read(copy.deepcopy(data))
    again = plain(read_back)["nodes"][-2]
    assert again.pop("attribute") == "img_src_h_x_png_e"
    assert json.dumps(again) == json.dumps(foreign)
    assert (
        notices(data)[0]
        == "The kind \"__import__('os').system\" is unknown; its layers are kept. (2 times)"
    )
    assert not Analysis(read_back).findings[50].counted.parameters


def test_unknown_options_and_fields_are_kept(data: dict[str, Any]) -> None:
    data["nodes"][1]["options"]["spectral"] = {"text": "9"}
    data["nodes"][1]["colour"] = "red"
    data["nodes"][2]["colour"] = "blue"
    data["variables"]["d_model"]["unit"] = "px"
    data["dimensions"]["B"]["unit"] = None
    data["groups"] = [{"nodes": []}]
    assert json.dumps(plain(read(data))) == json.dumps(data)
    assert notices(data) == [
        "Conv2d has no option $.nodes[1].options.spectral; it is kept.",
        "The field $.nodes[1].colour is unknown; it is kept. (2 times)",
        "The field $.variables.d_model.unit is unknown; it is kept.",
        "The field $.dimensions.B.unit is unknown; it is kept.",
        "The field $.groups is unknown; it is kept.",
    ]


def test_missing_options_get_the_defaults_of_pytorch(data: dict[str, Any]) -> None:
    data["nodes"][1]["options"] = {"kernel_size": 5, "out_channels": "d_model"}
    options = read(data).graph.nodes[2].options
    assert [name for name, _ in options] == [option.name for option in CATALOGUE["Conv2d"].declared]
    given = dict(options)
    assert (given["kernel_size"], given["out_channels"]) == (5, Expression("d_model"))
    assert (given["bias"], given["padding"], given["padding_mode"]) == (True, 0, "zeros")


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ("stem", "stem"),
        ("forward", "conv1"),
        ("__class__", "conv1"),
        ("a; import os", "conv1"),
        ("", "conv1"),
        ("relu1", "conv1"),
        ("\uff46\uff43", "conv1"),
    ],
)
def test_names_in_code_are_checked(data: dict[str, Any], attribute: str, expected: str) -> None:
    data["nodes"][0]["attribute"] = "relu1"
    data["nodes"][2].pop("name")
    data["nodes"][2]["name"] = "ReLU"
    data["nodes"][1]["attribute"] = attribute
    document = read(data)
    assert document.graph.nodes[2].attribute == expected
    told = [f"In code {attribute} is called conv1."] if expected == "conv1" else []
    assert notices(data) == told


def test_equal_names_get_names_of_their_own_in_code(data: dict[str, Any]) -> None:
    node = {"name": "ReLU é" * 20, "kind": "ReLU", "options": {}}
    data["nodes"] = [{"id": id, **node} for id in range(1, 501)]
    data["edges"], data["ties"], data["layout"] = [], [], []
    attributes = [node.attribute for node in read(data).graph.nodes.values()]
    assert len(set(attributes)) == 500
    assert all(map(is_python_name, attributes))
    again = read(plain(read(data)))
    assert again == read(data)


def test_positions_come_within_reach(data: dict[str, Any]) -> None:
    data["layout"][0] = [1, 1e300, -(10**20)]
    data["layout"][1] = [2, 5, -0.0]
    data["layout"].append([99, 1, 2])
    layout = read(data).layout
    assert layout[1] == (COORDINATE, -COORDINATE)
    assert layout[2] == (5.0, 0.0)
    assert 99 not in layout
    assert notices(data) == [
        "A position out of reach is moved: $.layout[0].",
        "A position of no node is left out: $.layout[16].",
    ]


def test_node_without_a_position_is_read(data: dict[str, Any]) -> None:
    del data["layout"][3:]
    assert sorted(read(data).layout) == [1, 2, 3]


def test_edges_of_a_variadic_port_keep_their_slots() -> None:
    drawing = Drawing()
    first, second = drawing.input("B", 4), drawing.input("B", 4)
    concat = drawing.add("Concat", second, first, second)
    document = drawing.editor.document
    assert [edge[4:] for edge in plain(document)["edges"]] == [[], [1], [2]]
    edges = list(read(plain(document)).graph.edges_into(concat))
    assert [edge.source.node for edge in edges] == [second, first, second]
    assert edges[1] == Edge(Source(first, "out"), Target(concat, edges[0].target.port, 1))
