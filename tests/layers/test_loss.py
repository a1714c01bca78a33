"""Losses against PyTorch."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import nn

from designer.core.layer import examine
from designer.core.size import free
from tests.layers import oracle
from tests.layers.oracle import check, made, t

SHAPES = ((), (3,), (1,), (2, 3), (2, 1), (4, 2, 3))
DTYPES = ("float32", "float64", "float16", "int64", "int16", "bool", "complex64")
PAIRS = [
    "MSELoss",
    "L1Loss",
    "SmoothL1Loss",
    "HuberLoss",
    "KLDivLoss",
    "PoissonNLLLoss",
    "SoftMarginLoss",
    "HingeEmbeddingLoss",
    "BCEWithLogitsLoss",
    "MultiLabelSoftMarginLoss",
]
REDUCTIONS = ("none", "mean", "sum")


@pytest.fixture
def probabilities(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random numbers between 0 and 1, where PyTorch takes no others."""
    whole = oracle.random

    def random(tensor: Any, high: int = 2, device: str = "cpu") -> torch.Tensor:
        made = whole(tensor, high, device)
        return made.sigmoid() if made.is_floating_point() else made

    monkeypatch.setattr(oracle, "random", random)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("kind", PAIRS)
def test_pairs(kind: str, reduction: str) -> None:
    for a, b in itertools.product(SHAPES, SHAPES):
        check(kind, {"reduction": reduction}, t(*a), t(*b))
    B = free("B")
    examined = examine(made(kind, reduction=reduction), {"x": t(B, 3), "target": t(B, 3)})
    assert examined.result is not None
    assert examined.remarks == ()
    each = (B,) if kind == "MultiLabelSoftMarginLoss" else (B, 3)
    assert examined.result.outputs[0].shape == (each if reduction == "none" else ())


@pytest.mark.parametrize("kind", PAIRS)
def test_dtypes_of_pairs(kind: str) -> None:
    for a, b in itertools.product(DTYPES, repeat=2):
        check(kind, {}, t(2, 3, dtype=a), t(2, 3, dtype=b))
        check(kind, {"reduction": "none"}, t(2, 3, dtype=a), t(2, 3, dtype=b))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("SmoothL1Loss", {"beta": 0.0}),
        ("SmoothL1Loss", {"beta": -1.0}),
        ("HuberLoss", {"delta": 0.0}),
        ("HuberLoss", {"delta": 0.5}),
        ("KLDivLoss", {"reduction": "batchmean"}),
        ("KLDivLoss", {"log_target": True}),
        ("PoissonNLLLoss", {"full": True}),
        ("PoissonNLLLoss", {"log_input": False, "eps": 0.5}),
        ("HingeEmbeddingLoss", {"margin": 0.5}),
    ],
)
def test_options_of_pairs(kind: str, options: dict[str, Any]) -> None:
    for shape in SHAPES:
        check(kind, options, t(*shape), t(*shape))


@pytest.mark.usefixtures("probabilities")
def test_binary_cross_entropy() -> None:
    for a, b in itertools.product(SHAPES, SHAPES):
        for reduction in REDUCTIONS:
            check("BCELoss", {"reduction": reduction}, t(*a), t(*b))


@pytest.mark.usefixtures("probabilities")
@pytest.mark.parametrize("kind", ["BCELoss", "BCEWithLogitsLoss"])
@pytest.mark.parametrize("name", ["weight", "pos_weight"])
def test_weights_of_binary_losses(kind: str, name: str) -> None:
    if (kind, name) == ("BCELoss", "pos_weight"):
        return
    for shape in ((3,), (2, 1), (2, 3), (4,)):
        reference = lambda shape=shape: getattr(nn, kind)(**{name: torch.ones(shape)})  # noqa: E731
        check(kind, {name: shape}, t(2, 3), t(2, 3), reference=reference)


@pytest.mark.usefixtures("probabilities")
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_gaussian(reduction: str) -> None:
    for a, b in itertools.product(SHAPES, SHAPES):
        for full in (False, True):
            options = {"reduction": reduction, "full": full}
            fed = t(*a), t(*a), t(*b)
            check("GaussianNLLLoss", options, *fed, flops=False, weaker=full)


CLASSES = (
    ((5,), ()),
    ((5,), (1,)),
    ((5,), (5,)),
    ((2, 5), (2,)),
    ((2, 5), (3,)),
    ((2, 5), (2, 5)),
    ((2, 5), (2, 1)),
    ((2, 5), ()),
    ((2, 5, 3), (2, 3)),
    ((2, 5, 3), (2, 5)),
    ((2, 5, 3), (2, 5, 3)),
    ((2, 5, 3, 4), (2, 3, 4)),
    ((2, 5, 3, 4), (2, 5, 3, 4)),
    ((), ()),
)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weight", [None, 5, 4])
@pytest.mark.parametrize("kind", ["NLLLoss", "CrossEntropyLoss", "MultiMarginLoss"])
def test_classes(kind: str, weight: int | None, reduction: str) -> None:
    def reference() -> Any:
        given = None if weight is None else torch.ones(weight)
        return getattr(nn, kind)(weight=given, reduction=reduction)

    options = {"weight": weight, "reduction": reduction}
    for (scores, target), dtype in itertools.product(CLASSES, ("int64", "float32")):
        if target == scores and dtype == "int64":
            continue
        fed = t(*scores), t(*target, dtype=dtype)
        check(kind, options, *fed, reference=reference, flops=False)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0, 1.5])
