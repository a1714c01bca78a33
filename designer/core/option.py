"""One editable field of a layer: its type, limits and help, read off the layer's annotation."""

from __future__ import annotations

import types
from dataclasses import MISSING, dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, Union, get_args, get_origin

from designer.core.expression import (
    Expression,
    ExpressionError,
    Flag,
    Real,
    Text,
    evaluate,
    names,
    real,
    whole,
)
from designer.core.message import message
from designer.core.size import Symbolic, value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from designer.core.expression import Scope
    from designer.core.message import Message

Raw: TypeAlias = "bool | int | float | str | Expression | tuple[Raw, ...] | None"
"""An option as the document holds it: a literal, an expression over names, or a tuple of these."""

Kind: TypeAlias = Literal["size", "integer", "real", "flag", "choice", "text"]
AXIS_LIMIT = 2**63 - 1


def names_in(raw: Raw) -> tuple[str, ...]:
    """The names that a raw option value uses; none where it cannot be read."""
    if isinstance(raw, Expression):
        return _names_of(raw.text)
    if isinstance(raw, tuple):
        return tuple(name for part in raw for name in names_in(part))
    return ()


@lru_cache(maxsize=10_000)
def _names_of(text: str) -> tuple[str, ...]:
    try:
        return names(text)
    except ExpressionError:
        return ()


class OptionError(ValueError):
    """An option that cannot be used as it stands; `message` says why and what would do."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


class Whole(int):
    """An integer that knows the expression it came from."""

    source: str

    @staticmethod
    def of(number: int, source: str) -> Whole:
        """`number`, written as `source`."""
        result = Whole(number)
        result.source = source
        return result


def option(
    default: object,
    help: str,
    *,
    min: float | None = None,
    max: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """A field of a layer; its type is the field's annotation."""
    metadata = {"help": help, "min": min, "max": max, "choices": choices}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Option:
    """Name, type, limits and help of one field of a layer.

    `optional` means that it may be empty (None); `many` says whether a tuple is taken: never,
    besides a single value (`kernel_size=3` or `(3, 5)`), or only a tuple.
    """

    name: str
    kind: Kind
    default: Raw
    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    optional: bool = False
    many: Literal["never", "maybe", "always"] = "never"

    @property
    def numeric(self) -> bool:
        """Whether text that is no choice is an expression."""
        return self.kind in ("size", "integer", "real")

    def evaluate(self, raw: Raw, scope: Scope) -> Any:
        """The value of `raw`: Size, int, float, bool, str, None, or a tuple of them.

        Raises OptionError with the limit or reason.
        """
        if isinstance(raw, tuple) and self.many != "never":
            return tuple(self._part(part, scope) for part in raw)
        if self.many == "always" and raw is not None and not isinstance(raw, tuple):
            raise OptionError(message("{option} needs a list of numbers.", option=self.name))
        return self._single(raw, scope)

    def _single(self, raw: Raw, scope: Scope) -> Any:
        if raw is None:
            return self._empty()
        if isinstance(raw, str) and raw in self.choices:
            return raw
        return _CONVERT[self.kind](self, raw, scope)

    def _part(self, raw: Raw, scope: Scope) -> Any:
        """A word that stands for all numbers, as "same" does, is none of several."""
        if self.numeric and isinstance(raw, str):
            raise _refuse(self, raw)
        return self._single(raw, scope)

    def _empty(self) -> None:
        if not self.optional:
            raise OptionError(message("{option} needs a value.", option=self.name))

    def checked(self, number: float | None, shown: object) -> None:
        """Raise OptionError where `number` is outside the limits."""
        if number is None:
            return
        if self.minimum is not None and number < self.minimum:
            raise OptionError(self._bound("at least", self.minimum, shown))
        if self.maximum is not None and number > self.maximum:
            raise OptionError(self._bound("at most", self.maximum, shown))
        if abs(number) > AXIS_LIMIT:
            raise OptionError(self._bound("at most", AXIS_LIMIT, shown))

    def _bound(self, side: str, limit: float, shown: object) -> Message:
        template = {
            "at least": "{option} must be at least {limit}, got {got}.",
            "at most": "{option} must be at most {limit}, got {got}.",
        }[side]
        return message(template, option=self.name, limit=limit, got=shown)


