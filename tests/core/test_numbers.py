"""Numbers are written as the window and the command line show them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from designer.core import numbers

BEYOND_FLOAT = 10**400


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (numbers.count(124_439_808), "124,439,808"),
        (numbers.count(0), "0"),
        (numbers.count(-65_280), "−65,280"),
        (numbers.count(None), "?"),
        (numbers.at_least(1_234_567), "≥ 1,234,567"),
        (numbers.change(3_072), "+3,072"),
        (numbers.change(-65_280), "−65,280"),
        (numbers.change(0), "+0"),
        (numbers.short(85_056_000), "85.1M"),
        (numbers.short(6_738_415_616), "6.7B"),
        (numbers.short(39_936), "39.9K"),
        (numbers.short(999), "999"),
        (numbers.short(1_000), "1.0K"),
        (numbers.short(999_949), "999.9K"),
        (numbers.short(999_950), "1.0M"),
        (numbers.short(-39_936), "−39.9K"),
        (numbers.short(642_008_005_000), "642.0B"),
        (numbers.short(12_345 * 10**12), "12,345.0T"),
        (numbers.size_bytes(312), "312 B"),
        (numbers.size_bytes(640_808), "625.8 KiB"),
        (numbers.size_bytes(497_759_232), "474.7 MiB"),
        (numbers.size_bytes(1_986_422_374), "1.85 GiB"),
        (numbers.size_bytes(2**30), "1.00 GiB"),
        (numbers.size_bytes(2**30 - 1), "1.00 GiB"),
        (numbers.size_bytes(2**20 - 1), "1.0 MiB"),
        (numbers.size_bytes(-(2**20)), "−1.0 MiB"),
        (numbers.flops(291_648_307_200), "291.6 GFLOP"),
        (numbers.flops(10_100_000), "10.1 MFLOP"),
        (numbers.flops(2), "2 FLOP"),
        (numbers.percent(228, 1000), "22.8%"),
        (numbers.percent(1, 1), "100.0%"),
        (numbers.percent(1, 1001), "<0.1%"),
        (numbers.percent(1, 1000), "0.1%"),
        (numbers.percent(0, 7), "0.0%"),
        (numbers.percent(0, 0), "0.0%"),
        (numbers.duration(0.0004), "0.4 ms"),
        (numbers.duration(0), "0.0 ms"),
        (numbers.duration(0.0099), "9.9 ms"),
        (numbers.duration(0.00999), "10 ms"),
        (numbers.duration(0.012), "12 ms"),
        (numbers.duration(0.9999), "1.0 s"),
        (numbers.duration(1.2), "1.2 s"),
        (numbers.duration(59.98), "1 min 0 s"),
        (numbers.duration(200), "3 min 20 s"),
    ],
)
def test_written(written: str, text: str) -> None:
    assert written == text


def test_beyond_the_range_of_floats() -> None:
    assert numbers.count(BEYOND_FLOAT) == "10" + ",000" * 133
    assert numbers.short(BEYOND_FLOAT).endswith("0.0T")
    assert numbers.size_bytes(BEYOND_FLOAT).endswith(" YiB")
    assert numbers.flops(BEYOND_FLOAT).endswith(" YFLOP")
    assert numbers.percent(BEYOND_FLOAT, 2 * BEYOND_FLOAT) == "50.0%"


@given(st.integers(1000, 10**14))
def test_the_short_form_is_the_nearest(n: int) -> None:
    text = numbers.short(n)
    power = 10 ** (3 * numbers.THOUSANDS.index(text[-1]))
    shown = Fraction(text[:-1]) * power
    assert abs(shown - n) * 20 <= power
    assert 1 <= Fraction(text[:-1]) < 1000


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_a_share_is_the_nearest_tenth(part: int, whole: int) -> None:
    text = numbers.percent(part, whole)
    share = Fraction(100 * part, whole)
    if text == "<0.1%":
        assert share < Fraction(1, 10)
    else:
        assert abs(Fraction(text[:-1].replace(",", "")) - share) <= Fraction(1, 20)
