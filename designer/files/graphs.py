"""Graphs as a file holds them, the document's own and those of its blocks: plain data, and back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from immutables import Map

from designer.core.graph import Graph, Node, ParamRef, Source, Target
from designer.core.message import message
from designer.core.names import is_python_name, python_name
from designer.files import place as take
from designer.files.limits import AXIS, EDGES, NAME_CHARACTERS, NODES
from designer.files.loops import closing_wires
from designer.files.plain import Rows
from designer.files.refusal import Refusal, shown
from designer.files.values import PLAIN, SCALARS, Kinds, decoded, encoded, encoded_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

    from designer.core.graph import NodeId
    from designer.core.message import Message
    from designer.core.option import Raw
    from designer.files.gathering import Gathering, Part
    from designer.files.place import Place

GRAPH_FIELDS = ("nodes", "edges", "ties")
NODE_FIELDS = frozenset(("id", "name", "attribute", "kind", "trainable", "same_as", "options"))


@dataclass(frozen=True, slots=True)
class Reading:
    """What the graphs of one file have in common: its kinds of layers, and the ids met so far."""

    file: Gathering
    kinds: Kinds
    ids: set[NodeId] = field(default_factory=set)

    def graph(self, owner: Part) -> Graph:
        """The graph of the document or of a block, as far as it can be read."""
        nodes, ids = _nodes(self, owner)
        return _graph(nodes, _wires(self.file, owner, ids), _ties(self.file, owner, ids))


def plain_graph(graph: Graph, kinds: Kinds) -> dict[str, object]:
    """The plain data of a graph: its nodes, wires and ties."""
    nodes = graph.nodes
    return {
        "nodes": Rows([_plain_node(id, nodes[id], kinds) for id in graph.ids()]),
        "edges": Rows([edge for id in sorted(graph.sources) for edge in _plain_edges(id, graph)]),
        "ties": Rows([[*param, *owner] for param, owner in sorted(graph.ties.items())]),
    }


def _plain_node(id: NodeId, node: Node, kinds: Kinds) -> dict[str, object]:
    known = kinds.spellings(node.kind)
    return {
        "id": id,
        "name": node.name,
        **({} if node.attribute == node.name else {"attribute": node.attribute}),
        "kind": node.kind,
        **({} if node.trainable else {"trainable": False}),
        **({} if node.same_as is None else {"same_as": node.same_as}),
        "options": {
            name: raw if type(raw) in SCALARS else encoded(raw, known.get(name, PLAIN))
            for name, raw in node.options
        },
        **encoded_fields(node.extra),
    }


def _plain_edges(target: NodeId, graph: Graph) -> Iterator[list[object]]:
    """The wires into a node, by port and slot."""
    for (port, slot), (source, output) in sorted(graph.sources[target].items()):
        yield [source, output, target, port, slot] if slot else [source, output, target, port]


# Nodes


def _nodes(reading: Reading, owner: Part) -> tuple[dict[NodeId, Node], set[NodeId]]:
    """The nodes that can be read, and the ids of all."""
    file, place = reading.file, owner.place.at("nodes")
    items = file.items(owner, "nodes", NODES)
    nodes: dict[NodeId, Node] = {}
    ids: set[NodeId] = set()
    for index in range(len(items)):
        try:
            data, at = take.mapping(items, index, place), place.at(index)
            id = take.integer(data, "id", at, min=1, max=AXIS)
            if id in reading.ids:
                reason = message("the id {id} belongs to another node already.", id=id)
                raise at.at("id").refusal(reason)
            ids.add(id)
            reading.ids.add(id)
            nodes[id] = _node(reading, data, at)
        except Refusal as refusal:
            file.keep(refusal)
    return _with_attributes(file, nodes), ids


def _node(reading: Reading, data: dict[str, object], at: Place) -> Node:
    kind, file = take.text(data, "kind", at), reading.file
    if kind not in reading.kinds:
        file.unknown_kind(kind)
    name = take.text(data, "name", at)
    return Node(
        name=name,
        attribute=take.text(data, "attribute", at) if "attribute" in data else name,
        kind=kind,
        options=_options(reading, kind, take.mapping(data, "options", at), at),
        trainable=take.boolean(data, "trainable", at) if "trainable" in data else True,
        extra=file.extra("node", data, NODE_FIELDS, at),
        same_as=take.integer(data, "same_as", at, min=0) if "same_as" in data else None,
    )


def _with_attributes(file: Gathering, nodes: dict[NodeId, Node]) -> dict[NodeId, Node]:
    """The nodes, each with a Python name of its own: that of the file where it can be one."""
    taken: set[str] = set()
    settled: dict[NodeId, Node] = {}
    for id, node in nodes.items():
        if is_python_name(node.attribute) and node.attribute not in taken:
            taken.add(node.attribute)
            settled[id] = node
    for id, node in nodes.items():
        if id not in settled:
            attribute = _attribute(id, node.name, taken)
            taken.add(attribute)
            settled[id] = replace(node, attribute=attribute)
            if node.attribute != node.name:
                file.notice("attribute", _renamed(node.attribute, attribute))
    return settled


def _renamed(old: str, new: str) -> Message:
    return message("In code {old} is called {new}.", old=shown(old), new=new)


def _attribute(id: NodeId, name: str, taken: set[str]) -> str:
    """A Python name; a taken one gets the id, so that equal names cost no long search."""
    plain = python_name(name)
    return python_name(f"{plain[:40]}_{id}", taken) if plain in taken else plain


def _options(
    reading: Reading, kind: str, data: dict[str, object], at: Place
) -> tuple[tuple[str, Raw], ...]:
    """The options of the kind in their order, PyTorch's default for a missing one; then others.

    `at` is the place of their node.
    """
    known = reading.kinds.spellings(kind)
    if data.keys() == known.keys():
        # Most values are scalars: they are taken as they are.
        values: list[tuple[str, Any]] = [
            (name, value if type(value := data[name]) in SCALARS else decoded(value, spelling))
            for name, spelling in known.items()
        ]
        return tuple(values)
    options = reading.kinds.defaults(kind)
    for name, value in data.items():
        options[name] = decoded(value, known.get(name, PLAIN))
    if kind in reading.kinds:
        for name in (name for name in data if name not in known):
            text = "{kind} has no option {place}; it is kept."
            reading.file.notice(
                f"{kind} {name}", message(text, kind=kind, place=at.at("options").at(name).path)
            )
    return tuple(options.items())


# Wires and ties


def _wires(file: Gathering, owner: Part, ids: set[NodeId]) -> dict[Target, Source]:
    """The wires by the input that they enter."""
    items, place = file.items(owner, "edges", EDGES), owner.place.at("edges")
    wires: dict[Target, Source] = {}
    indices: dict[tuple[NodeId, NodeId], int] = {}
    for index in range(len(items)):
        try:
            source, target = _wire(items, index, place, ids)
            if target in wires:
                reason = "there is a wire into {port} of node {node} already."
                text = message(reason, port=shown(target.port), node=target.node)
                raise place.at(index).refusal(text)
            wires[target] = source
            indices[source.node, target.node] = index
        except Refusal as refusal:
            file.keep(refusal)
    for wire in closing_wires(_followers(wires)):
        reason = "the wire from node {source} to node {target} closes a loop."
        text = message(reason, source=wire[0], target=wire[1])
        file.faults.append(place.at(indices[wire]).refusal(text).message)
    return wires


def _wire(items: list[Any], index: int, place: Place, ids: set[NodeId]) -> tuple[Source, Target]:
    if _is_plain_wire(items[index], ids):
        source, output, target, port = items[index]
        return Source(source, output), Target(target, port)
    return _checked_wire(items, index, place, ids)


def _is_plain_wire(wire: Any, ids: set[NodeId]) -> bool:
    """Whether a wire is as most are, with nothing that needs a closer look."""
    if type(wire) is not list or tuple(map(type, wire)) != (int, str, int, str):
        return False
    source, output, target, port = wire
    names_fit = len(output) <= NAME_CHARACTERS and len(port) <= NAME_CHARACTERS
    return source in ids and target in ids and source != target and names_fit


def _checked_wire(
    items: list[object], index: int, place: Place, ids: set[NodeId]
) -> tuple[Source, Target]:
    wire, at = take.sequence(items, index, place, 5), place.at(index)
    source = Source(_known(wire, 0, at, ids), take.text(wire, 1, at))
    slot = take.integer(wire, 4, at, min=0, max=EDGES) if len(wire) == 5 else 0
    target = Target(_known(wire, 2, at, ids), take.text(wire, 3, at), slot)
    if source.node == target.node:
        raise at.refusal(message("node {node} cannot feed itself.", node=source.node))
    return source, target


def _known(owner: list[object], index: int, at: Place, ids: set[NodeId]) -> NodeId:
    """The id of a node that the file has."""
    id = take.integer(owner, index, at)
    if id not in ids:
        raise at.at(index).refusal(message("there is no node {id}.", id=id))
    return id


def _followers(wires: dict[Target, Source]) -> dict[NodeId, list[NodeId]]:
    followers: dict[NodeId, list[NodeId]] = {}
    for target, source in wires.items():
        followers.setdefault(source.node, []).append(target.node)
    return followers


def _graph(nodes: dict[NodeId, Node], wires: dict[Target, Source], ties: Any) -> Graph:
    """The graph, as adding one wire after the other would make it."""
    sources: dict[NodeId, dict[tuple[str, int], Source]] = {}
    targets: dict[NodeId, list[Target]] = {}
    for target, source in wires.items():
        sources.setdefault(target.node, {})[target.port, target.slot] = source
        targets.setdefault(source.node, []).append(target)
    return Graph(
        nodes=Map(nodes),
        sources=Map({id: MappingProxyType(into) for id, into in sources.items()}),
        targets=Map({id: tuple(sorted(out)) for id, out in targets.items()}),
        ties=Map(ties),
    )


def _ties(file: Gathering, part: Part, ids: set[NodeId]) -> dict[ParamRef, ParamRef]:
    """Tied parameters with their owners, which are not tied themselves."""
    items, place = file.items(part, "ties", NODES), part.place.at("ties")
    ties: dict[ParamRef, ParamRef] = {}
    for index in range(len(items)):
        with file.faulty():
            tie, at = take.sequence(items, index, place, 4), place.at(index)
            param = ParamRef(_known(tie, 0, at, ids), take.text(tie, 1, at))
            owner = ParamRef(_known(tie, 2, at, ids), take.text(tie, 3, at))
            if param in ties:
                raise at.refusal(message("this parameter is tied already."))
            ties[param] = owner
    for index, owner in enumerate(ties.values()):
        if owner in ties:
            reason = message("the owner of this tie is tied itself.")
            file.faults.append(place.at(index).refusal(reason).message)
    return ties
