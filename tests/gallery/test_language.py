"""The language models of the gallery are the real ones, tensor for tensor and number for number."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from designer.core import block_edits, cost, count, edits, size
from designer.core.analysis import Analysis
from designer.core.document import drafted
from designer.export.pytorch import write
from tests import facts
from tests.export.designs import built
from tests.gallery import all_designs
from tests.layers.models import library

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import ModuleType

    from designer.core.document import Document

DESIGNS = all_designs()
Shape = tuple[int, ...]


@pytest.fixture(scope="module")
def transformers() -> ModuleType:
    """The library of models, imported when a test needs it: that takes seconds."""
    return library()


@cache
def design(name: str) -> Document:
    """A design as the code draws it."""
    return DESIGNS[name]().document


def drawn(name: str, preset: str | None = None, **values: Any) -> Document:
    """A design at a preset, or with other values of its variables."""
    document = design(name)
    if preset is not None:
        document = drafted(document, block_edits.use_preset(preset))[0]
    changed = (
        edits.set_variable(key, replace(document.variables[key], value=value))
        for key, value in values.items()
    )
    return drafted(document, edits.all_of(changed))[0]


def shape_of(row: count.Row) -> Shape:
    """The shape of a row as numbers."""
    sizes = [size.value(axis) for axis in row.param.shape]
    assert None not in sizes
    return tuple(axis for axis in sizes if axis is not None)


def parameters(document: Document) -> Counter[Shape]:
    """How many parameters a design has of each shape, tied ones once."""
    rows = count.rows(Analysis(document))
    return Counter(
        shape_of(row) for row in rows if row.owner is None and row.param.part != "buffer"
    )


def apart(name: str, shape: Shape) -> Iterable[Shape]:
    """Tensors as a design has them: experts one by one, and Linear where GPT-2 has Conv1D."""
    if name.endswith("experts.gate_up_proj"):
        return [(shape[1] // 2, shape[2])] * (2 * shape[0])
    if name.endswith("experts.down_proj"):
        return [shape[1:]] * shape[0]
    turned = re.search(r"\.(attn|mlp)\.c_\w+\.weight$", name)
    return [shape[::-1] if turned else shape]


def counted(tensors: Iterable[tuple[str, Shape]]) -> Counter[Shape]:
    """How many tensors there are of each shape."""
    return Counter(one for name, shape in tensors for one in apart(name, shape))


# Published sizes


SIZES = [
    ("gpt2", "gpt2", "gpt2_small"),
    ("gpt2", "gpt2-medium", "gpt2_medium"),
    ("gpt2", "gpt2-large", "gpt2_large"),
    ("gpt2", "gpt2-xl", "gpt2_xl"),
    ("gpt3-175b", "small", "gpt3_small"),
    ("gpt3-175b", "6.7B", "gpt3_6p7b"),
    ("gpt3-175b", "13B", "gpt3_13b"),
    ("gpt3-175b", "175B", "gpt3_175b"),
    ("gpt-96-layers", None, "gpt3_175b"),
    ("llama", "7B", "llama1_7b"),
    ("llama", "13B", "llama1_13b"),
    ("llama", "33B", "llama1_33b"),
    ("llama", "65B", "llama1_65b"),
    ("llama-2", "7B", "llama2_7b"),
    ("llama-2", "13B", "llama2_13b"),
    ("llama-2", "70B", "llama2_70b"),
    ("llama-3", "8B", "llama3_8b"),
    ("llama-3", "70B", "llama3_70b"),
    ("llama-3", "405B", "llama3_1_405b"),
    ("mistral-7b", None, "mistral_7b"),
    ("mixtral-8x7b", None, "mixtral_8x7b"),
    ("qwen2-5", "7B", "qwen2_5_7b"),
    ("qwen2-5", "32B", "qwen2_5_32b"),
    ("qwen2-5", "72B", "qwen2_5_72b"),
    ("gemma-2-9b", None, "gemma2_9b"),
    ("deepseek-v3", None, "deepseek_v3"),
    ("bert", "base", "bert_base"),
    ("bert", "large", "bert_large"),
    ("t5", "base", "t5_base"),
    ("mamba", "130M", "mamba_130m"),
    ("mamba", "2.8B", "mamba_2p8b"),
    ("whisper", "small", "whisper_small"),
    ("clip-vit-b-32", None, "clip_vit_b32"),
]
"""Design, preset, and the real model among the facts."""


@pytest.mark.parametrize(("name", "preset", "id"), SIZES)
def test_a_size_has_the_tensors_of_the_real_model(name: str, preset: str | None, id: str) -> None:
    document = drawn(name, preset)
    real = [row for row in facts.state(id) if row.owner is None]
    assert parameters(document) == counted((row.name, row.shape) for row in real)
    totals = Analysis(document).totals()
    fact = facts.model(id)["totals"]
    assert totals.parameters == fact["params"]
    assert totals.buffers == fact["buffers"]


@pytest.mark.parametrize(("name", "preset", "id"), SIZES)
def test_a_size_ties_what_the_real_model_ties(name: str, preset: str | None, id: str) -> None:
    rows = count.rows(Analysis(drawn(name, preset)))
    tied = Counter(shape_of(row) for row in rows if row.owner)
    real = Counter(row.shape for row in facts.state(id) if row.owner)
    if name == "t5":  # there the encoder has a third name for the table that it is given
        real -= Counter([(32128, 768)])
    assert tied == real


NATURAL = {
    "gpt2": "transformer.",
    "gpt3-175b": "transformer.",
    "llama": "model.",
    "llama-2": "model.",
    "llama-3": "model.",
    "mistral-7b": "model.",
    "qwen2-5": "model.",
    "mamba": "backbone.",
}
"""Designs whose tensors are called as in transformers, but for what comes before."""


@pytest.mark.parametrize("name", NATURAL)
def test_tensors_are_called_as_in_the_library(name: str) -> None:
    preset, id = next((preset, id) for other, preset, id in SIZES if other == name)
    keys = {row.key for row in count.rows(Analysis(drawn(name, preset)))}
    assert keys == {row.name.removeprefix(NATURAL[name]) for row in facts.state(id)}


@pytest.mark.parametrize(
    ("name", "id", "rounded"),
    [("mixtral-8x7b", "mixtral_8x7b", "12.9B"), ("deepseek-v3", "deepseek_v3", "37.6B")],
)
def test_experts_at_work_for_a_token(name: str, id: str, rounded: str) -> None:
    active = Analysis(drawn(name)).totals().active
    assert active == facts.model(id)["moe"]["active_per_token"]
    assert f"{active / 1e9:.1f}B" == rounded


FLOPS = [
    ("gpt3-175b", "175B", "gpt3_175b", {"T": 2048}),
    ("llama", "65B", "llama1_65b", {"T": 2048}),
    ("llama-2", "70B", "llama2_70b", {"T": 4096}),
    ("llama-3", "405B", "llama3_1_405b", {"T": 8192}),
    ("mistral-7b", None, "mistral_7b", {"T": 4096}),
    ("qwen2-5", "72B", "qwen2_5_72b", {"T": 2048}),
    ("gemma-2-9b", None, "gemma2_9b", {"T": 2048}),
    ("bert", "base", "bert_base", {"T": 128}),
    ("t5", "base", "t5_base", {"S": 512, "T": 114}),
    ("whisper", "small", "whisper_small", {"T": 448}),
    ("clip-vit-b-32", None, "clip_vit_b32", {"T": 77, "N": 2, "M": 2}),
]
"""Designs that do the matrix products of the library, at the sizes of a measured run."""


@pytest.mark.parametrize(("name", "preset", "id", "trials"), FLOPS)
def test_operations_of_a_run(
    name: str, preset: str | None, id: str, trials: dict[str, int]
) -> None:
    document = drawn(name, preset)
    changed = (
        edits.set_dimension(key, replace(document.dimensions[key], trial=trial))
        for key, trial in trials.items()
    )
    forward = cost.forward(Analysis(drafted(document, edits.all_of(changed))[0]))
    (run,) = facts.model(id)["forward"]
    assert forward.until is None
    assert forward.flops == run["flops"]


def test_what_the_rule_of_thumb_leaves_out() -> None:
    analysis = Analysis(drawn("gpt-96-layers"))
    layers, d, d_ff, vocab, n_ctx = 96, 12_288, 49_152, 50_257, 2_048
    rule = layers * (2 * d * d_ff + 2 * d**2)
    assert rule == 144_955_146_240
    assert size.at_values(analysis.scope["rule_of_thumb"]) == rule
    matrices = layers * 2 * d**2
    biases = layers * (5 * d + d_ff)
    norms = layers * 4 * d + 2 * d
    embeddings = (vocab + n_ctx) * d
    assert analysis.totals().parameters - rule == matrices + embeddings + biases + norms


# Other sizes, against the library's own classes


class Reference(NamedTuple):
    """A class of the library: how its config is called, and what it is given."""

    model: str
    config: str
    fields: Mapping[str, str]
    fixed: Mapping[str, Any]


ROTARY = {
    "d_model": "hidden_size",
    "n_heads": "num_attention_heads",
    "n_kv_heads": "num_key_value_heads",
    "d_hidden": "intermediate_size",
    "n_layers": "num_hidden_layers",
    "vocab": "vocab_size",
}
OWN_HEAD = {"tie_word_embeddings": False, "attn_implementation": "eager", "pad_token_id": 0}
TIED = {"attn_implementation": "eager", "pad_token_id": 0}
GPT = Reference(
    "GPT2LMHeadModel",
    "GPT2Config",
    {
        "d_model": "n_embd",
        "n_heads": "n_head",
        "n_layers": "n_layer",
        "vocab": "vocab_size",
        "n_ctx": "n_positions",
    },
    TIED,
)
REFERENCES = {
    "gpt2": GPT,
    "gpt3-175b": GPT,
    "gpt-96-layers": GPT._replace(fields={**GPT.fields, "d_ff": "n_inner"}),
    "llama": Reference("LlamaForCausalLM", "LlamaConfig", ROTARY, OWN_HEAD),
    "llama-2": Reference(
        "LlamaForCausalLM", "LlamaConfig", ROTARY, {**OWN_HEAD, "rms_norm_eps": 1e-5}
    ),
    "llama-3": Reference(
        "LlamaForCausalLM",
        "LlamaConfig",
        ROTARY,
        {
            **OWN_HEAD,
            "rms_norm_eps": 1e-5,
            "rope_parameters": {"rope_type": "default", "rope_theta": 500000.0},
        },
    ),
    "mistral-7b": Reference(
        "MistralForCausalLM", "MistralConfig", ROTARY, {**OWN_HEAD, "rms_norm_eps": 1e-5}
    ),
    "qwen2-5": Reference(
        "Qwen2ForCausalLM",
        "Qwen2Config",
        ROTARY,
        {**OWN_HEAD, "rope_parameters": {"rope_type": "default", "rope_theta": 1e6}},
    ),
    "mixtral-8x7b": Reference(
        "MixtralForCausalLM",
        "MixtralConfig",
        {**ROTARY, "num_experts": "num_local_experts", "top_k": "num_experts_per_tok"},
        {
            **OWN_HEAD,
            "sliding_window": None,
            "experts_implementation": "eager",
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e6},
        },
    ),
    "gemma-2-9b": Reference(
        "Gemma2ForCausalLM", "Gemma2Config", {**ROTARY, "head_dim": "head_dim"}, TIED
    ),
    "deepseek-v3": Reference(
        "DeepseekV3ForCausalLM",
        "DeepseekV3Config",
        {
            **{name: of for name, of in ROTARY.items() if name != "n_kv_heads"},
            **{name: name for name in ("q_lora_rank", "kv_lora_rank", "v_head_dim")},
            **{name: name for name in ("qk_nope_head_dim", "qk_rope_head_dim")},
            **{name: name for name in ("n_group", "topk_group")},
            "num_experts": "n_routed_experts",
            "top_k": "num_experts_per_tok",
            "d_expert": "moe_intermediate_size",
            "n_dense": "first_k_dense_replace",
        },
        {
            **OWN_HEAD,
            "n_shared_experts": 1,
            "routed_scaling_factor": 2.5,
            "experts_implementation": "eager",
        },
    ),
    "bert": Reference(
        "BertModel",
        "BertConfig",
        {
            **{name: of for name, of in ROTARY.items() if name != "n_kv_heads"},
            "n_ctx": "max_position_embeddings",
            "n_types": "type_vocab_size",
        },
        TIED,
    ),
    "t5": Reference(
        "T5ForConditionalGeneration",
        "T5Config",
        {
            **{name: name for name in ("d_model", "d_kv", "d_ff")},
            "n_heads": "num_heads",
            "n_layers": "num_layers",
            "vocab": "vocab_size",
        },
        TIED,
    ),
    "mamba": Reference(
        "MambaForCausalLM",
        "MambaConfig",
        {
            "d_model": "hidden_size",
            "d_state": "state_size",
            "d_conv": "conv_kernel",
            "n_layers": "num_hidden_layers",
            "vocab": "vocab_size",
        },
        {"pad_token_id": 0},
    ),
    "whisper": Reference(
        "WhisperForConditionalGeneration",
        "WhisperConfig",
        {
            "d_model": "d_model",
            "n_heads": "encoder_attention_heads",
            "n_layers": "encoder_layers",
            "n_mels": "num_mel_bins",
            "n_frames": "max_source_positions",
            "n_ctx": "max_target_positions",
            "vocab": "vocab_size",
        },
        {**TIED, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1},
    ),
}
"""All but CLIP, whose config is of two parts."""

TEXT = {
    "d_text": "hidden_size",
    "text_heads": "num_attention_heads",
    "text_layers": "num_hidden_layers",
    "vocab": "vocab_size",
    "n_ctx": "max_position_embeddings",
}
IMAGE = {
    "d_image": "hidden_size",
    "image_heads": "num_attention_heads",
    "image_layers": "num_hidden_layers",
    "patch": "patch_size",
    "image_size": "image_size",
}


def config_of(transformers: ModuleType, name: str, values: Mapping[str, Any]) -> Any:
    """The config of the library with a design's values of its variables."""
    if name == "clip-vit-b-32":
        return _clip_config(transformers, values)
    reference = REFERENCES[name]
    fields = {of: values[key] for key, of in reference.fields.items() if key in values}
    if name == "whisper":
        wide = {f"{part}_ffn_dim": 4 * values["d_model"] for part in ("encoder", "decoder")}
        heads = {"decoder_attention_heads": values["n_heads"]}
        fields |= {**wide, **heads, "decoder_layers": values["n_layers"]}
    if name == "deepseek-v3":
        fields["num_key_value_heads"] = values["n_heads"]
    return getattr(transformers, reference.config)(**fields, **reference.fixed)


