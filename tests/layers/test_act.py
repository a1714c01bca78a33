"""Activations are PyTorch's."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from torch import nn

from designer.core.layer import CATALOGUE, examine
from designer.core.size import UNKNOWN, free
from designer.core.tensor import ANYTHING, DTYPE_BYTES, Tensor
from tests.layers.oracle import check, made, refusal, t, verdict

KINDS = [kind for kind, layer in CATALOGUE.items() if layer.family == "act" and hasattr(nn, kind)]
NEEDED: dict[str, dict[str, Any]] = {"Threshold": {"threshold": 0.5, "value": 2.0}}
"""Options without which PyTorch makes no module."""
SHAPES = [(), (4,), (3, 4), (2, 3, 4), (2, 3, 4, 6)]
GRIDS: dict[str, dict[str, list[Any]]] = {
    "LeakyReLU": {"negative_slope": [0.01, 0.3, -1.0]},
    "ELU": {"alpha": [1.0, 0.5]},
    "CELU": {"alpha": [1.0, 0.5, 0.0]},
    "GELU": {"approximate": ["none", "tanh"]},
    "Softplus": {"beta": [1.0, 2.0], "threshold": [20.0, 1.0]},
    "Softshrink": {"lambd": [0.5, 0.0, -0.1]},
    "Hardshrink": {"lambd": [0.5, 0.0, -0.1]},
    "Hardtanh": {"min_val": [-1.0, 0.0, 2.0], "max_val": [1.0, 2.0]},
    "Softmax": {"dim": [None, -4, -2, -1, 0, 1, 3]},
    "LogSoftmax": {"dim": [None, -4, -2, -1, 0, 1, 3]},
    "Softmin": {"dim": [None, -4, -2, -1, 0, 1, 3]},
    "GLU": {"dim": [-4, -2, -1, 0, 1, 3]},
    "RReLU": {"lower": [0.1, 0.4], "upper": [0.4, 0.2]},
    "Threshold": {"threshold": [0.0, 1.0], "value": [0.0, 2.5]},
    "PReLU": {"num_parameters": [1, 3, 4], "init": [0.25, 0.1]},
}


@pytest.mark.parametrize("kind", KINDS)
def test_options_and_shapes(kind: str) -> None:
    grid = GRIDS.get(kind, {})
    for values, shape in itertools.product(itertools.product(*grid.values()), SHAPES):
        check(kind, dict(zip(grid, values, strict=True)), t(*shape))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPE_BYTES)
def test_dtypes(kind: str, dtype: str) -> None:
    if (kind, dtype) == ("RReLU", "float16"):
        return  # PyTorch refuses it in training alone
    options = {"dim": 1} if kind in ("Softmax", "LogSoftmax", "Softmin") else NEEDED.get(kind, {})
    check(kind, options, t(3, 4, dtype=dtype), high=5)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"GLU"}))
def test_all_axes_may_be_free(kind: str) -> None:
    check(kind, NEEDED.get(kind, {}), t(2, 3, 4), free=range(3))


def test_a_gate_halves_a_free_axis() -> None:
    check("GLU", {"dim": 1}, t(2, 4, 3), free=range(3))
    result = examine(made("GLU"), {"x": t(free("B"), 2 * free("C"))}).result
    assert result is not None
    assert str(result.outputs[0]) == "[B, C]"


def test_a_gate_of_which_little_is_known() -> None:
    layer = made("GLU", dim=-2)
    assert layer.infer(ANYTHING).outputs == (Tensor((UNKNOWN, UNKNOWN), partial=True),)
    partial = Tensor((6, 5), partial=True)
    assert layer.infer(partial).outputs == (Tensor((3, 5), partial=True),)
    ahead = made("GLU", dim=0).infer(partial)
    assert ahead.outputs == (Tensor((UNKNOWN, UNKNOWN), partial=True),)


@pytest.mark.parametrize(
    ("kind", "options", "shape", "sentence"),
    [
        ("GLU", {}, (2, 5), "GLU expects an even size of axis -1, got 5."),
        ("PReLU", {"num_parameters": 4}, (2, 3, 8), "PReLU expects [N, 4, ...], got [2, 3, 8]."),
        ("Hardtanh", {"min_val": 2.0}, (3,), "Hardtanh expects max_val above 2.0, got 1.0."),
        ("Softmax", {"dim": 2}, (2, 5), "Softmax takes dim from -2 to 1 here, got 2."),
    ],
)
def test_refusals(
    kind: str, options: dict[str, Any], shape: tuple[int, ...], sentence: str
) -> None:
    assert refusal(verdict(kind, options, {"x": t(*shape)})) == sentence


def test_softmax_without_dim_says_which_axis_it_takes() -> None:
    [remark] = examine(made("Softmax"), {"x": t(2, 3, 4)}).remarks
    assert remark.severity == "warning"
    assert str(remark.message) == "Softmax without dim acts on axis 0 of [2, 3, 4]."
    assert examine(made("Softmax", dim=-1), {"x": t(2, 3, 4)}).remarks == ()
