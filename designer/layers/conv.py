"""Convolutions over one, two or three axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from designer.core.layer import (
    Layer,
    LayerError,
    Result,
    layer,
)
from designer.core.option import option
from designer.core.param import Param, bias, weight
from designer.core.size import Size, Verdict, ceil_div, compare, product, value
from designer.layers.rules import (
    SPATIAL,
    Window,
    batch,
    check_float32,
    divides,
    image,
    like,
    per_axis,
    spread,
)

if TYPE_CHECKING:
    from designer.core.layer import Inputs
    from designer.core.tensor import Tensor

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class Filtering(Layer):
    """What convolutions share with those that are transposed."""

    out_channels: Size
    groups: Size

    axes: ClassVar[int]

    def batch_axis(self) -> int:
        """The first of all axes."""
        return 0

    def check_groups(self, channels: Size) -> None:
        """Refuse groups that the channels of input or output cannot be divided into."""
        for option_name, size in (("in_channels", channels), ("out_channels", self.out_channels)):
            if not divides(self.groups, size):
                raise self.refuse(
                    "{layer} expects {name} divisible by groups = {expected}, got {got}.",
                    option="groups",
                    name=option_name,
                    expected=self.groups,
                    got=size,
                )

    def too_small(self, name: str, size: Size, needed: Size) -> LayerError:
        """The refusal of an axis that is shorter than `needed`."""
        return self.refuse(
            "{layer} expects {axis} of at least {expected}, got {got}.",
            port="x",
            axis=name,
            expected=needed,
            got=size,
        )


@dataclass(frozen=True, eq=False)
class Convolution(Filtering):
    """What convolutions over any number of axes share."""

    in_channels: Size | None = option(None, "Channels of the input; inferred when empty.", min=1)
    out_channels: Size = option(32, "Channels of the output: the number of filters.", min=1)
    kernel_size: Size | tuple[Size, ...] = option(3, "Extent of the filter, per axis.", min=1)
    stride: Size | tuple[Size, ...] = option(1, "Step of the filter, per axis.", min=1)
    padding: Size | str | tuple[Size, ...] = option(
        0,
        "Elements added on both sides, per axis; valid adds none, same keeps the size.",
        min=0,
        choices=("valid", "same"),
    )
    dilation: Size | tuple[Size, ...] = option(1, "Distance between filter taps, per axis.", min=1)
    groups: Size = option(1, "Groups of channels that are convolved apart from each other.", min=1)
    bias: bool = option(True, "Add a learned offset to each channel.")
    padding_mode: str = option("zeros", "What the padding is filled with.", choices=PADDING_MODES)

    def infer(self, x: Tensor) -> Result:
        """[N, in_channels, *spatial] to [N, out_channels, *moved]; the batch axis may be absent."""
        names = SPATIAL[self.axes]
        self.ranked(x, (self.axes + 1, self.axes + 2), image("C" + names))
        check_float32(self, x)
        pattern = like(x, ("{}", *names))
        channels = self.agree("in_channels", x.axis(-self.axes - 1), x, pattern)
        self.check_groups(channels)
        spatial = self._moved(x)
        y = x.with_last(self.out_channels, *spatial)
        params = self._params(channels)
        return Result(
            (y,),
            params,
            flops=2 * batch(y, self.axes + 1) * product(spatial) * params[0].count,
            code=self.module(
                f"nn.Conv{self.axes}d",
                "in_channels",
                "out_channels",
                "kernel_size",
                in_channels=channels,
            ),
        )

    def caption(self, result: Result, inputs: Inputs) -> str:
        """Channels and filter: `3 → 32, 3×3`."""
        out, inner, *kernel = result.params[0].shape
        return f"{inner * self.groups} → {out}, {spread(tuple(kernel))}"

    def _params(self, channels: Size) -> tuple[Param, ...]:
        kernel = per_axis(self, "kernel_size", self.axes, exactly=True)
        split = "in_channels" if self.groups == 1 else "in_channels / groups"
        shape = {"out_channels": self.out_channels, split: channels // self.groups}
        filters = weight("weight", **shape, **dict(zip(KERNEL[self.axes], kernel, strict=True)))
        if not self.bias:
            return (filters,)
        return (filters, bias("bias", out_channels=self.out_channels))

    def _moved(self, x: Tensor) -> tuple[Size, ...]:
        """The sizes of the spatial axes of the output."""
        names = SPATIAL[self.axes]
        places = zip(names, x.last(self.axes), self._windows(), strict=True)
        if self.padding == "same":
            return tuple(self._unmoved(*place) for place in places)
        return tuple(self._slid(*place) for place in places)

    def _windows(self) -> tuple[Window, ...]:
        kernel = per_axis(self, "kernel_size", self.axes, exactly=True)
        stride = per_axis(self, "stride", self.axes)
        dilation = per_axis(self, "dilation", self.axes)
        none = (0,) * self.axes
        textual = isinstance(self.padding, str)
        padding = none if textual else per_axis(self, "padding", self.axes, exactly=self._fills())
        return tuple(map(Window, kernel, stride, padding, dilation))

    def _fills(self) -> bool:
        """Whether the padding holds values of the input."""
        return self.padding_mode != "zeros"

    def _slid(self, name: str, size: Size, window: Window) -> Size:
        self._check_fill(name, size, window.padding)
        if not window.fits(size):
            raise self.too_small(name, size, window.reach - 2 * window.padding)
        return window.places(size)

    def _unmoved(self, name: str, size: Size, window: Window) -> Size:
        if compare(window.stride, 1) is Verdict.DIFFERENT:
            raise self.refuse(
                "{layer} takes padding same with stride {expected} only, got {got}.",
                option="stride",
                expected=1,
                got=window.stride,
            )
        self._check_fill(name, size, ceil_div(window.reach - 1, 2))
        return size

    def _check_fill(self, name: str, size: Size, padding: Size) -> None:
        """Refuse an axis that has too few elements to fill its padding with."""
        needed = self._least(padding)
        missing = value(needed - size)
        if missing is not None and missing > 0:
            raise self.too_small(name, size, needed)

    def _least(self, padding: Size) -> Size:
        least = {"reflect": padding + 1, "circular": padding, "replicate": 1}
        return least.get(str(self.padding_mode), 0)


KERNEL = {
    1: ("kernel_size",),
    2: ("kernel_height", "kernel_width"),
    3: ("kernel_depth", "kernel_height", "kernel_width"),
}


@layer(
    "Conv1d",
    family="conv",
    aliases=("convolution", "temporal convolution", "一维卷积", "卷积"),
)
class Conv1d(Convolution):
    """Convolution along one axis: y[o, i] = b[o] + Σ W[o, c, k] · x[c, s·i + d·k − p]."""

    axes = 1


@layer("Conv2d", family="conv", aliases=("convolution", "cnn", "filter", "二维卷积", "卷积"))
class Conv2d(Convolution):
    """Convolution of images: y[o, i] = b[o] + Σ W[o, c, k] · x[c, s·i + d·k − p] in two axes."""

    axes = 2


@layer("Conv3d", family="conv", aliases=("convolution", "volume", "video", "三维卷积", "卷积"))
class Conv3d(Convolution):
    """Convolution of volumes: y[o, i] = b[o] + Σ W[o, c, k] · x[c, s·i + d·k − p] in three axes."""

    axes = 3
