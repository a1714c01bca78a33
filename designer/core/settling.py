"""What a design declares already of the blocks and custom layers that come from another one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

from designer.core.block import BLOCK
from designer.core.block_edits import renumbered
from designer.core.custom import CUSTOM
from designer.core.custom_edits import rename_custom
from designer.core.document import Document, drafted
from designer.core.kinds import used_blocks
from designer.core.layer import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from designer.core.custom import Custom
    from designer.core.document import Block, Draft, Position
    from designer.core.graph import Node, NodeId

LONGEST_STEM = 40
"""What is kept of a name before its number, so that it can still be the name of a class."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Declarations of a fragment that a design lacks, under the names that they get there.

    `kinds` has the kinds of the fragment that are called otherwise in the design.
    """

    kinds: Mapping[str, str]
    blocks: Mapping[str, Block]
    customs: Mapping[str, Custom]

    def node(self, node: Node) -> Node:
        """A node of the fragment as a node of the design."""
        return replace(node, kind=self.kinds.get(node.kind, node.kind))

    def declare(self, draft: Draft, layout: Mapping[NodeId, Position]) -> None:
        """Declare what is lacking, with fresh ids for the layers in blocks."""
        for name, custom in self.customs.items():
            draft.put("custom", name, custom)
        for name, block in self.blocks.items():
            copy, positions = renumbered(block, layout, draft.whole.next_id)
            draft.put("block", name, copy)
            for id, position in positions.items():
                draft.put_position(id, position)


def settled_kinds(fragment: Document, document: Document) -> Settled:
    """Find for each block and custom layer of a fragment the equal one of a design, or a name.

    Blocks are compared up to the ids and places of their layers.
    """
    taken = {*CATALOGUE, *document.blocks, *document.customs, *fragment.blocks, *fragment.customs}
    settled = Settled(kinds := {}, blocks := {}, customs := {})
    for name, custom in fragment.customs.items():
        known = _same_custom(custom, document)
        new = known or _free(name, document, taken)
        kinds[f"{CUSTOM}{name}"] = f"{CUSTOM}{new}"
        if known is None:
            customs[new] = _renamed(custom, new)
    for name in _inner_first(fragment):
        block = _with_kinds(fragment.blocks[name], settled)
        known = _same_block(name, block, document)
        new = known or _free(name, document, taken)
        kinds[f"{BLOCK}{name}"] = f"{BLOCK}{new}"
        if known is None:
            blocks[new] = block
    return settled


def _inner_first(document: Document) -> Iterator[str]:
    """The blocks of a document, each after those within it."""
    seen: set[str] = set()

    def walk(name: str) -> Iterator[str]:
        if name in document.blocks and name not in seen:
            seen.add(name)
            for inner in used_blocks(document.blocks[name].graph):
                yield from walk(inner)
            yield name

    for name in document.blocks:
        yield from walk(name)


def _free(name: str, document: Document, taken: set[str]) -> str:
    """A name that no other class has, which is taken from now on."""
    if name not in document.blocks and name not in document.customs:
        return name
    stem = _stem(name)
    free = next(new for n in count(2) if (new := f"{stem[:LONGEST_STEM]}{n}") not in taken)
    taken.add(free)
    return free


def _stem(name: str) -> str:
    return name.rstrip("0123456789") or name


def _same_block(name: str, block: Block, document: Document) -> str | None:
    """The name of an equal block: this one, or this one with a number."""
    alike = (other for other in document.blocks if _stem(other) == _stem(name))
    form = _form(block)
    first_this = sorted(alike, key=lambda other: other != name)
    return next((other for other in first_this if _form(document.blocks[other]) == form), None)


def _form(block: Block) -> str:
    """What is equal for blocks that differ in the ids of their layers only."""
    graph = renumbered(block, {}, 1)[0].graph
    nodes = [graph.nodes[id] for id in graph.ids()]
    parts = (nodes, list(graph.edges()), sorted(graph.ties.items()), dict(block.arguments))
    return repr((*parts, block.note, block.extra))


def _same_custom(custom: Custom, document: Document) -> str | None:
    """The name of an equal custom layer: this one, or this one with a number."""
    alike = [other for other in document.customs if _stem(other) == _stem(custom.name)]
    for name in sorted(alike, key=lambda other: other != custom.name):
        if repr(_renamed(custom, name)) == repr(document.customs[name]):
            return name
    return None


def _renamed(custom: Custom, name: str) -> Custom:
    """A custom layer under another name, in its source too."""
    alone = Document(customs={custom.name: custom})
    return drafted(alone, rename_custom(custom.name, name))[0].customs[name]


def _with_kinds(block: Block, settled: Settled) -> Block:
    """A block of a fragment with the kinds that its layers have in the design."""
    graph = block.graph
    for id, node in block.graph.nodes.items():
        if node.kind in settled.kinds:
            graph = graph.with_node(id, settled.node(node))
    return replace(block, graph=graph)
