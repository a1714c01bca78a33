"""Ready-made blocks of transformers: composites of simpler layers, named as in known models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from designer.core.composite import Composite, Net, Value, varies
from designer.core.layer import layer
from designer.core.option import option
from designer.core.size import Size
from designer.layers.act import GELU, ReLU, Sigmoid, SiLU
from designer.layers.arith import MultiplyScalar
from designer.layers.attn import MultiheadAttention
from designer.layers.linear import Linear
from designer.layers.merge import Add, Multiply
from designer.layers.norm import LayerNorm, RMSNorm
from designer.layers.ready_attention import (
    BIAS,
    DROPOUT,
    EPS,
    EVEN_HEAD_DIM,
    HEADS,
    KV_HEADS,
    QK_NORM,
    QKV_BIAS,
    QUERY_HEADS,
    SEQUENCES,
    THETA,
    WIDTH,
    WINDOW,
    CausalSelfAttention,
    GroupedQueryAttention,
    check_grouped,
    check_heads,
)
from designer.layers.reg import Dropout
from designer.layers.rotary import BASE

if TYPE_CHECKING:
    from designer.core.layer import Inputs, Layer, Result

GATES: Mapping[str, Layer] = {
    "silu": SiLU(),
    "gelu": GELU(),
    "gelu_tanh": GELU(approximate="tanh"),
    "relu": ReLU(),
    "sigmoid": Sigmoid(),
}
"""Activations of gated networks: SwiGLU, GeGLU, ReGLU, GLU."""


@layer(
    "MLP",
    family="block",
    aliases=("feed-forward", "ffn", "position-wise", "multilayer perceptron", "前馈网络"),
    stem="mlp",
)
class MLP(Composite):
    """Two linear layers with GELU between them: y = GELU(x W₁ᵀ + b₁) W₂ᵀ + b₂."""

    d_model: Size | None = option(None, WIDTH, min=1)
    d_hidden: Size | None = option(None, "Size between the layers; 4·d_model when empty.", min=1)
    dropout: float = option(0.0, DROPOUT, min=0, max=1)
    bias: bool = option(True, BIAS)
    approximate: str = option("tanh", "How GELU is computed.", choices=("none", "tanh"))

    def body(self, net: Net, x: Value) -> Value:
        """[..., d_model] to the same shape."""
        width = net.size("d_model", x, -1, "[..., {}]")
        hidden = net.usual("d_hidden", 4 * width)
        h = net.use("c_fc", Linear(out_features=hidden, bias=self.bias), x)
        h = net.use("act", GELU(approximate=self.approximate), h)
        h = net.use("c_proj", Linear(out_features=width, bias=self.bias), h)
        return net.use("drop", Dropout(p=self.dropout), h) if varies(self.dropout) else h


@layer(
    "GatedMLP",
    family="block",
    aliases=("swiglu", "geglu", "glu mlp", "llama mlp", "gated feed-forward", "门控前馈网络"),
    title="Gated MLP (SwiGLU)",
    stem="mlp",
)
class GatedMLP(Composite):
    """A linear layer times an activated one, and back: y = (σ(x Gᵀ) · x Uᵀ) Dᵀ."""

    d_model: Size | None = option(None, WIDTH, min=1)
    d_hidden: Size = option(1024, "Size between the layers.", min=1)
    activation: str = option("silu", "Activation of the gate.", choices=tuple(GATES))
    bias: bool = option(False, BIAS)

    def body(self, net: Net, x: Value) -> Value:
        """[..., d_model] to the same shape."""
        width = net.size("d_model", x, -1, "[..., {}]")
        gate = net.use("gate_proj", Linear(out_features=self.d_hidden, bias=self.bias), x)
        act = GATES[str.__str__(self.activation)]
        (gate,) = net.outputs("act_fn", act, ("gate",), gate)
        up = net.use("up_proj", Linear(out_features=self.d_hidden, bias=self.bias), x)
        back = Linear(out_features=width, bias=self.bias)
        return net.use("down_proj", back, net.call(Multiply(), gate, up))


@layer(
    "GPTBlock",
    family="block",
    aliases=("gpt-2 block", "transformer block", "decoder layer", "pre-norm", "变换器块"),
    title="GPT block",
    stem="h",
)
class GPTBlock(Composite):
    """Attention and MLP with layer norms, as in GPT-2: h = x + A(LN(x)), y = h + MLP(LN(h))."""

    d_model: Size | None = option(None, WIDTH, min=1)
    n_heads: Size = option(12, HEADS, min=1)
    d_hidden: Size | None = option(None, "Size within the MLP; 4·d_model when empty.", min=1)
    dropout: float = option(0.0, DROPOUT, min=0, max=1)
    bias: bool = option(True, BIAS)

    divisors: ClassVar[Mapping[str, tuple[str, ...]]] = {"d_model": ("n_heads",)}

    def body(self, net: Net, x: Value) -> Value:
        """[B, T, d_model] to the same shape."""
        width = net.size("d_model", x, -1, "[..., {}]")
        self.ranked(x.tensor, (2, 3), SEQUENCES)
        check_heads(self, width, self.n_heads)
        hidden = net.usual("d_hidden", 4 * width)
        attention = CausalSelfAttention(n_heads=self.n_heads, dropout=self.dropout, bias=self.bias)
        h = net.use("attn", attention, net.use("ln_1", LayerNorm(bias=self.bias), x))
        x = net.call(Add(), x, h, called="mixed")
        mlp = MLP(d_hidden=hidden, dropout=self.dropout, bias=self.bias)
        return net.call(
            Add(), x, net.use("mlp", mlp, net.use("ln_2", LayerNorm(bias=self.bias), x))
        )

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The number of heads."""
        return f"{self.n_heads} heads"


