"""The folder tree is the order of dependence: the contracts hold, and catch what breaks them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINT = (
    "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
)
# Packages that must work where there is no Qt, no numpy and no torch.
PLAIN = ("core", "layers", "files", "export")
HEAVY = ("PySide6", "shiboken6", "pyqtgraph", "numpy", "torch")


def lint(project: Path) -> subprocess.CompletedProcess[str]:
    """import-linter's verdict on the `designer` package in the folder `project`."""
    return subprocess.run(
        [sys.executable, "-c", LINT],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def copy_project(folder: Path) -> Path:
    """A copy of all that the contracts look at."""
    shutil.copytree(ROOT / "designer", folder / "designer", ignore=shutil.ignore_patterns("__py*"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def modules(package: str) -> list[str]:
    """The dotted names of all modules of `designer.<package>`, none when it is not there."""
    files = sorted((ROOT / "designer" / package).rglob("*.py"))
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files]
    return [name.removesuffix(".__init__") for name in names]


def test_contracts_hold() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout
    assert " 0 broken" in result.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("core", "import PySide6", "Qt only in designer.ui"),
        ("core", "import numpy", "numpy only in"),
        ("core", "import torch", "torch nowhere"),
        ("core", "import designer.layers.planted", "Imports point one way"),
        ("layers", "import networkx", "networkx only in designer.core"),
        ("layers", "from PySide6.QtCore import QObject", "Qt only in designer.ui"),
        ("files", "import designer.ui.planted", "Imports point one way"),
        ("export", "import designer.cli.planted", "Imports point one way"),
        ("cli", "import PySide6", "Qt only in designer.ui"),
        ("ui", "import torch", "torch nowhere"),
        ("ui", "import networkx", "networkx only in designer.core"),
        ("ui/inspector", "import designer.ui.totals.planted", "Panels do not import one another"),
    ],
)
def test_a_planted_import_breaks_its_contract(
    tmp_path: Path, module: str, line: str, contract: str
) -> None:
    project = copy_project(tmp_path)
    for package in ("layers", "ui", "ui/totals", "cli", module):
        plant(project / "designer" / package, "")
    plant(project / "designer" / module, line)
    result = lint(project)
    assert result.returncode == 1, result.stdout
    assert any(contract in text and "BROKEN" in text for text in result.stdout.splitlines())


def plant(folder: Path, line: str) -> None:
    """Give the package in `folder` a module that holds `line`; a module there makes way."""
    folder.with_suffix(".py").unlink(missing_ok=True)
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").touch()
    (folder / "planted.py").write_text(f"{line}\n", encoding="utf-8")


def test_a_new_package_must_take_its_place_in_the_order(tmp_path: Path) -> None:
    project = copy_project(tmp_path)
    plant(project / "designer" / "unheard_of", "")
    result = lint(project)
    assert result.returncode == 1
    assert "unheard_of" in result.stdout


@pytest.mark.parametrize("package", PLAIN)
def test_what_needs_no_window_loads_none(package: str) -> None:
    names = modules(package)
    assert names, f"designer.{package} has no modules"
    code = (
        "import importlib, json, sys\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    )
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == []
