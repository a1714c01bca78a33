"""A place in plain data, and the taking of typed fields out of it: a refusal names the place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from designer.core.message import Message, message
from designer.files.limits import NAME_CHARACTERS
from designer.files.refusal import refusal, shown

if TYPE_CHECKING:
    from collections.abc import Sized

    from designer.files.refusal import Refusal

LONGEST_KEY = 60
CONSTANTS = {"True": "true", "False": "false", "None": "null"}


@dataclass(frozen=True, slots=True)
class Place:
    """The path of a value in a file, as `$.nodes[3].options`."""

    path: str = "$"
    file: str = ""

    def at(self, key: str | int) -> Place:
        """The place of the field or item `key` of the value at this place."""
        if isinstance(key, int):
            return Place(f"{self.path}[{key}]", self.file)
        if key.isidentifier() and key.isascii() and len(key) <= LONGEST_KEY:
            return Place(f"{self.path}.{key}", self.file)
        return Place(f'{self.path}["{shown(key)}"]', self.file)

    def refusal(self, reason: Message) -> Refusal:
        """A Refusal that names the file, this place and the reason."""
        return refusal(self.file, reason, self.path)


class Owner(Protocol):
    """What a field is taken out of: an object by key, or a list by index."""

    def __getitem__(self, key: Any, /) -> object: ...


def field(owner: Owner, key: str | int, place: Place) -> object:
    """The field `key` of `owner`, which stands at `place`; raises Refusal where it is missing."""
    try:
        return owner[key]
    except (KeyError, IndexError):
        raise place.at(key).refusal(message("is missing.")) from None


def integer(
    owner: Owner, key: str | int, place: Place, min: int | None = None, max: int | None = None
) -> int:
    """A whole number between the limits; 3.0 and true are none."""
    value = field(owner, key, place)
    if type(value) is not int:
        raise _unexpected(value, place.at(key), message("a whole number"))
    if min is not None and value < min:
        raise place.at(key).refusal(message("must be at least {limit:,}.", limit=min))
    if max is not None and value > max:
        raise place.at(key).refusal(message("must be at most {limit:,}.", limit=max))
    return value


def number(owner: Owner, key: str | int, place: Place) -> int | float:
    """A number, whole or not, as it is written."""
    value = field(owner, key, place)
    if type(value) is int or type(value) is float:
        return value
    raise _unexpected(value, place.at(key), message("a number"))


def boolean(owner: Owner, key: str | int, place: Place) -> bool:
    """`true` or `false`; 0 and 1 are none."""
    value = field(owner, key, place)
    if isinstance(value, bool):
        return value
    raise _unexpected(value, place.at(key), message("true or false"))


def text(owner: Owner, key: str | int, place: Place, limit: int = NAME_CHARACTERS) -> str:
    """A text of at most `limit` characters."""
    value = field(owner, key, place)
    if not isinstance(value, str):
        raise _unexpected(value, place.at(key), message("a text"))
    if len(value) > limit:
        reason = "{length:,} characters, at most {limit:,} are allowed."
        raise place.at(key).refusal(message(reason, length=len(value), limit=limit))
    return value


def mapping(owner: Owner, key: str | int, place: Place) -> dict[str, object]:
    """A JSON object."""
    value = field(owner, key, place)
    return value if isinstance(value, dict) else as_mapping(value, place.at(key))


def as_mapping(value: object, place: Place) -> dict[str, object]:
    """The value that stands at `place`, which must be a JSON object."""
    if isinstance(value, dict):
        return value
    raise _unexpected(value, place, message("an object"))


def sequence(owner: Owner, key: str | int, place: Place, limit: int | None = None) -> list[object]:
    """A JSON list of at most `limit` items."""
    value = field(owner, key, place)
    if not isinstance(value, list):
        raise _unexpected(value, place.at(key), message("a list"))
    if limit is not None:
        check_length(value, place.at(key), limit)
    return value


def check_length(found: Sized, place: Place, limit: int) -> None:
    """Refuse a list or an object of more than `limit` items."""
    if len(found) > limit:
        reason = "{length:,} items, at most {limit:,} are allowed."
        raise place.refusal(message(reason, length=len(found), limit=limit))


def _unexpected(value: object, place: Place, expected: Message) -> Refusal:
    found = _described(value)
    return place.refusal(message("must be {expected}, is {found}.", expected=expected, found=found))


def _described(value: object) -> Message:
    if isinstance(value, dict):
        return message("an object")
    if isinstance(value, list):
        return message("a list")
    if isinstance(value, str):
        return message('the text "{text}"', text=shown(value))
    return message("{value}", value=CONSTANTS.get(str(value), str(value)))
