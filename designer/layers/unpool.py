"""Further poolings: of powers, of random windows, and the way back from max pooling."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from designer.core.code import Call, Code, Module
from designer.core.layer import Layer, Result, layer
from designer.core.option import option
from designer.core.size import Size, value
from designer.core.work import MOVING
from designer.layers.pool import CEIL, INDICES, KERNEL, STRIDE, Pooling, Sliding
from designer.layers.rules import (
    FLOATS,
    SPATIAL,
    WHOLE,
    WIDE,
    Window,
    check_dtype,
    floating,
    image,
    known_zero,
    per_axis,
    scaled,
    spread,
)

if TYPE_CHECKING:
    from designer.core.layer import Inputs
    from designer.core.tensor import Tensor


@dataclass(frozen=True, eq=False)
class PowerPooling(Sliding):
    """What power-average poolings share."""

    norm_type: float = option(2.0, "The power p, not 0: 1 gives sums, a large one the maximum.")
    kernel_size: Size | tuple[Size, ...] = option(2, KERNEL, min=1)
    stride: Size | tuple[Size, ...] | None = option(None, STRIDE, min=1)
    ceil_mode: bool = option(False, CEIL)

    positional = ("norm_type", "kernel_size")
    dtypes: ClassVar[tuple[str, ...]] = (*FLOATS, *WHOLE)

    def infer(self, x: Tensor) -> Result:
        """[N, C, *spatial] to [N, C, *moved]; the batch axis may be absent."""
        if self.norm_type == 0:
            raise self.refuse("{layer} needs a norm_type other than 0.", option="norm_type")
        pooled = super().infer(x)
        return replace(pooled, outputs=tuple(map(_real, pooled.outputs)))

    def windows(self) -> tuple[Window, ...]:
        """The window along each axis; one extent in a list is not enough for several axes."""
        if self.axes == 1 and isinstance(self.kernel_size, tuple):
            raise self.refuse("{layer} takes one number, no list.", option="kernel_size")
        kernel = per_axis(self, "kernel_size", self.axes, exactly=True)
        stride = kernel if self.stride is None else per_axis(self, "stride", self.axes)
        once = (1,) * self.axes
        return tuple(map(Window, kernel, stride, (0,) * self.axes, once))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The power and the window: `L2 2×2`."""
        kernel = per_axis(self, "kernel_size", self.axes)
        return f"L{self.norm_type:g} {spread(kernel)}"


def _real(x: Tensor) -> Tensor:
    return x.with_dtype(floating(x.dtype))


