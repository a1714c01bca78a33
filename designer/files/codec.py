"""The document as a file holds it: Document to plain data and bytes, and back.

A file is one JSON object. `format` and `version` say what it is. `nodes` holds the layers, each
with all its options, `attribute` where code calls it otherwise, and `trainable` where it is
locked. `edges` holds wires as [node, output, node, input], with a fifth item for the slot of a
variadic input; `ties` holds [node, parameter, node, parameter], the second of them the owner;
`layout` holds [node, x, y], of the nodes in blocks too. `blocks`, where there are any, holds by
name the graph, the arguments and the note of each; `presets` the values of each by variable;
`customs` the declaration of each custom layer and, line by line, the source of its module. What
this version does not know is kept and written back.
"""

from __future__ import annotations

import gc
import math
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from designer.core.message import message
from designer.files import place as take
from designer.files.blocks import arguments_by_block, kinds_of, plain_blocks
from designer.files.customs import plain_customs
from designer.files.declarations import plain_dimensions, plain_presets, plain_variables
from designer.files.gathering import Gathering
from designer.files.graphs import plain_graph
from designer.files.place import Place
from designer.files.plain import Rows, read_plain, write_plain
from designer.files.reader import document_of
from designer.files.upgrades import VERSION, upgraded
from designer.files.values import encoded, encoded_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

    from designer.core.document import Document
    from designer.core.graph import NodeId
    from designer.core.message import Message
    from designer.files.values import Kinds

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
    kinds = kinds_of(arguments_by_block(document), document.customs)
    return {
        "format": FORMAT,
        "version": VERSION,
        "title": document.title,
        "variables": plain_variables(document.variables),
        "dimensions": plain_dimensions(document.dimensions),
        **_declared(document, kinds),
        **plain_graph(document.graph, kinds),
        "layout": Rows([_position(id, *xy) for id, xy in sorted(document.layout.items())]),
        "settings": {name: encoded(value) for name, value in document.settings.items()},
        **encoded_fields(document.extra),
    }


def _declared(document: Document, kinds: Kinds) -> dict[str, Rows]:
    """The sections that many documents do not have: they are written where there is something."""
    sections = {
        "presets": plain_presets(document.presets),
        "blocks": plain_blocks(document.blocks, kinds),
        "customs": plain_customs(document.customs),
    }
    return {key: rows for key, rows in sections.items() if rows.items}


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
