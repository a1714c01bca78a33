"""Pooling: windows of which the largest or the mean is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from designer.core.layer import (
    Layer,
    Port,
    Remark,
    Result,
    layer,
    note,
)
from designer.core.message import alternatives, message
from designer.core.option import option
from designer.core.size import Size, value
from designer.layers.axes import LAST_AXIS
from designer.layers.rules import (
    COMPLEX,
    FLOATS,
    INTEGERS,
    SPATIAL,
    Window,
    check_dtype,
    image,
    known_zero,
    per_axis,
)

if TYPE_CHECKING:
    from designer.core.layer import Inputs, LayerError
    from designer.core.tensor import Tensor

KERNEL = "Extent of the window, per axis."
STRIDE = "Step of the window, per axis; the window's extent when empty."
PADDING = "Elements added on both sides, per axis; at most half of the window."
CEIL = "Round up: the last window may hang over the edge."
INDICES = "Also give the position of each maximum, for unpooling."


class Pooling(Layer):
    """What poolings over any number of axes share."""

    axes: ClassVar[int]
    dtypes: ClassVar[tuple[str, ...]] = FLOATS

    @property
    def accepted(self) -> tuple[str, ...]:
        """What dtypes there is a kernel for."""
        return self.dtypes

    filled: ClassVar[int] = 0
    """How many axes before the spatial ones must not be empty either."""

    def batch_axis(self) -> int:
        """The first of all axes."""
        return 0

    def outputs(self) -> tuple[Port, ...]:
        """The pooled tensor, and the positions of the maxima where they are asked for."""
        if getattr(self, "return_indices", False):
            return (Port("out"), Port("indices"))
        return (Port("out"),)

    def pooled(self, x: Tensor, sizes: tuple[Size, ...], *positional: str) -> Result:
        """The Result in which `sizes` take the place of the spatial axes of `x`."""
        y = x.with_last(*sizes)
        code = self.module(f"nn.{self.kind}", *positional)
        if len(self.outputs()) == 1:
            return Result((y,), code=code)
        return Result((y, y.with_dtype("int64")), code=replace(code, returns=("out", "indices")))

    def checked(self, x: Tensor) -> tuple[Size, ...]:
        """The spatial axes of `x`, whose rank and dtype must be right."""
        self.ranked(x, (self.axes + 1, self.axes + 2), image("C" + SPATIAL[self.axes]))
        check_dtype(self, x, self.accepted)
        if any(map(known_zero, self.needed(x))):
            raise self.refuse("{layer} finds nothing to pool in {got}.", port="x", got=x)
        return x.last(self.axes)

    def needed(self, x: Tensor) -> tuple[Size, ...]:
        """The axes that must not be empty."""
        return x.last(self.axes + self.filled)


class Sliding(Pooling):
    """What poolings with a window that slides share."""

    ceil_mode: bool
    stride: Size | tuple[Size, ...] | None
    filled = 1
    positional: ClassVar[tuple[str, ...]] = ("kernel_size",)

    def infer(self, x: Tensor) -> Result:
        """[N, C, *spatial] to [N, C, *moved]; the batch axis may be absent."""
        places = zip(SPATIAL[self.axes], self.checked(x), self.windows(), strict=True)
        return self.pooled(x, tuple(self._slid(*place) for place in places), *self.positional)

    def windows(self) -> tuple[Window, ...]:
        """The window along each axis."""
        kernel = per_axis(self, "kernel_size", self.axes)
        stride = kernel if self.stride is None else per_axis(self, "stride", self.axes)
        padding = per_axis(self, "padding", self.axes)
        return tuple(map(Window, kernel, stride, padding, self.dilations()))

    def dilations(self) -> tuple[Size, ...]:
        """The distance between the taps of the window along each axis."""
        return (1,) * self.axes

    def _slid(self, name: str, size: Size, window: Window) -> Size:
        self._check_padding(window)
        self.check_window(name, size, window)
        places = window.places_up(size) if self.ceil_mode else window.places(size)
        number = value(places)
        if number is not None and number < 1:
            overhang = window.stride - 1 if self.ceil_mode else 0
            raise self.too_small(name, size, window.reach - 2 * window.padding - overhang)
        return places

    def half(self, window: Window) -> Size:
        """The most padding that a window may have."""
        return window.kernel // 2

    def check_window(self, name: str, size: Size, window: Window) -> None:
        """Refuse what only some poolings refuse."""

    def _check_padding(self, window: Window) -> None:
        excess = value(window.padding - self.half(window))
        if excess is not None and excess > 0:
            raise self.refuse(
                "{layer} expects padding of at most {expected}, got {got}.",
                option="padding",
                expected=self.half(window),
                got=window.padding,
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
class MaxPooling(Sliding):
    """The options of max pooling."""

    kernel_size: Size | tuple[Size, ...] = option(2, KERNEL, min=1)
    stride: Size | tuple[Size, ...] | None = option(None, STRIDE, min=1)
    padding: Size | tuple[Size, ...] = option(0, PADDING, min=0)
    dilation: Size | tuple[Size, ...] = option(1, "Distance between window taps, per axis.", min=1)
    return_indices: bool = option(False, INDICES)
    ceil_mode: bool = option(False, CEIL)

    def dilations(self) -> tuple[Size, ...]:
        """The option, per axis."""
        return per_axis(self, "dilation", self.axes)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The window: `max 2×2`."""
        return f"max {extent(self)}"


