"""Activations: functions applied to each element, or to all elements along one axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from designer.core.layer import (
    Layer,
    Remark,
    Result,
    layer,
    note,
)
from designer.core.message import message
from designer.core.option import option
from designer.core.param import weight
from designer.core.size import UNKNOWN, Size, Verdict, compare, value
from designer.core.tensor import Tensor
from designer.core.work import MOVING, SOFTMAX, Work
from designer.layers.axes import FIRST_AXIS, LAST_AXIS, located, padded
from designer.layers.rules import (
    COMPLEX,
    FLOATS,
    INTEGERS,
    NUMBERS,
    SIGNED,
    check_dtype,
    check_float32,
    floating,
)

if TYPE_CHECKING:
    from designer.core.layer import Inputs


class Elementwise(Layer):
    """A function of each element."""

    dtypes: ClassVar[tuple[str, ...]] = FLOATS

    def infer(self, x: Tensor) -> Result:
        """[...] to the same shape."""
        check_dtype(self, x, self.dtypes)
        return Result((x,), code=self.module(f"nn.{self.kind}"))


class Curve(Elementwise):
    """A function of each element that has no values in the integers."""

    dtypes: ClassVar[tuple[str, ...]] = NUMBERS

    def infer(self, x: Tensor) -> Result:
        """[...] to the same shape; integers become float32."""
        check_dtype(self, x, self.dtypes)
        return Result((x.with_dtype(floating(x.dtype)),), code=self.module(f"nn.{self.kind}"))


@layer("ReLU", family="act", aliases=("rectifier", "rectified linear", "激活", "激活函数"))
class ReLU(Elementwise):
    """y = max(0, x)."""

    dtypes = (*FLOATS, *INTEGERS)


@layer("LeakyReLU", family="act", aliases=("leaky rectifier", "泄漏ReLU", "激活"), stem="leaky")
class LeakyReLU(Elementwise):
    """y = x where x ≥ 0, else slope · x."""

    negative_slope: float = option(0.01, "Slope on the negative side.")


@layer("PReLU", family="act", aliases=("parametric rectifier", "参数化ReLU", "激活"))
class PReLU(Layer):
    """y = x where x ≥ 0, else a · x, with a learned slope a."""

    num_parameters: Size = option(1, "Learned slopes: one for all, or one per channel.", min=1)
    init: float = option(0.25, "Value that the slopes start with.")

    def infer(self, x: Tensor) -> Result:
        """[...] or [N, num_parameters, ...] to the same shape."""
        check_float32(self, x)
        if compare(self.num_parameters, 1) is Verdict.DIFFERENT:
            self._check_channels(x)
        slopes = weight("weight", num_parameters=self.num_parameters)
        return Result((x,), (slopes,), code=self.module("nn.PReLU"))

    def _check_channels(self, x: Tensor) -> None:
        if x.rank == 0:
            raise self.refuse("{layer} expects [N, C, ...], got {got}.", port="x", got=x)
        channels = 1 if x.rank == 1 else x.axis(1)
        self.agree("num_parameters", channels, x, "[N, {}, ...]")


@layer("ELU", family="act", aliases=("exponential linear", "指数线性单元", "激活"))
class ELU(Elementwise):
    """y = x where x > 0, else α · (eˣ − 1)."""

    alpha: float = option(1.0, "Limit on the negative side.")


@layer(
    "SELU",
    family="act",
    aliases=("scaled exponential linear", "self normalizing", "自归一化", "激活"),
)
class SELU(Elementwise):
    """y = λ x where x > 0, else λ α (eˣ − 1), with λ, α that keep mean 0 and variance 1."""


@layer("CELU", family="act", aliases=("continuous exponential linear", "连续指数线性", "激活"))
class CELU(Elementwise):
    """y = max(0, x) + min(0, α · (eˣᐟᵅ − 1))."""

    alpha: float = option(1.0, "Limit on the negative side.")

    def infer(self, x: Tensor) -> Result:
        """[...] to the same shape."""
        if self.alpha == 0:
            raise self.refuse("{layer} needs an alpha other than 0.", option="alpha")
        return super().infer(x)


@layer("GELU", family="act", aliases=("gaussian error linear", "高斯误差线性单元", "激活"))
class GELU(Elementwise):
    """y = x · Φ(x), with the distribution function Φ of the normal distribution."""

    approximate: str = option("none", "How Φ is computed.", choices=("none", "tanh"))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The approximation, where there is one."""
        return "" if self.approximate == "none" else str(self.approximate)