def _clip_config(transformers: ModuleType, values: Mapping[str, Any]) -> Any:
    text = {of: values[name] for name, of in TEXT.items()}
    image = {of: values[name] for name, of in IMAGE.items()}
    joint = {"projection_dim": values["d_joint"]}
    end = {"eos_token_id": values["vocab"] - 1, "pad_token_id": 0}
    return transformers.CLIPConfig(
        text_config={**text, **joint, **end, "intermediate_size": 4 * values["d_text"]},
        vision_config={**image, **joint, "intermediate_size": 4 * values["d_image"]},
        attn_implementation="eager",
        **joint,
    )


def reference_of(transformers: ModuleType, name: str, values: Mapping[str, Any]) -> nn.Module:
    """The model of the library with a design's values of its variables."""
    kind = "CLIPModel" if name == "clip-vit-b-32" else REFERENCES[name].model
    made: nn.Module = getattr(transformers, kind)(config_of(transformers, name, values))
    return made.eval()


def values_of(document: Document) -> dict[str, Any]:
    """The numbers that the variables of a design have."""
    scope = Analysis(document).scope
    return {name: size.at_values(scope[name]) for name in document.variables}


GROUPED = ({"n_kv_heads": 4, "n_layers": 3}, {"d_model": 2560, "d_hidden": 999, "vocab": 77})
GPTS = ({"d_model": 1536, "vocab": 50304}, {"n_heads": 4, "n_layers": 2, "n_ctx": 99})
PERTURBED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "gpt2": GPTS,
    "gpt3-175b": GPTS,
    "gpt-96-layers": ({"d_model": 1536, "d_ff": 1000}, {"n_layers": 2, "n_ctx": 99}),
    "llama": ({"n_heads": 16, "n_layers": 3}, {"d_model": 2560, "n_heads": 20, "vocab": 77}),
    "llama-2": GROUPED,
    "llama-3": GROUPED,
    "mistral-7b": GROUPED,
    "qwen2-5": ({"n_kv_heads": 2, "n_layers": 3}, {"d_model": 3584 * 2, "d_hidden": 999}),
    "mixtral-8x7b": ({"num_experts": 5, "n_layers": 2}, {"d_model": 2560, "d_hidden": 999}),
    "gemma-2-9b": ({"head_dim": 64, "n_layers": 2}, {"d_model": 1600, "n_kv_heads": 4}),
    "deepseek-v3": (
        {"n_dense": 1, "n_layers": 3, "num_experts": 16, "d_expert": 100},
        {"n_layers": 4, "d_model": 1000, "q_lora_rank": 70, "v_head_dim": 96, "num_experts": 24},
    ),
    "bert": ({"d_model": 1200, "n_types": 3}, {"d_hidden": 99, "n_layers": 5, "n_ctx": 64}),
    "t5": ({"d_kv": 100, "n_heads": 7}, {"d_model": 500, "d_ff": 99, "n_layers": 3}),
    "mamba": ({"d_model": 800, "d_state": 8}, {"d_conv": 3, "n_layers": 5, "vocab": 99}),
    "whisper": ({"d_model": 960, "n_layers": 3}, {"n_mels": 128, "n_frames": 700, "n_ctx": 64}),
    "clip-vit-b-32": (
        {"d_text": 256, "image_layers": 3, "patch": 16},
        {"d_image": 960, "d_joint": 100, "vocab": 999, "text_layers": 2},
    ),
}


