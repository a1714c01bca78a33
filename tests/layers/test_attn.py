"""Attention, against PyTorch."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from designer.core.code import Attribute, Call, Conditional, Name
from designer.core.expression import Flag
from designer.core.layer import (
    CATALOGUE,
    Examined,
    Result,
    defaults,
    examine,
    options_of,
)
from designer.core.size import UNKNOWN, free, variable
from designer.core.tensor import ANYTHING, Tensor
from designer.layers.attn import MultiheadAttention, ScaledDotProductAttention
from tests.layers.oracle import Fed, check, made, t

if TYPE_CHECKING:
    from collections.abc import Callable

B, T = free("B"), free("T")
FLAGS = (False, True)
Shape = tuple[int, ...]


def outputs(examined: Examined) -> list[str]:
    """The shapes that are known, as people read them."""
    assert examined.result is not None
    return [str(tensor) for tensor in examined.result.outputs]


def remarks(examined: Examined) -> list[tuple[str, str]]:
    """What is said, and how gravely."""
    return [(remark.severity, str(remark.message)) for remark in examined.remarks]


# Scaled dot-product attention


def attend(options: dict[str, Any], *fed: Fed, flops: bool = True) -> Result | None:
    attention = functional.scaled_dot_product_attention
    return check(
        "ScaledDotProductAttention",
        options,
        *fed,
        reference=lambda: lambda *tensors: attention(*tensors, **options),
        flops=flops,
    )


LEADS: tuple[tuple[Shape, Shape, Shape], ...] = (
    ((), (), ()),
    ((3,), (3,), (3,)),
    ((2, 4), (2, 4), (2, 4)),
    ((2, 4), (2, 2), (2, 2)),
    ((2, 4), (2, 2), (2, 1)),
    ((2, 4), (2, 3), (2, 3)),
    ((2, 4), (1, 4), (2, 4)),
    ((1, 4), (2, 1), (2, 4)),
    ((3, 2, 4), (3, 2, 4), (3, 2, 4)),
    ((2,), (), (2,)),
    ((2,), (3,), (3,)),
)


@pytest.mark.parametrize("enable_gqa", FLAGS)
@pytest.mark.parametrize("is_causal", FLAGS)
def test_heads_and_batches(enable_gqa: bool, is_causal: bool) -> None:
    options = {"is_causal": is_causal, "enable_gqa": enable_gqa}
    verdicts = []
    for query, key, value in LEADS:
        # The counter wants one batch of heads, as PyTorch's fused kernel does.
        plain = query == key == value and len(query) == 2
        fed = (t(*query, 5, 6), t(*key, 7, 6), t(*value, 7, 3))
        verdicts.append(attend(options, *fed, flops=plain) is not None)
    assert any(verdicts)
    assert not all(verdicts)


@pytest.mark.parametrize("dtype", ["bool", "float32"])
@pytest.mark.parametrize(
    "mask",
    [
        (),
        (7,),
        (5, 7),
        (1, 7),
        (5, 1),
        (4, 5, 7),
        (1, 5, 7),
        (2, 1, 5, 7),
        (2, 4, 5, 7),
        (3, 2, 4, 5, 7),
        (1, 2, 4, 5, 7),
        (7, 7),
        (5, 5),
        (3, 4, 5, 7),
    ],
)
def test_masks(mask: Shape, dtype: str) -> None:
    for query, key, value in LEADS[:4]:
        fed = (t(*query, 5, 6), t(*key, 7, 6), t(*value, 7, 3), t(*mask, dtype=dtype))
        attend({}, *fed, flops=False)


@pytest.mark.parametrize(
    ("query", "key", "value"),
    [
        ((6,), (7, 6), (7, 3)),
        ((5, 6), (6,), (7, 3)),
        ((5, 6), (7, 6), (3,)),
        ((5, 6), (7, 8), (7, 3)),
        ((5, 6), (7, 6), (8, 3)),
        ((1, 6), (1, 6), (1, 6)),
        ((0, 6), (7, 6), (7, 3)),
    ],
)
def test_widths_and_lengths(query: Shape, key: Shape, value: Shape) -> None:
    attend({}, t(*query), t(*key), t(*value), flops=False)


@pytest.mark.parametrize("mask", ["bool", "float32", "float64", "int64", "float16"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
def test_dtypes_of_masks(dtype: str, mask: str) -> None:
    x = t(2, 5, 6, dtype=dtype)
    attend({}, x, x, x, t(5, 5, dtype=mask), flops=False)


def test_one_dtype() -> None:
    x = t(2, 5, 6)
    assert attend({}, x, t(2, 5, 6, dtype="float64"), x, flops=False) is None
    assert attend({}, x, x, t(2, 5, 6, dtype="float64"), flops=False) is None


def test_scale() -> None:
    assert attend({"scale": 0.25}, t(2, 4, 5, 6), t(2, 4, 7, 6), t(2, 4, 7, 6))


def test_a_mask_or_causal() -> None:
    x = t(3, 5, 6)
    assert attend({"is_causal": True}, x, x, x, t(5, 5), flops=False) is None


def test_dropout_in_training_only() -> None:
    result = attend({"dropout_p": 0.5}, t(2, 5, 6), t(2, 7, 6), t(2, 7, 6), flops=False)
    assert result is not None
    assert result.code is not None
    assert isinstance(result.code.use, Call)
    expected = Conditional(Attribute(Name("self"), "training"), 0.5, 0.0)
    assert result.code.use.kwargs == (("dropout_p", expected),)
    without = examine(
        ScaledDotProductAttention(), {p: t(2, 5, 6) for p in ("query", "key", "value")}
    )
    assert without.result is not None
    assert without.result.code is not None
    assert isinstance(without.result.code.use, Call)
    assert without.result.code.use.kwargs == ()


def test_free_heads() -> None:
    heads, width = variable("n_heads", 12), variable("d_head", 64)
    x = Tensor((B, heads, T, width))
    examined = examine(ScaledDotProductAttention(is_causal=True), dict.fromkeys(PORTS, x))
    assert outputs(examined) == ["[B, n_heads, T, d_head]"]
    assert examined.result is not None
    assert examined.result.flops == 4 * B * heads * T * T * width
    mask = {"attn_mask": Tensor((T, free("S")), "bool")}
    examined = examine(ScaledDotProductAttention(), dict.fromkeys(PORTS, x) | mask)
    text = "Attention scores are [B, n_heads, T, T]: attn_mask [T, S] does not fit."
    assert remarks(examined) == [("error", text)]


def test_no_heads_cannot_be_shared() -> None:
    x = t(B, 0, T, 64)
    (remark,) = remarks(
        examine(ScaledDotProductAttention(enable_gqa=True), dict.fromkeys(PORTS, x))
    )
    assert remark[0] == "error"


def test_grouped_heads_of_which_less_is_known() -> None:
    grouped = ScaledDotProductAttention(enable_gqa=True)
    inputs = {"query": t(B, 8, T, 64), "key": t(B, UNKNOWN, T, 64), "value": ANYTHING}
    assert outputs(examine(grouped, inputs)) == ["[…, ?, 8, T, ?]"]


# Multi-head attention

PORTS = ("query", "key", "value")
ALL_PORTS = (*PORTS, "key_padding_mask", "attn_mask")
CALL = ("need_weights", "average_attn_weights", "is_causal")


def heads(
    options: dict[str, Any],
    *fed: Fed,
    inferred: tuple[str, ...] = (),
    weaker: bool = True,
    flops: bool = True,
) -> Result | None:
    given = {name: options[name] for name in CALL if name in options}
    built = {name: value for name, value in options.items() if name not in CALL}
    ports = [port for port, one in zip(ALL_PORTS, fed, strict=False) if one is not None]

    class Called(nn.MultiheadAttention):
        """PyTorch's module, called with one tensor after the other."""

        def forward(self, *tensors: torch.Tensor) -> Any:  # type: ignore[override]
            named: dict[str, Any] = dict(zip(ports, tensors, strict=True))
            return super().forward(**named, **given)

    return check(
        "MultiheadAttention",
        options,
        *fed,
        reference=lambda: Called(**built),
        inferred=inferred,
        weaker=weaker,
        flops=flops,
    )


