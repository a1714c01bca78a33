"""Layers that pick elements by indices, or put them in places; none has parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from designer.core.code import Code, Item, Ref, call, method
from designer.core.layer import (
    Layer,
    Port,
    Result,
    layer,
)
from designer.core.option import option
from designer.core.size import UNKNOWN, Size, value
from designer.core.tensor import Tensor
from designer.layers.axes import (
    FIRST_AXIS,
    LAST_AXIS,
    broadcast,
    distinct,
    located,
    padded,
    position,
    some_axis,
)
from designer.layers.math import written
from designer.layers.order import resized
from designer.layers.rules import check_dtype

if TYPE_CHECKING:
    from collections.abc import Mapping

    from designer.core.layer import Inputs

AXIS = "The axis along which is picked."
MASKS = ("bool",)
"""Dtypes of masks."""
PLACES = ("int64", "int32")
"""Dtypes of indices."""


class Picking(Layer):
    """Elements of one axis, by index."""

    dim: int

    def check_index(self, index: Tensor, accepted: tuple[str, ...] = PLACES) -> None:
        """Refuse indices that are no whole numbers."""
        check_dtype(self, index, accepted, "index")

    def same_rank(self, x: Tensor, index: Tensor, port: str = "index") -> None:
        """Refuse indices with another number of axes."""
        ranks = {max(rank, 1) for rank in (x.rank, index.rank) if rank is not None}
        if len(ranks) > 1:
            raise self.refuse(
                "{layer} needs equal ranks, got {x} and {index}.", port=port, x=x, index=index
            )

    def within(self, x: Tensor, index: Tensor, port: str, *, but: int | None = None) -> None:
        """Refuse indices that reach beyond `x` along an axis other than `but`."""
        if x.rank is None or index.rank is None:
            return
        for axis, (room, size) in enumerate(zip(x.shape, index.shape, strict=False)):
            have, want = value(room), value(size)
            if axis != but and have is not None and want is not None and want > have:
                raise self.refuse(
                    "{layer} finds {got} indices on axis {axis} of {expected}.",
                    port=port,
                    axis=axis,
                    expected=room,
                    got=size,
                )

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The axis."""
        return f"dim {self.dim}".replace("-", "−")


@layer("Gather", family="shape", aliases=("lookup", "pick by index", "收集", "索引"))
class Gather(Picking):
    """y[i][j] = x[i][index[i][j]] along an axis; the output has the shape of the index."""

    dim: int = option(1, AXIS, min=FIRST_AXIS, max=LAST_AXIS)

    def infer(self, x: Tensor, index: Tensor) -> Result:
        """[..., n, ...] and [..., k, ...] to [..., k, ...]."""
        self.check_index(index)
        if not any(value(size) == 0 for size in index.shape):
            self.same_rank(x, index)
        places = located(self, x, self.dim, scalar=True)
        if places is not None and x.rank is not None:
            self.within(x, index, "index", but=places[0])
        code = call("torch.gather", Ref("x"), self.dim, Ref("index"))
        return Result((replace(index, dtype=x.dtype),), code=code)


@layer("TakeAlongDim", family="shape", aliases=("take along axis", "沿维取值"), stem="take")
class TakeAlongDim(Picking):
    """y[i][j] = x[i][index[i][j]] along an axis; the index broadcasts against the other axes."""

    dim: int = option(-1, AXIS, min=FIRST_AXIS, max=LAST_AXIS)

    def infer(self, x: Tensor, index: Tensor) -> Result:
        """[..., n, ...] and [..., k, ...] to [..., k, ...]."""
        self.check_index(index, ("int64",))
        some_axis(self, x)
        code = call("torch.take_along_dim", Ref("x"), Ref("index"), dim=self.dim)
        if x.rank is None or index.rank is None:
            return Result((Tensor((), x.dtype, partial=True),), code=code)
        if x.rank != index.rank:
            raise self.refuse(
                "{layer} needs equal ranks, got {x} and {index}.", port="index", x=x, index=index
            )
        place = position(self, self.dim, x.rank)
        picked = index.shape[place : place + 1]
        one, other = (self._apart(tensor, place) for tensor in (x, index))
        joint = broadcast(self, one, other, "index")
        shape = (*joint.shape[:place], *picked, *joint.shape[place + 1 :])
        return Result((x.with_shape(shape),), code=code)

    def _apart(self, x: Tensor, place: int) -> Tensor:
        """`x` with 1 in place of an axis."""
        return x.with_shape((*x.shape[:place], 1, *x.shape[place + 1 :]))


