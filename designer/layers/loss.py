"""Losses that compare two tensors element by element."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.code import Call, Code
from designer.core.layer import Layer, Result, layer
from designer.core.option import option
from designer.core.param import Axis, Param
from designer.core.size import Size, Verdict, compare, value
from designer.core.tensor import Tensor
from designer.core.work import READING
from designer.layers.axes import broadcast, joint_dtype
from designer.layers.rules import (
    ALL,
    COMPLEX,
    FLOATS,
    INTEGERS,
    NUMBERS,
    REAL,
    WHOLE,
    check_dtype,
    floating,
)

if TYPE_CHECKING:
    from designer.core.layer import Inputs

REDUCTIONS = ("none", "mean", "sum")
LENGTH_OF = {"complex64": "float32", "complex128": "float64"}
"""What the lengths of complex numbers are."""
REDUCTION = "What becomes of the losses: kept one by one, averaged, or added up."


class Loss(Layer):
    """What all losses share."""

    work = READING

    reduction: str

    def reduced(self, each: Tensor) -> Tensor:
        """One number, or the losses one by one."""
        if self.reduction == "none":
            return each
        return Tensor((), "int64" if each.dtype in WHOLE else each.dtype)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The reduction, where it is not the usual one."""
        return "" if self.reduction == "mean" else str(self.reduction)


class PairLoss(Loss):
    """A loss of each element and its target; shapes broadcast."""

    def infer(self, x: Tensor, target: Tensor) -> Result:
        """Two shapes that broadcast to one number, or to one number each."""
        return Result((self.reduced(self.paired(x, target)),), code=self.code())

    def paired(self, x: Tensor, target: Tensor) -> Tensor:
        """Both broadcast, in the dtype of the losses."""
        return broadcast(self, x, target, "target").with_dtype(self.dtype(x, target))

    def dtype(self, x: Tensor, target: Tensor) -> str:
        """That which holds both, a float."""
        joint = x.with_dtype(joint_dtype(x, target))
        check_dtype(self, joint, FLOATS)
        return joint.dtype

    def code(self) -> Code:
        """Code of the module."""
        return self.module(f"nn.{self.kind}")


class OwnDtype(PairLoss):
    """A loss in the dtype of its input."""

    def dtype(self, x: Tensor, target: Tensor) -> str:
        """That of the input, a float."""
        check_dtype(self, x, FLOATS)
        check_dtype(self, target, REAL, "target")
        return x.dtype


def of_differences(loss: Loss, x: Tensor, target: Tensor) -> str:
    """The dtype of |x − y|; integers have no mean."""
    check_dtype(loss, x, NUMBERS)
    check_dtype(loss, target, NUMBERS, "target")
    joint = joint_dtype(x, target)
    if loss.reduction == "mean":
        check_dtype(loss, x.with_dtype(joint), (*FLOATS, *COMPLEX))
    return LENGTH_OF.get(joint, joint)


@layer("MSELoss", family="reg", aliases=("mean squared error", "L2 loss", "均方误差", "损失"))
class MSELoss(PairLoss):
    """Mean of (x − y)², the squared error."""

    reduction: str = option("mean", REDUCTION, choices=REDUCTIONS)


@layer("L1Loss", family="reg", aliases=("mean absolute error", "MAE", "平均绝对误差", "损失"))
class L1Loss(PairLoss):
    """Mean of |x − y|, the absolute error."""

    reduction: str = option("mean", REDUCTION, choices=REDUCTIONS)

    def dtype(self, x: Tensor, target: Tensor) -> str:
        """That which holds both, of lengths for complex numbers; integers have no mean."""
        return of_differences(self, x, target)


@layer("SmoothL1Loss", family="reg", aliases=("huber", "平滑L1损失"))
class SmoothL1Loss(PairLoss):
    """Mean of d² / 2β where d = |x − y| < β, else of d − β / 2."""

    reduction: str = option("mean", REDUCTION, choices=REDUCTIONS)
    beta: float = option(1.0, "Where the parabola becomes a line.", min=0)

    def dtype(self, x: Tensor, target: Tensor) -> str:
        """That which holds both, a float; without a parabola it is the absolute error."""
        return super().dtype(x, target) if self.beta else of_differences(self, x, target)


@layer("HuberLoss", family="reg", aliases=("robust loss", "休伯损失"))
class HuberLoss(OwnDtype):
    """Mean of d² / 2 where d = |x − y| < δ, else of δ (d − δ / 2)."""

    reduction: str = option("mean", REDUCTION, choices=REDUCTIONS)
    delta: float = option(1.0, "Where the parabola becomes a line.")

    def infer(self, x: Tensor, target: Tensor) -> Result:
        """Two shapes that broadcast to one number, or to one number each."""
        if self.delta <= 0:
            raise self.refuse("{layer} needs a delta above 0.", option="delta")
        return super().infer(x, target)


