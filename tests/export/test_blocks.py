"""Blocks in exported code: one class each, and modules that compute what their layers did."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from designer.core import count, edits, size
from designer.core.analysis import Analysis
from designer.core.block_edits import set_note
from designer.core.document import Dimension, Variable, drafted, inside
from designer.core.expression import Expression
from designer.core.folding import fold
from designer.core.graph import ParamRef, Source, Target
from designer.core.grouping import group
from designer.export.check import check
from designer.export.pytorch import export_problems, write
from tests.core.drawing import Drawing
from tests.core.parts import convex, tensors_of
from tests.core.test_block import feed_forward
from tests.export.designs import built, exported, random_design, random_inputs
from tests.export.test_pytorch import LINT, run_tool

if TYPE_CHECKING:
    from pathlib import Path

    from designer.core.document import Document
    from designer.core.graph import NodeId

E = Expression


def code(drawing: Drawing) -> str:
    """The exported code of a drawing, whose state dict is the table of its tensors."""
    analysis = drawing.editor.analysis
    assert not export_problems(analysis), [str(p.message) for p in export_problems(analysis)]
    text = write(analysis, "net").text
    check_tensors(built(text), analysis)
    return text


def check_tensors(module: torch.nn.Module, analysis: Analysis) -> None:
    """Keys in their order, shapes, and the totals of a module are those of the analysis."""
    state = [(key, list(value.shape)) for key, value in module.state_dict().items()]
    rows = [(row.key, [size.value(n) for n in row.param.shape]) for row in count.rows(analysis)]
    assert state == rows
    parameters = list(module.parameters())
    assert sum(p.numel() for p in parameters) == analysis.totals().parameters
    trained = sum(p.numel() for p in parameters if p.requires_grad)
    assert trained == analysis.totals().trainable


def classes(text: str) -> list[str]:
    """The names of the classes in a file, the main one last."""
    lines = [line for line in text.splitlines() if line.startswith("class ")]
    return [line.removeprefix("class ").partition("(")[0] for line in lines]


def tidy(text: str, folder: Path) -> None:
    """The code passes the checks of a careful engineer."""
    path = folder / "made.py"
    path.write_text(text)
    run_tool("ruff", "format", "--isolated", "--no-cache", "--check", str(path))
    run_tool("ruff", *LINT, str(path))


def use_of(drawing: Drawing, name: str) -> NodeId:
    """The first use of a block."""
    nodes = drawing.editor.document.graph.nodes
    return next(id for id in sorted(nodes) if nodes[id].kind == f"block:{name}")


# Equal to the layers themselves


# Random designs do what PyTorch warns of: fewer axes than usual, empty ones, broadcast targets.
@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**9))
def test_any_part_as_a_block_computes_what_it_did(seed: int) -> None:
    pick = Random(seed)
    document = random_design(pick)
    chosen = convex(document.graph, pick)
    grouped, _ = drafted(document, group(chosen, "Part", tensors_of(Analysis(document))))
    # A part that nothing tells a size cannot make a tensor of that size: that is said beforehand.
    problems = [str(problem.message) for problem in export_problems(Analysis(grouped))]
    assert all("No input has an axis that tells" in problem for problem in problems), problems
    assume(not problems)
    prefix = f"{grouped.graph.nodes[document.next_id].attribute}."
    plain, module = exported(document), exported(grouped)
    check_tensors(module, Analysis(grouped))
    names = {key.removeprefix(prefix): key for key in module.state_dict()}
    module.load_state_dict({names[key]: value for key, value in plain.state_dict().items()})
    torch.manual_seed(0)
    inputs = random_inputs(document)
    compare(plain, module, inputs)


def compare(a: torch.nn.Module, b: torch.nn.Module, inputs: list[torch.Tensor]) -> None:
    """Two modules with the same weights have equal outputs, and gradients of their inputs."""
    ours, theirs = outputs(a, inputs), outputs(b, inputs)
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, equal_nan=True)
    assert gradients(a, ours) == pytest.approx(gradients(b, theirs), rel=1e-3, nan_ok=True)


def outputs(module: torch.nn.Module, inputs: list[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    """What a module returns, as a tuple."""
    returned = module(*inputs)
    return returned if isinstance(returned, tuple) else (returned,)


def gradients(module: torch.nn.Module, returned: tuple[torch.Tensor, ...]) -> list[float]:
    """The norm of the gradient of each parameter that is trained, sorted."""
    trained = [p for p in module.parameters() if p.requires_grad]
    sums = [value.double().pow(2).sum() for value in returned if value.requires_grad]
    if not sums or not trained:
        return []
    found = torch.autograd.grad(torch.stack(sums).sum(), trained, allow_unused=True)
    norms: list[float] = [0.0 if g is None else float(g.norm()) for g in found]  # type: ignore[redundant-expr]
    return sorted(norms)


# One class


def test_uses_that_give_and_leave_out_arguments_have_one_class(tmp_path: Path) -> None:
    drawing = Drawing(wide=16)
    feed_forward(drawing)
    x = drawing.add("block:Ff", drawing.input("B", "T", 8))
    x = drawing.add("block:Ff", x, hidden=5, bias=False)
    x = drawing.add("Linear", x, out_features=E("wide"))
    drawing.add("Output", drawing.add("block:Ff", x, d=E("wide"), hidden=E("3*wide")))
    text = code(drawing)
    assert classes(text) == ["Ff", "Net"]
    assert "def __init__(self, d: int, hidden: int | None = None, bias: bool = True)" in text
    assert "        if hidden is None:\n            hidden = 4 * d\n" in text
    assert "self.ff1 = Ff(8)\n" in text
    assert "self.ff2 = Ff(8, hidden=5, bias=False)\n" in text
    assert "self.ff3 = Ff(wide, hidden=3 * wide)\n" in text
    tidy(text, tmp_path)
    assert built(text, wide=6).state_dict()["ff3.up.weight"].shape == (18, 6)


def residual(drawing: Drawing) -> None:
    """A basic block of ResNet whose input has other channels than its output."""
    x = drawing.input("B", 64, 16, 16)
    first = drawing.add("Conv2d", x, out_channels=64, kernel_size=3, padding=1, bias=False)
    norm = drawing.add("BatchNorm2d", first)
    act = drawing.add("ReLU", norm)
    second = drawing.add("Conv2d", act, out_channels=64, kernel_size=3, padding=1, bias=False)
    short = drawing.add("Conv2d", x, out_channels=64, kernel_size=1, bias=False)
    both = drawing.add("Add", second, short)
    out = drawing.add("ReLU", both)
    drawing.add("Output", out)
    ids = [first, norm, act, second, short, both, out]
    drawing.do(group(ids, "ResBlock", tensors_of(drawing.editor.analysis)))
    convs = [first, second, short]
    drawing.do(inside("ResBlock", edits.set_variable("channels", Variable(64))))
    drawing.do(inside("ResBlock", edits.set_options(convs, {"out_channels": E("channels")})))


def test_a_basic_block_at_64_and_at_128_channels_is_one_class(tmp_path: Path) -> None:
    drawing = Drawing()
    residual(drawing)
    end = next(id for id, n in drawing.editor.document.graph.nodes.items() if n.kind == "Output")
    wide = drawing.add("block:ResBlock", use_of(drawing, "ResBlock"), channels=128)
    pool = drawing.add("MaxPool2d", wide, kernel_size=2)
    again = drawing.add("block:ResBlock", pool, channels=128)
    flat = drawing.add("AdaptiveAvgPool2d", again, output_size=1)
    last = drawing.add("block:ResBlock", flat, channels=10)
    drawing.do(edits.connect(Source(last, "out"), Target(end, "x")))
    text = code(drawing)
    assert classes(text) == ["ResBlock", "Net"]
    assert "def __init__(self, channels: int, in_channels: int) -> None:" in text
    for call in ("ResBlock(64, 64)", "ResBlock(128, 64)", "ResBlock(10, 128)"):
        assert f"= {call}\n" in text
    tidy(text, tmp_path)
    assert exported(drawing.editor.document)(torch.randn(2, 64, 16, 16)).shape == (2, 10, 1, 1)


def test_sizes_that_have_to_be_equal_are_one_argument() -> None:
    drawing = Drawing()
    x = drawing.input("B", 12)
    fc = drawing.add("Linear", x, out_features=12)
    both = drawing.add("Add", x, fc)
    norm = drawing.add("LayerNorm", both)
    drawing.add("Output", norm)
    drawing.do(group([fc, both, norm], "Step"))
    ids = {n.name: id for id, n in drawing.editor.document.blocks["Step"].graph.nodes.items()}
    drawing.do(inside("Step", edits.set_variable("d", Variable(12))))
    drawing.do(inside("Step", edits.set_options([ids["fc1"]], {"out_features": E("d")})))
    text = code(drawing)
    assert "def __init__(self, d: int) -> None:" in text
    assert "nn.Linear(d, d)" in text


def test_free_dimensions_are_read_from_the_inputs_of_the_class() -> None:
    drawing = Drawing(d=8, h=2)
    x = drawing.input("B", "T", "d")
    split = drawing.add("Reshape", x, shape=(E("B"), E("T"), E("h"), -1))
    out = drawing.add("Output", split)
    drawing.do(group([split], "Heads", tensors_of(drawing.editor.analysis)))
    second = drawing.add("block:Heads", drawing.input("B", "T", 6), h=3)
    drawing.add("Output", second)
    text = code(drawing)
    assert classes(text) == ["Heads", "Net"]
    assert "b, t = x.shape[:2]" in text
    module = exported(drawing.editor.document)
    a, b = module(torch.randn(2, 5, 8), torch.randn(3, 4, 6))
    assert (a.shape, b.shape, out) == ((2, 5, 2, 4), (3, 4, 3, 2), out)


def test_a_size_that_no_input_of_a_block_tells_is_a_problem_beforehand() -> None:
    drawing = Drawing()
    x = drawing.input("B", "T", 4)
    flat = drawing.add("Flatten", x, start_dim=0)
    back = drawing.add("Reshape", flat, shape=(-1, E("T"), 4))
    drawing.add("Output", back)
    drawing.do(group([back], "Back"))
    problems = [str(p.message) for p in export_problems(drawing.editor.analysis)]
    assert problems == ["Inside, reshape1: No input has an axis that tells T."]


# Text of users


@pytest.mark.parametrize(
    "note",
    [
        '"""',
        "\\",
        'a\\"""\nimport os',
        "ends with \\",
        "nul \0",
        "two\nlines  of text",
        "注意力" * 60,
        "x" * 399,
    ],
)
def test_a_note_is_a_docstring_and_never_code(note: str, tmp_path: Path) -> None:
    drawing = Drawing()
    feed_forward(drawing)
    drawing.add("Output", drawing.add("block:Ff", drawing.input("B", "T", 8)))
    block = drawing.editor.document.blocks["Ff"]
    drawing.do(
        lambda draft: draft.put("block", "Ff", type(block)(block.graph, block.arguments, note))
    )
    text = code(drawing)
    module: Any = built(text)
    said = " ".join((type(module.ff1).__doc__ or "").split())
    shapes = "[B, T, d] to [B, T, d]."
    plain = not set(note) & set('\\"\0')
    assert said.replace(" ", "") == (note if plain else shapes).replace("\n", "").replace(" ", "")
    tidy(text, tmp_path)


