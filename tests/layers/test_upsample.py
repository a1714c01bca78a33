"""Upsampling, and channels made pixels, are PyTorch's."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import pytest
from torch.nn import functional

from designer.core.layer import examine
from designer.core.size import UNKNOWN, free
from designer.core.tensor import ANYTHING, Tensor
from tests.layers.oracle import check, made, refusal, t, verdict

MODES = ["nearest", "linear", "bilinear", "bicubic", "trilinear", "area", "nearest-exact"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_sizes_and_factors(mode: str, axes: int) -> None:
    asked: list[dict[str, Any]] = [
        {"size": 3},
        {"size": (3,) * axes},
        {"size": (2, 3, 4, 5)},
        {"size": 0},
        {"scale_factor": 2.0},
        {"scale_factor": 0.5},
        {"scale_factor": 1.9},
        {"scale_factor": 0.01},
        {"scale_factor": -2.0},
        {"scale_factor": (1.25,) * axes},
        {"scale_factor": 2.7, "recompute_scale_factor": True},
        {"size": 3, "recompute_scale_factor": True},
        {"size": 3, "align_corners": True},
        {"size": 3, "align_corners": False},
        {"size": 3, "scale_factor": 2.0},
        {},
    ]
    for options in asked:
        check("Upsample", {"mode": mode, **options}, t(2, 3, *[5] * axes), free=(0,))


@pytest.mark.parametrize("mode", MODES)
def test_antialias(mode: str) -> None:
    for axes, dtype in itertools.product([1, 2, 3], ["float32", "float64", "uint8", "int64"]):
        for asked in ({"size": 3}, {"scale_factor": 0.7}, {"scale_factor": 2.0}, {"size": 0}):
            options: dict[str, Any] = {"mode": mode, **asked, "antialias": True}
            check(
                "Upsample",
                options,
                t(2, 3, *[5] * axes, dtype=dtype),
                reference=partial(partial, functional.interpolate, **options),
            )


@pytest.mark.parametrize("kind", ["Upsample", "UpsamplingNearest2d", "UpsamplingBilinear2d"])
def test_ranks_and_empty_axes(kind: str) -> None:
    several: list[dict[str, Any]] = [{"size": 3}, {"size": (3, 4)}, {"scale_factor": 2.0}]
    for options in several:
        for rank in range(7):
            check(kind, options, t(*[4] * rank))
        for place in range(4):
            shape = [3] * 4
            shape[place] = 0
            check(kind, options, t(*shape), weaker=False)


@pytest.mark.parametrize("dtype", ["float64", "bfloat16", "uint8", "int64"])
def test_dtypes(dtype: str) -> None:
    for mode, axes in zip(MODES, [1, 1, 2, 2, 3, 2, 3], strict=True):
        check("Upsample", {"size": 3, "mode": mode}, t(2, 3, *[4] * axes, dtype=dtype))


def test_factors_of_free_axes() -> None:
    x = {"x": t(free("B"), 3, free("H"), free("W"))}
    twice = examine(made("Upsample", scale_factor=(2.0, 1.5)), x).result
    odd = examine(made("Upsample", scale_factor=1.9), x).result
    assert twice is not None
    assert odd is not None
    assert str(twice.outputs[0]) == "[B, 3, 2*H, 3*W//2]"
    assert odd.outputs[0].shape[2:] == (UNKNOWN, UNKNOWN)


def test_of_nothing_known_a_list_of_sizes_is_certain() -> None:
    result = examine(made("Upsample", size=(3, 4)), {"x": ANYTHING}).result
    assert result is not None
    assert result.outputs == (Tensor((3, 4), partial=True),)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("PixelShuffle", "upscale_factor"),
        ("PixelUnshuffle", "downscale_factor"),
        ("ChannelShuffle", "groups"),
    ],
)
def test_channels_and_pixels(kind: str, name: str) -> None:
    shapes = [
        (4, 3, 3),
        (9, 2, 2),
        (2, 4, 6, 6),
        (2, 2, 36, 3, 4),
        (4, 4),
        (4,),
        (2, 6, 6),
    ]
    for factor, shape in itertools.product([0, 1, 2, 3], shapes):
        check(kind, {name: factor}, t(*shape), free=(0,) if len(shape) > 3 else ())
    for dtype in ["bool", "int8", "complex64"]:
        check(kind, {name: 2}, t(1, 4, 4, 4, dtype=dtype))


@pytest.mark.parametrize(
    ("kind", "options", "shape", "sentence"),
    [
        (
            "Upsample",
            {"size": 3, "mode": "bilinear"},
            (2, 3, 8),
            "Upsample expects [N, C, H, W], got [2, 3, 8].",
        ),
        ("Upsample", {}, (2, 3, 8), "Upsample needs either size or scale_factor."),
        ("PixelShuffle", {}, (6, 3, 3), "PixelShuffle expects C divisible by 4, got 6."),
        ("PixelUnshuffle", {}, (6, 4, 3), "PixelUnshuffle expects W divisible by 2, got 3."),
    ],
)
def test_refusals(
    kind: str, options: dict[str, Any], shape: tuple[int, ...], sentence: str
) -> None:
    assert refusal(verdict(kind, options, {"x": t(*shape)})) == sentence
