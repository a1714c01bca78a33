"""Option values as a file spells them: literals, expressions, and what this version cannot read."""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import designer.layers  # noqa: F401 (fills the catalogue)
from designer.core.expression import Expression
from designer.core.graph import EMPTY
from designer.core.layer import CATALOGUE, options_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from designer.core.option import Option, Raw

SCALARS = frozenset({int, float, bool, type(None)})


class Fields(tuple[Any, ...]):
    """A JSON object that this version gives no meaning, as (key, value) pairs: it is kept."""

    __slots__ = ()


class Spelling(NamedTuple):
    """What a JSON string means at some place: an expression, except for the choices, or a text."""

    expressions: bool = False
    choices: tuple[str, ...] = ()

    def is_expression(self, text: str) -> bool:
        """Whether the string `text` is an expression."""
        return self.expressions and text not in self.choices


PLAIN = Spelling()
"""Where nothing is known: a string is a text."""


class Kinds:
    """The kinds of layers in a file: those of the catalogue, and those that the file declares.

    `declared` has the options of each kind that the file declares, in their order.
    """

    def __init__(self, declared: Mapping[str, tuple[Option, ...]] = EMPTY) -> None:
        self._declared = declared
        self._spellings = {kind: _spellings(options) for kind, options in declared.items()}

    def __contains__(self, kind: str) -> bool:
        return kind in CATALOGUE or kind in self._declared

    def spellings(self, kind: str) -> Mapping[str, Spelling]:
        """The Spelling of each option of a kind, in their order; none for an unknown kind."""
        return self._spellings.get(kind) or catalogue_spellings(kind)

    def defaults(self, kind: str) -> dict[str, Raw]:
        """What options have that a file does not give; none for an unknown kind."""
        known = options_of(CATALOGUE[kind]) if kind in CATALOGUE else self._declared.get(kind, ())
        return {option.name: option.default for option in known}


@lru_cache(maxsize=1_000)
def catalogue_spellings(kind: str) -> Mapping[str, Spelling]:
    """The Spelling of each option of a kind of the catalogue; none for another."""
    return _spellings(options_of(CATALOGUE[kind])) if kind in CATALOGUE else EMPTY


def _spellings(options: Iterable[Option]) -> Mapping[str, Spelling]:
    return MappingProxyType(
        {
            option.name: Spelling(option.kind not in ("choice", "text"), option.choices)
            for option in options
        }
    )


def decoded(value: object, spelling: Spelling = PLAIN) -> Any:
    """The Raw value for plain data: a tuple for a list, and Fields for an object.

    `{"expression": "mode"}` and `{"text": "4*d"}` spell out what a string would not mean there.
    """
    if type(value) in SCALARS:
        return value
    if isinstance(value, str):
        return Expression(value) if spelling.is_expression(value) else value
    if isinstance(value, list):
        return tuple(decoded(part, spelling) for part in value)
    return _decoded_object(value, spelling)


def _decoded_object(value: Any, spelling: Spelling) -> Raw:
    match value:
        case {"expression": str(text), **rest} if not rest:
            return Expression(text)
        case {"text": str(text), **rest} if not rest and spelling.expressions:
            return text
    return Fields((key, decoded(part)) for key, part in value.items())


def encoded(raw: object, spelling: Spelling = PLAIN) -> Any:
    """The plain data for a Raw value: what `decoded` reads as the same."""
    if type(raw) in SCALARS:
        return raw
    if isinstance(raw, Expression):
        return raw.text if spelling.is_expression(raw.text) else {"expression": raw.text}
    if isinstance(raw, str):
        return {"text": raw} if spelling.is_expression(raw) else raw
    if isinstance(raw, Fields):
        return {key: encoded(part) for key, part in raw}
    if isinstance(raw, tuple):
        return [encoded(part, spelling) for part in raw]
    raise TypeError(f"{type(raw).__name__} is no value of an option")


def encoded_fields(extra: tuple[tuple[str, object], ...]) -> dict[str, object]:
    """The plain data of fields that this version does not know."""
    return {name: encoded(value) for name, value in extra}
