"""Which tensors a parameter could share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.graph import ParamRef
from designer.core.size import Verdict, compare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from designer.core.analysis import Analysis
    from designer.core.graph import NodeId
    from designer.core.param import Param

_FITS = (Verdict.IDENTICAL, Verdict.EQUAL_HERE)
MOST_OFFERED = 24


def parameter(analysis: Analysis, ref: ParamRef) -> Param | None:
    """A parameter by its reference, if it is there."""
    finding = analysis.findings.get(ref.node)
    params = finding.params if finding else ()
    return next((param for param in params if param.name == ref.param), None)


def ref_name(analysis: Analysis, ref: ParamRef) -> str:
    """`wte.weight`"""
    node = analysis.document.graph.nodes.get(ref.node)
    return f"{node.name if node else ref.node}.{ref.param}"


def tieable(analysis: Analysis, id: NodeId) -> list[Param]:
    """The weights of a layer that could share a tensor."""
    return [param for param in analysis.findings[id].params if _single(param)]


def _single(param: Param) -> bool:
    """Whether it is one weight of its own: no copies of one, and none that it shares already."""
    return param.part == "weight" and not param.spans and not param.owner


def candidates(analysis: Analysis, ref: ParamRef) -> list[ParamRef]:
    """Weights of other layers with the same shape, first those of embeddings; at most a few."""
    mine = parameter(analysis, ref)
    if mine is None:
        return []
    found = list(_fitting(analysis, ref, mine))
    nodes = analysis.document.graph.nodes
    found.sort(key=lambda owner: (nodes[owner.node].kind != "Embedding", owner))
    return found[:MOST_OFFERED]


def _fitting(analysis: Analysis, ref: ParamRef, mine: Param) -> Iterator[ParamRef]:
    for id, finding in analysis.findings.items():
        for param in finding.params if id != ref.node else ():
            other = ParamRef(id, param.name)
            # One that shares a tensor itself is not offered: its owner is.
            if _single(param) and param.name not in finding.tied and _same(mine, param):
                yield other


def _same(a: Param, b: Param) -> bool:
    return len(a.shape) == len(b.shape) and all(
        compare(x, y) in _FITS for x, y in zip(a.shape, b.shape, strict=True)
    )
