"""Whole image networks and Mamba, drawn with ready-made blocks, against tables of the real ones."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from designer.core import count, size
from tests import facts
from tests.core.drawing import Drawing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Net:
    """A drawing that grows layer by layer."""

    def __init__(self, *shape: Any, dtype: str = "float32") -> None:
        self.drawing = Drawing()
        self.last = self.drawing.input("B", *shape, dtype=dtype)

    def then(self, kind: str, *others: int, **options: Any) -> int:
        """Add a layer behind the last one; returns it."""
        sources = (*others, self.last) if kind == "Concat" else (self.last, *others)
        self.last = self.drawing.add(kind, *sources, **options)
        return self.last

    def head(self, classes: int = 1000) -> None:
        """Mean over the image, then a linear layer."""
        self.then("AdaptiveAvgPool2d", output_size=1)
        self.then("Flatten")
        self.then("Linear", out_features=classes)

    def stem(self, channels: int) -> None:
        """The start of most image networks: a convolution and a pool, each with stride 2."""
        self.then("Conv2d", out_channels=channels, kernel_size=7, stride=2, padding=3, bias=False)
        self.then("BatchNorm2d")
        self.then("ReLU")
        self.then("MaxPool2d", kernel_size=3, stride=2, padding=1)


def resnet18() -> Net:
    net = Net(3, 224, 224)
    net.stem(64)
    for channels in (64, 128, 256, 512):
        net.then("BasicBlock", out_channels=channels, stride=1 if channels == 64 else 2)
        net.then("BasicBlock")
    net.head()
    return net


def resnet50() -> Net:
    net = Net(3, 224, 224)
    net.stem(64)
    for channels, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for place in range(blocks):
            stride = 2 if channels > 64 and place == 0 else 1
            net.then("Bottleneck", channels_within=channels, stride=stride)
    net.head()
    return net


def mobilenet_v2() -> Net:
    net = Net(3, 224, 224)
    net.then("ConvNormAct", out_channels=32, stride=2, activation="relu6")
    stages = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)]
    stages += [(6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    for ratio, channels, blocks, first in stages:
        for place in range(blocks):
            options = {"expand_ratio": ratio, "stride": first if place == 0 else 1}
            net.then("InvertedResidual", out_channels=channels, **options)
    net.then("ConvNormAct", out_channels=1280, kernel_size=1, activation="relu6")
    net.head()
    return net


def efficientnet_b0() -> Net:
    net = Net(3, 224, 224)
    net.then("ConvNormAct", out_channels=32, stride=2, activation="silu")
    stages = [(1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3)]
    stages += [(6, 5, 1, 112, 3), (6, 5, 2, 192, 4), (6, 3, 1, 320, 1)]
    for ratio, kernel, first, channels, blocks in stages:
        for place in range(blocks):
            options = {"kernel_size": kernel, "stride": first if place == 0 else 1}
            net.then("MBConv", out_channels=channels, expand_ratio=ratio, **options)
    net.then("ConvNormAct", out_channels=1280, kernel_size=1, activation="silu")
    net.head()
    return net


def convnext_tiny() -> Net:
    net = Net(3, 224, 224)
    for channels, blocks in ((96, 3), (192, 3), (384, 9), (768, 3)):
        if channels == 96:
            net.then("Conv2d", out_channels=96, kernel_size=4, stride=4)
            net.then("LayerNorm2d")
        else:
            net.then("LayerNorm2d")
            net.then("Conv2d", out_channels=channels, kernel_size=2, stride=2)
        for _ in range(blocks):
            net.then("ConvNeXtBlock")
    net.then("AdaptiveAvgPool2d", output_size=1)
    net.then("LayerNorm2d")
    net.then("Flatten")
    net.then("Linear", out_features=1000)
    return net


INCEPTIONS = [
    [(64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)],
    [
        (192, 96, 208, 16, 48, 64),
        (160, 112, 224, 24, 64, 64),
        (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128),
    ],
    [(256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)],
]
WIDTHS = ("ch1x1", "ch3x3red", "ch3x3", "ch5x5red", "ch5x5", "pool_proj")


def googlenet() -> Net:
    net = Net(3, 224, 224)
    pools = [{"kernel_size": 3, "stride": 2, "ceil_mode": True}] * 3
    pools.append({"kernel_size": 2, "stride": 2, "ceil_mode": True})
    net.then("ConvNormAct", out_channels=64, kernel_size=7, stride=2)
    net.then("MaxPool2d", **pools.pop(0))
    net.then("ConvNormAct", out_channels=64, kernel_size=1)
    net.then("ConvNormAct", out_channels=192)
    net.then("MaxPool2d", **pools.pop(0))
    for stage in INCEPTIONS:
        for widths in stage:
            net.then("InceptionBlock", **dict(zip(WIDTHS, widths, strict=True)))
        if pools:
            net.then("MaxPool2d", **pools.pop(0))
    net.head()
    return net


def densenet121() -> Net:
    net = Net(3, 224, 224)
    net.stem(64)
    for layers in (6, 12, 24):
        net.then("DenseNetBlock", num_layers=layers)
        net.then("DenseNetTransition")
    net.then("DenseNetBlock", num_layers=16)
    net.then("BatchNorm2d")
    net.then("ReLU")
    net.head()
    return net


def unet(upsampling: str) -> Net:
    net = Net(3, 572, 572)
    levels = [net.then("DoubleConv")]
    factor = 2 if upsampling == "bilinear" else 1
    downs = (128, 256, 512, 1024 // factor)
    levels += [net.then("UNetDown", out_channels=channels) for channels in downs]
    widths = (512 // factor, 256 // factor, 128 // factor, 64)
    for skip, channels in zip(reversed(levels[:-1]), widths, strict=True):
        net.then("UNetUp", skip, out_channels=channels, upsampling=upsampling)
    net.then("Conv2d", out_channels=2, kernel_size=1)
    return net


def mamba_130m() -> Net:
    net = Net(16, dtype="int64")
    first = net.then("Embedding", num_embeddings=50280, embedding_dim=768)
    for _ in range(24):
        net.then("MambaBlock")
    net.then("RMSNorm", eps=1e-5)
    head = net.then("Linear", out_features=50280, bias=False)
    net.drawing.tie(head, first)
    return net


def swin_t() -> Net:
    net = Net(3, 224, 224)
    net.then("Conv2d", out_channels=96, kernel_size=4, stride=4)
    net.then("Permute", dims=(0, 2, 3, 1))
    net.then("LayerNorm")
    for heads, blocks in ((3, 2), (6, 2), (12, 6), (24, 2)):
        if heads > 3:
            net.then("PatchMerging")
        for place in range(blocks):
            net.then("SwinBlock", n_heads=heads, shift=3 * (place % 2))
    net.then("LayerNorm")
    net.then("Permute", dims=(0, 3, 1, 2))
    net.head()
    return net


class Diffusion(Net):
    """The U-Net of Stable Diffusion: each level as often as it has blocks, and back."""

    def __init__(self) -> None:
        super().__init__(4, 64, 64)
        self.context = self.drawing.input("B", 77, 768)
        steps = self.drawing.input("B", dtype="int64")
        self.time = self.drawing.add("TimeEmbedding", steps, channels=320)
        self.skips = [self.then("Conv2d", out_channels=320, kernel_size=3, padding=1)]

    def block(self, channels: int, *, told: bool) -> int:
        """A residual block with the time, and a transformer that is told the context."""
        self.then("TimeResidualBlock", self.time, out_channels=channels)
        return self.then("SpatialTransformer", self.context) if told else self.last

    def down(self, channels: int, *, told: bool, last: bool = False) -> None:
        """A level on the way down."""
        self.skips += [self.block(channels, told=told) for _ in range(2)]
        if not last:
            options = {"kernel_size": 3, "stride": 2, "padding": 1}
            self.skips.append(self.then("Conv2d", out_channels=channels, **options))

    def up(self, channels: int, *, told: bool, last: bool = False) -> None:
        """A level on the way up, with what the level of this size on the way down left."""
        for _ in range(3):
            self.then("Concat", self.skips.pop(), dim=1)
            self.block(channels, told=told)
        if not last:
            self.then("Upsample", scale_factor=2.0)
            self.then("Conv2d", out_channels=channels, kernel_size=3, padding=1)


def sd15_unet() -> Net:
    net = Diffusion()
    for channels in (320, 640, 1280):
        net.down(channels, told=True)
    net.down(1280, told=False, last=True)
    net.block(1280, told=True)
    net.block(1280, told=False)
    net.up(1280, told=False)
    for channels in (1280, 640, 320):
        net.up(channels, told=True, last=channels == 320)
    net.then("GroupNorm")
    net.then("SiLU")
    net.then("Conv2d", out_channels=4, kernel_size=3, padding=1)
    return net


NETWORKS: dict[str, Callable[[], Net]] = {
    "resnet18": resnet18,
    "resnet50": resnet50,
    "mobilenet_v2": mobilenet_v2,
    "efficientnet_b0": efficientnet_b0,
    "convnext_tiny": convnext_tiny,
    "googlenet": googlenet,
    "densenet121": densenet121,
    "unet_milesial": lambda: unet("transposed"),
    "unet_milesial_bilinear": lambda: unet("bilinear"),
    "mamba_130m": mamba_130m,
    "sd15_unet": sd15_unet,
    "swin_t": swin_t,
}


@pytest.mark.parametrize("id", NETWORKS)
def test_a_network_of_blocks_is_the_real_one_tensor_for_tensor(id: str) -> None:
    net, real = NETWORKS[id](), facts.model(id)
    net.drawing.add("Output", net.last)
    analysis = net.drawing.editor.analysis
    assert [str(p.message) for p in analysis.problems() if p.severity != "hint"] == []
    assert shapes_of(net.drawing) == Counter(row.shape for row in facts.state(id) if not row.owner)
    assert net.drawing.parameters == real["totals"]["params"]
    assert analysis.counted.buffers == real["totals"]["buffers"]
    flops = sum((f.result.flops for f in analysis.findings.values() if f.result), start=0)
    assert size.value(size.substitute(flops, {"B": 1})) == real["forward"][0]["flops"]


def shapes_of(drawing: Drawing) -> Counter[tuple[Any, ...]]:
    """How often there is a parameter of each shape; a tied one counts once."""
    return Counter(row.param.shape for row in learned(drawing) if not row.owner)


def learned(drawing: Drawing) -> list[count.Row]:
    """The rows of the table that are not buffers."""
    rows = count.rows(drawing.editor.analysis)
    return [row for row in rows if row.param.part != "buffer"]


def named(drawing: Drawing) -> dict[str, tuple[Any, ...]]:
    """The shapes of the parameters of the block by their names within it."""
    return {row.key.removeprefix("block."): row.param.shape for row in learned(drawing)}


NARROW = {"expand_ratio": 1, "out_channels": 16}
STAGES: list[tuple[str, str, str, tuple[Any, ...], dict[str, Any]]] = [
    ("resnet18", "layer2.0", "BasicBlock", (64, 56, 56), {"out_channels": 128, "stride": 2}),
    ("resnet50", "layer1.0", "Bottleneck", (64, 56, 56), {}),
    ("mobilenet_v2", "features.1", "InvertedResidual", (32, 8, 8), NARROW),
    ("mobilenet_v2", "features.2", "InvertedResidual", (16, 8, 8), {"out_channels": 24}),
    ("efficientnet_b0", "features.2.0", "MBConv", (16, 8, 8), {"out_channels": 24}),
    ("googlenet", "inception3a", "InceptionBlock", (192, 28, 28), {}),
    ("densenet121", "features.denseblock1", "DenseNetBlock", (64, 56, 56), {}),
    ("densenet121", "features.transition1", "DenseNetTransition", (256, 56, 56), {}),
    ("unet_milesial", "inc", "DoubleConv", (3, 64, 64), {}),
    ("unet_milesial", "down1", "UNetDown", (64, 64, 64), {}),
    ("mamba_130m", "backbone.layers.0", "MambaBlock", (9, 768), {}),
]
"""Model, stage, our block, the shape that it gets, and its options."""


@pytest.mark.parametrize(("id", "stage", "kind", "shape", "options"), STAGES)
def test_names_and_shapes_of_a_stage_are_the_real_ones(
    id: str, stage: str, kind: str, shape: tuple[Any, ...], options: dict[str, Any]
) -> None:
    net = Net(*shape)
    net.then(kind, name="block", **options)
    assert named(net.drawing) == dict(within(stage, facts.state(id)))


def within(stage: str, rows: Iterable[facts.Row]) -> Iterable[tuple[str, tuple[int, ...]]]:
    """The rows of a stage, with their names there."""
    prefix = f"{stage}."
    return ((r.name.removeprefix(prefix), r.shape) for r in rows if r.name.startswith(prefix))


def test_an_up_stage_of_the_real_unet() -> None:
    net = Net(1024, 32, 32)
    net.then("UNetUp", net.drawing.input("B", 512, 64, 64), name="block")
    assert named(net.drawing) == dict(within("up1", facts.state("unet_milesial")))
