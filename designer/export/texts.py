"""Source texts of custom layers in one file: what two of them define, and differently."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from designer.core.custom import CUSTOM
from designer.core.finding import Problem
from designer.core.kinds import blocks_within, used_blocks, uses_of
from designer.core.message import message
from designer.core.written import collision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from designer.core.analysis import Analysis
    from designer.core.graph import NodeId


def colliding(analysis: Analysis) -> Iterator[Problem]:
    """Pairs of custom layers in use whose sources give one name two meanings."""
    document = analysis.document
    used = _used(analysis) if document.customs else {}
    for one, other in combinations(used, 2):
        name = collision(document.customs[one].written, document.customs[other].written)
        if name is not None:
            text = "{one} and {other} both define {name}, each its own."
            said = message(text, one=one, other=other, name=name)
            yield Problem("error", said, used[other])


def _used(analysis: Analysis) -> dict[str, NodeId | None]:
    """The custom layers that the code needs, with a use of each; None where it is in a block."""
    document, levels = analysis.document, _levels(analysis)
    found: dict[str, NodeId | None] = {}
    for name in document.customs:
        uses = [at for at in uses_of(document, f"{CUSTOM}{name}") if at[0] in levels]
        if uses:
            level, id = uses[0]
            found[name] = None if level else id
    return found


def _levels(analysis: Analysis) -> set[str]:
    """The graphs that the code is made of: the design's, and those of the blocks that it uses."""
    document = analysis.document
    return {""}.union(*(blocks_within(document, name) for name in used_blocks(document.graph)))
