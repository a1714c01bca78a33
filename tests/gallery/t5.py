"""T5: an encoder and a decoder whose attention learns biases of distances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gallery import design
from tests.gallery.llama import given
from tests.gallery.pieces import heads_apart, heads_together
from tests.gallery.sketch import Sketch

if TYPE_CHECKING:
    from designer.core.graph import NodeId
    from designer.core.option import Raw

EPS = 1e-6
ARGUMENTS = {
    "d_model": (768, "width of the residual stream"),
    "n_heads": (12, "attention heads"),
    "d_kv": (64, "size of one head"),
    "d_ff": (3072, "width within the feed-forward layers"),
    "p_drop": (0.1, "share of values that training sets to 0"),
}
HEADS = ("d_model", "n_heads", "d_kv", "p_drop")
HIDDEN = ("d_model", "d_ff", "p_drop")
BIAS: tuple[Raw, ...] = ("n_heads", "T", "T")


def _declare(sketch: Sketch, *names: str) -> None:
    for name in names:
        value, note = ARGUMENTS[name]
        sketch.variable(name, value, note)


def _linear(sketch: Sketch, x: NodeId, name: str, width: str) -> NodeId:
    return sketch.add("Linear", x, name=name, out_features=width, bias=False)


def _attended(sketch: Sketch, x: NodeId, source: NodeId, *bias: NodeId) -> None:
    """Draw attention of x to a source, and end the block with it; scores have no scale."""
    sources = {"q": x, "k": source, "v": source}
    q, k, v = (
        heads_apart(sketch, _linear(sketch, at, name, "n_heads*d_kv"), f"{name}_by_head", "n_heads")
        for name, at in sources.items()
    )
    options: dict[str, Raw] = {"scale": 1.0, "dropout_p": "p_drop"}
    h = sketch.add("ScaledDotProductAttention", q, k, v, *bias, name="sdpa", **options)
    sketch.output(_linear(sketch, heads_together(sketch, h), "o", "d_model"))


def _halves(sketch: Sketch) -> None:
    text = "Each position gathers from the others; what their distance adds is learned."
    with sketch.block("SelfAttention", text):
        _declare(sketch, *HEADS)
        x = sketch.input("x", "B", "T", "d_model")
        bias = sketch.input("position_bias", *BIAS)
        _attended(sketch, x, x, bias)
    with sketch.block("EncDecAttention", "Each position of the answer gathers from the text."):
        _declare(sketch, *HEADS)
        x = sketch.input("x", "B", "T", "d_model")
        _attended(sketch, x, sketch.input("memory", "B", "S", "d_model"))
    with sketch.block("DenseReluDense", "Each position by itself."):
        _declare(sketch, *HIDDEN)
        x = _linear(sketch, sketch.input("x", "B", "T", "d_model"), "wi", "d_ff")
        x = sketch.add("ReLU", x, name="act")
        x = sketch.add("Dropout", x, name="dropout", p="p_drop")
        sketch.output(_linear(sketch, x, "wo", "d_model"))


def _added(sketch: Sketch, x: NodeId, block: str, name: str, *others: NodeId) -> NodeId:
    """A half of a block behind its norm, with dropout, on a residual."""
    h = sketch.add("RMSNorm", x, name=f"{name}_norm", eps=EPS)
    options = given(*(HIDDEN if block == "DenseReluDense" else HEADS))
    h = sketch.use(block, h, *others, name=name, **options)
    h = sketch.add("Dropout", h, name=f"{name}_drop", p="p_drop")
    return sketch.add("Add", x, h, name=f"{name}_add")


def _blocks(sketch: Sketch) -> None:
    with sketch.block("EncoderLayer", "Attention to the whole text, then the feed-forward layers."):
        _declare(sketch, *ARGUMENTS)
        x = sketch.input("x", "B", "T", "d_model")
        bias = sketch.input("position_bias", *BIAS)
        x = _added(sketch, x, "SelfAttention", "self_attention", bias)
        sketch.output(_added(sketch, x, "DenseReluDense", "mlp"))
    text = "Attention to the answer so far, then to the text, then the feed-forward layers."
    with sketch.block("DecoderLayer", text):
        _declare(sketch, *ARGUMENTS)
        x = sketch.input("x", "B", "T", "d_model")
        memory = sketch.input("memory", "B", "S", "d_model")
        bias = sketch.input("position_bias", *BIAS)
        x = _added(sketch, x, "SelfAttention", "self_attention", bias)
        x = _added(sketch, x, "EncDecAttention", "cross_attention", memory)
        sketch.output(_added(sketch, x, "DenseReluDense", "mlp"))


def _stacks(sketch: Sketch) -> None:
    """Encoder and decoder: biases of positions, blocks, a norm."""
    table: dict[str, Raw] = {"n_heads": "n_heads", "num_buckets": 32, "max_distance": 128}
    sizes = {**given(*ARGUMENTS), "copies": "n_layers"}
    with sketch.block("Encoder", "Reads the text."):
        _declare(sketch, *ARGUMENTS)
        sketch.variable("n_layers", 12, "blocks")
        x = sketch.input("x", "B", "T", "d_model")
        bias = sketch.add("RelativePositionBias", x, name="position_bias", **table)
        x = sketch.add("Dropout", x, name="dropout", p="p_drop")
        x = sketch.use("EncoderLayer", x, bias, name="block", **sizes)
        x = sketch.add("RMSNorm", x, name="final_layer_norm", eps=EPS)
        sketch.output(sketch.add("Dropout", x, name="final_dropout", p="p_drop"))
    with sketch.block("Decoder", "Writes the answer, token by token."):
        _declare(sketch, *ARGUMENTS)
        sketch.variable("n_layers", 12, "blocks")
        x = sketch.input("x", "B", "T", "d_model")
        memory = sketch.input("memory", "B", "S", "d_model")
        table["bidirectional"] = False
        bias = sketch.add("RelativePositionBias", x, name="position_bias", **table)
        later = sketch.add("CausalMask", x, name="seen")
        later = sketch.add("LogicalNot", later, name="later")
        bias = sketch.add("MaskedFill", bias, later, name="bias_of_seen")
        x = sketch.add("Dropout", x, name="dropout", p="p_drop")
        x = sketch.use("DecoderLayer", x, memory, bias, name="block", **sizes)
        x = sketch.add("RMSNorm", x, name="final_layer_norm", eps=EPS)
        sketch.output(sketch.add("Dropout", x, name="final_dropout", p="p_drop"))


@design("t5")
def t5() -> Sketch:
    """T5 in its five sizes."""
    sketch = Sketch(
        "T5",
        "Language",
        "An encoder reads a text, a decoder writes the answer; one table serves both and the head.",
        "Raffel et al. 2020, Exploring the Limits of Transfer Learning, section 3.7",
    )
    sketch.dimension("B", "batch")
    sketch.dimension("S", "tokens of the text", 512)
    sketch.dimension("T", "tokens of the answer", 114)
    _declare(sketch, *ARGUMENTS)
    sketch.variable("n_layers", 12, "blocks of the encoder, and of the decoder")
    sketch.variable("vocab", 32128, "tokens in the vocabulary")
    for draw in (_halves, _blocks, _stacks):
        draw(sketch)
    size = {"num_embeddings": "vocab", "embedding_dim": "d_model"}
    given_sizes = {**given(*ARGUMENTS), "n_layers": "n_layers"}
    tokens = sketch.input("tokens", "B", "S", dtype="int64")
    shared = sketch.add("Embedding", tokens, name="shared", **size)
    memory = sketch.use("Encoder", shared, name="encoder", **given_sizes)
    answer = sketch.input("answer", "B", "T", dtype="int64")
    x = sketch.add("Embedding", answer, name="embed_answer", **size)
    sketch.tie(x, "weight", shared, "weight")
    x = sketch.use("Decoder", x, memory, name="decoder", **given_sizes)
    x = sketch.add("DivideScalar", x, name="scaled", value="sqrt(d_model)")
    head = _linear(sketch, x, "lm_head", "vocab")
    sketch.tie(head, "weight", shared, "weight")
    sketch.output(head, "logits")
    sizes = {
        "small": (512, 8, 64, 2048, 6),
        "base": (768, 12, 64, 3072, 12),
        "large": (1024, 16, 64, 4096, 24),
        "3B": (1024, 32, 128, 16384, 24),
        "11B": (1024, 128, 128, 65536, 24),
    }
    for name, numbers in sizes.items():
        names = ("d_model", "n_heads", "d_kv", "d_ff", "n_layers")
        sketch.preset(name, **dict(zip(names, numbers, strict=True)))
    return sketch