def sequences(first: bool, batched: bool, kdim: int = 6, vdim: int = 6) -> list[Tensor]:
    """query, key and value with batch 3 and lengths 4 and 5."""
    if not batched:
        return [t(4, 6), t(5, kdim), t(5, vdim)]
    if first:
        return [t(3, 4, 6), t(3, 5, kdim), t(3, 5, vdim)]
    return [t(4, 3, 6), t(5, 3, kdim), t(5, 3, vdim)]


@pytest.mark.parametrize("batched", FLAGS)
@pytest.mark.parametrize("batch_first", FLAGS)
@pytest.mark.parametrize("bias", FLAGS)
@pytest.mark.parametrize(("kdim", "vdim"), [(None, None), (2, None), (None, 7), (6, 6), (2, 7)])
def test_over_the_options(
    batched: bool, batch_first: bool, bias: bool, kdim: int | None, vdim: int | None
) -> None:
    fed = sequences(batch_first, batched, kdim or 6, vdim or 6)
    calls = ((True, True), (True, False), (False, True))
    for bias_kv, zero, (weights, average) in itertools.product(FLAGS, FLAGS, calls):
        options = {
            "embed_dim": 6,
            "num_heads": 2,
            "bias": bias,
            "add_bias_kv": bias_kv,
            "add_zero_attn": zero,
            "kdim": kdim,
            "vdim": vdim,
            "batch_first": batch_first,
            "need_weights": weights,
            "average_attn_weights": average,
        }
        # What less is known does not depend on the flags of the call.
        once = weights and average
        inferred = () if 6 in (kdim, vdim) else ("embed_dim",)
        assert heads(options, *fed, inferred=inferred, weaker=once, flops=once)


