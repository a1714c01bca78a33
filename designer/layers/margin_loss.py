"""Losses of distances and rankings, of label sequences, and losses with weights of their own."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from designer.core.code import Call, Code, Module, Ref
from designer.core.layer import Port, Result, layer
from designer.core.option import option
from designer.core.param import Param, buffer, weight
from designer.core.param import bias as bias_of
from designer.core.size import UNKNOWN, Size, product, value
from designer.core.tensor import Tensor
from designer.layers.axes import broadcast, joint_dtype
from designer.layers.class_loss import CLASS_WEIGHT, CrossEntropyLoss, SeveralLoss
from designer.layers.loss import LENGTH_OF, REDUCTION, REDUCTIONS, Loss, ones
from designer.layers.rules import FLOATS, NUMBERS, REAL, check_dtype, check_float32, floating

if TYPE_CHECKING:
    from designer.core.layer import Inputs


@layer("MultiLabelSoftMarginLoss", family="reg", aliases=("multi-label", "多标签软间隔损失"))
class MultiLabelSoftMarginLoss(SeveralLoss):
    """Mean over classes of −(y ln σ(x) + (1 − y) ln(1 − σ(x))), for logits x."""

    weight: Size | None = option(None, CLASS_WEIGHT, min=1)
    reduction: str = option("mean", REDUCTION, choices=REDUCTIONS)

    def infer(self, x: Tensor, target: Tensor) -> Result:
        """[..., C] twice."""
        if x.rank == 0:
            raise self.refuse("{layer} expects [..., C], got {got}.", port="x", got=x)
        each = broadcast(self, x, target, "target").with_dtype(joint_dtype(x, target))
        check_dtype(self, x, FLOATS)
        check_dtype(self, target, NUMBERS, "target")
        if self.weight is not None:
            each = broadcast(self, each, Tensor((self.weight,)), "x")
        loss = self._summed(x, each)
        params = () if self.weight is None else (buffer("weight", classes=self.weight),)
        code = self.module(f"nn.{self.kind}", weight=self.weight_code())
        return Result((self.reduced(loss),), params, code=code)

    def weight_code(self) -> Call | None:
        """Weights of 1, which a person replaces."""
        return None if self.weight is None else ones((self.weight,))

    def _summed(self, x: Tensor, each: Tensor) -> Tensor:
        """The losses without the last axis of the input, counted from the start."""
        if x.rank is None or each.partial:
            return Tensor((), each.dtype, partial=True)
        place = x.rank - 1
        return each.with_shape((*each.shape[:place], *each.shape[place + 1 :]))


class TripleLoss(Loss):
    """A loss of three tensors of one rank."""

    def check_ranks(self, first: Tensor, **others: Tensor) -> None:
        """Refuse tensors of different ranks."""
        for port, other in others.items():
            if first.rank is not None and other.rank not in (None, first.rank):
                raise self.refuse(
                    "{layer} needs equal ranks, got {a} and {b}.",
                    port=port,
                    a=first,
                    b=other,
                )

    def together(self, a: Tensor, b: Tensor, port: str) -> Tensor:
        """Both broadcast, in the dtype that holds them; truth values have no difference."""
        for x in (a, b):
            check_dtype(self, x, NUMBERS, port)
        return broadcast(self, a, b, port).with_dtype(joint_dtype(a, b))


@layer("MarginRankingLoss", family="reg", aliases=("ranking", "排序损失"))
class MarginRankingLoss(TripleLoss):
    """Mean of max(0, margin − y (a − b)), where y = 1 says that a should rank higher."""

    margin: float = option(0.0, "How far the higher one should be ahead.")
    reduction: str = option("mean", REDUCTION, choices=REDUCTIONS)

    def infer(self, input1: Tensor, input2: Tensor, target: Tensor) -> Result:
        """Three shapes of one rank that broadcast."""
        self.check_ranks(input1, input2=input2, target=target)
        each = self.together(self.together(input1, input2, "input2"), target, "target")
        each = each.with_dtype(floating(each.dtype))
        check_dtype(self, each, FLOATS, "target")
        if self.reduction == "mean":
            check_dtype(self, each, FLOATS, "input1")
        return Result((self.reduced(each),), code=self.module(f"nn.{self.kind}"))


@layer("CosineEmbeddingLoss", family="reg", aliases=("cosine similarity loss", "余弦损失"))
class CosineEmbeddingLoss(TripleLoss):
    """Mean of 1 − cos(a, b) where y = 1, of max(0, cos(a, b) − margin) where y = −1."""

    margin: float = option(0.0, "The similarity that unlike ones may have.")
    reduction: str = option("mean", REDUCTION, choices=REDUCTIONS)

    def infer(self, input1: Tensor, input2: Tensor, target: Tensor) -> Result:
        """[N, D] twice and [N], or [D] twice and []."""
        for port, x in (("input1", input1), ("input2", input2)):
            self.ranked(x, (1, 2), "[N, D] or [D]", port)
        self.ranked(target, (0, 1), "[N] or []", "target")
        self.check_ranks(input1, input2=input2)
        if input1.rank is not None and target.rank not in (None, input1.rank - 1):
            raise self.refuse(
                "{layer} expects target [N] for [N, D], got {got} for {x}.",
                port="target",
                got=target,
                x=input1,
            )
        for port, x in (("input1", input1), ("input2", input2)):
            check_dtype(self, x, REAL, port)
        joint = broadcast(self, input1, input2, "input2")
        joint = joint.with_dtype(floating(joint_dtype(input1, input2)))
        rows = joint.lead(1) if not joint.partial else joint.with_shape(())
        loss = target if joint.partial else broadcast(self, rows, target, "target")
        return Result(
            (self.reduced(loss.with_dtype(joint.dtype)),), code=self.module(f"nn.{self.kind}")
        )


@dataclass(frozen=True, eq=False)
class Triplets(TripleLoss):
    """A loss of distances from an anchor."""

    margin: float = option(1.0, "How much farther the negative should be.")

    def infer(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Result:
        """[..., D] three times, of one rank; shapes broadcast."""
        if self.margin <= 0:
            raise self.refuse("{layer} needs a margin above 0.", option="margin")
        self.check_ranks(anchor, positive=positive, negative=negative)
        near = self.distance(anchor, positive, "positive")
        loss = self.together(near, self.distance(anchor, negative, "negative"), "negative")
        if self.swap:
            loss = self.together(loss, self.distance(positive, negative, "negative"), "negative")
        return Result((self.reduced(loss),), code=self.module(f"nn.{self.kind}"))

    def distance(self, a: Tensor, b: Tensor, port: str) -> Tensor:
        """The distances along the last axis."""
        joint = self.together(a, b, port)
        joint = joint.with_dtype(LENGTH_OF.get(joint.dtype, floating(joint.dtype)))
        known = not joint.partial or joint.shape
        return joint.lead(1) if known else joint

    swap = False


@layer("TripletMarginLoss", family="reg", aliases=("metric learning", "三元组损失"))
class TripletMarginLoss(Triplets):
    """Mean of max(0, d(a, p) − d(a, n) + margin), for anchor, positive and negative."""

    margin: float = option(1.0, "How much farther the negative should be.")
    p: float = option(2.0, "The norm of the distance.")
    eps: float = option(1e-06, "Keeps the distance from 0.")
    swap: bool = option(False, "Take the distance of positive and negative where it is smaller.")
    reduction: str = option("mean", REDUCTION, choices=REDUCTIONS)


@layer("TripletMarginWithDistanceLoss", family="reg", aliases=("metric learning", "三元组损失"))
class TripletMarginWithDistanceLoss(Triplets):
    """The triplet loss of the distance |a − b|, for anchor, positive and negative."""

    margin: float = option(1.0, "How much farther the negative should be.")
    swap: bool = option(False, "Take the distance of positive and negative where it is smaller.")
    reduction: str = option("mean", REDUCTION, choices=REDUCTIONS)


LENGTHS = ("int64", "int32", "int16", "int8", "uint8")


@layer("CTCLoss", family="reg", aliases=("speech recognition", "connectionist", "语音识别损失"))
class CTCLoss(Loss):
    """−ln of the probability of a sequence of labels, over all alignments with T steps."""

    blank: int = option(0, "The class that stands for no label.", min=0)
    reduction: str = option("mean", REDUCTION, choices=REDUCTIONS)
    zero_infinity: bool = option(False, "Take 0 where no alignment fits.")

    def infer(
        self, log_probs: Tensor, targets: Tensor, input_lengths: Tensor, target_lengths: Tensor
    ) -> Result:
        """[T, N, C] and [N, S], or [T, C] and [S]; lengths [N]."""
        self.ranked(log_probs, (2, 3), "[T, N, C] or [T, C]", "log_probs")
        self.ranked(targets, (1, 2), "[N, S] or [S]", "targets")
        check_dtype(self, log_probs, ("float32", "float64"), "log_probs")
        self._check_blank(log_probs)
        batch = UNKNOWN if log_probs.rank is None else (1, log_probs.axis(1))[log_probs.rank - 2]
        lengths = {"input_lengths": input_lengths, "target_lengths": target_lengths}
        for port, tensor in lengths.items():
            check_dtype(self, tensor, LENGTHS, port)
            self._counted(batch, tensor, port)
        if targets.rank == 2:
            self._counted(batch, targets.with_shape(targets.shape[:1]), "targets")
        each = log_probs.with_shape((batch,) if log_probs.rank == 3 else ())
        if log_probs.rank is None:
            each = Tensor((), log_probs.dtype, partial=True)
        return Result((self.reduced(each),), code=self.module("nn.CTCLoss"))

    def _check_blank(self, log_probs: Tensor) -> None:
        classes = value(log_probs.axis(-1))
        if classes is not None and self.blank >= classes:
            raise self.refuse(
                "{layer} has {got} classes, none is the blank {blank}.",
                option="blank",
                got=classes,
                blank=self.blank,
            )

    def _counted(self, batch: Size, tensor: Tensor, port: str) -> None:
        refusal = self.refuse(
            "{layer} expects {expected} samples at {port}, got {got}.",
            port=port,
            expected=batch,
            got=tensor,
        )
        if not tensor.partial:
            self.same(batch, tensor.count, refusal)


@layer("LinearCrossEntropyLoss", family="reg", aliases=("fused head", "线性交叉熵"), stem="loss")
class LinearCrossEntropyLoss(Loss):
    """Mean of −ln softmax(x Aᵀ + b) at the right class, without keeping the logits in memory."""

    in_features: Size | None = option(
        None, "Size of the last axis of the input; inferred when empty.", min=1
    )
    num_classes: Size = option(10, "Number of classes.", min=1)
    out_features: tuple[Size, ...] = option(
        (), "Further axes of the logits, behind that of the classes.", min=1
    )
    bias: bool = option(False, "Add a learned offset.")
    reduction: str = option("mean", REDUCTION, choices=REDUCTIONS)
    weight: Size | None = option(None, CLASS_WEIGHT, min=1)
    ignore_index: int | None = option(None, "Targets of this class do not count.")
    label_smoothing: float = option(
        0.0, "The share that is spread evenly over the classes.", min=0, max=1
    )

    def infer(self, x: Tensor, target: Tensor) -> Result:
        """[N, D] and [N], or [D] and []."""
        self.ranked(x, (1, 2), "[N, D] or [D]", "x")
        check_float32(self, x, "x")
        width = self.agree("in_features", x.axis(-1), x, "[..., {}]", "x")
        self._check_weight()
        logits = self._logits(x)
        loss = self._loss().each(logits, target)
        params = (*self._weights(), *self._linear(width))
        flops = 2 * logits.count * width
        return Result((self.reduced(loss),), params, flops, self._code(width))

    def _loss(self) -> CrossEntropyLoss:
        ignored = -100 if self.ignore_index is None else self.ignore_index
        return CrossEntropyLoss(ignore_index=ignored, reduction=self.reduction)

    def _check_weight(self) -> None:
        if self.weight is not None:
            refusal = self.refuse(
                "{layer} has {expected} classes, but {got} have a weight.",
                option="weight",
                expected=self.num_classes,
                got=self.weight,
            )
            self.same(self.num_classes, self.weight, refusal)

    def _logits(self, x: Tensor) -> Tensor:
        if x.rank is None:
            return Tensor((), x.dtype, partial=True)
        return x.with_last(self.num_classes).with_shape(
            (*x.shape[:-1], self.num_classes, *self.out_features)
        )

    def _weights(self) -> tuple[Param, ...]:
        return () if self.weight is None else (buffer("weight", classes=self.weight),)

    def _linear(self, width: Size) -> tuple[Param, ...]:
        rows = self.num_classes * product(self.out_features)
        learned = (weight("linear.weight", logits=rows, in_features=width),)
        return (*learned, bias_of("linear.bias", logits=rows)) if self.bias else learned

    def _code(self, width: Size) -> Code:
        given = None if self.weight is None else ones((self.weight,))
        return self.module(
            "nn.LinearCrossEntropyLoss",
            "in_features",
            "num_classes",
            in_features=width,
            weight=given,
        )


@layer(
    "AdaptiveLogSoftmaxWithLoss",
    family="reg",
    aliases=("adaptive softmax", "large vocabulary", "自适应softmax"),
    stem="loss",
)
class AdaptiveLogSoftmaxWithLoss(Loss):
    """Log-softmax over many classes: frequent ones in a head, rare ones in smaller tails.

    The operations of the head are counted; those of the tails depend on the targets.
    """

    in_features: Size | None = option(
        None, "Size of the last axis of the input; inferred when empty.", min=1
    )
    n_classes: int = option(1000, "Number of classes.", min=1)
    cutoffs: tuple[int, ...] = option(
        (100,), "The classes at which a new cluster begins, in order.", min=1
    )
    div_value: float = option(4.0, "How many times smaller each cluster is than the one before.")
    head_bias: bool = option(False, "Add a learned offset in the head.")

    reduction = "mean"

    def outputs(self) -> tuple[Port, ...]:
        """The log-probability of each target, and their mean with a minus."""
        return (Port("output"), Port("loss"))

    def infer(self, x: Tensor, target: Tensor) -> Result:
        """[N, D] and [N], or [D] and []."""
        self._check_cutoffs()
        self.ranked(x, (1, 2), "[N, D] or [D]", "x")
        self.ranked(target, (0, 1), "[N] or []", "target")
        check_float32(self, x, "x")
        check_dtype(self, target, ("int64",), "target")
        width = self.agree("in_features", x.axis(-1), x, "[..., {}]", "x")
        each = self._each(x, target)
        made = self.module(
            "nn.AdaptiveLogSoftmaxWithLoss",
            "in_features",
            "n_classes",
            "cutoffs",
            in_features=width,
        )
        use = Call(Module(), (Ref("x"), Ref("target")))
        code = Code(use, made.make, ("output", "loss"))
        flops = 2 * each.count * width * self._head
        return Result((each, x.with_shape(())), self._params(width), flops, code)

    @property
    def _head(self) -> int:
        return self.cutoffs[0] + len(self.cutoffs)

    def _check_cutoffs(self) -> None:
        if self.div_value <= 0:
            raise self.refuse("{layer} needs a div_value above 0.", option="div_value")
        bounds = (*self.cutoffs, self.n_classes)
        if not self.cutoffs or any(high <= low for low, high in pairwise(bounds)):
            raise self.refuse(
                "{layer} needs increasing cutoffs below {limit}, got {got}.",
                option="cutoffs",
                limit=self.n_classes,
                got=", ".join(map(str, self.cutoffs)),
            )

    def _each(self, x: Tensor, target: Tensor) -> Tensor:
        if x.partial or target.partial:
            known = x.lead(1) if target.partial else target.with_dtype(x.dtype)
            return known if not known.partial else Tensor((), x.dtype, partial=True)
        refusal = self.refuse(
            "{layer} expects target {expected}, got {got}.",
            port="target",
            expected=x.lead(1),
            got=target,
        )
        if target.rank != (x.rank or 0) - 1:
            raise refusal
        pairs = zip(x.shape[:-1], target.shape, strict=True)
        return x.with_shape(tuple(self.same(a, b, refusal) for a, b in pairs))

    def _params(self, width: Size) -> tuple[Param, ...]:
        head = [weight("head.weight", head=self._head, in_features=width)]
        if self.head_bias:
            head.append(bias_of("head.bias", head=self._head))
        bounds = (*self.cutoffs, self.n_classes)
        for index, (low, high) in enumerate(pairwise(bounds)):
            inner = self._inner(width, index + 1)
            name = f"tail.{index}"
            head.append(weight(f"{name}.0.weight", projection=inner, in_features=width))
            head.append(weight(f"{name}.1.weight", classes=high - low, projection=inner))
        return tuple(head)

    def _inner(self, width: Size, cluster: int) -> Size:
        divisor = self.div_value**cluster
        if float(divisor).is_integer():
            return width // int(divisor)
        number = value(width)
        return UNKNOWN if number is None else int(number // divisor)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The number of classes."""
        return str(self.n_classes)
