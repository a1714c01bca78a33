"""Layers that make one value of all elements along some axes; none has parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from designer.core.code import Code, Method, Ref, call
from designer.core.layer import (
    Layer,
    Port,
    Result,
    layer,
    same_value,
)
from designer.core.option import Raw, option
from designer.core.tensor import Tensor
from designer.core.work import READING
from designer.layers.axes import FIRST_AXIS, LAST_AXIS, distinct, located, padded
from designer.layers.math import PARTS
from designer.layers.rules import (
    ALL,
    COMPLEX,
    FLOATS,
    INTEGERS,
    REAL,
    check_dtype,
    floating,
    known_zero,
)

if TYPE_CHECKING:
    from designer.core.layer import Inputs

KEEPDIM = "Keep those axes, with size 1."
SOME = "The axes that go; all when empty."
ONE = "The axis that goes; all when empty."
NUMERIC = (*FLOATS, *INTEGERS)


def listed(dim: int | tuple[int, ...]) -> tuple[int, ...]:
    """One axis or several as a tuple."""
    return dim if isinstance(dim, tuple) else (dim,)


def unlisted(dim: int | tuple[int, ...]) -> object:
    """One axis as a number, several as a tuple."""
    return dim[0] if isinstance(dim, tuple) and len(dim) == 1 else dim


class Reduction(Layer):
    """One value of all elements along some axes."""

    work = READING

    name: ClassVar[str]
    """The method of a tensor."""
    dtypes: ClassVar[tuple[str, ...]] = ALL
    needs_elements: ClassVar[bool] = False
    """Whether there is no value for an axis of 0."""

    dim: int | tuple[int, ...] | None
    keepdim: bool

    def infer(self, x: Tensor) -> Result:
        """[..., n, ...] to [..., ...], or to [..., 1, ...] with keepdim."""
        check_dtype(self, x, self.dtypes)
        out = self.reduced(x).with_dtype(self.dtype(x.dtype))
        return Result((out,), code=self.code())

    def dtype(self, dtype: str) -> str:
        """The dtype of the output."""
        return dtype

    def code(self) -> Code:
        """`x.sum(dim=1, keepdim=True)`."""
        return Code(Method(Ref("x"), self.name, *self.arguments_of()))

    def arguments_of(self) -> tuple[tuple[object, ...], tuple[tuple[str, object], ...]]:
        """The axes and whether they are kept, where that is not the usual."""
        keep = () if same_value(self.keepdim, False) else (("keepdim", self.keepdim),)
        if self.dim is None or self.dim == ():
            return (), ((("dim", None), *keep) if keep else ())
        return (unlisted(self.dim),), keep

    def reduced(self, x: Tensor) -> Tensor:
        """The shape of the output."""
        if self.dim is None or self.dim == ():
            return self._over_all(x)
        dims = listed(self.dim)
        places = located(self, x, *dims, scalar=True)
        if places is None:
            return replace(x, shape=(), partial=True)
        distinct(self, places)
        shape = padded(x, *dims).shape
        for place in places if shape else ():
            self._check_elements(x, known_zero(shape[place]))
        kept = [1 if at in places else size for at, size in enumerate(shape)]
        if not self.keepdim:
            kept = [size for at, size in enumerate(shape) if at not in places]
        return replace(x, shape=tuple(kept) if shape else ())

    def _over_all(self, x: Tensor) -> Tensor:
        self._check_elements(x, any(map(known_zero, x.shape)))
        if not self.keepdim:
            return x.with_shape(())
        return replace(x, shape=tuple(1 for _ in x.shape))

    def _check_elements(self, x: Tensor, empty: bool) -> None:
        if self.needs_elements and empty:
            raise self.refuse("{layer} needs elements, got {got}.", port="x", got=x)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The axes."""
        if self.dim is None:
            return ""
        return ", ".join(map(str, listed(self.dim))).replace("-", "−")


