"""Recurrent cells: one step of a recurrent layer, for loops written by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from designer.core.code import Call, Code, Module, Ref
from designer.core.layer import (
    Layer,
    Port,
    Result,
    layer,
)
from designer.core.option import option
from designer.core.param import Param, Times, bias, weight
from designer.core.size import Size
from designer.core.tensor import Tensor
from designer.layers.axes import promoted
from designer.layers.rules import check_float32

if TYPE_CHECKING:
    from designer.core.layer import Inputs


@dataclass(frozen=True, eq=False)
class Cell(Layer):
    """What all cells share; `gates` products are made of input and state."""

    input_size: Size | None = option(
        None, "Size of the last axis of the input; inferred when empty.", min=1
    )
    hidden_size: Size = option(128, "Size of the state.", min=1)
    bias: bool = option(True, "Add learned offsets, one to input and one to state.")

    gates: ClassVar[int] = 1
    states: ClassVar[tuple[str, ...]] = ("h_0",)
    unweighted: ClassVar[tuple[str, ...]] = ()
    """States that no weight is multiplied with: they may have any dtype."""

    def outputs(self) -> tuple[Port, ...]:
        """The states after the step."""
        return tuple(Port(state.replace("0", "1")) for state in self.states)

    def stepped(self, x: Tensor, *given: Tensor | None) -> Result:
        """[N, input_size] and states [N, hidden_size] to the next states."""
        check_float32(self, x)
        self.ranked(x, (1, 2), "[N, features] or [features]")
        width = self.agree("input_size", x.axis(-1), x, "[..., {}]")
        state = x.with_last(self.hidden_size).with_dtype("float32")
        for name, tensor in zip(self.states, given, strict=True):
            if tensor is not None:
                self._check_state(name, state, tensor)
        rows = self.gates * self.hidden_size
        return Result(
            (state,) * len(self.states),
            self._params(width),
            flops=2 * x.lead(1).count * rows * (width + self.hidden_size),
            code=self._code(width, any(tensor is not None for tensor in given)),
        )

    def batch_axis(self) -> int:
        """The first of all axes."""
        return 0

    def _check_state(self, name: str, expected: Tensor, got: Tensor) -> None:
        if name not in self.unweighted:
            check_float32(self, got, name)
        self.ranked(got, (1, 2), str(expected), name)
        refusal = self.refuse(
            "{layer} expects {port} {expected}, got {got}.", port=name, expected=expected, got=got
        )
        if expected.rank is not None and got.rank not in (None, expected.rank):
            raise refusal
        for mine, theirs in zip(reversed(expected.shape), reversed(got.shape), strict=False):
            self.same(mine, theirs, refusal)

    def _params(self, width: Size) -> tuple[Param, ...]:
        rows = Times(self.gates, self.hidden_size)
        weights = (
            weight("weight_ih", gates=rows, input=width),
            weight("weight_hh", gates=rows, state=self.hidden_size),
        )
        if not self.bias:
            return weights
        return (*weights, bias("bias_ih", gates=rows), bias("bias_hh", gates=rows))

    def _code(self, width: Size, with_states: bool) -> Code:
        refs = tuple(Ref(state) for state in self.states)
        several = len(refs) > 1
        given = (refs if several else refs[0],) if with_states else ()
        made = self.module(f"nn.{self.kind}", "input_size", "hidden_size", input_size=width)
        returns = tuple(port.name for port in self.outputs()) if several else None
        return Code(Call(Module(), (Ref("x"), *given)), made.make, returns)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """Width of input and state: `100 → 256`."""
        return f"{result.params[0].axes[-1].size} → {self.hidden_size}"


@layer(
    "RNNCell",
    family="rnn",
    aliases=("elman cell", "recurrent step", "循环单元", "循环"),
    stem="cell",
)
class RNNCell(Cell):
    """One step of a recurrent layer: hₜ = tanh(W x + b + U hₜ₋₁ + c)."""

    nonlinearity: str = option(
        "tanh", "The function that makes the state.", choices=("tanh", "relu")
    )

    def infer(self, x: Tensor, h_0: Tensor | None = None) -> Result:
        """[N, features] and h_0 [N, H] to h_1 [N, H]; the batch axis may be absent."""
        return self.stepped(x, h_0)


@layer(
    "LSTMCell",
    family="rnn",
    aliases=("long short-term memory cell", "recurrent step", "长短期记忆单元", "循环"),
    stem="cell",
)
class LSTMCell(Cell):
    """One step of an LSTM: cₜ = f ⊙ cₜ₋₁ + i ⊙ g, hₜ = o ⊙ tanh(cₜ)."""

    gates = 4
    states = ("h_0", "c_0")
    unweighted = ("c_0",)

    def infer(self, x: Tensor, h_0: Tensor | None = None, c_0: Tensor | None = None) -> Result:
        """[N, features] and h_0, c_0 [N, H] to h_1, c_1 [N, H]; the batch axis may be absent.

        Both are float32, or wider where c_0 is.
        """
        if (h_0 is None) != (c_0 is None):
            port, other = ("h_0", "c_0") if h_0 is None else ("c_0", "h_0")
            raise self.refuse("{layer} needs {port} with {other}.", port=port, other=other)
        result = self.stepped(x, h_0, c_0)
        if c_0 is None or c_0.partial:
            return result
        dtype = promoted("float32", c_0.dtype)
        return replace(result, outputs=tuple(one.with_dtype(dtype) for one in result.outputs))


@layer(
    "GRUCell",
    family="rnn",
    aliases=("gated recurrent unit cell", "recurrent step", "门控循环单元", "循环"),
    stem="cell",
)
class GRUCell(Cell):
    """One step of a gated recurrent unit: hₜ = (1 − z) ⊙ n + z ⊙ hₜ₋₁."""

    gates = 3

    def infer(self, x: Tensor, h_0: Tensor | None = None) -> Result:
        """[N, features] and h_0 [N, H] to h_1 [N, H]; the batch axis may be absent."""
        return self.stepped(x, h_0)
