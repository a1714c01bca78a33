"""What a design costs: bytes of its weights, of training it, and operations of a forward pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from designer.core import size
from designer.core.tensor import DTYPE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from designer.core.analysis import Analysis, Totals
    from designer.core.graph import NodeId
    from designer.core.layer import Result
    from designer.core.size import Size
    from designer.core.tensor import Tensor

WEIGHT_BYTES = {"fp32": 4, "bf16": 2, "int8": 1}
"""Bytes of one parameter by the names under which the memory line shows them."""

ADAM_BYTES = 16
"""Bytes for each trained fp32 parameter with Adam: weight, gradient and two moments."""


def weight_bytes(totals: Totals, dtype: str) -> int:
    """Bytes of all parameters in a dtype of `WEIGHT_BYTES`, without buffers."""
    return totals.parameters * WEIGHT_BYTES[dtype]


def training_bytes(totals: Totals) -> int:
    """Bytes of weights, gradients and Adam's moments in fp32; frozen weights count 4, no more."""
    return totals.trainable * ADAM_BYTES + totals.frozen * WEIGHT_BYTES["fp32"]


def checkpoint_bytes(analysis: Analysis) -> int:
    """Bytes of the tensors in an fp32 state dict, buffers included, each tensor once."""
    total = weight_bytes(analysis.totals(), "fp32")
    for finding in analysis.findings.values():
        for param in finding.params:
            if param.part == "buffer" and param.persistent and not param.owner:
                total += (size.value(param.count) or 0) * DTYPE_BYTES[param.dtype]
    return total


def trials(analysis: Analysis) -> Mapping[str, Size]:
    """The sizes with which free dimensions are tried."""
    return {name: d.trial for name, d in analysis.document.dimensions.items()}


@dataclass(frozen=True, slots=True)
class Forward:
    """Operations of one forward pass: `flops` of matrix products, convolutions and attention.

    One multiply-add is two. `until` is the first layer that could not be counted, if there is one.
    `elementwise` are all others by the convention of `designer.core.work`; those of layers that it
    does not reach are missing in it, and `beyond` is the first of these.
    """

    flops: int
    until: NodeId | None = None
    elementwise: int = 0
    beyond: NodeId | None = None


def forward(analysis: Analysis) -> Forward:
    """The matrix products, convolutions and attention of a forward pass with the trial sizes."""
    return Forward(*_summed(analysis, lambda result: result.flops))


def whole_forward(analysis: Analysis) -> Forward:
    """The same, and the element-wise operations."""
    products = forward(analysis)
    others = _summed(analysis, lambda result: result.elementwise)
    return Forward(products.flops, products.until, *others)


def _summed(analysis: Analysis, counted: Callable[[Result], Size]) -> tuple[int, NodeId | None]:
    """A sum over all layers with the trial sizes, and the first for which it is not known."""
    sizes = trials(analysis)
    memo: dict[Size, int | None] = {}
    total, until = 0, None
    for id in analysis.network.ordered():
        finding = analysis.findings[id]
        count = counted(finding.result) if finding.result else size.UNKNOWN
        if count not in memo:
            memo[count] = size.value(size.substitute(count, sizes))
        value = memo[count]
        if value is None:
            until = id if until is None else until
        else:
            total += value
    return total, until


def tensor_bytes(tensor: Tensor, analysis: Analysis) -> int | None:
    """Bytes of a value with the trial sizes; None where it is not known."""
    count = size.value(size.substitute(tensor.count, trials(analysis)))
    return None if count is None else count * DTYPE_BYTES[tensor.dtype]
