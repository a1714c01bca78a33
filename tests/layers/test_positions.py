"""Positions and masks that are computed, held against what known models compute."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from tests.layers.models import block, library, numbers
from tests.layers.oracle import check, refusal, t, verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

FLAGS = [True, False]


@pytest.fixture(scope="module")
def transformers() -> ModuleType:
    """The library of models, imported when a test needs it: that takes seconds."""
    return library()


def rotated(theta: float, *, interleaved: bool) -> Callable[[Tensor], Tensor]:
    """Rotary positions by complex numbers."""

    def run(x: Tensor) -> Tensor:
        if x.ndim < 2 or x.shape[-1] % 2:
            raise ValueError("rotary positions need pairs")
        half = x.shape[-1] // 2
        lead = x.shape[:-1]
        pairs = x.reshape(*lead, half, 2) if interleaved else x.reshape(*lead, 2, half).mT
        powers = theta ** (-torch.arange(half, device=x.device) / half)
        angles = torch.outer(torch.arange(x.shape[-2], device=x.device), powers)
        turns = torch.polar(torch.ones_like(angles), angles)
        spun = torch.view_as_real(torch.view_as_complex(pairs.contiguous()) * turns)
        return spun.flatten(-2) if interleaved else spun.mT.flatten(-2)

    return run


@pytest.mark.parametrize("interleaved", FLAGS)
@pytest.mark.parametrize("shape", [(2, 5, 8), (5, 2), (2, 3, 5, 6), (5, 7), (8,)])
@pytest.mark.parametrize("theta", [10000.0, 50.0])
def test_rotary(shape: tuple[int, ...], theta: float, interleaved: bool) -> None:
    options = {"theta": theta, "interleaved": interleaved}
    turn = rotated(theta, interleaved=interleaved)
    free = [-2] if len(shape) > 1 else []
    check("RotaryEmbedding", options, t(*shape), reference=lambda: turn, free=free)


def seen(window: int | None) -> Callable[[Tensor], Tensor]:
    """The causal mask, pair by pair."""

    def run(x: Tensor) -> Tensor:
        length, reach = x.shape[-2], x.shape[-2] if window is None else window
        places = torch.arange(length, device=x.device)
        back = places[:, None] - places
        return (back >= 0) & (back < reach)

    return run


@pytest.mark.parametrize("window", [None, 1, 3, 20])
@pytest.mark.parametrize("shape", [(2, 5, 4), (5, 4), (2, 3, 1, 4), (4,), (2, 0, 4)])
def test_causal_mask(shape: tuple[int, ...], window: int | None) -> None:
    free = [-2] if len(shape) > 1 else []
    case = {"window": window}
    check("CausalMask", case, t(*shape), reference=lambda: seen(window), free=free)


def capped(options: dict[str, Any]) -> Callable[..., Tensor]:
    """Attention with bounded scores, written out; it refuses what PyTorch's own refuses."""

    def run(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
        plain = {name: options.get(name, False) for name in ("is_causal", "enable_gqa")}
        if q.device.type == "cpu":
            functional.scaled_dot_product_attention(q, k, v, mask, **plain)
        if options.get("enable_gqa"):
            groups = q.shape[-3] // k.shape[-3]
            k, v = (torch.repeat_interleave(x, groups, -3) for x in (k, v))
        scale = options.get("scale") or 1 / math.sqrt(q.shape[-1])
        scores: Tensor = options["softcap"] * torch.tanh(q @ k.mT * scale / options["softcap"])
        if options.get("is_causal"):
            mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).tril()
        if mask is not None and mask.dtype == torch.bool:
            mask = torch.where(mask, 0.0, -math.inf)
        return (scores if mask is None else scores + mask).softmax(-1) @ v

    return run


CAPPED: list[dict[str, Any]] = [
    {"softcap": 2.0},
    {"softcap": 0.5, "scale": 0.3},
    {"softcap": 2.0, "is_causal": True},
    {"softcap": 2.0, "enable_gqa": True},
]
QUERIES = [
    ((2, 4, 5, 6), (2, 4, 7, 6), (2, 4, 7, 3)),
    ((2, 4, 5, 6), (2, 2, 5, 6), (2, 2, 5, 6)),
    ((5, 6), (7, 6), (7, 3)),
    ((2, 4, 5, 6), (2, 4, 7, 5), (2, 4, 7, 5)),
]


@pytest.mark.parametrize(("options", "shapes"), list(itertools.product(CAPPED, QUERIES)))
def test_softcapped_attention(options: dict[str, Any], shapes: tuple[tuple[int, ...], ...]) -> None:
    make = capped(options)
    check("SoftcappedAttention", options, *(t(*s) for s in shapes), reference=lambda: make)


@pytest.mark.parametrize("dtype", ["bool", "float32"])
@pytest.mark.parametrize("mask", [(5, 7), (2, 1, 5, 7), (2, 4, 5, 7), (5, 6)])
def test_softcapped_attention_with_a_mask(mask: tuple[int, ...], dtype: str) -> None:
    options = {"softcap": 2.0}
    inputs = [*(t(*shape) for shape in QUERIES[0]), t(*mask, dtype=dtype)]
    make = capped(options)
    check("SoftcappedAttention", options, *inputs, reference=lambda: make)


