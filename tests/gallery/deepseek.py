"""DeepSeek-V3: latent attention, and experts in all layers but the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gallery import design
from tests.gallery.llama import given
from tests.gallery.sketch import Sketch

if TYPE_CHECKING:
    from designer.core.graph import NodeId
    from designer.core.option import Raw

EPS = 1e-6
Table = dict[str, tuple[int, str, tuple["str | int", ...]]]

ATTENTION: Table = {
    "d_model": (7168, "width of the residual stream", ()),
    "n_heads": (128, "heads", ()),
    "q_lora_rank": (1536, "size that queries are compressed to", ()),
    "kv_lora_rank": (512, "size that keys and values are compressed to", ()),
    "qk_nope_head_dim": (128, "part of a head without positions", ()),
    "qk_rope_head_dim": (64, "part of a head with rotary positions", (2,)),
    "v_head_dim": (128, "size of a head's value", ()),
}
DENSE: Table = {"d_hidden": (18432, "width within the first feed-forward layers", ())}
EXPERTS: Table = {
    "num_experts": (256, "experts in each layer", ("n_group",)),
    "top_k": (8, "experts that each token goes to", ()),
    "n_group": (8, "groups of experts", ()),
    "topk_group": (4, "groups that each token may choose from", ()),
    "d_expert": (2048, "width within one expert, and within the shared one", ()),
}


def _declare(sketch: Sketch, *tables: Table) -> None:
    for table in tables:
        for name, (value, note, divisors) in table.items():
            sketch.variable(name, value, note, *divisors)


def _layer(sketch: Sketch, x: NodeId, mlp: str, **options: Raw) -> None:
    """Draw a layer behind its Input."""
    h = sketch.add("RMSNorm", x, name="input_layernorm", eps=EPS)
    sizes = given(*(name for name in ATTENTION if name != "d_model"))
    h = sketch.add("MultiHeadLatentAttention", h, name="self_attn", eps=EPS, **sizes)
    x = sketch.add("Add", x, h, name="add_1")
    h = sketch.add("RMSNorm", x, name="post_attention_layernorm", eps=EPS)
    h = sketch.add(mlp, h, name="mlp", **options)
    sketch.output(sketch.add("Add", x, h, name="add_2"))


def _blocks(sketch: Sketch) -> None:
    with sketch.block("DenseLayer", "Latent attention, then feed-forward layers for every token."):
        _declare(sketch, ATTENTION, DENSE)
        x = sketch.input("x", "B", "T", "d_model")
        _layer(sketch, x, "GatedMLP", d_hidden="d_hidden")
    text = "Latent attention, then eight chosen experts and one that every token goes to."
    with sketch.block("ExpertLayer", text):
        _declare(sketch, ATTENTION, EXPERTS)
        x = sketch.input("x", "B", "T", "d_model")
        chosen = given("num_experts", "top_k", "n_group", "topk_group")
        width: dict[str, Raw] = {"d_hidden": "d_expert", "d_shared": "d_expert"}
        scores: dict[str, Raw] = {"scoring": "sigmoid", "correction": True, "scale": 2.5}
        _layer(sketch, x, "MixtureOfExperts", **chosen, **width, **scores)


@design("deepseek-v3")
def deepseek_v3() -> Sketch:
    """DeepSeek-V3: 671B, of which 37B work for a token."""
    sketch = Sketch(
        "DeepSeek-V3",
        "Language",
        "58 of 61 layers have 256 small experts, eight of them for each token: 671B, 37B at work.",
        "DeepSeek-AI 2024, DeepSeek-V3 Technical Report, without its second prediction",
    )
    sketch.dimension("B", "batch")
    sketch.dimension("T", "tokens", 4096)
    _declare(sketch, ATTENTION, DENSE, EXPERTS)
    sketch.variable("n_dense", 3, "first layers, without experts")
    sketch.variable("n_layers", 61, "layers in all")
    sketch.variable("vocab", 129280, "tokens in the vocabulary")
    _blocks(sketch)
    tokens = sketch.input("tokens", "B", "T", dtype="int64")
    size = {"num_embeddings": "vocab", "embedding_dim": "d_model"}
    x = sketch.add("Embedding", tokens, name="embed_tokens", **size)
    dense = given(*ATTENTION, *DENSE)
    x = sketch.use("DenseLayer", x, name="dense_layers", copies="n_dense", **dense)
    experts = given(*ATTENTION, *EXPERTS)
    x = sketch.use("ExpertLayer", x, name="layers", copies="n_layers - n_dense", **experts)
    x = sketch.add("RMSNorm", x, name="norm", eps=EPS)
    head = sketch.add("Linear", x, name="lm_head", out_features="vocab", bias=False)
    sketch.output(head, "logits")
    return sketch
