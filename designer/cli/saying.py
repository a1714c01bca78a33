"""What a command tells people, in the language that it speaks."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

from designer import languages
from designer.core.message import Message, message
from designer.files.refusal import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LONGEST = 400

_spoken: dict[str, str] = {}
"""The catalogue of the language that this process speaks: a command speaks one."""


def speak(wished: str | None, environment: Mapping[str, str]) -> None:
    """Choose the language of what follows; a wish that cannot be met is said."""
    language = languages.loaded(languages.chosen(wished, environment))
    _spoken.clear()
    _spoken.update(language.catalogue)
    if wished is not None and languages.known(wished) is None:
        known = ", ".join(languages.languages())
        say(message("There is no language {wished}, only {known}.", wished=wished, known=known))
    for problem in language.problems:
        say(problem)


def told(text: Message) -> str:
    """A message in the language that is spoken."""
    return text.render(_spoken)


def word(text: str) -> str:
    """A text without values, as the help of a layer is, in the language that is spoken."""
    return _spoken.get(text, text)


def listed(parts: Iterable[Message]) -> str:
    """Messages one behind the other, with what separates them in the language that is spoken."""
    return told(message(", ")).join(map(told, parts))


def say(sentence: Message) -> None:
    """A sentence for people, on standard error."""
    print(shown(told(sentence), LONGEST), file=sys.stderr)


def columns(text: str) -> int:
    """How many columns of a terminal a text takes: Chinese characters take two each."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def left(text: str, width: int) -> str:
    """A text at the left of a cell of `width` columns."""
    return text + " " * (width - columns(text))


def right(text: str, width: int) -> str:
    """A text at the right of a cell of `width` columns."""
    return " " * (width - columns(text)) + text
