"""Transformers are PyTorch's: their layers, stacks of these, and the whole."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from torch import nn

from designer.core.layer import CATALOGUE, examine
from designer.core.size import free
from designer.core.tensor import Tensor
from tests.layers.oracle import check, made, refusal, t, verdict

LAYERS = ["TransformerEncoderLayer", "TransformerDecoderLayer"]
STACKS = ["TransformerEncoder", "TransformerDecoder"]
KINDS = [*LAYERS, *STACKS, "Transformer"]
SMALL = {"d_model": 4, "nhead": 2, "dim_feedforward": 3, "dropout": 0.0}
CALLED = ("is_causal", "tgt_is_causal", "memory_is_causal", "src_is_causal")
DEPTHS: dict[str, dict[str, int]] = {
    "TransformerEncoder": {"num_layers": 2},
    "TransformerDecoder": {"num_layers": 2},
    "Transformer": {"num_encoder_layers": 2, "num_decoder_layers": 1},
}


class Named(nn.Module):
    """A module whose masks have names; its state dict is the same."""

    def __init__(self, module: nn.Module, names: list[str], flags: dict[str, bool]) -> None:
        super().__init__()
        self.called, self.names, self.flags = (module,), names, flags

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        return self.called[0].state_dict(*args, **kwargs)

    def named_parameters(self, *args: Any, **kwargs: Any) -> Any:
        return self.called[0].named_parameters(*args, **kwargs)

    def forward(self, *tensors: Any) -> Any:
        count = len(tensors) - len(self.names)
        masks = dict(zip(self.names, tensors[count:], strict=True))
        return self.called[0](*tensors[:count], **masks, **self.flags)


def module(kind: str, options: dict[str, Any]) -> nn.Module:
    """PyTorch's module: a stack is made of a layer, and of a norm where there is one."""
    if kind not in STACKS:
        built = getattr(nn, kind)(**options)
        assert isinstance(built, nn.Module)
        return built
    rest = dict(options)
    depth, last, offset = rest.pop("num_layers"), rest.pop("norm", False), rest.pop("norm_bias", 1)
    given = {name: rest.pop(name) for name in ["enable_nested_tensor"] if name in rest}
    norm = nn.LayerNorm(rest["d_model"], bias=bool(offset)) if last else None
    built = getattr(nn, kind)(getattr(nn, f"{kind}Layer")(**rest), depth, norm=norm, **given)
    assert isinstance(built, nn.Module)
    return built


def held(
    kind: str, options: dict[str, Any], *inputs: Tensor, weaker: bool = False, **masks: Tensor
) -> None:
    """Check one case; a stack finds out by values whether a mask is causal, so not on meta."""
    options = {**SMALL, **DEPTHS.get(kind, {}), **options}
    if kind == "TransformerEncoder":
        options.setdefault("enable_nested_tensor", False)
    flags = {name: options[name] for name in CALLED if name in options}
    built = {name: value for name, value in options.items() if name not in CALLED}
    ports = [port.name for port in CATALOGUE[kind].ports if port.optional]
    check(
        kind,
        options,
        *inputs,
        *(masks.get(port) for port in ports),
        reference=lambda: Named(module(kind, built), [p for p in ports if p in masks], flags),
        flops=kind in LAYERS or not masks,
        weaker=weaker,
    )


