"""Layers that arrange axes and elements anew, or pick some of them; none has parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from designer.core.code import Code, Item, Method, Ref, method
from designer.core.layer import (
    Layer,
    Port,
    Remark,
    Result,
    layer,
    note,
)
from designer.core.message import message
from designer.core.option import option
from designer.core.size import (
    UNKNOWN,
    Size,
    Verdict,
    at_values,
    ceil_div,
    compare,
    is_unknown,
    minimum,
    product,
    value,
)
from designer.core.tensor import Tensor
from designer.layers.axes import (
    FIRST_AXIS,
    LAST_AXIS,
    distinct,
    indexed,
    located,
    padded,
    position,
    some_axis,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from designer.core.layer import Inputs, LayerError
    from designer.core.option import Raw

MOST_PARTS = 1024


@layer("Flatten", family="shape", aliases=("ravel", "展平", "拉平"))
class Flatten(Layer):
    """Join the axes from start_dim to end_dim into one: [N, C, H, W] → [N, C·H·W]."""

    start_dim: int = option(1, "First axis to join.", min=FIRST_AXIS, max=LAST_AXIS)
    end_dim: int = option(-1, "Last axis to join, itself included.", min=FIRST_AXIS, max=LAST_AXIS)

    def infer(self, x: Tensor) -> Result:
        """[..., a, b, c, ...] to [..., a·b·c, ...]."""
        dims = (self.start_dim, self.end_dim)
        code = method("x", "flatten", *(dims if self.end_dim != -1 else dims[:1]))
        return Result((self._joined(x),), code=code)

    def _joined(self, x: Tensor) -> Tensor:
        if x.partial and self.end_dim < 0 <= self.start_dim:
            return x.with_shape((UNKNOWN,) * (self.start_dim + 1) + x.last(-self.end_dim - 1))
        dims = (self.start_dim, self.end_dim)
        places = located(self, x, *dims, options=("start_dim", "end_dim"), scalar=True)
        if places is None:
            return replace(x, shape=(), partial=True)
        start, end = places
        if start > end:
            raise self.refuse(
                "{layer} joins axes in order, got start_dim {start} and end_dim {end}.",
                option="end_dim",
                start=self.start_dim,
                end=self.end_dim,
            )
        shape = padded(x, *dims).shape or (1,)
        joined = product(shape[start : end + 1])
        return replace(x, shape=(*shape[:start], joined, *shape[end + 1 :]))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The range of axes, where it is not the usual one."""
        usual = (self.start_dim, self.end_dim) == (1, -1)
        return "" if usual else f"{_signed(self.start_dim)} … {_signed(self.end_dim)}"


def _signed(number: Size) -> str:
    return str(number).replace("-", "−")


def _shown(sizes: Sequence[Size]) -> str:
    return ", ".join(map(_signed, sizes))


def fitted(layer: Layer, sizes: tuple[Size, ...], total: Size, refusal: LayerError) -> list[Size]:
    """`sizes` with -1, allowed once, solved so that their product is `total`.

    Raises `refusal` where no whole number does that.
    """
    numbers = [value(size) for size in sizes]
    if numbers.count(-1) > 1 or any(number is not None and number < -1 for number in numbers):
        raise refusal
    known = product(size for size, number in zip(sizes, numbers, strict=True) if number != -1)
    if -1 not in numbers:
        layer.same(known, total, refusal)
        return list(sizes)
    if at_values(known) == 0:
        raise refusal
    rest = UNKNOWN if is_unknown(total) else total // known
    layer.same(rest * known, total, refusal)
    return [rest if number == -1 else size for size, number in zip(sizes, numbers, strict=True)]


