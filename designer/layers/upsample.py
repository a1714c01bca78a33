"""Upsampling: more pixels by interpolation, or channels turned into pixels and back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from designer.core.code import Code, Ref, call
from designer.core.layer import (
    Layer,
    Result,
    layer,
    same_value,
)
from designer.core.option import option
from designer.core.size import UNKNOWN, Size, value
from designer.core.work import EACH
from designer.layers.rules import FLOATS, SPATIAL, check_dtype, divides, known_zero, scaled

if TYPE_CHECKING:
    from designer.core.layer import Inputs
    from designer.core.tensor import Tensor

RANKS = (3, 4, 5)
"""Axes of what can be interpolated: batch and channels come first."""
MODES = {
    "nearest": RANKS,
    "linear": (3,),
    "bilinear": (4,),
    "bicubic": (4,),
    "trilinear": (5,),
    "area": RANKS,
    "nearest-exact": RANKS,
}
"""The ranks that each mode is for."""
SMOOTH = ("linear", "bilinear", "bicubic", "trilinear")
ANTIALIASED = ("bilinear", "bicubic")
BYTES = ("nearest", "nearest-exact", "bilinear", "bicubic")
"""Modes that have a kernel for uint8 too."""
EXTENT = "Sizes of the spatial axes of the output."
FACTOR = "Factors of the spatial axes, in place of their sizes."


class Resampling(Layer):
    """What layers share that interpolate."""

    work = EACH

    size: Size | tuple[Size, ...] | None
    scale_factor: float | tuple[float, ...] | None
    smoothing: ClassVar[str] = "nearest"

    def infer(self, x: Tensor) -> Result:
        """[N, C, *spatial] to [N, C, *resampled]."""
        mode = self.how()
        self.ranked(x, MODES[mode], f"[N, C, {_axes(mode)}]")
        check_dtype(self, x, (*FLOATS, "uint8") if mode in BYTES else FLOATS)
        self._check_one()
        self._check_filled(x, mode)
        sizes = self._resized(x, mode)
        y = x.with_shape((*x.shape[:2], *sizes)) if x.rank else self._partial(x, sizes)
        return Result((y,), code=self.module(f"nn.{self.kind}"))

    def how(self) -> str:
        """The mode in which values are interpolated."""
        return self.smoothing

    def batch_axis(self) -> int:
        """The first of all axes."""
        return 0

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The size or the factor: `×2`."""
        given = self.scale_factor if self.size is None else self.size
        parts = given if isinstance(given, tuple) else (given,)
        return f"{'×' if self.size is None else '→ '}{'×'.join(map(str, parts))}"

    def _check_one(self) -> None:
        if (self.size is None) == (self.scale_factor is None):
            raise self.refuse("{layer} needs either size or scale_factor.", option="size")

    def _check_filled(self, x: Tensor, mode: str) -> None:
        """Only the batch may be empty."""
        start = 1 if mode != "area" or x.rank == RANKS[-1] else 2
        known = x.shape[start:] if x.rank else ()
        if any(map(known_zero, known)):
            raise self.refuse("{layer} finds nothing to resample in {got}.", port="x", got=x)

    def _resized(self, x: Tensor, mode: str) -> tuple[Size, ...]:
        """The spatial axes of the output; of an input without rank as many as are known."""
        axes = len(x.shape) - 2 if x.rank else self._count(mode)
        if self.scale_factor is None:
            sizes = self._listed("size", self.size, axes)
        else:
            factors = self._listed("scale_factor", self.scale_factor, axes)
            sizes = tuple(map(scaled, x.last(len(factors)), factors))
        for name, size in zip(SPATIAL.get(len(sizes), ""), sizes, strict=True):
            self._check_size(name, size, mode)
        return sizes

    def _listed(self, option_name: str, given: Any, axes: int) -> tuple[Any, ...]:
        """The values of an option for each of `axes` axes; 0 stands for any number of them."""
        values = given if isinstance(given, tuple) else (given,) * axes
        if len(values) != axes and (axes or len(values) not in (0, *SPATIAL)):
            raise self.refuse(
                "{layer} takes {expected} values of {option}, got {got}.",
                option=option_name,
                expected=axes or max(SPATIAL),
                got=len(values),
            )
        return values

    def _count(self, mode: str) -> int:
        """How many spatial axes there are, 0 where nothing tells."""
        if len(MODES[mode]) == 1:
            return MODES[mode][0] - 2
        given = self.size if self.scale_factor is None else self.scale_factor
        return len(given) if isinstance(given, tuple) and len(given) in SPATIAL else 0

    def _check_size(self, name: str, size: Size, mode: str) -> None:
        number = value(size)
        least = 0 if mode == "area" else 1
        if number is not None and number < least:
            raise self.refuse(
                "{layer} leaves {axis} = {got}, needs at least {expected}.",
                option="size" if self.scale_factor is None else "scale_factor",
                axis=name,
                expected=least,
                got=size,
            )

    def _partial(self, x: Tensor, sizes: tuple[Size, ...]) -> Tensor:
        """The output of an input whose first axes are not known."""
        if not sizes:
            return type(x)((), x.dtype, partial=True)
        return x.with_last(*sizes)


