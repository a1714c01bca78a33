"""The algebra of sizes agrees with plain integers, and its canonical forms mean what they say."""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Mapping

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from designer.core import size as sizes
from designer.core.size import UNKNOWN, Size, Symbolic, Verdict, compare, free, python, variable

B, T, H, W = (free(name) for name in "BTHW")
H16 = free("H", 16)
HEADS = variable("n_heads", 12)
MODEL = variable("d_model", 768, ("n_heads", 64))
WIDTH = variable("width", 768)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (4 * MODEL, "4*d_model"),
        (T - 2, "T - 2"),
        (2 - T, "2 - T"),
        (-T - 2, "-T - 2"),
        (1 - T + B, "B - T + 1"),
        (MODEL // HEADS, "d_model//n_heads"),
        (B * T, "B*T"),
        (T * B * 3 + 1, "3*B*T + 1"),
        ((H - 3) // 2 + 1, "(H - 1)//2"),
        ((H + 2 * 3 - 7) // 2 + 1, "(H + 1)//2"),
        ((H - 16) // 16 + 1, "H//16"),
        (5 * WIDTH // 2, "5*width//2"),
        (B * (5 * WIDTH // 2), "B*(5*width//2)"),
        (MODEL**2 * 12, "12*d_model**2"),
        ((T // 2) ** 2, "(T//2)**2"),
        (-(T // 3), "-(T//3)"),
        (-T // 3, "-T//3"),
        (H16 // 2, "H//2"),
        (3 * H16 // 16, "3*(H//16)"),
        (H16 // 32, "H//32"),
        (H16 * H16 // 2, "H*(H//2)"),
        (T % 2, "T%2"),
        (3 * B * ((T + 4) % 3) + 1, "3*B*((T + 1)%3) + 1"),
        (T - 2 * (T // 2) + 1, "T%2 + 1"),
        (T - 3 * (T // 2), "T - 3*(T//2)"),
        (H16 % 32, "16*(H//16%2)"),
        (sizes.minimum(T, 5), "min(5, T)"),
        (sizes.maximum(WIDTH, 512, B), "max(512, B, width)"),
        (2 ** variable("stage", 3), "2**stage"),
        (WIDTH // (2 * HEADS), "width//(2*n_heads)"),
        (UNKNOWN, "?"),
    ],
)
def test_text(size: Size, text: str) -> None:
    assert str(size) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (4 * MODEL, "4 * d_model"),
        ((H - 3) // 2 + 1, "(h - 1) // 2"),
        (MODEL // HEADS, "d_model // n_heads"),
        (MODEL**2, "d_model**2"),
        ((H // 2) ** 2, "(h // 2) ** 2"),
        (sizes.minimum(H, 5) ** 2, "min(5, h) ** 2"),
        (12, "12"),
        (-3, "-3"),
    ],
)
def test_python(size: Size, text: str) -> None:
    assert python(size, {"H": "h"}) == text


def test_python_maps_a_name_to_an_attribute() -> None:
    assert python(MODEL**2 // 7, {"d_model": "self.d_model"}) == "self.d_model**2 // 7"


def test_an_unknown_size_has_no_source() -> None:
    with pytest.raises(ValueError, match="no source"):
        python(UNKNOWN)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (HEADS * (MODEL // HEADS), MODEL),
        (3 * T * HEADS * (MODEL // HEADS), 3 * T * MODEL),
        (HEADS * (MODEL // HEADS) - MODEL, 0),
        (HEADS * (2 * MODEL // HEADS), 2 * MODEL),
        (MODEL * T // HEADS, T * (MODEL // HEADS)),
        (MODEL * T // (2 * HEADS), T * (MODEL // HEADS) // 2),
        (64 * (MODEL // 64), MODEL),
        (2 * (H16 // 2), H16),
        (H16 % 8, 0),
        (2 * T // 2, T),
        ((4 * T + 3) // 2, 2 * T + 1),
        (T // 2 // 2, T // 4),
        ((T // 2 + 1) // 2, (T + 2) // 4),
        ((T // 2 + T) // 2, 3 * T // 4),
        (2 * T // 4, T // 2),
        ((2 * T + 3) // 4, (T + 1) // 2),
        ((H - 2) // 2 + 1, H // 2),
        ((H - 1) // 2 + 1, (H + 1) // 2),
        ((T * B) // T, B),
        ((T * 6) // (4 * WIDTH), (3 * T) // (2 * WIDTH)),
        ((T * T + T) // (T + 1), T),
        (T // (-2), -T // 2),
        (T % 2 + 2 * (T // 2), T),
        ((T + 4) % 2, T % 2),
        (-1 * (0 - T), T),
        (T - T, 0),
        (0 * T, 0),
        (sizes.minimum(T, T + 3), T),
        (sizes.maximum(T, T + 3, 3 + T), T + 3),
        (sizes.minimum(sizes.minimum(T, B), W), sizes.minimum(W, B, T)),
        (sizes.minimum(3, 4), 3),
        (2 ** (HEADS + 2), 4 * 2**HEADS),
        (1**HEADS, 1),
        (sizes.ceil_div(T, 2), (T + 1) // 2),
        (sizes.ceil_div(7, 2), 4),
        (sizes.ceil_div(MODEL, HEADS), MODEL // HEADS),
        (sizes.product(()), 1),
        (sizes.product((B, 3, H, W)), W * B * H * 3),
    ],
)
def test_identical(left: Size, right: Size) -> None:
    assert left == right
    assert hash(left) == hash(right)
    assert compare(left, right) is Verdict.IDENTICAL


@pytest.mark.parametrize("constant", [T - T + 3, 0 * T, (T + 1) // (T + 1), T**0, 7 + (B - B)])
def test_a_constant_result_is_a_plain_int(constant: Size) -> None:
    assert type(constant) is int


@pytest.mark.parametrize(
    ("left", "right", "verdict"),
    [
        (4, 4, Verdict.IDENTICAL),
        (4, 5, Verdict.DIFFERENT),
        (WIDTH, 768, Verdict.EQUAL_HERE),
        (WIDTH, MODEL, Verdict.EQUAL_HERE),
        (T * WIDTH, T * 768, Verdict.EQUAL_HERE),
        (WIDTH // 5 * T, 153 * T, Verdict.EQUAL_HERE),
        (sizes.minimum(WIDTH, 512), 512, Verdict.EQUAL_HERE),
        (WIDTH, 512, Verdict.DIFFERENT),
        (T, 1024, Verdict.DIFFERENT),
        (T, B, Verdict.DIFFERENT),
        (T // 2, T // 2 + 1, Verdict.DIFFERENT),
        (T, T + 1, Verdict.DIFFERENT),
        (free("d_model"), MODEL, Verdict.DIFFERENT),
        (T // 2, T, Verdict.UNDECIDED),
        (sizes.minimum(T, 5), 5, Verdict.UNDECIDED),
        (UNKNOWN, UNKNOWN, Verdict.UNDECIDED),
        (UNKNOWN, 3, Verdict.UNDECIDED),
        (5, UNKNOWN, Verdict.UNDECIDED),
    ],
)
def test_verdict(left: Size, right: Size, verdict: Verdict) -> None:
    assert compare(left, right) is verdict


def test_a_variable_and_a_free_dimension_of_one_name_are_two() -> None:
    assert free("n") != variable("n", 3)
    assert compare(free("n"), variable("n", 3)) is Verdict.DIFFERENT


def test_the_value_of_a_variable_belongs_to_its_identity() -> None:
    assert variable("n", 3) != variable("n", 4)
    assert variable("n", 3) == variable("n", 3)


def test_a_false_assumption_is_not_believed() -> None:
    odd = variable("d_model", 770, ("n_heads", 64))
    assert HEADS * (odd // HEADS) != odd
    assert sizes.value(HEADS * (odd // HEADS)) == 768
    assert sizes.value(64 * (odd // 64)) == 768


def test_a_division_that_is_declared_by_a_multiple_of_it_cancels() -> None:
    heads = variable("n_heads", 12, (4,))
    assert heads * (MODEL // heads) == MODEL
    assert 4 * (heads // 4) * (MODEL // heads) == MODEL
    assert (heads // 4) * (MODEL // heads) * 5 == MODEL + (heads // 4) * (MODEL // heads)


@pytest.mark.parametrize("divide", [operator.floordiv, operator.mod, sizes.ceil_div])
@pytest.mark.parametrize("dividend", [T, WIDTH, 5, UNKNOWN])
@pytest.mark.parametrize("divisor", [0, variable("zero", 0), WIDTH - 768])
def test_division_by_zero(
    divide: Callable[[Size, Size], Size], dividend: Size, divisor: Size
) -> None:
    with pytest.raises(ZeroDivisionError):
        divide(dividend, divisor)


def test_a_power_must_be_whole() -> None:
    with pytest.raises(ValueError, match="not whole"):
        T**-1
    with pytest.raises(ValueError, match="not whole"):
        2 ** variable("n", -1)
    with pytest.raises(OverflowError, match="too large"):
        2 ** variable("n", 10**12)


def test_a_free_dimension_is_a_multiple_of_something_positive() -> None:
    with pytest.raises(ValueError, match="multiple of 0"):
        free("T", 0)


@pytest.mark.parametrize("other", [2.0, "2", None])
def test_other_types_are_refused(other: object) -> None:
    for operate in (
        operator.add,
        operator.sub,
        operator.mul,
        operator.floordiv,
        operator.mod,
        operator.pow,
    ):
        with pytest.raises(TypeError):
            operate(T, other)
        with pytest.raises(TypeError):
            operate(other, T)


@pytest.mark.parametrize(
    "operate",
    [
        operator.add,
        operator.sub,
        operator.mul,
        operator.floordiv,
        operator.mod,
        operator.pow,
        sizes.minimum,
        sizes.maximum,
    ],
)
@pytest.mark.parametrize("other", [2, T, UNKNOWN])
def test_unknown_absorbs(operate: Callable[[Size, Size], Size], other: Size) -> None:
    assert sizes.is_unknown(operate(UNKNOWN, other))
    assert sizes.is_unknown(operate(other, UNKNOWN))


def test_unknown_has_no_value_and_no_names() -> None:
    assert UNKNOWN.value is None
    assert not UNKNOWN.names
    assert sizes.substitute(T + 1, {"T": UNKNOWN}) is UNKNOWN
    assert not sizes.is_unknown(T)


def test_names_also_inside_opaque_terms() -> None:
    size = sizes.minimum(T // WIDTH, B + HEADS)
    assert sizes.names(size) == {"T", "width", "B", "n_heads"}
    assert sizes.free_names(size) == {"T", "B"}
    assert sizes.names(5) == sizes.free_names(5) == frozenset()


def test_substitute_inside_opaque_terms() -> None:
    size = sizes.minimum((T - 3) // 2 + 1, B) * 2**HEADS
    assert sizes.substitute(size, {"T": 9, "B": 100, "n_heads": 3}) == 4 * 8
    assert sizes.substitute(size, {"T": 2 * B + 3}) == sizes.minimum(B + 1, B) * 2**HEADS
    assert sizes.substitute(T // 2, {"X": 1}) == T // 2
    assert sizes.substitute(7, {"T": 1}) == 7


def test_substitute_keeps_exact_what_breaks_the_assumption() -> None:
    assert sizes.substitute(H16 - 3, {"H": 33}) == 30
    assert sizes.substitute(H16 // 2, {"H": 33}) == 16
    assert sizes.substitute(H16 * H16, {"H": T}) == T * T


def test_exact_at_any_size() -> None:
    big = variable("big", 10**40 + 1)
    assert (big * big - 1).value == (10**40 + 1) ** 2 - 1  # type: ignore[union-attr]
    assert sizes.value(big // 7) == (10**40 + 1) // 7


def test_sizes_survive_a_deep_copy() -> None:
    assert copy.deepcopy([UNKNOWN, T // 2]) == [UNKNOWN, T // 2]
    assert copy.deepcopy(UNKNOWN) is UNKNOWN


def test_long_chains_of_strides_stay_small() -> None:
    size: Size = H
    for _ in range(40):
        size = (size - 1) // 2 + 1
    assert str(size) == f"(H + {2**40 - 1})//{2**40}"


def test_what_is_nested_too_deep_is_unknown() -> None:
    size: Size = H
    for _ in range(sizes.DEEPEST):
        size = size // WIDTH + 1
        assert eval(str(size), {"H": 10**300, "width": 768}) == sizes.substitute(
            sizes.substitute(size, {"H": 10**300}), {"width": 768}
        )
    assert sizes.is_unknown(size // WIDTH)


# Random expressions, built and evaluated side by side

VARIABLES = {"n": (3, ()), "m": (24, ("n", 4)), "k": (8, (2,)), "z": (7, ("k",))}
FREE = {"A": 1, "C": 4}
Built = tuple[Size, Callable[[Mapping[str, int]], int]]


def leaf() -> st.SearchStrategy[Built]:
    numbers = st.integers(-6, 20).map(lambda n: (n, lambda _: n))
    named = {name: variable(name, value, divisors) for name, (value, divisors) in VARIABLES.items()}
    named |= {name: free(name, multiple) for name, multiple in FREE.items()}
    names = st.sampled_from(sorted(named))
    return numbers | names.map(lambda name: (named[name], lambda at: at[name]))


BINARY: tuple[Callable[..., Size], ...] = (
    operator.add,
    operator.sub,
    operator.mul,
    operator.floordiv,
    operator.floordiv,
    operator.mod,
)


def combined(children: st.SearchStrategy[Built]) -> st.SearchStrategy[Built]:
    def joined(
        parts: tuple[Built, Built, Callable[..., Size], Callable[..., int]],
    ) -> Built:
        (left, at_left), (right, at_right), symbolic, plain = parts
        try:
            size = symbolic(left, right)
        except ZeroDivisionError:
            return left, at_left
        return size, lambda at: plain(at_left(at), at_right(at))

    same = st.sampled_from([(op, op) for op in BINARY])
    folds = st.sampled_from(
        [(sizes.minimum, min), (sizes.maximum, max), (sizes.ceil_div, lambda a, b: -(-a // b))]
    )
    return st.tuples(children, children, same | folds).map(
        lambda drawn: joined((drawn[0], drawn[1], *drawn[2]))
    )


BUILT = st.recursive(leaf(), combined, max_leaves=8)


@st.composite
def values(draw: st.DrawFn) -> dict[str, int]:
    """Values that keep the declared assumptions."""
    n = draw(st.integers(1, 9))
    k = 2 * draw(st.integers(1, 9))
    return {
        "A": draw(st.integers(1, 50)),
        "C": 4 * draw(st.integers(1, 20)),
        "n": n,
        "m": 4 * n * draw(st.integers(1, 9)),
        "k": k,
        "z": draw(st.integers(1, 60)),
    }


HERE = {name: value for name, (value, _) in VARIABLES.items()}


def evaluated(expected: Callable[[Mapping[str, int]], int], at: Mapping[str, int]) -> int:
    try:
        return expected(at)
    except ZeroDivisionError:
        assume(False)
        raise


@settings(max_examples=300, deadline=None)
@given(BUILT, values())
def test_operations_agree_with_evaluation(built: Built, at: dict[str, int]) -> None:
    size, expected = built
    result = evaluated(expected, at)
    assert sizes.substitute(size, at) == result


@settings(max_examples=200, deadline=None)
@given(BUILT)
def test_the_value_is_that_of_the_variables(built: Built) -> None:
    size, expected = built
    result = evaluated(expected, HERE | {"A": 5, "C": 8})
    value = sizes.value(size)
    assert (value is None) == bool(sizes.free_names(size))
    if value is not None:
        assert value == result


@settings(max_examples=200, deadline=None)
@given(BUILT, values())
def test_texts_read_back_as_the_same_value(built: Built, at: dict[str, int]) -> None:
    size, expected = built
    result = evaluated(expected, at)
    renamed = {f"{name}_": value for name, value in at.items()} | {"min": min, "max": max}
    source = python(size, {name: f"{name}_" for name in at})
    assert eval(str(size), {**at, "min": min, "max": max}) == result
    assert eval(source, dict(renamed)) == result


@settings(max_examples=200, deadline=None)
@given(BUILT, values(), values())
def test_substitution_in_two_steps(built: Built, at: dict[str, int], then: dict[str, int]) -> None:
    size, expected = built
    halves = {name: at[name] for name in ("A", "m", "z")}
    merged = {**then, **halves}
    assume(not merged["m"] % (4 * merged["n"]))
    result = evaluated(expected, merged)
    try:
        partial = sizes.substitute(size, halves)
    except ZeroDivisionError:
        assume(False)
        raise
    assert sizes.substitute(partial, then) == result


@settings(max_examples=300, deadline=None)
@given(BUILT, BUILT, values(), st.integers(1, 50), st.integers(1, 12))
def test_verdicts_are_sound(left: Built, right: Built, at: dict[str, int], a: int, c: int) -> None:
    verdict = compare(left[0], right[0])
    here = HERE | {"A": a, "C": 4 * c}
    try:
        anywhere = left[1](at) == right[1](at)
        present = left[1](here) == right[1](here)
    except ZeroDivisionError:
        assume(False)
    if verdict is Verdict.IDENTICAL:
        assert anywhere
        assert hash(left[0]) == hash(right[0])
    if verdict in (Verdict.IDENTICAL, Verdict.EQUAL_HERE):
        assert present
    if verdict is Verdict.DIFFERENT and not sizes.free_names(left[0] - right[0]):
        assert not present


@settings(max_examples=200, deadline=None)
@given(BUILT, BUILT, BUILT)
def test_the_laws_of_arithmetic_hold_in_canonical_form(a: Built, b: Built, c: Built) -> None:
    x, y, z = a[0], b[0], c[0]
    assert x + y == y + x
    assert x * y == y * x
    assert (x + y) + z == x + (y + z)
    assert x * (y + z) == x * y + x * z
    assert x - x == 0
    assert hash(x + y) == hash(y + x)


def test_symbolic_is_the_only_other_size() -> None:
    assert isinstance(T, Symbolic)
    assert repr(T + 1) == "Symbolic(T + 1)"
