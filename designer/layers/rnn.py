"""Recurrent layers: a state is carried along a sequence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from designer.core.code import Call, Code, Module, Ref
from designer.core.layer import (
    Layer,
    Port,
    Remark,
    Result,
    layer,
    note,
)
from designer.core.message import message
from designer.core.option import option
from designer.core.param import Param, Times, bias, weight
from designer.core.size import UNKNOWN, Size, value
from designer.core.tensor import Tensor
from designer.layers.rules import check_float32, known_zero

if TYPE_CHECKING:
    from designer.core.layer import Inputs
    from designer.core.option import Raw

MOST_LAYERS = 10_000


class Pass(NamedTuple):
    """One layer in one direction: the end of its parameters' names and the width of its input."""

    suffix: str
    width: Size


class _Recurrent(Layer):
    """What all recurrent layers share; `gates` products are made of input and state."""

    input_size: Size | None
    hidden_size: Size
    num_layers: int
    bias: bool
    batch_first: bool
    dropout: float
    bidirectional: bool

    gates: ClassVar[int] = 1
    states: ClassVar[tuple[str, ...]] = ("h_0",)
    preset: ClassVar[Mapping[str, Raw]] = {"batch_first": True}

    def outputs(self) -> tuple[Port, ...]:
        """The sequence of states of the last layer, and the last states of all layers."""
        return (Port("output"), *(Port(state.replace("0", "n")) for state in self.states))

    def batch_axis(self) -> int:
        """The batch comes first or second."""
        return 0 if self.batch_first else 1

    @property
    def projection(self) -> Size:
        """Size to which the state is projected; 0 for no projection."""
        return 0

    @property
    def state_size(self) -> Size:
        """Size of the state that is handed on."""
        return self.hidden_size if value(self.projection) == 0 else self.projection

    @property
    def directions(self) -> int:
        """1, or 2 where the sequence is read backwards too."""
        return 2 if self.bidirectional else 1

    def unrolled(self, x: Tensor, *given: Tensor | None) -> Result:
        """[N, T, input_size] to [N, T, directions · state] and the last states."""
        check_float32(self, x)
        self.ranked(x, (2, 3), "[N, T, features] or [T, features]")
        self._check_options()
        width = self.agree("input_size", x.axis(-1), x, "[..., {}]")
        if known_zero(self._steps(x)):
            raise self.refuse("{layer} needs one step or more, got {got}.", port="x", got=x)
        states = tuple(self._state(x, size) for size in self._state_sizes())
        for name, state, tensor in zip(self.states, states, given, strict=True):
            if tensor is not None:
                self._check_state(name, state, tensor)
        output = x.with_last(self.directions * self.state_size).with_dtype("float32")
        passes = tuple(self._passes(width))
        return Result(
            (output, *states),
            tuple(param for one in passes for param in self._params(one)),
            flops=x.lead(1).count * sum((self._flops(one) for one in passes), start=0),
            code=self._code(width, any(tensor is not None for tensor in given)),
        )

    def _check_options(self) -> None:
        if self.num_layers < 1:
            raise self.refuse(
                "{layer} needs num_layers of at least 1, got {got}.",
                option="num_layers",
                got=self.num_layers,
            )
        if self.dropout and self.num_layers == 1:
            text = message(
                "{layer} drops between layers: one layer drops nothing.", layer=self.kind
            )
            note(Remark("hint", text, option="dropout"))

    # Axes

    def _steps(self, x: Tensor) -> Size:
        if x.rank == 2 or self.batch_first:
            return x.axis(-2)
        return UNKNOWN if x.rank is None else x.axis(-3)

    def _state_sizes(self) -> tuple[Size, ...]:
        return (self.state_size, self.hidden_size)[: len(self.states)]

    def _state(self, x: Tensor, size: Size) -> Tensor:
        """The states of all layers and directions: [layers, N, size] or [layers, size]."""
        if x.rank is None:
            return Tensor((size,), partial=True)
        batch = (x.axis(self.batch_axis()),) if x.rank == 3 else ()
        return Tensor((self.directions * self.num_layers, *batch, size))

    def _check_state(self, name: str, expected: Tensor, got: Tensor) -> None:
        check_float32(self, got, name)
        refusal = self.refuse(
            "{layer} expects {port} {expected}, got {got}.", port=name, expected=expected, got=got
        )
        if expected.rank is None or got.rank is None:
            self.ranked(got, (2, 3), str(expected), name)
            self.same(expected.axis(-1), got.axis(-1), refusal)
            return
        if expected.rank != got.rank:
            raise refusal
        for mine, theirs in zip(expected.shape, got.shape, strict=True):
            self.same(mine, theirs, refusal)

    # Parameters

    def _passes(self, width: Size) -> Iterator[Pass]:
        for depth in range(self.num_layers):
            for end in ("", "_reverse")[: self.directions]:
                yield Pass(f"_l{depth}{end}", width)
            width = self.directions * self.state_size

    def _params(self, one: Pass) -> Iterator[Param]:
        rows = Times(self.gates, self.hidden_size)
        yield weight(f"weight_ih{one.suffix}", hidden=rows, input=one.width)
        yield weight(f"weight_hh{one.suffix}", hidden=rows, state=self.state_size)
        if self.bias:
            yield bias(f"bias_ih{one.suffix}", hidden=rows)
            yield bias(f"bias_hh{one.suffix}", hidden=rows)
        if value(self.projection) != 0:
            yield weight(
                f"weight_hr{one.suffix}", proj_size=self.projection, hidden_size=self.hidden_size
            )

    def _flops(self, one: Pass) -> Size:
        """Operations at one step for one sequence."""
        rows = self.gates * self.hidden_size
        products = rows * (one.width + self.state_size) + self.hidden_size * self.projection
        return 2 * products

    # Code

    def _code(self, width: Size, with_states: bool) -> Code:
        refs = tuple(Ref(state) for state in self.states)
        names = tuple(port.name for port in self.outputs()[1:])
        several = len(refs) > 1
        given = (refs if several else refs[0],) if with_states else ()
        made = self.module(f"nn.{self.kind}", "input_size", "hidden_size", input_size=width)
        returns = ("output", names if several else names[0])
        return Code(Call(Module(), (Ref("x"), *given)), made.make, returns)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """Width of input and state, and layers: `100 → 256, ×2`."""
        width = result.params[0].axes[-1].size
        layers = f", ×{self.num_layers}" if self.num_layers > 1 else ""
        return f"{width} → {self.hidden_size}{layers}{' ⇄' if self.bidirectional else ''}"


