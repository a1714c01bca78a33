"""What is written in code: a design or the body of a composite, and the layers that count there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from designer.core.code import Code
    from designer.core.document import Document
    from designer.core.expression import Scope
    from designer.core.finding import Finding
    from designer.core.graph import NodeId, Source
    from designer.core.param import Tally


class Ordered(Protocol):
    """What has an order: the Network of a graph, or the Course of a body."""

    def ordered(self) -> list[NodeId]:
        """The nodes, those that values come from first."""


class Drawn(Protocol):
    """What code is written of: an Analysis, or the Definition of a composite."""

    @property
    def document(self) -> Document:
        """The graph, and the names that its options use."""

    @property
    def network(self) -> Ordered:
        """The order of the layers."""

    @property
    def findings(self) -> Mapping[NodeId, Finding]:
        """Tensors, parameters and code by node."""

    @property
    def scope(self) -> Scope:
        """The values of names."""

    @property
    def counted(self) -> Tally:
        """The elements of all parameters and buffers."""


# What a design needs


def live(analysis: Drawn) -> list[NodeId]:
    """The layers that an output depends on, in creation order, inputs and outputs left out."""
    order = analysis.network.ordered()
    graph = analysis.document.graph
    needed = set(outputs_of(analysis))
    for id in reversed(order):
        if id in needed:
            needed.update(edge.source.node for edge in graph.edges_into(id))
    return [id for id in order if id in needed and code_of(analysis, id) is not None]


def code_of(analysis: Drawn, id: NodeId) -> Code | None:
    """The code of a node; None for inputs and outputs."""
    result = analysis.findings[id].result
    return result.written if result is not None else None


def inputs_of(analysis: Drawn) -> list[NodeId]:
    """The nodes through which values enter, in stored order."""
    nodes = analysis.document.graph.nodes
    return [id for id in sorted(nodes) if nodes[id].kind == "Input"]


def outputs_of(analysis: Drawn) -> list[NodeId]:
    """The nodes through which values leave, in stored order."""
    nodes = analysis.document.graph.nodes
    return [id for id in sorted(nodes) if nodes[id].kind == "Output"]


def used_outputs(analysis: Drawn) -> dict[Source, list[NodeId]]:
    """Of each output port that something live takes its value from, who takes it."""
    found: dict[Source, list[NodeId]] = {}
    for id in (*live(analysis), *outputs_of(analysis)):
        for edge in analysis.document.graph.edges_into(id):
            found.setdefault(edge.source, []).append(id)
    return found
