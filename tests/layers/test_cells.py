"""Recurrent cells are PyTorch's."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from torch import nn

from designer.core.tensor import DTYPE_BYTES
from tests.layers.oracle import Fed, check, refusal, t, verdict

KINDS = ["RNNCell", "LSTMCell", "GRUCell"]


def held(kind: str, options: dict[str, Any], x: Fed, *states: Fed) -> None:
    """Check one case; an LSTM's states are handed over in pairs."""
    given = {"input_size": 5, "hidden_size": 4, **options}

    def reference() -> Any:
        module = getattr(nn, kind)(**given)
        return Paired(module) if kind == "LSTMCell" and states else module

    check(kind, given, x, *states, reference=reference, inferred=("input_size",))


class Paired(nn.Module):
    """An LSTM cell that takes its states one by one; its state dict is the same."""

    def __init__(self, cell: nn.Module) -> None:
        super().__init__()
        self.called = (cell,)
        for name, parameter in cell.named_parameters():
            self.register_parameter(name, parameter)

    def forward(self, x: Any, *states: Any) -> Any:
        return self.called[0](x, states)


@pytest.mark.parametrize("kind", KINDS)
def test_cells(kind: str) -> None:
    states = 2 if kind == "LSTMCell" else 1
    for bias, lead in itertools.product([True, False], [(), (3,)]):
        held(kind, {"bias": bias}, t(*lead, 5))
        held(kind, {"bias": bias}, t(*lead, 5), *[t(*lead, 4)] * states)


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_inputs_and_states(kind: str) -> None:
    states = 2 if kind == "LSTMCell" else 1
    for shape in [(), (6,), (3, 6), (2, 3, 5)]:
        held(kind, {}, t(*shape))
    for shape in [(2, 4), (3, 5), (4,), (1, 3, 4), (1, 4)]:
        held(kind, {}, t(3, 5), *[t(*shape)] * states)
    held(kind, {}, t(5), *[t(1, 4)] * states)
    for dtype in ["float64", "bfloat16", "int64"]:
        held(kind, {}, t(3, 5, dtype=dtype))


@pytest.mark.parametrize("dtype", DTYPE_BYTES)
def test_states_of_any_dtype(dtype: str) -> None:
    for lead in [(), (3,)]:
        x, usual, other = t(*lead, 5), t(*lead, 4), t(*lead, 4, dtype=dtype)
        held("LSTMCell", {}, x, usual, other)
        held("LSTMCell", {}, x, other, usual)
        held("GRUCell", {}, x, other)
        held("RNNCell", {}, x, other)


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_nonlinearity(nonlinearity: str) -> None:
    held("RNNCell", {"nonlinearity": nonlinearity}, t(3, 5))


def test_an_lstm_needs_both_states() -> None:
    inputs = {"x": t(3, 5), "h_0": t(3, 128)}
    assert refusal(verdict("LSTMCell", {}, inputs)) == "LSTMCell needs c_0 with h_0."
    pinned = {"input_size": 6}
    sentence = "GRUCell expects [..., 6], got [3, 5]."
    assert refusal(verdict("GRUCell", pinned, {"x": t(3, 5)})) == sentence
