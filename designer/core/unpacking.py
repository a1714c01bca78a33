"""From a block to layers: what a use stands for takes its place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from designer.core import grammar
from designer.core.block import BLOCK, COPIES, OWN, SHARING
from designer.core.edits import (
    Refused,
    check_alone,
    node_of,
    remove_nodes,
)
from designer.core.expression import Expression
from designer.core.fragment import Taken
from designer.core.frame import ends
from designer.core.graph import Node, ParamRef, Source, Target
from designer.core.grouping import PORTS, middle
from designer.core.kinds import uses_of
from designer.core.message import message
from designer.core.option import names_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from designer.core.document import Block, Draft, Edit
    from designer.core.graph import Edge, NodeId
    from designer.core.option import Raw


def unpack(id: NodeId) -> Edit:
    """Put the layers of a block in place of a use of it; its last use takes the block along."""

    def edit(draft: Draft) -> None:
        use = node_of(draft, id)
        name = use.kind.removeprefix(BLOCK)
        block = draft.whole.blocks.get(name)
        if block is None or not use.kind.startswith(BLOCK):
            raise Refused(message("{name} is not a block.", name=use.name))
        options = dict(use.options)
        if options.get(COPIES, 1) != 1 or options.get(SHARING, OWN) != OWN:
            text = "{name} is several copies: unfold it first."
            raise Refused(message(text, name=use.name))
        check_alone(draft.graph, [id])
        last = len(uses_of(draft.whole, use.kind)) == 1
        _Unpacked(draft, id, use, block).put(last)
        if last:
            draft.put("block", name, None)

    return edit


class _Unpacked:
    """The layers of a block on their way into the graph that uses it."""

    def __init__(self, draft: Draft, id: NodeId, use: Node, block: Block) -> None:
        self.draft, self.id, self.use, self.block = draft, id, use, block
        self.inner = [n for n, node in sorted(block.graph.nodes.items()) if node.kind not in PORTS]
        self.texts = _given_texts(block, dict(use.options))

    def put(self, last: bool) -> None:
        """Replace the use; under the ids that the layers have where it is the last."""
        draft, graph = self.draft, self.draft.graph
        into = {edge.target.port: edge.source for edge in graph.edges_into(self.id)}
        fed = list(graph.edges_from(self.id))
        ties = dict(graph.ties)
        layout = {n: draft.document.layout.get(n, (0.0, 0.0)) for n in self.inner}
        at = draft.document.layout.get(self.id, (0.0, 0.0))
        x, y = middle(layout) if layout else at
        dx, dy = (0.0, 0.0) if last else (at[0] - x, at[1] - y)
        remove_nodes([self.id])(draft)
        if last:
            for port in set(self.block.graph.nodes) - set(self.inner):
                draft.put_position(port, None)
        first = draft.document.next_id
        new = {n: n if last else first + place for place, n in enumerate(self.inner)}
        taken = Taken(draft)
        for old, id in new.items():
            node = self._fitted(self.block.graph.nodes[old]).renumbered(new)
            draft.put_node(id, _in_place(taken, node))
            draft.put_position(id, (layout[old][0] + dx, layout[old][1] + dy))
        self._wire(new, into, fed)
        self._tie(new, ties)

    def _fitted(self, node: Node) -> Node:
        options = {name: _substituted(raw, self.texts) for name, raw in node.options}
        trained = node.trainable and self.use.trainable
        return replace(node.with_options(options), trainable=trained)

    def _source(
        self, source: Source, new: Mapping[NodeId, NodeId], into: Mapping[str, Source]
    ) -> Source | None:
        """What a wire inside brings, outside: an Input brings what comes to its port."""
        node = self.block.graph.nodes[source.node]
        if node.kind == "Input":
            return into.get(node.attribute)
        return Source(new[source.node], source.port)

    def _wire(
        self, new: Mapping[NodeId, NodeId], into: Mapping[str, Source], fed: list[Edge]
    ) -> None:
        graph = self.block.graph
        for edge in graph.edges():
            source = self._source(edge.source, new, into)
            if source is not None and edge.target.node in new:
                self.draft.put_edge(edge.target._replace(node=new[edge.target.node]), source)
        given = {}
        for end in ends(self.block, "Output"):
            arrived = graph.source(Target(end, "x"))
            given[graph.nodes[end].attribute] = arrived and self._source(arrived, new, into)
        for edge in fed:
            source = given.get(edge.source.port)
            if source is not None:
                self.draft.put_edge(edge.target, source)

    def _tie(self, new: Mapping[NodeId, NodeId], ties: Mapping[ParamRef, ParamRef]) -> None:
        inner = self.block.graph
        by_attribute = {inner.nodes[n].attribute: id for n, id in new.items()}
        for param, owner in inner.ties.items():
            self.draft.put_tie(
                param._replace(node=new[param.node]), owner._replace(node=new[owner.node])
            )
        for param, owner in ties.items():
            if self.id in (param.node, owner.node):
                pair = [self._inside(end, by_attribute) for end in (param, owner)]
                self.draft.put_tie(*pair)

    def _inside(self, param: ParamRef, by_attribute: Mapping[str, NodeId]) -> ParamRef:
        if param.node != self.id:
            return param
        attribute, _, rest = param.param.partition(".")
        return ParamRef(by_attribute[attribute], rest)


def _in_place(taken: Taken, node: Node) -> Node:
    """A layer under the names that it has, where they are free."""
    if node.name in taken.names or node.attribute in taken.attributes:
        return taken.fitted(node)
    taken.names.add(node.name)
    taken.attributes.add(node.attribute)
    return node


def _given_texts(block: Block, options: Mapping[str, Raw]) -> dict[str, Raw]:
    """What stands for each argument outside: what the use gives, else its own value there."""
    texts: dict[str, Raw] = {}
    waiting = dict(block.arguments)
    while waiting:
        ready = [
            name
            for name, argument in waiting.items()
            if options.get(name) is not None
            or not set(names_in(argument.value)) & (waiting.keys() - {name})
        ]
        for name in ready or list(waiting):
            argument, given = waiting.pop(name), options.get(name)
            texts[name] = _substituted(argument.value, texts) if given is None else given
    return texts


def _substituted(raw: Raw, texts: Mapping[str, Raw]) -> Raw:
    """An option with expressions in place of names; a name alone becomes what stands for it."""
    if isinstance(raw, tuple):
        return tuple(_substituted(part, texts) for part in raw)
    used = {name: texts[name] for name in names_in(raw) if name in texts}
    if not isinstance(raw, Expression) or not used:
        return raw
    if raw.text.strip() in used:
        return used[raw.text.strip()]
    return Expression(grammar.substitute(raw.text, {n: _text(v) for n, v in used.items()}))


def _text(raw: Raw) -> str:
    return raw.text if isinstance(raw, Expression) else str(raw)