@pytest.mark.parametrize("embed_dim", [1, 6, 7])
@pytest.mark.parametrize("num_heads", [0, 1, 2, 3, 4, 6, 7])
def test_heads_divide_the_width(embed_dim: int, num_heads: int) -> None:
    options = {"embed_dim": embed_dim, "num_heads": num_heads}
    accepted = heads(options, *(t(4, 3, embed_dim) for _ in PORTS))
    assert (accepted is not None) == (num_heads > 0 and embed_dim % num_heads == 0)


QUERIES: tuple[Shape, ...] = ((4, 3, 6), (4, 6), (4, 2, 6), (4, 3, 5), (6,), (2, 4, 3, 6))
KEYS: tuple[Shape, ...] = ((5, 3, 6), (5, 6), (5, 2, 6), (4, 3, 6), (5, 3, 7), (2, 5, 3, 6))


@pytest.mark.parametrize("options", [{}, {"batch_first": True}, {"kdim": 7}])
def test_shapes_of_key_and_value(options: dict[str, Any]) -> None:
    chosen = {"embed_dim": 6, "num_heads": 2} | options
    verdicts = [
        heads(chosen, t(*query), t(*key), t(*value), weaker=False, flops=False) is not None
        for query, key, value in itertools.product(QUERIES, KEYS, KEYS[:5])
    ]
    assert any(verdicts)
    assert not all(verdicts)


MASKS: tuple[Shape, ...] = (
    (4, 5),
    (6, 4, 5),
    (2, 4, 5),
    (3, 4, 5),
    (5,),
    (5, 5),
    (4, 6),
    (1, 4, 5),
)
PADDINGS: tuple[Shape | None, ...] = (None, (3, 5), (5,), (3, 4), (1, 5), (3, 5, 1))


@pytest.mark.parametrize("batched", FLAGS)
@pytest.mark.parametrize("batch_first", FLAGS)
def test_shapes_of_masks(batched: bool, batch_first: bool) -> None:
    fed = sequences(batch_first, batched)
    verdicts = []
    for padding, mask, weights, causal in itertools.product(PADDINGS, (None, *MASKS), FLAGS, FLAGS):
        options = {
            "embed_dim": 6,
            "num_heads": 2,
            "batch_first": batch_first,
            "need_weights": weights,
            "is_causal": causal,
        }
        masks = [None if shape is None else t(*shape) for shape in (padding, mask)]
        result = heads(options, *fed, *masks, weaker=False, flops=False)
        verdicts.append(result is not None)
    assert any(verdicts)
    assert not all(verdicts)


@pytest.mark.parametrize("batched", FLAGS)
def test_masks_of_which_less_is_known(batched: bool) -> None:
    options = {"embed_dim": 6, "num_heads": 2, "batch_first": True}
    padding = t(3, 5) if batched else t(5)
    assert heads(options, *sequences(True, batched), padding, t(4, 5))
    stacked = t(6, 4, 5) if batched else t(2, 4, 5)
    assert heads(options, *sequences(True, batched), None, stacked)


@pytest.mark.parametrize("dtype", ["bool", "float32", "int64"])
def test_dtypes_of_both_masks(dtype: str) -> None:
    options = {"embed_dim": 6, "num_heads": 2}
    fed = sequences(False, True)
    accepted = [
        heads(options, *fed, t(3, 5, dtype=dtype), None, flops=False),
        heads(options, *fed, None, t(4, 5, dtype=dtype), flops=False),
    ]
    assert [result is not None for result in accepted] == [dtype != "int64"] * 2


@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_inputs_are_of_the_dtype_of_the_weights(dtype: str) -> None:
    assert heads({"embed_dim": 6, "num_heads": 2}, *(t(4, 3, 6, dtype=dtype),) * 3) is None


