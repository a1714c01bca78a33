"""Normalisation: values are brought to mean 0 and variance 1, then scaled and shifted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from designer.core.layer import (
    Layer,
    LayerError,
    Remark,
    Result,
    layer,
    note,
)
from designer.core.message import message
from designer.core.option import option
from designer.core.param import Param, bias, buffer, weight
from designer.core.size import UNKNOWN, Size, product, value
from designer.core.tensor import Tensor
from designer.layers.rules import COMPLEX, FLOATS, check_dtype, divides, filled, spread

if TYPE_CHECKING:
    from collections.abc import Callable

    from designer.core.layer import Inputs

EPS = "Added to the variance, so that nothing is divided by 0."
AFFINE = "Learn a scale and an offset for each {}."
NAMES = ("bn", "batch normalization", "批归一化", "归一化")
NARROW = ("float32", "float16", "bfloat16")
"""What kernels take together with float32 weights."""


@dataclass(frozen=True, eq=False)
class BatchNorm(Layer):
    """Each channel over batch and space: y = (x − mean) / √(var + ε) · γ + β."""

    num_features: Size | None = option(None, "Channels of the input; inferred when empty.", min=1)
    eps: float = option(1e-5, EPS)
    momentum: float | None = option(
        0.1, "Weight of the new batch in the running statistics; their plain mean when empty."
    )
    affine: bool = option(True, AFFINE.format("channel"))
    track_running_stats: bool = option(
        True, "Keep running statistics, which take the place of the batch's in evaluation."
    )
    bias: bool = option(True, "Learn the offset; without affine there is none.")

    patterns: ClassVar[tuple[str, ...]]
    """How inputs may be written, with braces for the channels."""

    def infer(self, x: Tensor) -> Result:
        """[N, num_features, ...] to the same shape."""
        ranks = tuple(pattern.count(",") + 1 for pattern in self.patterns)
        self.ranked(x, ranks, " or ".join(self.patterns).format("C", "C"))
        check_dtype(self, x, NARROW if self.holds() else FLOATS)
        channels = self._channels(x, max(ranks))
        self.check_batch(x)
        self.check_eps()
        code = self.module(f"nn.{self.kind}", "num_features", num_features=channels)
        return Result((self._normalised(x),), self.params(channels), code=code)

    def batch_axis(self) -> int:
        """The first of all axes."""
        return 0

    def _normalised(self, x: Tensor) -> Tensor:
        """`x`, of which pinned channels that a tensor is held for are certain."""
        spatial = self.patterns[-1].count(",") - 1
        if self.num_features is None or not self.holds() or len(self.patterns) > 1:
            return x
        return filled(x, self.num_features, *x.last(spatial))

    def holds(self) -> bool:
        """Whether there is a tensor that the channels are compared with."""
        return bool(self.affine or self.track_running_stats)

    def _channels(self, x: Tensor, rank: int) -> Size:
        """Axis 1, which PyTorch compares only with a tensor that it holds."""
        got = channel_axis(x, rank)
        if not self.holds():
            return got if self.num_features is None else self.num_features
        pattern = self.patterns[0 if x.rank == self.patterns[0].count(",") + 1 else -1]
        return self.agree("num_features", got, x, pattern)

    def check_eps(self) -> None:
        """Statistics of a batch need an eps above 0, which keeps them from dividing by 0."""
        if self.eps > 0:
            return
        template = "{layer} needs eps above 0 in training, got {got}."
        if not self.track_running_stats:
            raise self.refuse(template, option="eps", got=self.eps)
        text = message(template, layer=self.kind, got=self.eps)
        note(Remark("error", text, option="eps", training=True))

    def check_batch(self, x: Tensor) -> None:
        """One value per channel has no variance, which training needs."""
        if x.partial or value(product((*x.shape[:1], *x.shape[2:]))) != 1:
            return
        template = "{layer} cannot train on one value per channel: {x}."
        if not self.track_running_stats:
            raise self.refuse(template, port="x", x=x)
        text = message(template, layer=self.kind, x=x)
        note(Remark("warning", text, port="x", training=True))

    def params(self, channels: Size) -> tuple[Param, ...]:
        """Scale and offset, and the running statistics."""
        params: list[Param] = []
        if self.affine:
            params.append(weight("weight", num_features=channels))
        if self.affine and self.bias:
            params.append(bias("bias", num_features=channels))
        if self.track_running_stats:
            params.append(buffer("running_mean", num_features=channels))
            params.append(buffer("running_var", num_features=channels))
            params.append(buffer("num_batches_tracked", "int64"))
        return tuple(params)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The number of channels."""
        return str(result.params[0].shape[0]) if result.params else ""


