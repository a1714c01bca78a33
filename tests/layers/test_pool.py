"""Pooling is PyTorch's."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from designer.core.layer import examine
from designer.core.size import UNKNOWN, free
from designer.core.tensor import ANYTHING, DTYPE_BYTES, Tensor
from tests.layers.oracle import check, made, refusal, t, verdict

AXES = [1, 2, 3]
EXTENTS: dict[int, list[tuple[int, ...]]] = {
    1: [(9,), (2,), (1,)],
    2: [(8, 7), (2, 5)],
    3: [(5, 4, 6), (2, 3, 3)],
}


def shapes(axes: int) -> list[tuple[int, ...]]:
    """Inputs with and without a batch."""
    return [shape for extent in EXTENTS[axes] for shape in ((2, 3, *extent), (3, *extent))]


def held(kind: str, options: dict[str, Any], shape: tuple[int, ...]) -> None:
    """Check one case, all of whose axes may be free."""
    check(kind, options, t(*shape), free=range(len(shape)))


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
@pytest.mark.parametrize("ceil", [False, True])
def test_max_windows(axes: int, kernel: int, ceil: bool) -> None:
    for stride, padding, dilation, shape in itertools.product(
        [None, 1, 2, 3], [0, 1, 2], [1, 2, 3], shapes(axes)
    ):
        options = {
            "kernel_size": kernel,
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
            "ceil_mode": ceil,
        }
        held(f"MaxPool{axes}d", options, shape)


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
@pytest.mark.parametrize("ceil", [False, True])
def test_avg_windows(axes: int, kernel: int, ceil: bool) -> None:
    for stride, padding, count, shape in itertools.product(
        [None, 1, 2, 3], [0, 1, 2], [True, False], shapes(axes)
    ):
        options = {
            "kernel_size": kernel,
            "stride": stride,
            "padding": padding,
            "ceil_mode": ceil,
            "count_include_pad": count,
        }
        held(f"AvgPool{axes}d", options, shape)


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("indices", [False, True])
def test_indices_are_a_second_output(axes: int, indices: bool) -> None:
    for shape, ceil in itertools.product(shapes(axes), [False, True]):
        options = {"kernel_size": 2, "return_indices": indices, "ceil_mode": ceil}
        held(f"MaxPool{axes}d", options, shape)
        held(f"AdaptiveMaxPool{axes}d", {"output_size": 2, "return_indices": indices}, shape)


@pytest.mark.parametrize("kind", ["MaxPool2d", "AvgPool2d"])
def test_one_value_per_axis(kind: str) -> None:
    pairs = [2, (1, 3), (3, 2), (2,), (1, 2, 3)]
    for kernel, stride, padding in itertools.product(pairs, [*pairs, None], [0, (0, 1), (1,)]):
        options = {"kernel_size": kernel, "stride": stride, "padding": padding}
        held(kind, options, (2, 3, 7, 8))


@pytest.mark.parametrize("kind", ["AvgPool2d", "AvgPool3d"])
def test_the_divisor_does_not_change_the_shape(kind: str) -> None:
    for divisor, shape in itertools.product([None, 1, 5, -2, 0], shapes(int(kind[-2]))):
        held(kind, {"kernel_size": 2, "divisor_override": divisor}, shape)


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("word", ["Avg", "Max"])
def test_adaptive_sizes(axes: int, word: str) -> None:
    sizes = [1, 2, 7, None, (3,), (None,), (2, None), (4, 3), (None, 2, 2), (1, 2, 3), (1, 1, 1, 1)]
    for size, shape in itertools.product(sizes, shapes(axes)):
        if word == "Max" or not isinstance(size, tuple) or len(size) == axes or axes > 1:
            held(f"Adaptive{word}Pool{axes}d", {"output_size": size}, shape)


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("kind", ["MaxPool{}d", "AvgPool{}d"])
def test_ranks(axes: int, kind: str) -> None:
    for rank in range(7):
        held(kind.format(axes), {"kernel_size": 2}, (4,) * rank)
        held(f"Adaptive{kind}".format(axes), {"output_size": 2}, (4,) * rank)


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("kind", ["MaxPool{}d", "AvgPool{}d"])
def test_empty_axes(axes: int, kind: str) -> None:
    full = (2, 3) + (4,) * axes
    for place in (0, 1, axes + 1):
        shape = (*full[:place], 0, *full[place + 1 :])
        check(kind.format(axes), {"kernel_size": 2}, t(*shape), flops=False)
        for size in (1, 2):
            options = {"output_size": size}
            for some in (shape, shape[1:]):
                check(f"Adaptive{kind}".format(axes), options, t(*some), flops=False, weaker=False)


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("dtype", DTYPE_BYTES)
def test_dtypes(axes: int, dtype: str) -> None:
    x = t(2, 3, *(4,) * axes, dtype=dtype)
    for word in ("Max", "Avg"):
        check(f"{word}Pool{axes}d", {"kernel_size": 2}, x)
        check(f"Adaptive{word}Pool{axes}d", {"output_size": 2}, x)


@pytest.mark.parametrize("axes", AXES)
def test_a_single_mean_of_any_rank(axes: int) -> None:
    for size, rank in itertools.product([1, (1,) * axes, 2], range(8)):
        x = t(*[3] * rank)
        check(f"AdaptiveAvgPool{axes}d", {"output_size": size}, x, weaker=False)
    for dtype in DTYPE_BYTES:
        x = t(2, *[3] * (axes + 1), dtype=dtype)
        check(f"AdaptiveAvgPool{axes}d", {"output_size": 1}, x)


@pytest.mark.parametrize(
    ("kind", "options", "sentence"),
    [
        ("MaxPool2d", {"kernel_size": 5}, "MaxPool2d expects W of at least 5, got 4."),
        ("MaxPool2d", {"kernel_size": 9, "ceil_mode": True, "stride": 3}, None),
        ("AvgPool2d", {"padding": 2}, "AvgPool2d expects padding of at most 1, got 2."),
        ("MaxPool3d", {}, "MaxPool3d expects [N, C, D, H, W], got [3, 9, 4]."),
        ("AdaptiveAvgPool2d", {"output_size": None}, "AdaptiveAvgPool2d needs an output_size."),
        (
            "AdaptiveAvgPool2d",
            {"output_size": (1, 2, 3)},
            "AdaptiveAvgPool2d takes 2 values of output_size, got 3.",
        ),
    ],
)
def test_refusals(kind: str, options: dict[str, Any], sentence: str | None) -> None:
    got = refusal(verdict(kind, options, {"x": t(3, 9, 4)}))
    assert got == (sentence or "MaxPool2d expects W of at least 7, got 4.")


def test_halving_a_free_axis() -> None:
    result = examine(made("MaxPool2d"), {"x": t(free("B"), 32, free("H"), 30)}).result
    assert result is not None
    assert str(result.outputs[0]) == "[B, 32, H//2, 15]"


def test_of_nothing_known_the_given_size_is_certain() -> None:
    result = examine(made("AdaptiveAvgPool2d", output_size=(1, None)), {"x": ANYTHING}).result
    assert result is not None
    assert result.outputs == (Tensor((1, UNKNOWN), partial=True),)


def test_captions() -> None:
    inputs = {"x": t(2, 3, 8, 8)}
    captions = {
        "max 2×3": made("MaxPool2d", kernel_size=(2, 3)),
        "avg 2×2": made("AvgPool2d"),
        "avg → 1×?": made("AdaptiveAvgPool2d", output_size=(1, None)),
    }
    for caption, layer in captions.items():
        result = examine(layer, inputs).result
        assert result is not None
        assert layer.caption(result, inputs) == caption
