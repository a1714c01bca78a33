"""Normalisation within one sample, between channels, or over several devices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from designer.core.layer import (
    Layer,
    Remark,
    Result,
    layer,
    note,
)
from designer.core.message import message
from designer.core.option import option
from designer.core.size import UNKNOWN, Size, product, value
from designer.layers.norm import AFFINE, NARROW, BatchNorm
from designer.layers.rules import (
    COMPLEX,
    FLOATS,
    SPATIAL,
    WIDE,
    check_dtype,
    image,
    known_zero,
    like,
)

if TYPE_CHECKING:
    from designer.core.layer import Inputs
    from designer.core.tensor import Tensor

NAMES = ("in", "instance normalization", "style transfer", "实例归一化", "归一化")


@dataclass(frozen=True, eq=False)
class InstanceNorm(BatchNorm):
    """Each channel of each sample over space: y = (x − mean) / √(var + ε) · γ + β."""

    affine: bool = option(False, AFFINE.format("channel"))
    track_running_stats: bool = option(
        False, "Keep running statistics, which take the place of the sample's in evaluation."
    )

    axes: ClassVar[int]

    def infer(self, x: Tensor) -> Result:
        """[N, num_features, *spatial] or [num_features, *spatial] to the same shape."""
        names = SPATIAL[self.axes]
        self.ranked(x, (self.axes + 1, self.axes + 2), image("C" + names))
        check_dtype(self, x, NARROW if self.holds() else FLOATS)
        got = x.axis(-self.axes - 1)
        channels = got if self.num_features is None else self.num_features
        if self.holds():
            channels = self.agree("num_features", got, x, like(x, ("{}", *names)))
        self._check_space(x)
        y = x.with_last(channels, *x.last(self.axes)) if self.holds() else x
        code = self.module(f"nn.{self.kind}", "num_features", num_features=channels)
        return Result((y,), self.params(channels), code=code)

    def _check_space(self, x: Tensor) -> None:
        """One value has no variance, which training needs, and evaluation without statistics."""
        if value(product(x.last(self.axes))) != 1:
            return
        template = "{layer} cannot train on one value per channel: {x}."
        if not self.track_running_stats:
            raise self.refuse(template, port="x", x=x)
        text = message(template, layer=self.kind, x=x)
        note(Remark("warning", text, port="x", training=True))


@layer("InstanceNorm1d", family="norm", aliases=NAMES, stem="norm")
class InstanceNorm1d(InstanceNorm):
    """Each channel of each sequence: y = (x − mean) / √(var + ε) · γ + β."""

    axes = 1


@layer("InstanceNorm2d", family="norm", aliases=NAMES, stem="norm")
class InstanceNorm2d(InstanceNorm):
    """Each channel of each image: y = (x − mean) / √(var + ε) · γ + β."""

    axes = 2


@layer("InstanceNorm3d", family="norm", aliases=NAMES, stem="norm")
class InstanceNorm3d(InstanceNorm):
    """Each channel of each volume: y = (x − mean) / √(var + ε) · γ + β."""

    axes = 3


@layer(
    "SyncBatchNorm",
    family="norm",
    aliases=("bn", "synchronized batch normalization", "同步批归一化", "归一化"),
    stem="bn",
)
class SyncBatchNorm(BatchNorm):
    """Each channel over the batches of all devices: y = (x − mean) / √(var + ε) · γ + β."""

    def infer(self, x: Tensor) -> Result:
        """[N, num_features, ...] to the same shape."""
        if x.rank is not None and x.rank < 2:
            raise self.refuse("{layer} expects [N, C, ...], got {got}.", port="x", got=x)
        check_dtype(self, x, NARROW if self.holds() else FLOATS)
        got = UNKNOWN if x.partial else x.axis(1)
        channels = got if self.num_features is None else self.num_features
        if self.holds():
            channels = self.agree("num_features", got, x, "[N, {}, ...]")
        self.check_batch(x)
        code = self.module("nn.SyncBatchNorm", "num_features", num_features=channels)
        return Result((x,), self.params(channels), code=code)


class NeighbourNorm(Layer):
    """What normalisations between neighbouring channels share."""

    size: Size

    def normalised(self, x: Tensor, dtype: str) -> Result:
        """The Result: `x` itself, normalised."""
        return Result((x.with_dtype(dtype),), code=self.module(f"nn.{self.kind}", "size"))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The number of neighbours."""
        return f"{self.size} channels"


NEIGHBOURS = "Neighbouring channels whose squares are added."
ALPHA = "Factor of the mean square."
BETA = "Power of the divisor."
K = "Added to the divisor before its power is taken."


@layer(
    "LocalResponseNorm",
    family="norm",
    aliases=("lrn", "alexnet", "局部响应归一化", "归一化"),
    stem="lrn",
)
class LocalResponseNorm(NeighbourNorm):
    """Each value by its neighbours in other channels: y = x / (k + α · mean(x²))ᵝ."""

    size: Size = option(5, NEIGHBOURS, min=1)
    alpha: float = option(1e-4, ALPHA)
    beta: float = option(0.75, BETA)
    k: float = option(1.0, K)

    def infer(self, x: Tensor) -> Result:
        """[N, C, ...] to the same shape."""
        if x.rank is not None and x.rank < 3:
            raise self.refuse("{layer} expects [N, C, L, ...], got {got}.", port="x", got=x)
        floats = FLOATS if x.rank == 3 else WIDE
        check_dtype(self, x, (*floats, "int64"))
        return self.normalised(x, "float32" if x.dtype == "int64" else x.dtype)


@layer(
    "CrossMapLRN2d",
    family="norm",
    aliases=("lrn", "local response", "caffe", "局部响应归一化", "归一化"),
    stem="lrn",
)
class CrossMapLRN2d(NeighbourNorm):
    """Each value by its neighbours in other channels, as in Caffe: y = x / (k + α · mean(x²))ᵝ."""

    size: Size = option(5, NEIGHBOURS, min=1)
    alpha: float = option(1e-4, ALPHA)
    beta: float = option(0.75, BETA)
    k: float = option(1.0, K)

    def infer(self, x: Tensor) -> Result:
        """[N, C, H, W] to the same shape."""
        self.ranked(x, (4,), "[N, C, H, W]")
        check_dtype(self, x, (*FLOATS, *COMPLEX))
        if known_zero(x.axis(-3)):
            raise self.refuse("{layer} finds no channel in {got}.", port="x", got=x)
        return self.normalised(x, x.dtype)
