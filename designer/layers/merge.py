"""Layers that join several tensors; none has parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from designer.core.code import Ref, call, infix
from designer.core.layer import Layer, Result, layer
from designer.core.option import option
from designer.core.size import UNKNOWN, Size
from designer.core.tensor import ANYTHING, Tensor
from designer.core.work import MOVING
from designer.layers.axes import (
    FIRST_AXIS,
    LAST_AXIS,
    broadcast,
    joint_dtype,
    padded,
    position,
)
from designer.layers.rules import NUMBERS, check_dtype, floating

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from designer.core.layer import Inputs
    from designer.core.option import Raw


class _Elementwise(Layer):
    """One number from numbers at the same place, after broadcasting."""

    def together(self, a: Tensor, b: Tensor, port: str) -> Tensor:
        """`a` and `b` broadcast, in the dtype that holds both."""
        return broadcast(self, a, b, port).with_dtype(joint_dtype(a, b))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """Nothing: the name says it all."""
        return ""


class _AnyNumber(_Elementwise):
    """An operation that joins any number of tensors from left to right."""

    operator: ClassVar[str]

    def infer(self, *xs: Tensor) -> Result:
        """Shapes that broadcast to one shape."""
        joined = xs[0] if xs else ANYTHING
        for x in xs[1:]:
            joined = self.together(joined, x, "xs")
        terms = max(0, len(xs) - 1)
        code = infix(self.operator, Ref("xs"))
        return Result((joined,), code=code, work=lambda: terms * joined.count)


@layer("Add", family="merge", aliases=("sum", "plus", "residual", "相加", "残差"), stem="add")
class Add(_AnyNumber):
    """Sum, element by element: y = x₀ + x₁ + …; shapes broadcast."""

    operator: ClassVar[str] = "+"


@layer("Subtract", family="merge", aliases=("minus", "difference", "sub", "相减"), stem="sub")
class Subtract(_Elementwise):
    """Difference, element by element: y = a − b; shapes broadcast."""

    def infer(self, a: Tensor, b: Tensor) -> Result:
        """Shapes that broadcast to one shape."""
        check_dtype(self, a, NUMBERS, "a")
        check_dtype(self, b, NUMBERS, "b")
        return Result((self.together(a, b, "b"),), code=infix("-", Ref("a"), Ref("b")))


@layer(
    "Multiply",
    family="merge",
    aliases=("product", "times", "gate", "hadamard", "相乘", "门控"),
    stem="mul",
)
class Multiply(_AnyNumber):
    """Product, element by element: y = x₀ · x₁ · …; shapes broadcast."""

    operator: ClassVar[str] = "*"


@layer("Divide", family="merge", aliases=("quotient", "ratio", "相除"), stem="div")
class Divide(_Elementwise):
    """Quotient, element by element: y = a / b; shapes broadcast, integers become float32."""

    def infer(self, a: Tensor, b: Tensor) -> Result:
        """Shapes that broadcast to one shape."""
        quotient = self.together(a, b, "b")
        quotient = quotient.with_dtype(floating(quotient.dtype))
        return Result((quotient,), code=infix("/", Ref("a"), Ref("b")))


class _Joining(Layer):
    """Tensors of one rank, joined along an axis."""

    dim: int

    def dtype(self, xs: Sequence[Tensor]) -> str:
        """The dtype that holds all of `xs`."""
        joined = xs[0]
        for x in xs[1:]:
            joined = x.with_dtype(joint_dtype(joined, x))
        return joined.dtype

    def ranked_alike(self, xs: Sequence[Tensor]) -> list[Tensor]:
        """`xs` with the rank that one of them is known to have, where one is."""
        rank = next((x.rank for x in xs if x.rank is not None), None)
        if rank is None:
            longest = max(len(x.shape) for x in xs)
            return [padded(x, -longest) for x in xs]
        for x in xs:
            if len(x.shape) > rank or x.rank not in (None, rank):
                raise self.refuse(
                    "{layer} needs one number of axes, got {first} and {x}.",
                    port="xs",
                    first=next(x for x in xs if x.rank == rank),
                    x=x,
                )
        return [replace(padded(x, -rank), partial=False) for x in xs]

    def agreed(self, a: Size, b: Size, x: Tensor, first: Tensor) -> Size:
        """The size of an axis that all must share."""
        refusal = self.refuse(
            "{layer} cannot join {first} and {x}: {expected} against {got}.",
            port="xs",
            first=first,
            x=x,
            expected=a,
            got=b,
        )
        return self.same(a, b, refusal)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The axis."""
        return f"dim {self.dim}".replace("-", "−")


