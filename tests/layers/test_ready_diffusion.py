"""Blocks of diffusion networks against independent implementations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn

from designer.core import count, edits
from designer.core.document import Dimension
from tests.core.drawing import Drawing
from tests.layers.bodies import agreed, images
from tests.layers.oracle import check, t
from tests.layers.test_ready import attended, drawing_of, module_of

if TYPE_CHECKING:
    from torch import Tensor


def waves(dim: int, period: float, shift: float, *, cosine_first: bool) -> Any:
    """Sines and cosines, one number after another."""

    def run(times: Tensor) -> Tensor:
        half = dim // 2
        rates = [period ** (-i / (half - shift)) for i in range(half)]
        angles = torch.stack([times * rate for rate in rates], -1)
        angles = angles if times.is_floating_point() else angles.float()
        pair = (torch.cos(angles), torch.sin(angles))
        return torch.cat(pair if cosine_first else pair[::-1], -1)

    return run


@pytest.mark.parametrize("dim", [2, 8])
@pytest.mark.parametrize("shift", [0.0, 0.5])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_features_of_times(dim: int, shift: float, first: bool, dtype: str) -> None:
    options: dict[str, Any] = {
        "dim": dim,
        "max_period": 500.0,
        "shift": shift,
        "cosine_first": first,
    }
    for shape in ((3,), (2, 3)):
        check(
            "TimestepFeatures",
            options,
            t(*shape, dtype=dtype),
            reference=lambda: waves(dim, 500.0, shift, cosine_first=first),
            free=[0],
        )


class Time(nn.Module):
    """Sines and cosines, then two linear layers with SiLU between them."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.channels = channels
        self.linear_1 = nn.Linear(channels, width)
        self.linear_2 = nn.Linear(width, width)

    def forward(self, times: Tensor) -> Any:
        angles = waves(self.channels, 10000.0, 0.0, cosine_first=True)(times)
        h = self.linear_1(angles)
        return self.linear_2(h * h.sigmoid())


@pytest.mark.parametrize("width", [None, 6])
def test_time_embedding(width: int | None) -> None:
    times = torch.rand(3, dtype=torch.float64) * 5
    agreed("TimeEmbedding", Time(4, width or 16), times, channels=4, d_time=width)


def test_whole_time_steps_become_floats() -> None:
    module = module_of(drawing_of("TimeEmbedding", "B", channels=4, d_time=6))
    times = torch.tensor([0.0, 3.0, 999.0])
    drawing = Drawing()
    steps = drawing.input("B", dtype="int64")
    drawing.add("Output", drawing.add("TimeEmbedding", steps, name="block", channels=4, d_time=6))
    whole = module_of(drawing)
    whole.load_state_dict(module.state_dict())
    torch.testing.assert_close(whole(times.long()), module(times))


class Resnet(nn.Module):
    """Group norm, SiLU and convolution twice, the time between them."""

    def __init__(self, channels: int, out: int, time: int | None, groups: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, channels)
        self.conv1 = nn.Conv2d(channels, out, 3, padding=1)
        if time is not None:
            self.time_emb_proj = nn.Linear(time, out)
        self.norm2 = nn.GroupNorm(groups, out)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1)
        if channels != out:
            self.conv_shortcut = nn.Conv2d(channels, out, 1)

    def forward(self, x: Tensor, time: Tensor | None = None) -> Any:
        h = self.norm1(x)
        h = self.conv1(h * h.sigmoid())
        if time is not None:
            h = h + self.time_emb_proj(time * time.sigmoid())[:, :, None, None]
        h = self.norm2(h)
        h = self.conv2(h * h.sigmoid())
        return h + (self.conv_shortcut(x) if hasattr(self, "conv_shortcut") else x)


@pytest.mark.parametrize("out", [None, 6, 4])
@pytest.mark.parametrize("time", [None, 5])
def test_residual_block(out: int | None, time: int | None) -> None:
    inputs = [images(2, 6, 5, 4)] + ([] if time is None else [images(2, time)])
    reference = Resnet(6, out or 6, time, 2)
    agreed("TimeResidualBlock", reference, *inputs, out_channels=out, groups=2)


