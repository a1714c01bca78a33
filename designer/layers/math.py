"""Functions of each element: powers, logarithms, angles, rounding and tests; none learns."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from designer.core.code import Ref, call
from designer.core.expression import Real
from designer.core.layer import Layer, Result, layer
from designer.core.option import option
from designer.core.work import MOVING
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
    from designer.core.tensor import Tensor

PARTS = {"complex64": "float32", "complex128": "float64"}
"""The dtype of the real and the imaginary part, or of the absolute value."""


def written(number: float) -> float:
    """A number as it is written: a whole one without a point, one that came of names as these."""
    if isinstance(number, Real) or not float(number).is_integer():
        return number
    return int(number)


def is_whole(number: float) -> bool:
    """Whether PyTorch takes a number, as it is written, for an integer."""
    return float(number).is_integer()


def beside(dtype: str, *numbers: float) -> str:
    """The dtype of a tensor of `dtype` combined with plain numbers."""
    if not all(is_whole(number) for number in numbers):
        return floating(dtype)
    return "int64" if dtype == "bool" else dtype


class Function(Layer):
    """A function of each element that keeps the dtype."""

    function: ClassVar[str]
    dtypes: ClassVar[tuple[str, ...]] = ALL

    def infer(self, x: Tensor) -> Result:
        """[...] to the same shape."""
        check_dtype(self, x, self.dtypes)
        return Result((x.with_dtype(self.dtype(x.dtype)),), code=call(self.function, Ref("x")))

    def dtype(self, dtype: str) -> str:
        """The dtype of the output."""
        return dtype

    def caption(self, result: Result, inputs: Inputs) -> str:
        """Nothing: the name says it all."""
        return ""


class RealFunction(Function):
    """A function whose values lie between the integers, which become float32."""

    def dtype(self, dtype: str) -> str:
        """That of the input where it is no integer."""
        return floating(dtype)


class Truth(Function):
    """A question to each element."""

    def dtype(self, dtype: str) -> str:
        """Truth values."""
        return "bool"


@layer("Exp", family="act", aliases=("exponential", "指数"))
class Exp(RealFunction):
    """y = eˣ."""

    function: ClassVar[str] = "torch.exp"


@layer("Expm1", family="act", aliases=("exponential minus one", "指数"))
class Expm1(RealFunction):
    """y = eˣ − 1, exact for small x."""

    function: ClassVar[str] = "torch.expm1"


@layer("Log", family="act", aliases=("logarithm", "ln", "对数"))
class Log(RealFunction):
    """y = ln(x)."""

    function: ClassVar[str] = "torch.log"


@layer("Log2", family="act", aliases=("binary logarithm", "对数"), stem="log")
class Log2(RealFunction):
    """y = log₂(x)."""

    function: ClassVar[str] = "torch.log2"


@layer("Log10", family="act", aliases=("decimal logarithm", "decibel", "对数"), stem="log")
class Log10(RealFunction):
    """y = log₁₀(x)."""

    function: ClassVar[str] = "torch.log10"


@layer("Log1p", family="act", aliases=("logarithm of one plus", "对数"), stem="log")
class Log1p(RealFunction):
    """y = ln(1 + x), exact for small x."""

    function: ClassVar[str] = "torch.log1p"


@layer("Sqrt", family="act", aliases=("square root", "平方根", "开方"))
class Sqrt(RealFunction):
    """y = √x."""

    function: ClassVar[str] = "torch.sqrt"


@layer("Rsqrt", family="act", aliases=("reciprocal square root", "平方根倒数"))
class Rsqrt(RealFunction):
    """y = 1 / √x."""

    function: ClassVar[str] = "torch.rsqrt"


@layer("Reciprocal", family="act", aliases=("inverse", "one over", "倒数"))
class Reciprocal(RealFunction):
    """y = 1 / x."""

    function: ClassVar[str] = "torch.reciprocal"


@layer("Sin", family="act", aliases=("sine", "正弦"))
class Sin(RealFunction):
    """y = sin(x), with x in radians."""

    function: ClassVar[str] = "torch.sin"


@layer("Cos", family="act", aliases=("cosine", "余弦"))
class Cos(RealFunction):
    """y = cos(x), with x in radians."""

    function: ClassVar[str] = "torch.cos"


@layer("Tan", family="act", aliases=("tangent", "正切"))
class Tan(RealFunction):
    """y = tan(x), with x in radians."""

    function: ClassVar[str] = "torch.tan"


@layer("Atan", family="act", aliases=("arctan", "inverse tangent", "反正切"))
class Atan(RealFunction):
    """y = arctan(x), in radians."""

    function: ClassVar[str] = "torch.atan"


@layer("Erf", family="act", aliases=("error function", "误差函数"))
class Erf(RealFunction):
    """y = 2/√π · ∫ e⁻ᵗ² dt from 0 to x, the error function."""

    function: ClassVar[str] = "torch.erf"
    dtypes: ClassVar[tuple[str, ...]] = REAL


@layer("Square", family="act", aliases=("squared", "power of two", "平方"))
class Square(Function):
    """y = x²."""

    function: ClassVar[str] = "torch.square"

    def dtype(self, dtype: str) -> str:
        """That of the input; truth values become integers."""
        return beside(dtype, 2)


@layer("Abs", family="act", aliases=("absolute value", "magnitude", "绝对值"))
class Abs(Function):
    """y = |x|; of a complex number, its length."""

    function: ClassVar[str] = "torch.abs"
    dtypes: ClassVar[tuple[str, ...]] = NUMBERS

    def dtype(self, dtype: str) -> str:
        """That of the input; of a complex one, that of its parts."""
        return PARTS.get(dtype, dtype)


@layer("Neg", family="act", aliases=("negative", "minus", "negate", "取负", "相反数"))
class Neg(Function):
    """y = −x."""

    function: ClassVar[str] = "torch.neg"
    dtypes: ClassVar[tuple[str, ...]] = NUMBERS


@layer("Sign", family="act", aliases=("signum", "符号函数"))
class Sign(Function):
    """y = −1, 0 or 1 as x is negative, zero or positive."""

    function: ClassVar[str] = "torch.sign"
    dtypes: ClassVar[tuple[str, ...]] = REAL


class Rounding(Function):
    """A whole number near each element."""

    dtypes: ClassVar[tuple[str, ...]] = (*FLOATS, *INTEGERS)


@layer("Floor", family="act", aliases=("round down", "向下取整"))
class Floor(Rounding):
    """y = ⌊x⌋, the greatest whole number up to x."""

    function: ClassVar[str] = "torch.floor"


@layer("Ceil", family="act", aliases=("ceiling", "round up", "向上取整"))
class Ceil(Rounding):
    """y = ⌈x⌉, the least whole number from x on."""

    function: ClassVar[str] = "torch.ceil"


@layer("Round", family="act", aliases=("quantize", "nearest", "四舍五入", "取整"))
class Round(Rounding):
    """y = round(x), the whole number nearest to x; halves go to the even one."""

    function: ClassVar[str] = "torch.round"


@layer("Trunc", family="act", aliases=("truncate", "fix", "截断取整"))
class Trunc(Rounding):
    """y = sign(x) · ⌊|x|⌋, the whole number next to x on the side of 0."""

    function: ClassVar[str] = "torch.trunc"


@layer("IsNaN", family="act", aliases=("not a number", "非数检测"), stem="isnan")
class IsNaN(Truth):
    """Whether each element is not a number: x ≠ x."""

    function: ClassVar[str] = "torch.isnan"


@layer("LogicalNot", family="act", aliases=("invert", "negation", "逻辑非"), stem="no")
class LogicalNot(Truth):
    """Whether each element is 0 or false: y = ¬x."""

    function: ClassVar[str] = "torch.logical_not"


@layer("RealPart", family="act", aliases=("real", "实部"), stem="re")
class RealPart(Function):
    """y = Re(x), the real part."""

    work = MOVING

    function: ClassVar[str] = "torch.real"

    def dtype(self, dtype: str) -> str:
        """That of the parts of a complex number."""
        return PARTS.get(dtype, dtype)


@layer("ImaginaryPart", family="act", aliases=("imag", "虚部"), stem="im")
class ImaginaryPart(Function):
    """y = Im(x), the imaginary part."""

    work = MOVING

    function: ClassVar[str] = "torch.imag"
    dtypes: ClassVar[tuple[str, ...]] = COMPLEX

    def dtype(self, dtype: str) -> str:
        """That of the parts of a complex number."""
        return PARTS.get(dtype, dtype)


@layer("NanToNum", family="act", aliases=("replace NaN", "替换非数"), stem="clean")
class NanToNum(Function):
    """Put numbers in place of NaN and infinities."""

    nan: float = option(0.0, "What stands for NaN.")
    posinf: float | None = option(None, "What stands for ∞; the greatest number when empty.")
    neginf: float | None = option(None, "What stands for −∞; the least number when empty.")

    function: ClassVar[str] = "torch.nan_to_num"

    def infer(self, x: Tensor) -> Result:
        """[...] to the same shape."""
        given = {"nan": self.nan or None, "posinf": self.posinf, "neginf": self.neginf}
        keywords = {name: number for name, number in given.items() if number is not None}
        return Result((x,), code=call(self.function, Ref("x"), **keywords))


@layer("Clamp", family="act", aliases=("clip", "limit", "截断", "限幅"))
class Clamp(Function):
    """y = min(max(x, least), most), with either limit or both."""

    min: float | None = option(0.0, "The lower limit; none when empty.")
    max: float | None = option(None, "The upper limit; none when empty.")

    function: ClassVar[str] = "torch.clamp"
    dtypes: ClassVar[tuple[str, ...]] = REAL

    def infer(self, x: Tensor) -> Result:
        """[...] to the same shape."""
        check_dtype(self, x, self.dtypes)
        given = {"min": self.min, "max": self.max}
        keywords = {name: written(limit) for name, limit in given.items() if limit is not None}
        if not keywords:
            raise self.refuse("{layer} needs min or max.", option="min")
        code = call(self.function, Ref("x"), **keywords)
        return Result((x.with_dtype(beside(x.dtype, *keywords.values())),), code=code)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The limits: `0 …`, `−1 … 1`."""
        ends = ("" if end is None else f"{written(end):g}" for end in (self.min, self.max))
        return " … ".join(ends).replace("-", "−").strip()
