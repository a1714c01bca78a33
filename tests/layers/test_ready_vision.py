"""Ready-made blocks of image networks against independent implementations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.nn import functional

from designer.core import count
from tests.core.drawing import Drawing
from tests.layers.test_ready import (
    GATES,
    Weights,
    compared,
    drawing_of,
    linear,
    module_of,
    normalised,
)

if TYPE_CHECKING:
    from torch import Tensor


def conv(w: Weights, name: str, x: Tensor, stride: int = 1, groups: int = 1) -> Tensor:
    """A convolution that keeps the size of an image at stride 1."""
    weight = w[f"{name}.weight"]
    padding = weight.shape[-1] // 2
    return functional.conv2d(x, weight, w.get(f"{name}.bias"), stride, padding, 1, groups)


def bn(w: Weights, name: str, x: Tensor) -> Tensor:
    """Batch normalisation by the running statistics."""
    mean, var = (w[f"{name}.running_{each}"][:, None, None] for each in ("mean", "var"))
    scale, shift = (w[f"{name}.{each}"][:, None, None] for each in ("weight", "bias"))
    return (x - mean) / (var + 1e-5).sqrt() * scale + shift


def shortcut(w: Weights, x: Tensor, stride: int) -> Tensor:
    """The input, or its projection where there is one."""
    if "downsample.0.weight" not in w:
        return x
    return bn(w, "downsample.1", conv(w, "downsample.0", x, stride))


CASES: list[tuple[dict[str, Any], int]] = [
    ({}, 1),
    ({"out_channels": 6}, 1),
    ({"out_channels": 8}, 1),
    ({"out_channels": 8, "stride": 2}, 2),
    ({"stride": 2}, 2),
]


@pytest.mark.parametrize(("options", "stride"), CASES)
def test_basic_block(options: dict[str, Any], stride: int) -> None:
    def reference(w: Weights, x: Tensor) -> Tensor:
        h = bn(w, "bn1", conv(w, "conv1", x, stride)).clamp(min=0)
        h = bn(w, "bn2", conv(w, "conv2", h))
        return (h + shortcut(w, x, stride)).clamp(min=0)

    drawing = compared("BasicBlock", reference, 2, 6, 8, 8, **options)
    projected = any("downsample" in row.key for row in count.rows(drawing.editor.analysis))
    assert projected == (options not in ({}, {"out_channels": 6}))


@pytest.mark.parametrize("channels", [6, 8])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(
    ("options", "groups"),
    [({}, 1), ({"out_channels": 6}, 1), ({"out_channels": 5, "groups": 2}, 2)],
)
def test_bottleneck(channels: int, stride: int, options: dict[str, Any], groups: int) -> None:
    def reference(w: Weights, x: Tensor) -> Tensor:
        h = bn(w, "bn1", conv(w, "conv1", x)).clamp(min=0)
        h = bn(w, "bn2", conv(w, "conv2", h, stride, groups)).clamp(min=0)
        h = bn(w, "bn3", conv(w, "conv3", h))
        return (h + shortcut(w, x, stride)).clamp(min=0)

    options = {**options, "channels_within": 2, "stride": stride}
    compared("Bottleneck", reference, 2, channels, 7, 7, **options)


@pytest.mark.parametrize("activation", ["relu", "silu"])
@pytest.mark.parametrize("gate", ["sigmoid", "hardsigmoid"])
def test_squeeze_excitation(activation: str, gate: str) -> None:
    def reference(w: Weights, x: Tensor) -> Tensor:
        means = x.mean((2, 3), keepdim=True)
        h = GATES[activation](conv(w, "fc1", means))
        h = conv(w, "fc2", h)
        return (h.sigmoid() if gate == "sigmoid" else (h / 6 + 0.5).clamp(0, 1)) * x

    options = {"activation": activation, "gate": gate}
    drawing = compared("SqueezeExcitation", reference, 2, 32, 5, 5, **options)
    assert drawing.parameters == 32 * 2 + 2 + 2 * 32 + 32


@pytest.mark.parametrize("stride", [1, 2])
def test_depthwise_separable(stride: int) -> None:
    def reference(w: Weights, x: Tensor) -> Tensor:
        h = bn(w, "bn1", conv(w, "depthwise", x, stride, groups=4)).clamp(min=0)
        return bn(w, "bn2", conv(w, "pointwise", h)).clamp(min=0)

    options = {"out_channels": 6, "stride": stride}
    compared("DepthwiseSeparable", reference, 2, 4, 7, 7, **options)


@pytest.mark.parametrize("expand_ratio", [1, 3])
@pytest.mark.parametrize(("options", "stride"), CASES)
def test_inverted_residual(options: dict[str, Any], stride: int, expand_ratio: int) -> None:
    def reference(w: Weights, x: Tensor) -> Tensor:
        h, place = x, 0
        if expand_ratio > 1:
            h, place = bn(w, "conv.0.1", conv(w, "conv.0.0", x)).clamp(0, 6), 1
        h = conv(w, f"conv.{place}.0", h, stride, groups=6 * expand_ratio)
        h = bn(w, f"conv.{place}.1", h).clamp(0, 6)
        h = bn(w, f"conv.{place + 2}", conv(w, f"conv.{place + 1}", h))
        return x + h if x.shape == h.shape else h

    options = {**options, "expand_ratio": expand_ratio}
    compared("InvertedResidual", reference, 2, 6, 8, 8, **options)


def test_convnext_block() -> None:
    def reference(w: Weights, x: Tensor) -> Tensor:
        h = conv(w, "dwconv", x, groups=6).movedim(1, -1)
        h = linear(w, "pwconv1", normalised(w, "norm", h, 1e-6))
        h = linear(w, "pwconv2", GATES["gelu"](h)).movedim(-1, 1)
        return x + h * w["gamma"]

    drawing = compared("ConvNeXtBlock", reference, 2, 6, 9, 9)
    assert drawing.parameters == 6 * 49 + 6 + 12 + 6 * 24 + 24 + 24 * 6 + 6 + 6


def test_layer_norm_of_channels() -> None:
    def reference(w: Weights, x: Tensor) -> Tensor:
        return normalised(w, "norm", x.movedim(1, -1), 1e-6).movedim(-1, 1)

    compared("LayerNorm2d", reference, 2, 6, 5, 4)


@pytest.mark.parametrize("kind", ["SqueezeExcitation", "MBConv", "DenseNetTransition"])
def test_a_share_of_few_channels_is_one(kind: str) -> None:
    module_of(drawing_of(kind, "B", 1, 8, 8))(torch.randn(2, 1, 8, 8))


MBCONV: list[dict[str, Any]] = [
    {"expand_ratio": 1},
    {"expand_ratio": 3, "kernel_size": 5},
    {"out_channels": 6, "squeeze_channels": 2, "activation": "relu"},
    {"out_channels": 5, "stride": 2, "kernel_size": 5},
    {"expand_ratio": 1, "out_channels": 4, "activation": "relu"},
]


@pytest.mark.parametrize("options", MBCONV)
def test_mobile_inverted_bottleneck(options: dict[str, Any]) -> None:
    ratio, stride = options.get("expand_ratio", 6), options.get("stride", 1)
    act = GATES[options.get("activation", "silu")]

    def reference(w: Weights, x: Tensor) -> Tensor:
        h, place = x, 0
        if ratio > 1:
            h, place = act(bn(w, "block.0.1", conv(w, "block.0.0", x))), 1
        h = conv(w, f"block.{place}.0", h, stride, groups=6 * ratio)
        h = act(bn(w, f"block.{place}.1", h))
        means = conv(w, f"block.{place + 1}.fc1", h.mean((2, 3), keepdim=True))
        h = conv(w, f"block.{place + 1}.fc2", act(means)).sigmoid() * h
        h = bn(w, f"block.{place + 2}.1", conv(w, f"block.{place + 2}.0", h))
        return x + h if x.shape == h.shape else h

    compared("MBConv", reference, 2, 6, 9, 8, **options)


@pytest.mark.parametrize("bias", [True, False])
def test_patch_embedding(bias: bool) -> None:
    def reference(w: Weights, x: Tensor) -> Tensor:
        rows = x.reshape(2, 3, 2, 4, 3, 4).permute(0, 2, 4, 1, 3, 5).reshape(2, 6, 48)
        y = rows @ w["proj.weight"].flatten(1).T
        return y + w["proj.bias"] if bias else y

    options = {"d_model": 10, "patch_size": 4, "bias": bias}
    compared("PatchEmbedding", reference, 2, 3, 8, 12, **options)


def test_the_blocks_of_resnet_18_have_its_parameters() -> None:
    drawing = Drawing()
    x = drawing.input("B", 64, 56, 56)
    for channels, stride in ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)):
        x = drawing.add("BasicBlock", x, out_channels=channels, stride=stride)
    x = drawing.add("BasicBlock", x)
    drawing.add("Output", x)
    stem, head = 64 * 3 * 49 + 128, 512 * 1000 + 1000
    assert drawing.parameters == 11_689_512 - stem - head
    assert drawing.shape(x) == "[B, 512, 7, 7]"
    module_of(drawing)


def test_captions_tell_the_channels() -> None:
    drawing = drawing_of("BasicBlock", "B", 64, 8, 8, out_channels=128)
    (finding,) = [f for f in drawing.editor.analysis.findings.values() if f.params]
    assert finding.layer is not None
    assert finding.result is not None
    assert finding.layer.caption(finding.result, finding.inputs) == "64 → 128"


def test_an_image_without_a_batch_is_refused() -> None:
    drawing = drawing_of("BasicBlock", 64, 8, 8)
    (problem,) = [p for p in drawing.editor.analysis.problems() if p.blocks]
    assert str(problem.message) == "BasicBlock expects [N, C, H, W], got [64, 8, 8]."
