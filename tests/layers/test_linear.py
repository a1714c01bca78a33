"""Linear is PyTorch's."""

from __future__ import annotations

import itertools

import pytest

from designer.core.layer import examine
from designer.core.size import UNKNOWN, free, variable
from designer.core.tensor import ANYTHING, Tensor
from designer.layers.linear import Linear
from tests.layers.oracle import check, made, refusal, t, verdict

SHAPES = [(), (8,), (5, 8), (1, 8), (2, 5, 8), (2, 3, 4, 8), (2, 8, 3), (7,), (4, 16), (2, 8, 2, 2)]
WIDTHS = [8, 16]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("out", [1, 8, 13])
def test_is_pytorchs(bias: bool, out: int) -> None:
    for shape, width in itertools.product(SHAPES, WIDTHS):
        options = {"in_features": width, "out_features": out, "bias": bias}
        check("Linear", options, t(*shape), inferred=("in_features",), free=range(len(shape) - 1))


@pytest.mark.parametrize("dtype", ["float64", "float16", "int64", "bool", "complex64"])
def test_takes_float32_only(dtype: str) -> None:
    assert check("Linear", {"in_features": 8, "out_features": 2}, t(3, 8, dtype=dtype)) is None


def test_says_what_does_not_fit() -> None:
    outcome = verdict("Linear", {"in_features": 512}, {"x": t(free("B"), 128, 2, 2)})
    assert refusal(outcome) == "Linear expects [..., 512], got [B, 128, 2, 2]."


def test_a_refusal_keeps_what_is_certain() -> None:
    examined = examine(made("Linear", in_features=512, out_features=128), {"x": t(2, 2)})
    assert examined.result is not None
    assert str(examined.result.outputs[0]) == "[…, 128]"
    assert [param.shape for param in examined.result.params] == [(128, 512), (128,)]


def test_of_nothing_known_only_the_width_is_certain() -> None:
    result = Linear().infer(ANYTHING)
    assert result.outputs == (Tensor((128,), partial=True),)
    assert result.params[0].shape == (128, UNKNOWN)
    assert result.tally.biases == 128
    assert result.tally.unknown == 1


def test_an_image_that_nobody_flattened_earns_a_warning() -> None:
    examined = examine(made("Linear", out_features=10), {"x": t(free("B"), 128, 2, 2)})
    [remark] = examined.remarks
    assert remark.severity == "warning"
    assert str(remark.message) == (
        "Linear acts on the width alone: [B, 128, 2, 2] → [B, 128, 2, 10]."
    )


def test_who_pins_the_width_or_feeds_a_sequence_is_not_warned() -> None:
    image, sequence = t(free("B"), 128, 2, 2), t(free("B"), free("T"), 768)
    assert examine(made("Linear", in_features=2), {"x": image}).remarks == ()
    assert examine(made("Linear"), {"x": sequence}).remarks == ()


def test_a_width_that_fits_at_these_values_only_is_noted() -> None:
    width = variable("d_model", 768)
    examined = examine(Linear(in_features=768), {"x": t(free("B"), width)})
    assert [remark.severity for remark in examined.remarks] == ["hint"]
    assert examined.result is not None


def test_symbols_reach_the_parameters() -> None:
    width = variable("d_model", 768)
    result = Linear(out_features=4 * width).infer(t(free("B"), free("T"), width))
    assert str(result.outputs[0]) == "[B, T, 4*d_model]"
    assert result.tally.parameters == 768 * 3072 + 3072
    assert str(result.params[0].count) == "4*d_model**2"
