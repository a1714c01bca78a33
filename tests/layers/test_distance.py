"""Distances, and the bilinear form, are PyTorch's."""

from __future__ import annotations

import itertools

import pytest

from designer.core.layer import examine
from designer.core.size import free
from tests.layers.oracle import check, made, refusal, t, verdict

PAIRS = [
    ((2, 3), (2, 3)),
    ((2, 3), (3,)),
    ((4, 1, 3), (2, 3)),
    ((5,), (5,)),
    ((), ()),
    ((3,), ()),
    ((2, 3), (2, 4)),
    ((2, 0), (2, 0)),
    ((2, 3, 4, 5), (1, 3, 1, 5)),
]
DTYPES = ["float64", "float32", "bfloat16", "int64", "uint8", "bool", "complex64"]


def test_cosine() -> None:
    for dim, (a, b) in itertools.product(range(-3, 4), PAIRS):
        check("CosineSimilarity", {"dim": dim}, t(*a), t(*b))


@pytest.mark.parametrize("keepdim", [False, True])
def test_pairwise(keepdim: bool) -> None:
    for p, (a, b) in itertools.product([0.5, 1.0, 2.0], PAIRS):
        check("PairwiseDistance", {"p": p, "keepdim": keepdim}, t(*a), t(*b))


@pytest.mark.parametrize("kind", ["CosineSimilarity", "PairwiseDistance"])
def test_dtypes(kind: str) -> None:
    for a, b in itertools.product(DTYPES, repeat=2):
        check(kind, {}, t(2, 3, dtype=a), t(2, 3, dtype=b), flops=False)


@pytest.mark.parametrize("bias", [True, False])
def test_bilinear(bias: bool) -> None:
    options = {"in1_features": 3, "in2_features": 4, "out_features": 5, "bias": bias}
    leads = [(), (2,), (2, 3), (1, 3), (0,)]
    for one, two in itertools.product(leads, repeat=2):
        for width in (4, 5):
            x = t(*one, 3), t(*two, width)
            check("Bilinear", options, *x, inferred=("in1_features", "in2_features"), flops=False)
    check("Bilinear", options, t(), t(), flops=False)
    for dtype in ["float64", "int64"]:
        check("Bilinear", options, t(2, 3, dtype=dtype), t(2, 4, dtype=dtype), flops=False)


def test_bilinear_of_free_axes() -> None:
    inputs = {"input1": t(free("B"), 3), "input2": t(free("B"), 4)}
    layer = made("Bilinear", out_features=5)
    result = examine(layer, inputs).result
    assert result is not None
    assert str(result.outputs[0]) == "[B, 5]"
    assert layer.caption(result, inputs) == "3, 4 → 5"


def test_refusals() -> None:
    options = {"in1_features": 4}
    sentence = "Bilinear expects [..., 4], got [2, 3]."
    inputs = {"input1": t(2, 3), "input2": t(2, 3)}
    assert refusal(verdict("Bilinear", options, inputs)) == sentence
