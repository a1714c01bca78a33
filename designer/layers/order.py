"""Layers that run along one axis: running sums, differences, sorting and the largest few."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from designer.core.code import Code, Method, Ref, call
from designer.core.layer import (
    Layer,
    Port,
    Result,
    layer,
)
from designer.core.option import option
from designer.core.size import Size, value
from designer.core.tensor import Tensor
from designer.core.work import EACH
from designer.layers.axes import FIRST_AXIS, LAST_AXIS, distinct, located, padded
from designer.layers.math import written
from designer.layers.rules import ALL, COMPLEX, FLOATS, INTEGERS, REAL, check_dtype

if TYPE_CHECKING:
    from designer.core.layer import Inputs

AXIS = "The axis along which it runs."


def resized(rule: Layer, x: Tensor, dim: int, size: Size) -> Tensor:
    """`x` with another size of one axis; a scalar stays as it is."""
    places = located(rule, x, dim, scalar=True)
    if places is None:
        return replace(x, shape=(), partial=True)
    shape = padded(x, dim).shape
    (place,) = places
    changed = (*shape[:place], size, *shape[place + 1 :])
    return replace(x, shape=changed if shape else ())


def size_along(rule: Layer, x: Tensor, dim: int) -> Size | None:
    """The size of one axis, 1 for a scalar; None where it is not known which axis that is."""
    places = located(rule, x, dim, scalar=True)
    if places is None:
        return None
    shape = padded(x, dim).shape
    return shape[places[0]] if shape else 1


class Running(Layer):
    """A layer that runs along one axis."""

    dim: int
    dtypes: ClassVar[tuple[str, ...]] = ALL

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The axis."""
        return f"dim {self.dim}".replace("-", "−")


class Cumulative(Running):
    """One value of each element and all before it."""

    work = EACH

    name: ClassVar[str]

    def infer(self, x: Tensor) -> Result:
        """[...] to the same shape; integers become int64."""
        located(self, x, self.dim, scalar=True)
        whole = x.dtype in (*INTEGERS, "bool")
        out = x.with_dtype("int64") if whole else x
        return Result((out,), code=Code(Method(Ref("x"), self.name, (self.dim,))))


@layer("Cumsum", family="shape", aliases=("running sum", "prefix sum", "累加", "前缀和"))
class Cumsum(Cumulative):
    """Running sum along an axis: y[i] = x[0] + … + x[i]."""

    dim: int = option(-1, AXIS, min=FIRST_AXIS, max=LAST_AXIS)

    name: ClassVar[str] = "cumsum"


@layer("Cumprod", family="shape", aliases=("running product", "累乘"))
class Cumprod(Cumulative):
    """Running product along an axis: y[i] = x[0] · … · x[i]."""

    dim: int = option(-1, AXIS, min=FIRST_AXIS, max=LAST_AXIS)

    name: ClassVar[str] = "cumprod"


@layer("Diff", family="shape", aliases=("difference", "finite difference", "差分"))
class Diff(Running):
    """Differences of neighbours along an axis: y[i] = x[i + 1] − x[i], n times over."""

    work = EACH

    n: int = option(1, "How many times.", min=0)
    dim: int = option(-1, AXIS, min=FIRST_AXIS, max=LAST_AXIS)

    def infer(self, x: Tensor) -> Result:
        """[..., m, ...] to [..., m − n, ...]."""
        if x.rank == 0:
            raise self.refuse("{layer} expects at least one axis, got {got}.", port="x", got=x)
        keywords = {"n": self.n} if self.n != 1 else {}
        along = {} if self.dim == -1 else {"dim": self.dim}
        return Result((self._out(x),), code=call("torch.diff", Ref("x"), **keywords, **along))

    def _out(self, x: Tensor) -> Tensor:
        size = size_along(self, x, self.dim)
        if size is None:
            return replace(x, shape=(), partial=True)
        number = value(size)
        short = number is not None and number < self.n
        return resized(self, x, self.dim, 0 if short else size - self.n)


class Ordering(Running):
    """Elements along an axis in their order, and where they were."""

    dtypes: ClassVar[tuple[str, ...]] = REAL

    def outputs(self) -> tuple[Port, ...]:
        """The values and their places."""
        return (Port("out"), Port("indices"))


