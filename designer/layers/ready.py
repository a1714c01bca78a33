"""Ready-made blocks of transformers: composites of simpler layers, named as in known models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from designer.core.composite import Composite, Net, Value, varies
from designer.core.layer import layer
from designer.core.option import option
from designer.core.size import Size, Verdict, at_values, compare
from designer.layers.act import GELU
from designer.layers.attn import ScaledDotProductAttention
from designer.layers.linear import Linear
from designer.layers.reg import Dropout
from designer.layers.shape import Flatten, Split, Transpose, Unflatten

if TYPE_CHECKING:
    from designer.core.layer import Inputs, Layer, Result

WIDTH = "Size of the last axis of the input; inferred when empty."
BIAS = "Add learned offsets."
DROPOUT = "Share of values that training sets to 0."
HEADS = "Number of heads; divides d_model."


def check_heads(layer: Layer, width: Size, heads: Size) -> None:
    """Refuse a width that the heads do not divide."""
    if at_values(heads) == 0 or compare(width, heads * (width // heads)) is Verdict.DIFFERENT:
        template = "{layer} needs n_heads to divide {expected}, got {got}."
        raise layer.refuse(template, option="n_heads", expected=width, got=heads)


def split_heads(net: Net, x: Value, heads: Size, called: str) -> Value:
    """[..., T, heads·d] to [..., heads, T, d]."""
    return net.call(
        Transpose(dim0=-3, dim1=-2),
        net.call(Unflatten(unflattened_size=(heads, -1)), x),
        called=called,
    )


def joined_heads(net: Net, x: Value) -> Value:
    """[..., heads, T, d] to [..., T, heads·d]."""
    return net.call(Flatten(start_dim=-2), net.call(Transpose(dim0=-3, dim1=-2), x))


@layer(
    "CausalSelfAttention",
    family="block",
    aliases=("gpt attention", "masked self-attention", "decoder attention", "因果自注意力"),
    title="Causal self-attention",
    stem="attn",
)
class CausalSelfAttention(Composite):
    """Self-attention in which a position sees itself and those before it, as in GPT-2."""

    d_model: Size | None = option(None, WIDTH, min=1)
    n_heads: Size = option(12, HEADS, min=1)
    dropout: float = option(0.0, DROPOUT, min=0, max=1)
    bias: bool = option(True, BIAS)

    divisors: ClassVar[Mapping[str, tuple[str, ...]]] = {"d_model": ("n_heads",)}

    def body(self, net: Net, x: Value) -> Value:
        """[B, T, d_model] to the same shape."""
        width = net.size("d_model", x, -1, "[B, T, {}]")
        self.ranked(x.tensor, (2, 3), "[B, T, C] or [T, C]")
        check_heads(self, width, self.n_heads)
        h = net.use("c_attn", Linear(out_features=3 * width, bias=self.bias), x)
        q, k, v = net.parts(Split(chunks=3, dim=-1), h, ("query", "key", "value"))
        q, k, v = (
            split_heads(net, part, self.n_heads, called)
            for part, called in ((q, "q"), (k, "k"), (v, "v"))
        )
        attention = ScaledDotProductAttention(is_causal=True, dropout_p=self.dropout)
        h = joined_heads(net, net.call(attention, q, k, v))
        merge = Linear(in_features=width, out_features=width, bias=self.bias)
        h = net.use("c_proj", merge, h)
        return net.use("resid_dropout", Dropout(p=self.dropout), h) if varies(self.dropout) else h

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The number of heads."""
        return f"{self.n_heads} heads"


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
        h = net.use("gelu", GELU(approximate=self.approximate), h)
        h = net.use("c_proj", Linear(out_features=width, bias=self.bias), h)
        return net.use("dropout", Dropout(p=self.dropout), h) if varies(self.dropout) else h