@layer("SiLU", family="act", aliases=("swish", "自门控", "激活"))
class SiLU(Elementwise):
    """y = x · σ(x), also called Swish."""

    dtypes = (*FLOATS, *COMPLEX)


@layer("Mish", family="act", aliases=("self-gated", "自门控", "激活"))
class Mish(Elementwise):
    """y = x · tanh(ln(1 + eˣ))."""


@layer("Sigmoid", family="act", aliases=("logistic", "S形函数", "激活"))
class Sigmoid(Curve):
    """y = 1 / (1 + e⁻ˣ)."""

    dtypes = (*NUMBERS, "bool")


@layer("LogSigmoid", family="act", aliases=("log logistic", "对数S形", "激活"))
class LogSigmoid(Elementwise):
    """y = ln(1 / (1 + e⁻ˣ))."""


@layer("Tanh", family="act", aliases=("hyperbolic tangent", "双曲正切", "激活"))
class Tanh(Curve):
    """y = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)."""

    dtypes = (*NUMBERS, "bool")


@layer("Tanhshrink", family="act", aliases=("shrink", "双曲正切收缩", "激活"))
class Tanhshrink(Curve):
    """y = x − tanh(x)."""


@layer("Softplus", family="act", aliases=("smooth rectifier", "平滑ReLU", "激活"))
class Softplus(Elementwise):
    """y = ln(1 + eᵝˣ) / β."""

    beta: float = option(1.0, "How sharp the bend is.")
    threshold: float = option(20.0, "Where β · x is above this, y = x.")


@layer("Softsign", family="act", aliases=("soft sign", "软符号", "激活"))
class Softsign(Curve):
    """y = x / (1 + |x|)."""


@layer("Softshrink", family="act", aliases=("soft threshold", "软收缩", "软阈值", "激活"))
class Softshrink(Elementwise):
    """y = x moved towards 0 by λ, and 0 where |x| ≤ λ."""

    lambd: float = option(0.5, "How far values move.", min=0)


@layer("Hardshrink", family="act", aliases=("hard threshold", "硬收缩", "硬阈值", "激活"))
class Hardshrink(Elementwise):
    """y = x, and 0 where |x| ≤ λ."""

    lambd: float = option(0.5, "Values up to this become 0.")


@layer("Hardswish", family="act", aliases=("mobilenet", "hard swish", "硬Swish", "激活"))
class Hardswish(Elementwise):
    """y = x · ReLU6(x + 3) / 6."""


@layer("Hardsigmoid", family="act", aliases=("hard sigmoid", "硬Sigmoid", "激活"))
class Hardsigmoid(Elementwise):
    """y = ReLU6(x + 3) / 6."""


@layer("Hardtanh", family="act", aliases=("clamp", "clip", "hard tanh", "截断", "激活"))
class Hardtanh(Elementwise):
    """y = x, kept between two limits."""

    min_val: float = option(-1.0, "Lower limit.")
    max_val: float = option(1.0, "Upper limit.")

    dtypes = (*FLOATS, *SIGNED)

    def infer(self, x: Tensor) -> Result:
        """[...] to the same shape."""
        if self.max_val <= self.min_val:
            raise self.refuse(
                "{layer} expects max_val above {low}, got {high}.",
                option="max_val",
                low=self.min_val,
                high=self.max_val,
            )
        return super().infer(x)


@layer("ReLU6", family="act", aliases=("mobilenet", "截断ReLU", "激活"), stem="relu")
class ReLU6(Elementwise):
    """y = min(max(0, x), 6)."""

    dtypes = (*FLOATS, *INTEGERS)


@layer("RReLU", family="act", aliases=("randomized rectifier", "随机ReLU", "激活"), stem="rrelu")
class RReLU(Elementwise):
    """y = x where x ≥ 0, else a · x, with a slope a drawn anew in training."""

    lower: float = option(1 / 8, "Smallest slope.")
    upper: float = option(1 / 3, "Largest slope; the mean of both is used in evaluation.")

    def infer(self, x: Tensor) -> Result:
        """[...] to the same shape."""
        if self.lower > self.upper:
            raise self.refuse(
                "{layer} expects upper of at least {low}, got {high}.",
                option="upper",
                low=self.lower,
                high=self.upper,
            )
        if x.dtype == "float16":
            text = message("{layer} cannot train on {got}.", layer=self.kind, got=x.dtype)
            note(Remark("warning", text, port="x", training=True))
        return super().infer(x)


