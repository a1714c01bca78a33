"""A part of a design as a design of its own, for the clipboard, and putting one into another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from designer.core.block import has_meaning
from designer.core.custom import CUSTOM
from designer.core.document import Document, Draft
from designer.core.edits import Refused, attributes
from designer.core.graph import ParamRef, Source, Target
from designer.core.kinds import blocks_within, used_blocks, used_customs
from designer.core.message import message
from designer.core.names import python_name
from designer.core.option import names_in
from designer.core.settling import settled_kinds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from designer.core.document import Block, Edit
    from designer.core.graph import Graph, Node, NodeId
    from designer.core.option import Raw


def part(document: Document, ids: Iterable[NodeId]) -> Document:
    """The layers `ids` with the wires and ties among them, and all that they need.

    That are the names that they use, and the blocks and custom layers that they are uses of.
    """
    chosen = set(ids)
    draft = Draft(Document())
    graph = document.graph
    for id in sorted(chosen):
        draft.put_node(id, graph.nodes[id].renumbered({id: id for id in chosen}))
        draft.put_position(id, document.layout.get(id))
        for edge in graph.edges_into(id):
            if edge.source.node in chosen:
                draft.put_edge(edge.target, edge.source)
    for param, owner in graph.ties.items():
        if param.node in chosen and owner.node in chosen:
            draft.put_tie(param, owner)
    _take_along(draft, document)
    used = _used(document, (raw for id in chosen for _, raw in graph.nodes[id].options))
    free = {*used, *_free_names(draft.document.blocks.values())}
    return replace(
        draft.document,
        variables={n: v for n, v in document.variables.items() if n in used},
        dimensions={n: d for n, d in document.dimensions.items() if n in free},
    )


def _take_along(draft: Draft, document: Document) -> None:
    """Declare the blocks and custom layers that the layers of a draft are uses of."""
    names = used_blocks(draft.graph)
    within = {inner for name in names for inner in blocks_within(document, name)}
    blocks = {name: block for name, block in document.blocks.items() if name in within}
    for name, block in blocks.items():
        draft.put("block", name, block)
        for id in block.graph.nodes:
            draft.put_position(id, document.layout.get(id))
    graphs = [draft.graph, *(block.graph for block in blocks.values())]
    kinds = {kind for graph in graphs for kind in used_customs(graph)}
    for name, custom in document.customs.items():
        if f"{CUSTOM}{name}" in kinds:
            draft.put("custom", name, custom)


def _free_names(blocks: Iterable[Block]) -> Iterator[str]:
    """The names in blocks that are no arguments: those of free dimensions."""
    for block in blocks:
        raws = [raw for node in block.graph.nodes.values() for _, raw in node.options]
        raws += [argument.value for argument in block.arguments.values()]
        yield from (n for raw in raws for n in names_in(raw) if n not in block.arguments)


def _used(document: Document, raws: Iterable[Raw]) -> set[str]:
    """The names in `raws`, and those that the variables among them are made of."""
    used: set[str] = set()
    frontier = [name for raw in raws for name in names_in(raw)]
    while frontier:
        name = frontier.pop()
        if name in used:
            continue
        used.add(name)
        variable = document.variables.get(name)
        if variable is not None:
            frontier += [*names_in(variable.value), *(str(d) for d in variable.divisors)]
    return used


def put_in(fragment: Document, dx: float, dy: float) -> Edit:
    """Add the layers of a fragment, moved by (dx, dy), under fresh ids from `next_id` on.

    Names that are taken get a number; variables and free dimensions that the design has already
    keep its values, others are declared. So are blocks and custom layers, unless the design has an
    equal one: where it has another one of that name, the new one gets a number. Raises Refused
    where a block would contain itself.
    """

    def edit(draft: Draft) -> None:
        settled = settled_kinds(fragment, draft.whole)
        _declare(draft, fragment)
        first = draft.document.next_id
        ids = {id: first + place for place, id in enumerate(fragment.graph.ids())}
        taken = Taken(draft)
        for old, new in ids.items():
            draft.put_node(
                new, taken.fitted(settled.node(fragment.graph.nodes[old]).renumbered(ids))
            )
            x, y = fragment.layout.get(old, (0.0, 0.0))
            draft.put_position(new, (x + dx, y + dy))
        _connect(draft, fragment.graph, ids)
        settled.declare(draft, fragment.layout)
        for name in used_blocks(draft.graph):
            if draft.level in blocks_within(draft.whole, name):
                raise Refused(message("{block} cannot contain itself.", block=draft.level))

    return edit


def _connect(draft: Draft, graph: Graph, ids: Mapping[NodeId, NodeId]) -> None:
    for source, target in graph.edges():
        draft.put_edge(
            Target(ids[target.node], target.port, target.slot),
            Source(ids[source.node], source.port),
        )
    for param, owner in graph.ties.items():
        draft.put_tie(
            ParamRef(ids[param.node], param.param), ParamRef(ids[owner.node], owner.param)
        )


def _declare(draft: Draft, fragment: Document) -> None:
    known = {*draft.document.variables, *draft.document.dimensions}
    for section in ("variable", "dimension"):
        for name, value in getattr(fragment, f"{section}s").items():
            if name not in known:
                if draft.level and section == "variable" and has_meaning(name):
                    raise Refused(message("Every block has {name} already.", name=name))
                draft.put(section, name, value)


class Taken:
    """The names that layers and code have already, kept up while layers are added."""

    def __init__(self, draft: Draft) -> None:
        self.names = {node.name for node in draft.graph.nodes.values()}
        self.attributes = attributes(draft)
        self._next: dict[str, int] = {}

    def fitted(self, node: Node) -> Node:
        """The node under a name and an attribute that are free, which are taken from now on."""
        name = self._free(node.name)
        attribute = python_name(name, self.attributes)
        self.names.add(name)
        self.attributes.add(attribute)
        return replace(node, name=name, attribute=attribute)

    def _free(self, name: str) -> str:
        """`name`, or the same stem with the next number that no layer has."""
        if name not in self.names:
            return name
        stem = name.rstrip("0123456789") or name
        number = self._next.get(stem, int(name[len(stem) :] or 1))
        while f"{stem}{number}" in self.names:
            number += 1
        self._next[stem] = number
        return f"{stem}{number}"