@layer("Concat", family="merge", aliases=("cat", "concatenate", "join", "拼接", "连接"), stem="cat")
class Concat(_Joining):
    """Tensors one behind the other along an axis, others agreeing: [a, n], [b, n] → [a + b, n]."""

    work = MOVING

    dim: int = option(0, "The axis along which they are joined.", min=FIRST_AXIS, max=LAST_AXIS)
    preset: ClassVar[Mapping[str, Raw]] = {"dim": 1}

    def infer(self, *xs: Tensor) -> Result:
        """[..., a, ...] and [..., b, ...] to [..., a + b, ...]."""
        keywords = {"dim": self.dim} if self.dim else {}
        code = call("torch.cat", [Ref("xs")], **keywords)
        return Result((self._joined(xs) if xs else ANYTHING,), code=code)

    def _joined(self, xs: tuple[Tensor, ...]) -> Tensor:
        for x in xs:
            if x.rank == 0:
                raise self.refuse("{layer} cannot join a scalar.", port="xs")
        # PyTorch passes over empty vectors.
        kept = [x for x in xs if x.partial or x.shape != (0,)] or list(xs[:1])
        alike = self.ranked_alike(kept)
        dtype = self.dtype(xs)
        if alike[0].partial and self.dim >= 0:
            return Tensor((), dtype, partial=True)
        alike = [padded(x, self.dim) for x in alike]
        return Tensor(self._shape(alike), dtype, alike[0].partial)

    def _shape(self, xs: Sequence[Tensor]) -> tuple[Size, ...]:
        first = xs[0]
        shape = list(first.shape)
        known = first.rank is None
        at = len(shape) + self.dim if known else self._place(len(shape), xs)
        for x in xs[1:]:
            shape = [
                a + b if axis == at else self.agreed(a, b, x, first)
                for axis, (a, b) in enumerate(zip(shape, x.shape, strict=True))
            ]
        return tuple(shape)

    def _place(self, rank: int, xs: Sequence[Tensor]) -> int:
        only_empty = all(x.shape == (0,) for x in xs)
        return 0 if only_empty else position(self, self.dim, rank)


@layer("Stack", family="merge", aliases=("new axis", "堆叠"), stem="stack")
class Stack(_Joining):
    """Tensors of one shape side by side along a new axis: n of [a, b] → [n, a, b]."""

    work = MOVING

    dim: int = option(0, "Where the new axis stands in the output.", min=FIRST_AXIS, max=LAST_AXIS)
    preset: ClassVar[Mapping[str, Raw]] = {"dim": 1}

    def infer(self, *xs: Tensor) -> Result:
        """n times [a, b] to [n, a, b] with dim 0."""
        keywords = {"dim": self.dim} if self.dim else {}
        code = call("torch.stack", [Ref("xs")], **keywords)
        return Result((self._stacked(xs) if xs else ANYTHING,), code=code)

    def _stacked(self, xs: tuple[Tensor, ...]) -> Tensor:
        alike = self.ranked_alike(xs)
        dtype = self.dtype(xs)
        first = alike[0]
        shape = list(first.shape)
        for x in alike[1:]:
            pairs = zip(shape, x.shape, strict=True)
            shape = [self.agreed(a, b, x, first) for a, b in pairs]
        if first.partial:
            return self._in_partial(Tensor(tuple(shape), dtype, partial=True), len(xs))
        at = position(self, self.dim, len(shape) + 1)
        return Tensor((*shape[:at], len(xs), *shape[at:]), dtype)

    def _in_partial(self, x: Tensor, count: int) -> Tensor:
        if self.dim >= 0:
            return replace(x, shape=())
        shape = padded(x, self.dim + 1).shape
        at = len(shape) + 1 + self.dim
        return replace(x, shape=(*shape[:at], count, *shape[at:]))


@layer(
    "MatMul", family="merge", aliases=("matrix product", "bmm", "dot", "矩阵乘法"), stem="matmul"
)
class MatMul(Layer):
    """Product of matrices, C = A B, over the last two axes; axes before them broadcast."""

    work = MOVING

    def infer(self, a: Tensor, b: Tensor) -> Result:
        """[..., m, k] and [..., k, n] to [..., m, n]; a vector stands for one row or column."""
        for port, x in (("a", a), ("b", b)):
            check_dtype(self, x, NUMBERS, port)
            if x.rank == 0:
                raise self.refuse("{layer} needs a vector or more, got a scalar.", port=port)
        if a.dtype != b.dtype and not (a.partial or b.partial):
            raise self.refuse(
                "{layer} needs one dtype, got {a} and {b}.", port="b", a=a.dtype, b=b.dtype
            )
        inner = self._inner(a, b)
        out = self._out(a, b)
        return Result((out,), flops=2 * out.count * inner, code=infix("@", Ref("a"), Ref("b")))

    def _inner(self, a: Tensor, b: Tensor) -> Size:
        """The axis that both share."""
        k, other = a.axis(-1), _rows(b)
        refusal = self.refuse(
            "{layer} cannot multiply {a} and {b}: {expected} against {got}.",
            port="b",
            a=a,
            b=b,
            expected=k,
            got=other,
        )
        return self.same(k, other, refusal)

    def _out(self, a: Tensor, b: Tensor) -> Tensor:
        if not (_ranked(a) and _ranked(b)):
            return replace(a, shape=(), partial=True)
        lead = broadcast(self, a.lead(2), b.lead(2), "b")
        rows = a.shape[-2:-1]
        columns = b.shape[-1:] if b.rank != 1 else ()
        return replace(lead, shape=(*lead.shape, *rows, *columns))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """Nothing: the name says it all."""
        return ""


def _ranked(x: Tensor) -> bool:
    """Whether it is certain that `x` is a vector, or that it is none."""
    return not x.partial or len(x.shape) > 1


def _rows(b: Tensor) -> Size:
    """The axis of the second factor that is summed over."""
    if b.rank == 1:
        return b.shape[0]
    return b.axis(-2) if _ranked(b) else UNKNOWN
