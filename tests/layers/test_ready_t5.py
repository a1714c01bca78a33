"""Blocks of BERT and T5 against transformers with the same weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor

from designer.core.layer import CATALOGUE
from tests.core.drawing import Drawing
from tests.layers.models import (
    Renamed,
    agree,
    block,
    causal,
    drawing,
    library,
    numbers,
    of_block,
    shapes_of,
    sketch,
)
from tests.layers.test_ready import module_of

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture(scope="module")
def transformers() -> ModuleType:
    """The library of models, imported when a test needs it: that takes seconds."""
    return library()


# BERT


BERT = {
    "block.attention.q_proj": "attention.self.query",
    "block.attention.k_proj": "attention.self.key",
    "block.attention.v_proj": "attention.self.value",
    "block.attention.out_proj": "attention.output.dense",
    "block.attention_norm": "attention.output.LayerNorm",
    "block.intermediate": "intermediate.dense",
    "block.output_norm": "output.LayerNorm",
    "block.output": "output.dense",
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
    drawn = drawing("BERTBlock", *shapes[: 1 + masked], **options)
    agree(drawn, reference, use, [numbers(2, 5, 12), mask][: 1 + masked], BERT)


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


@pytest.mark.parametrize("gated", [False, True])
def test_encoder_block_of_t5_with_its_position_bias(transformers: ModuleType, gated: bool) -> None:
    config = t5(transformers, decoder=False, gated=gated)
    modeling = transformers.models.t5.modeling_t5
    reference = modeling.T5Block(config, has_relative_attention_bias=True)
    drawn = t5_drawing("T5Block", False, gated)
    names = t5_names(False, gated)
    agree(drawn, reference, lambda x: reference(x)[0], [numbers(2, 11, 12)], names)


@pytest.mark.parametrize("gated", [False, True])
def test_decoder_block_of_t5_with_its_position_bias(transformers: ModuleType, gated: bool) -> None:
    config = t5(transformers, decoder=True, gated=gated)
    modeling = transformers.models.t5.modeling_t5
    reference = modeling.T5Block(config, has_relative_attention_bias=True, layer_idx=0)

    def use(x: Tensor, memory: Tensor) -> Tensor:
        mask = causal(x.shape[1])
        found: Tensor = reference(x, attention_mask=mask, encoder_hidden_states=memory)[0]
        return found

    drawn = t5_drawing("T5DecoderBlock", True, gated)
    names = t5_names(True, gated)
    agree(drawn, reference, use, [numbers(2, 11, 12), numbers(2, 4, 12) + 1], names)


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
