"""Ready-made attention: projections, heads and positions, named as in known models."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from designer.core.composite import Composite, Net, Value, varies
from designer.core.layer import layer
from designer.core.option import option
from designer.core.size import Size, Verdict, at_values, compare, value
from designer.layers.attn import ScaledDotProductAttention
from designer.layers.linear import Linear
from designer.layers.mask import CausalMask, SoftcappedAttention
from designer.layers.norm import RMSNorm
from designer.layers.reg import Dropout
from designer.layers.rotary import BASE, RotaryEmbedding
from designer.layers.shape import Flatten, Split, Transpose, Unflatten, Unsqueeze

if TYPE_CHECKING:
    from collections.abc import Mapping

    from designer.core.layer import Inputs, Layer, Result

WIDTH = "Size of the last axis of the input; inferred when empty."
MEMORY_WIDTH = "Size of the last axis of the memory; inferred when empty."
BIAS = "Add learned offsets."
DROPOUT = "Share of values that training sets to 0."
HEADS = "Number of heads; divides d_model."
QUERY_HEADS = "Number of query heads."
KV_HEADS = "Heads of key and value, each shared by a group of query heads; n_heads when empty."
HEAD_DIM = "Size of one head; d_model // n_heads when empty."
EVEN_HEAD_DIM = "Size of one head, an even number; d_model // n_heads when empty."
THETA = "Base of the wavelengths of positions."
QKV_BIAS = "Add learned offsets to query, key and value."
QK_NORM = "Normalise each head of query and key, as in Qwen3."
WINDOW = "How many positions each one sees, itself among them; all before it when empty."
SCALE = "Factor of q kᵀ; 1 / √head_dim when empty."
SOFTCAP = "The largest attention score, never reached, as in Gemma 2; 0 for none."
EPS = "Added to the mean square, so that nothing is divided by 0."
SEQUENCES = "[B, T, C] or [T, C]"


def check_heads(layer: Layer, width: Size, heads: Size) -> None:
    """Refuse a width that the heads do not divide."""
    if at_values(heads) == 0 or compare(width, heads * (width // heads)) is Verdict.DIFFERENT:
        template = "{layer} needs n_heads to divide {expected}, got {got}."
        raise layer.refuse(template, option="n_heads", expected=width, got=heads)


def check_divisible(layer: Layer, name: str, got: Size, option: str, divisor: Size) -> None:
    """Refuse an option for which the divisor does not divide the size of that name."""
    if at_values(divisor) == 0 or compare(got, divisor * (got // divisor)) is Verdict.DIFFERENT:
        template = "{layer} expects {name} divisible by {expected}, got {got}."
        raise layer.refuse(template, name=name, option=option, expected=divisor, got=got)


def check_grouped(layer: Layer, heads: Size, shared: Size, head_dim: Size) -> None:
    """Refuse an odd head_dim, and n_kv_heads that do not divide the heads of the query."""
    check_divisible(layer, "head_dim", head_dim, "head_dim", 2)
    check_divisible(layer, "n_heads", heads, "n_kv_heads", shared)


def split_heads(net: Net, x: Value, heads: Size, called: str = "") -> Value:
    """[..., T, heads·d] to [..., heads, T, d]."""
    apart = net.call(Unflatten(unflattened_size=(heads, -1)), x)
    return net.call(Transpose(dim0=-3, dim1=-2), apart, called=called)


def joined_heads(net: Net, x: Value) -> Value:
    """[..., heads, T, d] to [..., T, heads·d]."""
    return net.call(Flatten(start_dim=-2), net.call(Transpose(dim0=-3, dim1=-2), x))


def agreed_memory(net: Net, memory: Value, x: Value) -> Size:
    """The width of an input, refused where that of the memory is another."""
    whole = net.whole
    width, other = x.axis(-1), memory.axis(-1)
    template = "{layer} expects memory [..., {expected}], got {got}."
    whole.same(width, other, whole.refuse(template, port="memory", expected=width, got=other))
    net.size("d_model", memory, -1, "[..., {}]")
    return net.size("d_model", x, -1, "[..., {}]")


def check_head_axis(net: Net, mask: Value, pattern: str) -> None:
    """Refuse a mask or bias of scores whose axis of heads is neither 1 nor n_heads."""
    shape = mask.tensor.shape
    if len(shape) >= 3 and value(shape[-3]) != 1:
        net.size("n_heads", mask, -3, pattern)


@layer(
    "CausalSelfAttention",
    family="block",
    aliases=("gpt attention", "masked self-attention", "decoder attention", "因果自注意力"),
    title="Causal self-attention",
    stem="attn",
)
class CausalSelfAttention(Composite):
    """Attention to oneself and what is before, as in GPT-2: y = softmax(q kᵀ / √d + mask) v Wₒᵀ."""

    d_model: Size | None = option(None, WIDTH, min=1)
    n_heads: Size = option(12, HEADS, min=1)
    dropout: float = option(0.0, DROPOUT, min=0, max=1)
    bias: bool = option(True, BIAS)

    divisors: ClassVar[Mapping[str, tuple[str, ...]]] = {"d_model": ("n_heads",)}

    def body(self, net: Net, x: Value) -> Value:
        """[B, T, d_model] to the same shape."""
        width = net.size("d_model", x, -1, "[..., {}]")
        self.ranked(x.tensor, (2, 3), SEQUENCES)
        check_heads(self, width, self.n_heads)
        h = net.use("c_attn", Linear(out_features=3 * width, bias=self.bias), x)
        names = ("query", "key", "value")
        thirds = zip("qkv", net.parts(Split(chunks=3, dim=-1), h, names), strict=True)
        q, k, v = (split_heads(net, part, self.n_heads, called) for called, part in thirds)
        attention = ScaledDotProductAttention(is_causal=True, dropout_p=self.dropout)
        h = joined_heads(net, net.call(attention, q, k, v))
        back = Linear(in_features=width, out_features=width, bias=self.bias)
        h = net.use("c_proj", back, h)
        return net.use("resid_dropout", Dropout(p=self.dropout), h) if varies(self.dropout) else h

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The number of heads."""
        return f"{self.n_heads} heads"


