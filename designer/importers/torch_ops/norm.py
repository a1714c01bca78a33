"""Normalisations as functions; a weight or bias that is given becomes the layer's.

A lazy InstanceNorm has other defaults than one with a size, and counts channels on axis 1 always.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.tensor import Tensor
from designer.importers.torch_ops.table import operation, received, same

if TYPE_CHECKING:
    from designer.importers.torch_ops.binding import Bound, Call


same(
    "SyncBatchNorm",
    "nn.SyncBatchNorm(num_features, eps=1e-05, momentum=0.1, affine=True,"
    " track_running_stats=True, process_group: _ = None, device: _ = None, dtype: _ = None, *,"
    " bias=True)",
)


def _scaled(call: Call) -> bool:
    """Whether the call has a weight; a bias alone is no layer's."""
    bias = call.values.get("bias")
    if not (bias is None or isinstance(bias, Tensor)):
        raise call.bad("{op} needs a tensor for bias, got {got}.", got=bias)
    if call["weight"] is None and bias is not None:
        raise call.unmapped("{op} has a bias without a weight.")
    return call["weight"] is not None


def _normalized(call: Call) -> object:
    """The sizes of the last axes; the functions, unlike the modules, take no plain number."""
    shape = call["normalized_shape"]
    if isinstance(shape, int):
        raise call.bad("{op} takes a list of axes, got {got}.", got=shape)
    return shape


def _held(call: Call) -> dict[str, object]:
    return {"weight": call["weight"], "bias": call.values.get("bias")}


@operation("F.layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-05)")
def layer_norm(call: Call) -> Bound:
    """A LayerNorm, affine where a weight is given."""
    options = {
        "normalized_shape": _normalized(call),
        "eps": call["eps"],
        "elementwise_affine": _scaled(call),
        "bias": call["bias"] is not None,
    }
    return call.to("LayerNorm", {"x": call.tensor("input")}, options, _held(call))


@operation("F.rms_norm(input, normalized_shape, weight=None, eps=None)")
def rms_norm(call: Call) -> Bound:
    """An RMSNorm, scaled where a weight is given."""
    options = {
        "normalized_shape": _normalized(call),
        "eps": call["eps"],
        "elementwise_affine": _scaled(call),
    }
    return call.to("RMSNorm", {"x": call.tensor("input")}, options, {"weight": call["weight"]})


@operation("F.group_norm(input, num_groups, weight=None, bias=None, eps=1e-05)")
def group_norm(call: Call) -> Bound:
    """A GroupNorm, affine where a weight is given."""
    options = {
        "num_groups": call["num_groups"],
        "eps": call["eps"],
        "affine": _scaled(call),
        "bias": call["bias"] is not None,
    }
    return call.to("GroupNorm", {"x": call.tensor("input")}, options, _held(call))


LAZY = (
    "(eps=1e-05, momentum=0.1, affine=True, track_running_stats=True, device=None, dtype=None,"
    " *, bias=True)"
)
OPTIONS = ("eps", "momentum", "affine", "track_running_stats", "bias")


@operation(*(f"nn.LazyInstanceNorm{axes}d{LAZY}" for axes in (1, 2, 3)))
def lazy_instance_norm(call: Call) -> Bound:
    """An InstanceNorm of as many channels as axis 1 has, also where there is no batch."""
    kind = call.op.removeprefix("nn.Lazy")
    inputs, named = received(call, kind)
    x = inputs.get("x")
    options = {name: call[name] for name in OPTIONS}
    if isinstance(x, Tensor) and len(x.shape) > 1 and not x.partial:
        options["num_features"] = x.axis(1)
    return call.to(kind, inputs, {**options, **named})