@layer("Sort", family="shape", aliases=("order", "rank", "排序"))
class Sort(Ordering):
    """Elements in order along an axis, y[i] ≤ y[i + 1], and where they were."""

    dim: int = option(-1, AXIS, min=FIRST_AXIS, max=LAST_AXIS)
    descending: bool = option(False, "Put the largest first.")

    def infer(self, x: Tensor) -> Result:
        """[...] to the same shape twice."""
        check_dtype(self, x, self.dtypes)
        located(self, x, self.dim, scalar=True)
        keywords = (("descending", self.descending),) if self.descending else ()
        args = (self.dim,) if self.dim != -1 else ()
        use = Method(Ref("x"), "sort", args, keywords)
        return Result((x, x.with_dtype("int64")), code=Code(use, returns=("out", "indices")))


@layer("Argsort", family="shape", aliases=("order", "ranking", "排序索引"))
class Argsort(Running):
    """Where the elements in order along an axis were: x[y[i]] ≤ x[y[i + 1]]."""

    dim: int = option(-1, AXIS, min=FIRST_AXIS, max=LAST_AXIS)
    descending: bool = option(False, "Put the largest first.")

    def infer(self, x: Tensor) -> Result:
        """[...] to the same shape."""
        check_dtype(self, x, REAL)
        located(self, x, self.dim, scalar=True)
        keywords = (("descending", self.descending),) if self.descending else ()
        args = (self.dim,) if self.dim != -1 else ()
        code = Code(Method(Ref("x"), "argsort", args, keywords))
        return Result((x.with_dtype("int64"),), code=code)


@layer("Topk", family="shape", aliases=("top-k", "largest few", "router", "前k大"))
class Topk(Ordering):
    """The k largest elements along an axis, and where they are."""

    k: Size = option(2, "How many.", min=0)
    dim: int = option(-1, AXIS, min=FIRST_AXIS, max=LAST_AXIS)
    largest: bool = option(True, "Take the largest; else the smallest.")
    sorted: bool = option(True, "Put them in order.")

    dtypes: ClassVar[tuple[str, ...]] = (*FLOATS, *INTEGERS)

    def infer(self, x: Tensor) -> Result:
        """[..., n, ...] to [..., k, ...] twice."""
        check_dtype(self, x, self.dtypes)
        self._check(x)
        out = resized(self, x, self.dim, self.k)
        keywords = (
            ("dim", self.dim, -1),
            ("largest", self.largest, True),
            ("sorted", self.sorted, True),
        )
        given = tuple((name, got) for name, got, usual in keywords if got != usual)
        use = Method(Ref("x"), "topk", (self.k,), given)
        return Result((out, out.with_dtype("int64")), code=Code(use, returns=("out", "indices")))

    def _check(self, x: Tensor) -> None:
        size = size_along(self, x, self.dim)
        have, want = None if size is None else value(size), value(self.k)
        if have is not None and want is not None and want > have:
            raise self.refuse(
                "{layer} takes {expected} of an axis of {got}.",
                option="k",
                port="x",
                expected=self.k,
                got=size,
            )

    def caption(self, result: Result, inputs: Inputs) -> str:
        """How many."""
        return f"k = {self.k}"


@layer("Normalize", family="norm", aliases=("unit length", "L2 normalize", "单位化", "归一化"))
class Normalize(Layer):
    """y = x / max(|x|, ε), with the length |x| along an axis."""

    p: float = option(2.0, "The power of the norm.")
    dim: int | tuple[int, ...] = option(1, AXIS, min=FIRST_AXIS, max=LAST_AXIS)
    eps: float = option(1e-12, "The least length to divide by.")

    def infer(self, x: Tensor) -> Result:
        """[...] to the same shape."""
        check_dtype(self, x, (*FLOATS, *COMPLEX))
        dims = self.dim if isinstance(self.dim, tuple) else (self.dim,)
        places = located(self, x, *dims, scalar=True)
        if places is not None:
            distinct(self, places)
        power, least = written(self.p), written(self.eps)
        given = (("p", power, 2), ("dim", self.dim, 1), ("eps", least, 1e-12))
        keywords = {name: got for name, got, usual in given if got != usual}
        return Result((x,), code=call("F.normalize", Ref("x"), **keywords))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The axis."""
        return f"dim {self.dim}".replace("-", "−")
