"""Operations on images: padding, resizing, shuffling of pixels, windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.importers.torch_ops.table import operation, same

if TYPE_CHECKING:
    from designer.importers.torch_ops.binding import Bound, Call

PADS = {"reflect": "ReflectionPad", "replicate": "ReplicationPad", "circular": "CircularPad"}
"""Padding modes that look at values, and the kind for each."""

MOST_AXES = 3
"""How many axes have a kind of their own."""


@operation("F.pad(input, pad, mode='constant', value=None)")
def pad(call: Call) -> Bound:
    """A padding of as many axes as there are pairs; the constant one takes any number."""
    sizes, mode = call["pad"], call["mode"]
    if not isinstance(sizes, (tuple, list)) or len(sizes) % 2:
        raise call.bad("{op} takes pairs of numbers, got {got}.", got=sizes)
    axes = len(sizes) // 2
    inputs = {"x": call.tensor("input")}
    if mode == "constant":
        kind = f"ConstantPad{min(max(axes, 1), MOST_AXES)}d"
        return call.to(kind, inputs, {"padding": sizes, "value": call["value"] or 0.0})
    if mode not in PADS or not 1 <= axes <= MOST_AXES:
        raise call.bad("{op} has no mode {mode} for {axes} axes.", mode=mode, axes=axes)
    if call["value"]:
        raise call.bad("{op} takes no value with mode {mode}.", mode=mode)
    return call.to(f"{PADS[str(mode)]}{axes}d", inputs, {"padding": sizes})


same(
    "Upsample",
    "F.interpolate(input, size=None, scale_factor=None, mode='nearest', align_corners=None,"
    " recompute_scale_factor=None, antialias=False)",
)
same("PixelShuffle", "F.pixel_shuffle(input, upscale_factor)")
same("PixelUnshuffle", "F.pixel_unshuffle(input, downscale_factor)")
same("ChannelShuffle", "F.channel_shuffle(input, groups)", "torch.channel_shuffle(input, groups)")
same("Unfold", "F.unfold(input, kernel_size, dilation=1, padding=0, stride=1)")
same("Fold", "F.fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1)")
same("PixelShuffle", "torch.pixel_shuffle(input, upscale_factor)")
same("PixelUnshuffle", "torch.pixel_unshuffle(input, downscale_factor)")
