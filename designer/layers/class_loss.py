"""Losses against classes: cross entropy, margins of classes, sequences of labels."""

from __future__ import annotations

from designer.core.code import Call
from designer.core.layer import Result, layer
from designer.core.option import option
from designer.core.param import Param, buffer
from designer.core.size import UNKNOWN, Size, value
from designer.core.tensor import ANYTHING, Tensor
from designer.layers.loss import REDUCTION, REDUCTIONS, Loss, ones
from designer.layers.rules import FLOATS, check_dtype

INDICES = ("int64", "uint8")
CLASS_WEIGHT = "Number of classes, to give each a weight in a buffer; none when empty."


class ClassLoss(Loss):
    """A loss of a score for each class, along axis 1, against the index of the right one."""

    weight: Size | None

    def check_input(self, x: Tensor) -> None:
        """Refuse what holds no classes, or others than have a weight."""
        check_dtype(self, x, FLOATS, "x")
        if x.rank == 0:
            raise self.refuse("{layer} expects [N, C, ...] or [C], got {got}.", port="x", got=x)
        if self.weight is None:
            return
        if not x.partial and x.dtype != "float32":
            raise self.refuse("{layer} has weights in float32, got {got}.", port="x", got=x.dtype)
        self.agree("weight", self.classes(x), x, "[N, {}, ...]", "x")

    def classes(self, x: Tensor) -> Size:
        """The size of the axis of classes."""
        return UNKNOWN if x.rank is None else x.shape[min(1, x.rank - 1)]

    def without_classes(self, x: Tensor) -> Tensor:
        """The losses one by one."""
        if x.rank is None:
            return Tensor((), x.dtype, partial=True)
        return x.with_shape(() if x.rank == 1 else (x.shape[0], *x.shape[2:]))

    def against_indices(self, x: Tensor, target: Tensor) -> Tensor:
        """The losses one by one, against indices of classes."""
        each = self.without_classes(x)
        if not target.partial and target.dtype not in INDICES:
            raise self.refuse(
                "{layer} needs targets in int64, got {got}.", port="target", got=target.dtype
            )
        if target.partial:
            return each
        if each.partial:
            # A vector of one may stand for a single sample, which has no axis.
            single = target.rank == 1 and value(target.shape[0]) in (None, 1)
            return each if single else target.with_dtype(x.dtype)
        refusal = self.refuse(
            "{layer} expects target {expected}, got {got}.",
            port="target",
            expected=each,
            got=target,
        )
        if x.rank == 1 and target.rank == 1:
            self.same(target.shape[0], 1, refusal)
            return each
        if each.rank != target.rank:
            raise refusal
        pairs = zip(each.shape, target.shape, strict=True)
        return each.with_shape(tuple(self.same(a, b, refusal) for a, b in pairs))

    def weights(self, prefix: str = "") -> tuple[Param, ...]:
        """The weights of the classes, where there are some."""
        return () if self.weight is None else (buffer(f"{prefix}weight", classes=self.weight),)

    def weight_code(self) -> Call | None:
        """Weights of 1, which a person replaces."""
        return None if self.weight is None else ones((self.weight,))


@layer("NLLLoss", family="reg", aliases=("negative log likelihood", "负对数似然", "损失"))
class NLLLoss(ClassLoss):
    """Mean of −x at the right class, for log-probabilities x."""

    weight: Size | None = option(None, CLASS_WEIGHT, min=1)
    ignore_index: int = option(-100, "Targets of this class do not count.")
    reduction: str = option("mean", REDUCTION, choices=REDUCTIONS)

    def infer(self, x: Tensor, target: Tensor) -> Result:
        """[N, C, ...] and [N, ...], or [C] and []."""
        self.check_input(x)
        each = self.against_indices(x, target)
        code = self.module("nn.NLLLoss", weight=self.weight_code())
        return Result((self.reduced(each),), self.weights(), code=code)


