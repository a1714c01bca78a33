"""The designs that ship with the program are the networks they are named after."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest
import torch

import designer.layers  # noqa: F401  (fills the catalogue)
from designer import resources
from designer.cli.main import main
from designer.core import cost, count, edits, size
from designer.core.analysis import Analysis
from designer.core.document import Document, Variable, drafted
from designer.core.editor import Editor
from designer.core.graph import ParamRef
from designer.core.message import message
from designer.export.check import check
from designer.export.pytorch import export_problems, write
from designer.files.codec import read_document, write_document
from designer.ui.canvas.drawing import Drawing
from designer.ui.canvas.geometry import crosses
from designer.ui.canvas.texts import Texts
from designer.ui.theme import load_fonts
from tests import facts
from tests.export.designs import built

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QApplication

    from designer.core.document import Edit
    from designer.core.graph import NodeId

MODELS = {
    "cifar10-cnn": "cifar10_cnn_torch",
    "gpt2": "gpt2_small",
    "mlp-100": "mlp_100000_80000_100_hidden_5000",
}
"""The design's real counterpart among the facts."""

NAMES = [*MODELS, "linear-regression"]
STEP = message("Change")
LINT = ("check", "--isolated", "--no-cache", "--select", "E,F,I,B,UP,SIM")


def stored(name: str) -> bytes:
    """The bytes of a design of the gallery."""
    return resources.path("gallery", f"{name}.netdraft").read_bytes()


def document(name: str) -> Document:
    """A design of the gallery."""
    return read_document(stored(name), name).document


def editor(name: str) -> Editor:
    """An editor on a design of the gallery."""
    return Editor(document(name))


def named(doc: Document) -> dict[str, NodeId]:
    """The ids of the layers by name."""
    return {node.name: id for id, node in doc.graph.nodes.items()}


def valued(doc: Document, **values: Any) -> Edit:
    """The edit that gives variables of a document other values."""
    changed = (
        edits.set_variable(name, with_value(doc.variables[name], value))
        for name, value in values.items()
    )
    return edits.all_of(changed)


def with_value(variable: Variable, value: Any) -> Variable:
    """The variable with another value."""
    return Variable(value, variable.note, variable.choices, variable.divisors)


def code(doc: Document) -> str:
    """The exported code of a document."""
    return write(Analysis(doc), doc.title).text


# Every design