@layer("Unflatten", family="shape", aliases=("split heads", "展开维度", "拆维"))
class Unflatten(Layer):
    """Split one axis into several: [..., a·b] → [..., a, b]; one size may be −1."""

    dim: int = option(-1, "The axis to split.", min=FIRST_AXIS, max=LAST_AXIS)
    unflattened_size: tuple[Size, ...] = option(
        (1, -1), "Sizes of the new axes; −1 stands for what is left.", min=-1
    )

    def infer(self, x: Tensor) -> Result:
        """[..., a·b, ...] to [..., a, b, ...]."""
        some_axis(self, x)
        if not self.unflattened_size:
            raise self.refuse("{layer} needs one size or more.", option="unflattened_size")
        code = method("x", "unflatten", self.dim, self.unflattened_size)
        return Result((self._split(x),), code=code)

    def _split(self, x: Tensor) -> Tensor:
        places = located(self, x, self.dim)
        if places is None:
            return replace(x, shape=(), partial=True)
        (place,) = places
        shape = padded(x, self.dim).shape
        refusal = self.refuse(
            "{layer} cannot make ({sizes}) of an axis of {got}.",
            option="unflattened_size",
            sizes=_shown(self.unflattened_size),
            got=shape[place],
        )
        sizes = fitted(self, self.unflattened_size, shape[place], refusal)
        return replace(x, shape=(*shape[:place], *sizes, *shape[place + 1 :]))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The new sizes."""
        return f"{_signed(self.dim)} → {_shown(self.unflattened_size)}"


@layer("Reshape", family="shape", aliases=("view", "变形", "重塑"))
class Reshape(Layer):
    """The same elements in the same order under another shape; one size may be −1."""

    shape: tuple[Size, ...] = option(
        (-1,), "All axes of the output; −1 stands for what is left.", min=-1
    )

    def infer(self, x: Tensor) -> Result:
        """Any shape to `shape`."""
        sizes = tuple(fitted(self, self.shape, x.count, self._refusal(x)))
        return Result((x.with_shape(sizes),), code=method("x", "reshape", *(self.shape or ((),))))

    def _refusal(self, x: Tensor) -> LayerError:
        """The refusal; elements are counted per sample where the first axes are the same."""
        same = 0
        for mine, theirs in zip(self.shape, x.shape, strict=False):
            if compare(mine, theirs) is not Verdict.IDENTICAL:
                break
            same += 1
        return self.refuse(
            "{layer} cannot make [{shape}] of {x}: {count} elements each."
            if same
            else "{layer} cannot make [{shape}] of {x}: {count} elements.",
            option="shape",
            shape=_shown(self.shape),
            x=x,
            count=product(x.shape[same:]),
        )

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The shape."""
        return _shown(self.shape)


@layer("Permute", family="shape", aliases=("reorder axes", "置换", "维度重排"))
class Permute(Layer):
    """Axes in another order, axis i being axis dims[i] of the input: [a, b, c] → [c, a, b]."""

    dims: tuple[int, ...] = option(
        (0, 2, 1), "The axes of the input in their new order.", min=FIRST_AXIS, max=LAST_AXIS
    )

    def infer(self, x: Tensor) -> Result:
        """[a, b, c] to [a, c, b] with dims (0, 2, 1)."""
        rank = len(self.dims)
        if (x.rank is not None and x.rank != rank) or len(x.shape) > rank:
            raise self.refuse(
                "{layer} lists {expected} axes in dims, got {x} with {got}.",
                option="dims",
                expected=rank,
                x=x,
                got=len(x.shape),
            )
        places = [position(self, dim, rank, "dims") for dim in self.dims]
        distinct(self, places, "dims")
        shape = tuple(x.axis(place - rank) for place in places)
        return Result((x.with_shape(shape),), code=method("x", "permute", *(self.dims or ((),))))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The order."""
        return _shown(self.dims)


@layer("Transpose", family="shape", aliases=("swap axes", "swapaxes", "转置"))
class Transpose(Layer):
    """Swap two axes: [a, b] → [b, a]."""

    dim0: int = option(-2, "One axis.", min=FIRST_AXIS, max=LAST_AXIS)
    dim1: int = option(-1, "The other axis.", min=FIRST_AXIS, max=LAST_AXIS)

    def infer(self, x: Tensor) -> Result:
        """[..., a, b] to [..., b, a] with the last two axes."""
        code = method("x", "transpose", self.dim0, self.dim1)
        return Result((self._swapped(x),), code=code)

    def _swapped(self, x: Tensor) -> Tensor:
        places = located(self, x, self.dim0, self.dim1, options=("dim0", "dim1"), scalar=True)
        if places is None:
            return replace(x, shape=(), partial=True)
        if x.rank == 0:
            return x
        shape = list(padded(x, self.dim0, self.dim1).shape)
        one, other = places
        shape[one], shape[other] = shape[other], shape[one]
        return replace(x, shape=tuple(shape))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The two axes."""
        return f"{_signed(self.dim0)} ↔ {_signed(self.dim1)}"


def _listed(dim: int | tuple[int, ...]) -> tuple[int, ...]:
    return dim if isinstance(dim, tuple) else (dim,)


def _unlisted(dim: int | tuple[int, ...]) -> object:
    """One axis as a number, several as a tuple."""
    return dim[0] if isinstance(dim, tuple) and len(dim) == 1 else dim