def _axes(mode: str) -> str:
    ranks = MODES[mode]
    return ", ".join(SPATIAL[ranks[0] - 2]) if len(ranks) == 1 else "..."


@layer(
    "Upsample",
    family="conv",
    aliases=("resize", "interpolate", "bilinear", "上采样", "插值"),
    stem="up",
)
class Upsample(Resampling):
    """Other sizes of the spatial axes by interpolation between values."""

    size: Size | tuple[Size, ...] | None = option(None, EXTENT, min=0)
    scale_factor: float | tuple[float, ...] | None = option(None, FACTOR)
    mode: str = option("nearest", "How values are interpolated.", choices=tuple(MODES))
    align_corners: bool | None = option(
        None, "Whether corner pixels stay where they are; false when empty."
    )
    recompute_scale_factor: bool | None = option(
        None, "Compute factors anew from the sizes; changes values, not shapes."
    )
    antialias: bool = option(False, "Smooth when it shrinks; for bilinear and bicubic alone.")

    preset: ClassVar = {"scale_factor": 2.0}
    not_torch: ClassVar = ("antialias",)

    def infer(self, x: Tensor) -> Result:
        """[N, C, *spatial] to [N, C, *resampled]."""
        if self.align_corners is not None and self.mode not in SMOOTH:
            raise self.refuse("{layer} takes no align_corners here.", option="align_corners")
        if self.recompute_scale_factor and self.size is not None:
            raise self.refuse(
                "{layer} takes recompute_scale_factor without size only.",
                option="recompute_scale_factor",
            )
        if self.antialias and self.mode not in ANTIALIASED:
            raise self.refuse(
                "{layer} has no antialias for {mode}.", option="antialias", mode=self.mode
            )
        result = super().infer(x)
        return result if same_value(self.antialias, False) else replace(result, code=self._called())

    def _called(self) -> Code:
        """The function, which has an argument more than the module."""
        given = {one.name: getattr(self, one.name) for one in self.declared}
        return call(
            "F.interpolate",
            Ref("x"),
            **{
                one.name: given[one.name]
                for one in self.declared
                if not same_value(given[one.name], one.default)
            },
        )

    def how(self) -> str:
        """The option, as plain text."""
        return str(self.mode)


@dataclass(frozen=True, eq=False)
class Upsampling(Resampling):
    """The options of upsampling in one mode."""

    size: Size | tuple[Size, ...] | None = option(None, EXTENT, min=0)
    scale_factor: float | tuple[float, ...] | None = option(None, FACTOR)

    preset: ClassVar = {"scale_factor": 2.0}


@layer(
    "UpsamplingNearest2d",
    family="conv",
    aliases=("resize", "nearest neighbour", "最近邻上采样", "上采样"),
    stem="up",
)
class UpsamplingNearest2d(Upsampling):
    """Other sizes of an image, each pixel a copy of the nearest one: y[i] = x[⌊i · H / n⌋]."""


