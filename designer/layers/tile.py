"""Layers that repeat, turn and slide over elements; none has parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from designer.core.code import Ref, call, method
from designer.core.layer import Layer, Result, layer
from designer.core.option import option
from designer.core.size import Size, is_unknown, minimum, value
from designer.core.tensor import Tensor
from designer.layers.axes import FIRST_AXIS, LAST_AXIS, distinct, located, padded, some_axis
from designer.layers.order import resized, size_along
from designer.layers.reduce import listed, unlisted
from designer.layers.rules import known_zero

if TYPE_CHECKING:
    from designer.core.layer import Inputs


def joined(sizes: tuple[Size, ...]) -> str:
    """Sizes as on a node."""
    return ", ".join(map(str, sizes)).replace("-", "−")


@layer("Expand", family="shape", aliases=("broadcast to", "stretch", "扩展", "广播"))
class Expand(Layer):
    """Stretch axes of size 1 to the given sizes, without copying; −1 keeps a size."""

    size: tuple[Size, ...] = option(
        (-1, -1), "All axes of the output, new ones in front; −1 keeps one.", min=-1
    )

    def infer(self, x: Tensor) -> Result:
        """[1, n] to [m, n] with size (m, −1)."""
        return Result((self._stretched(x),), code=method("x", "expand", *(self.size or ((),))))

    def _stretched(self, x: Tensor) -> Tensor:
        if len(x.shape) > len(self.size):
            raise self.refuse(
                "{layer} lists {expected} axes, got {x} with {got}.",
                option="size",
                expected=len(self.size),
                x=x,
                got=len(x.shape),
            )
        new = len(self.size) - len(x.shape)
        lead = tuple(self._leading(x, size) for size in self.size[:new])
        pairs = zip(self.size[new:], x.shape, strict=True)
        return x.with_shape((*lead, *(self._axis(x, want, have) for want, have in pairs)))

    def _leading(self, x: Tensor, size: Size) -> Size:
        if value(size) != -1:
            return size
        if x.rank is None:
            return x.axis(-len(self.size))
        raise self.refuse("{layer} cannot keep an axis that {got} lacks.", option="size", got=x)

    def _axis(self, x: Tensor, want: Size, have: Size) -> Size:
        if value(want) == -1:
            return have
        if value(have) == 1 or is_unknown(have):
            return want
        refusal = self.refuse(
            "{layer} cannot stretch {got} of {x} to {expected}.",
            option="size",
            port="x",
            x=x,
            expected=want,
            got=have,
        )
        return self.same(want, have, refusal)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The sizes."""
        return joined(self.size)


@layer("Repeat", family="shape", aliases=("tile", "copy", "重复", "平铺"))
class Repeat(Layer):
    """Copies side by side along each axis: [m, n] → [a·m, b·n] with repeats (a, b)."""

    repeats: tuple[Size, ...] = option(
        (2, 1), "How many copies along each axis, new axes in front.", min=0
    )

    def infer(self, x: Tensor) -> Result:
        """[m, n] to [a·m, b·n]."""
        if len(x.shape) > len(self.repeats):
            raise self.refuse(
                "{layer} lists {expected} axes, got {x} with {got}.",
                option="repeats",
                expected=len(self.repeats),
                x=x,
                got=len(x.shape),
            )
        rank = len(self.repeats)
        known = (1,) * (rank - len(x.shape)) + x.shape if x.rank is not None else x.last(rank)
        shape = tuple(times * size for times, size in zip(self.repeats, known, strict=True))
        return Result((x.with_shape(shape),), code=method("x", "repeat", *(self.repeats or ((),))))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The numbers of copies."""
        return "×".join(map(str, self.repeats))


@layer(
    "RepeatInterleave",
    family="shape",
    aliases=("repeat each", "upsample", "逐个重复"),
    stem="repeat",
)
class RepeatInterleave(Layer):
    """Each element several times in a row: x₀ x₀ x₁ x₁ …; of all elements when dim is empty."""

    repeats: Size = option(2, "How many times each.", min=0)
    dim: int | None = option(
        None, "The axis; all elements in one axis when empty.", min=FIRST_AXIS, max=LAST_AXIS
    )

    def infer(self, x: Tensor) -> Result:
        """[..., n, ...] to [..., repeats · n, ...]."""
        along = {} if self.dim is None else {"dim": self.dim}
        code = call("torch.repeat_interleave", Ref("x"), self.repeats, **along)
        return Result((self._out(x),), code=code)

    def _out(self, x: Tensor) -> Tensor:
        if self.dim is None:
            return x.with_shape((self.repeats * x.count,))
        some_axis(self, x)
        size = size_along(self, x, self.dim)
        if size is None:
            return replace(x, shape=(), partial=True)
        return resized(self, x, self.dim, self.repeats * size)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """How many times."""
        return f"× {self.repeats}"


@layer("Flip", family="shape", aliases=("reverse", "mirror", "翻转"))
class Flip(Layer):
    """Elements in the opposite order along some axes: y[i] = x[n − 1 − i]."""

    dims: int | tuple[int, ...] = option(-1, "The axes.", min=FIRST_AXIS, max=LAST_AXIS)

    def infer(self, x: Tensor) -> Result:
        """[...] to the same shape."""
        places = located(self, x, *listed(self.dims), options=("dims",), scalar=True)
        if places is not None:
            distinct(self, places, "dims")
        return Result((x,), code=call("torch.flip", Ref("x"), listed(self.dims)))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The axes."""
        return joined(listed(self.dims))


