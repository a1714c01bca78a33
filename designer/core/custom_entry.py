"""What people type to declare a custom layer, and what a document holds: each made of the other."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar, cast

from designer.core.custom import TYPES
from designer.core.entry import raw_of, split, text_of
from designer.core.option import Option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from designer.core.option import Raw

YES = "yes"

P = TypeVar("P")


def texts_of(part: Any) -> dict[str, str]:
    """How each field of a port, option or tensor is written."""
    values = ((f.name, getattr(part, f.name)) for f in fields(part) if f.name != "extra")
    return {name: _text(value, default=name == "default") for name, value in values}


def _text(value: Any, *, default: bool) -> str:
    if default:
        return text_of(value)
    if isinstance(value, bool):
        return YES if value else ""
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def part_of(made: type[P], texts: Mapping[str, str], extra: tuple[tuple[str, object], ...]) -> P:
    """The port, option or tensor that these texts declare; `extra` is what no text stands for."""
    values: dict[str, Any] = {name: text.strip() for name, text in texts.items()}
    for name in ("axes", "choices"):
        if name in values:
            values[name] = tuple(split(values[name]))
    if "optional" in values:
        values["optional"] = values["optional"].lower() == YES
    if "default" in values:
        values["default"] = _default(values)
    declared: P = cast("Any", made)(**values, extra=extra)
    return declared


def _default(values: Mapping[str, Any]) -> Raw:
    """The default of an option; where its type is none, what is typed stays a text."""
    if values["type"] not in TYPES:
        return cast("str", values["default"])
    kind = Option(values["name"], values["type"], None, "", choices=values["choices"])
    return raw_of(kind, values["default"])
