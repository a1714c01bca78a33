"""Exact sizes: canonical integer polynomials over free dimensions, variables and opaque terms.

A Size is a plain `int`, or a `Symbolic` when it depends on names. Sums and products are kept
expanded, and what no polynomial can say (an inexact floor division, min, max, a symbolic power) is
an opaque atom of it. Two sizes with one canonical form are equal at all values of their names that
keep the declared assumptions.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction
from functools import lru_cache, reduce
from operator import add, attrgetter, floordiv, mul
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

Monomial: TypeAlias = "tuple[Atom, ...]"
Terms: TypeAlias = "dict[Monomial, int]"

CONSTANT: Monomial = ()
NO_NAMES: frozenset[str] = frozenset()
POWER_BITS = 1 << 20
DEEPEST = 64


class Symbolic:
    """A size that depends on names: a polynomial with integer coefficients over atoms.

    Immutable. A result that is constant comes back as a plain `int`, so a Symbolic never is one.
    """

    __slots__ = ("_hash", "_value", "terms", "whole_quotients")

    _hash: int
    _value: int | None

    def __init__(self, terms: Terms, whole_quotients: bool) -> None:
        self.terms = terms
        """The coefficient of each product of atoms; never 0. Not to be changed."""
        self.whole_quotients = whole_quotients
        """Whether an atom is an exact quotient, which may cancel against its divisor."""

    @property
    def value(self) -> int | None:
        """The exact value, when no free dimension is in it and it is not unknown."""
        try:
            return self._value
        except AttributeError:
            self._value = _evaluated(self.terms)
            return self._value

    @property
    def names(self) -> frozenset[str]:
        """The free dimensions and variables in it, also those inside opaque terms."""
        return NO_NAMES.union(*[atom.names for monomial in self.terms for atom in monomial])

    @property
    def free(self) -> frozenset[str]:
        """The free dimensions in it, also those inside opaque terms."""
        return NO_NAMES.union(*[atom.free for monomial in self.terms for atom in monomial])

    def atoms(self) -> Iterator[Atom]:
        """The factors of all its terms, with repetitions."""
        return (atom for monomial in self.terms for atom in monomial)

    def __add__(self, other: Size) -> Size:
        if isinstance(other, Symbolic):
            return _sum(self, other, 1)
        return _shifted(self, other) if _is_size(other) else NotImplemented

    __radd__ = __add__

    def __sub__(self, other: Size) -> Size:
        if isinstance(other, Symbolic):
            return _sum(self, other, -1)
        return _shifted(self, -other) if _is_size(other) else NotImplemented

    def __rsub__(self, other: int) -> Size:
        return _scaled(self, -1) + other if _is_size(other) else NotImplemented

    def __neg__(self) -> Size:
        return _scaled(self, -1)

    def __mul__(self, other: Size) -> Size:
        if isinstance(other, Symbolic):
            return _product(self, other)
        return _scaled(self, other) if _is_size(other) else NotImplemented

    __rmul__ = __mul__

    def __floordiv__(self, other: Size) -> Size:
        return _quotient(self, other) if _is_size(other) else NotImplemented

    def __rfloordiv__(self, other: int) -> Size:
        return _quotient(other, self) if _is_size(other) else NotImplemented

    def __mod__(self, other: Size) -> Size:
        return self - other * _quotient(self, other) if _is_size(other) else NotImplemented

    def __rmod__(self, other: int) -> Size:
        return other - self * _quotient(other, self) if _is_size(other) else NotImplemented

    def __pow__(self, exponent: Size) -> Size:
        return _power(self, exponent) if _is_size(exponent) else NotImplemented

    def __rpow__(self, base: int) -> Size:
        return _power(base, self) if _is_size(base) else NotImplemented

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Symbolic):
            return self is other or self.terms == other.terms
        return NotImplemented

    def __hash__(self) -> int:
        try:
            return self._hash
        except AttributeError:
            self._hash = hash(frozenset(self.terms.items()))
            return self._hash

    def __deepcopy__(self, memo: object) -> Symbolic:
        return self

    def __str__(self) -> str:
        return _text(self)

    def __repr__(self) -> str:
        return f"Symbolic({self})"


Size: TypeAlias = int | Symbolic
"""One axis of a shape, or anything counted. A union at run time too: options declare it."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Atom:
    """An indivisible factor: a name, or an opaque term. Interned, so equality is identity.

    A name that is declared a multiple of k is stored as k times its unit, and the atom is that
    unit: whole divisions of it are then exact without a rule of their own.
    """

    function: str
    """`free`, `variable`, `?`, or the operation of an opaque term: `//`, `**`, `min`, `max`."""
    name: str = ""
    args: tuple[Size, ...] = ()
    multiple: int = 1
    divisors: frozenset[str] = NO_NAMES
    exact: bool = False
    """A quotient that is whole by a declared assumption."""
    value: int | None = None
    """The value of the unit, or of the opaque term."""
    key: tuple[Any, ...] = ()
    """Orders atoms the same way in every run: names before opaque terms."""
    names: frozenset[str] = NO_NAMES
    free: frozenset[str] = NO_NAMES
    depth: int = 0
    """How many opaque terms are nested in it, itself included."""

    def __deepcopy__(self, memo: object) -> Atom:
        return self


