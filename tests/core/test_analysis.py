"""One analysis: what it says of real drawings, and that following an edit equals starting anew."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from designer.core import count, edits
from designer.core.analysis import Analysis
from designer.core.document import Dimension, Variable
from designer.core.editor import Editor
from designer.core.expression import Expression
from designer.core.graph import ParamRef, Source, Target
from designer.core.network import CycleError, Network
from tests.core.drawing import STEP, Drawing, cifar10

if TYPE_CHECKING:
    from designer.core.document import Document, Edit


def test_cifar10_has_the_shapes_and_counts_of_the_real_network() -> None:
    drawing = Drawing()
    cifar10(drawing)
    findings = drawing.editor.analysis.findings
    shapes = [drawing.shape(node) for node in drawing.editor.analysis.network.ordered()[:-1]]
    assert shapes == [
        "[B, 3, 32, 32]",
        *["[B, 32, 30, 30]"] * 2,
        "[B, 32, 15, 15]",
        *["[B, 64, 13, 13]"] * 2,
        "[B, 64, 6, 6]",
        *["[B, 128, 4, 4]"] * 2,
        "[B, 128, 2, 2]",
        "[B, 512]",
        *["[B, 128]"] * 2,
        *["[B, 10]"] * 2,
    ]
    counts = [f.counted.parameters for f in findings.values() if f.counted.parameters]
    assert counts == [896, 18_496, 73_856, 65_664, 1_290]
    assert drawing.parameters == 160_202
    assert not drawing.editor.analysis.problems()


def test_a_pinned_width_that_does_not_fit_is_an_error_with_what_is_certain() -> None:
    drawing = Drawing()
    first = cifar10(drawing, flatten=False, in_features=512)
    problem = drawing.finding(first).problems[0]
    assert str(problem.message) == "Linear expects [..., 512], got [B, 128, 2, 2]."
    assert (problem.severity, problem.port, problem.option) == ("error", "x", "in_features")
    assert drawing.shape(first) == "[…, 128]"
    assert drawing.finding(first).counted.parameters == 65_664
    assert drawing.parameters == 160_202
    assert [p.severity for p in drawing.editor.analysis.problems()] == ["error"]


def test_a_width_left_empty_is_legal_and_earns_a_warning() -> None:
    drawing = Drawing()
    first = cifar10(drawing, flatten=False)
    assert drawing.parameters == 94_922
    assert [p.severity for p in drawing.finding(first).problems] == ["warning"]


def test_an_input_without_a_wire_leaves_the_count_open() -> None:
    drawing = Drawing()
    fc = drawing.add("Linear", out_features=10)
    totals = drawing.editor.analysis.totals()
    assert (totals.parameters, totals.unknown, totals.known) == (10, 1, False)
    assert drawing.shape(fc) == "[…, 10]"
    assert drawing.finding(fc).problems[0].severity == "incomplete"


@pytest.mark.parametrize("wrong", [Expression("nope"), Expression("7/2"), -5, "x"])
def test_a_layer_with_an_unusable_option_leaves_the_count_open(wrong: Any) -> None:
    drawing = Drawing()
    fc = drawing.add("Linear", drawing.add("Linear", drawing.input("B", 8), out_features=4))
    drawing.do(edits.set_options([fc], {"out_features": wrong}))
    totals = drawing.editor.analysis.totals()
    assert (totals.parameters, totals.known) == (36, False)
    drawing.do(edits.set_options([fc], {"out_features": 2}))
    totals = drawing.editor.analysis.totals()
    assert (totals.parameters, totals.known) == (46, True)


def test_a_layer_whose_options_refuse_each_other_leaves_the_count_open() -> None:
    drawing = Drawing()
    drawing.add("GroupNorm", drawing.input("B", 8, 4, 4), num_groups=3, num_channels=8)
    assert not drawing.editor.analysis.totals().known


def test_a_layer_that_is_not_known_leaves_the_count_open() -> None:
    drawing = Drawing()
    id = drawing.add("Linear", drawing.input("B", 8))
    node = drawing.editor.document.graph.nodes[id]
    drawing.do(edits.put_nodes([(id, replace(node, kind="Unheard"))]))
    assert not drawing.editor.analysis.totals().known


def test_a_free_dimension_in_a_parameter_is_a_problem_and_no_count() -> None:
    drawing = Drawing()
    drawing.do(edits.set_dimension("H", Dimension("height")))
    node = drawing.add("Flatten", drawing.input("B", 3, "H", "H"))
    fc = drawing.add("Linear", node, out_features=10)
    problem = drawing.finding(fc).problems[0]
    assert problem.severity == "error"
    assert "H" in str(problem.message)
    assert not drawing.editor.analysis.totals().known


def test_tied_weights_count_once_and_follow_their_owner() -> None:
    drawing = Drawing(vocab=1000)
    tokens = drawing.input("B", "T", dtype="int64")
    wte = drawing.add("Embedding", tokens, num_embeddings=Expression("vocab"), embedding_dim=64)
    head = drawing.add("Linear", wte, out_features=Expression("vocab"), bias=False)
    assert drawing.parameters == 128_000
    drawing.tie(head, wte)
    assert drawing.parameters == 64_000
    assert drawing.finding(head).counted.parameters == 0
    drawing.do(edits.set_options([wte], {"num_embeddings": 999}))
    assert drawing.parameters == 999 * 64 + 64_000
    assert drawing.finding(head).problems[-1].severity == "error"
    drawing.do(edits.set_options([wte], {"num_embeddings": Expression("vocab")}))
    assert drawing.parameters == 64_000
    drawing.do(edits.set_variable("vocab", Variable(10)))
    assert drawing.parameters == 640


def test_a_locked_layer_is_counted_and_not_trained() -> None:
    drawing = Drawing()
    fc = drawing.add("Linear", drawing.input("B", 8), out_features=4)
    drawing.do(edits.set_trainable([fc], False))
    totals = drawing.editor.analysis.totals()
    assert (totals.parameters, totals.trainable) == (36, 0)


def test_an_undeclared_name_is_a_problem_until_it_is_declared() -> None:
    drawing = Drawing()
    fc = drawing.add("Linear", drawing.input("B", 8), out_features=Expression("width"))
    assert drawing.finding(fc).problems[0].name == "width"
    drawing.do(edits.set_variable("width", Variable(3)))
    assert not drawing.finding(fc).problems
    assert drawing.parameters == 27


def test_an_unknown_kind_is_shown_and_its_neighbours_carry_on() -> None:
    drawing = Drawing()
    node = drawing.add("ReLU", drawing.input("B", 8))
    fc = drawing.add("Linear", node, out_features=4)
    strange = drawing.editor.document.graph.nodes[node]
    drawing.do(edits.put_nodes([(node, type(strange)(strange.name, "relu1", "Whirl"))]))
    assert drawing.finding(node).problems[0].severity == "error"
    assert drawing.shape(fc) == "[…, 4]"


def test_the_symbolic_total_is_a_formula_of_the_variables() -> None:
    drawing = Drawing(d=16)
    node = drawing.input("B", Expression("d"))
    drawing.add("Linear", node, out_features=Expression("4*d"))
    total = count.symbolic_total(drawing.editor.analysis)
    assert str(total) == "4*d**2 + 4*d"


def test_a_loop_is_refused_and_nothing_changes() -> None:
    drawing = Drawing()
    first = drawing.add("ReLU", drawing.input("B", 8))
    second = drawing.add("ReLU", first)
    before = drawing.editor.document
    with pytest.raises(edits.Refused, match="loop"):
        drawing.wire(second, first)
    assert drawing.editor.document is before
    assert state(drawing.editor.analysis) == state(Analysis(before))


def test_a_document_with_a_loop_is_refused() -> None:
    drawing = Drawing()
    first = drawing.add("ReLU", drawing.input("B", 8))
    second = drawing.add("ReLU", first)
    graph = drawing.editor.document.graph.with_edge(Target(first, "x"), Source(second, "out"))
    with pytest.raises(CycleError) as caught:
        Network.of(graph)
    assert set(caught.value.nodes) == {first, second}


# Random edits

KINDS = ("Linear", "ReLU", "Flatten", "Add", "Conv2d", "Embedding", "Concat", "Split", "LSTM")
VALUES = (1, 3, 8, Expression("d"), Expression("2*d"), Expression("missing"), 0, None)


@st.composite
def edit_plans(draw: st.DrawFn) -> list[tuple[str, int, int, int]]:
    moves = st.sampled_from(
        (
            *("add", "add", "add", "wire", "wire", "wire", "cut", "remove", "option", "variable"),
            *("name", "tie", "lock", "take out", "rename", "dimension"),
        )
    )
    numbers = st.integers(0, 1000)
    return draw(st.lists(st.tuples(moves, numbers, numbers, numbers), min_size=5, max_size=40))


def _pick(items: Any, number: int) -> Any:
    items = list(items)
    return items[number % len(items)] if items else None


def planned(document: Document, analysis: Analysis, plan: tuple[str, int, int, int]) -> Edit | None:
    """The edit that a plan comes to in a document; None where it has nothing to work on."""
    move, a, b, c = plan
    graph = document.graph
    node, other = _pick(graph.ids(), a), _pick(graph.ids(), b)
    if move == "add":
        return edits.add_node(_pick(KINDS, a), (float(b), float(c)))
    if move == "variable":
        return edits.set_variable("d", Variable(a % 7 + 1))
    if move == "dimension":
        return edits.set_dimension("B", Dimension(_pick(["batch", ""], a), trial=b + 1))
    if node is None:
        return None
    return _planned_at(document, analysis, move, (node, other, c))


def _planned_at(
    document: Document, analysis: Analysis, move: str, at: tuple[int, int, int]
) -> Edit | None:
    node, _, c = at
    if move in ("wire", "tie"):
        return _planned_pair(analysis, move, at)
    if move == "cut":
        edge = _pick(document.graph.edges(), c)
        return edits.disconnect(edge.target) if edge else None
    if move == "option":
        name = _pick([name for name, _ in document.graph.nodes[node].options], c)
        return edits.set_options([node], {name: _pick(VALUES, c // 7)}) if name else None
    return {
        "remove": edits.remove_nodes([node]),
        "lock": edits.set_trainable([node], bool(c % 2)),
        "take out": edits.take_out(node),
        "rename": edits.rename(node, f"名 {c % 5}"),
        "name": edits.rename_name("d" if "d" in document.variables else "e", _pick("de", c)),
    }[move]


def _planned_pair(analysis: Analysis, move: str, at: tuple[int, int, int]) -> Edit | None:
    node, other, c = at
    mine, theirs = analysis.findings[node], analysis.findings[other]
    if move == "wire":
        port = _pick(mine.layer.inputs() if mine.layer else (), c)
        source = _pick(theirs.outputs, c)
        target = Target(node, port.name, c % 3 * port.variadic) if port else None
        return edits.connect(Source(other, source), target) if source and target else None
    a, b = _pick(mine.params, c), _pick(theirs.params, c // 3)
    return edits.tie(ParamRef(node, a.name), ParamRef(other, b.name)) if a and b else None


def state(analysis: Analysis) -> Any:
    """What an analysis says, in plain values that do not depend on how it got there."""
    findings = {
        id: (f.outputs, f.inputs, f.params, f.problems, dict(f.tied), f.counted, f.trainable)
        for id, f in analysis.findings.items()
    }
    rows = [row._replace(param=row.param.shape) for row in count.rows(analysis)]  # type: ignore[arg-type]
    return findings, analysis.totals(), analysis.problems(), rows, analysis.scope


@settings(max_examples=120, deadline=None)
@given(edit_plans())
def test_following_edits_equals_starting_anew_and_undo_brings_all_back(
    plans: list[tuple[str, int, int, int]],
) -> None:
    editor = Drawing(d=4).editor
    editor.apply(edits.add_node("Input", (0, 0)), STEP)
    documents, states = [editor.document], [state(editor.analysis)]
    for plan in plans:
        edit = planned(editor.document, editor.analysis, plan)
        before = editor.document
        try:
            done = editor.apply(edit, STEP) if edit else None
        except edits.Refused:
            assert editor.document is before
            done = None
        assert state(editor.analysis) == state(Analysis(editor.document))
        if done:
            documents.append(editor.document)
            states.append(state(editor.analysis))
        else:
            assert editor.document == before
    for document, expected in zip(reversed(documents[:-1]), reversed(states[:-1]), strict=True):
        editor.undo()
        assert (editor.document, state(editor.analysis)) == (document, expected)
    for document, expected in zip(documents[1:], states[1:], strict=True):
        editor.redo()
        assert (editor.document, state(editor.analysis)) == (document, expected)


@settings(max_examples=60, deadline=None)
@given(edit_plans(), st.tuples(st.just("remove"), st.integers(0, 99), st.just(0), st.just(0)))
def test_a_preview_tells_what_applying_gives_and_changes_nothing(
    plans: list[tuple[str, int, int, int]], last: tuple[str, int, int, int]
) -> None:
    editor = Drawing(d=4).editor
    for plan in [*plans, last]:
        edit = planned(editor.document, editor.analysis, plan)
        if edit is None:
            continue
        before, known = editor.document, state(editor.analysis)
        try:
            preview = editor.preview(edit)
        except edits.Refused:
            with pytest.raises(edits.Refused):
                editor.apply(edit, STEP)
            continue
        assert editor.document is before
        assert state(editor.analysis) == known
        editor.apply(edit, STEP)
        assert editor.analysis.totals() == preview.after
        assert tuple(editor.analysis.problems()) == preview.problems


@pytest.mark.parametrize("length", [100, 10_000])
def test_the_cost_of_an_edit_does_not_grow_with_the_network(length: int) -> None:
    editor = Editor(chain(length))
    middle = length // 2
    for options, most_examined in (({"out_features": 9}, 2), ({"bias": False}, 1)):
        examined, inferred = editor.analysis.examined, editor.analysis.inferred
        editor.apply(edits.set_options([middle], options), STEP)
        assert editor.analysis.examined - examined == most_examined
        assert editor.analysis.inferred - inferred <= most_examined


def chain(length: int) -> Document:
    """An input and `length` Linear layers of width 8."""
    drawing = Drawing()
    node = drawing.input("B", 8)
    document = drawing.editor.document
    model = drawing.editor.document.graph.nodes[node]
    linear = Drawing()
    pattern = linear.editor.document.graph.nodes
    linear.add("Linear", out_features=8)
    pattern = linear.editor.document.graph.nodes
    graph = document.graph
    for id in range(2, length + 2):
        graph = graph.with_node(id, type(model)(f"fc{id}", f"fc{id}", "Linear", pattern[1].options))
        graph = graph.with_edge(Target(id, "x"), Source(id - 1, "out"))
    return type(document)(graph=graph, dimensions=document.dimensions, next_id=length + 2)