@layer("KLDivLoss", family="reg", aliases=("Kullback-Leibler", "divergence", "KL散度", "损失"))
class KLDivLoss(PairLoss):
    """Mean of y (ln y − x) for log-probabilities x, the Kullback–Leibler divergence."""

    reduction: str = option(
        "mean",
        "The same, or added up and divided by the batch, which is the divergence itself.",
        choices=(*REDUCTIONS, "batchmean"),
    )
    log_target: bool = option(False, "The targets are logarithms too.")

    def dtype(self, x: Tensor, target: Tensor) -> str:
        """That which holds both, each a float."""
        check_dtype(self, target, FLOATS, "target")
        check_dtype(self, x, FLOATS)
        return joint_dtype(x, target)


@layer("PoissonNLLLoss", family="reg", aliases=("count regression", "泊松损失"))
class PoissonNLLLoss(PairLoss):
    """Mean of eˣ − y x, for counts y of a Poisson distribution."""

    log_input: bool = option(True, "The x is the logarithm of the rate.")
    full: bool = option(False, "Add Stirling's approximation of ln y!.")
    eps: float = option(1e-08, "Keeps the logarithm from 0 where log_input is off.")
    reduction: str = option("mean", REDUCTION, choices=REDUCTIONS)

    def dtype(self, x: Tensor, target: Tensor) -> str:
        """That which holds both; integers become float32."""
        check_dtype(self, x, ALL)
        check_dtype(self, target, NUMBERS if x.dtype == "bool" else ALL, "target")
        return joint_dtype(x.with_dtype(floating(x.dtype)), target)


@layer("SoftMarginLoss", family="reg", aliases=("logistic loss", "软间隔损失"))
class SoftMarginLoss(OwnDtype):
    """Mean of ln(1 + e⁻ʸˣ), for targets y of −1 and 1; the target broadcasts."""

    reduction: str = option("mean", REDUCTION, choices=REDUCTIONS)

    def dtype(self, x: Tensor, target: Tensor) -> str:
        """That of the input, which must hold the target's."""
        check_dtype(self, x, (*FLOATS, *COMPLEX))
        check_dtype(self, target, ALL if x.dtype in COMPLEX else REAL, "target")
        return x.dtype

    def paired(self, x: Tensor, target: Tensor) -> Tensor:
        """The input; it is not stretched itself."""
        joint = super().paired(x, target)
        refusal = self.refuse(
            "{layer} cannot stretch {x} to the target {target}.", port="target", x=x, target=target
        )
        if x.rank is None or joint.rank is None:
            return joint
        if x.rank != joint.rank:
            raise refusal
        pairs = zip(x.shape, joint.shape, strict=True)
        return x.with_shape(tuple(self.same(a, b, refusal) for a, b in pairs))


@layer("HingeEmbeddingLoss", family="reg", aliases=("distance loss", "合页损失"))
class HingeEmbeddingLoss(OwnDtype):
    """Mean of x where y = 1, of max(0, margin − x) where y = −1."""

    margin: float = option(1.0, "The distance that unlike ones should have.")
    reduction: str = option("mean", REDUCTION, choices=REDUCTIONS)

    def dtype(self, x: Tensor, target: Tensor) -> str:
        """That of the input; integers have no mean."""
        check_dtype(self, x, FLOATS if self.reduction == "mean" else (*FLOATS, *INTEGERS))
        return x.dtype


@layer("GaussianNLLLoss", family="reg", aliases=("heteroscedastic", "高斯损失"))
class GaussianNLLLoss(Loss):
    """Mean of (ln σ² + (x − y)² / σ²) / 2, for a normal distribution of variance σ²."""

    full: bool = option(False, "Add the constant ln(2π) / 2.")
    eps: float = option(1e-06, "The least variance.")
    reduction: str = option("mean", REDUCTION, choices=REDUCTIONS)

    def infer(self, x: Tensor, target: Tensor, var: Tensor) -> Result:
        """Two shapes that broadcast; `var` like the input, or without its last axis."""
        check_dtype(self, x, NUMBERS)
        check_dtype(self, target, NUMBERS, "target")
        joint = broadcast(self, x, target, "target").with_dtype(joint_dtype(x, target))
        check_dtype(self, joint, (*FLOATS, *COMPLEX))
        check_dtype(self, var, FLOATS, "var")
        if x.rank is None or var.rank is None:
            spread = Tensor((), var.dtype, partial=True)
        else:
            spread = self._variance(x, var)
        each = broadcast(self, joint, spread, "var").with_dtype(joint_dtype(joint, var))
        return Result((self.reduced(each),), code=self.module("nn.GaussianNLLLoss"))

    def _variance(self, x: Tensor, var: Tensor) -> Tensor:
        refusal = self.refuse("{layer} expects var like {x}, got {var}.", port="var", x=x, var=var)
        if var.rank == (x.rank or 0) - 1:
            kept = zip(x.shape[:-1], var.shape, strict=True)
            return var.with_shape((*(self.same(a, b, refusal) for a, b in kept), 1))
        if var.rank != x.rank:
            raise refusal
        pairs = zip(x.shape, var.shape, strict=True)
        unlike = [b for a, b in pairs if compare(a, b) is Verdict.DIFFERENT]
        if len(unlike) > 1 or any(value(size) not in (None, 1) for size in unlike):
            raise refusal
        return var


