"""What is written on nodes and wires, as stretches of text in a role and a colour."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from designer.core import size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from designer.core.finding import Finding, Problem
    from designer.core.tensor import Tensor


class Span(NamedTuple):
    """A stretch of text in one colour and role of type."""

    text: str
    token: str = "text"
    role: str = "body"


Spans = tuple[Span, ...]


def plain(spans: Iterable[Span]) -> str:
    """The text alone."""
    return "".join(span.text for span in spans)


def number(count: int | None) -> str:
    """A count with commas, `?` where it is not known."""
    return "?" if count is None else f"{count:,}"


def signed(count: int) -> str:
    """A change with its sign; the minus is the typographic one."""
    return f"+{count:,}" if count > 0 else f"−{-count:,}" if count < 0 else "0"


def percent(part: int, whole: int) -> str:
    """A share with one decimal, `<0.1%` below that, nothing where there is no part."""
    if not part or not whole:
        return ""
    share = 100 * part / whole
    return "<0.1%" if share < 0.1 else f"{share:.1f}%"


def binary(count: int) -> str:
    """Bytes as people read them: `625.8 KiB`, from 1 GiB with two decimals."""
    value = float(count)
    for unit in ("B", "KiB", "MiB"):
        if value < 1024:
            return f"{count} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:,.2f} GiB"


def first_input(finding: Finding | None) -> Tensor | None:
    """The first tensor that comes into a node."""
    for value in finding.inputs.values() if finding else ():
        return value[0] if isinstance(value, tuple) else value
    return None


def axes(tensor: Tensor) -> list[str]:
    """The sizes as a wire shows them."""
    return [str(axis) for axis in tensor.shape]


def is_known(tensor: Tensor | None) -> bool:
    """Whether every axis has a size, a number or a name."""
    if tensor is None or tensor.partial:
        return False
    return not any(size.is_unknown(axis) for axis in tensor.shape)


def changed_axes(tensor: Tensor, before: Tensor | None) -> list[bool]:
    """Of each axis, whether it differs from the axis of that place before the layer."""
    if before is None or before.partial or tensor.partial:
        return [False] * len(tensor.shape)
    old = axes(before)
    return [place >= len(old) or axis != old[place] for place, axis in enumerate(axes(tensor))]


@lru_cache(maxsize=8192)
def shape_spans(tensor: Tensor, before: Tensor | None = None, token: str = "") -> Spans:
    """`[B, 128, 2, 2]` with changed axes strong; in one colour where `token` is given."""
    if not is_known(tensor):
        return (Span(str(tensor), token or "text-3", "mono"),)
    spans: list[Span] = [Span("[", token or "text-3", "mono")]
    changed = changed_axes(tensor, before)
    for place, axis in enumerate(axes(tensor)):
        if place:
            spans.append(Span(", ", token or "text-3", "mono"))
        strong = changed[place]
        role = "mono-strong" if strong else "mono"
        spans.append(Span(axis, token or ("text" if strong else "text-2"), role))
    spans.append(Span("]", token or "text-3", "mono"))
    return tuple(spans)


_SHAPES = re.compile(r"(\[[^\[\]]*\])")


def sentence_spans(problem: Problem) -> Spans:
    """A problem's sentence, shapes in the code face and the sizes that disagree in red."""
    text = str(problem.message)
    wrong = {str(part) for part in (problem.expected, problem.got) if part is not None}
    return tuple(_sentence(text, wrong))


def _sentence(text: str, wrong: set[str]) -> Iterator[Span]:
    for piece in _SHAPES.split(text):
        if _SHAPES.fullmatch(piece):
            yield from _marked(piece, wrong)
        elif piece:
            yield Span(piece)


def _marked(shape: str, wrong: set[str]) -> Iterator[Span]:
    """A shape in a sentence; the last of its axes that is one of the wrong sizes is red."""
    parts = re.split(r"([\[\], ]+)", shape)
    marked = max((place for place, part in enumerate(parts) if part in wrong), default=-1)
    for place, part in enumerate(parts):
        if part:
            red = place == marked
            yield Span(part, "error" if red else "text", "mono-strong" if red else "mono")
