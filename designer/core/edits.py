"""The edits: each returns a function that changes a Draft, or raises Refused."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from designer.core.block import BLOCK, stem_of, use_options
from designer.core.custom import CUSTOM, layer_class
from designer.core.document import inside
from designer.core.drafting import Refused, all_of, node_of
from designer.core.graph import Graph, Node, NodeId, ParamRef, Source, Target
from designer.core.kinds import blocks_within, is_declared, uses_of
from designer.core.layer import CATALOGUE, defaults
from designer.core.message import message
from designer.core.names import python_name
from designer.core.naming import (
    TEXT_LIMIT,
    remove_name,
    rename_name,
    set_dimension,
    set_title,
    set_variable,
    unify,
    uses,
)
from designer.core.sharing import calls_of, check_alone, move_ties, one_with, share, unshare

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from designer.core.document import Draft, Edit, Position
    from designer.core.option import Raw

__all__ = [
    "NAME_LIMIT",
    "TEXT_LIMIT",
    "Refused",
    "add_node",
    "all_of",
    "attributes",
    "calls_of",
    "check_alone",
    "connect",
    "disconnect",
    "downstream",
    "drop_in",
    "fresh_name",
    "insert",
    "make_room",
    "move",
    "node_of",
    "put_nodes",
    "remove_name",
    "remove_nodes",
    "rename",
    "rename_name",
    "set_dimension",
    "set_options",
    "set_title",
    "set_trainable",
    "set_variable",
    "share",
    "take_out",
    "tie",
    "unify",
    "unshare",
    "untie",
    "uses",
]


# Nodes


def fresh_name(draft: Draft, stem: str) -> str:
    """`stem` with the lowest number from 1 on that no node has."""
    taken = {node.name for node in draft.graph.nodes.values()}
    return next(name for n in count(1) if (name := f"{stem}{n}") not in taken)


def attributes(draft: Draft, without: NodeId | None = None) -> set[str]:
    """The Python names that are taken in code: by layers, less one of them, and by variables."""
    names = {node.attribute for id, node in draft.graph.nodes.items() if id != without}
    return names | set(draft.document.variables)


def add_node(
    kind: str,
    position: Position,
    options: Mapping[str, Raw] | None = None,
    name: str = "",
) -> Edit:
    """Add a layer; its id is the document's `next_id`. Options not given get their defaults."""
    if kind not in CATALOGUE and not is_declared(kind):
        raise Refused(message("There is no layer of kind {kind}.", kind=kind))

    def edit(draft: Draft) -> None:
        stem, given = _new(draft, kind)
        if name:
            _check_shown(draft, None, name)
        shown = name or fresh_name(draft, stem)
        attribute = python_name(shown, attributes(draft))
        node = Node(shown, attribute, kind, given).with_options(options or {})
        id = draft.document.next_id
        draft.put_node(id, node)
        draft.put_position(id, position)

    return edit


def _new(draft: Draft, kind: str) -> tuple[str, tuple[tuple[str, Raw], ...]]:
    """What a new layer of a kind is called, and its options."""
    if kind in CATALOGUE:
        return CATALOGUE[kind].stem, defaults(CATALOGUE[kind])
    custom = draft.whole.customs.get(kind.removeprefix(CUSTOM))
    if custom is not None and kind.startswith(CUSTOM):
        return stem_of(custom.name), defaults(layer_class(custom))
    name = kind.removeprefix(BLOCK)
    block = draft.whole.blocks.get(name)
    if block is None:
        raise Refused(message("There is no layer of kind {kind}.", kind=kind))
    if draft.level in blocks_within(draft.whole, name):
        raise Refused(message("{block} cannot contain itself.", block=draft.level))
    return stem_of(name), use_options(block)


def put_nodes(nodes: Iterable[tuple[NodeId, Node]]) -> Edit:
    """Set whole nodes, as they are."""
    parts = tuple(nodes)

    def edit(draft: Draft) -> None:
        for id, node in parts:
            draft.put_node(id, node)

    return edit


