"""Transposed convolutions over one, two or three axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from designer.core.code import Call, Code, Module
from designer.core.layer import Result, layer
from designer.core.option import option
from designer.core.param import Param, bias, weight
from designer.core.size import Size, maximum, product, value
from designer.layers.conv import KERNEL, Filtering
from designer.layers.rules import (
    SPATIAL,
    Window,
    batch,
    check_float32,
    image,
    known_zero,
    like,
    per_axis,
    spread,
)

if TYPE_CHECKING:
    from designer.core.layer import Inputs
    from designer.core.tensor import Tensor


@dataclass(frozen=True, eq=False)
class TransposedConvolution(Filtering):
    """What transposed convolutions over any number of axes share."""

    in_channels: Size | None = option(None, "Channels of the input; inferred when empty.", min=1)
    out_channels: Size = option(32, "Channels of the output.", min=1)
    kernel_size: Size | tuple[Size, ...] = option(3, "Extent of the filter, per axis.", min=1)
    stride: Size | tuple[Size, ...] = option(
        1, "Distance between filters in the output, per axis.", min=1
    )
    padding: Size | tuple[Size, ...] = option(
        0, "Elements cut off both sides of the output, per axis.", min=0
    )
    output_padding: Size | tuple[Size, ...] = option(
        0, "Elements added to one side of the output; below stride or dilation.", min=0
    )
    groups: Size = option(1, "Groups of channels that are convolved apart from each other.", min=1)
    bias: bool = option(True, "Add a learned offset to each channel.")
    dilation: Size | tuple[Size, ...] = option(1, "Distance between filter taps, per axis.", min=1)
    padding_mode: str = option("zeros", "PyTorch knows this one mode here.", choices=("zeros",))
    output_size: tuple[Size, ...] | None = option(
        None, "Spatial axes of the output, in place of output_padding.", min=0
    )

    not_torch: ClassVar[tuple[str, ...]] = ("output_size",)

    def infer(self, x: Tensor) -> Result:
        """[N, in_channels, *spatial] to [N, out_channels, *spread]; the batch may be absent."""
        names = SPATIAL[self.axes]
        self.ranked(x, (self.axes + 1, self.axes + 2), image("C" + names))
        check_float32(self, x)
        channels = self.agree("in_channels", x.axis(-self.axes - 1), x, like(x, ("{}", *names)))
        self.check_groups(channels)
        if any(map(known_zero, x.last(self.axes))) and not known_zero(batch(x, self.axes + 1)):
            raise self.refuse("{layer} finds nothing to convolve in {got}.", port="x", got=x)
        params = self._params(channels)
        y = x.with_last(self.out_channels, *self._spread(x))
        flops = 2 * batch(x, self.axes + 1) * product(x.last(self.axes)) * params[0].count
        return Result((y,), params, flops, self._code(channels))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """Channels and filter: `32 → 3, 3×3`."""
        channels, out, *kernel = result.params[0].shape
        return f"{channels} → {out * self.groups}, {spread(tuple(kernel))}"

    def _code(self, channels: Size) -> Code:
        made = self.module(
            f"nn.{self.kind}",
            "in_channels",
            "out_channels",
            "kernel_size",
            in_channels=channels,
        )
        if self.output_size is None:
            return made
        asked = (("output_size", self.output_size),)
        return Code(Call(Module(), self.arguments(), asked), made.make)

    def _params(self, channels: Size) -> tuple[Param, ...]:
        kernel = per_axis(self, "kernel_size", self.axes, exactly=True)
        split = "out_channels" if self.groups == 1 else "out_channels / groups"
        shape = {"in_channels": channels, split: self.out_channels // self.groups}
        filters = weight("weight", **shape, **dict(zip(KERNEL[self.axes], kernel, strict=True)))
        if not self.bias:
            return (filters,)
        return (filters, bias("bias", out_channels=self.out_channels))

    def _spread(self, x: Tensor) -> tuple[Size, ...]:
        """The sizes of the spatial axes of the output."""
        windows, sizes = self._windows(), x.last(self.axes)
        least = tuple(map(_least, sizes, windows))
        if self.output_size is not None:
            return self._asked(x, self.output_size, least, windows)
        added = per_axis(self, "output_padding", self.axes)
        places = zip(SPATIAL[self.axes], sizes, windows, added, strict=True)
        return tuple(self._grown(*place) for place in places)

    def _windows(self) -> tuple[Window, ...]:
        exactly = self.output_size is not None
        kernel = per_axis(self, "kernel_size", self.axes, exactly=True)
        return tuple(
            map(
                Window,
                kernel,
                *(
                    per_axis(self, name, self.axes, exactly=exactly)
                    for name in ("stride", "padding", "dilation")
                ),
            )
        )

    def _grown(self, name: str, size: Size, window: Window, added: Size) -> Size:
        limit = maximum(window.stride, window.dilation)
        excess = value(added - limit)
        if excess is not None and excess >= 0:
            raise self.refuse(
                "{layer} expects output_padding below {expected}, got {got}.",
                option="output_padding",
                expected=limit,
                got=added,
            )
        grown = _least(size, window) + added
        # The usual kernel makes an empty axis; another, which pads more, does not.
        number, rest = value(grown), value(window.stride - added)
        shortest = int(rest is not None and rest <= 0)
        if number is not None and number < shortest:
            raise self.refuse(
                "{layer} takes {expected} off {axis} by padding, which has {got}.",
                option="padding",
                axis=name,
                expected=2 * window.padding,
                got=grown + 2 * window.padding,
            )
        return grown

    def _asked(
        self,
        x: Tensor,
        asked: tuple[Size, ...],
        least: tuple[Size, ...],
        windows: tuple[Window, ...],
    ) -> tuple[Size, ...]:
        """The axes of `output_size`, which may list the axes before them too."""
        whole = (self.axes + 1, self.axes + 2) if x.rank is None else (x.rank,)
        if len(asked) not in (self.axes, *whole):
            raise self.refuse(
                "{layer} takes {expected} values of {option}, got {got}.",
                option="output_size",
                expected=self.axes,
                got=len(asked),
            )
        wanted = asked[-self.axes :]
        for size, low, window in zip(wanted, least, windows, strict=True):
            self._check_reach(size, low, low + window.stride - 1)
        return wanted

    def _check_reach(self, size: Size, low: Size, high: Size) -> None:
        below, above = value(low - size), value(size - high)
        if (below is not None and below > 0) or (above is not None and above > 0):
            raise self.refuse(
                "{layer} can reach sizes from {low} to {high}, got {got}.",
                option="output_size",
                low=low,
                high=high,
                got=size,
            )


def _least(size: Size, window: Window) -> Size:
    """The shortest output from which a convolution with this window gives `size`."""
    return (size - 1) * window.stride - 2 * window.padding + window.reach


@layer(
    "ConvTranspose1d",
    family="conv",
    aliases=("deconvolution", "transposed convolution", "upsampling", "转置卷积", "反卷积"),
    stem="deconv",
)
class ConvTranspose1d(TransposedConvolution):
    """Transposed convolution along one axis: x[c, i] adds x · W[c, o, k] to y[o, s·i + d·k − p]."""

    axes = 1


@layer(
    "ConvTranspose2d",
    family="conv",
    aliases=("deconvolution", "transposed convolution", "upsampling", "转置卷积", "反卷积"),
    stem="deconv",
)
class ConvTranspose2d(TransposedConvolution):
    """Transposed convolution of images: x[c, i] adds x · W[c, o, k] to y[o, s·i + d·k − p]."""

    axes = 2


@layer(
    "ConvTranspose3d",
    family="conv",
    aliases=("deconvolution", "transposed convolution", "upsampling", "转置卷积", "反卷积"),
    stem="deconv",
)
class ConvTranspose3d(TransposedConvolution):
    """Transposed convolution of volumes: x[c, i] adds x · W[c, o, k] to y[o, s·i + d·k − p]."""

    axes = 3
