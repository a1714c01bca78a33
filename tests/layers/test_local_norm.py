"""Normalisation of samples and between channels is PyTorch's."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from designer.core.layer import examine
from tests.layers.oracle import check, made, refusal, t, verdict

AXES = [1, 2, 3]
SWITCHES = [True, False]


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("affine", SWITCHES)
@pytest.mark.parametrize("tracked", SWITCHES)
def test_instance_norm(axes: int, affine: bool, tracked: bool) -> None:
    for bias, channels, momentum in itertools.product(SWITCHES, [3, 4], [0.1, None]):
        options = {
            "num_features": channels,
            "affine": affine,
            "track_running_stats": tracked,
            "bias": bias,
            "momentum": momentum,
        }
        for shape in [(2, 3, *[4] * axes), (3, *[4] * axes), (2, 3, 3, *[4] * axes), (4,) * axes]:
            if momentum is None and tracked and channels == 3:
                continue  # PyTorch's own kernel takes no None for the momentum here
            check(f"InstanceNorm{axes}d", options, t(*shape))


@pytest.mark.parametrize("axes", AXES)
def test_instance_norm_infers_channels_and_keeps_free_axes(axes: int) -> None:
    options = {"num_features": 3, "affine": True}
    shape = t(2, 3, *[4] * axes)
    check(f"InstanceNorm{axes}d", options, shape, inferred=("num_features",), free=(0, -1))
    assert check(f"InstanceNorm{axes}d", options, t(2, 3, *[1] * axes)) is None
    for dtype in ["float64", "bfloat16", "int64"]:
        for affine in SWITCHES:
            given = {"num_features": 3, "affine": affine}
            check(f"InstanceNorm{axes}d", given, t(2, 3, *[4] * axes, dtype=dtype))


def test_one_value_per_channel_warns_where_evaluation_may_follow() -> None:
    layer = made("InstanceNorm2d", track_running_stats=True)
    remarks = examine(layer, {"x": t(2, 3, 1, 1)}).remarks
    assert [remark.severity for remark in remarks] == ["warning"]


@pytest.mark.parametrize("affine", SWITCHES)
@pytest.mark.parametrize("tracked", SWITCHES)
def test_sync_batch_norm(affine: bool, tracked: bool) -> None:
    for channels, rank in itertools.product([3, 4], range(6)):
        options = {"num_features": channels, "affine": affine, "track_running_stats": tracked}
        check("SyncBatchNorm", options, t(*[3] * rank))


@pytest.mark.parametrize("kind", ["LocalResponseNorm", "CrossMapLRN2d"])
def test_neighbours(kind: str) -> None:
    for size, rank in itertools.product([1, 2, 3, 9], range(7)):
        check(kind, {"size": size}, t(*[4] * rank), free=(0,) if rank == 4 else ())
    for dtype, rank in itertools.product(["float64", "bfloat16", "int64", "complex64"], [3, 4, 5]):
        check(kind, {"size": 2}, t(*[4] * rank, dtype=dtype))


@pytest.mark.parametrize(
    ("kind", "options", "shape", "sentence"),
    [
        (
            "InstanceNorm2d",
            {"num_features": 4, "affine": True},
            (2, 3, 8, 8),
            "InstanceNorm2d expects [N, 4, H, W], got [2, 3, 8, 8].",
        ),
        (
            "LocalResponseNorm",
            {},
            (2, 3),
            "LocalResponseNorm expects [N, C, L, ...], got [2, 3].",
        ),
    ],
)
def test_refusals(
    kind: str, options: dict[str, Any], shape: tuple[int, ...], sentence: str
) -> None:
    assert refusal(verdict(kind, options, {"x": t(*shape)})) == sentence
