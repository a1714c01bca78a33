"""The catalogue of layers: importing this package enters every kind in `CATALOGUE`."""

from __future__ import annotations

from designer.layers import conv, io, linear

__all__ = ["conv", "io", "linear"]