# Copies


@pytest.mark.parametrize("sharing", ["own", "shared"])
def test_a_number_of_copies_is_an_argument(sharing: str, tmp_path: Path) -> None:
    drawing = Drawing(d=8, n_layers=3)
    feed_forward(drawing)
    use = drawing.add("block:Ff", drawing.input("B", "T", "d"), copies=E("n_layers"), d=E("d"))
    drawing.do(edits.set_options([use], {"sharing": sharing}))
    drawing.add("Output", use)
    text = code(drawing)
    tidy(text, tmp_path)
    own = sharing == "own"
    assert ("nn.ModuleList(Ff(d) for _ in range(n_layers))" in text) == own
    assert ("for _ in range(self.n_layers):" in text) != own
    assert check(drawing.editor.document).matches


def test_the_shared_loop_has_two_parameters() -> None:
    drawing = Drawing()
    net = drawing.add("Linear", drawing.input("B", 1), out_features=1)
    drawing.add("Output", net)
    drawing.do(group([net], "Net1"))
    use = use_of(drawing, "Net1")
    drawing.do(edits.rename(use, "net"))
    drawing.do(edits.set_options([use], {"copies": 10, "sharing": "shared"}))
    assert drawing.parameters == 2
    assert "        for _ in range(10):\n            " in code(drawing)


