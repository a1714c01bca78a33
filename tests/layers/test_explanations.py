"""«How this is counted»: names and figures of one structure, which come to PyTorch's count.

The comparison with PyTorch does the same for every case of every grid in these tests.
"""

from __future__ import annotations

import itertools
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from torch import nn

from designer.core import count
from designer.core.expression import Expression
from designer.core.layer import CATALOGUE, examine
from tests.core.drawing import Drawing
from tests.layers.oracle import parameters_of, structure
from tests.layers.test_catalogue import KINDS, added, anything

if TYPE_CHECKING:
    from collections.abc import Mapping

E = Expression
FLAGS = [True, False]
VARIABLES = {"d": 6, "h": 2, "k": 3, "flag": True}


class Case(NamedTuple):
    """A grid of options for one input, and what PyTorch must be told besides."""

    shape: tuple[Any, ...]
    grid: dict[str, list[Any]]
    told: Mapping[str, Any] = MappingProxyType({})
    dtype: str = "float32"


RECURRENT: dict[str, list[Any]] = {
    "hidden_size": [1, 5, E("d"), E("2*d")],
    "num_layers": [1, 2, E("k")],
    "bias": [True, False, E("flag")],
    "bidirectional": FLAGS,
}
CONVOLUTION: dict[str, list[Any]] = {
    "out_channels": [E("d"), 12],
    "kernel_size": [1, E("k"), (1,), 2],
    "groups": [1, E("h"), 6],
    "bias": FLAGS,
}
"""A tuple of one value stands for one value per axis, all unlike one another."""

BATCH: dict[str, list[Any]] = {"affine": FLAGS, "track_running_stats": FLAGS}
CASES = {
    "Linear": Case(("B", 6), {"out_features": [1, 6, E("4*d")], "bias": FLAGS}, {"in_features": 6}),
    "Conv1d": Case(("B", 6, 9), CONVOLUTION, {"in_channels": 6}),
    "Conv2d": Case(("B", 6, 9, 9), CONVOLUTION, {"in_channels": 6}),
    "Conv3d": Case(("B", 6, 9, 9, 9), CONVOLUTION, {"in_channels": 6}),
    "BatchNorm1d": Case(("B", 6), BATCH, {"num_features": 6}),
    "BatchNorm2d": Case(("B", 6, 2, 2), BATCH, {"num_features": 6}),
    "BatchNorm3d": Case(("B", 6, 2, 2, 2), BATCH, {"num_features": 6}),
    "LayerNorm": Case(
        ("B", 6, 4),
        {"normalized_shape": [(4,), (E("d"), 4)], "elementwise_affine": FLAGS, "bias": FLAGS},
    ),
    "RMSNorm": Case(
        ("B", 6, 4), {"normalized_shape": [(4,), (E("d"), 4)], "elementwise_affine": FLAGS}
    ),
    "GroupNorm": Case(
        ("B", 6, 4), {"num_groups": [1, E("h"), 6], "affine": FLAGS}, {"num_channels": 6}
    ),
    "PReLU": Case(("B", 6), {"num_parameters": [1, E("d")]}),
    "Embedding": Case(
        ("B", 4), {"num_embeddings": [1, 50_257, E("d")], "embedding_dim": [E("d"), 1]}, {}, "int64"
    ),
    "PositionEmbedding": Case(
        ("B", 4), {"max_len": [4, 1024], "embedding_dim": [E("d"), 1]}, {}, "int64"
    ),
    "RNN": Case(("B", 4, 6), RECURRENT, {"input_size": 6}),
    "GRU": Case(("B", 4, 6), RECURRENT, {"input_size": 6}),
    "LSTM": Case(("B", 4, 6), {**RECURRENT, "proj_size": [0, 3]}, {"input_size": 6}),
    "MultiheadAttention": Case(
        ("B", 4, 6),
        {"num_heads": [1, E("h")], "bias": FLAGS, "add_bias_kv": FLAGS, "kdim": [None, 6]},
        {"embed_dim": 6},
    ),
}
MODULES = {"PositionEmbedding": nn.Embedding}
NAMES = {"max_len": "num_embeddings"}


def axes_of(kind: str) -> int:
    """How many axes a convolution slides along."""
    return int(kind[-2])


def meant(kind: str, options: dict[str, Any]) -> dict[str, Any]:
    """The options, with one value per axis where a tuple of one stands for that."""
    if options.get("kernel_size") == (1,):
        return {**options, "kernel_size": tuple(range(1, axes_of(kind) + 1))}
    return options


def plain(value: Any) -> Any:
    """An option as PyTorch takes it."""
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return eval(value.text, dict(VARIABLES)) if isinstance(value, Expression) else value


def refused(kind: str, options: dict[str, Any]) -> bool:
    """Options that PyTorch does not take together."""
    return bool(options.get("proj_size")) and plain(options["hidden_size"]) <= 3


def reference(kind: str, options: dict[str, Any]) -> Any:
    """PyTorch's module with these options."""
    values = {NAMES.get(name, name): plain(value) for name, value in options.items()}
    module = MODULES.get(kind) or getattr(nn, kind)
    return module(**CASES[kind].told, **values)


@pytest.mark.parametrize("kind", CASES)
def test_the_figures_come_to_the_count_of_the_real_layer(kind: str) -> None:
    shape, grid, _, dtype = CASES[kind]
    for values in itertools.product(*grid.values()):
        options = meant(kind, dict(zip(grid, values, strict=True)))
        if refused(kind, options):
            continue
        drawing = Drawing(**VARIABLES)
        x = drawing.input(*shape, dtype=dtype)
        sources = [x] * len([p for p in CATALOGUE[kind]().inputs() if not p.optional])
        finding = drawing.finding(drawing.add(kind, *recurring(kind, sources), **options))
        assert [str(p.message) for p in finding.problems if p.blocks] == [], options
        explanation = count.explain(finding.params)
        expected = parameters_of(reference(kind, options))
        assert evaluated(explanation.figures()) == expected, (options, explanation.figures())
        assert explanation.result() == f"{expected:,}"
        assert finding.counted.parameters == expected
        assert drawing.parameters == expected
        assert structure(explanation.names()) == structure(explanation.figures()), options


def recurring(kind: str, sources: list[int]) -> list[int]:
    """The wires of a layer: attention looks at one tensor thrice."""
    return sources if kind == "MultiheadAttention" else sources[:1]


def evaluated(figures: str) -> int:
    """What the line of figures comes to, for somebody with a calculator."""
    text = figures.replace(",", "").replace("×", "*")
    assert set(text) <= set("0123456789*+ "), figures
    return int(eval(text)) if text else 0


@pytest.mark.parametrize("kind", KINDS)
def test_of_unknown_inputs_only_the_sizes_are_missing(kind: str) -> None:
    layer = added(kind)
    result = examine(layer, anything(layer)).result
    assert result is not None
    explanation = count.explain(result.params)
    assert structure(explanation.names()) == structure(explanation.figures())
    assert "?" not in explanation.names()
    assert ("?" in explanation.figures()) == (explanation.result() == "?")


def test_terms_that_only_look_alike_in_figures_stay_apart() -> None:
    drawing = Drawing()
    lstm = drawing.add("LSTM", drawing.input("B", "T", 5), hidden_size=5, bias=False)
    explanation = count.explain(drawing.finding(lstm).params)
    assert explanation.names() == "4 × hidden × input + 4 × hidden × state"
    assert explanation.figures() == "4 × 5 × 5 + 4 × 5 × 5"
    assert explanation.result() == "200"
