"""The one door: steps, gestures, refusals, notices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from designer.core import edits
from designer.core.document import Variable
from designer.core.editor import Editor, Notice
from designer.core.expression import Expression
from designer.core.graph import ParamRef, Source, Target
from designer.core.layer import CATALOGUE, Layer, Result
from designer.core.message import message
from designer.core.size import value
from tests.core.drawing import STEP, Drawing
from tests.core.test_analysis import state

if TYPE_CHECKING:
    from designer.core.document import Edit
    from designer.core.tensor import Tensor


def test_a_drag_is_one_step_and_touches_no_graph() -> None:
    drawing = Drawing()
    node = drawing.input("B", 8)
    editor, graph = drawing.editor, drawing.editor.document.graph
    steps = len(editor.steps)
    examined = editor.analysis.examined
    for x in range(10):
        editor.apply(edits.move({node: (x, 1.0)}), message("Move"), gesture=("move", 1))
    editor.apply(edits.move({node: (50.0, 1.0)}), message("Move"), gesture=("move", 2))
    assert len(editor.steps) == steps + 2
    assert editor.document.graph is graph
    assert editor.analysis.examined == examined
    editor.undo()
    assert editor.document.layout[node] == (9, 1.0)
    editor.undo()
    assert editor.document.layout[node] == (0.0, 100.0)


def test_a_drag_that_comes_back_leaves_no_step() -> None:
    drawing = Drawing()
    node = drawing.input("B", 8)
    steps = len(drawing.editor.steps)
    for x in (5.0, 0.0):
        drawing.editor.apply(edits.move({node: (x, 100.0)}), message("Move"), gesture="drag")
    assert len(drawing.editor.steps) == steps


def test_a_gesture_that_has_ended_takes_in_no_more() -> None:
    drawing = Drawing()
    node = drawing.input("B", 8)
    steps = len(drawing.editor.steps)
    for x in (5.0, 6.0):
        drawing.editor.apply(edits.move({node: (x, 0.0)}), message("Move"), gesture="drag")
        drawing.editor.end_gesture()
    assert len(drawing.editor.steps) == steps + 2


def test_listeners_hear_what_changed_and_steps_know_their_parameters() -> None:
    drawing = Drawing(d=512)
    node = drawing.input("B", Expression("d"))
    fc = drawing.add("Linear", node, out_features=Expression("d"))
    heard: list[Notice] = []
    drawing.editor.listen(heard.append)
    drawing.do(edits.set_variable("d", Variable(768)))
    assert heard[0].nodes == {node, fc}
    change = (768 * 768 + 768) - (512 * 512 + 512)
    assert drawing.editor.steps[-1].parameters == change
    drawing.editor.unlisten(heard.append)
    drawing.do(edits.set_variable("d", Variable(1)))
    assert len(heard) == 1


def test_a_refused_edit_leaves_everything_as_it_was() -> None:
    drawing = Drawing()
    node = drawing.input("B", 8)
    before, steps = drawing.editor.document, list(drawing.editor.steps)
    halfway = edits.all_of(
        (edits.rename(node, "other"), edits.connect(Source(node, "out"), Target(node, "x")))
    )
    with pytest.raises(edits.Refused):
        drawing.do(halfway)
    assert drawing.editor.document is before
    assert drawing.editor.steps == steps


def test_modified_means_differing_from_what_was_saved() -> None:
    editor = Editor(Drawing().editor.document)
    assert not editor.modified
    editor.apply(edits.set_title("A"), STEP)
    assert editor.modified
    editor.mark_saved()
    editor.apply(edits.set_title("B"), STEP)
    assert editor.modified
    editor.undo()
    assert not editor.modified


def test_a_new_edit_drops_what_could_be_redone() -> None:
    editor = Editor(Drawing().editor.document)
    editor.apply(edits.set_title("A"), message("First"))
    editor.undo()
    assert (editor.undoable, str(editor.redoable)) == (None, "First")
    editor.apply(edits.set_title("B"), message("Second"))
    assert (str(editor.undoable), editor.redoable) == ("Second", None)


def test_a_name_in_use_is_renamed_everywhere_and_not_removed() -> None:
    drawing = Drawing(d=8, e=Expression("2*d"))
    fc = drawing.add(
        "Linear", drawing.input("B", Expression("d + 1")), out_features=Expression("e")
    )
    drawing.do(edits.rename_name("d", "width"))
    assert list(drawing.editor.document.variables) == ["width", "e"]
    assert drawing.editor.document.variables["e"].value == Expression("2*width")
    assert drawing.shape(fc) == "[B, 2*width]"
    with pytest.raises(edits.Refused, match=r"width is used by input1\.shape, e\."):
        drawing.do(edits.remove_name("width"))
    drawing.do(edits.remove_nodes([1, 2]))
    drawing.do(edits.remove_name("e"))
    drawing.do(edits.remove_name("width"))
    assert not drawing.editor.document.variables


@pytest.mark.parametrize("name", ["min", "lambda", "None", "_", "", "d d", "\uff44", "1a", "B"])
def test_names_that_cannot_be_are_refused(name: str) -> None:
    drawing = Drawing()
    with pytest.raises(edits.Refused):
        drawing.do(edits.set_variable(name, Variable(1)))


def test_ties_follow_their_root_and_go_with_their_node() -> None:
    drawing = Drawing()
    x = drawing.input("B", 4)
    a, b, c = (drawing.add("Linear", x, out_features=4) for _ in range(3))
    drawing.tie(b, a)
    drawing.tie(c, b)
    assert drawing.editor.document.graph.ties[ParamRef(c, "weight")] == ParamRef(a, "weight")
    with pytest.raises(edits.Refused):
        drawing.tie(a, c)
    drawing.do(edits.remove_nodes([a]))
    assert not drawing.editor.document.graph.ties


def test_a_layer_taken_out_joins_what_it_joined() -> None:
    drawing = Drawing()
    x = drawing.input("B", 4)
    relu = drawing.add("ReLU", x)
    fc = drawing.add("Linear", relu, out_features=2)
    drawing.do(edits.take_out(relu))
    assert drawing.editor.document.graph.source(Target(fc, "x")) == Source(x, "out")


def test_a_layer_that_waits_beside_goes_into_a_wire() -> None:
    drawing = Drawing()
    x = drawing.input("B", 4)
    fc = drawing.add("Linear", x, out_features=2)
    relu = drawing.add("ReLU")
    drawing.do(edits.drop_in(relu, Target(fc, "x")))
    assert drawing.editor.document.graph.source(Target(relu, "x")) == Source(x, "out")
    assert drawing.editor.document.graph.source(Target(fc, "x")) == Source(relu, "out")
    with pytest.raises(edits.Refused):
        drawing.do(edits.drop_in(fc, Target(fc, "x")))


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "x" * 1001])
def test_layer_names_that_cannot_be_shown_are_refused(name: str) -> None:
    drawing = Drawing()
    node = drawing.input("B", 4)
    with pytest.raises(edits.Refused):
        drawing.do(edits.rename(node, name))


def test_two_layers_cannot_share_a_name() -> None:
    drawing = Drawing()
    drawing.input("B", 4)
    node = drawing.input("B", 4)
    with pytest.raises(edits.Refused, match="already"):
        drawing.do(edits.rename(node, "input1"))


def test_a_rule_that_breaks_midway_leaves_everything_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawing = Drawing(d=8)
    fc = drawing.add("Linear", drawing.input("B", Expression("d")), out_features=Expression("d"))
    drawing.add("ReLU", fc)
    document, known = drawing.editor.document, state(drawing.editor.analysis)

    rule = CATALOGUE["ReLU"].infer

    def breaking(layer: Layer, x: Tensor) -> Result:
        if value(x.axis(-1)) == 9:
            raise RuntimeError("a fault of the rule")
        return rule(layer, x)

    monkeypatch.setattr(CATALOGUE["ReLU"], "infer", breaking)
    for act in (drawing.editor.preview, drawing.do):
        with pytest.raises(RuntimeError, match="a fault"):
            act(edits.set_variable("d", Variable(9)))
        assert drawing.editor.document is document
        assert state(drawing.editor.analysis) == known
    drawing.do(edits.set_variable("d", Variable(10)))
    assert drawing.parameters == 110


@pytest.mark.parametrize(
    "edit",
    [
        edits.remove_name("nowhere"),
        edits.rename_name("nowhere", "somewhere"),
        edits.unify("B", "nowhere"),
        edits.unify("B", "B"),
        edits.unify("B", "width"),
    ],
)
def test_names_that_are_not_declared_or_not_alike_are_refused(edit: Edit) -> None:
    drawing = Drawing(width=4)
    before = drawing.editor.document
    with pytest.raises(edits.Refused):
        drawing.do(edit)
    assert drawing.editor.document is before
