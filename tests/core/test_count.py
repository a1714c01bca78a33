"""Counts explained, rows in the order of the state dict, and what a design costs."""

from __future__ import annotations

from typing import Any

import pytest

from designer.core import cost, count, edits
from designer.core.document import Dimension
from designer.core.expression import Expression
from tests.core.drawing import Drawing, cifar10


def explained(kind: str, shape: tuple[Any, ...], **options: Any) -> tuple[str, str, str]:
    """The three lines of «How this is counted» for one layer."""
    drawing = Drawing(d=768)
    dtype = "int64" if kind == "Embedding" else "float32"
    node = drawing.add(kind, drawing.input(*shape, dtype=dtype), **options)
    finding = drawing.finding(node)
    explanation = count.explain(finding.params)
    assert explanation.total == finding.counted.parameters
    return explanation.names(), explanation.figures(), explanation.result()


@pytest.mark.parametrize(
    ("layer", "lines"),
    [
        (
            ("Linear", ("B", Expression("d")), {"out_features": Expression("4*d")}),
            ("in × out + out", "768 × 3,072 + 3,072", "2,362,368"),
        ),
        (
            ("Conv2d", ("B", 64, 32, 32), {"out_channels": 128, "kernel_size": 3}),
            ("out × in × k × k + out", "128 × 64 × 3 × 3 + 128", "73,856"),
        ),
        (
            ("Linear", ("B", 5), {"out_features": 3, "bias": False}),
            ("in × out", "5 × 3", "15"),
        ),
        (
            ("LayerNorm", ("B", 768), {}),
            ("2 × shape", "2 × 768", "1,536"),
        ),
        (
            ("Embedding", ("B", 4), {"num_embeddings": 50257, "embedding_dim": 768}),
            ("num × dim", "50,257 × 768", "38,597,376"),
        ),
    ],
)
def test_a_count_is_explained_by_its_parameters(
    layer: tuple[str, tuple[Any, ...], dict[str, Any]], lines: tuple[str, str, str]
) -> None:
    kind, shape, options = layer
    assert explained(kind, shape, **options) == lines


def test_what_is_not_known_is_explained_as_unknown() -> None:
    drawing = Drawing()
    fc = drawing.add("Linear", out_features=10)
    explanation = count.explain(drawing.finding(fc).params)
    assert explanation.total is None
    assert explanation.figures() == "? × 10 + 10"
    assert explanation.result() == "?"


def test_rows_name_owners_and_who_is_trained() -> None:
    drawing = Drawing()
    tokens = drawing.input("B", "T", dtype="int64")
    wte = drawing.add("Embedding", tokens, name="wte", num_embeddings=10, embedding_dim=4)
    norm = drawing.add("BatchNorm1d", drawing.add("Flatten", wte), name="bn")
    head = drawing.add("Linear", wte, name="head", out_features=10, bias=False)
    drawing.tie(head, wte)
    drawing.do(edits.set_trainable([wte], False))
    rows = {row.key: row for row in count.rows(drawing.editor.analysis)}
    assert rows["head.weight"].owner == "wte.weight"
    assert not rows["head.weight"].trainable
    assert rows["bn.weight"].norm
    assert not rows["bn.running_mean"].trainable
    assert rows["bn.running_mean"].param.part == "buffer"
    assert rows["wte.weight"].owner is None
    assert norm


def test_shares_are_of_the_whole_and_largest_first() -> None:
    drawing = Drawing()
    cifar10(drawing)
    shares = count.shares(drawing.editor.analysis)
    assert [share.parameters for share in shares] == [73_856, 65_664, 18_496, 1_290, 896]
    assert sum(share.fraction for share in shares) == pytest.approx(1)


def test_costs_of_the_cifar_network() -> None:
    drawing = Drawing()
    cifar10(drawing)
    analysis = drawing.editor.analysis
    totals = analysis.totals()
    assert cost.weight_bytes(totals, "fp32") == 640_808
    assert cost.weight_bytes(totals, "bf16") == 320_404
    assert cost.training_bytes(totals) == 160_202 * 16
    assert cost.checkpoint_bytes(analysis) == 640_808
    forward = cost.forward(analysis)
    convolutions = 2 * (30 * 30 * 864 + 13 * 13 * 18_432 + 4 * 4 * 73_728)
    assert forward.flops == convolutions + 2 * (512 * 128 + 128 * 10)
    assert forward.until is None


def test_operations_stop_at_the_first_layer_that_is_not_known() -> None:
    drawing = Drawing()
    first = cifar10(drawing, flatten=False, in_features=512)
    forward = cost.forward(drawing.editor.analysis)
    assert forward.until == first
    assert forward.flops > 0


def test_operations_scale_with_the_trial_batch() -> None:
    drawing = Drawing()
    cifar10(drawing)
    once = cost.forward(drawing.editor.analysis).flops
    drawing.do(edits.set_dimension("B", Dimension("batch", trial=8)))
    assert cost.forward(drawing.editor.analysis).flops == 8 * once


def test_buffers_weigh_in_a_checkpoint_and_not_in_the_parameters() -> None:
    drawing = Drawing()
    drawing.add("BatchNorm2d", drawing.input("B", 8, 4, 4))
    assert drawing.parameters == 16
    assert cost.checkpoint_bytes(drawing.editor.analysis) == (16 + 16) * 4 + 8
