"""Composites of images, diffusion and Mamba in exported code, with variables and several ports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from designer.core import edits
from designer.core.document import Dimension
from designer.core.expression import Expression
from designer.export.check import check
from designer.export.pytorch import write
from tests.core.drawing import Drawing
from tests.export.test_composites import classes, code
from tests.export.test_pytorch import LINT, run_tool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

E = Expression


def canvas() -> Drawing:
    """A drawing with variables, and with images of any size."""
    drawing = Drawing(width=16, heads=2, growth=4, p=0.1, d_model=12)
    for name, trial in (("H", 11), ("W", 8)):
        drawing.do(edits.set_dimension(name, Dimension(trial=trial)))
    return drawing


def convolutions() -> Drawing:
    """Blocks one after another."""
    drawing = canvas()
    x = drawing.input("B", E("width"), "H", "W")
    for kind, options in (
        ("ConvNormAct", {"out_channels": E("width"), "activation": "none"}),
        ("ConvNormAct", {"out_channels": E("2*width"), "groups": E("heads"), "stride": 2}),
        ("ConvNormAct", {"kernel_size": 1, "padding": 1, "eps": 0.001}),
        ("InceptionBlock", {"ch1x1": E("width"), "ch3x3": 8, "ch5x5": 8, "pool_proj": 8}),
        ("InceptionBlock", {"kernel5x5": 5}),
        ("DenseNetBlock", {"num_layers": 2, "growth_rate": E("growth")}),
        ("DenseNetTransition", {"out_channels": E("width")}),
        ("DenseNetBlock", {"num_layers": 3, "growth_rate": E("growth"), "bn_size": 2}),
        ("DenseNetLayer", {}),
        ("MBConv", {"expand_ratio": 1, "out_channels": E("width")}),
        ("MBConv", {"activation": "relu"}),
        ("MBConv", {"out_channels": 8, "kernel_size": 5, "squeeze_channels": 2}),
        ("LayerNorm2d", {}),
        ("ConvNeXtBlock", {}),
        ("Bottleneck", {"channels_within": 4, "groups": E("heads"), "out_channels": 6}),
        ("Bottleneck", {"channels_within": 4, "groups": E("heads"), "out_channels": 6}),
        ("SqueezeExcitation", {"squeeze_channels": 2, "activation": "silu", "gate": "hardsigmoid"}),
    ):
        x = drawing.add(kind, x, **options)
    drawing.add("Output", x)
    return drawing


def unet() -> Drawing:
    """Two levels of a U-Net, one learned, one interpolated."""
    drawing = canvas()
    top = drawing.add(
        "DoubleConv", drawing.input("B", 3, "H", "W"), out_channels=E("width"), mid_channels=5
    )
    middle = drawing.add("UNetDown", top)
    bottom = drawing.add("UNetDown", middle, out_channels=E("3*width"))
    x = drawing.add("UNetUp", bottom, middle)
    x = drawing.add("UNetUp", x, top, upsampling="bilinear", out_channels=4)
    drawing.add("Output", x)
    drawing.add("Output", drawing.add("PadLike", middle, top))
    return drawing


def diffusion() -> Drawing:
    """Blocks with a time and without."""
    drawing = canvas()
    steps = drawing.input("B", dtype="int64")
    time = drawing.add("TimeEmbedding", steps, channels=E("width"), shift=1.0, cosine_first=False)
    x = drawing.input("B", E("width"), "H", "W")
    groups: dict[str, Any] = {"groups": E("heads")}
    x = drawing.add("TimeResidualBlock", x, time, dropout=E("p"), **groups)
    x = drawing.add("TimeResidualBlock", x, time, out_channels=E("2*width"), eps=1e-6, **groups)
    x = drawing.add("SpatialSelfAttention", x, n_heads=E("heads"), **groups)
    x = drawing.add("SpatialSelfAttention", x, dropout=E("p"), **groups)
    context = drawing.input("B", "T", E("d_model"))
    x = drawing.add("SpatialTransformer", x, context, n_heads=E("heads"), **groups)
    x = drawing.add("SpatialTransformer", x, n_heads=4, dropout=E("p"), **groups)
    x = drawing.add("TimeResidualBlock", x, **groups)
    drawing.add("Output", drawing.add("TimeResidualBlock", x, out_channels=6, **groups))
    drawing.add("Output", drawing.add("TimestepFeatures", steps, dim=E("width"), max_period=100.0))
    return drawing


def mamba() -> Drawing:
    """Blocks with options and without, and a scan of its own."""
    drawing = canvas()
    x = drawing.input("B", "T", E("d_model"))
    x = drawing.add("MambaBlock", x, d_state=E("heads"), bias=True)
    x = drawing.add("MambaBlock", x, d_inner=E("3*d_model"), dt_rank=3, conv_bias=False, eps=1e-6)
    x = drawing.add("MambaMixer", x, d_conv=1)
    decays = drawing.input(E("d_model"), 3)
    inner = drawing.input("B", "T", 3)
    scan = drawing.add("SelectiveScan", x, x, decays, inner, inner)
    drawing.add("Output", drawing.add("ReshapeLike", scan, x))
    return drawing


def windows() -> Drawing:
    """Blocks of Swin transformers on images with channels last."""
    drawing = canvas()
    x = drawing.input("B", "H", "W", E("width"))
    heads: dict[str, Any] = {"n_heads": E("heads"), "window": 3}
    for shift in (0, 1, E("heads")):
        x = drawing.add("SwinBlock", x, shift=shift, **heads)
    x = drawing.add("PatchMerging", x)
    x = drawing.add("WindowAttention", x, n_heads=4, window=E("heads"))
    drawing.add("Output", drawing.add("SwinBlock", x, dropout=E("p"), d_hidden=8, n_heads=2))
    return drawing


DESIGNS: dict[str, Callable[[], Drawing]] = {
    "convolutions": convolutions,
    "unet": unet,
    "diffusion": diffusion,
    "mamba": mamba,
    "windows": windows,
}


@pytest.mark.parametrize("name", DESIGNS)
def test_the_module_is_what_is_drawn(name: str) -> None:
    report = check(DESIGNS[name]().editor.document)
    assert report.failure is None
    assert [str(text) for case in report.cases for text in case.differences] == []
    assert len([case for case in report.cases if case.skipped is None]) >= 4


def test_code_is_formatted_typed_and_clean(tmp_path: Path, cache: pytest.Cache) -> None:
    files = []
    for name, make in DESIGNS.items():
        file = tmp_path / f"{name}.py"
        file.write_text(code(make(), name))
        files.append(str(file))
    run_tool("ruff", "format", "--isolated", "--no-cache", "--check", *files)
    run_tool("ruff", *LINT, *files)
    kept = cache.mkdir("mypy-of-exported-code")
    typed = ("--config-file=", f"--cache-dir={kept}", "--disallow-untyped-defs")
    run_tool("mypy", *typed, *files)


def test_a_scan_stands_once_before_its_users() -> None:
    text = code(mamba())
    assert text.count("def selective_scan(") == 1
    assert text.index("def selective_scan(") < text.index("class MambaMixer")


def test_blocks_of_another_length_or_shortcut_are_classes_of_their_own() -> None:
    names = classes(code(convolutions()))
    assert {"DenseNetBlock", "DenseNetBlockOf3", "Bottleneck"} < set(names)
    assert "BottleneckWithoutDownsample" in names


def test_the_code_of_an_up_stage() -> None:
    text = write(unet().editor.analysis, "unet").text
    assert (
        """
    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = self.up(x)
        padded = pad_like(x, skip)
        joined = torch.cat([skip, padded], dim=1)
        return self.conv(joined)
"""
        in text
    )
