"""Exported networks of the gallery compute what is written down here apart from them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.export.designs import exported
from tests.gallery.test_language import design
from tests.layers.models import library

if TYPE_CHECKING:
    from collections.abc import Callable

EPS = 1e-5


class Weights:
    """The tensors of a module, as leaves of their own, with the layers that read them."""

    def __init__(self, module: nn.Module) -> None:
        self.learned = {
            name: parameter.detach().clone().requires_grad_()
            for name, parameter in module.named_parameters()
        }
        self.held = {name: buffer.clone() for name, buffer in module.named_buffers()}

    def of(self, prefix: str) -> dict[str, Tensor]:
        """The parameters under a name, by their names there."""
        start = f"{prefix}."
        found = ((name, value) for name, value in self.learned.items() if name.startswith(start))
        return {name.removeprefix(start): value for name, value in found}

    def linear(self, x: Tensor, name: str) -> Tensor:
        """An affine map."""
        y = x @ self.learned[f"{name}.weight"].T
        return y + self.learned[f"{name}.bias"] if f"{name}.bias" in self.learned else y

    def conv(self, x: Tensor, name: str, **options: Any) -> Tensor:
        """A convolution, and the batch norm behind it where there is one: `conv1`, `bn1`."""
        bias = self.learned.get(f"{name}.bias")
        x = functional.conv2d(x, self.learned[f"{name}.weight"], bias, **options)
        head, _, last = name.rpartition(".")
        own = last.replace("conv", "bn") if last.startswith("conv") else f"{last}_bn"
        own = own.replace("downsample_conv_bn", "downsample_bn")
        norm = f"{head}.{own}" if head else own
        return self.normed(x, norm) if f"{norm}.running_mean" in self.held else x

    def normed(self, x: Tensor, name: str) -> Tensor:
        """Batch norm in evaluation."""
        mean, var = (self.held[f"{name}.running_{part}"] for part in ("mean", "var"))
        scale = self.learned[f"{name}.weight"] / torch.sqrt(var + EPS)
        offset = self.learned[f"{name}.bias"] - mean * scale
        return x * scale[:, None, None] + offset[:, None, None]

    def layer_norm(self, x: Tensor, name: str, eps: float = EPS) -> Tensor:
        """Each vector normalised."""
        x = x - x.mean(-1, keepdim=True)
        x = x / torch.sqrt((x**2).mean(-1, keepdim=True) + eps)
        return x * self.learned[f"{name}.weight"] + self.learned[f"{name}.bias"]


def resnet(w: Weights, x: Tensor) -> Tensor:
    """ResNet-18."""
    x = w.conv(x, "conv1", stride=2, padding=3).relu()
    x = functional.max_pool2d(x, 3, 2, 1)
    blocks = ["layer1.0", "layer1.1"]
    blocks += [f"layer{place}{half}" for place in (2, 3, 4) for half in ("_down", ".0")]
    for name in blocks:
        stride = 2 if name.endswith("_down") else 1
        h = w.conv(x, f"{name}.conv1", stride=stride, padding=1).relu()
        h = w.conv(h, f"{name}.conv2", padding=1)
        past = w.conv(x, f"{name}.downsample_conv", stride=2) if stride == 2 else x
        x = (h + past).relu()
    return w.linear(x.mean((2, 3)), "fc")


def mobilenet(w: Weights, x: Tensor) -> Tensor:
    """MobileNetV2."""

    def depthwise(x: Tensor, name: str, stride: int = 1) -> Tensor:
        options = {"stride": stride, "padding": 1, "groups": x.shape[1]}
        x = w.conv(x, f"{name}.depthwise", **options).clamp(0, 6)
        return w.conv(x, f"{name}.project")

    x = w.conv(x, "first", stride=2, padding=1).clamp(0, 6)
    x = depthwise(x, "stage1")
    for place, (more, stride) in enumerate(((1, 2), (2, 2), (3, 2), (2, 1), (2, 2), (0, 1)), 2):
        name = f"stage{place}_down"
        x = depthwise(w.conv(x, f"{name}.widen").clamp(0, 6), name, stride)
        for copy in range(more):
            name = f"stage{place}.{copy}" if more > 1 else f"stage{place}"
            x = x + depthwise(w.conv(x, f"{name}.widen").clamp(0, 6), name)
    x = w.conv(x, "last").clamp(0, 6)
    return w.linear(x.mean((2, 3)), "classifier")


def unet(w: Weights, x: Tensor) -> Tensor:
    """U-Net; images of odd sizes are padded on the way up."""

    def double(x: Tensor, name: str) -> Tensor:
        for place in (1, 2):
            x = w.conv(x, f"{name}.conv{place}", padding=1).relu()
        return x

    levels = [double(x, "inc")]
    for place in range(1, 5):
        levels.append(double(functional.max_pool2d(levels[-1], 2), f"down{place}.conv"))
    x = levels.pop()
    for place in range(1, 5):
        skip, up = levels.pop(), w.of(f"up{place}.up")
        x = functional.conv_transpose2d(x, up["weight"], up["bias"], stride=2)
        height, width = (a - b for a, b in zip(skip.shape[2:], x.shape[2:], strict=True))
        around = (width // 2, width - width // 2, height // 2, height - height // 2)
        x = torch.cat([skip, functional.pad(x, around)], 1)
        x = double(x, f"up{place}.conv")
    return w.conv(x, "outc")


def vit(w: Weights, x: Tensor) -> Tensor:
    """A ViT with patches of 4, two blocks and two heads."""
    filters = w.learned["conv_proj.weight"].flatten(1)
    rows = functional.unfold(x, 4, stride=4).transpose(1, 2)
    x = rows @ filters.T + w.learned["conv_proj.bias"]
    token = w.learned["class_token"].repeat(len(x), 1, 1)
    x = torch.cat([token, x], 1) + w.learned["pos_embedding"]
    for name in ("layers.0", "layers.1"):
        h = w.layer_norm(x, f"{name}.ln_1", 1e-6)
        q, k, v = w.linear(h, f"{name}.self_attention.in_proj").chunk(3, -1)
        heads = []
        for one in range(2):
            part = slice(one * 8, one * 8 + 8)
            scores = q[..., part] @ k[..., part].transpose(1, 2) / math.sqrt(8)
            heads.append(scores.softmax(-1) @ v[..., part])
        x = x + w.linear(torch.cat(heads, -1), f"{name}.self_attention.out_proj")
        h = w.linear(w.layer_norm(x, f"{name}.ln_2", 1e-6), f"{name}.fc1")
        h = h * 0.5 * (1 + torch.erf(h / math.sqrt(2)))
        x = x + w.linear(h, f"{name}.fc2")
    return w.linear(w.layer_norm(x, "ln", 1e-6)[:, 0], "head")


def lstm(w: Weights, tokens: Tensor) -> Tensor:
    """Two layers of an LSTM, step by step."""
    x = w.learned["encoder.weight"][tokens]
    own = w.of("rnn")
    for layer in range(2):
        h = c = x.new_zeros(len(x), own[f"weight_hh_l{layer}"].shape[1])
        states = []
        for step in x.unbind(1):
            gates = step @ own[f"weight_ih_l{layer}"].T + own[f"bias_ih_l{layer}"]
            gates = gates + h @ own[f"weight_hh_l{layer}"].T + own[f"bias_hh_l{layer}"]
            taken, kept, new, told = gates.chunk(4, -1)
            c = kept.sigmoid() * c + taken.sigmoid() * new.tanh()
            h = told.sigmoid() * c.tanh()
            states.append(h)
        x = torch.stack(states, 1)
    return w.linear(x, "decoder")


def transformer(w: Weights, source: Tensor, target: Tensor) -> Tensor:
    """Layers of torch around embeddings of 16 numbers."""

    def placed(tokens: Tensor) -> Tensor:
        at = torch.arange(tokens.shape[1], dtype=torch.float64)[:, None]
        rates = 10_000 ** (-torch.arange(0, 16, 2, dtype=torch.float64) / 16)
        waves = torch.stack([(at * rates).sin(), (at * rates).cos()], -1).flatten(1)
        return w.learned["source_embedding.weight"][tokens] * 4 + waves

    options: dict[str, Any] = {"dropout": 0.0, "batch_first": True}
    encoder = nn.TransformerEncoderLayer(16, 2, 20, **options).double().train()
    decoder = nn.TransformerDecoderLayer(16, 2, 20, **options).double().train()
    memory, x = placed(source), placed(target)
    later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
    for place in range(2):
        memory = torch.func.functional_call(encoder, w.of(f"encoder.{place}"), (memory,))
    for place in range(2):
        given = (x, memory, later)
        x = torch.func.functional_call(decoder, w.of(f"decoder.{place}"), given)
    return x @ w.learned["source_embedding.weight"].T


def agree(name: str, reference: Callable[..., Tensor], *inputs: Tensor, **arguments: Any) -> None:
    """Outputs and all gradients are equal, for random weights in double precision."""
    torch.manual_seed(5)
    module = exported(design(name), **arguments).double()
    with torch.no_grad():
        for parameter in module.parameters():
            fan = math.sqrt(parameter[0].numel())
            parameter.copy_(torch.randn(parameter.shape) / fan)
        for held, buffer in module.named_buffers():
            if held.endswith(("running_mean", "running_var")):
                buffer.copy_(torch.rand(buffer.shape) + 0.5)
    weights = Weights(module)
    got, expected = module(*inputs), reference(weights, *inputs)
    torch.testing.assert_close(got, expected, rtol=1e-6, atol=1e-6)
    direction = torch.randn(got.shape, dtype=torch.float64)
    mine = torch.autograd.grad((got * direction).sum(), list(module.parameters()))
    theirs = torch.autograd.grad((expected * direction).sum(), list(weights.learned.values()))
    for one, other, key in zip(mine, theirs, weights.learned, strict=True):
        scale = max(1.0, float(other.abs().max()))
        torch.testing.assert_close(one / scale, other / scale, rtol=1e-6, atol=1e-6, msg=key)


def image(channels: int, *size: int) -> Tensor:
    """Two random images."""
    return torch.randn(2, channels, *size, dtype=torch.float64)


def tokens(length: int) -> Tensor:
    """Two random sequences of a vocabulary of 11."""
    return torch.randint(11, (2, length))


def test_resnet_18() -> None:
    agree("resnet-18", resnet, image(3, 64, 48), classes=5)


def test_mobilenet_v2() -> None:
    agree("mobilenet-v2", mobilenet, image(3, 64, 48), classes=5, expand=2)


def test_unet() -> None:
    agree("unet", unet, image(3, 37, 46), width=4, classes=3)


def test_vit() -> None:
    small = {"image_size": 12, "patch": 4, "d_model": 16, "n_heads": 2, "n_layers": 2}
    agree("vit-b-16", vit, image(3, 12, 12), d_mlp=20, classes=3, **small)


def test_lstm() -> None:
    agree("lstm-language-model", lstm, tokens(7), vocab=11, d_embed=6, hidden=5)


def test_transformer() -> None:
    small = {"d_model": 16, "n_heads": 2, "d_ff": 20, "n_layers": 2, "vocab": 11}
    agree("transformer-2017", transformer, tokens(6), tokens(7), p_drop=0.0, **small)


# Swin against transformers' layers

PARTS = {
    "layernorm_before": "ln_1",
    "layernorm_after": "ln_2",
    "attention.o_proj": "attn.proj",
    "mlp.fc1": "fc1",
    "mlp.fc2": "fc2",
}


@pytest.fixture(scope="module")
def swin_layers() -> Any:
    """The module of transformers that has Swin's layers."""
    library()
    from transformers.models.swin import modeling_swin

    return modeling_swin


