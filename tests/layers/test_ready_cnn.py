"""Blocks of GoogLeNet and DenseNet against independent implementations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from tests.core.drawing import Drawing
from tests.layers.bodies import agreed, images
from tests.layers.test_ready import drawing_of

if TYPE_CHECKING:
    from torch import Tensor


class BasicConv(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(self, channels: int, out: int, kernel: int, **options: Any) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, kernel, bias=False, **options)
        self.bn = nn.BatchNorm2d(out, eps=0.001)

    def forward(self, x: Tensor) -> Any:
        return functional.relu(self.bn(self.conv(x)))


class Inception(nn.Module):
    """Four branches, with the channels in the order of the paper's table."""

    def __init__(self, channels: int, *widths: int, kernel: int = 3) -> None:
        super().__init__()
        one, before3, three, before5, five, pooled = widths
        pad = kernel // 2
        self.branch1 = BasicConv(channels, one, 1)
        self.branch2 = nn.Sequential(
            BasicConv(channels, before3, 1), BasicConv(before3, three, 3, padding=1)
        )
        self.branch3 = nn.Sequential(
            BasicConv(channels, before5, 1), BasicConv(before5, five, kernel, padding=pad)
        )
        self.branch4 = nn.Sequential(nn.Identity(), BasicConv(channels, pooled, 1))

    def forward(self, x: Tensor) -> Any:
        around = functional.pad(x, (1, 1, 1, 1), value=float("-inf"))
        largest = around.unfold(2, 3, 1).unfold(3, 3, 1).amax((-1, -2))
        parts = (self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(largest))
        return torch.cat(parts, 1)


WIDTHS: dict[str, Any] = {
    "ch1x1": 3,
    "ch3x3red": 2,
    "ch3x3": 4,
    "ch5x5red": 2,
    "ch5x5": 3,
    "pool_proj": 5,
}


@pytest.mark.parametrize("kernel", [3, 5])
def test_inception(kernel: int) -> None:
    reference = Inception(6, *WIDTHS.values(), kernel=kernel)
    agreed("InceptionBlock", reference, images(3, 6, 7, 5), kernel5x5=kernel, **WIDTHS)


@pytest.mark.parametrize(
    ("activation", "function"),
    [
        ("relu6", lambda x: x.clamp(0, 6)),
        ("leaky_relu", lambda x: torch.where(x > 0, x, 0.01 * x)),
        ("silu", lambda x: x * x.sigmoid()),
        ("gelu", lambda x: x * (1 + torch.erf(x / 2**0.5)) / 2),
        ("hardswish", lambda x: x * (x + 3).clamp(0, 6) / 6),
        ("none", lambda x: x),
    ],
)
def test_activations_of_a_convolution(activation: str, function: Any) -> None:
    class Reference(BasicConv):
        def forward(self, x: Tensor) -> Any:
            return function(self.bn(self.conv(x)))

    reference = Reference(6, 4, 5, stride=2, padding=1, groups=2)
    options: dict[str, Any] = {
        "out_channels": 4,
        "kernel_size": 5,
        "stride": 2,
        "padding": 1,
        "groups": 2,
    }
    options = {**options, "activation": activation, "eps": 0.001}
    agreed("ConvNormAct", reference, images(2, 6, 9, 8), **options)


class Dense(nn.Module):
    """A layer of a DenseNet that gives its own features only."""

    def __init__(self, channels: int, growth: int, within: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, within * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(within * growth)
        self.conv2 = nn.Conv2d(within * growth, growth, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Any:
        h = self.conv1(self.norm1(x).relu())
        return self.conv2(self.norm2(h).relu())


class DenseBlock(nn.Module):
    """Layers that each see the features of all before them."""

    def __init__(self, channels: int, layers: int, growth: int, within: int) -> None:
        super().__init__()
        for place in range(layers):
            layer = Dense(channels + place * growth, growth, within)
            self.add_module(f"denselayer{place + 1}", layer)

    def forward(self, x: Tensor) -> Any:
        features = [x]
        for layer in self.children():
            features.append(layer(torch.cat(features, 1)))
        return torch.cat(features, 1)


@pytest.mark.parametrize("layers", [1, 3])
def test_dense_block(layers: int) -> None:
    options: dict[str, Any] = {"num_layers": layers, "growth_rate": 3, "bn_size": 2}
    drawing = agreed("DenseNetBlock", DenseBlock(5, layers, 3, 2), images(2, 5, 6, 6), **options)
    assert drawing.parameters == sum(2 * c + 6 * c + 12 + 162 for c in range(5, 5 + 3 * layers, 3))


def test_dense_layer() -> None:
    class Reference(Dense):
        def forward(self, x: Tensor) -> Any:
            return torch.cat([x, super().forward(x)], 1)

    agreed("DenseNetLayer", Reference(5, 3, 4), images(2, 5, 6, 6), growth_rate=3)


@pytest.mark.parametrize("out", [None, 4])
def test_transition(out: int | None) -> None:
    class Reference(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm2d(6)
            self.conv = nn.Conv2d(6, out or 3, 1, bias=False)

        def forward(self, x: Tensor) -> Any:
            h = self.conv(self.norm(x).relu())
            return h.unfold(2, 2, 2).unfold(3, 2, 2).mean((-1, -2))

    agreed("DenseNetTransition", Reference(), images(2, 6, 7, 8), out_channels=out)


def test_sizes_of_images_may_be_free() -> None:
    drawing = Drawing()
    x = drawing.input("B", 192, "T", "T")
    x = drawing.add("InceptionBlock", x)
    assert drawing.shape(x) == "[B, 256, T, T]"
    x = drawing.add("DenseNetBlock", x)
    x = drawing.add("DenseNetTransition", x)
    assert drawing.shape(x) == "[B, 224, T//2, T//2]"


@pytest.mark.parametrize(
    ("kind", "options", "sentence"),
    [
        ("InceptionBlock", {"in_channels": 64}, "expects [N, 64, H, W], got [B, 6, 8, 8]."),
        ("InceptionBlock", {"kernel5x5": 4}, "Concat cannot join"),
        ("ConvNormAct", {"groups": 4}, "in_channels divisible by groups = 4, got 6."),
        ("DenseNetBlock", {"num_layers": 1001}, "num_layers must be at most 1000, got 1001."),
        ("DenseNetTransition", {"in_channels": 5}, "expects [N, 5, H, W], got [B, 6, 8, 8]."),
    ],
)
def test_refusals(kind: str, options: dict[str, Any], sentence: str) -> None:
    drawing = drawing_of(kind, "B", 6, 8, 8, **options)
    (problem,) = [p for p in drawing.editor.analysis.problems() if p.severity == "error"]
    assert sentence in str(problem.message)
