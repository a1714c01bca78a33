"""Custom layers: what a declaration makes of shapes, and what is wrong with one."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from designer.core.code import Call, Module, Ref
from designer.core.count import explain
from designer.core.custom import (
    Custom,
    CustomInput,
    CustomOption,
    CustomOutput,
    CustomParam,
    faults,
    layer_class,
    misnamed,
)
from designer.core.expression import Expression
from designer.core.layer import Examined, Inputs, examine
from designer.core.size import UNKNOWN, Size, free, is_unknown, value, variable
from designer.core.tensor import ANYTHING, Tensor
from tests.core.customs import GATED, PAIRS

B, T, D = free("B"), free("T"), variable("d_model", 64)


def examined(custom: Custom, inputs: Inputs, **options: Any) -> Examined:
    """The layer with these options at these inputs."""
    return examine(layer_class(custom)(**options), inputs)


def refusal(custom: Custom, inputs: Inputs, **options: Any) -> str:
    """The sentence with which inputs are refused."""
    (remark,) = examined(custom, inputs, **options).remarks
    assert remark.severity == "error"
    return str(remark.message)


def shapes(found: Examined) -> list[str]:
    """The shapes of the outputs; nothing may be wrong."""
    assert found.result is not None
    assert found.remarks == ()
    return [str(tensor) for tensor in found.result.outputs]


def test_the_class_is_a_layer_with_the_declared_ports_and_options() -> None:
    made = layer_class(GATED)
    assert (made.kind, made.title, made.family) == ("custom:GatedScale", "GatedScale", "custom")
    assert made.__doc__ == "Scales channels, and averages groups of them."
    assert [(port.name, port.optional) for port in made.ports] == [("x", False), ("gate", True)]
    assert [port.name for port in made().outputs()] == ["out", "means"]
    assert [option.kind for option in made.declared] == [
        *("size", "integer", "real", "flag", "choice")
    ]
    assert made.declared[0].optional
    assert layer_class(replace(GATED)) is made


def test_shapes_params_and_operations_of_numbers() -> None:
    found = examined(GATED, {"x": Tensor((3, 5, 8))})
    assert shapes(found) == ["[3, 5, 8]", "[3, 5, 2]"]
    assert found.result is not None
    params = {param.name: (param.shape, param.part, param.dtype) for param in found.result.params}
    assert params == {
        "weight": ((8,), "weight", "float32"),
        "bias": ((8,), "bias", "float32"),
        "steps": ((), "buffer", "int64"),
        "mix.weight": ((2, 4), "weight", "float32"),
    }
    assert found.result.flops == 2 * 15 * 8


def test_shapes_of_names_stay_names() -> None:
    found = examined(GATED, {"x": Tensor((B, T, D))}, groups=4)
    assert shapes(found) == ["[B, T, d_model]", "[B, T, 4]"]
    assert found.result is not None
    assert str(found.result.flops) == "2*B*T*d_model"
    found = examined(PAIRS, {"tokens": Tensor((B, T), "int64"), "x": Tensor((B, 2 * T, D))})
    assert shapes(found) == ["[B, T, 2*d_model]"]
    assert found.result is not None
    assert found.result.params[0].shape == (10, D)
    assert found.result.flops is UNKNOWN


def test_a_formula_keeps_its_expressions_together() -> None:
    found = examined(GATED, {"x": Tensor((8,))})
    assert found.result is not None
    terms = explain(found.result.params[3:]).terms
    assert [[factor.label for factor in term] for term in terms] == [
        ["groups", "(width // groups)"]
    ]


def test_a_flag_takes_parameters_away() -> None:
    found = examined(GATED, {"x": Tensor((8,))}, bias=False)
    assert found.result is not None
    assert [param.name for param in found.result.params] == ["weight", "steps", "mix.weight"]


def test_the_code_gives_every_option_by_name() -> None:
    found = examined(GATED, {"x": Tensor((B, D)), "gate": Tensor((B, D))}, eps=0.5)
    assert found.result is not None
    assert found.result.code is not None
    assert found.result.code.make == Call(
        GATED.written,
        (),
        (("width", D), ("groups", 2), ("eps", 0.5), ("bias", True), ("mode", "mul")),
    )
    assert found.result.code.use == Call(Module(), (Ref("x"),), (("gate", Ref("gate")),))
    assert found.result.code.returns == ("out", "means")
    alone = examined(GATED, {"x": Tensor((B, D))})
    assert alone.result is not None
    assert alone.result.code is not None
    assert alone.result.code.use == Call(Module(), (Ref("x"),))


@pytest.mark.parametrize(
    ("inputs", "options", "expected"),
    [
        ({"x": Tensor(())}, {}, "GatedScale expects [..., width] at x, got []."),
        (
            {"x": Tensor((B, 8))},
            {"width": 16},
            "GatedScale expects width = 16 at x, got 8.",
        ),
        (
            {"x": Tensor((B, 8)), "gate": Tensor((B, 6))},
            {},
            "GatedScale expects width = 8 at gate, got 6.",
        ),
        (
            {"x": Tensor((3, 8)), "gate": Tensor((4, 8))},
            {},
            "GatedScale expects ... = 3 at gate, got 4.",
        ),
        (
            {"x": Tensor((3, 8)), "gate": Tensor((8,))},
            {},
            "GatedScale expects [3] at gate, got [].",
        ),
        ({"x": Tensor((B, 8))}, {"groups": 0}, "mix.weight: This divides by zero."),
    ],
)
def test_inputs_that_do_not_fit_are_refused(
    inputs: Inputs, options: dict[str, Any], expected: str
) -> None:
    assert refusal(GATED, inputs, **options) == expected


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (
            {"tokens": Tensor((2, 3)), "x": ANYTHING},
            "PairsOfTokens expects int64 at tokens, got float32.",
        ),
        (
            {"tokens": Tensor((2, 3), "int64"), "x": Tensor((2, 5, 4))},
            "PairsOfTokens expects 2*T = 6 at x, got 5.",
        ),
        (
            {"tokens": Tensor((2, 3), "int64"), "x": Tensor((6, 4))},
            "PairsOfTokens expects [B, 2*T, d] at x, got [6, 4].",
        ),
        (
            {"tokens": Tensor((2, 3, 4), "int64"), "x": ANYTHING},
            "PairsOfTokens expects [B, T] at tokens, got [2, 3, 4].",
        ),
        (
            {"tokens": Tensor((B, T), "int64"), "x": Tensor((T, 2 * T, D))},
            "PairsOfTokens expects B = B at x, got T.",
        ),
    ],
)
def test_other_inputs_that_do_not_fit(inputs: Inputs, expected: str) -> None:
    assert refusal(PAIRS, inputs) == expected


def test_a_refusal_names_the_port_and_both_sizes() -> None:
    (remark,) = examined(GATED, {"x": Tensor((B, 8))}, width=16).remarks
    assert (remark.port, remark.expected, remark.got) == ("x", 16, 8)
    found = examined(GATED, {"x": Tensor((B, 8))}, width=16)
    assert found.result is not None
    assert [str(tensor) for tensor in found.result.outputs] == ["[…, 16]", "[…, 2]"]


def test_sizes_that_are_not_known_stay_so() -> None:
    found = examined(GATED, {"x": ANYTHING})
    assert shapes(found) == ["[…, ?]", "[…, 2]"]
    assert found.result is not None
    assert found.result.tally.unknown == 3
    assert found.result.flops is UNKNOWN
    found = examined(GATED, {"x": Tensor((D,), partial=True)})
    assert shapes(found) == ["[…, d_model]", "[…, 2]"]


def test_sizes_equal_at_their_values_only_are_told() -> None:
    (remark,) = examined(GATED, {"x": Tensor((B, D)), "gate": Tensor((B, 64))}).remarks
    assert remark.severity == "hint"
    assert str(remark.message).startswith("GatedScale needs d_model = 64")
    assert remark.port == "gate"


def test_a_negative_axis_is_refused() -> None:
    cut = Custom("Cut", (CustomInput("x", ("n",)),), outputs=(CustomOutput("y", ("n - 5",)),))
    sound = replace(cut, source="class Cut: pass")
    assert refusal(sound, {"x": Tensor((3,))}) == "y: n - 5 would be -2."
    assert shapes(examined(sound, {"x": Tensor((7,))})) == ["[2]"]
    half = replace(sound, outputs=(CustomOutput("y", ("n / 2",)),))
    assert "not a whole number" in refusal(half, {"x": Tensor((3,))})
    assert shapes(examined(half, {"x": Tensor((6,))})) == ["[3]"]


SIZES: st.SearchStrategy[Size] = st.sampled_from([0, 1, 2, 3, 8, B, T, D, 2 * T, UNKNOWN])
TENSORS = st.builds(
    Tensor,
    st.lists(SIZES, max_size=4).map(tuple),
    st.sampled_from(["float32", "int64"]),
    st.booleans(),
)


@given(TENSORS, TENSORS, st.integers(1, 4))
def test_whatever_arrives_there_is_a_result_or_a_refusal(a: Tensor, b: Tensor, n: int) -> None:
    """Without a refusal what comes out agrees with what went in, as far as it is known."""
    found = examined(GATED, {"x": a, "gate": b}, groups=n)
    assert found.result is not None
    if not any(remark.severity == "error" for remark in found.remarks):
        out = found.result.outputs[0]
        for theirs, mine in zip(a.shape[::-1], out.shape[::-1], strict=False):
            known = value(theirs)
            assert known is None or is_unknown(mine) or value(mine) == known
    assert len(examined(PAIRS, {"tokens": a, "x": b}).remarks) <= 4


# Declarations


def scale(**changed: Any) -> Custom:
    """A sound layer, changed."""
    made = Custom(
        "Scale",
        inputs=(CustomInput("x", ("...", "d")),),
        options=(CustomOption("n", default=3), CustomOption("f", "flag", True)),
        outputs=(CustomOutput("out", ("...", "d")),),
        source="class Scale(nn.Module):\n    pass\n",
    )
    return replace(made, **changed)


def test_a_sound_declaration_has_no_faults() -> None:
    for custom in (scale(), GATED, PAIRS):
        assert misnamed(custom) is None
        assert faults(custom) == ()


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"name": "nn"}, "nn cannot be the name of a class."),
        ({"name": "a b"}, "a b cannot be the name of a class."),
        ({"name": "__import__"}, "__import__ cannot be the name of a class."),
        ({"inputs": (CustomInput("x"), CustomInput("x"))}, "Two parts of Scale have one name."),
        ({"flops": "1" * 1_001}, "The declaration of Scale is too long."),
        ({"inputs": (CustomInput("x", ("d",) * 65),)}, "The declaration of Scale is too long."),
        (
            {"options": (CustomOption("a", default=1, help="a" * 100_001),)},
            "The declaration of Scale is too long.",
        ),
        ({"inputs": (CustomInput("self"),)}, "self has a meaning already."),
        ({"outputs": (CustomOutput("a.b"),)}, "A name has plain letters, digits and _"),
        ({"options": (CustomOption("leading", default=1),)}, "leading has a meaning already."),
        ({"options": (CustomOption("inputs", default=1),)}, "inputs has a meaning already."),
        ({"options": (CustomOption("kind", default=1),)}, "kind has a meaning already."),
        ({"options": (CustomOption("infer", default=1),)}, "infer has a meaning already."),
        ({"options": (CustomOption("a", "flag", 3),)}, "a takes true or false, got 3."),
        ({"options": (CustomOption("a", "integer"),)}, "a needs a value."),
        ({"options": (CustomOption("a", "choice", "c", choices=("b",)),)}, "a takes one of b"),
        (
            {"options": (CustomOption("a", default=Expression("1")),)},
            "a has no type or default of an option.",
        ),
        ({"params": (CustomParam("a..b"),)}, "a..b cannot be a parameter."),
        ({"params": (CustomParam("a", dtype="float7"),)}, "a cannot be a parameter."),
    ],
)
def test_what_no_layer_can_be_made_of(changed: dict[str, Any], expected: str) -> None:
    wrong = misnamed(scale(**changed))
    assert wrong is not None
    assert str(wrong).startswith(expected)
    with pytest.raises(ValueError, match=re.escape(str(wrong))):
        layer_class(scale(**changed))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"outputs": ()}, "Scale has no output."),
        (
            {"outputs": (CustomOutput("y", ("d", "...")),)},
            "y: ... stands for axes at the beginning of a shape only.",
        ),
        (
            {"inputs": (CustomInput("x", ("d",)),)},
            "out: no required input has axes for ... to stand for.",
        ),
        ({"outputs": (CustomOutput("y", ("e",)),)}, "y: no required input or number tells e."),
        ({"outputs": (CustomOutput("y", ("f",)),)}, "y: no required input or number tells f."),
        ({"outputs": (CustomOutput("y", ("2 +",)),)}, "y: Something is missing after +."),
        ({"outputs": (CustomOutput("y", (), "int7"),)}, "y: int7 is no dtype."),
        ({"params": (CustomParam("w", ("d d",)),)}, "w: The expression cannot be read"),
        ({"params": (CustomParam("w", when="n"),)}, "w: n is no option that is true or false."),
        ({"flops": "leading*z"}, "flops: no required input or number tells z."),
        ({"flops": "open(1)"}, "flops: no required input or number tells open."),
        ({"flops": "__import__('os')"}, "flops: Only + - * /"),
        (
            {"options": (CustomOption("m"),)},
            "m: it has no default, and no required input tells it.",
        ),
        ({"source": "class Other: pass"}, "The source has no class Scale."),
        ({"source": "class Scale("}, "Line 1 of the source: '(' was never closed."),
        ({"inputs": (CustomInput("x", ("...", "min")),)}, "min is a function."),
        (
            {
                "inputs": (CustomInput("x"), CustomInput("y", ("d",), True)),
            },
            "out: no required input or number tells d.",
        ),
    ],
)
def test_faults_are_said_at_each_use(changed: dict[str, Any], expected: str) -> None:
    custom = scale(**changed)
    first = str(faults(custom)[0])
    assert first.startswith(expected)
    found = examined(custom, {custom.inputs[0].name: ANYTHING})
    assert ("error", first) in [(r.severity, str(r.message)) for r in found.remarks]
