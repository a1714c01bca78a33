"""What people type into a field, and what a document holds for it: each made of the other."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from designer.core.expression import Expression

if TYPE_CHECKING:
    from designer.core.option import Option, Raw

NOTHING = "None"
"""How an empty place in a list is written."""

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*(_[0-9]+)*)")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)([eE][+-]?[0-9]+)?")
_STEPPABLE = re.compile(r"((?<![^\s,(\[])-)?(?<![\w.])[0-9]+(?![\w.])")
_TRUTH = {"true": True, "false": False}
_MOST_DIGITS = 400
"""Longer rows of digits stay text: no size has as many, and reading them takes long."""


def raw_of(option: Option, text: str) -> Raw:
    """The raw value for a text: None where it is empty, a tuple for a list.

    What is neither a number nor one of the choices becomes an Expression, also while it cannot
    be read: the analysis says what is wrong with it.
    """
    text = text.strip()
    if option.many == "never":
        return _single(option, text)
    inside = _inside(text)
    if inside is None and option.many == "maybe" and len(split(text, keep_empty=True)) == 1:
        return _single(option, text)
    if not text:
        return None
    return tuple(_single(option, part) for part in split(text if inside is None else inside))


def _single(option: Option, text: str) -> Raw:
    if not text or text == NOTHING:
        return None
    if text in option.choices or option.kind == "text":
        return text
    if option.kind == "flag":
        return _TRUTH.get(text.lower(), Expression(text))
    if not option.numeric:
        return Expression(text)
    return _number(text, decimals=option.kind == "real")


def _number(text: str, decimals: bool) -> Raw:
    if len(text) <= _MOST_DIGITS and _INTEGER.fullmatch(text):
        return int(text)
    if decimals and _DECIMAL.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return Expression(text)


def _inside(text: str) -> str | None:
    """What stands between brackets around the whole text; None where there are none."""
    if text[:1] + text[-1:] == "[]":
        return text[1:-1]
    if text[:1] + text[-1:] != "()":
        return None
    inside = text[1:-1]
    # `(a + b) * (c + d)` is no list, and neither is `(a)`.
    is_list = not inside.strip() or len(split(inside + ",", keep_empty=True)) > 2
    return inside if is_list and _balanced(inside) else None


def _balanced(text: str) -> bool:
    depth = 0
    for sign in text:
        depth += (sign in "([") - (sign in ")]")
        if depth < 0:
            return False
    return True


def split(text: str, keep_empty: bool = False) -> list[str]:
    """The parts between commas that stand in no parentheses, without an empty one at the end."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign in "([") - (sign in ")]")
        if sign == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += sign
    parts = [part.strip() for part in parts]
    return parts if keep_empty or parts[-1] else parts[:-1]


def text_of(raw: Raw) -> str:
    """How a raw value is written in its field; empty for None."""
    if isinstance(raw, tuple):
        parts = ", ".join(text_of(part) or NOTHING for part in raw)
        return {0: "()", 1: f"{parts},"}.get(len(raw), parts)
    if isinstance(raw, Expression):
        return raw.text
    if isinstance(raw, float):
        return re.sub(r"e([+-])0+", r"e\1", repr(raw)).replace("e+", "e")
    return "" if raw is None else str(raw)


def variable_raw(before: Raw, text: str) -> Raw:
    """The value of a variable for a text; where it was a text `before`, it stays one."""
    if isinstance(before, str):
        return text
    text = text.strip()
    if text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    raw = _number(text, decimals=True)
    # `7e9` is a whole number as an expression, and would be no size as a float.
    return Expression(text) if isinstance(raw, float) and raw.is_integer() else raw


def divisors_of(text: str) -> tuple[str | int, ...]:
    """Declared divisors from a list: names and whole numbers."""
    return tuple(int(part) if part.isdecimal() else part for part in split(text) if part)


Range: TypeAlias = "tuple[int | float | None, int | float | None]"
"""The least and the most number that is meant; None where there is no limit."""

_NUMBER = r"[-−]?[0-9][0-9_]*(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?"
_RANGES = (
    re.compile(rf"(?P<least>{_NUMBER})\s*(?:to|…|–|\.\.\.?)\s*(?P<most>{_NUMBER})"),
    re.compile(rf"(?:≥|>=|from)\s*(?P<least>{_NUMBER})"),
    re.compile(rf"(?:≤|<=|to)\s*(?P<most>{_NUMBER})"),
)


def range_of(text: str) -> Range | None:
    """A range from `1 to 64`, `≥ 1`, `≤ 0.5` or nothing; None where it cannot be read."""
    if not text.strip():
        return None, None
    for pattern in _RANGES:
        found = pattern.fullmatch(text.strip())
        if found is not None:
            ends = found.groupdict()
            return _limit(ends.get("least")), _limit(ends.get("most"))
    return None


def _limit(text: str | None) -> int | float | None:
    if text is None:
        return None
    plain = text.replace("−", "-").replace("_", "")
    whole = plain.lstrip("-").isdecimal()
    return int(plain) if whole and len(plain) < _MOST_DIGITS else float(plain)


def text_of_range(least: float | None, most: float | None) -> str:
    """A range as one writes it: `1 to 64`, `≥ 1`, `≤ 64`, or nothing."""
    if least is None:
        return "" if most is None else f"≤ {most}"
    return f"≥ {least}" if most is None else f"{least} to {most}"


class Stepped(NamedTuple):
    """A text after one of its numbers was stepped, and where the cursor stands then."""

    text: str
    cursor: int


def stepped(
    text: str, cursor: int, by: int, least: float | None = None, most: float | None = None
) -> Stepped | None:
    """The text with the whole number at the cursor changed; None where there is none.

    Where the text holds one whole number only, the cursor does not matter. `least` is as low as
    it goes, `most` as high.
    """
    found = list(_STEPPABLE.finditer(text))
    at = next((match for match in found if match.start() <= cursor <= match.end()), None)
    if at is None and len(found) == 1 and found[0].group() == text.strip():
        at = found[0]
    if at is None or len(text) > _MOST_DIGITS:
        return None
    number = int(at.group()) + by
    number = number if least is None else max(math.ceil(least), number)
    number = number if most is None else min(math.floor(most), number)
    written = str(number)
    return Stepped(text[: at.start()] + written + text[at.end() :], at.start() + len(written))
