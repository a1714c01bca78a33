"""Arithmetic and comparison of two tensors, or of a tensor and a number; none learns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from designer.core.code import Code, Ref, call, infix, method
from designer.core.expression import Real
from designer.core.layer import Layer, Result, layer
from designer.core.option import option
from designer.core.tensor import DTYPE_BYTES, Tensor
from designer.layers.axes import broadcast, joint_dtype
from designer.layers.math import beside, is_whole, written
from designer.layers.rules import (
    ALL,
    COMPLEX,
    FLOATS,
    INTEGERS,
    NUMBERS,
    REAL,
    check_dtype,
    floating,
)

if TYPE_CHECKING:
    from designer.core.layer import Inputs

NUMBER = "The number that stands in for b where nothing arrives there."
MASKS = ("bool", "uint8")
"""Dtypes that PyTorch takes for a condition."""


def shown(number: float) -> str:
    """A number as on a node."""
    return number.source if isinstance(number, Real) else f"{number:g}".replace("-", "−")


class Pair(Layer):
    """A function of the elements at the same place of two tensors, after broadcasting."""

    function: ClassVar[str] = ""
    operator: ClassVar[str] = ""
    dtypes: ClassVar[tuple[str, ...]] = ALL

    def infer(self, a: Tensor, b: Tensor) -> Result:
        """Shapes that broadcast to one shape."""
        return self.combined(a, b)

    def combined(self, a: Tensor, b: Tensor) -> Result:
        """Two tensors, in the dtype that holds both."""
        joint = broadcast(self, a, b, "b").with_dtype(joint_dtype(a, b))
        check_dtype(self, joint, self.dtypes, "b")
        return Result((joint.with_dtype(self.dtype(joint.dtype)),), code=self.code(Ref("b")))

    def code(self, other: object) -> Code:
        """How it is written, with what stands on the right."""
        if self.operator:
            return infix(self.operator, Ref("a"), other)
        return call(self.function, Ref("a"), other)

    def dtype(self, dtype: str) -> str:
        """The dtype of the output, of that which holds both inputs."""
        return dtype

    def caption(self, result: Result, inputs: Inputs) -> str:
        """Nothing: the name says it all."""
        return ""


@dataclass(frozen=True, eq=False)
class OrNumber(Pair):
    """A Pair whose second tensor may be a number."""

    value: float = option(0.0, NUMBER)

    def infer(self, a: Tensor, b: Tensor | None = None) -> Result:
        """Shapes that broadcast to one shape, or any shape and a number."""
        if b is not None:
            return self.combined(a, b)
        joint = a.with_dtype(beside(a.dtype, self.value))
        check_dtype(self, joint, self.dtypes, "a")
        out = joint.with_dtype(self.dtype(joint.dtype))
        return Result((out,), code=self.code(written(self.value)))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The number, where it is used."""
        return "" if "b" in inputs else shown(self.value)


@layer("Power", family="merge", aliases=("pow", "exponent", "幂", "乘方"), stem="pow")
class Power(OrNumber):
    """y = aᵇ, element by element; shapes broadcast."""

    value: float = option(2.0, NUMBER)

    operator: ClassVar[str] = "**"
    dtypes: ClassVar[tuple[str, ...]] = NUMBERS

    def infer(self, a: Tensor, b: Tensor | None = None) -> Result:
        """Shapes that broadcast to one shape, or any shape and a number."""
        whole = not a.partial and a.dtype in (*INTEGERS, "bool")
        if b is None and whole and self.value < 0 and is_whole(self.value):
            raise self.refuse(
                "{layer} takes no negative power of integers, got {got}.",
                option="value",
                got=int(self.value),
            )
        return super().infer(a, b)


@layer("Maximum", family="merge", aliases=("elementwise max", "较大值", "最大值"), stem="max")
class Maximum(Pair):
    """The larger of two elements: y = max(a, b); shapes broadcast."""

    function: ClassVar[str] = "torch.maximum"
    dtypes: ClassVar[tuple[str, ...]] = REAL


@layer("Minimum", family="merge", aliases=("elementwise min", "较小值", "最小值"), stem="min")
class Minimum(Pair):
    """The smaller of two elements: y = min(a, b); shapes broadcast."""

    function: ClassVar[str] = "torch.minimum"
    dtypes: ClassVar[tuple[str, ...]] = REAL


@layer("Atan2", family="merge", aliases=("angle", "arctan2", "反正切"))
class Atan2(Pair):
    """The angle of the point (b, a): y = arctan(a / b) in its quadrant; shapes broadcast."""

    function: ClassVar[str] = "torch.atan2"
    dtypes: ClassVar[tuple[str, ...]] = REAL

    def dtype(self, dtype: str) -> str:
        """That of both where it is no integer, else float32."""
        return floating(dtype)