def remove_nodes(ids: Iterable[NodeId]) -> Edit:
    """Remove layers with their wires and ties."""
    gone = tuple(ids)

    def edit(draft: Draft) -> None:
        shared = {node.same_as for node in draft.graph.nodes.values()}
        for id in gone:
            if id in shared:
                _hand_over(draft, id)
            _remove_node(draft, id)

    return edit


def _hand_over(draft: Draft, id: NodeId) -> None:
    """Before a layer goes whose module is called elsewhere too: the first of those calls has it."""
    calls = calls_of(draft.graph, id)
    if not calls:
        return
    heir, *others = calls
    draft.put_node(heir, replace(node_of(draft, heir), same_as=None))
    for other in others:
        draft.put_node(other, replace(node_of(draft, other), same_as=heir))
    move_ties(draft, id, heir)


def _remove_node(draft: Draft, id: NodeId) -> None:
    node = node_of(draft, id)
    for edge in [*draft.graph.edges_into(id), *draft.graph.edges_from(id)]:
        draft.put_edge(edge.target, None)
    _move_port(draft, node, None)
    for param, owner in list(draft.graph.ties.items()):
        if id in (param.node, owner.node):
            draft.put_tie(param, None)
    draft.put_node(id, None)
    draft.put_position(id, None)


def take_out(id: NodeId) -> Edit:
    """Remove a layer and join what came into its first input to all that its outputs fed."""

    def edit(draft: Draft) -> None:
        incoming = next(iter(draft.graph.edges_into(id)), None)
        fed = [edge.target for edge in draft.graph.edges_from(id)]
        remove_nodes([id])(draft)
        if incoming is not None:
            for target in fed:
                draft.put_edge(target, incoming.source)

    return edit


def rename(id: NodeId, name: str) -> Edit:
    """Give a layer another name, and with it another attribute in code."""
    shown = name.strip()

    def edit(draft: Draft) -> None:
        node = node_of(draft, id)
        _check_shown(draft, id, shown)
        attribute = python_name(shown, attributes(draft, id))
        draft.put_node(id, replace(node, name=shown, attribute=attribute))
        _move_port(draft, node, attribute)

    return edit


def _move_port(draft: Draft, node: Node, to: str | None) -> None:
    """Take the wires at a block's uses along where its Input or Output gets another name."""
    if not draft.level or node.kind not in ("Input", "Output") or node.attribute == to:
        return
    for level, id in uses_of(draft.whole, f"{BLOCK}{draft.level}"):
        inside(level, _move_wires(id, node, to))(draft)


def _move_wires(id: NodeId, end: Node, to: str | None) -> Edit:
    """Move the wires at a port of a use to another; None removes them."""

    def edit(draft: Draft) -> None:
        graph = draft.graph
        if end.kind == "Input":
            for source, target in list(graph.edges_into(id)):
                if target.port == end.attribute:
                    draft.put_edge(target, None)
                    if to is not None:
                        draft.put_edge(target._replace(port=to), source)
            return
        for source, target in list(graph.edges_from(id)):
            if source.port == end.attribute:
                draft.put_edge(target, None if to is None else source._replace(port=to))

    return edit


NAME_LIMIT = 1000


def _check_shown(draft: Draft, id: NodeId | None, name: str) -> None:
    if not name or len(name) > NAME_LIMIT or not name.isprintable():
        raise Refused(
            message("A name has 1 to {limit} characters, all of them visible.", limit=NAME_LIMIT)
        )
    for other, node in draft.graph.nodes.items():
        if other != id and node.name == name:
            raise Refused(message("There is a layer {name} already.", name=name))


def set_options(ids: Iterable[NodeId], options: Mapping[str, Raw]) -> Edit:
    """Set options of some layers; what their kinds make of the values is shown by the analysis.

    All calls of one module have the same options.
    """
    chosen = tuple(ids)

    def edit(draft: Draft) -> None:
        for id in one_with(draft.graph, chosen):
            draft.put_node(id, node_of(draft, id).with_options(options))

    return edit


