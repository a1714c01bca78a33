"""Embeddings are PyTorch's."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from designer.core.layer import examine
from designer.core.size import free
from designer.core.tensor import ANYTHING, DTYPE_BYTES, Tensor
from tests.layers.oracle import Make, check, made, refusal, t, verdict

TOKENS = [(), (5,), (2, 5), (2, 3, 4)]


@pytest.mark.parametrize("padding", [None, 0, 6, 7, -7, -8])
def test_options_and_shapes(padding: int | None) -> None:
    for norm, shape in itertools.product([None, 1.0], TOKENS):
        options = {
            "num_embeddings": 7,
            "embedding_dim": 3,
            "padding_idx": padding,
            "max_norm": norm,
            "sparse": norm is None,
        }
        check("Embedding", options, t(*shape, dtype="int64"), free=range(len(shape)))


@pytest.mark.parametrize("dtype", DTYPE_BYTES)
def test_looks_up_whole_numbers_only(dtype: str) -> None:
    check("Embedding", {"num_embeddings": 5, "embedding_dim": 4}, t(2, 3, dtype=dtype), high=5)


def positions(rows: int, size: int) -> Make:
    """Learned positions as GPT-2 has them, along axis 1."""

    def make() -> nn.Embedding:
        table = nn.Embedding(rows, size)
        table.register_forward_pre_hook(positions_of)
        return table

    return make


def positions_of(_: nn.Module, args: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """The numbers of the positions along axis 1."""
    return torch.arange(args[0].size(1))


@pytest.mark.parametrize("shape", [(2, 5), (2, 7), (1, 1), (2, 5, 3), (4, 8), (2, 9, 3)])
def test_positions(shape: tuple[int, ...]) -> None:
    options = {"max_len": 8, "embedding_dim": 3}
    fits = shape[1] <= 8
    outcome = verdict("PositionEmbedding", options, {"x": t(*shape)})
    assert (refusal(outcome) is None) is fits
    if fits:
        reference = positions(8, 3)
        for dtype in ("int64", "float32"):
            x = t(*shape, dtype=dtype)
            check("PositionEmbedding", options, x, reference=reference, free=(0, 1))


def test_positions_refuse_what_they_do_not_have() -> None:
    x = t(free("B"), 2048, dtype="int64")
    outcome = verdict("PositionEmbedding", {"max_len": 1024}, {"x": x})
    assert refusal(outcome) == "PositionEmbedding has 1024 positions, got 2048."
    outcome = verdict("PositionEmbedding", {}, {"x": t(5)})
    assert refusal(outcome) == "PositionEmbedding expects [B, T, ...], got [5]."


def test_a_free_length_stays_free() -> None:
    x = t(free("B"), free("T"), dtype="int64")
    result = examine(made("PositionEmbedding", embedding_dim=768), {"x": x}).result
    assert result is not None
    assert str(result.outputs[0]) == "[T, 768]"


def test_of_nothing_known_the_vectors_are_certain() -> None:
    result = examine(made("Embedding", embedding_dim=768), {"x": ANYTHING}).result
    assert result is not None
    assert result.outputs == (Tensor((768,), partial=True),)
    assert result.tally.weights == 10_000 * 768


def test_caption() -> None:
    layer = made("Embedding", num_embeddings=50257, embedding_dim=768)
    assert layer.caption(layer.infer(ANYTHING), {}) == "50257 × 768"
