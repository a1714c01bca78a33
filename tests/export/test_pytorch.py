"""The exported module: its text, and that it has and computes what the drawing says."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import warnings
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from designer.core import count, edits, size
from designer.core.analysis import Analysis
from designer.core.cost import trials
from designer.core.document import Dimension, Document, Variable, drafted
from designer.core.expression import Expression
from designer.core.graph import Node, Source, Target
from designer.core.names import RESERVED
from designer.export.program import class_name
from designer.export.pytorch import HEADER, ExportError, export_problems, write
from tests.core.drawing import Drawing, cifar10
from tests.export.designs import built, drawn, random_design, random_inputs

if TYPE_CHECKING:
    from pathlib import Path

E = Expression
LINT = ("check", "--isolated", "--no-cache", "--select", "E,F,I,B,UP,SIM")


def code(drawing: Drawing, title: str = "design") -> str:
    """The exported code of a drawing."""
    return write(drawing.editor.analysis, title).text


def forward(text: str) -> list[str]:
    """The lines of the forward pass, without indentation."""
    return [line.strip() for line in text.partition("def forward")[2].splitlines()[1:]]


def run_tool(*arguments: str) -> None:
    """Run a module of Python; its findings fail the test."""
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# What it reads like


def test_a_cnn() -> None:
    drawing = Drawing()
    cifar10(drawing)
    assert code(drawing, "CIFAR-10 CNN") == (
        HEADER
        + '''
from torch import Tensor, nn


class CIFAR10CNN(nn.Module):
    """160,202 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 3)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(32, 64, 3)
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(2)
        self.conv3 = nn.Conv2d(64, 128, 3)
        self.relu3 = nn.ReLU()
        self.pool3 = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(512, 128)
        self.relu4 = nn.ReLU()
        self.fc2 = nn.Linear(128, 10)
        self.softmax1 = nn.Softmax(dim=-1)

    def forward(self, input1: Tensor) -> Tensor:
        x = self.conv1(input1)  # [B, 32, 30, 30]
        x = self.relu1(x)
        x = self.pool1(x)  # [B, 32, 15, 15]
        x = self.conv2(x)  # [B, 64, 13, 13]
        x = self.relu2(x)
        x = self.pool2(x)  # [B, 64, 6, 6]
        x = self.conv3(x)  # [B, 128, 4, 4]
        x = self.relu3(x)
        x = self.pool3(x)  # [B, 128, 2, 2]
        x = x.flatten(1)  # [B, 512]
        x = self.fc1(x)  # [B, 128]
        x = self.relu4(x)
        x = self.fc2(x)  # [B, 10]
        return self.softmax1(x)