@pytest.mark.parametrize("name", PERTURBED)
@pytest.mark.parametrize("which", [0, 1])
def test_other_values_give_what_the_library_gives(
    transformers: ModuleType, name: str, which: int
) -> None:
    document = drawn(name, **PERTURBED[name][which])
    with torch.device("meta"):
        reference = reference_of(transformers, name, values_of(document))
    real = Counter(
        shape
        for key, tensor in reference.named_parameters()
        for shape in apart(key, tuple(tensor.shape))
    )
    assert Analysis(document).problems() == []
    assert parameters(document) == real


# The same weights


SMALL: dict[str, dict[str, Any]] = {
    "gpt2": {"d_model": 16, "n_heads": 2, "n_layers": 2, "vocab": 37, "n_ctx": 9},
    "llama": {"d_model": 16, "n_heads": 2, "d_hidden": 20, "n_layers": 2, "vocab": 37},
    "bert": {
        "d_model": 16,
        "n_heads": 2,
        "d_hidden": 20,
        "n_layers": 2,
        "vocab": 37,
        "n_ctx": 9,
        "n_types": 2,
    },
    "t5": {"d_model": 16, "n_heads": 2, "d_kv": 6, "d_ff": 20, "n_layers": 2, "vocab": 37},
    "mamba": {"d_model": 16, "d_state": 4, "n_layers": 2, "vocab": 37},
    "gemma-2-9b": {
        "d_model": 16,
        "n_heads": 4,
        "n_kv_heads": 2,
        "head_dim": 6,
        "d_hidden": 20,
        "n_layers": 2,
        "vocab": 37,
    },
    "deepseek-v3": {
        "d_model": 16,
        "n_heads": 2,
        "q_lora_rank": 10,
        "kv_lora_rank": 8,
        "qk_nope_head_dim": 6,
        "qk_rope_head_dim": 4,
        "v_head_dim": 5,
        "d_hidden": 20,
        "num_experts": 8,
        "top_k": 2,
        "n_group": 2,
        "topk_group": 1,
        "d_expert": 12,
        "n_dense": 1,
        "n_layers": 3,
        "vocab": 37,
    },
    "whisper": {
        "d_model": 16,
        "n_heads": 2,
        "n_layers": 2,
        "n_mels": 4,
        "n_frames": 6,
        "n_ctx": 9,
        "vocab": 37,
    },
    "clip-vit-b-32": {
        "d_text": 16,
        "text_heads": 2,
        "text_layers": 2,
        "vocab": 37,
        "n_ctx": 9,
        "d_image": 24,
        "image_heads": 3,
        "image_layers": 2,
        "patch": 4,
        "image_size": 8,
        "d_joint": 10,
    },
}
SMALL |= {
    name: {**SMALL["llama"], "n_heads": 4, "n_kv_heads": 2}
    for name in ("llama-2", "llama-3", "mistral-7b", "qwen2-5")
}
SMALL["mixtral-8x7b"] = {**SMALL["llama-2"], "num_experts": 4, "top_k": 2}

