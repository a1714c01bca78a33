"""Regularisation: dropout, which zeroes at random in training and does nothing in evaluation."""

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
from designer.core.message import alternatives, message
from designer.core.option import option
from designer.layers.rules import FLOATS

if TYPE_CHECKING:
    from designer.core.layer import Inputs
    from designer.core.tensor import Tensor

CERTAIN = (0, 1)
"""Probabilities with which nothing is drawn, so that any dtype will do."""


@dataclass(frozen=True, eq=False)
class RandomZeros(Layer):
    """What all kinds of dropout share."""

    p: float = option(0.5, "Probability with which a value becomes zero.", min=0, max=1)

    def infer(self, x: Tensor) -> Result:
        """[...] to the same shape."""
        if self.p not in CERTAIN and not x.partial and x.dtype not in FLOATS:
            template = "{layer} takes floats in training, got {got}."
            text = message(template, layer=self.kind, got=x.dtype)
            note(Remark("error", text, port="x", training=True))
        return Result((x,), code=self.module(f"nn.{self.kind}"))

    def check_rank(self, x: Tensor, least: int, expected: str) -> None:
        """An error for fewer than `least` axes, where something is drawn: in training."""
        if self.p not in CERTAIN and x.rank is not None and x.rank < least:
            values = {"layer": self.kind, "expected": expected, "got": x}
            text = message("{layer} expects {expected}, got {got}.", **values)
            note(Remark("error", text, port="x", training=True))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The probability."""
        return f"p = {self.p}"


class ChannelDropout(RandomZeros):
    """What kinds of dropout that zero whole channels share."""

    expected: ClassVar[str]
    ranks: ClassVar[tuple[int, ...]]

    def infer(self, x: Tensor) -> Result:
        """[N, C, ...] to the same shape; a warning for ranks that are taken for something else."""
        if x.rank is not None and x.rank not in self.ranks:
            values = {"layer": self.kind, "expected": alternatives(self.expected), "got": x}
            text = message("{layer} is meant for {expected}, got {got}.", **values)
            note(Remark("warning", text, port="x"))
        return super().infer(x)


@layer("Dropout", family="reg", aliases=("regularization", "随机失活", "丢弃"), stem="drop")
class Dropout(RandomZeros):
    """Each element becomes 0 with probability p in training; the others become x / (1 − p)."""


@layer("Dropout1d", family="reg", aliases=("spatial dropout", "通道丢弃", "随机失活"), stem="drop")
class Dropout1d(RandomZeros):
    """Each channel of a sequence becomes 0 with probability p in training; others x / (1 − p)."""

    def infer(self, x: Tensor) -> Result:
        """[N, C, L] or [C, L] to the same shape."""
        self.ranked(x, (2, 3), "[N, C, L] or [C, L]")
        return super().infer(x)


@layer("Dropout2d", family="reg", aliases=("spatial dropout", "通道丢弃", "随机失活"), stem="drop")
class Dropout2d(ChannelDropout):
    """Each channel of an image becomes 0 with probability p in training; others x / (1 − p)."""

    expected = "[N, C, H, W]"
    ranks = (4,)

    def infer(self, x: Tensor) -> Result:
        """[N, C, H, W] to the same shape."""
        self.check_rank(x, 2, "[N, C, H, W]")
        return super().infer(x)


@layer("Dropout3d", family="reg", aliases=("spatial dropout", "通道丢弃", "随机失活"), stem="drop")
class Dropout3d(ChannelDropout):
    """Each channel of a volume becomes 0 with probability p in training; others x / (1 − p)."""

    expected = "[N, C, D, H, W] or [C, D, H, W]"
    ranks = (4, 5)

    def infer(self, x: Tensor) -> Result:
        """[N, C, D, H, W] or [C, D, H, W] to the same shape."""
        self.check_rank(x, 1, "[N, C, D, H, W]")
        return super().infer(x)


@layer(
    "AlphaDropout", family="reg", aliases=("selu dropout", "自归一化丢弃", "随机失活"), stem="drop"
)
class AlphaDropout(RandomZeros):
    """Dropout that keeps mean and variance, for networks of SELU."""


@layer(
    "FeatureAlphaDropout",
    family="reg",
    aliases=("channel dropout", "通道丢弃", "随机失活"),
    stem="drop",
)
class FeatureAlphaDropout(RandomZeros):
    """Dropout of whole channels that keeps mean and variance, for networks of SELU."""

    def infer(self, x: Tensor) -> Result:
        """[N, C, ...] to the same shape."""
        self.check_rank(x, 2, "[N, C, ...]")
        return super().infer(x)