@pytest.mark.parametrize("name", NAMES)
def test_a_design_is_stored_as_it_would_be_saved(name: str) -> None:
    loaded = read_document(stored(name), name)
    assert loaded.notices == ()
    assert write_document(loaded.document) == stored(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_design_has_no_problems(name: str) -> None:
    analysis = Analysis(document(name))
    assert [str(problem.message) for problem in analysis.problems()] == []
    assert [str(problem.message) for problem in export_problems(analysis)] == []


@pytest.mark.parametrize("name", NAMES)
def test_nothing_overlaps_and_no_wire_runs_through_a_layer(name: str, qapp: QApplication) -> None:
    load_fonts()
    drawing = Drawing(Texts().width)
    drawing.read(editor(name))
    boxes = {id: card.box for id, card in drawing.cards.items()}
    assert len(boxes) == len(drawing.graph.nodes)
    assert [pair for pair in combinations(boxes.values(), 2) if pair[0].meets(pair[1])] == []
    for target, wire in drawing.wires.items():
        ends = (wire.edge.source.node, target.node)
        line = drawing.route(target).line
        through = [id for id, box in boxes.items() if id not in ends and crosses(line, box)]
        assert through == [], f"the wire between {ends}"


@pytest.mark.parametrize("name", NAMES)
def test_a_design_runs_downwards_and_on_in_columns_to_the_right(name: str) -> None:
    doc = document(name)
    for edge in doc.graph.edges():
        (x, y), (next_x, next_y) = doc.layout[edge.source.node], doc.layout[edge.target.node]
        assert next_y > y or next_x > x


@pytest.mark.parametrize("name", MODELS)
def test_totals_are_those_of_the_real_model(name: str) -> None:
    fact = facts.model(MODELS[name])
    totals, split = Analysis(document(name)).totals(), fact["split"]
    assert totals.known
    assert totals.parameters == fact["totals"]["params"]
    assert totals.trainable == fact["totals"]["trainable"]
    assert totals.weights == split["weight"] + split["norm_weight"]
    assert totals.biases == split["bias"] + split["norm_bias"]
    assert totals.buffers == fact["totals"]["buffers"]


@pytest.mark.parametrize("name", MODELS)
def test_operations_are_those_of_the_real_model(name: str) -> None:
    (run,) = facts.model(MODELS[name])["forward"]
    forward = cost.forward(Analysis(document(name)))
    assert forward.until is None
    assert forward.flops == run["flops"]


@pytest.mark.parametrize("name", MODELS)
def test_the_state_dict_is_that_of_the_real_model(name: str) -> None:
    real = [(last_part(row.name), as_stored(row)) for row in facts.state(MODELS[name])]
    rows = list(count.rows(Analysis(document(name))))
    assert [(last_part(row.key), values(row)) for row in rows] == real


def values(row: count.Row) -> tuple[int | None, ...]:
    """The shape of a row as numbers."""
    return tuple(size.value(axis) for axis in row.param.shape)


def last_part(name: str) -> str:
    """`weight` of `h.0.mlp.c_fc.weight`."""
    return name.rpartition(".")[2]


def as_stored(row: facts.Row) -> tuple[int, ...]:
    """The shape of a row as a Linear has it: the Conv1D of the real GPT-2 is transposed."""
    turned = ".attn.c_" in row.name or ".mlp.c_" in row.name
    return row.shape[::-1] if turned else row.shape


@pytest.mark.parametrize("name", NAMES)
def test_the_exported_module_has_exactly_these_tensors(name: str) -> None:
    analysis = Analysis(document(name))
    with torch.device("meta"):
        module = built(code(analysis.document))
    rows = list(count.rows(analysis))
    assert [(key, tuple(tensor.shape)) for key, tensor in module.state_dict().items()] == [
        (row.key, values(row)) for row in rows
    ]
    assert sum(p.numel() for p in module.parameters()) == analysis.totals().parameters
    owners = {row.key: row.owner for row in rows if row.owner}
    for key, owner in owners.items():
        assert module.get_parameter(key) is module.get_parameter(owner)


@pytest.mark.parametrize("name", NAMES)
def test_a_python_with_torch_finds_no_difference(name: str) -> None:
    report = check(document(name), sys.executable)
    assert [case.differences for case in report.cases if case.differences] == []
    # The table of positions of GPT-2 is no longer than its trial number of tokens.
    beyond = ["PositionEmbedding has 1024 positions, got 1025."] if name == "gpt2" else []
    assert [str(case.skipped) for case in report.cases if case.skipped] == beyond
    assert report.matches, report.failure


def test_the_code_is_formatted_and_clean(tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / f"{name.replace('-', '_')}.py").write_text(code(document(name)))
    for arguments in (("format", "--isolated", "--no-cache", "--check"), LINT):
        command = [sys.executable, "-m", "ruff", *arguments, str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("linear-regression", "parameters  2"),
        ("cifar10-cnn", "parameters  160,202 = 896 + 18,496 + 73,856 + 65,664 + 1,290"),
        (
            "mlp-100",
            "parameters  642,008,005,000 = 8,000,080,000 + 99 × 6,400,080,000 + 400,005,000",
        ),
        (
            "gpt2",
            "parameters  124,439,808 = 38,597,376 + 786,432 + 12 × 7,087,872 + 1,536",
        ),
    ],
)
def test_the_command_prints_the_total(
    name: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["count", name]) == 0
    assert line in capsys.readouterr().out.splitlines()
    assert main(["count", name, "--json"]) == 0
    counted = json.loads(capsys.readouterr().out)
    assert f"parameters  {counted['parameters']:,}" == line.partition(" =")[0]
    assert counted["known"]
    assert counted["problems"] == []
    assert sum(math.prod(t["shape"]) for t in counted["tensors"] if not t["shared_with"]) == (
        counted["parameters"] + counted["buffers"]
    )