def test_a_folded_chain_computes_what_it_did() -> None:
    drawing = Drawing()
    x = drawing.input("B", 5)
    ids = []
    for kind in ("Linear", "ReLU") * 4:
        x = drawing.add(kind, x)
        if kind == "Linear":
            drawing.do(edits.set_options([x], {"out_features": 8}))
        ids.append(x)
    drawing.add("Output", x)
    plain = exported(drawing.editor.document)
    drawing.do(fold(ids, "Pair"))
    text = code(drawing)
    assert classes(text) == ["Pair", "Net"]
    module = built(text)
    values = list(plain.state_dict().values())
    module.load_state_dict(dict(zip(module.state_dict(), values, strict=True)))
    compare(plain, module, [torch.randn(3, 5)])


def test_routed_copies_count_all_and_those_that_work() -> None:
    drawing = Drawing(n=4)
    feed_forward(drawing)
    x = drawing.input("B", "T", 8)
    weights, chosen = drawing.input("B", "T", 2), drawing.input("B", "T", 2, dtype="int64")
    use = drawing.add("block:Ff", sharing="routed", copies=E("n"))
    ids = {n.name: id for id, n in drawing.editor.document.blocks["Ff"].graph.nodes.items()}
    assert ids
    for port, source in (("x", x), ("weights", weights), ("chosen", chosen)):
        drawing.do(edits.connect(Source(source, "out"), Target(use, port)))
    drawing.add("Output", use)
    one = 2 * 8 * 32 + 32 + 8
    totals = drawing.editor.analysis.totals()
    assert (totals.parameters, totals.active) == (4 * one, 2 * one)
    module = built(code(drawing))
    picks = torch.randint(0, 4, (2, 3, 2))
    assert module(torch.randn(2, 3, 8), torch.rand(2, 3, 2), picks).shape == (2, 3, 8)


