"""The comparison with torch finds what differs, and says why where it cannot be made."""

from __future__ import annotations

import json
import runpy
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch

from designer import resources
from designer.core import edits
from designer.core.document import Dimension
from designer.core.expression import Expression
from designer.export import check as checking
from designer.export.check import Report, check
from designer.export.pytorch import ExportError, Source, write
from designer.files.codec import read_document
from tests.core.drawing import Drawing

if TYPE_CHECKING:
    from pathlib import Path

    from designer.core.analysis import Analysis

E = Expression


def outcomes(report: Report) -> dict[str, list[str]]:
    """The differences of each case that was run."""
    assert report.failure is None, str(report.failure)
    return {
        str(case.name): [str(difference) for difference in case.differences]
        for case in report.cases
        if case.skipped is None
    }


def skipped(report: Report) -> dict[str, str]:
    """Why cases were not run."""
    return {str(case.name): str(case.skipped) for case in report.cases if case.skipped}


def small() -> Drawing:
    """Embedding, LSTM, batch normalisation and a tied head, over a variable."""
    drawing = Drawing(d=8, flag=True)
    drawing.do(edits.set_dimension("B", Dimension("batch", trial=2)))
    tokens = drawing.input("B", "T", dtype="int64")
    x = emb = drawing.add("Embedding", tokens, num_embeddings=20, embedding_dim=E("d"), name="emb")
    x = drawing.add("LSTM", x, hidden_size=E("d"), batch_first=True)
    x = drawing.add("BatchNorm1d", drawing.add("Transpose", x, dim0=1, dim1=2))
    x = drawing.add("Linear", drawing.add("Transpose", x), out_features=E("d"), bias=E("flag"))
    head = drawing.add("Linear", x, out_features=20, bias=False, name="head")
    drawing.tie(head, emb)
    drawing.add("Output", head, name="logits")
    return drawing


def test_a_design_matches_in_every_setting() -> None:
    report = check(small().editor.document)
    assert report.matches
    assert report.torch == torch.__version__
    names = ["as drawn", "other sizes", "small sizes", "variables doubled"]
    names += ["variables stepped", "variables reduced", "flags turned round"]
    assert outcomes(report) == {name: [] for name in names}
    assert {case.device for case in report.cases} == {"cpu"}


def test_an_example_too_large_for_the_cpu() -> None:
    path = resources.path("gallery", "mlp-100.netdraft")
    report = check(read_document(path.read_bytes(), path.name).document)
    assert report.matches
    devices = {str(case.name): case.device for case in report.cases}
    assert devices["as drawn"] == "meta"
    assert devices["variables reduced"] == "cpu"


