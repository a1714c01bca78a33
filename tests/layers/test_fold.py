"""Cutting images into blocks, and putting them together, is PyTorch's."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest

from designer.core.layer import examine
from designer.core.size import free
from tests.layers.oracle import check, made, refusal, t, verdict

GRID: list[tuple[Any, ...]] = list(
    itertools.product([1, 3, (1, 2), (2,), (2, 2, 2)], [1, 2, (1, 2)], [0, 1, (1, 0)], [1, 2])
)


def pair(given: int | tuple[int, ...]) -> tuple[int, ...]:
    """Height and width."""
    return given if isinstance(given, tuple) else (given, given)


def blocks(size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> int:
    """How many blocks an image is cut into."""
    axes = zip(*map(pair, (size, kernel, stride, padding, dilation)), strict=False)
    return math.prod((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in axes)


def test_unfold() -> None:
    for kernel, stride, padding, dilation in GRID:
        options = {
            "kernel_size": kernel,
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
        }
        for shape in [(2, 3, 5, 6), (3, 5, 6), (2, 3, 2, 2)]:
            check("Unfold", options, t(*shape), free=(-1, -2))


@pytest.mark.parametrize("size", [5, (4, 5)])
def test_fold(size: Any) -> None:
    for kernel, stride, padding, dilation in GRID:
        options = {
            "output_size": size,
            "kernel_size": kernel,
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
        }
        rows = 3 * math.prod(pair(kernel))
        columns = blocks(size, kernel, stride, padding, dilation)
        for shape in [(2, rows, columns), (rows, columns), (2, rows, columns + 1)]:
            check("Fold", options, t(*shape))
        if rows > 3:
            assert check("Fold", options, t(2, rows + 1, columns)) is None


@pytest.mark.parametrize("kind", ["Fold", "Unfold"])
def test_ranks_dtypes_and_empty_axes(kind: str) -> None:
    options: dict[str, Any] = {"kernel_size": 2, **({"output_size": 2} if kind == "Fold" else {})}
    last = (4, 1) if kind == "Fold" else (4, 4)
    for rank in range(2, 6):
        check(kind, options, t(*[3] * (rank - 2), *last))
    for dtype in ["float64", "bfloat16", "int64", "bool", "complex64"]:
        check(
            kind,
            options,
            t(2, 3, *last, dtype=dtype) if kind == "Unfold" else t(2, *last, dtype=dtype),
        )
    for shape in [(0, *last), (0, 3, *last), (2, 0, 4)]:
        check(kind, options, t(*shape), weaker=False)


def test_blocks_of_a_free_image() -> None:
    layer = made("Unfold", kernel_size=4, stride=4)
    result = examine(layer, {"x": t(free("B"), 3, free("H", 4), free("W", 4))}).result
    assert result is not None
    assert str(result.outputs[0]) == "[B, 48, (H//4)*(W//4)]"


@pytest.mark.parametrize(
    ("kind", "shape", "sentence"),
    [
        ("Unfold", (1, 3, 2, 8), "Unfold expects H of at least 3, got 2."),
        ("Fold", (1, 27, 899), "Fold needs 900 blocks for output_size, got 899."),
        ("Fold", (1, 28, 900), "Fold expects rows divisible by 9, got 28."),
    ],
)
def test_refusals(kind: str, shape: tuple[int, ...], sentence: str) -> None:
    assert refusal(verdict(kind, {}, {"x": t(*shape)})) == sentence
