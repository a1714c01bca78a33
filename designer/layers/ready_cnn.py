"""Ready-made blocks whose branches or layers are joined by channels: GoogLeNet and DenseNet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from designer.core.composite import Net, Value
from designer.core.layer import layer
from designer.core.option import option
from designer.core.size import Size
from designer.layers.act import GELU, Hardswish, LeakyReLU, ReLU, ReLU6, SiLU
from designer.layers.conv import Conv2d
from designer.layers.merge import Concat
from designer.layers.norm import BatchNorm2d
from designer.layers.pool import AvgPool2d, MaxPool2d
from designer.layers.ready_vision import CHANNELS, ImageBlock, conv, share

if TYPE_CHECKING:
    from designer.core.layer import Layer

EPS = "Added to the variance, so that nothing is divided by 0."
GOOGLENET_EPS = 1e-3
WINDOW = 3

ACTIVATIONS: Mapping[str, Layer | None] = {
    "relu": ReLU(),
    "relu6": ReLU6(),
    "leaky_relu": LeakyReLU(),
    "silu": SiLU(),
    "gelu": GELU(),
    "hardswish": Hardswish(),
    "none": None,
}
"""What may stand behind the norm of a convolution."""


@layer(
    "ConvNormAct",
    family="block",
    aliases=("conv bn relu", "convolution block", "basic conv", "cbr", "卷积归一化激活", "卷积块"),
    title="Convolution, norm, activation",
    stem="conv",
)
class ConvNormAct(ImageBlock):
    """Convolution, batch norm and activation, as in GoogLeNet: y = σ(BN(conv(x)))."""

    in_channels: Size | None = option(None, CHANNELS, min=1)
    out_channels: Size = option(64, "Channels of the output.", min=1)
    kernel_size: Size = option(3, "Width and height of the filter.", min=1)
    stride: int = option(1, "Step of the filter.", min=1)
    padding: Size | None = option(None, "Pixels added on all sides; kernel_size // 2 when empty.")
    groups: int = option(1, "Groups of channels that are convolved apart from each other.", min=1)
    activation: str = option("relu", "What stands behind the norm.", choices=tuple(ACTIVATIONS))
    eps: float = option(1e-5, EPS)

    def body(self, net: Net, x: Value) -> Value:
        """[N, in_channels, H, W] to [N, out_channels, H / stride, W / stride]."""
        self.channels(net, x)
        filters = Conv2d(
            out_channels=self.out_channels,
            kernel_size=self.kernel_size,
            stride=self.stride,
            padding=self.kernel_size // 2 if self.padding is None else self.padding,
            groups=self.groups,
            bias=False,
        )
        h = net.use("bn", BatchNorm2d(eps=self.eps), net.use("conv", filters, x))
        activation = ACTIVATIONS[str.__str__(self.activation)]
        return h if activation is None else net.use("act", activation, h)


@layer(
    "InceptionBlock",
    family="block",
    aliases=("googlenet", "inception v1", "four branches", "parallel convolutions", "初始块"),
    title="Inception block",
    stem="inception",
)
class InceptionBlock(ImageBlock):
    """Four branches side by side, as in GoogLeNet: y = [c₁(x), c₃(x), c₅(x), c(pool(x))]."""

    in_channels: Size | None = option(None, CHANNELS, min=1)
    ch1x1: Size = option(64, "Channels of the 1×1 branch.", min=1)
    ch3x3red: Size = option(96, "Channels before the 3×3 convolution.", min=1)
    ch3x3: Size = option(128, "Channels of the 3×3 branch.", min=1)
    ch5x5red: Size = option(16, "Channels before the 5×5 convolution.", min=1)
    ch5x5: Size = option(32, "Channels of the 5×5 branch.", min=1)
    pool_proj: Size = option(32, "Channels of the branch that pools.", min=1)
    kernel5x5: Size = option(
        3, "Filter of the 5×5 branch: 5 in the paper, 3 in torchvision.", min=1
    )
    eps: float = option(GOOGLENET_EPS, EPS)

    def body(self, net: Net, x: Value) -> Value:
        """[N, in_channels, H, W] to [N, ch1x1 + ch3x3 + ch5x5 + pool_proj, H, W]."""
        self.channels(net, x)
        pool = MaxPool2d(kernel_size=WINDOW, stride=1, padding=WINDOW // 2, ceil_mode=True)
        middle = (self._conv(self.ch3x3red, 1), self._conv(self.ch3x3, WINDOW))
        wide = (self._conv(self.ch5x5red, 1), self._conv(self.ch5x5, self.kernel5x5))
        branches = (
            net.use("branch1", self._conv(self.ch1x1, 1), x),
            net.chain("branch2", middle, x),
            net.chain("branch3", wide, x),
            net.chain("branch4", (pool, self._conv(self.pool_proj, 1)), x),
        )
        return net.call(Concat(dim=1), *branches)

    def _conv(self, channels: Size, kernel: Size) -> ConvNormAct:
        return ConvNormAct(out_channels=channels, kernel_size=kernel, eps=self.eps)


@layer(
    "DenseNetLayer",
    family="block",
    aliases=("densenet", "dense connection", "feature reuse", "稠密层", "密集连接"),
    title="Layer of a DenseNet",
    stem="denselayer",
)
class DenseNetLayer(ImageBlock):
    """Norm, ReLU and convolution, twice, put behind the input, as in DenseNet: y = [x, f(x)]."""

    in_channels: Size | None = option(None, CHANNELS, min=1)
    growth_rate: Size = option(32, "Channels that are added.", min=1)
    bn_size: Size = option(4, "Channels between the convolutions, in growth rates.", min=1)

    def body(self, net: Net, x: Value) -> Value:
        """[N, in_channels, H, W] to [N, in_channels + growth_rate, H, W]."""
        self.channels(net, x)
        h = net.use("relu1", ReLU(), net.use("norm1", BatchNorm2d(), x))
        h = net.use("conv1", conv(self.bn_size * self.growth_rate, 1), h)
        h = net.use("relu2", ReLU(), net.use("norm2", BatchNorm2d(), h))
        h = net.use("conv2", conv(self.growth_rate, WINDOW), h)
        return net.call(Concat(dim=1), x, h)


@layer(
    "DenseNetBlock",
    family="block",
    aliases=("densenet", "dense block", "densenet-121", "稠密块", "密集连接"),
    title="Block of a DenseNet",
    stem="denseblock",
)
class DenseNetBlock(ImageBlock):
    """Layers that each see all channels before them, as in DenseNet-121: y = [x, f₁, f₂, …]."""

    in_channels: Size | None = option(None, CHANNELS, min=1)
    num_layers: int = option(6, "Number of layers.", min=1, max=1000)
    growth_rate: Size = option(32, "Channels that each layer adds.", min=1)
    bn_size: Size = option(4, "Channels between the convolutions, in growth rates.", min=1)

    def body(self, net: Net, x: Value) -> Value:
        """[N, in_channels, H, W] to [N, in_channels + num_layers · growth_rate, H, W]."""
        self.channels(net, x)
        for number in range(1, self.num_layers + 1):
            added = DenseNetLayer(growth_rate=self.growth_rate, bn_size=self.bn_size)
            x = net.use(f"denselayer{number}", added, x)
        return x

    def varied(self, formal: tuple[str, ...]) -> str:
        """The number of layers."""
        return f"Of{int(self.num_layers)}"


@layer(
    "DenseNetTransition",
    family="block",
    aliases=("densenet", "transition layer", "compression", "过渡层"),
    title="Transition of a DenseNet",
    stem="transition",
)
class DenseNetTransition(ImageBlock):
    """Fewer channels and half the image, as in DenseNet: y = pool(conv(ReLU(BN(x))))."""

    in_channels: Size | None = option(None, CHANNELS, min=1)
    out_channels: Size | None = option(
        None, "Channels of the output; half those of the input when empty.", min=1
    )

    def body(self, net: Net, x: Value) -> Value:
        """[N, in_channels, H, W] to [N, out_channels, H / 2, W / 2]."""
        out = net.usual("out_channels", share(self.channels(net, x), 2))
        h = net.use("relu", ReLU(), net.use("norm", BatchNorm2d(), x))
        h = net.use("conv", conv(out, 1), h)
        return net.use("pool", AvgPool2d(kernel_size=2, stride=2), h)