def _evaluated(raw: Raw, scope: Scope) -> Any:
    if not isinstance(raw, Expression):
        return raw
    return evaluate(raw.text, scope)


def _refuse(option: Option, raw: object) -> OptionError:
    wanted = {
        "size": message("a whole number"),
        "integer": message("a whole number"),
        "real": message("a number"),
        "flag": message("true or false"),
        "choice": message("one of {choices}", choices=", ".join(option.choices)),
        "text": message("text"),
    }[option.kind]
    shown = raw.text if isinstance(raw, Expression) else raw
    return OptionError(
        message("{option} takes {wanted}, got {got}.", option=option.name, wanted=wanted, got=shown)
    )


def _number(option: Option, raw: Raw, scope: Scope) -> Any:
    number = _evaluated(raw, scope)
    if isinstance(number, (bool, str, Flag, tuple)):
        raise _refuse(option, raw)
    return number


def _size(option: Option, raw: Raw, scope: Scope) -> Any:
    number = whole(_number(option, raw, scope))
    option.checked(value(number), number)
    return number


def _integer(option: Option, raw: Raw, scope: Scope) -> int:
    size = _size(option, raw, scope)
    number = value(size)
    if number is None:
        raise OptionError(
            message("{option} needs a known number, got {got}.", option=option.name, got=size)
        )
    named = isinstance(raw, Expression) and names(raw.text)
    return Whole.of(number, raw.text) if named and isinstance(raw, Expression) else number


def _real(option: Option, raw: Raw, scope: Scope) -> float:
    number = real(_number(option, raw, scope))
    option.checked(number, number)
    if isinstance(raw, Expression) and names(raw.text):
        return Real(number, raw.text)
    return number


def _flag(option: Option, raw: Raw, scope: Scope) -> Any:
    flag = _evaluated(raw, scope)
    if not isinstance(flag, (bool, Flag)):
        raise _refuse(option, raw)
    if isinstance(raw, Expression) and isinstance(flag, Flag):
        return Flag(bool(flag), raw.text)
    return flag


def _choice(option: Option, raw: Raw, scope: Scope) -> str:
    text = _evaluated(raw, scope)
    if not isinstance(text, str) or (option.choices and text not in option.choices):
        raise _refuse(option, raw)
    return Text(text, raw.text) if isinstance(raw, Expression) else text


_CONVERT = {
    "size": _size,
    "integer": _integer,
    "real": _real,
    "flag": _flag,
    "choice": _choice,
    "text": _choice,
}


def read_option(name: str, annotation: object, default: object, metadata: Any) -> Option:
    """The Option that a dataclass field with this annotation and metadata declares."""
    parts = list(_parts(annotation))
    choices = metadata["choices"]
    tuples = [part for part in parts if get_origin(part) is tuple]
    inner = list(_parts(get_args(tuples[0])[0])) if tuples else parts
    plain = [part for part in parts if get_origin(part) is not tuple and part is not type(None)]
    return Option(
        name=name,
        kind=_kind(inner, choices),
        default=None if default is MISSING else default,  # type: ignore[arg-type]
        help=metadata["help"],
        minimum=metadata["min"],
        maximum=metadata["max"],
        choices=choices,
        optional=type(None) in parts,
        many="never" if not tuples else "maybe" if plain else "always",
    )


def _parts(annotation: object) -> Iterator[object]:
    if get_origin(annotation) in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from _parts(part)
    else:
        yield annotation


def _kind(parts: list[object], choices: tuple[str, ...]) -> Kind:
    order: tuple[tuple[object, Kind], ...] = (
        (Symbolic, "size"),
        (bool, "flag"),
        (float, "real"),
        (int, "integer"),
        (str, "choice" if choices else "text"),
    )
    for part, kind in order:
        if part in parts:
            return kind
    raise TypeError(f"an option cannot be of type {parts}")
