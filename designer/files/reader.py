"""From plain data of the present version to a Document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from immutables import Map

from designer.core.document import Document
from designer.core.message import message
from designer.files import place as take
from designer.files.blocks import blocks_of, check_nesting, declared_blocks, kinds_of
from designer.files.customs import customs_of
from designer.files.declarations import dimensions_of, presets_of, variables_of
from designer.files.graphs import GRAPH_FIELDS, Reading
from designer.files.limits import COORDINATE, NODES
from designer.files.refusal import Refusal
from designer.files.values import decoded

if TYPE_CHECKING:
    from designer.core.document import Position
    from designer.core.graph import NodeId
    from designer.files.gathering import Gathering, Part
    from designer.files.place import Place

ROOT_FIELDS = frozenset(
    (
        *("format", "version", "title", "variables", "dimensions", "presets", "blocks"),
        "customs",
        *(*GRAPH_FIELDS, "layout", "settings"),
    )
)


def document_of(file: Gathering) -> Document:
    """The document; raises Refusal with all that is wrong."""
    root = file.root
    declared = declared_blocks(file)
    customs = customs_of(file)
    arguments = {name: found.arguments for name, found in declared.items()}
    reading = Reading(file, kinds_of(arguments, customs))
    document = Document(
        title=file.text(root, "title"),
        graph=reading.graph(root),
        variables=(variables := variables_of(file, root)),
        dimensions=dimensions_of(file, root, variables),
        presets=presets_of(file, root, variables),
        blocks=blocks_of(reading, declared),
        customs=customs,
        layout=Map(_layout(file, root, reading.ids)),
        settings={key: decoded(value) for key, value in file.section(root, "settings").items()},
        next_id=max(reading.ids, default=0) + 1,
        extra=file.extra("root", root.data, ROOT_FIELDS, root.place),
    )
    check_nesting(file, document.graph, document.blocks)
    file.check()
    return document


def _layout(file: Gathering, owner: Part, ids: set[NodeId]) -> dict[NodeId, Position]:
    """Positions, moved to within reach; a position of a node that is not there is left out."""
    items, place = file.items(owner, "layout", NODES), owner.place.at("layout")
    layout: dict[NodeId, Position] = {}
    for index in range(len(items)):
        try:
            id, *position = _position(items, index, place)
            if id in ids:
                x, y = layout[id] = _within_reach(position[0]), _within_reach(position[1])
                if [x, y] != position:
                    text = "A position out of reach is moved: {place}."
                    file.notice("far", message(text, place=place.at(index).path))
            else:
                text = "A position of no node is left out: {place}."
                file.notice("stray", message(text, place=place.at(index).path))
        except Refusal as refusal:
            file.keep(refusal)
    return layout


def _position(items: list[Any], index: int, place: Place) -> Any:
    """[node, x, y]"""
    if type(items[index]) is list and tuple(map(type, items[index])) == (int, float, float):
        return items[index]
    item, at = take.sequence(items, index, place, 3), place.at(index)
    return [take.integer(item, 0, at), take.number(item, 1, at), take.number(item, 2, at)]


def _within_reach(number: float) -> float:
    return float(max(-COORDINATE, min(COORDINATE, number)))