def needed(kind: str, options: dict[str, Any], batch: int | None = 3) -> list[Tensor]:
    """A sequence of 2, and one of 5 where there are two."""

    def sequence(length: int) -> Tensor:
        if batch is None:
            return t(length, 4)
        return t(batch, length, 4) if options.get("batch_first") else t(length, batch, 4)

    return [sequence(2)] if "Encoder" in kind else [sequence(2), sequence(5)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch", [3, None])
def test_options(kind: str, batch: int | None) -> None:
    switches = ["batch_first", "norm_first", "bias"]
    for values in itertools.product([True, False], repeat=3):
        options = dict(zip(switches, values, strict=True))
        held(kind, options, *needed(kind, options, batch), weaker=values[0])
    held(kind, {"activation": "gelu", "layer_norm_eps": 0.1}, *needed(kind, {}, batch))


@pytest.mark.parametrize("kind", STACKS)
def test_a_norm_behind_the_last_layer(kind: str) -> None:
    for norm, offset, bias in itertools.product([True, False], repeat=3):
        options = {"norm": norm, "norm_bias": offset, "bias": bias, "num_layers": 1}
        held(kind, options, *needed(kind, options))


@pytest.mark.parametrize("kind", KINDS)
def test_masks(kind: str) -> None:
    lengths = {"src": 2, "tgt": 2, "memory": 5}
    if kind == "Transformer":
        lengths = {"src": 2, "tgt": 5, "memory": 2}
    queries = {**lengths, "memory": lengths["tgt"]}
    for port in (port.name for port in CATALOGUE[kind].ports if port.optional):
        side = "src" if port == "mask" else port.partition("_")[0]
        right = (
            [(3, lengths[side])]
            if "padding" in port
            else [(queries[side], lengths[side]), (6, queries[side], lengths[side])]
        )
        wrong = [(7, lengths[side]), (3, 7), (5,)]
        for shape, dtype in itertools.product([*right, *wrong], ["bool", "float32"]):
            given: dict[str, Any] = {port: t(*shape, dtype=dtype)}
            held(kind, {}, *needed(kind, {}), **given)


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_inputs(kind: str) -> None:
    right = needed(kind, {})
    for place, shape in itertools.product(
        range(len(right)), [(2, 3, 5), (2, 2, 4), (5, 4), (2, 2, 3, 4), (4,)]
    ):
        held(kind, {}, *[t(*shape) if i == place else x for i, x in enumerate(right)])
    held(kind, {"nhead": 3}, *right)
    for dtype in ["float64", "int64"]:
        held(kind, {}, *[Tensor(x.shape, dtype) for x in right])


@pytest.mark.parametrize("kind", ["TransformerEncoderLayer", "TransformerEncoder"])
def test_a_causal_encoder_needs_its_mask(kind: str) -> None:
    name = "mask" if kind in STACKS else "src_mask"
    held(kind, {"is_causal": True}, *needed(kind, {}))
    given: dict[str, Any] = {name: t(2, 2, dtype="bool")}
    held(kind, {"is_causal": True}, *needed(kind, {}), **given)


@pytest.mark.parametrize("kind", ["TransformerDecoderLayer", "TransformerDecoder"])
def test_a_causal_decoder_needs_its_mask(kind: str) -> None:
    held(kind, {"tgt_is_causal": True}, *needed(kind, {}))
    held(kind, {"tgt_is_causal": True}, *needed(kind, {}), tgt_mask=t(2, 2, dtype="bool"))
    held(kind, {"memory_is_causal": True}, *needed(kind, {}), memory_mask=t(2, 5, dtype="bool"))


def test_free_axes_stay_free() -> None:
    layer = made("TransformerEncoder", batch_first=True, num_layers=12)
    inputs = {"src": t(free("B"), free("T"), 768)}
    result = examine(layer, inputs).result
    assert result is not None
    assert str(result.outputs[0]) == "[B, T, 768]"
    assert len(result.params) == 12 * 12
    assert layer.caption(result, inputs) == "768, 8 heads, ×12"


@pytest.mark.parametrize(
    ("kind", "options", "inputs", "sentence"),
    [
        (
            "TransformerEncoder",
            {"d_model": 8},
            {"src": t(2, 3, 4)},
            "TransformerEncoder expects [..., 8], got [2, 3, 4].",
        ),
        (
            "TransformerDecoder",
            {"nhead": 2},
            {"tgt": t(2, 3, 4), "memory": t(2, 3, 8)},
            "TransformerDecoder expects memory [..., 4], got [2, 3, 8].",
        ),
        (
            "Transformer",
            {"d_model": 4, "nhead": 3},
            {"src": t(2, 3, 4), "tgt": t(2, 3, 4)},
            "Transformer needs nhead to divide 4, got 3.",
        ),
    ],
)
def test_refusals(kind: str, options: Any, inputs: Any, sentence: str) -> None:
    assert refusal(verdict(kind, options, inputs)) == sentence
