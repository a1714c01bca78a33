"""What is drawn follows the document, however it is edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

import designer.layers  # noqa: F401
from designer.core import edits
from designer.core.document import Document
from designer.core.editor import Editor
from designer.core.edits import Refused
from designer.core.expression import Expression
from designer.core.graph import ParamRef, Source, Target
from designer.core.message import message
from designer.ui.canvas import geometry
from designer.ui.canvas.drawing import Drawing
from tests.ui.canvas.conftest import chain, document, wired

if TYPE_CHECKING:
    from designer.core.document import Edit

LABEL = message("edit")


def measured(text: str, role: str) -> float:
    """A width for tests: every letter is as wide as the others."""
    return 7.0 * len(text)


def drawn(editor: Editor) -> Drawing:
    """A drawing that follows an editor."""
    drawing = Drawing(measured)
    drawing.read(editor)
    editor.listen(drawing.update)
    return drawing


def _rounded(box: geometry.Box | None) -> tuple[float, ...]:
    return tuple(round(side, 6) for side in box or ())


KINDS = ("Linear", "ReLU", "Add", "Input", "LayerNorm", "Concat", "LSTM")
ids = st.integers(1, 8)
places = st.tuples(
    st.integers(-3, 3).map(lambda x: 200.0 * x), st.integers(-4, 4).map(lambda y: 90.0 * y)
)


@st.composite
def steps(draw: st.DrawFn) -> Edit:
    """Any edit, sensible or not."""
    kind = draw(st.sampled_from(("add", "move", "wire", "cut", "remove", "rename", "set", "tie")))
    node, other = draw(ids), draw(ids)
    port, slot = draw(st.sampled_from((("x", 0), ("xs", 0), ("xs", 1), ("xs", 2), ("input", 0))))
    target = Target(other, port, slot)
    return {
        "add": edits.add_node(draw(st.sampled_from(KINDS)), draw(places)),
        "move": edits.move({node: draw(places)}),
        "wire": edits.connect(Source(node, draw(st.sampled_from(("out", "output")))), target),
        "cut": edits.disconnect(target),
        "remove": edits.remove_nodes((node,)),
        "rename": edits.rename(node, draw(st.sampled_from(("a", "b", "a name that is long")))),
        "set": edits.set_options((node,), {"out_features": draw(st.sampled_from((8, -1, 64)))}),
        "tie": edits.tie(ParamRef(node, "weight"), ParamRef(other, "weight")),
    }[kind]


@settings(max_examples=60)
@given(st.lists(steps(), max_size=25), st.data())
def test_following_edits_gives_what_reading_anew_gives(
    made: list[Edit], data: st.DataObject
) -> None:
    editor = Editor(chain())
    drawing = drawn(editor)
    for edit in made:
        try:
            editor.apply(edit, LABEL)
        except Refused:
            continue
        anew = geometry.union(card.box for card in drawing.cards.values())
        assert _rounded(drawing.bounds()) == _rounded(anew)
        if data.draw(st.booleans()):
            [drawing.route(target) for target in list(drawing.wires)]
        if data.draw(st.integers(0, 5)) == 0:
            editor.undo()
    fresh = Drawing(measured)
    fresh.read(editor)
    assert drawing.cards == fresh.cards
    assert drawing.wires == fresh.wires
    assert drawing.places.boxes == fresh.places.boxes
    assert drawing.bounds() == fresh.bounds()
    for target in fresh.wires:
        assert drawing.route(target).start == fresh.route(target).start
        assert drawing.route(target).end == fresh.route(target).end


def test_every_wire_is_found_where_it_runs() -> None:
    editor = Editor(chain())
    drawing = drawn(editor)
    for target in drawing.wires:
        middle = drawing.route(target).line[len(drawing.route(target).line) // 2]
        assert drawing.wire_at(middle, 5) == target


def test_a_wire_that_passes_a_node_goes_round_it() -> None:
    editor = Editor(
        document(
            edits.add_node("Input", (0, 0), {"shape": (Expression("B"), 8)}),
            edits.add_node("Linear", (0, 120)),
            edits.add_node("Add", (0, 240)),
            wired(1, 2),
            wired(2, 3, "xs"),
            wired(1, 3, "xs", 1),
        )
    )
    drawing = drawn(editor)
    port = drawing.cards[3].inputs[0].port
    route = drawing.route(Target(3, port, 1))
    assert route.kind == "lane"
    assert route.lane == -112 - 22
    assert route.end == (drawing.cards[3].box.x, 240)
    assert drawing.route(Target(3, port, 0)).kind == "straight"
    editor.apply(edits.move({2: (400, 120)}), LABEL)
    assert drawing.route(Target(3, port, 1)).kind == "straight"


def test_a_locked_a_tied_and_an_unknown_layer_say_so() -> None:
    editor = Editor(
        document(
            edits.add_node("Input", (0, 0), {"shape": (Expression("B"), 64)}),
            edits.add_node("Linear", (0, 120), {"out_features": 64}, "wte"),
            edits.add_node("Linear", (0, 240), {"out_features": 64, "bias": False}, "head"),
            edits.add_node("Linear", (300, 240), None, "alone"),
            wired(1, 2),
            wired(2, 3),
            edits.tie(ParamRef(3, "weight"), ParamRef(2, "weight")),
            edits.set_trainable((2,), False),
        )
    )
    cards = drawn(editor).cards
    assert (cards[2].count, cards[2].note, cards[2].locked) == ("0", "trainable", True)
    assert (cards[3].count, cards[3].note, cards[3].owner) == ("0", "counted in wte", 2)
    assert cards[3].hidden == 4096
    assert cards[4].count == "?"


def test_shapes_on_wires_mark_what_the_layer_has_changed() -> None:
    drawing = drawn(Editor(chain()))
    spans = drawing.wires[Target(3, "x")].spans
    assert "".join(span.text for span in spans) == "[B, 32]"
    roles = {span.text: (span.role, span.token) for span in spans}
    assert roles["B"] == ("mono", "text-2")
    assert roles["32"] == ("mono-strong", "text")
    assert drawing.wires[Target(3, "x")].changed
    assert not drawing.wires[Target(4, "x")].changed


def test_after_an_error_shapes_wait() -> None:
    editor = Editor(chain())
    drawing = drawn(editor)
    editor.apply(edits.set_options((2,), {"in_features": 512}), LABEL)
    assert drawing.cards[2].state == "error"
    assert drawing.wires[Target(2, "x")].state == "error"
    waiting = drawing.wires[Target(3, "x")]
    assert (waiting.state, waiting.suffix) == ("unknown", "waits for fc1")
    assert "".join(span.text for span in waiting.spans) == "[…, 32]"
    editor.apply(edits.rename(2, "head"), LABEL)
    assert drawing.wires[Target(3, "x")].suffix == "waits for head"
    editor.undo()
    editor.undo()
    assert drawing.cards[2].state == ""


def test_an_unknown_kind_is_drawn_all_the_same() -> None:
    from designer.core.graph import Node

    editor = Editor(Document())
    editor.apply(edits.put_nodes(((1, Node("odd", "odd", "Hyperspace")),)), LABEL)
    drawing = drawn(editor)
    assert drawing.cards[1].title == "Hyperspace"
    assert drawing.cards[1].state == "error"


def test_variables_show_their_values_and_free_dimensions_their_names() -> None:
    from designer.core.document import Variable

    editor = Editor(
        document(
            edits.set_variable("d", Variable(768)),
            edits.add_node("Input", (0, 0), {"shape": (Expression("B"), Expression("d"))}),
            edits.add_node("Linear", (0, 120), {"out_features": Expression("4*d")}),
            edits.add_node("ReLU", (0, 240)),
            wired(1, 2),
            wired(2, 3),
        )
    )
    drawing = drawn(editor)
    assert drawing.cards[2].caption == "768 → 3072"
    shape = "".join(span.text for span in drawing.wires[Target(3, "x")].spans)
    assert shape == "[B, 3072]"
    editor.apply(edits.set_variable("d", Variable(10)), LABEL)
    assert drawing.cards[2].caption == "10 → 40"
