"""Other values for the variables of a design: `--preset NAME`, `--set d_model=1024`."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from designer.core.block_edits import use_preset
from designer.core.document import drafted
from designer.core.edits import Refused, set_variable
from designer.core.expression import Expression, ExpressionError, names
from designer.core.message import message
from designer.files.refusal import Refusal, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from designer.core.document import Document, Edit, Variable
    from designer.core.message import Message
    from designer.core.option import Raw

WHOLE = re.compile(r"-?[0-9]{1,30}")
REAL = re.compile(r"-?[0-9]{1,30}\.?[0-9]{0,30}(e[-+]?[0-9]{1,2})?")
TRUTHS = {"true": True, "false": False}


def with_values(document: Document, preset: str | None, given: Iterable[str]) -> Document:
    """The document with the values of a preset, and after these with those of `NAME=VALUE` texts.

    Raises Refusal where there is no such preset or variable, or a value is none of its kind.
    """
    if preset is not None:
        if preset not in document.presets:
            raise _refused("There is no preset {name}.", preset, document.presets)
        document = _edited(document, use_preset(preset))
    for text in given:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name:
            template = "--set takes NAME=VALUE, not {text}."
            raise Refusal(message(template, text=shown(text)))
        if name not in document.variables:
            raise _refused("There is no variable {name}.", name, document.variables)
        variable = document.variables[name]
        changed = replace(variable, value=_value(name, value, variable))
        document = _edited(document, set_variable(name, changed))
    return document


def _edited(document: Document, edit: Edit) -> Document:
    try:
        return drafted(document, edit)[0]
    except Refused as refused:
        raise Refusal(refused.message) from None


def _refused(template: str, name: str, known: Iterable[str]) -> Refusal:
    """A Refusal that names what there is."""
    told: Message = message(template, name=shown(name))
    names = ", ".join(map(shown, known))
    return Refusal(message("{told} There are: {names}.", told=told, names=names) if names else told)


def _value(name: str, text: str, variable: Variable) -> Raw:
    """A text as a value of the kind that the variable has now."""
    if isinstance(variable.value, bool):
        if text not in TRUTHS:
            raise Refusal(
                message("{name} is true or false, not {text}.", name=name, text=shown(text))
            )
        return TRUTHS[text]
    if isinstance(variable.value, str):
        if variable.choices and text not in variable.choices:
            choices = ", ".join(map(shown, variable.choices))
            template = "{name} is one of {choices}, not {text}."
            raise Refusal(message(template, name=name, choices=choices, text=shown(text)))
        return text
    return _number(name, text)


def _number(name: str, text: str) -> Raw:
    """A number, or an expression over the other variables."""
    number = _literal(text)
    if number is not None:
        return number
    try:
        names(text)
    except ExpressionError as error:
        raise Refusal(message("{name}: {reason}", name=name, reason=error.message)) from None
    return Expression(text)


def _literal(text: str) -> int | float | None:
    if WHOLE.fullmatch(text):
        return int(text)
    return float(text) if REAL.fullmatch(text) else None
