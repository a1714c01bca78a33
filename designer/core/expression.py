"""What people type where a number is wanted: `4*d_model`, `7e9`, `min(T, 1024)//2`.

Expressions are read by an evaluator of their own over a list of allowed syntax. It works in exact
fractions, and checks the size of a result before it is worked out.
"""

from __future__ import annotations

import ast
import keyword
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from designer.core import size as sizes
from designer.core.message import Message, message
from designer.core.size import Size, Symbolic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

LONGEST = 500
DEEPEST = 32
LARGEST = 2**63 - 1
LONGEST_NAME = 100
MOST_TERMS = 1_000
MOST_BITS = 2_048
MOST_LISTED = 12


@dataclass(frozen=True, slots=True)
class Expression:
    """What a user typed in an option or a variable."""

    text: str


class ExpressionError(ValueError):
    """An expression that has no value; `message` says why, `column` (from 1) says where."""

    def __init__(self, message: Message, column: int | None = None) -> None:
        super().__init__(str(message))
        self.message = message
        self.column = column


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


# Reading

FUNCTION_NAMES = ("min", "max", "ceil", "floor", "round", "abs", "sqrt")
ALLOWED = message(
    "Only + - * / // % ** and {functions} are allowed.",
    functions=", ".join(FUNCTION_NAMES),
)
TOKEN = re.compile(
    r"(?P<number>0[xXoObB][0-9a-fA-F_]+|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)"
    r"(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign>\*\*|//|[-+*/%(),])"
    r"|(?P<space>\ +)"
)
LIKELY = {"×": "*", "·": "*", "−": "-", "–": "-", "÷": "/", "^": "**"}
TOO_DEEP = message("The expression is nested deeper than {limit}.", limit=DEEPEST)
TOO_LARGE = message("The result would exceed 2^63.")
TOO_FINE = message("The result has too many digits.")
DIVIDES_BY_ZERO = message("This divides by zero.")


class _Token(NamedTuple):
    kind: str
    text: str
    start: int


@lru_cache(maxsize=10_000)
def _scanned(text: str) -> tuple[_Token, ...]:
    """The tokens of an expression, with all that can be refused before it is parsed."""
    if len(text) > LONGEST:
        raise ExpressionError(message("Longer than {limit} characters.", limit=LONGEST))
    tokens: list[_Token] = []
    position = 0
    while position < len(text):
        token = _token_at(text, position)
        _check_token(token, tokens)
        tokens.append(token)
        position += len(token.text)
    marks = [token for token in tokens if token.kind != "space"]
    _check_depth(marks)
    _check_whole(marks)
    return tuple(tokens)


def _token_at(text: str, position: int) -> _Token:
    match = TOKEN.match(text, position)
    end = match.end() if match else position
    if end < len(text) and not text[end].isascii():
        raise ExpressionError(_foreign(text, end), end + 1)
    if match is None:
        raise ExpressionError(_unexpected(text[position]), position + 1)
    return _Token(str(match.lastgroup), match.group(), position)


def _unexpected(sign: str) -> Message:
    if sign in LIKELY:
        return message("Write {plain} instead of {sign}.", plain=LIKELY[sign], sign=sign)
    return ALLOWED


def _foreign(text: str, position: int) -> Message:
    """Why the character at `position`, which is not ASCII, is refused."""
    word = next((m.group() for m in re.finditer(r"\w+", text) if position in range(*m.span())), "")
    plain = _plain(word)
    if not word or not plain.isascii():
        return _unexpected(text[position])
    if plain.isdecimal():
        return message("Write {plain} with plain digits.", plain=plain)
    return message("Write {plain} with plain letters.", plain=plain)


def _plain(word: str) -> str:
    """`word` in compatible characters, with the digits of all scripts as 0 to 9."""
    characters = unicodedata.normalize("NFKC", word)
    return "".join(str(unicodedata.decimal(c, c)) for c in characters)


