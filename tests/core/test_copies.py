"""Copies of a layer: what they count, how they are named, and what they refuse."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from designer.core import count, size
from designer.core.copies import Bank, Repeat
from designer.core.layer import Layer, Port, Result, examine
from designer.core.param import Param, Span, Tally, bias, buffer, expanded, tally, weight
from designer.core.size import free, product, variable
from designer.core.tensor import ANYTHING, Tensor
from designer.layers.act import ReLU
from designer.layers.arith import MultiplyScalar
from designer.layers.conv import Conv2d
from designer.layers.linear import Linear
from designer.layers.merge import Add
from designer.layers.norm import BatchNorm1d, LayerNorm
from designer.layers.ready import MLP, GatedMLP, GPTBlock
from designer.layers.rnn import LSTM

if TYPE_CHECKING:
    from collections.abc import Sequence

B, T = free("B"), free("T")


def accepted(layer: Layer, **inputs: Tensor) -> Result:
    """What a layer makes of inputs that it accepts."""
    examined = examine(layer, inputs)
    assert [str(remark.message) for remark in examined.remarks] == []
    assert examined.result is not None
    return examined.result


def refusal(layer: Layer, **inputs: Tensor) -> str:
    """The sentence with which a layer refuses inputs."""
    (remark,) = examine(layer, inputs).remarks
    assert remark.severity == "error"
    return str(remark.message)


def keys(params: Sequence[Param]) -> list[tuple[str, tuple[Any, ...]]]:
    """Each copy of each parameter with its shape."""
    return [(param.name, param.shape) for param in expanded(params)]


def unrolled(layer: Layer, number: int, x: Tensor) -> tuple[Result, ...]:
    """The results of so many uses, each of what the one before gives."""
    results = []
    for _ in range(number):
        results.append(accepted(layer, x=x))
        x = results[-1].outputs[0]
    return tuple(results)


def numbered(results: Sequence[Result]) -> list[tuple[str, tuple[Any, ...]]]:
    """The parameters of the modules of a list."""
    return [
        (f"{place}.{param.name}", param.shape)
        for place, result in enumerate(results)
        for param in result.params
    ]


LAYERS = st.one_of(
    st.builds(Linear, out_features=st.integers(1, 9), bias=st.booleans()),
    st.builds(MLP, d_hidden=st.integers(1, 9), bias=st.booleans()),
    st.builds(GatedMLP, d_hidden=st.integers(1, 9)),
    st.builds(LayerNorm),
    st.builds(ReLU),
)


@settings(max_examples=60)
@given(LAYERS, st.integers(1, 6), st.integers(1, 9))
def test_a_repeat_counts_as_its_copies_written_out(layer: Layer, number: int, width: int) -> None:
    x = Tensor((B, width))
    result = accepted(Repeat(layer, number), x=x)
    copies = unrolled(layer, number, x)
    assert keys(result.params) == numbered(copies)
    assert result.tally == sum((copy.tally for copy in copies), Tally())
    assert result.flops == sum((copy.flops for copy in copies), 0)
    assert result.outputs == copies[-1].outputs


@settings(max_examples=40)
@given(LAYERS, st.integers(1, 4), st.integers(1, 4), st.integers(1, 9))
def test_repeats_within_repeats(layer: Layer, outer: int, inner: int, width: int) -> None:
    x = Tensor((B, width))
    result = accepted(Repeat(Repeat(layer, inner), outer), x=x)
    copies = unrolled(layer, outer * inner, x)
    expected = [
        (f"{place // inner}.{place % inner}.{param.name}", param.shape)
        for place, copy in enumerate(copies)
        for param in copy.params
    ]
    assert keys(result.params) == expected
    assert result.tally == sum((copy.tally for copy in copies), Tally())


@settings(max_examples=40)
@given(LAYERS.filter(lambda made: made.kind != "ReLU"), st.integers(1, 9), st.data())
def test_a_bank_counts_as_its_copies_side_by_side(layer: Layer, number: int, data: Any) -> None:
    k = data.draw(st.integers(1, number))
    choice = Tensor((B, T, k))
    inputs = {"x": Tensor((B, T, 6)), "weights": choice, "chosen": choice.with_dtype("int64")}
    result = accepted(Bank(layer, number), **inputs)
    one = accepted(layer, x=Tensor((B * T * k, 6)))
    assert keys(result.params) == numbered([one] * number)
    assert result.tally.parameters == number * one.tally.parameters
    assert result.tally.active == k * one.tally.parameters
    assert result.flops == one.flops
    assert result.outputs == (Tensor((B, T, one.outputs[0].shape[-1])),)


@dataclass(frozen=True, eq=False)
class Counted(Layer):
    """A linear layer that notes how often its rule is asked."""

    width: int
    asked: list[int] = field(default_factory=list)
    kind: ClassVar[str] = "Counted"
    ports: ClassVar[tuple[Port, ...]] = (Port("x"),)

    def infer(self, x: Tensor) -> Result:
        self.asked.append(1)
        params = (weight("weight", out_features=self.width, in_features=x.axis(-1)),)
        module = Linear(out_features=self.width, bias=False)
        return Result((x.with_last(self.width),), params, code=module.infer(x).code)


@pytest.mark.parametrize("width", [8, 5])
def test_a_million_copies_are_examined_as_two_are(width: int) -> None:
    asked = []
    for number in (2, 1_000_000):
        layer = Counted(5)
        result = accepted(Repeat(layer, number), x=Tensor((B, width)))
        assert result.written is not None
        assert result.tally.parameters == 5 * width + (number - 1) * 25
        assert len(result.params) <= 2
        asked.append(len(layer.asked))
    assert asked[0] == asked[1] <= 2


def test_a_million_experts_are_examined_as_two_are() -> None:
    choice = Tensor((B, 2))
    inputs = {"x": Tensor((B, 8)), "weights": choice, "chosen": choice.with_dtype("int64")}
    for number in (2, 1_000_000):
        layer = Counted(5)
        result = accepted(Bank(layer, number), **inputs)
        assert len(layer.asked) == 1
        assert result.tally == Tally(40 * number, idle=40 * (number - 2))


def test_rows_of_a_million_copies_are_made_as_they_are_asked_for() -> None:
    result = accepted(Repeat(Linear(out_features=4), 10**12), x=Tensor((B, 4)))
    first = expanded(result.params)
    names = [next(first).name for _ in range(3)]
    assert names == ["0.weight", "0.bias", "1.weight"]
    assert result.tally.parameters == 20 * 10**12


def test_a_number_of_copies_may_be_a_name() -> None:
    n, d = variable("n_layers", 12), variable("d_model", 768, (12,))
    result = accepted(Repeat(GPTBlock(n_heads=12), n), x=Tensor((B, T, d)))
    total = sum((param.count for param in result.params), 0)
    assert total == n * (12 * d**2 + 13 * d)
    assert result.tally.parameters == 85_054_464
    explained = count.explain(result.params)
    assert explained.total == 85_054_464
    assert explained.names().startswith("n_layers × (4 × shape + in × out + ")
    assert explained.figures().startswith("12 × (4 × 768 + 768 × 2,304 + ")


def test_the_first_copy_may_have_other_sizes() -> None:
    result = accepted(Repeat(Linear(out_features=4), 3), x=Tensor((B, 7)))
    assert [(p.name, p.shape, p.spans) for p in result.params] == [
        ("0.weight", (4, 7), ()),
        ("0.bias", (4,), ()),
        ("*.weight", (4, 4), (Span(1, 2),)),
        ("*.bias", (4,), (Span(1, 2),)),
    ]
    assert [param.shown() for param in result.params][2:] == ["1…2.weight", "1…2.bias"]
    explained = count.explain(result.params)
    assert explained.names() == "in × out + out + 2 × (in × out + out)"
    assert explained.figures() == "7 × 4 + 4 + 2 × (4 × 4 + 4)"
    assert explained.total == 72


def test_what_all_copies_say_is_said_once() -> None:
    d = variable("d", 8)
    layer = Linear(in_features=8, out_features=d)
    remarks = examine(Repeat(layer, 3), {"x": Tensor((B, d))}).remarks
    assert [str(r.message) for r in remarks] == ["Linear needs 8 = d: true at these values only."]
    others = examine(Repeat(Linear(in_features=8, out_features=d), 3), {"x": Tensor((B, 8))})
    assert [str(r.message) for r in others.remarks] == [str(r.message) for r in remarks]


def test_shared_copies_are_counted_once() -> None:
    result = accepted(Repeat(Linear(out_features=4), 10, shared=True), x=Tensor((B, 4)))
    assert keys(result.params) == [("weight", (4, 4)), ("bias", (4,))]
    assert result.tally.parameters == 20
    assert result.flops == 10 * 2 * B * 16


@pytest.mark.parametrize(
    ("layer", "shape", "sentence"),
    [
        (
            Repeat(Linear(out_features=4), 3, shared=True),
            (B, 7),
            "One Linear serves all copies: copy 1 needs weight [4, 7], copy 2 weight [4, 4].",
        ),
        (
            Repeat(LayerNorm(), 0),
            (B, 7),
            "LayerNorm ×0: at least one copy is needed.",
        ),
        (
            Repeat(Linear(in_features=7, out_features=4), 2),
            (B, 7),
            "Copy 2 of Linear: Linear expects [..., 7], got [B, 4].",
        ),
        (
            Repeat(Conv2d(out_channels=3, kernel_size=3), 3),
            (B, 3, 32, 32),
            "Conv2d takes [B, 3, 30, 30] and gives [B, 3, 28, 28]: it cannot feed itself.",
        ),
        (
            Repeat(Add(), 2),
            (B, 4),
            "Add has no input that its output could feed.",
        ),
    ],
)
def test_copies_that_cannot_feed_one_another(
    layer: Layer, shape: tuple[Any, ...], sentence: str
) -> None:
    x = Tensor(shape)
    inputs: Any = {"xs": (x, x)} if layer.inputs()[0].variadic else {"x": x}
    assert refusal(layer, **inputs) == sentence


def test_two_copies_need_not_be_alike_with_a_third() -> None:
    layer = Conv2d(out_channels=3, kernel_size=3)
    result = accepted(Repeat(layer, 2), x=Tensor((B, 3, 32, 32)))
    assert [str(tensor) for tensor in result.outputs] == ["[B, 3, 28, 28]"]
    with_one = accepted(Repeat(layer, 1), x=Tensor((B, 3, 32, 32)))
    assert [str(tensor) for tensor in with_one.outputs] == ["[B, 3, 30, 30]"]


def test_other_inputs_go_to_every_copy_and_other_outputs_come_from_the_last() -> None:
    x, state = Tensor((B, T, 4)), Tensor((1, B, 6))
    lstm = LSTM(hidden_size=6, batch_first=True)
    result = accepted(Repeat(lstm, 3), x=x, h_0=state, c_0=state)
    assert [str(tensor) for tensor in result.outputs] == ["[B, T, 6]", "[1, B, 6]", "[1, B, 6]"]
    assert result.written is not None
    assert result.written.use.carried == (("x", "output"),)  # type: ignore[attr-defined]


def test_copies_of_what_is_not_known_yet() -> None:
    result = examine(Repeat(Linear(out_features=4), 3), {"x": ANYTHING}).result
    assert result is not None
    assert result.tally.unknown == 1
    nothing = dict.fromkeys(("x", "weights", "chosen"), ANYTHING)
    bank = examine(Bank(Linear(out_features=4), 3), nothing).result
    assert bank is not None
    assert [param.name for param in bank.params] == ["*.weight", "*.bias"]


def test_a_normalisation_is_known_as_one_within_copies() -> None:
    result = accepted(Repeat(BatchNorm1d(), 2), x=Tensor((B, 4)))
    assert all(param.norm for param in result.params)
    names = [name for name, _ in keys(result.params)]
    of_one = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    assert names == [f"{place}.{name}" for place in range(2) for name in of_one]


CHOICE = Tensor((B, T, 2))


@pytest.mark.parametrize(
    ("layer", "changed", "sentence"),
    [
        (
            Linear(out_features=4),
            {"chosen": CHOICE},
            "Bank expects whole numbers for chosen, got float32.",
        ),
        (
            Linear(out_features=4),
            {"weights": Tensor((B, T, 3))},
            "Bank expects weights [B, T, 2] like chosen, got [B, T, 3].",
        ),
        (
            Linear(out_features=4),
            {"x": Tensor((B, 6))},
            "Bank expects one choice for each token of [B, 6], got [B, T, 2].",
        ),
        (
            Linear(out_features=4),
            {"weights": Tensor((B, T, 4)), "chosen": Tensor((B, T, 4), "int64")},
            "Bank has 3 copies, fewer than the 4 that are chosen.",
        ),
        (
            Linear(out_features=4),
            {"weights": CHOICE.with_dtype("float64")},
            "Bank expects weights of float32, got float64.",
        ),
        (
            MultiplyScalar(value=2.0),
            {},
            "MultiplyScalar has no module of its own, as each copy of a bank needs it.",
        ),
        (
            Add(),
            {},
            "Add needs exactly one input to be in a bank.",
        ),
        (
            LSTM(hidden_size=4),
            {},
            "LSTM gives [2*B*T, 4]: each row of a bank must give one row.",
        ),
    ],
)
def test_what_a_bank_refuses(layer: Layer, changed: dict[str, Tensor], sentence: str) -> None:
    inputs = {"x": Tensor((B, T, 6)), "weights": CHOICE, "chosen": CHOICE.with_dtype("int64")}
    assert refusal(Bank(layer, 3), **{**inputs, **changed}) == sentence


# Parameters


def test_what_shares_a_tensor_is_not_counted_and_what_is_frozen_is_told_apart() -> None:
    table = weight("embed.weight", num_embeddings=10, embedding_dim=4)
    shared = weight("head.weight", out_features=10, in_features=4)
    params = (
        table,
        Param(shared.name, shared.axes, "weight", owner="embed.weight"),
        Param("fixed", bias("fixed", width=4).axes, "bias", trainable=False),
        buffer("mean", width=4),
    )
    found = tally(params)
    assert found == Tally(weights=40, biases=4, buffers=4, frozen=4)
    assert (found.parameters, found.trainable, found.active) == (44, 40, 44)
    assert count.explain(params).total == 44
    copied = [param.copied(Span(0, 2)) for param in params]
    owners = {param.name: param.owner for param in expanded(copied) if param.owner}
    assert owners == {"0.head.weight": "0.embed.weight", "1.head.weight": "1.embed.weight"}


SPANS = st.lists(st.tuples(st.integers(1, 5), st.one_of(st.none(), st.integers(1, 5))), max_size=3)


@given(SPANS, st.integers(1, 9))
def test_idle_parameters_are_those_of_copies_that_are_not_chosen(
    spans: list[tuple[int, int | None]], elements: int
) -> None:
    param = weight("weight", width=elements)
    for number, active in spans:
        param = param.under("part").copied(Span(0, number, active and min(active, number)))
    found = tally([param])
    working = product(tuple(n if a is None else min(a, n) for n, a in spans)) * elements
    assert found.active == size.value(working)
    assert found.parameters == elements * size.value(product(tuple(n for n, _ in spans)))  # type: ignore[operator]
    assert len(list(expanded([param]))) == size.value(param.copies)


NUMBERS = st.integers(-(10**6), 10**6)
TALLIES = st.builds(Tally, *[NUMBERS] * len(Tally._fields))


@given(TALLIES, TALLIES)
def test_tallies_are_added_field_by_field(one: Tally, other: Tally) -> None:
    assert one + other == tuple(a + b for a, b in zip(one, other, strict=True))
    assert (one + other) - other == one
