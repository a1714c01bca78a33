"""Transposed convolutions are PyTorch's."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from torch import nn

from designer.core.layer import examine
from designer.core.size import UNKNOWN, free
from designer.core.tensor import ANYTHING, Tensor
from tests.layers.oracle import check, made, refusal, t, verdict

AXES = [1, 2, 3]
EXTENT = {1: (5,), 2: (4, 3), 3: (2, 3, 4)}


def held(axes: int, options: dict[str, Any], shape: tuple[int, ...]) -> None:
    """Check one case, whose batch and spatial axes may be free."""
    batch = (0,) if len(shape) == axes + 2 else ()
    given = {"in_channels": 4, "out_channels": 6, "kernel_size": 3, **options}
    asked = given.get("output_size")

    def reference() -> Any:
        built = {name: value for name, value in given.items() if name != "output_size"}
        module = getattr(nn, f"ConvTranspose{axes}d")(**built)
        return module if asked is None else Asked(module, asked)

    check(
        f"ConvTranspose{axes}d",
        given,
        t(*shape),
        reference=reference,
        inferred=("in_channels",),
        free=(*batch, *range(-axes, 0)),
    )


class Asked(nn.Module):
    """A transposed convolution that is called with an output size; its state dict is the same."""

    def __init__(self, module: nn.Module, size: Any) -> None:
        super().__init__()
        self.size = size
        self.called = (module,)
        for name, parameter in module.named_parameters():
            self.register_parameter(name, parameter)

    def forward(self, x: Any) -> Any:
        return self.called[0](x, output_size=self.size)


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_windows(axes: int, stride: int) -> None:
    # Filters of 1 are left to a kernel that is chosen by the number of threads.
    for kernel, padding, added, dilation in itertools.product([2, 3], [0, 1, 4], [0, 1, 2], [1, 2]):
        options = {
            "kernel_size": kernel,
            "stride": stride,
            "padding": padding,
            "output_padding": added,
            "dilation": dilation,
        }
        held(axes, options, (2, 4, *EXTENT[axes]))


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("groups", [1, 2, 3, 4])
def test_groups_and_bias(axes: int, groups: int) -> None:
    for channels, bias, out in itertools.product([4, 6], [True, False], [6, 12, 8]):
        options = {"in_channels": channels, "out_channels": out, "groups": groups, "bias": bias}
        held(axes, options, (2, channels, *EXTENT[axes]))
        held(axes, options, (channels, *EXTENT[axes]))


@pytest.mark.parametrize("axes", AXES)
def test_output_size_within_reach(axes: int) -> None:
    for stride, size in itertools.product([1, 2, 3], range(14)):
        held(axes, {"stride": stride, "output_size": (size,) * axes}, (2, 4, *[4] * axes))
    for extra in [(), (9,), (9, 9), (9, 9, 9)]:
        held(axes, {"stride": 2, "output_size": (*extra, *[10] * axes)}, (2, 4, *[4] * axes))
        held(axes, {"stride": 2, "output_size": (*extra, *[10] * axes)}, (4, *[4] * axes))


def test_one_value_per_axis() -> None:
    pairs = [2, (1, 2), (3,), (1, 2, 3)]
    for kernel, stride, padding, added in itertools.product(pairs, pairs, [0, (1, 0)], [0, (0, 1)]):
        options = {
            "kernel_size": kernel,
            "stride": stride,
            "padding": padding,
            "output_padding": added,
        }
        held(2, options, (2, 4, 3, 4))
        held(2, {**options, "output_size": (8, 9)}, (2, 4, 3, 4))


@pytest.mark.parametrize("axes", AXES)
def test_ranks_channels_and_empty_axes(axes: int) -> None:
    for rank, channels in itertools.product(range(7), [4, 5]):
        shape = t(*(channels,) * rank)
        options = {"in_channels": 4, "out_channels": 2, "kernel_size": 1}
        check(f"ConvTranspose{axes}d", options, shape)
    for sizes in [(0, 4, *[2] * axes), (2, 4, *[0] * axes)]:
        check(f"ConvTranspose{axes}d", options, t(*sizes), weaker=False)


@pytest.mark.parametrize("dtype", ["float64", "bfloat16", "int64", "bool"])
def test_takes_float32_only(dtype: str) -> None:
    options = {"in_channels": 4, "out_channels": 2, "kernel_size": 1}
    assert check("ConvTranspose2d", options, t(2, 4, 3, 3, dtype=dtype)) is None


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"in_channels": 3}, "ConvTranspose2d expects [N, 3, H, W], got [2, 4, 5, 5]."),
        ({"output_padding": 1}, "ConvTranspose2d expects output_padding below 1, got 1."),
        (
            {"output_size": (9, 7)},
            "ConvTranspose2d can reach sizes from 7 to 7, got 9.",
        ),
        (
            {"padding": 4},
            "ConvTranspose2d takes 8 off H by padding, which has 7.",
        ),
        ({"padding_mode": "reflect"}, "padding_mode takes one of zeros, got reflect."),
    ],
)
def test_refusals(options: dict[str, Any], sentence: str) -> None:
    assert refusal(verdict("ConvTranspose2d", options, {"x": t(2, 4, 5, 5)})) == sentence


def test_free_axes_are_spread() -> None:
    layer = made("ConvTranspose2d", kernel_size=4, stride=2, padding=1, out_channels=3)
    result = examine(layer, {"x": t(free("B"), 8, free("H"), free("W"))}).result
    assert result is not None
    assert str(result.outputs[0]) == "[B, 3, 2*H, 2*W]"
    assert layer.caption(result, {}) == "8 → 3, 4×4"


def test_of_nothing_known_the_channels_are_certain() -> None:
    result = examine(made("ConvTranspose2d", out_channels=3), {"x": ANYTHING}).result
    assert result is not None
    assert result.outputs == (Tensor((3, UNKNOWN, UNKNOWN), partial=True),)
    assert [param.shape for param in result.params] == [(UNKNOWN, 3, 3, 3), (3,)]