@layer("Remainder", family="merge", aliases=("modulo", "mod", "余数", "取模"), stem="mod")
class Remainder(OrNumber):
    """y = a mod b, with the sign of b; shapes broadcast."""

    value: float = option(2.0, NUMBER)

    operator: ClassVar[str] = "%"
    dtypes: ClassVar[tuple[str, ...]] = (*FLOATS, *INTEGERS)


@layer("FloorDivide", family="merge", aliases=("integer division", "整除"), stem="div")
class FloorDivide(OrNumber):
    """y = ⌊a / b⌋, element by element; shapes broadcast."""

    value: float = option(2.0, NUMBER)

    operator: ClassVar[str] = "//"
    dtypes: ClassVar[tuple[str, ...]] = (*FLOATS, *INTEGERS)


class Comparison(OrNumber):
    """A question to two elements."""

    dtypes: ClassVar[tuple[str, ...]] = REAL

    def dtype(self, dtype: str) -> str:
        """Truth values."""
        return "bool"


@layer("Equal", family="merge", aliases=("eq", "is", "等于"), stem="eq")
class Equal(Comparison):
    """Whether a = b, element by element; shapes broadcast."""

    function: ClassVar[str] = "torch.eq"
    dtypes: ClassVar[tuple[str, ...]] = ALL


@layer("NotEqual", family="merge", aliases=("ne", "differs", "不等于"), stem="ne")
class NotEqual(Comparison):
    """Whether a ≠ b, element by element; shapes broadcast."""

    function: ClassVar[str] = "torch.ne"
    dtypes: ClassVar[tuple[str, ...]] = ALL


@layer("Less", family="merge", aliases=("lt", "below", "小于"), stem="lt")
class Less(Comparison):
    """Whether a < b, element by element; shapes broadcast."""

    function: ClassVar[str] = "torch.lt"


@layer("LessEqual", family="merge", aliases=("le", "at most", "小于等于"), stem="le")
class LessEqual(Comparison):
    """Whether a ≤ b, element by element; shapes broadcast."""

    function: ClassVar[str] = "torch.le"


@layer("Greater", family="merge", aliases=("gt", "above", "threshold", "大于"), stem="gt")
class Greater(Comparison):
    """Whether a > b, element by element; shapes broadcast."""

    function: ClassVar[str] = "torch.gt"


@layer("GreaterEqual", family="merge", aliases=("ge", "at least", "大于等于"), stem="ge")
class GreaterEqual(Comparison):
    """Whether a ≥ b, element by element; shapes broadcast."""

    function: ClassVar[str] = "torch.ge"


class Logic(Pair):
    """An operation on truth values; what is not 0 counts as true."""

    def dtype(self, dtype: str) -> str:
        """Truth values."""
        return "bool"


@layer("LogicalAnd", family="merge", aliases=("both", "逻辑与"), stem="both")
class LogicalAnd(Logic):
    """Whether a and b are both true: y = a ∧ b, element by element; shapes broadcast."""

    function: ClassVar[str] = "torch.logical_and"


@layer("LogicalOr", family="merge", aliases=("either", "逻辑或"), stem="either")
class LogicalOr(Logic):
    """Whether a or b is true: y = a ∨ b, element by element; shapes broadcast."""

    function: ClassVar[str] = "torch.logical_or"


# With a number


@dataclass(frozen=True, eq=False)
class Scalar(Layer):
    """Arithmetic of each element with one number."""

    value: float = option(1.0, "The number.")

    operator: ClassVar[str]
    dtypes: ClassVar[tuple[str, ...]] = ALL

    def infer(self, x: Tensor) -> Result:
        """[...] to the same shape; integers stay so where the number is whole."""
        check_dtype(self, x, self.dtypes)
        return Result((x.with_dtype(self.dtype(x.dtype)),), code=infix(self.operator, *self.terms))

    @property
    def terms(self) -> tuple[object, ...]:
        """What stands on both sides of the operator."""
        return (Ref("x"), written(self.value))

    def dtype(self, dtype: str) -> str:
        """The dtype of the output."""
        return beside(dtype, self.value)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The number."""
        return f"{self.operator} {shown(self.value)}"


@layer("AddScalar", family="merge", aliases=("add number", "offset", "shift", "加常数"), stem="add")
class AddScalar(Scalar):
    """y = x + c, with one number c."""

    operator: ClassVar[str] = "+"


@layer(
    "MultiplyScalar", family="merge", aliases=("scale", "factor", "乘常数", "缩放"), stem="scale"
)
class MultiplyScalar(Scalar):
    """y = x · c, with one number c."""

    operator: ClassVar[str] = "*"


@dataclass(frozen=True, eq=False)
class Sided(Scalar):
    """An operation in which the sides differ."""

    reverse: bool = option(False, "Put the number on the left.")

    @property
    def terms(self) -> tuple[object, ...]:
        """What stands on both sides of the operator."""
        terms = (Ref("x"), written(self.value))
        return terms[::-1] if self.reverse else terms

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The number on its side."""
        number = shown(self.value)
        sign = {"-": "−"}.get(self.operator, self.operator)
        return f"{number} {sign} x" if self.reverse else f"{sign} {number}"


