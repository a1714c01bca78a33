"""Texts of fields and the raw values they stand for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import designer.layers  # noqa: F401 (fills the catalogue)
from designer.core.entry import (
    divisors_of,
    range_of,
    raw_of,
    split,
    stepped,
    text_of,
    text_of_range,
    variable_raw,
)
from designer.core.expression import Expression
from designer.core.layer import CATALOGUE, defaults, options_of
from designer.core.option import Option

SIZE = Option("out_features", "size", 128, "")
PINNED = Option("in_features", "size", None, "", optional=True)
REAL = Option("p", "real", 0.5, "")
KERNEL = Option("kernel_size", "size", 3, "", many="maybe")
SHAPE = Option("shape", "size", (1,), "", many="always")
PADDING = Option("padding", "size", 0, "", choices=("same", "valid"), many="maybe")
MODE = Option("mode", "choice", "zeros", "", choices=("zeros", "reflect"))
WORDS = Option("words", "text", "", "")
FLAG = Option("bias", "flag", True, "")


@pytest.mark.parametrize(
    ("option", "text", "raw"),
    [
        (SIZE, " 128 ", 128),
        (SIZE, "-1", -1),
        (SIZE, "50_257", 50257),
        (SIZE, "7e9", Expression("7e9")),
        (SIZE, "2.5", Expression("2.5")),
        (SIZE, "4*d_model", Expression("4*d_model")),
        (SIZE, "4*", Expression("4*")),
        (SIZE, "007", Expression("007")),
        (SIZE, "9" * 5000, Expression("9" * 5000)),
        (SIZE, "3, 5", Expression("3, 5")),
        (SIZE, "", None),
        (PINNED, "", None),
        (REAL, "0.1", 0.1),
        (REAL, "1e-5", 1e-5),
        (REAL, "1", 1),
        (REAL, "1e999", Expression("1e999")),
        (REAL, "p_drop", Expression("p_drop")),
        (KERNEL, "3", 3),
        (KERNEL, "3, 5", (3, 5)),
        (KERNEL, "(3, 5)", (3, 5)),
        (KERNEL, "3,", (3,)),
        (KERNEL, "(a + 1) * (b + 2)", Expression("(a + 1) * (b + 2)")),
        (KERNEL, "(a + 1), (b + 2)", (Expression("(a + 1)"), Expression("(b + 2)"))),
        (KERNEL, "(k)", Expression("(k)")),
        (KERNEL, "min(a, b)", Expression("min(a, b)")),
        (KERNEL, "min(a, b), 2*k", (Expression("min(a, b)"), Expression("2*k"))),
        (SHAPE, "B, 3, 32", (Expression("B"), 3, 32)),
        (SHAPE, "[B, 3]", (Expression("B"), 3)),
        (SHAPE, "B", (Expression("B"),)),
        (SHAPE, "None, 7", (None, 7)),
        (SHAPE, "()", ()),
        (SHAPE, "[]", ()),
        (SHAPE, "3,, 4", (3, None, 4)),
        (PADDING, "same", "same"),
        (PADDING, "samey", Expression("samey")),
        (MODE, "reflect", "reflect"),
        (MODE, "my_mode", Expression("my_mode")),
        (WORDS, "4*d", "4*d"),
        (FLAG, "False", False),
        (FLAG, "use_bias", Expression("use_bias")),
    ],
)
def test_a_text_becomes_the_raw_value_it_means(option: Option, text: str, raw: object) -> None:
    made = raw_of(option, text)
    assert repr(made) == repr(raw)


@pytest.mark.parametrize("kind", sorted(CATALOGUE))
def test_every_default_of_the_catalogue_is_written_so_that_it_reads_the_same(kind: str) -> None:
    values = dict(defaults(CATALOGUE[kind]))
    for option in options_of(CATALOGUE[kind]):
        for raw in (option.default, values[option.name]):
            assert raw_of(option, text_of(raw)) == raw


NAMES = st.sampled_from(("B", "T", "4*d_model", "min(a, b)", "(a + 1) * 2"))
PARTS = st.one_of(st.integers(-(2**63), 2**63), NAMES.map(Expression), st.none())


@given(st.lists(PARTS, max_size=5).map(tuple))
def test_lists_read_as_they_were_written(raw: tuple[int | Expression | None, ...]) -> None:
    assert raw_of(SHAPE, text_of(raw)) == raw


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_decimals_read_as_they_were_written(number: float) -> None:
    assert raw_of(REAL, text_of(number)) == number


@given(st.text(max_size=40))
def test_any_text_has_a_raw_value_that_keeps_it(text: str) -> None:
    for option in (SIZE, REAL):
        raw = raw_of(option, text)
        assert raw_of(option, text_of(raw)) == raw
    for option in (KERNEL, SHAPE, PADDING):
        raw = raw_of(option, text)
        parts = raw if isinstance(raw, tuple) else (raw,)
        assert all(part.text in text for part in parts if isinstance(part, Expression))


def test_small_decimals_are_written_short() -> None:
    assert [text_of(x) for x in (1e-5, 0.5, 2e300)] == ["1e-5", "0.5", "2e300"]


def test_splitting_keeps_what_is_in_parentheses_together() -> None:
    assert split("min(a, b), [c, d], e,") == ["min(a, b)", "[c, d]", "e"]


@pytest.mark.parametrize(
    ("before", "text", "raw"),
    [
        (768, "1024", 1024),
        (768, "0.1", 0.1),
        (768, "7e9", Expression("7e9")),
        (768, "2*n", Expression("2*n")),
        (768, "true", True),
        (768, "", Expression("")),
        ("gelu", "relu", "relu"),
        ("gelu", "12", "12"),
    ],
)
def test_variables_take_numbers_truths_and_expressions(
    before: object, text: str, raw: object
) -> None:
    assert repr(variable_raw(before, text)) == repr(raw)  # type: ignore[arg-type]


def test_divisors_are_names_and_numbers() -> None:
    assert divisors_of("n_heads, 64,") == ("n_heads", 64)
    assert divisors_of("") == ()


@pytest.mark.parametrize(
    ("text", "cursor", "by", "after"),
    [
        ("128", 3, 1, ("129", 3)),
        ("128", 0, -10, ("118", 3)),
        ("9", 1, 1, ("10", 2)),
        ("-1", 2, 1, ("0", 1)),
        ("0", 1, -1, ("-1", 2)),
        ("4*d_model", 1, 1, ("5*d_model", 1)),
        ("3, 5", 4, 1, ("3, 6", 4)),
        ("3, -5", 5, -1, ("3, -6", 5)),
        ("a-1", 3, 1, ("a-2", 3)),
    ],
)
def test_the_number_at_the_cursor_is_stepped(
    text: str, cursor: int, by: int, after: tuple[str, int]
) -> None:
    assert stepped(text, cursor, by) == after


@pytest.mark.parametrize("text", ["d_model", "0.5", "", "conv2d", "1e5"])
def test_what_is_no_whole_number_is_not_stepped(text: str) -> None:
    assert stepped(text, len(text), 1) is None


def test_stepping_stops_at_the_limit() -> None:
    assert stepped("3", 1, -10, least=1) == ("1", 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (None, None)),
        ("1 to 64", (1, 64)),
        ("1…64", (1, 64)),
        (" -1.5 – 2e3 ", (-1.5, 2000.0)),
        ("≥ 8", (8, None)),
        (">=1_000", (1000, None)),
        ("≤ 0.5", (None, 0.5)),
        ("to 9", (None, 9)),
        ("from 2", (2, None)),
        ("64", None),
        ("a to b", None),
        ("1 to", None),
    ],
)
def test_a_range_is_read_as_people_write_it(text: str, expected: object) -> None:
    assert range_of(text) == expected


@pytest.mark.parametrize("ends", [(None, None), (1, None), (None, 0.5), (-2, 3), (1, 10**20)])
def test_a_written_range_reads_the_same(ends: tuple[float | None, float | None]) -> None:
    assert range_of(text_of_range(*ends)) == ends


def test_stepping_stays_within_a_range() -> None:
    assert stepped("60", 2, 10, most=64.5) == ("64", 2)
    assert stepped("3", 1, -10, least=1, most=5) == ("1", 1)