# Frozen and shared


def test_locked_layers_in_blocks_and_locked_blocks() -> None:
    drawing = Drawing()
    feed_forward(drawing)
    first = drawing.add("block:Ff", drawing.input("B", "T", 8))
    drawing.add("Output", drawing.add("block:Ff", first))
    one = drawing.finding(first).counted.parameters
    drawing.do(edits.set_trainable([first], False))
    assert (drawing.editor.analysis.totals().trainable, drawing.parameters) == (one, 2 * one)
    assert "self.ff1.requires_grad_(False)" in code(drawing)
    ids = {n.name: id for id, n in drawing.editor.document.blocks["Ff"].graph.nodes.items()}
    drawing.do(inside("Ff", edits.set_trainable([ids["up"]], False)))
    assert drawing.editor.analysis.totals().trainable == 8 * 32 + 8
    assert "self.up.requires_grad_(False)" in code(drawing)
    assert check(drawing.editor.document).matches


def test_tensors_are_shared_inside_blocks_and_through_their_walls() -> None:
    drawing = Drawing(vocab=20)
    tokens = drawing.input("B", "T", dtype="int64")
    wte = drawing.add("Embedding", tokens, num_embeddings=E("vocab"), embedding_dim=8)
    fc = drawing.add("Linear", wte, out_features=8)
    two = drawing.add("Linear", fc, out_features=8)
    drawing.tie(two, fc)
    head = drawing.add("Linear", two, out_features=E("vocab"), bias=False)
    drawing.add("Output", head)
    drawing.tie(head, wte)
    drawing.do(group([wte, fc, two], "Encoder"))
    assert drawing.parameters == 160 + 64 + 16
    module: Any = built(code(drawing))
    use = module.encoder1
    assert module.fc3.weight is use.emb1.weight
    assert use.fc2.weight is use.fc1.weight
    assert check(drawing.editor.document).matches


def test_encoder_and_decoder_share_their_embedding() -> None:
    drawing = Drawing()
    tokens, others = (drawing.input("B", "T", dtype="int64") for _ in range(2))
    wte = drawing.add("Embedding", tokens, num_embeddings=20, embedding_dim=8)
    drawing.add("Output", wte)
    drawing.do(group([wte], "Words"))
    second = drawing.add("block:Words", others)
    drawing.add("Output", second)
    first = use_of(drawing, "Words")
    drawing.do(edits.tie(ParamRef(second, "emb1.weight"), ParamRef(first, "emb1.weight")))
    assert drawing.parameters == 160
    module: Any = built(code(drawing))
    assert module.words1.emb1.weight is module.words2.emb1.weight


def test_one_module_is_called_twice(tmp_path: Path) -> None:
    drawing = Drawing(d=8)
    feed_forward(drawing)
    left, right = drawing.input("B", "T", 8), drawing.input("B", "T", 8)
    one = drawing.add("block:Ff", left)
    other = drawing.add("block:Ff", right, hidden=3)
    drawing.do(edits.share(other, one))
    drawing.add("Output", drawing.add("Subtract", one, other))
    text = code(drawing)
    assert text.count("Ff(") == 1 + 1
    assert text.count("self.ff1(") == 2
    assert drawing.parameters == 2 * 8 * 32 + 32 + 8
    module = built(text)
    x = torch.randn(2, 3, 8)
    assert torch.equal(module(x, x), torch.zeros(2, 3, 8))
    assert module(x, x + 1).abs().sum() > 0
    tidy(text, tmp_path)
    assert check(drawing.editor.document).matches


def test_one_module_is_called_twice_inside_a_block() -> None:
    drawing = Drawing()
    left, right = drawing.input("B", 8), drawing.input("B", 8)
    one, other = (drawing.add("Linear", x, out_features=4) for x in (left, right))
    drawing.do(edits.share(other, one))
    both = drawing.add("Subtract", one, other)
    drawing.add("Output", both)
    drawing.do(group([one, other, both], "Twins"))
    assert drawing.parameters == 36
    module: Any = built(code(drawing))
    assert list(module.state_dict()) == ["twins1.fc1.weight", "twins1.fc1.bias"]
    x = torch.randn(3, 8)
    assert torch.equal(module(x, x), torch.zeros(3, 4))


def test_a_block_agrees_with_torch_at_other_variables_and_sizes() -> None:
    drawing = Drawing(d_model=16, n_layers=2)
    drawing.do(edits.set_dimension("B", Dimension("batch", trial=2)))
    feed_forward(drawing)
    x = drawing.input("B", "T", "d_model")
    drawing.add("Output", drawing.add("block:Ff", x, d=E("d_model"), copies=E("n_layers")))
    drawing.do(set_note("Ff", "Two layers and what came in."))
    report = check(drawing.editor.document)
    assert report.matches
    assert [str(case.name) for case in report.cases] == [
        "as drawn",
        "other sizes",
        "small sizes",
        "variables doubled",
        "variables stepped",
        "variables reduced",
    ]


def test_random_designs_with_blocks_are_well_written(tmp_path: Path) -> None:
    for seed in range(30):
        pick = Random(seed)
        document: Document = random_design(pick)
        chosen = convex(document.graph, pick)
        document, _ = drafted(document, group(chosen, "Part", tensors_of(Analysis(document))))
        (tmp_path / f"design_{seed}.py").write_text(write(Analysis(document), "net").text)
    run_tool("ruff", "format", "--isolated", "--no-cache", "--check", str(tmp_path))
    run_tool("ruff", *LINT, str(tmp_path))
