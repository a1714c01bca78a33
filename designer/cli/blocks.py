"""The uses of blocks in a design, those within blocks too, with what each has in parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from designer.cli.saying import columns, left, right, told
from designer.core import numbers, size
from designer.core.block import OWN, SHARED, BlockUse
from designer.core.message import message
from designer.files.refusal import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from designer.core.analysis import Analysis
    from designer.core.layer import Layer
    from designer.core.size import Size

LONGEST_PATH = 60
HEADINGS = (message("block"), message("use"), message("copies"), message("parameters per copy"))


class Use(NamedTuple):
    """A use of a block by its place, `decoder.layers.mlp`, with the count of one copy.

    `copies` and `parameters` are None where they are not known.
    """

    path: str
    block: str
    copies: int | None
    sharing: str
    parameters: int | None


def uses(analysis: Analysis, within: str = "") -> Iterator[Use]:
    """The uses of blocks in a design, each followed by those within it."""
    for id in analysis.network.ordered():
        finding = analysis.findings[id]
        if isinstance(finding.layer, BlockUse):
            path = f"{within}{analysis.document.graph.nodes[id].attribute}"
            layer, inner = finding.layer, finding.layer.inside(finding.inputs)
            totals = inner.totals()
            parameters = totals.parameters if totals.known else None
            copies = size.value(layer.copies)
            yield Use(path, layer.title, copies, layer.sharing, parameters)
            yield from uses(inner, f"{path}.")


def plain_uses(analysis: Analysis) -> list[dict[str, Any]]:
    """The uses as plain data."""
    return [
        {
            "block": use.block,
            "use": use.path,
            "copies": use.copies,
            "sharing": use.sharing,
            "parameters_per_copy": use.parameters,
        }
        for use in uses(analysis)
    ]


def table_of_uses(analysis: Analysis) -> Iterator[str]:
    """The uses as lines of a table."""
    rows = [tuple(map(told, HEADINGS)), *map(_cells, uses(analysis))]
    if len(rows) == 1:
        yield told(message("No blocks are used."))
        return
    widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]
    sides = (left, left, left, right)
    for row in rows:
        cells = (side(text, width) for side, text, width in zip(sides, row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _cells(use: Use) -> tuple[str, ...]:
    copies = _times(use.copies, use.sharing)
    return use.block, shown(use.path, LONGEST_PATH), copies, numbers.count(use.parameters)


def kind_in_words(layer: Layer | None, kind: str) -> str:
    """What a table calls the kind of a layer: a block with the number of its copies."""
    if not isinstance(layer, BlockUse):
        return kind
    if layer.single:
        return layer.title
    return f"{layer.title} {_times(size.value(layer.copies), layer.sharing)}"


def _times(copies: Size | None, sharing: str) -> str:
    """`×12`, and what the copies have in common where they are not all there is to it."""
    number = "×?" if copies is None else f"×{copies}"
    if sharing == OWN:
        return number
    text = "{times} with shared weights" if sharing == SHARED else "{times} experts"
    return told(message(text, times=number))
