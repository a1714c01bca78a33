"""Where values enter and leave a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from designer.core.expression import Expression
from designer.core.layer import (
    Layer,
    Port,
    Result,
    layer,
)
from designer.core.option import Raw, option
from designer.core.size import Size
from designer.core.tensor import DTYPE_BYTES, Tensor

if TYPE_CHECKING:
    from designer.core.layer import Inputs


@layer("Input", family="io", aliases=("placeholder", "data", "source", "输入"))
class Input(Layer):
    """A tensor that the network is given: its shape, batch axis included, and its dtype."""

    shape: tuple[Size, ...] = option((1, 3, 32, 32), "Sizes of all axes, batch included.", min=1)
    dtype: str = option("float32", "Type of the elements.", choices=tuple(DTYPE_BYTES))

    preset: ClassVar[Mapping[str, Raw]] = {"shape": (Expression("B"), 3, 32, 32)}

    def infer(self) -> Result:
        """The declared tensor."""
        return Result((Tensor(self.shape, str(self.dtype)),))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The shape, as its wire shows it."""
        return str(result.outputs[0])


@layer("Output", family="io", aliases=("result", "return", "sink", "输出"))
class Output(Layer):
    """A tensor that the network returns."""

    def infer(self, x: Tensor) -> Result:
        """Takes any tensor and hands it on to the caller."""
        return Result(())

    def outputs(self) -> tuple[Port, ...]:
        """None: the value leaves the network here."""
        return ()

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The shape that is returned."""
        returned = inputs.get("x")
        return str(returned) if isinstance(returned, Tensor) else ""
