"""What people type where a number is wanted: `4*d_model`, `7e9`, `min(T, 1024)//2`.

Expressions are read by an evaluator of their own over a list of allowed syntax. It works in exact
fractions, and checks the size of a result before it is worked out.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from designer.core import size as sizes
from designer.core.grammar import (
    ALLOWED,
    FUNCTION_NAMES,
    TOO_DEEP,
    ExpressionError,
    check_name,
    names,
    parsed,
    rename,
)
from designer.core.message import Message, message
from designer.core.rational import (
    DIVIDES_BY_ZERO,
    FUNCTIONS,
    LARGEST,
    OPERATORS,
    TOO_LARGE,
    Number,
    Ratio,
    bounded,
    extreme,
    literal,
    present_value,
    settled,
    shown,
    simplest,
    to_float,
)
from designer.core.size import Size, Symbolic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = [
    "ALLOWED",
    "NOTHING",
    "Expression",
    "ExpressionError",
    "Flag",
    "Real",
    "Scope",
    "Text",
    "UnknownName",
    "Value",
    "check_name",
    "evaluate",
    "names",
    "real",
    "rename",
    "resolve",
    "whole",
]

MOST_LISTED = 12


@dataclass(frozen=True, slots=True)
class Expression:
    """What a user typed in an option or a variable."""

    text: str


class UnknownName(ExpressionError):
    """A name that is neither a variable nor a free dimension."""

    def __init__(self, name: str, column: int | None = None) -> None:
        text = message("{name} is neither a variable nor a free dimension.", name=name)
        super().__init__(text, column)
        self.name = name


class Real(float):
    """A real number that knows the expression it came from."""

    source: str

    def __new__(cls, value: float, source: str) -> Real:
        real = super().__new__(cls, value)
        real.source = source
        return real


class Flag(int):
    """A truth value that knows the expression it came from (bool cannot be subclassed)."""

    source: str

    def __new__(cls, value: bool, source: str) -> Flag:
        flag = super().__new__(cls, bool(value))
        flag.source = source
        return flag

    def __repr__(self) -> str:
        return repr(bool(self))


class Text(str):
    """A text that knows the expression it came from."""

    __slots__ = ("source",)

    source: str

    def __new__(cls, value: str, source: str) -> Text:
        text = super().__new__(cls, value)
        text.source = source
        return text


Value: TypeAlias = int | Symbolic | Fraction | float | bool | str
Scope: TypeAlias = Mapping[str, Value]

NOTHING: Scope = MappingProxyType({})
"""The scope of an expression that may use no names."""


def evaluate(text: str, scope: Scope) -> Value:
    """The value of an expression over the names of `scope`.

    A name alone gives what the scope holds. Raises ExpressionError, and UnknownName for a name
    that is not in the scope.
    """
    tree = parsed(text)
    evaluation = _Evaluation(text.lstrip(" "), len(text) - len(text.lstrip(" ")), scope)
    if isinstance(tree, ast.Name):
        return evaluation.looked_up(tree)
    try:
        return _finished(evaluation.number(tree), text)
    except (MemoryError, RecursionError):
        raise ExpressionError(TOO_DEEP) from None


@dataclass(frozen=True, slots=True)
class _Evaluation:
    """One walk over the tree of an expression. `text` has no leading spaces; there were `blank`."""

    text: str
    blank: int
    scope: Scope

    def number(self, node: ast.expr) -> Number:
        """The number that a part of the expression stands for."""
        if isinstance(node, ast.BinOp):
            return self.operation(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd | ast.USub):
            number = self.number(node.operand)
            return number if isinstance(node.op, ast.UAdd) else OPERATORS[ast.Mult](-1, number)
        if isinstance(node, ast.Call):
            return self.call(node)
        return self.leaf(node)

    def operation(self, node: ast.BinOp) -> Number:
        """A chain of operations from left to right, however long it is."""
        steps: list[ast.BinOp] = []
        first: ast.expr = node
        while isinstance(first, ast.BinOp):
            steps.append(first)
            first = first.left
        result = self.number(first)
        for step in reversed(steps):
            operate = OPERATORS.get(type(step.op))
            if operate is None:
                raise ExpressionError(ALLOWED, self.column(step))
            result = self.located(step.right, operate, result, self.number(step.right))
        return result

    def call(self, node: ast.Call) -> Number:
        """A function of numbers."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in FUNCTION_NAMES or node.keywords:
            raise ExpressionError(ALLOWED, self.column(node))
        numbers = [self.number(argument) for argument in node.args]
        if name in ("min", "max") and numbers:
            return self.located(node, extreme, name, numbers)
        if name in ("min", "max") or len(numbers) != 1:
            wanted = "at least one value" if name in ("min", "max") else "one value"
            text = message("{name} takes {wanted}.", name=name, wanted=message(wanted))
            raise ExpressionError(text, self.column(node))
        return self.located(node, FUNCTIONS[name], numbers[0])

    def leaf(self, node: ast.expr) -> Number:
        """A name or a number."""
        if isinstance(node, ast.Name):
            return self.located(node, _as_number, self.looked_up(node), node.id)
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            source = self.text[node.col_offset : node.end_col_offset]
            return self.located(node, literal, source)
        raise ExpressionError(ALLOWED, self.column(node))

    def looked_up(self, node: ast.Name) -> Value:
        """What a name stands for."""
        if node.id in FUNCTION_NAMES:
            text = message("{name} is a function: write {name}(…).", name=node.id)
            raise ExpressionError(text, self.column(node))
        if node.id not in self.scope:
            raise UnknownName(node.id, self.column(node))
        return self.scope[node.id]

    def located(self, node: ast.expr, operate: Callable[..., Number], *args: object) -> Number:
        """The bounded result of an operation; an error of it gets the place of `node`."""
        try:
            return bounded(operate(*args))
        except ExpressionError as error:
            column = self.column(node) if error.column is None else error.column
            raise ExpressionError(error.message, column) from None
        except ZeroDivisionError:
            raise ExpressionError(DIVIDES_BY_ZERO, self.column(node)) from None
        except OverflowError:
            raise ExpressionError(TOO_LARGE, self.column(node)) from None

    def column(self, node: ast.expr) -> int:
        """Where `node` begins, counted from 1."""
        return self.blank + node.col_offset + 1


