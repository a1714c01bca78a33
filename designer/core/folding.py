"""Copies: a chain that comes again and again becomes one repeated block, and the other way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.block import BLOCK, COPIES, OWN, SHARING
from designer.core.edits import (
    Refused,
    check_alone,
    node_of,
    remove_nodes,
)
from designer.core.fragment import Taken
from designer.core.frame import ends
from designer.core.graph import Graph, Node, Source
from designer.core.grouping import GAP, PORTS, group
from designer.core.message import message
from designer.core.tensor import ANYTHING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from designer.core.document import Draft, Edit
    from designer.core.graph import NodeId
    from designer.core.tensor import Tensor


def fold(
    ids: Iterable[NodeId], name: str = "", tensors: Mapping[Source, Tensor] | None = None
) -> Edit:
    """Fold a chain that is the same layers again and again into one repeated block.

    `tensors` are those on the wires, as for `group`.
    """
    chosen = list(ids)

    def edit(draft: Draft) -> None:
        chain = _chain(draft, chosen)
        for id in chain:
            check_alone(draft.graph, [id])
        _check_untied(draft.graph, chain)
        alike = [_likeness(draft.graph.nodes[id]) for id in chain]
        period = _period(alike)
        if period == len(chain):
            raise Refused(message("No part of this chain comes again right behind itself."))
        copies = len(chain) // period
        last = [edge.target for edge in draft.graph.edges_from(chain[-1])]
        port = _only_output(draft.graph, chain[period - 1])
        remove_nodes(chain[period:])(draft)
        for target in last:
            draft.put_edge(target, Source(chain[period - 1], port))
        kept = chain[:period]
        if period == 1 and draft.graph.nodes[kept[0]].kind.startswith(BLOCK):
            _multiply(draft, kept[0], copies)
            return
        use = draft.document.next_id
        group(kept, name, {Source(kept[-1], port): ANYTHING, **(tensors or {})})(draft)
        _multiply(draft, use, copies)

    return edit


def _multiply(draft: Draft, id: NodeId, copies: int) -> None:
    node = node_of(draft, id)
    draft.put_node(id, node.with_options({COPIES: copies}))


def _likeness(node: Node) -> object:
    """What two layers have in common that are the same but for their names."""
    return (node.kind, repr(node.options), node.trainable)


def _chain(draft: Draft, ids: list[NodeId]) -> list[NodeId]:
    """Layers in the order of the wires that lead from each to the next and nowhere else."""
    chosen, graph = set(ids), draft.graph
    following: dict[NodeId, NodeId] = {}
    for id in chosen:
        if node_of(draft, id).kind in PORTS:
            raise Refused(message("{name} cannot be repeated.", name=graph.nodes[id].name))
        after = [edge.target.node for edge in graph.edges_from(id)]
        if chosen.intersection(after):
            _check_lone(graph, id, len(after))
            following[id] = after[0]
    first = chosen - set(following.values())
    chain = [*first][:1]
    while chain and chain[-1] in following:
        chain.append(following[chain[-1]])
    if len(first) != 1 or len(chain) != len(chosen) or len(chain) < 2:
        raise Refused(message("Select two or more layers that follow one another."))
    for id in chain[1:]:
        _check_lone(graph, id, len(list(graph.edges_into(id))))
    return chain


def _check_lone(graph: Graph, id: NodeId, wires: int) -> None:
    if wires != 1:
        raise Refused(message("{name} is not in a chain.", name=graph.nodes[id].name))


def _check_untied(graph: Graph, chain: list[NodeId]) -> None:
    for pair in graph.ties.items():
        for node in {end.node for end in pair}.intersection(chain):
            text = "{name} shares a tensor with another layer: copies have weights of their own."
            raise Refused(message(text, name=graph.nodes[node].name))


def _period(alike: list[object]) -> int:
    """How many layers come again and again; all of them where none do."""
    length = len(alike)
    return next(
        period
        for period in range(1, length + 1)
        if length % period == 0 and alike == alike[:period] * (length // period)
    )


def _only_output(graph: Graph, id: NodeId) -> str:
    return next(graph.edges_from(id)).source.port


MOST_UNFOLDED = 1000


def unfold(id: NodeId, copies: int) -> Edit:
    """Put a chain of single uses in place of a repeated one; `copies` is its number of copies."""

    def edit(draft: Draft) -> None:
        node = node_of(draft, id)
        options = dict(node.options)
        if not node.kind.startswith(BLOCK) or options.get(SHARING, OWN) != OWN:
            raise Refused(message("{name} has no copies of its own.", name=node.name))
        if not 2 <= copies <= MOST_UNFOLDED:
            text = "{name} can be unfolded into 2 to {limit} layers, got {copies}."
            raise Refused(message(text, name=node.name, limit=MOST_UNFOLDED, copies=copies))
        check_alone(draft.graph, [id])
        _Unfolded(draft, id, node).put(copies)

    return edit


class _Unfolded:
    """A repeated use on its way to a chain of single ones."""

    def __init__(self, draft: Draft, id: NodeId, node: Node) -> None:
        self.draft, self.id, self.node = draft, id, node
        block = draft.whole.blocks[node.kind.removeprefix(BLOCK)]
        taken, given = (
            [block.graph.nodes[end].attribute for end in ends(block, kind)] for kind in PORTS
        )
        same = [(name, name) for name in taken if name in given]
        self.carried = dict(same or zip(taken[:1], given[:1], strict=True))

    def put(self, copies: int) -> None:
        """Make the copies, each fed as copies feed one another."""
        draft = self.draft
        others = list(draft.graph.edges_into(self.id))
        fed = list(draft.graph.edges_from(self.id))
        x, y = draft.document.layout.get(self.id, (0.0, 0.0))
        single = self.node.with_options({COPIES: 1})
        draft.put_node(self.id, single)
        taken = Taken(draft)
        before = self.id
        for number in range(1, copies):
            id = draft.document.next_id
            draft.put_node(id, taken.fitted(single))
            draft.put_position(id, (x, y + number * GAP))
            for edge in others:
                output = self.carried.get(edge.target.port)
                source = edge.source if output is None else Source(before, output)
                draft.put_edge(edge.target._replace(node=id), source)
            before = id
        for edge in fed:
            draft.put_edge(edge.target, Source(before, edge.source.port))
