"""Bags of embeddings are PyTorch's."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from torch import nn

from tests.layers.oracle import Fed, check, refusal, t, verdict


def held(options: dict[str, Any], *fed: Fed) -> None:
    """Check one case; the numbers in bags and the offsets are all 0."""
    check(
        "EmbeddingBag",
        {"num_embeddings": 5, "embedding_dim": 3, **options},
        *fed,
        reference=called(options, fed),
        high=1,
        flops=False,
    )


def called(options: dict[str, Any], fed: tuple[Fed, ...]) -> Any:
    """Makes PyTorch's module, which gets inputs by name: the second may be missing."""
    names = ("offsets", "per_sample_weights")
    given = [name for name, one in zip(names, fed[1:], strict=False) if one is not None]
    return lambda: Named(nn.EmbeddingBag(5, 3, **options), given)


class Named(nn.Module):
    """A module whose inputs after the first have names; its state dict is the same."""

    def __init__(self, module: nn.Module, names: list[str]) -> None:
        super().__init__()
        self.called, self.names = (module,), names
        for name, parameter in module.named_parameters():
            self.register_parameter(name, parameter)

    def forward(self, x: Any, *others: Any) -> Any:
        return self.called[0](x, **dict(zip(self.names, others, strict=True)))


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_bags(mode: str) -> None:
    for padding, dtype in itertools.product(
        [None, 0, -1, 5], ["int64", "int32", "int16", "float32"]
    ):
        options = {"mode": mode, "padding_idx": padding}
        held(options, t(4, 6, dtype=dtype))
        for last in (False, True):
            given = {**options, "include_last_offset": last}
            held(given, t(6, dtype=dtype), t(3, dtype="int64"))


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_switches(mode: str) -> None:
    for by_freq, sparse in itertools.product([False, True], repeat=2):
        held(
            {"mode": mode, "scale_grad_by_freq": by_freq, "sparse": sparse}, t(4, 6, dtype="int64")
        )
    held({"mode": mode, "max_norm": 1.0, "norm_type": 1.0}, t(4, 6, dtype="int64"))


def test_weights_per_sample() -> None:
    for mode, shape in itertools.product(["sum", "mean"], [(4, 6), (4, 5), (6,)]):
        held({"mode": mode}, t(4, 6, dtype="int64"), None, t(*shape))
    for shape in [(6,), (5,), (1, 6)]:
        held({"mode": "sum"}, t(6, dtype="int64"), t(3, dtype="int64"), t(*shape))


def test_ranks() -> None:
    for rank in range(4):
        held({}, t(*[2] * rank, dtype="int64"))
        held({}, t(*[2] * rank, dtype="int64"), t(2, dtype="int64"))
        held({}, t(6, dtype="int64"), t(*[2] * rank, dtype="int64"))


def test_refusals() -> None:
    sentence = "EmbeddingBag expects [bags, n], or [n] with offsets, got [6]."
    assert refusal(verdict("EmbeddingBag", {}, {"x": t(6, dtype="int64")})) == sentence