'''
    )


def test_variables_are_constructor_arguments() -> None:
    drawing = Drawing(d_model=768, n_heads=12, p=0.1, unused=3)
    x = drawing.input("B", "T", "d_model")
    x = drawing.add("Linear", x, out_features=E("4*d_model"))
    x = drawing.add("Dropout", x, p=E("p"))
    drawing.add("Output", x)
    text = code(drawing)
    assert "def __init__(self, d_model: int = 768, p: float = 0.1) -> None:" in text
    assert "self.fc1 = nn.Linear(d_model, 4 * d_model)" in text
    assert "nn.Dropout(p=p)" in text
    assert "unused" not in text
    assert "self.d_model" not in text


def test_values_used_again_are_named() -> None:
    drawing = Drawing()
    x = drawing.input("B", 8)
    stem = drawing.add("Linear", x, name="stem", out_features=8)
    x = drawing.add("ReLU", stem)
    x = drawing.add("Add", x, stem)
    drawing.add("Output", x)
    assert forward(code(drawing)) == [
        "stem = self.stem(input1)",
        "x = self.relu1(stem)",
        "return x + stem",
    ]


def test_an_input_called_x_is_not_overwritten_while_it_is_needed() -> None:
    drawing = Drawing()
    x = drawing.add("Input", name="x", shape=(E("B"), 8))
    y = drawing.add("ReLU", drawing.add("Linear", x, out_features=8))
    drawing.add("Output", drawing.add("Add", x, y))
    assert forward(code(drawing)) == ["h = self.fc1(x)", "h = self.relu1(h)", "return x + h"]


def test_several_inputs_and_outputs_in_stored_order() -> None:
    drawing = Drawing()
    a, b = drawing.input("B", 4), drawing.input("B", 4)
    drawing.add("Output", drawing.add("Add", a, b), name="sum")
    drawing.add("Output", b, name="same")
    text = code(drawing)
    assert "def forward(self, input1: Tensor, input2: Tensor) -> tuple[Tensor, Tensor]:" in text
    assert forward(text) == ["x = input1 + input2", "return x, input2"]


def test_unused_results_are_underscores() -> None:
    drawing = Drawing()
    x = drawing.input("B", "T", 8)
    lstm = drawing.add("LSTM", x, hidden_size=8, batch_first=True)
    drawing.add("Output", lstm)
    assert forward(code(drawing)) == ["x, _ = self.lstm1(input1)", "return x"]
    state = drawing.add("Output")
    drawing.do(edits.connect(Source(lstm, "c_n"), Target(state, "x")))
    assert forward(code(drawing)) == [
        "lstm1_output, (_, lstm1_c_n) = self.lstm1(input1)",
        "return lstm1_output, lstm1_c_n",
    ]


def test_results_with_too_long_names_have_one_name() -> None:
    drawing = Drawing()
    x = drawing.input("B", 12)
    parts = drawing.add("Split", x, chunks=12, dim=-1, name="a_split_into_many_parts")
    total = drawing.add("Add")
    for slot in range(12):
        source = Source(parts, f"out{slot}")
        drawing.do(edits.connect(source, Target(total, "xs", slot)))
    drawing.add("Output", total)
    first, *rest = forward(code(drawing))
    assert first.startswith("a_split_into_many_pa = input1.chunk(12, dim=-1)")
    assert "a_split_into_many_pa[11]" in "".join(rest)


def test_methods_of_a_chain_share_a_line_that_they_fit_into() -> None:
    drawing = Drawing()
    x = drawing.input("B", 3, 4, 5)
    x = drawing.add("Transpose", x, dim0=1, dim1=2)
    x = first = drawing.add("Flatten", x, start_dim=2)
    x = drawing.add("ReLU", x)
    x = drawing.add("Unflatten", x, dim=-1, unflattened_size=(3, 5))
    x = drawing.add("Permute", x, dims=(0, 3, 2, 1))
    x = drawing.add("Reshape", x, shape=(E("B"), *(1,) * 9, 60))
    drawing.add("Output", x)
    source = write(drawing.editor.analysis, "design")
    assert forward(source.text) == [
        "b = input1.shape[0]",
        "x = input1.transpose(1, 2).flatten(2)  # [B, 4, 15]",
        "x = self.relu1(x)",
        "x = x.unflatten(-1, (3, 5)).permute(0, 3, 2, 1)  # [B, 5, 3, 4]",
        f"return x.reshape(b, {'1, ' * 9}60)",
    ]
    assert source.lines[first] == source.lines[first - 1]
    compare_with_drawing(drawing.editor.document)


def test_free_dimensions_are_read_where_they_are_needed() -> None:
    drawing = Drawing(d=8)
    x = drawing.input("B", "T", "d")
    x = drawing.add("Reshape", x, shape=(E("B"), E("T"), 2, E("d//2")))
    drawing.add("Output", x)
    text = code(drawing)
    assert forward(text)[0] == "b, t = input1.shape[:2]"
    assert "input1.reshape(b, t, 2, self.d // 2)" in text
    assert "self.d = d" in text


def test_a_dimension_is_worked_out_of_an_axis() -> None:
    drawing = Drawing()
    x = drawing.input(4, "2*T + 1")
    other = drawing.input(3)
    drawing.add("Output", drawing.add("Reshape", x, shape=(E("2*T + 1"), 4)))
    drawing.add("Output", other)
    text = code(drawing)
    assert forward(text)[0] == "t = (input1.shape[1] - 1) // 2"
    module = built(text)
    assert module(torch.zeros(4, 7), torch.zeros(3))[0].shape == (7, 4)


def test_ties_and_locks() -> None:
    drawing = Drawing()
    tokens = drawing.input("B", "T", dtype="int64")
    wte = drawing.add("Embedding", tokens, num_embeddings=50, embedding_dim=8, name="wte")
    head = drawing.add("Linear", wte, out_features=50, bias=False, name="head")
    drawing.tie(head, wte)
    drawing.add("Output", head)
    drawing.do(edits.set_trainable([wte], False))
    text = code(drawing)
    assert "        self.wte.requires_grad_(False)\n" in text
    assert "        self.head.weight = self.wte.weight\n" in text
    module: Any = built(text)
    assert module.head.weight is module.wte.weight
    assert not module.head.weight.requires_grad


def test_layers_that_reach_no_output_are_made_but_not_called() -> None:
    drawing = Drawing()
    x = drawing.input("B", 8)
    drawing.add("Linear", x, name="aside", out_features=2)
    drawing.add("Output", drawing.add("ReLU", x))
    text = code(drawing)
    assert "self.aside = nn.Linear(8, 2)" in text
    assert forward(text) == ["return self.relu1(input1)"]


def test_a_design_without_layers() -> None:
    drawing = Drawing()
    drawing.add("Output", drawing.input("B", 8))
    text = code(drawing)
    assert "__init__" not in text
    module = built(text)
    assert module(torch.ones(2)).tolist() == [1, 1]


def test_expressions_are_python() -> None:
    drawing = Drawing(d=8, p=0.25)
    x = drawing.input("B", 3)
    x = drawing.add("LeakyReLU", x, negative_slope=E("sqrt(p)*round(d / 3)"))
    x = drawing.add("LayerNorm", x, eps=E("+d**-2"))
    drawing.add("Output", x)
    text = code(drawing)
    assert "import math\n" in text
    module: Any = built(text, d=5)
    assert module.leaky1.negative_slope == 0.5 * 2
    assert module.ln1.eps == 1 / 25


def test_every_line_is_where_it_is_said_to_be() -> None:
    drawing = Drawing()
    first = cifar10(drawing)
    source = write(drawing.editor.analysis, "design")
    lines = source.text.splitlines()
    nodes = drawing.editor.document.graph.nodes
    assert {lines[number - 1].strip() for number in source.lines[first]} == {
        "self.fc1 = nn.Linear(512, 128)",
        "x = self.fc1(x)  # [B, 128]",
    }
    assert set(source.lines) == set(nodes)
    for id, numbers in source.lines.items():
        if nodes[id].kind not in ("Input", "Output", "Flatten"):
            assert all(nodes[id].attribute in lines[number - 1] for number in numbers)


# What cannot be exported


def problems(drawing: Drawing) -> list[str]:
    return [str(problem.message) for problem in export_problems(drawing.editor.analysis)]


def test_what_stands_in_the_way() -> None:
    drawing = Drawing()
    assert problems(drawing) == ["The design has no Input yet.", "The design has no Output yet."]
    x = drawing.input("B", "T")
    relu = drawing.add("ReLU")
    drawing.add("Output", relu)
    assert problems(drawing) == ["Nothing is connected to x yet."]
    with pytest.raises(ExportError, match="Nothing is connected"):
        write(drawing.editor.analysis, "design")
    drawing.wire(x, relu)
    assert problems(drawing) == []


def test_a_module_cannot_depend_on_a_free_dimension() -> None:
    drawing = Drawing()
    x = drawing.input("B", "T")
    drawing.add("Output", drawing.add("LayerNorm", x, elementwise_affine=False))
    assert problems(drawing) == ["The layer is made once: T has no value then."]


def test_a_dimension_that_no_input_has() -> None:
    drawing = Drawing()
    x = drawing.input("B", 4)
    drawing.add("Output", drawing.add("Reshape", x, shape=(E("T"), -1)))
    assert problems(drawing) == ["No input has an axis that tells T."]


@pytest.mark.parametrize("attribute", ["import os", "forward", "a.b", "_x", "", "é", "x\ny"])
def test_attributes_that_are_no_names_are_refused(attribute: str) -> None:
    drawing = Drawing()
    drawing.add("Output", drawing.input("B", 4))
    document = drawing.editor.document
    node = Node("ReLU", attribute, "ReLU")
    document = drafted(document, edits.put_nodes([(7, node)]))[0]
    document = drafted(document, edits.connect(Source(1, "out"), Target(7, "x")))[0]
    found = [str(problem.message) for problem in export_problems(Analysis(document))]
    assert found == ["ReLU has no Python name of its own."]


# Hostile text


TITLES = [
    "coding: utf-7",
    '"""\nimport os',
    "');__import__('os').system('x')#",
    "class",
    "None",
    "Tensor",
    "7B",
    "全连接",
    "",
    "a" * 10_000,
    "\u2028\x00\\N{BULLET}",
]


@pytest.mark.parametrize("title", TITLES)
def test_titles_become_class_names(title: str) -> None:
    name = class_name(title)
    assert name.isidentifier()
    assert name.isascii()
    assert name not in RESERVED
    assert len(name) <= 70
    drawing = Drawing()
    cifar10(drawing)
    text = code(drawing, title)
    assert text.replace(f"class {name}(", "class Design(") == code(drawing, "Design")


@settings(max_examples=40)
@given(
    st.lists(st.text(min_size=1, max_size=80), min_size=5, max_size=5, unique=True),
    st.text(max_size=40),
)
def test_names_never_change_the_code(names: list[str], title: str) -> None:
    plain, hostile = Drawing(), Drawing()
    for drawing in (plain, hostile):
        x = drawing.input("B", "T", 8)
        y = drawing.add("ReLU", x)
        lstm = drawing.add("LSTM", y, hidden_size=8, batch_first=True)
        drawing.add("Output", drawing.add("Add", lstm, y))
    graph = hostile.editor.document.graph
    for id, name in zip(graph.ids(), names, strict=True):
        node = hostile.editor.document.graph.nodes[id]
        hostile.do(edits.put_nodes([(id, node)]))
        try:
            hostile.do(edits.rename(id, name))
        except edits.Refused:
            continue
    shapes = [
        [type(part) for part in ast.walk(ast.parse(code(drawing, title)))]
        for drawing in (plain, hostile)
    ]
    assert shapes[0] == shapes[1]


def test_reserved_and_equal_names(tmp_path: Path) -> None:
    names = [
        *sorted(RESERVED)[::3],
        "__x",
        "1st",
        "a-b",
        "a_b",
        "a b",
        "ﬁ",
        "fi",
        "l",
        "O",
        "x" * 1000,
    ]
    drawing = Drawing()
    x = drawing.input("B", 4)
    for name in names:
        x = drawing.add("Linear", x, name=name, out_features=4)
    drawing.add("Output", x)
    text = code(drawing)
    module = built(text)
    assert len(dict(module.named_children())) == len(names)
    assert module(torch.zeros(2, 4)).shape == (2, 4)
    (tmp_path / "names.py").write_text(text)
    run_tool("ruff", "format", "--isolated", "--no-cache", "--check", str(tmp_path))
    run_tool("ruff", *LINT, str(tmp_path))


def test_names_of_variables_and_dimensions_that_python_has_taken() -> None:
    names = {"self": 3, "nn": 4, "F": 5, "type": 6, "x": 7, "l": 8, "fc1": 9, "__d": 2}
    drawing = Drawing()
    for name, value in names.items():
        drawing.do(edits.set_variable(name, Variable(value)))
    drawing.do(edits.set_dimension("torch", Dimension(trial=2)))
    x = drawing.input("torch", "self")
    for name in names:
        x = drawing.add("Linear", x, out_features=E(name))
    x = drawing.add("Reshape", x, shape=(E("torch"), E("__d")))
    drawing.add("Output", x)
    module = built(code(drawing))
    assert [p.shape[0] for p in module.parameters()][::2] == list(names.values())
    assert module(torch.zeros(5, 3)).shape == (5, 2)


# Size and sameness


def test_large_flat_designs_compile() -> None:
    drawing = Drawing()
    document = drawing.editor.document
    x = edits.add_node("Input", (0.0, 0.0), {"shape": (E("B"), 4)})
    here, four = (0.0, 0.0), {"out_features": 4}
    layers = [edits.add_node("Linear", here, four, f"fc{n}") for n in range(1500)]
    wires = [edits.connect(Source(n, "out"), Target(n + 1, "x")) for n in range(1, 1501)]
    fan = [edits.connect(Source(n + 2, "out"), Target(1502, "xs", n)) for n in range(1500)]
    ends = [edits.add_node("Add", here), edits.add_node("Output", here)]
    last = edits.connect(Source(1502, "out"), Target(1503, "x"))
    parts = [x, *layers, *wires, *ends, *fan, last]
    document, _ = drafted(document, edits.all_of(parts))
    text = write(Analysis(document), "large").text
    module = built(text)
    inputs = [torch.randn(2, 4)]
    torch.testing.assert_close(module(*inputs), drawn(document, module, inputs)[0])


def test_the_same_design_gives_the_same_bytes_in_any_run() -> None:
    script = (
        "import sys; from random import Random; from tests.export.designs import *;"
        "documents = [random_design(Random(seed)) for seed in range(6)];"
        "sys.stdout.write(''.join(write(Analysis(d), d.title).text for d in documents))"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1]
    assert outputs[0].count(HEADER.encode()) == 6


def test_moving_layers_changes_nothing() -> None:
    drawing = Drawing()
    cifar10(drawing)
    before = code(drawing)
    drawing.do(edits.move({id: (float(-id), 7.0) for id in drawing.editor.document.graph.nodes}))
    assert code(drawing) == before


# Equal to the drawing


def compare_with_drawing(document: Document) -> None:
    """Keys, their order, shapes, roles, totals, and what the forward pass computes."""
    analysis = Analysis(document)
    module = built(write(analysis, document.title).text)
    sizes = trials(analysis)
    state = [(key, list(tensor.shape)) for key, tensor in module.state_dict().items()]
    assert state == [
        (row.key, [size.value(size.substitute(axis, sizes)) for axis in row.param.shape])
        for row in count.rows(analysis)
    ]
    parameters = list(module.parameters())
    assert sum(p.numel() for p in parameters) == analysis.counted.parameters
    assert sum(p.numel() for p in parameters if p.requires_grad) == analysis.trainable
    inputs = random_inputs(document)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        returned = module(*inputs)
        expected = drawn(document, module, inputs)
    outputs = returned if isinstance(returned, tuple) else (returned,)
    assert len(outputs) == len(expected)
    for got, wanted in zip(outputs, expected, strict=True):
        torch.testing.assert_close(got, wanted, equal_nan=True)


@pytest.fixture
def cache(request: pytest.FixtureRequest) -> pytest.Cache:
    """Pytest's folder for what the next run can use again."""
    found = request.config.cache
    assert found is not None
    return found


# Random designs do what PyTorch warns of: fewer axes than usual, empty ones, broadcast targets.
@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=60)
@given(st.integers(0, 10**9))
def test_random_designs_compute_what_is_drawn(seed: int) -> None:
    compare_with_drawing(random_design(Random(seed)))


def test_random_designs_are_well_written(tmp_path: Path, cache: pytest.Cache) -> None:
    for seed in range(60):
        document = random_design(Random(seed))
        (tmp_path / f"design_{seed}.py").write_text(write(Analysis(document), document.title).text)
    run_tool("ruff", "format", "--isolated", "--no-cache", "--check", str(tmp_path))
    run_tool("ruff", *LINT, str(tmp_path))
    files = [str(path) for path in sorted(tmp_path.glob("*.py"))[:20]]
    kept = cache.mkdir("mypy-of-exported-code")  # reading torch's types takes most of the time
    run_tool("mypy", "--config-file=", f"--cache-dir={kept}", "--disallow-untyped-defs", *files)


def test_a_variable_that_is_worked_out_from_others() -> None:
    drawing = Drawing(d=8, p=0.5, half=E("p / 2"), q=E("half"), flag=True, other=E("flag"))
    drawing.do(edits.set_variable("wide", Variable(E("4*d"))))
    x = drawing.input("B", "d")
    x = drawing.add("Linear", x, out_features=E("wide"), bias=E("other"))
    x = drawing.add("Dropout", x, p=E("q"))
    drawing.add("Output", x)
    text = code(drawing)
    module: Any = built(text, d=6, p=0.2, flag=False)
    assert module.fc1.weight.shape == (24, 6)
    assert module.fc1.bias is None
    assert module.drop1.p == 0.1