def _check_token(token: _Token, before: Sequence[_Token]) -> None:
    if token.kind != "name":
        return
    if before and before[-1].kind == "number":
        number, column = before[-1].text, before[-1].start + 1
        text = message("Write {number}*{name}.", number=number, name=token.text)
        raise ExpressionError(text, column)
    if keyword.iskeyword(token.text):
        text = message("{name} is a word of Python.", name=token.text)
        raise ExpressionError(text, token.start + 1)


def _check_depth(tokens: Sequence[_Token]) -> None:
    """Parentheses, signs in a row, and powers are what can nest."""
    depth = signs = powers = 0
    for token in tokens:
        depth += (token.text == "(") - (token.text == ")")
        signs = signs + 1 if token.text in ("+", "-") else 0
        powers += token.text == "**"
        if max(depth, signs, powers) > DEEPEST:
            raise ExpressionError(TOO_DEEP, token.start + 1)


def _check_whole(tokens: Sequence[_Token]) -> None:
    """Refuse what stops short: nothing at all, an open parenthesis, an operator at the end."""
    if not tokens:
        raise ExpressionError(message("The expression is empty."))
    last = tokens[-1]
    if last.kind == "sign" and last.text != ")":
        text = message("Something is missing after {sign}.", sign=last.text)
        raise ExpressionError(text, last.start + len(last.text) + 1)
    opened: list[int] = []
    for token in tokens:
        if token.text == "(":
            opened.append(token.start + 1)
        elif token.text == ")" and not opened:
            raise ExpressionError(message("This parenthesis closes nothing."), token.start + 1)
        elif token.text == ")":
            opened.pop()
    if opened:
        raise ExpressionError(message("This parenthesis is not closed."), opened[-1])


@lru_cache(maxsize=10_000)
def _parsed(text: str) -> ast.expr:
    _scanned(text)
    blank = len(text) - len(text.lstrip(" "))
    try:
        return ast.parse(text.lstrip(" "), mode="eval").body
    except SyntaxError as error:
        column = blank + (error.offset or 1)
        reason = message("The expression cannot be read at column {column}.", column=column)
        raise ExpressionError(reason, column) from None
    except (MemoryError, RecursionError):
        raise ExpressionError(TOO_DEEP) from None


def names(text: str) -> tuple[str, ...]:
    """The names in an expression, each once, in order of appearance. Raises ExpressionError."""
    found = (token.text for token in _scanned(text) if token.kind == "name")
    return tuple(dict.fromkeys(name for name in found if name not in FUNCTION_NAMES))


def rename(text: str, old: str, new: str) -> str:
    """The expression with one name replaced, and the user's spacing kept.

    Raises ExpressionError.
    """
    tokens = _scanned(text)
    return "".join(new if t.kind == "name" and t.text == old else t.text for t in tokens)


# Arithmetic


class Ratio(NamedTuple):
    """A quotient of two sizes that does not divide as they stand."""

    numerator: Size
    denominator: Size


Exact: TypeAlias = int | Symbolic | Fraction | Ratio
Number: TypeAlias = Exact | float


def _parts(number: Exact) -> Ratio:
    if isinstance(number, Fraction):
        return Ratio(number.numerator, number.denominator)
    return number if isinstance(number, Ratio) else Ratio(number, 1)


def _simplest(fraction: Fraction) -> int | Fraction:
    return fraction.numerator if fraction.denominator == 1 else fraction


def _lowest(numerator: Size, denominator: Size) -> Exact:
    """The quotient of two sizes in the simplest type that holds it."""
    if sizes.value(denominator) == 0:
        raise ExpressionError(DIVIDES_BY_ZERO)
    if isinstance(numerator, int) and isinstance(denominator, int):
        return _simplest(Fraction(numerator, denominator))
    whole = numerator // denominator
    return whole if whole * denominator == numerator else Ratio(numerator, denominator)


def _known(number: Number) -> int | Fraction | float | None:
    """The value at the present values of the variables; None over free dimensions."""
    if not isinstance(number, Ratio):
        return sizes.value(number) if isinstance(number, Symbolic) else number
    numerator, denominator = map(sizes.value, number)
    if numerator is None or denominator is None:
        return None
    return _simplest(Fraction(numerator, denominator))


