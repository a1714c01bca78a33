"""Values that come from nowhere else: constants, counts, learned tensors, noise, and casts."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from designer.core.code import Call, Code, Method, Module, Name, Ref, call
from designer.core.layer import Layer, Result, layer
from designer.core.option import option
from designer.core.param import Param, buffer, weight
from designer.core.size import Size, ceil_div, value
from designer.core.tensor import DTYPE_BYTES, Tensor
from designer.layers.math import is_whole, written
from designer.layers.rules import COMPLEX, FLOATS, INTEGERS, check_dtype

if TYPE_CHECKING:
    from designer.core.layer import Inputs

SHAPE = "Sizes of all axes."
DTYPE = "Type of the elements."
METHODS = {
    "float32": "float",
    "float64": "double",
    "float16": "half",
    "bfloat16": "bfloat16",
    "int64": "long",
    "int32": "int",
    "bool": "bool",
}
"""Casts that have a method of their own."""


def dtype_keyword(dtype: str) -> dict[str, object]:
    """`dtype=torch.int64`, where it is not the default."""
    return {} if dtype == "float32" else {"dtype": Name(f"torch.{dtype}")}


class Source(Layer):
    """A value of a given shape, without inputs."""

    shape: tuple[Size, ...]

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The shape."""
        return str(result.outputs[0])


@layer("Constant", family="io", aliases=("full", "zeros", "ones", "fill", "常量"))
class Constant(Source):
    """A tensor in which all elements have one value: y = c."""

    shape: tuple[Size, ...] = option((1,), SHAPE, min=0)
    value: float = option(0.0, "The value of each element.")
    dtype: str = option("float32", DTYPE, choices=tuple(DTYPE_BYTES))

    def infer(self) -> Result:
        """A tensor of this shape."""
        dtype = str(self.dtype)
        fill = {0.0: "zeros", 1.0: "ones"}.get(float(self.value))
        if fill is not None:
            sizes = self.shape or ((),)
            code = call(f"torch.{fill}", *sizes, **dtype_keyword(dtype))
        else:
            given = {"dtype": Name(f"torch.{dtype}")} if self._named(dtype) else {}
            code = call("torch.full", self.shape, self._number(dtype), **given)
        return Result((Tensor(self.shape, dtype),), code=code)

    def _number(self, dtype: str) -> object:
        whole = is_whole(self.value) and dtype in (*INTEGERS, "bool")
        return written(self.value) if whole else self.value

    def _named(self, dtype: str) -> bool:
        """Whether the value alone does not say the dtype."""
        return dtype not in ("float32", "int64") or (dtype == "int64" and not is_whole(self.value))


@layer("Arange", family="io", aliases=("range", "positions", "counter", "等差序列", "位置编号"))
class Arange(Layer):
    """The numbers start, start + step, … below end."""

    start: Size = option(0, "The first number.")
    end: Size = option(10, "The number before which it ends.")
    step: Size = option(1, "From one number to the next.")
    dtype: str = option("int64", DTYPE, choices=(*FLOATS, *INTEGERS))

    def infer(self) -> Result:
        """[⌈(end − start) / step⌉]."""
        step, room = value(self.step), value(self.end - self.start)
        if step == 0:
            raise self.refuse("{layer} needs a step other than 0.", option="step")
        if step is not None and room is not None and room * step < 0:
            raise self.refuse(
                "{layer} cannot get from {start} to {end} by {step}.",
                option="step",
                start=self.start,
                end=self.end,
                step=self.step,
            )
        length = ceil_div(self.end - self.start, self.step)
        return Result((Tensor((length,), str(self.dtype)),), code=self._code())

    def _code(self) -> Code:
        plain = value(self.start) == 0 and value(self.step) == 1
        bounds = (self.end,) if plain else (self.start, self.end)
        steps = () if value(self.step) == 1 else (self.step,)
        given = {} if self.dtype == "int64" else {"dtype": Name(f"torch.{self.dtype}")}
        return call("torch.arange", *bounds, *steps, **given)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The length."""
        return str(result.outputs[0])


@layer(
    "RandomNormal", family="io", aliases=("noise", "gaussian", "randn", "VAE", "随机正态", "噪声")
)
class RandomNormal(Layer):
    """A tensor like the input, of normally distributed random numbers: ε ~ N(0, 1)."""

    def infer(self, x: Tensor) -> Result:
        """[...] to the same shape."""
        check_dtype(self, x, (*FLOATS, *COMPLEX))
        return Result((x,), code=call("torch.randn_like", Ref("x")))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The distribution."""
        return "N(0, 1)"


