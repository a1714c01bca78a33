"""Multi-head latent attention: query and key come from few numbers for each position."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.composite import Composite, Net, Value
from designer.core.layer import layer
from designer.core.option import option
from designer.core.size import Size
from designer.layers.attn import ScaledDotProductAttention
from designer.layers.linear import Linear
from designer.layers.merge import Concat
from designer.layers.norm import RMSNorm
from designer.layers.ready_attention import (
    EPS,
    SCALE,
    SEQUENCES,
    THETA,
    WIDTH,
    check_divisible,
    joined_heads,
    split_heads,
)
from designer.layers.rotary import BASE, RotaryEmbedding
from designer.layers.shape import Split, Unsqueeze
from designer.layers.tile import Expand

if TYPE_CHECKING:
    from designer.core.layer import Inputs, Result


@layer(
    "MultiHeadLatentAttention",
    family="block",
    aliases=("mla", "deepseek attention", "latent attention", "low-rank", "多头潜在注意力"),
    title="Multi-head latent attention",
    stem="self_attn",
)
class MultiHeadLatentAttention(Composite):
    """Causal attention to compressed keys and values: k, v = RMSNorm(x Aᵀ) Bᵀ."""

    d_model: Size | None = option(None, WIDTH, min=1)
    n_heads: Size = option(128, "Number of heads.", min=1)
    q_lora_rank: Size | None = option(
        1536, "Size that the query is compressed to; not compressed when empty.", min=1
    )
    kv_lora_rank: Size = option(512, "Size that key and value are compressed to.", min=1)
    qk_nope_head_dim: Size = option(
        128, "Size of the part of a head's query and key without positions.", min=1
    )
    qk_rope_head_dim: Size = option(
        64, "Size of the part with rotary positions, even; all heads share that key.", min=2
    )
    v_head_dim: Size = option(128, "Size of one head's value.", min=1)
    rope_theta: float = option(BASE, THETA, min=1)
    rope_interleave: bool = option(True, "Turn neighbours, not halves, as pairs.")
    eps: float = option(1e-6, EPS)
    scale: float | None = option(None, SCALE.replace("head_dim", "(nope + rope)"))

    def body(self, net: Net, x: Value) -> Value:
        """[B, T, d_model] to the same shape."""
        width = net.size("d_model", x, -1, "[..., {}]")
        self.ranked(x.tensor, (2, 3), SEQUENCES)
        turned = self.qk_rope_head_dim
        check_divisible(self, "qk_rope_head_dim", turned, "qk_rope_head_dim", 2)
        rotary = RotaryEmbedding(theta=self.rope_theta, interleaved=self.rope_interleave)
        q = self._query(net, x, rotary)
        sizes = (self.kv_lora_rank, turned)
        h = net.use("kv_a_proj_with_mqa", Linear(out_features=sum(sizes), bias=False), x)
        kv, k_rope = net.parts(Split(sizes=sizes, dim=-1), h, ("kv", "k_plain"))
        k_nope, v = self._expanded(net, kv)
        k_rope = net.call(Unsqueeze(dim=-3), net.call(rotary, k_rope))
        k_rope = net.call(Expand(size=self._copied(x)), k_rope, called="k_rope")
        k = net.call(Concat(dim=-1), k_nope, k_rope, called="k")
        attention = ScaledDotProductAttention(is_causal=True, scale=self.scale)
        h = joined_heads(net, net.call(attention, q, k, v))
        together = self.n_heads * self.v_head_dim
        return net.use("o_proj", Linear(in_features=together, out_features=width, bias=False), h)

    def _query(self, net: Net, x: Value, rotary: RotaryEmbedding) -> Value:
        """The query by head, its last part with positions."""
        sizes = (self.qk_nope_head_dim, self.qk_rope_head_dim)
        together = Linear(out_features=self.n_heads * sum(sizes), bias=False)
        if self.q_lora_rank is None:
            h = net.use("q_proj", together, x)
        else:
            h = net.use("q_a_proj", Linear(out_features=self.q_lora_rank, bias=False), x)
            h = net.use("q_b_proj", together, net.use("q_a_layernorm", RMSNorm(eps=self.eps), h))
        h = split_heads(net, h, self.n_heads)
        q_nope, q_rope = net.parts(Split(sizes=sizes, dim=-1), h, ("q_nope", "q_plain"))
        q_rope = net.call(rotary, q_rope, called="q_rope")
        return net.call(Concat(dim=-1), q_nope, q_rope, called="q")

    def _expanded(self, net: Net, kv: Value) -> tuple[Value, ...]:
        """Key and value by head from what both are compressed to."""
        sizes = (self.qk_nope_head_dim, self.v_head_dim)
        back = Linear(out_features=self.n_heads * sum(sizes), bias=False)
        h = net.use("kv_b_proj", back, net.use("kv_a_layernorm", RMSNorm(eps=self.eps), kv))
        h = split_heads(net, h, self.n_heads)
        return net.parts(Split(sizes=sizes, dim=-1), h, ("k_nope", "v"))

    def _copied(self, x: Value) -> tuple[Size, ...]:
        """The shape that gives all heads one key."""
        return (self.n_heads, -1, -1) if x.tensor.rank == 2 else (-1, self.n_heads, -1, -1)

    def varied(self, formal: tuple[str, ...]) -> str:
        """Options that change the body, and whether the query is compressed."""
        query = "WithPlainQuery" if self.q_lora_rank is None else ""
        return super().varied(formal) + query

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The number of heads, and what key and value are compressed to."""
        return f"{self.n_heads} heads, {self.kv_lora_rank}"
