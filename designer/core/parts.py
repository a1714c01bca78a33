"""What the code of a layer is made of: the names that its expressions use, what is not known."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from designer.core import expression
from designer.core.code import Attribute, Call, Conditional, Copies, Infix, Item, Loop, Method
from designer.core.expression import Flag, Real, Text
from designer.core.option import Whole
from designer.core.size import UNKNOWN, Symbolic

NAMED = frozenset((Symbolic, Whole, Real, Flag, Text))
"""What carries names: sizes, and values that know the expression they came from."""

_PARTS: dict[type, tuple[str, ...]] = {
    kind: tuple(field.name for field in fields(kind))
    for kind in (Attribute, Call, Conditional, Copies, Infix, Item, Loop, Method)
}
_PARTS[slice] = ("start", "stop", "step")


def names_used(argument: object) -> set[str]:
    """The variables and free dimensions in an expression of `designer.core.code`."""
    found: set[str] = set()
    for part in named_parts(argument):
        if isinstance(part, Symbolic):
            found |= part.names
        else:
            found.update(expression.names(part.source))
    return found


def has_unknown(argument: object) -> bool:
    """Whether a size in an expression is not known."""
    return any(part is UNKNOWN for part in named_parts(argument))


def named_parts(argument: object) -> list[Any]:
    """The parts of an expression of `designer.core.code` that carry names, in no order."""
    return parts(argument, NAMED)


def parts(argument: object, kinds: frozenset[type]) -> list[Any]:
    """The outermost parts of these kinds in an expression of `designer.core.code`, in no order."""
    found: list[Any] = []
    waiting = [argument]
    while waiting:
        part = waiting.pop()
        kind = type(part)
        if kind in kinds:
            found.append(part)
        elif kind in _PARTS:
            waiting += [getattr(part, name) for name in _PARTS[kind]]
        elif isinstance(part, tuple | list):
            waiting += part
    return found
