"""Custom layers by command: counted, exported, and compared with what their text really does."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from designer.core.custom_edits import set_custom
from tests.cli.command import netdraft, saved
from tests.core.customs import PAIRS
from tests.core.drawing import Drawing

if TYPE_CHECKING:
    from pathlib import Path

    from designer.core.custom import Custom


def design(folder: Path, custom: Custom) -> Path:
    """A saved design with a use of PairsOfTokens, 10 rows of 4."""
    drawing = Drawing()
    drawing.do(set_custom(custom))
    tokens, x = drawing.input("B", "T", dtype="int64"), drawing.input("B", "2*T", 4)
    drawing.add("Output", drawing.add("custom:PairsOfTokens", tokens, x, name="pairs"))
    return saved(drawing.editor.document, folder)


def test_its_tensors_are_counted(tmp_path: Path) -> None:
    file = design(tmp_path, PAIRS)
    done = netdraft("count", file)
    assert done.returncode == 0, done.stderr
    assert "parameters  40\n" in done.stdout
    (row,) = (line for line in done.stdout.splitlines() if line.startswith("pairs "))
    assert "[B, T, 8]" in row
    (tensor,) = json.loads(netdraft("count", file, "--json").stdout)["tensors"]
    assert (tensor["name"], tensor["shape"]) == ("pairs.table.weight", [10, 4])


def test_a_truthful_one_matches(tmp_path: Path) -> None:
    done = netdraft("check", "--torch", design(tmp_path, PAIRS))
    assert done.returncode == 0, done.stdout
    assert "The export matches the design" in done.stdout


def test_a_lie_is_told_in_a_sentence(tmp_path: Path) -> None:
    source = PAIRS.source.replace("nn.Embedding(count, d)", "nn.Embedding(count + 1, d)")
    done = netdraft("check", "--torch", design(tmp_path, replace(PAIRS, source=source)))
    assert done.returncode == 1
    assert "as drawn: 2 differences\n" in done.stdout
    assert "  pairs.table.weight has the shape [11, 4], not [10, 4].\n" in done.stdout
    assert "The export does not match the design" in done.stdout


def test_a_single_difference_is_told_as_one(tmp_path: Path) -> None:
    source = PAIRS.source.replace("dim=-1)", "dim=-1).double()")
    done = netdraft("check", "--torch", design(tmp_path, replace(PAIRS, source=source)))
    assert done.returncode == 1
    assert "as drawn: 1 difference\n" in done.stdout


def test_only_the_comparison_runs_its_text(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    source = f"import pathlib\n\npathlib.Path({str(mark)!r}).touch()\n\n\n{PAIRS.source}"
    file = design(tmp_path, replace(PAIRS, source=source))
    done = netdraft("export", file)
    assert source in done.stdout
    for command in ("count", "check", "export"):
        assert netdraft(command, file).returncode == 0
    assert not mark.exists()
    assert netdraft("check", "--torch", file).returncode == 0
    assert mark.exists()


def test_a_text_with_a_fault_is_a_problem_with_its_line(tmp_path: Path) -> None:
    file = design(tmp_path, replace(PAIRS, source="\nclass PairsOfTokens(nn.Module):\n    x = (\n"))
    done = netdraft("export", file)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "pairs: Line 3 of the source: '(' was never closed.\n"
