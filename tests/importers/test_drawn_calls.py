"""Calls of PyTorch that nobody recorded: drawn, answered by PyTorch, and held against the layers.

A few of each operation always; with `--long` many more, from seeds of the day or from `--seeds`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.truth.anew import RECORDED, anew, asked
from tests.truth.asked import answered
from tests.truth.drawn import draws
from tests.truth.judge import judged

if TYPE_CHECKING:
    import pytest

USUAL, FEW = "usual", 3
MANY = 40
LARGEST_SHARE_UNMAPPED = 0.02


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", _seeds(metafunc.config))


def _seeds(config: pytest.Config) -> list[str]:
    """One seed always; with `--long` those that are given, else three of the day."""
    given = config.getoption("--seeds")
    today = datetime.now(UTC).date().isoformat()
    further = given.split(",") if given else [f"{today}/{place}" for place in range(3)]
    return [USUAL, *further] if config.getoption("--long") else [USUAL]


def test_drawn_calls_agree(seed: str) -> None:
    cases, crashed = anew(seed, FEW if seed == USUAL else MANY)
    outcomes = [judged(case) for case in cases]
    failed = [one for one in outcomes if one.standing == "failed" and one.mapped]
    told = [f"{one.case.id} {one.case.answer}: {one.difference}" for one in failed]
    assert not failed, "\n".join([f"seed {seed}; crash PyTorch: {crashed}", *told])
    assert len({case.op for case in cases}) > 290
    assert sum(not one.mapped for one in outcomes) < LARGEST_SHARE_UNMAPPED * len(outcomes)
    assert 0.4 < sum(not case.refused for case in cases) / len(cases) < 0.8


def records(op: str) -> list[dict[str, object]]:
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))["cases"]
    return [record for record in recorded if record["op"] == op]


def test_a_seed_draws_the_same_calls_again() -> None:
    known = records("nn.Conv2d")
    first, again, other = (draws(known, seed, 20) for seed in (1, 1, 2))
    assert first == again
    assert len(first) == 20
    assert len({json.dumps(call) for call in (*first, *other)}) > 30


def test_drawing_leaves_the_records_alone() -> None:
    known = records("torch.cat")
    before = json.dumps(known)
    draws(known, "any", 50)
    assert json.dumps(known) == before


RELU = {"id": "good", "op": "nn.ReLU", "in": [{"T": [2, 3]}]}
ABORT = {"id": "crash", "op": "torch.os.abort", "in": []}


def test_a_call_that_crashes_pytorch_is_left_out() -> None:
    answers, crashed = answered([RELU, ABORT, RELU])
    assert crashed == ["crash"]
    assert [answer["out"] for answer in answers] == [{"T": [2, 3], "dtype": "float32"}] * 2


def test_answers_have_state_and_refusals() -> None:
    norm = {"id": "a", "op": "nn.BatchNorm1d", "args": [3], "in": [{"T": [2, 3]}]}
    early = {"id": "b", "op": "nn.Linear", "args": [3], "in": [{"T": [2, 3]}]}
    late = {"id": "c", "op": "torch.cat", "in": [{"L": [{"T": [2, 3]}, {"T": [2]}]}]}
    (made, *refused), _ = asked([norm, early, late])
    assert [row[0] for row in made.state] == [
        *("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    ]
    assert [row[2] for row in made.state] == ["p", "p", "b", "b", "b"]
    assert [(case.refused, case.early) for case in refused] == [(True, True), (True, False)]
