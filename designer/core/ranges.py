"""Variables outside the range that is declared for them."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from designer.core import size
from designer.core.expression import Flag
from designer.core.finding import Problem
from designer.core.message import message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from designer.core.document import Variable
    from designer.core.expression import Scope
    from designer.core.message import Message


def beyond_range(variables: Mapping[str, Variable], scope: Scope) -> Iterator[Problem]:
    """A warning for each variable whose value is outside its range."""
    for name, variable in variables.items():
        number = _number(scope.get(name)) if variable.limited else None
        if number is not None and not variable.admits(number):
            yield Problem("warning", _sentence(name, number, variable), option=name)


def _number(value: object) -> int | float | None:
    """The value of a variable as a number; None where it is none."""
    if isinstance(value, bool | Flag | str):
        return None
    if isinstance(value, size.Symbolic):
        return size.value(value)
    if isinstance(value, Fraction):
        return float(value)
    return value if isinstance(value, int | float) else None


def _sentence(name: str, number: float, variable: Variable) -> Message:
    least, most = variable.least, variable.most
    if most is None:
        text = "{name} is meant to be at least {least}, got {got}."
        return message(text, name=name, least=least, got=number)
    if least is None:
        text = "{name} is meant to be at most {most}, got {got}."
        return message(text, name=name, most=most, got=number)
    text = "{name} is meant to be from {least} to {most}, got {got}."
    return message(text, name=name, least=least, most=most, got=number)
