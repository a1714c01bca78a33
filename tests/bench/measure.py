"""Medians of interleaved runs, and figures held against goals."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from statistics import median, quantiles
from time import thread_time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured figure and its goal; `unit` is `ms` or `×`. `beside` tells of the peer."""

    what: str
    value: float
    goal: float
    unit: str = "ms"
    at_least: bool = False
    beside: str = ""

    @property
    def passed(self) -> bool:
        """Whether the goal is reached."""
        return self.value >= self.goal if self.at_least else self.value <= self.goal

    def cells(self) -> tuple[str, ...]:
        """What is measured, figure, goal, verdict, and the peer."""
        sign = "≥" if self.at_least else "≤"
        verdict = "pass" if self.passed else "FAIL"
        goal = f"{sign} {_written(self.goal, self.unit)}"
        return (self.what, _written(self.value, self.unit), goal, verdict, self.beside)


def _written(value: float, unit: str) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{digits}f} {unit}"


def milliseconds(run: Callable[[], object]) -> float:
    """How long a call keeps this thread busy, in milliseconds.

    What else the machine does is left out, as far as it can be; so are waits, of which there are
    none in what is measured here.
    """
    start = thread_time()
    run()
    return (thread_time() - start) * 1000


def medians(rounds: int, *runs: Callable[[], object]) -> list[float]:
    """The median of each of several calls, made by turns, in milliseconds."""
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for run, own in zip(runs, times, strict=True):
            gc.collect()
            own.append(milliseconds(run))
    return [median(own) for own in times]


def typical(times: Sequence[float]) -> float:
    """The median."""
    return median(times)


def percentile(times: Sequence[float], percent: int) -> float:
    """The time that so many percent of the calls do not exceed."""
    return quantiles(times, n=100, method="inclusive")[percent - 1]
