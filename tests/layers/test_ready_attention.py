"""Ready-made attention against transformers and PyTorch with the same weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from designer.core import count, size
from designer.core.layer import CATALOGUE, examine
from designer.core.size import free, value
from designer.core.tensor import Tensor as Shape
from tests.core.drawing import Drawing
from tests.layers.models import (
    agree,
    block,
    causal,
    drawing,
    library,
    numbers,
    of_block,
    rotary,
    shapes_of,
)
from tests.layers.oracle import made, refusal, t, verdict
from tests.layers.test_ready import drawing_of, module_of

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture(scope="module")
def transformers() -> ModuleType:
    """The library of models, imported when a test needs it: that takes seconds."""
    return library()


# Multi-head latent attention


LATENT = {
    "n_heads": 4,
    "kv_lora_rank": 8,
    "qk_nope_head_dim": 6,
    "qk_rope_head_dim": 4,
    "v_head_dim": 5,
}


@pytest.mark.parametrize("rank", [None, 12])
@pytest.mark.parametrize("interleaved", [True, False])
def test_latent_attention_of_deepseek_v3(
    transformers: ModuleType, rank: int | None, interleaved: bool
) -> None:
    own = {name: size for name, size in LATENT.items() if name != "n_heads"}
    config = transformers.DeepseekV3Config(
        hidden_size=16,
        num_attention_heads=4,
        num_key_value_heads=4,
        q_lora_rank=rank,
        rope_interleave=interleaved,
        rope_parameters={"rope_type": "default", "rope_theta": 500.0},
        attn_implementation="eager",
        **own,
    )
    modeling = transformers.models.deepseek_v3.modeling_deepseek_v3
    reference = modeling.DeepseekV3Attention(config, 0)

    def use(x: Tensor) -> Tensor:
        turns = rotary(transformers, "deepseek_v3", "DeepseekV3RotaryEmbedding", config, x)
        found: Tensor = reference(x, turns, causal(x.shape[1]))[0]
        return found

    options = {**LATENT, "q_lora_rank": rank, "rope_interleave": interleaved, "rope_theta": 500.0}
    drawn = drawing("MultiHeadLatentAttention", ("B", "T", 16), **options)
    agree(drawn, reference, use, [numbers(2, 7, 16)])


def test_latent_attention_without_a_batch() -> None:
    batched = block("MultiHeadLatentAttention", ("B", "T", 16), **LATENT, q_lora_rank=None)
    single = block("MultiHeadLatentAttention", ("T", 16), **LATENT, q_lora_rank=None)
    single.load_state_dict(batched.state_dict())
    x = numbers(7, 16).float()
    torch.testing.assert_close(single(x), batched(x[None])[0])


# Grouped queries, with windows, norms and caps


def test_attention_and_block_of_qwen3(transformers: ModuleType) -> None:
    config = transformers.Qwen3Config(
        hidden_size=16,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=6,
        intermediate_size=24,
        num_hidden_layers=1,
        rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 500.0},
        attn_implementation="eager",
    )
    reference = transformers.models.qwen3.modeling_qwen3.Qwen3DecoderLayer(config, 0)

    def use(x: Tensor) -> Tensor:
        turns = rotary(transformers, "qwen3", "Qwen3RotaryEmbedding", config, x)
        found: Tensor = reference(x, attention_mask=causal(x.shape[1]), position_embeddings=turns)
        return found

    options = {"n_heads": 4, "n_kv_heads": 2, "head_dim": 6, "d_hidden": 24, "rope_theta": 500.0}
    drawn = drawing("LlamaBlock", ("B", "T", 16), **options, qk_norm=True)
    agree(drawn, reference, use, [numbers(2, 7, 16)])


def test_block_of_mistral_with_its_window(transformers: ModuleType) -> None:
    config = transformers.MistralConfig(
        hidden_size=16,
        num_attention_heads=4,
        num_key_value_heads=1,
        intermediate_size=24,
        num_hidden_layers=1,
        vocab_size=10,
        sliding_window=3,
        rms_norm_eps=1e-5,
        attn_implementation="eager",
    )
    model = transformers.MistralModel(config).double().eval()
    model.norm = nn.Identity()
    reference = model.layers[0]

    def use(x: Tensor) -> Tensor:
        found: Tensor = model(inputs_embeds=x).last_hidden_state
        return found

    drawn = drawing("LlamaBlock", ("B", "T", 16), n_heads=4, n_kv_heads=1, d_hidden=24, window=3)
    agree(drawn, reference, use, [numbers(2, 7, 16)])


@pytest.mark.parametrize("layer", [0, 1])
def test_block_of_gemma_2(transformers: ModuleType, layer: int) -> None:
    config = transformers.Gemma2Config(
        hidden_size=16,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=6,
        intermediate_size=24,
        num_hidden_layers=2,
        query_pre_attn_scalar=9,
        sliding_window=3,
        attn_logit_softcapping=0.5,
        attn_implementation="eager",
    )
    reference = transformers.models.gemma2.modeling_gemma2.Gemma2DecoderLayer(config, layer)
    window = 3 if config.layer_types[layer] == "sliding_attention" else None
    assert window == (3, None)[layer]

    def use(x: Tensor) -> Tensor:
        turns = rotary(transformers, "gemma2", "Gemma2RotaryEmbedding", config, x)
        mask = causal(x.shape[1], window)
        found: Tensor = reference(x, position_embeddings=turns, attention_mask=mask)
        return found

    options = {"n_heads": 4, "n_kv_heads": 2, "head_dim": 6, "d_hidden": 24}
    capped = {"scale": 1 / 3, "softcap": 0.5, "window": window}
    drawn = drawing("Gemma2Block", ("B", "T", 16), **options, **capped)
    agree(drawn, reference, use, [numbers(2, 7, 16)])


def test_multi_query_attention_of_starcoder(transformers: ModuleType) -> None:
    config = transformers.GPTBigCodeConfig(
        n_embd=12, n_head=3, n_layer=1, multi_query=True, attn_implementation="eager"
    )
    modeling = transformers.models.gpt_bigcode.modeling_gpt_bigcode
    reference = modeling.GPTBigCodeAttention(config, layer_idx=0)

    def use(x: Tensor) -> Tensor:
        found: Tensor = reference(x, attention_mask=causal(x.shape[1]))[0]
        return found

    drawn = drawing("MultiQueryAttention", ("B", "T", 12), n_heads=3)
    agree(drawn, reference, use, [numbers(2, 5, 12)])


def test_multi_query_attention_is_found_by_its_names() -> None:
    for word in ("mqa", "多查询注意力"):
        assert [kind for kind, made in CATALOGUE.items() if word in made.aliases]


def attention_of_whisper(transformers: ModuleType, *, causal: bool = False) -> nn.Module:
    """Whisper's attention, whose key has no bias."""
    config = transformers.WhisperConfig(d_model=12, attn_implementation="eager")
    modeling = transformers.models.whisper.modeling_whisper
    made: nn.Module = modeling.WhisperAttention(
        embed_dim=12, num_heads=3, is_causal=causal, layer_idx=0, config=config
    )
    return made


