"""Ready-made attention and blocks against transformers and PyTorch with the same weights."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from designer.core import count, edits, size
from designer.core.document import Dimension
from designer.core.layer import CATALOGUE, examine
from designer.core.size import free, value
from designer.core.tensor import Tensor as Shape
from tests import facts
from tests.core.drawing import Drawing
from tests.layers.oracle import made, refusal, t, verdict
from tests.layers.test_ready import drawing_of, module_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

Renamed = dict[str, str]


@pytest.fixture(scope="module")
def transformers() -> ModuleType:
    """The library of models, which warns of its own dependencies when it is imported."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=FutureWarning)
        import transformers

    found: ModuleType = transformers
    return found


def renamed(name: str, names: Renamed) -> str:
    """A parameter's name in the reference, where `names` tells what its owner is called there."""
    for mine, theirs in names.items():
        if name == mine or name.startswith(f"{mine}."):
            return theirs + name[len(mine) :]
    return name


def randomised(reference: nn.Module) -> nn.Module:
    """The reference in double precision, every parameter another random number."""
    torch.manual_seed(1)
    reference = reference.double().eval()
    with torch.no_grad():
        for parameter in reference.parameters():
            parameter.copy_(torch.randn(parameter.shape) / math.sqrt(parameter[0].numel()))
    return reference


def agree(
    module: nn.Module,
    reference: nn.Module,
    use: Callable[..., Tensor],
    inputs: Iterable[Tensor],
    names: Renamed | None = None,
    *,
    taken: Callable[[str, Tensor], Tensor] = lambda _, tensor: tensor,
) -> None:
    """With the reference's weights, outputs and all gradients are equal within 1e-5.

    `names` maps attributes of the block to those of the reference; `use` calls the reference.
    """
    module, reference = module.double(), randomised(reference)
    theirs = dict(reference.named_parameters())
    pairs = {
        name: renamed(name.removeprefix("block."), names or {})
        for name, _ in module.named_parameters()
    }
    assert sorted(pairs.values()) == sorted(theirs)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.copy_(taken(name, theirs[pairs[name]]))
    mine = [x.clone().requires_grad_(x.is_floating_point()) for x in inputs]
    others = [x.clone().requires_grad_(x.is_floating_point()) for x in inputs]
    got, expected = module(*mine), use(*others)
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)
    direction = torch.randn(got.shape, dtype=torch.float64)
    learned = dict(module.named_parameters())
    gradients = torch.autograd.grad(
        (got * direction).sum(), [*filter(_learns, mine), *learned.values()]
    )
    wanted = torch.autograd.grad(
        (expected * direction).sum(),
        [*filter(_learns, others), *(theirs[pairs[name]] for name in learned)],
    )
    names_of = ["input"] * sum(map(_learns, mine)) + list(learned)
    for name, one, other in zip(names_of, gradients, wanted, strict=True):
        torch.testing.assert_close(one, taken(name, other), rtol=1e-5, atol=1e-5)


def _learns(x: Tensor) -> bool:
    return x.requires_grad


def numbers(*shape: int) -> Tensor:
    """Random numbers."""
    torch.manual_seed(2)
    return torch.randn(shape, dtype=torch.float64)


def block(kind: str, *shapes: tuple[int | str, ...], **options: Any) -> nn.Module:
    """The exported module of one block with an input for each of its first ports."""
    return module_of(drawing(kind, *shapes, **options))


def sketch() -> Drawing:
    """An empty drawing that knows of the positions S of a memory."""
    drawn = Drawing()
    drawn.do(edits.set_dimension("S", Dimension("positions of the memory", trial=5)))
    return drawn


def drawing(kind: str, *shapes: tuple[int | str, ...], **options: Any) -> Drawing:
    """One block with an input for each of its first ports."""
    drawn = sketch()
    given = [drawn.input(*shape) for shape in shapes]
    drawn.add("Output", drawn.add(kind, *given, name="block", **options))
    return drawn


def causal(length: int, window: int | None = None) -> Tensor:
    """The mask that transformers adds to scores."""
    later = torch.ones(length, length, dtype=torch.bool).triu(1)
    if window is not None:
        later = later | torch.ones(length, length, dtype=torch.bool).tril(-window)
    return torch.zeros(1, 1, length, length, dtype=torch.float64).masked_fill(later, -math.inf)


