"""Windows and Swin blocks against transformers and independent implementations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn

from designer.core import edits
from designer.core.document import Dimension
from tests.core.drawing import Drawing
from tests.layers.bodies import agreed, images
from tests.layers.oracle import check, t
from tests.layers.test_ready import drawing_of, module_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


def cut(x: Tensor, window: int, shift: int) -> list[list[Tensor]]:
    """The pixels of each window of each image, one by one; None pixels are zeros."""
    down, across = (-(-size // window) for size in x.shape[1:3])
    found = []
    for image in x:
        for top in range(0, down * window, window):
            for left in range(0, across * window, window):
                rows = [moved(top + i, shift, down * window, window) for i in range(window)]
                columns = [moved(left + j, shift, across * window, window) for j in range(window)]
                found.append([pixel(image, row, column) for row in rows for column in columns])
    return found


def moved(place: int, shift: int, length: int, window: int) -> int:
    """Where a place of a moved window is on the padded image."""
    return (place + shift) % length if length > window else place


def pixel(image: Tensor, row: int, column: int) -> Tensor:
    """A pixel, zeros beyond the image."""
    if row < image.shape[0] and column < image.shape[1]:
        return image[row, column]
    return image.new_zeros(image.shape[-1])


SIZES = [(4, 4), (6, 4), (5, 7), (2, 6), (1, 1)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("window", "shift"), [(2, 0), (2, 1), (3, 2), (1, 0)])
def test_windows(size: tuple[int, int], window: int, shift: int) -> None:
    def make() -> Any:
        return lambda x: torch.stack([torch.stack(one) for one in cut(x, window, shift)])

    options: dict[str, Any] = {"window": window, "shift": shift}
    check("WindowPartition", options, t(2, *size, 3), reference=make, free=[0])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("shift", [0, 1])
def test_windows_are_put_together_again(size: tuple[int, int], shift: int) -> None:
    drawing = Drawing()
    x = drawing.input("B", *size, 3)
    options: dict[str, Any] = {"window": 2, "shift": shift}
    windows = drawing.add("WindowPartition", x, **options)
    drawing.add("Output", drawing.add("WindowReverse", windows, x, **options))
    pixels = torch.randn(2, *size, 3)
    torch.testing.assert_close(module_of(drawing)(pixels), pixels)


@pytest.mark.parametrize("size", [(4, 4), (5, 7), (1, 2), (2, 2)])
def test_merged_pixels(size: tuple[int, int]) -> None:
    def make() -> Any:
        def merged(x: Tensor) -> Tensor:
            windows = torch.stack([torch.stack(one) for one in cut(x, 2, 0)])
            down, across = (-(-length // 2) for length in x.shape[1:3])
            return windows[:, [0, 2, 1, 3]].reshape(len(x), down, across, -1)

        return merged

    check("MergePatches", {}, t(2, *size, 3), reference=make, free=[0])


class Swin(nn.Module):
    """A layer of transformers for images, with query, key and value in one projection."""

    def __init__(self, theirs: Any, width: int, heads: int, window: int, shift: int) -> None:
        super().__init__()
        config = theirs.SwinConfig(window_size=window, attn_implementation="eager")
        own = theirs.SwinLayer(config, width, (0, 0), heads, shift_size=shift)
        self.norm1, self.norm2 = own.layernorm_before, own.layernorm_after
        self.mlp = nn.Sequential(own.mlp.fc1, nn.GELU(), nn.Identity(), own.mlp.fc2, nn.Identity())
        attention = own.attention
        self.attn = nn.Module()
        self.attn.qkv = nn.Linear(width, 3 * width)
        self.attn.proj = attention.o_proj
        position = attention.relative_position_bias
        self.attn.relative_position_bias_table = position.relative_position_bias_table
        index = position.relative_position_index.flatten()
        self.attn.register_buffer("relative_position_index", index)
        self.theirs = [own]

    def forward(self, x: Tensor) -> Any:
        own = self.theirs[0].double().train(self.training)
        qkv: Any = self.attn.qkv
        parts = zip(qkv.weight.chunk(3), qkv.bias.chunk(3), strict=True)
        names = ("q_proj", "k_proj", "v_proj")
        given = {
            f"attention.{name}.{part}": tensor
            for name, pair in zip(names, parts, strict=True)
            for part, tensor in zip(("weight", "bias"), pair, strict=True)
        }
        rows, size = x.flatten(1, 2), tuple(x.shape[1:3])
        given |= {theirs: self.get_parameter(ours) for theirs, ours in PAIRS.items()}
        out, _ = torch.func.functional_call(own, given, (rows, size))
        return out.view_as(x)


PAIRS = {
    "layernorm_before.weight": "norm1.weight",
    "layernorm_before.bias": "norm1.bias",
    "layernorm_after.weight": "norm2.weight",
    "layernorm_after.bias": "norm2.bias",
    "attention.o_proj.weight": "attn.proj.weight",
    "attention.o_proj.bias": "attn.proj.bias",
    "attention.relative_position_bias.relative_position_bias_table": (
        "attn.relative_position_bias_table"
    ),
    "mlp.fc1.weight": "mlp.0.weight",
    "mlp.fc1.bias": "mlp.0.bias",
    "mlp.fc2.weight": "mlp.3.weight",
    "mlp.fc2.bias": "mlp.3.bias",
}


@pytest.fixture(scope="module")
def swin() -> Callable[..., Swin]:
    """Makes a layer of transformers' Swin."""
    from transformers.models.swin import modeling_swin

    return lambda *arguments: Swin(modeling_swin, *arguments)