@layer("IndexSelect", family="shape", aliases=("take rows", "lookup", "按索引选取"), stem="pick")
class IndexSelect(Picking):
    """The positions of an axis that a vector of indices lists: y[i] = x[index[i]]."""

    dim: int = option(0, AXIS, min=FIRST_AXIS, max=LAST_AXIS)

    def infer(self, x: Tensor, index: Tensor) -> Result:
        """[..., n, ...] and [k] to [..., k, ...]."""
        self.check_index(index)
        self.ranked(index, (0, 1), "[k]", "index")
        if x.rank == 0:
            located(self, x, self.dim)
            refusal = self.refuse(
                "{layer} takes one index of a scalar, got {got}.", port="index", got=index.count
            )
            self.same(1, index.count, refusal)
            return Result((x,), code=self._code())
        return Result((resized(self, x, self.dim, index.count),), code=self._code())

    def _code(self) -> Code:
        return call("torch.index_select", Ref("x"), self.dim, Ref("index"))


@layer("Index", family="shape", aliases=("advanced indexing", "pick by index", "高级索引"))
class Index(Layer):
    """y = x[..., i, ...] with tensors of indices at some axes, which broadcast to one shape.

    One index may be a mask of truth values over one axis or more: how many it picks is not known.
    """

    dims: tuple[int, ...] = option(
        (0,), "The axis of each index, all counted from one end.", min=FIRST_AXIS, max=LAST_AXIS
    )

    def infer(
        self, x: Tensor, i: Tensor, j: Tensor | None = None, k: Tensor | None = None
    ) -> Result:
        """[..., n, ...] and [a, b] to [..., a, b, ...]; [a, b, ...] for axes that lie apart."""
        if i.dtype in MASKS and not i.partial:
            return self._masked(x, i, several=j is not None or k is not None)
        joint = self._joint({"i": i, "j": j, "k": k})
        some_axis(self, x)
        places = located(self, x, *self.dims, options=("dims",))
        if len({dim < 0 for dim in self.dims}) > 1:
            raise self.refuse(
                "{layer} counts axes from one end, got {got}.", option="dims", got=self.dims
            )
        code = Code(Item(Ref("x"), self._written()))
        if places is None or joint.partial:
            return Result((Tensor((), x.dtype, partial=True),), code=code)
        distinct(self, places, "dims")
        return Result((self._picked(padded(x, *self.dims), joint, places),), code=code)

    def _masked(self, x: Tensor, mask: Tensor, *, several: bool) -> Result:
        """The places where a mask is true, one after another on one axis."""
        rank = len(mask.shape)
        if several or len(self.dims) != 1 or self.dims[0] < 0 or not rank:
            raise self.refuse("{layer} takes one mask, at an axis from the front.", port="i")
        code = Code(Item(Ref("x"), self._written()))
        if x.rank is None:
            return Result((Tensor((), x.dtype, partial=True),), code=code)
        first = position(self, self.dims[0], x.rank, "dims")
        covered = x.shape[first : first + rank]
        refusal = self.refuse("{layer} finds no {mask} in {x}.", port="i", mask=mask, x=x)
        if len(covered) < rank:
            raise refusal
        for one, other in zip(mask.shape, covered, strict=True):
            self.same(one, other, refusal)
        shape = (*x.shape[:first], UNKNOWN, *x.shape[first + rank :])
        return Result((x.with_shape(shape),), code=code)

    def _joint(self, given: Mapping[str, Tensor | None]) -> Tensor:
        """The shape of all indices together."""
        indices = {port: index for port, index in given.items() if index is not None}
        if len(indices) != len(self.dims):
            raise self.refuse(
                "{layer} lists {expected} axes in dims for {got} indices.",
                option="dims",
                expected=len(self.dims),
                got=len(indices),
            )
        joint = next(iter(indices.values()))
        for port, index in indices.items():
            check_dtype(self, index, PLACES, port)
            if index.rank == 0:
                raise self.refuse("{layer} needs a vector or more, got a scalar.", port=port)
            joint = broadcast(self, joint, index, port)
        return joint

    def _picked(self, x: Tensor, joint: Tensor, places: list[int]) -> Tensor:
        for place in places:
            if value(x.shape[place]) == 0 and value(joint.count) != 0:
                raise self.refuse("{layer} finds nothing to pick in {got}.", port="x", got=x)
        first = min(places)
        together = max(places) - first == len(places) - 1
        kept = tuple(size for at, size in enumerate(x.shape) if at not in places)
        if together:
            return replace(x, shape=(*kept[:first], *joint.shape, *kept[first:]))
        # Before the axes that are known others may stand, and the indices before all of them.
        return replace(x, shape=kept if x.partial else (*joint.shape, *kept))

    def _written(self) -> object:
        """The index: `i` or `:, i, j` or `..., i, :`."""
        refs = dict(zip(self.dims, (Ref("i"), Ref("j"), Ref("k")), strict=False))
        if min(self.dims) < 0:
            return (..., *(refs.get(dim, slice(None)) for dim in range(min(self.dims), 0)))
        parts = tuple(refs.get(dim, slice(None)) for dim in range(max(self.dims) + 1))
        return parts if len(parts) > 1 else parts[0]

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The axes."""
        return f"dim {', '.join(map(str, self.dims))}".replace("-", "−")


@layer("Scatter", family="shape", aliases=("put", "write by index", "散布"))
class Scatter(Picking):
    """A copy of x in which y[i][index[i][j]] = src[i][j] along an axis."""

    dim: int = option(1, AXIS, min=FIRST_AXIS, max=LAST_AXIS)
    value: float = option(0.0, "What is put where no source is connected.")
    reduce: str = option(
        "none",
        "What becomes of what was there.",
        choices=("none", "sum", "prod", "amax", "amin", "mean"),
    )

    def infer(self, x: Tensor, index: Tensor, src: Tensor | None = None) -> Result:
        """[..., n, ...] with indices [..., k, ...] to the shape of x."""
        self.check_index(index)
        self.same_rank(x, index)
        places = located(self, x, self.dim, scalar=True)
        if places is not None and x.rank is not None:
            self.within(x, index, "index", but=places[0])
        if src is not None:
            self._check_source(x, index, src)
        return Result((x,), code=self._code(src))

    def _check_source(self, x: Tensor, index: Tensor, src: Tensor) -> None:
        self.same_rank(x, src, "src")
        self.within(src, index, "src")
        if src.dtype != x.dtype and not (src.partial or x.partial):
            raise self.refuse(
                "{layer} needs one dtype, got {a} and {b}.", port="src", a=x.dtype, b=src.dtype
            )

    def _code(self, src: Tensor | None) -> Code:
        args = (self.dim, Ref("index"))
        if src is None:
            return method("x", "scatter", *args, written(self.value))
        if self.reduce == "none":
            return method("x", "scatter", *args, Ref("src"))
        return method("x", "scatter_reduce", *args, Ref("src"), self.reduce)


@layer("OneHot", family="embed", aliases=("one-hot encoding", "indicator", "独热编码"))
class OneHot(Layer):
    """A new last axis with a 1 at the class and 0 elsewhere: y[i, x[i]] = 1."""

    num_classes: Size = option(10, "Size of the new axis.", min=1)

    def infer(self, x: Tensor) -> Result:
        """[...] to [..., num_classes], in int64."""
        check_dtype(self, x, ("int64",))
        out = replace(x, shape=(*x.shape, self.num_classes), dtype="int64")
        return Result((out,), code=call("F.one_hot", Ref("x"), self.num_classes))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The number of classes."""
        return str(self.num_classes)


