"""Composites: what follows from a body, and what a body may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

import designer.layers  # noqa: F401  (fills the catalogue)
from designer.core.analysis import Analysis
from designer.core.code import Call
from designer.core.composite import Composite, Definition, Net, Value
from designer.core.expression import Expression
from designer.core.layer import CATALOGUE, examine, layer
from designer.core.option import Option, option
from designer.core.size import UNKNOWN, Size, free, variable
from designer.core.tensor import ANYTHING, Tensor
from designer.layers.act import ReLU
from designer.layers.linear import Linear
from designer.layers.merge import Add
from designer.layers.ready import MLP, GPTBlock
from designer.layers.reg import Dropout
from tests.core.drawing import Drawing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from designer.core.layer import Layer, Result

B = free("B")


@pytest.fixture
def two() -> Iterator[type[Any]]:
    """A kind of the catalogue with two inputs, one of them optional, and two outputs."""

    @layer("Two", family="block", aliases=("两个",))
    class Two(Composite):
        """Two linear layers, of which one has an input of its own."""

        width: Size | None = option(None, "Size of the last axis.", min=1)
        inner: Size | None = option(None, "Size between; twice the width when empty.", min=1)

        def body(self, net: Net, x: Value, other: Value | None = None) -> tuple[Value, Value]:
            width = net.size("width", x, -1, "[..., {}]")
            inner = net.usual("inner", 2 * width)
            relu = ReLU()
            h = net.use("act", relu, net.use("first", Linear(out_features=inner), x))
            y = net.use("second", Linear(out_features=width), h if other is None else other)
            return h, net.use("act", relu, y)

        def outputs(self) -> Any:
            return (Add.ports[0]._replace(name="wide", variadic=False), *super().outputs())

    yield Two
    del CATALOGUE["Two"]


def result(of: Layer, **inputs: Tensor) -> Result:
    """What a layer makes of inputs that it accepts."""
    examined = examine(of, inputs)
    assert examined.remarks == ()
    assert examined.result is not None
    return examined.result


def definition(of: Result) -> Definition:
    """The class that a composite is written as."""
    assert of.written is not None
    assert isinstance(of.written.make, Call)
    found = of.written.make.function
    assert isinstance(found, Definition)
    return found


def test_all_follows_from_the_body(two: type[Any]) -> None:
    found = result(two(), x=Tensor((B, 6)))
    assert [str(tensor) for tensor in found.outputs] == ["[B, 12]", "[B, 6]"]
    assert {p.name: p.shape for p in found.params} == {
        "first.weight": (12, 6),
        "first.bias": (12,),
        "second.weight": (6, 12),
        "second.bias": (6,),
    }
    assert found.tally.weights == 144
    assert found.tally.biases == 18
    assert found.flops == 2 * B * (12 * 6 + 6 * 12)


def test_ports_come_from_the_body(two: type[Any]) -> None:
    assert [(port.name, port.optional) for port in two().inputs()] == [
        ("x", False),
        ("other", True),
    ]
    given = result(two(), x=Tensor((B, 6)), other=Tensor((B, 9)))
    assert given.params[2].shape == (6, 9)


def test_a_rule_of_its_own_is_refused() -> None:
    with pytest.raises(TypeError, match="follows from its body"):

        class Wrong(Composite):
            def infer(self, x: Tensor) -> Any:  # type: ignore[override]
                return x


def test_a_name_is_one_layer() -> None:
    class Twice(Composite):
        declared = ()

        def body(self, net: Net, x: Value) -> Value:
            return net.use("fc", Linear(out_features=4), net.use("fc", Linear(out_features=4), x))

    with pytest.raises(ValueError, match="fc is another layer"):
        Net(Twice(), {"x": Tensor((B, 4))}).run()


def test_names_of_options_are_left_to_them() -> None:
    @dataclass(frozen=True, eq=False)
    class Named(Composite):
        width: Size = option(4, "Size of the output.", min=1)
        declared: ClassVar[tuple[Option, ...]] = MLP.declared

        def body(self, net: Net, x: Value) -> Value:
            return net.use("d_model", Linear(out_features=self.width), x)

    with pytest.raises(ValueError, match="d_model is an option"):
        Net(Named(), {"x": Tensor((B, 4))}).run()


def test_a_layer_with_parameters_is_not_shared_by_name() -> None:
    class Shared(Composite):
        declared = ()

        def body(self, net: Net, x: Value) -> Value:
            fc = Linear(out_features=4)
            return net.use("fc", fc, net.use("fc", fc, x))

    with pytest.raises(ValueError, match="fc is another layer"):
        Net(Shared(), {"x": Tensor((B, 4))}).run()


def test_sizes_are_arguments_of_the_class(two: type[Any]) -> None:
    width = variable("w", 6)
    found = result(two(inner=width + 1), x=Tensor((B, width)))
    assert found.written is not None
    assert isinstance(found.written.make, Call)
    assert found.written.make.args == (width, width + 1)
    made = definition(found)
    assert made.formal == ("width", "inner")
    first, *_ = [step for step in made.net.steps if step.name == "first"]
    assert [str(size) for size in first.result.params[0].shape] == ["inner", "width"]


def test_what_nobody_uses_is_no_argument() -> None:
    plain = result(MLP(), x=Tensor((B, 6)))
    assert definition(plain).formal == ("d_model", "d_hidden", "bias")
    dropping = result(MLP(dropout=0.1), x=Tensor((B, 6)))
    assert definition(dropping).formal == ("d_model", "d_hidden", "dropout", "bias")


COMPOSITES = [kind for kind, made in CATALOGUE.items() if issubclass(made, Composite)]


@pytest.mark.parametrize("kind", COMPOSITES)
def test_unknown_inputs_are_taken(kind: str) -> None:
    layer = CATALOGUE[kind]()
    inferred = {"d_model", "in_channels", "in_features"} & {o.name for o in layer.declared}
    for x in (ANYTHING, Tensor((UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN))):
        needed = [port.name for port in layer.inputs() if not port.optional]
        examined = examine(layer, dict.fromkeys(needed, x))
        assert examined.result is not None
        assert examined.result.tally.unknown > 0 or not inferred


def test_a_refusal_within_names_both() -> None:
    drawing = Drawing()
    x = drawing.input("B", "T", 8, dtype="int64")
    block = drawing.add("MLP", x)
    (problem,) = [p for p in drawing.editor.analysis.problems() if p.blocks and p.node == block]
    assert str(problem.message) == "MLP, c_fc: Linear takes float32, got int64."


def test_a_remark_within_is_said_once() -> None:
    drawing = Drawing(d=8, h=2)
    x = drawing.input("B", "T", Expression("d"))
    block = drawing.add("CausalSelfAttention", x, n_heads=Expression("h"))
    (problem,) = drawing.editor.analysis.problems_by_node[block]
    assert problem.severity == "hint"
    assert "h*(d//h) = d: true at these values only." in str(problem.message)


def test_parameters_of_norms_within_are_marked() -> None:
    found = result(GPTBlock(n_heads=2), x=Tensor((B, 5, 8)))
    marked = {param.name.rpartition(".")[0] for param in found.params if param.norm}
    assert marked == {"ln_1", "ln_2"}


def test_equal_uses_are_worked_out_once() -> None:
    drawing = Drawing()
    x = drawing.input("B", "T", 8)
    for _ in range(5):
        x = drawing.add("GPTBlock", x, n_heads=2)
    analysis = Analysis(drawing.editor.document)
    assert analysis.inferred == 2  # the input, and one block for all five


def test_a_chain_is_numbered() -> None:
    class Chained(Composite):
        declared = ()

        def body(self, net: Net, x: Value) -> Value:
            inner = (Linear(out_features=3), ReLU())
            return net.chain("layers", (inner, Dropout(), Linear(out_features=2)), x)

    found = Net(Chained(), {"x": Tensor((B, 4))}).run()
    assert [param.name for param in found.params] == [
        "layers.0.0.weight",
        "layers.0.0.bias",
        "layers.2.weight",
        "layers.2.bias",
    ]
    assert [tensor.shape for tensor in found.outputs] == [(B, 2)]


def test_a_refusal_deep_inside_names_the_whole_and_the_place_in_it() -> None:
    drawing = Drawing()
    x = drawing.input("B", "T", 12, dtype="int64")
    block = drawing.add("BERTBlock", x, n_heads=3)
    (problem,) = drawing.finding(block).problems
    assert str(problem.message) == "BERTBlock, attention.q_proj: Linear takes float32, got int64."
