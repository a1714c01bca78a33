"""Composites in exported code: a class each, what differs between uses as arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from designer.core import edits
from designer.core.document import Variable
from designer.core.expression import Expression
from designer.export.check import check
from designer.export.pytorch import HEADER, write
from tests.core.drawing import Drawing
from tests.export.test_pytorch import LINT, run_tool

if TYPE_CHECKING:
    from pathlib import Path

E = Expression


def code(drawing: Drawing, title: str = "design") -> str:
    """The exported code of a drawing."""
    return write(drawing.editor.analysis, title).text


def classes(text: str) -> list[str]:
    """The classes that code defines, in order."""
    lines = text.splitlines()
    return [line[6 : line.index("(")] for line in lines if line.startswith("class ")]


def chained(*uses: tuple[str, dict[str, Any]], shape: tuple[Any, ...]) -> Drawing:
    """Composites one after another."""
    drawing = Drawing(d_model=48, n_heads=4, width=32, p=0.1, bias=True)
    drawing.do(edits.set_variable("d_model", Variable(48, divisors=("n_heads",))))
    x = drawing.input(*shape)
    for kind, options in uses:
        x = drawing.add(kind, x, **options)
    drawing.add("Output", x)
    return drawing


IMAGE = ("B", E("width"), 16, 16)
TOKENS = ("B", "T", E("d_model"))
HEADS = E("n_heads")

NAMES = ("transformer", "attention", "windows", "wired", "network")
DESIGNS: dict[str, Drawing] = {}


def designs() -> dict[str, Drawing]:
    """Designs that hold every composite, with variables and with plain sizes."""
    if not DESIGNS:
        DESIGNS["transformer"] = chained(
            ("GPTBlock", {"n_heads": HEADS, "dropout": E("p"), "bias": E("bias")}),
            ("GPTBlock", {"n_heads": 2, "d_hidden": E("3*d_model")}),
            ("LlamaBlock", {"n_heads": HEADS, "d_hidden": E("2*d_model")}),
            ("CausalSelfAttention", {"n_heads": HEADS}),
            ("MLP", {"approximate": "none"}),
            ("GroupedQueryAttention", {"n_heads": HEADS, "n_kv_heads": 1, "qkv_bias": True}),
            ("GatedMLP", {"activation": "gelu"}),
            ("EncoderBlock", {"n_heads": HEADS, "dropout": E("p")}),
            ("EncoderBlock", {"n_heads": 2}),
            ("LoRALinear", {"out_features": E("d_model"), "scale": 0.5}),
            ("RotaryEmbedding", {"theta": 500.0}),
            shape=TOKENS,
        )
        latent = {"kv_lora_rank": 6, "qk_nope_head_dim": 4, "qk_rope_head_dim": 2}
        capped = {"head_dim": 4, "n_kv_heads": 2, "d_hidden": 8}
        DESIGNS["attention"] = chained(
            ("PositionalEncoding", {"dropout": E("p")}),
            ("PositionalEncoding", {"source": "interleaved"}),
            ("PositionalEncoding", {"source": "halves"}),
            ("MultiHeadLatentAttention", {"n_heads": HEADS, "q_lora_rank": 5, **latent}),
            ("MultiHeadLatentAttention", {"n_heads": 2, "q_lora_rank": None, **latent}),
            ("MultiQueryAttention", {"n_heads": HEADS, "bias": E("bias"), "dropout": E("p")}),
            ("GroupedQueryAttention", {"n_heads": HEADS, "window": 3, "qk_norm": True}),
            ("LlamaBlock", {"n_heads": HEADS, "window": 3, "d_hidden": 8}),
            ("Gemma2Block", {"n_heads": HEADS, "window": 3, "scale": 0.5, **capped}),
            ("Gemma2Block", {"n_heads": HEADS, **capped}),
            ("Softcap", {"cap": 5.0}),
            ("ProjectedAttention", {"n_heads": HEADS, "k_bias": False, "dropout": E("p")}),
            ("ProjectedAttention", {"n_heads": HEADS, "bias": False}),
            ("BERTBlock", {"n_heads": HEADS, "dropout": E("p")}),
            ("BERTBlock", {"n_heads": 2, "activation": "relu"}),
            ("T5Block", {"n_heads": HEADS, "gated": True, "activation": "gelu_tanh"}),
            ("T5Block", {"n_heads": 2, "dropout": E("p")}),
            ("T5Attention", {"n_heads": HEADS, "is_causal": True}),
            shape=TOKENS,
        )
        DESIGNS["windows"] = chained(
            ("SwinBlock", {"n_heads": HEADS, "window": 3, "dropout": E("p")}),
            ("SwinBlock", {"n_heads": 2, "window": 3, "shift": 1}),
            ("PatchMerging", {}),
            ("WindowAttention", {"n_heads": 2, "window": 3, "shift": 2}),
            shape=("B", 12, 6, E("d_model")),
        )
        DESIGNS["wired"] = wired()
        DESIGNS["network"] = chained(
            ("BasicBlock", {}),
            ("BasicBlock", {"out_channels": E("2*width"), "stride": 2}),
            ("Bottleneck", {"channels_within": E("width")}),
            ("Bottleneck", {"channels_within": E("width")}),
            ("SqueezeExcitation", {}),
            ("DepthwiseSeparable", {"out_channels": E("width")}),
            ("InvertedResidual", {"expand_ratio": 2}),
            ("InvertedResidual", {"expand_ratio": 1, "out_channels": 24}),
            ("InvertedResidual", {"stride": 2}),
            ("ConvNeXtBlock", {}),
            ("PatchEmbedding", {"d_model": E("width"), "patch_size": 2}),
            shape=IMAGE,
        )
    return DESIGNS


def wired() -> Drawing:
    """Composites with more than one input: biases of positions, a mask, a memory."""
    drawing = Drawing(d_model=48, n_heads=4)
    drawing.do(edits.set_variable("d_model", Variable(48, divisors=("n_heads",))))
    x, memory = drawing.input(*TOKENS), drawing.input("B", 6, E("d_model"))
    mask = drawing.input("B", 1, "T", "T", dtype="bool")
    bias = drawing.add("RelativePositionBias", x, n_heads=HEADS)
    before = drawing.add(
        "RelativePositionBias", x, n_heads=HEADS, num_buckets=8, bidirectional=False
    )
    h = drawing.add("T5Block", x, bias, n_heads=HEADS)
    informed = drawing.add("T5DecoderBlock", h, memory, before, n_heads=HEADS)
    plain = drawing.add("T5DecoderBlock", informed, memory, n_heads=HEADS, gated=True)
    crossed = drawing.add("ProjectedAttention", plain, memory, n_heads=HEADS)
    drawing.add("Output", drawing.add("BERTBlock", crossed, mask, n_heads=HEADS))
    return drawing


@pytest.mark.parametrize("name", NAMES)
def test_the_module_is_what_is_drawn(name: str) -> None:
    report = check(designs()[name].editor.document)
    assert report.failure is None
    found = [str(text) for case in report.cases for text in case.differences]
    assert found == []
    assert len([case for case in report.cases if case.skipped is None]) >= 5


@pytest.mark.parametrize("name", NAMES)
def test_code_is_formatted_typed_and_clean(name: str, tmp_path: Path, cache: pytest.Cache) -> None:
    file = tmp_path / "exported.py"
    file.write_text(code(designs()[name], name))
    run_tool("ruff", "format", "--isolated", "--no-cache", "--check", str(file))
    run_tool("ruff", *LINT, str(file))
    kept = cache.mkdir("mypy-of-exported-code")
    typed = ("--config-file=", f"--cache-dir={kept}", "--disallow-untyped-defs")
    run_tool("mypy", *typed, str(file))


def test_equal_uses_are_one_class_with_their_sizes() -> None:
    drawing = chained(
        ("MLP", {}), ("MLP", {"d_hidden": 100, "bias": False}), ("MLP", {}), shape=TOKENS
    )
    assert code(drawing) == (
        HEADER
        + '''
from torch import Tensor, nn


class MLP(nn.Module):
    """Two linear layers with GELU between them: y = GELU(x W₁ᵀ + b₁) W₂ᵀ + b₂."""

    def __init__(self, d_model: int, d_hidden: int, bias: bool = True) -> None:
        super().__init__()
        self.c_fc = nn.Linear(d_model, d_hidden, bias=bias)
        self.act = nn.GELU(approximate="tanh")
        self.c_proj = nn.Linear(d_hidden, d_model, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.c_fc(x)
        x = self.act(x)
        return self.c_proj(x)


class Design(nn.Module):
    """46,944 parameters."""

    def __init__(self, d_model: int = 48) -> None:
        super().__init__()
        self.mlp1 = MLP(d_model, 4 * d_model)
        self.mlp2 = MLP(d_model, 100, bias=False)
        self.mlp3 = MLP(d_model, 4 * d_model)

    def forward(self, input1: Tensor) -> Tensor:
        x = self.mlp1(input1)
        x = self.mlp2(x)
        return self.mlp3(x)
'''
    )


def test_another_structure_is_another_class() -> None:
    drawing = chained(
        ("BasicBlock", {}),
        ("BasicBlock", {"out_channels": 64, "stride": 2}),
        ("BasicBlock", {"out_channels": 128}),
        ("BasicBlock", {}),
        shape=IMAGE,
    )
    text = code(drawing)
    assert classes(text) == ["BasicBlock", "BasicBlockWithDownsample", "Design"]
    assert "self.block1 = BasicBlock(width)" in text
    assert "self.block2 = BasicBlockWithDownsample(width, 64, stride=2)" in text
    assert "self.block3 = BasicBlockWithDownsample(64, 128)" in text
    assert "self.block4 = BasicBlock(128)" in text


def test_options_that_change_the_body_name_its_class() -> None:
    uses: tuple[dict[str, Any], ...] = (
        {},
        {"dropout": 0.1},
        {"approximate": "none"},
        {"approximate": "none", "dropout": 0.2},
    )
    drawing = chained(*(("MLP", options) for options in uses), shape=TOKENS)
    plain, other = "MLP", "MLPWithApproximateNone"
    names = [plain, f"{plain}WithDropout", other, "MLPWithDropoutWithApproximateNone", "Design"]
    assert classes(code(drawing)) == names


def test_a_body_with_less_than_one_before_it_says_so() -> None:
    uses: tuple[dict[str, Any], ...] = ({"n_heads": 4, "dropout": 0.1}, {"n_heads": 4})
    drawing = chained(*(("CausalSelfAttention", options) for options in uses), shape=TOKENS)
    names = ["CausalSelfAttention", "CausalSelfAttentionWithoutDropout", "Design"]
    assert classes(code(drawing)) == names


def test_support_stands_once_before_its_users() -> None:
    drawing = chained(("LlamaBlock", {"n_heads": 4}), ("RotaryEmbedding", {}), shape=TOKENS)
    text = code(drawing)
    assert text.count("def apply_rotary(") == 1
    assert text.index("def apply_rotary(") < text.index("class GroupedQueryAttention")
    assert "return apply_rotary(x)" in text


@pytest.mark.parametrize("title", ["MLP", "GPT block"])
def test_the_main_class_keeps_its_name(title: str) -> None:
    drawing = chained(("GPTBlock", {"n_heads": 4}), shape=TOKENS)
    names = classes(code(drawing, title))
    assert len(set(names)) == 4
    assert names[-1] == title.replace(" b", "B")


def test_names_of_users_do_not_hide_what_the_file_defines() -> None:
    drawing = Drawing(MLP=8)
    x = drawing.input("B", "T", E("MLP"))
    x = drawing.add("RotaryEmbedding", x, name="apply_rotary")
    h = drawing.add("MLP", x, name="MLP")
    drawing.add("Output", drawing.add("Add", x, h))
    assert not [text for case in check(drawing.editor.document).cases for text in case.differences]


def test_ties_and_locks_reach_into_composites() -> None:
    drawing = Drawing()
    x = drawing.input("B", "T", 8)
    one = drawing.add("MLP", x)
    two = drawing.add("MLP", one)
    drawing.add("Output", two)
    drawing.tie(two, one, "c_fc.weight")
    drawing.do(edits.set_trainable([one], False))
    text = code(drawing)
    assert "self.mlp2.c_fc.weight = self.mlp1.c_fc.weight" in text
    report = check(drawing.editor.document)
    assert report.matches, [str(t) for case in report.cases for t in case.differences]


def test_a_formula_that_is_too_long_for_the_line_stands_below_the_sentence() -> None:
    text = code(chained(("CausalSelfAttention", {"n_heads": 2}), shape=("B", "T", 8)))
    assert (
        '    """Attention to oneself and what is before, as in GPT-2.\n'
        "\n"
        "    y = softmax(q kᵀ / √d + mask) v Wₒᵀ\n"
        '    """\n'
    ) in text


def test_tensors_that_a_module_holds_are_read_where_they_are_used() -> None:
    drawing = chained(("ConvNeXtBlock", {}), shape=("B", 8, 4, 4))
    held = drawing.add("Parameter", shape=(2, 3), name="table")
    drawing.add("Output", drawing.add("Transpose", held, dim0=0, dim1=1))
    drawing.add("Output", held)
    text = code(drawing)
    assert "h = self.gamma * h\n" in text
    assert "x = self.table.transpose(0, 1)" in text
    assert ", x, self.table\n" in text
    assert check(drawing.editor.document).matches