@layer(
    "LlamaBlock",
    family="block",
    aliases=("llama layer", "decoder layer", "rmsnorm swiglu", "mistral", "qwen", "变换器块"),
    title="Llama block",
    stem="layer",
)
class LlamaBlock(Composite):
    """Attention and gated MLP, as in Llama: h = x + A(norm(x)), y = h + MLP(norm(h))."""

    d_model: Size | None = option(None, WIDTH, min=1)
    n_heads: Size = option(32, QUERY_HEADS, min=1)
    n_kv_heads: Size | None = option(None, KV_HEADS, min=1)
    head_dim: Size | None = option(None, EVEN_HEAD_DIM, min=1)
    d_hidden: Size = option(11008, "Size within the MLP.", min=1)
    rope_theta: float = option(BASE, THETA, min=1)
    eps: float = option(1e-5, EPS)
    qkv_bias: bool = option(False, QKV_BIAS)
    qk_norm: bool = option(False, QK_NORM)
    window: int | None = option(None, WINDOW, min=1)

    def body(self, net: Net, x: Value) -> Value:
        """[B, T, d_model] to the same shape."""
        width = net.size("d_model", x, -1, "[..., {}]")
        self.ranked(x.tensor, (2, 3), SEQUENCES)
        if self.head_dim is None:
            check_heads(self, width, self.n_heads)
        shared = net.usual("n_kv_heads", self.n_heads)
        size = net.usual("head_dim", width // self.n_heads)
        check_grouped(self, self.n_heads, shared, size)
        attention = GroupedQueryAttention(
            n_heads=self.n_heads,
            n_kv_heads=shared,
            head_dim=size,
            rope_theta=self.rope_theta,
            qkv_bias=self.qkv_bias,
            qk_norm=self.qk_norm,
            eps=self.eps,
            window=self.window,
        )
        h = net.use("input_layernorm", RMSNorm(eps=self.eps), x)
        x = net.call(Add(), x, net.use("self_attn", attention, h), called="mixed")
        h = net.use("post_attention_layernorm", RMSNorm(eps=self.eps), x)
        return net.call(Add(), x, net.use("mlp", GatedMLP(d_hidden=self.d_hidden), h))

    def varied(self, formal: tuple[str, ...]) -> str:
        """Options that change the body, and whether there is a window."""
        window = "" if self.window is None else "WithWindow"
        return super().varied(formal) + window

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The numbers of heads."""
        shared = self.n_heads if self.n_kv_heads is None else self.n_kv_heads
        return f"{self.n_heads} / {shared} heads"


@layer(
    "EncoderBlock",
    family="block",
    aliases=("vit block", "vision transformer", "pre-norm encoder layer", "编码器块"),
    title="Encoder block (ViT)",
    stem="encoder_layer",
)
class EncoderBlock(Composite):
    """Attention and MLP with layer norms, as in ViT: h = x + A(LN(x)), y = h + MLP(LN(h))."""

    d_model: Size | None = option(None, WIDTH, min=1)
    n_heads: Size = option(12, HEADS, min=1)
    d_hidden: Size | None = option(None, "Size within the MLP; 4·d_model when empty.", min=1)
    dropout: float = option(0.0, DROPOUT, min=0, max=1)
    eps: float = option(1e-6, "Added to the variance, so that nothing is divided by 0.")

    divisors: ClassVar[Mapping[str, tuple[str, ...]]] = {"d_model": ("n_heads",)}

    def body(self, net: Net, x: Value) -> Value:
        """[B, T, d_model] to the same shape."""
        width = net.size("d_model", x, -1, "[..., {}]")
        self.ranked(x.tensor, (2, 3), SEQUENCES)
        check_heads(self, width, self.n_heads)
        hidden = net.usual("d_hidden", 4 * width)
        attention = MultiheadAttention(
            num_heads=self.n_heads, dropout=self.dropout, batch_first=True, need_weights=False
        )
        h = net.use("ln_1", LayerNorm(eps=self.eps), x)
        h = net.use("self_attention", attention, h, h, h)
        h = net.use("drop", Dropout(p=self.dropout), h) if varies(self.dropout) else h
        x = net.call(Add(), x, h, called="mixed")
        drop = Dropout(p=self.dropout)
        mlp = (Linear(out_features=hidden), GELU(), drop, Linear(out_features=width), drop)
        return net.call(
            Add(), x, net.chain("mlp", mlp, net.use("ln_2", LayerNorm(eps=self.eps), x))
        )

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The number of heads."""
        return f"{self.n_heads} heads"


@layer(
    "LoRALinear",
    family="block",
    aliases=("lora", "low-rank adapter", "adapter", "peft", "低秩适配"),
    title="Linear with LoRA",
    stem="fc",
)
class LoRALinear(Composite):
    """A linear layer with a low-rank adapter: y = x Wᵀ + b + s · x Aᵀ Bᵀ."""

    in_features: Size | None = option(None, WIDTH, min=1)
    out_features: Size = option(128, "Size of the last axis of the output.", min=1)
    rank: Size = option(8, "Size between the two layers of the adapter.", min=1)
    scale: float = option(2.0, "Factor of the adapter: alpha / rank.")
    bias: bool = option(True, "Add a learned offset.")

    def body(self, net: Net, x: Value) -> Value:
        """[..., in_features] to [..., out_features]."""
        net.size("in_features", x, -1, "[..., {}]")
        y = net.use("base_layer", Linear(out_features=self.out_features, bias=self.bias), x)
        h = net.use("lora_A", Linear(out_features=self.rank, bias=False), x)
        h = net.use("lora_B", Linear(out_features=self.out_features, bias=False), h)
        h = net.call(MultiplyScalar(value=self.scale), h, called="adapted")
        return net.call(Add(), y, h)