Renamings = list[tuple[str, "str | Callable[[re.Match[str]], str]"]]

CALLED: dict[str, Renamings] = {
    "bert": [
        (r"^layer\.", "encoder.layer."),
        (r"\.attention\.(query|key|value)\.", r".attention.self.\1."),
        (r"\.attention\.(dense|LayerNorm)\.", r".attention.output.\1."),
        (r"^(encoder\.layer\.\d+)\.(intermediate|output)\.", r"\1.\2.dense."),
        (r"^(encoder\.layer\.\d+)\.LayerNorm\.", r"\1.output.LayerNorm."),
    ],
    "t5": [
        (r"position_bias\.", "block.0.layer.0.SelfAttention."),
        (r"self_attention_norm", "layer.0.layer_norm"),
        (r"self_attention\.", "layer.0.SelfAttention."),
        (r"cross_attention_norm", "layer.1.layer_norm"),
        (r"cross_attention\.", "layer.1.EncDecAttention."),
        (r"^(encoder\.block\.\d+)\.mlp_norm", r"\1.layer.1.layer_norm"),
        (r"^(encoder\.block\.\d+)\.mlp\.", r"\1.layer.1.DenseReluDense."),
        (r"^(decoder\.block\.\d+)\.mlp_norm", r"\1.layer.2.layer_norm"),
        (r"^(decoder\.block\.\d+)\.mlp\.", r"\1.layer.2.DenseReluDense."),
    ],
    "gemma-2-9b": [
        (r"^pairs\.(\d+)\.local", lambda at: f"layers.{2 * int(at[1])}"),
        (r"^pairs\.(\d+)\.full", lambda at: f"layers.{2 * int(at[1]) + 1}"),
        (r"^", "model."),
    ],
    "deepseek-v3": [
        (r"^layers\.(\d+)", lambda at: f"layers.{int(at[1]) + 1}"),
        (r"^dense_layers", "layers"),
        (r"^(?!lm_head)", "model."),
    ],
    "whisper": [
        (r"^(?=encoder)", "model."),
        (r"^(?=layer|embed)", "model.decoder."),
    ],
    "clip-vit-b-32": [
        (r"_model\.(layers\.)", r"_model.encoder.\1"),
        (r"_model\.(\w+_embedding)", r"_model.embeddings.\1"),
    ],
    "mixtral-8x7b": [(r"^(?!lm_head)", "model.")],
}
"""How to get from a name in a design to the library's."""


