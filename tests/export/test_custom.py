"""Custom layers in exported code: the text as it is, and PyTorch's word on the declaration."""

from __future__ import annotations

import ast
import json
import runpy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from designer import resources
from designer.core import edits
from designer.core.analysis import Analysis
from designer.core.custom import Custom, CustomInput, CustomOption, CustomOutput, CustomParam
from designer.core.custom_edits import set_custom
from designer.core.document import Block, Document, Variable
from designer.core.expression import Expression
from designer.core.graph import Source, Target
from designer.export import check as checking
from designer.export.check import check
from designer.export.pytorch import ExportError, export_problems, write
from tests.core.customs import GATED, PAIRS
from tests.core.drawing import Drawing


def drawn(custom: Custom, *, title: str = "Design", **options: Any) -> Drawing:
    """A custom layer with one input of [B, T, d], whose outputs all go out."""
    made = Drawing(d=8)
    made.do(edits.set_title(title))
    made.do(set_custom(custom))
    use = made.add(f"custom:{custom.name}", made.input("B", "T", "d"), name="use", **options)
    layer = made.finding(use).layer
    assert layer is not None
    for port in layer.outputs():
        out = made.add("Output", name=f"{port.name}_")
        made.do(edits.connect(Source(use, port.name), Target(out, "x")))
    return made


def everything() -> Document:
    """Both truthful layers, one with an optional input, one also within a block, used twice."""
    made = Drawing(gain=0.5, flag=True)
    made.do(edits.set_variable("d", Variable(8, divisors=(4,))))
    for custom in (GATED, PAIRS):
        made.do(set_custom(custom))
    inner = Drawing()
    inner.do(set_custom(GATED))
    x = inner.input("B", "T", "n")
    inner.add("Output", inner.add("custom:GatedScale", x, groups=4), name="y")
    graph = inner.editor.document.graph
    made.do(lambda draft: draft.put("block", "Scales", Block(graph)))
    x, tokens = made.input("B", "2*T", "d"), made.input("B", "T", dtype="int64")
    eps, bias = Expression("gain"), Expression("flag")
    made.add("custom:GatedScale", x, x, name="gate", eps=eps, bias=bias)
    for name in ("first", "second"):
        made.add("block:Scales", x, name=name)
    y = made.add("custom:PairsOfTokens", tokens, x, name="pairs")
    made.add("Output", made.add("Linear", y, out_features=3))
    for name in ("first", "second", "gate"):
        node = next(i for i, n in made.editor.document.graph.nodes.items() if n.name == name)
        made.add("Output", node)
    return made.editor.document


def exported(drawing: Drawing) -> str:
    """The code of a design."""
    return write(drawing.editor.analysis, drawing.editor.document.title).text


def test_truthful_layers_pass_in_a_python_with_torch() -> None:
    report = check(everything())
    found = [str(difference) for case in report.cases for difference in case.differences]
    assert report.matches, (report.failure, found)
    assert {str(case.name) for case in report.cases} >= {"as drawn", "flags turned round"}


def test_the_text_stands_once_in_the_file_and_as_it_is() -> None:
    text = exported(drawn(GATED))
    assert text.count(GATED.source) == 1
    assert "self.use = GatedScale(width=d, groups=2, eps=1e-05, bias=True, mode=" in text
    assert "import torch.nn.functional as F\n" in text
    text = write(Analysis(everything()), "").text
    assert text.count("class GatedScale(nn.Module):") == 1
    assert text.index("class GatedScale") < text.index("class Scales")


# Lies

SCALE = Custom(
    "Scale",
    inputs=(CustomInput("x", ("...", "d")),),
    options=(CustomOption("d"), CustomOption("k", "integer", 3)),
    outputs=(CustomOutput("out", ("...", "d")),),
    params=(CustomParam("weight", ("d",)), CustomParam("mean", ("k",), "buffer")),
    source="""\
class Scale(nn.Module):
    def __init__(self, d: int, k: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d))
        self.register_buffer("mean", torch.zeros(k))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight
""",
)

