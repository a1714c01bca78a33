"""The catalogue of layers: importing this package enters every kind in `CATALOGUE`."""

from __future__ import annotations

from designer.layers import act, conv, embed, io, linear, norm, pool, reg

__all__ = ["act", "conv", "embed", "io", "linear", "norm", "pool", "reg"]
