"""Search for layers by title, kind and synonym, in English and Chinese."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.ui.fuzzy import match

if TYPE_CHECKING:
    from collections.abc import Iterable

    from designer.core.layer import Layer

MIME_KIND = "application/x-netdraft-kind"
"""What a drag of a found layer carries: its kind."""

ALIAS_COST = 6
"""What an answer by a name that is not shown is worth less than one by the title."""


def matched(words: str, layer: type[Layer]) -> tuple[int, tuple[int, ...]] | None:
    """How well a layer answers, and the letters of its title that do; None where it does not."""
    if not words:
        return 0, ()
    title = match(words, layer.title)
    found = [(title.score, title.letters)] if title else []
    for alias in (layer.kind, *layer.aliases):
        other = match(words, alias) if _begins(words, alias) else None
        if other is not None:
            found.append((other.score - ALIAS_COST, ()))
    return max(found, key=lambda item: item[0], default=None)


def _begins(words: str, alias: str) -> bool:
    """Whether each word of the query begins the alias or a word of it.

    Letters strewn over a synonym that nobody sees would only puzzle.
    """
    lowered = alias.lower()
    starts = (lowered, *lowered.replace("-", " ").split())
    return all(any(s.startswith(word) for s in starts) for word in words.lower().split())


def found_kinds(text: str, layers: Iterable[type[Layer]]) -> list[str]:
    """The kinds among these that answer `text`, the best first."""
    words = text.strip()
    scored = ((matched(words, layer), layer) for layer in layers)
    ranked = [(-hit[0], layer.title, layer.kind) for hit, layer in scored if hit is not None]
    return [kind for _, _, kind in sorted(ranked)]
