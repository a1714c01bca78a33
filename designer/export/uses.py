"""What a design's code uses: the layers that count, the names in their expressions."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from designer.core import expression
from designer.core.code import Attribute, Call, Conditional, Infix, Item, Method
from designer.core.expression import Flag, Real, Text
from designer.core.option import Whole
from designer.core.size import UNKNOWN, Symbolic

if TYPE_CHECKING:
    from designer.core.analysis import Analysis
    from designer.core.code import Code
    from designer.core.graph import NodeId, Source


# What a design needs


def live(analysis: Analysis) -> list[NodeId]:
    """The layers that an output depends on, in creation order, inputs and outputs left out."""
    order = analysis.network.ordered()
    graph = analysis.document.graph
    needed = set(outputs_of(analysis))
    for id in reversed(order):
        if id in needed:
            needed.update(edge.source.node for edge in graph.edges_into(id))
    return [id for id in order if id in needed and code_of(analysis, id) is not None]


def code_of(analysis: Analysis, id: NodeId) -> Code | None:
    """The code of a node; None for inputs and outputs."""
    result = analysis.findings[id].result
    return result.code if result is not None else None


def inputs_of(analysis: Analysis) -> list[NodeId]:
    """The nodes through which values enter, in stored order."""
    nodes = analysis.document.graph.nodes
    return [id for id in sorted(nodes) if nodes[id].kind == "Input"]


def outputs_of(analysis: Analysis) -> list[NodeId]:
    """The nodes through which values leave, in stored order."""
    nodes = analysis.document.graph.nodes
    return [id for id in sorted(nodes) if nodes[id].kind == "Output"]


def used_outputs(analysis: Analysis) -> dict[Source, list[NodeId]]:
    """Of each output port that something live takes its value from, who takes it."""
    found: dict[Source, list[NodeId]] = {}
    for id in (*live(analysis), *outputs_of(analysis)):
        for edge in analysis.document.graph.edges_into(id):
            found.setdefault(edge.source, []).append(id)
    return found


# Names in expressions of the code

NAMED = frozenset((Symbolic, Whole, Real, Flag, Text))
"""What carries names: sizes, and values that know the expression they came from."""

_PARTS: dict[type, tuple[str, ...]] = {
    kind: tuple(field.name for field in fields(kind))
    for kind in (Attribute, Call, Conditional, Infix, Item, Method)
}
_PARTS[slice] = ("start", "stop", "step")


def names_used(argument: object) -> set[str]:
    """The variables and free dimensions in an expression of `designer.core.code`."""
    found: set[str] = set()
    for part in named_parts(argument):
        if isinstance(part, Symbolic):
            found |= part.names
        else:
            found.update(expression.names(part.source))
    return found


def has_unknown(argument: object) -> bool:
    """Whether a size in an expression is not known."""
    return any(part is UNKNOWN for part in named_parts(argument))


def named_parts(argument: object) -> list[Any]:
    """The parts of an expression of `designer.core.code` that carry names, in no order."""
    return parts(argument, NAMED)


def parts(argument: object, kinds: frozenset[type]) -> list[Any]:
    """The outermost parts of these kinds in an expression of `designer.core.code`, in no order."""
    found: list[Any] = []
    waiting = [argument]
    while waiting:
        part = waiting.pop()
        kind = type(part)
        if kind in kinds:
            found.append(part)
        elif kind in _PARTS:
            waiting += [getattr(part, name) for name in _PARTS[kind]]
        elif isinstance(part, tuple | list):
            waiting += part
    return found