@layer(
    "SubtractScalar", family="merge", aliases=("minus number", "one minus", "减常数"), stem="sub"
)
class SubtractScalar(Sided):
    """y = x − c, with one number c, or c − x."""

    operator: ClassVar[str] = "-"
    dtypes: ClassVar[tuple[str, ...]] = NUMBERS


@layer("DivideScalar", family="merge", aliases=("divide by number", "除以常数"), stem="div")
class DivideScalar(Sided):
    """y = x / c, with one number c, or c / x."""

    operator: ClassVar[str] = "/"

    def dtype(self, dtype: str) -> str:
        """That of the input where it is no integer, else float32."""
        return floating(dtype)


# By a condition


def check_condition(rule: Layer, condition: Tensor, accepted: tuple[str, ...], port: str) -> None:
    """Refuse a condition that is not made of truth values."""
    if not condition.partial and condition.dtype not in accepted:
        raise rule.refuse(
            "{layer} needs truth values at {port}, got {got}.", port=port, got=condition.dtype
        )


@layer("Where", family="merge", aliases=("select by mask", "condition", "条件选择"))
class Where(Layer):
    """y = a where the condition holds, else b; shapes broadcast."""

    value: float = option(0.0, NUMBER)

    def infer(self, condition: Tensor, a: Tensor, b: Tensor | None = None) -> Result:
        """Shapes that broadcast to one shape."""
        check_condition(self, condition, MASKS, "condition")
        joint = broadcast(self, condition, a, "a")
        if b is None:
            out = joint.with_dtype(beside(a.dtype, self.value))
            other: object = written(self.value)
        else:
            out = broadcast(self, joint, b, "b").with_dtype(joint_dtype(a, b))
            other = Ref("b")
        return Result((out,), code=call("torch.where", Ref("condition"), Ref("a"), other))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The number, where it is used."""
        return "" if "b" in inputs else shown(self.value)


@layer(
    "MaskedFill", family="merge", aliases=("mask", "attention mask", "掩码", "填充"), stem="mask"
)
class MaskedFill(Layer):
    """y = value where the mask is true, else x; shapes broadcast."""

    value: float | str = option(
        "-inf", "What is put where the mask is true.", choices=("-inf", "inf")
    )

    def infer(self, x: Tensor, mask: Tensor) -> Result:
        """Shapes that broadcast to one shape."""
        check_condition(self, mask, ("bool",), "mask")
        out = broadcast(self, x, mask, "mask")
        number = float(self.value)
        if not x.partial and not _holds(x.dtype, number):
            raise self.refuse(
                "{layer} cannot put {value} into {got}.",
                option="value",
                value=self.value,
                got=x.dtype,
            )
        fill = number if isinstance(self.value, str) else written(self.value)
        return Result((out,), code=method("x", "masked_fill", Ref("mask"), fill))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The value."""
        return shown(float(self.value)) if isinstance(self.value, str) else shown(self.value)


def _holds(dtype: str, number: float) -> bool:
    """Whether an integer dtype has a place for a number; other dtypes have."""
    if dtype not in INTEGERS:
        return True
    bits = 8 * DTYPE_BYTES[dtype]
    low = 0 if dtype == "uint8" else -(1 << bits - 1)
    return low <= number < low + (1 << bits)


@layer("Lerp", family="merge", aliases=("interpolation", "blend", "mix", "线性插值"))
class Lerp(Layer):
    """y = a + weight · (b − a), a mix of two tensors; shapes broadcast."""

    weight: float = option(0.5, "The share of b.")

    def infer(self, a: Tensor, b: Tensor) -> Result:
        """Shapes that broadcast to one shape."""
        check_dtype(self, a, (*FLOATS, *COMPLEX), "a")
        same_dtype(self, a, b, "b")
        out = broadcast(self, a, b, "b")
        return Result((out,), code=call("torch.lerp", Ref("a"), Ref("b"), written(self.weight)))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The share of the second."""
        return shown(self.weight)


def same_dtype(rule: Layer, a: Tensor, b: Tensor, port: str) -> None:
    """Refuse two tensors of different dtypes."""
    if a.dtype != b.dtype and not (a.partial or b.partial):
        raise rule.refuse(
            "{layer} needs one dtype, got {a} and {b}.", port=port, a=a.dtype, b=b.dtype
        )
