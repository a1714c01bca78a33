"""Indexing with brackets: a layer for each part of the index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.tensor import Tensor
from designer.importers.torch_ops.binding import Bound
from designer.importers.torch_ops.table import operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from designer.importers.torch_ops.binding import Call

WHOLE = slice(None)


@operation("Tensor.__getitem__(self, index)")
def item(call: Call) -> Bound:
    """Slices, positions, new axes and an ellipsis, from left to right."""
    found: Tensor | Bound = call.tensor("self")
    index = call["index"]
    axis = 0
    for part in _spread(call, index if isinstance(index, tuple) else (index,)):
        found = _cut(call, found, axis, part)
        axis += not isinstance(part, int)
    return found if isinstance(found, Bound) else call.to("Identity", {"x": found})


def _spread(call: Call, parts: Sequence[object]) -> list[object]:
    """The parts with whole slices in place of an ellipsis."""
    for part in parts:
        if isinstance(part, (bool, Tensor, list, tuple)):
            raise call.unmapped("{op} is called with {part}.", part=part)
    x = call.tensor("self")
    named = sum(part is not None and part is not ... for part in parts)
    if x.rank is not None and named > x.rank:
        raise call.bad("{op} has {named} places for {x}.", named=named, x=x)
    if ... not in parts:
        return list(parts)
    if x.rank is None:
        raise call.unmapped("{op} needs to know the axes of {x}.", x=x)
    at = parts.index(...)
    return [*parts[:at], *[WHOLE] * (x.rank - named), *parts[at + 1 :]]


def _cut(call: Call, x: Tensor | Bound, axis: int, part: object) -> Tensor | Bound:
    """What one part of an index makes of `x`, at the axis that it has reached."""
    if part is None:
        return call.to("Unsqueeze", {"x": x}, {"dim": axis})
    if not isinstance(part, slice):
        return call.to("Select", {"x": x}, {"dim": axis, "index": part})
    if part == WHOLE:
        return x
    step = 1 if part.step is None else part.step
    options = {"dim": axis, "start": part.start, "stop": part.stop, "step": step}
    return call.to("Slice", {"x": x}, options)
