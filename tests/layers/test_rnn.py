"""Recurrent layers, against PyTorch."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn

from designer.core.code import Call
from designer.core.layer import (
    CATALOGUE,
    Examined,
    defaults,
    examine,
    options_of,
)
from designer.core.option import Whole
from designer.core.size import free, variable
from designer.core.tensor import ANYTHING, Tensor
from designer.layers.rnn import GRU, LSTM, RNN
from tests.layers.oracle import check, made, t

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

B, T = free("B"), free("T")
FLAGS = (False, True)
KINDS = ("RNN", "LSTM", "GRU")


def outputs(examined: Examined) -> list[str]:
    """The shapes that are known, as people read them."""
    assert examined.result is not None
    return [str(tensor) for tensor in examined.result.outputs]


def remarks(examined: Examined) -> list[tuple[str, str]]:
    """What is said, and how gravely."""
    return [(remark.severity, str(remark.message)) for remark in examined.remarks]


def options(kind: str) -> Iterator[dict[str, Any]]:
    """All combinations of the options that decide shapes and parameters."""
    projections = (0, 2) if kind == "LSTM" else (0,)
    for layers, bias, first, both, projection in itertools.product(
        (1, 2, 3), FLAGS, FLAGS, FLAGS, projections
    ):
        chosen = {
            "input_size": 5,
            "hidden_size": 3,
            "num_layers": layers,
            "bias": bias,
            "batch_first": first,
            "bidirectional": both,
        }
        yield chosen | ({"proj_size": projection} if kind == "LSTM" else {})


SHAPES: tuple[tuple[int, ...], ...] = (
    (4, 2, 5),
    (7, 5),
    (1, 1, 5),
    (4, 0, 5),
    (0, 2, 5),
    (4, 2, 6),
    (5,),
    (2, 4, 2, 5),
)


@pytest.mark.parametrize("kind", KINDS)
def test_over_the_options(kind: str) -> None:
    verdicts = []
    for chosen in options(kind):
        # The case with the most axes looks at free and missing ones too, which takes a while.
        for shape in SHAPES:
            full = shape == (4, 2, 5)
            result = check(
                kind, chosen, t(*shape), inferred=("input_size",), weaker=full, flops=full
            )
            verdicts.append(result is not None)
    assert any(verdicts)
    assert not all(verdicts)


def with_states(kind: str, chosen: dict[str, Any]) -> Callable[[], nn.Module]:
    """PyTorch's module, called with states one by one."""
    if kind != "LSTM":
        return lambda: getattr(nn, kind)(**chosen)

    class Called(nn.LSTM):
        def forward(self, x: torch.Tensor, *states: torch.Tensor) -> Any:  # type: ignore[override]
            if len(states) == 1:
                raise ValueError("one state of two")
            return super().forward(x, states or None)  # type: ignore[arg-type]

    return lambda: Called(**chosen)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("x", [(4, 2, 5), (4, 5)])
def test_given_states(kind: str, x: tuple[int, ...]) -> None:
    verdicts = []
    for chosen in options(kind):
        count = chosen["num_layers"] * (2 if chosen["bidirectional"] else 1)
        batch = 4 if chosen["batch_first"] else 2
        width = chosen.get("proj_size") or 3
        for state in ((count, batch, width), (count, width), (count + 1, batch, width), (1, 2, 3)):
            fed = [t(*x), t(*state)]
            if kind == "LSTM":
                fed.append(t(*state[:-1], 3))
            result = check(
                kind, chosen, *fed, reference=with_states(kind, chosen), weaker=False, flops=False
            )
            verdicts.append(result is not None)
    assert any(verdicts)
    assert not all(verdicts)


@pytest.mark.parametrize("kind", KINDS)
def test_given_states_of_which_less_is_known(kind: str) -> None:
    chosen = {"input_size": 5, "hidden_size": 3, "num_layers": 2, "batch_first": True}
    states = [t(2, 4, 3)] * (2 if kind == "LSTM" else 1)
    assert check(kind, chosen, t(4, 6, 5), *states, reference=with_states(kind, chosen))


def test_an_lstm_needs_both_states() -> None:
    chosen = {"input_size": 5, "hidden_size": 3}
    assert (
        check("LSTM", chosen, t(4, 2, 5), t(1, 2, 3), reference=with_states("LSTM", chosen)) is None
    )
    examined = examine(LSTM(), {"x": t(4, 2, 5), "c_0": t(1, 2, 128)})
    assert remarks(examined) == [("error", "LSTM needs h_0 with c_0.")]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "chosen",
    [
        {"hidden_size": 0},
        {"num_layers": 0},
        {"dropout": 1.2},
        {"dropout": -0.1},
        {"num_layers": 2, "dropout": 0.4},
        {"dropout": 0.4},
        {"num_layers": 3, "dropout": 1.0},
    ],
)
def test_limits(kind: str, chosen: dict[str, Any]) -> None:
    given = {"input_size": 5, "hidden_size": 3} | chosen
    check(kind, given, t(4, 2, 5), weaker=False)


