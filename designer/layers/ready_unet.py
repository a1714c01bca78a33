"""Ready-made stages of a U-Net, named as in the reference implementation for PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.composite import Net, Value
from designer.core.layer import layer
from designer.core.option import option
from designer.core.size import Size, value
from designer.layers.act import ReLU
from designer.layers.alike import PadLike
from designer.layers.merge import Concat
from designer.layers.norm import BatchNorm2d
from designer.layers.pool import MaxPool2d
from designer.layers.ready_vision import CHANNELS, IMAGES, ImageBlock, conv
from designer.layers.transposed import ConvTranspose2d
from designer.layers.upsample import Upsample

if TYPE_CHECKING:
    from designer.core.layer import Layer


@layer(
    "DoubleConv",
    family="block",
    aliases=("unet", "u-net convolutions", "conv bn relu twice", "双卷积"),
    title="Double convolution (U-Net)",
    stem="conv",
)
class DoubleConv(ImageBlock):
    """Convolution, batch norm and ReLU, twice, as in U-Net: y = g(f(x)), f = ReLU ∘ BN ∘ conv."""

    in_channels: Size | None = option(None, CHANNELS, min=1)
    out_channels: Size = option(64, "Channels of the output.", min=1)
    mid_channels: Size | None = option(
        None, "Channels between the convolutions; those of the output when empty.", min=1
    )

    def body(self, net: Net, x: Value) -> Value:
        """[N, in_channels, H, W] to [N, out_channels, H, W]."""
        self.channels(net, x)
        middle = net.usual("mid_channels", self.out_channels)
        first = (conv(middle, 3), BatchNorm2d(), ReLU())
        second = (conv(self.out_channels, 3), BatchNorm2d(), ReLU())
        return net.chain("double_conv", (*first, *second), x)


@layer(
    "UNetDown",
    family="block",
    aliases=("unet", "u-net encoder", "contracting path", "downsampling", "下采样", "编码器"),
    title="Down stage (U-Net)",
    stem="down",
)
class UNetDown(ImageBlock):
    """Half the image, then a double convolution, as in U-Net: y = f(pool(x))."""

    in_channels: Size | None = option(None, CHANNELS, min=1)
    out_channels: Size | None = option(
        None, "Channels of the output; twice those of the input when empty.", min=1
    )

    def body(self, net: Net, x: Value) -> Value:
        """[N, in_channels, H, W] to [N, out_channels, H / 2, W / 2]."""
        out = net.usual("out_channels", 2 * self.channels(net, x))
        parts = (MaxPool2d(kernel_size=2), DoubleConv(out_channels=out))
        return net.chain("maxpool_conv", parts, x)


@layer(
    "UNetUp",
    family="block",
    aliases=("unet", "u-net decoder", "expansive path", "skip connection", "上采样", "解码器"),
    title="Up stage (U-Net)",
    stem="up",
)
class UNetUp(ImageBlock):
    """The image doubled and put behind its counterpart, as in U-Net: y = f([skip, up(x)])."""

    in_channels: Size | None = option(None, "Channels of x; inferred when empty.", min=1)
    skip_channels: Size | None = option(None, "Channels of skip; inferred when empty.", min=1)
    out_channels: Size | None = option(
        None, "Channels of the output; those of skip when empty.", min=1
    )
    upsampling: str = option(
        "transposed",
        "How the image is doubled: learned, with half the channels, or interpolated.",
        choices=("transposed", "bilinear"),
    )

    def body(self, net: Net, x: Value, skip: Value) -> Value:
        """[N, in_channels, h, w] and [N, skip_channels, H, W] to [N, out_channels, H, W]."""
        channels = self.channels(net, x)
        self.ranked(skip.tensor, (4,), IMAGES.format("C"), "skip")
        beside = net.size("skip_channels", skip, -3, IMAGES)
        out = net.usual("out_channels", beside)
        h = net.use("up", self._up(channels), x)
        h = net.call(PadLike(), h, skip, called="padded")
        h = net.call(Concat(dim=1), skip, h, called="joined")
        return net.use("conv", DoubleConv(out_channels=out, mid_channels=self._middle(h, out)), h)

    def _up(self, channels: Size) -> Layer:
        if self.upsampling == "bilinear":
            return Upsample(scale_factor=2.0, mode="bilinear", align_corners=True)
        half = channels // 2
        if value(half) == 0:
            template = "{layer} halves in_channels: needs at least {expected}, got {got}."
            raise self.refuse(template, option="in_channels", expected=2, got=channels)
        return ConvTranspose2d(out_channels=half, kernel_size=2, stride=2)

    def _middle(self, joined: Value, out: Size) -> Size:
        """Interpolation leaves all channels; the first convolution halves them."""
        return joined.axis(-3) // 2 if self.upsampling == "bilinear" else out