@dataclass(frozen=True, eq=False)
class FractionalMax(Pooling):
    """What max poolings with windows at random places share."""

    kernel_size: Size | tuple[Size, ...] = option(2, KERNEL, min=1)
    output_size: Size | tuple[Size, ...] | None = option(
        None, "Sizes of the spatial axes of the output.", min=0
    )
    output_ratio: float | tuple[float, ...] | None = option(
        None, "The same as shares of the input, between 0 and 1."
    )
    return_indices: bool = option(False, INDICES)

    filled = 1
    spare: ClassVar[int] = 0
    """Elements that the windows must leave over."""
    preset: ClassVar = {"output_ratio": 0.5}

    def infer(self, x: Tensor) -> Result:
        """[N, C, *spatial] to [N, C, *output_size]; the batch axis may be absent."""
        self._check_one()
        spatial = self.checked(x)
        kernel = per_axis(self, "kernel_size", self.axes, exactly=True)
        targets = self._targets(spatial)
        for name, *place in zip(SPATIAL[self.axes], spatial, kernel, targets, strict=True):
            self._check_room(name, *place)
        return self.pooled(x, targets, "kernel_size")

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The size or the ratio: `max → 7×7`."""
        if self.output_size is not None:
            return f"max → {spread(per_axis(self, 'output_size', self.axes))}"
        return f"max · {self.output_ratio}"

    def _check_one(self) -> None:
        if (self.output_size is None) == (self.output_ratio is None):
            raise self.refuse(
                "{layer} needs either output_size or output_ratio.", option="output_size"
            )

    def _targets(self, spatial: tuple[Size, ...]) -> tuple[Size, ...]:
        if self.output_ratio is None:
            return per_axis(self, "output_size", self.axes, exactly=True)
        return tuple(map(scaled, spatial, self._ratios(self.output_ratio)))

    def _ratios(self, given: float | tuple[float, ...]) -> tuple[float, ...]:
        ratios = given if isinstance(given, tuple) else (given,) * self.axes
        if len(ratios) != self.axes:
            raise self.refuse(
                "{layer} takes {expected} values of {option}, got {got}.",
                option="output_ratio",
                expected=self.axes,
                got=len(ratios),
            )
        for ratio in ratios:
            if not 0 < ratio < 1:
                raise self.refuse(
                    "{layer} takes output_ratio between 0 and 1, got {got}.",
                    option="output_ratio",
                    got=ratio,
                )
        return ratios

    def _check_room(self, name: str, size: Size, kernel: Size, target: Size) -> None:
        needed = target + kernel - 1 + self.spare
        missing = value(needed - size)
        if missing is not None and missing > 0:
            raise self.refuse(
                "{layer} expects {axis} of at least {expected}, got {got}.",
                port="x",
                axis=name,
                expected=needed,
                got=size,
            )


@dataclass(frozen=True, eq=False)
class Unpooling(Layer):
    """What the ways back from max pooling share."""

    work = MOVING

    kernel_size: Size | tuple[Size, ...] = option(2, KERNEL, min=1)
    stride: Size | tuple[Size, ...] | None = option(None, STRIDE, min=1)
    padding: Size | tuple[Size, ...] = option(
        0, "Elements that pooling added on both sides, per axis.", min=0
    )
    output_size: tuple[Size, ...] | None = option(
        None, "Spatial axes of the output, where several would give this input.", min=0
    )

    axes: ClassVar[int]
    not_torch: ClassVar[tuple[str, ...]] = ("output_size",)

    def infer(self, x: Tensor, indices: Tensor) -> Result:
        """[N, C, *spatial] and the positions of these maxima to [N, C, *unpooled]."""
        self.ranked(x, (self.axes + 1, self.axes + 2), image("C" + SPATIAL[self.axes]))
        check_dtype(self, x, FLOATS)
        check_dtype(self, indices, ("int64",), "indices")
        self._check_alike(x, indices)
        if any(map(known_zero, x.last(self.axes + 1))):
            raise self.refuse("{layer} finds nothing to spread in {got}.", port="x", got=x)
        return Result((x.with_last(*self._spread(x)),), code=self._code())

    def batch_axis(self) -> int:
        """The first of all axes."""
        return 0

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The window: `2×2`."""
        return spread(per_axis(self, "kernel_size", self.axes))

    def _check_alike(self, x: Tensor, indices: Tensor) -> None:
        refusal = self.refuse(
            "{layer} expects indices {expected}, got {got}.",
            port="indices",
            expected=x,
            got=indices,
        )
        if x.rank is not None and indices.rank not in (None, x.rank):
            raise refusal
        pairs = zip(reversed(x.shape), reversed(indices.shape), strict=False)
        for mine, theirs in pairs:
            self.same(mine, theirs, refusal)

    def _spread(self, x: Tensor) -> tuple[Size, ...]:
        kernel = per_axis(self, "kernel_size", self.axes, exactly=True)
        exactly = self.axes > 1
        stride = kernel
        if self.stride is not None:
            stride = per_axis(self, "stride", self.axes, exactly=exactly)
        padding = per_axis(self, "padding", self.axes, exactly=exactly)
        windows = tuple(map(Window, kernel, stride, padding, (1,) * self.axes))
        usual = tuple(map(_unpooled, x.last(self.axes), windows))
        wanted = self._asked(usual, windows)
        for name, size in zip(SPATIAL[self.axes], wanted, strict=True):
            if (value(size) or 0) < 0:
                raise self.refuse(
                    "{layer} leaves {got} of {axis}.", option="padding", axis=name, got=size
                )
        return wanted

    def _asked(self, usual: tuple[Size, ...], windows: tuple[Window, ...]) -> tuple[Size, ...]:
        """The axes of `output_size`, which may list batch and channels too."""
        if self.output_size is None:
            return usual
        if len(self.output_size) not in (self.axes, self.axes + 2):
            raise self.refuse(
                "{layer} takes {expected} values of {option}, got {got}.",
                option="output_size",
                expected=self.axes,
                got=len(self.output_size),
            )
        wanted = self.output_size[-self.axes :]
        for size, middle, window in zip(wanted, usual, windows, strict=True):
            self._check_reach(size, middle - window.stride + 1, middle + window.stride - 1)
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

    def _code(self) -> Code:
        made = self.module(f"nn.{self.kind}", "kernel_size")
        if self.output_size is None:
            return made
        asked = (("output_size", self.output_size),)
        return Code(Call(Module(), self.arguments(), asked), made.make)


