"""Source text that a document brings for exported code: read as a tree, and never run."""

from __future__ import annotations

import ast
import builtins
import re
import warnings
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from designer.core.message import message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from designer.core.message import Message

LONGEST_SOURCE = 100_000
LONGEST_SOURCES = 1_000_000
"""Of all texts of a document together: reading them all takes seconds, not minutes."""

PROVIDED: Mapping[str, str] = MappingProxyType(
    {
        "math": "math",
        "torch": "torch",
        "F": "torch.nn.functional",
        "nn": "torch.nn",
        "Tensor": "torch.Tensor",
    }
)
"""What the file that the text goes into calls these things; the text may use them as they are."""

SCOPES = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
NAMING: Mapping[type[ast.AST], str] = MappingProxyType(
    {
        **dict.fromkeys((*SCOPES, ast.ExceptHandler, ast.MatchAs, ast.MatchStar), "name"),
        ast.MatchMapping: "rest",
    }
)
"""Where parts of a tree hold a name that they bind."""

LINE_ENDS = re.compile(r"\r\n?")


@dataclass(frozen=True, slots=True)
class Written:
    """A class of the target library whose source a document holds: `source` defines `name`."""

    name: str
    source: str

    @property
    def lines(self) -> list[str]:
        """The text as it goes into a file: as it is, with the line ends of the file."""
        return LINE_ENDS.sub("\n", self.source).strip("\n").split("\n")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text defines: of each name outside its classes and functions what it stands for.

    With a `fault` there is nothing else.
    """

    names: Mapping[str, str]
    classes: frozenset[str]
    fault: Message | None = None


def fault_of(written: Written) -> Message | None:
    """Why a text cannot go into a file of code; None where it can."""
    reading = reading_of(written.source)
    if reading.fault is not None or written.name in reading.classes:
        return reading.fault
    return message("The source has no class {name}.", name=written.name)


def collision(one: Written, other: Written) -> str | None:
    """A name to which two texts give different meanings, if there is one."""
    mine, theirs = reading_of(one.source).names, reading_of(other.source).names
    return next((name for name in mine if theirs.get(name, mine[name]) != mine[name]), None)


@lru_cache(maxsize=1_000)
def reading_of(source: str) -> Reading:
    """What is known of a text without running it."""
    if len(source) > LONGEST_SOURCE:
        text = "The source is longer than {limit:,} characters."
        return _faulty(message(text, limit=LONGEST_SOURCE))
    try:
        with warnings.catch_warnings():
            # Of a backslash in a text, for one: that is between the writer and Python.
            warnings.simplefilter("ignore")
            tree = ast.parse(LINE_ENDS.sub("\n", source))
    except SyntaxError as error:
        return _faulty(_at(error.lineno, message("{reason}.", reason=_said(error))))
    except (ValueError, MemoryError, RecursionError):
        return _faulty(message("The source cannot be read: nested too deep, or no text."))
    return _reading(tree)


def _faulty(fault: Message) -> Reading:
    return Reading(MappingProxyType({}), frozenset(), fault)


def _said(error: SyntaxError) -> str:
    """What Python says of a fault, without characters that nobody sees."""
    return "".join(c if c.isprintable() else " " for c in error.msg)[:100].rstrip(".")


def _at(line: int | None, reason: Message) -> Message:
    return message("Line {line} of the source: {reason}", line=line or 1, reason=reason)


def _reading(tree: ast.Module) -> Reading:
    names: dict[str, str] = {}
    for statement in tree.body:
        for name, stands_for in _bound(statement):
            fault = _forbidden(name, stands_for)
            if fault is not None:
                return _faulty(_at(statement.lineno, fault))
            names[name] = stands_for
    classes = frozenset(part.name for part in tree.body if isinstance(part, ast.ClassDef))
    return Reading(MappingProxyType(names), classes)


def _forbidden(name: str, stands_for: str) -> Message | None:
    """Why a text may not define a name: the rest of the file depends on it."""
    if name == "*" or stands_for.startswith("__future__."):
        return message("this import must name what it imports; __future__ has no place here.")
    if PROVIDED.get(name, stands_for) != stands_for or hasattr(builtins, name):
        return message("{name} has a meaning already.", name=name)
    return None


def _bound(statement: ast.stmt) -> Iterator[tuple[str, str]]:
    """The names that a statement outside classes and functions binds, and what each stands for."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        yield from _imported(statement)
        return
    stands_for = ast.dump(statement)
    for part in _outside(statement):
        if isinstance(part, ast.Import | ast.ImportFrom):
            yield from _imported(part)
        for name in _names_of(part):
            yield name, stands_for


def _outside(statement: ast.stmt) -> Iterator[ast.AST]:
    """The parts of a statement that are not within a class or function of their own."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        part = waiting.pop()
        yield part
        inside = part.body if isinstance(part, SCOPES) else []
        waiting += (child for child in ast.iter_child_nodes(part) if child not in inside)


def _names_of(part: ast.AST) -> Iterator[str]:
    """The names that one part of a statement binds."""
    if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load):
        yield part.id
    name = getattr(part, NAMING.get(type(part), ""), None)
    if name is not None:
        yield name


def _imported(statement: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """The names of an import, each with the dotted name of what it stands for."""
    if isinstance(statement, ast.Import):
        for part in statement.names:
            first = part.name.split(".")[0]
            yield part.asname or first, part.name if part.asname else first
        return
    origin = "." * statement.level + (statement.module or "")
    for part in statement.names:
        yield part.asname or part.name, f"{origin}.{part.name}"