def _is_size(other: object) -> bool:
    """Whether arithmetic is defined; Python then tries the other operand or raises TypeError."""
    return isinstance(other, int | Symbolic)


_sort_key = attrgetter("key")
_atoms: WeakValueDictionary[tuple[object, ...], Atom] = WeakValueDictionary()
_atoms_lock = threading.Lock()


def _interned(atom: Atom) -> Atom:
    with _atoms_lock:
        return _atoms.setdefault(atom.key, atom)


def _symbol(atom: Atom, coefficient: int = 1) -> Symbolic:
    return Symbolic({(atom,): coefficient}, atom.exact)


UNKNOWN = _symbol(Atom("?", key=(9,)))
"""The size of which nothing is known. It absorbs: all arithmetic with it is UNKNOWN."""


def free(name: str, multiple: int = 1) -> Symbolic:
    """A free dimension: an axis with a name and no value, assumed to be a multiple of `multiple`.

    Raises ValueError where `multiple` is less than 1.
    """
    if multiple < 1:
        raise ValueError(f"{name} cannot be a multiple of {multiple}")
    own = frozenset((name,))
    key = (0, name, multiple)
    atom = Atom("free", name, multiple=multiple, key=key, names=own, free=own)
    return _symbol(_interned(atom), multiple)


def variable(name: str, value: int, divisors: tuple[str | int, ...] = ()) -> Symbolic:
    """A named value, with what is declared to divide it: variables by name, and integers.

    An integer that does not divide `value` is a false assumption, and is left out.
    """
    numbers = (n for n in divisors if isinstance(n, int) and n > 0 and value % n == 0)
    multiple = math.lcm(*numbers)
    others = frozenset(other for other in divisors if isinstance(other, str))
    atom = Atom(
        "variable",
        name,
        multiple=multiple,
        divisors=others,
        value=int(value) // multiple,
        key=(1, name, multiple, int(value), tuple(sorted(others))),
        names=frozenset((name,)),
    )
    return _symbol(_interned(atom), multiple)


def value(size: Size) -> int | None:
    """The exact value; None where a free dimension or something unknown is in it."""
    return size.value if isinstance(size, Symbolic) else size


def names(size: Size) -> frozenset[str]:
    """The free dimensions and variables in `size`."""
    return size.names if isinstance(size, Symbolic) else NO_NAMES


def free_names(size: Size) -> frozenset[str]:
    """The free dimensions in `size`."""
    return size.free if isinstance(size, Symbolic) else NO_NAMES


def is_unknown(size: Size) -> bool:
    """Whether nothing is known of `size`."""
    return size is UNKNOWN


def product(sizes: Iterable[Size]) -> Size:
    """The product of all; 1 for none."""
    return reduce(mul, sizes, 1)


# Sums and products


def _terms(size: Size) -> Terms:
    if isinstance(size, Symbolic):
        return size.terms
    return {CONSTANT: size} if size else {}