@layer("Squeeze", family="shape", aliases=("drop axis", "去维", "压缩维度"))
class Squeeze(Layer):
    """Drop axes of size 1, [a, 1, b] → [a, b]; an axis of another size stays."""

    dim: int | tuple[int, ...] | None = option(
        None,
        "The axes to drop where they are 1; all such axes when empty.",
        min=FIRST_AXIS,
        max=LAST_AXIS,
    )

    def infer(self, x: Tensor) -> Result:
        """[..., 1, ...] to [..., ...]."""
        args = () if self.dim is None else (_unlisted(self.dim),)
        return Result((self._squeezed(x),), code=method("x", "squeeze", *args))

    def _squeezed(self, x: Tensor) -> Tensor:
        dims = () if self.dim is None else _listed(self.dim)
        places = located(self, x, *dims)
        if places is None:
            return replace(x, shape=(), partial=True)
        distinct(self, places)
        shape = padded(x, *dims).shape
        wanted = range(len(shape)) if self.dim is None else places
        kept: list[Size] = []
        for place in reversed(range(len(shape))):
            if place not in wanted:
                kept.append(shape[place])
            elif is_unknown(shape[place]):
                # Whether it goes is not certain, so that axes before it cannot be placed.
                return replace(x, shape=tuple(reversed(kept)), partial=True)
            elif not self._is_one(shape[place]):
                kept.append(shape[place])
        return replace(x, shape=tuple(reversed(kept)))

    def _is_one(self, size: Size) -> bool:
        if value(size) is None:
            text = message(
                "{layer} keeps {got}, and drops it where it is 1.", layer=self.kind, got=size
            )
            note(Remark("hint", text, port="x", option="dim", got=size))
        if value(size) == 1:
            self.same(size, 1, self.refuse("{layer} drops {got}.", port="x", got=size))
        return value(size) == 1

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The axes, where they are listed."""
        return "" if self.dim is None else _shown(_listed(self.dim))


@layer("Unsqueeze", family="shape", aliases=("add axis", "expand dims", "增维", "扩展维度"))
class Unsqueeze(Layer):
    """Insert an axis of size 1: [a, b] → [a, 1, b]."""

    dim: int = option(0, "Where the new axis stands in the output.", min=FIRST_AXIS, max=LAST_AXIS)

    def infer(self, x: Tensor) -> Result:
        """[..., a, b] to [..., 1, a, b] with dim −3."""
        return Result((self._widened(x),), code=method("x", "unsqueeze", self.dim))

    def _widened(self, x: Tensor) -> Tensor:
        if x.rank is None and self.dim >= 0:
            return replace(x, shape=(), partial=True)
        shape = padded(x, self.dim + 1).shape
        rank = len(shape) + 1
        at = position(self, self.dim, rank) if x.rank is not None else rank + self.dim
        return replace(x, shape=(*shape[:at], 1, *shape[at:]))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The place."""
        return _signed(self.dim)


@layer("Slice", family="shape", aliases=("crop", "narrow", "range", "切片", "截取"))
class Slice(Layer):
    """Keep a range of one axis: y = x[..., start:stop:step]."""

    dim: int = option(1, "The axis to cut.", min=FIRST_AXIS, max=LAST_AXIS)
    start: Size | None = option(
        None, "First position, counted from the end when negative; the first one when empty."
    )
    stop: Size | None = option(
        None, "Position after the last, counted from the end when negative; the end when empty."
    )
    step: Size = option(1, "Keep every step-th position.", min=1)

    def infer(self, x: Tensor) -> Result:
        """[..., n, ...] to [..., ⌈(stop − start) / step⌉, ...]."""
        some_axis(self, x)
        step = at_values(self.step)
        if isinstance(step, int) and step < 1:
            raise self.refuse(
                "{layer} needs a step of at least 1, got {got}.", option="step", got=step
            )
        cut = slice(self.start, self.stop, None if self.step == 1 else self.step)
        return Result((self._cut(x),), code=Code(indexed(Ref("x"), self.dim, cut)))

    def _cut(self, x: Tensor) -> Tensor:
        places = located(self, x, self.dim)
        if places is None:
            return replace(x, shape=(), partial=True)
        shape = list(padded(x, self.dim).shape)
        shape[places[0]] = self._length(shape[places[0]])
        return replace(x, shape=tuple(shape))

    def _length(self, size: Size) -> Size:
        if is_unknown(size):
            return UNKNOWN
        start = 0 if self.start is None else _from(self.start, size)
        stop = size if self.stop is None else minimum(_from(self.stop, size), size)
        length = ceil_div(stop - start, self.step)
        number = value(length)
        return 0 if number is not None and number < 0 else length

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The range: `1:` or `:−1`."""
        ends = ["" if end is None else _signed(end) for end in (self.start, self.stop)]
        return ":".join(ends if value(self.step) == 1 else [*ends, _signed(self.step)])


def _from(at: Size, size: Size) -> Size:
    """A position counted from the start; one that is before it is 0, as far as that is known."""
    number = value(at)
    place = size + at if number is not None and number < 0 else at
    number = value(place)
    return 0 if number is not None and number < 0 else place


@layer(
    "Select", family="shape", aliases=("index", "pick", "CLS token", "last token", "选取", "索引")
)
class Select(Layer):
    """Take one position of an axis, which goes: y = x[..., index]."""

    dim: int = option(1, "The axis that goes.", min=FIRST_AXIS, max=LAST_AXIS)
    index: Size = option(0, "The position to take, counted from the end when negative.")

    def infer(self, x: Tensor) -> Result:
        """[..., n, ...] to [..., ...]."""
        some_axis(self, x)
        return Result((self._picked(x),), code=Code(indexed(Ref("x"), self.dim, self.index)))

    def _picked(self, x: Tensor) -> Tensor:
        places = located(self, x, self.dim)
        if places is None:
            return replace(x, shape=(), partial=True)
        (place,) = places
        shape = padded(x, self.dim).shape
        self._check(shape[place])
        return replace(x, shape=(*shape[:place], *shape[place + 1 :]))

    def _check(self, size: Size) -> None:
        number, index = value(size), value(self.index)
        if number is not None and index is not None and not -number <= index < number:
            raise self.refuse(
                "{layer} has no position {index} on an axis of {got}.",
                option="index",
                index=self.index,
                got=size,
            )

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The position."""
        return _signed(self.index)


