"""Indexing with brackets: a layer for each part of the index, and one for its tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.tensor import Tensor
from designer.importers.torch_ops.binding import Bound
from designer.importers.torch_ops.table import operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from designer.importers.torch_ops.binding import Call

WHOLE = slice(None)
PORTS = ("i", "j", "k")
"""Where tensors of indices arrive."""
MASK = "bool"
"""The dtype that chooses places instead of naming them: how many is up to the values."""


@operation("Tensor.__getitem__(self, index: any, /)")
def item(call: Call) -> Bound:
    """Slices, positions, new axes and an ellipsis, from left to right; then tensors of indices."""
    found: Tensor | Bound = call.tensor("self")
    index = call["index"]
    picked: dict[int, Tensor] = {}
    axis = 0
    for part in _spread(call, index if isinstance(index, tuple) else (index,)):
        if isinstance(part, Tensor):
            picked[axis] = part
        else:
            found = _cut(call, found, axis, part)
        axis += _covered(part)
    if picked:
        return _picked(call, found, picked)
    return found if isinstance(found, Bound) else call.to("Identity", {"x": found})


def _picked(call: Call, x: Tensor | Bound, indices: dict[int, Tensor]) -> Bound:
    if len(indices) > len(PORTS):
        raise call.unmapped("{op} has {count} tensors of indices.", count=len(indices))
    inputs = dict(zip(PORTS, indices.values(), strict=False))
    return call.to("Index", {"x": x, **inputs}, {"dims": tuple(indices)})


def _spread(call: Call, parts: Sequence[object]) -> list[object]:
    """The parts with whole slices in place of an ellipsis."""
    for part in parts:
        if isinstance(part, (bool, list, tuple)) or _is_odd(part, parts):
            raise call.unmapped("{op} is called with {part}.", part=part)
    x = call.tensor("self")
    places = [at for at, part in enumerate(parts) if part is ...]
    named = sum(_taken(part) for part in parts)
    if x.rank is not None and named > x.rank:
        raise call.bad("{op} has {named} places for {x}.", named=named, x=x)
    if not places:
        return list(parts)
    if x.rank is None:
        raise call.unmapped("{op} needs to know the axes of {x}.", x=x)
    (at,) = places
    return [*parts[:at], *[WHOLE] * (x.rank - named), *parts[at + 1 :]]


def _is_odd(part: object, parts: Sequence[object]) -> bool:
    """Whether a part is a scalar, or a mask beside other tensors, or bytes as a mask."""
    if not isinstance(part, Tensor):
        return False
    tensors = sum(isinstance(one, Tensor) for one in parts)
    return part.rank in (0, None) or part.dtype == "uint8" or (part.dtype == MASK and tensors > 1)


def _taken(part: object) -> int:
    """How many axes a part takes of what it indexes."""
    if part is None or part is ...:
        return 0
    return len(part.shape) if isinstance(part, Tensor) and part.dtype == MASK else 1


def _covered(part: object) -> int:
    """How many axes a part leaves before the next: a number none, a mask all that it covers."""
    return 0 if isinstance(part, int) else max(1, _taken(part))


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
