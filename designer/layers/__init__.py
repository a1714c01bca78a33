"""The catalogue of layers: importing this package enters every kind in `CATALOGUE`."""

from __future__ import annotations

from designer.layers import (
    act,
    arith,
    attn,
    conv,
    embed,
    io,
    linear,
    math,
    merge,
    norm,
    pad,
    pool,
    reg,
    rnn,
    shape,
    transposed,
    unpool,
)

__all__ = [
    "act",
    "arith",
    "attn",
    "conv",
    "embed",
    "io",
    "linear",
    "math",
    "merge",
    "norm",
    "pad",
    "pool",
    "reg",
    "rnn",
    "shape",
    "transposed",
    "unpool",
]