def _need(number: Number, name: str) -> int | Fraction | float:
    known = _known(number)
    if known is None:
        text = "{name} needs a number, and {size} has none."
        shown = _finished(number, "") if isinstance(number, Ratio) else number
        raise ExpressionError(message(text, name=name, size=shown))
    return known


def _bounded(number: Number) -> Number:
    """`number`, where it is within the limits. Raises ExpressionError."""
    if isinstance(number, Ratio):
        return Ratio(*(_bounded_size(part) for part in number))
    if isinstance(number, Symbolic):
        return _bounded_size(number)
    if not -LARGEST <= number <= LARGEST:
        raise ExpressionError(TOO_LARGE)
    if isinstance(number, Fraction) and number.denominator.bit_length() > MOST_BITS:
        raise ExpressionError(TOO_FINE)
    return number


def _bounded_size(size: Size) -> Size:
    known = sizes.value(size)
    largest = abs(known) if known is not None else 0
    if isinstance(size, Symbolic):
        largest = max(largest, *map(abs, size.terms.values()))
    if largest > LARGEST:
        raise ExpressionError(TOO_LARGE)
    return size


def _sum(a: Exact, b: Exact) -> Exact:
    (m, n), (p, q) = _parts(a), _parts(b)
    return _lowest(_times(m, q) + _times(p, n), _times(n, q))


def _difference(a: Exact, b: Exact) -> Exact:
    return _sum(a, _product(-1, b))


def _product(a: Exact, b: Exact) -> Exact:
    (m, n), (p, q) = _parts(a), _parts(b)
    return _lowest(_times(m, p), _times(n, q))


def _division(a: Exact, b: Exact) -> Exact:
    (m, n), (p, q) = _parts(a), _parts(b)
    return _lowest(_times(m, q), _times(n, p))


def _floor_division(a: Exact, b: Exact) -> Size:
    (m, n), (p, q) = _parts(a), _parts(b)
    return _times(m, q) // _times(n, p)


def _remainder(a: Exact, b: Exact) -> Exact:
    return _difference(a, _product(b, _floor_division(a, b)))


def _times(a: Size, b: Size) -> Size:
    """The product of two sizes, unless it would have too many terms."""
    if isinstance(a, Symbolic) and isinstance(b, Symbolic):
        degree = max(map(len, a.terms)) + max(map(len, b.terms))
        if len(a.terms) * len(b.terms) > MOST_TERMS or degree > MOST_TERMS:
            raise ExpressionError(TOO_LARGE)
    return a * b


def _power(base: Number, exponent: Number) -> Number:
    if isinstance(exponent, Symbolic) and isinstance(base, int | Symbolic):
        return _symbolic_power(base, exponent)
    times = _need(exponent, "**")
    if not isinstance(times, int):
        return _root(base) if times == Fraction(1, 2) else _float_power(base, times)
    if isinstance(base, float):
        return _float_power(base, times)
    if times < 0:
        return _division(1, _whole_power(base, -times))
    return _whole_power(base, times)


def _symbolic_power(base: Size, exponent: Symbolic) -> Size:
    times, known = exponent.value, sizes.value(base)
    if times is not None and times < 0:
        raise ExpressionError(message("{power} is not whole.", power=f"{base}**{times}"))
    _check_power(base if known is None else known, times or 0)
    return base**exponent


def _check_power(base: Exact, times: int) -> None:
    """Refuse a power by its size, before it is worked out."""
    bits = max(_width(part) for part in _parts(base))
    if bits * times > MOST_BITS or (isinstance(base, int) and bits * times > LARGEST.bit_length()):
        raise ExpressionError(TOO_LARGE)


def _width(size: Size) -> int:
    """How many bits each further factor adds at least; the degree, for a polynomial."""
    if isinstance(size, int):
        return abs(size).bit_length() - 1 if abs(size) > 1 else 0
    return max(map(len, size.terms)) * 8