def block_of_swin(theirs: Any, w: Weights, name: str, x: Tensor, heads: int, shift: int) -> Tensor:
    """A layer of transformers with the weights of one of ours; windows of 2."""
    config = theirs.SwinConfig(window_size=2, attn_implementation="eager")
    layer = theirs.SwinLayer(config, x.shape[-1], (0, 0), heads, shift_size=shift).double().eval()
    given = {
        f"{their}.{part}": w.learned[f"{name}.{ours}.{part}"]
        for their, ours in PARTS.items()
        for part in ("weight", "bias")
    }
    for part in ("weight", "bias"):
        thirds = w.learned[f"{name}.attn.qkv.{part}"].chunk(3)
        given |= {f"attention.{q}_proj.{part}": t for q, t in zip("qkv", thirds, strict=True)}
    table = "relative_position_bias_table"
    given[f"attention.relative_position_bias.{table}"] = w.learned[f"{name}.attn.{table}"]
    rows, size = x.flatten(1, 2), tuple(x.shape[1:3])
    out, _ = torch.func.functional_call(layer, given, (rows, size))
    assert isinstance(out, Tensor)
    return out.view_as(x)


def test_swin(swin_layers: Any) -> None:
    def reference(w: Weights, x: Tensor) -> Tensor:
        x = w.conv(x, "patches", stride=4).permute(0, 2, 3, 1)
        x = w.layer_norm(x, "patch_norm")
        for place in range(1, 5):
            if place > 1:
                corners = [x[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
                merged = w.layer_norm(torch.cat(corners, -1), f"merge{place}.norm")
                x = w.linear(merged, f"merge{place}.reduction")
            heads = 2**place
            for shift, half in enumerate(("still", "moved")):
                name = f"stage{place}.0.{half}"
                x = block_of_swin(swin_layers, w, name, x, heads, shift)
        return w.linear(w.layer_norm(x, "norm").mean((1, 2)), "head")

    small = {"width": 4, "n_heads": 2, "window": 2, "pairs3": 1}
    agree("swin-t", reference, image(3, 64, 64), classes=3, **small)
