"""Places from left to right for ranks in a given order, after Brandes and Köpf (2001).

Vertices are aligned with the middle one of those they are joined to, four times: from above and
from below, to the left and to the right. Each gives the narrowest drawing for its alignment; a
vertex stands at the mean of the two middle ones.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from designer.core.arrange import Layers, Vertex

Conflicts = set[tuple[int, int]]


def placed(layers: Layers, gap: float) -> dict[Vertex, float]:
    """The centre of each vertex; neighbours of a rank are `gap` apart at least."""
    conflicts = _conflicts(layers)
    runs: list[tuple[bool, dict[Vertex, float]]] = []
    for down in (True, False):
        for left in (True, False):
            ranks = layers.ranks if down else layers.ranks[::-1]
            ranks = ranks if left else [rank[::-1] for rank in ranks]
            root = _aligned(layers, ranks, conflicts, down=down)
            xs = _compacted(layers, ranks, root, gap)
            runs.append((left, xs if left else {v: -x for v, x in xs.items()}))
    return _balanced(layers, runs)


def _conflicts(layers: Layers) -> Conflicts:
    """Lines that cross a wire where it passes ranks: the wire stays straight, the line bends."""
    places = layers.places()
    found: Conflicts = set()
    for upper, lower in pairwise(layers.ranks):
        inner = [
            (places[line.upper], places[vertex])
            for vertex in lower
            if vertex < 0
            for line in layers.above[vertex]
            if line.upper < 0
        ]
        if not inner:
            continue
        for vertex in upper:
            for line in layers.below.get(vertex, ()):
                if line.upper >= 0 or line.lower >= 0:
                    a, b = places[line.upper], places[line.lower]
                    if any((a - p) * (b - q) < 0 for p, q in inner):
                        found.add((line.upper, line.lower))
    return found


def _aligned(
    layers: Layers, ranks: list[list[Vertex]], conflicts: Conflicts, *, down: bool
) -> dict[Vertex, Vertex]:
    """Of each vertex the first one of the column that it stands in."""
    places = {vertex: place for rank in ranks for place, vertex in enumerate(rank)}
    root = {vertex: vertex for vertex in places}
    taken: set[Vertex] = set()
    for rank in ranks[1:]:
        last = -1
        for vertex in rank:
            for other in _middle(layers, vertex, places, down=down):
                pair = (other, vertex) if down else (vertex, other)
                if other not in taken and last < places[other] and pair not in conflicts:
                    taken.add(other)
                    root[vertex] = root[other]
                    last = places[other]
                    break
    return root


def _middle(
    layers: Layers, vertex: Vertex, places: Mapping[Vertex, int], *, down: bool
) -> list[Vertex]:
    """The one or two vertices in the middle of those before this one.

    A layer follows layers rather than a wire that passes: such a wire is drawn in a lane.
    """
    if down:
        joined = {line.upper for line in layers.above.get(vertex, ())}
    else:
        joined = {line.lower for line in layers.below.get(vertex, ())}
    if vertex >= 0:
        joined = {other for other in joined if other >= 0} or joined
    else:
        joined = {other for other in joined if other < 0 or not _leads_on(layers, other, down=down)}
    ordered = sorted(joined, key=places.__getitem__)
    if not ordered:
        return []
    return ordered[(len(ordered) - 1) // 2 : len(ordered) // 2 + 1]


def _leads_on(layers: Layers, vertex: Vertex, *, down: bool) -> bool:
    """Whether a layer has another one that can stand straight below (or above) it."""
    if down:
        return any(line.lower >= 0 for line in layers.below.get(vertex, ()))
    return any(line.upper >= 0 for line in layers.above.get(vertex, ()))


def _compacted(
    layers: Layers, ranks: list[list[Vertex]], root: Mapping[Vertex, Vertex], gap: float
) -> dict[Vertex, float]:
    """Columns as far left as they can stand, then as close to what is at their right."""
    after: dict[Vertex, dict[Vertex, float]] = {vertex: {} for vertex in root.values()}
    before: dict[Vertex, dict[Vertex, float]] = {vertex: {} for vertex in root.values()}
    for rank in ranks:
        for a, b in pairwise(rank):
            apart = (layers.widths[a] + layers.widths[b]) / 2 + gap
            if a < 0 or b < 0:
                apart -= gap / 2
            u, v = root[a], root[b]
            after[u][v] = before[v][u] = max(apart, after[u].get(v, 0.0))
    xs: dict[Vertex, float] = {}
    order = _sorted(after, before)
    for vertex in order:
        xs[vertex] = max((xs[u] + apart for u, apart in before[vertex].items()), default=0.0)
    for vertex in reversed(order):
        if after[vertex]:
            most = min(xs[v] - apart for v, apart in after[vertex].items())
            xs[vertex] = max(xs[vertex], most)
    return {vertex: xs[column] for vertex, column in root.items()}


def _sorted(
    after: Mapping[Vertex, Mapping[Vertex, float]], before: Mapping[Vertex, Mapping[Vertex, float]]
) -> list[Vertex]:
    """Columns, each behind those at its left."""
    waiting = {vertex: len(others) for vertex, others in before.items()}
    order = [vertex for vertex, count in waiting.items() if not count]
    for vertex in order:
        for other in after[vertex]:
            waiting[other] -= 1
            if not waiting[other]:
                order.append(other)
    return order


def _balanced(layers: Layers, runs: list[tuple[bool, dict[Vertex, float]]]) -> dict[Vertex, float]:
    """The mean of the two middle ones of four drawings, which are put side by side first."""
    spans = [_span(layers, xs) for _, xs in runs]
    narrowest = min(spans, key=lambda span: span[1] - span[0])
    shifted: list[dict[Vertex, float]] = []
    for (left, xs), (low, high) in zip(runs, spans, strict=True):
        shift = narrowest[0] - low if left else narrowest[1] - high
        shifted.append({vertex: x + shift for vertex, x in xs.items()})
    found: dict[Vertex, float] = {}
    for vertex in shifted[0]:
        four = sorted(xs[vertex] for xs in shifted)
        found[vertex] = (four[1] + four[2]) / 2
    return found


def _span(layers: Layers, xs: Mapping[Vertex, float]) -> tuple[float, float]:
    low = min(x - layers.widths[vertex] / 2 for vertex, x in xs.items())
    high = max(x + layers.widths[vertex] / 2 for vertex, x in xs.items())
    return low, high
