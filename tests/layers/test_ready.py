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
        for name, statistic in module.named_buffers():
            if name.endswith("_var"):
                statistic.copy_(0.5 + torch.rand(statistic.shape))
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


def normalised(w: Weights, name: str, x: Tensor, eps: float = 1e-5) -> Tensor:
    """Layer normalisation of the last axis."""
    centred = x - x.mean(-1, keepdim=True)
    scaled = centred / torch.sqrt((centred**2).mean(-1, keepdim=True) + eps)
    return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]


def test_gpt_block() -> None:
    def reference(w: Weights, x: Tensor) -> Tensor:
        x = x + gpt_attention(3, "attn.")(w, normalised(w, "ln_1", x))
        h = gelu_tanh(linear(w, "mlp.c_fc", normalised(w, "ln_2", x)))
        return x + linear(w, "mlp.c_proj", h)

    drawing = compared("GPTBlock", reference, 2, 5, 12, n_heads=3)
    assert drawing.parameters == 12 * 12**2 + 13 * 12


def attention_of_all(w: Weights, x: Tensor, heads: int) -> Tensor:
    """Attention without a mask, with the weights of PyTorch's module, head after head."""
    q, k, v = (x @ w["self_attention.in_proj_weight"].T + w["self_attention.in_proj_bias"]).chunk(
        3, -1
    )
    size = x.shape[-1] // heads
    parts = [slice(start, start + size) for start in range(0, x.shape[-1], size)]
    found = [attended(q[..., p], k[..., p], v[..., p], causal=False) for p in parts]
    return linear(w, "self_attention.out_proj", torch.cat(found, -1))


def test_encoder_block() -> None:
    def reference(w: Weights, x: Tensor) -> Tensor:
        x = x + attention_of_all(w, normalised(w, "ln_1", x, 1e-6), 3)
        h = GATES["gelu"](linear(w, "mlp.0", normalised(w, "ln_2", x, 1e-6)))
        return x + linear(w, "mlp.3", h)

    compared("EncoderBlock", reference, 2, 5, 12, n_heads=3)


def test_an_encoder_block_has_the_parameters_of_vit_b_16() -> None:
    drawing = drawing_of("EncoderBlock", "B", 197, 768, n_heads=12)
    assert drawing.parameters == 7_087_872
    assert [row.key.removeprefix("block.") for row in count.rows(drawing.editor.analysis)] == [
        "ln_1.weight",
        "ln_1.bias",
        "self_attention.in_proj_weight",
        "self_attention.in_proj_bias",
        "self_attention.out_proj.weight",
        "self_attention.out_proj.bias",
        "ln_2.weight",
        "ln_2.bias",
        "mlp.0.weight",
        "mlp.0.bias",
        "mlp.3.weight",
        "mlp.3.bias",
    ]


@pytest.mark.parametrize("bias", [True, False])
def test_lora(bias: bool) -> None:
    def reference(w: Weights, x: Tensor) -> Tensor:
        return linear(w, "base_layer", x) + 0.5 * linear(w, "lora_B", linear(w, "lora_A", x))

    options = {"out_features": 6, "rank": 3, "scale": 0.5, "bias": bias}
    drawing = compared("LoRALinear", reference, 2, 5, 8, **options)
    assert drawing.parameters == 8 * 6 + 6 * bias + 8 * 3 + 3 * 6


def test_twelve_gpt_blocks_have_the_parameters_of_gpt2() -> None:
    drawing = Drawing()
    x = drawing.input("B", "T", 768)
    for _ in range(12):
        x = drawing.add("GPTBlock", x, n_heads=12, dropout=0.1)
    drawing.add("Output", x)
    assert drawing.parameters == 124_439_808 - (50257 + 1024) * 768 - 2 * 768


def turned(x: Tensor, base: float) -> Tensor:
    """Rotary positions by complex numbers: (xᵢ + j·xᵢ₊d/2) · exp(j · t · base^(−2i/d))."""
    half = x.shape[-1] // 2
    pairs = torch.complex(x[..., :half], x[..., half:])
    angles = torch.tensor(
        [[t * base ** (-2 * i / (2 * half)) for i in range(half)] for t in range(x.shape[-2])],
        dtype=x.dtype,
    )
    spun = pairs * torch.polar(torch.ones_like(angles), angles)
    return torch.cat([spun.real, spun.imag], -1)


