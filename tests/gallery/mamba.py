"""Mamba: a state for each channel in place of attention."""

from __future__ import annotations

from tests.gallery import design
from tests.gallery.llama import given
from tests.gallery.sketch import Sketch

ARGUMENTS: dict[str, tuple[int, str, tuple[int, ...]]] = {
    "d_model": (768, "width of the residual stream", (16,)),
    "d_state": (16, "numbers that each channel keeps", ()),
    "d_conv": (4, "positions that the convolution sees", ()),
}


def _declare(sketch: Sketch) -> None:
    for name, (value, note, divisors) in ARGUMENTS.items():
        sketch.variable(name, value, note, *divisors)


@design("mamba")
def mamba() -> Sketch:
    """Mamba in its five sizes."""
    sketch = Sketch(
        "Mamba",
        "Language",
        "No attention: each channel carries 16 numbers along the text, and chooses what to keep.",
        "Gu and Dao 2023, Mamba: Linear-Time Sequence Modeling with Selective State Spaces",
    )
    sketch.dimension("B", "batch")
    sketch.dimension("T", "tokens", 64)
    _declare(sketch)
    sketch.variable("n_layers", 24, "layers")
    sketch.variable("vocab", 50280, "tokens in the vocabulary")
    with sketch.block("Layer", "A mixer behind a norm, on a residual."):
        _declare(sketch)
        x = sketch.input("x", "B", "T", "d_model")
        h = sketch.add("RMSNorm", x, name="norm", eps=1e-5)
        h = sketch.add("MambaMixer", h, name="mixer", **given("d_state", "d_conv"))
        sketch.output(sketch.add("Add", x, h, name="add"))
    tokens = sketch.input("tokens", "B", "T", dtype="int64")
    size = {"num_embeddings": "vocab", "embedding_dim": "d_model"}
    embedding = sketch.add("Embedding", tokens, name="embeddings", **size)
    layers = {**given(*ARGUMENTS), "copies": "n_layers"}
    x = sketch.use("Layer", embedding, name="layers", **layers)
    x = sketch.add("RMSNorm", x, name="norm_f", eps=1e-5)
    head = sketch.add("Linear", x, name="lm_head", out_features="vocab", bias=False)
    sketch.tie(head, "weight", embedding, "weight")
    sketch.output(head, "logits")
    sizes = {
        "130M": (768, 24),
        "370M": (1024, 48),
        "790M": (1536, 48),
        "1.4B": (2048, 48),
        "2.8B": (2560, 64),
    }
    for name, (width, layers_of) in sizes.items():
        sketch.preset(name, d_model=width, n_layers=layers_of)
    return sketch
