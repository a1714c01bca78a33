"""Bytes to plain data and back: a JSON that is read strictly and written so that it diffs well.

What `write_plain` writes, `read_plain` reads to the same values, and both refuse the same things:
what could not be read again is never written.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate
from json.encoder import encode_basestring as quoted
from typing import TYPE_CHECKING, Any, cast

from designer.core.message import Message, message
from designer.files.limits import FILE_BYTES, NESTING, NUMBER_CHARACTERS, VALUES
from designer.files.magic import file_type, is_wide_text
from designer.files.place import Place
from designer.files.refusal import Refusal, refusal, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

WIDTH = 100
INDENT = "  "
ROOM = WIDTH - len("[],")
BLANK = " \t\r\n"
BOM = b"\xef\xbb\xbf"

SYNTAX = (
    ("Expecting value", message("a value is expected here.")),
    ("Expecting property name", message("a name in double quotes is expected here.")),
    ("Expecting ':'", message("a colon is expected here.")),
    ("Expecting ','", message("a comma or a closing bracket is expected here.")),
    ("Illegal trailing comma", message("this comma has nothing after it.")),
    ("Unterminated string", message("this text has no closing quotation mark.")),
    ("Invalid control character", message("a text holds a control character here.")),
    ("Invalid \\", message("this escape is none that JSON knows.")),
    ("Extra data", message("the document has ended, but more follows.")),
)
CUT_SHORT = message("the file ends here, in the middle of the document.")
POWER_LOSS = message("it looks like a save cut short by a power loss.")

# Escapes that need a look, where no backslash is escaped. A pair of halves is taken as one, so that
# its second is not a lone one; of the control characters a text may hold tab and line ends.
ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})"
    r"|(?P<control>(?!u000[9aAdD])u00[01][0-9a-fA-F]|[bf]))"
)
TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]')
STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
NOT_STRUCTURE = bytes(set(range(256)) - set(b'[]{},"'))


@dataclass(frozen=True, slots=True)
class Fault:
    """Stands in the data where something was read that is refused, until its path is known."""

    reason: Message


class Hooks:
    """What json calls while it parses: values that are refused become Faults."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def parse(self, text: str) -> object:
        """The values of a JSON text, with a Fault for each one that is refused."""
        value: object = json.loads(
            text,
            parse_int=self.whole,
            parse_float=self.real,
            parse_constant=self.constant,
            object_pairs_hook=self.unique,
        )
        return value

    def fault(self, reason: str, **values: object) -> Fault:
        """A Fault for the reason, which is kept."""
        self.faults.append(Fault(message(reason, **values)))
        return self.faults[-1]

    def whole(self, digits: str) -> int | Fault:
        """An integer, unless it is so long that reading it would take long."""
        if len(digits) > NUMBER_CHARACTERS:
            return self.fault("a number of {length:,} characters.", length=len(digits))
        return int(digits)

    def real(self, digits: str) -> float | Fault:
        """A floating-point number that is finite."""
        if len(digits) > NUMBER_CHARACTERS:
            return self.fault("a number of {length:,} characters.", length=len(digits))
        number = float(digits)
        if math.isfinite(number):
            return number
        return self.fault("{number} is too large.", number=digits)

    def constant(self, name: str) -> Fault:
        """NaN and the infinities, which json reads and JSON does not have."""
        return self.fault("{number} is no number of JSON.", number=name)

    def unique(self, pairs: list[tuple[str, object]]) -> dict[str, object] | Fault:
        """An object, unless one of its keys stands there twice."""
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        return self.fault('the key "{key}" stands here twice.', key=shown(_repeated(pairs)))


def read_plain(data: bytes, where: str) -> object:
    """The values that the bytes of the file `where` hold; raises Refusal with place and reason."""
    text = _text(data, where)
    _check_structure(data, text, where)
    _check_escapes(text, where)
    hooks = Hooks()
    try:
        value = hooks.parse(text)
    except json.JSONDecodeError as error:
        raise _syntax(error, text, where) from None
    if hooks.faults and (found := _first_fault(value)) is not None:
        raise _at(found[1], where).refusal(found[0].reason)
    return value


def _at(way: list[str | int], where: str) -> Place:
    return reduce(Place.at, reversed(way), Place("$", where))


