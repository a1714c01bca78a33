"""Stages of a U-Net, and layers that pad and reshape, against independent implementations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from tests.core.drawing import Drawing
from tests.layers.bodies import agreed, images
from tests.layers.oracle import check, t

if TYPE_CHECKING:
    from torch import Tensor


class Double(nn.Module):
    """Convolution, norm and ReLU twice."""

    def __init__(self, channels: int, out: int, middle: int | None = None) -> None:
        super().__init__()
        within = middle or out
        self.double_conv = nn.Sequential(
            nn.Conv2d(channels, within, 3, padding=1, bias=False),
            nn.BatchNorm2d(within),
            nn.ReLU(),
            nn.Conv2d(within, out, 3, padding=1, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(),
        )

    def forward(self, x: Tensor) -> Any:
        return self.double_conv(x)


class Down(nn.Module):
    """Pool, then a double convolution."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.maxpool_conv = nn.Sequential(nn.MaxPool2d(2), Double(channels, out))

    def forward(self, x: Tensor) -> Any:
        return self.maxpool_conv(x)


class Up(nn.Module):
    """Upsampling, padding by slices of zeros, concatenation, double convolution."""

    def __init__(self, channels: int, skip: int, out: int, *, bilinear: bool) -> None:
        super().__init__()
        if bilinear:
            self.conv = Double(channels + skip, out, (channels + skip) // 2)
        else:
            self.up = nn.ConvTranspose2d(channels, channels // 2, 2, stride=2)
            self.conv = Double(channels // 2 + skip, out)

    def forward(self, x: Tensor, skip: Tensor) -> Any:
        if hasattr(self, "up"):
            x = self.up(x)
        else:
            x = functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
        return self.conv(torch.cat([skip, placed(x, *skip.shape[-2:])], 1))


def placed(x: Tensor, height: int, width: int) -> Tensor:
    """x in the middle of zeros, the odd row and column after it; cut where it is larger."""
    for dim, wanted in ((-2, height), (-1, width)):
        missing = wanted - x.shape[dim]
        before = missing // 2
        if missing < 0:
            x = x.narrow(dim, -before, wanted)
        else:
            shape = list(x.shape)
            sides = []
            for side in (before, missing - before):
                shape[dim] = side
                sides.append(x.new_zeros(shape))
            x = torch.cat([sides[0], x, sides[1]], dim)
    return x


@pytest.mark.parametrize("middle", [None, 5])
def test_double_convolution(middle: int | None) -> None:
    options: dict[str, Any] = {"out_channels": 4, "mid_channels": middle}
    agreed("DoubleConv", Double(3, 4, middle), images(2, 3, 6, 5), **options)


@pytest.mark.parametrize("out", [None, 5])
def test_down_stage(out: int | None) -> None:
    agreed("UNetDown", Down(3, out or 6), images(2, 3, 7, 8), out_channels=out)


@pytest.mark.parametrize("bilinear", [False, True])
@pytest.mark.parametrize("plane", [(8, 6), (9, 6), (9, 7), (11, 9), (7, 6)])
def test_up_stage(bilinear: bool, plane: tuple[int, int]) -> None:
    reference = Up(6, 4, 5, bilinear=bilinear)
    options: dict[str, Any] = {
        "out_channels": 5,
        "upsampling": "bilinear" if bilinear else "transposed",
    }
    agreed("UNetUp", reference, images(2, 6, 4, 3), images(2, 4, *plane), **options)


def test_an_up_stage_has_the_channels_of_its_counterpart() -> None:
    agreed("UNetUp", Up(6, 3, 3, bilinear=False), images(2, 6, 2, 2), images(2, 3, 5, 4))


def unet(drawing: Drawing, *plane: Any) -> int:
    """A U-Net of five levels from 3 channels to 2 classes."""
    level = drawing.add("DoubleConv", drawing.input("B", 3, *plane))
    levels = [level]
    for _ in range(4):
        level = drawing.add("UNetDown", level)
        levels.append(level)
    for skip in reversed(levels[:-1]):
        level = drawing.add("UNetUp", level, skip)
    last = drawing.add("Conv2d", level, out_channels=2, kernel_size=1)
    drawing.add("Output", last)
    return last


def test_a_unet_of_stages_has_the_parameters_and_operations_of_the_real_one() -> None:
    drawing = Drawing()
    last = unet(drawing, 572, 572)
    assert drawing.parameters == 31_037_698
    assert drawing.shape(last) == "[B, 2, 572, 572]"


def test_a_unet_takes_images_of_any_size() -> None:
    drawing = Drawing()
    last = unet(drawing, "T", 20)
    assert drawing.shape(last) == "[B, 2, T, 20]"
    assert not [p for p in drawing.editor.analysis.problems() if p.blocks]


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (4, 5), (2, 1, 1)])
@pytest.mark.parametrize("like", [(2, 3, 7, 6), (4, 5), (1, 2, 3), (6, 4)])
def test_padding_to_the_size_of_another(shape: tuple[int, ...], like: tuple[int, ...]) -> None:
    def make() -> Any:
        return lambda x, other: placed(x, *other.shape[-2:])

    check("PadLike", {}, t(*shape), t(*like), reference=make, weaker=False)


def test_padding_says_when_it_cuts() -> None:
    drawing = Drawing()
    cut = drawing.add("PadLike", drawing.input("B", 9, 8), drawing.input("B", 7, 8))
    (problem,) = drawing.finding(cut).problems
    assert (problem.severity, str(problem.message)) == ("warning", "PadLike cuts 9 down to 7.")


@pytest.mark.parametrize("shape", [(2, 12), (4, 6), (24,), (2, 3, 4)])
@pytest.mark.parametrize("like", [(2, 3, 4), (24,), (5, 5)])
def test_reshaping_like_another(shape: tuple[int, ...], like: tuple[int, ...]) -> None:
    check("ReshapeLike", {}, t(*shape), t(*like), reference=lambda: torch.Tensor.reshape_as)


@pytest.mark.parametrize(
    ("shapes", "options", "sentence"),
    [
        (((6, 4, 4), (3, 8, 8)), {"skip_channels": 4}, "[N, 4, H, W], got [B, 3, 8, 8]."),
        (((6, 4, 4), (3, 8, 8)), {"in_channels": 5}, "[N, 5, H, W], got [B, 6, 4, 4]."),
        (((6, 4, 4), (8, 8)), {}, "UNetUp expects [N, C, H, W], got [B, 8, 8]."),
        (((1, 4, 4), (3, 8, 8)), {}, "UNetUp halves in_channels: needs at least 2, got 1."),
    ],
)
def test_refusals(shapes: Any, options: dict[str, Any], sentence: str) -> None:
    drawing = Drawing()
    up = drawing.add("UNetUp", *(drawing.input("B", *shape) for shape in shapes), **options)
    (problem,) = [p for p in drawing.finding(up).problems if p.severity == "error"]
    assert sentence in str(problem.message)
