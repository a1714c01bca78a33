"""Gemma 2: norms before and after each half of a layer, and every other layer with a window."""

from __future__ import annotations

from tests.gallery import design
from tests.gallery.llama import given
from tests.gallery.sketch import Sketch

ARGUMENTS = {
    "d_model": (3584, "width of the residual stream"),
    "n_heads": (16, "query heads"),
    "n_kv_heads": (8, "heads of key and value"),
    "head_dim": (256, "size of one head"),
    "d_hidden": (14336, "width within the feed-forward layers"),
}
DIVISORS: dict[str, tuple[str | int, ...]] = {"n_heads": ("n_kv_heads",), "head_dim": (2,)}
WINDOW = 4096
SCALE = 256**-0.5


def _declare(sketch: Sketch) -> None:
    for name, (value, note) in ARGUMENTS.items():
        sketch.variable(name, value, note, *DIVISORS.get(name, ()))


@design("gemma-2-9b")
def gemma_2() -> Sketch:
    """Gemma 2 of 9B."""
    sketch = Sketch(
        "Gemma 2 9B",
        "Language",
        "Layers that see 4,096 positions and layers that see all take turns; logits are bounded.",
        "Gemma Team 2024, Gemma 2: Improving Open Language Models at a Practical Size, table 1",
    )
    sketch.dimension("B", "batch")
    sketch.dimension("T", "tokens", 8192)
    _declare(sketch)
    sketch.variable("n_layers", 42, "layers, in pairs", 2)
    sketch.variable("vocab", 256000, "tokens in the vocabulary")
    with sketch.block("Pair", "A layer with a window, then one that sees all before it."):
        _declare(sketch)
        x = sketch.input("x", "B", "T", "d_model")
        sizes = given("n_heads", "n_kv_heads", "head_dim", "d_hidden")
        x = sketch.add("Gemma2Block", x, name="local", window=WINDOW, scale=SCALE, **sizes)
        sketch.output(sketch.add("Gemma2Block", x, name="full", scale=SCALE, **sizes))
    tokens = sketch.input("tokens", "B", "T", dtype="int64")
    size = {"num_embeddings": "vocab", "embedding_dim": "d_model"}
    embedding = sketch.add("Embedding", tokens, name="embed_tokens", **size)
    x = sketch.add("MultiplyScalar", embedding, name="normalizer", value="sqrt(d_model)")
    pairs = {**given(*ARGUMENTS), "copies": "n_layers//2"}
    x = sketch.use("Pair", x, name="pairs", **pairs)
    x = sketch.add("GemmaNorm", x, name="norm")
    head = sketch.add("Linear", x, name="lm_head", out_features="vocab", bias=False)
    sketch.tie(head, "weight", embedding, "weight")
    sketch.output(sketch.add("Softcap", head, name="softcap", cap=30.0), "logits")
    return sketch
