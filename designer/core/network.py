"""The live network of a graph: networkx nodes and edges, with a topological order."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any

import networkx as nx

from designer.core.message import Message, message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from designer.core.document import Change, Delta
    from designer.core.graph import Graph, NodeId, Source, Target


class CycleError(ValueError):
    """A wire that would close a loop; `nodes` are on it, in the direction of the wires."""

    def __init__(self, nodes: list[NodeId]) -> None:
        self.nodes = nodes
        self.message: Message = message("This wire would close a loop, and a network has none.")
        super().__init__(str(self.message))


_UNIQUE = 24
"""The low bits of a rank tell nodes apart that were put between the same two."""

_SPACE = 1 << 40
"""Between two ranks of a new network: room to halve it sixteen times."""


class Network(nx.MultiDiGraph):  # type: ignore[type-arg]
    """Node ids, and an edge for each wire, keyed by the (port, slot) that it enters.

    `rank` is a topological order: of two connected nodes the source has the lower rank, and no two
    have the same. A new node that is put into a wire gets a rank between the ends of the wire; a
    new edge reorders only the nodes between its ends (Pearce and Kelly, 2006).
    """

    # networkx's own dictionaries: its public views cost ten times as much for each node.
    _pred: dict[NodeId, dict[NodeId, dict[Any, Any]]]
    _succ: dict[NodeId, dict[NodeId, dict[Any, Any]]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rank: dict[NodeId, int] = {}
        self._highest = 0
        self._entered = 0
        self._ordered: list[NodeId] | None = None

    @staticmethod
    def of(graph: Graph) -> Network:
        """The network of a graph; raises CycleError where its wires close a loop."""
        network = Network()
        network.add_nodes_from(graph.ids())
        for source, target in graph.edges():
            network.add_edge(source.node, target.node, target[1:])
        order = network.ordered()
        if len(order) < len(graph.nodes):
            raise CycleError(_loop(network, set(graph.nodes).difference(order)))
        network.rank = {node: place * _SPACE for place, node in enumerate(order)}
        network._highest = len(order) * _SPACE
        return network

    def followers(self, node: NodeId) -> Iterable[NodeId]:
        """The nodes that a node feeds."""
        return self._succ[node]

    def ordered(self) -> list[NodeId]:
        """Nodes in topological order, of those that are free to come the lowest id first.

        It depends on the graph alone, not on the edits that led to it. Nodes on or behind a loop
        are left out.
        """
        if self._ordered is None:
            self._ordered = self._sorted()
        return self._ordered

    def _sorted(self) -> list[NodeId]:
        waiting = {node: sum(map(len, into.values())) for node, into in self._pred.items()}
        ready = [node for node, count in waiting.items() if not count]
        heapify(ready)
        order: list[NodeId] = []
        while ready:
            node = heappop(ready)
            order.append(node)
            for follower, wires in self._succ[node].items():
                waiting[follower] -= len(wires)
                if not waiting[follower]:
                    heappush(ready, follower)
        return order

    def patch(self, delta: Delta) -> None:
        """Follow a Delta. Raises CycleError, and has then changed nothing."""
        done: list[tuple[Target, Source | None, Source | None]] = []
        nodes = list(delta.of("node"))
        edges = list(delta.of("edge"))
        if not edges and all(change.old and change.new for _, change in nodes):
            return
        self._ordered = None
        self._enter([node for node, change in nodes if change.old is None], edges)
        try:
            # All old wires go before new ones come: a wire that is turned round makes no loop.
            for target, change in edges:
                self._rewire(target, change.old, None)
                done.append((target, change.old, None))
            for target, change in edges:
                self._rewire(target, None, change.new)
                done.append((target, None, change.new))
        except CycleError:
            for target, old, new in reversed(done):
                self._rewire(target, new, old)
            self._leave(node for node, change in nodes if change.old is None)
            raise
        self._leave(node for node, change in nodes if change.new is None)

    def _enter(self, fresh: list[NodeId], edges: list[tuple[Target, Change]]) -> None:
        """Add nodes, ranked between those that they will be wired to."""
        after: dict[NodeId, int] = {}
        before: dict[NodeId, int] = {}
        for target, change in edges if fresh else ():
            if change.new is not None:
                source, rank = change.new.node, self.rank
                if source in rank:
                    after[target.node] = max(rank[source], after.get(target.node, 0))
                if target.node in rank:
                    before[source] = min(rank[target.node], before.get(source, self._highest))
        for node in fresh:
            self.add_node(node)
            self._entered += 1
            self.rank[node] = self._between(after.get(node), before.get(node))

    def _between(self, low: int | None, high: int | None) -> int:
        """A rank that no node has: above `low` and below `high` where there is room, else last."""
        if high is not None and self._entered < 1 << _UNIQUE:
            below = high - 2 * _SPACE if low is None else low
            middle = ((below >> _UNIQUE) + (high >> _UNIQUE)) // 2
            if below >> _UNIQUE < middle < high >> _UNIQUE:
                return (middle << _UNIQUE) + self._entered
        self._highest += _SPACE
        return self._highest

    def _leave(self, nodes: Iterable[NodeId]) -> None:
        for node in nodes:
            self.remove_node(node)
            del self.rank[node]

    def _rewire(self, target: Target, old: Source | None, new: Source | None) -> None:
        key = target[1:]
        if old is not None:
            self.remove_edge(old.node, target.node, key)
        if new is not None:
            self._make_room(new.node, target.node)
            self.add_edge(new.node, target.node, key)

    def _make_room(self, source: NodeId, target: NodeId) -> None:
        """Reorder so that `source` comes before `target`; CycleError where it cannot."""
        rank = self.rank
        low, high = rank[target], rank[source]
        if high < low:
            return
        forward = self._reach(target, self._succ, lambda node: rank[node] <= high)
        if source in forward:
            raise CycleError(_way(forward, source))
        backward = self._reach(source, self._pred, lambda node: rank[node] >= low)
        moved = [*sorted(backward, key=rank.__getitem__), *sorted(forward, key=rank.__getitem__)]
        places = sorted(rank[node] for node in moved)
        rank.update(zip(moved, places, strict=True))

    def _reach(self, start: NodeId, neighbours: Any, within: Any) -> dict[NodeId, NodeId]:
        """The nodes that can be reached, each with the one before it; the nearest first."""
        found, frontier = {start: start}, [start]
        for node in frontier:
            for neighbour in neighbours[node]:
                if neighbour not in found and within(neighbour):
                    found[neighbour] = node
                    frontier.append(neighbour)
        return found


def _way(found: dict[NodeId, NodeId], node: NodeId) -> list[NodeId]:
    """How a node was reached, from the start."""
    way = [node]
    while found[node] != node:
        node = found[node]
        way.append(node)
    return way[::-1]


def _loop(network: Network, nodes: set[NodeId]) -> list[NodeId]:
    """One loop among nodes of which each has a predecessor among them or is behind a loop."""
    return [edge[0] for edge in nx.find_cycle(network.subgraph(nodes))]