@layer(
    "Mean", family="shape", aliases=("average", "global average pooling", "reduce", "均值", "平均")
)
class Mean(Reduction):
    """Average over some axes: y = ∑ x / n."""

    dim: int | tuple[int, ...] | None = option(
        None, "The axes to average over; all when empty.", min=FIRST_AXIS, max=LAST_AXIS
    )
    keepdim: bool = option(False, KEEPDIM)
    preset: ClassVar[Mapping[str, Raw]] = {"dim": 1}

    name: ClassVar[str] = "mean"
    dtypes: ClassVar[tuple[str, ...]] = (*FLOATS, *COMPLEX)


class Summing(Reduction):
    """A reduction that makes int64 of integers and truth values."""

    def dtype(self, dtype: str) -> str:
        """int64 for whole numbers."""
        return "int64" if dtype in (*INTEGERS, "bool") else dtype


@layer("Sum", family="shape", aliases=("add up", "total", "reduce", "求和"))
class Sum(Summing):
    """Sum over some axes: y = ∑ x."""

    dim: int | tuple[int, ...] | None = option(None, SOME, min=FIRST_AXIS, max=LAST_AXIS)
    keepdim: bool = option(False, KEEPDIM)
    preset: ClassVar[Mapping[str, Raw]] = {"dim": 1}

    name: ClassVar[str] = "sum"


class OneOrAll(Reduction):
    """A reduction of one axis, or of all."""

    def infer(self, x: Tensor) -> Result:
        """[..., n, ...] to [..., ...], or to [..., 1, ...] with keepdim."""
        if self.dim is None and self.keepdim:
            raise self.refuse("{layer} keeps an axis only where dim is given.", option="keepdim")
        return super().infer(x)


@layer("Prod", family="shape", aliases=("product", "reduce", "求积", "连乘"))
class Prod(Summing, OneOrAll):
    """Product over one axis or all: y = ∏ x."""

    dim: int | None = option(None, ONE, min=FIRST_AXIS, max=LAST_AXIS)
    keepdim: bool = option(False, KEEPDIM)
    preset: ClassVar[Mapping[str, Raw]] = {"dim": -1}

    name: ClassVar[str] = "prod"


class WithPlaces(OneOrAll):
    """One of the elements along an axis, and where it is; of all elements, the value alone."""

    needs_elements: ClassVar[bool] = True

    def outputs(self) -> tuple[Port, ...]:
        """The values, and along an axis their places."""
        return (Port("out"),) if self.dim is None else (Port("out"), Port("indices"))

    def infer(self, x: Tensor) -> Result:
        """[..., n, ...] to [..., ...] twice, or to one number."""
        values, code = super().infer(x).outputs[0], self.code()
        if self.dim is None:
            return Result((values,), code=code)
        both = (values, values.with_dtype("int64"))
        return Result(both, code=Code(code.use, returns=("out", "indices")))


@layer("Max", family="shape", aliases=("global max pooling", "largest", "最大值"))
class Max(WithPlaces):
    """The largest element along an axis, y = max x, and where it is; of all when dim is empty."""

    dim: int | None = option(None, ONE, min=FIRST_AXIS, max=LAST_AXIS)
    keepdim: bool = option(False, KEEPDIM)
    preset: ClassVar[Mapping[str, Raw]] = {"dim": -1}

    name: ClassVar[str] = "max"
    dtypes: ClassVar[tuple[str, ...]] = REAL


@layer("Min", family="shape", aliases=("smallest", "最小值"))
class Min(WithPlaces):
    """The smallest element along an axis, y = min x, and where it is; of all when dim is empty."""

    dim: int | None = option(None, ONE, min=FIRST_AXIS, max=LAST_AXIS)
    keepdim: bool = option(False, KEEPDIM)
    preset: ClassVar[Mapping[str, Raw]] = {"dim": -1}

    name: ClassVar[str] = "min"
    dtypes: ClassVar[tuple[str, ...]] = REAL


@layer("Median", family="shape", aliases=("middle value", "中位数"))
class Median(WithPlaces):
    """The middle element along an axis, and where it is; of all elements when dim is empty."""

    dim: int | None = option(None, ONE, min=FIRST_AXIS, max=LAST_AXIS)
    keepdim: bool = option(False, KEEPDIM)
    preset: ClassVar[Mapping[str, Raw]] = {"dim": -1}

    name: ClassVar[str] = "median"
    dtypes: ClassVar[tuple[str, ...]] = NUMERIC

    def _check_elements(self, x: Tensor, empty: bool) -> None:
        # The median of nothing at all is not a number; along an empty axis there is none.
        if self.dim is not None:
            super()._check_elements(x, empty)