def _polynomial(terms: Terms) -> Size:
    """The size with these terms; a zero coefficient may be among them."""
    terms = {monomial: coefficient for monomial, coefficient in terms.items() if coefficient}
    return _settled(terms, any(atom.exact for monomial in terms for atom in monomial))


def _settled(terms: Terms, whole_quotients: bool) -> Size:
    if whole_quotients:
        terms = _cancelled(terms)
    if len(terms) > 1:
        return Symbolic(terms, whole_quotients)
    if not terms:
        return 0
    constant = terms.get(CONSTANT)
    return Symbolic(terms, whole_quotients) if constant is None else constant


def _shifted(a: Symbolic, n: int) -> Symbolic:
    if not n or a is UNKNOWN:
        return a
    terms = a.terms.copy()
    constant = terms.pop(CONSTANT, 0) + n
    if constant:
        terms[CONSTANT] = constant
    return Symbolic(terms, a.whole_quotients)


def _scaled(a: Symbolic, n: int) -> Size:
    if n == 1 or a is UNKNOWN:
        return a
    if not n:
        return 0
    terms = {monomial: coefficient * n for monomial, coefficient in a.terms.items()}
    return _settled(terms, True) if a.whole_quotients else Symbolic(terms, False)


def _sum(a: Symbolic, b: Symbolic, sign: int) -> Size:
    if a is UNKNOWN or b is UNKNOWN:
        return UNKNOWN
    terms = a.terms.copy()
    for monomial, coefficient in b.terms.items():
        total = terms.get(monomial, 0) + sign * coefficient
        if total:
            terms[monomial] = total
        else:
            del terms[monomial]
    return _settled(terms, a.whole_quotients or b.whole_quotients)


def _product(a: Symbolic, b: Symbolic) -> Size:
    if a is UNKNOWN or b is UNKNOWN:
        return UNKNOWN
    terms: Terms = {}
    for left, m in a.terms.items():
        for right, n in b.terms.items():
            monomial = _times(left, right)
            terms[monomial] = terms.get(monomial, 0) + m * n
    if len(a.terms) > 1 < len(b.terms) and 0 in terms.values():
        terms = {monomial: coefficient for monomial, coefficient in terms.items() if coefficient}
    return _settled(terms, a.whole_quotients or b.whole_quotients)


@lru_cache(maxsize=1 << 16)
def _times(a: Monomial, b: Monomial) -> Monomial:
    return tuple(sorted(a + b, key=_sort_key))


def _without(monomial: Monomial, atom: Atom) -> Monomial:
    """`monomial` divided once by `atom`."""
    at = monomial.index(atom)
    return monomial[:at] + monomial[at + 1 :]


def _cancelled(terms: Terms) -> Terms:
    """`terms` with each exact quotient that meets its divisor multiplied out.

    `n_heads*(d_model//n_heads)` becomes `d_model`.
    """
    terms = dict(terms)
    while found := next(filter(None, map(_cancelling, terms.items())), None):
        monomial, used, result, gained = found
        for changed, change in ((monomial, -used), (result, gained)):
            terms[changed] = terms.get(changed, 0) + change
            if not terms[changed]:
                del terms[changed]
    return terms


def _cancelling(term: tuple[Monomial, int]) -> tuple[Monomial, int, Monomial, int] | None:
    """How much of a term cancels, and what it becomes."""
    monomial, coefficient = term
    for atom in monomial:
        if atom.exact:
            dividend, divisor = map(_only_atom, atom.args)
            times = coefficient // divisor.multiple
            if times and divisor in monomial:
                rest = _without(_without(monomial, atom), divisor)
                result = _times(rest, (dividend,))
                return monomial, times * divisor.multiple, result, times * dividend.multiple
    return None


def _only_atom(size: Size) -> Atom:
    (((atom,), _),) = _terms(size).items()
    return atom


