"""Llama and its relatives: rotary positions, RMS norms, gated feed-forward layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.gallery import design
from tests.gallery.pieces import heads_apart, heads_together
from tests.gallery.sketch import Sketch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from designer.core.graph import NodeId
    from designer.core.option import Raw

    Half = Callable[[Sketch, NodeId], NodeId]
    """Draws attention or the feed-forward layers behind a node."""

PAIRED = 256
"""What d_model is a multiple of, so that heads have an even width: rotary positions turn pairs."""

NOTES: dict[str, tuple[str, tuple[str | int, ...]]] = {
    "d_model": ("width of the residual stream", ("n_heads", PAIRED)),
    "n_heads": ("query heads", ("n_kv_heads",)),
    "n_kv_heads": ("heads of key and value", ()),
    "d_hidden": ("width within the feed-forward layers", ()),
    "num_experts": ("experts in each layer", ()),
    "top_k": ("experts that each token goes to", ()),
    "n_layers": ("layers", ()),
    "vocab": ("tokens in the vocabulary", ()),
}
"""Of each variable what it means, and what divides it."""

LARGE = ("n_layers", "vocab")
"""Variables that layers do not see."""


class Plan(NamedTuple):
    """What a design is made of: its variables, its longest sequence, the ε of its norms."""

    values: Mapping[str, int]
    context: int
    eps: float

    @property
    def arguments(self) -> tuple[str, ...]:
        """The variables that layers see."""
        return tuple(name for name in self.values if name not in LARGE)


def sizes(*numbers: int) -> dict[str, int]:
    """Width, heads, heads of key and value, hidden width, layers and vocabulary by name."""
    names = ("d_model", "n_heads", "n_kv_heads", "d_hidden", "n_layers", "vocab")
    return dict(zip(names, numbers, strict=True))


def declare(sketch: Sketch, plan: Plan, *names: str) -> None:
    """Variables of a design, or arguments of a block."""
    for name in names:
        note, divisors = NOTES[name]
        known = (divisor for divisor in divisors if divisor in (*names, PAIRED))
        sketch.variable(name, plan.values[name], note, *known)


def given(*names: str) -> dict[str, Raw]:
    """Arguments that are variables of the same names."""
    return {name: name for name in names}


def decoder(sketch: Sketch, plan: Plan, attention: Half, mlp: Half) -> None:
    """Embedding, layers, a norm, and a head of its own."""
    layer(sketch, plan, attention, mlp)
    tokens = sketch.input("tokens", "B", "T", dtype="int64")
    size = {"num_embeddings": "vocab", "embedding_dim": "d_model"}
    x = sketch.add("Embedding", tokens, name="embed_tokens", **size)
    options = given(*plan.arguments)
    x = sketch.use("Layer", x, name="layers", copies="n_layers", **options)
    x = sketch.add("RMSNorm", x, name="norm", eps=plan.eps)
    head = sketch.add("Linear", x, name="lm_head", out_features="vocab", bias=False)
    sketch.output(head, "logits")


def names(sketch: Sketch, plan: Plan) -> None:
    """Dimensions and variables of a design."""
    sketch.dimension("B", "batch")
    sketch.dimension("T", "tokens", plan.context)
    declare(sketch, plan, *plan.values)


def layer(sketch: Sketch, plan: Plan, attention: Half, mlp: Half, name: str = "Layer") -> None:
    """The block that is repeated."""
    text = "Attention, then the feed-forward layers, each behind a norm and on a residual."
    with sketch.block(name, text):
        declare(sketch, plan, *plan.arguments)
        x = sketch.input("x", "B", "T", "d_model")
        h = sketch.add("RMSNorm", x, name="input_layernorm", eps=plan.eps)
        x = sketch.add("Add", x, attention(sketch, h), name="add_1")
        h = sketch.add("RMSNorm", x, name="post_attention_layernorm", eps=plan.eps)
        sketch.output(sketch.add("Add", x, mlp(sketch, h), name="add_2"))


# Drawn from small layers


def _attention_block(sketch: Sketch, plan: Plan, theta: float) -> None:
    arguments = [name for name in plan.arguments if name != "d_hidden"]
    grouped = "n_kv_heads" in arguments
    shared = "n_kv_heads" if grouped else "n_heads"
    text = "Each position gathers from itself and those before it; queries and keys are turned."
    with sketch.block("Attention", text):
        declare(sketch, plan, *arguments)
        x = sketch.input("x", "B", "T", "d_model")
        heads = {"q": "n_heads", "k": shared, "v": shared}
        q, k, v = (_projected(sketch, x, name, of) for name, of in heads.items())
        q = sketch.add("RotaryEmbedding", q, name="q_turned", theta=theta)
        k = sketch.add("RotaryEmbedding", k, name="k_turned", theta=theta)
        options = {"is_causal": True, "enable_gqa": grouped}
        h = sketch.add("ScaledDotProductAttention", q, k, v, name="sdpa", **options)
        h = heads_together(sketch, h)
        sketch.output(_linear(sketch, h, "o_proj", "d_model"))


def _projected(sketch: Sketch, x: NodeId, name: str, heads: str) -> NodeId:
    """Query, key or value by head."""
    width = "d_model" if heads == "n_heads" else f"{heads}*(d_model//n_heads)"
    return heads_apart(sketch, _linear(sketch, x, f"{name}_proj", width), name, heads)


def _linear(sketch: Sketch, x: NodeId, name: str, width: str) -> NodeId:
    return sketch.add("Linear", x, name=name, out_features=width, bias=False)


def _gated_block(sketch: Sketch, plan: Plan) -> None:
    with sketch.block("FeedForward", "Each position by itself: one layer opens and shuts another."):
        declare(sketch, plan, "d_model", "d_hidden")
        x = sketch.input("x", "B", "T", "d_model")
        gate = _linear(sketch, x, "gate_proj", "d_hidden")
        gate = sketch.add("SiLU", gate, name="act_fn")
        up = _linear(sketch, x, "up_proj", "d_hidden")
        h = sketch.add("Multiply", gate, up, name="gated")
        sketch.output(_linear(sketch, h, "down_proj", "d_model"))


def drawn(sketch: Sketch, plan: Plan, theta: float) -> None:
    """A decoder whose layers are drawn down to the heads."""
    names(sketch, plan)
    _attention_block(sketch, plan, theta)
    _gated_block(sketch, plan)
    heads = given(*(name for name in plan.arguments if name != "d_hidden"))
    hidden = given("d_model", "d_hidden")
    decoder(
        sketch,
        plan,
        lambda sketch, h: sketch.use("Attention", h, name="self_attn", **heads),
        lambda sketch, h: sketch.use("FeedForward", h, name="mlp", **hidden),
    )


def _preset(sketch: Sketch, name: str, values: Mapping[str, int]) -> None:
    sketch.preset(name, **{key: value for key, value in values.items() if key != "vocab"})


@design("llama")
def llama() -> Sketch:
    """The first Llama in its four sizes."""
    sketch = Sketch(
        "LLaMA",
        "Language",
        "Rotary positions, RMS norms and gated feed-forward layers in place of those of GPT.",
        "Touvron et al. 2023, LLaMA: Open and Efficient Foundation Language Models, table 2",
    )
    found = {
        "7B": sizes(4096, 32, 32, 11008, 32, 32000),
        "13B": sizes(5120, 40, 40, 13824, 40, 32000),
        "33B": sizes(6656, 52, 52, 17920, 60, 32000),
        "65B": sizes(8192, 64, 64, 22016, 80, 32000),
    }
    plain = {
        name: {key: value for key, value in values.items() if key != "n_kv_heads"}
        for name, values in found.items()
    }
    drawn(sketch, Plan(plain["7B"], 2048, 1e-6), theta=10000.0)
    for name, values in plain.items():
        _preset(sketch, name, values)
    return sketch


@design("llama-2")
def llama_2() -> Sketch:
    """Llama 2, whose largest size shares keys and values among heads."""
    sketch = Sketch(
        "Llama 2",
        "Language",
        "LLaMA with a longer context; in the 70B, eight query heads share one key and value.",
        "Touvron et al. 2023, Llama 2: Open Foundation and Fine-Tuned Chat Models",
    )
    found = {
        "7B": sizes(4096, 32, 32, 11008, 32, 32000),
        "13B": sizes(5120, 40, 40, 13824, 40, 32000),
        "70B": sizes(8192, 64, 8, 28672, 80, 32000),
    }
    drawn(sketch, Plan(found["7B"], 4096, 1e-5), theta=10000.0)
    for name, values in found.items():
        _preset(sketch, name, values)
    return sketch


# Drawn from ready-made halves


def ready(sketch: Sketch, plan: Plan, mlp: Half | None = None, **options: Raw) -> None:
    """A decoder of ready-made attention, and of gated layers unless others are given."""
    names(sketch, plan)

    def attention(sketch: Sketch, h: NodeId) -> NodeId:
        heads = given("n_heads", "n_kv_heads")
        return sketch.add("GroupedQueryAttention", h, name="self_attn", **heads, **options)

    decoder(sketch, plan, attention, mlp or gated)


def gated(sketch: Sketch, h: NodeId) -> NodeId:
    """Gated feed-forward layers."""
    return sketch.add("GatedMLP", h, name="mlp", d_hidden="d_hidden")


@design("llama-3")
def llama_3() -> Sketch:
    """Llama 3 in three sizes."""
    sketch = Sketch(
        "Llama 3",
        "Language",
        "Llama 2 with four times the vocabulary, shared keys in all sizes and slower rotation.",
        "Grattafiori et al. 2024, The Llama 3 Herd of Models, table 3; positions as before 3.1",
    )
    found = {
        "8B": sizes(4096, 32, 8, 14336, 32, 128256),
        "70B": sizes(8192, 64, 8, 28672, 80, 128256),
        "405B": sizes(16384, 128, 8, 53248, 126, 128256),
    }
    ready(sketch, Plan(found["8B"], 8192, 1e-5), rope_theta=500000.0)
    for name, values in found.items():
        _preset(sketch, name, values)
    return sketch


@design("mistral-7b")
def mistral() -> Sketch:
    """Mistral, whose positions see a window."""
    sketch = Sketch(
        "Mistral 7B",
        "Language",
        "A Llama whose positions see the 4,096 before them: farther ones through other layers.",
        "Jiang et al. 2023, Mistral 7B, table 1",
    )
    ready(sketch, Plan(sizes(4096, 32, 8, 14336, 32, 32000), 8192, 1e-5), window=4096)
    return sketch


@design("qwen2-5")
def qwen() -> Sketch:
    """Qwen 2.5 in its sizes whose head has weights of its own."""
    sketch = Sketch(
        "Qwen 2.5",
        "Language",
        "A Llama whose queries, keys and values have biases, with a vocabulary of 152,064.",
        "Yang et al. 2024, Qwen2.5 Technical Report, table 1",
    )
    found = {
        "7B": sizes(3584, 28, 4, 18944, 28, 152064),
        "32B": sizes(5120, 40, 8, 27648, 64, 152064),
        "72B": sizes(8192, 64, 8, 29568, 80, 152064),
    }
    ready(sketch, Plan(found["7B"], 32768, 1e-6), rope_theta=1e6, qkv_bias=True)
    for name, values in found.items():
        _preset(sketch, name, values)
    return sketch


@design("mixtral-8x7b")
def mixtral() -> Sketch:
    """Mixtral: a Mistral with eight feed-forward networks to choose from."""
    sketch = Sketch(
        "Mixtral 8×7B",
        "Language",
        "Each token goes to two of eight experts in every layer: 46.7B in all, 12.9B at work.",
        "Jiang et al. 2024, Mixtral of Experts, table 1",
    )
    values = sizes(4096, 32, 8, 14336, 32, 32000)
    plan = Plan({**values, "num_experts": 8, "top_k": 2}, 32768, 1e-5)

    def experts(sketch: Sketch, h: NodeId) -> NodeId:
        options = given("num_experts", "top_k", "d_hidden")
        return sketch.add("MixtureOfExperts", h, name="mlp", **options)

    ready(sketch, plan, experts, rope_theta=1e6)
    return sketch
