"""Ready-made blocks of Gemma 2, named as in transformers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.composite import Composite, Net, Value
from designer.core.layer import layer
from designer.core.option import option
from designer.core.size import Size
from designer.layers.act import Tanh
from designer.layers.arith import AddScalar, DivideScalar, MultiplyScalar
from designer.layers.merge import Add, Multiply
from designer.layers.norm import RMSNorm
from designer.layers.ready import GatedMLP
from designer.layers.ready_attention import (
    EPS,
    EVEN_HEAD_DIM,
    KV_HEADS,
    QUERY_HEADS,
    SCALE,
    SEQUENCES,
    SOFTCAP,
    THETA,
    WIDTH,
    WINDOW,
    GroupedQueryAttention,
    check_grouped,
    check_heads,
)
from designer.layers.rotary import BASE
from designer.layers.source import Parameter

if TYPE_CHECKING:
    from designer.core.layer import Inputs, Result


@layer(
    "GemmaNorm",
    family="block",
    aliases=("gemma rms norm", "zero-centred rmsnorm", "root mean square", "均方根归一化"),
    title="RMS norm of Gemma",
    stem="norm",
)
class GemmaNorm(Composite):
    """RMS norm whose scale is learned from 1: y = x / √(mean(x²) + ε) · (1 + γ)."""

    d_model: Size | None = option(None, WIDTH, min=1)
    eps: float = option(1e-6, EPS)

    def body(self, net: Net, x: Value) -> Value:
        """[..., d_model] to the same shape."""
        width = net.size("d_model", x, -1, "[..., {}]")
        h = net.use("norm", RMSNorm(eps=self.eps, elementwise_affine=False), x)
        weight = net.use("weight", Parameter(shape=(width,)))
        return net.call(Multiply(), h, net.call(AddScalar(value=1.0), weight, called="scale"))


@layer(
    "Softcap",
    family="block",
    aliases=("logit soft-capping", "bounded tanh", "gemma logits", "软上限"),
    title="Soft cap",
    stem="softcap",
)
class Softcap(Composite):
    """Values kept between −c and c, as the logits of Gemma 2: y = c · tanh(x / c)."""

    cap: float = option(30.0, "The largest value, c, which is never reached.")

    def body(self, net: Net, x: Value) -> Value:
        """[...] to the same shape."""
        h = net.use("tanh", Tanh(), net.call(DivideScalar(value=self.cap), x))
        return net.call(MultiplyScalar(value=self.cap), h)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The largest value."""
        return f"± {self.cap:g}"


@layer(
    "Gemma2Block",
    family="block",
    aliases=("gemma layer", "gemma 2", "decoder layer", "sandwich norm", "变换器块"),
    title="Gemma 2 block",
    stem="layer",
)
class Gemma2Block(Composite):
    """Attention and MLP between norms, as in Gemma 2: y = x + norm(f(norm(x)))."""

    d_model: Size | None = option(None, WIDTH, min=1)
    n_heads: Size = option(16, QUERY_HEADS, min=1)
    n_kv_heads: Size | None = option(8, KV_HEADS, min=1)
    head_dim: Size | None = option(256, EVEN_HEAD_DIM, min=1)
    d_hidden: Size = option(14336, "Size within the MLP.", min=1)
    rope_theta: float = option(BASE, THETA, min=1)
    eps: float = option(1e-6, EPS)
    window: int | None = option(None, WINDOW, min=1)
    scale: float | None = option(None, SCALE.replace(".", ": 1 / √query_pre_attn_scalar."))
    softcap: float = option(50.0, SOFTCAP, min=0)

    def body(self, net: Net, x: Value) -> Value:
        """[B, T, d_model] to the same shape."""
        width = net.size("d_model", x, -1, "[..., {}]")
        self.ranked(x.tensor, (2, 3), SEQUENCES)
        if self.head_dim is None:
            check_heads(self, width, self.n_heads)
        norm = GemmaNorm(eps=self.eps)
        h = net.use("self_attn", self._attention(net, width), net.use("input_layernorm", norm, x))
        h = net.use("post_attention_layernorm", norm, h)
        x = net.call(Add(), x, h, called="mixed")
        mlp = GatedMLP(d_hidden=self.d_hidden, activation="gelu_tanh")
        h = net.use("mlp", mlp, net.use("pre_feedforward_layernorm", norm, x))
        return net.call(Add(), x, net.use("post_feedforward_layernorm", norm, h))

    def _attention(self, net: Net, width: Size) -> GroupedQueryAttention:
        shared = net.usual("n_kv_heads", self.n_heads)
        size = net.usual("head_dim", width // self.n_heads)
        check_grouped(self, self.n_heads, shared, size)
        return GroupedQueryAttention(
            n_heads=self.n_heads,
            n_kv_heads=shared,
            head_dim=size,
            rope_theta=self.rope_theta,
            window=self.window,
            scale=self.scale,
            softcap=self.softcap,
        )

    def varied(self, formal: tuple[str, ...]) -> str:
        """Options that change the body, and whether there is a window."""
        window = "" if self.window is None else "WithWindow"
        return super().varied(formal) + window

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The numbers of heads."""
        shared = self.n_heads if self.n_kv_heads is None else self.n_kv_heads
        return f"{self.n_heads} / {shared} heads"
