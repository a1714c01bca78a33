"""Normalisation is PyTorch's."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from designer.core.layer import examine
from designer.core.size import UNKNOWN, free
from designer.core.tensor import ANYTHING, DTYPE_BYTES
from tests.layers.oracle import check, made, refusal, t, verdict

AXES = [1, 2, 3]
FLAGS = [True, False]
RANKED = [(), (4,), (3, 4), (3, 4, 2), (3, 4, 2, 5), (3, 4, 2, 2, 2), (1, 4, 2, 2, 2, 2)]
NARROWER = [(3, 5), (3, 2, 4), (3, 2, 4, 4), (3, 5, 2, 2, 2)]


def others(shape: tuple[int, ...], *fixed: int) -> list[int]:
    """The axes of `shape` but for some."""
    return [axis for axis in range(len(shape)) if axis not in fixed]


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("affine", FLAGS)
@pytest.mark.parametrize("tracked", FLAGS)
def test_batch_norm(axes: int, affine: bool, tracked: bool) -> None:
    for bias, momentum, shape in itertools.product(FLAGS, [0.1, None], RANKED + NARROWER):
        options = {
            "num_features": 4,
            "momentum": momentum,
            "affine": affine,
            "track_running_stats": tracked,
            "bias": bias,
        }
        # PyTorch compares the width with the tensors that it holds; where there are none, the
        # shape alone decides, and the meta device cannot average over batches.
        inferred = ("num_features",)
        check(
            f"BatchNorm{axes}d",
            options,
            t(*shape),
            inferred=inferred,
            free=others(shape, 1),
            flops=momentum is not None,
        )


@pytest.mark.parametrize("axes", AXES)
def test_one_value_per_channel_trains_nothing(axes: int) -> None:
    kind, alone = f"BatchNorm{axes}d", {"x": t(1, 4, *(1,) * axes)}
    [remark] = examine(made(kind), alone).remarks
    assert remark.severity == "warning"
    assert str(remark.message).startswith(f"{kind} cannot train on one value per channel: [1, 4")
    assert check(kind, {"num_features": 4, "track_running_stats": False}, alone["x"]) is None
    assert examine(made(kind), {"x": t(free("B"), 4, *(1,) * axes)}).remarks == ()


@pytest.mark.parametrize("affine", FLAGS)
@pytest.mark.parametrize("groups", [1, 2, 3, 4])
def test_group_norm(groups: int, affine: bool) -> None:
    for bias, channels, shape in itertools.product(
        FLAGS, [4, 6], [*RANKED, (1, 4), (2, 4), (1, 6, 1)]
    ):
        options = {"num_groups": groups, "num_channels": channels, "affine": affine, "bias": bias}
        check(
            "GroupNorm",
            options,
            t(*shape),
            inferred=("num_channels",),
            free=others(shape, 1),
        )


NORMALIZED: list[Any] = [4, 5, (4,), (2, 4), (3, 2, 4), (4, 2), (1, 1, 1, 4), ()]
TRAILING = [(), (4,), (3, 4), (2, 4), (5, 3, 2, 4), (4, 5), (1, 1, 1, 4)]


@pytest.mark.parametrize("affine", FLAGS)
@pytest.mark.parametrize("normalized", NORMALIZED, ids=str)
def test_layer_norm(normalized: Any, affine: bool) -> None:
    for bias, shape in itertools.product(FLAGS, TRAILING):
        options = {
            "normalized_shape": normalized,
            "elementwise_affine": affine,
            "bias": bias,
        }
        count = len(normalized) if isinstance(normalized, tuple) else 1
        inferred = ("normalized_shape",) if isinstance(normalized, int) else ()
        free = range(max(0, len(shape) - count))
        check("LayerNorm", options, t(*shape), inferred=inferred, free=free)


@pytest.mark.parametrize("affine", FLAGS)
@pytest.mark.parametrize("normalized", NORMALIZED, ids=str)
def test_rms_norm(normalized: Any, affine: bool) -> None:
    for eps, shape in itertools.product([None, 1e-6], TRAILING):
        options = {"normalized_shape": normalized, "eps": eps, "elementwise_affine": affine}
        inferred = ("normalized_shape",) if isinstance(normalized, int) else ()
        check("RMSNorm", options, t(*shape), inferred=inferred)


@pytest.mark.parametrize("dtype", DTYPE_BYTES)
@pytest.mark.parametrize("affine", FLAGS)
def test_dtypes(dtype: str, affine: bool) -> None:
    x = t(2, 4, 3, 4, dtype=dtype)
    check("LayerNorm", {"normalized_shape": 4, "elementwise_affine": affine}, x)
    check("RMSNorm", {"normalized_shape": 4, "elementwise_affine": affine}, x)
    check("GroupNorm", {"num_groups": 2, "num_channels": 4, "affine": affine}, x)
    for tracked in FLAGS:
        options = {"num_features": 4, "affine": affine, "track_running_stats": tracked}
        check("BatchNorm2d", options, x)


@pytest.mark.parametrize(
    ("kind", "options", "sentence"),
    [
        (
            "BatchNorm2d",
            {"num_features": 64},
            "BatchNorm2d expects [N, 64, H, W], got [B, 32, 8, 8].",
        ),
        ("BatchNorm1d", {}, "BatchNorm1d expects [N, C] or [N, C, L], got [B, 32, 8, 8]."),
        ("LayerNorm", {"normalized_shape": 9}, "LayerNorm expects [..., 9], got [B, 32, 8, 8]."),
        (
            "LayerNorm",
            {"normalized_shape": (32, 8, 9)},
            "LayerNorm expects [..., 32, 8, 9], got [B, 32, 8, 8].",
        ),
        (
            "GroupNorm",
            {"num_groups": 5},
            "GroupNorm expects num_channels divisible by num_groups = 5, got 32.",
        ),
        ("GroupNorm", {"num_channels": 8}, "GroupNorm expects [N, 8, ...], got [B, 32, 8, 8]."),
    ],
)
def test_refusals(kind: str, options: dict[str, Any], sentence: str) -> None:
    assert refusal(verdict(kind, options, {"x": t(free("B"), 32, 8, 8)})) == sentence


def test_a_refusal_points_at_the_axis() -> None:
    [remark] = examine(made("LayerNorm", normalized_shape=(32, 9)), {"x": t(2, 32, 8)}).remarks
    assert (remark.port, remark.option) == ("x", "normalized_shape")
    assert (remark.expected, remark.got) == (9, 8)


def test_of_nothing_known_the_parameters_are_there() -> None:
    result = examine(made("BatchNorm2d"), {"x": ANYTHING}).result
    assert result is not None
    assert result.outputs == (ANYTHING,)
    assert [(param.name, param.shape) for param in result.params] == [
        ("weight", (UNKNOWN,)),
        ("bias", (UNKNOWN,)),
        ("running_mean", (UNKNOWN,)),
        ("running_var", (UNKNOWN,)),
        ("num_batches_tracked", ()),
    ]


@pytest.mark.parametrize(
    ("kind", "options", "shape"),
    [
        ("BatchNorm2d", {"num_features": 64}, "[…, 64, ?, ?]"),
        ("BatchNorm1d", {"num_features": 64}, "[…]"),
        ("BatchNorm2d", {"num_features": 64, "affine": False}, "[…, 64, ?, ?]"),
        ("LayerNorm", {"normalized_shape": 768}, "[…, 768]"),
        ("RMSNorm", {"normalized_shape": (8, 64)}, "[…, 8, 64]"),
        ("LayerNorm", {}, "[…]"),
    ],
)
def test_what_is_pinned_is_certain(kind: str, options: dict[str, Any], shape: str) -> None:
    result = examine(made(kind, **options), {"x": ANYTHING}).result
    assert result is not None
    assert str(result.outputs[0]) == shape


def test_captions() -> None:
    inputs = {"x": t(2, 64, 3, 8)}
    captions = {
        "64": made("BatchNorm2d"),
        "8": made("LayerNorm"),
        "3×8": made("LayerNorm", normalized_shape=(3, 8)),
        "64 in 32 groups": made("GroupNorm"),
    }
    for caption, layer in captions.items():
        result = examine(layer, inputs).result
        assert result is not None
        assert layer.caption(result, inputs) == caption