@layer(
    "MultiQueryAttention",
    family="block",
    aliases=("mqa", "starcoder attention", "one key head", "shared key and value", "多查询注意力"),
    title="Multi-query attention",
    stem="attn",
)
class MultiQueryAttention(Composite):
    """Causal attention with one key head: y = softmax(q kᵀ / √d + mask) v Wₒᵀ."""

    d_model: Size | None = option(None, WIDTH, min=1)
    n_heads: Size = option(12, HEADS, min=1)
    dropout: float = option(0.0, DROPOUT, min=0, max=1)
    bias: bool = option(True, BIAS)

    divisors: ClassVar[Mapping[str, tuple[str, ...]]] = {"d_model": ("n_heads",)}

    def body(self, net: Net, x: Value) -> Value:
        """[B, T, d_model] to the same shape."""
        width = net.size("d_model", x, -1, "[..., {}]")
        self.ranked(x.tensor, (2, 3), SEQUENCES)
        check_heads(self, width, self.n_heads)
        size = width // self.n_heads
        h = net.use("c_attn", Linear(out_features=width + 2 * size, bias=self.bias), x)
        names = ("query", "key", "value")
        query, key, value = net.parts(Split(sizes=(width, size, size), dim=-1), h, names)
        q = split_heads(net, query, self.n_heads, "q")
        k = net.call(Unsqueeze(dim=-3), key, called="k")
        v = net.call(Unsqueeze(dim=-3), value, called="v")
        attention = ScaledDotProductAttention(
            is_causal=True, dropout_p=self.dropout, enable_gqa=True
        )
        h = joined_heads(net, net.call(attention, q, k, v))
        back = Linear(in_features=width, out_features=width, bias=self.bias)
        h = net.use("c_proj", back, h)
        return net.use("resid_dropout", Dropout(p=self.dropout), h) if varies(self.dropout) else h

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The numbers of heads."""
        return f"{self.n_heads} / 1 heads"


@layer(
    "GroupedQueryAttention",
    family="block",
    aliases=("gqa", "mqa", "multi-query attention", "llama attention", "rope", "分组查询注意力"),
    title="Grouped-query attention",
    stem="self_attn",
)
class GroupedQueryAttention(Composite):
    """Causal attention, keys turned and shared, as in Llama: y = softmax(q kᵀ/√d + mask) v Wₒᵀ."""

    d_model: Size | None = option(None, WIDTH, min=1)
    n_heads: Size = option(32, QUERY_HEADS, min=1)
    n_kv_heads: Size | None = option(None, KV_HEADS, min=1)
    head_dim: Size | None = option(None, EVEN_HEAD_DIM, min=1)
    rope_theta: float = option(BASE, THETA, min=1)
    qkv_bias: bool = option(False, QKV_BIAS)
    qk_norm: bool = option(False, QK_NORM)
    eps: float = option(1e-6, "Added to the mean square where heads are normalised.")
    window: int | None = option(None, WINDOW, min=1)
    scale: float | None = option(None, SCALE)
    softcap: float = option(0.0, SOFTCAP, min=0)

    def body(self, net: Net, x: Value) -> Value:
        """[B, T, d_model] to the same shape."""
        width = net.size("d_model", x, -1, "[..., {}]")
        self.ranked(x.tensor, (2, 3), SEQUENCES)
        if self.head_dim is None:
            check_heads(self, width, self.n_heads)
        size = net.usual("head_dim", width // self.n_heads)
        shared = net.usual("n_kv_heads", self.n_heads)
        check_grouped(self, self.n_heads, shared, size)
        q = self._turned(net, "q", x, self.n_heads, size)
        k = self._turned(net, "k", x, shared, size)
        v = split_heads(net, self._projected(net, "v", x, shared * size), shared, "v")
        mask = None
        if self.window is not None:
            mask = net.call(CausalMask(window=self.window), x, called="mask")
        h = joined_heads(net, net.call(self._attention(), q, k, v, mask))
        back = Linear(in_features=self.n_heads * size, out_features=width, bias=False)
        return net.use("o_proj", back, h)

    def _projected(self, net: Net, name: str, x: Value, width: Size) -> Value:
        return net.use(f"{name}_proj", Linear(out_features=width, bias=self.qkv_bias), x)

    def _turned(self, net: Net, name: str, x: Value, heads: Size, size: Size) -> Value:
        """Query or key by head, with its positions."""
        h = self._projected(net, name, x, heads * size)
        h = split_heads(net, h, heads, name)
        if self.qk_norm:
            h = net.use(f"{name}_norm", RMSNorm(normalized_shape=size, eps=self.eps), h)
        return net.call(RotaryEmbedding(theta=self.rope_theta), h, called=f"{name}_rotated")

    def _attention(self) -> ScaledDotProductAttention:
        causal = self.window is None
        if varies(self.softcap):
            return SoftcappedAttention(
                softcap=self.softcap, is_causal=causal, scale=self.scale, enable_gqa=True
            )
        return ScaledDotProductAttention(is_causal=causal, scale=self.scale, enable_gqa=True)

    def varied(self, formal: tuple[str, ...]) -> str:
        """Options that change the body, and whether there is a window."""
        window = "" if self.window is None else "WithWindow"
        return super().varied(formal) + window

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The numbers of heads."""
        shared = self.n_heads if self.n_kv_heads is None else self.n_kv_heads
        return f"{self.n_heads} / {shared} heads"


