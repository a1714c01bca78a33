"""Layers that repeat, turn and slide, against PyTorch."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch

from designer.core.layer import examine
from designer.core.size import free
from designer.core.tensor import Tensor
from tests.layers.oracle import check, made, t

SHAPES = ((), (3,), (2, 3), (2, 1), (3, 1, 4))
DIMS = (-3, -2, -1, 0, 1, 2)
SIZES = ((), (3,), (-1,), (2, 3), (2, -1), (-1, 3), (3, 5, 4), (2, 2, 3), (-1, 2, 3))


def function(call: Any) -> Any:
    """Makes a function."""
    return lambda: call


def test_stretching() -> None:
    for shape, size in itertools.product(SHAPES, SIZES):
        reference = function(lambda x, size=size: x.expand(size))
        check("Expand", {"size": size}, t(*shape), reference=reference)


def test_copies() -> None:
    for shape, repeats in itertools.product(SHAPES, ((), (2,), (1, 2), (2, 3), (2, 0), (2, 1, 3))):
        reference = function(lambda x, repeats=repeats: x.repeat(repeats))
        check("Repeat", {"repeats": repeats}, t(*shape), reference=reference)


def test_each_several_times() -> None:
    for shape, dim, times in itertools.product(SHAPES, (None, *DIMS), (0, 1, 3)):
        reference = function(
            lambda x, dim=dim, times=times: torch.repeat_interleave(x, times, dim=dim)
        )
        options = {"repeats": times, "dim": dim}
        check("RepeatInterleave", options, t(*shape), reference=reference, flops=False)


@pytest.mark.parametrize("shape", SHAPES)
def test_turning_round(shape: tuple[int, ...]) -> None:
    for dims in (*DIMS, (0, 1), (0, 0), (-1, 0), (-1, 1)):
        reference = function(lambda x, dims=dims: torch.flip(x, _several(dims)))
        check("Flip", {"dims": dims}, t(*shape), reference=reference)
    for shifts, axes in itertools.product((1, -2, (1, 2)), (None, *DIMS, (0, 1), (0, 0))):
        reference = function(lambda x, s=shifts, d=axes: torch.roll(x, s, d))
        check("Roll", {"shifts": shifts, "dims": axes}, t(*shape), reference=reference)
    for k, pair in itertools.product((-1, 0, 1, 2), ((0, 1), (-2, -1), (0, 0), (1, 2), (0,))):
        reference = function(lambda x, k=k, d=pair: torch.rot90(x, k, d))
        check("Rot90", {"k": k, "dims": pair}, t(*shape), reference=reference)


def _several(dims: Any) -> Any:
    return dims if isinstance(dims, tuple) else (dims,)


def test_windows() -> None:
    shapes = ((), (5,), (2, 6), (3, 7, 4))
    for shape, dim, size, step in itertools.product(shapes, DIMS, (0, 1, 3, 6), (0, 1, 2)):
        reference = function(lambda x, d=dim, s=size, p=step: x.unfold(d, s, p))
        options = {"dim": dim, "size": size, "step": step}
        check("SlidingWindows", options, t(*shape), reference=reference)
    B, T = free("B"), free("T")
    result = examine(made("SlidingWindows", dim=1, size=4, step=2), {"x": Tensor((B, T, 8))}).result
    assert result is not None
    assert str(result.outputs[0]) == "[B, T//2 - 1, 8, 4]"


def test_triangles() -> None:
    for kind, diagonal, shape in itertools.product(("Tril", "Triu"), (-1, 0, 1), SHAPES):
        rule = getattr(torch, kind.lower())
        reference = function(lambda x, rule=rule, d=diagonal: rule(x, d))
        check(kind, {"diagonal": diagonal}, t(*shape), reference=reference)


def test_diagonals() -> None:
    shapes = ((), (3,), (2, 3), (4, 2), (3, 2, 4))
    for shape, offset, one, other in itertools.product(
        shapes, (-5, -1, 0, 1, 5), (-2, 0, 1), (-1, 0, 2)
    ):
        options = {"offset": offset, "dim1": one, "dim2": other}
        reference = function(lambda x, options=options: torch.diagonal(x, **options))
        # An axis of unknown size is taken to have elements on the diagonal.
        check("Diagonal", options, t(*shape), reference=reference, weaker=abs(offset) < 2)