# Options are collected from the last base to the first, which gives PyTorch's order.


@dataclass(frozen=True, eq=False)
class _Stack(_Recurrent):
    input_size: Size | None = option(
        None, "Size of the last axis of the input; inferred when empty.", min=1
    )
    hidden_size: Size = option(128, "Size of the state.", min=1)
    num_layers: int = option(
        1, "Layers on top of one another; each reads the one below.", min=1, max=MOST_LAYERS
    )


@dataclass(frozen=True, eq=False)
class _Nonlinear:
    nonlinearity: str = option(
        "tanh", "The function that makes the state.", choices=("tanh", "relu")
    )


@dataclass(frozen=True, eq=False)
class _Sequence:
    bias: bool = option(True, "Add learned offsets, one to input and one to state.")
    batch_first: bool = option(False, "Axes are [N, T, features], not [T, N, features].")
    dropout: float = option(
        0.0, "Share of values between layers that training sets to 0.", min=0, max=1
    )
    bidirectional: bool = option(False, "Read the sequence backwards too, with own weights.")


@layer("RNN", family="rnn", aliases=("elman", "recurrent", "循环神经网络", "循环"))
class RNN(_Sequence, _Nonlinear, _Stack):
    """Recurrent layer: hₜ = tanh(W x + b + U hₜ₋₁ + c)."""

    def infer(self, x: Tensor, h_0: Tensor | None = None) -> Result:
        """[N, T, features] to output [N, T, D·H] and h_n [D·num_layers, N, H]."""
        return self.unrolled(x, h_0)


@layer("LSTM", family="rnn", aliases=("long short-term memory", "recurrent", "长短期记忆", "循环"))
class LSTM(_Sequence, _Stack):
    """Long short-term memory: c = f ⊙ c + i ⊙ g, h = o ⊙ tanh(c)."""

    proj_size: Size = option(0, "Project the state to this size; 0 for no projection.", min=0)

    gates: ClassVar[int] = 4
    states: ClassVar[tuple[str, ...]] = ("h_0", "c_0")

    @property
    def projection(self) -> Size:
        """Size to which the state is projected; 0 for no projection."""
        return self.proj_size

    def infer(self, x: Tensor, h_0: Tensor | None = None, c_0: Tensor | None = None) -> Result:
        """[N, T, features] to output [N, T, D·H] and the last h_n and c_n."""
        room = value(self.hidden_size - self.proj_size)
        if room is not None and room <= 0:
            raise self.refuse(
                "{layer} needs proj_size below hidden_size {expected}, got {got}.",
                option="proj_size",
                expected=self.hidden_size,
                got=self.proj_size,
            )
        if (h_0 is None) != (c_0 is None):
            port, other = ("h_0", "c_0") if h_0 is None else ("c_0", "h_0")
            raise self.refuse("{layer} needs {port} with {other}.", port=port, other=other)
        return self.unrolled(x, h_0, c_0)


@layer("GRU", family="rnn", aliases=("gated recurrent unit", "recurrent", "门控循环单元", "循环"))
class GRU(_Sequence, _Stack):
    """Gated recurrent unit: hₜ = (1 − z) ⊙ n + z ⊙ hₜ₋₁."""

    gates: ClassVar[int] = 3

    def infer(self, x: Tensor, h_0: Tensor | None = None) -> Result:
        """[N, T, features] to output [N, T, D·H] and h_n [D·num_layers, N, H]."""
        return self.unrolled(x, h_0)
