"""Ready-made blocks with their norms behind the residual, and positions that are added."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from designer.core.composite import Composite, Net, Value, varies
from designer.core.layer import layer
from designer.core.option import option
from designer.core.size import Size
from designer.layers.embed import PositionEmbedding
from designer.layers.linear import Linear
from designer.layers.merge import Add
from designer.layers.norm import LayerNorm
from designer.layers.positions import TURNS, SinusoidalPositions
from designer.layers.ready import GATES
from designer.layers.ready_attention import (
    DROPOUT,
    HEADS,
    SEQUENCES,
    WIDTH,
    ProjectedAttention,
    check_head_axis,
    check_heads,
)
from designer.layers.reg import Dropout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from designer.core.layer import Inputs, Layer, Result


@layer(
    "BERTBlock",
    family="block",
    aliases=("bert layer", "post-norm", "bidirectional encoder", "roberta", "编码器块", "变换器块"),
    title="BERT block",
    stem="layer",
)
class BERTBlock(Composite):
    """Attention to all positions and an MLP, as in BERT: y = norm(x + f(x))."""

    d_model: Size | None = option(None, WIDTH, min=1)
    n_heads: Size = option(12, HEADS, min=1)
    d_hidden: Size | None = option(None, "Size within the MLP; 4·d_model when empty.", min=1)
    activation: str = option("gelu", "Activation within the MLP.", choices=tuple(GATES))
    dropout: float = option(0.0, DROPOUT, min=0, max=1)
    eps: float = option(1e-12, "Added to the variance, so that nothing is divided by 0.")

    divisors: ClassVar[Mapping[str, tuple[str, ...]]] = {"d_model": ("n_heads",)}

    def body(self, net: Net, x: Value, attn_mask: Value | None = None) -> Value:
        """x [B, T, d_model], attn_mask [..., T, T] to the shape of x."""
        width = net.size("d_model", x, -1, "[..., {}]")
        self.ranked(x.tensor, (2, 3), SEQUENCES)
        check_heads(self, width, self.n_heads)
        hidden = net.usual("d_hidden", 4 * width)
        if attn_mask is not None:
            check_head_axis(net, attn_mask, "attn_mask [..., {}, T, T]")
        attention = ProjectedAttention(n_heads=self.n_heads, dropout=self.dropout)
        h = net.use("attention", attention, x, attn_mask=attn_mask)
        x = self._added(net, "attention", x, h)
        h = net.use("intermediate", Linear(out_features=hidden), x)
        activation: Layer = GATES[str.__str__(self.activation)]
        h = net.use("output", Linear(out_features=width), net.use("act", activation, h))
        return self._added(net, "output", x, h)

    def _added(self, net: Net, name: str, x: Value, h: Value) -> Value:
        """norm(x + h), with dropout of h."""
        if varies(self.dropout):
            h = net.use(f"{name}_drop", Dropout(p=self.dropout), h)
        return net.use(f"{name}_norm", LayerNorm(eps=self.eps), net.call(Add(), x, h))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The number of heads."""
        return f"{self.n_heads} heads"


@layer(
    "PositionalEncoding",
    family="block",
    aliases=("add positions", "learned positions", "sinusoidal", "wpe", "位置编码", "位置嵌入"),
    title="Positional encoding",
    stem="positions",
)
class PositionalEncoding(Composite):
    """A vector per position along axis 1, learned or of waves, added: y = x + p."""

    d_model: Size | None = option(None, WIDTH, min=1)
    source: str = option(
        "learned",
        "A learned table, sine and cosine in turn (2017), or in halves (Whisper).",
        choices=("learned", *TURNS),
    )
    max_len: Size = option(1024, "Rows of the learned table.", min=1)
    dropout: float = option(0.0, DROPOUT, min=0, max=1)

    def body(self, net: Net, x: Value) -> Value:
        """[B, T, d_model] to the same shape."""
        width = net.size("d_model", x, -1, "[..., {}]")
        self.ranked(x.tensor, (3,), "[B, T, C]")
        if self.source == "learned":
            table = PositionEmbedding(max_len=self.max_len, embedding_dim=width)
            positions = net.use("table", table, x)
        else:
            waves = SinusoidalPositions(embedding_dim=width, layout=str.__str__(self.source))
            positions = net.call(waves, x, called="waves")
        h = net.call(Add(), x, positions)
        return net.use("drop", Dropout(p=self.dropout), h) if varies(self.dropout) else h

    def caption(self, result: Result, inputs: Inputs) -> str:
        """Where the positions come from."""
        return str.__str__(self.source)
