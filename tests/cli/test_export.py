"""`netdraft export`: code on standard output or in a file, never over something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from designer.core import edits
from designer.export.pytorch import HEADER
from tests.cli.command import netdraft, saved
from tests.core.drawing import Drawing, cifar10
from tests.export.designs import built

if TYPE_CHECKING:
    from pathlib import Path


def test_the_code_goes_to_standard_output_or_into_a_file(tmp_path: Path) -> None:
    printed = netdraft("export", "cifar10-cnn")
    assert printed.returncode == 0
    assert sum(p.numel() for p in built(printed.stdout).parameters()) == 160_202
    assert netdraft("export", "cifar10-cnn", "-o", "-").stdout == printed.stdout
    target = tmp_path / "model.py"
    done = netdraft("export", "cifar10-cnn", "-o", target)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert target.read_text() == printed.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["model.py"]


def test_an_earlier_export_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "model.py"
    target.write_text(HEADER + "old = 1\n")
    assert netdraft("export", "linear-regression", "-o", target).returncode == 0
    assert "old" not in target.read_text()


@pytest.mark.parametrize("content", [b"mine = 1\n", b"", b"\xff\xfe", HEADER.encode()[:-5]])
def test_another_file_is_replaced_on_demand_only(tmp_path: Path, content: bytes) -> None:
    target = tmp_path / "mine.py"
    target.write_bytes(content)
    done = netdraft("export", "linear-regression", "-o", target)
    assert done.returncode == 2
    assert "was not exported by Netdraft; --force replaces it." in done.stderr
    assert target.read_bytes() == content
    assert netdraft("export", "linear-regression", "-o", target, "--force").returncode == 0
    assert target.read_text().startswith(HEADER)


def test_a_file_that_would_hide_torch_is_refused(tmp_path: Path) -> None:
    done = netdraft("export", "linear-regression", "-o", tmp_path / "torch.py")
    assert done.returncode == 2
    assert "the code could not import torch beside it." in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    done = netdraft("export", "linear-regression", "-o", tmp_path / "none" / "model.py")
    assert done.returncode == 2
    assert done.stderr.startswith("netdraft: ")
    assert "Traceback" not in done.stderr


def test_a_design_with_problems_is_not_exported(tmp_path: Path) -> None:
    drawing = Drawing()
    cifar10(drawing, flatten=False, in_features=512)
    target = tmp_path / "model.py"
    path = saved(drawing.editor.document, tmp_path)
    done = netdraft("export", path, "-o", target)
    assert done.returncode == 1
    assert done.stderr == "fc1: Linear expects [..., 512], got [B, 128, 2, 2].\n"
    assert not target.exists()


def test_a_design_without_title_has_the_name_of_its_file(tmp_path: Path) -> None:
    drawing = Drawing()
    cifar10(drawing)
    drawing.do(edits.set_title(""))
    path = saved(drawing.editor.document, tmp_path, "my-net.netdraft")
    assert "class MyNet(nn.Module):" in netdraft("export", path).stdout
