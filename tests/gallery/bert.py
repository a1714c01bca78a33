"""BERT: an encoder with learned positions and norms behind each half of a layer."""

from __future__ import annotations

from tests.gallery import design
from tests.gallery.llama import given
from tests.gallery.pieces import heads_apart, heads_together
from tests.gallery.sketch import Sketch

EPS = 1e-12
ARGUMENTS: dict[str, tuple[float, str, tuple[str, ...]]] = {
    "d_model": (768, "width of the residual stream", ("n_heads",)),
    "n_heads": (12, "attention heads", ()),
    "d_hidden": (3072, "width within the feed-forward layers", ()),
    "p_drop": (0.1, "share of values that training sets to 0", ()),
}
TABLES = {
    "vocab": (30522, "tokens in the vocabulary"),
    "n_ctx": (512, "longest sequence"),
    "n_types": (2, "segments: first sentence, second sentence"),
}


def _declare(sketch: Sketch, *names: str) -> None:
    for name in names:
        value, note, divisors = ARGUMENTS[name]
        sketch.variable(name, value, note, *(d for d in divisors if d in names))


def _tables(sketch: Sketch) -> None:
    for name, (value, note) in TABLES.items():
        sketch.variable(name, value, note)


def _embeddings(sketch: Sketch) -> None:
    with sketch.block(
        "Embeddings", "Of each token what it is, where it is, and in which sentence."
    ):
        _declare(sketch, "d_model", "p_drop")
        _tables(sketch)
        tokens = sketch.input("tokens", "B", "T", dtype="int64")
        types = sketch.input("token_types", "B", "T", dtype="int64")
        size = {"num_embeddings": "vocab", "embedding_dim": "d_model"}
        words = sketch.add("Embedding", tokens, name="word_embeddings", **size)
        size = {"max_len": "n_ctx", "embedding_dim": "d_model"}
        places = sketch.add("PositionEmbedding", tokens, name="position_embeddings", **size)
        size = {"num_embeddings": "n_types", "embedding_dim": "d_model"}
        sentences = sketch.add("Embedding", types, name="token_type_embeddings", **size)
        x = sketch.add("Add", words, places, sentences, name="add")
        x = sketch.add("LayerNorm", x, name="LayerNorm", eps=EPS)
        sketch.output(sketch.add("Dropout", x, name="dropout", p="p_drop"))


def _attention(sketch: Sketch) -> None:
    text = "Each position gathers from all that the mask shows; the result is added to the input."
    with sketch.block("Attention", text):
        _declare(sketch, "d_model", "n_heads", "p_drop")
        x = sketch.input("x", "B", "T", "d_model")
        mask = sketch.input("mask", "B", 1, 1, "T", dtype="bool")
        q, k, v = (
            heads_apart(
                sketch,
                sketch.add("Linear", x, name=name, out_features="d_model"),
                name[0],
                "n_heads",
            )
            for name in ("query", "key", "value")
        )
        kind = "ScaledDotProductAttention"
        h = sketch.add(kind, q, k, v, mask, name="sdpa", dropout_p="p_drop")
        h = heads_together(sketch, h)
        h = sketch.add("Linear", h, name="dense", out_features="d_model")
        h = sketch.add("Dropout", h, name="dropout", p="p_drop")
        h = sketch.add("Add", x, h, name="add")
        sketch.output(sketch.add("LayerNorm", h, name="LayerNorm", eps=EPS))


def _layer(sketch: Sketch) -> None:
    with sketch.block("Layer", "Attention, then the feed-forward layers; norms stand behind both."):
        _declare(sketch, *ARGUMENTS)
        x = sketch.input("x", "B", "T", "d_model")
        mask = sketch.input("mask", "B", 1, 1, "T", dtype="bool")
        heads = given("d_model", "n_heads", "p_drop")
        x = sketch.use("Attention", x, mask, name="attention", **heads)
        h = sketch.add("Linear", x, name="intermediate", out_features="d_hidden")
        h = sketch.add("GELU", h, name="act")
        h = sketch.add("Linear", h, name="output", out_features="d_model")
        h = sketch.add("Dropout", h, name="dropout", p="p_drop")
        h = sketch.add("Add", x, h, name="add")
        sketch.output(sketch.add("LayerNorm", h, name="LayerNorm", eps=EPS))


def _pooler(sketch: Sketch) -> None:
    with sketch.block("Pooler", "The first position stands for the sentence."):
        _declare(sketch, "d_model")
        x = sketch.input("x", "B", "T", "d_model")
        x = sketch.add("Select", x, name="first", dim=1, index=0)
        x = sketch.add("Linear", x, name="dense", out_features="d_model")
        sketch.output(sketch.add("Tanh", x, name="activation"))


@design("bert")
def bert() -> Sketch:
    """BERT, base and large."""
    sketch = Sketch(
        "BERT",
        "Language",
        "An encoder: every position sees the whole text, before and after it.",
        "Devlin et al. 2019, BERT: Pre-training of Deep Bidirectional Transformers, uncased",
    )
    sketch.dimension("B", "batch")
    sketch.dimension("T", "tokens", 512)
    _declare(sketch, *ARGUMENTS)
    sketch.variable("n_layers", 12, "layers")
    _tables(sketch)
    for draw in (_embeddings, _attention, _layer, _pooler):
        draw(sketch)
    tokens = sketch.input("tokens", "B", "T", dtype="int64")
    types = sketch.input("token_types", "B", "T", dtype="int64")
    mask = sketch.input("mask", "B", 1, 1, "T", dtype="bool")
    tables = given("d_model", "p_drop", *TABLES)
    x = sketch.use("Embeddings", tokens, types, name="embeddings", **tables)
    x = sketch.use("Layer", x, mask, name="layer", copies="n_layers", **given(*ARGUMENTS))
    sketch.output(x, "hidden")
    pooled = sketch.use("Pooler", x, name="pooler", d_model="d_model")
    sketch.output(pooled, "pooled")
    for name, layers, width in (("base", 12, 768), ("large", 24, 1024)):
        sizes = {"n_layers": layers, "n_heads": width // 64, "d_hidden": 4 * width}
        sketch.preset(name, d_model=width, **sizes)
    return sketch
