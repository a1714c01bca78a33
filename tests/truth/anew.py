"""Calls drawn anew from those that are recorded, with what PyTorch answers to them now."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.truth.asked import answered
from tests.truth.drawn import draws
from tests.truth.recorded import case_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.truth.recorded import Case

RECORDED = Path(__file__).resolve().parents[1] / "facts" / "layers.json"


def anew(seed: object, each: int) -> tuple[list[Case], list[str]]:
    """`each` calls of every recorded operation, and the ids of those that crash PyTorch."""
    by_op: dict[str, list[dict[str, Any]]] = {}
    for record in json.loads(RECORDED.read_text(encoding="utf-8"))["cases"]:
        by_op.setdefault(record["op"], []).append(record)
    return asked([call for records in by_op.values() for call in draws(records, seed, each)])


def asked(calls: Sequence[dict[str, Any]]) -> tuple[list[Case], list[str]]:
    """Calls with PyTorch's answers, and the ids of those that crash it."""
    records, crashed = answered(calls)
    return [case_of(record) for record in records], crashed
