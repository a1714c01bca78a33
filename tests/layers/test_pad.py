"""Paddings are PyTorch's."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from designer.core.layer import examine
from designer.core.size import free
from tests.layers.oracle import check, made, refusal, t, verdict

AXES = [1, 2, 3]
KINDS = ["Constant", "Zero", "Reflection", "Replication", "Circular"]


def held(kind: str, axes: int, padding: Any, *shape: int) -> None:
    """Check one case."""
    options = {"padding": padding, **({"value": 1.5} if kind == "Constant" else {})}
    check(f"{kind}Pad{axes}d", options, t(*shape), free=range(-min(axes, len(shape)), 0))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("axes", AXES)
def test_one_number_for_all_ends(kind: str, axes: int) -> None:
    for padding, size in itertools.product(range(6), [1, 3, 4]):
        held(kind, axes, padding, 2, 3, *[4] * (axes - 1), size)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("axes", AXES)
def test_ends_apart(kind: str, axes: int) -> None:
    for pair, other in itertools.product(itertools.product([0, 1, 3, 4], repeat=2), [0, 2]):
        held(kind, axes, (*pair, *[other] * (2 * axes - 2)), 2, 3, *[3] * (axes - 1), 4)


@pytest.mark.parametrize("kind", ["Constant", "Zero", "Reflection", "Replication"])
@pytest.mark.parametrize("axes", AXES)
def test_negative_padding_cuts(kind: str, axes: int) -> None:
    for pair in itertools.product([-5, -3, -2, 1, 3], repeat=2):
        held(kind, axes, (*pair, *[0] * (2 * axes - 2)), 2, 3, *[3] * (axes - 1), 4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("length", range(9))
def test_lists_of_other_lengths_pad_other_axes(kind: str, length: int) -> None:
    for axes, rank in itertools.product(AXES, range(6)):
        check_options = {"padding": (1,) * length}
        if kind == "Constant":
            check_options["value"] = 1.5  # type: ignore[assignment]
        check(f"{kind}Pad{axes}d", check_options, t(*(4,) * rank))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("axes", AXES)
def test_ranks_and_empty_axes(kind: str, axes: int) -> None:
    for rank in range(7):
        held(kind, axes, 1, *[4] * rank)
    for place in range(axes + 2):
        shape = [3] * (axes + 2)
        shape[place] = 0
        for padding in (0, 1):
            options = {"padding": padding, **({"value": 0.0} if kind == "Constant" else {})}
            check(f"{kind}Pad{axes}d", options, t(*shape), weaker=False)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["float64", "bfloat16", "int64", "uint8", "bool", "complex64"])
def test_dtypes(kind: str, dtype: str) -> None:
    options = {"padding": 1, **({"value": 1.0} if kind == "Constant" else {})}
    for axes in AXES:
        check(f"{kind}Pad{axes}d", options, t(2, *[4] * axes, dtype=dtype))


@pytest.mark.parametrize(
    ("kind", "padding", "shape", "sentence"),
    [
        (
            "ReflectionPad2d",
            4,
            (1, 3, 4, 8),
            "ReflectionPad2d cannot pad H of 4 with 4 and 4.",
        ),
        ("ZeroPad2d", (1, 1, 1), (1, 3, 4, 8), "ZeroPad2d takes 4 values of padding, got 3."),
        (
            "CircularPad1d",
            1,
            (1, 3, 4, 8),
            "CircularPad1d expects [N, C, L] or [C, L], got [1, 3, 4, 8].",
        ),
    ],
)
def test_refusals(kind: str, padding: Any, shape: tuple[int, ...], sentence: str) -> None:
    assert refusal(verdict(kind, {"padding": padding}, {"x": t(*shape)})) == sentence


def test_free_axes_grow() -> None:
    result = examine(made("ZeroPad2d", padding=(1, 2, 0, 0)), {"x": t(1, 3, free("H"), free("W"))})
    assert result.result is not None
    assert str(result.result.outputs[0]) == "[1, 3, H, W + 3]"