LIES: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {
    "a missing tensor": (
        {"params": (*SCALE.params, CustomParam("more", ("d",)))},
        {},
        "use.more is not in the module.",
    ),
    "an extra tensor": (
        {"params": SCALE.params[1:]},
        {},
        "use.weight is in the module, but not in the drawing.",
    ),
    "a shape": (
        {"params": (CustomParam("weight", ("d", "k")), SCALE.params[1])},
        {},
        "use.weight has the shape [8], not [8, 3].",
    ),
    "a dtype": (
        {"params": (replace(SCALE.params[0], dtype="float64"), SCALE.params[1])},
        {},
        "use.weight is float32, not float64.",
    ),
    "a part": (
        {"params": (replace(SCALE.params[0], part="buffer"), SCALE.params[1])},
        {},
        "use.weight: parameter is True, not False.",
    ),
    "the order": (
        {"params": SCALE.params[::-1]},
        {},
        "use.mean comes where the module has use.weight.",
    ),
    "an output's shape": (
        {"outputs": (CustomOutput("out", ("...", "2*d")),)},
        {},
        "out_ comes out as [1, 8, 8], not [1, 8, 16].",
    ),
    "an output's dtype": (
        {"outputs": (CustomOutput("out", ("...", "d"), "int64"),)},
        {},
        "out_ comes out as float32, not int64.",
    ),
    "the outputs": (
        {"outputs": (*SCALE.outputs, CustomOutput("more", ("d",)))},
        {},
        "The module raises ValueError: ",
    ),
    "an argument": (
        {},
        {"k: int": "kk: int", "zeros(k)": "zeros(kk)"},
        "The module raises TypeError: Scale.__init__() got an unexpected keyword argument 'k'",
    ),
    "an exception in the constructor": (
        {},
        {"super().__init__()": "raise OSError('no\\x1b[2J')"},
        "The module raises OSError: no\\u001b[2J",
    ),
    "an exception in the forward pass": (
        {},
        {"return x * self.weight": "class Odd(Exception): pass\n        raise Odd('bad')"},
        "The module raises Odd: bad",
    ),
    "no module at all": (
        {},
        {"class Scale(nn.Module):": "class Scale(dict):"},
        "The module raises ",
    ),
    "a name that nothing defines": (
        {},
        {"class Scale(nn.Module):": "class Scale(Unheard):"},
        "The module raises NameError: name 'Unheard' is not defined",
    ),
    "a syntax that only a run shows": (
        {},
        {"class Scale": "return\n\n\nclass Scale"},
        "The module raises SyntaxError: 'return' outside function",
    ),
    "a class that is gone": (
        {},
        {"self.weight\n": "self.weight\n\n\ndel Scale\n"},
        "The module raises NameError: ",
    ),
}


