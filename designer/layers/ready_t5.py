"""Ready-made blocks of T5: attention with learned biases of distances, without a scale."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from designer.core.composite import Composite, Net, Value, varies
from designer.core.layer import layer
from designer.core.option import option
from designer.core.size import Size
from designer.layers.arith import MaskedFill
from designer.layers.attn import ScaledDotProductAttention
from designer.layers.embed import Embedding
from designer.layers.linear import Linear
from designer.layers.mask import CausalMask
from designer.layers.math import LogicalNot
from designer.layers.merge import Add, Multiply
from designer.layers.norm import RMSNorm
from designer.layers.positions import RelativeBuckets
from designer.layers.ready import GATES
from designer.layers.ready_attention import (
    DROPOUT,
    EPS,
    HEAD_DIM,
    SEQUENCES,
    WIDTH,
    agreed_memory,
    check_head_axis,
    check_heads,
    joined_heads,
    split_heads,
)
from designer.layers.reg import Dropout
from designer.layers.shape import Permute

if TYPE_CHECKING:
    from designer.core.layer import Inputs, Layer, Result

HEADS = "Number of heads."
HIDDEN = "Size within the feed-forward layers; 4·d_model when empty."
GATED = "Multiply the activated layer with a second one, as in T5 1.1."
ACTIVATION = "What stands between the layers: relu in T5, gelu_tanh in T5 1.1."


def dropped(net: Net, name: str, share: float, x: Value) -> Value:
    """With dropout, where there is any."""
    return net.use(name, Dropout(p=share), x) if varies(share) else x


@layer(
    "RelativePositionBias",
    family="block",
    aliases=("t5 position bias", "relative attention bias", "相对位置偏置", "位置编码"),
    title="Relative position bias (T5)",
    stem="position_bias",
)
class RelativePositionBias(Composite):
    """A learned number by head for each bucket of distances: b = W[bucket(j − i)]."""

    n_heads: Size = option(12, HEADS, min=1)
    num_buckets: Size = option(32, "Numbers that distances are sorted into.", min=1)
    max_distance: Size = option(128, "The distance from which all share a number.", min=1)
    bidirectional: bool = option(True, "Tell positions after from those before; not in a decoder.")

    def body(self, net: Net, x: Value) -> Value:
        """[..., T, C] to [n_heads, T, T]."""
        buckets = RelativeBuckets(
            num_buckets=self.num_buckets,
            max_distance=self.max_distance,
            bidirectional=self.bidirectional,
        )
        h = net.call(buckets, x, called="buckets")
        table = Embedding(num_embeddings=self.num_buckets, embedding_dim=self.n_heads)
        return net.call(Permute(dims=(2, 0, 1)), net.use("relative_attention_bias", table, h))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The size of the table."""
        return f"{self.num_buckets} × {self.n_heads}"