def _as_number(value: Value, name: str) -> Number:
    if isinstance(value, bool | Flag | str):
        raise ExpressionError(message("{name} is {value}, not a number.", name=name, value=value))
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ExpressionError(TOO_LARGE)
        return simplest(Fraction(repr(float(value))))
    return simplest(value) if isinstance(value, Fraction) else value


def _finished(number: Number, text: str) -> Value:
    number = settled(number)
    if isinstance(number, Ratio):
        known = present_value(number)
        if known is None:
            floor = number.numerator // number.denominator
            raise ExpressionError(message("This may not be whole: write {floor}.", floor=floor))
        return known
    return Real(number, text) if isinstance(number, float) else number


def whole(value: object) -> Size:
    """`value` as a size. Raises ExpressionError where it is not a whole number."""
    if isinstance(value, Symbolic) or (isinstance(value, int) and not _is_truth(value)):
        return value
    if isinstance(value, Fraction | Real) and value % 1 == 0:
        return int(value)
    if isinstance(value, Fraction | Real):
        text = "{number} is not a whole number; // rounds down."
        raise ExpressionError(message(text, number=shown(value)))
    raise ExpressionError(message("{value} is not a whole number.", value=value))


def real(value: object) -> float:
    """`value` as a float; a Real stays one. Raises ExpressionError where it has none."""
    known = sizes.value(value) if isinstance(value, Symbolic) else value
    if known is None:
        raise ExpressionError(message("A number is needed, and {size} has none.", size=value))
    if not isinstance(known, int | float | Fraction) or _is_truth(known):
        raise ExpressionError(message("{value} is not a number.", value=value))
    return known if isinstance(known, float) else to_float(known)


def _is_truth(value: object) -> bool:
    return isinstance(value, bool | Flag)


# Variables

NO_DIVISORS: Mapping[str, tuple[str | int, ...]] = MappingProxyType({})