class Attention(nn.Module):
    """Attention of pixels, one head after another."""

    def __init__(self, channels: int, heads: int, groups: int) -> None:
        super().__init__()
        self.size = channels // heads
        self.group_norm = nn.GroupNorm(groups, channels, eps=1e-6)
        self.to_q = nn.Linear(channels, channels)
        self.to_k = nn.Linear(channels, channels)
        self.to_v = nn.Linear(channels, channels)
        self.to_out = nn.Sequential(nn.Linear(channels, channels))

    def forward(self, x: Tensor) -> Any:
        pixels = self.group_norm(x).permute(0, 2, 3, 1)
        rows = pixels.reshape(x.shape[0], -1, x.shape[1])
        q, k, v = self.to_q(rows), self.to_k(rows), self.to_v(rows)
        parts = zip(*(one.split(self.size, -1) for one in (q, k, v)), strict=True)
        found = self.to_out(torch.cat([attended(*part, causal=False) for part in parts], -1))
        return x + found.reshape(pixels.shape).permute(0, 3, 1, 2)


@pytest.mark.parametrize("heads", [1, 2, 3])
def test_attention_of_pixels(heads: int) -> None:
    reference = Attention(6, heads, 2)
    agreed("SpatialSelfAttention", reference, images(2, 6, 3, 4), n_heads=heads, groups=2)


class Attending(nn.Module):
    """Attention to a context, one head after another."""

    def __init__(self, width: int, context: int, heads: int) -> None:
        super().__init__()
        self.size = width // heads
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(context, width, bias=False)
        self.to_v = nn.Linear(context, width, bias=False)
        self.to_out = nn.Sequential(nn.Linear(width, width))

    def forward(self, x: Tensor, context: Tensor | None = None) -> Any:
        source = x if context is None else context
        projected = (self.to_q(x), self.to_k(source), self.to_v(source))
        parts = zip(*(one.split(self.size, -1) for one in projected), strict=True)
        return self.to_out(torch.cat([attended(*part, causal=False) for part in parts], -1))


class Contextual(nn.Module):
    """Attention to the input, attention to the context, GEGLU."""

    def __init__(self, width: int, context: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))
        self.attn1 = Attending(width, width, heads)
        self.attn2 = Attending(width, context, heads)
        self.ff_proj = nn.Linear(width, 2 * hidden)
        self.ff_out = nn.Linear(hidden, width)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Any:
        x = x + self.attn1(self.norm1(x))
        x = x + self.attn2(self.norm2(x), context)
        h, gate = self.ff_proj(self.norm3(x)).tensor_split(2, -1)
        return x + self.ff_out(h * gate * (1 + torch.erf(gate / 2**0.5)) / 2)


class Spatial(nn.Module):
    """The block on the pixels of an image."""

    def __init__(self, channels: int, context: int, heads: int, groups: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, channels, eps=1e-6)
        self.proj_in = nn.Conv2d(channels, channels, 1)
        self.block = Contextual(channels, context, heads, 4 * channels)
        self.proj_out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Any:
        h = self.proj_in(self.norm(x)).movedim(1, -1)
        rows = self.block(h.reshape(x.shape[0], -1, x.shape[1]), context)
        return x + self.proj_out(rows.reshape(h.shape).movedim(-1, 1))


@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize("told", [True, False])
def test_attention_to_a_context(heads: int, told: bool) -> None:
    inputs = (images(2, 5, 6), images(2, 4, 7)) if told else (images(2, 5, 6),)
    reference = Attending(6, 7 if told else 6, heads)
    agreed("ContextAttention", reference, *inputs, n_heads=heads)


@pytest.mark.parametrize("hidden", [None, 5])
@pytest.mark.parametrize("told", [True, False])
def test_block_with_a_context(hidden: int | None, told: bool) -> None:
    inputs = (images(2, 5, 6), images(2, 4, 7)) if told else (images(2, 5, 6),)
    reference = Contextual(6, 7 if told else 6, 2, hidden or 24)
    agreed("ContextBlock", reference, *inputs, n_heads=2, d_hidden=hidden)


@pytest.mark.parametrize("told", [True, False])
def test_spatial_transformer(told: bool) -> None:
    inputs = (images(2, 6, 3, 4), images(2, 4, 7)) if told else (images(2, 6, 3, 4),)
    reference = Spatial(6, 7 if told else 6, 3, 2)
    agreed("SpatialTransformer", reference, *inputs, n_heads=3, groups=2)


def test_the_blocks_of_stable_diffusion() -> None:
    drawing = Drawing()
    time = drawing.add("TimeEmbedding", drawing.input("B", dtype="int64"), channels=320)
    x = drawing.input("B", 320, 64, 64)
    narrow = drawing.add("TimeResidualBlock", x, time)
    wide = drawing.add("TimeResidualBlock", narrow, time, out_channels=640)
    drawing.add("Output", wide)
    shapes = [row.param.shape for row in count.rows(drawing.editor.analysis)]
    assert shapes[:4] == [(1280, 320), (1280,), (1280, 1280), (1280,)]
    assert shapes[4:14] == [
        *[(320,), (320,), (320, 320, 3, 3), (320,), (320, 1280), (320,)],
        *[(320,), (320,), (320, 320, 3, 3), (320,)],
    ]
    assert shapes[-2:] == [(640, 320, 1, 1), (640,)]


