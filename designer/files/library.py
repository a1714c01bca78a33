"""The user's own blocks: one file for each, in the platform's folder for data.

A file is a document without layers of its own. It has the block that its title names, and the
blocks, custom layers and free dimensions that this one needs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from platformdirs import user_data_path

from designer.core.block import BLOCK, stem_of, use_options
from designer.core.fragment import part
from designer.core.frame import ends
from designer.core.graph import Graph, Node
from designer.core.message import message
from designer.core.names import python_name
from designer.files.codec import read_document, write_document
from designer.files.place import Place
from designer.files.refusal import Refusal, refusal
from designer.files.storage import read_file, save_file

if TYPE_CHECKING:
    from pathlib import Path

    from designer.core.document import Block, Document
    from designer.core.message import Message

FOLDER = "blocks"
SUFFIX = ".netdraft"


class Kept(Refusal):
    """Another block of this name is in the library: the caller asks before it is replaced."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the library. Where it cannot be used, `problem` says why, and it has no ports."""

    name: str
    path: Path
    note: str = ""
    arguments: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    problem: Message | None = None


def library_path() -> Path:
    """Where the files are, whether there are any or not."""
    return user_data_path("netdraft", appauthor=False) / FOLDER


def library(folder: Path | None = None) -> list[Entry]:
    """The blocks in the library by name, damaged files among them with the reason.

    Raises Refusal where the folder cannot be read.
    """
    place = folder or library_path()
    try:
        found = sorted(path for path in place.iterdir() if path.suffix == SUFFIX)
    except FileNotFoundError:
        return []
    except OSError as error:
        reason = message("the folder cannot be read: {reason}.", reason=error.strerror)
        raise refusal(str(place), reason) from None
    return [_entry(path) for path in found]


def _entry(path: Path) -> Entry:
    try:
        document = _read(path)
    except Refusal as problem:
        return Entry(path.stem, path, problem=problem.message)
    block = document.blocks[document.title]
    inputs, outputs = _ports(block, "Input"), _ports(block, "Output")
    return Entry(document.title, path, block.note, tuple(block.arguments), inputs, outputs)


def _ports(block: Block, kind: str) -> tuple[str, ...]:
    return tuple(block.graph.nodes[id].attribute for id in ends(block, kind))


def save_block(
    document: Document, name: str, folder: Path | None = None, *, replacing: bool = False
) -> Path:
    """Put a block of a document into the library, with all that it needs; returns its file.

    Raises Kept where another block of this name is there, unless `replacing`; Refusal where no
    file can be written; KeyError where the document has no such block.
    """
    path = (folder or library_path()) / f"{name}{SUFFIX}"
    alone = replace(_with_use(document, name), graph=Graph(), variables={}, title=name)
    data = write_document(alone)
    if path.exists() and not replacing and read_file(path) != data:
        reason = message("another block {name} is in your library.", name=name)
        raise refusal(str(path), reason, kind=Kept)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = message("the folder cannot be made: {reason}.", reason=error.strerror)
        raise refusal(str(path.parent), reason) from None
    save_file(path, data)
    return path


def load_block(path: Path) -> Document:
    """A block of the library as a part of a design: one use of it, with all that it needs.

    `put_in` adds it to a design. Raises Refusal where the file cannot be used.
    """
    document = _read(path)
    return _with_use(document, document.title)


def remove(path: Path) -> None:
    """Take a block out of the library. Raises Refusal where its file cannot be removed."""
    try:
        path.unlink()
    except OSError as error:
        reason = message("not removed: {reason}.", reason=error.strerror)
        raise refusal(str(path), reason) from None


def _read(path: Path) -> Document:
    document = read_document(read_file(path), str(path)).document
    if document.title not in document.blocks:
        place = Place("$", str(path)).at("title")
        raise place.refusal(message("is not the name of a block in this file."))
    return document


def _with_use(document: Document, name: str) -> Document:
    """One use of a block, and what it needs of the document."""
    block, id = document.blocks[name], document.next_id
    stem = stem_of(name)
    use = Node(stem, python_name(stem), f"{BLOCK}{name}", use_options(block))
    drawn = replace(document, graph=Graph().with_node(id, use))
    return part(replace(drawn, layout=document.layout.set(id, (0.0, 0.0))), [id])