def waves(width: int | None, layout: str) -> Callable[[Tensor], Tensor]:
    """Waves of positions along axis 1: in turn, or in halves as in Whisper."""

    def run(x: Tensor) -> Tensor:
        length, size = x.shape[1], x.shape[-1] if width is None else width
        halves = layout == "halves"
        if size % 2 or (halves and size < 4):
            raise ValueError("waves come in pairs")
        powers = torch.arange(size // 2) / (size // 2 - 1 if halves else size / 2)
        angles = torch.arange(length)[:, None] * 10000.0**-powers
        joined = [angles.sin(), angles.cos()]
        return torch.cat(joined, 1) if halves else torch.stack(joined, 2).flatten(1)

    return run


@pytest.mark.parametrize("layout", ["interleaved", "halves"])
@pytest.mark.parametrize("width", [None, 2, 5, 8])
@pytest.mark.parametrize("shape", [(2, 5, 6), (2, 5), (2, 5, 3), (6,)])
def test_waves_of_any_width(shape: tuple[int, ...], width: int | None, layout: str) -> None:
    options = {"embedding_dim": width, "layout": layout}
    make = waves(width, layout)
    free = [1] if len(shape) > 2 else []
    case = t(*shape)
    check("SinusoidalPositions", options, case, reference=lambda: make, free=free, flops=False)


def test_waves_say_how_far_they_reach() -> None:
    said = refusal(verdict("SinusoidalPositions", {"max_len": 6}, {"x": t(2, 7, 8)}))
    assert said == "SinusoidalPositions has 6 positions, got 7."


def bucket(distance: int, buckets: int, most: int, *, bidirectional: bool) -> int:
    """T5's bucket of one distance, by its definition."""
    start = 0
    if bidirectional:
        buckets //= 2
        start = buckets if distance > 0 else 0
    distance = abs(distance) if bidirectional else max(-distance, 0)
    exact = buckets // 2
    if distance < exact:
        return start + distance
    far = torch.log(torch.tensor(distance / exact)) / math.log(most / exact) * (buckets - exact)
    return start + min(exact + int(far), buckets - 1)


@pytest.mark.parametrize("bidirectional", FLAGS)
@pytest.mark.parametrize(("buckets", "most"), [(32, 128), (8, 6), (9, 20), (2, 128), (8, 2)])
@pytest.mark.parametrize("shape", [(2, 40, 4), (5, 4), (4,)])
def test_buckets(shape: tuple[int, ...], buckets: int, most: int, bidirectional: bool) -> None:
    exact = buckets // (4 if bidirectional else 2)

    def reference(x: Tensor) -> Tensor:
        if x.ndim < 2 or exact < 1 or most <= exact:
            raise ValueError("no steps")
        places = range(x.shape[-2])
        rows = [
            [bucket(k - q, buckets, most, bidirectional=bidirectional) for k in places]
            for q in places
        ]
        return torch.tensor(rows)

    options = {"num_buckets": buckets, "max_distance": most, "bidirectional": bidirectional}
    free = [-2] if len(shape) > 1 else []
    case = t(*shape)
    check("RelativeBuckets", options, case, reference=lambda: reference, free=free, flops=False)


def waves_of_2017(length: int, width: int) -> Tensor:
    """PE(t, 2i) = sin(t / 10000^(2i/d)), PE(t, 2i + 1) = cos(t / 10000^(2i/d)), one by one."""
    rows = [
        [(math.sin, math.cos)[i % 2](t / 10000 ** ((i - i % 2) / width)) for i in range(width)]
        for t in range(length)
    ]
    return torch.tensor(rows)


def waves_of_whisper(transformers: ModuleType, length: int, width: int) -> Tensor:
    """The table of Whisper's encoder."""
    found: Tensor = transformers.models.whisper.modeling_whisper.sinusoids(length, width)
    return found


@pytest.mark.parametrize("max_len", [None, 20])
@pytest.mark.parametrize("layout", ["interleaved", "halves"])
def test_waves(transformers: ModuleType, layout: str, max_len: int | None) -> None:
    module = block("SinusoidalPositions", ("B", "T", 8), layout=layout, max_len=max_len)
    whisper = layout == "halves"
    table = waves_of_whisper(transformers, 20, 8) if whisper else waves_of_2017(20, 8)
    torch.testing.assert_close(module(torch.zeros(2, 7, 8)), table[:7], rtol=1e-5, atol=1e-6)
    assert [tuple(b.shape) for b in module.buffers()] == [(20, 8)] * (max_len is not None)


def test_positions_are_added(transformers: ModuleType) -> None:
    x = numbers(2, 7, 8).float()
    for source, table in (
        ("interleaved", waves_of_2017(7, 8)),
        ("halves", waves_of_whisper(transformers, 7, 8)),
    ):
        module = block("PositionalEncoding", ("B", "T", 8), source=source)
        torch.testing.assert_close(module(x), x + table, rtol=1e-5, atol=1e-6)
    learned = block("PositionalEncoding", ("B", "T", 8), max_len=9)
    (table,) = learned.parameters()
    assert table.shape == (9, 8)
    torch.testing.assert_close(learned(x), x + table[:7])


@pytest.mark.parametrize("length", [1, 5, 300])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize(("buckets", "distance"), [(32, 128), (8, 6), (33, 50)])
def test_buckets_of_t5(
    transformers: ModuleType, length: int, bidirectional: bool, buckets: int, distance: int
) -> None:
    attention = transformers.models.t5.modeling_t5.T5Attention
    positions = torch.arange(length)
    expected = attention._relative_position_bucket(
        positions - positions[:, None], bidirectional, buckets, distance
    )
    options = {"num_buckets": buckets, "max_distance": distance, "bidirectional": bidirectional}
    module = block("RelativeBuckets", ("B", "T", 4), **options)
    assert torch.equal(module(torch.zeros(1, length, 4)), expected)
