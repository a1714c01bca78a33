"""Attention: values averaged with weights that a query gives to keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from designer.core import size as sizes
from designer.core.code import Attribute, Call, Code, Conditional, Module, Name, Ref
from designer.core.layer import (
    Layer,
    Port,
    Result,
    layer,
    same_value,
)
from designer.core.option import option
from designer.core.param import Param, Times, bias, weight
from designer.core.size import UNKNOWN, Size, Verdict, compare, product
from designer.core.tensor import Tensor
from designer.core.work import SCORE
from designer.layers.axes import broadcast
from designer.layers.rules import FLOATS, check_dtype, check_float32

if TYPE_CHECKING:
    from designer.core.layer import Inputs
    from designer.core.option import Raw

SEQUENCES = "[N, T, E] or [T, E]"


def _keywords(layer: Layer, **usual: object) -> tuple[tuple[str, object], ...]:
    """The options that are not as usual, as keyword arguments."""
    pairs = ((name, getattr(layer, name)) for name in usual)
    return tuple((name, value) for name, value in pairs if not same_value(value, usual[name]))


@layer(
    "ScaledDotProductAttention",
    family="attn",
    aliases=("sdpa", "attention", "flash attention", "注意力", "缩放点积注意力"),
    title="Scaled dot-product attention",
    stem="sdpa",
)
class ScaledDotProductAttention(Layer):
    """Attention without weights of its own: y = softmax(q kᵀ · scale + mask) v."""

    dropout_p: float = option(
        0.0, "Share of attention weights that training sets to 0.", min=0, max=1
    )
    is_causal: bool = option(False, "A position sees itself and those before it only.")
    scale: float | None = option(None, "Factor of q kᵀ; 1 / √E when empty.")
    enable_gqa: bool = option(False, "Several query heads share one head of key and value.")

    per_score: ClassVar[int] = SCORE
    """Element-wise operations for each score, without those of a mask."""

    def infer(
        self, query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None
    ) -> Result:
        """query [..., L, E], key [..., S, E], value [..., S, V] to [..., L, V]."""
        for port, x in (("query", query), ("key", key), ("value", value)):
            self._check(x, port, query)
        length, width = query.axis(-2), self._width(query, key)
        span = self._span(key, value)
        alike = key.lead(2) == value.lead(2)
        key, value = (self._repeated(query, x, port) for port, x in _named(key=key, value=value))
        lead = broadcast(self, query.lead(2), key.lead(2), "key")
        scores = replace(lead, shape=(*lead.shape, length, span))
        if attn_mask is not None:
            # The fused kernel of PyTorch reads two axes of the mask, whatever they are.
            fused = query.rank == 4 and alike and query.lead(2) == key.lead(2)
            self._check_mask(attn_mask, scores, 2 if fused else 0)
        all_lead = broadcast(self, lead, value.lead(2), "value")
        out = replace(all_lead, shape=(*all_lead.shape, length, value.axis(-1)))
        flops = 2 * scores.count * width + 2 * out.count * span
        each = self.per_score + (self.is_causal or attn_mask is not None)
        code = self._code(attn_mask)
        return Result((out,), flops=flops, code=code, work=lambda: each * scores.count)

    def _check(self, x: Tensor, port: str, query: Tensor) -> None:
        check_dtype(self, x, FLOATS, port)
        if x.rank is not None and x.rank < 2:
            raise self.refuse("{layer} expects {port} [..., T, E], got {got}.", port=port, got=x)
        if x.dtype != query.dtype and not (x.partial or query.partial):
            raise self.refuse(
                "{layer} needs one dtype, got {expected} and {got}.",
                port=port,
                expected=query.dtype,
                got=x.dtype,
            )

    def _width(self, query: Tensor, key: Tensor) -> Size:
        a, b = query.axis(-1), key.axis(-1)
        template = "{layer} needs equal widths, got {expected} of query, {got} of key."
        return self.same(a, b, self.refuse(template, port="key", expected=a, got=b))

    def _span(self, key: Tensor, value: Tensor) -> Size:
        a, b = key.axis(-2), value.axis(-2)
        template = "{layer} needs equal lengths, got {expected} of key, {got} of value."
        return self.same(a, b, self.refuse(template, port="value", expected=a, got=b))

    def _repeated(self, query: Tensor, x: Tensor, port: str) -> Tensor:
        """`x` with each of its heads repeated for a group of query heads."""
        if not self.enable_gqa:
            return x
        for name, one in (("query", query), (port, x)):
            if one.rank == 2:
                raise self.refuse(
                    "{layer} expects {port} [..., heads, T, E], got {got}.", port=name, got=one
                )
        heads, own = query.axis(-3), x.axis(-3)
        none = sizes.at_values(own) == 0
        if none or compare(heads, own * (heads // own)) is Verdict.DIFFERENT:
            raise self.refuse(
                "{layer} has {expected} query heads, no multiple of {got} of {port}.",
                port=port,
                expected=heads,
                got=own,
            )
        return x.with_last(heads, *x.last(2))

    def _check_mask(self, mask: Tensor, scores: Tensor, least: int) -> None:
        """Refuse a mask that does not spread over the scores, or has fewer than `least` axes."""
        accepted = tuple(dict.fromkeys(("bool", "float32", scores.dtype)))
        check_dtype(self, mask, accepted, "attn_mask")
        if self.is_causal:
            raise self.refuse("{layer} takes attn_mask or is_causal, not both.", port="attn_mask")
        refusal = self.refuse(
            "Attention scores are {expected}: attn_mask {got} does not fit.",
            port="attn_mask",
            expected=scores,
            got=mask,
        )
        rank = scores.rank
        if rank is not None and (
            len(mask.shape) > rank or (mask.rank is not None and mask.rank < least)
        ):
            raise refusal
        for score, masked in zip(reversed(scores.shape), reversed(mask.shape), strict=False):
            if sizes.value(masked) != 1:
                self.same(score, masked, refusal)

    def _code(self, attn_mask: Tensor | None) -> Code:
        mask = (("attn_mask", Ref("attn_mask")),) if attn_mask is not None else ()
        # The function drops whatever the mode of the module, which a module's own dropout heeds.
        training = Attribute(Name("self"), "training")
        dropout = (("dropout_p", Conditional(training, self.dropout_p, 0.0)),)
        rest = _keywords(self, is_causal=False, scale=None, enable_gqa=False)
        keywords = (*mask, *(() if same_value(self.dropout_p, 0.0) else dropout), *rest)
        refs = (Ref("query"), Ref("key"), Ref("value"))
        return Code(Call("F.scaled_dot_product_attention", refs, keywords))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """Whether it is causal."""
        return "causal" if self.is_causal else ""


def _named(**tensors: Tensor) -> tuple[tuple[str, Tensor], ...]:
    return tuple(tensors.items())


@layer(
    "MultiheadAttention",
    family="attn",
    aliases=("mha", "self-attention", "cross-attention", "multi-head", "多头注意力", "自注意力"),
    title="Multi-head attention",
    stem="attn",
)
class MultiheadAttention(Layer):
    """Attention of num_heads heads side by side: y = [head₁, …, headₕ] Wₒᵀ + b."""

    embed_dim: Size | None = option(
        None, "Size of the last axis of query and output; inferred when empty.", min=1
    )
    num_heads: Size = option(8, "Number of heads; divides embed_dim.", min=1)
    dropout: float = option(
        0.0, "Share of attention weights that training sets to 0.", min=0, max=1
    )
    bias: bool = option(True, "Add learned offsets to the projections.")
    add_bias_kv: bool = option(False, "Append a learned position to key and value.")
    add_zero_attn: bool = option(False, "Append a position of zeros to key and value.")
    kdim: Size | None = option(None, "Size of the last axis of key; embed_dim when empty.", min=1)
    vdim: Size | None = option(None, "Size of the last axis of value; embed_dim when empty.", min=1)
    batch_first: bool = option(False, "Axes are [N, T, E], not [T, N, E].")
    need_weights: bool = option(True, "Hand out the attention weights too.")
    average_attn_weights: bool = option(True, "Average those weights over the heads.")
    is_causal: bool = option(False, "Say that attn_mask is the causal one, which is faster.")

    preset: ClassVar[Mapping[str, Raw]] = {"batch_first": True, "need_weights": False}
    not_torch: ClassVar[tuple[str, ...]] = ("need_weights", "average_attn_weights", "is_causal")

    def outputs(self) -> tuple[Port, ...]:
        """The output, and the attention weights where they are needed."""
        return (Port("out"), Port("weights")) if self.need_weights else (Port("out"),)

    def batch_axis(self) -> int:
        """The batch comes first or second."""
        return 0 if self.batch_first else 1

    def infer(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        attn_mask: Tensor | None = None,
    ) -> Result:
        """query [N, L, E], key and value [N, S, ·] to [N, L, E] and weights [N, L, S]."""
        rank = self._rank(query, key, value)
        width = self.agree("embed_dim", query.axis(-1), query, "[..., {}]", "query")
        self._check_heads(width)
        kdim = self._source_width("kdim", key, width, "key")
        vdim = self._source_width("vdim", value, width, "value")
        ahead = self._scores(rank, query, key, value)
        self._check_masks(rank, ahead, key_padding_mask, attn_mask)
        scores = ahead.with_last(ahead.axis(-1) + self.add_bias_kv + self.add_zero_attn)
        out = replace(query.with_last(width), dtype="float32")
        outputs = (out, self._weights(scores)) if self.need_weights else (out,)
        flops = 2 * (
            2 * query.lead(1).count * width * width
            + key.lead(1).count * kdim * width
            + value.lead(1).count * vdim * width
            + 2 * _once(scores) * width
        )
        params = self._params(width, kdim, vdim)
        masks = sum(mask is not None for mask in (key_padding_mask, attn_mask))
        rows = 2 * query.lead(1).count + key.lead(1).count + value.lead(1).count
        return Result(
            outputs,
            params,
            flops,
            self._code(width, key_padding_mask, attn_mask),
            work=lambda: (SCORE + masks) * scores.count + bool(self.bias) * rows * width,
        )

    # Inputs

    def _rank(self, *tensors: Tensor) -> int | None:
        """2 without a batch, 3 with one; None where no input tells."""
        rank = None
        for port, x in zip(("query", "key", "value"), tensors, strict=True):
            check_float32(self, x, port)
            self.ranked(x, (2, 3), SEQUENCES, port)
            if rank is not None and x.rank not in (None, rank):
                raise self.refuse(
                    "{layer} expects {port} with {rank} axes, got {got}.",
                    port=port,
                    rank=rank,
                    got=x,
                )
            rank = x.rank or rank
        return rank

    def _check_heads(self, width: Size) -> None:
        heads = self.num_heads
        if sizes.at_values(heads) == 0:
            raise self.refuse("{layer} needs at least 1 head, got 0.", option="num_heads")
        refusal = self.refuse(
            "{layer} needs num_heads to divide {expected}, got {got}.",
            option="num_heads",
            expected=width,
            got=heads,
        )
        self.same(width, heads * (width // heads), refusal)

    def _source_width(self, option: str, x: Tensor, width: Size, port: str) -> Size:
        """The last axis of key or value, which is that of the query unless an option says else."""
        pinned: Size | None = getattr(self, option)
        expected, got = width if pinned is None else pinned, x.axis(-1)
        refusal = self.refuse(
            "{layer} expects {port} [..., {expected}], got {x}.",
            port=port,
            option=option,
            expected=expected,
            x=x,
            got=got,
        )
        size = self.same(expected, got, refusal)
        return size if pinned is None else pinned

    def _scores(self, rank: int | None, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """One head's weights as its inputs alone make them: [N, heads, L, S] or [heads, L, S]."""
        length = self._length(query, rank)
        span = self._agreed(self._length(key, rank), self._length(value, rank), "length", "value")
        shape = (self.num_heads, length, span)
        if rank != 3:
            return Tensor(shape, partial=rank is None)
        batch = self._agreed(self._batch(query), self._batch(key), "batch", "key")
        batch = self._agreed(batch, self._batch(value), "batch", "value")
        return Tensor((batch, *shape))

    def _length(self, x: Tensor, rank: int | None) -> Size:
        if rank == 2 or self.batch_first:
            return x.axis(-2)
        return UNKNOWN if rank is None else x.axis(-3)

    def _batch(self, x: Tensor) -> Size:
        return x.axis(-3 if self.batch_first else -2)

    def _agreed(self, expected: Size, got: Size, what: str, port: str) -> Size:
        template = {
            "length": "{layer} needs equal lengths, got {expected} of key, {got} of value.",
            "batch": "{layer} needs a batch of {expected} at {port}, got {got}.",
        }[what]
        return self.same(
            expected, got, self.refuse(template, port=port, expected=expected, got=got)
        )

    # Masks

    def _check_masks(
        self, rank: int | None, scores: Tensor, padding: Tensor | None, mask: Tensor | None
    ) -> None:
        if self.is_causal and mask is None:
            raise self.refuse(
                "{layer} needs attn_mask with is_causal.", option="is_causal", port="attn_mask"
            )
        if padding is not None:
            batch = scores.shape[:-3]
            self._check_mask(padding, "key_padding_mask", ((*batch, scores.axis(-1)),), rank)
        # PyTorch does not read the mask where it may take its causal path.
        unread = self.is_causal and padding is None and not self.need_weights
        loose = (2, 3) if rank == 3 else (2,)
        if mask is not None and not (unread and mask.rank in loose):
            heads = product(scores.shape[:-2]) if rank else UNKNOWN
            flat = scores.last(2)
            self._check_mask(mask, "attn_mask", (flat, (heads, *flat)), rank)

    def _check_mask(
        self, mask: Tensor, port: str, shapes: tuple[tuple[Size, ...], ...], rank: int | None
    ) -> None:
        """Refuse a mask with none of `shapes`; of an unknown rank, padding may have a batch."""
        check_dtype(self, mask, ("bool", *FLOATS), port)
        if mask.rank is None or (rank is None and port == "key_padding_mask"):
            return
        wanted = Tensor(next((s for s in shapes if len(s) == mask.rank), shapes[0]))
        refusal = self.refuse(
            "{layer} expects {port} {wanted}, got {got}.", port=port, wanted=wanted, got=mask
        )
        if wanted.rank != mask.rank:
            raise refusal
        for expected, got in zip(wanted.shape, mask.shape, strict=True):
            self.same(expected, got, refusal)

    # What it makes

    def _weights(self, scores: Tensor) -> Tensor:
        if not self.average_attn_weights:
            return scores
        return replace(scores, shape=(*scores.shape[:-3], *scores.last(2)))

    def _params(self, width: Size, kdim: Size, vdim: Size) -> tuple[Param, ...]:
        params = self._projections(width, kdim, vdim)
        if self.bias:
            params.append(bias("in_proj_bias", qkv=Times(3, width)))
        if self.add_bias_kv:
            params += [_offset(name, width) for name in ("bias_k", "bias_v")]
        params.append(weight("out_proj.weight", embed_dim=width, concat=width))
        if self.bias:
            params.append(bias("out_proj.bias", embed_dim=width))
        return tuple(params)

    def _projections(self, width: Size, kdim: Size, vdim: Size) -> list[Param]:
        """One matrix where query, key and value are of one width, else three."""
        pinned = (size for size in (self.kdim, self.vdim) if size is not None)
        if all(compare(size, width) in _EQUAL for size in pinned):
            return [weight("in_proj_weight", qkv=Times(3, width), embed_dim=width)]
        return [
            weight("q_proj_weight", embed_dim=width, query=width),
            weight("k_proj_weight", embed_dim=width, kdim=kdim),
            weight("v_proj_weight", embed_dim=width, vdim=vdim),
        ]

    def _code(self, width: Size, padding: Tensor | None, mask: Tensor | None) -> Code:
        masks = (("key_padding_mask", padding), ("attn_mask", mask))
        given = tuple((name, Ref(name)) for name, tensor in masks if tensor is not None)
        flags = _keywords(self, need_weights=True, average_attn_weights=True, is_causal=False)
        refs = (Ref("query"), Ref("key"), Ref("value"))
        made = self.module("nn.MultiheadAttention", "embed_dim", "num_heads", embed_dim=width)
        returns = ("out", "weights" if self.need_weights else "_")
        return Code(Call(Module(), refs, (*given, *flags)), made.make, returns)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """Number and width of the heads: `12 × 64`."""
        out = result.outputs[0].axis(-1)
        if sizes.is_unknown(out):
            return f"{self.num_heads} heads"
        return f"{self.num_heads} × {out // self.num_heads}"


_EQUAL = (Verdict.IDENTICAL, Verdict.EQUAL_HERE)


def _offset(name: str, width: Size) -> Param:
    """The learned position that is appended to key or value."""
    return bias(name, position=1, batch=1, embed_dim=width)


def _once(scores: Tensor) -> Size:
    """Elements of one head's weights; q kᵀ and weights · v cost as many times its width, twice."""
    return UNKNOWN if scores.partial else product((*scores.shape[:-3], *scores.last(2)))
