"""Installed packages in tests: folders with real metadata, put on the path of a child process."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

README = Path(__file__).resolve().parent.parent / "README.md"


def install(
    folder: Path, name: str, points: Mapping[str, str], module: str, version: str = "1.0"
) -> str:
    """Lay a package into `folder` as an installer does; returns the name of its module."""
    folder.mkdir(exist_ok=True)
    plain = re.sub(r"[-_.]+", "_", name).lower()
    info = folder / f"{plain}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [f"{kind} = {value}" for kind, value in points.items()]
    (info / "entry_points.txt").write_text("\n".join(("[netdraft.layers]", *lines, "")))
    (folder / f"{plain}.py").write_text(module, encoding="utf-8")
    return plain


def install_example(folder: Path, before: str = "") -> str:
    """Install the package that the README shows, with `before` at the head of its module."""
    blocks = re.findall(r"```(\w+)\n# (\S+)\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    files = {name: text for _, name, text in blocks}
    project = tomllib.loads(files["pyproject.toml"])["project"]
    points = project["entry-points"]["netdraft.layers"]
    module = before + files["acme_layers.py"]
    return install(folder, project["name"], points, module, project["version"])
