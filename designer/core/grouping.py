"""From layers to a block: a selection becomes one use of a graph of its own."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from designer.core import expression
from designer.core import size as sizes
from designer.core.block import BLOCK, has_meaning, stem_of, use_options
from designer.core.block_edits import check_block_name, fresh_block_name
from designer.core.document import Block, Variable
from designer.core.edits import (
    Refused,
    attributes,
    check_alone,
    downstream,
    fresh_name,
    node_of,
    remove_nodes,
)
from designer.core.expression import Expression
from designer.core.frame import plain
from designer.core.graph import Graph, Node, ParamRef, Source, Target
from designer.core.layer import CATALOGUE, defaults
from designer.core.message import message
from designer.core.names import python_name
from designer.core.option import names_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from designer.core.document import Draft, Edit, Position
    from designer.core.graph import Edge, NodeId
    from designer.core.option import Raw
    from designer.core.tensor import Tensor


GAP = 110.0
"""Between the ports of a new block and its layers, in pixels."""

PORTS = ("Input", "Output")


class _Cut(NamedTuple):
    """Layers cut out of a graph: the wires between them, into them and out of them."""

    nodes: Mapping[NodeId, Node]
    inner: tuple[Edge, ...]
    into: Mapping[Source, tuple[Target, ...]]
    out: Mapping[Source, tuple[Target, ...]]


def _cut(graph: Graph, ids: Iterable[NodeId], ports: Iterable[Source]) -> _Cut:
    """Cut layers out; where none feeds another, ends are what the first of `ports` give."""
    chosen = sorted(set(ids))
    inner: list[Edge] = []
    into: dict[Source, tuple[Target, ...]] = {}
    out: dict[Source, tuple[Target, ...]] = {}
    for id in chosen:
        for edge in graph.edges_into(id):
            if edge.source.node in chosen:
                inner.append(edge)
            else:
                into[edge.source] = (*into.get(edge.source, ()), edge.target)
        for edge in graph.edges_from(id):
            if edge.target.node not in chosen:
                out[edge.source] = (*out.get(edge.source, ()), edge.target)
    if not out:
        ends = {source.node: source for source in reversed(list(ports))}
        loose = [id for id in chosen if not graph.targets.get(id) and id in ends]
        out = {ends[id]: () for id in loose}
    return _Cut({id: graph.nodes[id] for id in chosen}, tuple(inner), into, out)


def group(
    ids: Iterable[NodeId], name: str = "", tensors: Mapping[Source, Tensor] | None = None
) -> Edit:
    """Turn layers into a block with ports for their wires, and one use of it in their place.

    The variables that the layers use become arguments. `tensors` are those on the wires: the
    shapes that the block shows where it is not used, and what it gives where no wire leaves it.
    """
    chosen = sorted(set(ids))

    def edit(draft: Draft) -> None:
        _check_group(draft, chosen)
        called = name or fresh_block_name(draft.whole)
        check_block_name(draft.whole, called)
        use = draft.document.next_id
        cut = _cut(draft.graph, chosen, tensors or {})
        ties = dict(draft.graph.ties)
        layout = {id: draft.document.layout.get(id, (0.0, 0.0)) for id in chosen}
        made = _Made(draft, cut, use + 1, layout)
        graph = made.graph(tensors or {}, ties)
        arguments = _arguments(draft, cut)
        remove_nodes(chosen)(draft)
        draft.put("block", called, Block(graph, arguments))
        _put_use(draft, use, called, {n: Expression(n) for n in arguments}, middle(layout))
        for id, position in {**layout, **made.positions}.items():
            draft.put_position(id, position)
        for source, port in made.inputs.items():
            draft.put_edge(Target(use, port), source)
        for source, targets in cut.out.items():
            for target in targets:
                draft.put_edge(target, Source(use, made.outputs[source]))
        _tie_across(draft, ties, cut, use)

    return edit


def _check_group(draft: Draft, chosen: list[NodeId]) -> None:
    if not chosen:
        raise Refused(message("Select the layers first that the block is made of."))
    for id in chosen:
        node = node_of(draft, id)
        if node.kind in PORTS:
            text = "{name} stays outside: a block has ports of its own."
            raise Refused(message(text, name=node.name))
    check_alone(draft.graph, chosen)
    graph, inside_it = draft.graph, set(chosen)
    for id in chosen:
        for edge in graph.edges_from(id):
            if edge.target.node not in inside_it:
                back = inside_it.intersection(downstream(graph, edge.target.node))
                if back:
                    text = "{name} is between these layers: select it too."
                    raise Refused(message(text, name=graph.nodes[edge.target.node].name))


def _arguments(draft: Draft, cut: _Cut) -> dict[str, Variable]:
    """The variables that layers use, as arguments with the values that they have now."""
    variables = draft.document.variables
    raws = [raw for node in cut.nodes.values() for _, raw in node.options]
    used = {name for raw in raws for name in names_in(raw)}
    values, _ = expression.resolve({name: variable.value for name, variable in variables.items()})
    found: dict[str, Variable] = {}
    for name, variable in variables.items():
        if name in used:
            if has_meaning(name):
                raise Refused(message("Every block has {name} already.", name=name))
            divisors = tuple(d for d in variable.divisors if isinstance(d, int) or d in used)
            value = plain(values.get(name, variable.value))
            found[name] = replace(variable, value=value, divisors=divisors)
    return found


class _Made:
    """The graph of a new block: the layers, with Inputs and Outputs where wires were cut."""

    def __init__(
        self, draft: Draft, cut: _Cut, first: NodeId, layout: Mapping[NodeId, Position]
    ) -> None:
        self._cut = cut
        self._outer = draft.graph
        self._names = {node.name for node in cut.nodes.values()}
        self._taken = {node.attribute for node in cut.nodes.values()} | set(
            draft.document.variables
        )
        self._next = first
        self._layout = layout
        self.inputs: dict[Source, str] = {}
        self.outputs: dict[Source, str] = {}
        self.positions: dict[NodeId, Position] = {}

    def graph(self, tensors: Mapping[Source, Tensor], ties: Mapping[ParamRef, ParamRef]) -> Graph:
        """The whole graph."""
        cut, graph = self._cut, Graph()
        for id, node in cut.nodes.items():
            graph = graph.with_node(id, node)
        for edge in cut.inner:
            graph = graph.with_edge(edge.target, edge.source)
        for source, targets in cut.into.items():
            graph = self._with_input(graph, source, targets, tensors.get(source))
        for source in cut.out:
            graph = self._with_output(graph, source)
        for param, owner in ties.items():
            if param.node in cut.nodes and owner.node in cut.nodes:
                graph = graph.with_tie(param, owner)
        return graph

    def _with_input(
        self, graph: Graph, source: Source, targets: tuple[Target, ...], tensor: Tensor | None
    ) -> Graph:
        wished = "x" if len(self._cut.into) == 1 else self._outer.nodes[source.node].name
        node = self._port("Input", wished)
        if tensor is not None and not tensor.partial:
            shape = tuple(_raw_axis(axis) for axis in tensor.shape)
            node = node.with_options({"shape": shape, "dtype": tensor.dtype})
        id = self._enter(-1)
        self.inputs[source] = node.attribute
        graph = graph.with_node(id, node)
        for target in targets:
            graph = graph.with_edge(target, Source(id, "out"))
        return graph

    def _with_output(self, graph: Graph, source: Source) -> Graph:
        wished = "out" if len(self._cut.out) == 1 else f"{graph.nodes[source.node].name}_out"
        node = self._port("Output", wished)
        id = self._enter(1)
        self.outputs[source] = node.attribute
        return graph.with_node(id, node).with_edge(Target(id, "x"), source)

    def _port(self, kind: str, wished: str) -> Node:
        numbered = (wished if n == 1 else f"{wished}{n}" for n in count(1))
        name = next(name for name in numbered if name not in self._names)
        attribute = python_name(name, self._taken)
        self._names.add(name)
        self._taken.add(attribute)
        return Node(name, attribute, kind, defaults(CATALOGUE[kind]))

    def _enter(self, side: int) -> NodeId:
        """The id of a new port, above the layers (-1) or below them (1)."""
        id = self._next
        self._next += 1
        x, _ = middle(self._layout)
        ys = [y for _, y in self._layout.values()]
        ports = sum((y < min(ys)) == (side < 0) for _, y in self.positions.values())
        edge = min(ys) - GAP if side < 0 else max(ys) + GAP
        self.positions[id] = (x + 180.0 * ports, edge)
        return id


def _raw_axis(axis: sizes.Size) -> Raw:
    """An axis as an Input of a block shows it: a number, or the name of a dimension."""
    if isinstance(axis, int):
        return axis
    number = sizes.value(axis)
    return number if number is not None else Expression(str(axis))


def middle(layout: Mapping[NodeId, Position]) -> Position:
    """The centre of some places."""
    xs, ys = [x for x, _ in layout.values()], [y for _, y in layout.values()]
    return ((min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2)


def _put_use(
    draft: Draft, id: NodeId, name: str, options: Mapping[str, Raw], position: Position
) -> None:
    """A use of a block, with the id that it is to have."""
    shown = fresh_name(draft, stem_of(name))
    attribute = python_name(shown, attributes(draft))
    node = Node(shown, attribute, f"{BLOCK}{name}", use_options(draft.whole.blocks[name]))
    draft.put_node(id, node.with_options(options))
    draft.put_position(id, position)


def _tie_across(draft: Draft, ties: Mapping[ParamRef, ParamRef], cut: _Cut, use: NodeId) -> None:
    """Ties between a layer that is in a block now and one that is not."""
    for param, owner in ties.items():
        if (param.node in cut.nodes) != (owner.node in cut.nodes):
            draft.put_tie(_outside(param, cut, use), _outside(owner, cut, use))


def _outside(param: ParamRef, cut: _Cut, use: NodeId) -> ParamRef:
    node = cut.nodes.get(param.node)
    return ParamRef(use, f"{node.attribute}.{param.param}") if node else param
