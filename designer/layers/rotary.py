"""Rotary position embedding, which PyTorch lacks: a small function stands in the exported code."""

from __future__ import annotations

from designer.core.code import Call, Code, Ref, Support
from designer.core.layer import Layer, Result, layer, same_value
from designer.core.option import option
from designer.core.size import Verdict, compare
from designer.core.tensor import Tensor
from designer.layers.rules import FLOATS, check_dtype

BASE = 10000.0

ROTATE = Support(
    "apply_rotary",
    '''
def apply_rotary(x: Tensor, theta: float = 10000.0) -> Tensor:
    """Turn the pairs (i, i + d/2) of [..., T, d] by angles that grow along T."""
    half = x.shape[-1] // 2
    steps = torch.arange(half, device=x.device, dtype=torch.float32)
    positions = torch.arange(x.shape[-2], device=x.device, dtype=torch.float32)
    angles = torch.outer(positions, theta ** (-steps / half))
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)
''',
)

ROTATE_PAIRS = Support(
    "apply_rotary_pairs",
    '''
def apply_rotary_pairs(x: Tensor, theta: float = 10000.0) -> Tensor:
    """Turn the pairs (2i, 2i + 1) of [..., T, d] by angles that grow along T."""
    half = x.shape[-1] // 2
    steps = torch.arange(half, device=x.device, dtype=torch.float32)
    positions = torch.arange(x.shape[-2], device=x.device, dtype=torch.float32)
    angles = torch.outer(positions, theta ** (-steps / half))
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack([a * cos - b * sin, b * cos + a * sin], dim=-1).flatten(-2)
''',
)


@layer(
    "RotaryEmbedding",
    family="embed",
    aliases=("rope", "rotary position embedding", "旋转位置编码", "位置编码"),
    title="Rotary embedding",
    stem="rope",
)
class RotaryEmbedding(Layer):
    """Pairs (xᵢ, xᵢ₊d/2) of a query or key, turned by position · θ^(−2i/d), as in Llama."""

    theta: float = option(BASE, "Base of the wavelengths.", min=1)
    interleaved: bool = option(False, "Pair neighbours, x₂ᵢ with x₂ᵢ₊₁, as in DeepSeek.")

    def infer(self, x: Tensor) -> Result:
        """[..., T, d] to the same shape."""
        check_dtype(self, x, FLOATS)
        if x.rank is not None and x.rank < 2:
            raise self.refuse("{layer} expects [..., T, d], got {got}.", port="x", got=x)
        width = x.axis(-1)
        if compare(width, 2 * (width // 2)) is Verdict.DIFFERENT:
            raise self.refuse("{layer} needs an even width, got {got}.", port="x", got=width)
        theta = () if same_value(self.theta, BASE) else (self.theta,)
        turn = ROTATE_PAIRS if self.interleaved else ROTATE
        return Result((x,), code=Code(Call(turn, (Ref("x"), *theta))))
