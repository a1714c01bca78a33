"""Ready-made blocks of diffusion networks, named as in diffusers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from designer.core.code import Call, Code, Ref, Support
from designer.core.composite import Composite, Net, Value, varies
from designer.core.layer import Layer, Result, layer, same_value
from designer.core.option import option
from designer.core.size import Size, Verdict, compare, value
from designer.core.tensor import Tensor
from designer.layers.act import GELU, SiLU
from designer.layers.alike import ReshapeLike
from designer.layers.attn import ScaledDotProductAttention
from designer.layers.conv import Conv2d
from designer.layers.linear import Linear
from designer.layers.merge import Add, Multiply
from designer.layers.norm import GroupNorm, LayerNorm
from designer.layers.ready_attention import (
    DROPOUT,
    HEADS,
    WIDTH,
    check_heads,
    joined_heads,
    split_heads,
)
from designer.layers.ready_vision import CHANNELS, OUT, ImageBlock
from designer.layers.reg import Dropout
from designer.layers.rules import REAL, check_dtype, floating
from designer.layers.shape import Flatten, Split, Transpose, Unsqueeze

if TYPE_CHECKING:
    from designer.core.layer import Inputs

PERIOD = "The longest wavelength, in turns of 2π."
SHIFT = "Taken off half the size, by which exponents are divided: 0 or 1."
COSINE = "Put the cosines before the sines."
GROUPS = "Groups of channels that are normalised apart from each other."
EPS = "Added to the variance, so that nothing is divided by 0."
SCALARS = "[N]"
CONTEXT = "Size of the last axis of the context; inferred when empty."
HEADS_OF_IMAGES = "Number of heads; divides the channels."
CONTEXTS = "[B, S, C]"
SEQUENCES = "[B, T, C]"

FEATURES = Support(
    "timestep_features",
    '''
def timestep_features(
    t: Tensor,
    dim: int,
    max_period: float = 10000.0,
    shift: float = 0.0,
    cosine_first: bool = True,
) -> Tensor:
    """Sines and cosines of the numbers t, at dim / 2 rates each, on a new last axis."""
    half = dim // 2
    steps = torch.arange(half, device=t.device, dtype=torch.float32)
    angles = t.unsqueeze(-1) * max_period ** (-steps / (half - shift))
    sin, cos = angles.sin(), angles.cos()
    joined = torch.cat([cos, sin] if cosine_first else [sin, cos], dim=-1)
    return joined.to(t.dtype) if t.is_floating_point() else joined
''',
)


@layer(
    "TimestepFeatures",
    family="embed",
    aliases=("sinusoidal embedding", "time step", "fourier features", "时间步编码", "正弦编码"),
    title="Sinusoidal features of a number",
    stem="waves",
)
class TimestepFeatures(Layer):
    """cos(t ωᵢ) and sin(t ωᵢ) of each number, with ωᵢ = max_period^(−i / (dim/2 − shift))."""

    dim: Size = option(128, "Size of the new axis, an even number.", min=2)
    max_period: float = option(10000.0, PERIOD, min=1)
    shift: float = option(0.0, SHIFT, min=0, max=1)
    cosine_first: bool = option(True, COSINE)

    def infer(self, t: Tensor) -> Result:
        """[...] to [..., dim]."""
        check_dtype(self, t, REAL[:-1], "t")
        if compare(self.dim, 2 * (self.dim // 2)) is Verdict.DIFFERENT:
            raise self.refuse("{layer} needs an even dim, got {got}.", option="dim", got=self.dim)
        half = value(self.dim // 2)
        if half is not None and half <= self.shift:
            template = "{layer} needs dim above {expected}, got {got}."
            raise self.refuse(template, option="dim", expected=2 * self.shift, got=self.dim)
        y = Tensor((*t.shape, self.dim), floating(t.dtype), t.partial)
        given = ((o.name, getattr(self, o.name), o.default) for o in self.declared[1:])
        kwargs = tuple((name, v) for name, v, default in given if not same_value(v, default))
        return Result((y,), code=Code(Call(FEATURES, (Ref("t"), self.dim), kwargs)))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The size of the new axis."""
        return str(self.dim)