@pytest.mark.parametrize("dropout", [0.3, 1.0, 1.5])
def test_dropout(dropout: float) -> None:
    heads({"embed_dim": 6, "num_heads": 2, "dropout": dropout}, *sequences(False, True))


def test_options_stand_in_the_order_of_pytorch() -> None:
    names = [option.name for option in options_of(CATALOGUE["MultiheadAttention"])]
    assert names[:4] == ["embed_dim", "num_heads", "dropout", "bias"]
    assert names[4:9] == ["add_bias_kv", "add_zero_attn", "kdim", "vdim", "batch_first"]
    assert tuple(names[9:]) == CALL


def test_attention_added_by_hand() -> None:
    preset = dict(defaults(CATALOGUE["MultiheadAttention"]))
    assert (preset["batch_first"], preset["need_weights"]) == (True, False)
    layer = made("MultiheadAttention", batch_first=True, need_weights=False)
    assert [port.name for port in layer.outputs()] == ["out"]
    assert [port.name for port in made("MultiheadAttention").outputs()] == ["out", "weights"]
    assert (layer.batch_axis(), made("MultiheadAttention").batch_axis()) == (0, 1)


def test_free_sequences() -> None:
    width = variable("d_model", 768, divisors=("n_heads",))
    count = variable("n_heads", 12)
    layer = MultiheadAttention(None, count, batch_first=True)
    inputs = dict.fromkeys(PORTS, t(B, T, width))
    examined = examine(layer, inputs)
    assert remarks(examined) == []
    assert outputs(examined) == ["[B, T, d_model]", "[B, T, T]"]
    assert examined.result is not None
    assert [str(axis) for axis in examined.result.params[0].shape] == ["3*d_model", "d_model"]
    assert layer.caption(examined.result, inputs) == "n_heads × d_model//n_heads"
    split = MultiheadAttention(num_heads=12, batch_first=True, average_attn_weights=False)
    assert outputs(examine(split, inputs))[1] == "[B, 12, T, T]"
    sources = {"query": t(B, T, 64), "key": t(B, free("S"), 64), "value": t(B, T, 64)}
    text = "MultiheadAttention needs equal lengths, got S of key, T of value."
    assert remarks(examine(MultiheadAttention(batch_first=True), sources)) == [("error", text)]


def test_widths_that_do_not_agree() -> None:
    inputs = {"query": t(B, T, 64), "key": t(B, T, 32), "value": t(B, T, 64)}
    examined = examine(MultiheadAttention(batch_first=True), inputs)
    text = "MultiheadAttention expects key [..., 64], got [B, T, 32]."
    assert remarks(examined) == [("error", text)]
    assert examined.remarks[0].option == "kdim"
    assert examined.remarks[0].port == "key"


def test_what_is_certain_without_inputs() -> None:
    layer = MultiheadAttention(64, 8)
    nothing = dict.fromkeys(PORTS, ANYTHING)
    examined = examine(layer, nothing)
    assert outputs(examined) == ["[…, 64]", "[…, ?, ?]"]
    assert examined.result is not None
    assert examined.result.tally.parameters == sum(
        parameter.numel() for parameter in nn.MultiheadAttention(64, 8).parameters()
    )
    unknown = examine(MultiheadAttention(), nothing).result
    assert unknown is not None
    assert MultiheadAttention().caption(unknown, nothing) == "8 heads"


def test_the_code_of_self_attention() -> None:
    make: Callable[..., Examined] = lambda **given: examine(  # noqa: E731
        MultiheadAttention(batch_first=True, need_weights=False), given
    )
    x = t(B, T, 64)
    result = make(query=x, key=x, value=x, attn_mask=t(T, T)).result
    assert result is not None
    assert result.code is not None
    assert isinstance(result.code.use, Call)
    assert [name for name, _ in result.code.use.kwargs] == ["attn_mask", "need_weights"]
    assert result.code.make == Call("nn.MultiheadAttention", (64, 8), (("batch_first", True),))
    assert result.code.returns == ("out", "_")


def test_a_flag_that_a_variable_holds_is_written() -> None:
    causal = Flag(False, "causal")
    x = t(B, 8, T, 64)
    options: dict[str, Any] = {"is_causal": causal}
    layer = ScaledDotProductAttention(**options)
    result = examine(layer, dict.fromkeys(PORTS, x)).result
    assert result is not None
    assert result.code is not None
    assert isinstance(result.code.use, Call)
    assert result.code.use.kwargs == (("is_causal", causal),)
    assert result.code.use.kwargs[0][1] is causal
