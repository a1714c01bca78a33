"""Einstein's summation against PyTorch."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from designer.core.layer import examine
from designer.core.size import free
from designer.core.tensor import DTYPE_BYTES, Tensor
from tests.layers.oracle import check, made, t

CASES: tuple[tuple[str, tuple[tuple[int, ...], ...]], ...] = (
    ("ij,jk->ik", ((2, 3), (3, 4))),
    ("ij,jk->ik", ((2, 3), (4, 5))),
    ("ij,jk->ik", ((2, 3), (1, 5))),
    ("ij,jk->ik", ((2, 3),)),
    ("ij,jk->ik", ((2, 3), (3, 4), (4, 5))),
    ("ij,jk", ((2, 3), (3, 4))),
    ("ba", ((2, 3),)),
    ("aB", ((2, 3),)),
    ("i,j->ij", ((2,), (3,))),
    ("i,i->", ((3,), (3,))),
    ("ii->i", ((3, 3),)),
    ("ii->i", ((3, 4),)),
    ("ii", ((3, 3),)),
    ("ij->", ((2, 3),)),
    ("ij->ji", ((2, 3),)),
    ("ij->ji", ((2, 3, 4),)),
    ("ij->ik", ((2, 3),)),
    ("ij->ii", ((2, 3),)),
    ("bij,bjk->bik", ((2, 3, 4), (2, 4, 5))),
    ("bhqd,bhkd->bhqk", ((2, 3, 4, 5), (2, 3, 6, 5))),
    ("btd,de->bte", ((2, 3, 4), (4, 5))),
    ("nd,dhk->nhk", ((7, 8), (8, 2, 4))),
    ("bn,anm,bm->ba", ((2, 3), (4, 3, 5), (2, 5))),
    ("...ij,...jk->...ik", ((2, 1, 3, 4), (5, 4, 6))),
    ("...ij,...jk->...ik", ((2, 3, 3, 4), (5, 4, 6))),
    ("...ij,...jk", ((2, 3, 4), (2, 4, 6))),
    ("i...->...i", ((2, 3, 4),)),
    ("i...->i", ((2, 3, 4),)),
    ("i...->...", ((2,),)),
    ("... -> ...", ((2, 3),)),
    ("b i , b j -> i j", ((2, 3), (2, 4))),
    ("i..j->ij", ((2, 3),)),
    ("i1->i", ((2, 3),)),
    ("i->...i", ((2,),)),
)


@pytest.mark.parametrize(("equation", "shapes"), CASES)
def test_equations(equation: str, shapes: Any) -> None:
    xs = tuple(t(*shape) for shape in shapes)
    reference = lambda: lambda *xs: torch.einsum(equation, *xs)  # noqa: E731
    # Where an axis is stretched, PyTorch adds up before it multiplies.
    plain = len(shapes) == 2 and (1, 5) not in shapes
    check("Einsum", {"equation": equation}, xs, reference=reference, flops=plain)


def test_dtypes() -> None:
    for equation in ("ij,jk->ik", "i,j->ij"):
        reference = lambda e=equation: partial(torch.einsum, e)  # noqa: E731
        shape = (2, 2)[: len(equation.partition(",")[0])]
        for a in DTYPE_BYTES:
            xs = (t(*shape, dtype=a), t(*shape, dtype=a))
            check("Einsum", {"equation": equation}, xs, reference=reference, flops=False)
        xs = (t(*shape), t(*shape, dtype="int64"))
        check("Einsum", {"equation": equation}, xs, reference=reference, flops=False)


def test_free_axes() -> None:
    B, T = free("B"), free("T")
    layer = made("Einsum", equation="bhqd,bhkd->bhqk")
    result = examine(layer, {"xs": (Tensor((B, 8, T, 64)), Tensor((B, 8, T, 64)))}).result
    assert result is not None
    assert str(result.outputs[0]) == "[B, 8, T, T]"
    assert result.flops == 2 * B * 8 * T * T * 64