# Linear regression


def test_linear_regression_has_a_slope_and_an_offset() -> None:
    analysis = Analysis(document("linear-regression"))
    assert [(row.key, row.param.shape) for row in count.rows(analysis)] == [
        ("linear.weight", (1, 1)),
        ("linear.bias", (1,)),
    ]
    assert analysis.totals().parameters == 2
    line: Any = built(code(analysis.document))
    x = torch.tensor([[-2.0], [0.5], [3.0]])
    torch.testing.assert_close(line(x), line.linear.weight * x + line.linear.bias)


# The CIFAR-10 CNN


def test_every_layer_of_the_cnn_gives_the_shape_of_the_real_one() -> None:
    (run,) = facts.model("cifar10_cnn_torch")["forward"]
    analysis = Analysis(document("cifar10-cnn"))
    nodes = analysis.document.graph.nodes
    drawn = [
        (nodes[id].kind, [str(axis) for axis in analysis.findings[id].outputs["out"].shape[1:]])
        for id in analysis.network.ordered()
        if nodes[id].kind not in ("Input", "Output")
    ]
    assert drawn == [
        (kind, [str(axis) for axis in shape[1:]]) for _, kind, _, shape in run["trace"]
    ]


@pytest.mark.parametrize(
    ("layer", "shape", "parameters"),
    [
        ("conv1", "[B, 32, 30, 30]", 896),
        ("pool1", "[B, 32, 15, 15]", 0),
        ("conv2", "[B, 64, 13, 13]", 18_496),
        ("pool2", "[B, 64, 6, 6]", 0),
        ("conv3", "[B, 128, 4, 4]", 73_856),
        ("pool3", "[B, 128, 2, 2]", 0),
        ("flatten", "[B, 512]", 0),
        ("fc1", "[B, 128]", 65_664),
        ("fc2", "[B, 10]", 1_290),
    ],
)
def test_shapes_and_counts_of_the_cnn(layer: str, shape: str, parameters: int) -> None:
    analysis = Analysis(document("cifar10-cnn"))
    finding = analysis.findings[named(analysis.document)[layer]]
    assert str(finding.outputs["out"]) == shape
    assert finding.counted.parameters == parameters


def test_the_cnn_without_its_third_pooling() -> None:
    cnn = editor("cifar10-cnn")
    cnn.apply(edits.take_out(named(cnn.document)["pool3"]), STEP)
    assert cnn.analysis.totals().parameters == 356_810


# The MLP of 100 hidden layers


def test_the_count_of_the_mlp_layer_by_layer() -> None:
    analysis = Analysis(document("mlp-100"))
    counts = [f.counted.parameters for _, f in sorted(analysis.findings.items()) if f.params]
    assert counts == [8_000_080_000, 99 * 6_400_080_000, 400_005_000]
    assert sum(counts) == analysis.totals().parameters == 642_008_005_000


@pytest.mark.parametrize("hidden", [1, 2])
def test_the_mlp_with_fewer_hidden_layers(hidden: int) -> None:
    mlp = editor("mlp-100")
    if hidden == 1:
        mlp.apply(edits.take_out(named(mlp.document)["hidden"]), STEP)
    else:
        mlp.apply(valued(mlp.document, n_hidden=hidden), STEP)
    fact = facts.model(f"mlp_100000_80000_{hidden}_hidden_5000")
    assert mlp.analysis.totals().parameters == fact["totals"]["params"]


def test_the_mlp_follows_its_variables() -> None:
    mlp = editor("mlp-100")
    mlp.apply(valued(mlp.document, width=300, inputs=784, outputs=10), STEP)
    assert mlp.analysis.totals().parameters == (784 + 1) * 300 + 99 * 301 * 300 + 301 * 10


# GPT-2


