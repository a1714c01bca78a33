"""The original Transformer: an encoder, and a decoder that looks at what it made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gallery import design
from tests.gallery.sketch import Sketch

if TYPE_CHECKING:
    from designer.core.graph import NodeId

ARGUMENTS = ("d_model", "n_heads", "d_ff", "p_drop")


@design("transformer-2017")
def transformer() -> Sketch:
    """The base and the big model."""
    sketch = Sketch(
        "Transformer (2017)",
        "Language",
        "Attention is all it has: an encoder of six layers, a decoder of six that looks at it.",
        "Vaswani et al. 2017, Attention Is All You Need; layers of torch.nn.Transformer",
    )
    sketch.dimension("B", "batch")
    sketch.dimension("S", "tokens of the source", 30)
    sketch.dimension("T", "tokens of the target", 30)
    arguments(sketch)
    sketch.variable("n_layers", 6, "layers of the encoder, and of the decoder")
    sketch.variable("vocab", 37_000, "tokens of both languages together")
    encoder_layer(sketch)
    decoder_layer(sketch)
    given = {name: name for name in ARGUMENTS}
    layers = {"copies": "n_layers", **given}
    source = sketch.input("source", "B", "S", dtype="int64")
    owner, x = placed(sketch, source, "source")
    memory = sketch.use("EncoderLayer", x, name="encoder", **layers)
    target = sketch.input("target", "B", "T", dtype="int64")
    embedding, x = placed(sketch, target, "target")
    seen = sketch.add("CausalMask", x, name="seen")
    hidden = sketch.add("LogicalNot", seen, name="later")
    x = sketch.use("DecoderLayer", x, memory, hidden, name="decoder", **layers)
    head = sketch.add("Linear", x, name="generator", out_features="vocab", bias=False)
    sketch.tie(embedding, "weight", owner, "weight")
    sketch.tie(head, "weight", owner, "weight")
    sketch.output(head, "logits")
    base = {"d_model": 512, "n_heads": 8, "d_ff": 2048, "p_drop": 0.1}
    sketch.preset("base", **base)
    sketch.preset("big", **{**base, "d_model": 1024, "n_heads": 16, "d_ff": 4096, "p_drop": 0.3})
    return sketch


def arguments(sketch: Sketch) -> None:
    """Declare what layers and the whole have."""
    sketch.variable("d_model", 512, "width of the residual stream", "n_heads", 2)
    sketch.variable("n_heads", 8, "attention heads")
    sketch.variable("d_ff", 2048, "width within the feed-forward layers")
    sketch.variable("p_drop", 0.1, "share that training sets to 0")


def placed(sketch: Sketch, tokens: NodeId, name: str) -> tuple[NodeId, NodeId]:
    """Draw the vectors of tokens, and those with their positions added."""
    size = {"num_embeddings": "vocab", "embedding_dim": "d_model"}
    embedding = sketch.add("Embedding", tokens, name=f"{name}_embedding", **size)
    x = sketch.add("MultiplyScalar", embedding, name=f"{name}_scaled", value="sqrt(d_model)")
    places = sketch.add("SinusoidalPositions", x, name=f"{name}_positions")
    x = sketch.add("Add", x, places, name=f"{name}_placed")
    return embedding, sketch.add("Dropout", x, name=f"{name}_drop", p="p_drop")


def added(sketch: Sketch, x: NodeId, h: NodeId, place: int) -> NodeId:
    """Draw the end of a part: dropout, the input added, and the norm."""
    h = sketch.add("Dropout", h, name=f"dropout{place}", p="p_drop")
    x = sketch.add("Add", x, h, name=f"add{place}")
    return sketch.add("LayerNorm", x, name=f"norm{place}")


def fed_forward(sketch: Sketch, x: NodeId, place: int) -> NodeId:
    """Draw the two linear layers of each position."""
    h = sketch.add("Linear", x, name="linear1", out_features="d_ff")
    h = sketch.add("ReLU", h, name="relu")
    h = sketch.add("Dropout", h, name="dropout", p="p_drop")
    h = sketch.add("Linear", h, name="linear2", out_features="d_model")
    return added(sketch, x, h, place)


ATTENTION = {
    "num_heads": "n_heads",
    "dropout": "p_drop",
    "batch_first": True,
    "need_weights": False,
}


def encoder_layer(sketch: Sketch) -> None:
    """Draw a layer of the encoder."""
    with sketch.block("EncoderLayer", "Attention to all tokens, then two linear layers."):
        arguments(sketch)
        x = sketch.input("x", "B", "S", "d_model")
        h = sketch.add("MultiheadAttention", x, x, x, name="self_attn", **ATTENTION)
        sketch.output(fed_forward(sketch, added(sketch, x, h, 1), 2))


def decoder_layer(sketch: Sketch) -> None:
    """Draw a layer of the decoder."""
    note = "Attention to tokens before, then to the source, then two linear layers."
    with sketch.block("DecoderLayer", note):
        arguments(sketch)
        x = sketch.input("x", "B", "T", "d_model")
        memory = sketch.input("memory", "B", "S", "d_model")
        hidden = sketch.input("mask", "T", "T", dtype="bool")
        h = sketch.add("MultiheadAttention", x, x, x, name="self_attn", **ATTENTION)
        sketch.wire(hidden, h, "attn_mask")
        x = added(sketch, x, h, 1)
        name = "multihead_attn"
        h = sketch.add("MultiheadAttention", x, memory, memory, name=name, **ATTENTION)
        sketch.output(fed_forward(sketch, added(sketch, x, h, 2), 3))
