"""Custom layers in files: what is written is read, what is odd is refused with its place."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from designer.core.analysis import Analysis
from designer.core.custom import Custom, misnamed
from designer.core.document import Document
from designer.core.graph import Graph, Node
from designer.files.codec import read_document, write_document
from designer.files.refusal import Refusal
from tests.core.customs import GATED, PAIRS


def document(*customs: Custom) -> Document:
    """A document with these custom layers."""
    return Document(customs={custom.name: custom for custom in customs})


def read(data: bytes) -> Document:
    """The document in some bytes; nothing may be told of it."""
    loaded = read_document(data, "test.netdraft")
    assert loaded.notices == ()
    return loaded.document


def test_what_is_written_is_read() -> None:
    options = (("width", 8), ("groups", 2), ("eps", 0.5), ("bias", False), ("mode", "add"))
    graph = Graph().with_node(1, Node("a", "a", "custom:GatedScale", options))
    made = replace(document(GATED, PAIRS), graph=graph)
    data = write_document(made)
    assert read(data) == made
    assert write_document(read(data)) == data


def test_a_source_stands_line_by_line() -> None:
    text = write_document(document(GATED)).decode()
    for line in GATED.source.split("\n"):
        assert f"\n        {json.dumps(line)}" in text


def test_a_design_without_custom_layers_has_no_section() -> None:
    assert b"customs" not in write_document(Document())


def test_options_that_a_use_lacks_have_the_declared_defaults() -> None:
    graph = Graph().with_node(1, Node("a", "a", "custom:GatedScale", (("groups", 4),)))
    plain = json.loads(write_document(replace(document(GATED), graph=graph)))
    plain["nodes"][0]["options"] = {"groups": 4}
    found = read(json.dumps(plain).encode())
    assert dict(found.graph.nodes[1].options) == {
        "width": None,
        "groups": 4,
        "eps": 1e-5,
        "bias": True,
        "mode": "mul",
    }
    assert Analysis(found).kind("custom:GatedScale") is not None


def test_unknown_fields_are_kept() -> None:
    plain = json.loads(write_document(document(GATED)))
    custom = plain["customs"]["GatedScale"]
    custom["colour"] = "red"
    for key in ("inputs", "options", "outputs", "params"):
        custom[key][0]["more"] = [1, {"a": None}]
    loaded = read_document(json.dumps(plain).encode(), "test.netdraft")
    assert len(loaded.notices) == 5
    assert json.loads(write_document(loaded.document)) == plain


def change(plain: dict[str, Any], path: tuple[Any, ...], value: object) -> None:
    """Put a value somewhere in plain data."""
    *way, last = path
    for key in way:
        plain = plain[key]
    plain[last] = value


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("source",), "class X: pass", "$.customs.GatedScale.source: must be a list, is the text"),
        (("source", 0), 3, "$.customs.GatedScale.source[0]: must be a text, is 3."),
        (("source",), ["x" * 60_000] * 2, "120,001 characters, at most 100,000 are allowed."),
        (("inputs", 0, "axes"), "d", "$.customs.GatedScale.inputs[0].axes: must be a list"),
        (("inputs", 0, "axes"), ["d"] * 65, "65 items, at most 64 are allowed."),
        (("inputs", 0, "optional"), 1, "inputs[0].optional: must be true or false, is 1."),
        (("inputs", 0), {}, "$.customs.GatedScale.inputs[0].name: is missing."),
        (("inputs", 0, "name"), "self", "$.customs.GatedScale: self has a meaning already."),
        (("options", 1, "default"), [1], "groups has no type or default of an option."),
        (("options", 1, "default"), {"expression": "a"}, "groups has no type or default"),
        (("options", 1, "default"), "a", "groups takes a whole number, got a."),
        (("options", 1, "type"), "text", "groups has no type or default of an option."),
        (("options", 1, "name"), "kind", "kind has a meaning already."),
        (("params", 0, "part"), "gain", "weight cannot be a parameter."),
        (("params", 1, "name"), "weight", "Two parts of GatedScale have one name."),
        (("flops",), None, "$.customs.GatedScale.flops: must be a text, is null."),
        ((), [], "$.customs.GatedScale: must be an object, is a list."),
    ],
)
def test_what_is_odd_is_refused_with_its_place(
    path: tuple[Any, ...], value: object, expected: str
) -> None:
    plain = json.loads(write_document(document(GATED)))
    change(plain, ("customs", "GatedScale", *path), value)
    with pytest.raises(Refusal) as refused:
        read_document(json.dumps(plain).encode(), "test.netdraft")
    assert expected in str(refused.value)


@pytest.mark.parametrize("name", ["", "os.system", "class", "A" * 200, "nn", "__x"])
def test_names_that_no_class_can_have_are_refused(name: str) -> None:
    plain = json.loads(write_document(document(GATED)))
    plain["customs"][name] = plain["customs"].pop("GatedScale")
    with pytest.raises(Refusal, match="cannot be the name of a class"):
        read_document(json.dumps(plain).encode(), "test.netdraft")


def test_texts_that_take_long_to_read_are_refused() -> None:
    customs = [Custom(f"C{n}", source="#" * 90_000) for n in range(12)]
    with pytest.raises(Refusal, match=r"\$\.customs: sources of 1,080,000 characters, at most"):
        read_document(write_document(document(*customs)), "test.netdraft")


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\r\t"))


@given(TEXTS, TEXTS, st.lists(TEXTS, max_size=3))
def test_any_text_comes_back_as_it_was(source: str, note: str, axes: list[str]) -> None:
    inputs = (replace(GATED.inputs[0], axes=tuple(axes)), *GATED.inputs[1:])
    made = replace(GATED, source=source, note=note, inputs=inputs, flops=note)
    assert misnamed(made) is None
    found = read(write_document(document(made)))
    assert found.customs == {"GatedScale": made}