def _unpooled(size: Size, window: Window) -> Size:
    return (size - 1) * window.stride + window.kernel - 2 * window.padding


@layer(
    "LPPool1d",
    family="pool",
    aliases=("power average pooling", "lp norm", "幂平均池化", "池化"),
    stem="pool",
)
class LPPool1d(PowerPooling):
    """The p-norm of each window along one axis: y = (Σ xᵖ)¹ᐟᵖ."""

    axes = 1


@layer(
    "LPPool2d",
    family="pool",
    aliases=("power average pooling", "lp norm", "幂平均池化", "池化"),
    stem="pool",
)
class LPPool2d(PowerPooling):
    """The p-norm of each window of an image: y = (Σ xᵖ)¹ᐟᵖ."""

    axes = 2


@layer(
    "LPPool3d",
    family="pool",
    aliases=("power average pooling", "lp norm", "幂平均池化", "池化"),
    stem="pool",
)
class LPPool3d(PowerPooling):
    """The p-norm of each window of a volume: y = (Σ xᵖ)¹ᐟᵖ."""

    axes = 3
    dtypes = (*WIDE, *WHOLE)

    def check_window(self, name: str, size: Size, window: Window) -> None:
        """No window may hang over that is larger than the axis."""
        room = value(size - window.kernel)
        if room is not None and room < 0:
            raise self.too_small(name, size, window.kernel)


@layer(
    "FractionalMaxPool2d",
    family="pool",
    aliases=("fractional max pooling", "random pooling", "分数最大池化", "池化"),
    stem="pool",
)
class FractionalMaxPool2d(FractionalMax):
    """The largest value of windows of an image, which stand at random places."""

    axes = 2


@layer(
    "FractionalMaxPool3d",
    family="pool",
    aliases=("fractional max pooling", "random pooling", "分数最大池化", "池化"),
    stem="pool",
)
class FractionalMaxPool3d(FractionalMax):
    """The largest value of windows of a volume, which stand at random places."""

    axes = 3
    spare = 1


@layer(
    "MaxUnpool1d",
    family="pool",
    aliases=("unpooling", "upsampling", "反池化", "上采样"),
    stem="unpool",
)
class MaxUnpool1d(Unpooling):
    """Maxima along one axis back where max pooling found them, among zeros: y[index[i]] = x[i]."""

    axes = 1


@layer(
    "MaxUnpool2d",
    family="pool",
    aliases=("unpooling", "upsampling", "反池化", "上采样"),
    stem="unpool",
)
class MaxUnpool2d(Unpooling):
    """Maxima of an image back where max pooling found them, among zeros: y[index[i]] = x[i]."""

    axes = 2


@layer(
    "MaxUnpool3d",
    family="pool",
    aliases=("unpooling", "upsampling", "反池化", "上采样"),
    stem="unpool",
)
class MaxUnpool3d(Unpooling):
    """Maxima of a volume back where max pooling found them, among zeros: y[index[i]] = x[i]."""

    axes = 3