@layer("Split", family="shape", aliases=("chunk", "unbind qkv", "拆分", "分块"))
class Split(Layer):
    """Cut an axis into equal parts, or parts of the given sizes: [a + b, n] → [a, n], [b, n]."""

    chunks: int = option(
        2, "Number of parts; the last is smaller where it must be.", min=1, max=MOST_PARTS
    )
    sizes: tuple[Size, ...] | None = option(
        None, "Size of each part, in place of the number of parts.", min=0
    )
    dim: int = option(0, "The axis to cut.", min=FIRST_AXIS, max=LAST_AXIS)
    preset: ClassVar[Mapping[str, Raw]] = {"dim": -1}

    def outputs(self) -> tuple[Port, ...]:
        """One for each part: out0, out1, ..."""
        return tuple(Port(f"out{part}") for part in range(self._parts))

    @property
    def _parts(self) -> int:
        return self.chunks if self.sizes is None else len(self.sizes)

    def infer(self, x: Tensor) -> Result:
        """[..., n, ...] to several [..., m, ...] whose m add up to n."""
        some_axis(self, x)
        if self._parts < 1:
            raise self.refuse("{layer} needs one part or more.", option=self._option)
        return Result(self._cut(x), code=self._code())

    @property
    def _option(self) -> str:
        return "chunks" if self.sizes is None else "sizes"

    def _code(self) -> Code:
        name, parts = ("chunk", self.chunks) if self.sizes is None else ("split", self.sizes)
        keywords = (("dim", self.dim),) if self.dim else ()
        use = Method(Ref("x"), name, (parts,), keywords)
        if self._parts == 1:
            return Code(Item(use, 0))
        return Code(use, returns=tuple(port.name for port in self.outputs()))

    def _cut(self, x: Tensor) -> tuple[Tensor, ...]:
        places = located(self, x, self.dim)
        if places is None:
            return (replace(x, shape=(), partial=True),) * self._parts
        (place,) = places
        shape = padded(x, self.dim).shape
        return tuple(
            replace(x, shape=(*shape[:place], size, *shape[place + 1 :]))
            for size in self._sizes(shape[place])
        )

    def _sizes(self, size: Size) -> tuple[Size, ...]:
        return self._equal(size) if self.sizes is None else self._given(self.sizes, size)

    def _given(self, sizes: tuple[Size, ...], size: Size) -> tuple[Size, ...]:
        total = sum(sizes, start=0)
        refusal = self.refuse(
            "{layer} needs {expected} along dim {dim}, got {got}.",
            option="sizes",
            port="x",
            dim=self.dim,
            expected=total,
            got=size,
        )
        if any((value(part) or 0) < 0 for part in sizes):
            raise self.refuse("{layer} takes sizes from 0, got {got}.", option="sizes", got=sizes)
        self.same(total, size, refusal)
        return sizes

    def _equal(self, size: Size) -> tuple[Size, ...]:
        """Parts of ⌈size / chunks⌉, and the rest."""
        part = ceil_div(size, self.chunks)
        rest = size // 2 if self.chunks == 2 else size - (self.chunks - 1) * part
        number = value(rest)
        if number is not None and number <= 0 and value(size) != 0:
            raise self.refuse(
                "{layer} cannot cut {got} into {expected} parts of {part}.",
                option="chunks",
                port="x",
                expected=self.chunks,
                got=size,
                part=part,
            )
        return (part,) * (self.chunks - 1) + (rest,)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The number of parts, or their sizes."""
        return f"÷ {self.chunks}" if self.sizes is None else " + ".join(map(str, self.sizes))
