"""Convolutions as functions: the weight says how many channels, and how large the kernel is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.importers.torch_ops.table import operation

if TYPE_CHECKING:
    from designer.core.size import Size
    from designer.importers.torch_ops.binding import Bound, Call

PLAIN = "input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1"
TRANSPOSED = "input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1"
OPTIONS = ("stride", "padding", "output_padding", "groups", "dilation")


@operation(*(f"{space}.conv{axes}d({PLAIN})" for space in ("F", "torch") for axes in (1, 2, 3)))
def convolution(call: Call) -> Bound:
    """A convolution with a weight [out, in / groups, *kernel]."""
    weight = call.ranked("weight", _axes(call) + 2)
    inner = weight.axis(1) * call.whole("groups")
    return _bound(call, f"Conv{_axes(call)}d", inner, weight.axis(0))


@operation(
    *(
        f"{space}.conv_transpose{axes}d({TRANSPOSED})"
        for space in ("F", "torch")
        for axes in (1, 2, 3)
    )
)
def transposed(call: Call) -> Bound:
    """A transposed convolution with a weight [in, out / groups, *kernel]."""
    weight = call.ranked("weight", _axes(call) + 2)
    outer = weight.axis(1) * call.whole("groups")
    return _bound(call, f"ConvTranspose{_axes(call)}d", weight.axis(0), outer)


def _axes(call: Call) -> int:
    """How many axes a window has: `F.conv2d` has 2."""
    return int(call.op[-2])


def _bound(call: Call, kind: str, inner: Size, outer: Size) -> Bound:
    weight = call.tensor("weight")
    sizes = {"in_channels": inner, "out_channels": outer, "kernel_size": weight.shape[2:]}
    flags = {"bias": call["bias"] is not None}
    others = {name: call[name] for name in OPTIONS if name in call.values}
    held = {"weight": weight, "bias": call["bias"]}
    return call.to(kind, {"x": call.tensor("input")}, {**sizes, **flags, **others}, held)
