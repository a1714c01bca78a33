"""Products with learned matrices as functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.importers.torch_ops.table import operation

if TYPE_CHECKING:
    from designer.importers.torch_ops.binding import Bound, Call


@operation("F.linear(input, weight, bias=None)")
def linear(call: Call) -> Bound:
    """A Linear of the sizes that the weight [out, in] has."""
    weight = call.ranked("weight", 2)
    options = {
        "in_features": weight.axis(1),
        "out_features": weight.axis(0),
        "bias": call["bias"] is not None,
    }
    held = {"weight": weight, "bias": call["bias"]}
    return call.to("Linear", {"x": call.tensor("input")}, options, held)
