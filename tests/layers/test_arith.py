"""Arithmetic and comparison of two tensors, or of a tensor and a number, against PyTorch."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch

from designer.core.layer import examine
from designer.core.tensor import DTYPE_BYTES
from tests.layers.oracle import check, made, t

PAIRS: dict[str, Any] = {
    "Power": torch.pow,
    "Maximum": torch.maximum,
    "Minimum": torch.minimum,
    "Atan2": torch.atan2,
    "Remainder": torch.remainder,
    "FloorDivide": torch.floor_divide,
    "Equal": torch.eq,
    "NotEqual": torch.ne,
    "Less": torch.lt,
    "LessEqual": torch.le,
    "Greater": torch.gt,
    "GreaterEqual": torch.ge,
    "LogicalAnd": torch.logical_and,
    "LogicalOr": torch.logical_or,
}
WITH_NUMBER = [kind for kind in PAIRS if hasattr(made(kind), "value")]
WHOLE = {"Remainder", "FloorDivide", "Power"}
"""Where integers may be divided by zero, or raised to a negative power, which depends on values."""
DTYPES = tuple(DTYPE_BYTES)
SHAPES = ((), (3,), (0,), (2, 1), (2, 4, 3))


@pytest.mark.parametrize("kind", PAIRS)
def test_shapes_broadcast(kind: str) -> None:
    verdicts = [
        check(kind, {}, t(*a), t(*b), reference=lambda: PAIRS[kind])
        for a, b in itertools.product(SHAPES, SHAPES)
    ]
    assert any(verdict is None for verdict in verdicts)
    assert any(verdict is not None for verdict in verdicts)


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes_are_promoted(kind: str, dtype: str) -> None:
    for other, (a, b) in itertools.product(DTYPES, (((), ()), ((0,), ()), ((0,), (0,)))):
        if len(a) + len(b) == 0 and kind in WHOLE:
            continue
        halves = {"float16", "bfloat16"} & {dtype, other} and "complex" in dtype + other
        if not halves:
            fed = t(*a, dtype=dtype), t(*b, dtype=other)
            check(kind, {}, *fed, reference=lambda: PAIRS[kind])


@pytest.mark.parametrize("kind", WITH_NUMBER)
@pytest.mark.parametrize("number", [2, 0.5, 3.0, -1])
def test_a_number_stands_in(kind: str, number: float) -> None:
    plain = int(number) if float(number).is_integer() else number
    for dtype in DTYPES:
        x = t(2, 3, dtype=dtype)
        check(kind, {"value": number}, x, reference=lambda: lambda a: PAIRS[kind](a, plain))


SCALARS: dict[str, Any] = {
    "AddScalar": lambda a, b: a + b,
    "SubtractScalar": lambda a, b: a - b,
    "MultiplyScalar": lambda a, b: a * b,
    "DivideScalar": lambda a, b: a / b,
}


def sided(rule: Any, number: float, swap: bool) -> Any:
    """Makes the function of a tensor and a number, on either side."""
    return lambda: (lambda x: rule(number, x)) if swap else (lambda x: rule(x, number))


@pytest.mark.parametrize("kind", SCALARS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_number_and_each_element(kind: str, dtype: str) -> None:
    for number, reverse in itertools.product((1, 2.5, -3), (False, True)):
        options: dict[str, Any] = {"value": number}
        if hasattr(made(kind), "reverse"):
            options["reverse"] = reverse
        swap = options.get("reverse", False)
        function = sided(SCALARS[kind], number, swap)
        check(kind, options, t(2, 3, dtype=dtype), reference=function)


def test_where() -> None:
    for a, b, c in itertools.product(SHAPES[1:], repeat=3):
        check("Where", {}, t(*a, dtype="bool"), t(*b), t(*c), reference=lambda: torch.where)


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes_of_where(dtype: str) -> None:
    condition = t(2, dtype="bool")
    for other in DTYPES:
        halves = {"float16", "bfloat16"} & {dtype, other} and "complex" in dtype + other
        if not halves:
            fed = condition, t(2, dtype=dtype), t(2, dtype=other)
            check("Where", {}, *fed, reference=lambda: torch.where, flops=False)
    for number in (0, 1.5):
        made_of = lambda n=number: lambda c, x: torch.where(c, x, n)  # noqa: E731
        check("Where", {"value": number}, condition, t(2, dtype=dtype), reference=made_of)
    fed = t(2, dtype=dtype), t(2), t(2)
    check("Where", {}, *fed, reference=lambda: torch.where, flops=False)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", ["-inf", "inf", 0.0, -1.5])
def test_masked_fill(dtype: str, value: float | str) -> None:
    fill = float(value)
    reference = lambda: lambda x, m: x.masked_fill(m, fill)  # noqa: E731
    check("MaskedFill", {"value": value}, t(3, dtype=dtype), t(dtype="bool"), reference=reference)
    fed = t(2, dtype="float32"), t(2, dtype=dtype)
    check("MaskedFill", {"value": value}, *fed, reference=reference)


def test_shapes_of_masks() -> None:
    for shape, mask in itertools.product(SHAPES, SHAPES):
        fed = t(*shape), t(*mask, dtype="bool")
        reference = lambda: lambda x, m: x.masked_fill(m, 0.0)  # noqa: E731
        check("MaskedFill", {"value": 0.0}, *fed, reference=reference)


def test_a_mix() -> None:
    reference = lambda: lambda a, b: torch.lerp(a, b, 0.25)  # noqa: E731
    for a, b in itertools.product(SHAPES, SHAPES):
        check("Lerp", {"weight": 0.25}, t(*a), t(*b), reference=reference)
    for one, other in itertools.product(DTYPES, DTYPES):
        fed = t(2, dtype=one), t(2, dtype=other)
        check("Lerp", {"weight": 0.25}, *fed, reference=reference)


def test_captions() -> None:
    def caption(kind: str, **options: Any) -> str:
        layer = made(kind, **options)
        inputs = {"x" if "Scalar" in kind else "a": t(2)}
        result = examine(layer, inputs).result
        assert result is not None
        return layer.caption(result, inputs)

    assert caption("AddScalar", value=2) == "+ 2"
    assert caption("SubtractScalar", value=1, reverse=True) == "1 − x"
    assert caption("DivideScalar", value=0.5) == "/ 0.5"
    assert caption("Power", value=-1) == "−1"