@dataclass(frozen=True, eq=False)
class AvgPooling(Sliding):
    """The options of average pooling along one axis, which all average poolings have."""

    kernel_size: Size | tuple[Size, ...] = option(2, KERNEL, min=1)
    stride: Size | tuple[Size, ...] | None = option(None, STRIDE, min=1)
    padding: Size | tuple[Size, ...] = option(0, PADDING, min=0)
    ceil_mode: bool = option(False, CEIL)
    count_include_pad: bool = option(True, "Count the padding in the mean.")

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The window: `avg 2×2`."""
        return f"avg {extent(self)}"


@dataclass(frozen=True, eq=False)
class DividedAvgPooling(AvgPooling):
    """The options of average pooling along several axes."""

    divisor_override: Size | None = option(
        None, "What sums are divided by; the size of the window when empty."
    )

    def infer(self, x: Tensor) -> Result:
        """[N, C, *spatial] to [N, C, *moved]; the batch axis may be absent."""
        if self.divisor_override is not None and value(self.divisor_override) == 0:
            template = "{layer} needs a divisor_override other than 0."
            raise self.refuse(template, option="divisor_override")
        return super().infer(x)


def extent(pooling: Sliding) -> str:
    """The window as on a node: `2×2`."""
    return "×".join(str(window.kernel) for window in pooling.windows())


@layer(
    "MaxPool1d",
    family="pool",
    aliases=("max pooling", "downsample", "最大池化", "池化"),
    stem="pool",
)
class MaxPool1d(MaxPooling):
    """The largest value of each window along one axis: y[i] = maxₖ x[s·i + d·k − p]."""

    axes = 1

    @property
    def accepted(self) -> tuple[str, ...]:
        """Integers only where the positions are asked for, which another kernel finds."""
        return (*FLOATS, *INTEGERS) if self.return_indices else FLOATS


@layer(
    "MaxPool2d",
    family="pool",
    aliases=("max pooling", "downsample", "最大池化", "池化"),
    stem="pool",
)
class MaxPool2d(MaxPooling):
    """The largest value of each window of an image: y[i] = maxₖ x[s·i + d·k − p] in two axes."""

    axes = 2
    dtypes = (*FLOATS, *INTEGERS)


@layer(
    "MaxPool3d",
    family="pool",
    aliases=("max pooling", "downsample", "最大池化", "池化"),
    stem="pool",
)
class MaxPool3d(MaxPooling):
    """The largest value of each window of a volume: y[i] = maxₖ x[s·i + d·k − p] in three axes."""

    axes = 3
    dtypes = (*FLOATS, *INTEGERS)


@layer(
    "AvgPool1d", family="pool", aliases=("average pooling", "mean", "平均池化", "池化"), stem="pool"
)
class AvgPool1d(AvgPooling):
    """The mean of each window along one axis: y[i] = Σₖ x[s·i + k − p] / K."""

    axes = 1
    dtypes = (*FLOATS, "int64")


@layer(
    "AvgPool2d", family="pool", aliases=("average pooling", "mean", "平均池化", "池化"), stem="pool"
)
class AvgPool2d(DividedAvgPooling):
    """The mean of each window of an image: y[i] = Σₖ x[s·i + k − p] / K in two axes."""

    axes = 2
    dtypes = (*FLOATS, "int64")


@layer(
    "AvgPool3d", family="pool", aliases=("average pooling", "mean", "平均池化", "池化"), stem="pool"
)
class AvgPool3d(DividedAvgPooling):
    """The mean of each window of a volume: y[i] = Σₖ x[s·i + k − p] / K in three axes."""

    axes = 3
    dtypes = ("float64", "float32", "int64")

    def check_window(self, name: str, size: Size, window: Window) -> None:
        """The window must fit without its padding."""
        room = value(size - window.kernel)
        if room is not None and room < 0:
            raise self.too_small(name, size, window.kernel)


@dataclass(frozen=True, eq=False)
class Adaptive(Pooling):
    """Pooling to a given size, with windows to match."""

    output_size: Size | tuple[Size | None, ...] | None = option(
        1, "Sizes of the spatial axes of the output; an empty one in a list stays as it is.", min=0
    )

    word: ClassVar[str]

    def infer(self, x: Tensor) -> Result:
        """[N, C, *spatial] to [N, C, *output_size]; the batch axis may be absent."""
        return self.pooled(x, self._sizes(self.checked(x)), "output_size")

    def needed(self, x: Tensor) -> tuple[Size, ...]:
        """The spatial axes; with `filled`, all behind the first."""
        return x.last(self.axes + self.filled * (x.rank == self.axes + 2))

    def _sizes(self, spatial: tuple[Size, ...]) -> tuple[Size, ...]:
        pairs = zip(self._targets(), spatial, strict=True)
        return tuple(size if target is None else target for target, size in pairs)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """What is kept, and how many: `avg → 1×1`."""
        sizes = ("?" if target is None else str(target) for target in self._targets())
        return f"{self.word} → {'×'.join(sizes)}"

    def _targets(self) -> tuple[Size | None, ...]:
        given = self.output_size
        targets = given if isinstance(given, tuple) else (given,) * self.axes
        if given is None or (self.axes == 1 and None in targets):
            raise self.refuse("{layer} needs an output_size.", option="output_size")
        if len(targets) != self.axes:
            raise self.refuse(
                "{layer} takes {expected} values of {option}, got {got}.",
                option="output_size",
                expected=self.axes,
                got=len(targets),
            )
        return targets


@dataclass(frozen=True, eq=False)
class AdaptiveAvg(Adaptive):
    """What adaptive average poolings share; a single mean is PyTorch's plain mean."""

    word = "avg"

    def checked(self, x: Tensor) -> tuple[Size, ...]:
        """The spatial axes; those of which a single mean is taken may be empty or complex."""
        if not self._single(x):
            return super().checked(x)
        pattern = image("C" + SPATIAL[self.axes])
        self.ranked(x, self._ranks(), pattern)
        check_dtype(self, x, (*FLOATS, *COMPLEX))
        if x.rank not in (None, self.axes + 1, self.axes + 2):
            values = {"layer": self.kind, "expected": alternatives(pattern), "got": x}
            text = message("{layer} is meant for {expected}, got {got}.", **values)
            note(Remark("warning", text, port="x"))
        return x.last(self.axes)

    def _ranks(self) -> tuple[int, ...]:
        """Numbers of axes of which PyTorch takes a mean over the last ones."""
        if self.axes == 1:
            return (2, 3)
        least = self.axes + isinstance(self.output_size, tuple)
        return tuple(range(least, LAST_AXIS + 2))

    def _single(self, x: Tensor) -> bool:
        """Whether one value is left of each channel."""
        targets = self._targets()
        if x.rank is not None and x.rank < self.axes:
            return False
        sizes = zip(targets, x.last(self.axes), strict=True)
        return all(value(size if target is None else target) == 1 for target, size in sizes)


