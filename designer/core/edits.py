"""The edits: each returns a function that changes a Draft, or raises Refused."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from designer.core import expression
from designer.core.block import BLOCK, has_meaning, stem_of, use_options
from designer.core.custom import CUSTOM, layer_class
from designer.core.document import inside
from designer.core.expression import Expression
from designer.core.graph import Graph, Node, NodeId, ParamRef, Source, Target
from designer.core.kinds import blocks_within, is_declared, uses_of
from designer.core.layer import CATALOGUE, defaults
from designer.core.message import Message, message
from designer.core.names import python_name
from designer.core.option import AXIS_LIMIT, names_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from designer.core.document import Dimension, Draft, Edit, Position, Variable
    from designer.core.option import Raw


class Refused(ValueError):
    """An edit that cannot be made; `message` says why."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


def all_of(edits: Iterable[Edit]) -> Edit:
    """Several edits as one."""
    parts = tuple(edits)

    def edit(draft: Draft) -> None:
        for part in parts:
            part(draft)

    return edit


def node_of(draft: Draft, id: NodeId) -> Node:
    """A layer of the level that is being edited; Refused where there is none."""
    node = draft.graph.nodes.get(id)
    if node is None:
        raise Refused(message("There is no layer {id} in this design.", id=id))
    return node


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
    _move_ties(draft, id, heir)


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
        for id in _one_with(draft.graph, chosen):
            draft.put_node(id, node_of(draft, id).with_options(options))

    return edit


def set_trainable(ids: Iterable[NodeId], trainable: bool) -> Edit:
    """Train or lock the parameters of some layers."""
    chosen = tuple(ids)

    def edit(draft: Draft) -> None:
        for id in _one_with(draft.graph, chosen):
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


# One module in several places


def calls_of(graph: Graph, id: NodeId) -> list[NodeId]:
    """The layers that are other calls of a layer's module, in stored order."""
    return sorted(other for other, node in graph.nodes.items() if node.same_as == id)


def _one_with(graph: Graph, ids: Iterable[NodeId]) -> list[NodeId]:
    """Some layers, and all that are calls of the same modules."""
    chosen = dict.fromkeys(ids)
    owners = {_module_of(graph, id) for id in chosen}
    also = (id for id, node in graph.nodes.items() if node.same_as in owners)
    return [*chosen, *sorted({*owners, *also} - chosen.keys())]


def _module_of(graph: Graph, id: NodeId) -> NodeId:
    """The layer that has the module that a layer calls: itself, or another."""
    node = graph.nodes.get(id)
    return id if node is None or node.same_as is None else node.same_as


def share(id: NodeId, owner: NodeId) -> Edit:
    """Make a layer another call of the module of `owner`: with its options and its weights."""

    def edit(draft: Draft) -> None:
        root = _module_of(draft.graph, owner)
        node, theirs = node_of(draft, id), node_of(draft, root)
        if root == id:
            raise Refused(message("{name} is that layer itself.", name=node.name))
        if node.kind != theirs.kind or node.kind in ("Input", "Output"):
            text = "{name} and {owner} are no layers of one kind that could be the same."
            raise Refused(message(text, name=node.name, owner=theirs.name))
        _move_ties(draft, id, root)
        for other in calls_of(draft.graph, id):
            draft.put_node(other, _as_call(node_of(draft, other), root, theirs))
        draft.put_node(id, _as_call(node, root, theirs))

    return edit


def _as_call(node: Node, owner: NodeId, theirs: Node) -> Node:
    return replace(node, options=theirs.options, trainable=theirs.trainable, same_as=owner)


def unshare(id: NodeId) -> Edit:
    """Give a layer a module of its own again, with the options that it has."""

    def edit(draft: Draft) -> None:
        draft.put_node(id, replace(node_of(draft, id), same_as=None))

    return edit


def _move_ties(draft: Draft, id: NodeId, heir: NodeId) -> None:
    """Let ties with a layer's parameters be with those of another, where it has no such tie."""
    for param, owner in list(draft.graph.ties.items()):
        if id not in (param.node, owner.node):
            continue
        draft.put_tie(param, None)
        pair = [end._replace(node=heir) if end.node == id else end for end in (param, owner)]
        if pair[0] != pair[1] and pair[0] not in draft.graph.ties:
            draft.put_tie(*pair)


def check_alone(graph: Graph, ids: Iterable[NodeId]) -> None:
    """Refuse to take layers away from others that are calls of the same module."""
    chosen = set(ids)
    for id, node in graph.nodes.items():
        if node.same_as is not None and (id in chosen) != (node.same_as in chosen):
            owner = graph.nodes.get(node.same_as)
            text = "{name} and {owner} are one layer: take both, or give each weights of its own."
            raise Refused(message(text, name=node.name, owner=owner.name if owner else "?"))


# Names: variables and free dimensions


def set_variable(name: str, variable: Variable) -> Edit:
    """Declare a variable, or give a declared one another value, note or assumption."""

    def edit(draft: Draft) -> None:
        if name not in draft.document.variables:
            _check_name(draft, name)
        _check_text(variable.note)
        draft.put("variable", name, variable)

    return edit


def set_dimension(name: str, dimension: Dimension) -> Edit:
    """Declare a free dimension, or change what is said of it."""

    def edit(draft: Draft) -> None:
        if name not in draft.document.dimensions:
            _check_name(draft, name)
        _check_text(dimension.meaning)
        if not (1 <= dimension.trial <= AXIS_LIMIT and 1 <= dimension.multiple <= AXIS_LIMIT):
            raise Refused(
                message("{name} needs sizes from 1 to {limit}.", name=name, limit=AXIS_LIMIT)
            )
        draft.put("dimension", name, dimension)

    return edit