class Extreme(Reduction):
    """The largest or smallest element over several axes."""

    dtypes: ClassVar[tuple[str, ...]] = REAL
    needs_elements: ClassVar[bool] = True

    def arguments_of(self) -> tuple[tuple[object, ...], tuple[tuple[str, object], ...]]:
        """The axes; `()` for all where they are kept."""
        args, keywords = super().arguments_of()
        return args, tuple((name, () if value is None else value) for name, value in keywords)


@layer("Amax", family="shape", aliases=("global max pooling", "largest", "最大值"))
class Amax(Extreme):
    """The largest element over some axes: y = max x."""

    dim: int | tuple[int, ...] | None = option(None, SOME, min=FIRST_AXIS, max=LAST_AXIS)
    keepdim: bool = option(False, KEEPDIM)
    preset: ClassVar[Mapping[str, Raw]] = {"dim": (-2, -1)}

    name: ClassVar[str] = "amax"


@layer("Amin", family="shape", aliases=("smallest", "最小值"))
class Amin(Extreme):
    """The smallest element over some axes: y = min x."""

    dim: int | tuple[int, ...] | None = option(None, SOME, min=FIRST_AXIS, max=LAST_AXIS)
    keepdim: bool = option(False, KEEPDIM)
    preset: ClassVar[Mapping[str, Raw]] = {"dim": (-2, -1)}

    name: ClassVar[str] = "amin"


class Place(Reduction):
    """Where an element is along an axis, or among all elements."""

    dtypes: ClassVar[tuple[str, ...]] = NUMERIC
    needs_elements: ClassVar[bool] = True

    def dtype(self, dtype: str) -> str:
        """A position."""
        return "int64"


@layer("Argmax", family="shape", aliases=("predicted class", "index of maximum", "最大值索引"))
class Argmax(Place):
    """Where the largest element is along an axis, or among all elements: y = argmax x."""

    dim: int | None = option(None, ONE, min=FIRST_AXIS, max=LAST_AXIS)
    keepdim: bool = option(False, KEEPDIM)
    preset: ClassVar[Mapping[str, Raw]] = {"dim": -1}

    name: ClassVar[str] = "argmax"


@layer("Argmin", family="shape", aliases=("nearest code", "index of minimum", "最小值索引"))
class Argmin(Place):
    """Where the smallest element is along an axis, or among all elements: y = argmin x."""

    dim: int | None = option(None, ONE, min=FIRST_AXIS, max=LAST_AXIS)
    keepdim: bool = option(False, KEEPDIM)
    preset: ClassVar[Mapping[str, Raw]] = {"dim": -1}

    name: ClassVar[str] = "argmin"


class Spread(Reduction):
    """How far elements lie from their mean."""

    correction: int
    dtypes: ClassVar[tuple[str, ...]] = (*FLOATS, *COMPLEX)

    def dtype(self, dtype: str) -> str:
        """That of the input; of a complex one, that of its parts."""
        return PARTS.get(dtype, dtype)

    def arguments_of(self) -> tuple[tuple[object, ...], tuple[tuple[str, object], ...]]:
        """The axes, and the correction where it is not 1."""
        args, keywords = super().arguments_of()
        return args, keywords if self.correction == 1 else (
            *keywords,
            ("correction", self.correction),
        )


CORRECTION = "What is taken from n in the divisor; 1 gives the unbiased variance."


@layer("Std", family="shape", aliases=("standard deviation", "标准差"))
class Std(Spread):
    """Standard deviation over some axes: y = √(∑ (x − mean)² / (n − correction))."""

    dim: int | tuple[int, ...] | None = option(None, SOME, min=FIRST_AXIS, max=LAST_AXIS)
    correction: int = option(1, CORRECTION)
    keepdim: bool = option(False, KEEPDIM)
    preset: ClassVar[Mapping[str, Raw]] = {"dim": -1}

    name: ClassVar[str] = "std"