@pytest.mark.parametrize("size", [(4, 6), (5, 7), (3, 3)])
@pytest.mark.parametrize("shift", [0, 1])
def test_swin_block(size: tuple[int, int], shift: int, swin: Callable[..., Swin]) -> None:
    options: dict[str, Any] = {"n_heads": 2, "window": 3, "shift": shift}
    agreed("SwinBlock", swin(6, 2, 3, shift), images(2, *size, 6), **options)


@pytest.mark.parametrize("size", [(4, 6), (5, 3)])
def test_patch_merging(size: tuple[int, int]) -> None:
    class Reference(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.LayerNorm(20)
            self.reduction = nn.Linear(20, 10, bias=False)

        def forward(self, x: Tensor) -> Any:
            windows = torch.stack([torch.stack(one) for one in cut(x, 2, 0)])
            down, across = (-(-length // 2) for length in x.shape[1:3])
            merged = windows[:, [0, 2, 1, 3]].reshape(len(x), down, across, -1)
            return self.reduction(self.norm(merged))

    agreed("PatchMerging", Reference(), images(2, *size, 5))


def test_images_of_any_size() -> None:
    drawing = Drawing()
    for name in ("H", "W"):
        drawing.do(edits.set_dimension(name, Dimension(trial=14)))
    x = drawing.input("B", "H", "W", 96)
    windows = drawing.add("WindowPartition", x)
    assert drawing.shape(windows) == "[B*((H + 6)//7)*((W + 6)//7), 49, 96]"
    block = drawing.add("SwinBlock", x, shift=3)
    assert drawing.shape(block) == "[B, H, W, 96]"
    half = drawing.add("PatchMerging", block)
    assert drawing.shape(half) == "[B, (H + 1)//2, (W + 1)//2, 192]"
    drawing.add("Output", half)
    assert [str(p.message) for p in drawing.editor.analysis.problems() if p.blocks] == []
    assert module_of(drawing)(torch.randn(1, 9, 15, 96)).shape == (1, 5, 8, 192)


@pytest.mark.parametrize(
    ("kind", "shape", "options", "sentence"),
    [
        ("SwinBlock", ("B", 8, 8, 96), {"shift": 7}, "needs shift below 7, got 7."),
        ("SwinBlock", ("B", 8, 8, 96), {"n_heads": 5}, "n_heads to divide 96, got 5."),
        ("SwinBlock", ("B", 64, 96), {}, "expects [N, H, W, C], got [B, 64, 96]."),
        ("PatchMerging", ("B", 8, 8, 96), {"d_model": 90}, "[N, H, W, 90], got [B, 8, 8, 96]."),
    ],
)
def test_refusals(kind: str, shape: Any, options: dict[str, Any], sentence: str) -> None:
    drawing = drawing_of(kind, *shape, **options)
    (problem,) = [p for p in drawing.editor.analysis.problems() if p.severity == "error"]
    assert sentence in str(problem.message)


@pytest.mark.parametrize(
    ("kind", "shapes", "sentence"),
    [
        ("WindowReverse", ((7, 49, 6), (2, 14, 14, 6)), "needs 8 at port x, got 7."),
        ("WindowReverse", ((8, 36, 6), (2, 14, 14, 6)), "needs 49 at port x, got 36."),
        ("WindowBias", ((160, 3), (2401,), (2, 14, 14, 6)), "169 rows at port table, got 160."),
        ("WindowBias", ((169, 3), (2400,), (2, 14, 14, 6)), "2401 rows at port index, got 2400."),
    ],
)
def test_windows_that_do_not_fit(kind: str, shapes: Any, sentence: str) -> None:
    drawing = Drawing()
    dtypes = {1: "int64"}
    given = [drawing.input(*shape, dtype=dtypes.get(len(shape), "float32")) for shape in shapes]
    put = drawing.add(kind, *given)
    (problem,) = drawing.finding(put).problems
    assert sentence in str(problem.message)
