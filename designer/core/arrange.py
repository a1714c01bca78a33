"""Where layers stand: a layered layout, top to bottom, in which wires run straight where they can.

Ranks, an order within each rank with few crossings, and places from left to right, as Sugiyama
(1981) begins it; the places are those of Brandes and Köpf (2001). It depends on the graph and on
the sizes of its layers alone, so that arranging twice changes nothing.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from designer.core.placing import placed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from designer.core.document import Position
    from designer.core.graph import Edge, Graph, NodeId

GAP = 40.0
"""Between a rank and the next: room for the shape on a wire."""

BESIDE = 48.0
"""Between two layers of a rank."""

LANE = 24.0
"""The width of a wire that passes a rank."""

SNAP = 8.0
MOST_SWEEPS = 24
PATIENCE = 4
"""Sweeps without an improvement after which the order is left as it is."""

Vertex = int
"""The id of a layer, or a number below 0 for a wire where it passes a rank."""


class Figure(NamedTuple):
    """A layer as it stands on the canvas: its size, and its ports from left to right."""

    width: float
    height: float
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


class Line(NamedTuple):
    """A piece of a wire from one rank to the next, with where it meets each end (0 to 1)."""

    upper: Vertex
    lower: Vertex
    out: float
    into: float


@dataclass
class Layers:
    """Vertices by rank from top to bottom, and the lines between them."""

    ranks: list[list[Vertex]]
    widths: dict[Vertex, float]
    above: dict[Vertex, list[Line]] = field(default_factory=dict)
    below: dict[Vertex, list[Line]] = field(default_factory=dict)

    def places(self) -> dict[Vertex, int]:
        """Of each vertex its place within its rank."""
        return {vertex: place for rank in self.ranks for place, vertex in enumerate(rank)}


def arranged(
    graph: Graph, order: Sequence[NodeId], figure: Callable[[NodeId], Figure]
) -> dict[NodeId, Position]:
    """The centres of layers that look like this; `order` is a topological order of them.

    Layers overlap nowhere, and each stands below all that feed it.
    """
    if not order:
        return {}
    figures = {id: figure(id) for id in order}
    layers = _layered(graph, order, figures)
    _untangle(layers)
    xs = placed(layers, BESIDE)
    ys = _heights(layers, {id: figure.height for id, figure in figures.items()})
    middle = xs[order[0]]
    return {id: (_snapped(xs[id] - middle), _snapped(ys[id])) for id in order}


def _snapped(value: float) -> float:
    return round(value / SNAP) * SNAP


def _heights(layers: Layers, heights: Mapping[NodeId, float]) -> dict[NodeId, float]:
    ys: dict[NodeId, float] = {}
    top = 0.0
    for rank in layers.ranks:
        height = max((heights[v] for v in rank if v in heights), default=0.0)
        height = -(-height // (2 * SNAP)) * 2 * SNAP
        ys.update((v, top + height / 2) for v in rank if v in heights)
        top += height + GAP
    return ys


# Ranks


def _layered(graph: Graph, order: Sequence[NodeId], figures: Mapping[NodeId, Figure]) -> Layers:
    wires = [
        (edge.source.node, edge.target.node, *_meeting(graph, edge, figures))
        for id in order
        for edge in graph.edges_into(id)
        if edge.source.node in figures
    ]
    rank = _ranks(order, [(source, target) for source, target, _, _ in wires])
    widths = {id: figure.width for id, figure in figures.items()}
    layers = Layers([[] for _ in range(max(rank.values()) + 1)], dict(widths))
    for id in _first_order(order, [(source, target) for source, target, _, _ in wires]):
        layers.ranks[rank[id]].append(id)
    count = 0
    for source, target, out, into in wires:
        last = source
        for level in range(rank[source] + 1, rank[target]):
            count -= 1
            layers.ranks[level].append(count)
            layers.widths[count] = LANE
            _join(layers, Line(last, count, out if last == source else 0.5, 0.5))
            last = count
        _join(layers, Line(last, target, out if last == source else 0.5, into))
    return layers


def _meeting(graph: Graph, edge: Edge, figures: Mapping[NodeId, Figure]) -> tuple[float, float]:
    """Where a wire leaves and where it arrives, from 0 at the left to 1."""
    out = _spot(figures[edge.source.node].outputs, edge.source.port)
    slots = graph.slots(edge.target.node, edge.target.port)
    if len(slots) > 1:
        return out, (slots.index(edge.target.slot) + 1) / (len(slots) + 1)
    return out, _spot(figures[edge.target.node].inputs, edge.target.port)


def _spot(ports: tuple[str, ...], port: str) -> float:
    return (ports.index(port) + 1) / (len(ports) + 1) if port in ports else 0.5


def _join(layers: Layers, line: Line) -> None:
    layers.below.setdefault(line.upper, []).append(line)
    layers.above.setdefault(line.lower, []).append(line)


def _ranks(order: Sequence[NodeId], wires: Iterable[tuple[NodeId, NodeId]]) -> dict[NodeId, int]:
    """The longest way from the top; what feeds more than it takes stands close to what it feeds."""
    before: dict[NodeId, set[NodeId]] = {id: set() for id in order}
    after: dict[NodeId, set[NodeId]] = {id: set() for id in order}
    for source, target in wires:
        before[target].add(source)
        after[source].add(target)
    rank: dict[NodeId, int] = {}
    for id in order:
        rank[id] = max((rank[other] + 1 for other in before[id]), default=0)
    for id in reversed(order):
        if len(after[id]) > len(before[id]):
            rank[id] = max(rank[id], min(rank[other] for other in after[id]) - 1)
    return rank


def _first_order(
    order: Sequence[NodeId], wires: Iterable[tuple[NodeId, NodeId]]
) -> Iterable[NodeId]:
    """Layers branch by branch: each behind the one that it was first reached from."""
    after: dict[NodeId, list[NodeId]] = {id: [] for id in order}
    fed = set()
    for source, target in wires:
        after[source].append(target)
        fed.add(target)
    found: dict[NodeId, None] = {}
    waiting = [id for id in reversed(order) if id not in fed]
    while waiting:
        id = waiting.pop()
        if id not in found:
            found[id] = None
            waiting += [other for other in reversed(after[id]) if other not in found]
    return found


# Order


def _untangle(layers: Layers) -> None:
    """Sort each rank so that few lines cross."""
    best, fewest, waited = [list(rank) for rank in layers.ranks], crossings(layers), 0
    for sweep in range(MOST_SWEEPS):
        if not fewest or waited >= PATIENCE:
            break
        _sweep(layers, down=sweep % 2 == 0)
        _exchange(layers)
        now = crossings(layers)
        waited += 1
        if now < fewest:
            best, fewest, waited = [list(rank) for rank in layers.ranks], now, 0
    layers.ranks = best


def _sweep(layers: Layers, *, down: bool) -> None:
    """Put each vertex near the middle of those that it is joined to in the rank before."""
    ranks = layers.ranks if down else layers.ranks[::-1]
    places = layers.places()
    for rank in ranks[1:]:
        wanted = {vertex: _wanted(layers, vertex, places, down=down) for vertex in rank}
        rank.sort(key=lambda vertex: wanted[vertex])
        places.update((vertex, place) for place, vertex in enumerate(rank))


def _wanted(layers: Layers, vertex: Vertex, places: Mapping[Vertex, int], *, down: bool) -> float:
    if down:
        spots = [places[line.upper] + line.out for line in layers.above.get(vertex, ())]
    else:
        spots = [places[line.lower] + line.into for line in layers.below.get(vertex, ())]
    if not spots:
        return places[vertex] + 0.5
    spots.sort()
    half = len(spots) // 2
    if len(spots) % 2:
        return spots[half]
    return (spots[half - 1] + spots[half]) / 2


def _exchange(layers: Layers) -> None:
    """Exchange neighbours as long as that takes crossings away."""
    places, better = layers.places(), True
    while better:
        better = False
        for rank in layers.ranks:
            for left in range(len(rank) - 1):
                a, b = rank[left], rank[left + 1]
                if _between(layers, a, b, places) > _between(layers, b, a, places):
                    rank[left], rank[left + 1] = b, a
                    places[a], places[b] = left + 1, left
                    better = True


def _between(layers: Layers, a: Vertex, b: Vertex, places: Mapping[Vertex, int]) -> int:
    """How many lines at `a` and `b` cross where `a` stands left of `b`."""
    found = 0
    above = (layers.above.get(a, ()), layers.above.get(b, ()))
    for mine in above[0]:
        at = places[mine.upper] + mine.out
        found += sum(at > places[line.upper] + line.out for line in above[1])
    below = (layers.below.get(a, ()), layers.below.get(b, ()))
    for mine in below[0]:
        at = places[mine.lower] + mine.into
        found += sum(at > places[line.lower] + line.into for line in below[1])
    return found


def crossings(layers: Layers) -> int:
    """How many pairs of lines cross."""
    places = layers.places()
    found = 0
    for upper, _ in pairwise(layers.ranks):
        ends = sorted(
            (places[line.upper] + line.out, places[line.lower] + line.into)
            for vertex in upper
            for line in layers.below.get(vertex, ())
        )
        passed: list[float] = []
        for _, end in ends:
            found += len(passed) - bisect_left(passed, end + 1e-9)
            insort(passed, end)
    return found