@pytest.mark.parametrize("ignored", [-100, 1])
def test_cross_entropy(smoothing: float, ignored: int) -> None:
    options = {"label_smoothing": smoothing, "ignore_index": ignored}
    for dtype, target in itertools.product(("int64", "int32", "uint8"), ((2,), (3,))):
        check("CrossEntropyLoss", options, t(2, 5), t(*target, dtype=dtype), flops=False)
    check("CrossEntropyLoss", options, t(2, 5), t(2, 5))


def test_margins_of_classes() -> None:
    for p, margin in itertools.product((0, 1, 2, 3), (0.5, 1.0)):
        options = {"p": p, "margin": margin}
        check("MultiMarginLoss", options, t(2, 5), t(2, dtype="int64"), flops=False)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_several_labels(reduction: str) -> None:
    for a, b in itertools.product((*SHAPES, (2, 4)), (*SHAPES, (2, 4))):
        fed = t(*a), t(*b, dtype="int64")
        check("MultiLabelMarginLoss", {"reduction": reduction}, *fed, flops=False, high=1)
    check("MultiLabelMarginLoss", {"reduction": reduction}, t(2, 3), t(2, 3), flops=False)


def test_weights_of_labels() -> None:
    reference = lambda: nn.MultiLabelSoftMarginLoss(weight=torch.ones(3))  # noqa: E731
    for shape in ((2, 3), (3,), (2, 4)):
        fed = t(*shape), t(*shape)
        check("MultiLabelSoftMarginLoss", {"weight": 3}, *fed, reference=reference)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("kind", ["MarginRankingLoss", "CosineEmbeddingLoss", "TripletMarginLoss"])
def test_triples(kind: str, reduction: str) -> None:
    shapes = ((), (3,), (2, 3), (2,), (2, 1))
    for a, b, c in itertools.product(shapes, repeat=3):
        check(kind, {"reduction": reduction}, t(*a), t(*b), t(*c), flops=False)


@pytest.mark.parametrize("kind", ["TripletMarginLoss", "MarginRankingLoss"])
def test_dtypes_of_triples(kind: str) -> None:
    for a, b in itertools.product(DTYPES, repeat=2):
        check(kind, {}, t(2, 3, dtype=a), t(2, 3, dtype=b), t(2, 3), flops=False)


@pytest.mark.parametrize("kind", ["TripletMarginLoss", "TripletMarginWithDistanceLoss"])
def test_triplets(kind: str) -> None:
    for swap, margin, shape in itertools.product(
        (False, True), (0.0, 0.5, 1.0), ((3,), (2, 3), (2, 2, 3))
    ):
        options = {"swap": swap, "margin": margin, "reduction": "none"}
        check(kind, options, t(*shape), t(*shape), t(*shape), flops=False)
        check(kind, options, t(*shape), t(2, 3), t(1, 3), flops=False)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_sequences(reduction: str) -> None:
    whole = {"dtype": "int64"}
    cases = itertools.product(
        ((6, 2, 4), (6, 1, 4), (6, 4)), ((2, 3), (1, 3), (3,)), ((2,), (1,), ()), ((2,), (1,), ())
    )
    for scores, targets, steps, lengths in cases:
        if len(targets) == 1:
            continue  # whether it fits depends on the lengths themselves
        fed = t(*scores), t(*targets, **whole), t(*steps, **whole), t(*lengths, **whole)
        check("CTCLoss", {"reduction": reduction}, *fed, flops=False)
    for blank in (3, 4):
        fed = t(6, 1, 4), t(1, 3, **whole), t(1, **whole), t(1, **whole)
        check("CTCLoss", {"blank": blank, "reduction": reduction}, *fed, flops=False)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_linear_cross_entropy(bias: bool, reduction: str) -> None:
    options = {"in_features": 3, "num_classes": 5, "bias": bias, "reduction": reduction}
    for shape, target in itertools.product(
        ((2, 3), (3,), (2, 4), (2, 2, 3)), ((2,), (), (3,), (2, 2))
    ):
        fed = t(*shape), t(*target, dtype="int64")
        check("LinearCrossEntropyLoss", options, *fed, inferred=("in_features",))
    options["out_features"] = (2,)
    check("LinearCrossEntropyLoss", options, t(4, 3), t(4, 2, dtype="int64"))


def test_adaptive_softmax() -> None:
    for cutoffs, bias, div in itertools.product(
        ((3,), (3, 7), (7, 3), (3, 10), ()), (False, True), (4.0, 2.0)
    ):
        options = {
            "in_features": 8,
            "n_classes": 10,
            "cutoffs": cutoffs,
            "div_value": div,
            "head_bias": bias,
        }
        for shape, target in itertools.product(((2, 8), (8,), (2, 7)), ((2,), (), (3,))):
            fed = t(*shape), t(*target, dtype="int64")
            check("AdaptiveLogSoftmaxWithLoss", options, *fed, flops=False)