@layer("Roll", family="shape", aliases=("shift", "cyclic shift", "shifted window", "循环移位"))
class Roll(Layer):
    """Elements moved round along some axes: y[i] = x[(i − shift) mod n]."""

    shifts: int | tuple[int, ...] = option(1, "How far along each axis.")
    dims: int | tuple[int, ...] | None = option(
        None, "The axes; all elements as one row when empty.", min=FIRST_AXIS, max=LAST_AXIS
    )

    def infer(self, x: Tensor) -> Result:
        """[...] to the same shape."""
        shifts = listed(self.shifts)
        dims = () if self.dims is None else listed(self.dims)
        if len(dims or (0,)) != len(shifts):
            raise self.refuse(
                "{layer} needs as many shifts as axes, got {got} and {expected}.",
                option="shifts",
                expected=len(dims),
                got=len(shifts),
            )
        if dims:
            some_axis(self, x)
        if not any(known_zero(size) for size in x.shape):
            located(self, x, *dims, options=("dims",), scalar=True)
        args = (unlisted(shifts),) if not dims else (unlisted(shifts), unlisted(dims))
        return Result((x,), code=call("torch.roll", Ref("x"), *args))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """How far."""
        return joined(listed(self.shifts))


@layer("Rot90", family="shape", aliases=("rotate", "quarter turn", "旋转"), stem="turn")
class Rot90(Layer):
    """Quarter turns in the plane of two axes, from the first towards the second."""

    k: int = option(1, "How many quarter turns.")
    dims: tuple[int, ...] = option((-2, -1), "The two axes.", min=FIRST_AXIS, max=LAST_AXIS)

    def infer(self, x: Tensor) -> Result:
        """[..., m, n] to [..., n, m] for an odd number of turns."""
        if len(self.dims) != 2:
            raise self.refuse(
                "{layer} turns two axes, got {got}.", option="dims", got=len(self.dims)
            )
        if x.rank is not None and x.rank < 2:
            raise self.refuse("{layer} expects two axes or more, got {got}.", port="x", got=x)
        code = call("torch.rot90", Ref("x"), self.k, self.dims)
        return Result((self._turned(x),), code=code)

    def _turned(self, x: Tensor) -> Tensor:
        places = located(self, x, *self.dims, options=("dims",))
        if places is None:
            return replace(x, shape=(), partial=True) if self.k % 2 else x
        distinct(self, places, "dims")
        if self.k % 2 == 0:
            return x
        shape = list(padded(x, *self.dims).shape)
        one, other = places
        shape[one], shape[other] = shape[other], shape[one]
        return replace(x, shape=tuple(shape))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The turns in degrees."""
        return f"{90 * self.k}°".replace("-", "−")


@layer(
    "SlidingWindows", family="shape", aliases=("unfold axis", "frames", "滑动窗口"), stem="windows"
)
class SlidingWindows(Layer):
    """Windows along an axis, their elements in a new last axis: y[i, k] = x[step·i + k]."""

    dim: int = option(-1, "The axis.", min=FIRST_AXIS, max=LAST_AXIS)
    size: Size = option(2, "Elements in a window.", min=0)
    step: Size = option(1, "From one window to the next.", min=1)

    def infer(self, x: Tensor) -> Result:
        """[..., n, ...] to [..., (n − size) // step + 1, ..., size]."""
        return Result((self._cut(x),), code=method("x", "unfold", self.dim, self.size, self.step))

    def _cut(self, x: Tensor) -> Tensor:
        length = size_along(self, x, self.dim)
        if length is None:
            return replace(x, shape=(self.size,), partial=True)
        room = value(length - self.size)
        if room is not None and room < 0:
            raise self.refuse(
                "{layer} takes {expected} of an axis of {got}.",
                option="size",
                port="x",
                expected=self.size,
                got=length,
            )
        moved = resized(self, x, self.dim, (length - self.size) // self.step + 1)
        return replace(moved, shape=(*moved.shape, self.size))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """Window and step."""
        return f"{self.size} / {self.step}"


class Triangle(Layer):
    """A triangle of each matrix; the rest becomes 0."""

    diagonal: int

    def infer(self, x: Tensor) -> Result:
        """[..., m, n] to the same shape."""
        if x.rank is not None and x.rank < 2:
            raise self.refuse("{layer} expects [..., m, n], got {got}.", port="x", got=x)
        args = (self.diagonal,) if self.diagonal else ()
        return Result((x,), code=call(f"torch.{self.kind.lower()}", Ref("x"), *args))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The diagonal, where it is not the main one."""
        return str(self.diagonal).replace("-", "−") if self.diagonal else ""


@layer("Tril", family="shape", aliases=("lower triangle", "causal mask", "下三角"))
class Tril(Triangle):
    """The lower triangle of each matrix: y[i, j] = x[i, j] where j ≤ i + diagonal, else 0."""

    diagonal: int = option(0, "The diagonal up to which elements stay; above the main one if > 0.")


@layer("Triu", family="shape", aliases=("upper triangle", "causal mask", "上三角"))
class Triu(Triangle):
    """The upper triangle of each matrix: y[i, j] = x[i, j] where j ≥ i + diagonal, else 0."""

    diagonal: int = option(0, "The diagonal from which elements stay; above the main one if > 0.")


@layer("Diagonal", family="shape", aliases=("trace", "main diagonal", "对角线"))
class Diagonal(Layer):
    """The diagonal of each matrix, as a new last axis: y[i] = x[i, i + offset]."""

    offset: int = option(0, "How far above the main diagonal; below it when negative.")
    dim1: int = option(0, "The axis of the rows.", min=FIRST_AXIS, max=LAST_AXIS)
    dim2: int = option(1, "The axis of the columns.", min=FIRST_AXIS, max=LAST_AXIS)

    def infer(self, x: Tensor) -> Result:
        """[m, n, ...] to [..., min(m, n)]."""
        names = (("offset", 0), ("dim1", 0), ("dim2", 1))
        given = {name: getattr(self, name) for name, usual in names}
        keywords = {name: given[name] for name, usual in names if given[name] != usual}
        return Result((self._out(x),), code=call("torch.diagonal", Ref("x"), **keywords))

    def _out(self, x: Tensor) -> Tensor:
        if x.rank is not None and x.rank < 2:
            raise self.refuse("{layer} expects two axes or more, got {got}.", port="x", got=x)
        places = located(self, x, self.dim1, self.dim2, options=("dim1", "dim2"))
        if places is None:
            return replace(x, shape=(), partial=True)
        distinct(self, places, "dim2")
        shape = padded(x, self.dim1, self.dim2).shape
        rows, columns = (shape[place] for place in places)
        length = self._length(rows, columns)
        left = [size for at, size in enumerate(shape) if at not in places]
        return replace(x, shape=(*left, length))

    def _length(self, rows: Size, columns: Size) -> Size:
        below, right = max(0, -self.offset), max(0, self.offset)
        length = minimum(rows - below, columns - right)
        number = value(length)
        return 0 if number is not None and number < 0 else length

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The offset, where there is one."""
        return str(self.offset).replace("-", "−") if self.offset else ""