@layer(
    "TimeEmbedding",
    family="block",
    aliases=("timestep embedding", "diffusion time", "noise level", "时间嵌入", "时间步嵌入"),
    title="Time embedding",
    stem="time_embedding",
)
class TimeEmbedding(Composite):
    """Waves of a time step and two layers, as in diffusion: y = W₂ SiLU(W₁ [cos ωt, sin ωt])."""

    channels: Size = option(128, "Number of sines and cosines, an even number.", min=2)
    d_time: Size | None = option(None, "Size of the output; 4·channels when empty.", min=1)
    max_period: float = option(10000.0, PERIOD, min=1)
    shift: float = option(0.0, SHIFT, min=0, max=1)
    cosine_first: bool = option(True, COSINE)

    def body(self, net: Net, t: Value) -> Value:
        """[N] to [N, d_time]."""
        self.ranked(t.tensor, (1,), SCALARS, "t")
        width = net.usual("d_time", 4 * self.channels)
        waves = TimestepFeatures(
            dim=self.channels,
            max_period=self.max_period,
            shift=self.shift,
            cosine_first=self.cosine_first,
        )
        h = net.call(waves, t)
        h = net.use("linear_1", Linear(out_features=width), h)
        h = net.use("act", SiLU(), h)
        return net.use("linear_2", Linear(out_features=width), h)


@layer(
    "TimeResidualBlock",
    family="block",
    aliases=("resnet block", "diffusion unet", "ddpm", "time-conditioned block", "扩散残差块"),
    title="Residual block with time",
    stem="resnet",
)
class TimeResidualBlock(ImageBlock):
    """Two convolutions with the time between them: y = x + c₂(σ(N(c₁(σ(N(x))) + W σ(t))))."""

    in_channels: Size | None = option(None, CHANNELS, min=1)
    out_channels: Size | None = option(None, OUT, min=1)
    d_time: Size | None = option(None, "Size of the last axis of time; inferred when empty.", min=1)
    groups: Size = option(32, GROUPS, min=1)
    eps: float = option(1e-5, EPS)
    dropout: float = option(0.0, DROPOUT, min=0, max=1)

    def body(self, net: Net, x: Value, time: Value | None = None) -> Value:
        """[N, in_channels, H, W] and [N, d_time], which may lack, to [N, out_channels, H, W]."""
        channels = self.channels(net, x)
        plain = self.keeps(channels, self.out_channels, 1)
        out = channels if plain else net.usual("out_channels", channels)
        act = SiLU()
        h = net.use("act", act, net.use("norm1", self._norm(), x))
        h = net.use("conv1", _conv(out, 3), h)
        if time is not None:
            h = net.call(Add(), h, self._moment(net, time, act, out))
        h = net.use("act", act, net.use("norm2", self._norm(), h))
        h = net.use("drop", Dropout(p=self.dropout), h) if varies(self.dropout) else h
        h = net.use("conv2", _conv(out, 3), h)
        return net.call(Add(), x if plain else net.use("conv_shortcut", _conv(out, 1), x), h)

    def _norm(self) -> GroupNorm:
        return GroupNorm(num_groups=self.groups, eps=self.eps)

    def _moment(self, net: Net, time: Value, act: SiLU, out: Size) -> Value:
        """The time as one number for each channel of an image."""
        self.ranked(time.tensor, (2,), "[N, E]", "time")
        net.size("d_time", time, -1, "[N, {}]")
        t = net.use("time_emb_proj", Linear(out_features=out), net.use("act", act, time))
        return net.call(Unsqueeze(dim=-1), net.call(Unsqueeze(dim=-1), t), called="moment")

    def varied(self, formal: tuple[str, ...]) -> str:
        """Whether there is a convolution in the shortcut, and a time."""
        shortcut = "WithShortcut" if "out_channels" in formal else ""
        return shortcut if "d_time" in formal else f"{shortcut}WithoutTime"


