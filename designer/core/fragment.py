"""A part of a design as a design of its own, for the clipboard, and putting one into another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from designer.core.document import Document, Draft
from designer.core.edits import attributes
from designer.core.graph import ParamRef, Source, Target
from designer.core.names import python_name
from designer.core.option import names_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from designer.core.document import Edit
    from designer.core.graph import Node, NodeId
    from designer.core.option import Raw


def part(document: Document, ids: Iterable[NodeId]) -> Document:
    """The layers `ids` with the wires and ties among them, and the names that they use."""
    chosen = set(ids)
    draft = Draft(Document())
    graph = document.graph
    for id in sorted(chosen):
        draft.put_node(id, graph.nodes[id])
        draft.put_position(id, document.layout.get(id))
        for edge in graph.edges_into(id):
            if edge.source.node in chosen:
                draft.put_edge(edge.target, edge.source)
    for param, owner in graph.ties.items():
        if param.node in chosen and owner.node in chosen:
            draft.put_tie(param, owner)
    used = _used(document, (raw for id in chosen for _, raw in graph.nodes[id].options))
    return replace(
        draft.document,
        variables={n: v for n, v in document.variables.items() if n in used},
        dimensions={n: d for n, d in document.dimensions.items() if n in used},
    )


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
    keep its values, others are declared.
    """

    def edit(draft: Draft) -> None:
        _declare(draft, fragment)
        first = draft.document.next_id
        ids = {id: first + place for place, id in enumerate(fragment.graph.ids())}
        taken = Taken(draft)
        for old, new in ids.items():
            draft.put_node(new, taken.fitted(fragment.graph.nodes[old]))
            x, y = fragment.layout.get(old, (0.0, 0.0))
            draft.put_position(new, (x + dx, y + dy))
        for edge in fragment.graph.edges():
            source, target = edge
            draft.put_edge(
                Target(ids[target.node], target.port, target.slot),
                Source(ids[source.node], source.port),
            )
        for param, owner in fragment.graph.ties.items():
            draft.put_tie(
                ParamRef(ids[param.node], param.param), ParamRef(ids[owner.node], owner.param)
            )

    return edit


def _declare(draft: Draft, fragment: Document) -> None:
    known = {*draft.document.variables, *draft.document.dimensions}
    for section in ("variable", "dimension"):
        for name, value in getattr(fragment, f"{section}s").items():
            if name not in known:
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