@pytest.mark.parametrize("projection", [0, 1, 2, 3, 4])
def test_projection(projection: int) -> None:
    check("LSTM", {"input_size": 5, "hidden_size": 3, "proj_size": projection}, t(4, 2, 5))


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu", "gelu"])
def test_nonlinearity(nonlinearity: str) -> None:
    chosen = {"input_size": 5, "hidden_size": 3, "nonlinearity": nonlinearity}
    accepted = check("RNN", chosen, t(4, 2, 5))
    assert (accepted is None) == (nonlinearity == "gelu")


@pytest.mark.parametrize("dtype", ["float64", "int64", "float16"])
@pytest.mark.parametrize("kind", KINDS)
def test_dtypes(kind: str, dtype: str) -> None:
    chosen = {"input_size": 5, "hidden_size": 3}
    assert check(kind, chosen, t(4, 2, 5, dtype=dtype)) is None


@pytest.mark.parametrize("kind", KINDS)
def test_options_stand_in_the_order_of_pytorch(kind: str) -> None:
    names = [option.name for option in options_of(CATALOGUE[kind])]
    first = ["input_size", "hidden_size", "num_layers"]
    rest = ["bias", "batch_first", "dropout", "bidirectional"]
    extra = {"RNN": ["nonlinearity"], "LSTM": [], "GRU": []}[kind]
    last = ["proj_size"] if kind == "LSTM" else []
    assert names == [*first, *extra, *rest, *last]


def test_a_layer_added_by_hand_has_the_batch_first() -> None:
    for kind in KINDS:
        assert dict(defaults(CATALOGUE[kind]))["batch_first"] is True
        assert made(kind, batch_first=True).batch_axis() == 0
        assert made(kind).batch_axis() == 1


def test_operations_of_a_known_network() -> None:
    examined = examine(LSTM(100, 256, 2), {"x": t(7, 2, 100)})
    assert examined.result is not None
    assert examined.result.flops == 24_887_296


def test_free_axes() -> None:
    hidden = variable("hidden", 256)
    examined = examine(
        LSTM(None, hidden, 2, batch_first=True, bidirectional=True), {"x": t(B, T, 100)}
    )
    assert outputs(examined) == ["[B, T, 2*hidden]", "[4, B, hidden]", "[4, B, hidden]"]
    assert examined.result is not None
    assert [str(axis) for axis in examined.result.params[4].shape] == ["4*hidden", "100"]
    assert outputs(examine(GRU(hidden_size=8), {"x": t(T, 100)})) == ["[T, 8]", "[1, 8]"]
    assert outputs(examine(GRU(hidden_size=8), {"x": ANYTHING})) == ["[…, 8]", "[…, 8]"]
    open_tensor = Tensor((T, 100), partial=True)
    assert outputs(examine(GRU(hidden_size=8), {"x": open_tensor}))[0] == "[…, T, 8]"


def test_pinned_input() -> None:
    examined = examine(GRU(64), {"x": t(B, T, 32)})
    text = "GRU expects [..., 64], got [B, T, 32]."
    assert remarks(examined) == [("error", text)]
    assert outputs(examined) == ["[…, 128]", "[…, 128]"]


def test_dropout_needs_a_second_layer() -> None:
    (remark,) = remarks(examine(RNN(dropout=0.5), {"x": t(T, B, 8)}))
    assert remark == ("hint", "RNN drops between layers: one layer drops nothing.")
    assert remarks(examine(RNN(num_layers=2, dropout=0.5), {"x": t(T, B, 8)})) == []


def test_a_number_of_layers_keeps_its_name() -> None:
    examined = examine(GRU(num_layers=Whole.of(2, "n_layers")), {"x": t(T, B, 8)})
    assert examined.result is not None
    assert examined.result.code is not None
    assert isinstance(examined.result.code.make, Call)
    ((name, count),) = examined.result.code.make.kwargs
    assert name == "num_layers"
    assert isinstance(count, Whole)
    assert count.source == "n_layers"


def test_captions() -> None:
    layer = LSTM(None, 256, 2, bidirectional=True)
    inputs = {"x": t(T, B, 100)}
    result = examine(layer, inputs).result
    assert result is not None
    assert layer.caption(result, inputs) == "100 → 256, ×2 ⇄"
