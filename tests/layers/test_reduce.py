"""Reductions against PyTorch."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch

from designer.core.layer import CATALOGUE, examine
from designer.core.size import free
from designer.core.tensor import DTYPE_BYTES, Tensor
from tests.layers.oracle import check, made, t

SHAPES = ((), (3,), (2, 3), (2, 1, 4), (2, 0))
ONE = (None, -3, -2, -1, 0, 1, 2)
SEVERAL = ((0,), (0, 1), (-1, 0), (1, 1), (0, -2), (-2, -1), ())
MANY = ["Mean", "Sum", "Amax", "Amin", "Std", "Var", "Norm", "All", "Any"]
SINGLE = ["Prod", "Max", "Min", "Median", "Argmax", "Argmin"]


def reference(kind: str, **options: Any) -> Any:
    """Makes PyTorch's function with these options."""
    given = {name: value for name, value in options.items() if value is not None}
    if kind in ("Amax", "Amin", "Std", "Var") and given.get("keepdim"):
        given.setdefault("dim", () if kind.startswith("A") else None)
    if kind == "Norm":
        return lambda: lambda x: torch.norm(x, **given)
    function = getattr(torch, kind.lower())
    return lambda: lambda x: function(x, **given)


def reductions(kind: str, dims: tuple[Any, ...], **more: Any) -> list[bool]:
    """Hold a reduction against PyTorch over all axes; which it accepted."""
    return [
        check(
            kind,
            {"dim": dim, "keepdim": keep, **more},
            t(*shape),
            reference=reference(kind, dim=dim, **({"keepdim": True} if keep else {}), **more),
        )
        is not None
        for dim, keep, shape in itertools.product(dims, (False, True), SHAPES)
        if not (kind in ("Sum", "Norm", "All", "Any", "Mean") and dim is None and keep)
    ]


@pytest.mark.parametrize("kind", MANY)
def test_over_axes(kind: str) -> None:
    verdicts = reductions(kind, (*ONE, *SEVERAL))
    assert any(verdicts)
    assert not all(verdicts)


@pytest.mark.parametrize("kind", SINGLE)
def test_over_one_axis(kind: str) -> None:
    verdicts = reductions(kind, ONE)
    assert any(verdicts)
    assert not all(verdicts)


def test_log_sum_exp() -> None:
    assert any(reductions("LogSumExp", (*ONE[1:], *SEVERAL[:-1])))


@pytest.mark.parametrize("kind", [*MANY, *SINGLE])
@pytest.mark.parametrize("dim", [None, 1])
def test_dtypes(kind: str, dim: int | None) -> None:
    for dtype in DTYPE_BYTES:
        made_by = reference(kind, **({} if dim is None else {"dim": dim}))
        check(kind, {"dim": dim}, t(2, 3, dtype=dtype), reference=made_by)


@pytest.mark.parametrize("correction", [0, 1, 2])
@pytest.mark.parametrize("kind", ["Std", "Var"])
def test_correction(kind: str, correction: int) -> None:
    made_by = reference(kind, dim=1, correction=correction)
    check(kind, {"dim": 1, "correction": correction}, t(2, 4), reference=made_by)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, 0.5])
def test_powers_of_a_norm(p: float) -> None:
    check("Norm", {"p": p, "dim": 1}, t(2, 4), reference=reference("Norm", p=p, dim=1))


def test_all_axes_may_be_kept() -> None:
    for kind in ("Sum", "Mean", "All", "Any"):
        function = getattr(torch, kind.lower())
        whole = lambda function=function: lambda x: function(x, dim=(), keepdim=True)  # noqa: E731
        if kind in ("Sum", "Mean"):
            check(kind, {"keepdim": True}, t(2, 3), reference=whole)


@pytest.mark.parametrize("kind", [*MANY, *SINGLE])
def test_free_axes(kind: str) -> None:
    B, T = free("B"), free("T")
    result = examine(made(kind, dim=1), {"x": Tensor((B, T, 8))}).result
    assert result is not None
    assert str(result.outputs[0]) == "[B, 8]"
    assert CATALOGUE[kind]().caption(result, {}) == ""