@layer(
    "ProjectedAttention",
    family="block",
    aliases=(
        *("self-attention", "cross-attention", "bert attention", "whisper attention"),
        *("bart attention", "clip attention", "交叉注意力", "多头注意力"),
    ),
    title="Attention with projections apart",
    stem="attn",
)
class ProjectedAttention(Composite):
    """Attention to the input or a memory: y = softmax(q kᵀ / √d + mask) v Wₒᵀ."""

    d_model: Size | None = option(None, WIDTH, min=1)
    n_heads: Size = option(12, HEADS, min=1)
    d_memory: Size | None = option(None, MEMORY_WIDTH, min=1)
    dropout: float = option(
        0.0, "Share of attention weights that training sets to 0.", min=0, max=1
    )
    bias: bool = option(True, BIAS)
    k_bias: bool = option(True, "Add offsets to the key too, if to the others; not in Whisper.")
    is_causal: bool = option(False, "A position sees itself and those before it only.")

    divisors: ClassVar[Mapping[str, tuple[str, ...]]] = {"d_model": ("n_heads",)}

    def body(
        self, net: Net, x: Value, memory: Value | None = None, attn_mask: Value | None = None
    ) -> Value:
        """x [B, T, d_model], memory [B, S, d_memory], attn_mask [..., T, S] to the shape of x."""
        width = net.size("d_model", x, -1, "[..., {}]")
        self.ranked(x.tensor, (2, 3), SEQUENCES)
        check_heads(self, width, self.n_heads)
        source = x
        if memory is not None:
            self.ranked(memory.tensor, (2, 3), "[B, S, C] or [S, C]", "memory")
            net.size("d_memory", memory, -1, "[..., {}]")
            source = memory
        if attn_mask is not None:
            check_head_axis(net, attn_mask, "attn_mask [..., {}, T, S]")
        own, key = self.bias, self.bias and self.k_bias
        q = self._heads(net, "q", x, Linear(out_features=width, bias=own))
        k = self._heads(net, "k", source, Linear(out_features=width, bias=key))
        v = self._heads(net, "v", source, Linear(out_features=width, bias=own))
        attention = ScaledDotProductAttention(is_causal=self.is_causal, dropout_p=self.dropout)
        h = joined_heads(net, net.call(attention, q, k, v, attn_mask))
        return net.use("out_proj", Linear(in_features=width, out_features=width, bias=own), h)

    def _heads(self, net: Net, name: str, x: Value, projection: Linear) -> Value:
        return split_heads(net, net.use(f"{name}_proj", projection, x), self.n_heads, name)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The number of heads."""
        return f"{self.n_heads} heads"
