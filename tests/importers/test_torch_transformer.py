"""Stacks of transformer layers, which PyTorch makes of modules, become layers."""

from __future__ import annotations

import pytest

from designer.core.tensor import Tensor
from designer.importers.torch_ops import BadCall, ModuleCall, Unmapped, bind

SRC = Tensor((2, 3, 8))
LAYER = ModuleCall("nn.TransformerEncoderLayer", (8, 2), {"norm_first": True, "bias": False})


def test_a_stack_has_the_options_of_its_layer() -> None:
    norm = ModuleCall("nn.LayerNorm", (8,))
    bound = bind("nn.TransformerEncoder", (LAYER, 6), {"norm": norm}, (SRC,), {"is_causal": True})
    assert bound.kind == "TransformerEncoder"
    assert bound.inputs == {"src": SRC}
    expected = {"d_model": 8, "nhead": 2, "num_layers": 6, "norm_first": True, "bias": False}
    expected |= {"norm": True, "norm_bias": True, "is_causal": True, "enable_nested_tensor": True}
    assert {name: bound.options[name] for name in expected} == expected


@pytest.mark.parametrize(
    "norm",
    [
        ModuleCall("nn.RMSNorm", (8,)),
        ModuleCall("nn.LayerNorm", (4,)),
        ModuleCall("nn.LayerNorm", (8,), {"eps": 0.1}),
        ModuleCall("nn.LayerNorm", (8,), {"elementwise_affine": False}),
    ],
)
def test_a_norm_that_is_not_the_layers_is_not_mapped(norm: ModuleCall) -> None:
    with pytest.raises(Unmapped):
        bind("nn.TransformerEncoder", (LAYER, 6, norm), {}, (SRC,))


def test_layers_of_another_kind_are_not_mapped() -> None:
    with pytest.raises(Unmapped):
        bind("nn.TransformerDecoder", (LAYER, 6), {}, (SRC, SRC))


def test_a_layer_that_cannot_be_made_is_refused() -> None:
    layer = ModuleCall("nn.TransformerEncoderLayer", (8, 2), {"depth": 3})
    with pytest.raises(BadCall):
        bind("nn.TransformerEncoder", (layer, 6), {}, (SRC,))
