"""Steps that several designs have: axes of heads made and joined again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from designer.core.graph import NodeId
    from designer.core.option import Raw
    from tests.gallery.sketch import Port, Sketch


def heads_apart(sketch: Sketch, x: NodeId | Port, name: str, heads: Raw) -> NodeId:
    """[B, T, heads·d] to [B, heads, T, d]."""
    x = sketch.add("Unflatten", x, name=f"{name}_heads", dim=-1, unflattened_size=(heads, -1))
    return sketch.add("Transpose", x, name=name, dim0=1, dim1=2)


def heads_together(sketch: Sketch, x: NodeId) -> NodeId:
    """[B, heads, T, d] to [B, T, heads·d]."""
    x = sketch.add("Transpose", x, name="positions_first", dim0=1, dim1=2)
    return sketch.add("Flatten", x, name="join", start_dim=2)