class BinaryLoss(Loss):
    """A loss of each probability and its target, of one shape."""

    def same_shapes(self, x: Tensor, target: Tensor) -> Tensor:
        """The x, refused where the target has another shape."""
        check_dtype(self, x, FLOATS)
        refusal = self.refuse(
            "{layer} needs one shape, got {x} and {target}.",
            port="target",
            x=x,
            target=target,
        )
        if x.rank is None or target.rank is None:
            return target if x.rank is None else x
        if x.rank != target.rank:
            raise refusal
        pairs = zip(x.shape, target.shape, strict=True)
        return x.with_shape(tuple(self.same(a, b, refusal) for a, b in pairs))


def weights(name: str, shape: tuple[Size, ...] | None) -> tuple[Param, ...]:
    """The buffer of weights that are given, if they are."""
    if shape is None:
        return ()
    axes = tuple(Axis(f"axis{index}", size) for index, size in enumerate(shape))
    return (Param(name, axes, "buffer"),)


def ones(shape: tuple[Size, ...] | None) -> Call | None:
    """Weights of 1, which a person replaces."""
    return None if shape is None else Call("torch.ones", shape)


WEIGHT = "Shape of a buffer of weights that the losses are multiplied with; none when empty."


@layer("BCELoss", family="reg", aliases=("binary cross entropy", "二元交叉熵", "损失"))
class BCELoss(BinaryLoss):
    """Mean of −(y ln x + (1 − y) ln(1 − x)), for probabilities x."""

    weight: tuple[Size, ...] | None = option(None, WEIGHT, min=1)
    reduction: str = option("mean", REDUCTION, choices=REDUCTIONS)

    def infer(self, x: Tensor, target: Tensor) -> Result:
        """Two tensors of one shape to one number, or to one number each."""
        each = self.same_shapes(x, target)
        if not (x.partial or target.partial) and target.dtype != x.dtype:
            raise self.refuse(
                "{layer} needs one dtype, got {a} and {b}.",
                port="target",
                a=x.dtype,
                b=target.dtype,
            )
        if self.weight is not None:
            each = broadcast(self, each, Tensor(self.weight), "x")
        code = self.module("nn.BCELoss", weight=ones(self.weight))
        return Result((self.reduced(each),), weights("weight", self.weight), code=code)


@layer(
    "BCEWithLogitsLoss",
    family="reg",
    aliases=("binary cross entropy with logits", "二元交叉熵", "损失"),
)
class BCEWithLogitsLoss(BinaryLoss):
    """Mean of −(y ln σ(x) + (1 − y) ln(1 − σ(x))), the binary cross entropy for logits x."""

    weight: tuple[Size, ...] | None = option(None, WEIGHT, min=1)
    reduction: str = option("mean", REDUCTION, choices=REDUCTIONS)
    pos_weight: tuple[Size, ...] | None = option(
        None, "Shape of a buffer of weights of the positive targets; none when empty.", min=1
    )

    def infer(self, x: Tensor, target: Tensor) -> Result:
        """Two tensors of one shape to one number, or to one number each."""
        each = self.same_shapes(x, target)
        for shape in (self.weight, self.pos_weight):
            if shape is not None:
                each = broadcast(self, each, Tensor(shape), "x")
        check_dtype(self, target, (*FLOATS, *COMPLEX), "target")
        each = each.with_dtype(target.dtype)
        params = (*weights("weight", self.weight), *weights("pos_weight", self.pos_weight))
        code = self.module(
            "nn.BCEWithLogitsLoss", weight=ones(self.weight), pos_weight=ones(self.pos_weight)
        )
        return Result((self.reduced(each),), params, code=code)
