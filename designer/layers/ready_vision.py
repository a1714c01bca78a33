"""Ready-made blocks of image networks, named as in torchvision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from designer.core.code import Call, Code, Module
from designer.core.composite import Composite, Net, Part, Value
from designer.core.layer import layer
from designer.core.option import option
from designer.core.size import Size, Verdict, compare, value
from designer.layers.act import GELU, Hardsigmoid, ReLU, ReLU6, Sigmoid, SiLU
from designer.layers.conv import Conv2d
from designer.layers.linear import Linear
from designer.layers.merge import Add, Multiply
from designer.layers.norm import BatchNorm2d, LayerNorm
from designer.layers.pool import AdaptiveAvgPool2d
from designer.layers.shape import Flatten, Permute, Transpose
from designer.layers.source import Parameter

if TYPE_CHECKING:
    from designer.core.layer import Inputs, Layer, Result

IMAGES = "[N, {}, H, W]"
CHANNELS = "Channels of the input; inferred when empty."
STRIDE = "Step of the 3×3 convolution."
LAYER_SCALE = 1e-6
OUT = "Channels of the output; those of the input when empty."
RATIO = "How many times as many channels there are within."

SQUEEZED: Mapping[str, Layer] = {"relu": ReLU(), "silu": SiLU()}
"""Activations between the two layers of squeeze and excitation."""
GATES: Mapping[str, Layer] = {"sigmoid": Sigmoid(), "hardsigmoid": Hardsigmoid()}
"""What makes factors of the numbers that come out of them."""


class ImageBlock(Composite):
    """What blocks of image networks share."""

    def channels(self, net: Net, x: Value) -> Size:
        """The channels of an input [N, C, H, W], which the option may pin."""
        self.ranked(x.tensor, (4,), IMAGES.format("C"))
        return net.size("in_channels", x, -3, IMAGES)

    def keeps(self, channels: Size, out: Size | None, stride: int) -> bool:
        """Whether what comes in can be added to what goes out: `out` channels, or as many."""
        if out is None:
            return stride == 1
        if stride != 1 or compare(channels, out) not in (Verdict.IDENTICAL, Verdict.EQUAL_HERE):
            return False
        template = "{layer} adds its input to {expected} channels, got {got}."
        self.same(out, channels, self.refuse(template, expected=out, got=channels))
        return True

    def caption(self, result: Result, inputs: Inputs) -> str:
        """Channels of input and output: `64 → 128`."""
        x = inputs.get("x")
        before = x[0] if isinstance(x, tuple) else x
        after = result.outputs[0]
        if before is None or min(len(before.shape), len(after.shape)) < 3:
            return ""
        return f"{before.axis(-3)} → {after.axis(-3)}"


def conv(channels: Size, kernel: Size, stride: int = 1, groups: Size = 1) -> Conv2d:
    """A convolution that keeps the size of an image at stride 1; the norm behind it has a bias."""
    return Conv2d(
        out_channels=channels,
        kernel_size=kernel,
        stride=stride,
        padding=kernel // 2,
        groups=groups,
        bias=False,
    )


def share(channels: Size, parts: int) -> Size:
    """One of so many parts of the channels, and one channel at least."""
    part = channels // parts
    return 1 if value(part) == 0 else part


class Residual(ImageBlock):
    """What residual blocks share: where shapes differ, the shortcut is a convolution."""

    def added(self, net: Net, x: Value, h: Value, projection: tuple[Part, ...]) -> Value:
        """The input, or its projection, added to what the convolutions made; then ReLU."""
        shortcut = net.chain("downsample", projection, x) if projection else x
        return net.call(Add(), h, shortcut)

    def varied(self, formal: tuple[str, ...]) -> str:
        """Whether there is a convolution in the shortcut."""
        return "WithDownsample" if "stride" in formal else "WithoutDownsample"


@layer(
    "BasicBlock",
    family="block",
    aliases=("resnet block", "residual block", "resnet-18", "resnet-34", "残差块"),
    title="Basic residual block",
    stem="block",
)
class BasicBlock(Residual):
    """Two 3×3 convolutions f added to the input, as in ResNet-18: y = ReLU(f(x) + x)."""

    in_channels: Size | None = option(None, CHANNELS, min=1)
    out_channels: Size | None = option(None, OUT, min=1)
    stride: int = option(1, "Step of the first convolution.", min=1)

    def body(self, net: Net, x: Value) -> Value:
        """[N, in_channels, H, W] to [N, out_channels, H / stride, W / stride]."""
        channels = self.channels(net, x)
        plain = self.keeps(channels, self.out_channels, self.stride)
        out = channels if plain else net.usual("out_channels", channels)
        stride = 1 if plain else self.stride
        relu = ReLU()
        h = net.use("bn1", BatchNorm2d(), net.use("conv1", conv(out, 3, stride), x))
        h = net.use("conv2", conv(out, 3), net.use("relu", relu, h))
        h = net.use("bn2", BatchNorm2d(), h)
        projection = () if plain else (conv(out, 1, stride), BatchNorm2d())
        return net.use("relu", relu, self.added(net, x, h, projection))


@layer(
    "Bottleneck",
    family="block",
    aliases=("resnet bottleneck", "residual block", "resnet-50", "瓶颈块", "残差块"),
    title="Bottleneck residual block",
    stem="block",
)
class Bottleneck(Residual):
    """1×1, 3×3 and 1×1 convolutions f added to the input, as in ResNet-50: y = ReLU(f(x) + x)."""

    in_channels: Size | None = option(None, CHANNELS, min=1)
    channels_within: Size = option(64, "Channels of the 3×3 convolution.", min=1)
    out_channels: Size | None = option(
        None, "Channels of the output; four times channels_within when empty.", min=1
    )
    stride: int = option(1, STRIDE, min=1)
    groups: int = option(1, "Groups of the 3×3 convolution: 32 in ResNeXt-50.", min=1)

    def body(self, net: Net, x: Value) -> Value:
        """[N, in_channels, H, W] to [N, out_channels, H / stride, W / stride]."""
        within = self.channels_within
        wide = 4 * within if self.out_channels is None else self.out_channels
        channels = self.channels(net, x)
        plain = self.keeps(channels, wide, self.stride)
        stride, out = (1, channels) if plain else (self.stride, wide)
        relu = ReLU()
        h = net.use("bn1", BatchNorm2d(), net.use("conv1", conv(within, 1), x))
        middle = conv(within, 3, stride, self.groups)
        h = net.use("conv2", middle, net.use("relu", relu, h))
        h = net.use("relu", relu, net.use("bn2", BatchNorm2d(), h))
        h = net.use("bn3", BatchNorm2d(), net.use("conv3", conv(out, 1), h))
        projection = () if plain else (conv(out, 1, stride), BatchNorm2d())
        return net.use("relu", relu, self.added(net, x, h, projection))


@layer(
    "SqueezeExcitation",
    family="block",
    aliases=("se block", "channel attention", "senet", "通道注意力", "压缩激励"),
    title="Squeeze and excitation",
    stem="se",
)
class SqueezeExcitation(ImageBlock):
    """Each channel scaled by a number from the means of all: y = x · σ(W₂ ReLU(W₁ mean(x)))."""

    in_channels: Size | None = option(None, CHANNELS, min=1)
    squeeze_channels: Size | None = option(
        None, "Channels between the two layers; a sixteenth of the input's when empty.", min=1
    )
    activation: str = option("relu", "What stands between the two layers.", choices=tuple(SQUEEZED))
    gate: str = option("sigmoid", "What makes factors from 0 to 1.", choices=tuple(GATES))

    def body(self, net: Net, x: Value) -> Value:
        """[N, in_channels, H, W] to the same shape."""
        channels = self.channels(net, x)
        squeezed = net.usual("squeeze_channels", share(channels, 16))
        h = net.use("avgpool", AdaptiveAvgPool2d(output_size=1), x)
        h = net.use("fc1", Conv2d(out_channels=squeezed, kernel_size=1), h)
        h = net.use("act", SQUEEZED[str.__str__(self.activation)], h)
        h = net.use("fc2", Conv2d(out_channels=channels, kernel_size=1), h)
        gate = net.use("scale_activation", GATES[str.__str__(self.gate)], h)
        return net.call(Multiply(), gate, x)


@layer(
    "DepthwiseSeparable",
    family="block",
    aliases=("depthwise separable convolution", "mobilenet block", "xception", "深度可分离卷积"),
    title="Depthwise separable convolution",
    stem="block",
)
class DepthwiseSeparable(ImageBlock):
    """3×3 convolutions of each channel alone, then a 1×1 one, as in MobileNet."""

    in_channels: Size | None = option(None, CHANNELS, min=1)
    out_channels: Size = option(64, "Channels of the output.", min=1)
    stride: int = option(1, STRIDE, min=1)

    def body(self, net: Net, x: Value) -> Value:
        """[N, in_channels, H, W] to [N, out_channels, H / stride, W / stride]."""
        channels = self.channels(net, x)
        relu = ReLU()
        h = net.use("depthwise", conv(channels, 3, self.stride, groups=channels), x)
        h = net.use("relu", relu, net.use("bn1", BatchNorm2d(), h))
        h = net.use("pointwise", conv(self.out_channels, 1), h)
        return net.use("relu", relu, net.use("bn2", BatchNorm2d(), h))


@layer(
    "InvertedResidual",
    family="block",
    aliases=("mbconv", "mobilenet v2 block", "inverted bottleneck", "倒残差块"),
    title="Inverted residual block",
    stem="block",
)
class InvertedResidual(ImageBlock):
    """Channels widened, convolved one by one, narrowed, as in MobileNetV2: y = x + f(x)."""

    in_channels: Size | None = option(None, CHANNELS, min=1)
    out_channels: Size | None = option(None, OUT, min=1)
    stride: int = option(1, STRIDE, min=1)
    expand_ratio: Size = option(6, RATIO, min=1)

    def body(self, net: Net, x: Value) -> Value:
        """[N, in_channels, H, W] to [N, out_channels, H / stride, W / stride]."""
        channels = self.channels(net, x)
        plain = self.keeps(channels, self.out_channels, self.stride)
        out = channels if plain else net.usual("out_channels", channels)
        stride = 1 if plain else self.stride
        h = net.chain("conv", self._chain(channels, out, stride), x)
        return net.call(Add(), x, h) if plain else h

    def _chain(self, channels: Size, out: Size, stride: int) -> tuple[Part, ...]:
        widened = value(self.expand_ratio) != 1
        within = channels * self.expand_ratio if widened else channels
        wide = ((conv(within, 1), BatchNorm2d(), ReLU6()),) if widened else ()
        each = (conv(within, 3, stride, groups=within), BatchNorm2d(), ReLU6())
        return (*wide, each, conv(out, 1), BatchNorm2d())

    def varied(self, formal: tuple[str, ...]) -> str:
        """Whether there are a shortcut and a convolution that widens."""
        shortcut = "WithoutShortcut" if "out_channels" in formal else "WithShortcut"
        return shortcut if "expand_ratio" in formal else f"{shortcut}WithoutExpansion"


@layer(
    "MBConv",
    family="block",
    aliases=("efficientnet", "mobile inverted bottleneck", "efficientnet-b0", "移动倒残差块"),
    title="Mobile inverted bottleneck",
    stem="block",
)
class MBConv(ImageBlock):
    """An inverted residual with squeeze and excitation, as in EfficientNet: y = x + f(x)."""

    in_channels: Size | None = option(None, CHANNELS, min=1)
    out_channels: Size | None = option(None, OUT, min=1)
    kernel_size: Size = option(3, "Filter of the convolution of each channel.", min=1)
    stride: int = option(1, "Step of the convolution of each channel.", min=1)
    expand_ratio: Size = option(6, RATIO, min=1)
    squeeze_channels: Size | None = option(
        None, "Channels squeezed into; a quarter of the input's when empty.", min=1
    )
    activation: str = option("silu", "What stands behind the norms.", choices=tuple(SQUEEZED))

    def body(self, net: Net, x: Value) -> Value:
        """[N, in_channels, H, W] to [N, out_channels, H / stride, W / stride]."""
        channels = self.channels(net, x)
        plain = self.keeps(channels, self.out_channels, self.stride)
        out = channels if plain else net.usual("out_channels", channels)
        stride = 1 if plain else self.stride
        squeezed = net.usual("squeeze_channels", share(channels, 4))
        h = net.chain("block", self._chain(channels, squeezed, out, stride), x)
        return net.call(Add(), h, x) if plain else h

    def _chain(self, channels: Size, squeezed: Size, out: Size, stride: int) -> tuple[Part, ...]:
        act = SQUEEZED[str.__str__(self.activation)]
        widened = value(self.expand_ratio) != 1
        within = channels * self.expand_ratio if widened else channels
        wide = ((conv(within, 1), BatchNorm2d(), act),) if widened else ()
        filters = conv(within, self.kernel_size, stride, groups=within)
        squeeze = SqueezeExcitation(squeeze_channels=squeezed, activation=self.activation)
        return (*wide, (filters, BatchNorm2d(), act), squeeze, (conv(out, 1), BatchNorm2d()))

    def varied(self, formal: tuple[str, ...]) -> str:
        """Whether there are a shortcut and a convolution that widens."""
        shortcut = "WithoutShortcut" if "out_channels" in formal else "WithShortcut"
        return shortcut if "expand_ratio" in formal else f"{shortcut}WithoutExpansion"


@layer(
    "LayerNorm2d",
    family="block",
    aliases=("channels first layer norm", "convnext norm", "通道层归一化", "层归一化"),
    title="Layer norm of channels",
    stem="norm",
)
class LayerNorm2d(ImageBlock):
    """Each pixel over its channels, as in ConvNeXt: y = (x − mean) / √(var + ε) · γ + β."""

    in_channels: Size | None = option(None, CHANNELS, min=1)
    eps: float = option(1e-6, "Added to the variance, so that nothing is divided by 0.")

    def body(self, net: Net, x: Value) -> Value:
        """[N, in_channels, H, W] to the same shape."""
        self.channels(net, x)
        h = net.use("norm", LayerNorm(eps=self.eps), net.call(Permute(dims=(0, 2, 3, 1)), x))
        return net.call(Permute(dims=(0, 3, 1, 2)), h)


class Scale(Parameter):
    """Factors of channels, which start small, so that a deep network starts as the identity."""

    def infer(self) -> Result:
        """[C, 1, 1]."""
        result = super().infer()
        start = Call("torch.full", (self.shape, LAYER_SCALE))
        return replace(result, code=Code(Module(), Call(self.function, (start,))))


@layer(
    "ConvNeXtBlock",
    family="block",
    aliases=("convnext", "cnblock", "7×7 depthwise", "卷积块"),
    title="ConvNeXt block",
    stem="block",
)
class ConvNeXtBlock(ImageBlock):
    """7×7 convolutions of each channel and an MLP, as in ConvNeXt: y = x + γ · MLP(LN(conv(x)))."""

    in_channels: Size | None = option(None, CHANNELS, min=1)

    def body(self, net: Net, x: Value) -> Value:
        """[N, in_channels, H, W] to the same shape."""
        channels = self.channels(net, x)
        filters = Conv2d(out_channels=channels, kernel_size=7, padding=3, groups=channels)
        h = net.use("dwconv", filters, x)
        h = net.call(Permute(dims=(0, 2, 3, 1)), h)
        h = net.use("norm", LayerNorm(eps=1e-6), h)
        h = net.use("pwconv1", Linear(in_features=channels, out_features=4 * channels), h)
        h = net.use("act", GELU(), h)
        h = net.use("pwconv2", Linear(in_features=4 * channels, out_features=channels), h)
        h = net.call(Permute(dims=(0, 3, 1, 2)), h)
        h = net.call(Multiply(), net.use("gamma", Scale(shape=(channels, 1, 1))), h)
        return net.call(Add(), x, h)


@layer(
    "PatchEmbedding",
    family="block",
    aliases=("vit patches", "patch embed", "image tokens", "图像分块", "分块嵌入"),
    title="Patch embedding",
    stem="patch_embed",
)
class PatchEmbedding(ImageBlock):
    """Square patches of an image, each mapped to a vector, as in ViT: [C, H, W] → [HW / p², d]."""

    in_channels: Size | None = option(None, CHANNELS, min=1)
    d_model: Size = option(768, "Size of a patch's vector.", min=1)
    patch_size: Size = option(16, "Width and height of a patch.", min=1)
    bias: bool = option(True, "Add a learned offset.")

    def body(self, net: Net, x: Value) -> Value:
        """[N, in_channels, H, W] to [N, H / patch_size · W / patch_size, d_model]."""
        self.channels(net, x)
        size = self.patch_size
        patches = Conv2d(out_channels=self.d_model, kernel_size=size, stride=size, bias=self.bias)
        h = net.use("proj", patches, x)
        return net.call(Transpose(dim0=1, dim1=2), net.call(Flatten(start_dim=2), h))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The size of a patch."""
        return f"{self.patch_size}×{self.patch_size}"