def set_trainable(ids: Iterable[NodeId], trainable: bool) -> Edit:
    """Train or lock the parameters of some layers."""
    chosen = tuple(ids)

    def edit(draft: Draft) -> None:
        for id in one_with(draft.graph, chosen):
            draft.put_node(id, replace(node_of(draft, id), trainable=trainable))

    return edit


def move(positions: Mapping[NodeId, Position]) -> Edit:
    """Place layers on the canvas."""

    def edit(draft: Draft) -> None:
        for id, position in positions.items():
            node_of(draft, id)
            draft.put_position(id, position)

    return edit


# Wires


def connect(source: Source, target: Target) -> Edit:
    """Draw a wire; one that is there already is replaced."""

    def edit(draft: Draft) -> None:
        node_of(draft, source.node)
        node_of(draft, target.node)
        if source.node == target.node:
            raise Refused(message("A layer cannot feed itself."))
        draft.put_edge(target, source)

    return edit


def disconnect(*targets: Target) -> Edit:
    """Remove the wires into some inputs."""

    def edit(draft: Draft) -> None:
        for target in targets:
            draft.put_edge(target, None)

    return edit


def insert(
    target: Target,
    kind: str,
    position: Position,
    options: Mapping[str, Raw] | None = None,
    ports: tuple[str, str] = ("x", "out"),
) -> Edit:
    """Put a new layer into the wire that comes into `target`."""

    def edit(draft: Draft) -> None:
        source = draft.graph.source(target)
        id = draft.document.next_id
        add_node(kind, position, options)(draft)
        if source is not None:
            draft.put_edge(Target(id, ports[0]), source)
        draft.put_edge(target, Source(id, ports[1]))

    return edit


def make_room(node: NodeId, distance: float) -> Edit:
    """Move a layer and all that come after it down, those that are not above it."""

    def edit(draft: Draft) -> None:
        layout = draft.document.layout
        top = layout.get(node, (0.0, 0.0))[1]
        for id in downstream(draft.graph, node):
            x, y = layout.get(id, (0.0, 0.0))
            if y >= top:
                draft.put_position(id, (x, y + distance))

    return edit


def downstream(graph: Graph, node: NodeId) -> list[NodeId]:
    """A layer and all that its outputs reach, nearest first."""
    found = {node: None}
    frontier = [node]
    for current in frontier:
        for edge in graph.edges_from(current):
            if edge.target.node not in found:
                found[edge.target.node] = None
                frontier.append(edge.target.node)
    return frontier


def drop_in(id: NodeId, target: Target, ports: tuple[str, str] = ("x", "out")) -> Edit:
    """Put a layer that is there already into the wire that comes into `target`."""

    def edit(draft: Draft) -> None:
        node_of(draft, id)
        source = draft.graph.source(target)
        if source is None or id in (source.node, target.node):
            raise Refused(message("There is no wire here that this layer can go into."))
        draft.put_edge(Target(id, ports[0]), source)
        draft.put_edge(target, Source(id, ports[1]))

    return edit


def tie(param: ParamRef, owner: ParamRef) -> Edit:
    """Let a parameter share the tensor of another: one tensor under two state-dict keys."""

    def edit(draft: Draft) -> None:
        node_of(draft, param.node)
        node_of(draft, owner.node)
        root = draft.graph.ties.get(owner, owner)
        if root == param:
            raise Refused(message("A parameter cannot be tied to itself."))
        for tied, its_owner in list(draft.graph.ties.items()):
            if its_owner == param:
                draft.put_tie(tied, root)
        draft.put_tie(param, root)

    return edit


def untie(param: ParamRef) -> Edit:
    """Give a tied parameter a tensor of its own again."""

    def edit(draft: Draft) -> None:
        draft.put_tie(param, None)

    return edit
