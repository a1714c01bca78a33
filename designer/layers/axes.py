"""Axes by number, broadcasting and type promotion, as PyTorch does them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import cycle, zip_longest
from typing import TYPE_CHECKING

from designer.core.code import Item
from designer.core.size import UNKNOWN, Verdict, compare, is_unknown, value
from designer.core.tensor import Tensor
from designer.layers.rules import COMPLEX, FLOATS, INTEGERS

if TYPE_CHECKING:
    from designer.core.layer import Layer, LayerError
    from designer.core.size import Size

FIRST_AXIS, LAST_AXIS = -64, 63
"""Limits of an axis number: a PyTorch tensor has no more than 64 axes."""


def position(layer: Layer, dim: int, rank: int, option: str = "dim") -> int:
    """The axis `dim`, counted as Python does, from 0; a scalar counts as one axis.

    Raises LayerError where there is no such axis.
    """
    rank = max(rank, 1)
    if not -rank <= dim < rank:
        raise layer.refuse(
            "{layer} takes {option} from {low} to {high} here, got {got}.",
            option=option,
            low=-rank,
            high=rank - 1,
            got=dim,
        )
    return dim % rank


def located(
    layer: Layer,
    x: Tensor,
    *dims: int,
    options: tuple[str, ...] = ("dim",),
    scalar: bool = False,
) -> list[int] | None:
    """Where the axes `dims` are in `padded(x, *dims)`; None where that is not certain.

    `options` are the names of the options that hold them; with `scalar`, `x` may turn out to have
    no axis at all. Raises LayerError where there is no such axis.
    """
    if x.rank is not None:
        pairs = zip(dims, cycle(options), strict=False)
        return [position(layer, dim, x.rank, option) for dim, option in pairs]
    if any(dim >= 0 for dim in dims) or (scalar and not x.shape and min(dims, default=-1) == -1):
        return None
    known = len(padded(x, *dims).shape)
    return [known + dim for dim in dims]


def padded(x: Tensor, *dims: int) -> Tensor:
    """`x`, of a partial one so many axes that those counted from the end are among them."""
    missing = max((-dim for dim in dims), default=0) - len(x.shape) if x.partial else 0
    return replace(x, shape=(UNKNOWN,) * missing + x.shape)


def distinct(layer: Layer, places: list[int], option: str = "dim") -> None:
    """Refuse an axis that is named twice."""
    for place in places:
        if places.count(place) > 1:
            raise layer.refuse(
                "{layer} takes each axis once in {option}, got {got} twice.",
                option=option,
                got=place,
            )


def some_axis(layer: Layer, x: Tensor, port: str = "x") -> None:
    """Refuse a scalar."""
    if x.rank == 0:
        raise layer.refuse("{layer} expects at least one axis, got {got}.", port=port, got=x)


def indexed(target: object, dim: int, index: object) -> Item:
    """`target` indexed along one axis: `x[:, 0]`, `x[..., 1:]`."""
    if dim >= 0:
        where: tuple[object, ...] = (slice(None),) * dim + (index,)
    else:
        where = (..., index, *(slice(None),) * (-dim - 1))
    return Item(target, where if len(where) > 1 else index)


# Broadcasting


def broadcast(layer: Layer, a: Tensor, b: Tensor, port: str) -> Tensor:
    """`a` and `b` stretched to one shape; the dtype is that of `a`.

    An axis of 1 takes the size of the other. Raises LayerError, at `port`, where two other sizes
    differ.
    """
    short = (UNKNOWN if a.partial else 1, UNKNOWN if b.partial else 1)
    pairs = zip_longest(reversed(a.shape), reversed(b.shape))
    axes = [
        _stretched(
            layer,
            short[0] if one is None else one,
            short[1] if other is None else other,
            layer.refuse(
                "{layer} cannot broadcast {a} and {b}: {expected} against {got}.",
                port=port,
                a=a,
                b=b,
                expected=one,
                got=other,
            ),
        )
        for one, other in pairs
    ]
    return Tensor(tuple(reversed(axes)), a.dtype, a.partial or b.partial)


def _stretched(layer: Layer, a: Size, b: Size, refusal: LayerError) -> Size:
    if value(a) == 1 or value(b) == 1:
        return _of_one(layer, a, b, refusal)
    if is_unknown(a) or is_unknown(b):
        known = b if is_unknown(a) else a
        # A number other than 1 is the size of both; a name may stand for 1.
        return UNKNOWN if value(known) is None else known
    return layer.same(a, b, refusal)


def _of_one(layer: Layer, a: Size, b: Size, refusal: LayerError) -> Size:
    """The size of an axis where one of two is 1."""
    one, other = (a, b) if value(a) == 1 else (b, a)
    if compare(one, other) is Verdict.IDENTICAL:
        return one
    layer.same(one, 1, refusal)
    return other


# Dtypes

_KINDS = (("bool",), INTEGERS, FLOATS, COMPLEX)
_WIDTH = {
    name: width
    for names in (
        ("int64", "int32", "int16", "int8"),
        ("float64", "float32", "float16"),
        COMPLEX[::-1],
    )
    for width, name in enumerate(reversed(names))
}


def _kind(dtype: str) -> int:
    """0 for bool, 1 for integers, 2 for floats, 3 for complex numbers."""
    return next(index for index, names in enumerate(_KINDS) if dtype in names)


@cache
def promoted(a: str, b: str) -> str:
    """The dtype that holds values of both."""
    low, high = sorted((a, b), key=_kind)
    if a == b or _kind(low) == 0:
        return high
    if _kind(low) == _kind(high):
        return _wider(a, b)
    doubled = low == "float64" and _kind(high) == 3
    return "complex128" if doubled else high


def _wider(a: str, b: str) -> str:
    odd = {"uint8": "int16", "bfloat16": "float32"}
    for one, other in ((a, b), (b, a)):
        if one in odd:
            # uint8 and int8 meet in int16, the two halves in float32.
            least = odd[one]
            return least if _WIDTH[other] < _WIDTH[least] else other
    return max(a, b, key=_WIDTH.__getitem__)


def joint_dtype(a: Tensor, b: Tensor) -> str:
    """The dtype of `a + b`: a scalar decides only where its kind of number is the higher one."""
    if (a.rank == 0) == (b.rank == 0):
        return promoted(a.dtype, b.dtype)
    scalar, full = (a.dtype, b.dtype) if a.rank == 0 else (b.dtype, a.dtype)
    if _kind(scalar) <= _kind(full):
        return full
    if _kind(full) < 2:
        return promoted(scalar, full)
    return "complex128" if full == "float64" else "complex64"
