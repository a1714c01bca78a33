"""Sentences as data: a template with values, rendered in the reader's language at the edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Message:
    """An English template, which is its own key in a catalogue, and the values it names.

    Values are plain data (int, str, Size, Tensor, Message); `{count:,}` writes an integer with
    commas.
    """

    template: str
    values: tuple[tuple[str, object], ...] = ()

    def render(self, catalogue: Mapping[str, str] | None = None) -> str:
        """The sentence, in the language of `catalogue` (template to translated template)."""
        template = (catalogue or {}).get(self.template, self.template)
        values = {
            name: value.render(catalogue) if isinstance(value, Message) else value
            for name, value in self.values
        }
        return template.format(**values)

    def __str__(self) -> str:
        return self.render()


def message(template: str, /, **values: object) -> Message:
    """A Message; `message("{layer} expects {expected}.", layer="Linear", expected=4)`."""
    return Message(template, tuple(values.items()))


def alternatives(shapes: str) -> str | Message:
    """`"[N, C] or [C]"`, with the word between as part of a template."""
    first, *others = shapes.split(" or ")
    said: str | Message = first
    for other in others:
        said = message("{one} or {other}", one=said, other=other)
    return said
