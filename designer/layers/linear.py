"""Affine maps of the last axis."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from designer.core.layer import (
    Layer,
    Remark,
    Result,
    layer,
    note,
)
from designer.core.message import message
from designer.core.option import option
from designer.core.param import bias, weight
from designer.core.size import Size
from designer.layers.rules import check_float32

if TYPE_CHECKING:
    from designer.core.layer import Inputs
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
    out_features: Size = option(128, "Size of the last axis of the output.", min=0)
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
            text = message("{layer} acts on the width alone: {x} → {y}.", layer=self.kind, x=x, y=y)
            note(Remark("warning", text, "x", "in_features", got=x.axis(-1)))


@layer(
    "Bilinear",
    family="linear",
    aliases=("bilinear form", "tensor product", "双线性"),
)
class Bilinear(Layer):
    """A number for each pair of values: yₖ = aᵀ Wₖ b + cₖ."""

    in1_features: Size | None = option(
        None, "Size of the last axis of the first input; inferred when empty.", min=1
    )
    in2_features: Size | None = option(
        None, "Size of the last axis of the second input; inferred when empty.", min=1
    )
    out_features: Size = option(128, "Size of the last axis of the output.", min=0)
    bias: bool = option(True, "Add a learned offset.")

    def infer(self, input1: Tensor, input2: Tensor) -> Result:
        """[..., in1_features] and [..., in2_features] to [..., out_features]."""
        for port, x in (("input1", input1), ("input2", input2)):
            check_float32(self, x, port)
            if x.rank == 0:
                raise self.refuse("{layer} expects [..., features], got {got}.", port=port, got=x)
        one = self.agree("in1_features", input1.axis(-1), input1, "[..., {}]", "input1")
        two = self.agree("in2_features", input2.axis(-1), input2, "[..., {}]", "input2")
        lead = self._lead(input1, input2)
        axes = {"out_features": self.out_features, "in1_features": one, "in2_features": two}
        learned = (bias("bias", out_features=self.out_features),) if self.bias else ()
        y = replace(lead, shape=(*lead.shape, self.out_features))
        return Result(
            (y,),
            (weight("weight", **axes), *learned),
            code=self.module(
                "nn.Bilinear",
                "in1_features",
                "in2_features",
                "out_features",
                in1_features=one,
                in2_features=two,
            ),
        )

    def _lead(self, input1: Tensor, input2: Tensor) -> Tensor:
        """The axes before the last, which must be the same; the longer ones where some may lack."""
        refusal = self.refuse(
            "{layer} needs the same axes before the last, got {a} and {b}.",
            port="input2",
            a=input1,
            b=input2,
        )
        a, b = input1.lead(1), input2.lead(1)
        if a.rank is None and (b.rank is not None or len(b.shape) > len(a.shape)):
            a, b = b, a
        if len(b.shape) > len(a.shape) or b.rank not in (None, a.rank):
            raise refusal
        pairs = zip(reversed(a.shape), reversed(b.shape), strict=False)
        shared = [self.same(mine, theirs, refusal) for mine, theirs in pairs]
        return replace(a, shape=(*a.shape[: len(a.shape) - len(shared)], *reversed(shared)))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The widths: `64, 32 → 128`."""
        out, one, two = result.params[0].shape
        return f"{one}, {two} → {out}"
