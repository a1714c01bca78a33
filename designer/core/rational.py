"""Exact arithmetic over numbers and sizes, bounded before it is done.

A number is an int, a Fraction, a symbolic size, a quotient of sizes that does not divide as it
stands, or a float where a root is irrational. Refusals are ExpressionErrors without a column.
"""

from __future__ import annotations

import ast
import math
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from designer.core import size as sizes
from designer.core.grammar import TOO_DEEP, ExpressionError
from designer.core.message import message
from designer.core.size import Size, Symbolic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LARGEST = 2**63 - 1
MOST_TERMS = 1_000
MOST_BITS = 2_048
TOO_LARGE = message("The result would exceed 2^63.")
TOO_FINE = message("The result has too many digits.")
DIVIDES_BY_ZERO = message("This divides by zero.")


class Ratio(NamedTuple):
    """A quotient of two sizes that does not divide as they stand."""

    numerator: Size
    denominator: Size

    def __str__(self) -> str:
        return f"({self.numerator})/({self.denominator})"


Exact: TypeAlias = int | Symbolic | Fraction | Ratio
Number: TypeAlias = Exact | float


def _parts(number: Exact) -> Ratio:
    if isinstance(number, Fraction):
        return Ratio(number.numerator, number.denominator)
    return number if isinstance(number, Ratio) else Ratio(number, 1)


def simplest(fraction: Fraction) -> int | Fraction:
    """An int where the fraction is whole."""
    return fraction.numerator if fraction.denominator == 1 else fraction


def _lowest(numerator: Size, denominator: Size) -> Exact:
    """The quotient of two sizes in the simplest type that holds it."""
    if sizes.value(denominator) == 0:
        raise ExpressionError(DIVIDES_BY_ZERO)
    if isinstance(numerator, int) and isinstance(denominator, int):
        return simplest(Fraction(numerator, denominator))
    whole = numerator // denominator
    return whole if whole * denominator == numerator else Ratio(numerator, denominator)


def present_value(number: Number) -> int | Fraction | float | None:
    """The value at the present values of the variables; None over free dimensions."""
    if not isinstance(number, Ratio):
        return sizes.value(number) if isinstance(number, Symbolic) else number
    numerator, denominator = map(sizes.value, number)
    if numerator is None or denominator is None:
        return None
    return simplest(Fraction(numerator, denominator))


def _need(number: Number, name: str) -> int | Fraction | float:
    known = present_value(number)
    if known is None:
        text = "{name} needs a number, and {size} has none."
        raise ExpressionError(message(text, name=name, size=number))
    return known


def bounded(number: Number) -> Number:
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
    if size is sizes.UNKNOWN:
        raise ExpressionError(TOO_DEEP)
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
    most = max(exponent.terms.get((), 0), times or 0)
    for each in {base, base if known is None else known}:
        _check_power(each, most)
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
        return simplest(Fraction(base**times))
    result: Exact = 1
    for _ in range(times):
        result = _product(result, base)
    return result


def _float_power(base: Number, exponent: Fraction | float) -> float:
    known = _need(base, "**")
    if known < 0 or (known == 0 and exponent < 0):
        text = "{base} has no real power {exponent}."
        raise ExpressionError(message(text, base=shown(known), exponent=shown(exponent)))
    return math.pow(to_float(known), to_float(exponent))


def _root(number: Number) -> int | Fraction | float:
    """The square root: exact where it is rational."""
    known = _need(number, "sqrt")
    if known < 0:
        raise ExpressionError(message("{base} has no square root.", base=shown(known)))
    if isinstance(known, float):
        return math.sqrt(known)
    root = Fraction(math.isqrt(known.numerator), math.isqrt(known.denominator))
    return simplest(root) if root * root == known else math.sqrt(known)


def to_float(number: int | Fraction | float) -> float:
    """The nearest float. Raises ExpressionError where it is beyond their range."""
    try:
        return float(number)
    except OverflowError:
        raise ExpressionError(TOO_LARGE) from None


def shown(number: int | Fraction | float) -> str:
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
        x, y = (to_float(_need(number, "A root")) for number in (a, b))
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


def extreme(name: str, numbers: Sequence[Number]) -> Number:
    """The least or greatest: symbolic between sizes, by value where fractions are among them."""
    whole = [number for number in map(settled, numbers) if isinstance(number, int | Symbolic)]
    if len(whole) == len(numbers):
        return (sizes.minimum if name == "min" else sizes.maximum)(*whole)
    known = [_need(number, name) for number in numbers]
    return min(known) if name == "min" else max(known)


def settled(number: Number) -> Number:
    """A quotient that is whole at the present values as a floor division, which equals it."""
    if isinstance(number, Ratio) and isinstance(present_value(number), int):
        return number.numerator // number.denominator
    return number


def literal(source: str) -> Number:
    """The exact value of a number as it is written. Raises ExpressionError."""
    digits = source.replace("_", "").lower()
    if digits.startswith(("0x", "0o", "0b")):
        return int(digits, 0)
    _, _, exponent = digits.partition("e")
    # 1e400 and 1e-400 are beyond every use; as fractions they would take for ever to build.
    if exponent and abs(int(exponent)) > 400:
        raise ExpressionError(TOO_FINE if exponent.startswith("-") else TOO_LARGE)
    return simplest(Fraction(digits))
