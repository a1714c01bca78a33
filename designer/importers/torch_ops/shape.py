"""Operations that arrange axes and elements anew, or cut tensors into parts."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from designer.core.size import Size, Symbolic, Verdict, compare, value
from designer.importers.torch_ops.table import operation, same

if TYPE_CHECKING:
    from designer.importers.torch_ops.binding import Bound, Call

same("Permute", "torch.permute(input, dims)", "Tensor.permute(self, *dims)")
same("Transpose", "torch.transpose(input, dim0, dim1)", "torch.swapdims(input, dim0, dim1)")
same("Transpose", "torch.swapaxes(input, axis0: dim0, axis1: dim1)")
same("Reshape", "torch.reshape(input, shape)")
same("Reshape", "Tensor.reshape(self, *shape)", "Tensor.view(self, *shape)")
same("Squeeze", "torch.squeeze(input, dim=None)")
same("Unsqueeze", "torch.unsqueeze(input, dim)")
same("Flatten", "torch.flatten(input, start_dim=0, end_dim=-1)")
same("Unflatten", "torch.unflatten(input, dim, sizes: unflattened_size)")
same("Select", "torch.select(input, dim, index)")
same("Identity", "Tensor.contiguous(self, *, memory_format: _ = None)", "Tensor.detach(self)")
same("Identity", "torch.clone(input, *, memory_format: _ = None)")


@operation("torch.t(input)")
def transpose_matrix(call: Call) -> Bound:
    """The transposed matrix; a vector and a scalar stay as they are."""
    x = call.ranked("input", 0, 1, 2)
    if x.rank == 2:
        return call.to("Transpose", {"x": x}, {"dim0": 0, "dim1": 1})
    return call.to("Identity", {"x": x})


@operation(
    "torch.movedim(input, source, destination)", "torch.moveaxis(input, source, destination)"
)
def move_axes(call: Call) -> Bound:
    """Axes put into other places; those that are not named keep their order."""
    x = call.tensor("input")
    if x.rank is None:
        raise call.unmapped("{op} needs to know the axes of {x}.", x=x)
    if isinstance(call["source"], int) != isinstance(call["destination"], int):
        raise call.bad("{op} takes two numbers or two lists.")
    sources, places = _axes(call, "source", x.rank), _axes(call, "destination", x.rank)
    if len(sources) != len(places):
        raise call.bad("{op} moves {sources} to {places}.", sources=sources, places=places)
    others = [axis for axis in range(x.rank) if axis not in sources]
    moved = dict(zip(places, sources, strict=True))
    dims = [moved[at] if at in moved else others.pop(0) for at in range(x.rank)]
    return call.to("Permute", {"x": x}, {"dims": dims})


def _axes(call: Call, name: str, rank: int) -> list[int]:
    """Axes counted from 0. Raises BadCall where there is none, or one is named twice."""
    given = call[name]
    axes = given if isinstance(given, (tuple, list)) else (given,)
    places = [axis % rank for axis in axes if isinstance(axis, int) and -rank <= axis < rank]
    if len(set(places)) < len(axes):
        raise call.bad(
            "{op} has no {name} {given} of {rank} axes.", name=name, given=given, rank=rank
        )
    return places


@operation("torch.narrow(input, dim, start, length)")
def narrow(call: Call) -> Bound:
    """A range of an axis, all of which must be there."""
    size, start, length = call.axis("input", "dim"), call.whole("start"), call.whole("length")
    number = value(size)
    if number is not None and not -number <= start <= number:
        raise call.bad("{op} has no start {start} on an axis of {size}.", start=start, size=size)
    begin: Size = start + size if start < 0 else start
    rest = value(size - begin - length)
    if length < 0 or (rest is not None and rest < 0):
        raise call.bad("{op} finds no {length} places from {start}.", length=length, start=start)
    options = {"dim": call["dim"], "start": begin, "stop": begin + length}
    return call.to("Slice", {"x": call.tensor("input")}, options)


@operation("torch.chunk(input, chunks, dim=0)")
def chunk(call: Call) -> Bound:
    """Equal parts: as many as the axis gives when they are ⌈size / chunks⌉ long."""
    size, parts = value(call.axis("input", "dim")), call.whole("chunks")
    if parts < 1:
        raise call.bad("{op} makes one part or more, got {parts}.", parts=parts)
    if size:
        parts = -(-size // -(-size // parts))
    return _split(call, chunks=parts)


@operation(
    "torch.split(tensor, split_size_or_sections, dim=0)",
    "Tensor.split(tensor, split_size, dim=0)",
)
def split(call: Call) -> Bound:
    """Parts of the sizes that are listed, or parts of one size and the rest."""
    _, name, _ = call.values
    if isinstance(call[name], (tuple, list)):
        return _split(call, sizes=call[name])
    size, part = call.axis("tensor", "dim"), call[name]
    if isinstance(part, (int, Symbolic)) and value(size) is None:
        return _split(call, chunks=_exact(call, size, part))
    size, part = call.known_axis("tensor", "dim"), call.whole(name)
    if part < 0 or (part == 0 and size):
        raise call.bad("{op} makes parts of 1 or more, got {part}.", part=part)
    lengths = [min(part, size - start) for start in range(0, size, part or 1)]
    return _split(call, sizes=lengths or [size])


def _exact(call: Call, size: Size, part: Size) -> int:
    """How many parts of one size an axis has whatever its free sizes are. Raises Unmapped."""
    parts = None if value(part) == 0 else value(size // part)
    if parts is None or compare(parts * part, size) is not Verdict.IDENTICAL:
        raise call.unmapped("{op} needs to know axis {dim} here.", dim=call["dim"])
    return parts


@operation("torch.tensor_split(input, indices_or_sections, /, dim=0)")
def tensor_split(call: Call) -> Bound:
    """Parts between the listed places, or a number of parts of which the first are longer."""
    places = call["indices_or_sections"]
    size = call.known_axis("input", "dim")
    if isinstance(places, (tuple, list)):
        if not all(isinstance(place, int) for place in places):
            raise call.bad("{op} takes whole numbers, got {got}.", got=places)
        ends = [range(size)[:place].stop for place in places]
    else:
        count = call.whole("indices_or_sections")
        if count < 1:
            raise call.bad("{op} makes one part or more, got {count}.", count=count)
        longer, part = size % count, size // count
        ends = [part * place + min(place, longer) for place in range(1, count)]
    if ends != sorted(ends):
        raise call.unmapped("{op} has places that do not follow one another.")
    return _split(call, sizes=[b - a for a, b in pairwise([0, *ends, size])])


def _split(call: Call, **how: object) -> Bound:
    first = next(iter(call.values))
    return call.to("Split", {"x": call.tensor(first)}, {**how, "dim": call["dim"]})
