"""Networks whose blocks look at an image with several filters at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gallery import design
from tests.gallery.sketch import Sketch

if TYPE_CHECKING:
    from designer.core.graph import NodeId
    from designer.core.option import Raw

EPS = 1e-3

BRANCHES = {
    "ch1x1": "channels of the 1×1 branch",
    "ch3x3red": "channels before the 3×3 filters",
    "ch3x3": "channels of the 3×3 branch",
    "ch5x5red": "channels before the 5×5 filters",
    "ch5x5": "channels of the 5×5 branch",
    "pool_proj": "channels of the branch that pools",
}
GOOGLENET = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
"""Channels of the branches of each block."""


def normed(
    sketch: Sketch, x: NodeId, name: str, channels: Raw, kernel: int, **options: Raw
) -> NodeId:
    """Use a convolution with its norm and its ReLU."""
    return sketch.use("BasicConv", x, name=name, channels=channels, kernel=kernel, **options)


def shrunk(sketch: Sketch, x: NodeId, name: str, kernel: int = 3) -> NodeId:
    """Add a pooling that halves the image."""
    size = {"kernel_size": kernel, "stride": 2, "ceil_mode": True}
    return sketch.add("MaxPool2d", x, name=name, **size)


def classified(sketch: Sketch, x: NodeId, dropout: float) -> None:
    """Draw the mean over the image and the classifier."""
    x = sketch.add("AdaptiveAvgPool2d", x, name="avgpool", output_size=1)
    x = sketch.add("Flatten", x, name="flatten")
    x = sketch.add("Dropout", x, name="dropout", p=dropout)
    sketch.output(sketch.add("Linear", x, name="fc", out_features="classes"), "logits")


@design("googlenet")
def googlenet() -> Sketch:
    """GoogLeNet, the first Inception, without its two extra classifiers."""
    sketch = Sketch(
        "GoogLeNet",
        "Vision",
        "Nine blocks of four branches each; 1×1 convolutions make the wide filters affordable.",
        "Szegedy et al. 2014, Going Deeper with Convolutions; torchvision googlenet without aux",
    )
    sketch.dimension("B", "batch")
    sketch.variable("classes", 1000, "classes")
    basic_conv(sketch)
    inception(sketch)
    x = sketch.input("image", "B", 3, 224, 224)
    x = normed(sketch, x, "conv1", 64, 7, stride=2)
    x = shrunk(sketch, x, "maxpool1")
    x = normed(sketch, x, "conv2", 64, 1)
    x = normed(sketch, x, "conv3", 192, 3)
    x = shrunk(sketch, x, "maxpool2")
    for place, channels in GOOGLENET.items():
        given = dict(zip(BRANCHES, channels, strict=True))
        x = sketch.use("Inception", x, name=f"inception{place}", **given)
        if place in ("3b", "4e"):
            x = shrunk(sketch, x, f"maxpool{place[0]}", 3 if place == "3b" else 2)
    classified(sketch, x, 0.2)
    return sketch


def basic_conv(sketch: Sketch) -> None:
    """Draw the convolution with what is behind it."""
    note = "A convolution that keeps the size of the image at stride 1, batch norm and ReLU."
    with sketch.block("BasicConv", note):
        sketch.variable("channels", 64, "channels of the output")
        sketch.variable("kernel", 3, "width and height of the filter")
        sketch.variable("stride", 1, "step of the filter")
        x = sketch.input("x", "B", 64, 56, 56)
        size = {"kernel_size": "kernel", "stride": "stride", "padding": "kernel // 2"}
        x = sketch.add("Conv2d", x, name="conv", out_channels="channels", bias=False, **size)
        x = sketch.add("BatchNorm2d", x, name="bn", eps=EPS)
        sketch.output(sketch.add("ReLU", x, name="relu"))


def inception(sketch: Sketch) -> None:
    """Draw the block of four branches."""
    with sketch.block("Inception", "Four branches side by side, whose channels are joined."):
        for (name, note), channels in zip(BRANCHES.items(), GOOGLENET["3a"], strict=True):
            sketch.variable(name, channels, note)
        x = sketch.input("x", "B", 192, 28, 28)
        one = normed(sketch, x, "branch1", "ch1x1", 1)
        three = normed(sketch, x, "branch2_reduce", "ch3x3red", 1)
        three = normed(sketch, three, "branch2", "ch3x3", 3)
        five = normed(sketch, x, "branch3_reduce", "ch5x5red", 1)
        five = normed(sketch, five, "branch3", "ch5x5", 3)
        window = {"kernel_size": 3, "stride": 1, "padding": 1, "ceil_mode": True}
        pooled = sketch.add("MaxPool2d", x, name="pool", **window)
        pooled = normed(sketch, pooled, "branch4", "pool_proj", 1)
        sketch.output(sketch.add("Concat", one, three, five, pooled, name="join", dim=1))


class Mixed:
    """Draws the blocks of Inception v3, in which most convolutions keep the size of the image."""

    def __init__(self, sketch: Sketch) -> None:
        self.sketch = sketch

    def conv(
        self, x: NodeId, name: str, channels: Raw, kernel: tuple[int, int], *, stride: int = 0
    ) -> NodeId:
        """Use the convolution; with a stride it has no padding."""
        given: dict[str, Raw] = {"channels": channels, "kh": kernel[0], "kw": kernel[1]}
        if stride:
            given |= {"stride": stride, "padded": 0}
        return self.sketch.use("ConvBNReLU", x, name=name, **given)

    def row(
        self, x: NodeId, stem: str, *convolutions: tuple[Raw, tuple[int, int]], stride: int = 0
    ) -> NodeId:
        """Use convolutions one behind the other; a stride is that of the last."""
        for place, (channels, kernel) in enumerate(convolutions, 1):
            step = stride if place == len(convolutions) else 0
            x = self.conv(x, f"{stem}_{place}", channels, kernel, stride=step)
        return x

    def pooled(self, x: NodeId, channels: Raw) -> NodeId:
        """The branch that averages neighbours."""
        size = {"kernel_size": 3, "stride": 1, "padding": 1}
        x = self.sketch.add("AvgPool2d", x, name="pool", **size)
        return self.conv(x, "branch_pool", channels, ONE)

    def halved(self, x: NodeId) -> NodeId:
        """The branch that takes the largest of neighbours, at half the size."""
        return self.sketch.add("MaxPool2d", x, name="branch_pool", kernel_size=3, stride=2)

    def joined(self, *branches: NodeId, name: str = "join") -> NodeId:
        """The channels of branches, one behind the other."""
        return self.sketch.add("Concat", *branches, name=name, dim=1)

    def split(self, x: NodeId, stem: str) -> NodeId:
        """A 3×3 filter as a flat one and an upright one, side by side."""
        across = self.conv(x, f"{stem}a", 384, (1, 3))
        down = self.conv(x, f"{stem}b", 384, (3, 1))
        return self.joined(across, down, name=f"{stem}_join")

    # The blocks

    def convolution(self) -> None:
        """The convolution with its norm: any height and width of filter."""
        sketch = self.sketch
        with sketch.block("ConvBNReLU", "A convolution without a bias, batch norm and ReLU."):
            sketch.variable("channels", 32, "channels of the output")
            sketch.variable("kh", 3, "height of the filter")
            sketch.variable("kw", 3, "width of the filter")
            sketch.variable("stride", 1, "step of the filter")
            sketch.variable("padded", 1, "1 where the image keeps its size, else 0")
            x = sketch.input("x", "B", 32, 147, 147)
            padding = ("padded*(kh//2)", "padded*(kw//2)")
            size = {"kernel_size": ("kh", "kw"), "stride": "stride", "padding": padding}
            x = sketch.add("Conv2d", x, name="conv", out_channels="channels", bias=False, **size)
            x = sketch.add("BatchNorm2d", x, name="bn", eps=EPS)
            sketch.output(sketch.add("ReLU", x, name="relu"))

    def a(self) -> None:
        """35×35: small filters, and larger ones as two small ones."""
        sketch = self.sketch
        with sketch.block("InceptionA", "1×1, 5×5 and twice 3×3 filters beside a pooling."):
            sketch.variable("pool_features", 32, "channels of the branch that pools")
            x = sketch.input("x", "B", 192, 35, 35)
            one = self.conv(x, "branch1x1", 64, ONE)
            five = self.row(x, "branch5x5", (48, ONE), (64, (5, 5)))
            three = self.row(x, "branch3x3dbl", (64, ONE), (96, THREE), (96, THREE))
            sketch.output(self.joined(one, five, three, self.pooled(x, "pool_features")))

    def b(self) -> None:
        """From 35×35 to 17×17."""
        sketch = self.sketch
        with sketch.block("InceptionB", "Half the image: filters with a stride beside a pooling."):
            x = sketch.input("x", "B", 288, 35, 35)
            three = self.conv(x, "branch3x3", 384, THREE, stride=2)
            twice = self.row(x, "branch3x3dbl", (64, ONE), (96, THREE), (96, THREE), stride=2)
            sketch.output(self.joined(three, twice, self.halved(x)))

    def c(self) -> None:
        """17×17: 7×7 filters, taken apart into flat and upright ones."""
        sketch = self.sketch
        with sketch.block("InceptionC", "7×7 filters taken apart into 1×7 and 7×1 ones."):
            sketch.variable("c7", 128, "channels within the 7×7 branches")
            x = sketch.input("x", "B", 768, 17, 17)
            one = self.conv(x, "branch1x1", 192, ONE)
            once = self.row(x, "branch7x7", ("c7", ONE), ("c7", FLAT), (192, UPRIGHT))
            within = (("c7", UPRIGHT), ("c7", FLAT), ("c7", UPRIGHT))
            twice = self.row(x, "branch7x7dbl", ("c7", ONE), *within, (192, FLAT))
            sketch.output(self.joined(one, once, twice, self.pooled(x, 192)))

    def d(self) -> None:
        """From 17×17 to 8×8."""
        sketch = self.sketch
        with sketch.block("InceptionD", "Half the image again, after 7×7 filters taken apart."):
            x = sketch.input("x", "B", 768, 17, 17)
            three = self.row(x, "branch3x3", (192, ONE), (320, THREE), stride=2)
            within = ((192, FLAT), (192, UPRIGHT))
            seven = self.row(x, "branch7x7x3", (192, ONE), *within, (192, THREE), stride=2)
            sketch.output(self.joined(three, seven, self.halved(x)))

    def e(self) -> None:
        """8×8: the widest block."""
        sketch = self.sketch
        with sketch.block("InceptionE", "3×3 filters as a 1×3 and a 3×1 one, side by side."):
            x = sketch.input("x", "B", 1280, 8, 8)
            one = self.conv(x, "branch1x1", 320, ONE)
            three = self.split(self.conv(x, "branch3x3_1", 384, ONE), "branch3x3_2")
            twice = self.row(x, "branch3x3dbl", (448, ONE), (384, THREE))
            twice = self.split(twice, "branch3x3dbl_3")
            sketch.output(self.joined(one, three, twice, self.pooled(x, 192)))


ONE, THREE, FLAT, UPRIGHT = (1, 1), (3, 3), (1, 7), (7, 1)


@design("inception-v3")
def inception_v3() -> Sketch:
    """Inception v3 without the extra classifier."""
    sketch = Sketch(
        "Inception v3",
        "Vision",
        "Large filters taken apart into flat, upright and repeated small ones: fewer weights.",
        "Szegedy et al. 2015, Rethinking the Inception Architecture; torchvision, aux_logits=False",
    )
    sketch.dimension("B", "batch")
    sketch.variable("classes", 1000, "classes")
    mixed = Mixed(sketch)
    for block in (mixed.convolution, mixed.a, mixed.b, mixed.c, mixed.d, mixed.e):
        block()
    x = sketch.input("image", "B", 3, 299, 299)
    x = mixed.conv(x, "Conv2d_1a_3x3", 32, THREE, stride=2)
    x = mixed.conv(x, "Conv2d_2a_3x3", 32, THREE, stride=1)
    x = mixed.conv(x, "Conv2d_2b_3x3", 64, THREE)
    x = sketch.add("MaxPool2d", x, name="maxpool1", kernel_size=3, stride=2)
    x = mixed.conv(x, "Conv2d_3b_1x1", 80, ONE)
    x = mixed.conv(x, "Conv2d_4a_3x3", 192, THREE, stride=1)
    x = sketch.add("MaxPool2d", x, name="maxpool2", kernel_size=3, stride=2)
    for name, features in (("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)):
        x = sketch.use("InceptionA", x, name=name, pool_features=features)
    x = sketch.use("InceptionB", x, name="Mixed_6a")
    for name, channels in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
        x = sketch.use("InceptionC", x, name=f"Mixed_{name}", c7=channels)
    x = sketch.use("InceptionD", x, name="Mixed_7a")
    for name in ("Mixed_7b", "Mixed_7c"):
        x = sketch.use("InceptionE", x, name=name)
    classified(sketch, x, 0.5)
    return sketch
