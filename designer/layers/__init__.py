"""The catalogue of layers: importing this package enters every kind in `CATALOGUE`."""

from __future__ import annotations

from designer.layers import (
    act,
    arith,
    attn,
    conv,
    embed,
    fold,
    io,
    linear,
    local_norm,
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
    upsample,
)

__all__ = [
    "act",
    "arith",
    "attn",
    "conv",
    "embed",
    "fold",
    "io",
    "linear",
    "local_norm",
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
    "upsample",
]
