"""The layers of PyTorch's transformers: attention and a feed-forward part, with residuals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from designer.core.code import Call, Code, Module, Ref
from designer.core.layer import (
    Layer,
    LayerError,
    Result,
    layer,
    same_value,
)
from designer.core.message import Message
from designer.core.option import option
from designer.core.param import Param, bias, weight
from designer.core.size import UNKNOWN, Size
from designer.core.tensor import Tensor
from designer.layers.attn import MultiheadAttention

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from designer.core.layer import Inputs
    from designer.core.option import Raw

WIDTH = "Size of the last axis of input and output; inferred when empty."
HEADS = "Number of heads; divides d_model."
FORWARD = "Size between the two linear layers."
DROPOUT = "Share of values that training sets to 0."
ACTIVATION = "The function between the two linear layers."
FUNCTIONS = ("relu", "gelu")
EPS = "Added to the variance in the norms."
FIRST = "Axes are [N, T, E], not [T, N, E]."
BEFORE = "Normalise before each part, not after it."
BIAS = "Add learned offsets, in the norms too."
CAUSAL = "Say that {} is the causal one, which is faster."

Masks: TypeAlias = "dict[str, Tensor | None]"


def renamed(outer: Layer, names: Mapping[str, str], run: Callable[[], Result]) -> Result:
    """What `run` gives; a refusal of a part becomes one of `outer`, whose ports are `names`."""
    try:
        return run()
    except LayerError as error:
        inner = error.remark
        said = {
            key: names.get(str(given), given) if key == "port" else given
            for key, given in inner.message.values
        }
        text = Message(inner.message.template, tuple({**said, "layer": outer.kind}.items()))
        raise LayerError(
            text,
            port=names.get(inner.port or "", inner.port),
            expected=inner.expected,
            got=inner.got,
        ) from error


def under(prefix: str, params: tuple[Param, ...]) -> Iterator[Param]:
    """The parameters of a part, under its name."""
    return (replace(param, name=f"{prefix}.{param.name}") for param in params)


def norm(name: str, width: Size, offset: bool) -> Iterator[Param]:
    """The parameters of a LayerNorm."""
    yield weight(f"{name}.weight", d_model=width)
    if offset:
        yield bias(f"{name}.bias", d_model=width)


def called(layer: Layer, made: Code, ports: tuple[str, ...], masks: Masks, **usual: object) -> Code:
    """The module that `made` makes, called with ports, masks, and options that are not usual."""
    given = tuple((name, Ref(name)) for name, mask in masks.items() if mask is not None)
    pairs = ((name, getattr(layer, name)) for name in usual)
    flags = tuple((name, flag) for name, flag in pairs if not same_value(flag, usual[name]))
    return Code(Call(Module(), tuple(map(Ref, ports)), (*given, *flags)), made.make)


class Part(Layer):
    """What all parts of a transformer share."""

    def elementwise(self, inputs: Inputs, result: Result) -> Size:
        """Not known: the convention does not reach inside."""
        return UNKNOWN

    d_model: Size | None
    nhead: Size
    dim_feedforward: Size
    dropout: float
    activation: str
    layer_norm_eps: float
    batch_first: bool
    norm_first: bool
    bias: bool

    preset: ClassVar[Mapping[str, Raw]] = {"batch_first": True}

    def batch_axis(self) -> int:
        """The batch comes first or second."""
        return 0 if self.batch_first else 1

    def width(self, x: Tensor, port: str) -> Size:
        """The size of the last axis, which all parts share, and the heads divide."""
        width = self.agree("d_model", x.axis(-1) if x.rank != 0 else 0, x, "[..., {}]", port)
        refusal = self.refuse(
            "{layer} needs nhead to divide {expected}, got {got}.",
            option="nhead",
            expected=width,
            got=self.nhead,
        )
        self.same(width, self.nhead * (width // self.nhead), refusal)
        return width

    def shared(self, width: Size) -> dict[str, Any]:
        """The options of a layer, for a stack of them."""
        names = ("nhead", "dim_feedforward", "dropout", "activation", "layer_norm_eps")
        flags = ("batch_first", "norm_first", "bias")
        return {"d_model": width, **{name: getattr(self, name) for name in (*names, *flags)}}

    def forward(self, width: Size) -> Iterator[Param]:
        """The two linear layers."""
        inner = self.dim_feedforward
        yield weight("linear1.weight", dim_feedforward=inner, d_model=width)
        if self.bias:
            yield bias("linear1.bias", dim_feedforward=inner)
        yield weight("linear2.weight", d_model=width, dim_feedforward=inner)
        if self.bias:
            yield bias("linear2.bias", d_model=width)

    def forward_flops(self, x: Tensor, width: Size) -> Size:
        """Operations of the two linear layers."""
        return 4 * x.lead(1).count * width * self.dim_feedforward

    def attended(
        self,
        width: Size,
        query: tuple[str, Tensor],
        source: tuple[str, Tensor],
        masks: Masks,
        causal: object,
    ) -> Result:
        """Attention of a port's tensor to another's; `masks` are that of scores and of padding."""
        attention = MultiheadAttention(
            embed_dim=width,
            num_heads=self.nhead,
            bias=self.bias,
            batch_first=self.batch_first,
            need_weights=False,
            is_causal=bool(causal),
        )
        (mask, scores), (padding, lengths) = masks.items()
        names = {"query": query[0], "key": source[0], "value": source[0]}
        names |= {"attn_mask": mask, "key_padding_mask": padding}
        keys = source[1]
        return renamed(self, names, lambda: attention.infer(query[1], keys, keys, lengths, scores))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """Heads and widths: `512, 8 heads`."""
        return f"{result.outputs[0].axis(-1)}, {self.nhead} heads"


# Options are collected from the last base to the first, which gives PyTorch's order.


@dataclass(frozen=True, eq=False)
class Widths(Part):
    """The width, and what divides it."""

    d_model: Size | None = option(None, WIDTH, min=1)
    nhead: Size = option(8, HEADS, min=1)


@dataclass(frozen=True, eq=False)
class Inside:
    """What is inside each layer."""

    dim_feedforward: Size = option(2048, FORWARD, min=1)
    dropout: float = option(0.1, DROPOUT, min=0, max=1)
    activation: str = option("relu", ACTIVATION, choices=FUNCTIONS)
    layer_norm_eps: float = option(1e-5, EPS)
    batch_first: bool = option(False, FIRST)
    norm_first: bool = option(False, BEFORE)
    bias: bool = option(True, BIAS)


@layer(
    "TransformerEncoderLayer",
    family="attn",
    aliases=("transformer block", "bert layer", "self-attention", "编码器层", "变换器"),
    title="Transformer encoder layer",
    stem="encoder_layer",
)
class TransformerEncoderLayer(Inside, Widths):
    """Self-attention and two linear layers, each with a residual: y = norm(x + f(x))."""

    is_causal: bool = option(False, CAUSAL.format("src_mask"))

    not_torch: ClassVar[tuple[str, ...]] = ("is_causal",)

    def infer(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
    ) -> Result:
        """[N, T, d_model] or [T, N, d_model] or [T, d_model] to the same shape."""
        width = self.width(src, "src")
        masks = {"src_mask": src_mask, "src_key_padding_mask": src_key_padding_mask}
        own = self.attended(width, ("src", src), ("src", src), masks, self.is_causal)
        params = (
            *under("self_attn", own.params),
            *self.forward(width),
            *norm("norm1", width, self.bias),
            *norm("norm2", width, self.bias),
        )
        made = self.module("nn.TransformerEncoderLayer", "d_model", "nhead", d_model=width)
        code = called(self, made, ("src",), masks, is_causal=False)
        return Result(own.outputs, params, own.flops + self.forward_flops(src, width), code)


@layer(
    "TransformerDecoderLayer",
    family="attn",
    aliases=("transformer block", "cross-attention", "解码器层", "变换器"),
    title="Transformer decoder layer",
    stem="decoder_layer",
)
class TransformerDecoderLayer(Inside, Widths):
    """Attention to itself, then to a memory, and two linear layers, each y = norm(x + f(x))."""

    tgt_is_causal: bool = option(False, CAUSAL.format("tgt_mask"))
    memory_is_causal: bool = option(False, CAUSAL.format("memory_mask"))

    not_torch: ClassVar[tuple[str, ...]] = ("tgt_is_causal", "memory_is_causal")

    def infer(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
    ) -> Result:
        """tgt [N, T, d_model] and memory [N, S, d_model] to [N, T, d_model]."""
        width = self.width(tgt, "tgt")
        to_own = {"tgt_mask": tgt_mask, "tgt_key_padding_mask": tgt_key_padding_mask}
        to_memory = {
            "memory_mask": memory_mask,
            "memory_key_padding_mask": memory_key_padding_mask,
        }
        query = ("tgt", tgt)
        own = self.attended(width, query, query, to_own, self.tgt_is_causal)
        crossed = self.attended(width, query, ("memory", memory), to_memory, self.memory_is_causal)
        params = (
            *under("self_attn", own.params),
            *under("multihead_attn", crossed.params),
            *self.forward(width),
            *(param for n in (1, 2, 3) for param in norm(f"norm{n}", width, self.bias)),
        )
        made = self.module("nn.TransformerDecoderLayer", "d_model", "nhead", d_model=width)
        flags = {"tgt_is_causal": False, "memory_is_causal": False}
        code = called(self, made, ("tgt", "memory"), {**to_own, **to_memory}, **flags)
        flops = own.flops + crossed.flops + self.forward_flops(tgt, width)
        return Result(crossed.outputs, params, flops, code)
