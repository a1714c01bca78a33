"""The rows of a layer's tensors: one each, or where there are many one for each part of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from designer.core import numbers, size
from designer.core.block import BlockUse
from designer.core.param import summed
from designer.ui.widgets.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from designer.core.analysis import Analysis
    from designer.core.finding import Finding
    from designer.core.param import Param

MOST = 12
"""So many rows at most."""

MOST_OF_BLOCKS = 6
"""Of blocks so many tensors stand alone: more of them are told by layers, as they are drawn."""

Spans = tuple[Span, ...]


class Line(NamedTuple):
    """A row: the name, what is said of it, and the count; short forms for narrow panels."""

    key: str
    help: str
    middle: Spans
    right: Spans
    short_middle: Spans = ()
    short_right: Spans = ()


def lines(analysis: Analysis, finding: Finding) -> list[Line]:
    """The rows for the tensors of a layer, at most `MOST`."""
    params = finding.params
    most = MOST_OF_BLOCKS if isinstance(finding.layer, BlockUse) else MOST
    if len(params) <= most:
        return [_single(analysis, finding, param, _key(param, params)) for param in params]
    groups = _grouped(params, most)
    shown = [_row(analysis, finding, name, group, params) for name, group in groups[: MOST - 1]]
    if len(groups) <= MOST:
        return [_row(analysis, finding, name, group, params) for name, group in groups]
    rest = [param for _, group in groups[MOST - 1 :] for param in group]
    return [*shown, _several(finding, f"{len(groups) - MOST + 1:,} more", rest)]


def _row(
    analysis: Analysis, finding: Finding, name: str, group: list[Param], among: Sequence[Param]
) -> Line:
    if len(group) == 1:
        return _single(analysis, finding, group[0], _key(group[0], among))
    return _several(finding, name, group)


def _grouped(params: Sequence[Param], most: int) -> list[tuple[str, list[Param]]]:
    """Tensors by the parts of the layer that they are in, as finely as there is room for."""
    keys = [_key(param, params).split(".") for param in params]
    depth = max(map(len, keys))
    while depth > 1:
        found = _by(params, keys, depth)
        if len(found) <= most:
            return found
        depth -= 1
    return _by(params, keys, 1)


def _by(
    params: Sequence[Param], keys: list[list[str]], depth: int
) -> list[tuple[str, list[Param]]]:
    named = ((".".join(key[:depth]), param) for key, param in zip(keys, params, strict=True))
    return [(name, [param for _, param in group]) for name, group in groupby(named, lambda n: n[0])]


def _key(param: Param, among: Sequence[Param]) -> str:
    """Its name; where all are copies of a block's, which the row says, without their numbers."""
    if all(other.name.startswith("*.") for other in among):
        inner = replace(param, name=param.name.removeprefix("*."), spans=param.spans[1:])
        return inner.shown()
    return param.shown()


def _single(analysis: Analysis, finding: Finding, param: Param, key: str) -> Line:
    axes = [str(size.at_values(axis)) for axis in param.shape]
    right, short = _count(analysis, finding, param)
    after = _after(param)
    shape = Span(f"[{', '.join(axes)}]", "text-2", "mono")
    brief = Span(f"[{axes[0]}, …]" if len(axes) > 2 else f"{len(axes)} axes", "text-2", "mono")
    return Line(key, param.shown(), (shape, *after), right, (brief, *after[:1]), short)


def _after(param: Param) -> Spans:
    spans = [_times(param.copies)] if param.spans else []
    if param.part == "buffer":
        words = "buffer" if param.persistent else "buffer, not saved"
        spans.append(Span(words, "text-3", "hint", 8))
    return tuple(spans)


def _times(copies: size.Size) -> Span:
    return Span(f"× {numbers.count(size.value(copies))}", "text-2", "mono", gap=6)


def _count(analysis: Analysis, finding: Finding, param: Param) -> tuple[Spans, Spans]:
    """How many elements it has, or where they are counted."""
    owner = finding.tied.get(param.name)
    where = param.in_words(param.owner)
    if owner is not None:
        where = analysis.document.graph.nodes[owner.node].name
    if where:
        none = Span("0", "text", "secondary-medium")
        return (none, Span(f"counted in {where}", "text-3", "hint", gap=6)), (none,)
    return _figure(size.value(param.count))


def _figure(count: int | None) -> tuple[Spans, Spans]:
    brief = "?" if count is None else numbers.short(count)
    return (
        (Span(numbers.count(count), "text", "secondary-medium"),),
        (Span(brief, "text", "secondary-medium"),),
    )


def _several(finding: Finding, name: str, group: Sequence[Param]) -> Line:
    words = Span(f"{len(group):,} tensors", "text-3", "hint")
    copies = {param.copies for param in group if param.spans}
    alike = len(copies) == 1 and all(param.spans for param in group)
    times = (_times(next(iter(copies))),) if alike else ()
    names = "\n".join(param.shown() for param in group[:MOST])
    right, short = _figure(_sum(finding, group))
    return Line(name, names, (words, *times), right, (words,), short)


def _sum(finding: Finding, group: Iterable[Param]) -> int | None:
    own = [(p, p.count) for p in group if p.name not in finding.tied and p.part != "buffer"]
    tally = summed(own)
    return None if tally.unknown else tally.parameters
