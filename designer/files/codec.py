"""The document as a file holds it: Document to plain data and bytes, and back.

A file is one JSON object. `format` and `version` say what it is. `nodes` holds the layers, each
with all its options, `attribute` where code calls it otherwise, and `trainable` where it is
locked. `edges` holds wires as [node, output, node, input], with a fifth item for the slot of a
variadic input; `ties` holds [node, parameter, node, parameter], the second of them the owner;
`layout` holds [node, x, y]. What this version does not know is kept and written back.
"""

from __future__ import annotations

import gc
import math
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from designer.core.message import message
from designer.files import place as take
from designer.files.gathering import Gathering
from designer.files.place import Place
from designer.files.plain import Rows, read_plain, write_plain
from designer.files.reader import document_of
from designer.files.upgrades import VERSION, upgraded
from designer.files.values import PLAIN, SCALARS, Spelling, encoded, spellings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from designer.core.document import Dimension, Document, Variable
    from designer.core.graph import Graph, Node, NodeId
    from designer.core.message import Message

FORMAT = "netdraft"
REPLACEMENT = "\ufffd"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A document that was read, what there is to tell of it, and the version of its file."""

    document: Document
    notices: tuple[Message, ...]
    version: int


def read_document(data: bytes, where: str) -> Loaded:
    """The document in the bytes of the file `where`.

    Raises Refusal for a file that is no document, is of a newer version, or is damaged; its
    `problems` then hold all that is wrong.
    """
    with collector_resting():
        plain = _header(read_plain(data, where), Place("$", where))
        file = Gathering(upgraded(plain, where), where)
        return Loaded(document_of(file), file.notices(), int(plain["version"]))


def _header(plain: object, place: Place) -> dict[str, Any]:
    """The plain data, which must say that it is a document of some version."""
    data = take.as_mapping(plain, place)
    if data.get("format") != FORMAT:
        raise place.at("format").refusal(message('is not "netdraft": this is another JSON file.'))
    take.integer(data, "version", place, min=1)
    return data


@contextmanager
def collector_resting() -> Iterator[None]:
    """Build many values, none of which is garbage, without the collector walking them all again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def write_document(document: Document) -> bytes:
    """The bytes of a document; the same document gives the same bytes.

    Control characters and halves of characters, which no file may hold, are written as U+FFFD.
    """
    with collector_resting():
        plain = plain_document(document)
        try:
            return write_plain(plain)
        except TypeError:
            return write_plain(_legible(plain))


def plain_document(document: Document) -> dict[str, Any]:
    """The plain data of a document, in the order in which a file has it."""
    graph, nodes = document.graph, document.graph.nodes
    return {
        "format": FORMAT,
        "version": VERSION,
        "title": document.title,
        "variables": Rows({name: _variable(v) for name, v in document.variables.items()}),
        "dimensions": Rows({name: _dimension(d) for name, d in document.dimensions.items()}),
        "nodes": Rows([_node(id, nodes[id]) for id in graph.ids()]),
        "edges": Rows([edge for id in sorted(graph.sources) for edge in _edges(id, graph)]),
        "ties": Rows([[*param, *owner] for param, owner in sorted(graph.ties.items())]),
        "layout": Rows([_position(id, *xy) for id, xy in sorted(document.layout.items())]),
        "settings": {name: encoded(value) for name, value in document.settings.items()},
        **_extra(document),
    }


def _extra(owner: Document | Node | Variable | Dimension) -> dict[str, object]:
    return {name: encoded(value) for name, value in owner.extra}


def _variable(variable: Variable) -> dict[str, object]:
    return {
        "value": encoded(variable.value, Spelling(True, variable.choices)),
        "note": variable.note,
        "choices": list(variable.choices),
        "divisors": list(variable.divisors),
        **_extra(variable),
    }


def _dimension(dimension: Dimension) -> dict[str, object]:
    return {
        "meaning": dimension.meaning,
        "trial": dimension.trial,
        "multiple": dimension.multiple,
        **_extra(dimension),
    }


def _node(id: NodeId, node: Node) -> dict[str, object]:
    known = spellings(node.kind)
    return {
        "id": id,
        "name": node.name,
        **({} if node.attribute == node.name else {"attribute": node.attribute}),
        "kind": node.kind,
        **({} if node.trainable else {"trainable": False}),
        "options": {
            name: raw if type(raw) in SCALARS else encoded(raw, known.get(name, PLAIN))
            for name, raw in node.options
        },
        **_extra(node),
    }


def _edges(target: NodeId, graph: Graph) -> Iterator[list[object]]:
    """The wires into a node, by port and slot."""
    for (port, slot), (source, output) in sorted(graph.sources[target].items()):
        yield [source, output, target, port, slot] if slot else [source, output, target, port]


def _position(id: NodeId, x: float, y: float) -> list[object]:
    return [id, float(x) if math.isfinite(x) else 0.0, float(y) if math.isfinite(y) else 0.0]


def _legible(value: Any) -> Any:
    """Plain data without the characters that no file may hold."""
    if isinstance(value, str):
        return "".join(REPLACEMENT if _is_illegible(letter) else letter for letter in value)
    if isinstance(value, list):
        return [_legible(part) for part in value]
    if isinstance(value, dict):
        return {_legible(key): _legible(part) for key, part in value.items()}
    return Rows(_legible(value.items)) if isinstance(value, Rows) else value


def _is_illegible(letter: str) -> bool:
    return (letter < " " and letter not in "\t\n\r") or "\ud800" <= letter <= "\udfff"