def called(name: str, key: str) -> str:
    """What the library calls a parameter of a design."""
    usual: Renamings = [(r"^(?!lm_head)", NATURAL.get(name, ""))]
    for pattern, text in CALLED.get(name, usual):
        key = re.sub(pattern, text, key)
    return key


def taken(values: Mapping[str, Tensor], key: str) -> Tensor:
    """A tensor of the library as a design has it."""
    expert = re.fullmatch(r"(.+\.experts)\.(\d+)\.(gate|up|down)_proj\.weight", key)
    if expert is None:
        turned = re.search(r"\.(attn|mlp)\.c_\w+\.weight$", key)
        return values[key].T if turned else values[key]
    stem, number, part = expert[1], int(expert[2]), expert[3]
    if part == "down":
        return values[f"{stem}.down_proj"][number]
    return values[f"{stem}.gate_up_proj"][number].chunk(2)[part == "up"]


def randomised(reference: nn.Module) -> nn.Module:
    """The reference in double precision, every number of it another random one."""
    torch.manual_seed(1)
    reference = reference.double()
    with torch.no_grad():
        for tensor in (*reference.parameters(), *correction(reference).values()):
            fan = tensor[0].numel() if tensor.dim() else 1
            tensor.copy_(torch.randn(tensor.shape) / math.sqrt(fan))
    return reference


