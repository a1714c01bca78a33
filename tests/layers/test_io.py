"""Inputs declare tensors, outputs return them."""

from __future__ import annotations

import pytest

from designer.core.layer import CATALOGUE, defaults, examine
from designer.core.size import free, variable
from designer.core.tensor import ANYTHING, DTYPE_BYTES, Tensor
from designer.layers.io import Input, Output
from tests.layers.oracle import made, refusal, t, verdict


@pytest.mark.parametrize("dtype", DTYPE_BYTES)
def test_an_input_is_what_it_declares(dtype: str) -> None:
    layer = made("Input", shape=(2, 3, 8), dtype=dtype)
    result = layer.infer()
    assert result.outputs == (Tensor((2, 3, 8), dtype),)
    assert (result.params, result.flops, result.code) == ((), 0, None)
    assert layer.inputs() == ()


def test_axes_may_be_free_and_depend_on_variables() -> None:
    layer = Input(shape=(free("B"), 4 * variable("d_model", 768)))
    assert layer.caption(layer.infer(), {}) == "[B, 4*d_model]"


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [((2, 0), "shape must be at least 1, got 0."), (3, "shape needs a list of numbers.")],
)
def test_an_input_refuses_what_is_no_shape(shape: object, sentence: str) -> None:
    assert refusal(verdict("Input", {"shape": shape}, {})) == sentence


def test_a_new_input_has_a_free_batch() -> None:
    shape = dict(defaults(CATALOGUE["Input"]))["shape"]
    assert isinstance(shape, tuple)
    assert [str(getattr(axis, "text", axis)) for axis in shape] == ["B", "3", "32", "32"]


@pytest.mark.parametrize("x", [t(2, 3), t(2, dtype="int64"), t(), ANYTHING], ids=str)
def test_an_output_takes_anything_and_gives_nothing(x: Tensor) -> None:
    layer = Output()
    result = examine(layer, {"x": x}).result
    assert result is not None
    assert (result.outputs, layer.outputs(), result.code) == ((), (), None)
    assert layer.caption(result, {"x": x}) == str(x)
    assert layer.caption(result, {}) == ""
