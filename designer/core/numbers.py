"""Numbers as people read them: counts, bytes, operations, shares, times. Exact at any size."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MINUS = "\N{MINUS SIGN}"
THOUSANDS = ("", "K", "M", "B", "T")
OPERATIONS = ("FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP", "EFLOP", "ZFLOP", "YFLOP")
BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB")
TWO_DECIMALS = frozenset(BYTES[BYTES.index("GiB") :])


def count(n: int | None) -> str:
    """All digits: `124,439,808`; `?` where nothing is known."""
    return "?" if n is None else _signed(n, f"{abs(n):,}")


def at_least(n: int) -> str:
    """A total to which something unknown is to be added: `≥ 1,234,567`."""
    return f"≥ {count(n)}"


def change(n: int) -> str:
    """A difference with its sign: `+3,072`, `−65,280`."""
    return f"+{count(n)}" if n >= 0 else count(n)


def short(n: int) -> str:
    """Three digits or so: `85.1M`, `6.7B`, `39.9K`; exact below a thousand."""
    scaled, unit = _scaled(abs(n), 1000, THOUSANDS)
    return _signed(n, f"{scaled}{unit}")


def size_bytes(n: int) -> str:
    """Binary units: `312 B`, `474.7 MiB`, and from 1 GiB with two decimals: `1.85 GiB`."""
    scaled, unit = _scaled(abs(n), 1024, BYTES)
    return _signed(n, f"{scaled} {unit}")


def flops(n: int) -> str:
    """Decimal units: `291.6 GFLOP`, `10.1 MFLOP`."""
    scaled, unit = _scaled(abs(n), 1000, OPERATIONS)
    return _signed(n, f"{scaled} {unit}")


def percent(part: int, whole: int) -> str:
    """A share with one decimal, no space: `22.8%`, `<0.1%`; 0.0% of nothing."""
    share = Fraction(100 * part, whole) if whole else Fraction(0)
    return "<0.1%" if 0 < share < Fraction(1, 10) else f"{_rounded(share, 1)}%"


def duration(seconds: float) -> str:
    """`0.4 ms`, `12 ms`, `1.2 s`, `3 min 20 s`."""
    exact = Fraction(seconds)
    if round(exact * 10) >= 600:
        minutes, rest = divmod(round(exact), 60)
        return f"{minutes:,} min {rest} s"
    if round(exact * 1000) >= 1000:
        return f"{_rounded(exact, 1)} s"
    fine = _rounded(exact * 1000, 1)
    return f"{fine} ms" if len(fine) < len("10.0") else f"{round(exact * 1000)} ms"


def _signed(n: int, text: str) -> str:
    return MINUS + text if n < 0 else text


def _scaled(n: int, step: int, units: Sequence[str]) -> tuple[str, str]:
    """`n` in the largest unit that leaves at least 1 before the point, also after rounding."""
    if n < step:
        return str(n), units[0]
    last = len(units) - 1
    power = next((p for p in range(1, last) if n < step ** (p + 1)), last)
    if power < last and 20 * n >= 20 * step ** (power + 1) - step**power:
        power += 1
    decimals = 2 if units[power] in TWO_DECIMALS else 1
    return _rounded(Fraction(n, step**power), decimals), units[power]


def _rounded(value: Fraction, decimals: int) -> str:
    """`value`, not negative, to the nearest with this many decimals, halves up."""
    tenths = 10**decimals
    number = (2 * tenths * value.numerator + value.denominator) // (2 * value.denominator)
    whole, rest = divmod(number, tenths)
    return f"{whole:,}.{rest:0{decimals}}"
