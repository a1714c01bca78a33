"""`netdraft check`: problems, and the comparison with torch, with exit codes for scripts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import torch

from tests.cli.command import netdraft, saved
from tests.core.drawing import Drawing, cifar10

if TYPE_CHECKING:
    from pathlib import Path


def test_a_design_without_problems() -> None:
    done = netdraft("check", "linear-regression")
    assert (done.returncode, done.stdout, done.stderr) == (0, "No problems.\n", "")


def test_problems_are_listed(tmp_path: Path) -> None:
    drawing = Drawing()
    cifar10(drawing, flatten=False, in_features=512)
    path = saved(drawing.editor.document, tmp_path)
    done = netdraft("check", path)
    assert done.returncode == 1
    assert done.stdout == "error: fc1: Linear expects [..., 512], got [B, 128, 2, 2].\n"
    found = json.loads(netdraft("check", path, "--json").stdout)
    assert [problem["layer"] for problem in found["problems"]] == ["fc1"]
    assert "torch" not in found


def test_a_warning_is_told_and_no_failure(tmp_path: Path) -> None:
    drawing = Drawing()
    cifar10(drawing, flatten=False)
    done = netdraft("check", saved(drawing.editor.document, tmp_path))
    assert done.returncode == 0
    assert done.stdout.startswith("warning: fc1: Linear acts on the width alone")


def test_a_design_without_output_is_incomplete(tmp_path: Path) -> None:
    drawing = Drawing()
    drawing.input("B", 3)
    done = netdraft("check", saved(drawing.editor.document, tmp_path))
    assert done.returncode == 1
    assert done.stdout == "incomplete: The design has no Output yet.\n"


def test_the_export_is_compared() -> None:
    done = netdraft("check", "linear-regression", "--torch")
    assert done.returncode == 0
    assert done.stdout == (
        "No problems.\nas drawn: equal\nother sizes: equal\nsmall sizes: equal\n"
        f"The export matches the design (torch {torch.__version__}).\n"
    )


def test_no_torch_is_a_failure_with_a_sentence(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho ModuleNotFoundError: No module named torch >&2\nexit 1\n")
    python.chmod(0o755)
    done = netdraft("check", "linear-regression", "--torch", NETDRAFT_PYTHON=str(python))
    assert done.returncode == 1
    reason = f"{python} failed: ModuleNotFoundError: No module named torch"
    assert done.stdout == f"No problems.\nThe export was not compared: {reason}\n"
    arguments = ("check", "linear-regression", "--torch", "--json")
    found = json.loads(netdraft(*arguments, NETDRAFT_PYTHON=str(python)).stdout)
    assert found["torch"]["matches"] is False
    assert found["torch"]["failure"] == reason