@layer("Threshold", family="act", aliases=("cut-off", "阈值", "激活"))
class Threshold(Elementwise):
    """y = x where x is above a threshold, else a given value."""

    threshold: float = option(0.0, "Values up to this are replaced.")
    value: float = option(0.0, "What they are replaced with.")

    dtypes = (*FLOATS, *INTEGERS)

    def infer(self, x: Tensor) -> Result:
        """[...] to the same shape."""
        check_dtype(self, x, self.dtypes)
        return Result((x,), code=self.module("nn.Threshold", "threshold", "value"))


@layer(
    "Softmax2d", family="act", aliases=("spatial softmax", "channel softmax", "空间softmax", "激活")
)
class Softmax2d(Layer):
    """y = eˣ / Σ eˣ over the channels, at each pixel of an image."""

    work = Work(output=SOFTMAX)

    def infer(self, x: Tensor) -> Result:
        """[N, C, H, W] or [C, H, W] to the same shape."""
        self.ranked(x, (3, 4), "[N, C, H, W] or [C, H, W]")
        check_dtype(self, x, FLOATS)
        return Result((x,), code=self.module("nn.Softmax2d"))


class AlongAxis(Layer):
    """A function of all elements along one axis."""

    work = Work(output=SOFTMAX)

    dim: int | None

    def infer(self, x: Tensor) -> Result:
        """[...] to the same shape."""
        check_dtype(self, x, FLOATS)
        if self.dim is None:
            self._remark_axis(x)
        else:
            located(self, x, self.dim)
        return Result((x,), code=self.module(f"nn.{self.kind}"))

    def _remark_axis(self, x: Tensor) -> None:
        """Without `dim`, PyTorch picks an axis by the rank, which is rarely the one meant."""
        if x.rank is not None:
            axis = 0 if x.rank in (0, 1, 3) else 1
            text = message(
                "{layer} without dim acts on axis {axis} of {x}.", layer=self.kind, axis=axis, x=x
            )
            note(Remark("warning", text, option="dim"))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The axis."""
        return "" if self.dim is None else f"dim {self.dim}".replace("-", "−")


AXIS = "Axis along which values sum to 1; PyTorch picks one by the rank when empty."


@layer(
    "Softmax",
    family="act",
    aliases=("probabilities", "normalized exponential", "归一化指数", "激活"),
)
class Softmax(AlongAxis):
    """y = eˣ / Σ eˣ along one axis."""

    dim: int | None = option(None, AXIS, min=FIRST_AXIS, max=LAST_AXIS)

    preset: ClassVar = {"dim": -1}


@layer("LogSoftmax", family="act", aliases=("log probabilities", "对数概率", "激活"))
class LogSoftmax(AlongAxis):
    """y = ln(eˣ / Σ eˣ) along one axis."""

    dim: int | None = option(None, AXIS, min=FIRST_AXIS, max=LAST_AXIS)

    preset: ClassVar = {"dim": -1}


@layer("Softmin", family="act", aliases=("inverted softmax", "最小值概率", "激活"))
class Softmin(AlongAxis):
    """y = e⁻ˣ / Σ e⁻ˣ along one axis."""

    dim: int | None = option(None, AXIS, min=FIRST_AXIS, max=LAST_AXIS)

    preset: ClassVar = {"dim": -1}


@layer("GLU", family="act", aliases=("gated linear unit", "gate", "门控", "激活"))
class GLU(Layer):
    """y = a · σ(b), with the halves a and b of the input along one axis."""

    work = Work(output=2)

    dim: int = option(-1, "Axis that is halved.", min=FIRST_AXIS, max=LAST_AXIS)

    def infer(self, x: Tensor) -> Result:
        """The axis `dim` has half its size."""
        if x.rank == 0:
            raise self.refuse("{layer} needs an axis, got {got}.", port="x", got=x)
        check_dtype(self, x, FLOATS)
        return Result((self._halved(x),), code=self.module("nn.GLU"))

    def _halved(self, x: Tensor) -> Tensor:
        places = located(self, x, self.dim)
        if places is None:
            return Tensor((UNKNOWN,) * len(x.shape), x.dtype, partial=True)
        shape = list(padded(x, self.dim).shape)
        place = places[0]
        if value(shape[place] % 2):
            raise self.refuse(
                "{layer} expects an even size of axis {dim}, got {got}.",
                port="x",
                dim=self.dim,
                got=shape[place],
            )
        shape[place] //= 2
        return Tensor(tuple(shape), x.dtype, x.partial)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The axis."""
        return f"dim {self.dim}".replace("-", "−")


@layer("Identity", family="act", aliases=("passthrough", "no-op", "恒等"))
class Identity(Layer):
    """y = x, as a place that can be named."""

    work = MOVING

    def infer(self, x: Tensor) -> Result:
        """[...] to the same shape."""
        return Result((x,), code=self.module("nn.Identity"))
