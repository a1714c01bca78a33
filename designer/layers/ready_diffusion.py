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
from designer.layers.act import SiLU
from designer.layers.alike import ReshapeLike
from designer.layers.attn import ScaledDotProductAttention
from designer.layers.conv import Conv2d
from designer.layers.linear import Linear
from designer.layers.merge import Add
from designer.layers.norm import GroupNorm
from designer.layers.ready_attention import DROPOUT, joined_heads, split_heads
from designer.layers.ready_vision import CHANNELS, OUT, ImageBlock
from designer.layers.reg import Dropout
from designer.layers.rules import REAL, check_dtype, divides, floating
from designer.layers.shape import Flatten, Transpose, Unsqueeze

if TYPE_CHECKING:
    from designer.core.layer import Inputs

PERIOD = "The longest wavelength, in turns of 2π."
SHIFT = "Taken off half the size, by which exponents are divided: 0 or 1."
COSINE = "Put the cosines before the sines."
GROUPS = "Groups of channels that are normalised apart from each other."
EPS = "Added to the variance, so that nothing is divided by 0."
SCALARS = "[N]"

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
    n_heads: Size = option(1, "Number of heads; divides the channels.", min=1)
    groups: Size = option(32, GROUPS, min=1)
    eps: float = option(1e-6, EPS)
    dropout: float = option(0.0, DROPOUT, min=0, max=1)

    divisors: ClassVar[Mapping[str, tuple[str, ...]]] = {"in_channels": ("n_heads",)}

    def body(self, net: Net, x: Value) -> Value:
        """[N, in_channels, H, W] to the same shape."""
        channels = self.channels(net, x)
        self._check_heads(channels)
        norm = GroupNorm(num_groups=self.groups, eps=self.eps)
        h = net.use("group_norm", norm, net.call(Flatten(start_dim=2), x))
        h = net.call(Transpose(dim0=1, dim1=2), h, called="pixels")
        q, k, v = (self._heads(net, name, h, channels) for name in "qkv")
        h = joined_heads(net, net.call(ScaledDotProductAttention(), q, k, v))
        back = Linear(in_features=channels, out_features=channels)
        drop = (Dropout(p=self.dropout),) if varies(self.dropout) else ()
        h = net.chain("to_out", (back, *drop), h)
        h = net.call(ReshapeLike(), net.call(Transpose(dim0=1, dim1=2), h), x)
        return net.call(Add(), x, h)

    def _heads(self, net: Net, name: str, x: Value, channels: Size) -> Value:
        """Query, key or value by head."""
        h = net.use(f"to_{name}", Linear(out_features=channels), x)
        return split_heads(net, h, self.n_heads, name)

    def _check_heads(self, channels: Size) -> None:
        if not divides(self.n_heads, channels):
            template = "{layer} needs n_heads to divide {expected}, got {got}."
            raise self.refuse(template, option="n_heads", expected=channels, got=self.n_heads)