def _whole_power(base: Exact, times: int) -> Exact:
    _check_power(base, times)
    if isinstance(base, int | Fraction):
        return _simplest(Fraction(base**times))
    result: Exact = 1
    for _ in range(times):
        result = _product(result, base)
    return result


def _float_power(base: Number, exponent: Fraction | float) -> float:
    known = _need(base, "**")
    if known < 0 or (known == 0 and exponent < 0):
        text = "{base} has no real power {exponent}."
        raise ExpressionError(message(text, base=_shown(known), exponent=_shown(exponent)))
    return math.pow(_to_float(known), _to_float(exponent))


def _root(number: Number) -> int | Fraction | float:
    """The square root: exact where it is rational."""
    known = _need(number, "sqrt")
    if known < 0:
        raise ExpressionError(message("{base} has no square root.", base=_shown(known)))
    if isinstance(known, float):
        return math.sqrt(known)
    root = Fraction(math.isqrt(known.numerator), math.isqrt(known.denominator))
    return _simplest(root) if root * root == known else math.sqrt(known)


def _to_float(number: int | Fraction | float) -> float:
    try:
        return float(number)
    except OverflowError:
        raise ExpressionError(TOO_LARGE) from None


def _shown(number: int | Fraction | float) -> str:
    """A number as people write it: 3.5, and 1/3 where decimals do not end."""
    if isinstance(number, Fraction):
        decimal = repr(number.numerator / number.denominator)
        return decimal if Fraction(decimal) == number else str(number)
    return repr(number)


def _with_floats(
    exact: Callable[[Exact, Exact], Exact], plain: Callable[[float, float], float]
) -> Callable[[Number, Number], Number]:
    """The operation on exact numbers, and on floats where one of the two is irrational."""

    def operate(a: Number, b: Number) -> Number:
        if not isinstance(a, float) and not isinstance(b, float):
            return exact(a, b)
        x, y = (_to_float(_need(number, "A root")) for number in (a, b))
        return plain(x, y)

    return operate


OPERATORS: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: _with_floats(_sum, float.__add__),
    ast.Sub: _with_floats(_difference, float.__sub__),
    ast.Mult: _with_floats(_product, float.__mul__),
    ast.Div: _with_floats(_division, float.__truediv__),
    ast.FloorDiv: _with_floats(_floor_division, float.__floordiv__),
    ast.Mod: _with_floats(_remainder, float.__mod__),
    ast.Pow: _power,
}


def _floor(number: Number) -> Size:
    if isinstance(number, float):
        return math.floor(number)
    numerator, denominator = _parts(number)
    return numerator // denominator


def _ceil(number: Number) -> Size:
    if isinstance(number, float):
        return math.ceil(number)
    return sizes.ceil_div(*_parts(number))


def _round(number: Number) -> Size:
    """To the nearest whole number, halves up: the same rule in figures, formulas and code."""
    if isinstance(number, float):
        return math.floor(number + 0.5)
    return _floor(_sum(number, Fraction(1, 2)))


def _abs(number: Number) -> Number:
    if isinstance(number, int | Fraction | float):
        return -number if number < 0 else number
    numerator, denominator = (sizes.maximum(part, -part) for part in _parts(number))
    return _lowest(numerator, denominator)


FUNCTIONS: dict[str, Callable[[Number], Number]] = {
    "ceil": _ceil,
    "floor": _floor,
    "round": _round,
    "abs": _abs,
    "sqrt": _root,
}


def _extreme(name: str, numbers: Sequence[Number]) -> Number:
    """The least or greatest: symbolic between sizes, by value where fractions are among them."""
    whole = [number for number in map(_settled, numbers) if isinstance(number, int | Symbolic)]
    if len(whole) == len(numbers):
        return (sizes.minimum if name == "min" else sizes.maximum)(*whole)
    known = [_need(number, name) for number in numbers]
    return min(known) if name == "min" else max(known)


# Evaluation


def evaluate(text: str, scope: Scope) -> Value:
    """The value of an expression over the names of `scope`.

    A name alone gives what the scope holds. Raises ExpressionError, and UnknownName for a name
    that is not in the scope.
    """
    tree = _parsed(text)
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
            return self.located(node, _extreme, name, numbers)
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
            return self.located(node, _literal, source)
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
            return _bounded(operate(*args))
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


