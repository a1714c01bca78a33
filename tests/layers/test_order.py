"""Layers that run along one axis against PyTorch."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch.nn.functional import normalize

from designer.core.layer import examine
from designer.core.size import free
from designer.core.tensor import DTYPE_BYTES, Tensor
from tests.layers.oracle import check, made, t

SHAPES = ((), (3,), (2, 3), (2, 1, 4), (2, 0))
DIMS = (-3, -2, -1, 0, 1, 2)
FUNCTIONS: dict[str, Any] = {
    "Cumsum": torch.cumsum,
    "Cumprod": torch.cumprod,
    "Sort": torch.sort,
    "Argsort": torch.argsort,
    "Diff": torch.diff,
}


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_along_an_axis(kind: str) -> None:
    for dim, shape in itertools.product(DIMS, SHAPES):
        made_by = lambda dim=dim: lambda x: FUNCTIONS[kind](x, dim=dim)  # noqa: E731
        check(kind, {"dim": dim}, t(*shape), reference=made_by, weaker=0 not in shape)


@pytest.mark.parametrize("kind", FUNCTIONS)
@pytest.mark.parametrize("dtype", DTYPE_BYTES)
def test_dtypes(kind: str, dtype: str) -> None:
    made_by = lambda: lambda x: FUNCTIONS[kind](x, dim=-1)  # noqa: E731
    check(kind, {"dim": -1}, t(3, dtype=dtype), reference=made_by, high=1)


@pytest.mark.parametrize("kind", ["Sort", "Argsort"])
def test_largest_first(kind: str) -> None:
    made_by = lambda: lambda x: FUNCTIONS[kind](x, descending=True)  # noqa: E731
    assert check(kind, {"descending": True}, t(2, 5), reference=made_by)


def test_differences() -> None:
    for n, dim, shape in itertools.product((0, 1, 2, 5), (0, -1), SHAPES):
        made_by = lambda n=n, dim=dim: lambda x: torch.diff(x, n=n, dim=dim)  # noqa: E731
        # An axis of unknown size is taken to have enough.
        options = {"n": n, "dim": dim}
        check("Diff", options, t(*shape), reference=made_by, weaker=n <= min(shape, default=0))


def test_the_largest_few() -> None:
    for k, dim, largest, shape in itertools.product((0, 1, 3, 4), DIMS, (True, False), SHAPES):
        options = {"k": k, "dim": dim, "largest": largest}
        made_by = lambda options=options: lambda x: torch.topk(x, **options)  # noqa: E731
        check("Topk", options, t(*shape), reference=made_by)
    for dtype in DTYPE_BYTES:
        check("Topk", {"k": 1}, t(3, dtype=dtype), reference=lambda: lambda x: x.topk(1), high=1)


def test_unit_length() -> None:
    for p, dim, shape in itertools.product((1.0, 2.0, 0.5), DIMS, SHAPES):
        options = {"p": p, "dim": dim}
        made_by = lambda options=options: lambda x: normalize(x, **options)  # noqa: E731
        check("Normalize", options, t(*shape), reference=made_by)
    for dtype in DTYPE_BYTES:
        check("Normalize", {"dim": -1}, t(3, dtype=dtype), reference=lambda: unit)


def unit(x: torch.Tensor) -> torch.Tensor:
    return normalize(x, dim=-1)


def test_free_axes() -> None:
    B, T = free("B"), free("T")
    result = examine(made("Topk", k=2, dim=1), {"x": Tensor((B, T, 8))}).result
    assert result is not None
    assert [str(out) for out in result.outputs] == ["[B, 2, 8]", "[B, 2, 8]"]
    result = examine(made("Diff", dim=1), {"x": Tensor((B, T, 8))}).result
    assert result is not None
    assert str(result.outputs[0]) == "[B, T − 1, 8]".replace("−", "-")