@layer("Var", family="shape", aliases=("variance", "方差"))
class Var(Spread):
    """Variance over some axes: y = ∑ (x − mean)² / (n − correction)."""

    dim: int | tuple[int, ...] | None = option(None, SOME, min=FIRST_AXIS, max=LAST_AXIS)
    correction: int = option(1, CORRECTION)
    keepdim: bool = option(False, KEEPDIM)
    preset: ClassVar[Mapping[str, Raw]] = {"dim": -1}

    name: ClassVar[str] = "var"


@layer("Norm", family="shape", aliases=("length", "L2 norm", "vector norm", "范数"))
class Norm(Reduction):
    """Length over some axes: y = (∑ |x|ᵖ)¹ᐟᵖ."""

    p: float = option(2.0, "The power: 2 for the usual length, 1 for the sum of amounts.")
    dim: int | tuple[int, ...] | None = option(None, SOME, min=FIRST_AXIS, max=LAST_AXIS)
    keepdim: bool = option(False, KEEPDIM)
    preset: ClassVar[Mapping[str, Raw]] = {"dim": -1}

    dtypes: ClassVar[tuple[str, ...]] = (*FLOATS, *COMPLEX)

    def dtype(self, dtype: str) -> str:
        """That of the input; of a complex one, that of its parts."""
        return PARTS.get(dtype, dtype)

    def code(self) -> Code:
        """`torch.linalg.vector_norm(x, dim=1)`."""
        power = {} if self.p == 2 else {"ord": self.p}
        args, keywords = self.arguments_of()
        along = {"dim": args[0]} if args else {}
        return call("torch.linalg.vector_norm", Ref("x"), **power, **along, **dict(keywords))


@layer("LogSumExp", family="shape", aliases=("smooth maximum", "对数求和指数"), stem="lse")
class LogSumExp(Reduction):
    """y = ln ∑ eˣ over some axes, a smooth maximum."""

    dim: int | tuple[int, ...] = option(-1, "The axes that go.", min=FIRST_AXIS, max=LAST_AXIS)
    keepdim: bool = option(False, KEEPDIM)

    name: ClassVar[str] = "logsumexp"

    def dtype(self, dtype: str) -> str:
        """That of the input where it is no integer, else float32."""
        return floating(dtype)


class Verdict(Reduction):
    """A truth value of many; uint8 stays uint8."""

    def dtype(self, dtype: str) -> str:
        """Truth values."""
        return "uint8" if dtype == "uint8" else "bool"

    def reduced(self, x: Tensor) -> Tensor:
        """The shape of the output; an empty list of axes takes none away."""
        return x if self.dim == () else super().reduced(x)

    def arguments_of(self) -> tuple[tuple[object, ...], tuple[tuple[str, object], ...]]:
        """The axes, and whether they are kept."""
        args, keywords = super().arguments_of()
        kept = tuple(pair for pair in keywords if pair[0] != "dim")
        return (((),), kept) if self.dim == () else (args, keywords)


@layer("All", family="shape", aliases=("every", "conjunction", "全部为真"))
class All(Verdict):
    """Whether all elements along some axes are true: y = x₀ ∧ … ∧ xₙ."""

    dim: int | tuple[int, ...] | None = option(None, SOME, min=FIRST_AXIS, max=LAST_AXIS)
    keepdim: bool = option(False, KEEPDIM)
    preset: ClassVar[Mapping[str, Raw]] = {"dim": -1}

    name: ClassVar[str] = "all"


@layer("Any", family="shape", aliases=("some", "disjunction", "任一为真"))
class Any(Verdict):
    """Whether any element along some axes is true: y = x₀ ∨ … ∨ xₙ."""

    dim: int | tuple[int, ...] | None = option(None, SOME, min=FIRST_AXIS, max=LAST_AXIS)
    keepdim: bool = option(False, KEEPDIM)
    preset: ClassVar[Mapping[str, Raw]] = {"dim": -1}

    name: ClassVar[str] = "any"