@layer("Unbind", family="shape", aliases=("unstack", "separate", "拆开"))
class Unbind(Layer):
    """Each position of an axis as an output of its own, yᵢ = x[i]; the axis goes."""

    parts: int = option(2, "Size of the axis.", min=1, max=1024)
    dim: int = option(0, "The axis that goes.", min=FIRST_AXIS, max=LAST_AXIS)

    def outputs(self) -> tuple[Port, ...]:
        """One for each position: out0, out1, ..."""
        return tuple(Port(f"out{part}") for part in range(self.parts))

    def infer(self, x: Tensor) -> Result:
        """[..., n, ...] to n times [..., ...]."""
        some_axis(self, x)
        args = () if self.dim == 0 else (self.dim,)
        code = method("x", "unbind", *args)
        code = replace(code, returns=tuple(port.name for port in self.outputs()))
        return Result((self._part(x),) * self.parts, code=code)

    def _part(self, x: Tensor) -> Tensor:
        places = located(self, x, self.dim)
        if places is None:
            return replace(x, shape=(), partial=True)
        (place,) = places
        shape = padded(x, self.dim).shape
        refusal = self.refuse(
            "{layer} has {expected} parts, the axis {got}.",
            option="parts",
            port="x",
            expected=self.parts,
            got=shape[place],
        )
        self.same(self.parts, shape[place], refusal)
        return replace(x, shape=(*shape[:place], *shape[place + 1 :]))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The number of parts."""
        return f"÷ {self.parts}"
