"""Poolings of powers and random windows, and unpooling, are PyTorch's."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from torch import nn

from designer.core.layer import CATALOGUE, examine
from designer.core.size import UNKNOWN, free
from tests.layers.oracle import check, made, refusal, t, verdict

AXES = [1, 2, 3]


def called(kind: str, options: dict[str, Any]) -> Any:
    """Makes PyTorch's module of this kind, called with the output size of the options."""
    built = {name: value for name, value in options.items() if name != "output_size"}

    def make() -> Any:
        module = getattr(nn, kind)(**built)
        return lambda *xs: module(*xs, output_size=options.get("output_size"))

    return make


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("power", [1.0, 1.5, 2.0, 3.0, 0.0])
def test_powers(axes: int, power: float) -> None:
    for kernel, stride, ceil in itertools.product([1, 2, 3, 6], [None, 1, 2, 3], [False, True]):
        options = {"norm_type": power, "kernel_size": kernel, "stride": stride, "ceil_mode": ceil}
        for shape in [(2, 3, *[5] * axes), (3, *[4] * axes)]:
            check(f"LPPool{axes}d", options, t(*shape), free=range(-axes, 0))


@pytest.mark.parametrize("axes", AXES)
def test_powers_of_other_dtypes_and_ranks(axes: int) -> None:
    options = {"norm_type": 2.0, "kernel_size": 2}
    for dtype in ["float64", "bfloat16", "int64", "uint8", "bool", "complex64"]:
        check(f"LPPool{axes}d", options, t(2, 3, *[4] * axes, dtype=dtype))
    for rank in range(7):
        check(f"LPPool{axes}d", options, t(*[4] * rank))
    for length in range(1, 5):
        check(f"LPPool{axes}d", {**options, "kernel_size": (2,) * length}, t(2, 3, *[4] * axes))


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("indices", [False, True])
def test_random_windows(axes: int, indices: bool) -> None:
    sizes: list[dict[str, Any]] = [{"output_size": size} for size in (0, 1, 3, 4, 5, 6)]
    ratios: list[dict[str, Any]] = [
        {"output_ratio": ratio} for ratio in (0.1, 0.25, 0.5, 0.9, 0.0, 1.0, (0.5,) * axes)
    ]
    both: list[dict[str, Any]] = [{"output_size": 2, "output_ratio": 0.5}, {}]
    for kernel, asked in itertools.product([1, 2, 3, (2,) * axes], [*sizes, *ratios, *both]):
        options = {"kernel_size": kernel, **asked, "return_indices": indices}
        for shape in [(2, 3, *[6] * axes), (3, *[5] * axes)]:
            axes_free = () if "output_ratio" in asked else range(-axes, 0)
            check(f"FractionalMaxPool{axes}d", options, t(*shape), free=axes_free)


@pytest.mark.parametrize("axes", [2, 3])
def test_random_windows_of_other_dtypes_and_ranks(axes: int) -> None:
    options = {"kernel_size": 2, "output_size": 2}
    for dtype in ["float64", "bfloat16", "int64", "bool"]:
        check(f"FractionalMaxPool{axes}d", options, t(2, 3, *[4] * axes, dtype=dtype))
    for rank in range(axes, 7):
        check(f"FractionalMaxPool{axes}d", options, t(*[4] * rank))
    for length in range(1, 5):
        if length != 2 or axes == 2:
            wrong = {**options, "output_size": (2,) * length}
            check(f"FractionalMaxPool{axes}d", wrong, t(2, 3, *[4] * axes))


def test_a_ratio_of_a_free_axis() -> None:
    x = {"x": t(1, 3, free("H"), free("W"))}
    half = examine(made("FractionalMaxPool2d", output_ratio=0.5), x).result
    odd = examine(made("FractionalMaxPool2d", output_ratio=0.7), x).result
    assert half is not None
    assert odd is not None
    assert str(half.outputs[0]) == "[1, 3, H//2, W//2]"
    assert odd.outputs[0].shape[2:] == (UNKNOWN, UNKNOWN)


@pytest.mark.parametrize("axes", AXES)
def test_unpooling(axes: int) -> None:
    for kernel, stride, padding, size in itertools.product(
        [1, 2, 3], [None, 1, 2, 3], [0, 1, 2], [1, 3]
    ):
        options = {"kernel_size": kernel, "stride": stride, "padding": padding}
        shape = (2, 3, *[size] * axes)
        if (size - 1) * (stride or kernel) + kernel - 2 * padding == 0:
            continue  # no position is within an empty output, whatever the indices say
        check(f"MaxUnpool{axes}d", options, t(*shape), t(*shape, dtype="int64"), high=1)


@pytest.mark.parametrize("axes", AXES)
def test_output_sizes_within_reach(axes: int) -> None:
    shape = (2, 3, *[3] * axes)
    for extra, size in itertools.product([(), (2,), (2, 3), (1, 2, 3)], range(3, 10)):
        options = {"kernel_size": 2, "output_size": (*extra, *[size] * axes)}
        check(
            f"MaxUnpool{axes}d",
            options,
            t(*shape),
            t(*shape, dtype="int64"),
            reference=called(f"MaxUnpool{axes}d", options),
            high=1,
        )


@pytest.mark.parametrize("axes", AXES)
def test_indices_are_like_the_input(axes: int) -> None:
    shape = (2, 3, *[3] * axes)
    for other in [shape[1:], (1, *shape[1:]), (*shape[:-1], 4), (*shape, 1)]:
        given = t(*other, dtype="int64")
        assert check(f"MaxUnpool{axes}d", {"kernel_size": 2}, t(*shape), given, high=1) is None
    for dtype in ["int32", "float32"]:
        given = t(*shape, dtype=dtype)
        assert check(f"MaxUnpool{axes}d", {"kernel_size": 2}, t(*shape), given, high=1) is None
    for rank in range(7):
        x, given = t(*[2] * rank), t(*[2] * rank, dtype="int64")
        check(f"MaxUnpool{axes}d", {"kernel_size": 2}, x, given, high=1)


def test_unpooling_undoes_pooling() -> None:
    pooled = examine(
        made("MaxPool2d", return_indices=True), {"x": t(free("B"), 3, free("H", 2), 8)}
    ).result
    assert pooled is not None
    x, indices = pooled.outputs
    back = examine(made("MaxUnpool2d"), {"x": x, "indices": indices}).result
    assert back is not None
    assert str(back.outputs[0]) == "[B, 3, H, 8]"


@pytest.mark.parametrize(
    ("kind", "options", "sentence"),
    [
        ("LPPool2d", {"kernel_size": 9}, "LPPool2d expects H of at least 9, got 4."),
        (
            "FractionalMaxPool2d",
            {},
            "FractionalMaxPool2d needs either output_size or output_ratio.",
        ),
        (
            "FractionalMaxPool2d",
            {"output_size": 4},
            "FractionalMaxPool2d expects H of at least 5, got 4.",
        ),
    ],
)
def test_refusals(kind: str, options: dict[str, Any], sentence: str) -> None:
    assert refusal(verdict(kind, options, {"x": t(1, 3, 4, 4)})) == sentence


def test_captions() -> None:
    assert CATALOGUE["LPPool2d"]().caption(None, {}) == "L2 2×2"  # type: ignore[arg-type]