def correction(module: nn.Module) -> dict[str, Tensor]:
    """The biases of routers, which are buffers."""
    return {key: tensor for key, tensor in module.named_buffers() if "correction_bias" in key}


def inputs_of(name: str) -> tuple[list[Tensor], dict[str, Tensor]]:
    """Inputs of a design, and the same for the library."""
    torch.manual_seed(2)
    tokens, others = torch.randint(1, 37, (2, 7)), torch.randint(1, 37, (2, 5))
    if name == "t5":
        return [tokens, others], {"input_ids": tokens, "decoder_input_ids": others}
    if name == "bert":
        types, mask = torch.randint(0, 2, (2, 7)), torch.ones(2, 7, dtype=torch.bool)
        mask[1, 4:] = False
        given = {"input_ids": tokens, "token_type_ids": types, "attention_mask": mask}
        return [tokens, types, mask[:, None, None]], given
    if name == "whisper":
        sound = torch.randn(2, 4, 12, dtype=torch.float64)
        return [sound, tokens], {"input_features": sound, "decoder_input_ids": tokens}
    if name == "clip-vit-b-32":
        tokens[:, 4] = 36
        images = torch.randn(3, 3, 8, 8, dtype=torch.float64)
        return [tokens, images], {"input_ids": tokens, "pixel_values": images}
    return [tokens], {"input_ids": tokens}


