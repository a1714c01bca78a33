"""Masks of attention, and attention with bounded scores: small functions in the exported code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.code import Attribute, Call, Code, Conditional, Name, Ref, Support
from designer.core.layer import Layer, Result, layer, same_value
from designer.core.option import option
from designer.core.tensor import Tensor
from designer.core.work import SCORE
from designer.layers.attn import ScaledDotProductAttention

if TYPE_CHECKING:
    from designer.core.layer import Inputs

CAUSAL_MASK = Support(
    "causal_mask",
    '''
def causal_mask(x: Tensor, window: int | None = None) -> Tensor:
    """Which positions of [..., T, C] each one sees: the last few up to itself."""
    length = x.shape[-2]
    seen = torch.ones(length, length, dtype=torch.bool, device=x.device).tril()
    return seen if window is None else seen.triu(1 - window)
''',
)

SOFTCAPPED_ATTENTION = Support(
    "softcapped_attention",
    '''
def softcapped_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    softcap: float,
    *,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Scaled dot-product attention whose scores stay between -softcap and softcap."""
    if enable_gqa:
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], dim=-3)
        value = value.repeat_interleave(query.shape[-3] // value.shape[-3], dim=-3)
    factor = query.shape[-1] ** -0.5 if scale is None else scale
    scores = softcap * torch.tanh(query @ key.transpose(-2, -1) * factor / softcap)
    if is_causal:
        attn_mask = torch.ones_like(scores, dtype=torch.bool).tril()
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        scores = scores.masked_fill(~attn_mask, -torch.inf)
    elif attn_mask is not None:
        scores = scores + attn_mask
    return torch.dropout(scores.softmax(dim=-1), dropout_p, train=True) @ value
''',
)


@layer(
    "CausalMask",
    family="attn",
    aliases=("attention mask", "sliding window", "look-ahead mask", "因果掩码", "滑动窗口"),
    title="Causal mask",
    stem="mask",
)
class CausalMask(Layer):
    """Which positions each one sees: itself and those before it, j ≤ i, the last few alone."""

    window: int | None = option(
        None, "How many positions are seen, itself among them; all before it when empty.", min=1
    )

    def infer(self, x: Tensor) -> Result:
        """[..., T, C] of any dtype to truth values [T, T]."""
        if x.rank is not None and x.rank < 2:
            raise self.refuse("{layer} expects [..., T, C], got {got}.", port="x", got=x)
        length = x.axis(-2)
        window = () if self.window is None else (("window", self.window),)
        code = Code(Call(CAUSAL_MASK, (Ref("x"),), window))
        return Result((Tensor((length, length), "bool"),), code=code)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The window."""
        return "" if self.window is None else f"window {self.window}"


@layer(
    "SoftcappedAttention",
    family="attn",
    aliases=("logit soft-capping", "gemma attention", "attention", "软上限注意力", "注意力"),
    title="Soft-capped attention",
    stem="attention",
)
class SoftcappedAttention(ScaledDotProductAttention):
    """Attention with bounded scores: y = softmax(c · tanh(q kᵀ · scale / c) + mask) v."""

    softcap: float = option(50.0, "The largest score, c, which is never reached.")

    per_score = SCORE + 3  # division, tanh and product

    def _code(self, attn_mask: Tensor | None) -> Code:
        refs = (Ref("query"), Ref("key"), Ref("value"), self.softcap)
        mask = {} if attn_mask is None else {"attn_mask": Ref("attn_mask")}
        training = Attribute(Name("self"), "training")
        drops = not same_value(self.dropout_p, 0.0)
        dropout = {"dropout_p": Conditional(training, self.dropout_p, 0.0)} if drops else {}
        usual = {"is_causal": False, "scale": None, "enable_gqa": False}
        given = {name: getattr(self, name) for name in usual}
        rest = {name: value for name, value in given.items() if value != usual[name]}
        keywords = tuple({**mask, **dropout, **rest}.items())
        return Code(Call(SOFTCAPPED_ATTENTION, refs, keywords))
