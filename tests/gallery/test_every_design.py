"""What holds of every design of the gallery, whatever it is of."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from immutables import Map

from designer import resources
from designer.core.analysis import Analysis
from designer.core.level import Level
from designer.export.check import check
from designer.export.pytorch import export_problems, write
from designer.files.codec import read_document, write_document
from designer.ui.canvas.drawing import Drawing
from designer.ui.canvas.texts import Texts
from designer.ui.theme import load_fonts
from tests.gallery import all_designs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PySide6.QtWidgets import QApplication

    from designer.core.document import Document
    from designer.export.check import Report
    from tests.gallery.sketch import Sketch

DESIGNS = all_designs()
FAMILIES = ("Language", "Vision", "Generative", "Sequence", "Basics")
MOST_NODES = 25
LINT = ("check", "--isolated", "--no-cache", "--select", "E,F,I,B,UP,SIM")


@pytest.fixture(scope="module")
def drawn() -> dict[str, Sketch]:
    """Every design as the code draws it."""
    return {name: draw() for name, draw in DESIGNS.items()}


def stored(name: str) -> Document:
    """A design as it ships."""
    path = resources.path("gallery", f"{name}.netdraft")
    loaded = read_document(path.read_bytes(), str(path))
    assert loaded.notices == ()
    return loaded.document


def test_every_file_is_drawn_by_code() -> None:
    files = {path.stem for path in resources.path("gallery").glob("*.netdraft")}
    assert files == DESIGNS.keys()


@pytest.mark.parametrize("name", DESIGNS)
def test_the_file_is_what_the_code_draws(name: str, drawn: dict[str, Sketch]) -> None:
    document = stored(name)
    assert replace(document, layout=Map()) == replace(drawn[name].document, layout=Map())
    path = resources.path("gallery", f"{name}.netdraft")
    assert write_document(document) == path.read_bytes()


@pytest.mark.parametrize("name", DESIGNS)
def test_a_design_tells_what_it_is(name: str) -> None:
    document = stored(name)
    assert document.title
    assert document.settings["family"] in FAMILIES
    about = document.settings["about"]
    assert isinstance(about, str)
    assert about.endswith(".")
    assert document.settings["source"]


@pytest.mark.parametrize("name", DESIGNS)
def test_a_design_has_no_problems(name: str) -> None:
    analysis = Analysis(stored(name))
    assert [str(problem.message) for problem in analysis.problems()] == []
    assert [str(problem.message) for problem in export_problems(analysis)] == []
    assert analysis.totals().known


@pytest.mark.parametrize("name", DESIGNS)
def test_every_level_can_be_taken_in_at_a_glance(
    name: str, drawn: dict[str, Sketch], qapp: QApplication
) -> None:
    load_fonts()
    editor = drawn[name].editor
    document = stored(name)
    for level in (editor, *(Level(editor, block) for block in editor.document.blocks)):
        graph = level.document.graph
        assert len(graph.nodes) <= MOST_NODES
        assert set(graph.nodes) <= set(document.layout)
    _check_places(document)


def _check_places(document: Document) -> None:
    """Nothing overlaps, and every wire runs down."""
    from designer.core.editor import Editor

    editor = Editor(document)
    for level in (editor, *(Level(editor, block) for block in document.blocks)):
        drawing = Drawing(Texts().width)
        drawing.read(level)
        boxes = [card.box for card in drawing.cards.values()]
        assert [pair for pair in combinations(boxes, 2) if pair[0].meets(pair[1])] == []
        for wire in drawing.wires.values():
            source, target = wire.edge.source.node, wire.edge.target.node
            assert document.layout[source][1] < document.layout[target][1]


def test_the_code_is_formatted_and_clean(tmp_path: Path) -> None:
    for name in DESIGNS:
        document = stored(name)
        text = write(Analysis(document), document.title).text
        (tmp_path / f"{name.replace('-', '_')}.py").write_text(text)
    for arguments in (("format", "--isolated", "--no-cache", "--check"), LINT):
        command = [sys.executable, "-m", "ruff", *arguments, str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    command = [sys.executable, "-m", "mypy", "--disallow-untyped-defs", "--no-incremental"]
    done = subprocess.run(
        [*command, "--config-file=", "--follow-imports=skip", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def reports() -> Iterator[dict[str, Future[Report]]]:
    """The comparisons of all designs, two at a time: each waits for a Python of its own."""
    with ThreadPoolExecutor(2) as pool:
        yield {name: pool.submit(check, stored(name), sys.executable) for name in sorted(DESIGNS)}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", sorted(DESIGNS))
def test_a_python_with_torch_finds_no_difference(
    name: str, reports: dict[str, Future[Report]]
) -> None:
    report = reports[name].result()
    assert [case.differences for case in report.cases if case.differences] == []
    assert report.matches, report.failure
    drawn = next(case for case in report.cases if str(case.name) == "as drawn")
    assert drawn.skipped is None
