"""Why a file is not read or not written: a sentence with the file, the place and the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.message import Message, message

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_SHOWN = 60
LONGEST_PATH = 400


class Refusal(Exception):
    """A file that is not read or written; `problems` holds every reason that is known."""

    def __init__(self, text: Message, problems: tuple[Message, ...] = ()) -> None:
        super().__init__(text)
        self.message = text
        self.problems = problems or (text,)

    def __str__(self) -> str:
        return self.message.render()


def refusal(
    where: str,
    reason: Message,
    place: Message | str = "",
    kind: Callable[[Message], Refusal] = Refusal,
) -> Refusal:
    """A Refusal that names the file `where`, the place in it when there is one, and the reason."""
    file = shown(where, LONGEST_PATH)
    if not place:
        return kind(message("{file}: {reason}", file=file, reason=reason))
    return kind(message("{file}, {place}: {reason}", file=file, place=place, reason=reason))


def shown(text: str, longest: int = LONGEST_SHOWN) -> str:
    """A text from outside as a sentence may show it: no hidden character, long ones shortened."""
    short = text if len(text) <= longest else f"{text[: longest // 2 - 1]}…{text[-longest // 2 :]}"
    return "".join(letter if letter.isprintable() else escaped(letter) for letter in short)


def escaped(letter: str) -> str:
    """A character by its number, as Python writes it."""
    number = ord(letter)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