@layer(
    "AdaptiveAvgPool1d",
    family="pool",
    aliases=("global average pooling", "自适应平均池化", "全局池化"),
    stem="pool",
)
class AdaptiveAvgPool1d(AdaptiveAvg):
    """The mean of n windows along one axis: y[i] = mean(x[⌊i·L/n⌋ : ⌈(i + 1)·L/n⌉])."""

    axes = 1


@layer(
    "AdaptiveAvgPool2d",
    family="pool",
    aliases=("global average pooling", "gap", "自适应平均池化", "全局池化"),
    stem="pool",
)
class AdaptiveAvgPool2d(AdaptiveAvg):
    """The mean of n × m windows of images: y[i] = mean(x[⌊i·H/n⌋ : ⌈(i + 1)·H/n⌉])."""

    axes = 2


@layer(
    "AdaptiveAvgPool3d",
    family="pool",
    aliases=("global average pooling", "自适应平均池化", "全局池化"),
    stem="pool",
)
class AdaptiveAvgPool3d(AdaptiveAvg):
    """The mean of l × n × m windows of volumes: y[i] = mean(x[⌊i·D/l⌋ : ⌈(i + 1)·D/l⌉])."""

    axes = 3
    filled = 1


@dataclass(frozen=True, eq=False)
class AdaptiveMax(Adaptive):
    """The options of adaptive max pooling."""

    return_indices: bool = option(False, INDICES)

    word = "max"
    filled = 1


@layer(
    "AdaptiveMaxPool1d",
    family="pool",
    aliases=("global max pooling", "自适应最大池化", "全局池化"),
    stem="pool",
)
class AdaptiveMaxPool1d(AdaptiveMax):
    """The maximum of n windows along one axis: y[i] = max(x[⌊i·L/n⌋ : ⌈(i + 1)·L/n⌉])."""

    axes = 1


@layer(
    "AdaptiveMaxPool2d",
    family="pool",
    aliases=("global max pooling", "自适应最大池化", "全局池化"),
    stem="pool",
)
class AdaptiveMaxPool2d(AdaptiveMax):
    """The maximum of n × m windows of images: y[i] = max(x[⌊i·H/n⌋ : ⌈(i + 1)·H/n⌉])."""

    axes = 2


@layer(
    "AdaptiveMaxPool3d",
    family="pool",
    aliases=("global max pooling", "自适应最大池化", "全局池化"),
    stem="pool",
)
class AdaptiveMaxPool3d(AdaptiveMax):
    """The maximum of l × n × m windows of volumes: y[i] = max(x[⌊i·D/l⌋ : ⌈(i + 1)·D/l⌉])."""

    axes = 3
