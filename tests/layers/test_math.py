"""Functions of each element against PyTorch."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch

from designer.core.tensor import DTYPE_BYTES
from tests.layers.oracle import check, t

FUNCTIONS: dict[str, Any] = {
    "Exp": torch.exp,
    "Expm1": torch.expm1,
    "Log": torch.log,
    "Log2": torch.log2,
    "Log10": torch.log10,
    "Log1p": torch.log1p,
    "Sqrt": torch.sqrt,
    "Rsqrt": torch.rsqrt,
    "Reciprocal": torch.reciprocal,
    "Sin": torch.sin,
    "Cos": torch.cos,
    "Tan": torch.tan,
    "Atan": torch.atan,
    "Erf": torch.erf,
    "Square": torch.square,
    "Abs": torch.abs,
    "Neg": torch.neg,
    "Sign": torch.sign,
    "Floor": torch.floor,
    "Ceil": torch.ceil,
    "Round": torch.round,
    "Trunc": torch.trunc,
    "IsNaN": torch.isnan,
    "LogicalNot": torch.logical_not,
    "RealPart": torch.real,
    "ImaginaryPart": torch.imag,
    "NanToNum": torch.nan_to_num,
    "Clamp": lambda x: x.clamp(min=0),
}
DTYPES = tuple(DTYPE_BYTES)


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_each_element(kind: str) -> None:
    for dtype, shape in itertools.product(DTYPES, ((), (3,), (2, 0), (2, 3, 4))):
        check(kind, {}, t(*shape, dtype=dtype), reference=lambda: FUNCTIONS[kind])


@pytest.mark.parametrize("dtype", DTYPES)
def test_limits_of_clamp(dtype: str) -> None:
    limits = (None, -1.0, 0.5, 2.0)
    for least, most in itertools.product(limits, limits):
        given = {"min": least, "max": most}
        plain = {key: int(v) if v and v.is_integer() else v for key, v in given.items()}
        made = lambda plain=plain: lambda x: x.clamp(**plain)  # noqa: E731
        check("Clamp", given, t(2, 3, dtype=dtype), reference=made)


def test_numbers_in_place_of_nan() -> None:
    for nan, above, below in itertools.product((0.0, 1.5), (None, 9.0), (None, -9.0)):
        options = {"nan": nan, "posinf": above, "neginf": below}
        made = lambda options=options: lambda x: torch.nan_to_num(x, **options)  # noqa: E731
        check("NanToNum", options, t(2, 3), reference=made)