@layer(
    "CrossEntropyLoss",
    family="reg",
    aliases=("softmax loss", "classification loss", "交叉熵", "损失"),
    stem="loss",
)
class CrossEntropyLoss(ClassLoss):
    """Mean of −ln softmax(x) at the right class, or of −∑ y ln softmax(x) for probabilities y."""

    weight: Size | None = option(None, CLASS_WEIGHT, min=1)
    ignore_index: int = option(-100, "Targets of this class do not count.")
    reduction: str = option("mean", REDUCTION, choices=REDUCTIONS)
    label_smoothing: float = option(0.0, "The share that is spread evenly over the classes.", max=1)

    def infer(self, x: Tensor, target: Tensor) -> Result:
        """[N, C, ...] and [N, ...], or the same shape with probabilities; [C] and []."""
        self.check_input(x)
        each = self.each(x, target)
        code = self.module("nn.CrossEntropyLoss", weight=self.weight_code())
        return Result((self.reduced(each),), self.weights(), code=code)

    def each(self, x: Tensor, target: Tensor) -> Tensor:
        """The losses one by one; a target of the input's shape holds probabilities."""
        single = x.rank == 1 and target.dtype in INDICES
        if single or target.partial or x.partial or target.rank != x.rank:
            known = not target.partial and target.dtype in INDICES
            return self.against_indices(x, target if known else self._indices(x, target))
        refusal = self.refuse(
            "{layer} expects target {expected} or probabilities {x}, got {got}.",
            port="target",
            expected=self.without_classes(x),
            x=x,
            got=target,
        )
        shape = tuple(self.same(a, b, refusal) for a, b in zip(x.shape, target.shape, strict=True))
        if target.dtype not in FLOATS or self.ignore_index >= 0:
            raise refusal
        return self.without_classes(x.with_shape(shape))

    def _indices(self, x: Tensor, target: Tensor) -> Tensor:
        if target.partial or not x.partial:
            return target
        return ANYTHING


@layer("MultiMarginLoss", family="reg", aliases=("hinge", "multiclass SVM", "多类间隔损失"))
class MultiMarginLoss(ClassLoss):
    """Mean over classes i of max(0, margin − x[y] + x[i])ᵖ, for the right class y."""

    p: int = option(1, "The power, 1 or 2.", min=1, max=2)
    margin: float = option(1.0, "How far the right class should be ahead.")
    weight: Size | None = option(None, CLASS_WEIGHT, min=1)
    reduction: str = option("mean", REDUCTION, choices=REDUCTIONS)

    def infer(self, x: Tensor, target: Tensor) -> Result:
        """[N, C] and [N], or [C] and []."""
        self.ranked(x, (0, 1, 2), "[N, C] or [C]", "x")
        x = x.with_shape((1,)) if x.rank == 0 else x
        self.check_input(x)
        if value(self.classes(x)) == 0:
            raise self.refuse("{layer} needs a class, got {got}.", port="x", got=x)
        each = self._each(x, target)
        code = self.module("nn.MultiMarginLoss", weight=self.weight_code())
        return Result((self.reduced(each),), self.weights(), code=code)

    def _each(self, x: Tensor, target: Tensor) -> Tensor:
        """The losses one by one; one of a single sample has the shape of the target."""
        if target.rank == 0 and x.rank == 2:
            row = x.with_shape(x.shape[1:])
            refusal = self.refuse(
                "{layer} expects target [{expected}], got [].", port="target", expected=x.shape[0]
            )
            self.same(x.shape[0], 1, refusal)
            return self.against_indices(row, target)
        each = self.against_indices(x, target)
        if target.partial and x.rank == 1:
            return Tensor((), x.dtype, partial=True)
        return each if target.partial else target.with_dtype(each.dtype)


class SeveralLoss(Loss):
    """A loss of samples that have several classes each, along the last axis."""

    def per_sample(self, each: Tensor) -> Tensor:
        """One loss for each sample."""
        return each if each.partial else each.lead(1)


@layer("MultiLabelMarginLoss", family="reg", aliases=("multi-label hinge", "多标签间隔损失"))
class MultiLabelMarginLoss(SeveralLoss):
    """Mean over right classes j and others i of max(0, 1 − (x[j] − x[i])); −1 ends the list."""

    reduction: str = option("mean", REDUCTION, choices=REDUCTIONS)

    def infer(self, x: Tensor, target: Tensor) -> Result:
        """[N, C] twice, or [C] twice; the targets are indices."""
        self.ranked(x, (0, 1, 2), "[N, C] or [C]", "x")
        check_dtype(self, x, FLOATS, "x")
        check_dtype(self, target, ("int64",), "target")
        each = self._same_shape(x, target)
        return Result((self.reduced(self.per_sample(each)),), code=self.module(f"nn.{self.kind}"))

    def _same_shape(self, x: Tensor, target: Tensor) -> Tensor:
        if x.partial or target.partial:
            return Tensor((), x.dtype, partial=True)
        refusal = self.refuse(
            "{layer} needs one shape, got {x} and {target}.",
            port="target",
            x=x,
            target=target,
        )
        if max(x.rank or 0, target.rank or 0) < 2:
            self.same(x.count, target.count, refusal)
            return x
        if x.rank != target.rank:
            raise refusal
        pairs = zip(x.shape, target.shape, strict=True)
        return x.with_shape(tuple(self.same(a, b, refusal) for a, b in pairs))