@layer(
    "T5Attention",
    family="block",
    aliases=("unscaled attention", "relative attention", "cross-attention", "T5注意力"),
    title="T5 attention",
    stem="attention",
)
class T5Attention(Composite):
    """Attention with a bias of positions and no scale: y = softmax(q kᵀ + b) v Wₒᵀ."""

    d_model: Size | None = option(None, WIDTH, min=1)
    n_heads: Size = option(12, HEADS, min=1)
    head_dim: Size | None = option(None, HEAD_DIM, min=1)
    dropout: float = option(0.0, DROPOUT, min=0, max=1)
    is_causal: bool = option(False, "A position sees itself and those before it only.")

    def body(
        self, net: Net, x: Value, memory: Value | None = None, position_bias: Value | None = None
    ) -> Value:
        """x [B, T, d_model], memory [B, S, d_model], bias [n_heads, T, S] to the shape of x."""
        self.ranked(x.tensor, (2, 3), SEQUENCES)
        if memory is None:
            width, source = net.size("d_model", x, -1, "[..., {}]"), x
        else:
            self.ranked(memory.tensor, (2, 3), "[B, S, C] or [S, C]", "memory")
            width, source = agreed_memory(net, memory, x), memory
        if self.head_dim is None:
            check_heads(self, width, self.n_heads)
        within = self.n_heads * net.usual("head_dim", width // self.n_heads)
        if position_bias is not None:
            check_head_axis(net, position_bias, "position_bias [{}, T, S]")
        sources = {"query": x, "key": source, "value": source}
        qkv = tuple(self._heads(net, name, within, at) for name, at in sources.items())
        h = joined_heads(net, self._attended(net, qkv, x, position_bias))
        return net.use("o", Linear(in_features=within, out_features=width, bias=False), h)

    def _heads(self, net: Net, name: str, within: Size, x: Value) -> Value:
        h = net.use(name[0], Linear(out_features=within, bias=False), x)
        return split_heads(net, h, self.n_heads, name)

    def _attended(
        self, net: Net, qkv: tuple[Value, ...], x: Value, position_bias: Value | None
    ) -> Value:
        """The values of all heads; a bias hides what comes later where there is one."""
        causal = self.is_causal and position_bias is None
        if self.is_causal and position_bias is not None:
            later = net.call(LogicalNot(), net.call(CausalMask(), x), called="later")
            position_bias = net.call(MaskedFill(), position_bias, later, called="bias")
        attention = ScaledDotProductAttention(is_causal=causal, dropout_p=self.dropout, scale=1.0)
        return net.call(attention, *qkv, position_bias)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The number of heads."""
        return f"{self.n_heads} heads"


@layer(
    "T5FeedForward",
    family="block",
    aliases=("t5 mlp", "t5 ffn", "gated gelu", "feed-forward", "前馈网络"),
    title="T5 feed-forward",
    stem="mlp",
)
class T5FeedForward(Composite):
    """Two linear layers without offsets, the first one gated or not: y = σ(x Wᵀ) Oᵀ."""

    d_model: Size | None = option(None, WIDTH, min=1)
    d_hidden: Size | None = option(None, "Size between the layers; 4·d_model when empty.", min=1)
    gated: bool = option(False, GATED)
    activation: str = option("relu", ACTIVATION, choices=tuple(GATES))
    dropout: float = option(0.0, DROPOUT, min=0, max=1)

    def body(self, net: Net, x: Value) -> Value:
        """[..., d_model] to the same shape."""
        width = net.size("d_model", x, -1, "[..., {}]")
        into = Linear(out_features=net.usual("d_hidden", 4 * width), bias=False)
        activation: Layer = GATES[str.__str__(self.activation)]
        h = net.use("wi_0" if self.gated else "wi", into, x)
        h = net.use("act", activation, h)
        if self.gated:
            h = net.call(Multiply(), h, net.use("wi_1", into, x))
        h = dropped(net, "drop", self.dropout, h)
        return net.use("wo", Linear(out_features=width, bias=False), h)


@dataclass(frozen=True, eq=False)
class T5Layer(Composite):
    """What blocks of encoder and decoder share."""

    d_model: Size | None = option(None, WIDTH, min=1)
    n_heads: Size = option(12, HEADS, min=1)
    head_dim: Size | None = option(None, HEAD_DIM, min=1)
    d_hidden: Size | None = option(None, HIDDEN, min=1)
    gated: bool = option(False, GATED)
    activation: str = option("relu", ACTIVATION, choices=tuple(GATES))
    dropout: float = option(0.0, DROPOUT, min=0, max=1)
    eps: float = option(1e-6, EPS)

    def checked(self, net: Net, width: Size) -> T5Attention:
        """The attention of this block, whose heads divide the width unless they have a size."""
        if self.head_dim is None:
            check_heads(self, width, self.n_heads)
        size = net.usual("head_dim", width // self.n_heads)
        return T5Attention(n_heads=self.n_heads, head_dim=size, dropout=self.dropout)

    def added(self, net: Net, name: str, x: Value, h: Value, called: str = "") -> Value:
        """x + h, with dropout of h."""
        return net.call(Add(), x, dropped(net, f"{name}_drop", self.dropout, h), called=called)

    def fed(self, net: Net, x: Value, width: Size) -> Value:
        """The feed-forward layers behind their norm, added."""
        hidden = net.usual("d_hidden", 4 * width)
        mlp = T5FeedForward(
            d_hidden=hidden, gated=self.gated, activation=self.activation, dropout=self.dropout
        )
        h = net.use("mlp", mlp, net.use("mlp_norm", RMSNorm(eps=self.eps), x))
        return self.added(net, "mlp", x, h)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The number of heads."""
        return f"{self.n_heads} heads"


@layer(
    "T5Block",
    family="block",
    aliases=("t5 encoder layer", "t5 layer", "relative positions", "编码器块", "变换器块"),
    title="T5 encoder block",
    stem="block",
)
class T5Block(T5Layer):
    """Attention and feed-forward layers behind norms, as in T5: y = x + f(norm(x))."""

    def body(self, net: Net, x: Value, position_bias: Value | None = None) -> Value:
        """x [B, T, d_model], position_bias [n_heads, T, T] to the shape of x."""
        width = net.size("d_model", x, -1, "[..., {}]")
        self.ranked(x.tensor, (2, 3), SEQUENCES)
        attention = self.checked(net, width)
        if position_bias is not None:
            check_head_axis(net, position_bias, "position_bias [{}, T, T]")
        h = net.use("attention_norm", RMSNorm(eps=self.eps), x)
        h = net.use("attention", attention, h, position_bias=position_bias)
        return self.fed(net, self.added(net, "attention", x, h, "mixed"), width)


@layer(
    "T5DecoderBlock",
    family="block",
    aliases=("t5 decoder layer", "cross-attention", "encoder-decoder", "解码器块", "变换器块"),
    title="T5 decoder block",
    stem="block",
)
class T5DecoderBlock(T5Layer):
    """Causal, then cross-attention, then an MLP, as in T5: y = x + f(norm(x))."""

    def body(self, net: Net, x: Value, memory: Value, position_bias: Value | None = None) -> Value:
        """x [B, T, d_model], memory [B, S, d_model], bias [n_heads, T, T] to the shape of x."""
        self.ranked(x.tensor, (2, 3), SEQUENCES)
        self.ranked(memory.tensor, (2, 3), "[B, S, C] or [S, C]", "memory")
        width = agreed_memory(net, memory, x)
        attention = self.checked(net, width)
        if position_bias is not None:
            check_head_axis(net, position_bias, "position_bias [{}, T, T]")
        h = net.use("attention_norm", RMSNorm(eps=self.eps), x)
        h = net.use("attention", replace(attention, is_causal=True), h, position_bias=position_bias)
        x = self.added(net, "attention", x, h, "mixed")
        h = net.use("cross_norm", RMSNorm(eps=self.eps), x)
        h = net.use("cross_attention", attention, h, memory=memory)
        return self.fed(net, self.added(net, "cross", x, h, "informed"), width)
