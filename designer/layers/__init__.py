"""The catalogue of layers: importing this package enters every kind in `CATALOGUE`."""

from __future__ import annotations

from designer.layers import (
    act,
    attn,
    conv,
    embed,
    io,
    linear,
    merge,
    norm,
    pad,
    pool,
    reg,
    rnn,
    shape,
    transposed,
)

__all__ = [
    "act",
    "attn",
    "conv",
    "embed",
    "io",
    "linear",
    "merge",
    "norm",
    "pad",
    "pool",
    "reg",
    "rnn",
    "shape",
    "transposed",
]
