"""Losses: modules that are given weights of classes, and functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.tensor import Tensor
from designer.importers.torch_ops.table import operation, port_names, received, same

if TYPE_CHECKING:
    from designer.importers.torch_ops.binding import Bound, Call

LEGACY = "size_average=None, reduce=None, reduction='mean'"

FUNCTIONS = {
    "F.mse_loss": "MSELoss",
    "F.l1_loss": "L1Loss",
    "F.smooth_l1_loss": "SmoothL1Loss",
    "F.kl_div": "KLDivLoss",
    "F.soft_margin_loss": "SoftMarginLoss",
    "F.poisson_nll_loss": "PoissonNLLLoss",
}


@operation(
    f"nn.MSELoss({LEGACY})",
    f"nn.L1Loss({LEGACY})",
    f"nn.SmoothL1Loss({LEGACY}, beta=1.0)",
    f"nn.KLDivLoss({LEGACY}, log_target=False)",
    f"nn.SoftMarginLoss({LEGACY})",
    f"nn.MultiLabelMarginLoss({LEGACY})",
    f"nn.HingeEmbeddingLoss(margin=1.0, {LEGACY})",
    f"nn.MarginRankingLoss(margin=0.0, {LEGACY})",
    f"nn.CosineEmbeddingLoss(margin=0.0, {LEGACY})",
    f"nn.TripletMarginLoss(margin=1.0, p=2.0, eps=1e-06, swap=False, {LEGACY})",
    "nn.PoissonNLLLoss(log_input=True, full=False, size_average=None, eps=1e-08, reduce=None, "
    "reduction='mean')",
    f"F.mse_loss(input, target, {LEGACY}, weight=None)",
    f"F.l1_loss(input, target, {LEGACY}, weight=None)",
    f"F.smooth_l1_loss(input, target, {LEGACY}, beta=1.0)",
    f"F.kl_div(input, target, {LEGACY}, log_target=False)",
    f"F.soft_margin_loss(input, target, {LEGACY})",
    "F.poisson_nll_loss(input, target, log_input=True, full=False, size_average=None, "
    "eps=1e-08, reduce=None, reduction='mean')",
)
def of_pairs(call: Call) -> Bound:
    """Of two tensors or three, without weights."""
    kind = FUNCTIONS.get(call.op, call.op.removeprefix("nn."))
    if call.values.get("weight") is not None:
        raise call.unmapped("{op} has a weight for each element.")
    inputs, named = received(call, kind)
    if call.op.startswith("F."):
        pair = (call["input"], call["target"])
        inputs = dict(zip(port_names(kind), pair, strict=True))
    return call.to(kind, inputs, {**_options(call), **named})


def _options(call: Call) -> dict[str, object]:
    """The arguments that are options; the older words for the reduction overrule it."""
    options = {name: value for name, value in call.values.items() if name not in _NOT_OPTIONS}
    return options | {"reduction": _reduction(call)}


_NOT_OPTIONS = ("size_average", "reduce", "input", "target", "weight", "pos_weight")


def _reduction(call: Call) -> object:
    average, reduce = call["size_average"], call["reduce"]
    if average is None and reduce is None:
        return call["reduction"]
    if reduce is not None and not reduce:
        return "none"
    return "mean" if average is None or average else "sum"


same(
    "LinearCrossEntropyLoss",
    "nn.LinearCrossEntropyLoss(in_features, num_classes, *, out_features=(), bias=False,"
    " device: _ = None, dtype: _ = None, reduction='mean', weight=None, ignore_index=None,"
    " label_smoothing=0.0, options: _ = None)",
)
same(
    "TripletMarginWithDistanceLoss",
    "nn.TripletMarginWithDistanceLoss(*, distance_function: only = None, margin=1.0, swap=False,"
    " reduction='mean')",
)
same("HuberLoss", "F.huber_loss(input, target, reduction='mean', delta=1.0, weight: only = None)")
same("GaussianNLLLoss", "nn.GaussianNLLLoss(*, full=False, eps=1e-06, reduction='mean')")
same(
    "GaussianNLLLoss",
    "F.gaussian_nll_loss(input, target, var, full=False, eps=1e-06, reduction='mean')",
)


@operation(
    "nn.CrossEntropyLoss(weight=None, size_average=None, ignore_index=-100, reduce=None, "
    "reduction='mean', label_smoothing=0.0)",
    "nn.NLLLoss(weight=None, size_average=None, ignore_index=-100, reduce=None, reduction='mean')",
    f"nn.MultiMarginLoss(p=1, margin=1.0, weight=None, {LEGACY})",
    f"nn.MultiLabelSoftMarginLoss(weight=None, {LEGACY})",
)
def of_classes(call: Call) -> Bound:
    """Weights by their number: a layer has them as its own."""
    kind = call.op.removeprefix("nn.")
    inputs, named = received(call, kind)
    return call.to(kind, inputs, {**_options(call), "weight": _classes(call, "weight"), **named})


def _classes(call: Call, name: str) -> object:
    """How many weights an argument holds, where it is given."""
    if call[name] is None:
        return None
    weight = call.values[name]
    if not isinstance(weight, Tensor):
        raise call.bad("{op} needs a tensor for {name}.", early=True, name=name)
    if weight.rank != 1:
        raise call.bad("{op} takes a vector for {name}, got {got}.", name=name, got=weight)
    return weight.shape[0]


@operation(
    f"nn.BCELoss(weight=None, {LEGACY})",
    f"nn.BCEWithLogitsLoss(weight=None, {LEGACY}, pos_weight=None)",
)
def binary(call: Call) -> Bound:
    """Weights by their shape: a layer has them as its own."""
    kind = call.op.removeprefix("nn.")
    inputs, named = received(call, kind)
    return call.to(kind, inputs, {**_options(call), **_shapes(call), **named})


def _shapes(call: Call) -> dict[str, object]:
    """Weights by the shape that they have."""
    given = {name: call.values.get(name) for name in ("weight", "pos_weight")}
    for name, x in given.items():
        if not (x is None or isinstance(x, Tensor)):
            raise call.bad("{op} needs a tensor for {name}.", early=True, name=name)
    return {name: x.shape for name, x in given.items() if isinstance(x, Tensor)}


@operation(
    "F.cross_entropy(input, target, weight=None, size_average=None, ignore_index=-100, "
    "reduce=None, reduction='mean', label_smoothing=0.0)",
    "F.nll_loss(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, "
    "reduction='mean')",
)
def cross_entropy(call: Call) -> Bound:
    """The weights are those of the layer."""
    kind = {"F.cross_entropy": "CrossEntropyLoss", "F.nll_loss": "NLLLoss"}[call.op]
    options = {**_options(call), "weight": _classes(call, "weight")}
    inputs = dict(zip(port_names(kind), (call["input"], call["target"]), strict=True))
    return call.to(kind, inputs, options, {"weight": call["weight"]})


@operation(
    f"F.binary_cross_entropy(input, target, weight=None, {LEGACY})",
    f"F.binary_cross_entropy_with_logits(input, target, weight=None, {LEGACY}, pos_weight=None)",
)
def binary_cross_entropy(call: Call) -> Bound:
    """The weights are those of the layer."""
    kind = "BCEWithLogitsLoss" if call.op.endswith("logits") else "BCELoss"
    inputs = dict(zip(port_names(kind), (call["input"], call["target"]), strict=True))
    held = {name: call.values.get(name) for name in ("weight", "pos_weight")}
    return call.to(kind, inputs, {**_options(call), **_shapes(call)}, held)
