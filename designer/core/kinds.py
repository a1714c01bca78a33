"""The kinds of layers in a document: those of the catalogue, and those that it declares itself."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from designer.core.block import BLOCK, Surroundings, block_class
from designer.core.custom import CUSTOM, layer_class
from designer.core.layer import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from designer.core.custom import Custom
    from designer.core.document import Block, Dimension, Document
    from designer.core.frame import Analyse
    from designer.core.graph import Graph, NodeId
    from designer.core.layer import Layer

Classes = dict[str, type["Layer"]]


def is_declared(kind: str) -> bool:
    """Whether a kind is one that documents declare: a block or a custom layer."""
    return ":" in kind


def used_blocks(graph: Graph) -> list[str]:
    """The blocks that a graph is made of, each once."""
    kinds = {node.kind for node in graph.nodes.values()}
    return sorted(kind.removeprefix(BLOCK) for kind in kinds if kind.startswith(BLOCK))


def used_customs(graph: Graph) -> list[str]:
    """The kinds of custom layers in a graph, each once."""
    return sorted({n.kind for n in graph.nodes.values() if n.kind.startswith(CUSTOM)})


def blocks_within(document: Document, name: str) -> set[str]:
    """A block and all that it is made of, however deep."""
    found, frontier = {name}, [name]
    for block in frontier:
        if block in document.blocks:
            more = [n for n in used_blocks(document.blocks[block].graph) if n not in found]
            found.update(more)
            frontier += more
    return found


def uses_of(document: Document, kind: str) -> list[tuple[str, NodeId]]:
    """Where a kind is used: (level, node), in stored order."""
    graphs = [("", document.graph), *((n, block.graph) for n, block in document.blocks.items())]
    return [
        (level, id) for level, graph in graphs for id in graph.ids() if graph.nodes[id].kind == kind
    ]


class Kinds:
    """The layer classes of a document's kinds; `follow` keeps up with its edits.

    The class of a block is another one whenever the block, or one within it, is another.
    """

    def __init__(self, analyse: Analyse) -> None:
        self._analyse = analyse
        self._declared: Classes = {}
        self._blocks: Mapping[str, Block] = {}
        self._customs: Mapping[str, Custom] = {}
        self._dimensions: Mapping[str, Dimension] = {}
        self._made: dict[object, tuple[object, type[Layer]]] = {}
        """Classes by what they are made of, which is kept with them: its id is in the key."""

    def get(self, kind: str) -> type[Layer] | None:
        """The class of a kind; None where there is none."""
        return CATALOGUE.get(kind) or self._declared.get(kind)

    def __getitem__(self, kind: str) -> type[Layer]:
        found = self.get(kind)
        if found is None:
            raise KeyError(kind)
        return found

    def __iter__(self) -> Iterator[str]:
        """All kinds: the catalogue's, then the document's own, each in its order."""
        return chain(CATALOGUE, self._declared)

    def __contains__(self, kind: str) -> bool:
        return self.get(kind) is not None

    def declared(self) -> Iterator[type[Layer]]:
        """The classes of the kinds that the document declares, in its order."""
        return iter(self._declared.values())

    def follow(self, document: Document) -> set[str]:
        """Take in a document; the kinds whose class is another one now, or gone."""
        declarations = (document.blocks, document.customs, document.dimensions)
        known = (self._blocks, self._customs, self._dimensions)
        if all(new is old for new, old in zip(declarations, known, strict=True)):
            return set()
        before = self._declared
        self._blocks, self._customs, self._dimensions = declarations
        found: Classes = {f"{CUSTOM}{n}": layer_class(c) for n, c in document.customs.items()}
        order = [*found, *(f"{BLOCK}{name}" for name in document.blocks)]
        for name in document.blocks:
            self._enter(name, found, ())
        self._declared = {kind: found[kind] for kind in order if kind in found}
        names = before.keys() | self._declared.keys()
        return {name for name in names if before.get(name) is not self._declared.get(name)}

    def _enter(self, name: str, found: Classes, around: tuple[str, ...]) -> None:
        """Find the class of a block, those of the blocks within it first; a circle has none."""
        block, kind = self._blocks.get(name), f"{BLOCK}{name}"
        if block is None or kind in found or name in around:
            return
        inner = used_blocks(block.graph)
        for other in inner:
            self._enter(other, found, (*around, name))
        kinds = [*used_customs(block.graph), *(f"{BLOCK}{other}" for other in inner)]
        within = {other: found[other] for other in kinds if other in found}
        if any(f"{BLOCK}{other}" not in within for other in inner if other in self._blocks):
            return
        found[kind] = self._class(name, block, within)

    def _class(self, name: str, block: Block, within: Classes) -> type[Layer]:
        dimensions = self._dimensions
        key = (name, id(block), tuple(within.values()), tuple(dimensions.items()))
        if key not in self._made:
            if len(self._made) >= MOST_KEPT:
                self._made.clear()
            surroundings = Surroundings(within, dimensions, self._analyse)
            self._made[key] = (block, block_class(name, block, surroundings))
        return self._made[key][1]


MOST_KEPT = 10_000