def told(custom: Custom) -> list[str]:
    """What the comparison tells of a design with this layer, as drawn."""
    report = check(drawn(custom).editor.document)
    assert not report.matches
    assert report.failure is None
    return [str(difference) for difference in report.cases[0].differences]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs the probe in this process, which has torch loaded already."""
    probe = runpy.run_path(str(resources.path("probe", "check_module.py")))

    def ask(python: str, request: dict[str, Any], *_: object) -> Any:
        return json.loads(json.dumps(probe["answer"](json.loads(json.dumps(request)))))

    monkeypatch.setattr(checking, "_ask", ask)


def lying(lie: str) -> Custom:
    """A layer whose declaration and text do not agree."""
    changed, words, _ = LIES[lie]
    custom = replace(SCALE, **changed)
    for old, new in words.items():
        assert old in custom.source
        custom = replace(custom, source=custom.source.replace(old, new))
    return custom


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_found(lie: str) -> None:
    expected = LIES[lie][2]
    assert any(said.startswith(expected) for said in told(lying(lie))), told(lying(lie))


@pytest.mark.usefixtures("at_once")
def test_the_same_layer_without_a_lie_passes() -> None:
    report = check(drawn(SCALE).editor.document)
    assert report.matches, report


def test_lies_are_found_by_a_python_of_its_own_too() -> None:
    assert told(lying("a shape"))[0] == LIES["a shape"][2]
    assert told(lying("a name that nothing defines")) == [LIES["a name that nothing defines"][2]]


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("import sys\nsys.exit(3)\n\n\n", "failed: "),
        ("import os\nos._exit(0)\n\n\n", "gave no answer."),
    ],
)
def test_a_text_that_ends_the_child_is_no_match(text: str, failure: str) -> None:
    custom = replace(SCALE, source=text + SCALE.source)
    report = check(drawn(custom).editor.document)
    assert not report.matches
    assert failure in str(report.failure)


# Names and odd texts


@pytest.mark.usefixtures("at_once")
def test_other_names_make_way_for_those_of_a_text() -> None:
    helper = "Design = 2\n\n\ndef MLP(x: Tensor) -> Tensor:\n    return x\n\n\n"
    source = helper + SCALE.source.replace("return x", "return Design / 2 * MLP(x)")
    made = drawn(replace(SCALE, source=source))
    scale = next(i for i, n in made.editor.document.graph.nodes.items() if n.name == "use")
    made.add("Output", made.add("MLP", scale))
    made.do(edits.set_variable("Scale", replace(made.editor.document.variables["d"], value=5)))
    made.add("Output", made.add("Linear", scale, out_features=Expression("Scale")))
    file = write(made.editor.analysis, "Design")
    assert file.name == "Design2"
    assert "\nclass Design2(nn.Module):" in file.text
    assert "\nclass MLP(nn.Module):" not in file.text
    report = check(made.editor.document)
    assert report.matches, report


def test_two_texts_that_disagree_on_a_name_are_a_problem() -> None:
    helper = "def half(x):\n    return x / 2\n\n\n"
    one = replace(SCALE, source=helper + SCALE.source)
    other = replace(one, name="Other", source=one.source.replace("class Scale", "class Other"))
    made = drawn(one)
    made.do(set_custom(other))
    use = made.add("custom:Other", made.input("B", 3))
    out = made.add("Output", use)
    assert export_problems(made.editor.analysis) == []
    assert exported(made).count("def half") == 2
    made.do(set_custom(replace(other, source=other.source.replace("x / 2", "x / 3"))))
    (problem,) = export_problems(made.editor.analysis)
    assert (problem.severity, problem.node) == ("error", use)
    assert str(problem.message) == "Scale and Other both define half, each its own."
    made.do(edits.remove_nodes([use, out]))
    assert exported(made).count("def half") == 1


@pytest.mark.parametrize(
    "source",
    [
        SCALE.source.replace("\n", "\r\n"),
        SCALE.source.replace("\n", "\r"),
        "\n\n# -*- coding: utf-7 -*-\n" + SCALE.source + "\n\n\n",
        "#!/usr/bin/python\n# coding: rot13\n" + SCALE.source,
        '"""A text with \\N{BULLET}, \u2028 and a backslash.\\\n"""\n' + SCALE.source,
        SCALE.source.replace("    ", "\t"),
        SCALE.source + f"\n# {'x' * 90_000}",
        "import math\nfrom torch import nn\nimport torch.nn.functional as F\n" + SCALE.source,
        SCALE.source.replace("weight", "权重").replace('"mean"', '"mean"'),
    ],
)
@pytest.mark.usefixtures("at_once")
def test_odd_texts_run_as_they_are(source: str) -> None:
    params = SCALE.params
    if "权重" in source:
        params = (CustomParam("权重", ("d",)), *params[1:])
    made = drawn(replace(SCALE, source=source, params=params))
    text = exported(made)
    assert "\r" not in text
    ast.parse(text)
    lines = text.split("\n")
    assert lines[0].startswith("# Generated by Netdraft")
    assert lines[1].startswith("# ")
    report = check(made.editor.document)
    assert report.matches, report


@pytest.mark.parametrize("source", ["", "class Scale(", "\ufeff" + SCALE.source, "x" * 99_000])
def test_a_text_that_cannot_be_read_stops_the_export(source: str) -> None:
    made = drawn(replace(SCALE, source=source))
    with pytest.raises(ExportError, match="source"):
        exported(made)


def test_a_size_without_a_value_is_a_problem_and_no_guess() -> None:
    made = Drawing()
    made.do(set_custom(SCALE))
    made.add("Output", made.add("custom:Scale", made.input("B", "T")))
    found = [str(problem.message) for problem in export_problems(made.editor.analysis)]
    assert found
    assert any("T" in text for text in found)


# Any declaration that says what its text does

TERMS = (
    "d",
    "k",
    "2*d",
    "d + k",
    "n // 2 + 1",
    "min(d, k)",
    "max(n, 3*k)",
    "d*k - 1",
    "n % 3",
    "7",
)
OF_OPTIONS = tuple(term for term in TERMS if "n" not in term.replace("min", ""))


@st.composite
def truthful(draw: st.DrawFn) -> Custom:
    """A layer over [..., n, d] whose text makes tensors of the shapes that it declares."""
    rest = draw(st.booleans())
    shapes = st.lists(st.sampled_from(TERMS), max_size=3).map(tuple)
    outputs = draw(st.lists(shapes, min_size=1, max_size=3))
    params = draw(
        st.lists(st.lists(st.sampled_from(OF_OPTIONS), max_size=3).map(tuple), max_size=4)
    )
    whole = [("...", *shape) if rest and draw(st.booleans()) else shape for shape in outputs]
    made = [f"self.p{n} = nn.Parameter(torch.zeros({_sizes(s)}))" for n, s in enumerate(params)]
    given = [f"torch.zeros({_sizes(shape)})" for shape in whole]
    source = [
        "class Any(nn.Module):",
        "    def __init__(self, d, k):",
        "        super().__init__()",
        "        self.k = k",
        *(f"        {line}" for line in made),
        "",
        "    def forward(self, x):",
        "        *rest, n, d = x.shape",
        "        k = self.k",
        f"        return {', '.join(given)}",
    ]
    return Custom(
        "Any",
        (CustomInput("x", ("...", "n", "d") if rest else ("n", "d")),),
        (CustomOption("d"), CustomOption("k", "integer", draw(st.integers(1, 5)))),
        tuple(CustomOutput(f"y{n}", shape) for n, shape in enumerate(whole)),
        tuple(CustomParam(f"p{n}", shape) for n, shape in enumerate(params)),
        source="\n".join(source),
    )


def _sizes(shape: tuple[str, ...]) -> str:
    """The sizes of a shape, as an argument of `torch.zeros`."""
    return f"({''.join('*rest, ' if axis == '...' else f'{axis}, ' for axis in shape)})"


@pytest.mark.usefixtures("at_once")
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(truthful(), st.sampled_from([("B", "T", "d"), ("B", 6, "2*d"), (4, "T", 5)]))
def test_whatever_is_declared_truthfully_passes(custom: Custom, shape: tuple[Any, ...]) -> None:
    made = Drawing(d=4)
    made.do(set_custom(custom))
    x = made.input(*(shape if custom.inputs[0].axes[0] == "..." else shape[1:]))
    use = made.add("custom:Any", x, name="use")
    for output in custom.outputs:
        out = made.add("Output", name=f"{output.name}_")
        made.do(edits.connect(Source(use, output.name), Target(out, "x")))
    report = check(made.editor.document)
    assert report.matches, (custom.source, report)