def test_attention_of_whisper(transformers: ModuleType) -> None:
    reference = attention_of_whisper(transformers)
    drawn = drawing("ProjectedAttention", ("B", "T", 12), n_heads=3, k_bias=False)
    agree(drawn, reference, lambda x: reference(x)[0], [numbers(2, 5, 12)])


def test_causal_attention_of_whisper(transformers: ModuleType) -> None:
    reference = attention_of_whisper(transformers, causal=True)
    options = {"n_heads": 3, "k_bias": False, "is_causal": True}
    drawn = drawing("ProjectedAttention", ("B", "T", 12), **options)

    def use(x: Tensor) -> Tensor:
        found: Tensor = reference(x, attention_mask=causal(x.shape[1]))[0]
        return found

    agree(drawn, reference, use, [numbers(2, 5, 12)])


def test_cross_attention_of_whisper(transformers: ModuleType) -> None:
    reference = attention_of_whisper(transformers)
    options = {"n_heads": 3, "k_bias": False}
    drawn = drawing("ProjectedAttention", ("B", "T", 12), ("B", "S", 12), **options)
    values = [numbers(2, 5, 12), numbers(2, 7, 12) + 1]
    agree(drawn, reference, lambda x, m: reference(x, key_value_states=m)[0], values)


class FromWiderMemory(nn.Module):
    """PyTorch's attention with key and value of another width; no bias of its projections."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.MultiheadAttention(12, 3, kdim=8, vdim=8, bias=False, batch_first=True)

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        """The output alone."""
        found: Tensor = self.inner(x, memory, memory, need_weights=False)[0]
        return found


def test_cross_attention_to_a_memory_of_another_width() -> None:
    reference = FromWiderMemory()
    names = {f"block.{part}_proj.weight": f"inner.{part}_proj_weight" for part in "qkv"}
    drawn = drawing("ProjectedAttention", ("B", "T", 12), ("B", "S", 8), n_heads=3, bias=False)
    inputs = [numbers(2, 5, 12), numbers(2, 7, 8)]
    agree(drawn, reference, reference, inputs, {**names, "block.out_proj": "inner.out_proj"})


# Norm, cap and positions


def test_norm_of_gemma(transformers: ModuleType) -> None:
    reference = transformers.models.gemma2.modeling_gemma2.Gemma2RMSNorm(12)
    drawn = drawing("GemmaNorm", ("B", "T", 12))
    assert not next(module_of(drawn).parameters()).any()  # it starts as a scale of 1
    agree(drawn, reference, reference, [numbers(2, 5, 12)])


def test_softcap() -> None:
    x = 50 * numbers(3, 4)
    found = block("Softcap", ("B", "T"), cap=20)(x)
    torch.testing.assert_close(found, 20 * torch.tanh(x / 20))


@pytest.mark.parametrize("bidirectional", [True, False])
def test_a_softcapped_attention_drops_only_in_training(bidirectional: bool) -> None:
    drawn = Drawing()
    q, k, v = (drawn.input("B", 4, "T", 6) for _ in range(3))
    options: dict[str, Any] = {"is_causal": not bidirectional, "dropout_p": 0.5}
    drawn.add("Output", drawn.add("SoftcappedAttention", q, k, v, softcap=2.0, **options))
    module = module_of(drawn)
    inputs = [numbers(2, 4, 5, 6).float() + place for place in range(3)]
    scores = 2 * torch.tanh(inputs[0] @ inputs[1].mT / math.sqrt(6) / 2)
    if not bidirectional:
        scores = scores + causal(5).float()
    torch.testing.assert_close(module(*inputs), scores.softmax(-1) @ inputs[2])
    assert not torch.allclose(module.train()(*inputs), scores.softmax(-1) @ inputs[2])


# Known models at full size


FULL: list[tuple[str, str, str, tuple[tuple[int | str, ...], ...], dict[str, Any]]] = [
    (
        "deepseek_v3",
        "model.layers.0.self_attn.",
        "MultiHeadLatentAttention",
        (("B", "T", 7168),),
        {},
    ),
    ("bert_base", "encoder.layer.0.", "BERTBlock", (("B", "T", 768),), {}),
    ("gemma2_9b", "model.layers.0.", "Gemma2Block", (("B", "T", 3584),), {"window": 4096}),
    (
        "qwen2_5_7b",
        "model.layers.0.",
        "LlamaBlock",
        (("B", "T", 3584),),
        {"n_heads": 28, "n_kv_heads": 4, "d_hidden": 18944, "qkv_bias": True},
    ),
    (
        "mistral_7b",
        "model.layers.0.",
        "LlamaBlock",
        (("B", "T", 4096),),
        {"n_heads": 32, "n_kv_heads": 8, "d_hidden": 14336, "window": 4096},
    ),
    ("t5_base", "encoder.block.1.", "T5Block", (("B", "T", 768),), {}),
    ("t5_base", "decoder.block.1.", "T5DecoderBlock", (("B", "T", 768), ("B", "S", 768)), {}),
    (
        "t5_v1_1_base",
        "decoder.block.1.",
        "T5DecoderBlock",
        (("B", "T", 768), ("B", "S", 768)),
        {"gated": True, "d_hidden": 2048},
    ),
    (
        "whisper_small",
        "model.encoder.layers.0.self_attn.",
        "ProjectedAttention",
        (("B", "T", 768),),
        {"k_bias": False},
    ),
]


@pytest.mark.parametrize(("model", "prefix", "kind", "shapes", "options"), FULL)
def test_parameters_are_those_of_the_real_model(
    model: str,
    prefix: str,
    kind: str,
    shapes: tuple[tuple[int | str, ...], ...],
    options: dict[str, Any],
) -> None:
    real = of_block(model, prefix)
    assert real
    assert sorted(shapes_of(drawing(kind, *shapes, **options))) == sorted(real)


def test_the_table_of_t5_is_that_of_its_first_layer() -> None:
    drawn = drawing("RelativePositionBias", ("B", "T", 768))
    prefix = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias"
    assert shapes_of(drawn) == of_block("t5_base", prefix) == [(32, 12)]


def test_norms_within_are_marked() -> None:
    drawn = drawing("Gemma2Block", ("B", "T", 32), n_heads=4, n_kv_heads=2, head_dim=8)
    assert [row.norm for row in count.rows(drawn.editor.analysis)].count(True) == 4
    drawn = drawing("MultiHeadLatentAttention", ("B", "T", 16), **LATENT)
    assert [row.norm for row in count.rows(drawn.editor.analysis)].count(True) == 2


# Symbolic sizes, operations and refusals


USES: list[tuple[str, tuple[tuple[int, ...], ...], dict[str, Any]]] = [
    ("MultiHeadLatentAttention", ((2, 7, 16),), {**LATENT, "q_lora_rank": 6}),
    ("MultiHeadLatentAttention", ((2, 7, 16),), {**LATENT, "q_lora_rank": None}),
    ("MultiQueryAttention", ((2, 7, 12),), {"n_heads": 3}),
    ("GroupedQueryAttention", ((2, 7, 16),), {"n_heads": 4, "n_kv_heads": 2, "window": 3}),
    ("GroupedQueryAttention", ((2, 7, 16),), {"n_heads": 4, "n_kv_heads": 1, "softcap": 3.0}),
    ("ProjectedAttention", ((2, 7, 12), (2, 5, 8)), {"n_heads": 3}),
    ("BERTBlock", ((2, 7, 12),), {"n_heads": 3}),
    ("Gemma2Block", ((2, 7, 16),), {"n_heads": 4, "n_kv_heads": 2, "head_dim": 6, "d_hidden": 9}),
    ("RelativePositionBias", ((2, 7, 12),), {}),
    ("T5Block", ((2, 7, 12),), {"n_heads": 3}),
    ("T5DecoderBlock", ((2, 7, 12), (2, 5, 12)), {"n_heads": 3}),
    ("T5FeedForward", ((2, 7, 12),), {"gated": True}),
    ("PositionalEncoding", ((2, 7, 12),), {}),
    ("GemmaNorm", ((2, 7, 12),), {}),
    ("Softcap", ((2, 7, 12),), {}),
]


@pytest.mark.parametrize(("kind", "shapes", "options"), USES)
def test_operations_and_shapes(
    kind: str, shapes: tuple[tuple[int, ...], ...], options: dict[str, Any]
) -> None:
    layer = made(kind, **options)
    ports = [port.name for port in layer.inputs()]
    result = examine(layer, dict(zip(ports, (t(*s) for s in shapes), strict=False))).result
    assert result is not None
    with torch.device("meta"):
        module = block(kind, *shapes, **options)
    with FlopCounterMode(display=False) as counter:
        found = module(*(torch.empty(s, device="meta") for s in shapes))
    assert result.flops == counter.get_total_flops()
    assert tuple(found.shape) == result.outputs[0].shape
    batch, length = free("B"), free("T")
    symbolic: list[tuple[size.Size, ...]] = [(batch, length, shapes[0][2])]
    symbolic += [(batch, *s[1:]) for s in shapes[1:]]
    weak = examine(layer, {port: Shape(s) for port, s in zip(ports, symbolic, strict=False)}).result
    assert weak is not None
    trial = {"B": 2, "T": 7}
    assert [size.substitute(n, trial) for n in weak.outputs[0].shape] == list(found.shape)
    assert size.substitute(weak.flops, trial) == result.flops
    assert [p.shape for p in weak.params] == [p.shape for p in result.params]


@pytest.mark.parametrize(
    ("kind", "shapes", "options", "sentence"),
    [
        (
            "MultiHeadLatentAttention",
            [(2, 7, 16)],
            {**LATENT, "qk_rope_head_dim": 3},
            "MultiHeadLatentAttention expects qk_rope_head_dim divisible by 2, got 3.",
        ),
        (
            "MultiHeadLatentAttention",
            [(2, 7, 16)],
            {**LATENT, "d_model": 8},
            "MultiHeadLatentAttention expects [..., 8], got [2, 7, 16].",
        ),
        ("MultiQueryAttention", [(2, 7, 16)], {"n_heads": 3}, "n_heads to divide 16, got 3."),
        (
            "ProjectedAttention",
            [(2, 7, 12), (2, 5, 8)],
            {"n_heads": 3, "d_memory": 9},
            "ProjectedAttention expects [..., 9], got [2, 5, 8].",
        ),
        (
            "BERTBlock",
            [(2, 7, 12), (4, 7, 7)],
            {"n_heads": 3},
            "BERTBlock expects attn_mask [..., 3, T, T], got [4, 7, 7].",
        ),
        ("BERTBlock", [(2, 7, 12), (6, 6)], {"n_heads": 3}, "attn_mask [6, 6] does not fit."),
        (
            "T5DecoderBlock",
            [(2, 7, 12), (2, 5, 8)],
            {"n_heads": 3},
            "T5DecoderBlock expects memory [..., 12], got 8.",
        ),
        (
            "T5Block",
            [(2, 7, 12), (4, 7, 7)],
            {"n_heads": 3},
            "T5Block expects position_bias [3, T, T], got [4, 7, 7].",
        ),
        ("T5Block", [(2, 7, 12)], {"n_heads": 5}, "T5Block needs n_heads to divide 12, got 5."),
        (
            "RelativePositionBias",
            [(2, 7, 12)],
            {"num_buckets": 3},
            "RelativeBuckets needs num_buckets from 4, got 3.",
        ),
        (
            "RelativePositionBias",
            [(2, 7, 12)],
            {"max_distance": 8},
            "RelativeBuckets needs max_distance above 8, got 8.",
        ),
        (
            "PositionalEncoding",
            [(2, 7, 12)],
            {"max_len": 6},
            "PositionEmbedding has 6 positions, got 7.",
        ),
        (
            "SinusoidalPositions",
            [(2, 7, 2)],
            {"layout": "halves"},
            "SinusoidalPositions needs an even width of 4 or more, got 2.",
        ),
        (
            "SinusoidalPositions",
            [(2, 7, 8)],
            {"max_len": 6},
            "SinusoidalPositions has 6 positions, got 7.",
        ),
        ("CausalMask", [(7,)], {}, "CausalMask expects [..., T, C], got [7]."),
    ],
)
def test_refusals(
    kind: str, shapes: list[tuple[int, ...]], options: dict[str, Any], sentence: str
) -> None:
    ports = {"BERTBlock": "attn_mask", "T5Block": "position_bias"}
    names = ["x", ports.get(kind, "memory")]
    inputs = dict(zip(names, (t(*shape) for shape in shapes), strict=False))
    said = refusal(verdict(kind, options, inputs))
    assert said is not None
    assert said.endswith(sentence)


def test_variables_reach_the_class() -> None:
    drawn = drawing_of("MultiHeadLatentAttention", "B", "T", 16, **LATENT)
    assert value(drawn.parameters) == 1536 * 16 + 1536 + 1536 * 40 + 12 * 16 + 8 + 44 * 8 + 16 * 20
