"""Affine maps of the last axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.layer import Layer, Remark, Result, bias, layer, note, weight
from designer.core.message import message
from designer.core.option import option
from designer.core.size import Size
from designer.layers.rules import check_float32

if TYPE_CHECKING:
    from designer.core.message import Message
    from designer.core.tensor import Tensor

IMAGE_RANK = 4


@layer(
    "Linear",
    family="linear",
    aliases=("dense", "fc", "fully connected", "projection", "全连接", "线性"),
    stem="fc",
)
class Linear(Layer):
    """Affine map of the last axis: y = x Aᵀ + b."""

    in_features: Size | None = option(
        None, "Size of the last axis of the input; inferred when empty.", min=1
    )
    out_features: Size = option(128, "Size of the last axis of the output.", min=1)
    bias: bool = option(True, "Add a learned offset.")

    def infer(self, x: Tensor) -> Result:
        """[..., in_features] to [..., out_features]."""
        if x.rank == 0:
            raise self.refuse("{layer} expects [..., features], got {got}.", port="x", got=x)
        check_float32(self, x)
        width = self.agree("in_features", x.axis(-1), x, "[..., {}]")
        params = [weight("weight", out_features=self.out_features, in_features=width)]
        if self.bias:
            params.append(bias("bias", out_features=self.out_features))
        y = x.with_last(self.out_features)
        self._remark_image(x, y)
        return Result(
            (y,),
            tuple(params),
            flops=2 * x.count * self.out_features,
            code=self.module("nn.Linear", "in_features", "out_features", in_features=width),
        )

    def hint_behind(self, before: Layer) -> Message | None:
        """Two affine maps in a row are one affine map."""
        if not isinstance(before, Linear):
            return None
        return message("No activation between two Linear layers: together they act as one.")

    def _remark_image(self, x: Tensor, y: Tensor) -> None:
        """An image that nobody flattened is legal, and hardly ever meant."""
        if self.in_features is None and x.rank is not None and x.rank >= IMAGE_RANK:
            text = message(
                "{layer} acts on the last axis alone: {x} → {y}.", layer=self.kind, x=x, y=y
            )
            note(Remark("warning", text, "x", "in_features", got=x.axis(-1)))
