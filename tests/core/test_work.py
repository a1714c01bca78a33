"""Element-wise operations: the convention, in sums over bodies, and apart from matrix products."""

from __future__ import annotations

from typing import Any

import pytest

from designer.cli.opening import open_analysis
from designer.core import cost, size
from designer.core.copies import Repeat
from designer.core.layer import CATALOGUE, Layer, Result, applied, examine
from designer.core.tensor import ANYTHING, Tensor
from designer.layers.ready import MLP


def made(kind: str, *inputs: Tensor, **options: Any) -> Result:
    return of(CATALOGUE[kind](**options), *inputs)


def of(layer: Layer, *inputs: Tensor) -> Result:
    first = layer.inputs()[0]
    if first.variadic:
        return applied(layer, {first.name: inputs})
    ports = (port.name for port in layer.inputs())
    return applied(layer, dict(zip(ports, inputs, strict=False)))


def t(*shape: size.Size, dtype: str = "float32") -> Tensor:
    return Tensor(shape, dtype)


IMAGE = t(2, 8, 6, 6)
ROWS = t(2, 5, 8)
ELEMENTS = 2 * 5 * 8


@pytest.mark.parametrize(
    ("kind", "inputs", "options", "operations"),
    [
        ("ReLU", (ROWS,), {}, ELEMENTS),
        ("AddScalar", (ROWS,), {}, ELEMENTS),
        ("Subtract", (ROWS, t(8)), {}, ELEMENTS),
        ("Add", (ROWS, ROWS, ROWS), {}, 2 * ELEMENTS),
        ("Add", (ROWS,), {}, 0),
        ("Softmax", (ROWS,), {}, 5 * ELEMENTS),
        ("GLU", (ROWS,), {}, ELEMENTS),
        ("LayerNorm", (ROWS,), {}, 7 * ELEMENTS),
        ("LayerNorm", (ROWS,), {"bias": False}, 6 * ELEMENTS),
        ("BatchNorm2d", (IMAGE,), {"affine": False}, 5 * 2 * 8 * 36),
        ("Linear", (ROWS,), {"out_features": 3}, 2 * 5 * 3),
        ("Linear", (ROWS,), {"out_features": 3, "bias": False}, 0),
        ("Conv2d", (IMAGE,), {"out_channels": 4, "kernel_size": 3}, 2 * 4 * 16),
        ("MaxPool2d", (IMAGE,), {"kernel_size": 2}, 2 * 8 * 36),
        ("Mean", (ROWS,), {"dim": 1}, ELEMENTS),
        ("MSELoss", (ROWS, ROWS), {}, ELEMENTS),
        ("Dropout", (ROWS,), {}, 0),
        ("Flatten", (ROWS,), {}, 0),
        ("Concat", (ROWS, ROWS), {"dim": 1}, 0),
        ("MatMul", (ROWS, t(8, 3)), {}, 0),
        ("Embedding", (t(2, 5, dtype="int64"),), {}, 0),
        ("Identity", (ROWS,), {}, 0),
        ("ScaledDotProductAttention", (t(2, 3, 4, 8),) * 3, {}, 6 * 2 * 3 * 16),
        ("ScaledDotProductAttention", (t(2, 3, 4, 8),) * 3, {"is_causal": True}, 7 * 2 * 3 * 16),
        ("CDist", (t(4, 3), t(5, 3)), {}, 3 * 4 * 5 * 3),
    ],
)
def test_the_convention(
    kind: str, inputs: tuple[Tensor, ...], options: dict[str, Any], operations: int
) -> None:
    assert made(kind, *inputs, **options).elementwise == operations


def test_attention_with_projections_has_scores_and_offsets() -> None:
    options = {"embed_dim": 8, "num_heads": 2, "batch_first": True}
    scores, offsets = 2 * 2 * 25, 4 * ELEMENTS
    assert made("MultiheadAttention", ROWS, ROWS, ROWS, **options).elementwise == (
        6 * scores + offsets
    )


@pytest.mark.parametrize("kind", ["LSTM", "GRUCell", "TransformerEncoderLayer"])
def test_beyond_the_convention_it_is_not_known(kind: str) -> None:
    inputs = (t(2, 8),) if kind.endswith("Cell") else (ROWS,)
    result = made(kind, *inputs)
    assert size.is_unknown(result.elementwise)
    assert not size.is_unknown(result.flops)


def test_a_composite_is_the_sum_of_its_parts() -> None:
    result = made("MLP", ROWS, d_hidden=16)
    assert result.elementwise == 2 * 5 * 16 + 2 * 5 * 16 + ELEMENTS


def test_copies_are_as_many_times_one() -> None:
    one = MLP(d_hidden=16)
    assert of(Repeat(one, 3), ROWS).elementwise == 3 * of(one, ROWS).elementwise


def test_free_sizes_stay() -> None:
    batch = size.free("B")
    assert made("ReLU", t(batch, 8)).elementwise == 8 * batch


@pytest.mark.parametrize("kind", list(CATALOGUE))
def test_every_layer_has_some_or_says_that_they_are_not_known(kind: str) -> None:
    layer = CATALOGUE[kind]()
    needed = [port for port in layer.inputs() if not port.optional]
    anything = {port.name: (ANYTHING,) if port.variadic else ANYTHING for port in needed}
    result, remarks = examine(layer, anything)
    if result is None:
        assert [remark.severity for remark in remarks] == ["error"]
    else:
        assert isinstance(result.elementwise, (int, size.Symbolic))


def test_they_are_never_part_of_the_operations() -> None:
    analysis = open_analysis("gpt2")
    products, whole = cost.forward(analysis), cost.whole_forward(analysis)
    assert (whole.flops, whole.until) == (products.flops, None)
    scores = 12 * 12 * 1024**2
    tokens, width = 1024, 768
    offsets = 12 * tokens * (3 + 1 + 4 + 1) * width
    activations, residuals = 12 * tokens * 4 * width, 2 * 12 * tokens * width
    norms, positions = 25 * 7 * tokens * width, tokens * width
    expected = 7 * scores + offsets + activations + residuals + norms + positions
    assert (whole.elementwise, whole.beyond) == (expected, None)
