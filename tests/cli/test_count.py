"""`netdraft count`: the table for people, and JSON for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from designer.cli import count
from designer.cli.count import Line, grouped
from designer.core import edits
from designer.core.expression import Expression
from designer.core.graph import Source, Target
from tests.cli.command import netdraft, saved
from tests.core.drawing import Drawing, cifar10
from tests.export.designs import exported

if TYPE_CHECKING:
    from pathlib import Path

E = Expression


def counted(path: Path | str) -> dict[str, Any]:
    """What `count --json` prints."""
    done = netdraft("count", path, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_sum_of_a_large_mlp_is_plain() -> None:
    done = netdraft("count", "mlp-100")
    assert done.returncode == 0
    total = "642,008,005,000 = 8,000,080,000 + 99 × 6,400,080,000 + 400,005,000"
    assert f"parameters  {total}\n" in done.stdout
    (line,) = [line for line in done.stdout.splitlines() if "×99" in line]
    assert line.split() == ["hidden", "Hidden", "×99", "[B,", "80000]", "633,607,920,000", "98.7%"]


def test_the_table_of_a_cnn(tmp_path: Path) -> None:
    drawing = Drawing()
    cifar10(drawing)
    done = netdraft("count", saved(drawing.editor.document, tmp_path))
    assert done.returncode == 0
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[:3] == [
        "layer     kind       output           parameters  share",
        "input1    Input      [B, 3, 32, 32]",
        "conv1     Conv2d     [B, 32, 30, 30]         896   0.6%",
    ]
    assert lines[-7:] == [
        "parameters  160,202 = 896 + 18,496 + 73,856 + 65,664 + 1,290",
        "trainable   160,202",
        "weights     159,840",
        "biases      362",
        "buffers     0",
        "memory      625.8 KiB in fp32, 312.9 KiB in bf16, 156.4 KiB in int8",
        "operations  10.3 MFLOP; element-wise, apart: 125.3 kFLOP",
    ]


@pytest.mark.parametrize(
    ("example", "parameters", "weights", "biases"),
    [
        ("gpt2", 124_439_808, 124_337_664, 102_144),
        ("cifar10-cnn", 160_202, 159_840, 362),
        ("linear-regression", 2, 1, 1),
        ("mlp-100", 642_008_005_000, 642_000_000_000, 8_005_000),
    ],
)
def test_examples(example: str, parameters: int, weights: int, biases: int) -> None:
    found = counted(example)
    assert (found["parameters"], found["trainable"]) == (parameters, parameters)
    assert (found["weights"], found["biases"]) == (weights, biases)
    assert (found["known"], found["problems"], found["buffers"]) == (True, [], 0)


def test_json_has_every_tensor_of_the_state_dict(tmp_path: Path) -> None:
    drawing = Drawing()
    tokens = drawing.input("B", "T", dtype="int64")
    wte = drawing.add("Embedding", tokens, num_embeddings=50, embedding_dim=8, name="wte")
    x = drawing.add("Transpose", wte, dim0=1, dim1=2)
    x = drawing.add("Transpose", drawing.add("BatchNorm1d", x, name="bn"), dim0=1, dim1=2)
    head = drawing.add("Linear", x, out_features=50, name="head")
    drawing.tie(head, wte)
    drawing.do(edits.set_trainable([wte], False))
    drawing.add("Output", head, name="logits")
    document = drawing.editor.document
    found = counted(saved(document, tmp_path))
    assert list(found) == [
        "parameters",
        "trainable",
        "active",
        "buffers",
        "weights",
        "biases",
        "known",
        "flops",
        "elementwise",
        "tensors",
        "outputs",
        "problems",
    ]
    assert found["tensors"][0] == {
        "name": "wte.weight",
        "shape": [50, 8],
        "role": "weight",
        "norm": False,
        "trainable": False,
        "shared_with": None,
    }
    shared = {row["name"]: row["shared_with"] for row in found["tensors"] if row["shared_with"]}
    assert shared == {"head.weight": "wte.weight"}
    assert {row["name"] for row in found["tensors"] if row["norm"]} == {
        f"bn.{name}"
        for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    }
    assert (found["parameters"], found["trainable"], found["buffers"]) == (466, 66, 17)
    assert found["outputs"] == [{"name": "logits", "shape": ["B", "T", 50], "dtype": "float32"}]
    state = exported(document).state_dict()
    assert [row["name"] for row in found["tensors"]] == list(state)
    assert [row["shape"] for row in found["tensors"]] == [list(t.shape) for t in state.values()]


EXPERT = 3 * 16 * 32


def mixture() -> Drawing:
    """Eight experts of which each token goes to two."""
    drawing = Drawing()
    options = {"num_experts": 8, "top_k": 2, "d_hidden": 32}
    moe = drawing.add("MixtureOfExperts", drawing.input("B", 16), name="moe", **options)
    drawing.add("Output", moe)
    return drawing


def test_experts_are_counted_in_all_and_per_token(tmp_path: Path) -> None:
    path = saved(mixture().editor.document, tmp_path)
    lines = netdraft("count", path).stdout.splitlines()
    assert f"parameters        {8 * EXPERT + 128:,} = {8 * EXPERT + 128:,}" not in lines
    assert f"parameters        {8 * EXPERT + 128:,}" in lines
    assert f"active per token  {2 * EXPERT + 128:,}" in lines
    found = counted(path)
    assert found["active"] == 2 * EXPERT + 128
    assert [row["name"] for row in found["tensors"]][1::3] == [
        f"moe.experts.{place}.gate_proj.weight" for place in range(8)
    ]
    assert not any("copies" in row for row in found["tensors"])


def test_tensors_too_many_to_list_are_told_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(count, "MOST_LISTED", 24)
    found = count.plain(mixture().editor.analysis)["tensors"]
    assert [row["name"] for row in found] == [
        "moe.gate.weight",
        *(f"moe.experts.0…7.{part}_proj.weight" for part in ("gate", "up", "down")),
    ]
    assert [row.get("copies") for row in found] == [None, 8, 8, 8]
    monkeypatch.setattr(count, "MOST_LISTED", 25)
    assert len(count.plain(mixture().editor.analysis)["tensors"]) == 25


def test_what_is_unknown_is_null(tmp_path: Path) -> None:
    drawing = Drawing()
    drawing.add("Output", drawing.add("Linear", out_features=4))
    done = netdraft("count", saved(drawing.editor.document, tmp_path), "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found["known"] is False
    assert found["tensors"][0]["shape"] == [4, None]
    assert found["outputs"][0]["shape"] is None
    assert found["problems"] == [
        {
            "severity": "incomplete",
            "layer": "fc1",
            "port": "x",
            "option": None,
            "message": "Nothing is connected to x yet.",
        }
    ]


def test_a_total_with_something_unknown_is_a_lower_bound(tmp_path: Path) -> None:
    drawing = Drawing()
    x = drawing.input("B", 3)
    drawing.add("Output", drawing.add("Linear", x, out_features=2))
    drawing.add("Linear", out_features=4)
    done = netdraft("count", saved(drawing.editor.document, tmp_path))
    assert done.returncode == 1
    assert done.stderr == "fc2: Nothing is connected to x yet.\n"
    assert "\nparameters  ≥ 12\n" in done.stdout
    assert "\nmemory      ≥ 48 B in fp32, ≥ 24 B in bf16, ≥ 12 B in int8\n" in done.stdout
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("fc2")]
    assert line.split() == ["fc2", "Linear", "[…,", "4]", "?"]


def test_an_error_in_the_design_is_told(tmp_path: Path) -> None:
    drawing = Drawing()
    cifar10(drawing, flatten=False, in_features=512)
    done = netdraft("count", saved(drawing.editor.document, tmp_path))
    assert done.returncode == 1
    assert done.stderr == "fc1: Linear expects [..., 512], got [B, 128, 2, 2].\n"


def test_a_table_has_one_line_for_a_layer_with_several_outputs(tmp_path: Path) -> None:
    drawing = Drawing()
    split = drawing.add("Split", drawing.input("B", 6), chunks=2, dim=-1)
    end = drawing.add("Output", name="half")
    drawing.do(edits.connect(Source(split, "out1"), Target(end, "x")))
    done = netdraft("count", saved(drawing.editor.document, tmp_path))
    assert "[B, 3], [B, 3]" in done.stdout
    assert "\nhalf    Output  [B, 3]\n" in done.stdout


def lines(*parts: str) -> list[Line]:
    return [Line(f"{kind}{n}", kind, "[B]", 5) for n, kind in enumerate(" ".join(parts).split())]


def test_repeated_groups_are_written_once() -> None:
    layers = lines("in", "fc relu " * 4, "fc", "out")
    assert [(line.kind, line.times) for line in grouped(layers)] == [
        ("in", 1),
        ("fc", 4),
        ("relu", 4),
        ("fc", 1),
        ("out", 1),
    ]
    assert [line.name for line in grouped(layers)][1:3] == ["fc1 … fc7", "relu2 … relu8"]


def test_what_repeats_twice_only_is_written_out() -> None:
    layers = lines("fc relu fc relu", "out")
    assert list(grouped(layers)) == layers


def test_groups_that_differ_in_a_number_are_not_alike() -> None:
    layers = [Line(f"fc{n}", "fc", "[B]", n) for n in range(9)]
    assert list(grouped(layers)) == layers


def test_grouping_loses_no_parameters() -> None:
    layers = lines("a b a b a b a b c c c c d", "b a " * 3)
    assert sum((line.parameters or 0) * line.times for line in grouped(layers)) == 5 * len(layers)


def test_a_design_with_variables_has_a_formula() -> None:
    lines = netdraft("count", "gpt2").stdout.splitlines()
    formula = lines[-1].removeprefix("formula").strip()
    sizes = {"d_model": 768, "n_layers": 12, "n_ctx": 1024, "vocab": 50257}
    assert eval(formula, sizes) == 124_439_808


def test_a_tied_layer_says_where_it_is_counted() -> None:
    lines = netdraft("count", "gpt2").stdout.splitlines()
    head = next(line for line in lines if line.startswith("lm_head"))
    assert head.split() == [
        "lm_head",
        "Linear",
        "[B,",
        "T,",
        "50257]",
        "0",
        *["tied", "to", "wte.weight"],
    ]
