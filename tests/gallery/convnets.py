"""Image networks that are one chain of layers, from LeNet-5 to VGG-16."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gallery import design
from tests.gallery.sketch import Sketch

if TYPE_CHECKING:
    from designer.core.graph import NodeId
    from designer.core.option import Raw


def convolved(sketch: Sketch, x: NodeId, place: int, channels: Raw, **options: Raw) -> NodeId:
    """Add a convolution and a ReLU that are numbered alike."""
    x = sketch.add("Conv2d", x, name=f"conv{place}", out_channels=channels, **options)
    return sketch.add("ReLU", x, name=f"relu{place}")


def widened(sketch: Sketch, x: NodeId, place: int, width: int, name: str = "fc") -> NodeId:
    """Add a linear layer and a ReLU that are numbered alike."""
    x = sketch.add("Linear", x, name=f"{name}{place}", out_features=width)
    return sketch.add("ReLU", x, name=f"relu{place}")


@design("five-convolutions")
def five_convolutions() -> Sketch:
    """Five convolutions whose channels double."""
    sketch = Sketch(
        "Five convolutions",
        "Vision",
        "Each convolution doubles the channels, each pooling halves the image, down to one pixel.",
        "3×3 convolutions of 32 to 512 channels with padding 1, and a linear layer to 10 classes",
    )
    sketch.dimension("B", "batch")
    for place in range(1, 6):
        sketch.variable(f"c{place}", 16 * 2**place, f"channels of convolution {place}")
    sketch.variable("classes", 10, "classes")
    x = sketch.input("image", "B", 3, 32, 32)
    for place in range(1, 6):
        x = convolved(sketch, x, place, f"c{place}", kernel_size=3, padding=1)
        x = sketch.add("MaxPool2d", x, name=f"pool{place}", kernel_size=2)
    x = sketch.add("Flatten", x, name="flatten")
    sketch.output(sketch.add("Linear", x, name="fc", out_features="classes"), "logits")
    return sketch


@design("cifar10-cnn")
def cifar10_cnn() -> Sketch:
    """The network of the first tutorials on colour images."""
    sketch = Sketch(
        "CIFAR-10 CNN",
        "Vision",
        "Three convolutions without padding, each pooled, then two linear layers: 160,202.",
        "The convolutional network of TensorFlow's tutorial on CIFAR-10, with a third pooling",
    )
    sketch.dimension("B", "batch")
    x = sketch.input("image", "B", 3, 32, 32)
    for place, channels in enumerate((32, 64, 128), 1):
        x = convolved(sketch, x, place, channels, kernel_size=3)
        x = sketch.add("MaxPool2d", x, name=f"pool{place}", kernel_size=2)
    x = sketch.add("Flatten", x, name="flatten")
    x = sketch.add("Linear", x, name="fc1", out_features=128)
    x = sketch.add("ReLU", x, name="relu4")
    x = sketch.add("Linear", x, name="fc2", out_features=10)
    sketch.output(sketch.add("Softmax", x, name="softmax", dim=-1), "scores")
    return sketch


@design("lenet-5")
def lenet() -> Sketch:
    """The network that read cheques, with the layer names of its paper."""
    sketch = Sketch(
        "LeNet-5",
        "Vision",
        "Convolve, average, convolve, average: the plan that image networks have kept since 1998.",
        "LeCun et al. 1998, Gradient-Based Learning Applied to Document Recognition; modern form",
    )
    sketch.dimension("B", "batch")
    sketch.variable("classes", 10, "classes")
    x = sketch.input("image", "B", 1, 32, 32)
    for place, channels in ((1, 6), (3, 16), (5, 120)):
        x = sketch.add("Conv2d", x, name=f"c{place}", out_channels=channels, kernel_size=5)
        x = sketch.add("Tanh", x, name=f"tanh{place}")
        if place < 5:
            x = sketch.add("AvgPool2d", x, name=f"s{place + 1}", kernel_size=2)
    x = sketch.add("Flatten", x, name="flatten")
    x = sketch.add("Linear", x, name="f6", out_features=84)
    x = sketch.add("Tanh", x, name="tanh6")
    sketch.output(sketch.add("Linear", x, name="output", out_features="classes"), "scores")
    return sketch


@design("alexnet")
def alexnet() -> Sketch:
    """The network that won ImageNet in 2012, as one GPU runs it."""
    sketch = Sketch(
        "AlexNet",
        "Vision",
        "Convolutions do 92% of the work; three linear layers at the end have 96% of the weights.",
        "Krizhevsky 2014, One Weird Trick; torchvision alexnet",
    )
    sketch.dimension("B", "batch")
    sketch.variable("classes", 1000, "classes")
    x = sketch.input("image", "B", 3, 224, 224)
    filters = ((64, 11, 4, 2), (192, 5, 1, 2), (384, 3, 1, 1), (256, 3, 1, 1), (256, 3, 1, 1))
    for place, (channels, kernel, stride, padding) in enumerate(filters, 1):
        options = {"kernel_size": kernel, "stride": stride, "padding": padding}
        x = convolved(sketch, x, place, channels, **options)
        if place in (1, 2, 5):
            x = sketch.add("MaxPool2d", x, name=f"pool{place}", kernel_size=3, stride=2)
    x = sketch.add("AdaptiveAvgPool2d", x, name="avgpool", output_size=6)
    x = sketch.add("Flatten", x, name="flatten")
    for place in (6, 7):
        x = sketch.add("Dropout", x, name=f"drop{place}")
        x = widened(sketch, x, place, 4096)
    sketch.output(sketch.add("Linear", x, name="fc8", out_features="classes"), "logits")
    return sketch


@design("vgg-16")
def vgg() -> Sketch:
    """Thirteen small convolutions in five stages."""
    sketch = Sketch(
        "VGG-16",
        "Vision",
        "Nothing but 3×3 convolutions, two or three before each pooling; fc1 holds 74% of it all.",
        "Simonyan and Zisserman 2014, Very Deep Convolutional Networks; torchvision vgg16",
    )
    sketch.dimension("B", "batch")
    sketch.variable("classes", 1000, "classes")
    with sketch.block("ConvReLU", "A 3×3 convolution that keeps the size of the image, and ReLU."):
        sketch.variable("channels", 64, "channels of the output")
        x = sketch.input("x", "B", "channels", 224, 224)
        size = {"kernel_size": 3, "padding": 1}
        x = sketch.add("Conv2d", x, name="conv", out_channels="channels", **size)
        sketch.output(sketch.add("ReLU", x, name="relu"))
    x = sketch.input("image", "B", 3, 224, 224)
    stages = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
    for place, (copies, channels) in enumerate(stages, 1):
        x = sketch.use("ConvReLU", x, name=f"stage{place}", copies=copies, channels=channels)
        x = sketch.add("MaxPool2d", x, name=f"pool{place}", kernel_size=2)
    x = sketch.add("AdaptiveAvgPool2d", x, name="avgpool", output_size=7)
    x = sketch.add("Flatten", x, name="flatten")
    for place in (1, 2):
        x = widened(sketch, x, place, 4096)
        x = sketch.add("Dropout", x, name=f"drop{place}")
    sketch.output(sketch.add("Linear", x, name="fc3", out_features="classes"), "logits")
    return sketch
