"""Networks that go down to small images and up again, with a bridge at each size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gallery import design
from tests.gallery.sketch import Sketch

if TYPE_CHECKING:
    from designer.core.graph import NodeId
    from designer.core.option import Raw

IMAGE = 572


@design("unet")
def unet() -> Sketch:
    """U-Net with learned upsampling."""
    sketch = Sketch(
        "U-Net",
        "Vision",
        "Down to see more, up to say where: at each size the way up is told what the way down saw.",
        "Ronneberger et al. 2015, U-Net; milesial/Pytorch-UNet, transposed convolutions",
    )
    sketch.dimension("B", "batch")
    sketch.variable("width", 64, "channels of the first level; doubled from level to level")
    sketch.variable("classes", 2, "classes of a pixel")
    double(sketch)
    down(sketch)
    up(sketch)
    x = sketch.input("image", "B", 3, IMAGE, IMAGE)
    levels = [sketch.use("DoubleConvolution", x, name="inc", channels="width")]
    for place in range(1, 5):
        given = {"channels": f"{2**place}*width"}
        levels.append(sketch.use("Down", levels[-1], name=f"down{place}", **given))
    x = levels.pop()
    for place in range(1, 5):
        channels = f"{2 ** (4 - place)}*width" if place < 4 else "width"
        x = sketch.use("Up", x, levels.pop(), name=f"up{place}", channels=channels)
    x = sketch.add("Conv2d", x, name="outc", out_channels="classes", kernel_size=1)
    sketch.output(x, "logits")
    return sketch


def double(sketch: Sketch) -> None:
    """Draw what each level does."""
    with sketch.block("DoubleConvolution", "Convolution, batch norm and ReLU, twice."):
        sketch.variable("channels", 64, "channels of the output")
        x = sketch.input("x", "B", 3, IMAGE, IMAGE)
        for place in (1, 2):
            size = {"kernel_size": 3, "padding": 1, "bias": False}
            x = sketch.add("Conv2d", x, name=f"conv{place}", out_channels="channels", **size)
            x = sketch.add("BatchNorm2d", x, name=f"bn{place}")
            x = sketch.add("ReLU", x, name=f"relu{place}")
        sketch.output(x)


def down(sketch: Sketch) -> None:
    """Draw a level of the way down."""
    with sketch.block("Down", "Half the image, then a double convolution."):
        sketch.variable("channels", 128, "channels of the output")
        x = sketch.input("x", "B", "channels // 2", IMAGE, IMAGE)
        x = sketch.add("MaxPool2d", x, name="pool", kernel_size=2)
        sketch.output(sketch.use("DoubleConvolution", x, name="conv", channels="channels"))


def up(sketch: Sketch) -> None:
    """Draw a level of the way up."""
    with sketch.block("Up", "Twice the image, joined with what the way down saw at this size."):
        sketch.variable("channels", 512, "channels of the output, and of skip")
        x = sketch.input("x", "B", "2*channels", 35, 35)
        skip = sketch.input("skip", "B", "channels", 71, 71)
        size = {"kernel_size": 2, "stride": 2}
        x = sketch.add("ConvTranspose2d", x, name="up", out_channels="channels", **size)
        x = sketch.add("PadLike", x, skip, name="pad")
        x = sketch.add("Concat", skip, x, name="join", dim=1)
        sketch.output(sketch.use("DoubleConvolution", x, name="conv", channels="channels"))


class Diffusion:
    """Draws the U-Net of Stable Diffusion: residual blocks that are told the time, transformers
    that are told the text.
    """

    def __init__(self, sketch: Sketch) -> None:
        self.sketch = sketch

    # Inside blocks

    def ends(self, channels: Raw, size: int) -> tuple[NodeId, NodeId]:
        """The image and the time, which come into each block."""
        self.sketch.variable("channels", 320, "channels of the output")
        x = self.sketch.input("x", "B", channels, size, size)
        return x, self.sketch.input("time", "B", 1280)

    def told(self) -> NodeId:
        """The text, and the heads that look at it."""
        self.sketch.variable("n_heads", 8, "heads of the transformers")
        return self.sketch.input("context", "B", 77, 768)

    def resnet(self, x: NodeId, time: NodeId, place: int) -> NodeId:
        """A residual block that is told the time."""
        size = {"out_channels": "channels"}
        return self.sketch.add("TimeResidualBlock", x, time, name=f"resnet{place}", **size)

    def attention(self, x: NodeId, context: NodeId, place: int) -> NodeId:
        """A transformer that is told the text."""
        heads = {"n_heads": "n_heads"}
        return self.sketch.add("SpatialTransformer", x, context, name=f"attn{place}", **heads)

    def resized(self, x: NodeId, name: str, stride: int) -> NodeId:
        """A convolution behind a change of size, or with one."""
        size = {"kernel_size": 3, "stride": stride, "padding": 1}
        return self.sketch.add("Conv2d", x, name=name, out_channels="channels", **size)

    # Blocks

    def down(self) -> None:
        """A level of the way down, all of whose images the way up will see."""
        with self.sketch.block("Down", "Told the time and the text, twice; then half the image."):
            x, time = self.ends(320, 64)
            context = self.told()
            for place in range(2):
                x = self.attention(self.resnet(x, time, place), context, place)
                self.sketch.output(x, f"h{place}")
            self.sketch.output(self.resized(x, "downsample", 2), "h2")

    def bottom(self) -> None:
        """The last level of the way down."""
        with self.sketch.block("Bottom", "Told the time, twice."):
            x, time = self.ends(1280, 8)
            for place in range(2):
                x = self.resnet(x, time, place)
                self.sketch.output(x, f"h{place}")

    def middle(self) -> None:
        """Between the ways."""
        with self.sketch.block("Middle", "Told the time, the text and the time again."):
            x, time = self.ends(1280, 8)
            context = self.told()
            x = self.attention(self.resnet(x, time, 0), context, 0)
            self.sketch.output(self.resnet(x, time, 1))

    def up(self, name: str, note: str, *, told: bool, last: bool = False) -> None:
        """A level of the way up, with the images of the way down, the last one first."""
        sketch = self.sketch
        with sketch.block(name, note):
            x, time = self.ends(1280, 8)
            context = self.told() if told else None
            skips = [sketch.input(f"skip{place}", "B", 1280, 8, 8) for place in (2, 1, 0)]
            for place, skip in enumerate(skips):
                x = sketch.add("Concat", x, skip, name=f"join{place}", dim=1)
                x = self.resnet(x, time, place)
                x = x if context is None else self.attention(x, context, place)
            if not last:
                x = sketch.add("Upsample", x, name="twice", scale_factor=2.0)
                x = self.resized(x, "upsample", 1)
            sketch.output(x)

    # Levels

    def lowest(self) -> None:
        """Images of 8×8: down, through the middle, and the first step up."""
        sketch = self.sketch
        with sketch.block("Level8", "Images of 8×8: the text is heard in the middle alone."):
            x, time = self.ends("channels", 8)
            context = self.told()
            given = {"channels": "channels"}
            down = sketch.use("Bottom", x, time, name="down", **given)
            heads = {"n_heads": "n_heads", **given}
            y = sketch.use("Middle", (down, "h1"), time, context, name="mid", **heads)
            seen = ((down, "h1"), (down, "h0"), x)
            sketch.output(sketch.use("UpPlain", y, time, *seen, name="up", **given))

    def level(self, size: int, channels: int, inner: str, factor: str) -> None:
        """Images of one size: down, all smaller sizes, and up again."""
        sketch = self.sketch
        with sketch.block(f"Level{size}", f"Images of {size}×{size}, and within all smaller ones."):
            sketch.variable("channels", channels, "channels of the output")
            start = {64: "channels", 32: "channels // 2", 16: "channels // 2"}[size]
            x = sketch.input("x", "B", start, size, size)
            time = sketch.input("time", "B", 1280)
            context = self.told()
            given = {"channels": "channels", "n_heads": "n_heads"}
            down = sketch.use("Down", x, time, context, name="down", **given)
            within = {**given, "channels": factor}
            y = sketch.use(inner, (down, "h2"), time, context, name="inner", **within)
            seen = ((down, "h1"), (down, "h0"), x)
            kind = "Top" if size == 64 else "Up"
            sketch.output(sketch.use(kind, y, time, context, *seen, name="up", **given))


@design("stable-diffusion-unet")
def stable_diffusion() -> Sketch:
    """The network that takes the noise out of images in Stable Diffusion 1."""
    sketch = Sketch(
        "Stable Diffusion U-Net",
        "Generative",
        "Says which part of a noisy image is noise, told how noisy it is and what it shows.",
        "Rombach et al. 2022, Latent Diffusion Models; diffusers UNet2DConditionModel, v1.5",
    )
    sketch.dimension("B", "batch")
    sketch.variable("width", 320, "channels of the first level", 32, "n_heads")
    sketch.variable("n_heads", 8, "heads of each transformer")
    blocks(Diffusion(sketch))
    latent = sketch.input("latent", "B", 4, 64, 64)
    steps = sketch.input("timestep", "B", dtype="int64")
    context = sketch.input("text", "B", 77, 768)
    time = sketch.add("TimeEmbedding", steps, name="time", channels="width")
    size = {"kernel_size": 3, "padding": 1}
    x = sketch.add("Conv2d", latent, name="conv_in", out_channels="width", **size)
    given = {"channels": "width", "n_heads": "n_heads"}
    x = sketch.use("Level64", x, time, context, name="levels", **given)
    x = sketch.add("GroupNorm", x, name="norm_out", num_groups=32)
    x = sketch.add("SiLU", x, name="act_out")
    sketch.output(sketch.add("Conv2d", x, name="conv_out", out_channels=4, **size), "noise")
    return sketch


def blocks(unet: Diffusion) -> None:
    """Draw all blocks, what is within others first."""
    unet.down()
    unet.bottom()
    unet.middle()
    unet.up("UpPlain", "Joins what the way down saw; told the time; twice the image.", told=False)
    unet.up("Up", "Joins what the way down saw; told time and text; twice the image.", told=True)
    note = "Joins what the way down saw; told the time and the text."
    unet.up("Top", note, told=True, last=True)
    unet.lowest()
    unet.level(16, 1280, "Level8", "channels")
    unet.level(32, 640, "Level16", "2*channels")
    unet.level(64, 320, "Level32", "2*channels")
