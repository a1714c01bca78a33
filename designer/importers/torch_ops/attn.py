"""Attention as functions."""

from __future__ import annotations

from designer.importers.torch_ops.table import same

same(
    "ScaledDotProductAttention",
    "F.scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0.0,"
    " is_causal=False, scale=None, enable_gqa=False)",
)
