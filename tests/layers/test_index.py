"""Layers that pick elements by indices, against PyTorch."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch.nn import functional

from designer.core.layer import examine
from designer.core.size import UNKNOWN, free
from designer.core.tensor import DTYPE_BYTES, Tensor
from tests.layers.oracle import check, feed, made, refusal, t

SHAPES = ((), (3,), (2, 3), (2, 1), (2, 3, 4))
INDICES = ((), (2,), (2, 3), (2, 1), (1, 3), (3, 3), (2, 3, 4))
DIMS = (-3, -2, -1, 0, 1, 2)


def picking(kind: str, dim: int) -> Any:
    """Makes PyTorch's function along an axis."""
    functions = {
        "Gather": lambda x, index: torch.gather(x, dim, index),
        "TakeAlongDim": lambda x, index: torch.take_along_dim(x, index, dim=dim),
        "IndexSelect": lambda x, index: torch.index_select(x, dim, index),
    }
    return lambda: functions[kind]


@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize("kind", ["Gather", "TakeAlongDim", "IndexSelect"])
def test_picking(kind: str, dim: int) -> None:
    for shape, index in itertools.product(SHAPES, INDICES):
        fed = t(*shape), t(*index, dtype="int64")
        check(kind, {"dim": dim}, *fed, reference=picking(kind, dim), high=1)


@pytest.mark.parametrize("kind", ["Gather", "TakeAlongDim", "IndexSelect"])
def test_dtypes_of_picking(kind: str) -> None:
    for dtype in DTYPE_BYTES:
        check(kind, {"dim": 0}, t(3), t(2, dtype=dtype), reference=picking(kind, 0), high=1)
        check(kind, {"dim": 0}, t(3, dtype=dtype), t(2, dtype="int64"), reference=picking(kind, 0))


PAIRS = ((0, 1), (1, 0), (0, 2), (2, 0), (-1, -2), (-3, -1), (1, 1), (0, 3), (-1, 2))


def indexed(dims: tuple[int, ...]) -> Any:
    """Makes PyTorch's indexing with tensors at some axes."""

    def pick(x: torch.Tensor, *indices: torch.Tensor) -> torch.Tensor:
        if min(dims) < 0 <= max(dims) or len(set(dims)) < len(dims):
            raise IndexError(dims)
        places = [dim + (x.ndim if dim < 0 else 0) for dim in dims]
        if min(places) < 0:
            raise IndexError(dims)
        whole: list[Any] = [slice(None)] * (max(places) + 1)
        for place, index in zip(places, indices, strict=True):
            whole[place] = index
        return x[tuple(whole)]

    return lambda: pick


@pytest.mark.parametrize("dims", [(0,), (1,), (-1,), (-3,)])
def test_one_index(dims: tuple[int, ...]) -> None:
    for shape, index in itertools.product((*SHAPES, (2, 0, 3), (0,)), (*INDICES[1:], (0,))):
        fed = t(*shape), t(*index, dtype="int64")
        check("Index", {"dims": dims}, *fed, reference=indexed(dims), high=1, weaker=0 not in shape)


@pytest.mark.parametrize("dims", PAIRS)
def test_two_indices(dims: tuple[int, ...]) -> None:
    for shape, i, j in itertools.product(
        ((2, 3), (2, 3, 4), (5, 2, 3, 4)), INDICES[1:4], INDICES[1:]
    ):
        fed = t(*shape), t(*i, dtype="int64"), t(*j, dtype="int32")
        check("Index", {"dims": dims}, *fed, reference=indexed(dims), high=1)


def test_indices_and_axes_are_as_many() -> None:
    index = t(2, dtype="int64")
    for dims, given in (((0, 1), (index,)), ((0,), (index, index)), ((), (index,))):
        outcome = examine(made("Index", dims=dims), feed("Index", (t(3, 4), *given)))
        assert refusal(outcome) == f"Index lists {len(dims)} axes in dims for {len(given)} indices."


@pytest.mark.parametrize("dim", [0, 1, 2])
def test_a_mask_picks_an_unknown_number(dim: int) -> None:
    for shape, mask in itertools.product(((3,), (3, 4), (3, 4, 3, 4)), ((3,), (4,), (3, 4))):
        fed = feed("Index", (t(*shape), t(*mask, dtype="bool")))
        outcome = examine(made("Index", dims=(dim,)), fed)
        try:
            real = torch.zeros(shape)[(slice(None),) * dim + (torch.ones(mask) > 0,)]
        except IndexError:
            assert outcome.remarks[0].severity == "error"
        else:
            assert outcome.result is not None
            (out,) = outcome.result.outputs
            assert out.shape == (*real.shape[:dim], UNKNOWN, *real.shape[dim + 1 :])
            assert real.shape[dim] == torch.ones(mask).numel()


def test_a_mask_stands_alone_at_an_axis_from_the_front() -> None:
    mask, index = t(3, dtype="bool"), t(3, dtype="int64")
    for options, given in (({"dims": (0, 1)}, (mask, index)), ({"dims": (-1,)}, (mask,))):
        outcome = examine(made("Index", **options), feed("Index", (t(3, 3), *given)))
        assert refusal(outcome) == "Index takes one mask, at an axis from the front."


def test_positions_are_no_indices() -> None:
    fed = feed("Index", (t(3, 4), t(dtype="int64")))
    assert "a vector or more" in str(refusal(examine(made("Index"), fed)))


@pytest.mark.parametrize("dim", [-2, -1, 0, 1])
def test_scatter(dim: int) -> None:
    made_by = lambda: lambda x, index, src: x.scatter(dim, index, src)  # noqa: E731
    for shape, index, src in itertools.product(((2, 3), (3,), (3, 3)), INDICES[1:], INDICES[1:]):
        fed = t(*shape), t(*index, dtype="int64"), t(*src)
        check("Scatter", {"dim": dim}, *fed, reference=made_by, high=1)
    number = lambda: lambda x, index: x.scatter(dim, index, 0.5)  # noqa: E731
    for shape, index in itertools.product(SHAPES, INDICES):
        pair = t(*shape), t(*index, dtype="int64")
        check("Scatter", {"dim": dim, "value": 0.5}, *pair, reference=number, high=1)


@pytest.mark.parametrize("reduce", ["sum", "prod", "amax", "mean"])
def test_scatter_combines(reduce: str) -> None:
    made_by = lambda: lambda x, index, src: x.scatter_reduce(1, index, src, reduce)  # noqa: E731
    fed = t(2, 3), t(2, 3, dtype="int64"), t(2, 3)
    assert check("Scatter", {"reduce": reduce}, *fed, reference=made_by)


def test_one_hot() -> None:
    made_by = lambda: lambda x: functional.one_hot(x, 5)  # noqa: E731
    for shape, dtype in itertools.product(SHAPES, DTYPE_BYTES):
        fed = t(*shape, dtype=dtype)
        check("OneHot", {"num_classes": 5}, fed, reference=made_by, flops=False)


def test_unbind() -> None:
    for dim, shape in itertools.product(DIMS, SHAPES):
        made_by = lambda dim=dim: lambda x: x.unbind(dim)  # noqa: E731
        parts = shape[dim] if -len(shape) <= dim < len(shape) else 1
        check("Unbind", {"parts": parts, "dim": dim}, t(*shape), reference=made_by)
    examined = examine(made("Unbind", parts=2, dim=1), {"x": Tensor((free("B"), 3))})
    assert [str(r.message) for r in examined.remarks] == ["Unbind has 2 parts, the axis 3."]