def _text(data: bytes, where: str) -> str:
    if not data:
        raise refusal(where, message("the file is empty (0 bytes)."))
    if len(data) > FILE_BYTES:
        raise refusal(where, message("more than {limit:,} bytes.", limit=FILE_BYTES))
    if not data.strip(b"\0 \t\r\n"):
        raise refusal(where, message("only zeros or blanks; {guess}", guess=POWER_LOSS))
    if (found := file_type(data)) is not None:
        raise refusal(where, message("this is {type}, not a Netdraft document.", type=found))
    if is_wide_text(data):
        raise refusal(where, message("this is UTF-16 or UTF-32 text; UTF-8 is expected."))
    try:
        return data.removeprefix(BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_utf8(data, error, where) from None


def _not_utf8(data: bytes, error: UnicodeDecodeError, where: str) -> Refusal:
    offset = error.start + (len(BOM) if data.startswith(BOM) else 0)
    reason = message("the byte {byte} is no UTF-8 text.", byte=f"0x{data[offset]:02x}")
    return refusal(where, reason, message("byte {offset:,}", offset=offset))


def _check_structure(data: bytes, text: str, where: str) -> None:
    """Refuse too deep and too many values, before the parser meets them."""
    structure = _structure(data)
    if len(structure) > VALUES:
        raise refusal(where, message("more than {limit:,} values.", limit=VALUES))
    steps = memoryview(structure.translate(STEPS, b",")).cast("b")
    depths = accumulate(steps)
    deepest = next((index for index, depth in enumerate(depths) if depth > NESTING), None)
    if deepest is not None:
        position = _bracket_position(text, deepest)
        reason = "nested deeper than {limit} levels."
        raise refusal(where, message(reason, limit=NESTING), _spot(text, position))


def _structure(data: bytes) -> bytes:
    """The brackets and commas of a JSON text that stand outside of its strings, in order."""
    plain = data.replace(rb"\\", b"").replace(rb"\"", b"").translate(None, NOT_STRUCTURE)
    # Two quotation marks side by side enclose nothing: without them little is left to split.
    return b"".join(plain.replace(b'""', b"").split(b'"')[::2])


def _bracket_position(text: str, index: int) -> int:
    tokens = (token for token in TOKEN.finditer(text) if token[0][0] != '"')
    return next(token.start() for number, token in enumerate(tokens) if number == index)


def _check_escapes(text: str, where: str) -> None:
    """Refuse what a JSON string can spell though no text may hold it."""
    escape = _first_bad_escape(text)
    if escape is None:
        return
    reason = (
        "{escape} is half a character." if escape["lone"] else "{escape} is a control character."
    )
    raise refusal(where, message(reason, escape=escape[0]), _spot(text, escape.start()))


def _first_bad_escape(text: str) -> re.Match[str] | None:
    single = text.replace("\\\\", "  ")
    escapes = ESCAPE.finditer(single)
    return next((escape for escape in escapes if escape["lone"] or escape["control"]), None)


def _repeated(pairs: list[tuple[str, object]]) -> str:
    return Counter(key for key, _ in pairs).most_common(1)[0][0]


def _first_fault(value: object) -> tuple[Fault, list[str | int]] | None:
    """The first Fault in `value`, and the keys that lead to it, the last one first."""
    if isinstance(value, Fault):
        return value, []
    children = value.items() if isinstance(value, dict) else enumerate(cast("list[object]", value))
    for key, child in children:
        # Scalars are most of the values, and hold no Fault.
        if type(child) not in SCALARS and (found := _first_fault(child)) is not None:
            found[1].append(key)
            return found
    return None


def _syntax(error: json.JSONDecodeError, text: str, where: str) -> Refusal:
    reasons = (reason for start, reason in SYNTAX if error.msg.startswith(start))
    reason = next(reasons, message("this is not JSON."))
    rest = text[error.pos :]
    if not rest.strip(BLANK):
        reason = CUT_SHORT
    elif not rest.strip("\0"):
        reason = message("only zeros from here on; {guess}", guess=POWER_LOSS)
    return refusal(where, reason, _spot(text, error.pos))


def _spot(text: str, position: int) -> Message:
    """Line and column of a position, both from 1."""
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return message("line {line}, column {column}", line=line, column=column)


@dataclass(frozen=True, slots=True)
class Rows:
    """A list or an object that is written one item to a line, even where it would fit on one."""

    items: list[Any] | dict[str, Any]


def write_plain(data: object) -> bytes:
    """The bytes of plain data: UTF-8, LF, keys as given, what fits on one line on one line.

    Raises TypeError for what is no plain data and for what `read_plain` would refuse.
    """
    text = _items([data], "")[0] + "\n"
    if _first_bad_escape(text) is not None:
        raise TypeError("a text holds a control character")
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise TypeError(f"a text holds half a character: {error}") from None


def _container(value: object, indent: str, used: int) -> str:
    """A list or an object on a line that holds `used` characters beside the indent."""
    if type(value) is list or type(value) is tuple:
        return f"[{_between(_items(value, indent + INDENT), indent, used)}]"
    if type(value) is dict:
        return f"{{{_between(_fields(value, indent + INDENT), indent, used)}}}"
    if type(value) is Rows:
        return _container(value.items, indent, WIDTH)
    raise TypeError(f"{type(value).__name__} is no plain data")


def _fields(values: Mapping[str, object], indent: str) -> list[str]:
    # Most values are scalars: they are written in this loop, without another call.
    return [
        f"{quoted(key)}: {SCALARS[kind](value)}"
        if (kind := type(value)) in SCALARS
        else f"{quoted(key)}: {_container(value, indent, len(key) + 4)}"
        for key, value in values.items()
    ]


def _items(values: Sequence[object], indent: str) -> list[str]:
    return [
        SCALARS[kind](value) if (kind := type(value)) in SCALARS else _container(value, indent, 0)
        for value in values
    ]


def _between(parts: list[str], indent: str, used: int) -> str:
    """What stands between two brackets: the parts on one line where they fit, else on their own."""
    if len(indent) >= NESTING * len(INDENT):
        raise TypeError(f"nested deeper than {NESTING} levels")
    line = ", ".join(parts)
    if not parts or (len(line) + len(indent) + used <= ROOM and "\n" not in line):
        return line
    start = f"\n{indent}{INDENT}"
    return f"{start}{f',{start}'.join(parts)}\n{indent}"


def _whole(value: int) -> str:
    text = int.__repr__(value)
    if len(text) > NUMBER_CHARACTERS:
        raise TypeError(f"a number of {len(text)} characters")
    return text


def _real(value: float) -> str:
    if not math.isfinite(value):
        raise TypeError(f"{value} is no number of JSON")
    return float.__repr__(value)


SCALARS: dict[type, Callable[[Any], str]] = {
    str: quoted,
    int: _whole,
    float: _real,
    bool: {True: "true", False: "false"}.__getitem__,
    type(None): {None: "null"}.__getitem__,
}
