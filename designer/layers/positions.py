"""Positions that are computed, not learned: waves, and buckets of distances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.code import Attribute, Call, Code, Item, Module, Ref, Support
from designer.core.layer import Layer, Result, layer, same_value
from designer.core.option import option
from designer.core.param import Param, buffer
from designer.core.size import Size, value
from designer.core.tensor import Tensor
from designer.layers.rules import divides

if TYPE_CHECKING:
    from designer.core.layer import Inputs

WAVES = Support(
    "sinusoidal_positions",
    '''
def sinusoidal_positions(
    length: int, width: int, device: torch.device | None = None
) -> Tensor:
    """Sine and cosine in turn, of wavelengths up to 10000 · 2π: [length, width]."""
    steps = torch.arange(0, width, 2, device=device) / width
    positions = torch.arange(length, device=device, dtype=torch.float32)
    angles = torch.outer(positions, 10000.0**-steps)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
''',
)

HALVES = Support(
    "sinusoidal_halves",
    '''
def sinusoidal_halves(
    length: int, width: int, device: torch.device | None = None
) -> Tensor:
    """Sines, then cosines, of wavelengths from 2π to 10000 · 2π: [length, width]."""
    steps = torch.arange(width // 2, device=device) / (width // 2 - 1)
    positions = torch.arange(length, device=device, dtype=torch.float32)
    angles = torch.outer(positions, 10000.0**-steps)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
''',
)

BUCKETS = Support(
    "relative_buckets",
    '''
def relative_buckets(
    x: Tensor,
    num_buckets: int = 32,
    max_distance: int = 128,
    *,
    bidirectional: bool = True,
) -> Tensor:
    """Number the distances between positions of [..., T, C], far ones by logarithm."""
    positions = torch.arange(x.shape[-2], device=x.device)
    distances = positions - positions[:, None]
    buckets = torch.zeros_like(distances)
    if bidirectional:
        num_buckets //= 2
        buckets = num_buckets * (distances > 0)
        distances = distances.abs()
    else:
        distances = (-distances).clamp(min=0)
    exact = num_buckets // 2
    ratio = distances.clamp(min=1).float() / exact
    far = torch.log(ratio) / math.log(max_distance / exact) * (num_buckets - exact)
    far = (exact + far.long()).clamp(max=num_buckets - 1)
    return buckets + torch.where(distances < exact, distances, far)
''',
)

TURNS = ("interleaved", "halves")


@layer(
    "SinusoidalPositions",
    family="embed",
    aliases=("sinusoidal positional encoding", "sin cos", "fixed positions", "正弦位置编码"),
    title="Sinusoidal positions",
    stem="pos",
)
class SinusoidalPositions(Layer):
    """A fixed vector for each position t along axis 1: sin(t·ω), cos(t·ω), ω = 10000^(−2i/d)."""

    embedding_dim: Size | None = option(
        None, "Size of each vector, even; that of the input's last axis when empty.", min=2
    )
    layout: str = option(
        "interleaved",
        "Sine and cosine in turn, or all sines and then all cosines, as in Whisper.",
        choices=TURNS,
    )
    max_len: Size | None = option(
        None, "Rows of a table kept in a buffer; computed each time when empty.", min=1
    )

    def infer(self, x: Tensor) -> Result:
        """[B, T, ...] of any dtype to [T, embedding_dim]."""
        if x.rank is not None and x.rank < 2:
            raise self.refuse("{layer} expects [B, T, ...], got {got}.", port="x", got=x)
        width = x.axis(-1) if self.embedding_dim is None else self.embedding_dim
        self._check_width(width)
        length = x.axis(1)
        self._check_length(length)
        code = self._computed(width) if self.max_len is None else self._kept(width)
        return Result((Tensor((length, width)),), self._params(width), code=code)

    def _check_width(self, width: Size) -> None:
        least = 4 if self.layout == "halves" else 2
        number = value(width)
        if not divides(2, width) or (number is not None and number < least):
            raise self.refuse(
                "{layer} needs an even width of {least} or more, got {got}.",
                option="embedding_dim",
                least=least,
                got=width,
            )

    def _check_length(self, length: Size) -> None:
        if self.max_len is None:
            return
        excess = value(length - self.max_len)
        if excess is not None and excess > 0:
            raise self.refuse(
                "{layer} has {expected} positions, got {got}.",
                port="x",
                option="max_len",
                expected=self.max_len,
                got=length,
            )

    def _params(self, width: Size) -> tuple[Param, ...]:
        return () if self.max_len is None else (buffer("", rows=self.max_len, width=width),)

    @property
    def _support(self) -> Support:
        return HALVES if self.layout == "halves" else WAVES

    def _computed(self, width: Size) -> Code:
        length = Item(Attribute(Ref("x"), "shape"), 1)
        device = (("device", Attribute(Ref("x"), "device")),)
        return Code(Call(self._support, (length, width), device))

    def _kept(self, width: Size) -> Code:
        length = Item(Attribute(Ref("x"), "shape"), 1)
        table = Call(self._support, (self.max_len, width))
        return Code(Item(Module(), slice(None, length)), Call("nn.Buffer", (table,)))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The shape."""
        return str(result.outputs[0])


@layer(
    "RelativeBuckets",
    family="embed",
    aliases=("relative position buckets", "t5 buckets", "distance", "相对位置分桶", "相对位置"),
    title="Relative position buckets",
    stem="buckets",
)
class RelativeBuckets(Layer):
    """Numbers of the distances j − i between positions, far ones in logarithmic steps (T5)."""

    num_buckets: Size = option(32, "How many numbers there are.", min=1)
    max_distance: Size = option(128, "The distance from which all share the last number.", min=1)
    bidirectional: bool = option(True, "Tell positions after from those before.")

    def infer(self, x: Tensor) -> Result:
        """[..., T, C] of any dtype to whole numbers [T, T] below num_buckets."""
        if x.rank is not None and x.rank < 2:
            raise self.refuse("{layer} expects [..., T, C], got {got}.", port="x", got=x)
        self._check_steps()
        length = x.axis(-2)
        both = () if self.bidirectional else (("bidirectional", False),)
        numbers = (self.num_buckets, self.max_distance)
        given = () if all(map(same_value, numbers, (32, 128))) else numbers
        code = Code(Call(BUCKETS, (Ref("x"), *given), both))
        return Result((Tensor((length, length), "int64"),), code=code)

    def _check_steps(self) -> None:
        """Refuse numbers that leave no logarithmic steps between the exact and the last."""
        sides = 2 if self.bidirectional else 1
        exact = value(self.num_buckets // (2 * sides))
        most = value(self.max_distance)
        if exact == 0:
            raise self.refuse(
                "{layer} needs num_buckets from {expected}, got {got}.",
                option="num_buckets",
                expected=2 * sides,
                got=self.num_buckets,
            )
        if exact is not None and most is not None and most <= exact:
            raise self.refuse(
                "{layer} needs max_distance above {expected}, got {got}.",
                option="max_distance",
                expected=exact,
                got=most,
            )

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The largest number and the largest distance."""
        return f"{self.num_buckets} up to {self.max_distance}"
