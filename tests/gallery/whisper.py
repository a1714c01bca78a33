"""Whisper: speech as 3,000 frames of 80 frequencies in, text out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core import edits
from tests.gallery import design
from tests.gallery.llama import given
from tests.gallery.sketch import Sketch

if TYPE_CHECKING:
    from designer.core.graph import NodeId
    from designer.core.option import Raw

HEADS: dict[str, Raw] = {"n_heads": "n_heads", "k_bias": False}
BODY = ("d_model", "n_heads")


def _declare(sketch: Sketch) -> None:
    sketch.variable("d_model", 768, "width of the residual stream", "n_heads", 4)
    sketch.variable("n_heads", 12, "attention heads")


def _attended(sketch: Sketch, x: NodeId, name: str, *memory: NodeId, **options: Raw) -> NodeId:
    """Attention behind its norm, on a residual."""
    h = sketch.add("LayerNorm", x, name=f"{name}_layer_norm")
    h = sketch.add("ProjectedAttention", h, *memory, name=name, **HEADS, **options)
    return sketch.add("Add", x, h, name=f"{name}_add")


def _fed(sketch: Sketch, x: NodeId) -> NodeId:
    """Feed-forward layers behind their norm, on a residual."""
    h = sketch.add("LayerNorm", x, name="final_layer_norm")
    h = sketch.add("Linear", h, name="fc1", out_features="4*d_model")
    h = sketch.add("GELU", h, name="activation")
    h = sketch.add("Linear", h, name="fc2", out_features="d_model")
    return sketch.add("Add", x, h, name="add")


def _layers(sketch: Sketch) -> None:
    with sketch.block("EncoderLayer", "Attention to the whole recording, then two layers."):
        _declare(sketch)
        x = sketch.input("x", "B", "n_frames", "d_model")
        x = _attended(sketch, x, "self_attn")
        sketch.output(_fed(sketch, x))
    with sketch.block("DecoderLayer", "Attention to the text so far, then to the recording."):
        _declare(sketch)
        x = sketch.input("x", "B", "T", "d_model")
        memory = sketch.input("memory", "B", "n_frames", "d_model")
        x = _attended(sketch, x, "self_attn", is_causal=True)
        x = _attended(sketch, x, "encoder_attn", memory)
        sketch.output(_fed(sketch, x))


def _encoder(sketch: Sketch) -> None:
    with sketch.block("Encoder", "Two convolutions halve the frames; then each sees all others."):
        _declare(sketch)
        sketch.variable("n_layers", 12, "layers")
        sketch.variable("n_mels", 80, "frequencies")
        sketch.variable("n_frames", 1500, "positions: 20 ms each")
        x = sketch.input("mel", "B", "n_mels", "2*n_frames")
        kernel: dict[str, Raw] = {"out_channels": "d_model", "kernel_size": 3, "padding": 1}
        x = sketch.add("Conv1d", x, name="conv1", **kernel)
        x = sketch.add("GELU", x, name="gelu1")
        x = sketch.add("Conv1d", x, name="conv2", stride=2, **kernel)
        x = sketch.add("GELU", x, name="gelu2")
        x = sketch.add("Transpose", x, name="frames_first", dim0=1, dim1=2)
        table: dict[str, Raw] = {"max_len": "n_frames", "embedding_dim": "d_model"}
        places = sketch.add("PositionEmbedding", x, name="embed_positions", **table)
        sketch.do(edits.set_trainable([places], trainable=False))
        x = sketch.add("Add", x, places, name="add")
        x = sketch.use("EncoderLayer", x, name="layers", copies="n_layers", **given(*BODY))
        sketch.output(sketch.add("LayerNorm", x, name="layer_norm"))


@design("whisper")
def whisper() -> Sketch:
    """Whisper in its five sizes of 80 frequencies."""
    sketch = Sketch(
        "Whisper",
        "Language",
        "An encoder hears 30 seconds of speech, a decoder writes what is said.",
        "Radford et al. 2022, Robust Speech Recognition via Large-Scale Weak Supervision, table 1",
    )
    sketch.dimension("B", "batch")
    sketch.dimension("T", "tokens", 448)
    _declare(sketch)
    sketch.variable("n_layers", 12, "layers of the encoder, and of the decoder")
    sketch.variable("n_mels", 80, "frequencies")
    sketch.variable("n_frames", 1500, "positions of the encoder: 20 ms each")
    sketch.variable("n_ctx", 448, "longest text")
    sketch.variable("vocab", 51865, "tokens in the vocabulary")
    _layers(sketch)
    _encoder(sketch)
    mel = sketch.input("mel", "B", "n_mels", "2*n_frames")
    names = (*BODY, "n_layers", "n_mels", "n_frames")
    memory = sketch.use("Encoder", mel, name="encoder", **given(*names))
    tokens = sketch.input("tokens", "B", "T", dtype="int64")
    size: dict[str, Raw] = {"num_embeddings": "vocab", "embedding_dim": "d_model"}
    words = sketch.add("Embedding", tokens, name="embed_tokens", **size)
    size = {"max_len": "n_ctx", "embedding_dim": "d_model"}
    places = sketch.add("PositionEmbedding", tokens, name="embed_positions", **size)
    x = sketch.add("Add", words, places, name="add")
    layers = {**given(*BODY), "copies": "n_layers"}
    x = sketch.use("DecoderLayer", x, memory, name="layers", **layers)
    x = sketch.add("LayerNorm", x, name="layer_norm")
    head = sketch.add("Linear", x, name="proj_out", out_features="vocab", bias=False)
    sketch.tie(head, "weight", words, "weight")
    sketch.output(head, "logits")
    sizes = {
        "tiny": (384, 6, 4),
        "base": (512, 8, 6),
        "small": (768, 12, 12),
        "medium": (1024, 16, 24),
        "large": (1280, 20, 32),
    }
    for name, (width, heads, layers_of) in sizes.items():
        sketch.preset(name, d_model=width, n_heads=heads, n_layers=layers_of)
    return sketch
