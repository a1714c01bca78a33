"""What the palette says of the blocks of a design: how often they are there, what one has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from designer.core import numbers, size
from designer.core.block import BLOCK, BlockUse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from designer.core.analysis import Analysis
    from designer.core.editor import Editable
    from designer.core.graph import NodeId


@dataclass(frozen=True, slots=True)
class BlockFact:
    """A block: its name, how often it is there in the whole design, what one copy has."""

    name: str
    times: str
    each: str
    note: str


@dataclass(slots=True)
class _Seen:
    """What was met of a block: where it is used, how often there, and what one copy has."""

    uses: list[tuple[str, int | None]] = field(default_factory=list)
    counts: set[int | None] = field(default_factory=set)


def uses(analysis: Analysis) -> Iterator[tuple[NodeId, BlockUse, Analysis]]:
    """The uses of blocks in a graph, with what is inside one copy."""
    for id, finding in analysis.findings.items():
        if isinstance(finding.layer, BlockUse):
            yield id, finding.layer, finding.layer.inside(finding.inputs)


def way_to(analysis: Analysis, name: str) -> tuple[NodeId, ...]:
    """The uses that lead to the first use of a block, that one included; empty without one."""
    frontier: list[tuple[tuple[NodeId, ...], Analysis]] = [((), analysis)]
    known: set[str] = set()
    for path, level in frontier:
        for id, use, inner in uses(level):
            if use.title == name:
                return (*path, id)
            if use.title not in known:
                known.add(use.title)
                frontier.append(((*path, id), inner))
    return ()


def block_facts(editor: Editable) -> list[BlockFact]:
    """The blocks of a design in its order."""
    seen = _walked(editor.analysis)
    times: dict[str, int | None] = {"": 1}
    facts = []
    for name, block in editor.document.blocks.items():
        number = _times(name, seen, times)
        counts = seen[name].counts if name in seen else {_alone(editor, name)}
        facts.append(BlockFact(name, _often(name in seen, number), _each(counts), block.note))
    return facts


def _walked(analysis: Analysis) -> dict[str, _Seen]:
    """Each block as it was met, within others at their first use."""
    seen: dict[str, _Seen] = {}
    frontier = [("", analysis)]
    for level, graph in frontier:
        for _, use, inner in uses(graph):
            if use.title not in seen:
                seen[use.title] = _Seen()
                frontier.append((use.title, inner))
            seen[use.title].uses.append((level, size.value(use.copies)))
            seen[use.title].counts.add(_count(inner))
    return seen


def _count(inner: Analysis) -> int | None:
    return None if inner.counted.unknown else inner.counted.parameters


def _times(name: str, seen: dict[str, _Seen], known: dict[str, int | None]) -> int | None:
    """How many copies of a block there are in all; None where that is not known."""
    if name not in known:
        parts = [
            (_times(level, seen, known), copies)
            for level, copies in (seen[name].uses if name in seen else ())
        ]
        numbers_ = [a * b for a, b in parts if a is not None and b is not None]
        known[name] = sum(numbers_) if len(numbers_) == len(parts) else None
    return known[name]


def _often(used: bool, times: int | None) -> str:
    if not used:
        return "not used"
    return "×?" if times is None else f"×{times:,}"


def _alone(editor: Editable, name: str) -> int | None:
    kind = cast("type[BlockUse] | None", editor.analysis.kind(f"{BLOCK}{name}"))
    return None if kind is None else _count(kind.alone())


def _each(counts: set[int | None]) -> str:
    """`7,087,872 each`, or from the least to the most where uses differ."""
    known = sorted(count for count in counts if count is not None)
    if len(known) < len(counts) or not known:
        return "size not known"
    if len(known) > 1:
        return f"{numbers.count(known[0])} to {numbers.count(known[-1])} each"
    return f"{numbers.count(known[0])} each"
