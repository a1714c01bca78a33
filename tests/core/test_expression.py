"""Expressions: exact values, refusals that name the place, and variables over variables."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from designer.core import expression
from designer.core import size as sizes
from designer.core.expression import (
    NOTHING,
    Expression,
    ExpressionError,
    Flag,
    Real,
    Scope,
    Text,
    UnknownName,
    evaluate,
    real,
    resolve,
    whole,
)
from designer.core.message import Message

LARGEST = 2**63 - 1
D = sizes.variable("d_model", 768, ("n_heads",))
N = sizes.variable("n_heads", 12)
B = sizes.free("B")
T = sizes.free("T")
H = sizes.free("H", 16)
SCOPE: Scope = {
    "d_model": D,
    "n_heads": N,
    "n": sizes.variable("n", 3),
    "zero": sizes.variable("zero", 0),
    "one": sizes.variable("one", 1),
    "B": B,
    "T": T,
    "H": H,
    "ratio": Real(0.1, "ratio"),
    "four": Real(4.0, "four"),
    "third": Fraction(1, 3),
    "flag": Flag(True, "flag"),
    "mode": Text("same", "mode"),
}


def refused(text: str, scope: Scope = SCOPE) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, scope)
    return caught.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4*d_model", 4 * D),
        ("d_model // n_heads * n_heads", D),
        ("5*d_model/2", 5 * D // 2),
        ("d_model/2 + 1", (D + 2) // 2),
        ("d_model/2*2", D),
        ("d_model*8/3", 8 * D // 3),
        ("d_model/n_heads", D // N),
        ("d_model % n_heads", 0),
        ("d_model/7", Fraction(768, 7)),
        ("H/2", H // 2),
        ("T*2/2", T),
        ("B//2", B // 2),
        ("min(T, 1024)//2", sizes.minimum(T, 1024) // 2),
        ("max(d_model, 512, 8)", sizes.maximum(D, 512)),
        ("min(d_model/2, 384.5)", 384),
        ("2**n", 2 ** sizes.variable("n", 3)),
        ("T**2", T * T),
        ("d_model*four", 4 * D),
        ("d_model*ratio", Fraction(384, 5)),
        ("n*third", sizes.variable("n", 3) // 3),
        ("ceil(d_model/5)", (D + 4) // 5),
        ("floor(d_model/5)", D // 5),
        ("round(d_model*8/3)", (8 * D + 1) // 3),
        ("sqrt(d_model/n_heads)", 8),
        ("1/sqrt(64)", Fraction(1, 8)),
        ("64**0.5", 8),
        ("abs(-3)", 3),
        ("abs(7/2 - 4)", Fraction(1, 2)),
        ("abs(-d_model)", sizes.maximum(D, -D)),
        ("7/2", Fraction(7, 2)),
        ("7//2", 3),
        ("-7//2", -4),
        ("-7 % 3", 2),
        ("2**-1", Fraction(1, 2)),
        ("round(5/2)", 3),
        ("ceil(7/2)", 4),
        ("ceil(-7/2)", -3),
        ("0.1 + 0.2", Fraction(3, 10)),
        ("(0.1 + 0.2)*10", 3),
        ("- -3", 3),
        ("+3", 3),
        ("  1 + 2 ", 3),
        ("0x10", 16),
        ("1_000", 1000),
        ("1e3", 1000),
        ("7e9", 7_000_000_000),
        ("2.5", Fraction(5, 2)),
        (".5", Fraction(1, 2)),
        ("2.", 2),
        (f"{LARGEST}", LARGEST),
        ("2**62 - 1 + 2**62", LARGEST),
        ("1**999999999999", 1),
        ("0**0", 1),
        ("flag", Flag(True, "flag")),
        ("mode", "same"),
    ],
)
def test_value(text: str, value: object) -> None:
    result = evaluate(text, SCOPE)
    assert result == value
    assert isinstance(result, Fraction) == isinstance(value, Fraction)


def test_an_irrational_result_remembers_its_expression() -> None:
    result = evaluate("2**0.5*n", SCOPE)
    assert isinstance(result, Real)
    assert result == pytest.approx(3 * math.sqrt(2))
    assert result.source == "2**0.5*n"
    assert evaluate("floor(sqrt(2)*10)", SCOPE) == 14
    assert evaluate("ceil(sqrt(2)*10)", SCOPE) == 15
    assert evaluate("round(sqrt(2)*10)", SCOPE) == 14


def test_a_name_alone_gives_what_the_scope_holds() -> None:
    for name, value in SCOPE.items():
        assert evaluate(f" {name}", SCOPE) is value


@pytest.mark.parametrize(
    ("text", "sentence", "column"),
    [
        ("9**9**9", "The result would exceed 2^63.", 4),
        ("4000000**4000000", "The result would exceed 2^63.", 10),
        ("(9**999)**9999", "The result would exceed 2^63.", 5),
        ("2**63", "The result would exceed 2^63.", 4),
        ("10000000000*10000000000", "The result would exceed 2^63.", 13),
        ("-9223372036854775807 - 1", "The result would exceed 2^63.", 24),
        ("9223372036854775808", "The result would exceed 2^63.", 1),
        ("d_model**30", "The result would exceed 2^63.", 10),
        ("2**d_model", "The result would exceed 2^63.", 4),
        ("T*9223372036854775807*2", "The result would exceed 2^63.", 23),
        ("2**(T + 999999999)", "The result would exceed 2^63.", 5),
        ("T**(n + 999999999)", "The result would exceed 2^63.", 5),
        ("one**(n + 999999999)", "The result would exceed 2^63.", 7),
        ("T**500", "The result would exceed 2^63.", 4),
        ("((T**63)**63)**63", "The result would exceed 2^63.", 11),
        ("(B + T + H + n + 1)**32", "The result would exceed 2^63.", 22),
        ("0.1**9999", "The result would exceed 2^63.", 6),
        ("1e999999999", "The result would exceed 2^63.", 1),
        ("1e-999999999", "The result has too many digits.", 1),
        ("1e300**0.5", "The result would exceed 2^63.", 1),
        ("9e18**1.5", "The result would exceed 2^63.", 7),
        ("1/0", "This divides by zero.", 3),
        ("n%0", "This divides by zero.", 3),
        ("n//(n - 3)", "This divides by zero.", 5),
        ("0**-1", "This divides by zero.", 4),
        ("T/zero", "This divides by zero.", 3),
        ("T//zero", "This divides by zero.", 4),
        ("sqrt(2)/0", "This divides by zero.", 9),
        ("(-8)**0.5", "-8 has no square root.", 7),
        ("sqrt(-8)", "-8 has no square root.", 1),
        ("(-8)**0.3", "-8 has no real power 0.3.", 7),
        ("0**-0.5", "0 has no real power -0.5.", 4),
        ("B/2", "This may not be whole: write B//2.", None),
        ("2*T + B*0.5", "This may not be whole: write 2*T + B//2.", None),
        ("sqrt(T)", "sqrt needs a number, and T has none.", 1),
        ("max(B, 0.5)", "max needs a number, and B has none.", 1),
        ("flag + 1", "flag is True, not a number.", 1),
        ("2*mode", "mode is same, not a number.", 3),
        ("\uff44_model + 1", "Write d_model with plain letters.", 1),
        ("1 + ª", "Write a with plain letters.", 5),
        ("d_mode\u217c", "Write d_model with plain letters.", 7),
        ("٣", "Write 3 with plain digits.", 1),
        ("1\uff12", "Write 12 with plain digits.", 2),
        ("2×3", "Write * instead of ×.", 2),
        ("2 − 3", "Write - instead of −.", 3),
        ("2^3", "Write ** instead of ^.", 2),
        ("2d_model", "Write 2*d_model.", 1),
        ("1if", "Write 1*if.", 1),
        ("lambda", "lambda is a word of Python.", 1),
        ("1 or 2", "or is a word of Python.", 3),
        ("None", "None is a word of Python.", 1),
        ("min + 1", "min is a function: write min(…).", 1),
        ("min", "min is a function: write min(…).", 1),
        ("min()", "min takes at least one value.", 1),
        ("2 + floor(1, 2)", "floor takes one value.", 5),
        ("1 2", "The expression cannot be read at column 3.", 3),
        ("007", "The expression cannot be read at column 1.", 1),
        ("  1 + ", "Something is missing after +.", 6),
        ("2*(3 + (4)", "This parenthesis is not closed.", 3),
        ("2) + (3", "This parenthesis closes nothing.", 2),
        ("", "The expression is empty.", None),
        ("   ", "The expression is empty.", None),
    ],
)
def test_refusal(text: str, sentence: str, column: int | None) -> None:
    error = refused(text)
    assert str(error.message) == sentence
    assert error.column == column


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("1<<10**9", 2),
        ('"a"*10**9', 1),
        ("'a'", 1),
        ("[1]*9", 1),
        ("{}", 1),
        ("f'{n}'", 2),
        ("b'a'", 2),
        ("n.real", 2),
        ("().__class__", 3),
        ("n[0]", 2),
        ("(y := 2)", 4),
        ("1 @ 2", 3),
        ("1 & 2", 3),
        ("1 == 2", 3),
        ("1 < 2", 3),
        ("~1", 1),
        ("1;2", 2),
        ("1#2", 2),
        ("1\n", 2),
        ("1\r", 2),
        ("1\t+ 1", 2),
        ("1\0", 2),
        ("1\u2028", 2),
        ("1\u200b", 2),
        ("\N{GRINNING FACE}", 1),
        ("(1, 2)", 1),
        ("1, 2", 1),
        ("min(*n)", 5),
        ("min(**n)", 1),
        ("pow(2, 3)", 1),
        ("open(n)", 1),
        ("__import__(n)", 1),
        ("(1)(2)", 1),
        ("3(4)", 1),
        ("()", 1),
        ("min(n)(n)", 1),
    ],
)
def test_only_arithmetic_is_allowed(text: str, column: int) -> None:
    error = refused(text)
    sentence = "Only + - * / // % ** and min, max, ceil, floor, round, abs, sqrt are allowed."
    assert str(error.message) == sentence
    assert error.column == column


@pytest.mark.parametrize(
    "text",
    [
        "-" * 100_000,
        "-" * 33 + "1",
        "(" * 300 + "1" + ")" * 300,
        "(" * 33 + "1" + ")" * 33,
        "+".join(["1"] * 100_000),
        "1" + "**1" * 100,
        "1" * 501,
    ],
)
def test_too_long_or_too_deep(text: str) -> None:
    error = refused(text)
    assert str(error.message) in (
        "The expression is nested too deep.",
        "Longer than 500 characters.",
    )


def test_what_is_just_short_enough() -> None:
    assert evaluate("+".join(["1"] * 250), NOTHING) == 250
    assert evaluate("(" * 32 + "1" + ")" * 32, NOTHING) == 1
    assert evaluate("-" * 32 + "1", NOTHING) == 1


def test_an_unknown_name() -> None:
    error = refused("2*(d_modl + 1)")
    assert isinstance(error, UnknownName)
    assert error.name == "d_modl"
    assert error.column == 4
    assert isinstance(refused("d_modl"), UnknownName)
    assert isinstance(refused("__builtins__"), UnknownName)


@pytest.mark.parametrize("value", [3, True + 2, Fraction(6, 2), Real(3.0, "x")])
def test_whole(value: object) -> None:
    assert whole(value) == 3
    assert isinstance(whole(value), int)


def test_a_symbolic_size_is_whole() -> None:
    assert whole(T // 2) == T // 2


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (Fraction(7, 2), "3.5 is not a whole number; // rounds down."),
        (Fraction(1, 3), "1/3 is not a whole number; // rounds down."),
        (Real(2.5, "x"), "2.5 is not a whole number; // rounds down."),
        (3.0, "3.0 is not a whole number."),
        (True, "True is not a whole number."),
        (Flag(True, "x"), "True is not a whole number."),
        ("3", "3 is not a whole number."),
    ],
)
def test_not_whole(value: object, sentence: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        whole(value)
    assert str(caught.value.message) == sentence


def test_real() -> None:
    assert real(Fraction(1, 10)) == 0.1
    assert real(D) == 768.0
    assert real(3) == 3.0
    kept = Real(0.5, "x")
    assert real(kept) is kept


@pytest.mark.parametrize("value", [T, True, "0.1", None, 10**400])
def test_not_real(value: object) -> None:
    with pytest.raises(ExpressionError):
        real(value)


def test_arithmetic_on_named_values_is_plain() -> None:
    assert type(Real(0.5, "x") * 2) is float
    assert type(Flag(True, "x") + 1) is int
    assert type(Text("a", "x") + "b") is str
    assert repr(Flag(False, "x")) == "False"
    assert (Real(0.5, "x").source, Flag(True, "y").source, Text("a", "z").source) == ("x", "y", "z")


def test_names() -> None:
    assert expression.names("min(T, d_model) + T*1e3") == ("T", "d_model")
    assert expression.names("3") == ()
    with pytest.raises(ExpressionError):
        expression.names("[T]")


def test_rename_keeps_the_spacing() -> None:
    text = " 4 *d_model+min( d_model2,d_model )  "
    assert expression.rename(text, "d_model", "width") == " 4 *width+min( d_model2,width )  "
    assert expression.rename("0xd + d", "d", "e") == "0xd + e"
    assert expression.rename("1e3*e3", "e3", "x") == "1e3*x"


@pytest.mark.parametrize("name", ["d_model", "T", "_x", "match", "type", "x1", "a" * 100])
def test_a_name_that_can_be_declared(name: str) -> None:
    assert expression.check_name(name) is None
    assert evaluate(f"{name} + 1", {name: 2}) == 3


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "A name needs a letter."),
        ("_", "A name needs a letter."),
        ("__", "A name needs a letter."),
        ("min", "min is a function."),
        ("sqrt", "sqrt is a function."),
        ("lambda", "lambda is a word of Python."),
        ("None", "None is a word of Python."),
        ("True", "True is a word of Python."),
        ("\uff44_model", "Write d_model with plain letters."),
        ("ª", "Write a with plain letters."),
        (
            "宽度",
            "A name has plain letters, digits and _, and begins with a letter or _.",
        ),
        ("1x", "A name has plain letters, digits and _, and begins with a letter or _."),
        ("a b", "A name has plain letters, digits and _, and begins with a letter or _."),
        ("a-b", "A name has plain letters, digits and _, and begins with a letter or _."),
        ("a\n", "A name has plain letters, digits and _, and begins with a letter or _."),
        ("a" * 101, "A name has at most 100 characters."),
    ],
)
def test_a_name_that_cannot_be_declared(name: str, sentence: str) -> None:
    assert str(expression.check_name(name)) == sentence


# Variables


def faults_of(declared: dict[str, object]) -> dict[str, str]:
    _, faults = resolve(declared)
    return {name: str(fault) for name, fault in faults.items()}


def test_resolve_literals() -> None:
    values, faults = resolve(
        {"d": 768, "p": 0.1, "bias": True, "mode": "same", "h": 12}, {"d": ("h",)}
    )
    assert not faults
    assert values["d"] == sizes.variable("d", 768, ("h",))
    assert evaluate("h*(d//h)", values) == values["d"]
    for name, kind in (("p", Real), ("bias", Flag), ("mode", Text)):
        value = values[name]
        assert isinstance(value, kind)
        assert value.source == name


def test_resolve_expressions() -> None:
    values, faults = resolve(
        {
            "d_ff": Expression("4*d"),
            "d": 768,
            "many": Expression("7e9"),
            "half": Expression("1/2"),
            "third": Expression("1/3"),
            "root": Expression("sqrt(2)"),
            "flag": Expression("other"),
            "other": True,
        }
    )
    assert not faults
    assert list(values) == ["d_ff", "d", "many", "half", "third", "root", "flag", "other"]
    assert values["d_ff"] == 4 * sizes.variable("d", 768)
    assert values["many"] == sizes.variable("many", 7_000_000_000)
    assert evaluate("d*third", values) == sizes.variable("d", 768) // 3
    assert real(values["half"]) == 0.5
    assert isinstance(values["root"], Real)
    assert values["root"].source == "root"
    assert isinstance(values["flag"], Flag)


def test_a_circle_is_listed_on_each_of_its_variables() -> None:
    assert faults_of({"a": Expression("b + 1"), "b": Expression("a")}) == {
        "a": "a depends on itself: a → b → a.",
        "b": "b depends on itself: b → a → b.",
    }
    assert faults_of({"a": Expression("2*a")}) == {"a": "a depends on itself: a → a."}


def test_what_waits_for_a_circle_has_no_value() -> None:
    faults = faults_of({"c": Expression("a"), "a": Expression("b"), "b": Expression("a"), "d": 1})
    assert faults["c"] == "c uses a, which has no value."
    assert set(faults) == {"a", "b", "c"}


def test_a_circle_of_a_thousand() -> None:
    declared: dict[str, object] = {f"v{i}": Expression(f"v{(i + 1) % 1000}") for i in range(1000)}
    faults = faults_of(declared)
    assert len(faults) == 1000
    assert faults["v998"].startswith("v998 depends on itself: v998 → v999 → v0 → v1 →")
    assert faults["v998"].endswith("→ … → v998.")


def test_a_chain_of_ten_thousand() -> None:
    declared: dict[str, object] = {f"v{i}": Expression(f"v{i + 1} + 1") for i in range(10_000)}
    values, faults = resolve({**declared, "v10000": 5})
    assert not faults
    assert values["v0"] == sizes.variable("v10000", 5) + 10_000
    assert len(faults_of(declared)) == 10_000


@pytest.mark.parametrize("step", ["v{}//n + 1", "min(2*v{}, n) + 1", "2**(v{}//n)//7"])
def test_a_long_chain_of_opaque_terms_ends_in_a_refusal(step: str) -> None:
    chain = {f"v{i + 1}": Expression(step.format(i)) for i in range(2_000)}
    values, faults = resolve({"n": 3, "v0": 10**18, **chain})
    assert len(values) + len(faults) == 2_002
    assert "v2000" in faults
    for value in values.values():
        assert isinstance(value, sizes.Symbolic)
        assert eval(str(value), {"n": 3, "v0": 10**18, "min": min}) == value.value


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (Expression("1/0"), "This divides by zero."),
        (Expression("[1]"), str(expression.ALLOWED)),
        (Expression("missing"), "missing is neither a variable nor a free dimension."),
        (2**63, "The result would exceed 2^63."),
        (math.inf, "The result would exceed 2^63."),
        (math.nan, "The result would exceed 2^63."),
        (None, "None is not a value of a variable."),
    ],
)
def test_a_variable_without_a_value(raw: object, sentence: str) -> None:
    faults = faults_of({"user": Expression("bad"), "bad": raw})
    assert faults == {"user": "user uses bad, which has no value.", "bad": sentence}


def test_messages_are_data() -> None:
    error = refused("2^3")
    assert error.message == Message(
        "Write {plain} instead of {sign}.", (("plain", "**"), ("sign", "^"))
    )


# Random expressions against Python's own exact arithmetic

OPERATIONS: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": lambda a, b: Fraction(a // b),
    "%": operator.mod,
    "min": min,
    "max": max,
}
Typed = tuple[str, Callable[[int], Fraction]]


def joined(left: Typed, right: Typed, sign: str, gap: str) -> Typed:
    if sign in ("min", "max"):
        text = f"{sign}({left[0]},{gap}{right[0]})"
    else:
        text = f"({left[0]}){gap}{sign}{gap}({right[0]})"
    return text, lambda n: OPERATIONS[sign](left[1](n), right[1](n))


def wrapped(inner: Typed, name: str) -> Typed:
    functions: dict[str, Callable[[Fraction], Fraction]] = {
        "floor": lambda x: Fraction(math.floor(x)),
        "ceil": lambda x: Fraction(math.ceil(x)),
        "round": lambda x: Fraction(math.floor(x + Fraction(1, 2))),
        "abs": abs,
        "-": operator.neg,
    }
    return f"{name}({inner[0]})", lambda n: functions[name](inner[1](n))


LEAVES: st.SearchStrategy[Typed] = st.one_of(
    st.integers(0, 99).map(lambda i: (str(i), lambda _: Fraction(i))),
    st.sampled_from(["0.1", "2.5", "1e2", "0.25"]).map(lambda s: (s, lambda _: Fraction(s))),
    st.just(("n", Fraction)),
)
TYPED = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(
            joined, inner, inner, st.sampled_from(sorted(OPERATIONS)), st.sampled_from(["", " "])
        ),
        st.builds(wrapped, inner, st.sampled_from(["floor", "ceil", "round", "abs", "-"])),
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(TYPED, st.integers(1, 40))
def test_exact_agreement_with_fractions(typed: Typed, n: int) -> None:
    text, expected = typed
    try:
        wanted = expected(n)
    except ZeroDivisionError:
        with pytest.raises(ExpressionError):
            evaluate(text, {"n": sizes.variable("n", n)})
        return
    for scope in ({"n": sizes.variable("n", n)}, {"n": n}):
        result = evaluate(text, scope)
        assert not isinstance(result, str)
        value = result.value if isinstance(result, sizes.Symbolic) else result
        assert value == wanted


@settings(max_examples=150, deadline=None)
@given(TYPED, st.integers(1, 40), st.integers(1, 40))
def test_a_free_dimension_is_refused_or_right(typed: Typed, n: int, m: int) -> None:
    text, expected = typed
    try:
        result = evaluate(text, {"n": sizes.free("n")})
    except ExpressionError:
        assume(False)
        raise
    if isinstance(result, sizes.Symbolic):
        for at in (n, m):
            try:
                wanted = expected(at)
            except ZeroDivisionError:
                continue
            assert sizes.substitute(result, {"n": at}) == wanted


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="01dmin.,()+-*/% _eE", max_size=40) | st.text(max_size=20))
def test_any_text_has_a_value_or_a_refusal(text: str) -> None:
    result: object
    try:
        result = evaluate(text, {"d": sizes.variable("d", 8), "m": sizes.free("m")})
    except ExpressionError as error:
        result = error
    assert isinstance(result, int | Fraction | float | sizes.Symbolic | ExpressionError)
