"""Exported examples against independent implementations with the same weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

import designer.layers  # noqa: F401  (fills the catalogue)
from designer import resources
from designer.files.codec import read_document
from tests.export.designs import exported

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def example(name: str, **arguments: Any) -> nn.Module:
    """The exported module of an example."""
    path = resources.path("gallery", f"{name}.netdraft")
    return exported(read_document(path.read_bytes(), path.name).document, **arguments)


def agree(
    module: nn.Module, reference: Callable[[Mapping[str, Tensor], Tensor], Tensor], x: Tensor
) -> None:
    """Outputs and gradients of all weights are equal, for random weights in double precision."""
    torch.manual_seed(3)
    module = module.double()
    with torch.no_grad():
        for parameter in module.parameters():
            fan = math.sqrt(parameter[0].numel())
            parameter.copy_(torch.randn(parameter.shape) / fan)
    weights = {
        name: parameter.detach().clone().requires_grad_()
        for name, parameter in module.named_parameters()
    }
    got, expected = module(x), reference(weights, x)
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)
    direction = torch.randn(got.shape, dtype=torch.float64)
    gradients = torch.autograd.grad((got * direction).sum(), list(module.parameters()))
    wanted = torch.autograd.grad((expected * direction).sum(), list(weights.values()))
    for mine, theirs in zip(gradients, wanted, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-5)


def cnn(weights: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """Three convolutions, each with ReLU and pooling, and two linear layers."""
    w = list(weights.values())
    for layer in range(3):
        windows = functional.unfold(x, 3)
        filters, offset = w[2 * layer], w[2 * layer + 1]
        side = x.shape[-1] - 2
        x = (filters.flatten(1) @ windows + offset[:, None]).clamp(min=0)
        half = side // 2
        x = x.reshape(len(x), -1, side, side)[..., : 2 * half, : 2 * half]
        x = x.reshape(len(x), -1, half, 2, half, 2).amax((3, 5))
    x = (x.reshape(len(x), -1) @ w[6].T + w[7]).clamp(min=0)
    scores = torch.exp(x @ w[8].T + w[9])
    return scores / scores.sum(1, keepdim=True)


def test_the_cnn() -> None:
    torch.manual_seed(0)
    agree(example("cifar10-cnn"), cnn, torch.randn(3, 3, 32, 32, dtype=torch.float64))


def normalised(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Layer normalisation of the last axis."""
    centred = x - x.mean(-1, keepdim=True)
    return centred / torch.sqrt((centred**2).mean(-1, keepdim=True) + 1e-5) * weight + bias


def gelu(x: Tensor) -> Tensor:
    """GPT-2's GELU."""
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def gpt2(heads: int) -> Callable[[Mapping[str, Tensor], Tensor], Tensor]:
    """GPT-2 as its paper has it, with one head after another."""

    def run(w: Mapping[str, Tensor], tokens: Tensor) -> Tensor:
        x = w["wte.weight"][tokens] + w["wpe.weight"][: tokens.shape[1]]
        for n in range(12):
            block = {
                name.removeprefix(f"h.{n}."): tensor
                for name, tensor in w.items()
                if name.startswith(f"h.{n}.")
            }
            h = normalised(x, block["ln_1.weight"], block["ln_1.bias"])
            x = x + attention(block, h, heads)
            h = normalised(x, block["ln_2.weight"], block["ln_2.bias"])
            h = gelu(h @ block["mlp.c_fc.weight"].T + block["mlp.c_fc.bias"])
            x = x + h @ block["mlp.c_proj.weight"].T + block["mlp.c_proj.bias"]
        return normalised(x, w["ln_f.weight"], w["ln_f.bias"]) @ w["wte.weight"].T

    return run


def attention(w: Mapping[str, Tensor], x: Tensor, heads: int) -> Tensor:
    """Causal self-attention."""
    size, width = x.shape[2] // heads, x.shape[2]
    qkv = x @ w["attn.c_attn.weight"].T + w["attn.c_attn.bias"]
    future = x.new_full((x.shape[1], x.shape[1]), -math.inf).triu(1)
    found = []
    for start in range(0, width, size):
        q, k, v = (qkv[..., part * width + start :][..., :size] for part in range(3))
        scores = q @ k.transpose(1, 2) / math.sqrt(size) + future
        found.append(scores.softmax(-1) @ v)
    return torch.cat(found, -1) @ w["attn.c_proj.weight"].T + w["attn.c_proj.bias"]


def test_a_reduced_gpt2() -> None:
    module = example("gpt2", d_model=24, n_heads=3, vocab=50, n_ctx=16)
    torch.manual_seed(0)
    agree(module, gpt2(3), torch.randint(0, 50, (2, 11)))
