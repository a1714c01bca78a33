"""What cards say of designs in files: read and counted one after another, between two events."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from designer.core import numbers
from designer.core.analysis import Analysis
from designer.core.block import BLOCK, COPIES
from designer.core.entry import text_of
from designer.core.layer import CATALOGUE
from designer.core.size import at_values
from designer.files.codec import read_document
from designer.files.refusal import Refusal
from designer.files.storage import read_file
from designer.ui.documents import example_path, examples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from designer.core.document import Document
    from designer.core.graph import Node

FAMILIES = ("Language", "Vision", "Generative", "Sequence", "Basics")
"""The families of designs, in the order of their filters."""


@dataclass(frozen=True, slots=True)
class Chip:
    """A layer in a picture: the middle of it, its measures, and how often it is repeated."""

    x: float
    y: float
    width: float
    height: float
    family: str
    copies: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A design from far: its layers, and the wires from one to another."""

    chips: tuple[Chip, ...] = ()
    wires: tuple[tuple[float, float, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """A design as its card shows it; `parameters` and `shapes` are empty until it is counted."""

    title: str
    family: str = ""
    about: str = ""
    source: str = ""
    picture: Picture = Picture()
    parameters: str = ""
    shapes: str = ""
    layers: str = ""
    trouble: str = ""

    def answers(self, family: str, words: str) -> bool:
        """Whether it is of a family, empty for all, and has all the words somewhere."""
        if family and self.family != family:
            return False
        told = " ".join((self.title, self.family, self.about, self.source)).lower()
        return all(word in told for word in words.lower().split())


# Pictures


_MEASURES = {"io": (168.0, 34.0), "merge": (88.0, 34.0), "block": (250.0, 72.0)}
_HEAVY = ("linear", "conv", "norm", "rnn", "attn", "embed", "custom")


def picture_of(document: Document) -> Picture:
    """The top level of a design as it stands on its canvas."""
    places, graph = document.layout, document.graph
    chips = [_chip(node, places[id]) for id, node in graph.nodes.items() if id in places]
    ends = ((edge.source.node, edge.target.node) for edge in graph.edges())
    wires = ((*places[a], *places[b]) for a, b in ends if a in places and b in places)
    return Picture(tuple(chips), tuple(wires))


def _chip(node: Node, place: tuple[float, float]) -> Chip:
    if node.kind.startswith(BLOCK):
        copies = text_of(dict(node.options).get(COPIES))
        return Chip(*place, *_MEASURES["block"], "block", "" if copies == "1" else f"×{copies}")
    kind = CATALOGUE.get(node.kind)
    family = kind.family if kind else "custom"
    usual = (224.0, 64.0) if family in _HEAVY else (176.0, 40.0)
    return Chip(*place, *_MEASURES.get(family, usual), family)


# Reading


def described(document: Document, name: str) -> Sample:
    """What a design says of itself, before it is counted."""
    family, about, source = (
        value if isinstance(value := document.settings.get(key), str) else ""
        for key in ("family", "about", "source")
    )
    return Sample(document.title or name, family, about, source, picture_of(document))


def counted(sample: Sample, document: Document) -> Sample:
    """The sample with the total, the shapes, and the numbers of copies that were expressions."""
    analysis = Analysis(document)
    totals = analysis.totals()
    figure = numbers.count(totals.parameters) if totals.known else f"≥ {totals.parameters:,}"
    return replace(
        sample,
        parameters=figure,
        shapes=_shapes(analysis),
        layers=f"{len(document.graph.nodes):,} layers",
        picture=_numbered(sample.picture, analysis),
    )


def _numbered(picture: Picture, analysis: Analysis) -> Picture:
    """Copies as numbers: `×12` for `×n_layers`."""
    copies = {
        document_place: str(at_values(getattr(analysis.findings[id].layer, COPIES, 1)))
        for id, document_place in analysis.document.layout.items()
        if id in analysis.findings and analysis.document.graph.nodes[id].kind.startswith(BLOCK)
    }
    chips = (
        replace(chip, copies=f"×{copies[chip.x, chip.y]}")
        if chip.copies and (chip.x, chip.y) in copies
        else chip
        for chip in picture.chips
    )
    return replace(picture, chips=tuple(chips))


def _shapes(analysis: Analysis) -> str:
    """`[B, 3, 32, 32] → [B, 10]`: what goes in and what comes out first."""
    ends = [_shape(analysis, kind) for kind in ("Input", "Output")]
    return " → ".join(ends) if all(ends) else ""


def _shape(analysis: Analysis, kind: str) -> str:
    nodes = analysis.document.graph.nodes
    found = [analysis.findings[id] for id in sorted(nodes) if nodes[id].kind == kind]
    if not found:
        return ""
    tensor = next(iter((*found[0].outputs.values(), *found[0].inputs.values())), None)
    first = tensor[0] if isinstance(tensor, tuple) else tensor
    if first is None:
        return ""
    return str(replace(first, shape=tuple(map(at_values, first.shape))))


@cache
def example(name: str) -> Sample:
    """Read and count an example, once."""
    document = _example_document(name)
    return counted(described(document, name), document)


@cache
def _described_example(name: str) -> Sample:
    return described(_example_document(name), name)


@cache
def _example_document(name: str) -> Document:
    path = example_path(name)
    return read_document(path.read_bytes(), str(path)).document


class Reading(QObject):
    """Reads designs by and by: first what they say, then what they come to.

    `told` names a design of which more is known now. A name is that of an example, or a path.
    While it is not `wanted` it rests, until it is begun again.
    """

    told = Signal(str)

    def __init__(self, wanted: Callable[[], bool]) -> None:
        super().__init__()
        self._wanted = wanted
        self.samples: dict[str, Sample] = {}
        self._jobs: deque[Callable[[], None]] = deque()
        self._next = QTimer(self)
        self._next.setSingleShot(True)
        self._next.timeout.connect(self._work)

    def begin(self, files: Iterable[Path] = ()) -> None:
        """Read the gallery, and these files; names are known at once."""
        names = [name for name in examples() if name not in self.samples]
        for name in names:
            self.samples[name] = Sample(name)
        self._jobs += [partial(self._describe, name) for name in names]
        self._jobs += [partial(self._read_file, path) for path in files]
        self._jobs += [partial(self._count, name) for name in names]
        self._next.start(0)

    @property
    def busy(self) -> bool:
        """Whether there is more to read."""
        return bool(self._jobs)

    def _work(self) -> None:
        if self._jobs and self._wanted():
            self._jobs.popleft()()
        if self._jobs and self._wanted():
            self._next.start(0)

    def _tell(self, name: str, sample: Sample) -> None:
        self.samples[name] = sample
        self.told.emit(name)

    def _describe(self, name: str) -> None:
        self._tell(name, _described_example(name))

    def _count(self, name: str) -> None:
        self._tell(name, example(name))

    def _read_file(self, path: Path) -> None:
        try:
            document = read_document(read_file(path), str(path)).document
        except Refusal as refusal:
            self._tell(str(path), Sample(path.stem, trouble=str(refusal)))
            return
        sample = described(document, path.stem)
        self._tell(str(path), sample)
        self._jobs.append(partial(self._count_file, path, sample, document))

    def _count_file(self, path: Path, sample: Sample, document: Document) -> None:
        self._tell(str(path), counted(sample, document))
