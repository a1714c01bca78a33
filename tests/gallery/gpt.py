"""GPT-2 and GPT-3: decoders with learned positions and layer norms before each half of a block."""

from __future__ import annotations

from tests.gallery import design
from tests.gallery.sketch import Sketch


def decoder(sketch: Sketch, *, n_ctx: int, width: int, heads: int, layers: int) -> None:
    """Draw a GPT with its head tied to the embedding."""
    sketch.dimension("B", "batch")
    sketch.dimension("T", "tokens", n_ctx)
    sketch.variable("d_model", width, "width of the residual stream", "n_heads")
    sketch.variable("n_heads", heads, "attention heads")
    sketch.variable("n_layers", layers, "blocks")
    sketch.variable("vocab", 50257, "tokens in the vocabulary")
    sketch.variable("n_ctx", n_ctx, "longest sequence")
    with sketch.block(
        "Block", "Attention, then two layers of width 4 × d_model, each on a residual."
    ):
        sketch.variable("d_model", width, "width of the residual stream", "n_heads")
        sketch.variable("n_heads", heads, "attention heads")
        x = sketch.input("x", "B", "T", "d_model")
        h = sketch.add("LayerNorm", x, name="ln_1")
        h = sketch.add("CausalSelfAttention", h, name="attn", n_heads="n_heads")
        x = sketch.add("Add", x, h, name="add_1")
        h = sketch.add("LayerNorm", x, name="ln_2")
        h = sketch.add("Linear", h, name="c_fc", out_features="4*d_model")
        h = sketch.add("GELU", h, name="act", approximate="tanh")
        h = sketch.add("Linear", h, name="c_proj", out_features="d_model")
        sketch.output(sketch.add("Add", x, h, name="add_2"))
    tokens = sketch.input("tokens", "B", "T", dtype="int64")
    size = {"num_embeddings": "vocab", "embedding_dim": "d_model"}
    wte = sketch.add("Embedding", tokens, name="wte", **size)
    place = {"max_len": "n_ctx", "embedding_dim": "d_model"}
    wpe = sketch.add("PositionEmbedding", tokens, name="wpe", **place)
    x = sketch.add("Add", wte, wpe, name="add")
    given = {"d_model": "d_model", "n_heads": "n_heads"}
    x = sketch.use("Block", x, name="h", copies="n_layers", **given)
    x = sketch.add("LayerNorm", x, name="ln_f")
    head = sketch.add("Linear", x, name="lm_head", out_features="vocab", bias=False)
    sketch.tie(head, "weight", wte, "weight")
    sketch.output(head, "logits")


@design("gpt2")
def gpt2() -> Sketch:
    """GPT-2 in its four sizes."""
    sketch = Sketch(
        "GPT-2",
        "Language",
        "Twelve to 48 equal blocks on learned positions; the head reuses the token embedding.",
        "Radford et al. 2019, Language Models are Unsupervised Multitask Learners",
    )
    decoder(sketch, n_ctx=1024, width=768, heads=12, layers=12)
    sizes = {
        "gpt2": (768, 12, 12),
        "gpt2-medium": (1024, 16, 24),
        "gpt2-large": (1280, 20, 36),
        "gpt2-xl": (1600, 25, 48),
    }
    for name, (width, heads, layers) in sizes.items():
        sketch.preset(name, d_model=width, n_heads=heads, n_layers=layers)
    return sketch


@design("gpt3-175b")
def gpt3() -> Sketch:
    """GPT-3, whose largest size gave the field its best-known number."""
    sketch = Sketch(
        "GPT-3 175B",
        "Language",
        "96 blocks, 12,288 wide, 96 heads of 128: nearly all of it is 12 · d² for each block.",
        "Brown et al. 2020, Language Models are Few-Shot Learners, table 2.1",
    )
    decoder(sketch, n_ctx=2048, width=12288, heads=96, layers=96)
    sizes = {
        "small": (768, 12, 12),
        "6.7B": (4096, 32, 32),
        "13B": (5120, 40, 40),
        "175B": (12288, 96, 96),
    }
    for name, (width, heads, layers) in sizes.items():
        sketch.preset(name, d_model=width, n_heads=heads, n_layers=layers)
    return sketch