@layer(
    "UpsamplingBilinear2d",
    family="conv",
    aliases=("resize", "bilinear interpolation", "双线性上采样", "上采样"),
    stem="up",
)
class UpsamplingBilinear2d(Upsampling):
    """Other sizes of an image by bilinear interpolation; the corners stay where they are."""

    smoothing = "bilinear"


# Channels and pixels


class Rearranging(Layer):
    """What layers share that move elements between channels and pixels."""

    def divided(self, name: str, option_name: str, size: Size, divisor: Size) -> Size:
        """`size` divided by `divisor`; raises LayerError where that leaves a rest."""
        if not divides(divisor, size):
            raise self.refuse(
                "{layer} expects {name} divisible by {expected}, got {got}.",
                port="x",
                option=option_name,
                name=name,
                expected=divisor,
                got=size,
            )
        return size // divisor

    def check_rank(self, x: Tensor, expected: str) -> None:
        """Refuse fewer than three axes."""
        if x.rank is not None and x.rank < RANKS[0]:
            raise self.refuse(
                "{layer} expects {expected}, got {got}.", port="x", expected=expected, got=x
            )


@layer(
    "PixelShuffle",
    family="shape",
    aliases=("sub-pixel convolution", "depth to space", "像素重排", "上采样"),
    stem="shuffle",
)
class PixelShuffle(Rearranging):
    """Channels become pixels: [C·r², H, W] → [C, H·r, W·r]."""

    upscale_factor: Size = option(2, "Factor r of height and width.", min=1)

    def infer(self, x: Tensor) -> Result:
        """[..., C·r², H, W] to [..., C, H·r, W·r]."""
        self.check_rank(x, "[..., C, H, W]")
        channels, height, width = x.last(3)
        factor = self.upscale_factor
        kept = self.divided("C", "upscale_factor", channels, factor * factor)
        y = x.with_last(kept, height * factor, width * factor)
        return Result((y,), code=self.module("nn.PixelShuffle", "upscale_factor"))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The factor."""
        return f"×{self.upscale_factor}"


@layer(
    "PixelUnshuffle",
    family="shape",
    aliases=("space to depth", "像素逆重排", "下采样"),
    stem="unshuffle",
)
class PixelUnshuffle(Rearranging):
    """Pixels become channels: [C, H·r, W·r] → [C·r², H, W]."""

    downscale_factor: Size = option(2, "Divisor r of height and width.", min=1)

    def infer(self, x: Tensor) -> Result:
        """[..., C, H·r, W·r] to [..., C·r², H, W]."""
        self.check_rank(x, "[..., C, H, W]")
        channels, height, width = x.last(3)
        factor = self.downscale_factor
        y = x.with_last(
            channels * factor * factor,
            self.divided("H", "downscale_factor", height, factor),
            self.divided("W", "downscale_factor", width, factor),
        )
        if any(value(axis) == 0 for axis in x.shape):  # PyTorch hands such a tensor back
            y = x
        return Result((y,), code=self.module("nn.PixelUnshuffle", "downscale_factor"))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The divisor."""
        return f"÷{self.downscale_factor}"


@layer(
    "ChannelShuffle",
    family="shape",
    aliases=("shufflenet", "通道重排", "通道混洗"),
    stem="shuffle",
)
class ChannelShuffle(Rearranging):
    """Mix channels of several groups: channel g·n + i becomes channel i·groups + g."""

    groups: Size = option(2, "Groups that the channels come in.", min=1)

    def infer(self, x: Tensor) -> Result:
        """[N, C, ...] to the same shape."""
        self.check_rank(x, "[N, C, L, ...]")
        self.divided("C", "groups", UNKNOWN if x.partial else x.axis(1), self.groups)
        return Result((x,), code=self.module("nn.ChannelShuffle", "groups"))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The groups."""
        return f"{self.groups} groups"
