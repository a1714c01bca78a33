"""Blocks of Swin against attention among all positions of an image, with masks by definition."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from designer.core import count, size
from designer.core.layer import examine
from designer.core.size import UNKNOWN, free
from designer.core.tensor import Tensor as Shape
from tests import facts
from tests.layers.oracle import made, refusal, t, verdict
from tests.layers.test_ready import (
    GATES,
    Weights,
    compared,
    drawing_of,
    linear,
    module_of,
    normalised,
)

if TYPE_CHECKING:
    from collections.abc import Callable


class Side:
    """The positions along one side of an image, each with its window and its place in it."""

    def __init__(self, length: int, window: int, shift: int) -> None:
        moved = shift if length > window else 0
        rolled = (torch.arange(length) - moved) % length
        self.window, self.inside = rolled // window, rolled % window
        self.wrapped = torch.arange(length) < moved

    def together(self) -> Tensor:
        """Which positions are in one window, and were neighbours before windows moved."""
        same = self.window[:, None] == self.window
        return same & (self.wrapped[:, None] == self.wrapped)

    def offsets(self, window: int) -> Tensor:
        """How far one position of a window is from another, from 0."""
        return self.inside[:, None] - self.inside + window - 1


def attention(
    heads: int, window: int, shift: int, prefix: str = ""
) -> Callable[[Weights, Tensor], Tensor]:
    """Each position attends to all others of its image, those outside of its window hidden."""

    def run(w: Weights, x: Tensor) -> Tensor:
        down, across = (Side(length, window, shift) for length in x.shape[1:3])
        seen = down.together()[:, None, :, None] & across.together()[None, :, None, :]
        places = down.offsets(window)[:, None, :, None] * (2 * window - 1)
        places = places + across.offsets(window)[None, :, None, :]
        number = x.shape[1] * x.shape[2]
        inside = seen.reshape(number, number)
        offsets = places.reshape(number, number)[inside]
        q, k, v = linear(w, f"{prefix}qkv", x.flatten(1, 2)).chunk(3, -1)
        width = x.shape[-1] // heads
        found = []
        for head in range(heads):
            own = slice(head * width, (head + 1) * width)
            scores = q[..., own] @ k[..., own].mT / math.sqrt(width)
            bias = torch.full((number, number), -math.inf, dtype=x.dtype)
            bias[inside] = w[f"{prefix}relative_position_bias_table"][offsets, head]
            found.append((scores + bias).softmax(-1) @ v[..., own])
        return linear(w, f"{prefix}proj", torch.cat(found, -1)).reshape(x.shape)

    return run


SHAPES = [(2, 6, 9, 12), (1, 3, 6, 12), (2, 3, 3, 12)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("shift", [0, 1, 2])
def test_window_attention(shape: tuple[int, ...], shift: int) -> None:
    reference = attention(3, 3, shift)
    compared("WindowAttention", reference, *shape, n_heads=3, window=3, shift=shift)


@pytest.mark.parametrize("shift", [0, 1])
def test_swin_block(shift: int) -> None:
    def reference(w: Weights, x: Tensor) -> Tensor:
        x = x + attention(3, 2, shift, "attn.")(w, normalised(w, "norm1", x))
        h = GATES["gelu"](linear(w, "mlp.0", normalised(w, "norm2", x)))
        return x + linear(w, "mlp.3", h)

    compared("SwinBlock", reference, 2, 4, 6, 12, n_heads=3, window=2, shift=shift)


def test_patch_merging() -> None:
    def reference(w: Weights, x: Tensor) -> Tensor:
        corners = ((0, 0), (1, 0), (0, 1), (1, 1))
        parts = [x[:, down::2, across::2] for down, across in corners]
        return linear(w, "reduction", normalised(w, "norm", torch.cat(parts, -1)))

    compared("PatchMerging", reference, 2, 4, 6, 8)


@pytest.mark.parametrize(
    ("prefix", "kind", "shape", "options"),
    [
        ("features.1.0.", "SwinBlock", (56, 56, 96), {"n_heads": 3}),
        ("features.3.1.", "SwinBlock", (28, 28, 192), {"n_heads": 6, "shift": 3}),
        ("features.2.", "PatchMerging", (56, 56, 96), {}),
    ],
)
def test_parameters_are_those_of_swin_t(
    prefix: str, kind: str, shape: tuple[int, ...], options: dict[str, Any]
) -> None:
    real = {row.name.removeprefix(prefix): row.shape for row in facts.block("swin_t", prefix)}
    drawn = drawing_of(kind, "B", *shape, **options)
    rows = count.rows(drawn.editor.analysis)
    found = {
        row.key.removeprefix("block."): tuple(map(size.value, row.param.shape)) for row in rows
    }
    assert found == real
    if kind == "SwinBlock":
        assert list(found) == list(real)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("WindowAttention", {"n_heads": 3, "window": 3}),
        ("WindowAttention", {"n_heads": 3, "window": 3, "shift": 1}),
        ("SwinBlock", {"n_heads": 3, "window": 3, "shift": 1}),
        ("PatchMerging", {}),
    ],
)
def test_operations_and_shapes(kind: str, options: dict[str, Any]) -> None:
    layer, shape = made(kind, **options), (2, 6, 12, 12)
    result = examine(layer, {"x": t(*shape)}).result
    assert result is not None
    with torch.device("meta"):
        module = module_of(drawing_of(kind, *shape, **options))
    with FlopCounterMode(display=False) as counter:
        found = module(torch.empty(shape, device="meta"))
    assert result.flops == counter.get_total_flops()
    assert tuple(found.shape) == result.outputs[0].shape
    examined = examine(layer, {"x": Shape((free("B"), free("H", 6), free("W"), 12))})
    assert examined.result is not None
    assert [remark for remark in examined.remarks if remark.severity != "hint"] == []
    sizes = {"B": 2, "H": 6, "W": 12}
    (weak,) = examined.result.outputs
    assert [size.substitute(axis, sizes) for axis in weak.shape] == list(found.shape)
    assert size.substitute(examined.result.flops, sizes) == result.flops
    unknown = examine(layer, {"x": Shape((UNKNOWN, UNKNOWN, UNKNOWN, 12))}).result
    assert unknown is not None
    assert [p.shape for p in unknown.params] == [p.shape for p in result.params]


def test_no_warning_of_an_image_on_a_linear_layer() -> None:
    drawn = drawing_of("SwinBlock", "B", 14, 14, 96, n_heads=3, shift=3)
    assert not drawn.editor.analysis.problems()


@pytest.mark.parametrize(
    ("kind", "shape", "options", "sentence"),
    [
        (
            "SwinBlock",
            (2, 30, 28, 96),
            {},
            "SwinBlock needs sides that are multiples of 7, got 30.",
        ),
        (
            "PatchMerging",
            (2, 4, 7, 96),
            {},
            "PatchMerging needs sides that are multiples of 2, got 7.",
        ),
        (
            "WindowAttention",
            (2, 28, 28, 96),
            {"n_heads": 5},
            "WindowAttention needs n_heads to divide 96, got 5.",
        ),
        (
            "WindowAttention",
            (2, 28, 28, 96),
            {"shift": 7},
            "WindowAttention needs a shift below 7, got 7.",
        ),
        ("SwinBlock", (2, 28, 96), {}, "SwinBlock expects [B, H, W, C], got [2, 28, 96]."),
        (
            "WindowMask",
            (2, 28, 27, 96),
            {},
            "WindowMask needs sides that are multiples of 7, got 27.",
        ),
        ("RollWindows", (2, 28, 96), {}, "RollWindows expects [B, H, W, C], got [2, 28, 96]."),
    ],
)
def test_refusals(
    kind: str, shape: tuple[int, ...], options: dict[str, Any], sentence: str
) -> None:
    assert refusal(verdict(kind, options, {"x": t(*shape)})) == sentence