def resolve(
    declared: Mapping[str, object],
    divisors: Mapping[str, tuple[str | int, ...]] = NO_DIVISORS,
    known: Scope = NOTHING,
) -> tuple[dict[str, Value], dict[str, Message]]:
    """The values of variables, and why others have none, both by name.

    A variable is declared as a literal (int, float, bool, str) or as an Expression over other
    variables and the names in `known`. `divisors` are the declared assumptions: what divides the
    variable.
    """
    uses, faults = _uses(declared)
    values: dict[str, Value] = dict(known)
    ordered = _in_order(uses)
    for name in ordered:
        missing = next((other for other in uses[name] if other in faults), None)
        if missing is not None:
            text = "{name} uses {other}, which has no value."
            faults[name] = message(text, name=name, other=missing)
        elif name not in faults:
            _resolve_one(name, declared[name], divisors.get(name, ()), values, faults)
    done = set(ordered)
    faults |= _in_circles({name: uses[name] for name in uses if name not in done})
    in_order = {name: values[name] for name in declared if name in values}
    return in_order, {name: faults[name] for name in declared if name in faults}


def _uses(declared: Mapping[str, object]) -> tuple[dict[str, list[str]], dict[str, Message]]:
    """Which other variables each one uses, and those that cannot be read."""
    uses: dict[str, list[str]] = {}
    faults: dict[str, Message] = {}
    for name, raw in declared.items():
        try:
            found = names(raw.text) if isinstance(raw, Expression) else ()
        except ExpressionError as error:
            faults[name] = error.message
            found = ()
        uses[name] = [other for other in found if other in declared]
    return uses, faults


def _in_order(uses: Mapping[str, Sequence[str]]) -> list[str]:
    """The names after all that they use, without those that wait for one another."""
    waiting = {name: len(others) for name, others in uses.items()}
    users: dict[str, list[str]] = {name: [] for name in uses}
    for name, others in uses.items():
        for other in others:
            users[other].append(name)
    ordered = [name for name, count in waiting.items() if not count]
    for name in ordered:
        for user in users[name]:
            waiting[user] -= 1
            if not waiting[user]:
                ordered.append(user)
    return ordered


def _resolve_one(
    name: str,
    raw: object,
    divisors: tuple[str | int, ...],
    values: dict[str, Value],
    faults: dict[str, Message],
) -> None:
    try:
        value = evaluate(raw.text, values) if isinstance(raw, Expression) else _literal_value(raw)
        values[name] = _named(name, value, divisors)
    except ExpressionError as error:
        faults[name] = error.message


def _literal_value(raw: object) -> Value:
    if isinstance(raw, bool | str):
        return raw
    if isinstance(raw, int | float):
        if not abs(raw) <= LARGEST:
            raise ExpressionError(TOO_LARGE)
        return raw
    raise ExpressionError(message("{value} is not a value of a variable.", value=raw))


def _named(name: str, value: Value, divisors: tuple[str | int, ...]) -> Value:
    """What the name of a variable stands for in expressions."""
    if _is_truth(value):
        return Flag(bool(value), name)
    if isinstance(value, int):
        return sizes.variable(name, value, divisors)
    if isinstance(value, str):
        return Text(value, name)
    return Real(value, name) if isinstance(value, float) else value


def _in_circles(uses: Mapping[str, Sequence[str]]) -> dict[str, Message]:
    """What is wrong with each of the names that wait for one another."""
    following = {name: next(o for o in others if o in uses) for name, others in uses.items()}
    faults = {
        name: message("{name} uses {other}, which has no value.", name=name, other=other)
        for name, other in following.items()
    }
    for circle in _circles(following):
        for at, name in enumerate(circle):
            around = _elided(
                [*circle[at : at + MOST_LISTED], *circle[:at][:MOST_LISTED]], len(circle)
            )
            text = "{name} depends on itself: {circle}."
            faults[name] = message(text, name=name, circle=" → ".join((*around, name)))
    return faults


def _elided(names: list[str], count: int) -> list[str]:
    return names[:count] if count <= MOST_LISTED else [*names[: MOST_LISTED - 1], "…"]


def _circles(following: Mapping[str, str]) -> Iterator[list[str]]:
    """The circles that one runs into by going from each name to the one that follows it."""
    seen: set[str] = set()
    for start in following:
        path: dict[str, None] = {}
        name = start
        while name not in seen:
            seen.add(name)
            path[name] = None
            name = following[name]
        if name in path:
            steps = list(path)
            yield steps[steps.index(name) :]
