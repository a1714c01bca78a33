"""Ready-made blocks against independent implementations with the same weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import designer.layers  # noqa: F401  (fills the catalogue)
from designer.core import count, size
from designer.core.expression import Expression
from designer.export.pytorch import export_problems, write
from tests.core.drawing import Drawing
from tests.export.designs import built

if TYPE_CHECKING:
    from collections.abc import Callable

E = Expression
Weights = dict[str, Tensor]


def drawing_of(kind: str, *shape: int | str, **options: Any) -> Drawing:
    """One block between an input and an output."""
    drawing = Drawing()
    drawing.add("Output", drawing.add(kind, drawing.input(*shape), name="block", **options))
    return drawing


def module_of(drawing: Drawing) -> nn.Module:
    """The exported module of a drawing, whose state dict is that of the analysis."""
    analysis = drawing.editor.analysis
    assert not export_problems(analysis), [str(p.message) for p in export_problems(analysis)]
    module = built(write(analysis, "design").text)
    expected = {row.key: [size.value(n) for n in row.param.shape] for row in count.rows(analysis)}
    assert {key: list(value.shape) for key, value in module.state_dict().items()} == expected
    assert list(module.state_dict()) == list(expected)
    assert sum(p.numel() for p in module.parameters()) == drawing.parameters
    return module


def agree(module: nn.Module, reference: Callable[[Weights, Tensor], Tensor], x: Tensor) -> None:
    """Outputs and gradients of all weights and of the input are equal within 1e-5.

    The reference takes the weights by their name within the block.
    """
    torch.manual_seed(1)
    module = module.double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape) / math.sqrt(parameter[0].numel()))
    weights = {
        name.removeprefix("block."): tensor.detach().clone().requires_grad_()
        for name, tensor in module.named_parameters()
    }
    state = {name.removeprefix("block."): t.clone() for name, t in module.named_buffers()}
    mine, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
    got, expected = module(mine), reference({**state, **weights}, theirs)
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)
    direction = torch.randn(got.shape, dtype=torch.float64)
    gradients = torch.autograd.grad((got * direction).sum(), [mine, *module.parameters()])
    wanted = torch.autograd.grad((expected * direction).sum(), [theirs, *weights.values()])
    for one, other in zip(gradients, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def compared(
    kind: str, reference: Callable[[Weights, Tensor], Tensor], *shape: int, **options: Any
) -> Drawing:
    """A block held against its reference on random numbers of this shape."""
    drawing = drawing_of(kind, "B", *shape[1:], **options)
    torch.manual_seed(0)
    agree(module_of(drawing), reference, torch.randn(shape, dtype=torch.float64))
    return drawing


def linear(w: Weights, name: str, x: Tensor) -> Tensor:
    """x Wᵀ + b, without b where there is none."""
    y = x @ w[f"{name}.weight"].T
    return y + w[f"{name}.bias"] if f"{name}.bias" in w else y


def gelu_tanh(x: Tensor) -> Tensor:
    """GPT-2's GELU."""
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def attended(q: Tensor, k: Tensor, v: Tensor, *, causal: bool) -> Tensor:
    """One head: softmax(q kᵀ / √d) v."""
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    if causal:
        scores = scores + scores.new_full(scores.shape[-2:], -math.inf).triu(1)
    return scores.softmax(-1) @ v


def gpt_attention(heads: int, prefix: str = "") -> Callable[[Weights, Tensor], Tensor]:
    """GPT-2's attention, one head after another."""

    def run(w: Weights, x: Tensor) -> Tensor:
        qkv = linear(w, f"{prefix}c_attn", x)
        width = x.shape[-1]
        size = width // heads
        found = []
        for start in range(0, width, size):
            q, k, v = (qkv[..., part * width + start :][..., :size] for part in range(3))
            found.append(attended(q, k, v, causal=True))
        return linear(w, f"{prefix}c_proj", torch.cat(found, -1))

    return run


@pytest.mark.parametrize("bias", [True, False])
def test_causal_self_attention(bias: bool) -> None:
    compared("CausalSelfAttention", gpt_attention(3), 2, 5, 12, n_heads=3, bias=bias)


def test_causal_self_attention_as_in_gpt2() -> None:
    drawing = drawing_of("CausalSelfAttention", "B", "T", 768, n_heads=12, dropout=0.1)
    rows = {row.key: row.param.shape for row in count.rows(drawing.editor.analysis)}
    assert rows == {
        "block.c_attn.weight": (2304, 768),
        "block.c_attn.bias": (2304,),
        "block.c_proj.weight": (768, 768),
        "block.c_proj.bias": (768,),
    }
    assert drawing.parameters == 2_362_368


@pytest.mark.parametrize("approximate", ["tanh", "none"])
def test_mlp(approximate: str) -> None:
    def reference(w: Weights, x: Tensor) -> Tensor:
        h = linear(w, "c_fc", x)
        h = gelu_tanh(h) if approximate == "tanh" else functional.gelu(h)
        return linear(w, "c_proj", h)

    drawing = compared("MLP", reference, 2, 5, 8, approximate=approximate)
    assert drawing.parameters == 8 * 32 + 32 + 32 * 8 + 8