def small_unet(drawing: Drawing) -> int:
    """A diffusion U-Net of two levels."""
    time = drawing.add("TimeEmbedding", drawing.input("B", dtype="int64"), channels=32)
    x = drawing.add("Conv2d", drawing.input("B", 3, "H", "W"), out_channels=32, padding=1)
    first = drawing.add("TimeResidualBlock", x, time)
    x = drawing.add("Conv2d", first, out_channels=32, stride=2, padding=1)
    x = drawing.add("TimeResidualBlock", x, time, out_channels=64)
    x = drawing.add("SpatialSelfAttention", x, n_heads=4)
    x = drawing.add("TimeResidualBlock", x, time)
    x = drawing.add("Upsample", x, scale_factor=2.0)
    x = drawing.add("PadLike", x, first)
    joined = drawing.add("Concat", x, first, dim=1)
    x = drawing.add("TimeResidualBlock", joined, time, out_channels=32)
    x = drawing.add("GroupNorm", x)
    x = drawing.add("SiLU", x)
    last = drawing.add("Conv2d", x, out_channels=3, padding=1)
    drawing.add("Output", last)
    return last


def test_a_small_diffusion_unet_can_be_drawn() -> None:
    drawing = Drawing()
    for name in ("H", "W"):
        drawing.do(edits.set_dimension(name, Dimension(trial=16)))
    last = small_unet(drawing)
    assert drawing.shape(last) == "[B, 3, H, W]"
    assert [str(p.message) for p in drawing.editor.analysis.problems()] == []
    module = module_of(drawing)
    for plane in ((8, 8), (9, 7)):
        noise = module(torch.tensor([3, 999]), torch.randn(2, 3, *plane))
        assert noise.shape == (2, 3, *plane)


@pytest.mark.parametrize(
    ("kind", "shape", "options", "sentence"),
    [
        ("TimeEmbedding", ("B",), {"channels": 7}, "TimestepFeatures needs an even dim, got 7."),
        ("TimeEmbedding", ("B", 3), {}, "TimeEmbedding expects [N], got [B, 3]."),
        ("TimestepFeatures", ("B",), {"dim": 2, "shift": 1.0}, "needs dim above 2.0, got 2."),
        ("TimeResidualBlock", ("B", 30, 8, 8), {}, "divisible by num_groups = 32, got 30."),
        ("SpatialSelfAttention", ("B", 32, 8, 8), {"n_heads": 5}, "divide 32, got 5."),
    ],
)
def test_refusals(kind: str, shape: Any, options: dict[str, Any], sentence: str) -> None:
    drawing = drawing_of(kind, *shape, **options)
    (problem,) = [p for p in drawing.editor.analysis.problems() if p.severity == "error"]
    assert sentence in str(problem.message)


def test_a_time_of_another_size_is_refused() -> None:
    drawing = Drawing()
    x, time = drawing.input("B", 32, 8, 8), drawing.input("B", 64)
    block = drawing.add("TimeResidualBlock", x, time, d_time=128)
    (problem,) = drawing.finding(block).problems
    assert str(problem.message) == "TimeResidualBlock expects [N, 128], got [B, 64]."


@pytest.mark.parametrize(
    ("kind", "shape", "context", "sentence"),
    [
        ("ContextAttention", ("B", 5, 6), ("B", 4, 7), "n_heads to divide 6, got 8."),
        ("ContextBlock", ("B", 5, 8), ("B", 4, 7), "expects [B, S, 9], got [B, 4, 7]."),
        ("SpatialTransformer", ("B", 32, 4, 4), ("B", 7), "expects [B, S, C], got [B, 7]."),
        ("SpatialTransformer", ("B", 32, 16), ("B", 4, 9), "expects [N, C, H, W], got"),
    ],
)
def test_contexts_that_do_not_fit(kind: str, shape: Any, context: Any, sentence: str) -> None:
    drawing = Drawing()
    sources = drawing.input(*shape), drawing.input(*context)
    block = drawing.add(kind, *sources, d_context=9)
    (problem,) = drawing.finding(block).problems
    assert sentence in str(problem.message)
