"""Where the numbers come from: the rows of the state dict, and each count explained."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import nsmallest
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from designer.core import numbers, size
from designer.core.param import expanded, list_of, state_place, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from designer.core.analysis import Analysis
    from designer.core.graph import NodeId, ParamRef
    from designer.core.param import Axis, Param
    from designer.core.size import Size


class Row(NamedTuple):
    """One key of the exported module's state dict, or of all copies of a tensor.

    `owner` is the key whose tensor this one shares, if it is tied.
    """

    key: str
    node: NodeId
    param: Param
    norm: bool
    trainable: bool
    owner: str | None


def rows(analysis: Analysis) -> Iterator[Row]:
    """Every tensor of a design, in the order of the exported module's state dict.

    That is the topological order of the layers, as they are made in the constructor, and within a
    layer first its parameters and then its buffers. What the module holds as its own comes first.
    Copies are told one by one: there may be millions.
    """
    yield from (row for row in grouped_rows(analysis) if "." not in row.key)
    for id in analysis.network.ordered():
        held = (param for param in analysis.findings[id].params if param.name)
        yield from (_row(analysis, id, param) for param in expanded(held))


def grouped_rows(analysis: Analysis) -> Iterator[Row]:
    """The same in one row for all copies of a tensor, with the key `experts.0…7.weight`."""
    findings = analysis.findings
    found = (
        _row(analysis, id, param)
        for id in analysis.network.ordered()
        for param in findings[id].params
    )
    yield from sorted(found, key=lambda row: state_place(row.key, row.param))


def _row(analysis: Analysis, id: NodeId, param: Param) -> Row:
    nodes = analysis.document.graph.nodes
    node, owner = nodes[id], analysis.findings[id].tied.get(param.name)
    trainer = nodes[owner.node] if owner else node
    return Row(
        within(node.attribute, param.shown()),
        id,
        param,
        norm=param.norm or "Norm" in node.kind,
        trainable=param.part != "buffer" and param.trainable and trainer.trainable,
        owner=_owner(analysis, id, param),
    )


def _owner(analysis: Analysis, id: NodeId, param: Param) -> str | None:
    """The key of the tensor that a parameter shares: another layer's, or one beside it."""
    nodes = analysis.document.graph.nodes
    owner = analysis.findings[id].tied.get(param.name)
    if owner is not None:
        return within(nodes[owner.node].attribute, owner.param)
    return within(nodes[id].attribute, param.in_words(param.owner)) if param.owner else None


def tensors(analysis: Analysis) -> int:
    """How many rows there are, as far as it is known."""
    counts = (size.value(p.copies) for f in analysis.findings.values() for p in f.params)
    return sum(1 if count is None else count for count in counts)


def symbolic_total(analysis: Analysis) -> Size:
    """The number of parameters as one formula in the document's variables."""
    total: Size = 0
    for finding in analysis.findings.values():
        for param in finding.params:
            if param.part != "buffer" and not param.owner and param.name not in finding.tied:
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


class Copies(NamedTuple):
    """So many times a sum."""

    times: Factor
    terms: tuple[Term, ...]


Term: TypeAlias = "tuple[Factor, ...] | Copies"
"""A product of labelled factors, or copies of a sum of them."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a layer's parameters are counted: a sum of products, and what they come to.

    One term for each parameter, a product of labelled factors; those of copies stand together.
    `names` and `figures` write the same terms, equal ones once.
    """

    terms: tuple[Term, ...]

    @property
    def total(self) -> int | None:
        """The sum; None where a size is not known."""
        return size.value(_sum(self.terms))

    def names(self) -> str:
        """`in × out + out`"""
        return _written(_name, self.terms)

    def figures(self) -> str:
        """`768 × 3,072 + 3,072`"""
        return _written(_figure, self.terms)

    def result(self) -> str:
        """`2,362,368`, or `?`."""
        return numbers.count(self.total)


def _sum(terms: Iterable[Term]) -> Size:
    total: Size = 0
    for term in terms:
        total = total + _value(term)
    return total


def _value(term: Term) -> Size:
    if isinstance(term, Copies):
        return term.times.size * _sum(term.terms)
    return size.product(factor.size for factor in term)


def _written(write: Callable[[Factor], str], terms: Iterable[Term]) -> str:
    return " + ".join(
        _product(write, term) if times == 1 else f"{times} × {_product(write, term)}"
        for term, times in _groups(terms)
    )


def _groups(terms: Iterable[Term]) -> Iterator[tuple[Term, int]]:
    """The terms that differ in names or in figures, and how often each is there."""
    groups: dict[tuple[str, str], list[Term]] = {}
    for term in terms:
        key = (_product(_name, term), _product(_figure, term))
        groups.setdefault(key, []).append(term)
    return ((alike[0], len(alike)) for alike in groups.values())


def _name(factor: Factor) -> str:
    if factor.label:
        return factor.label
    return f"({factor.size})" if " " in str(factor.size) else str(factor.size)


def _figure(factor: Factor) -> str:
    return numbers.count(size.value(factor.size))


def _product(write: Callable[[Factor], str], term: Term) -> str:
    """`in × out`, or `8 × (in × out + out)`."""
    if not isinstance(term, Copies):
        return " × ".join(map(write, term)) or "1"
    inner = _written(write, term.terms)
    return f"{write(term.times)} × {f'({inner})' if ' + ' in inner else inner}"


def explain(params: Iterable[Param]) -> Explanation:
    """The formula of some parameters; buffers and what shares a tensor beside it are left out."""
    counted = [param for param in params if param.part != "buffer" and not param.owner]
    return Explanation(tuple(_terms(counted, 0)))


def _terms(params: Iterable[Param], depth: int) -> Iterator[Term]:
    """The terms of parameters that are in the same lists of modules down to `depth`."""
    for span, group in groupby(params, lambda param: list_of(param, depth)):
        if span is None:
            yield from (_term(param.axes) for param in group)
        elif span[1].count == 1:
            yield from _terms(group, depth + 1)
        else:
            yield Copies(_copies(span[1].count), tuple(_terms(group, depth + 1)))


def _copies(count: Size) -> Factor:
    return Factor("copies" if size.is_unknown(count) else "", count)


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
