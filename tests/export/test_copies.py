"""Copies in exported code: lists of modules, loops over them, and experts that are routed to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from designer.core import count, edits, size
from designer.core.composite import Composite, Net, Value
from designer.core.copies import Bank, Repeat
from designer.core.document import Variable
from designer.core.expression import Expression
from designer.core.layer import CATALOGUE, Port, layer
from designer.core.option import option
from designer.export.check import check
from designer.export.flow import one_of
from designer.export.pytorch import export_problems, write
from designer.layers.act import ReLU
from designer.layers.linear import Linear
from designer.layers.merge import Add
from designer.layers.ready import MLP, GatedMLP
from tests.core.drawing import Drawing
from tests.export.designs import built
from tests.export.test_pytorch import LINT, run_tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

E = Expression
WIDTH = "Size of the last axis."
COUNT = "How many copies there are."
KINDS = ("Pair", "Tower", "Cells", "Experts")


@pytest.fixture(autouse=True)
def kinds() -> Iterator[None]:
    """Composites of copies, in the catalogue while a test runs."""

    @layer("Pair", family="block")
    class Pair(Composite):
        """Two values that each go on changed."""

        width: size.Size | None = option(None, WIDTH, min=1)
        kept: size.Size | None = option(None, WIDTH, min=1)

        def outputs(self) -> tuple[Port, ...]:
            return (Port("x"), Port("state"))

        def body(self, net: Net, x: Value, state: Value) -> tuple[Value, Value]:
            """[..., width] twice to the same shapes."""
            width = net.size("width", x, -1, "[..., {}]")
            net.size("kept", state, -1, "[..., {}]")
            mixed = net.call(Add(), x, net.use("change", Linear(out_features=width), state))
            return mixed, net.use("keep", MLP(d_hidden=width), mixed)

    @layer("Tower", family="block")
    class Tower(Composite):
        """Copies one after another, of one another."""

        width: size.Size | None = option(None, WIDTH, min=1)
        n_layers: size.Size = option(3, COUNT, min=1)
        hidden: size.Size = option(6, WIDTH, min=1)

        def body(self, net: Net, x: Value) -> Value:
            """[..., width] to [..., hidden]."""
            net.size("width", x, -1, "[..., {}]")
            start = net.use("blocks", Repeat(MLP(), self.n_layers), x)
            fresh = Repeat(Linear(out_features=self.hidden), self.n_layers)
            x = net.use("layers", fresh, start)
            x = net.use("same", Repeat(Linear(out_features=self.hidden), 2, shared=True), x)
            twice = Repeat(Repeat(Linear(out_features=self.hidden), 2), self.n_layers)
            x = net.use("groups", twice, x)
            x = net.use("act", Repeat(ReLU(), 2), x)
            return net.call(Add(), x, net.use("across", Linear(out_features=self.hidden), start))

    @layer("Cells", family="block")
    class Cells(Composite):
        """Copies that hand on two values."""

        width: size.Size | None = option(None, WIDTH, min=1)
        kept: size.Size | None = option(None, WIDTH, min=1)
        n_cells: size.Size = option(3, COUNT, min=1)

        def body(self, net: Net, x: Value, state: Value) -> Value:
            """[..., width] twice to the same shape."""
            width = net.size("width", x, -1, "[..., {}]")
            net.size("kept", state, -1, "[..., {}]")
            pair = CATALOGUE["Pair"]()
            before = net.use("before", Linear(out_features=width), x)
            y = net.use("cells", Repeat(pair, self.n_cells), before, state)
            return net.call(Add(), y, before)

    @layer("Experts", family="block")
    class Experts(Composite):
        """Experts of two kinds, one after the other."""

        width: size.Size | None = option(None, WIDTH, min=1)
        num_experts: size.Size = option(3, COUNT, min=1)

        def body(self, net: Net, x: Value, weights: Value, chosen: Value) -> Value:
            """[..., width] to [..., 5]."""
            net.size("width", x, -1, "[..., {}]")
            bank = Bank(GatedMLP(d_hidden=7), self.num_experts)
            x = net.use("experts", bank, x, weights, chosen)
            narrow = Bank(Linear(out_features=5), self.num_experts)
            return net.use("others", narrow, x, weights, chosen)

    yield
    for kind in KINDS:
        del CATALOGUE[kind]


def exported(drawing: Drawing) -> torch.nn.Module:
    """The module of a drawing in double precision; its state dict is that of the analysis."""
    analysis = drawing.editor.analysis
    assert not export_problems(analysis), [str(p.message) for p in export_problems(analysis)]
    module = built(write(analysis, "design").text).double()
    state = {key: list(value.shape) for key, value in module.state_dict().items()}
    rows = [(row.key, [size.value(n) for n in row.param.shape]) for row in count.rows(analysis)]
    assert list(state.items()) == rows
    assert sum(p.numel() for p in module.parameters()) == drawing.parameters
    return module


def forward_of(drawing: Drawing, kind: str) -> list[str]:
    """The lines of the forward pass of a class in the exported code."""
    text = write(drawing.editor.analysis, "design").text
    _, _, behind = text.partition(f"class {kind}(nn.Module):")
    lines = behind.partition("\n\n\n")[0].splitlines()
    start = next(place for place, line in enumerate(lines) if "def forward" in line)
    return [line[8:] for line in lines[start + 1 :]]


def tower(**options: Any) -> Drawing:
    """A tower between an input and an output, and variables."""
    drawing = Drawing(width=4, n_layers=3)
    node = drawing.add("Tower", drawing.input("B", E("width")), name="tower", **options)
    drawing.add("Output", node)
    return drawing


def same(one: torch.nn.Module, other: torch.nn.Module, *inputs: torch.Tensor) -> None:
    """Two modules with the same weights give the same outputs and gradients."""
    names = dict(zip(one.state_dict(), other.state_dict(), strict=True))
    other.load_state_dict({names[name]: value for name, value in one.state_dict().items()})
    got, expected = one(*inputs), other(*inputs)
    torch.testing.assert_close(got, expected)
    direction = torch.randn_like(got)
    torch.testing.assert_close(
        torch.autograd.grad((got * direction).sum(), list(one.parameters())),
        torch.autograd.grad((expected * direction).sum(), list(other.parameters())),
    )


def test_a_tower_computes_what_its_copies_compute() -> None:
    torch.manual_seed(0)
    module = exported(tower())
    x = torch.randn(5, 4, dtype=torch.float64)
    inner: Any = module.tower
    start = x
    for block in inner.blocks:
        start = block(start)
    h = start
    for one in inner.layers:
        h = one(h)
    h = inner.same(inner.same(h))
    for group in inner.groups:
        for one in group:
            h = one(h)
    expected = h.relu() + inner.across(start)
    torch.testing.assert_close(module(x), expected)
    assert [tuple(one.weight.shape) for one in inner.layers] == [(6, 4), (6, 6), (6, 6)]
    assert len(inner.groups) == 3
    assert len({id(p) for p in module.parameters()}) == len(list(module.parameters()))


def test_copies_are_drawn_layers_written_out() -> None:
    drawing = Drawing()
    x = drawing.input("B", 4)
    for _ in range(3):
        x = drawing.add("MLP", x)
    for _ in range(3):
        x = drawing.add("Linear", x, out_features=6)
    drawing.add("Output", x)

    class Short(torch.nn.Module):
        """The same part of the tower."""

        def __init__(self, whole: Any) -> None:
            super().__init__()
            self.blocks, self.layers = whole.blocks, whole.layers

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            for part in (*self.blocks, *self.layers):
                x = part(x)
            return x

    torch.manual_seed(0)
    same(Short(exported(tower()).tower), exported(drawing), torch.randn(5, 4).double())


def test_code_of_a_tower_reads_as_written_by_hand() -> None:
    assert forward_of(tower(), "Tower") == [
        "for block in self.blocks:",
        "    x = block(x)",
        "act = x",
        "for layer in self.layers:",
        "    act = layer(act)",
        "for _ in range(2):",
        "    act = self.same(act)",
        "for group in self.groups:",
        "    assert isinstance(group, nn.ModuleList)",
        "    for inner in group:",
        "        act = inner(act)",
        "for _ in range(2):",
        "    act = self.act(act)",
        "h = self.across(x)",
        "return act + h",
    ]


def test_several_values_go_through_a_loop() -> None:
    drawing = Drawing()
    x, state = drawing.input("B", 4), drawing.input("B", 4)
    drawing.add("Output", drawing.add("Cells", x, state, name="block"))
    module = exported(drawing)
    one, other = torch.randn(2, 5, 4, dtype=torch.float64)
    inner: Any = module.block
    before = inner.before(one)
    y, kept = before, other
    for cell in inner.cells:
        y = y + cell.change(kept)
        kept = cell.keep(y)
    torch.testing.assert_close(module(one, other), y + before)
    assert forward_of(drawing, "Cells") == [
        "before = self.before(x)",
        "cells_x = before",
        "for cell in self.cells:",
        "    cells_x, state = cell(cells_x, state)",
        "return cells_x + before",
    ]


@pytest.mark.parametrize("lead", [(5,), (2, 3), ()])
def test_experts_compute_the_weighted_sum_of_those_that_are_chosen(lead: tuple[int, ...]) -> None:
    drawing = Drawing()
    x = drawing.input(*lead, 4)
    weights, chosen = drawing.input(*lead, 2), drawing.input(*lead, 2, dtype="int64")
    node = drawing.add("Experts", x, weights, chosen, name="block", num_experts=4)
    drawing.add("Output", node)
    module = exported(drawing)
    torch.manual_seed(0)
    values = torch.randn(*lead, 4, dtype=torch.float64, requires_grad=True)
    gates = torch.randn(*lead, 2, dtype=torch.float64, requires_grad=True)
    picked = torch.stack([torch.randperm(4)[:2] for _ in range(gates[..., 0].numel())])
    picked = picked.view(*lead, 2)
    inner: Any = module.block

    def dense(bank: Any, x: torch.Tensor) -> torch.Tensor:
        """Every expert for every token, with the weight 0 where it is not chosen."""
        shares = torch.zeros(*lead, 4, dtype=torch.float64).scatter_add(-1, picked, gates)
        given = [expert(x) * shares[..., [place]] for place, expert in enumerate(bank)]
        return torch.stack(given).sum(0)

    got = module(values, gates, picked)
    expected = dense(inner.others, dense(inner.experts, values))
    torch.testing.assert_close(got, expected)
    direction = torch.randn_like(got)
    asked = [values, gates, *module.parameters()]
    torch.testing.assert_close(
        torch.autograd.grad((got * direction).sum(), asked),
        torch.autograd.grad((expected * direction).sum(), asked),
    )


def test_the_number_of_copies_is_an_argument_of_the_class() -> None:
    drawing = tower(n_layers=E("n_layers"), width=E("width"))
    text = write(drawing.editor.analysis, "design").text
    plain = "".join(text.split())
    assert "self.blocks=nn.ModuleList(MLP(width,4*width)for_inrange(n_layers))" in plain
    others = "*(nn.Linear(hidden,hidden)for_inrange(n_layers-1)),"
    assert f"self.layers=nn.ModuleList([nn.Linear(width,hidden),{others}])" in plain
    for arguments in ({}, {"n_layers": 5}):
        module = built(text, **arguments).double()
        layers = arguments.get("n_layers", 3)
        assert len(module.tower.blocks) == layers  # type: ignore[union-attr, arg-type]
        assert module(torch.randn(5, 4, dtype=torch.float64)).shape == (5, 6)


def test_a_comparison_with_torch_finds_no_difference() -> None:
    drawing = tower(n_layers=E("n_layers"))
    report = check(drawing.editor.document)
    assert report.matches, report
    assert len([case for case in report.cases if case.skipped is None]) > 1


def test_experts_too_large_for_the_cpu_are_compared_in_their_shapes() -> None:
    drawing = Drawing()
    options = {"num_experts": 8, "top_k": 2, "d_hidden": 2048}
    node = drawing.add("MixtureOfExperts", drawing.input("B", "T", 2048), name="moe", **options)
    drawing.add("Output", node)
    assert drawing.parameters > 100_000_000
    report = check(drawing.editor.document)
    assert report.matches, report
    assert {case.device for case in report.cases if case.skipped is None} == {"meta"}


def test_copies_too_many_to_build_are_not_compared() -> None:
    drawing = tower(n_layers=E("n_layers"))
    drawing.do(edits.set_variable("n_layers", Variable(1_000_000)))
    reasons = {str(case.name): str(case.skipped) for case in check(drawing.editor.document).cases}
    assert reasons["as drawn"] == "10,000,004 tensors are too many to build."
    assert reasons["variables reduced"] == "None"


def test_code_of_copies_is_formatted_typed_and_clean(tmp_path: Path, cache: pytest.Cache) -> None:
    drawing = tower(n_layers=E("n_layers"), width=E("width"))
    x = drawing.input("B", 4)
    choice = drawing.input("B", 2), drawing.input("B", 2, dtype="int64")
    drawing.add("Output", drawing.add("Cells", drawing.add("Experts", x, *choice), x))
    path = tmp_path / "exported.py"
    path.write_text(write(drawing.editor.analysis, "design").text, "utf-8")
    run_tool("ruff", "format", "--isolated", "--no-cache", "--check", str(path))
    run_tool("ruff", *LINT, str(path))
    kept = cache.mkdir("mypy-of-exported-code")
    run_tool("mypy", "--config-file=", f"--cache-dir={kept}", "--disallow-untyped-defs", str(path))


@pytest.mark.parametrize(
    ("several", "one"),
    [
        ("blocks", "block"),
        ("layers", "layer"),
        ("experts", "expert"),
        ("entries", "entry"),
        ("boxes", "box"),
        ("branches", "branch"),
        ("blocks_2", "block"),
        ("h", "each"),
        ("s", "each"),
        ("pass", "each"),
        ("block1", "each"),
    ],
)
def test_one_of_several_is_called_by_the_singular(several: str, one: str) -> None:
    assert one_of(several) == one
