"""From plain data of the present version to a Document."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from immutables import Map

from designer.core.document import Dimension, Document, Variable
from designer.core.expression import check_name
from designer.core.graph import Graph, Node, ParamRef, Source, Target
from designer.core.layer import CATALOGUE, options_of
from designer.core.message import message
from designer.core.names import is_python_name, python_name
from designer.files import place as take
from designer.files.limits import AXIS, COORDINATE, EDGES, NAME_CHARACTERS, NODES, TEXT_CHARACTERS
from designer.files.loops import closing_wires
from designer.files.refusal import Refusal, shown
from designer.files.values import PLAIN, SCALARS, Spelling, decoded, spellings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from designer.core.document import Position
    from designer.core.graph import NodeId
    from designer.core.message import Message
    from designer.core.option import Raw
    from designer.files.gathering import Gathering
    from designer.files.place import Place

ROOT_FIELDS = frozenset(
    (
        *("format", "version", "title", "variables", "dimensions"),
        *("nodes", "edges", "ties", "layout", "settings"),
    )
)
NODE_FIELDS = frozenset(("id", "name", "attribute", "kind", "trainable", "options"))
VARIABLE_FIELDS = frozenset(("value", "note", "choices", "divisors"))
DIMENSION_FIELDS = frozenset(("meaning", "trial", "multiple"))


def document_of(file: Gathering) -> Document:
    """The document; raises Refusal with all that is wrong."""
    nodes, ids = _nodes(file)
    document = Document(
        title=_text(file, "title"),
        graph=_graph(nodes, _wires(file, ids), _ties(file, ids)),
        variables=(variables := _variables(file)),
        dimensions=_dimensions(file, variables),
        layout=Map(_layout(file, ids)),
        settings={key: decoded(value) for key, value in file.section("settings").items()},
        next_id=max(ids, default=0) + 1,
        extra=file.extra("root", file.data, ROOT_FIELDS, file.place),
    )
    file.check()
    return document


def _text(file: Gathering, key: str) -> str:
    with file.faulty():
        if key in file.data:
            return take.text(file.data, key, file.place, TEXT_CHARACTERS)
    return ""


# Nodes


def _nodes(file: Gathering) -> tuple[dict[NodeId, Node], set[NodeId]]:
    """The nodes that can be read, and the ids of all."""
    items, place = file.items("nodes", NODES), file.place.at("nodes")
    nodes: dict[NodeId, Node] = {}
    ids: set[NodeId] = set()
    for index in range(len(items)):
        try:
            data, at = take.mapping(items, index, place), place.at(index)
            id = take.integer(data, "id", at, min=1, max=AXIS)
            if id in ids:
                reason = message("the id {id} belongs to another node already.", id=id)
                raise at.at("id").refusal(reason)
            ids.add(id)
            nodes[id] = _node(file, data, at)
        except Refusal as refusal:
            file.keep(refusal)
    return _with_attributes(file, nodes), ids


def _node(file: Gathering, data: dict[str, object], at: Place) -> Node:
    kind = take.text(data, "kind", at)
    if kind not in CATALOGUE:
        file.unknown_kind(kind)
    name = take.text(data, "name", at)
    return Node(
        name=name,
        attribute=take.text(data, "attribute", at) if "attribute" in data else name,
        kind=kind,
        options=_options(file, kind, take.mapping(data, "options", at), at),
        trainable=take.boolean(data, "trainable", at) if "trainable" in data else True,
        extra=file.extra("node", data, NODE_FIELDS, at),
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
    file: Gathering, kind: str, data: dict[str, object], at: Place
) -> tuple[tuple[str, Raw], ...]:
    """The options of the kind in their order, PyTorch's default for a missing one; then others.

    `at` is the place of their node.
    """
    known = spellings(kind)
    if data.keys() == known.keys():
        # Most values are scalars: they are taken as they are.
        values: list[tuple[str, Any]] = [
            (name, value if type(value := data[name]) in SCALARS else decoded(value, spelling))
            for name, spelling in known.items()
        ]
        return tuple(values)
    options = (
        {option.name: option.default for option in options_of(CATALOGUE[kind])} if known else {}
    )
    for name, value in data.items():
        options[name] = decoded(value, known.get(name, PLAIN))
    if kind in CATALOGUE:
        for name in (name for name in data if name not in known):
            text = "{kind} has no option {place}; it is kept."
            file.notice(
                f"{kind} {name}", message(text, kind=kind, place=at.at("options").at(name).path)
            )
    return tuple(options.items())


# Wires and ties


def _wires(file: Gathering, ids: set[NodeId]) -> dict[Target, Source]:
    """The wires by the input that they enter."""
    items, place = file.items("edges", EDGES), file.place.at("edges")
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


def _ties(file: Gathering, ids: set[NodeId]) -> dict[ParamRef, ParamRef]:
    """Tied parameters with their owners, which are not tied themselves."""
    items, place = file.items("ties", NODES), file.place.at("ties")
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


# Names


def _variables(file: Gathering) -> dict[str, Variable]:
    section, place = file.section("variables"), file.place.at("variables")
    variables: dict[str, Variable] = {}
    for name in section:
        with file.faulty():
            data = take.mapping(section, name, place)
            _check_name(name, place)
            variables[name] = _variable(file, data, place.at(name))
    return variables


def _check_name(name: str, place: Place) -> None:
    problem = check_name(name)
    if problem is not None:
        raise place.at(name).refusal(problem)


def _variable(file: Gathering, data: dict[str, object], at: Place) -> Variable:
    choices = tuple(_strings(data, "choices", at))
    return Variable(
        value=decoded(take.field(data, "value", at), Spelling(True, choices)),
        note=take.text(data, "note", at, TEXT_CHARACTERS) if "note" in data else "",
        choices=choices,
        divisors=tuple(_divisors(data, at)),
        extra=file.extra("variable", data, VARIABLE_FIELDS, at),
    )


def _strings(data: dict[str, object], key: str, at: Place) -> Iterable[str]:
    items = take.sequence(data, key, at, NODES) if key in data else []
    return (take.text(items, index, at.at(key)) for index in range(len(items)))


def _divisors(data: dict[str, object], at: Place) -> Iterable[str | int]:
    items = take.sequence(data, "divisors", at, NODES) if "divisors" in data else []
    for index, item in enumerate(items):
        if isinstance(item, str):
            yield take.text(items, index, at.at("divisors"))
        else:
            yield take.integer(items, index, at.at("divisors"))


def _dimensions(file: Gathering, variables: dict[str, Variable]) -> dict[str, Dimension]:
    section, place = file.section("dimensions"), file.place.at("dimensions")
    dimensions: dict[str, Dimension] = {}
    for name in section:
        with file.faulty():
            data = take.mapping(section, name, place)
            _check_name(name, place)
            if name in variables:
                raise place.at(name).refusal(message("is declared as a variable too."))
            dimensions[name] = _dimension(file, data, place.at(name))
    return dimensions


def _dimension(file: Gathering, data: dict[str, object], at: Place) -> Dimension:
    text = take.text(data, "meaning", at, TEXT_CHARACTERS) if "meaning" in data else ""
    return Dimension(
        meaning=text,
        trial=take.integer(data, "trial", at, min=1, max=AXIS) if "trial" in data else 1,
        multiple=take.integer(data, "multiple", at, min=1, max=AXIS) if "multiple" in data else 1,
        extra=file.extra("dimension", data, DIMENSION_FIELDS, at),
    )


# Layout


def _layout(file: Gathering, ids: set[NodeId]) -> dict[NodeId, Position]:
    """Positions, moved to within reach; a position of a node that is not there is left out."""
    items, place = file.items("layout", NODES), file.place.at("layout")
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
