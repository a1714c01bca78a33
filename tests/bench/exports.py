"""Code, as it is written after an edit, and its formatting."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from designer import resources
from designer.core.analysis import Analysis
from designer.export.pytorch import write
from designer.files.codec import read_document
from tests.bench.counting import large
from tests.bench.measure import Figure, medians

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from designer.core.document import Document


def x1() -> Iterator[Figure]:
    """Code of large designs and of those of the gallery."""
    thousand = large(1_140)
    lines = len(_code(thousand).splitlines())
    yield _figure(f"code of {lines:,} lines", thousand, 10)
    for path in sorted(resources.path("gallery").glob("*.netdraft")):
        design = read_document(path.read_bytes(), path.name).document
        yield _figure(f"code of {path.stem}", design, 16)
    yield _figure("code of 10,000 layers", large(10_000), 200)
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "88"]
    checked = subprocess.run(
        [*command, "--check", "-"], input=_code(thousand).encode(), capture_output=True, check=False
    )
    yield Figure("ruff format would change it", checked.returncode, 0, "")


def _code(document: Document) -> str:
    return write(Analysis(document), document.title).text


def _figure(what: str, document: Document, goal: float) -> Figure:
    analysis = Analysis(document)
    (mine,) = medians(7, lambda: write(analysis, document.title))
    return Figure(what, mine, goal)


TABLE: dict[str, Callable[[], Iterator[Figure]]] = {"X1": x1}