def rotary(transformers: ModuleType, family: str, name: str, config: Any, x: Tensor) -> Any:
    """Cosines and sines of positions as the family's own module makes them."""
    modeling = getattr(transformers.models, family)
    made = getattr(getattr(modeling, f"modeling_{family}"), name)(config)
    return made(x, torch.arange(x.shape[1])[None])


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
    module = block("MultiHeadLatentAttention", ("B", "T", 16), **options)
    agree(module, reference, use, [numbers(2, 7, 16)])


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
    module = block("LlamaBlock", ("B", "T", 16), **options, qk_norm=True)
    agree(module, reference, use, [numbers(2, 7, 16)])


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

    module = block("LlamaBlock", ("B", "T", 16), n_heads=4, n_kv_heads=1, d_hidden=24, window=3)
    agree(module, reference, use, [numbers(2, 7, 16)])


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
    module = block("Gemma2Block", ("B", "T", 16), **options, **capped)
    agree(module, reference, use, [numbers(2, 7, 16)])


def test_multi_query_attention_of_starcoder(transformers: ModuleType) -> None:
    config = transformers.GPTBigCodeConfig(
        n_embd=12, n_head=3, n_layer=1, multi_query=True, attn_implementation="eager"
    )
    modeling = transformers.models.gpt_bigcode.modeling_gpt_bigcode
    reference = modeling.GPTBigCodeAttention(config, layer_idx=0)

    def use(x: Tensor) -> Tensor:
        found: Tensor = reference(x, attention_mask=causal(x.shape[1]))[0]
        return found

    module = block("MultiQueryAttention", ("B", "T", 12), n_heads=3)
    agree(module, reference, use, [numbers(2, 5, 12)])


def test_multi_query_attention_is_found_by_its_names() -> None:
    for word in ("mqa", "多查询注意力"):
        assert [kind for kind, made in CATALOGUE.items() if word in made.aliases]


# BERT, Whisper and the like


BERT = {
    "attention.q_proj": "attention.self.query",
    "attention.k_proj": "attention.self.key",
    "attention.v_proj": "attention.self.value",
    "attention.out_proj": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "intermediate": "intermediate.dense",
    "output_norm": "output.LayerNorm",
    "output": "output.dense",
}


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("activation", ["gelu", "relu"])
def test_block_of_bert(transformers: ModuleType, activation: str, masked: bool) -> None:
    config = transformers.BertConfig(
        hidden_size=12,
        num_attention_heads=3,
        intermediate_size=24,
        hidden_act=activation,
        attn_implementation="eager",
    )
    reference = transformers.models.bert.modeling_bert.BertLayer(config)
    mask = numbers(2, 1, 1, 5)

    def use(x: Tensor, *masks: Tensor) -> Tensor:
        found: Tensor = reference(x, *masks)
        return found

    shapes: list[tuple[int | str, ...]] = [("B", "T", 12), ("B", 1, 1, "T")]
    options = {"n_heads": 3, "d_hidden": 24, "activation": activation}
    module = block("BERTBlock", *shapes[: 1 + masked], **options)
    agree(module, reference, use, [numbers(2, 5, 12), mask][: 1 + masked], BERT)


def test_a_mask_by_head_and_one_of_truth_values() -> None:
    drawn = Drawing()
    x = drawn.input("B", 5, 12)
    mask = drawn.input(3, 5, 5, dtype="bool")
    node = drawn.add("BERTBlock", x, n_heads=3, name="block")
    drawn.wire(mask, node, "attn_mask")
    drawn.add("Output", node)
    module, values = module_of(drawn), numbers(2, 5, 12).float()
    every = torch.ones(3, 5, 5, dtype=torch.bool)
    plain = block("BERTBlock", ("B", 5, 12), n_heads=3)
    plain.load_state_dict(module.state_dict())
    torch.testing.assert_close(module(values, every), plain(values))
    assert not torch.allclose(module(values, every.tril()), plain(values))


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
    module = block("ProjectedAttention", ("B", "T", 12), n_heads=3, k_bias=False)
    agree(module, reference, lambda x: reference(x)[0], [numbers(2, 5, 12)])


def test_causal_attention_of_whisper(transformers: ModuleType) -> None:
    reference = attention_of_whisper(transformers, causal=True)
    options = {"n_heads": 3, "k_bias": False, "is_causal": True}
    module = block("ProjectedAttention", ("B", "T", 12), **options)

    def use(x: Tensor) -> Tensor:
        found: Tensor = reference(x, attention_mask=causal(x.shape[1]))[0]
        return found

    agree(module, reference, use, [numbers(2, 5, 12)])


