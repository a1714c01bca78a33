"""Losses: modules that are given weights of classes, and functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.tensor import Tensor
from designer.importers.torch_ops.table import operation, port_names, received, same

if TYPE_CHECKING:
    from designer.importers.torch_ops.binding import Bound, Call

LEGACY = "size_average: _ = None"
REDUCE = "reduce: _ = None"
REDUCTION = "reduction='mean'"

PAIRS = {
    "MSELoss": "F.mse_loss(input, target, {legacy}, {reduce}, {reduction}, weight: only = None)",
    "L1Loss": "F.l1_loss(input, target, {legacy}, {reduce}, {reduction}, weight: only = None)",
    "SmoothL1Loss": "F.smooth_l1_loss(input, target, {legacy}, {reduce}, {reduction}, beta=1.0)",
    "HuberLoss": "F.huber_loss(input, target, {reduction}, delta=1.0, weight: only = None)",
    "KLDivLoss": "F.kl_div(input, target, {legacy}, {reduce}, {reduction}, log_target=False)",
    "SoftMarginLoss": "F.soft_margin_loss(input, target, {legacy}, {reduce}, {reduction})",
}
for _kind, _call in PAIRS.items():
    same(_kind, _call.format(legacy=LEGACY, reduce=REDUCE, reduction=REDUCTION))

same(
    "PoissonNLLLoss",
    "F.poisson_nll_loss(input, target, log_input=True, full=False, size_average: _ = None, "
    "eps=1e-08, reduce: _ = None, reduction='mean')",
)
same(
    "GaussianNLLLoss",
    "F.gaussian_nll_loss(input, target, var, full=False, eps=1e-06, reduction='mean')",
)


@operation(
    "nn.CrossEntropyLoss(weight=None, size_average: _ = None, ignore_index=-100, "
    "reduce: _ = None, reduction='mean', label_smoothing=0.0)",
    "nn.NLLLoss(weight=None, size_average: _ = None, ignore_index=-100, "
    "reduce: _ = None, reduction='mean')",
    "nn.MultiMarginLoss(p=1, margin=1.0, weight=None, size_average: _ = None, "
    "reduce: _ = None, reduction='mean')",
    "nn.MultiLabelSoftMarginLoss(weight=None, size_average: _ = None, "
    "reduce: _ = None, reduction='mean')",
)
def of_classes(call: Call) -> Bound:
    """Weights by their number: a layer has them as its own."""
    kind = call.op.removeprefix("nn.")
    inputs, options = received(call, kind)
    made = {name: value for name, value in call.values.items() if name not in _IGNORED}
    return call.to(kind, inputs, {**made, "weight": _classes(call, "weight"), **options})


_IGNORED = ("size_average", "reduce")


def _classes(call: Call, name: str) -> object:
    """How many weights an argument holds, where it is given."""
    if call[name] is None:
        return None
    weight = call.tensor(name)
    if weight.rank != 1:
        raise call.bad("{op} takes a vector for {name}, got {got}.", name=name, got=weight)
    return weight.shape[0]


@operation(
    "nn.BCELoss(weight=None, size_average: _ = None, reduce: _ = None, reduction='mean')",
    "nn.BCEWithLogitsLoss(weight=None, size_average: _ = None, reduce: _ = None, "
    "reduction='mean', pos_weight=None)",
)
def binary(call: Call) -> Bound:
    """Weights by their shape: a layer has them as its own."""
    kind = call.op.removeprefix("nn.")
    inputs, options = received(call, kind)
    made = {name: _shape(value) for name, value in call.values.items() if name not in _IGNORED}
    return call.to(kind, inputs, {**made, **options})


def _shape(value: object) -> object:
    return value.shape if isinstance(value, Tensor) else value


@operation(
    "F.cross_entropy(input, target, weight=None, size_average: _ = None, ignore_index=-100, "
    "reduce: _ = None, reduction='mean', label_smoothing=0.0)",
    "F.nll_loss(input, target, weight=None, size_average: _ = None, ignore_index=-100, "
    "reduce: _ = None, reduction='mean')",
)
def cross_entropy(call: Call) -> Bound:
    """The weights are those of the layer."""
    kind = {"F.cross_entropy": "CrossEntropyLoss", "F.nll_loss": "NLLLoss"}[call.op]
    options = {name: value for name, value in call.values.items() if name not in _NOT_OPTIONS}
    options["weight"] = _classes(call, "weight")
    inputs = dict(zip(port_names(kind), (call["input"], call["target"]), strict=True))
    return call.to(kind, inputs, options, {"weight": call["weight"]})


_NOT_OPTIONS = (*_IGNORED, "input", "target")


@operation(
    "F.binary_cross_entropy(input, target, weight=None, size_average: _ = None, "
    "reduce: _ = None, reduction='mean')",
    "F.binary_cross_entropy_with_logits(input, target, weight=None, size_average: _ = None, "
    "reduce: _ = None, reduction='mean', pos_weight=None)",
)
def binary_cross_entropy(call: Call) -> Bound:
    """The weights are those of the layer."""
    kind = "BCEWithLogitsLoss" if call.op.endswith("logits") else "BCELoss"
    options = {name: _shape(value) for name, value in call.values.items()}
    options = {name: value for name, value in options.items() if name not in _NOT_OPTIONS}
    inputs = dict(zip(port_names(kind), (call["input"], call["target"]), strict=True))
    held = {name: call.values.get(name) for name in ("weight", "pos_weight")}
    return call.to(kind, inputs, options, held)
