"""Layers that join tensors, against PyTorch."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
import torch

from designer.core.layer import Examined, examine
from designer.core.size import UNKNOWN, Size, free, variable
from designer.core.tensor import ANYTHING, DTYPE_BYTES, Tensor
from designer.layers.merge import Add, Concat, Divide, MatMul, Multiply, Stack, Subtract
from tests.layers.oracle import check, t

if TYPE_CHECKING:
    from collections.abc import Callable

B, T = free("B"), free("T")
SHAPES: tuple[tuple[int, ...], ...] = (
    (),
    (1,),
    (3,),
    (0,),
    (4, 3),
    (4, 1),
    (1, 3),
    (2, 4, 3),
    (2, 1, 1),
    (5, 1, 4, 3),
)
DTYPES = tuple(DTYPE_BYTES)


def total(*xs: torch.Tensor) -> torch.Tensor:
    result = xs[0]
    for x in xs[1:]:
        result = result + x
    return result


def product(*xs: torch.Tensor) -> torch.Tensor:
    result = xs[0]
    for x in xs[1:]:
        result = result * x
    return result


OPERATIONS: dict[str, Callable[..., torch.Tensor]] = {
    "Add": total,
    "Multiply": product,
    "Subtract": lambda a, b: a - b,
    "Divide": lambda a, b: a / b,
}


def joined(kind: str, *xs: Tensor) -> bool:
    """Hold one elementwise operation against PyTorch; whether both accept."""
    fed: tuple[Any, ...] = (xs,) if kind in ("Add", "Multiply") else xs
    result = check(kind, {}, *fed, reference=lambda: OPERATIONS[kind], flops=False)
    assert result is None or result.flops == 0
    return result is not None


def outputs(examined: Examined) -> list[str]:
    """The shapes that are known, as people read them."""
    assert examined.result is not None
    return [str(tensor) for tensor in examined.result.outputs]


def remarks(examined: Examined) -> list[tuple[str, str]]:
    """What is said, and how gravely."""
    return [(remark.severity, str(remark.message)) for remark in examined.remarks]


@pytest.mark.parametrize("kind", OPERATIONS)
def test_shapes_broadcast(kind: str) -> None:
    pairs = itertools.product(SHAPES, SHAPES)
    verdicts = [joined(kind, t(*a), t(*b)) for a, b in pairs]
    assert any(verdicts)
    assert not all(verdicts)


@pytest.mark.parametrize("kind", ["Add", "Multiply"])
def test_many_shapes_broadcast(kind: str) -> None:
    for shapes in itertools.product(((3,), (4, 1), (2, 1, 1), (2, 4, 3)), repeat=3):
        joined(kind, *(t(*shape) for shape in shapes))
    assert not joined(kind, t(2, 3), t(2, 3), t(2, 4))


@pytest.mark.parametrize("kind", OPERATIONS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes_are_promoted(kind: str, dtype: str) -> None:
    # Half-precision complex numbers, which two of these would give, are left out.
    halves = {"float16", "bfloat16"}
    for other, a, b in itertools.product(DTYPES, ((), (2,)), ((), (2,))):
        complex_half = halves & {dtype, other} and "complex" in dtype + other
        if a == b or not complex_half:
            joined(kind, t(*a, dtype=dtype), t(*b, dtype=other))


def test_a_sum_is_promoted_from_left_to_right() -> None:
    assert joined("Add", t(dtype="float64"), t(2, dtype="int32"), t(2, dtype="float16"))
    assert joined("Add", t(2, dtype="int32"), t(2, dtype="float16"), t(dtype="float64"))


@pytest.mark.parametrize(
    ("a", "b", "made"),
    [
        ((B, T, 8), (8,), "[B, T, 8]"),
        ((B, 1, 8), (B, T, 8), "[B, T, 8]"),
        ((B, T, 1), (1, 1, 8), "[B, T, 8]"),
        ((B, UNKNOWN), (B, 8), "[B, 8]"),
        ((B, UNKNOWN), (B, T), "[B, ?]"),
        ((B, UNKNOWN), (B, 1), "[B, ?]"),
    ],
)
@pytest.mark.parametrize("kind", [Subtract, Divide])
def test_free_axes_broadcast(
    kind: type[Subtract | Divide], a: tuple[Size, ...], b: tuple[Size, ...], made: str
) -> None:
    for one, other in ((a, b), (b, a)):
        examined = examine(kind(), {"a": Tensor(one), "b": Tensor(other)})
        assert outputs(examined) == [made]
        assert remarks(examined) == []


def test_two_free_axes_do_not_broadcast() -> None:
    examined = examine(Add(), {"xs": (t(B, 8), t(T, 8))})
    text = "Add cannot broadcast [B, 8] and [T, 8]: B against T."
    assert remarks(examined) == [("error", text)]
    assert (examined.remarks[0].expected, examined.remarks[0].got) == (B, T)


def test_a_variable_that_is_one_broadcasts_at_this_value_only() -> None:
    examined = examine(Multiply(), {"xs": (t(B, variable("n", 1)), t(B, 8))})
    assert outputs(examined) == ["[B, 8]"]
    text = "Multiply needs n = 1: true at these values only."
    assert remarks(examined) == [("hint", text)]


def test_missing_axes_broadcast() -> None:
    open_tensor = Tensor((128,), partial=True)
    assert outputs(examine(Add(), {"xs": (open_tensor, t(B, T, 128))})) == ["[…, ?, ?, 128]"]
    assert outputs(examine(Add(), {"xs": (open_tensor, t(4, 1, 128))})) == ["[…, 4, ?, 128]"]
    assert outputs(examine(Add(), {"xs": (ANYTHING, t(4, 128))})) == ["[…, 4, 128]"]


JOINED: tuple[tuple[tuple[int, ...], ...], ...] = (
    ((2, 3),),
    ((2, 3), (2, 3)),
    ((2, 3), (2, 4)),
    ((2, 3), (5, 3), (1, 3)),
    ((2, 3), (2, 3, 1)),
    ((), ()),
    ((3,), (0,)),
    ((0,), (2, 3)),
    ((2, 3), (0,), (2, 4)),
    ((0,), (0,)),
    ((0,), ()),
    ((2, 3, 4), (2, 1, 4)),
    ((2, 3, 4), (2, 3, 4), (2, 3, 4)),
    ((2, 0), (2, 3)),
)


def joining(kind: str, dim: int) -> Callable[[], Callable[..., torch.Tensor]]:
    function = torch.cat if kind == "Concat" else torch.stack
    return lambda: lambda *tensors: function(tensors, dim=dim)


@pytest.mark.parametrize("dim", [-4, -3, -2, -1, 0, 1, 2, 3])
@pytest.mark.parametrize("kind", ["Concat", "Stack"])
def test_joining_along_an_axis(kind: str, dim: int) -> None:
    for shapes in JOINED:
        xs = tuple(t(*shape) for shape in shapes)
        # PyTorch passes over an empty vector, which an axis of unknown size might be.
        weaker = kind == "Stack" or not any(len(shape) == 1 for shape in shapes)
        check(kind, {"dim": dim}, xs, reference=joining(kind, dim), weaker=weaker)


@pytest.mark.parametrize("kind", ["Concat", "Stack"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_joining_promotes(kind: str, dtype: str) -> None:
    for other in DTYPES:
        xs = (t(2, 3, dtype=dtype), t(2, 3, dtype=other))
        assert check(kind, {"dim": 1}, xs, reference=joining(kind, 1))


def test_joining_free_axes() -> None:
    tensors = (t(B, T, 8), t(B, 1, 8), t(B, free("S"), 8))
    assert outputs(examine(Concat(1), {"xs": tensors})) == ["[B, S + T + 1, 8]"]
    examined = examine(Concat(-1), {"xs": tensors[:2]})
    text = "Concat cannot join [B, T, 8] and [B, 1, 8]: T against 1."
    assert remarks(examined) == [("error", text)]
    assert outputs(examine(Stack(1), {"xs": (t(B, 8), t(B, 8))})) == ["[B, 2, 8]"]


def test_joining_with_missing_axes() -> None:
    wide = Tensor((8,), partial=True)
    assert outputs(examine(Concat(-1), {"xs": (wide, wide)})) == ["[…, 16]"]
    assert outputs(examine(Concat(1), {"xs": (wide, wide)})) == ["[…]"]
    assert outputs(examine(Concat(1), {"xs": (wide, t(B, 3, UNKNOWN))})) == ["[B, ?, 8]"]
    assert outputs(examine(Concat(-2), {"xs": (wide, wide)})) == ["[…, ?, 8]"]
    assert outputs(examine(Stack(-1), {"xs": (wide, wide)})) == ["[…, 8, 2]"]
    assert outputs(examine(Stack(0), {"xs": (wide, t(B, UNKNOWN))})) == ["[2, B, 8]"]


FACTORS: tuple[tuple[int, ...], ...] = (
    (),
    (3,),
    (4,),
    (3, 4),
    (4, 3),
    (2, 3, 4),
    (2, 4, 3),
    (1, 4, 3),
    (5, 1, 3, 4),
    (5, 2, 4, 3),
    (0, 4),
)


def test_matmul() -> None:
    verdicts = []
    for a, b in itertools.product(FACTORS, FACTORS):
        # PyTorch's counter leaves out products with a vector, which are products all the same.
        vector = 1 in (len(a), len(b))
        result = check("MatMul", {}, t(*a), t(*b), reference=lambda: torch.matmul, flops=not vector)
        verdicts.append(result is not None)
    assert any(verdicts)
    assert not all(verdicts)


@pytest.mark.parametrize("a", ["float32", "float64", "int64", "bool", "bfloat16", "complex64"])
@pytest.mark.parametrize("b", ["float32", "float64", "int64", "bool", "bfloat16", "complex64"])
def test_matmul_of_dtypes(a: str, b: str) -> None:
    made = lambda: torch.matmul  # noqa: E731
    check("MatMul", {}, t(2, 3, dtype=a), t(3, 4, dtype=b), reference=made, flops=False)


def test_matmul_with_a_vector_is_counted() -> None:
    examined = examine(MatMul(), {"a": t(5, 3, 4), "b": t(4)})
    assert examined.result is not None
    assert examined.result.flops == 2 * 5 * 3 * 4


def test_matmul_of_free_axes() -> None:
    inputs = {"a": t(B, 12, T, 64), "b": t(B, 12, 64, T)}
    examined = examine(MatMul(), inputs)
    assert outputs(examined) == ["[B, 12, T, T]"]
    assert examined.result is not None
    assert examined.result.flops == 2 * B * 12 * T * T * 64
    refused = examine(MatMul(), {"a": t(B, T, 64), "b": t(B, T, 64)})
    text = "MatMul cannot multiply [B, T, 64] and [B, T, 64]: 64 against T."
    assert remarks(refused) == [("error", text)]
    half = examine(MatMul(), {"a": Tensor((3, 4), partial=True), "b": t(4, 5)})
    assert outputs(half) == ["[…, 3, 5]"]
