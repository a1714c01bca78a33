"""The node of a block: chips, copies, ports below the stack; and layers that are one module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt

from designer.core import edits
from designer.core.block import BLOCK, COPIES
from designer.core.document import inside
from designer.core.grouping import group
from designer.core.message import message
from designer.ui.canvas import labels
from designer.ui.canvas.drawing import Drawing
from designer.ui.canvas.geometry import STACKED
from tests.ui.canvas.conftest import NONE, SHIFT, Desk, document, wired

if TYPE_CHECKING:
    from designer.core.document import Document
    from designer.core.graph import Target
    from designer.ui.canvas.cards import Card

STEP = message("Step")


def stacked(layers: int = 3, copies: int = 12) -> Document:
    """1 Input → a use of a block of so many Linear layers, 64 wide, so many times → Output."""
    made = [
        edits.add_node("Linear", (0, 120 * n), {"out_features": 64}, f"fc{n}")
        for n in range(1, layers + 1)
    ]
    wires = [wired(n, n + 1) for n in range(1, layers + 1)]
    return document(
        edits.add_node("Input", (0, 0), {"shape": (8, 64)}, "image"),
        *made,
        edits.add_node("Output", (0, 120 * (layers + 1)), None, "scores"),
        *wires,
        wired(layers + 1, layers + 2),
        group(range(2, layers + 2)),
        edits.set_options((layers + 3,), {COPIES: copies}),
    )


def use(desk: Desk) -> Card:
    return next(card for card in desk.canvas.stage.drawing.cards.values() if card.block)


def point(card: Card, place: int) -> tuple[float, float]:
    return tuple(card.chips[place][0].centre)  # type: ignore[return-value]


def test_a_click_on_a_chip_picks_the_layer_out_without_going_in(desk: Desk) -> None:
    desk.show(stacked())
    entered: list[int] = []
    desk.canvas.enterWanted.connect(entered.append)
    card = use(desk)
    desk.hand.click(*point(card, 1))
    stage = desk.canvas.stage
    assert stage.marks.chip == (card.id, card.members[1].id)
    assert desk.canvas.selection == [card.id]
    assert not entered
    desk.hand.click(card.box.x + 60, card.box.y + 12)
    assert stage.marks.chip is None
    desk.hand.click(*point(card, 2))
    desk.hand.key(Qt.Key.Key_Escape)
    assert (stage.marks.chip, desk.canvas.selection) == (None, [])


def test_a_double_click_on_a_chip_asks_to_go_in(desk: Desk) -> None:
    desk.show(stacked())
    entered: list[int] = []
    desk.canvas.enterWanted.connect(entered.append)
    card = use(desk)
    desk.hand.double_click(*point(card, 0))
    assert entered == [card.id]


def test_pointing_at_a_chip_tells_name_type_and_count(desk: Desk) -> None:
    desk.show(stacked())
    card = use(desk)
    hover = desk.canvas.hover_card
    desk.hand.move(*point(card, 1))
    assert hover.isVisible()
    said = [labels.plain(line) for line in hover.lines()]
    assert said == ["fc2Linear", f"in {card.name} ×12", "Parameters4,160"]
    desk.hand.move(card.box.x + 60, card.box.y + 12)
    assert not hover.isVisible()


def test_further_away_chips_are_not_drawn_and_not_hit(desk: Desk) -> None:
    desk.show(stacked())
    desk.canvas.zoom_to(50)
    card = use(desk)
    desk.hand.click(*point(card, 1))
    assert desk.canvas.stage.marks.chip is None
    assert desk.canvas.selection == [card.id]


@pytest.mark.parametrize(("layers", "chips"), [(1, 1), (8, 8), (9, 9), (10, 8), (20, 8)])
def test_more_layers_than_have_room_show_eight_and_the_rest(
    desk: Desk, layers: int, chips: int
) -> None:
    desk.show(stacked(layers))
    card = use(desk)
    assert (len(card.members), len(card.chips)) == (layers, chips)
    assert all(card.box.contains(box.centre) for box, _ in card.chips)


def test_outputs_stand_below_the_edges_of_further_copies(desk: Desk) -> None:
    editor = desk.show(stacked())
    card = use(desk)
    assert card.outputs[0].place.y == card.box.bottom + STACKED[-1][0] == card.outline.bottom
    editor.apply(edits.set_options((card.id,), {COPIES: 1}), STEP)
    card = use(desk)
    assert card.outputs[0].place.y == card.box.bottom == card.outline.bottom


def test_a_wire_is_pulled_from_the_output_below_the_stack(desk: Desk) -> None:
    editor = desk.show(stacked())
    card = use(desk)
    output = next(id for id, node in editor.document.graph.nodes.items() if node.kind == "Output")
    editor.apply(edits.disconnect(wire_into(desk, output)), STEP)
    start = use(desk).outputs[0].place
    end = desk.canvas.stage.drawing.cards[output].inputs[0].place
    desk.hand.drag(tuple(start), tuple(end))  # type: ignore[arg-type]
    assert (card.id, output) in desk.edges()


def wire_into(desk: Desk, node: int) -> Target:
    return next(t for t in desk.canvas.stage.drawing.wires if t.node == node)


def test_a_block_that_is_brought_is_shown_as_what_it_will_be(desk: Desk) -> None:
    desk.show(stacked())
    card = use(desk)
    x = card.box.right + 400
    desk.hand.carry(f"{BLOCK}Block", x, card.box.y, drop=False)
    desk.hand.carry(f"{BLOCK}Block", x, card.box.y)
    cards = desk.canvas.stage.drawing.cards
    new = cards[max(cards)]
    assert (new.shape, [m.name for m in new.members]) == ("block", ["fc1", "fc2", "fc3"])
    assert not new.copies


def test_a_layer_that_is_gone_is_picked_out_no_longer(desk: Desk) -> None:
    editor = desk.show(stacked())
    card = use(desk)
    desk.hand.click(*point(card, 1))
    level = editor.document.blocks["Block"]
    gone = card.members[1].id
    assert gone in level.graph.nodes
    editor.apply(inside("Block", edits.remove_nodes((gone,))), STEP)
    assert desk.canvas.stage.marks.chip is None


# One module in several places


def twins() -> Document:
    """1 Input → 2 Linear → 3 Linear, alike."""
    return document(
        edits.add_node("Input", (0, 0), {"shape": (8, 64)}, "image"),
        edits.add_node("Linear", (0, 160), {"out_features": 64}, "fc1"),
        edits.add_node("Linear", (0, 320), {"out_features": 64}, "fc2"),
        wired(1, 2),
        wired(2, 3),
    )


def select_both(desk: Desk) -> None:
    for place, id in enumerate((3, 2)):
        box = desk.canvas.stage.drawing.cards[id].box
        desk.hand.click(box.x + 50, box.y + 12, SHIFT if place else NONE)


def test_two_layers_share_one_module_and_get_their_own_back(desk: Desk) -> None:
    editor = desk.show(twins())
    select_both(desk)
    desk.canvas.share_selection()
    cards = desk.canvas.stage.drawing.cards
    assert editor.document.graph.nodes[3].same_as == 2
    assert (cards[3].count, cards[3].note, cards[3].owner) == ("0", "counted in fc1", 2)
    assert cards[3].same
    assert cards[3].hidden == 64 * 64 + 64
    assert not cards[2].same
    assert editor.analysis.totals().parameters == 64 * 64 + 64
    desk.canvas.unshare_selection()
    cards = desk.canvas.stage.drawing.cards
    assert editor.document.graph.nodes[3].same_as is None
    assert (cards[3].count, cards[3].owner) == (f"{64 * 64 + 64:,}", None)
    assert len(editor.steps) == 2


def test_the_link_of_one_module_says_so(desk: Desk) -> None:
    """The badge is drawn from a card that knows whose module it calls, after a reload too."""
    editor = desk.show(twins())
    select_both(desk)
    desk.canvas.share_selection()
    fresh = Drawing(desk.canvas.stage.texts.width)
    fresh.read(editor)
    assert fresh.cards == desk.canvas.stage.drawing.cards


def test_a_renamed_owner_is_named_where_it_is_called(desk: Desk) -> None:
    editor = desk.show(twins())
    select_both(desk)
    desk.canvas.share_selection()
    editor.apply(edits.rename(2, "stem"), STEP)
    assert desk.canvas.stage.drawing.cards[3].note == "counted in stem"


def test_layers_of_other_kinds_are_refused_with_a_sentence(desk: Desk) -> None:
    editor = desk.show(twins())
    editor.apply(edits.add_node("ReLU", (300, 160)), STEP)
    said: list[str] = []
    desk.canvas.said.connect(said.append)
    for place, id in enumerate((2, 4)):
        box = desk.canvas.stage.drawing.cards[id].box
        desk.hand.click(box.x + 50, box.y + 12, SHIFT if place else NONE)
    before = editor.document
    desk.canvas.share_selection()
    assert editor.document is before
    assert said[-1].endswith("are no layers of one kind that could be the same.")
    desk.hand.click(desk.canvas.stage.drawing.cards[2].box.x + 50, 150)
    desk.canvas.share_selection()
    assert said[-1] == "Select two or more layers of one kind."
    desk.canvas.unshare_selection()
    assert said[-1] == "Select a layer that uses another one's module."


def test_a_block_without_outputs_is_repeated_with_a_sentence(desk: Desk) -> None:
    editor = desk.show(stacked(copies=1))
    card = use(desk)
    block = editor.document.blocks["Block"].graph
    output = next(id for id, node in block.nodes.items() if node.kind == "Output")
    editor.apply(inside("Block", edits.remove_nodes((output,))), STEP)
    editor.apply(edits.set_options((card.id,), {COPIES: 2}), STEP)
    assert use(desk).problem is not None
    assert "has no input that its output could feed" in str(use(desk).problem)
