"""Where the numbers come from: the rows of the state dict, and each count explained."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import nsmallest
from typing import TYPE_CHECKING, NamedTuple

from designer.core import numbers, size
from designer.core.param import state_place, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from designer.core.analysis import Analysis
    from designer.core.graph import NodeId, ParamRef
    from designer.core.param import Axis, Param
    from designer.core.size import Size


class Row(NamedTuple):
    """One key of the exported module's state dict.

    `owner` is the key whose tensor this one shares, if it is tied.
    """

    key: str
    node: NodeId
    param: Param
    norm: bool
    trainable: bool
    owner: str | None


def rows(analysis: Analysis) -> Iterator[Row]:
    """Every persistent tensor of a design, in the order of the exported module's state dict.

    That is the topological order of the layers, as they are made in the constructor, and within a
    layer first its parameters and then its buffers. What the module holds as its own comes first.
    """
    return iter(sorted(_rows(analysis), key=lambda row: state_place(row.key, row.param)))


def _rows(analysis: Analysis) -> Iterator[Row]:
    """The same in the order of the layers."""
    nodes = analysis.document.graph.nodes
    for id in analysis.network.ordered():
        node, finding = nodes[id], analysis.findings[id]
        for param in finding.params:
            owner = finding.tied.get(param.name)
            trainer = nodes[owner.node] if owner else node
            yield Row(
                within(node.attribute, param.name),
                id,
                param,
                norm=param.norm or "Norm" in node.kind,
                trainable=param.part != "buffer" and trainer.trainable,
                owner=within(nodes[owner.node].attribute, owner.param) if owner else None,
            )


def symbolic_total(analysis: Analysis) -> Size:
    """The number of parameters as one formula in the document's variables."""
    total: Size = 0
    for finding in analysis.findings.values():
        for param in finding.params:
            if param.part != "buffer" and param.name not in finding.tied:
                total = total + param.count
    return total


_SHORT = {
    "in_features": "in",
    "out_features": "out",
    "in_channels": "in",
    "out_channels": "out",
    "num_features": "features",
    "num_channels": "channels",
    "num_embeddings": "num",
    "embedding_dim": "dim",
    "embed_dim": "embed",
    "hidden_size": "hidden",
    "input_size": "input",
    "kernel_depth": "k",
    "kernel_height": "k",
    "kernel_width": "k",
    "kernel_length": "k",
    "normalized_shape": "shape",
}
"""Axis labels as the formula writes them; others lose their number (`shape_1` is `shape`)."""


class Factor(NamedTuple):
    """A label and its size; without a label a plain number."""

    label: str
    size: Size


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a layer's parameters are counted: a sum of products, and what they come to.

    One term for each parameter, each a product of labelled factors; `names` and `figures` write
    the same terms, equal ones once.
    """

    terms: tuple[tuple[Factor, ...], ...]

    @property
    def total(self) -> int | None:
        """The sum; None where a size is not known."""
        values = [size.value(size.product(f.size for f in term)) for term in self.terms]
        return None if None in values else sum(value for value in values if value is not None)

    def names(self) -> str:
        """`in × out + out`"""
        return self._written(_name)

    def figures(self) -> str:
        """`768 × 3,072 + 3,072`"""
        return self._written(_figure)

    def result(self) -> str:
        """`2,362,368`, or `?`."""
        return numbers.count(self.total)

    def _written(self, write: Callable[[Factor], str]) -> str:
        return " + ".join(
            _product(write, term) if times == 1 else f"{times} × {_product(write, term)}"
            for term, times in self._groups()
        )

    def _groups(self) -> Iterator[tuple[tuple[Factor, ...], int]]:
        """The terms that differ in names or in figures, and how often each is there."""
        groups: dict[tuple[str, str], list[tuple[Factor, ...]]] = {}
        for term in self.terms:
            key = (_product(_name, term), _product(_figure, term))
            groups.setdefault(key, []).append(term)
        return ((terms[0], len(terms)) for terms in groups.values())


def _name(factor: Factor) -> str:
    return factor.label or str(factor.size)


def _figure(factor: Factor) -> str:
    return numbers.count(size.value(factor.size))


def _product(write: Callable[[Factor], str], term: tuple[Factor, ...]) -> str:
    return " × ".join(map(write, term)) or "1"


def explain(params: Iterable[Param]) -> Explanation:
    """The formula of some parameters, buffers left out."""
    return Explanation(tuple(_term(param.axes) for param in params if param.part != "buffer"))


def _term(axes: tuple[Axis, ...]) -> tuple[Factor, ...]:
    factors: list[Factor] = []
    for axis in _reading_order(axes):
        if axis.times != 1:
            factors.append(Factor("", axis.times))
        factors.append(Factor(_short(axis.label), axis.size))
    return tuple(factors)


def _reading_order(axes: tuple[Axis, ...]) -> tuple[Axis, ...]:
    """A matrix that maps in to out is read in that direction; all else as it is stored."""
    matrix = len(axes) == 2 and axes[0].label.startswith("out_") and axes[1].label.startswith("in_")
    return axes[::-1] if matrix else axes


def _short(label: str) -> str:
    return _SHORT.get(label, label.rstrip("0123456789").rstrip("_"))


class Share(NamedTuple):
    """A layer's part of the total."""

    node: NodeId
    parameters: int
    fraction: float


def shares(analysis: Analysis, most: int | None = None) -> list[Share]:
    """Layers that have parameters of their own, largest first, equal ones in stored order."""
    total = analysis.counted.parameters
    counts = (
        (-finding.counted.parameters, id)
        for id, finding in analysis.findings.items()
        if finding.counted.parameters
    )
    ranked = sorted(counts) if most is None else nsmallest(most, counts)
    return [Share(id, -negative, -negative / total) for negative, id in ranked]


def layers_with_parameters(analysis: Analysis) -> int:
    """How many layers have parameters of their own."""
    return sum(bool(finding.counted.parameters) for finding in analysis.findings.values())


def tied_rows(analysis: Analysis) -> Mapping[ParamRef, ParamRef]:
    """Parameters that share another's tensor, as far as the tie holds."""
    return {
        param: owner
        for param, owner in sorted(analysis.document.graph.ties.items())
        if param.param in analysis.findings[param.node].tied
    }