OUTPUTS = {
    "bert": ("last_hidden_state", "pooler_output"),
    "clip-vit-b-32": ("logits_per_text",),
}


@pytest.mark.parametrize("name", SMALL)
def test_with_the_weights_of_the_library_outputs_and_gradients_are_equal(
    transformers: ModuleType, name: str
) -> None:
    document = drawn(name, **SMALL[name])
    module = built(write(Analysis(document), document.title).text).double().eval()
    reference = randomised(reference_of(transformers, name, values_of(document)))
    theirs = dict(reference.named_parameters())
    buffers = correction(reference)
    with torch.no_grad():
        for key, tensor in (*module.named_parameters(), *correction(module).items()):
            tensor.copy_(taken({**theirs, **buffers}, called(name, key)))
    mine, others = inputs_of(name)
    found = module(*mine)
    answer = reference(**others)
    found = found if isinstance(found, tuple) else (found,)
    expected = [answer[key] for key in OUTPUTS.get(name, ("logits",))]
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4, check_dtype=False)
    _same_gradients(name, module, reference, found, expected)


def _same_gradients(
    name: str,
    module: nn.Module,
    reference: nn.Module,
    found: Iterable[Tensor],
    expected: Iterable[Tensor],
) -> None:
    """Gradients of all parameters, in a random direction of the outputs."""
    for outputs in (found, expected):
        torch.manual_seed(3)
        total = sum((y * torch.randn(y.shape, dtype=torch.float64)).sum() for y in outputs)
        assert isinstance(total, Tensor)
        total.backward()  # type: ignore[no-untyped-call]
    gradients = {
        key: torch.zeros_like(p) if p.grad is None else p.grad
        for key, p in reference.named_parameters()
    }
    trained = {key: p for key, p in module.named_parameters() if p.requires_grad}
    assert trained
    for key, parameter in trained.items():
        wanted = taken(gradients, called(name, key))
        got = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        torch.testing.assert_close(got, wanted, rtol=1e-3, atol=1e-4, check_dtype=False)