def llama_attention(
    heads: int, shared: int, base: float, prefix: str = ""
) -> Callable[[Weights, Tensor], Tensor]:
    """Llama's attention, one query head after another."""

    def run(w: Weights, x: Tensor) -> Tensor:
        q, k, v = (linear(w, f"{prefix}{name}_proj", x) for name in "qkv")
        size = q.shape[-1] // heads
        found = []
        for head in range(heads):
            own, group = head * size, head // (heads // shared) * size
            one = turned(q[..., own : own + size], base)
            key = turned(k[..., group : group + size], base)
            found.append(attended(one, key, v[..., group : group + size], causal=True))
        return linear(w, f"{prefix}o_proj", torch.cat(found, -1))

    return run


@pytest.mark.parametrize("shared", [1, 2, 4])
def test_grouped_query_attention(shared: int) -> None:
    reference = llama_attention(4, shared, 500.0)
    options = {"n_kv_heads": shared, "rope_theta": 500.0}
    compared("GroupedQueryAttention", reference, 2, 5, 16, n_heads=4, **options)


def test_grouped_query_attention_with_heads_of_another_size() -> None:
    options = {"n_heads": 4, "n_kv_heads": 2, "head_dim": 6, "qkv_bias": True}
    drawing = compared("GroupedQueryAttention", llama_attention(4, 2, 10000.0), 2, 5, 16, **options)
    assert drawing.parameters == 16 * 24 + 24 + 2 * (16 * 12 + 12) + 24 * 16


GATES: dict[str, Callable[[Tensor], Tensor]] = {
    "silu": lambda x: x * torch.sigmoid(x),
    "gelu": lambda x: x * (1 + torch.erf(x / math.sqrt(2))) / 2,
    "gelu_tanh": gelu_tanh,
    "relu": lambda x: x.clamp(min=0),
    "sigmoid": torch.sigmoid,
}


@pytest.mark.parametrize("activation", list(GATES))
def test_gated_mlp(activation: str) -> None:
    def reference(w: Weights, x: Tensor) -> Tensor:
        gate = GATES[activation](linear(w, "gate_proj", x))
        return linear(w, "down_proj", gate * linear(w, "up_proj", x))

    compared("GatedMLP", reference, 2, 5, 8, d_hidden=12, activation=activation)


def test_llama_block() -> None:
    def rms(w: Weights, name: str, x: Tensor) -> Tensor:
        return x / torch.sqrt((x**2).mean(-1, keepdim=True) + 1e-5) * w[f"{name}.weight"]

    def reference(w: Weights, x: Tensor) -> Tensor:
        attention = llama_attention(4, 2, 10000.0, "self_attn.")
        x = x + attention(w, rms(w, "input_layernorm", x))
        h = rms(w, "post_attention_layernorm", x)
        gate = GATES["silu"](linear(w, "mlp.gate_proj", h))
        return x + linear(w, "mlp.down_proj", gate * linear(w, "mlp.up_proj", h))

    compared("LlamaBlock", reference, 2, 5, 16, n_heads=4, n_kv_heads=2, d_hidden=24)


def test_a_llama_block_has_the_parameters_of_llama_3_8b() -> None:
    drawing = drawing_of(
        "LlamaBlock", "B", "T", 4096, n_heads=32, n_kv_heads=8, d_hidden=14336, rope_theta=5e5
    )
    assert drawing.parameters == 218_112_000
    assert [row.norm for row in count.rows(drawing.editor.analysis)].count(True) == 2


@pytest.mark.parametrize(
    ("kind", "options", "sentence"),
    [
        ("CausalSelfAttention", {"n_heads": 5}, "n_heads to divide 768, got 5."),
        ("GPTBlock", {"n_heads": 5}, "GPTBlock needs n_heads to divide 768, got 5."),
        ("MLP", {"d_model": 512}, "MLP expects [..., 512], got [B, T, 768]."),
        ("GroupedQueryAttention", {"n_heads": 256}, "expects head_dim divisible by 2, got 3."),
        *(
            (
                kind,
                {"n_heads": 4, "n_kv_heads": 3},
                f"{kind} expects n_heads divisible by 3, got 4.",
            )
            for kind in ("GroupedQueryAttention", "LlamaBlock", "Gemma2Block")
        ),
    ],
)
def test_refusals_name_the_block(kind: str, options: dict[str, Any], sentence: str) -> None:
    drawing = drawing_of(kind, "B", "T", 768, **options)
    (problem,) = [p for p in drawing.editor.analysis.problems() if p.blocks]
    assert kind in str(problem.message)
    assert sentence in str(problem.message)