TEXT_LIMIT = 100_000


def _check_text(text: str) -> None:
    """Titles and notes may be long and hold any script, but nothing that a file cannot."""
    if len(text) > TEXT_LIMIT or any(not c.isprintable() and c not in "\n\t" for c in text):
        raise Refused(
            message("A text has at most {limit} characters, all of them visible.", limit=TEXT_LIMIT)
        )


def _check_name(draft: Draft, name: str) -> None:
    problem = expression.check_name(name)
    if problem is not None:
        raise Refused(problem)
    if name in draft.document.variables or name in draft.document.dimensions:
        raise Refused(message("{name} is declared already.", name=name))
    if draft.level and has_meaning(name):
        raise Refused(message("Every block has {name} already.", name=name))


def _section(draft: Draft, name: str) -> str:
    """Where a name is declared; Refused where it is not."""
    if name in draft.document.variables:
        return "variable"
    if name in draft.document.dimensions:
        return "dimension"
    raise Refused(message("{name} is not declared.", name=name))


def remove_name(name: str) -> Edit:
    """Remove a variable or free dimension that nothing uses; refused with its uses otherwise."""

    def edit(draft: Draft) -> None:
        section, used = _section(draft, name), uses(draft, name)
        if used:
            raise Refused(message("{name} is used by {uses}.", name=name, uses=", ".join(used[:8])))
        draft.put(section, name, None)

    return edit


def uses(draft: Draft, name: str) -> list[str]:
    """What uses a name: `layer.option` and variables, in stored order."""
    seen = {level: draft.whole.at(level).graph for level in _levels(draft, name)}
    found = [
        f"{graph.nodes[id].name}.{option}"
        for graph in seen.values()
        for id in graph.ids()
        for option, raw in graph.nodes[id].options
        if name in names_in(raw)
    ]
    for other, variable in draft.document.variables.items():
        if name in names_in(variable.value) or name in variable.divisors:
            found.append(other)
    return found


def _levels(draft: Draft, name: str) -> list[str]:
    """Where a name means what it means here: a dimension in all blocks without such an argument."""
    if name in draft.document.variables:
        return [draft.level]
    blocks = draft.whole.blocks.items()
    return ["", *(level for level, block in blocks if name not in block.arguments)]


def rename_name(old: str, new: str) -> Edit:
    """Rename a variable or free dimension wherever it is used; as one edit."""

    def edit(draft: Draft) -> None:
        section, levels = _section(draft, old), _levels(draft, old)
        _check_name(draft, new)
        names: Mapping[str, object] = getattr(draft.document, f"{section}s")
        order = tuple(new if name == old else name for name in names)
        draft.put(section, new, names[old])
        draft.put(section, old, None)
        draft.put(f"{section} order", None, order)
        for level in levels:
            inside(level, _rename_uses(old, new))(draft)
        if section == "variable" and not draft.level:
            _rename_in_presets(draft, old, new)
        elif section == "variable":
            _rename_argument(draft, old, new)

    return edit


def _rename_uses(old: str, new: str) -> Edit:
    def edit(draft: Draft) -> None:
        _rename_in_variables(draft, old, new)
        _rename_in_nodes(draft, old, new)

    return edit


def _rename_in_presets(draft: Draft, old: str, new: str) -> None:
    for name, preset in draft.whole.presets.items():
        if old in preset:
            values = {new if key == old else key: value for key, value in preset.items()}
            draft.put("preset", name, values)


def _rename_argument(draft: Draft, old: str, new: str) -> None:
    """Rename an argument where the block that is being edited is used."""
    for level, id in uses_of(draft.whole, f"{BLOCK}{draft.level}"):
        node = draft.whole.at(level).graph.nodes[id]
        options = tuple((new if key == old else key, raw) for key, raw in node.options)
        inside(level, put_nodes([(id, replace(node, options=options))]))(draft)


def _rename_in_variables(draft: Draft, old: str, new: str) -> None:
    for name, variable in draft.document.variables.items():
        divisors = tuple(new if divisor == old else divisor for divisor in variable.divisors)
        changed = replace(variable, value=_renamed(variable.value, old, new), divisors=divisors)
        if changed != variable:
            draft.put("variable", name, changed)


def _rename_in_nodes(draft: Draft, old: str, new: str) -> None:
    for id, node in draft.graph.nodes.items():
        options = {
            name: _renamed(raw, old, new) for name, raw in node.options if old in names_in(raw)
        }
        if options:
            draft.put_node(id, node.with_options(options))


def _renamed(raw: Raw, old: str, new: str) -> Raw:
    if isinstance(raw, tuple):
        return tuple(_renamed(part, old, new) for part in raw)
    if isinstance(raw, Expression) and old in names_in(raw):
        return Expression(expression.rename(raw.text, old, new))
    return raw


def set_title(title: str) -> Edit:
    """Give the design a title."""

    def edit(draft: Draft) -> None:
        _check_text(title)
        draft.put("title", None, title)

    return edit


def unify(keep: str, gone: str) -> Edit:
    """Make two free dimensions one: every use of `gone` becomes `keep`."""

    def edit(draft: Draft) -> None:
        if keep == gone or {_section(draft, keep), _section(draft, gone)} != {"dimension"}:
            raise Refused(
                message("{keep} and {gone} are not two dimensions.", keep=keep, gone=gone)
            )
        for level in _levels(draft, gone):
            inside(level, _rename_uses(gone, keep))(draft)
        draft.put("dimension", gone, None)

    return edit