BREAKS = {
    "self.head.weight = self.emb.weight": (
        "pass",
        [
            "head.weight should be the tensor of emb.weight, and is that of head.weight.",
            "The module has 984 parameters, not 824.",
        ],
    ),
    "nn.LSTM(d, d, batch_first=True)": (
        "nn.LSTM(d, d, bias=False, batch_first=True)",
        [
            "lstm1.bias_ih_l0 is not in the module.",
            "lstm1.bias_hh_l0 is not in the module.",
            "The module has 760 parameters, not 824.",
        ],
    ),
    "nn.BatchNorm1d(d)": (
        "nn.BatchNorm1d(d, track_running_stats=False)",
        [
            f"bn1.{name} is not in the module."
            for name in ("running_mean", "running_var", "num_batches_tracked")
        ],
    ),
    "self.lstm1 = ": (
        "self.lstm0 = self.lstm1 = ",
        [
            f"lstm0.{name} is in the module, but not in the drawing."
            for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        ],
    ),
    "nn.Linear(d, d, bias=flag)": (
        "nn.Linear(d, d, bias=flag).requires_grad_(False)",
        [
            "fc1.weight: trained is False, not True.",
            "fc1.bias: trained is False, not True.",
        ],
    ),
    "return self.head(x)": (
        "return self.head(x)[:1]",
        ["logits comes out as [1, 8, 20], not [2, 8, 20]."],
    ),
    "-> Tensor:": (
        "-> Tensor:\n        return self.head(self.emb(input1)).double()",
        ["logits comes out as float64, not float32."],
    ),
    "return self.head(": (
        "return 1 / 0 + self.head(",
        ["The module raises ZeroDivisionError: division by zero"],
    ),
}


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs the probe in this process, which has torch loaded already."""
    probe = runpy.run_path(str(resources.path("probe", "check_module.py")))

    def ask(python: str, request: dict[str, Any], *_: object) -> Any:
        return json.loads(json.dumps(probe["answer"](json.loads(json.dumps(request)))))

    monkeypatch.setattr(checking, "_ask", ask)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("old", BREAKS)
def test_a_difference_is_found(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    new, expected = BREAKS[old]

    def broken(analysis: Analysis, title: str) -> Source:
        source = write(analysis, title)
        assert old in source.text, source.text
        text = source.text.replace(old, new).replace("from torch", "import torch\nfrom torch", 1)
        return replace(source, text=text)

    monkeypatch.setattr(checking, "write", broken)
    report = check(small().editor.document)
    assert not report.matches
    assert outcomes(report)["as drawn"] == expected


@pytest.mark.usefixtures("at_once")
def test_the_order_of_keys_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    def swapped(analysis: Analysis, title: str) -> Source:
        source = write(analysis, title)
        lines = source.text.splitlines()
        place = next(n for n, line in enumerate(lines) if "self.fc1 =" in line)
        lines[place], lines[place - 1] = lines[place - 1], lines[place]
        return replace(source, text="\n".join(lines))

    monkeypatch.setattr(checking, "write", swapped)
    drawing = Drawing()
    x = drawing.add("Linear", drawing.input("B", 3), name="fc0", out_features=3)
    drawing.add("Output", drawing.add("Linear", x, name="fc1", out_features=3))
    found = outcomes(check(drawing.editor.document))["as drawn"]
    assert found == ["fc0.weight comes where the module has fc1.weight."]


@pytest.mark.usefixtures("at_once")
def test_settings_in_which_a_design_does_not_hold_are_said() -> None:
    drawing = Drawing(d=8)
    drawing.do(edits.set_dimension("H", Dimension(trial=24, multiple=16)))
    x = drawing.add("Linear", drawing.input("B", "d"), in_features=8, out_features=4)
    y = drawing.add("Flatten", drawing.input("T", "H"), start_dim=0)
    drawing.add("Output", x)
    drawing.add("Output", y)
    report = check(drawing.editor.document)
    assert skipped(report) == {
        "as drawn": "H = 24 is not a multiple of 16.",
        "other sizes": "H = 40 is not a multiple of 16.",
        "variables doubled": "H = 24 is not a multiple of 16.",
        "variables stepped": "H = 24 is not a multiple of 16.",
    }
    drawing.do(edits.set_dimension("H", Dimension(trial=32, multiple=16)))
    report = check(drawing.editor.document)
    assert report.matches
    wrong = "Linear expects [..., 8], got [B, d]."
    assert skipped(report) == {"variables doubled": wrong, "variables stepped": wrong}


@pytest.mark.usefixtures("at_once")
def test_sizes_that_divide_only_sometimes_are_no_fault_of_the_export() -> None:
    drawing = Drawing()
    drawing.do(edits.set_dimension("T", Dimension(trial=8)))
    x = drawing.input("T", 3)
    drawing.add("Output", drawing.add("Reshape", x, shape=(-1, 4)))
    report = check(drawing.editor.document)
    assert report.matches
    assert list(skipped(report)) == ["other sizes", "small sizes"]


def test_a_design_with_problems_is_not_compared() -> None:
    with pytest.raises(ExportError, match="no Input yet"):
        check(Drawing().editor.document)


def failure(python: str, seconds: float = 60) -> str:
    """Why nothing was compared."""
    drawing = Drawing()
    drawing.add("Output", drawing.add("ReLU", drawing.input("B", 3)))
    report = check(drawing.editor.document, python, seconds)
    assert not report.matches
    assert report.failure is not None
    return str(report.failure)


def script(folder: Path, text: str) -> str:
    """An executable that stands in for a Python."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_failures_of_the_child_are_sentences(tmp_path: Path) -> None:
    missing = str(tmp_path / "nothing")
    assert failure(missing) == f"{missing} cannot be run: No such file or directory"
    python = script(tmp_path, "echo no module named torch >&2; exit 3")
    assert failure(python) == f"{python} failed: no module named torch"
    python = script(tmp_path, "kill -9 $$")
    assert failure(python) == f"{python} failed: signal 9"
    python = script(tmp_path, "echo hello")
    assert failure(python) == f"{python} gave no answer."
    python = script(tmp_path, "exec sleep 60")
    assert failure(python, seconds=0.2) == "The comparison took longer than 0.2 s."


def test_a_python_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(checking.SETTING, raising=False)
    assert checking.find_python() == sys.executable
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(checking.CheckError, match="No Python with torch was found"):
        checking.find_python()
    (tmp_path / "python3").symlink_to(script(tmp_path, "exit 1"))
    with pytest.raises(checking.CheckError):
        checking.find_python()
    script(tmp_path, f'exec {sys.executable} "$@"')
    assert checking.find_python() == str(tmp_path / "python3")
    monkeypatch.setenv(checking.SETTING, "/a/python")
    assert checking.find_python() == "/a/python"
