"""Every kind of the catalogue in a file: with its defaults, and with every option changed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

import designer.layers  # noqa: F401  (fills the catalogue)
from designer.core import edits
from designer.core.layer import CATALOGUE, defaults, options_of
from designer.files.codec import read_document, write_document
from tests.core.drawing import Drawing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from designer.core.document import Document
    from designer.core.option import Option, Raw


def with_a_layer(kind: str, options: dict[str, Raw]) -> Document:
    """A design with one layer of this kind."""
    drawing = Drawing()
    drawing.do(edits.add_node(kind, (20.0, 40.0), options))
    return drawing.editor.document


def check_round_trip(document: Document) -> None:
    """A design comes back from its file equal, down to 1 and 1.0, and without notices."""
    written = write_document(document)
    loaded = read_document(written, "net.netdraft")
    assert loaded.notices == ()
    assert loaded.document == document
    nodes = document.graph.nodes
    assert {id: repr(node) for id, node in loaded.document.graph.nodes.items()} == {
        id: repr(node) for id, node in nodes.items()
    }
    assert write_document(loaded.document) == written


@pytest.mark.parametrize("kind", CATALOGUE)
def test_a_layer_with_its_defaults_comes_back(kind: str) -> None:
    document = with_a_layer(kind, {})
    (node,) = document.graph.nodes.values()
    assert node.options == defaults(CATALOGUE[kind])
    check_round_trip(document)


@pytest.mark.parametrize("kind", CATALOGUE)
def test_a_layer_with_every_option_changed_comes_back(kind: str) -> None:
    usual = dict(defaults(CATALOGUE[kind]))
    values = {
        option.name: other(option, usual[option.name]) for option in options_of(CATALOGUE[kind])
    }
    check_round_trip(with_a_layer(kind, values))


@pytest.mark.parametrize("kind", CATALOGUE)
def test_a_layer_with_empty_options_and_tuples_comes_back(kind: str) -> None:
    declared = options_of(CATALOGUE[kind])
    emptied: dict[str, Raw] = {option.name: None for option in declared if option.optional}
    several: dict[str, Raw] = {
        option.name: (one, one)
        for option in declared
        if option.many != "never" and (one := next(singles(option), None)) is not None
    }
    check_round_trip(with_a_layer(kind, {**emptied, **several}))


def other(option: Option, usual: Raw) -> Raw:
    """A legal value of an option that is not the usual one, if it has several."""
    if len(option.choices) == 1 and option.kind == "choice":
        return usual
    many = option.many == "always"
    for one in singles(option):
        value: Raw = (one, one) if many else one
        if value != usual:
            option.evaluate(value, {})
            return value
    raise AssertionError(f"{option} has no second value")


def singles(option: Option) -> Iterator[Raw]:
    """Legal values of an option, or of one place of a tuple, a few."""
    if option.choices:
        yield from option.choices
    elif option.kind == "flag":
        yield from (True, False)
    elif option.kind == "text":
        yield from ("relu", "gelu", "a b -> b a")
    else:
        low = -2 if option.minimum is None else option.minimum
        high = math.inf if option.maximum is None else option.maximum
        steps = (0, 1, 2, 3) if option.kind in ("size", "integer") else (0.0, 0.25, 0.5, 0.75)
        whole = option.kind in ("size", "integer")
        numbers = (low + step for step in steps)
        yield from (int(n) if whole else float(n) for n in numbers if n <= high)
