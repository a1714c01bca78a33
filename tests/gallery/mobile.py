"""Networks for small machines, and what came of them: channels that are convolved one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gallery import design
from tests.gallery.sketch import Sketch

if TYPE_CHECKING:
    from designer.core.graph import NodeId
    from designer.core.option import Raw


def convolution(sketch: Sketch, x: NodeId, name: str, channels: Raw, **options: Raw) -> NodeId:
    """Add a convolution without a bias, and the batch norm behind it."""
    x = sketch.add("Conv2d", x, name=name, out_channels=channels, bias=False, **options)
    return sketch.add("BatchNorm2d", x, name=f"{name}_bn")


def separable(sketch: Sketch, activation: str, *, squeezed: bool) -> None:
    """Draw the first block, which is as wide within as what comes in."""
    note = "3×3 filters of each channel alone, then a 1×1 convolution without an activation."
    with sketch.block("Separable", note):
        sketch.variable("channels", 16, "channels of the output")
        x = sketch.input("x", "B", 32, 112, 112)
        x = convolution(sketch, x, "depthwise", 32, kernel_size=3, padding=1, groups=32)
        x = sketch.add(activation, x, name="act")
        if squeezed:
            x = weighed(sketch, x, 8)
        sketch.output(convolution(sketch, x, "project", "channels", kernel_size=1))


def weighed(sketch: Sketch, x: NodeId, channels: Raw) -> NodeId:
    """Add the small network that weighs channels."""
    squeezed = {"squeeze_channels": channels, "activation": "silu"}
    return sketch.add("SqueezeExcitation", x, name="se", **squeezed)


def widened(
    sketch: Sketch, x: NodeId, before: str, stride: Raw, activation: str, *, squeezed: bool
) -> NodeId:
    """Draw the convolutions of a block, without what is added to them."""
    within, kernel = f"expand*{before}", "kernel" if squeezed else 3
    x = convolution(sketch, x, "widen", within, kernel_size=1)
    x = sketch.add(activation, x, name="act1")
    around: Raw = "kernel // 2" if squeezed else 1
    each: dict[str, Raw] = {"kernel_size": kernel, "stride": stride, "padding": around}
    x = convolution(sketch, x, "depthwise", within, groups=within, **each)
    x = sketch.add(activation, x, name="act2")
    if squeezed:
        x = weighed(sketch, x, f"{before} // 4")
    return convolution(sketch, x, "project", "channels", kernel_size=1)


def arguments(sketch: Sketch, *, squeezed: bool) -> None:
    """Declare what all blocks have."""
    sketch.variable("channels", 24, "channels of the output")
    sketch.variable("expand", 6, "how many times wider it is within")
    if squeezed:
        sketch.variable("kernel", 3, "width and height of the filters of each channel")


def inverted(sketch: Sketch, activation: str, *, squeezed: bool) -> None:
    """Draw the block that keeps its shape."""
    note = "Widen, convolve each channel alone, narrow; added to what came in."
    with sketch.block("Inverted", note):
        arguments(sketch, squeezed=squeezed)
        x = sketch.input("x", "B", "channels", 56, 56)
        h = widened(sketch, x, "channels", 1, activation, squeezed=squeezed)
        sketch.output(sketch.add("Add", h, x, name="add"))


def inverted_down(sketch: Sketch, activation: str, *, squeezed: bool) -> None:
    """Draw the block that begins a stage: nothing can be added to other channels."""
    with sketch.block("InvertedDown", "Widen, convolve each channel alone, narrow."):
        arguments(sketch, squeezed=squeezed)
        sketch.variable("before", 16, "channels of the input")
        sketch.variable("stride", 2, "step of the filters of each channel")
        x = sketch.input("x", "B", "before", 112, 112)
        sketch.output(widened(sketch, x, "before", "stride", activation, squeezed=squeezed))


Stage = tuple[int, int, int, int]
"""Channels, blocks, the stride of the first one, and the filters of each channel."""


def staged(sketch: Sketch, x: NodeId, stages: tuple[Stage, ...], *, squeezed: bool) -> NodeId:
    """Draw the stages: a block that changes the shape, and others that keep it."""
    x = sketch.use("Separable", x, name="stage1", channels=16)
    before = 16
    for place, (channels, blocks, stride, kernel) in enumerate(stages, 2):
        given: dict[str, Raw] = {"channels": channels, "expand": "expand"}
        given |= {"kernel": kernel} if squeezed else {}
        first = {"before": before, "stride": stride, **given}
        x = sketch.use("InvertedDown", x, name=f"stage{place}_down", **first)
        if blocks > 1:
            x = sketch.use("Inverted", x, name=f"stage{place}", copies=blocks - 1, **given)
        before = channels
    return x


def mobile(sketch: Sketch, activation: str, stages: tuple[Stage, ...], *, squeezed: bool) -> None:
    """Draw a whole network of inverted residuals."""
    sketch.dimension("B", "batch")
    sketch.variable("expand", 6, "how many times wider blocks are within")
    sketch.variable("classes", 1000, "classes")
    for block in (separable, inverted, inverted_down):
        block(sketch, activation, squeezed=squeezed)
    x = sketch.input("image", "B", 3, 224, 224)
    x = convolution(sketch, x, "first", 32, kernel_size=3, stride=2, padding=1)
    x = sketch.add(activation, x, name="first_act")
    x = staged(sketch, x, stages, squeezed=squeezed)
    x = convolution(sketch, x, "last", 1280, kernel_size=1)
    x = sketch.add(activation, x, name="last_act")
    x = sketch.add("AdaptiveAvgPool2d", x, name="avgpool", output_size=1)
    x = sketch.add("Flatten", x, name="flatten")
    x = sketch.add("Dropout", x, name="dropout", p=0.2)
    sketch.output(sketch.add("Linear", x, name="classifier", out_features="classes"), "logits")


@design("mobilenet-v2")
def mobilenet_v2() -> Sketch:
    """MobileNetV2, whose residuals run between the narrow ends of blocks."""
    sketch = Sketch(
        "MobileNetV2",
        "Vision",
        "Blocks widen six times, convolve each channel alone and narrow again: 3.5M parameters.",
        "Sandler et al. 2018, Inverted Residuals and Linear Bottlenecks; torchvision mobilenet_v2",
    )
    stages = ((24, 2, 2, 3), (32, 3, 2, 3), (64, 4, 2, 3), (96, 3, 1, 3), (160, 3, 2, 3))
    mobile(sketch, "ReLU6", (*stages, (320, 1, 1, 3)), squeezed=False)
    return sketch


@design("efficientnet-b0")
def efficientnet_b0() -> Sketch:
    """EfficientNet-B0, the smallest of its family."""
    sketch = Sketch(
        "EfficientNet-B0",
        "Vision",
        "Inverted residuals, in each of which a small network weighs the channels.",
        "Tan and Le 2019, EfficientNet: Rethinking Model Scaling; torchvision efficientnet_b0",
    )
    stages = ((24, 2, 2, 3), (40, 2, 2, 5), (80, 3, 2, 3), (112, 3, 1, 5), (192, 4, 2, 5))
    mobile(sketch, "SiLU", (*stages, (320, 1, 1, 3)), squeezed=True)
    return sketch


@design("convnext-t")
def convnext() -> Sketch:
    """ConvNeXt in its four sizes."""
    sketch = Sketch(
        "ConvNeXt-T",
        "Vision",
        "Convolutions with the manners of a transformer: 7×7 filters, layer norms and MLPs.",
        "Liu et al. 2022, A ConvNet for the 2020s; torchvision convnext_tiny",
    )
    sketch.dimension("B", "batch")
    sketch.variable("width", 96, "channels of the first stage; doubled from stage to stage")
    for place, depth in enumerate((3, 3, 9, 3), 1):
        sketch.variable(f"n{place}", depth, f"blocks of stage {place}")
    sketch.variable("classes", 1000, "classes")
    with sketch.block("Block", "7×7 filters of each channel and an MLP, added to what came in."):
        x = sketch.input("x", "B", 96, 56, 56)
        sketch.output(sketch.add("ConvNeXtBlock", x, name="block"))
    with sketch.block("Down", "Half the image, twice the channels."):
        sketch.variable("channels", 192, "channels of the output")
        x = sketch.input("x", "B", "channels // 2", 56, 56)
        x = sketch.add("LayerNorm2d", x, name="norm")
        size = {"out_channels": "channels", "kernel_size": 2, "stride": 2}
        sketch.output(sketch.add("Conv2d", x, name="conv", **size))
    x = sketch.input("image", "B", 3, 224, 224)
    x = sketch.add("Conv2d", x, name="stem", out_channels="width", kernel_size=4, stride=4)
    x = sketch.add("LayerNorm2d", x, name="stem_norm")
    x = sketch.use("Block", x, name="stage1", copies="n1")
    for place in (2, 3, 4):
        channels = f"{2 ** (place - 1)}*width"
        x = sketch.use("Down", x, name=f"down{place}", channels=channels)
        x = sketch.use("Block", x, name=f"stage{place}", copies=f"n{place}")
    x = sketch.add("AdaptiveAvgPool2d", x, name="avgpool", output_size=1)
    x = sketch.add("LayerNorm2d", x, name="norm")
    x = sketch.add("Flatten", x, name="flatten")
    sketch.output(sketch.add("Linear", x, name="classifier", out_features="classes"), "logits")
    for name, width, depth in (("T", 96, 9), ("S", 96, 27), ("B", 128, 27), ("L", 192, 27)):
        sketch.preset(f"ConvNeXt-{name}", width=width, n3=depth)
    return sketch


@design("densenet-121")
def densenet() -> Sketch:
    """DenseNet-121: each layer sees what all layers before it have found."""
    sketch = Sketch(
        "DenseNet-121",
        "Vision",
        "Each layer puts 32 channels behind all that came before it, and sees them all.",
        "Huang et al. 2016, Densely Connected Convolutional Networks; torchvision densenet121",
    )
    sketch.dimension("B", "batch")
    sketch.variable("growth", 32, "channels that each layer adds")
    sketch.variable("classes", 1000, "classes")
    x = sketch.input("image", "B", 3, 224, 224)
    size = {"out_channels": "2*growth", "kernel_size": 7, "stride": 2, "padding": 3}
    x = sketch.add("Conv2d", x, name="conv0", bias=False, **size)
    x = sketch.add("BatchNorm2d", x, name="norm0")
    x = sketch.add("ReLU", x, name="relu0")
    x = sketch.add("MaxPool2d", x, name="pool0", kernel_size=3, stride=2, padding=1)
    for place, layers in enumerate((6, 12, 24, 16), 1):
        size = {"num_layers": layers, "growth_rate": "growth"}
        x = sketch.add("DenseNetBlock", x, name=f"denseblock{place}", **size)
        if place < 4:
            x = sketch.add("DenseNetTransition", x, name=f"transition{place}")
    x = sketch.add("BatchNorm2d", x, name="norm5")
    x = sketch.add("ReLU", x, name="relu5")
    x = sketch.add("AdaptiveAvgPool2d", x, name="avgpool", output_size=1)
    x = sketch.add("Flatten", x, name="flatten")
    sketch.output(sketch.add("Linear", x, name="classifier", out_features="classes"), "logits")
    return sketch
