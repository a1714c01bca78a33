"""Blocks as a file holds them: plain data, and back."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from designer.core.block import BLOCK, argument_options, has_meaning
from designer.core.document import Block
from designer.core.kinds import used_blocks
from designer.core.layer import CATALOGUE
from designer.core.message import message
from designer.core.names import is_python_name
from designer.files import place as take
from designer.files.customs import options_of_customs
from designer.files.declarations import plain_variables, variables_of
from designer.files.gathering import Part
from designer.files.graphs import GRAPH_FIELDS, plain_graph
from designer.files.limits import BLOCKS, BLOCKS_WITHIN, LAYERS
from designer.files.plain import Rows
from designer.files.refusal import shown
from designer.files.values import Kinds, encoded_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from designer.core.custom import Custom
    from designer.core.document import Document, Variable
    from designer.core.graph import Graph
    from designer.files.gathering import Gathering
    from designer.files.graphs import Reading
    from designer.files.place import Place

BLOCK_FIELDS = frozenset(("note", "arguments", *GRAPH_FIELDS))

Arguments: TypeAlias = "Mapping[str, Mapping[str, Variable]]"
"""Of each block its arguments."""

Uses: TypeAlias = dict[str, list[str]]
"""Of each block the blocks that it is made of, each once."""


def kinds_of(arguments: Arguments, customs: Mapping[str, Custom]) -> Kinds:
    """The kinds of layers in a document: its custom layers, and blocks with these arguments."""
    options = ((name, argument_options(given)) for name, given in arguments.items())
    blocks = {f"{BLOCK}{name}": tuple(found) for name, found in options}
    return Kinds({**options_of_customs(customs), **blocks})


# Written


def arguments_by_block(document: Document) -> Arguments:
    """Of each block of a document its arguments."""
    return {name: block.arguments for name, block in document.blocks.items()}


def plain_blocks(blocks: Mapping[str, Block], kinds: Kinds) -> Rows:
    """The plain data of blocks."""
    return Rows({name: _plain_block(block, kinds) for name, block in blocks.items()})


def _plain_block(block: Block, kinds: Kinds) -> dict[str, object]:
    return {
        "note": block.note,
        "arguments": plain_variables(block.arguments),
        **plain_graph(block.graph, kinds),
        **encoded_fields(block.extra),
    }


# Read


class Declared(NamedTuple):
    """A block before its graph is read: its arguments say how options of its uses are spelled."""

    part: Part
    arguments: Mapping[str, Variable]


def declared_blocks(file: Gathering) -> dict[str, Declared]:
    """The blocks of a file by name, those that may have this name."""
    section, place = file.section(file.root, "blocks"), file.root.place.at("blocks")
    declared: dict[str, Declared] = {}
    with file.faulty():
        take.check_length(section, place, BLOCKS)
        for name in section:
            with file.faulty():
                part = Part(take.mapping(section, name, place), place.at(name))
                _check_block_name(name, part.place)
                declared[name] = Declared(part, variables_of(file, part, "arguments"))
    return declared


def _check_block_name(name: str, place: Place) -> None:
    if not is_python_name(name) or name in CATALOGUE:
        text = "{name} cannot be a class: letters, digits and _ in a name of its own."
        raise place.refusal(message(text, name=shown(name)))


def blocks_of(reading: Reading, declared: Mapping[str, Declared]) -> dict[str, Block]:
    """The blocks of a file, as far as they can be read."""
    file = reading.file
    blocks: dict[str, Block] = {}
    for name, (part, arguments) in declared.items():
        _check_arguments(file, part, arguments)
        extra = file.extra("block", part.data, BLOCK_FIELDS, part.place)
        blocks[name] = Block(reading.graph(part), arguments, file.text(part, "note"), extra)
    return blocks


def _check_arguments(file: Gathering, part: Part, arguments: Mapping[str, Variable]) -> None:
    """Keep as faults the names that uses of blocks have for something else."""
    for name in filter(has_meaning, arguments):
        with file.faulty():
            place = part.place.at("arguments").at(name)
            raise place.refusal(message("{name} has a meaning already.", name=name))


# Blocks within blocks


def check_nesting(file: Gathering, graph: Graph, blocks: Mapping[str, Block]) -> None:
    """Keep as faults what blocks within blocks may not be: circles, too deep, too much in all."""
    place = file.root.place.at("blocks")
    uses = {
        name: [inner for inner in used_blocks(block.graph) if inner in blocks]
        for name, block in blocks.items()
    }
    with file.faulty():
        order = _inner_first(uses, place)
        _check_depth(uses, order, place)
        _check_layers(file, graph, blocks, order)


def _inner_first(uses: Uses, place: Place) -> list[str]:
    """The blocks in an order in which each comes after those within it."""
    try:
        return list(TopologicalSorter(uses).static_order())
    except CycleError as error:
        circle = error.args[1][:0:-1]
    first = min(range(len(circle)), key=lambda at: list(uses).index(circle[at]))
    way = [*circle[first:], *circle[:first], circle[first]]
    shown = " → ".join(way if len(way) <= 8 else [*way[:4], "…", *way[-3:]])
    raise place.at(way[0]).refusal(message("a block contains itself: {way}.", way=shown))


def _check_depth(uses: Uses, order: list[str], place: Place) -> None:
    depths: dict[str, int] = {}
    for name in order:
        depths[name] = 1 + max((depths[inner] for inner in uses[name]), default=0)
        if depths[name] > BLOCKS_WITHIN:
            reason = "blocks are within one another to more than {limit} levels."
            raise place.at(name).refusal(message(reason, limit=BLOCKS_WITHIN))


def _check_layers(
    file: Gathering, graph: Graph, blocks: Mapping[str, Block], order: list[str]
) -> None:
    """Refuse what a few nested blocks make of a small file: more layers than can be analysed."""
    counts: dict[str, int] = {}
    place = file.root.place
    graphs = [(place.at("blocks").at(name), name, blocks[name].graph) for name in order]
    for at, name, of_block in [*graphs, (place, "", graph)]:
        kinds = (node.kind.removeprefix(BLOCK) for node in of_block.nodes.values())
        counts[name] = sum(1 + counts.get(kind, 0) for kind in kinds)
        if counts[name] > LAYERS:
            reason = "with those of its blocks it has more than {limit:,} layers."
            raise at.refusal(message(reason, limit=LAYERS))