def _power(base: Size, exponent: Size) -> Size:
    if base is UNKNOWN or exponent is UNKNOWN:
        return UNKNOWN
    if isinstance(exponent, int):
        return _whole_power(base, exponent)
    if base == 1:
        return 1
    constant = exponent.terms.get(CONSTANT, 0)
    if constant > 0:
        return _whole_power(base, constant) * _power(base, exponent - constant)
    return _opaque("**", base, exponent)


def _whole_power(base: Size, exponent: int) -> Size:
    if exponent < 0:
        raise ValueError(f"({base})**{exponent} is not whole")
    result: Size = 1
    while exponent:
        if exponent & 1:
            result = result * base
        exponent >>= 1
        if exponent:
            base = base * base
    return result


# Opaque terms


def _size_key(size: Size) -> tuple[Any, ...]:
    return tuple(sorted((tuple(a.key for a in m), n) for m, n in _terms(size).items()))


def _depth(size: Size) -> int:
    return max(atom.depth for atom in size.atoms()) if isinstance(size, Symbolic) else 0


def _opaque(function: str, *args: Size, exact: bool = False) -> Symbolic:
    """The opaque term `function(args)`, with its value where the arguments have values.

    Nested deeper than people and recursion can follow, it is UNKNOWN.
    """
    depth = 1 + max(map(_depth, args))
    if depth > DEEPEST:
        return UNKNOWN
    known = [number for number in map(value, args) if number is not None]
    atom = Atom(
        function,
        args=args,
        exact=exact,
        value=FUNCTIONS[function](*known) if len(known) == len(args) else None,
        key=(2, function, *map(_size_key, args)),
        names=NO_NAMES.union(*map(names, args)),
        free=NO_NAMES.union(*map(free_names, args)),
        depth=depth,
    )
    return _symbol(_interned(atom))


def _exact_power(base: int, exponent: int) -> int:
    if exponent < 0:
        raise ValueError(f"({base})**{exponent} is not whole")
    if base.bit_length() * exponent > POWER_BITS:
        raise OverflowError(f"({base})**{exponent} is too large")
    return int(base**exponent)


FUNCTIONS: dict[str, Callable[..., int]] = {
    "//": floordiv,
    "**": _exact_power,
    "min": min,
    "max": max,
}


def _evaluated(terms: Terms) -> int | None:
    total = 0
    for monomial, coefficient in terms.items():
        term = coefficient
        for atom in monomial:
            if atom.value is None:
                return None
            term *= atom.value
        total += term
    return total


def minimum(*sizes: Size) -> Size:
    """The least of one or more sizes."""
    return _extreme("min", sizes)


def maximum(*sizes: Size) -> Size:
    """The greatest of one or more sizes."""
    return _extreme("max", sizes)


def _extreme(function: str, sizes: tuple[Size, ...]) -> Size:
    if UNKNOWN in sizes:
        return UNKNOWN
    kept: list[Size] = []
    for size in _flattened(function, sizes):
        _keep(function, kept, size)
    return kept[0] if len(kept) == 1 else _opaque(function, *sorted(kept, key=_size_key))


def _flattened(function: str, sizes: Iterable[Size]) -> Iterator[Size]:
    for size in sizes:
        nested = _as_atom(size)
        if nested is not None and nested.function == function:
            yield from nested.args
        else:
            yield size


def _keep(function: str, kept: list[Size], size: Size) -> None:
    """Add `size`, unless one of those kept differs by a constant: then the better one stays."""
    for at, other in enumerate(kept):
        difference = size - other
        if isinstance(difference, int):
            if FUNCTIONS[function](difference, 0) == difference:
                kept[at] = size
            return
    kept.append(size)


def _as_atom(size: Size) -> Atom | None:
    """The atom that `size` is, with neither coefficient nor other terms."""
    if isinstance(size, int) or len(size.terms) > 1:
        return None
    ((monomial, coefficient),) = size.terms.items()
    return monomial[0] if coefficient == 1 and len(monomial) == 1 else None


# Floor division


