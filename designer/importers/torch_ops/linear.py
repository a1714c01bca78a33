"""Products with learned matrices as functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.size import value
from designer.core.tensor import Tensor
from designer.importers.torch_ops.table import operation

if TYPE_CHECKING:
    from designer.importers.torch_ops.binding import Bound, Call


@operation("F.linear(input, weight, bias=None)")
def linear(call: Call) -> Bound:
    """A Linear of the sizes that the weight [out, in] has; a vector is multiplied as it is."""
    weight, bias = call.ranked("weight", 1, 2), call["bias"]
    if weight.rank == 1 and bias is not None:
        raise call.bad("{op} adds no bias to a product with a vector.")
    if weight.rank == 1 or _single(bias) or _row(bias, call.tensor("input")):
        axes = {"dim0": 0, "dim1": weight.rank - 1 if weight.rank else 0}
        matrix = call.to("Transpose", {"x": weight}, axes)
        product = call.to("MatMul", {"a": call.tensor("input"), "b": matrix})
        return product if bias is None else call.to("Add", {"xs": (product, bias)})
    options = {
        "in_features": weight.axis(1),
        "out_features": weight.axis(0),
        "bias": bias is not None,
    }
    held = {"weight": weight, "bias": bias}
    return call.to("Linear", {"x": call.tensor("input")}, options, held)


def _row(bias: object, x: Tensor) -> bool:
    """Whether a bias is one vector for all, with axes of 1 before it as in no layer."""
    if not isinstance(bias, Tensor) or bias.rank is None or x.rank is None:
        return False
    return 1 < bias.rank <= x.rank and all(value(axis) == 1 for axis in bias.shape[:-1])


def _single(bias: object) -> bool:
    """Whether a bias is one number for all outputs."""
    return isinstance(bias, Tensor) and bias.rank in (0, 1) and value(bias.count) == 1
