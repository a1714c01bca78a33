"""Stacks of PyTorch's transformer layers, and its whole transformer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from designer.core.code import Call, Code, Module
from designer.core.layer import Result, layer, same_value
from designer.core.option import option
from designer.core.param import Param
from designer.core.size import Size
from designer.core.tensor import Tensor
from designer.layers.transformer import (
    CAUSAL,
    HEADS,
    WIDTH,
    Inside,
    Masks,
    Part,
    TransformerDecoderLayer,
    TransformerEncoderLayer,
    Widths,
    called,
    norm,
    renamed,
    under,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from designer.core.layer import Inputs
    from designer.core.option import Raw

MOST_LAYERS = 10_000


@dataclass(frozen=True, eq=False)
class _Depth:
    num_layers: int = option(6, "Layers behind one another.", min=1, max=MOST_LAYERS)


@dataclass(frozen=True, eq=False)
class _Final:
    norm: bool = option(False, "Normalise the output of the last layer.")
    norm_bias: bool = option(True, "Learn the offset of that norm.")


class Stack(Part):
    """What stacks of layers share."""

    num_layers: int
    norm: bool
    norm_bias: bool

    def stacked(self, width: Size, one: Result) -> tuple[Param, ...]:
        """The parameters of all layers, and those of the norm behind them."""
        layers = (
            param for n in range(self.num_layers) for param in under(f"layers.{n}", one.params)
        )
        return (*layers, *(norm("norm", width, self.norm_bias) if self.norm else ()))

    def made(self, width: Size, one: Result, *flags: tuple[str, object]) -> Code:
        """How the stack is made: of a layer, which it copies."""
        inner = None if one.code is None else one.code.make
        last = (("norm", self._last(width)),) if self.norm else ()
        call = Call(f"nn.{self.kind}", (inner, self.num_layers), (*last, *flags))
        return Code(Call(Module(), self.arguments()), call)

    def _last(self, width: Size) -> Call:
        options = {"eps": self.layer_norm_eps, "bias": self.norm_bias}
        usual = {"eps": 1e-5, "bias": True}
        given = tuple(
            (name, given) for name, given in options.items() if not same_value(given, usual[name])
        )
        return Call("nn.LayerNorm", (width,), given)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """Layers, heads and widths: `512, 8 heads, ×6`."""
        return f"{super().caption(result, inputs)}, ×{self.num_layers}"


LAYER_OPTIONS = (
    "d_model",
    "nhead",
    "dim_feedforward",
    "dropout",
    "activation",
    "layer_norm_eps",
    "batch_first",
    "norm_first",
    "bias",
    "norm",
    "norm_bias",
)
"""Options of stacks that PyTorch takes as modules made of them."""


@layer(
    "TransformerEncoder",
    family="attn",
    aliases=("transformer blocks", "bert", "stack", "编码器", "变换器"),
    title="Transformer encoder",
    stem="encoder",
)
class TransformerEncoder(_Final, Inside, _Depth, Widths, Stack):
    """Encoder layers one behind the other: y = norm(fₙ(… f₁(x) …)), norm where asked for."""

    enable_nested_tensor: bool = option(
        True, "Leave out padding in evaluation; the output may become shorter."
    )
    is_causal: bool | None = option(None, CAUSAL.format("mask"))

    preset: ClassVar[Mapping[str, Raw]] = {"batch_first": True, "enable_nested_tensor": False}
    not_torch: ClassVar[tuple[str, ...]] = (*LAYER_OPTIONS, "is_causal")

    def infer(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
    ) -> Result:
        """[N, T, d_model] or [T, N, d_model] or [T, d_model] to the same shape."""
        width = self.width(src, "src")
        options = {**self.shared(width), "is_causal": bool(self.is_causal)}
        inner = TransformerEncoderLayer(**options)
        names = {"src_mask": "mask"}
        one = renamed(self, names, lambda: inner.infer(src, mask, src_key_padding_mask))
        nested = self.enable_nested_tensor
        flags = () if same_value(nested, True) else (("enable_nested_tensor", nested),)
        made = self.made(width, one, *flags)
        masks = {"mask": mask, "src_key_padding_mask": src_key_padding_mask}
        code = called(self, made, ("src",), masks, is_causal=None)
        return Result(one.outputs, self.stacked(width, one), self.num_layers * one.flops, code)


@layer(
    "TransformerDecoder",
    family="attn",
    aliases=("transformer blocks", "cross-attention", "stack", "解码器", "变换器"),
    title="Transformer decoder",
    stem="decoder",
)
class TransformerDecoder(_Final, Inside, _Depth, Widths, Stack):
    """Decoder layers one behind the other: y = norm(fₙ(… f₁(x, m) …, m)), norm where asked for."""

    tgt_is_causal: bool | None = option(None, CAUSAL.format("tgt_mask"))
    memory_is_causal: bool = option(False, CAUSAL.format("memory_mask"))

    not_torch: ClassVar[tuple[str, ...]] = (*LAYER_OPTIONS, "tgt_is_causal", "memory_is_causal")

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
        inner = TransformerDecoderLayer(
            **self.shared(width),
            tgt_is_causal=bool(self.tgt_is_causal),
            memory_is_causal=self.memory_is_causal,
        )
        masks = {
            "tgt_mask": tgt_mask,
            "memory_mask": memory_mask,
            "tgt_key_padding_mask": tgt_key_padding_mask,
            "memory_key_padding_mask": memory_key_padding_mask,
        }
        one = renamed(self, {}, lambda: inner.infer(tgt, memory, **masks))
        made = self.made(width, one)
        usual = {"tgt_is_causal": None, "memory_is_causal": False}
        code = called(self, made, ("tgt", "memory"), masks, **usual)
        return Result(one.outputs, self.stacked(width, one), self.num_layers * one.flops, code)


@dataclass(frozen=True, eq=False)
class _Whole(Part):
    d_model: Size | None = option(512, WIDTH, min=1)
    nhead: Size = option(8, HEADS, min=1)
    num_encoder_layers: int = option(6, "Layers of the encoder.", min=1, max=MOST_LAYERS)
    num_decoder_layers: int = option(6, "Layers of the decoder.", min=1, max=MOST_LAYERS)


@layer(
    "Transformer",
    family="attn",
    aliases=("encoder decoder", "sequence to sequence", "translation", "变换器", "注意力"),
    stem="transformer",
)
class Transformer(Inside, _Whole):
    """An encoder reads the source, a decoder target and memory: y = decoder(tgt, encoder(src))."""

    src_is_causal: bool | None = option(None, CAUSAL.format("src_mask"))
    tgt_is_causal: bool | None = option(None, CAUSAL.format("tgt_mask"))
    memory_is_causal: bool = option(False, CAUSAL.format("memory_mask"))

    preset: ClassVar[Mapping[str, Raw]] = {"d_model": None, "batch_first": True}
    not_torch: ClassVar[tuple[str, ...]] = ("src_is_causal", "tgt_is_causal", "memory_is_causal")

    further: ClassVar[tuple[str, ...]] = (
        "src_mask",
        "tgt_mask",
        "memory_mask",
        "src_key_padding_mask",
        "tgt_key_padding_mask",
        "memory_key_padding_mask",
    )

    def infer(self, src: Tensor, tgt: Tensor, **masks: Tensor | None) -> Result:
        """src [N, S, d_model] and tgt [N, T, d_model] to [N, T, d_model]."""
        width = self.width(src, "src")
        encoded = self._encoded(
            width, src, masks.get("src_mask"), masks.get("src_key_padding_mask")
        )
        own = {name: mask for name, mask in masks.items() if not name.startswith("src")}
        decoded = self._decoded(width, tgt, encoded.outputs[0], own)
        params = (*under("encoder", encoded.params), *under("decoder", decoded.params))
        made = self.module("nn.Transformer", d_model=width)
        usual = {"src_is_causal": None, "tgt_is_causal": None, "memory_is_causal": False}
        code = called(self, made, ("src", "tgt"), masks, **usual)
        return Result(decoded.outputs, params, encoded.flops + decoded.flops, code)

    def _encoded(
        self, width: Size, src: Tensor, mask: Tensor | None, padding: Tensor | None
    ) -> Result:
        encoder = TransformerEncoder(
            **self.shared(width),
            num_layers=self.num_encoder_layers,
            norm=True,
            norm_bias=self.bias,
            is_causal=self.src_is_causal,
        )
        names = {"mask": "src_mask"}
        return renamed(self, names, lambda: encoder.infer(src, mask, padding))

    def _decoded(self, width: Size, tgt: Tensor, memory: Tensor, masks: Masks) -> Result:
        decoder = TransformerDecoder(
            **self.shared(width),
            num_layers=self.num_decoder_layers,
            norm=True,
            norm_bias=self.bias,
            tgt_is_causal=self.tgt_is_causal,
            memory_is_causal=self.memory_is_causal,
        )
        return renamed(self, {"memory": "src"}, lambda: decoder.infer(tgt, memory, **masks))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """Widths, heads and layers: `512, 8 heads, ×6 + 6`."""
        layers = f"×{self.num_encoder_layers} + {self.num_decoder_layers}"
        return f"{super().caption(result, inputs)}, {layers}"
