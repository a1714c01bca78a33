"""Convolutions are PyTorch's."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from designer.core.layer import examine
from designer.core.size import UNKNOWN, free
from designer.core.tensor import ANYTHING, Tensor
from tests.layers.oracle import check, made, refusal, t, verdict

AXES = [1, 2, 3]
EXTENTS: dict[int, list[tuple[int, ...]]] = {
    1: [(9,), (2,)],
    2: [(8, 7), (2, 5)],
    3: [(5, 4, 6), (2, 3, 3)],
}


def shapes(axes: int, channels: int) -> list[tuple[int, ...]]:
    """Inputs with and without a batch."""
    return [
        shape for extent in EXTENTS[axes] for shape in ((2, channels, *extent), (channels, *extent))
    ]


def held(axes: int, options: dict[str, Any], shape: tuple[int, ...]) -> None:
    """Check one case, whose batch and spatial axes may be free."""
    spatial = range(-axes, 0)
    batch = (0,) if len(shape) == axes + 2 else ()
    check(
        f"Conv{axes}d",
        {"in_channels": 4, "out_channels": 6, "kernel_size": 3, **options},
        t(*shape),
        inferred=("in_channels",),
        free=(*batch, *spatial),
    )


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_windows(axes: int, stride: int) -> None:
    grid = itertools.product([1, 2, 3, 4], [0, 1, 2], [1, 2], shapes(axes, 4))
    for kernel, padding, dilation, shape in grid:
        options = {
            "kernel_size": kernel,
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
        }
        held(axes, options, shape)


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("groups", [1, 2, 3, 4, 6])
def test_groups_and_bias(axes: int, groups: int) -> None:
    for channels, bias, out in itertools.product([4, 6], [True, False], [6, 12, 8]):
        options = {"in_channels": channels, "out_channels": out, "groups": groups, "bias": bias}
        for shape in shapes(axes, channels)[:2]:
            held(axes, options, shape)


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
def test_padding_modes(axes: int, mode: str) -> None:
    few = shapes(axes, 4)[::3]
    grid = itertools.product([0, 1, 2, 3, "same", "valid"], [2, 3, 5], [1, 2], few)
    for padding, kernel, dilation, shape in grid:
        options = {
            "padding": padding,
            "kernel_size": kernel,
            "dilation": dilation,
            "padding_mode": mode,
        }
        held(axes, options, shape)


@pytest.mark.parametrize("stride", [1, 2, (1, 1), (1, 2)])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_same_padding_takes_no_stride(padding: str, stride: Any) -> None:
    for shape in shapes(2, 4):
        held(2, {"padding": padding, "stride": stride, "kernel_size": (3, 2)}, shape)


@pytest.mark.parametrize("padding", [("valid", "valid"), ("same", 1)])
def test_no_word_pads_one_axis(padding: Any) -> None:
    held(2, {"padding": padding}, (2, 4, 8, 8))


def test_one_value_per_axis() -> None:
    pairs = [3, (1, 2), (2, 1), (3,), (1, 2, 3)]
    for kernel, stride, padding, dilation in itertools.product(
        pairs, pairs, [0, (1, 0)], [1, (2, 1)]
    ):
        options = {
            "kernel_size": kernel,
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
        }
        held(2, options, (2, 4, 9, 8))


@pytest.mark.parametrize("axes", AXES)
def test_ranks_and_channels(axes: int) -> None:
    for rank, channels in itertools.product(range(7), [4, 5]):
        held_shape = (channels,) * rank
        check(
            f"Conv{axes}d", {"in_channels": 4, "out_channels": 2, "kernel_size": 1}, t(*held_shape)
        )


@pytest.mark.parametrize("dtype", ["float64", "bfloat16", "int64", "bool"])
def test_takes_float32_only(dtype: str) -> None:
    options = {"in_channels": 4, "out_channels": 2, "kernel_size": 1}
    assert check("Conv2d", options, t(2, 4, 3, 3, dtype=dtype)) is None


@pytest.mark.parametrize(
    ("options", "shape", "sentence"),
    [
        (
            {"in_channels": 3},
            (8, 4, 9, 9),
            "Conv2d expects [N, 3, H, W], got [8, 4, 9, 9].",
        ),
        ({"in_channels": 3}, (4, 9, 9), "Conv2d expects [3, H, W], got [4, 9, 9]."),
        ({}, (8, 4), "Conv2d expects [N, C, H, W] or [C, H, W], got [8, 4]."),
        ({"kernel_size": 5}, (8, 3, 9, 2), "Conv2d expects W of at least 5, got 2."),
        ({"kernel_size": (1, 2, 3)}, (8, 3, 9, 9), "Conv2d takes 2 values of kernel_size, got 3."),
        (
            {"groups": 5},
            (8, 3, 9, 9),
            "Conv2d expects in_channels divisible by groups = 5, got 3.",
        ),
        (
            {"padding": "same", "stride": 2},
            (8, 3, 9, 9),
            "Conv2d takes padding same with stride 1 only, got 2.",
        ),
    ],
)
def test_refusals(options: dict[str, Any], shape: tuple[int, ...], sentence: str) -> None:
    assert refusal(verdict("Conv2d", options, {"x": t(*shape)})) == sentence


def test_free_axes_stay_free() -> None:
    result = examine(made("Conv2d", padding=1), {"x": t(free("B"), 3, free("H"), free("W"))}).result
    assert result is not None
    assert str(result.outputs[0]) == "[B, 32, H, W]"


def test_of_nothing_known_the_channels_are_certain() -> None:
    result = examine(made("Conv2d", out_channels=32), {"x": ANYTHING}).result
    assert result is not None
    assert result.outputs == (Tensor((32, UNKNOWN, UNKNOWN), partial=True),)
    assert [param.shape for param in result.params] == [(32, UNKNOWN, 3, 3), (32,)]


def test_caption_counts_all_groups() -> None:
    layer, inputs = (
        made("Conv2d", groups=4, out_channels=8, kernel_size=(3, 5)),
        {"x": t(1, 4, 9, 9)},
    )
    assert layer.caption(examine(layer, inputs).result, inputs) == "4 → 8, 3×5"  # type: ignore[arg-type]


def test_a_partial_tensor_with_too_many_axes_is_refused() -> None:
    outcome = verdict("Conv2d", {}, {"x": Tensor((3, 4, 3, 9, 9), partial=True)})
    assert refusal(outcome) == "Conv2d expects [N, C, H, W] or [C, H, W], got […, 3, 4, 3, 9, 9]."