def test_cross_attention_of_whisper(transformers: ModuleType) -> None:
    reference = attention_of_whisper(transformers)
    options = {"n_heads": 3, "k_bias": False}
    module = block("ProjectedAttention", ("B", "T", 12), ("B", "S", 12), **options)
    values = [numbers(2, 5, 12), numbers(2, 7, 12) + 1]
    agree(module, reference, lambda x, m: reference(x, key_value_states=m)[0], values)


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
    names = {f"{part}_proj.weight": f"inner.{part}_proj_weight" for part in "qkv"}
    module = block("ProjectedAttention", ("B", "T", 12), ("B", "S", 8), n_heads=3, bias=False)
    inputs = [numbers(2, 5, 12), numbers(2, 7, 8)]
    agree(module, reference, reference, inputs, {**names, "out_proj": "inner.out_proj"})


# T5


def t5(transformers: ModuleType, *, decoder: bool, gated: bool) -> Any:
    """T5's configuration, small, with heads that do not make up the width."""
    return transformers.T5Config(
        d_model=12,
        d_kv=5,
        d_ff=24,
        num_heads=3,
        num_layers=1,
        is_decoder=decoder,
        relative_attention_num_buckets=8,
        relative_attention_max_distance=6,
        feed_forward_proj="gated-gelu" if gated else "relu",
        attn_implementation="eager",
    )


def t5_names(cross: bool, gated: bool) -> Renamed:
    """Our attributes in T5's names."""
    last = 2 if cross else 1
    names = {
        "block.attention": "layer.0.SelfAttention",
        "block.attention_norm": "layer.0.layer_norm",
        "block.mlp_norm": f"layer.{last}.layer_norm",
        "block.mlp": f"layer.{last}.DenseReluDense",
        "bias": "layer.0.SelfAttention",
    }
    if cross:
        names["block.cross_norm"] = "layer.1.layer_norm"
        names["block.cross_attention"] = "layer.1.EncDecAttention"
    return names


def t5_drawing(kind: str, cross: bool, gated: bool) -> Drawing:
    """A block of T5 that gets its position bias from a layer of its own."""
    drawn = sketch()
    x = drawn.input("B", "T", 12)
    given = [x, drawn.input("B", "S", 12)] if cross else [x]
    bias = drawn.add(
        "RelativePositionBias",
        x,
        name="bias",
        n_heads=3,
        num_buckets=8,
        max_distance=6,
        bidirectional=not cross,
    )
    activation = "gelu_tanh" if gated else "relu"
    options: dict[str, Any] = {"n_heads": 3, "head_dim": 5, "d_hidden": 24}
    options["activation"] = activation
    node = drawn.add(kind, *given, name="block", gated=gated, **options)
    drawn.wire(bias, node, "position_bias")
    drawn.add("Output", node)
    return drawn


class Kept(nn.Module):
    """An exported design whose parameters keep the name of their block."""

    def __init__(self, design: nn.Module) -> None:
        super().__init__()
        self.design = design

    def forward(self, *inputs: Tensor) -> Tensor:
        """What the design gives."""
        found: Tensor = self.design(*inputs)
        return found


@pytest.mark.parametrize("gated", [False, True])
def test_encoder_block_of_t5_with_its_position_bias(transformers: ModuleType, gated: bool) -> None:
    config = t5(transformers, decoder=False, gated=gated)
    modeling = transformers.models.t5.modeling_t5
    reference = modeling.T5Block(config, has_relative_attention_bias=True)
    module = Kept(module_of(t5_drawing("T5Block", False, gated)))
    names = {f"design.{mine}": name for mine, name in t5_names(False, gated).items()}
    agree(module, reference, lambda x: reference(x)[0], [numbers(2, 11, 12)], names)


@pytest.mark.parametrize("gated", [False, True])
def test_decoder_block_of_t5_with_its_position_bias(transformers: ModuleType, gated: bool) -> None:
    config = t5(transformers, decoder=True, gated=gated)
    modeling = transformers.models.t5.modeling_t5
    reference = modeling.T5Block(config, has_relative_attention_bias=True, layer_idx=0)

    def use(x: Tensor, memory: Tensor) -> Tensor:
        mask = causal(x.shape[1])
        found: Tensor = reference(x, attention_mask=mask, encoder_hidden_states=memory)[0]
        return found

    module = Kept(module_of(t5_drawing("T5DecoderBlock", True, gated)))
    names = {f"design.{mine}": name for mine, name in t5_names(True, gated).items()}
    agree(module, reference, use, [numbers(2, 11, 12), numbers(2, 4, 12) + 1], names)


@pytest.mark.parametrize("length", [1, 5, 300])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize(("buckets", "distance"), [(32, 128), (8, 6), (33, 50)])
def test_buckets_of_t5(
    transformers: ModuleType, length: int, bidirectional: bool, buckets: int, distance: int
) -> None:
    attention = transformers.models.t5.modeling_t5.T5Attention
    positions = torch.arange(length)
    expected = attention._relative_position_bucket(
        positions - positions[:, None], bidirectional, buckets, distance
    )
    options = {"num_buckets": buckets, "max_distance": distance, "bidirectional": bidirectional}
    module = block("RelativeBuckets", ("B", "T", 4), **options)
    assert torch.equal(module(torch.zeros(1, length, 4)), expected)