def ceil_div(a: Size, b: Size) -> Size:
    """a / b rounded up. Raises ZeroDivisionError."""
    if isinstance(b, int) and b > 0:
        return (a + (b - 1)) // b
    return -(-a // b)


@lru_cache(maxsize=1 << 13)
def _quotient(a: Size, b: Size) -> Size:
    """a // b: what divides exactly as a polynomial, and the rest as one opaque term."""
    if at_values(b) == 0:
        raise ZeroDivisionError(f"({a})//({b})")
    if a is UNKNOWN or b is UNKNOWN:
        return UNKNOWN
    if _leading(b) < 0:
        a, b = -a, -b
    whole = _whole_part(a, b)
    rest = a - whole * b
    if isinstance(b, int) and isinstance(rest, int):
        return whole + rest // b
    return whole if rest == 0 else whole + _rest_quotient(rest, b)


def _leading(size: Size) -> int:
    """The coefficient of the term that sorts first."""
    terms = _terms(size)
    return terms[min(terms, key=_monomial_key)]


def _monomial_key(monomial: Monomial) -> tuple[Any, ...]:
    """Highest degree first, then by atoms."""
    return (-len(monomial), *(atom.key for atom in monomial))


def _whole_part(a: Size, b: Size) -> Size:
    divisor = _terms(b)
    if len(divisor) > 1:
        return _whole_multiple(a, b)
    ((atoms, k),) = divisor.items()
    parts: Terms = {}
    for monomial, coefficient in _terms(a).items():
        divided = _divided(_Term(monomial, coefficient, k), atoms)
        if divided is not None:
            at = divided.monomial
            parts[at] = parts.get(at, 0) + divided.coefficient // divided.divisor
    return _polynomial(parts)


def _whole_multiple(a: Size, b: Size) -> Size:
    """The polynomial a / b, where it is a single term; else 0."""
    terms, divisor = _terms(a), _terms(b)
    if len(terms) != len(divisor):
        return 0
    first, other = (min(each, key=_monomial_key) for each in (terms, divisor))
    divided = _divided(_Term(first, terms[first], divisor[other]), other)
    if divided is None:
        return 0
    result = _polynomial({divided.monomial: divided.coefficient // divided.divisor})
    return result if result * b == a else 0


class _Term(NamedTuple):
    """A term, and the integer by which it is still to be divided."""

    monomial: Monomial
    coefficient: int
    divisor: int


def _divided(term: _Term | None, atoms: Monomial) -> _Term | None:
    """`term` divided by each of `atoms`; None where one of them does not divide it."""
    for atom in atoms:
        if term is not None:
            term = _divided_by(term, atom)
    return term


def _divided_by(term: _Term, atom: Atom) -> _Term | None:
    if atom in term.monomial:
        return term._replace(monomial=_without(term.monomial, atom))
    for dividend in term.monomial:
        if _divides(atom, dividend) and not (
            term.coefficient % dividend.multiple or term.divisor % atom.multiple
        ):
            quotient = _opaque("//", _named(dividend), _named(atom), exact=True)
            return _Term(
                _times(_without(term.monomial, dividend), (_only_atom(quotient),)),
                term.coefficient // dividend.multiple,
                term.divisor // atom.multiple,
            )
    return None


def _named(atom: Atom) -> Symbolic:
    """The size that the name of an atom stands for."""
    return _symbol(atom, atom.multiple)


def _divides(divisor: Atom, dividend: Atom) -> bool:
    """Whether it is declared, and true of the values."""
    if divisor.name not in dividend.divisors or divisor.value is None or dividend.value is None:
        return False
    return not dividend.value * dividend.multiple % (divisor.value * divisor.multiple)


def _rest_quotient(a: Size, b: Size) -> Size:
    """a // b where nothing divides exactly any more."""
    if isinstance(b, int):
        return _quotient_by_number(a, b)
    for atom in _as_product(b):
        reduced = _reduced(a, b, atom)
        if reduced is not None:
            return _quotient(*reduced)
    common = math.gcd(*_terms(a).values(), *_terms(b).values())
    return _opaque("//", a, b) if common == 1 else _quotient(a // common, b // common)


def _as_product(size: Size) -> Monomial:
    """The atoms of a single term; none of a sum."""
    terms = _terms(size)
    return next(iter(terms)) if len(terms) == 1 else CONSTANT


def _reduced(a: Size, b: Size, atom: Atom) -> tuple[Size, Size] | None:
    """a and the single term b, both divided by an atom of b; None where it does not divide a."""
    ((atoms, k),) = _terms(b).items()
    divided = [_divided_by(_Term(m, n, k), atom) for m, n in _terms(a).items()]
    whole = [term for term in divided if term is not None]
    divisors = {term.divisor for term in whole}
    if len(whole) < len(divided) or len(divisors) > 1:
        return None
    dividend = reduce(add, (_polynomial({m: n}) for m, n, _ in whole))
    return dividend, _polynomial({_without(atoms, atom): divisors.pop()})


def _quotient_by_number(a: Size, k: int) -> Size:
    """a // k for coefficients from 0 to k - 1."""
    terms = dict(_terms(a))
    constant = terms.pop(CONSTANT, 0)
    common = math.gcd(k, *terms.values())
    # ⌊(g·x + c) / (g·k)⌋ is ⌊(x + ⌊c / g⌋) / k⌋.
    reduced = _polynomial({m: n // common for m, n in terms.items()}) + constant // common
    k //= common
    inner = _inner_quotient(reduced)
    if inner is None:
        return _opaque("//", reduced, k)
    # ⌊(⌊x / j⌋ + y) / k⌋ is ⌊(x + j·y) / (j·k)⌋.
    x, j = inner.args
    return _quotient(x + j * (reduced - _symbol(inner)), j * k)


def _inner_quotient(size: Size) -> Atom | None:
    """The first term that is itself an opaque division by a number."""
    found = (
        monomial[0]
        for monomial, coefficient in _terms(size).items()
        if coefficient == 1 and len(monomial) == 1 and _divides_by_number(monomial[0])
    )
    return min(found, key=_sort_key, default=None)


def _divides_by_number(atom: Atom) -> bool:
    return atom.function == "//" and isinstance(atom.args[1], int)


# Substitution and comparison


def substitute(size: Size, values: Mapping[str, Size]) -> Size:
    """`size` with names replaced, also inside opaque terms; exact.

    Raises ZeroDivisionError, and ValueError for a power that is not whole.
    """
    if names(size).isdisjoint(values):
        return size
    return _rebuilt(size, lambda atom: values.get(atom.name))


@lru_cache(maxsize=1 << 13)
def at_values(size: Size) -> Size:
    """`size` with its variables replaced by their values; free dimensions stay."""
    exact = value(size)
    return _rebuilt(size, _named_value) if exact is None else exact


def _named_value(atom: Atom) -> int | None:
    return None if atom.value is None else atom.value * atom.multiple


def _rebuilt(size: Size, replacement: Callable[[Atom], Size | None]) -> Size:
    """`size` worked out again with named atoms replaced.

    A replacement may break the declared assumption «multiple of k»; what was divided by k
    is then carried as a common denominator, so that the result is exact all the same.
    """
    terms = [_rebuilt_term(m, n, replacement) for m, n in _terms(size).items()]
    denominator = math.lcm(*(own for _, own in terms))
    total: Size = 0
    for numerator, own in terms:
        total = total + numerator * (denominator // own)
    return total if denominator == 1 else total // denominator


def _rebuilt_term(
    monomial: Monomial, coefficient: int, replacement: Callable[[Atom], Size | None]
) -> tuple[Size, int]:
    numerator: Size = coefficient
    denominator = 1
    for atom in monomial:
        factor, divisor = _rebuilt_atom(atom, replacement)
        numerator = numerator * factor
        denominator *= divisor
    return numerator, denominator


def _rebuilt_atom(atom: Atom, replacement: Callable[[Atom], Size | None]) -> tuple[Size, int]:
    if atom.args:
        args = (_rebuilt(arg, replacement) for arg in atom.args)
        return OPERATIONS[atom.function](*args), 1
    new = replacement(atom)
    if new is None:
        return _symbol(atom), 1
    unit = new // atom.multiple
    return (unit, 1) if unit * atom.multiple == new else (new, atom.multiple)


OPERATIONS: dict[str, Callable[..., Size]] = {
    "//": _quotient,
    "**": _power,
    "min": minimum,
    "max": maximum,
}


class Verdict(Enum):
    """How two sizes compare."""

    IDENTICAL = "identical"
    """Equal at all values."""
    EQUAL_HERE = "equal here"
    """Equal at the present values of the variables."""
    DIFFERENT = "different"
    UNDECIDED = "undecided"
    """Opaque terms with free dimensions, or something unknown, forbid a verdict."""


def compare(a: Size, b: Size) -> Verdict:
    """Whether two axes agree. Two different free dimensions are different."""
    if a is UNKNOWN or b is UNKNOWN:
        return Verdict.UNDECIDED
    if a == b:
        return Verdict.IDENTICAL
    difference = at_values(a - b)
    if isinstance(difference, int):
        return Verdict.DIFFERENT if difference else Verdict.EQUAL_HERE
    if any(atom.args for atom in difference.atoms()):
        return Verdict.UNDECIDED
    return Verdict.DIFFERENT


# Notation

NO_MAPPING: Mapping[str, str] = MappingProxyType({})

SUM, QUOTIENT, PRODUCT, POWER, PRIMARY = range(5)
"""How strongly the outermost operation of a text binds."""


def python(size: Size, names: Mapping[str, str] = NO_MAPPING) -> str:
    """Python source of the same value, formatted as ruff does; names are mapped by `names`.

    Raises ValueError for an unknown size.
    """
    if size is UNKNOWN:
        raise ValueError("an unknown size has no source")
    return _Notation(names, " ").size(size).text


@lru_cache(maxsize=1 << 13)
def _text(size: Symbolic) -> str:
    return _Notation(NO_MAPPING, "").size(size).text


class _Text(NamedTuple):
    text: str
    level: int

    def above(self, level: int) -> str:
        """The text, in parentheses unless it binds more strongly than `level`."""
        return self.text if self.level > level else f"({self.text})"


@dataclass(frozen=True, slots=True)
class _Notation:
    """How sizes are written: Python's names for theirs, and the space around `*` and `//`."""

    names: Mapping[str, str]
    gap: str

    def size(self, size: Size) -> _Text:
        """A sum of terms."""
        terms = _in_reading_order(_readable(_terms(size)))
        if not terms:
            return _Text("0", PRIMARY)
        first, *others = (self.term(*term) for term in terms)
        text = f"-{first.above(QUOTIENT)}" if terms[0][1] < 0 else first.text
        level = min(first.level, PRODUCT) if terms[0][1] < 0 else first.level
        for (_, coefficient), other in zip(terms[1:], others, strict=True):
            text += f" {'-' if coefficient < 0 else '+'} {other.text}"
        return _Text(text, SUM if others else level)

    def term(self, monomial: Monomial, coefficient: int) -> _Text:
        """A product, without its sign."""
        rest = abs(coefficient)
        factors: Counter[_Text] = Counter()
        for atom in monomial:
            shared = math.gcd(rest, atom.multiple)
            rest //= shared
            factors[self.atom(atom, atom.multiple // shared)] += 1
        texts = [self.power(factor, _Text(str(n), PRIMARY)) for factor, n in factors.items()]
        if rest != 1 or not texts:
            texts.insert(0, _Text(str(rest), PRIMARY))
        if len(texts) == 1:
            return texts[0]
        return _Text(f"{self.gap}*{self.gap}".join(t.above(PRODUCT) for t in texts), PRODUCT)

    def atom(self, atom: Atom, part: int) -> _Text:
        """An opaque term, or a name divided by `part`."""
        if not atom.args:
            name = _Text(self.names.get(atom.name, atom.name) or "?", PRIMARY)
            return name if part == 1 else self.quotient(name, _Text(str(part), PRIMARY))
        if atom.function == "//":
            dividend, divisor = map(self.size, _without_units(*atom.args))
            return self.quotient(dividend, divisor)
        texts = [self.size(arg) for arg in atom.args]
        if atom.function == "%":
            return self.quotient(texts[0], texts[1], "%")
        if atom.function == "**":
            return self.power(*texts)
        return _Text(f"{atom.function}({', '.join(t.text for t in texts)})", PRIMARY)

    def quotient(self, dividend: _Text, divisor: _Text, sign: str = "//") -> _Text:
        """A floor division, or its remainder."""
        text = f"{dividend.above(SUM)}{self.gap}{sign}{self.gap}{divisor.above(PRODUCT)}"
        return _Text(text, QUOTIENT)

    def power(self, base: _Text, exponent: _Text) -> _Text:
        """A power; ruff hugs `**` between names and numbers only."""
        if exponent.text == "1":
            return base
        left, right = base.above(POWER), exponent.above(POWER)
        gap = "" if _is_simple(left) and _is_simple(right) else self.gap
        return _Text(f"{left}{gap}**{gap}{right}", POWER)


def _is_simple(text: str) -> bool:
    return text.replace("_", "").replace(".", "").isalnum()


def _in_reading_order(terms: Terms) -> list[tuple[Monomial, int]]:
    """By falling degree, but with a positive term first where there is one."""
    ordered = sorted(terms.items(), key=lambda term: _monomial_key(term[0]))
    first = next((term for term in ordered if term[1] > 0), None)
    return ordered if first is None else [first, *(term for term in ordered if term is not first)]


def _without_units(dividend: Size, divisor: Size) -> tuple[Size, Size]:
    """Both scaled so that a name declared a multiple of k shows as itself: H//32, not H//16//2."""
    if not isinstance(divisor, int):
        return dividend, divisor
    scale = 1
    for monomial, coefficient in _terms(dividend).items():
        multiple = math.prod(atom.multiple for atom in monomial)
        scale = math.lcm(scale, multiple // math.gcd(multiple, coefficient))
    return dividend * scale, divisor * scale


def _readable(terms: Terms) -> Terms:
    """`terms` with whole parts back inside their divisions.

    5*T//2 for 2*T + T//2, and T%2 for T - 2*(T//2).
    """
    for monomial in list(terms):
        quotient = next(filter(_divides_by_number, monomial), None)
        if quotient is not None and monomial in terms:
            remainder = _as_remainder(terms, monomial, quotient)
            terms = remainder or _absorbed(terms, monomial, quotient)
    return terms


def _as_remainder(terms: Terms, monomial: Monomial, quotient: Atom) -> Terms | None:
    """`terms` with x - k*(x//k) as x%k; None where not all of x is there."""
    dividend, divisor = quotient.args
    times, rest = divmod(-terms[monomial], _terms(divisor)[CONSTANT])
    others = _without(monomial, quotient)
    parts = {_times(others, inner): times * own for inner, own in _terms(dividend).items()}
    if rest or any(terms.get(part) != whole for part, whole in parts.items()):
        return None
    kept = {m: n for m, n in terms.items() if m not in parts and m != monomial}
    return kept | {(*others, replace(quotient, function="%")): times}


def _absorbed(terms: Terms, monomial: Monomial, quotient: Atom) -> Terms:
    rest = dict(terms)
    coefficient = rest.pop(monomial)
    others = _without(monomial, quotient)
    dividend, divisor = quotient.args
    inside = dict(_terms(dividend))
    for inner, own in _terms(dividend).items():
        outer = _times(others, inner)
        times = _times_inside(inner, Fraction(rest.get(outer, 0), coefficient))
        inside[inner] = own + times * _terms(divisor)[CONSTANT]
        rest[outer] = rest.get(outer, 0) - times * coefficient
    shown = replace(quotient, args=(_polynomial(inside), divisor))
    readable = tuple(shown if atom is quotient else atom for atom in monomial)
    return {m: n for m, n in rest.items() if n} | {readable: coefficient}


def _times_inside(inner: Monomial, outside: Fraction) -> int:
    """How often a term goes back inside: as often as it is outside, a constant once if negative."""
    if outside.denominator > 1:
        return 0
    return outside.numerator if inner else -(outside < 0)
