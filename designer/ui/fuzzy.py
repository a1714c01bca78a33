"""Fuzzy search: does a name answer a query, how well, and with which of its letters."""

from __future__ import annotations

from dataclasses import dataclass

START_OF_TEXT = 12
START_OF_WORD = 8
NEXT_LETTER = 10
LARGEST_GAP = 6


@dataclass(frozen=True, slots=True)
class Match:
    """How well a text answers a query (more is better), and the indices of the letters that do."""

    score: int
    letters: tuple[int, ...] = ()


def match(query: str, text: str) -> Match | None:
    """The best match of every word of `query` in `text`; None when one of them is not in it.

    A word is found when its letters occur in order; runs and starts of words score highest.
    """
    score, letters = 0, set[int]()
    for word in query.lower().split():
        found = _word(word, text)
        if found is None:
            return None
        score += found.score
        letters.update(found.letters)
    return Match(score - len(text) // 8, tuple(sorted(letters)))


def _word(word: str, text: str) -> Match | None:
    lowered = text.lower()
    if len(lowered) != len(text) or not _occurs(word, lowered):
        return None
    ends: list[Match] = []
    for index, letter in enumerate(word):
        places = [i for i, other in enumerate(lowered) if other == letter]
        if index == 0:
            ends = [Match(_start(text, i), (i,)) for i in places]
        else:
            ends = [best for i in places if (best := _extend(ends, i, text)) is not None]
    return max(ends, key=lambda m: m.score, default=None)


def _occurs(word: str, text: str) -> bool:
    rest = iter(text)
    return all(letter in rest for letter in word)


def _extend(ends: list[Match], place: int, text: str) -> Match | None:
    """The best of the matches `ends`, each of which ends before `place`, made longer by it."""
    best: Match | None = None
    for end in ends:
        gap = place - end.letters[-1]
        if gap < 1:
            continue
        step = NEXT_LETTER if gap == 1 else _start(text, place) - min(gap, LARGEST_GAP)
        if best is None or end.score + step > best.score:
            best = Match(end.score + step, (*end.letters, place))
    return best


def _start(text: str, place: int) -> int:
    if place == 0:
        return START_OF_TEXT
    before, letter = text[place - 1], text[place]
    starts = not before.isalnum() or (letter.isupper() and not before.isupper())
    return START_OF_WORD if starts else 0