def test_a_causal_block_of_t5_without_a_bias_hides_what_comes_later() -> None:
    module = block("T5DecoderBlock", ("B", "T", 12), ("B", "S", 12), n_heads=3)
    x, memory = numbers(1, 6, 12).float(), numbers(1, 4, 12).float()
    changed = torch.cat([x[:, :-1], x[:, -1:] + 1], 1)
    torch.testing.assert_close(module(x, memory)[:, :-1], module(changed, memory)[:, :-1])


# PyTorch's own blocks of 2017 are layers already; their state is the original's


def test_blocks_of_2017_are_found_as_such() -> None:
    drawn = sketch()
    x, memory = drawn.input("B", "T", 512), drawn.input("B", "S", 512)
    node = drawn.add("TransformerDecoderLayer", x, memory, nhead=8, batch_first=True, name="block")
    drawn.add("Output", node)
    assert shapes_of(drawn) == of_block("transformer_base_nn", "decoder.layers.0.")
    assert "cross-attention" in CATALOGUE["TransformerDecoderLayer"].aliases


# Norm, cap and positions


def test_norm_of_gemma(transformers: ModuleType) -> None:
    reference = transformers.models.gemma2.modeling_gemma2.Gemma2RMSNorm(12)
    module = block("GemmaNorm", ("B", "T", 12))
    assert not next(iter(module.parameters())).any()  # it starts as a scale of 1
    agree(module, reference, reference, [numbers(2, 5, 12)])


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


def waves_of_2017(length: int, width: int) -> Tensor:
    """PE(t, 2i) = sin(t / 10000^(2i/d)), PE(t, 2i + 1) = cos(t / 10000^(2i/d)), one by one."""
    rows = [
        [(math.sin, math.cos)[i % 2](t / 10000 ** ((i - i % 2) / width)) for i in range(width)]
        for t in range(length)
    ]
    return torch.tensor(rows)


def waves_of_whisper(transformers: ModuleType, length: int, width: int) -> Tensor:
    """The table of Whisper's encoder."""
    found: Tensor = transformers.models.whisper.modeling_whisper.sinusoids(length, width)
    return found


@pytest.mark.parametrize("max_len", [None, 20])
@pytest.mark.parametrize("layout", ["interleaved", "halves"])
def test_waves(transformers: ModuleType, layout: str, max_len: int | None) -> None:
    module = block("SinusoidalPositions", ("B", "T", 8), layout=layout, max_len=max_len)
    whisper = layout == "halves"
    table = waves_of_whisper(transformers, 20, 8) if whisper else waves_of_2017(20, 8)
    torch.testing.assert_close(module(torch.zeros(2, 7, 8)), table[:7], rtol=1e-5, atol=1e-6)
    assert [tuple(b.shape) for b in module.buffers()] == [(20, 8)] * (max_len is not None)


def test_positions_are_added(transformers: ModuleType) -> None:
    x = numbers(2, 7, 8).float()
    for source, table in (
        ("interleaved", waves_of_2017(7, 8)),
        ("halves", waves_of_whisper(transformers, 7, 8)),
    ):
        module = block("PositionalEncoding", ("B", "T", 8), source=source)
        torch.testing.assert_close(module(x), x + table, rtol=1e-5, atol=1e-6)
    learned = block("PositionalEncoding", ("B", "T", 8), max_len=9)
    (table,) = learned.parameters()
    assert table.shape == (9, 8)
    torch.testing.assert_close(learned(x), x + table[:7])


@pytest.mark.parametrize("window", [None, 1, 3, 9])
def test_causal_mask(window: int | None) -> None:
    module = block("CausalMask", ("B", "T", 8), window=window)
    found = module(torch.zeros(2, 5, 8))
    reach = 5 if window is None else window
    assert found.tolist() == [[0 <= i - j < reach for j in range(5)] for i in range(5)]


# Known models at full size


def shapes_of(drawn: Drawing) -> list[tuple[int | None, ...]]:
    """The shapes of all parameters."""
    rows = count.rows(drawn.editor.analysis)
    return [tuple(map(size.value, row.param.shape)) for row in rows]


def of_block(model: str, prefix: str) -> list[tuple[int, ...]]:
    """The shapes of a block of a real model."""
    return [row.shape for row in facts.block(model, prefix)]


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
            "RotaryEmbedding needs an even width, got 3.",
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
