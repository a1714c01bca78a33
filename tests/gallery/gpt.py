"""GPT-2 and GPT-3: decoders with learned positions and layer norms before each half of a block."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.gallery import design
from tests.gallery.pieces import heads_apart, heads_together
from tests.gallery.sketch import Sketch

if TYPE_CHECKING:
    from designer.core.graph import NodeId
    from designer.core.option import Raw

WIDTH = "width of the residual stream"
HEADS = "attention heads"
DROPPED = "share of values that training sets to 0"
HIDDEN = "width within the feed-forward layers"

Given = dict[str, "Raw"]


class Sizes(NamedTuple):
    """What a GPT is made of."""

    width: int
    heads: int
    layers: int


def decoder(
    sketch: Sketch, sizes: Sizes, n_ctx: int, p_drop: float = 0.0, d_ff: int | None = None
) -> None:
    """Draw a GPT with its head tied to the embedding; `d_ff` is a variable where it is given."""
    _names(sketch, sizes, n_ctx, p_drop)
    hidden: Given = {}
    if d_ff is not None:
        sketch.variable("d_ff", d_ff, HIDDEN)
        hidden = {"d_ff": "d_ff"}
    _attention(sketch)
    _mlp(sketch, hidden)
    _block(sketch, hidden)
    tokens = sketch.input("tokens", "B", "T", dtype="int64")
    size = {"num_embeddings": "vocab", "embedding_dim": "d_model"}
    wte = sketch.add("Embedding", tokens, name="wte", **size)
    place = {"max_len": "n_ctx", "embedding_dim": "d_model"}
    wpe = sketch.add("PositionEmbedding", tokens, name="wpe", **place)
    x = sketch.add("Add", wte, wpe, name="add")
    x = sketch.add("Dropout", x, name="drop", p="p_drop")
    given = {"d_model": "d_model", "n_heads": "n_heads", "p_drop": "p_drop"}
    x = sketch.use("Block", x, name="h", copies="n_layers", **given, **hidden)
    x = sketch.add("LayerNorm", x, name="ln_f")
    head = sketch.add("Linear", x, name="lm_head", out_features="vocab", bias=False)
    sketch.tie(head, "weight", wte, "weight")
    sketch.output(head, "logits")


def _names(sketch: Sketch, sizes: Sizes, n_ctx: int, p_drop: float) -> None:
    sketch.dimension("B", "batch")
    sketch.dimension("T", "tokens", n_ctx)
    sketch.variable("d_model", sizes.width, WIDTH, "n_heads")
    sketch.variable("n_heads", sizes.heads, HEADS)
    sketch.variable("n_layers", sizes.layers, "blocks")
    sketch.variable("vocab", 50257, "tokens in the vocabulary")
    sketch.variable("n_ctx", n_ctx, "longest sequence")
    sketch.variable("p_drop", p_drop, DROPPED)


def _arguments(sketch: Sketch) -> None:
    sketch.variable("d_model", 768, WIDTH, "n_heads")
    sketch.variable("n_heads", 12, HEADS)
    sketch.variable("p_drop", 0.0, DROPPED)


def _attention(sketch: Sketch) -> None:
    with sketch.block("Attention", "Each position gathers from itself and those before it."):
        _arguments(sketch)
        x = sketch.input("x", "B", "T", "d_model")
        x = sketch.add("Linear", x, name="c_attn", out_features="3*d_model")
        split = sketch.add("Split", x, name="split", chunks=3, dim=-1)
        ports: list[tuple[NodeId, str]] = [(split, name) for name in sketch.ports(split)]
        q, k, v = (
            heads_apart(sketch, port, name, "n_heads")
            for port, name in zip(ports, "qkv", strict=True)
        )
        options = {"is_causal": True, "dropout_p": "p_drop"}
        x = sketch.add("ScaledDotProductAttention", q, k, v, name="sdpa", **options)
        x = heads_together(sketch, x)
        x = sketch.add("Linear", x, name="c_proj", out_features="d_model")
        sketch.output(sketch.add("Dropout", x, name="resid_dropout", p="p_drop"))


def _mlp(sketch: Sketch, hidden: Given) -> None:
    with sketch.block("FeedForward", "Each position by itself, through four times the width."):
        sketch.variable("d_model", 768, WIDTH)
        for name in hidden:
            sketch.variable(name, 3072, HIDDEN)
        sketch.variable("p_drop", 0.0, DROPPED)
        x = sketch.input("x", "B", "T", "d_model")
        width = hidden.get("d_ff", "4*d_model")
        x = sketch.add("Linear", x, name="c_fc", out_features=width)
        x = sketch.add("GELU", x, name="act", approximate="tanh")
        x = sketch.add("Linear", x, name="c_proj", out_features="d_model")
        sketch.output(sketch.add("Dropout", x, name="dropout", p="p_drop"))


def _block(sketch: Sketch, hidden: Given) -> None:
    with sketch.block("Block", "Attention, then the MLP, each behind a norm and on a residual."):
        _arguments(sketch)
        for name in hidden:
            sketch.variable(name, 3072, HIDDEN)
        x = sketch.input("x", "B", "T", "d_model")
        h = sketch.add("LayerNorm", x, name="ln_1")
        given = {"d_model": "d_model", "p_drop": "p_drop"}
        h = sketch.use("Attention", h, name="attn", n_heads="n_heads", **given)
        x = sketch.add("Add", x, h, name="add_1")
        h = sketch.add("LayerNorm", x, name="ln_2")
        h = sketch.use("FeedForward", h, name="mlp", **given, **hidden)
        sketch.output(sketch.add("Add", x, h, name="add_2"))


def _presets(sketch: Sketch, sizes: dict[str, Sizes]) -> None:
    for name, (width, heads, layers) in sizes.items():
        sketch.preset(name, d_model=width, n_heads=heads, n_layers=layers)


@design("gpt2")
def gpt2() -> Sketch:
    """GPT-2 in its four sizes."""
    sketch = Sketch(
        "GPT-2",
        "Language",
        "Twelve to 48 equal blocks on learned positions; the head reuses the token embedding.",
        "Radford et al. 2019, Language Models are Unsupervised Multitask Learners",
    )
    decoder(sketch, Sizes(768, 12, 12), n_ctx=1024, p_drop=0.1)
    sizes = {
        "gpt2": Sizes(768, 12, 12),
        "gpt2-medium": Sizes(1024, 16, 24),
        "gpt2-large": Sizes(1280, 20, 36),
        "gpt2-xl": Sizes(1600, 25, 48),
    }
    _presets(sketch, sizes)
    return sketch


@design("gpt3-175b")
def gpt3() -> Sketch:
    """GPT-3, whose largest size gave the field its best-known number."""
    sketch = Sketch(
        "GPT-3 175B",
        "Language",
        "96 blocks, 12,288 wide, 96 heads of 128: nearly all of it is 12 · d² for each block.",
        "Brown et al. 2020, Language Models are Few-Shot Learners, table 2.1; its 13B of 5,120",
    )
    decoder(sketch, Sizes(12288, 96, 96), n_ctx=2048)
    sizes = {
        "small": Sizes(768, 12, 12),
        "6.7B": Sizes(4096, 32, 32),
        "13B": Sizes(5120, 40, 40),
        "175B": Sizes(12288, 96, 96),
    }
    _presets(sketch, sizes)
    return sketch


@design("gpt-96-layers")
def gpt_96_layers() -> Sketch:
    """The shape of GPT-3, beside a rule of thumb for its count."""
    sketch = Sketch(
        "GPT, 96 layers",
        "Language",
        "The rule L · (2 · d · d_ff + 2 · d²) falls 29.6B short: it has two of the four matrices"
        " of attention, and no embeddings, biases or norms.",
        "96 layers, 12,288 wide, 96 heads of 128, 49,152 within the feed-forward layers",
    )
    decoder(sketch, Sizes(12288, 96, 96), n_ctx=2048, d_ff=49152)
    rule = "n_layers*(2*d_model*d_ff + 2*d_model**2)"
    sketch.variable("rule_of_thumb", rule, "what the rule gives; the design has more")
    return sketch