@layer("ConstantLike", family="io", aliases=("zeros like", "ones like", "full like", "同形常量"))
class ConstantLike(Layer):
    """A tensor like the input in which all elements have one value: y = c."""

    value: float = option(0.0, "The value of each element.")

    def infer(self, x: Tensor) -> Result:
        """[...] to the same shape."""
        fill = {0.0: "zeros_like", 1.0: "ones_like"}.get(float(self.value))
        if fill is not None:
            return Result((x,), code=call(f"torch.{fill}", Ref("x")))
        return Result((x,), code=call("torch.full_like", Ref("x"), written(self.value)))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The value."""
        return f"{self.value:g}".replace("-", "−")


@layer("Cast", family="shape", aliases=("to", "float", "long", "astype", "类型转换"))
class Cast(Layer):
    """The same elements in another dtype."""

    dtype: str = option("float32", DTYPE, choices=tuple(DTYPE_BYTES))

    def infer(self, x: Tensor) -> Result:
        """[...] to the same shape."""
        dtype = str(self.dtype)
        short = METHODS.get(dtype)
        use = (
            Method(Ref("x"), short) if short else Method(Ref("x"), "to", (Name(f"torch.{dtype}"),))
        )
        return Result((x.with_dtype(dtype),), code=Code(use))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The dtype."""
        return str(self.dtype)


class Held(Source):
    """A tensor that the module holds as its own, under the name of the node."""

    function: ClassVar[str]

    def infer(self) -> Result:
        """A tensor of this shape."""
        axes = {f"axis{index}": size for index, size in enumerate(self.shape)}
        dtype = self.dtype_of()
        zeros = Call("torch.zeros", self.shape or ((),), tuple(dtype_keyword(dtype).items()))
        code = Code(Module(), Call(self.function, (zeros,)))
        return Result((Tensor(self.shape, dtype),), (self.param(axes),), code=code)

    def dtype_of(self) -> str:
        """The dtype of the elements."""
        return "float32"

    def param(self, axes: dict[str, Size]) -> Param:
        """The tensor; without a name of its own it has that of the node."""
        return weight("", **axes)


@layer(
    "Parameter",
    family="io",
    aliases=("learned tensor", "class token", "learnable", "可学习参数"),
    stem="param",
)
class Parameter(Held):
    """A learned tensor that is no part of another layer: a class token, a scale, a query."""

    shape: tuple[Size, ...] = option((1,), SHAPE, min=0)

    function: ClassVar[str] = "nn.Parameter"


@layer("Buffer", family="io", aliases=("state", "fixed tensor", "running value", "缓冲张量"))
class Buffer(Held):
    """A tensor that the module keeps and saves, and does not learn."""

    shape: tuple[Size, ...] = option((1,), SHAPE, min=0)
    dtype: str = option("float32", DTYPE, choices=tuple(DTYPE_BYTES))

    function: ClassVar[str] = "nn.Buffer"

    def dtype_of(self) -> str:
        """The chosen dtype."""
        return str(self.dtype)

    def param(self, axes: dict[str, Size]) -> Param:
        """The tensor; without a name of its own it has that of the node."""
        return buffer("", self.dtype_of(), **axes)
