"""A graph as an immutable value: nodes by id, wires between their ports, tied parameters."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from immutables import Map

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from designer.core.option import Raw

NodeId: TypeAlias = int


@dataclass(frozen=True, slots=True)
class Node:
    """One use of a layer: its kind with raw options, and the name the user chose.

    `attribute` is the Python name that stands for `name` in code; it is unique in its graph and
    stays as it is until the node is renamed. `options` holds every option of the kind, in its
    order, and also options that no known kind has. With `same_as` it is another call of that
    layer's module, and has its options. `extra` keeps fields of the file that this version does
    not know.
    """

    name: str
    attribute: str
    kind: str
    options: tuple[tuple[str, Raw], ...] = ()
    trainable: bool = True
    extra: tuple[tuple[str, object], ...] = ()
    same_as: NodeId | None = None

    def option(self, name: str) -> Raw:
        """The raw value of an option; KeyError where there is none of that name."""
        return dict(self.options)[name]

    def with_options(self, changed: Mapping[str, Raw]) -> Node:
        """The node with some options changed; new names are added at the end."""
        return replace(self, options=tuple((dict(self.options) | dict(changed)).items()))

    def renumbered(self, ids: Mapping[NodeId, NodeId]) -> Node:
        """The node in a graph whose layers have new ids; it is its own where its like is not."""
        return replace(self, same_as=ids.get(self.same_as)) if self.same_as is not None else self


class Source(NamedTuple):
    """An output port of a node."""

    node: NodeId
    port: str


class Target(NamedTuple):
    """An input port of a node; `slot` orders the wires of a variadic port (0 elsewhere)."""

    node: NodeId
    port: str
    slot: int = 0


class Edge(NamedTuple):
    """A wire."""

    source: Source
    target: Target


class ParamRef(NamedTuple):
    """A parameter of a node, by its name within the layer."""

    node: NodeId
    param: str


EMPTY: Mapping[Any, Any] = MappingProxyType({})
"""An empty mapping that nobody can fill."""


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes, wires and ties. Stored order is the order of node ids.

    An input takes one wire, except that a variadic port takes one for each slot. `ties` maps a
    parameter to the one whose tensor it shares.
    """

    nodes: Map[NodeId, Node] = field(default_factory=Map)
    sources: Map[NodeId, Mapping[tuple[str, int], Source]] = field(default_factory=Map)
    """Of each node the wires that come in, by (port, slot)."""
    targets: Map[NodeId, tuple[Target, ...]] = field(default_factory=Map)
    """Of each node the inputs that its outputs go to."""
    ties: Map[ParamRef, ParamRef] = field(default_factory=Map)

    def ids(self) -> list[NodeId]:
        """Node ids in stored order."""
        return sorted(self.nodes)

    def edges(self) -> Iterator[Edge]:
        """All wires, by target in stored order."""
        for node in sorted(self.sources):
            yield from self.edges_into(node)

    def edges_into(self, node: NodeId) -> Iterator[Edge]:
        """The wires that come into a node, by port and slot."""
        for (port, slot), source in sorted(self.sources.get(node, EMPTY).items()):
            yield Edge(source, Target(node, port, slot))

    def edges_from(self, node: NodeId) -> Iterator[Edge]:
        """The wires that leave a node, by target in stored order."""
        for target in self.targets.get(node, ()):
            yield Edge(self.source(target) or Source(node, ""), target)

    def source(self, target: Target) -> Source | None:
        """What a wire brings to an input, if anything."""
        return self.sources.get(target.node, {}).get((target.port, target.slot))

    def slots(self, node: NodeId, port: str) -> list[int]:
        """The used slots of a port, in order."""
        return sorted(slot for name, slot in self.sources.get(node, {}) if name == port)

    def with_node(self, id: NodeId, node: Node | None) -> Graph:
        """The graph with a node set, or without it (its wires must be gone before)."""
        return replace(
            self, nodes=self.nodes.delete(id) if node is None else self.nodes.set(id, node)
        )

    def with_edge(self, target: Target, source: Source | None) -> Graph:
        """The graph with the wire into `target` replaced, or removed."""
        old = self.source(target)
        into = dict(self.sources.get(target.node, {}))
        out = self.targets
        if old is not None:
            out = _set(out, old.node, tuple(t for t in out[old.node] if t != target))
            del into[target.port, target.slot]
        if source is not None:
            out = _set(out, source.node, tuple(sorted((*out.get(source.node, ()), target))))
            into[target.port, target.slot] = source
        sources = self.sources.set(target.node, MappingProxyType(into))
        return replace(self, sources=sources if into else sources.delete(target.node), targets=out)

    def with_tie(self, param: ParamRef, owner: ParamRef | None) -> Graph:
        """The graph with `param` tied to `owner`, or untied."""
        ties = self.ties.delete(param) if owner is None else self.ties.set(param, owner)
        return replace(self, ties=ties)


def _set(
    targets: Map[NodeId, tuple[Target, ...]], node: NodeId, value: tuple[Target, ...]
) -> Map[NodeId, tuple[Target, ...]]:
    return targets.set(node, value) if value else targets.delete(node)
