"""Blocks of image networks against those of transformers, with the same weights."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from torch import nn

from tests.layers.bodies import agreed, images

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NORMS = {"momentum": 0.1, "eps": 1e-5}
"""What batch norms have here as PyTorch's do; training leaves other statistics otherwise."""


@pytest.fixture(scope="module")
def modelling() -> Callable[[str], Any]:
    """The module of transformers in which the layers of a family of models are."""
    return lambda name: import_module(f"transformers.models.{name}.modeling_{name}")


def ours(parts: Mapping[str, str]) -> Callable[[str], str]:
    """Our name of a tensor of theirs, of which `parts` are replaced."""

    def named(name: str) -> str:
        for their, our in parts.items():
            name = name.replace(their, our)
        return name

    return named


def usual(reference: nn.Module) -> nn.Module:
    """A module whose batch norms have PyTorch's momentum and epsilon."""
    for module in reference.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum, module.eps = NORMS["momentum"], NORMS["eps"]
    return reference


SHORTCUT = {"shortcut.convolution": "downsample.0", "shortcut.normalization": "downsample.1"}


def numbered(count: int) -> dict[str, str]:
    """The names of the convolutions of a residual block."""
    names = dict(SHORTCUT)
    for place in range(count):
        names[f"layer.{place}.convolution"] = f"conv{place + 1}"
        names[f"layer.{place}.normalization"] = f"bn{place + 1}"
    return names


@pytest.mark.parametrize(("out", "stride"), [(6, 1), (8, 1), (6, 2), (4, 2)])
def test_basic_block(out: int, stride: int, modelling: Callable[[str], Any]) -> None:
    reference = modelling("resnet").ResNetBasicLayer(6, out, stride)
    options: dict[str, Any] = {"out_channels": out, "stride": stride}
    agreed("BasicBlock", reference, images(2, 6, 7, 6), ours=ours(numbered(2)), **options)


@pytest.mark.parametrize(("channels", "stride"), [(8, 1), (6, 1), (8, 2)])
def test_bottleneck(channels: int, stride: int, modelling: Callable[[str], Any]) -> None:
    reference = modelling("resnet").ResNetBottleNeckLayer(channels, 8, stride)
    options: dict[str, Any] = {"channels_within": 2, "stride": stride}
    x = images(2, channels, 6, 7)
    agreed("Bottleneck", reference, x, ours=ours(numbered(3)), **options)


@pytest.mark.parametrize(("out", "stride"), [(8, 1), (16, 1), (16, 2)])
def test_inverted_residual(out: int, stride: int, modelling: Callable[[str], Any]) -> None:
    library = modelling("mobilenet_v2")
    config = library.MobileNetV2Config(expand_ratio=2.0, tf_padding=False)
    reference = usual(library.MobileNetV2InvertedResidual(config, 8, out, stride))
    names = {
        "expand_1x1.convolution": "conv.0.0",
        "expand_1x1.normalization": "conv.0.1",
        "conv_3x3.convolution": "conv.1.0",
        "conv_3x3.normalization": "conv.1.1",
        "reduce_1x1.convolution": "conv.2",
        "reduce_1x1.normalization": "conv.3",
    }
    options: dict[str, Any] = {"out_channels": out, "stride": stride, "expand_ratio": 2}
    agreed("InvertedResidual", reference, images(2, 8, 7, 6), ours=ours(names), **options)


def of_mbconv(*, widened: bool) -> dict[str, str]:
    """The names of the layers of EfficientNet's block."""
    place = int(widened)
    names = {"expansion.expand_conv": "block.0.0", "expansion.expand_bn": "block.0.1"}
    return {
        **names,
        "depthwise_conv.depthwise_conv": f"block.{place}.0",
        "depthwise_conv.depthwise_norm": f"block.{place}.1",
        "squeeze_excite.reduce": f"block.{place + 1}.fc1",
        "squeeze_excite.expand": f"block.{place + 1}.fc2",
        "projection.project_conv": f"block.{place + 2}.0",
        "projection.project_bn": f"block.{place + 2}.1",
    }


@pytest.mark.parametrize(
    ("out", "stride", "ratio", "kernel"), [(8, 1, 1, 3), (8, 1, 4, 5), (4, 2, 6, 3), (4, 1, 1, 5)]
)
def test_mobile_inverted_bottleneck(
    out: int, stride: int, ratio: int, kernel: int, modelling: Callable[[str], Any]
) -> None:
    library = modelling("efficientnet")
    reference = library.EfficientNetBlock(
        library.EfficientNetConfig(),
        in_dim=8,
        out_dim=out,
        stride=stride,
        expand_ratio=ratio,
        kernel_size=kernel,
        drop_rate=0.0,
        id_skip=(out, stride) != (8, 1),
        adjust_padding=False,
    )
    names = ours(of_mbconv(widened=ratio != 1))
    options: dict[str, Any] = {
        "out_channels": out,
        "stride": stride,
        "expand_ratio": ratio,
        "kernel_size": kernel,
    }
    agreed("MBConv", usual(reference), images(2, 8, 8, 7), ours=names, **options)


def test_convnext_block(modelling: Callable[[str], Any]) -> None:
    library = modelling("convnext")
    names = ours({"layer_scale_parameter": "gamma", "layernorm": "norm"})
    reference = library.ConvNextLayer(library.ConvNextConfig(), 6)
    agreed("ConvNeXtBlock", reference, images(2, 6, 8, 9), ours=names)


def test_layer_norm_of_channels(modelling: Callable[[str], Any]) -> None:
    reference = modelling("convnext").ConvNextLayerNorm(6, data_format="channels_first")
    agreed("LayerNorm2d", reference, images(2, 6, 5, 4), ours=lambda name: f"norm.{name}")