def transformer(d_model: int, layers: int, vocab: int, n_ctx: int) -> int:
    """The parameters of a GPT-2 whose head is the token embedding."""
    attention = d_model * 3 * d_model + 3 * d_model + d_model * d_model + d_model
    mlp = d_model * 4 * d_model + 4 * d_model + 4 * d_model * d_model + d_model
    norm = 2 * d_model
    return (vocab + n_ctx) * d_model + layers * (attention + mlp + 2 * norm) + norm


def test_the_formula_counts_real_models() -> None:
    for id in ("gpt2_small", "gpt2_medium"):
        fact = facts.model(id)
        config = fact["config"]
        sizes = (config["n_embd"], config["n_layer"], config["vocab_size"], config["n_positions"])
        assert transformer(*sizes) == fact["totals"]["params"] == fact["published"]


@pytest.mark.parametrize(
    "values",
    [
        {"d_model": 1024, "n_heads": 16},
        {"d_model": 1600, "n_heads": 25, "n_ctx": 2048},
        {"vocab": 50_304},
        {"n_heads": 8},
        {"d_model": 64, "n_heads": 4, "vocab": 11, "n_ctx": 6},
    ],
)
def test_gpt2_follows_its_variables(values: dict[str, int]) -> None:
    gpt2 = editor("gpt2")
    before = gpt2.document
    gpt2.apply(valued(before, **values), STEP)
    sizes = {"d_model": 768, "vocab": 50_257, "n_ctx": 1024, **values}
    sizes.pop("n_heads", None)
    assert gpt2.analysis.problems() == []
    assert gpt2.analysis.totals().parameters == transformer(layers=12, **sizes)
    formula = count.symbolic_total(gpt2.analysis)
    assert size.value(formula) == gpt2.analysis.totals().parameters
    gpt2.undo()
    assert gpt2.document == before
    assert gpt2.analysis.totals().parameters == 124_439_808


def test_a_width_that_the_heads_do_not_divide_is_a_problem() -> None:
    gpt2 = editor("gpt2")
    gpt2.apply(valued(gpt2.document, n_heads=7), STEP)
    assert "error" in {problem.severity for problem in gpt2.analysis.problems()}


def test_the_head_of_gpt2_is_its_token_embedding() -> None:
    gpt2 = editor("gpt2")
    ids = named(gpt2.document)
    fact = facts.model("gpt2_small")
    names = {"transformer.wte.weight": "wte.weight", "lm_head.weight": "lm_head.weight"}
    tied = {row.key: row.owner for row in count.rows(gpt2.analysis) if row.owner}
    assert [[names[name] for name in group] for group in fact["tied"]] == [
        [owner, key] for key, owner in tied.items()
    ]
    gpt2.apply(edits.untie(ParamRef(ids["lm_head"], "weight")), STEP)
    twice = fact["totals"]["params_counting_tied_twice"]
    assert gpt2.analysis.totals().parameters == twice == 163_037_184
    gpt2.undo()
    assert gpt2.analysis.totals().parameters == 124_439_808


def test_weights_and_biases_of_gpt2_split_at_the_norms() -> None:
    split = facts.model("gpt2_small")["split"]
    found = {"weight": 0, "bias": 0, "norm_weight": 0, "norm_bias": 0}
    analysis = Analysis(document("gpt2"))
    for row in count.rows(analysis):
        if row.owner is None:
            found[f"{'norm_' * row.norm}{row.param.part}"] += size.value(row.param.count) or 0
    assert found == {part: split[part] for part in found}
    assert (analysis.totals().weights, analysis.totals().biases) == (124_337_664, 102_144)


def test_gpt2_drops_values_in_training_only() -> None:
    sizes = {"d_model": 24, "n_heads": 3, "vocab": 37, "n_ctx": 9}
    doc = document("gpt2")
    torch.manual_seed(0)
    tokens = torch.randint(37, (2, 7))
    for p_drop in (0.0, 0.5):
        module = built(code(drafted(doc, valued(doc, **sizes, p_drop=p_drop))[0]))
        module.load_state_dict(module.state_dict() | {"ln_f.weight": torch.full((24,), 3.0)})
        still, trained = module(tokens), module.train()(tokens)
        assert torch.allclose(still, trained, atol=1e-5) == (p_drop == 0)
