"""ResNets: convolutions whose input is added to what they make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gallery import design
from tests.gallery.sketch import Sketch

if TYPE_CHECKING:
    from designer.core.graph import NodeId
    from designer.core.option import Raw

WIDTHS = (64, 128, 256, 512)


def filtered(
    sketch: Sketch, x: NodeId, place: Raw, channels: Raw, kernel: int, **options: Raw
) -> NodeId:
    """Add a convolution without a bias, and the batch norm behind it, which has one."""
    size = {"kernel_size": kernel, "padding": kernel // 2, "bias": False}
    x = sketch.add("Conv2d", x, name=f"conv{place}", out_channels=channels, **size, **options)
    return sketch.add("BatchNorm2d", x, name=f"bn{place}")


def projected(sketch: Sketch, x: NodeId, channels: Raw) -> NodeId:
    """Add the shortcut of a block whose output has another shape than its input."""
    size = {"kernel_size": 1, "stride": "stride", "bias": False}
    x = sketch.add("Conv2d", x, name="downsample_conv", out_channels=channels, **size)
    return sketch.add("BatchNorm2d", x, name="downsample_bn")


def started(sketch: Sketch, depths: tuple[int, ...]) -> NodeId:
    """Draw the names and the first layers, which all ResNets share."""
    sketch.dimension("B", "batch")
    for place, depth in enumerate(depths, 1):
        sketch.variable(f"n{place}", depth, f"blocks of stage {place}")
    sketch.variable("classes", 1000, "classes")
    return sketch.input("image", "B", 3, 224, 224)


def stemmed(sketch: Sketch, x: NodeId) -> NodeId:
    """Draw the first convolution and the first pooling: a quarter of the image."""
    x = filtered(sketch, x, 1, 64, 7, stride=2)
    x = sketch.add("ReLU", x, name="relu")
    return sketch.add("MaxPool2d", x, name="maxpool", kernel_size=3, stride=2, padding=1)


def finished(sketch: Sketch, x: NodeId) -> None:
    """Draw the mean over the image and the classifier."""
    x = sketch.add("AdaptiveAvgPool2d", x, name="avgpool", output_size=1)
    x = sketch.add("Flatten", x, name="flatten")
    sketch.output(sketch.add("Linear", x, name="fc", out_features="classes"), "logits")


@design("resnet-18")
def resnet18() -> Sketch:
    """ResNet-18, and ResNet-34, which has more of the same blocks."""
    sketch = Sketch(
        "ResNet-18",
        "Vision",
        "Each block adds its input to what two convolutions make of it, so that depth trains.",
        "He et al. 2015, Deep Residual Learning for Image Recognition; torchvision resnet18",
    )
    x = started(sketch, (2, 2, 2, 2))
    basic_block(sketch)
    down_block(sketch)
    x = stemmed(sketch, x)
    x = sketch.use("IdentityBlock", x, name="layer1", copies="n1", channels=64)
    for place, channels in enumerate(WIDTHS[1:], 2):
        first = {"channels": channels, "stride": 2}
        x = sketch.use("DownBlock", x, name=f"layer{place}_down", **first)
        copies = f"n{place} - 1"
        x = sketch.use("IdentityBlock", x, name=f"layer{place}", copies=copies, channels=channels)
    finished(sketch, x)
    sketch.preset("ResNet-18", n1=2, n2=2, n3=2, n4=2)
    sketch.preset("ResNet-34", n1=3, n2=4, n3=6, n4=3)
    return sketch


def basic_block(sketch: Sketch) -> None:
    """Draw the block that keeps its shape."""
    with sketch.block("IdentityBlock", "Two 3×3 convolutions, added to what came in."):
        sketch.variable("channels", 64, "channels of input and output")
        x = sketch.input("x", "B", "channels", 56, 56)
        h = filtered(sketch, x, 1, "channels", 3)
        h = sketch.add("ReLU", h, name="relu1")
        h = filtered(sketch, h, 2, "channels", 3)
        h = sketch.add("Add", h, x, name="add")
        sketch.output(sketch.add("ReLU", h, name="relu2"))


def down_block(sketch: Sketch) -> None:
    """Draw the block that begins a stage: the shortcut has a convolution of its own."""
    note = "Two 3×3 convolutions, the first with a stride; the shortcut follows with a 1×1 one."
    with sketch.block("DownBlock", note):
        sketch.variable("channels", 128, "channels of the output")
        sketch.variable("stride", 2, "step of the first convolution")
        x = sketch.input("x", "B", "channels // 2", 56, 56)
        h = filtered(sketch, x, 1, "channels", 3, stride="stride")
        h = sketch.add("ReLU", h, name="relu1")
        h = filtered(sketch, h, 2, "channels", 3)
        h = sketch.add("Add", h, projected(sketch, x, "channels"), name="add")
        sketch.output(sketch.add("ReLU", h, name="relu2"))


@design("resnet-50")
def resnet50() -> Sketch:
    """ResNet-50, and its deeper siblings with 101 and 152 layers."""
    sketch = Sketch(
        "ResNet-50",
        "Vision",
        "Bottlenecks: a 1×1 convolution narrows, a 3×3 one looks around, a 1×1 one widens again.",
        "He et al. 2015, Deep Residual Learning for Image Recognition; torchvision resnet50",
    )
    x = started(sketch, (3, 4, 6, 3))
    bottleneck(sketch)
    down_bottleneck(sketch)
    x = stemmed(sketch, x)
    for place, width in enumerate(WIDTHS, 1):
        first = {"width": width, "stride": 1 if place == 1 else 2}
        x = sketch.use("DownBottleneck", x, name=f"layer{place}_down", **first)
        copies = f"n{place} - 1"
        x = sketch.use("IdentityBottleneck", x, name=f"layer{place}", copies=copies, width=width)
    finished(sketch, x)
    sketch.preset("ResNet-50", n1=3, n2=4, n3=6, n4=3)
    sketch.preset("ResNet-101", n1=3, n2=4, n3=23, n4=3)
    sketch.preset("ResNet-152", n1=3, n2=8, n3=36, n4=3)
    return sketch


def narrowed(sketch: Sketch, x: NodeId, **options: Raw) -> NodeId:
    """Draw the three convolutions of a bottleneck, without what is added to them."""
    h = filtered(sketch, x, 1, "width", 1)
    h = sketch.add("ReLU", h, name="relu1")
    h = filtered(sketch, h, 2, "width", 3, **options)
    h = sketch.add("ReLU", h, name="relu2")
    return filtered(sketch, h, 3, "4*width", 1)


def bottleneck(sketch: Sketch) -> None:
    """Draw the block that keeps its shape."""
    with sketch.block(
        "IdentityBottleneck", "1×1, 3×3 and 1×1 convolutions, added to what came in."
    ):
        sketch.variable("width", 64, "channels within; four times as many outside")
        x = sketch.input("x", "B", "4*width", 56, 56)
        h = sketch.add("Add", narrowed(sketch, x), x, name="add")
        sketch.output(sketch.add("ReLU", h, name="relu3"))


def down_bottleneck(sketch: Sketch) -> None:
    """Draw the block that begins a stage: the shortcut has a convolution of its own."""
    note = "1×1, 3×3 and 1×1 convolutions, the middle with a stride; the shortcut has one too."
    with sketch.block("DownBottleneck", note):
        sketch.variable("width", 64, "channels within; four times as many come out")
        sketch.variable("stride", 2, "step of the 3×3 convolution")
        x = sketch.input("x", "B", "2*width", 56, 56)
        h = narrowed(sketch, x, stride="stride")
        h = sketch.add("Add", h, projected(sketch, x, "4*width"), name="add")
        sketch.output(sketch.add("ReLU", h, name="relu3"))
