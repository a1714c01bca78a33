"""Dropout is PyTorch's."""

from __future__ import annotations

import itertools

import pytest

from designer.core.layer import CATALOGUE, examine
from designer.core.tensor import DTYPE_BYTES
from tests.layers.oracle import check, made, t

KINDS = [kind for kind, layer in CATALOGUE.items() if layer.__module__ == "designer.layers.reg"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 1.0, -0.1, 1.1])
def test_probabilities_and_ranks(kind: str, p: float) -> None:
    for rank in range(7):
        shape = (2, 3, 4, 2, 3, 2)[:rank]
        check(kind, {"p": p}, t(*shape), free=range(rank))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPE_BYTES)
def test_dtypes(kind: str, dtype: str) -> None:
    for p in (0.0, 0.5, 1.0):
        check(kind, {"p": p}, t(3, 4, 5, dtype=dtype))


def test_a_rank_that_is_taken_for_something_else_earns_a_warning() -> None:
    for kind, rank in itertools.product(["Dropout2d", "Dropout3d"], [2, 3, 4, 5, 6]):
        remarks = examine(made(kind), {"x": t(*(2,) * rank)}).remarks
        meant = {"Dropout2d": [4], "Dropout3d": [4, 5]}[kind]
        assert [remark.severity for remark in remarks] == ["warning"] * (rank not in meant)


def test_caption() -> None:
    layer, inputs = made("Dropout", p=0.1), {"x": t(2, 3)}
    assert layer.caption(layer.infer(inputs["x"]), inputs) == "p = 0.1"