def channel_axis(x: Tensor, rank: int) -> Size:
    """Axis 1 of a tensor that has at most `rank` axes."""
    whole = x.rank is not None or len(x.shape) == rank
    return x.shape[1] if whole else UNKNOWN


@layer("BatchNorm1d", family="norm", aliases=NAMES, stem="bn")
class BatchNorm1d(BatchNorm):
    """Each feature over the batch: y = (x − mean) / √(var + ε) · γ + β."""

    patterns = ("[N, {}]", "[N, {}, L]")


@layer("BatchNorm2d", family="norm", aliases=NAMES, stem="bn")
class BatchNorm2d(BatchNorm):
    """Each channel over batch and image: y = (x − mean) / √(var + ε) · γ + β."""

    patterns = ("[N, {}, H, W]",)


@layer("BatchNorm3d", family="norm", aliases=NAMES, stem="bn")
class BatchNorm3d(BatchNorm):
    """Each channel over batch and volume: y = (x − mean) / √(var + ε) · γ + β."""

    patterns = ("[N, {}, D, H, W]",)


class TrailingNorm(Layer):
    """What normalisations over the last axes share."""

    normalized_shape: Size | tuple[Size, ...] | None

    def sizes(self, x: Tensor) -> tuple[Size, ...]:
        """The sizes of the axes that are normalised: as pinned, or the last of `x`."""
        if x.rank == 0 or self.normalized_shape == ():
            raise self.refuse("{layer} needs an axis, got {got}.", port="x", got=x)
        if self.normalized_shape is None:
            return x.last(1)
        given = self.normalized_shape
        pinned = given if isinstance(given, tuple) else (given,)
        self._check_rank(x, pinned)
        pairs = zip(pinned, x.last(len(pinned)), strict=True)
        for expected, got in pairs:
            self.same(expected, got, self._mismatch(x, pinned, (expected, got)))
        return pinned

    def _check_rank(self, x: Tensor, pinned: tuple[Size, ...]) -> None:
        if x.rank is not None and x.rank < len(pinned):
            raise self._mismatch(x, pinned, None)

    def _mismatch(
        self, x: Tensor, pinned: tuple[Size, ...], pair: tuple[Size, Size] | None
    ) -> LayerError:
        expected, got = pair or (None, None)
        shape = ", ".join(str(size) for size in pinned)
        return LayerError(
            message(
                "{layer} expects {expected}, got {got}.",
                layer=self.kind,
                expected=f"[..., {shape}]",
                got=x,
            ),
            port="x",
            option="normalized_shape",
            expected=expected,
            got=got,
        )

    def shaped(self, make: Callable[..., Param], name: str, sizes: tuple[Size, ...]) -> Param:
        """A parameter over all axes that are normalised."""
        if len(sizes) == 1:
            return make(name, normalized_shape=sizes[0])
        return make(name, **{f"normalized_shape[{i}]": size for i, size in enumerate(sizes)})

    def made(self, x: Tensor, sizes: tuple[Size, ...], params: tuple[Param, ...]) -> Result:
        """The Result: `x` itself, normalised."""
        whole = sizes if isinstance(self.normalized_shape, tuple) else sizes[0]
        code = self.module(f"nn.{self.kind}", "normalized_shape", normalized_shape=whole)
        y = x if self.normalized_shape is None else filled(x, *sizes)
        return Result((y,), params, code=code)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The axes that are normalised: `768`, or `3×32×32`."""
        given = self.normalized_shape
        if isinstance(given, tuple):
            return spread(given)
        return str(result.outputs[0].axis(-1) if given is None else given)


@layer("LayerNorm", family="norm", aliases=("ln", "layer normalization", "层归一化"), stem="ln")
class LayerNorm(TrailingNorm):
    """Each position over its last axes: y = (x − mean) / √(var + ε) · γ + β."""

    normalized_shape: Size | tuple[Size, ...] | None = option(
        None, "Sizes of the last axes, which are normalised; the last alone when empty.", min=1
    )
    eps: float = option(1e-5, EPS)
    elementwise_affine: bool = option(True, AFFINE.format("element"))
    bias: bool = option(True, "Learn the offset; without elementwise_affine there is none.")

    def infer(self, x: Tensor) -> Result:
        """[..., *normalized_shape] to the same shape."""
        sizes = self.sizes(x)
        check_dtype(self, x, NARROW if self.elementwise_affine else FLOATS)
        params: tuple[Param, ...] = ()
        if self.elementwise_affine:
            params = (self.shaped(weight, "weight", sizes),)
        if self.elementwise_affine and self.bias:
            params = (*params, self.shaped(bias, "bias", sizes))
        return self.made(x, sizes, params)


@layer("RMSNorm", family="norm", aliases=("root mean square", "均方根归一化"), stem="rms")
class RMSNorm(TrailingNorm):
    """Each position over its last axes, mean kept: y = x / √(mean(x²) + ε) · γ."""

    normalized_shape: Size | tuple[Size, ...] | None = option(
        None, "Sizes of the last axes, which are normalised; the last alone when empty.", min=1
    )
    eps: float | None = option(
        None, "Added to the mean square; the smallest step of the dtype when empty."
    )
    elementwise_affine: bool = option(True, "Learn a scale for each element.")

    def infer(self, x: Tensor) -> Result:
        """[..., *normalized_shape] to the same shape."""
        sizes = self.sizes(x)
        check_dtype(self, x, (*FLOATS, *COMPLEX))
        learned = (self.shaped(weight, "weight", sizes),) if self.elementwise_affine else ()
        return self.made(x, sizes, learned)


@layer("GroupNorm", family="norm", aliases=("gn", "group normalization", "组归一化"), stem="gn")
class GroupNorm(Layer):
    """Each group of channels over space: y = (x − mean) / √(var + ε) · γ + β."""

    num_groups: Size = option(32, "Groups that the channels are divided into.", min=1)
    num_channels: Size | None = option(None, "Channels of the input; inferred when empty.", min=1)
    eps: float = option(1e-5, EPS)
    affine: bool = option(True, AFFINE.format("channel"))
    bias: bool = option(True, "Learn the offset; without affine there is none.")

    def infer(self, x: Tensor) -> Result:
        """[N, num_channels, ...] to the same shape."""
        if x.rank is not None and x.rank < 2:
            raise self.refuse("{layer} expects [N, C, ...], got {got}.", port="x", got=x)
        check_dtype(self, x, NARROW if self.affine else FLOATS)
        channels = self._channels(x)
        self._check_group(x)
        code = self.module("nn.GroupNorm", "num_groups", "num_channels", num_channels=channels)
        return Result((x,), self._params(channels), code=code)

    def batch_axis(self) -> int:
        """The first of all axes."""
        return 0

    def _channels(self, x: Tensor) -> Size:
        """Axis 1, which PyTorch compares only with a tensor that it holds."""
        got = x.axis(1)
        pinned = got if self.num_channels is None else self.num_channels
        channels = self.agree("num_channels", got, x, "[N, {}, ...]") if self.affine else pinned
        for size in (channels, got):
            if not divides(self.num_groups, size):
                raise self.refuse(
                    "{layer} expects num_channels divisible by num_groups = {expected}, got {got}.",
                    option="num_groups",
                    expected=self.num_groups,
                    got=size,
                )
        return channels

    def _check_group(self, x: Tensor) -> None:
        """One value per group has no variance."""
        if x.partial or value(x.count // self.num_groups) != 1:
            return
        raise self.refuse(
            "{layer} needs more than one value per group, got {got}.", port="x", got=x
        )

    def _params(self, channels: Size) -> tuple[Param, ...]:
        params: list[Param] = []
        if self.affine:
            params.append(weight("weight", num_channels=channels))
        if self.affine and self.bias:
            params.append(bias("bias", num_channels=channels))
        return tuple(params)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """Channels and groups: `256 in 32 groups`."""
        if not result.params:
            return f"{self.num_groups} groups"
        return f"{result.params[0].shape[0]} in {self.num_groups} groups"
