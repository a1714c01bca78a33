"""Random parts of designs, as they are made into blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.edits import downstream
from designer.core.graph import Source
from designer.core.grouping import PORTS

if TYPE_CHECKING:
    from random import Random

    from designer.core.analysis import Analysis
    from designer.core.graph import Graph, NodeId
    from designer.core.tensor import Tensor


def tensors_of(analysis: Analysis) -> dict[Source, Tensor]:
    """What is on the wires."""
    return {
        Source(id, port): tensor
        for id, finding in analysis.findings.items()
        for port, tensor in finding.outputs.items()
    }


def convex(graph: Graph, pick: Random) -> list[NodeId]:
    """Some layers, and all that are between them."""
    layers = [id for id in graph.ids() if graph.nodes[id].kind not in PORTS]
    chosen = set(pick.sample(layers, pick.randint(1, max(1, len(layers) * 2 // 3))))
    behind = {id: set(downstream(graph, id)) for id in layers}
    while True:
        reached = set().union(*(behind[id] for id in chosen))
        between = {id for id in layers if id in reached and behind[id] & chosen}
        if between <= chosen:
            return sorted(chosen)
        chosen |= between