def _literal(source: str) -> Number:
    digits = source.replace("_", "").lower()
    if digits.startswith(("0x", "0o", "0b")):
        return int(digits, 0)
    _, _, exponent = digits.partition("e")
    # 1e400 and 1e-400 are beyond every use; as fractions they would take for ever to build.
    if exponent and abs(int(exponent)) > 400:
        raise ExpressionError(TOO_FINE if exponent.startswith("-") else TOO_LARGE)
    return _simplest(Fraction(digits))


def _as_number(value: Value, name: str) -> Number:
    if isinstance(value, bool | Flag | str):
        raise ExpressionError(message("{name} is {value}, not a number.", name=name, value=value))
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ExpressionError(TOO_LARGE)
        return _simplest(Fraction(repr(float(value))))
    return _simplest(value) if isinstance(value, Fraction) else value


def _settled(number: Number) -> Number:
    """A quotient that is whole at the present values as a floor division, which equals it."""
    if isinstance(number, Ratio) and isinstance(_known(number), int):
        return number.numerator // number.denominator
    return number


def _finished(number: Number, text: str) -> Value:
    number = _settled(number)
    if isinstance(number, Ratio):
        known = _known(number)
        if known is None:
            floor = number.numerator // number.denominator
            raise ExpressionError(message("This may not be whole: write {floor}.", floor=floor))
        return known
    return Real(number, text) if isinstance(number, float) else number


def whole(value: object) -> Size:
    """`value` as a size. Raises ExpressionError where it is not a whole number."""
    if isinstance(value, Symbolic) or (isinstance(value, int) and not _is_truth(value)):
        return value
    if isinstance(value, Fraction | Real) and value == int(value):
        return int(value)
    if isinstance(value, Fraction | Real):
        text = "{number} is not a whole number; // rounds down."
        raise ExpressionError(message(text, number=_shown(value)))
    raise ExpressionError(message("{value} is not a whole number.", value=value))


def real(value: object) -> float:
    """`value` as a float; a Real stays one. Raises ExpressionError where it has none."""
    known = sizes.value(value) if isinstance(value, Symbolic) else value
    if known is None:
        raise ExpressionError(message("A number is needed, and {size} has none.", size=value))
    if not isinstance(known, int | float | Fraction) or _is_truth(known):
        raise ExpressionError(message("{value} is not a number.", value=value))
    return known if isinstance(known, float) else _to_float(known)


def _is_truth(value: object) -> bool:
    return isinstance(value, bool | Flag)


# Names and variables


def check_name(name: str) -> Message | None:
    """Why `name` cannot be that of a variable or free dimension; None where it can."""
    if not name or not name.strip("_"):
        return message("A name needs a letter.")
    if len(name) > LONGEST_NAME:
        return message("A name has at most {limit} characters.", limit=LONGEST_NAME)
    if not (name.isascii() and name.isidentifier()):
        return _spelling(name)
    if keyword.iskeyword(name):
        return message("{name} is a word of Python.", name=name)
    return message("{name} is a function.", name=name) if name in FUNCTION_NAMES else None


def _spelling(name: str) -> Message:
    plain = _plain(name)
    if not name.isascii() and plain.isascii() and plain.isidentifier():
        return message("Write {plain} with plain letters.", plain=plain)
    return message("A name has plain letters, digits and _, and begins with a letter or _.")


NO_DIVISORS: Mapping[str, tuple[str | int, ...]] = MappingProxyType({})


def resolve(
    declared: Mapping[str, object], divisors: Mapping[str, tuple[str | int, ...]] = NO_DIVISORS
) -> tuple[dict[str, Value], dict[str, Message]]:
    """The values of variables, and why others have none, both by name.

    A variable is declared as a literal (int, float, bool, str) or as an Expression over other
    variables. `divisors` are the declared assumptions: what divides the variable.
    """
    uses, faults = _uses(declared)
    values: dict[str, Value] = {}
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