def _conv(channels: Size, kernel: int) -> Conv2d:
    """A convolution with a bias that keeps the size of an image."""
    return Conv2d(out_channels=channels, kernel_size=kernel, padding=kernel // 2)


@layer(
    "SpatialSelfAttention",
    family="block",
    aliases=("attention block", "image self-attention", "diffusion attention", "空间自注意力"),
    title="Spatial self-attention",
    stem="attention",
)
class SpatialSelfAttention(ImageBlock):
    """Attention of all pixels to each other, behind a group norm: y = x + A(norm(x))."""

    in_channels: Size | None = option(None, CHANNELS, min=1)
    n_heads: Size = option(1, HEADS_OF_IMAGES, min=1)
    groups: Size = option(32, GROUPS, min=1)
    eps: float = option(1e-6, EPS)
    dropout: float = option(0.0, DROPOUT, min=0, max=1)

    divisors: ClassVar[Mapping[str, tuple[str, ...]]] = {"in_channels": ("n_heads",)}

    def body(self, net: Net, x: Value) -> Value:
        """[N, in_channels, H, W] to the same shape."""
        channels = self.channels(net, x)
        check_heads(self, channels, self.n_heads)
        norm = GroupNorm(num_groups=self.groups, eps=self.eps)
        h = net.use("group_norm", norm, net.call(Flatten(start_dim=2), x))
        h = net.call(Transpose(dim0=1, dim1=2), h, called="pixels")
        q, k, v = (self._heads(net, name, h, channels) for name in "qkv")
        h = joined_heads(net, net.call(ScaledDotProductAttention(), q, k, v))
        h = net.chain("to_out", _projected(channels, self.dropout), h)
        h = net.call(ReshapeLike(), net.call(Transpose(dim0=1, dim1=2), h), x)
        return net.call(Add(), x, h)

    def _heads(self, net: Net, name: str, x: Value, channels: Size) -> Value:
        """Query, key or value by head."""
        h = net.use(f"to_{name}", Linear(out_features=channels), x)
        return split_heads(net, h, self.n_heads, name)


@layer(
    "ContextAttention",
    family="block",
    aliases=("cross-attention", "text conditioning", "stable diffusion attention", "交叉注意力"),
    title="Attention to a context",
    stem="attn",
)
class ContextAttention(Composite):
    """Attention to a context, or to the input itself: y = softmax(q kᵀ / √d) v Wₒᵀ + b."""

    d_model: Size | None = option(None, WIDTH, min=1)
    n_heads: Size = option(8, HEADS, min=1)
    d_context: Size | None = option(None, CONTEXT, min=1)
    dropout: float = option(0.0, DROPOUT, min=0, max=1)

    divisors: ClassVar[Mapping[str, tuple[str, ...]]] = {"d_model": ("n_heads",)}

    def body(self, net: Net, x: Value, context: Value | None = None) -> Value:
        """[B, T, d_model] and [B, S, d_context], which may lack, to the shape of x."""
        width = net.size("d_model", x, -1, "[B, T, {}]")
        self.ranked(x.tensor, (3,), SEQUENCES)
        check_heads(self, width, self.n_heads)
        source = x
        if context is not None:
            self.ranked(context.tensor, (3,), CONTEXTS, "context")
            net.size("d_context", context, -1, "[B, S, {}]")
            source = context
        q = self._heads(net, "q", x, width)
        k, v = (self._heads(net, name, source, width) for name in "kv")
        h = joined_heads(net, net.call(ScaledDotProductAttention(), q, k, v))
        return net.chain("to_out", _projected(width, self.dropout), h)

    def _heads(self, net: Net, name: str, x: Value, width: Size) -> Value:
        """Query, key or value by head."""
        h = net.use(f"to_{name}", Linear(out_features=width, bias=False), x)
        return split_heads(net, h, self.n_heads, name)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The number of heads."""
        return f"{self.n_heads} heads"


def _projected(width: Size, dropout: float) -> tuple[Layer, ...]:
    """The last layers of attention."""
    back = Linear(in_features=width, out_features=width)
    return (back, Dropout(p=dropout)) if varies(dropout) else (back,)


@layer(
    "ContextBlock",
    family="block",
    aliases=("transformer block", "stable diffusion", "geglu", "cross-attention", "交叉注意力块"),
    title="Transformer block with context",
    stem="block",
)
class ContextBlock(Composite):
    """Attention to oneself, to a context, and GEGLU, each behind a norm: y = x + f(LN(x))."""

    d_model: Size | None = option(None, WIDTH, min=1)
    n_heads: Size = option(8, HEADS, min=1)
    d_context: Size | None = option(None, CONTEXT, min=1)
    d_hidden: Size | None = option(None, "Size within the MLP; 4·d_model when empty.", min=1)
    dropout: float = option(0.0, DROPOUT, min=0, max=1)

    divisors: ClassVar[Mapping[str, tuple[str, ...]]] = {"d_model": ("n_heads",)}

    def body(self, net: Net, x: Value, context: Value | None = None) -> Value:
        """[B, T, d_model] and [B, S, d_context], which may lack, to the shape of x."""
        width = net.size("d_model", x, -1, "[B, T, {}]")
        self.ranked(x.tensor, (3,), SEQUENCES)
        check_heads(self, width, self.n_heads)
        if context is not None:
            self.ranked(context.tensor, (3,), CONTEXTS, "context")
            net.size("d_context", context, -1, "[B, S, {}]")
        to_itself = ContextAttention(n_heads=self.n_heads, dropout=self.dropout)
        h = net.use("attn1", to_itself, net.use("norm1", LayerNorm(), x))
        x = net.call(Add(), x, h, called="mixed")
        to_context = ContextAttention(n_heads=self.n_heads, dropout=self.dropout)
        h = net.use("attn2", to_context, net.use("norm2", LayerNorm(), x), context)
        x = net.call(Add(), x, h, called="told")
        return net.call(Add(), x, self._gated(net, net.use("norm3", LayerNorm(), x), width))

    def _gated(self, net: Net, x: Value, width: Size) -> Value:
        """A linear layer times an activated one, and back."""
        hidden = net.usual("d_hidden", 4 * width)
        both = net.use("ff_proj", Linear(out_features=2 * hidden), x)
        h, gate = net.parts(Split(chunks=2, dim=-1), both, ("linear", "gate"))
        h = net.call(Multiply(), h, net.use("act", GELU(), gate))
        h = net.use("drop", Dropout(p=self.dropout), h) if varies(self.dropout) else h
        return net.use("ff_out", Linear(out_features=width), h)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The number of heads."""
        return f"{self.n_heads} heads"


@layer(
    "SpatialTransformer",
    family="block",
    aliases=(
        "stable diffusion",
        "transformer 2d",
        "cross-attention",
        "latent diffusion",
        "空间变换器",
    ),
    title="Spatial transformer",
    stem="attention",
)
class SpatialTransformer(ImageBlock):
    """A transformer block of pixels with a context, as in Stable Diffusion: y = x + f(norm(x))."""

    in_channels: Size | None = option(None, CHANNELS, min=1)
    n_heads: Size = option(8, HEADS_OF_IMAGES, min=1)
    d_context: Size | None = option(None, CONTEXT, min=1)
    groups: Size = option(32, GROUPS, min=1)
    dropout: float = option(0.0, DROPOUT, min=0, max=1)

    divisors: ClassVar[Mapping[str, tuple[str, ...]]] = {"in_channels": ("n_heads",)}

    def body(self, net: Net, x: Value, context: Value | None = None) -> Value:
        """[N, in_channels, H, W] and [N, S, d_context], which may lack, to the shape of x."""
        channels = self.channels(net, x)
        check_heads(self, channels, self.n_heads)
        if context is not None:
            self.ranked(context.tensor, (3,), CONTEXTS, "context")
            net.size("d_context", context, -1, "[N, S, {}]")
        h = net.use("norm", GroupNorm(num_groups=self.groups, eps=1e-6), x)
        image = net.use("proj_in", _conv(channels, 1), h)
        pixels = net.call(Transpose(dim0=1, dim1=2), net.call(Flatten(start_dim=2), image))
        block = ContextBlock(n_heads=self.n_heads, dropout=self.dropout)
        h = net.use("block", block, pixels, context)
        h = net.call(ReshapeLike(), net.call(Transpose(dim0=1, dim1=2), h), x)
        return net.call(Add(), x, net.use("proj_out", _conv(channels, 1), h))
