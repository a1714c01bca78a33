"""Every gesture of the canvas, made with real events on its viewport."""

from __future__ import annotations

import subprocess
import sys

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from designer.core.document import Document
from designer.core.graph import Source, Target
from tests.ui.canvas.conftest import ALT, CTRL, LEFT, MIDDLE, NONE, SHIFT, Desk, chain, loose

# Selecting


def test_a_click_selects_a_node_and_says_so(desk: Desk) -> None:
    desk.show(chain())
    heard: list[object] = []
    desk.canvas.selectionChanged.connect(heard.append)
    desk.hand.click(0, 120)
    assert desk.canvas.selection == [2]
    assert heard == [[2]]


def test_shift_click_adds_and_takes_away(desk: Desk) -> None:
    desk.show(chain())
    desk.hand.click(0, 120)
    desk.hand.click(0, 240, SHIFT)
    assert desk.canvas.selection == [2, 3]
    desk.hand.click(0, 120, SHIFT)
    assert desk.canvas.selection == [3]


def test_a_click_on_one_of_several_selects_it_alone(desk: Desk) -> None:
    desk.show(loose())
    desk.canvas.select_all()
    desk.hand.click(0, 160)
    assert desk.canvas.selection == [2]


def test_a_rubber_band_selects_what_it_touches(desk: Desk) -> None:
    desk.show(chain())
    desk.hand.drag((-200, 60), (-60, 250))
    assert desk.canvas.selection == [2, 3]


def test_a_rubber_band_with_shift_adds(desk: Desk) -> None:
    desk.show(chain())
    desk.hand.click(0, 0)
    desk.hand.drag((-200, 200), (-60, 250), keys=SHIFT)
    assert desk.canvas.selection == [1, 3]


def test_a_click_on_empty_canvas_selects_nothing(desk: Desk) -> None:
    desk.show(chain())
    desk.hand.click(0, 120)
    desk.hand.click(300, 120)
    assert desk.canvas.selection == []


def test_ctrl_a_selects_all_and_esc_none(desk: Desk) -> None:
    desk.show(chain())
    desk.hand.key(Qt.Key.Key_A, CTRL)
    assert desk.canvas.selection == [1, 2, 3, 4]
    desk.hand.key(Qt.Key.Key_Escape)
    assert desk.canvas.selection == []


def test_the_selection_loses_what_undo_takes_away(desk: Desk) -> None:
    editor = desk.show(chain())
    assert desk.hand.carry("ReLU", 300, 100)
    assert desk.canvas.selection == [5]
    editor.undo()
    assert desk.canvas.selection == []


def test_a_node_that_undo_takes_away_may_be_selected_and_pointed_at(desk: Desk) -> None:
    editor = desk.show(chain())
    assert desk.hand.carry("ReLU", 300, 100)
    desk.hand.move(300, 100)
    assert (desk.canvas.selection, desk.canvas.stage.marks.hovered) == ([5], 5)
    editor.undo()
    assert (desk.canvas.selection, desk.canvas.stage.marks.hovered) == ([], None)


# Moving


def test_a_drag_moves_the_node_in_steps_of_eight(desk: Desk) -> None:
    editor = desk.show(chain())
    desk.hand.drag((0, 120), (101, 122))
    assert desk.places()[2] == (104, 120)
    assert len(editor.steps) == 1
    editor.undo()
    assert desk.places()[2] == (0, 120)


def test_a_drag_moves_all_that_is_selected(desk: Desk) -> None:
    desk.show(chain())
    desk.hand.click(0, 120)
    desk.hand.click(0, 240, SHIFT)
    desk.hand.drag((0, 240), (80, 240))
    assert desk.places() == {1: (0, 0), 2: (80, 120), 3: (80, 240), 4: (0, 360)}


def test_a_press_that_hardly_moves_is_no_drag(desk: Desk) -> None:
    editor = desk.show(chain())
    desk.hand.drag((40, 120), (42, 121))
    assert editor.steps == []


def test_esc_gives_up_a_drag(desk: Desk) -> None:
    editor = desk.show(chain())
    desk.hand.press(40, 120)
    desk.hand.move(144, 160)
    assert desk.canvas.stage.drawing.cards[2].box.centre == (104, 160)
    desk.hand.key(Qt.Key.Key_Escape)
    desk.hand.release()
    assert editor.steps == []
    assert desk.canvas.stage.drawing.cards[2].box.centre == (0, 120)


def test_shift_arrows_move_by_eight_as_one_step(desk: Desk) -> None:
    editor = desk.show(chain())
    desk.hand.click(0, 120)
    for _ in range(3):
        desk.hand.key(Qt.Key.Key_Right, SHIFT)
    desk.hand.key(Qt.Key.Key_Down, SHIFT)
    assert desk.places()[2] == (24, 128)
    assert len(editor.steps) == 1


# Wires


def test_a_wire_pulled_from_output_to_input_connects(desk: Desk) -> None:
    desk.show(loose())
    desk.hand.drag((0, 17), (0, 128))
    assert desk.edges() == {(1, 2)}


def test_a_wire_pulled_backwards_connects(desk: Desk) -> None:
    desk.show(loose())
    desk.hand.drag((0, 128), (0, 17))
    assert desk.edges() == {(1, 2)}


def test_a_pulled_wire_snaps_within_28_pixels(desk: Desk) -> None:
    desk.show(loose())
    desk.hand.drag((0, 17), (18, 112))
    assert desk.edges() == {(1, 2)}


def test_a_pulled_wire_ends_at_a_node_it_is_dropped_on(desk: Desk) -> None:
    desk.show(loose())
    desk.hand.drag((0, 17), (80, 175))
    assert desk.edges() == {(1, 2)}


def test_a_used_input_is_replaced_and_undo_brings_it_back(desk: Desk) -> None:
    editor = desk.show(chain())
    desk.hand.drag((0, 17), (0, 224))
    assert desk.edges() == {(1, 2), (1, 3), (3, 4)}
    editor.undo()
    assert desk.edges() == {(1, 2), (2, 3), (3, 4)}


def test_while_a_wire_is_pulled_only_ports_that_can_take_it_light_up(desk: Desk) -> None:
    desk.show(chain())
    desk.hand.press(0, 256)
    desk.hand.move(30, 300)
    cards, accepts = desk.canvas.stage.drawing.cards, desk.canvas.stage.marks.accepts
    assert accepts is not None
    assert accepts(cards[4].inputs[0])
    assert not accepts(cards[2].inputs[0])
    assert not accepts(cards[3].inputs[0])
    assert not accepts(cards[1].outputs[0])
    desk.hand.key(Qt.Key.Key_Escape)
    assert desk.canvas.stage.marks.accepts is None
    desk.hand.release()


def test_a_wire_that_would_close_a_loop_is_not_drawn_and_the_reason_is_said(desk: Desk) -> None:
    desk.show(chain())
    heard: list[str] = []
    desk.canvas.said.connect(heard.append)
    desk.hand.drag((0, 256), (60, 120))
    assert desk.edges() == {(1, 2), (2, 3), (3, 4)}
    assert "This wire would close a loop." in heard


def test_a_merge_takes_one_more_wire_each_time(desk: Desk) -> None:
    editor = desk.show(chain())
    desk.hand.carry("Add", 300, 360)
    desk.hand.drag((0, 152), (300, 345))
    desk.hand.drag((0, 256), (300, 345))
    assert editor.document.graph.slots(5, editor.analysis.findings[5].layer.ports[0].name) == [0, 1]  # type: ignore[union-attr]


@pytest.mark.parametrize("keys", [ALT, CTRL | SHIFT])
def test_a_click_with_alt_or_ctrl_shift_cuts_a_wire(desk: Desk, keys: Qt.KeyboardModifier) -> None:
    editor = desk.show(chain())
    desk.hand.click(1, 190, keys)
    assert desk.edges() == {(1, 2), (3, 4)}
    editor.undo()
    assert desk.edges() == {(1, 2), (2, 3), (3, 4)}


def test_a_wire_can_be_selected_and_deleted(desk: Desk) -> None:
    desk.show(chain())
    desk.hand.click(2, 190)
    assert desk.canvas.stage.marks.picked_wire == Target(3, "x")
    desk.hand.key(Qt.Key.Key_Delete)
    assert desk.edges() == {(1, 2), (3, 4)}


# Deleting


@pytest.mark.parametrize("key", [Qt.Key.Key_Delete, Qt.Key.Key_Backspace])
def test_delete_removes_the_selection_as_one_step(desk: Desk, key: Qt.Key) -> None:
    editor = desk.show(chain())
    desk.hand.click(0, 120)
    desk.hand.click(0, 240, SHIFT)
    desk.hand.key(key)
    assert desk.kinds() == ["Input", "Output"]
    assert len(editor.steps) == 1
    assert desk.canvas.selection == []


def test_shift_delete_takes_a_node_out_and_joins_its_wires(desk: Desk) -> None:
    desk.show(chain())
    desk.hand.click(0, 240)
    desk.hand.key(Qt.Key.Key_Delete, SHIFT)
    assert desk.edges() == {(1, 2), (2, 4)}


# From the palette


def test_a_layer_dropped_on_empty_canvas_is_added_and_selected(desk: Desk) -> None:
    desk.show(Document())
    assert desk.hand.carry("Conv2d", 30, 41)
    assert desk.kinds() == ["Conv2d"]
    assert desk.places() == {1: (32, 40)}
    assert desk.canvas.selection == [1]


def test_a_layer_dropped_on_a_wire_goes_into_it_and_the_rest_makes_room(desk: Desk) -> None:
    editor = desk.show(chain())
    assert desk.hand.carry("Dropout", 3, 190)
    assert desk.edges() == {(1, 2), (2, 5), (5, 3), (3, 4)}
    assert len(editor.steps) == 1
    cards = desk.canvas.stage.drawing.cards
    assert cards[2].box.bottom < cards[5].box.y
    assert cards[5].box.bottom < cards[3].box.y
    assert cards[3].box.bottom < cards[4].box.y


def test_a_layer_carried_over_the_canvas_and_away_again_leaves_nothing(desk: Desk) -> None:
    editor = desk.show(chain())
    assert desk.hand.carry("Dropout", 3, 190, drop=False)
    assert editor.steps == []
    assert desk.canvas.view.item.gesture is None
    assert desk.canvas.stage.marks.split_wire is None


def test_what_is_no_known_kind_is_not_taken(desk: Desk) -> None:
    editor = desk.show(chain())
    assert not desk.hand.carry("Antigravity", 0, 0)
    assert editor.steps == []


def test_a_loose_node_dragged_onto_a_wire_goes_into_it(desk: Desk) -> None:
    editor = desk.show(chain())
    desk.hand.carry("Dropout", 300, 190)
    desk.hand.drag((300, 190), (0, 190))
    assert desk.edges() == {(1, 2), (2, 5), (5, 3), (3, 4)}
    assert len(editor.steps) == 2


# Quick add


def test_tab_types_enter_adds_a_layer_below_the_selected_one(desk: Desk) -> None:
    editor = desk.show(chain())
    desk.hand.click(0, 360)
    desk.hand.key(Qt.Key.Key_Delete)
    desk.hand.click(0, 240)
    desk.hand.key(Qt.Key.Key_Tab)
    desk.hand.type("linear 10")
    desk.hand.key(Qt.Key.Key_Return)
    assert desk.kinds() == ["Input", "Linear", "ReLU", "Linear"]
    assert desk.edges() == {(1, 2), (2, 3), (3, 5)}
    assert editor.document.graph.nodes[5].option("out_features") == 10
    assert desk.canvas.selection == [5]
    cards = desk.canvas.stage.drawing.cards
    assert cards[5].box.centre.x == cards[3].box.centre.x
    assert cards[5].box.y - cards[3].box.bottom == 40
    assert desk.hand.focus() is desk.canvas.view


def test_a_double_click_on_empty_canvas_adds_at_that_place(desk: Desk) -> None:
    desk.show(chain())
    desk.hand.double_click(240, 80)
    desk.hand.type("dense")
    desk.hand.key(Qt.Key.Key_Return)
    assert desk.kinds()[-1] == "Linear"
    assert desk.places()[5] == (240, 80)
    assert desk.edges() == {(1, 2), (2, 3), (3, 4)}


def test_esc_closes_the_search_and_adds_nothing(desk: Desk) -> None:
    editor = desk.show(chain())
    desk.hand.key(Qt.Key.Key_A, SHIFT)
    desk.hand.type("conv")
    desk.hand.key(Qt.Key.Key_Escape)
    assert editor.steps == []
    assert desk.hand.focus() is desk.canvas.view


def test_a_wire_pulled_into_empty_space_adds_what_it_is_connected_to(desk: Desk) -> None:
    desk.show(chain())
    desk.hand.drag((0, 152), (240, 300))
    desk.hand.type("gelu")
    desk.hand.key(Qt.Key.Key_Return)
    assert desk.kinds()[-1] == "GELU"
    assert (2, 5) in desk.edges()
    assert desk.places()[5] == (240, 304) or desk.places()[5] == (240, 296)


def test_a_wire_pulled_backwards_into_empty_space_adds_what_feeds_it(desk: Desk) -> None:
    desk.show(loose())
    desk.hand.drag((0, 288), (240, 240))
    desk.hand.type("relu")
    desk.hand.key(Qt.Key.Key_Return)
    assert desk.edges() == {(4, 3)}


def test_the_arrows_choose_another_row(desk: Desk) -> None:
    desk.show(chain())
    desk.hand.double_click(240, 80)
    desk.hand.type("conv")
    popup = desk.canvas._quick_add
    assert popup is not None
    second = popup.list.rows()[popup.list.current + 1].name
    desk.hand.key(Qt.Key.Key_Down)
    desk.hand.key(Qt.Key.Key_Return)
    assert desk.kinds()[-1] == second


def test_a_row_can_be_clicked(desk: Desk) -> None:
    desk.show(chain())
    desk.hand.double_click(240, 80)
    desk.hand.type("batch")
    popup = desk.canvas._quick_add
    assert popup is not None
    names = [row.name for row in popup.list.rows()]
    place = popup.list.rect_of(names.index("BatchNorm2d")).center().toPoint()
    QTest.mouseClick(popup.list.viewport(), LEFT, NONE, place)
    assert desk.kinds()[-1] == "BatchNorm2d"


# Names


def test_f2_renames_where_the_node_stands(desk: Desk) -> None:
    editor = desk.show(chain())
    desk.hand.click(0, 120)
    desk.hand.key(Qt.Key.Key_F2)
    desk.hand.type("head")
    desk.hand.key(Qt.Key.Key_Return)
    assert editor.document.graph.nodes[2].name == "head"
    assert desk.hand.focus() is desk.canvas.view


def test_esc_leaves_the_name_as_it_was(desk: Desk) -> None:
    editor = desk.show(chain())
    desk.hand.click(0, 120)
    desk.hand.key(Qt.Key.Key_F2)
    desk.hand.type("head")
    desk.hand.key(Qt.Key.Key_Escape)
    assert editor.document.graph.nodes[2].name == "fc1"
    assert editor.steps == []


def test_a_name_that_is_taken_is_refused_with_a_sentence(desk: Desk) -> None:
    editor = desk.show(chain())
    heard: list[str] = []
    desk.canvas.said.connect(heard.append)
    desk.hand.click(0, 120)
    desk.hand.key(Qt.Key.Key_F2)
    desk.hand.type("relu1")
    desk.hand.key(Qt.Key.Key_Return)
    assert editor.document.graph.nodes[2].name == "fc1"
    assert heard == ["There is a layer relu1 already."]


# Going about


def test_arrows_go_along_the_wires(desk: Desk) -> None:
    desk.show(chain())
    desk.hand.click(0, 120)
    desk.hand.key(Qt.Key.Key_Down)
    assert desk.canvas.selection == [3]
    assert desk.canvas.stage.marks.focused == 3
    desk.hand.key(Qt.Key.Key_Up)
    desk.hand.key(Qt.Key.Key_Up)
    assert desk.canvas.selection == [1]


def test_arrows_go_to_the_node_beside(desk: Desk) -> None:
    desk.show(chain())
    desk.hand.carry("ReLU", 300, 120)
    desk.hand.click(0, 120)
    desk.hand.key(Qt.Key.Key_Right)
    assert desk.canvas.selection == [5]
    desk.hand.key(Qt.Key.Key_Left)
    assert desk.canvas.selection == [2]


def _wheel(desk: Desk, at: QPoint, angle: QPoint, pixels: QPoint) -> None:
    event = QWheelEvent(
        QPointF(at),
        QPointF(desk.hand.viewport.mapToGlobal(at)),
        pixels,
        angle,
        Qt.MouseButton.NoButton,
        NONE,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(desk.hand.viewport, event)


def test_the_wheel_zooms_at_the_pointer(desk: Desk) -> None:
    desk.show(chain())
    at = desk.hand.pixel(0, 120)
    _wheel(desk, at, QPoint(0, 120), QPoint())
    assert desk.canvas.zoom == pytest.approx(120)
    assert (desk.hand.pixel(0, 120) - at).manhattanLength() <= 2
    _wheel(desk, at, QPoint(0, -120), QPoint())
    assert desk.canvas.zoom == pytest.approx(100)


def test_the_zoom_stays_within_its_limits(desk: Desk) -> None:
    desk.show(chain())
    at = QPoint(500, 400)
    for _ in range(20):
        _wheel(desk, at, QPoint(0, 480), QPoint())
    assert desk.canvas.zoom == 400
    for _ in range(40):
        _wheel(desk, at, QPoint(0, -480), QPoint())
    assert desk.canvas.zoom == 5


def test_two_fingers_scroll(desk: Desk) -> None:
    desk.show(chain())
    before = desk.hand.pixel(0, 0)
    _wheel(desk, QPoint(500, 400), QPoint(0, 60), QPoint(12, 30))
    assert desk.hand.pixel(0, 0) - before == QPoint(12, 30)
    assert desk.canvas.zoom == 100


def test_a_middle_drag_pans(desk: Desk) -> None:
    desk.show(chain())
    before = desk.hand.pixel(0, 0)
    at = QPoint(300, 300)
    QTest.mousePress(desk.hand.viewport, MIDDLE, NONE, at)
    QTest.mouseMove(desk.hand.viewport, at + QPoint(40, -25))
    QTest.mouseRelease(desk.hand.viewport, MIDDLE, NONE, at + QPoint(40, -25))
    assert desk.hand.pixel(0, 0) - before == QPoint(40, -25)


def test_space_and_a_drag_pan_even_over_a_node(desk: Desk) -> None:
    editor = desk.show(chain())
    before = desk.hand.pixel(0, 120)
    QTest.keyPress(desk.hand.focus(), Qt.Key.Key_Space)
    QTest.mousePress(desk.hand.viewport, LEFT, NONE, before)
    QTest.mouseMove(desk.hand.viewport, before + QPoint(64, 32))
    QTest.mouseRelease(desk.hand.viewport, LEFT, NONE, before + QPoint(64, 32))
    QTest.keyRelease(desk.hand.focus(), Qt.Key.Key_Space)
    assert desk.hand.pixel(0, 120) - before == QPoint(64, 32)
    assert editor.steps == []
    desk.hand.click(0, 120)
    assert desk.canvas.selection == [2]


def test_esc_gives_up_a_pan(desk: Desk) -> None:
    desk.show(chain())
    before = desk.hand.pixel(0, 0)
    QTest.mousePress(desk.hand.viewport, MIDDLE, NONE, QPoint(300, 300))
    QTest.mouseMove(desk.hand.viewport, QPoint(350, 320))
    desk.hand.key(Qt.Key.Key_Escape)
    QTest.mouseRelease(desk.hand.viewport, MIDDLE, NONE, QPoint(350, 320))
    assert desk.hand.pixel(0, 0) == before


@pytest.mark.parametrize("key", [Qt.Key.Key_F, Qt.Key.Key_Period])
def test_f_shows_the_selection(desk: Desk, key: Qt.Key) -> None:
    desk.show(chain())
    desk.hand.click(0, 360)
    desk.hand.key(key)
    assert (desk.hand.pixel(0, 360) - QPoint(500, 400)).manhattanLength() <= 2


def test_home_and_shift_1_show_all_and_ctrl_0_the_real_size(desk: Desk) -> None:
    desk.show(chain())
    for key, keys in ((Qt.Key.Key_Home, NONE), (Qt.Key.Key_1, SHIFT), (Qt.Key.Key_Exclam, SHIFT)):
        _wheel(desk, QPoint(10, 10), QPoint(0, 960), QPoint())
        assert desk.canvas.zoom > 300
        desk.hand.key(key, keys)
        shown = desk.canvas.view.shown()
        bounds = desk.canvas.stage.drawing.bounds()
        assert bounds is not None
        assert shown.united(bounds) == shown
        _wheel(desk, QPoint(10, 10), QPoint(0, -480), QPoint())
        desk.hand.key(Qt.Key.Key_0, CTRL)
        assert desk.canvas.zoom == 100


def test_the_view_is_kept_and_restored(desk: Desk) -> None:
    desk.show(chain())
    _wheel(desk, QPoint(120, 240), QPoint(0, 240), QPoint())
    desk.hand.click(0, 120)
    state, before = desk.canvas.view_state(), desk.hand.pixel(0, 120)
    desk.show(chain())
    desk.canvas.restore_view_state(state)
    assert (desk.hand.pixel(0, 120) - before).manhattanLength() <= 2
    assert desk.canvas.selection == [2]


def test_the_zoom_controls_work(desk: Desk) -> None:
    desk.show(chain())
    heard: list[float] = []
    desk.canvas.zoomChanged.connect(heard.append)
    QTest.mouseClick(desk.canvas.controls.zoom_in, LEFT)
    assert desk.canvas.zoom == pytest.approx(125)
    assert heard[-1] == pytest.approx(1.25)
    assert desk.canvas.controls.level.text() == "125%"
    QTest.mouseClick(desk.canvas.controls.level, LEFT)
    assert desk.canvas.zoom == 100


def test_a_click_on_the_map_goes_there(desk: Desk) -> None:
    desk.show(chain())
    _wheel(desk, QPoint(500, 400), QPoint(0, 240), QPoint())
    centre = desk.canvas.minimap.rect().center()
    desk.canvas.view.scroll_by(900, 700)
    QTest.mouseClick(desk.canvas.minimap, LEFT, NONE, centre)
    bounds = desk.canvas.stage.drawing.bounds()
    assert bounds is not None
    assert (desk.hand.pixel(*bounds.centre) - QPoint(500, 400)).manhattanLength() <= 20


# Locking, problems


def test_l_locks_the_weights_of_the_selection_and_trains_them_again(desk: Desk) -> None:
    editor = desk.show(chain())
    desk.hand.click(0, 120)
    desk.hand.key(Qt.Key.Key_L)
    assert not editor.document.graph.nodes[2].trainable
    assert desk.canvas.stage.drawing.cards[2].locked
    desk.hand.key(Qt.Key.Key_L)
    assert editor.document.graph.nodes[2].trainable


def test_hovering_a_wire_explains_its_shape(desk: Desk) -> None:
    desk.show(chain())
    desk.hand.move(0, 70)
    card = desk.canvas.hover_card
    assert card.isVisible()
    lines = [" ".join(span.text for span in line if span.text) for line in card.lines()]
    assert lines == ["image to fc1 float32", "[B, 64]", "B batch 1", "64", "Activation 256 B"]
    desk.hand.move(300, 70)
    assert not card.isVisible()


def test_a_source_is_read_from_the_document(desk: Desk) -> None:
    editor = desk.show(loose())
    desk.hand.drag((0, 17), (0, 128))
    assert editor.document.graph.source(Target(2, "x")) == Source(1, "out")


# Copies


def test_copies_are_text_that_can_be_pasted_with_wires_and_new_names(desk: Desk) -> None:
    editor = desk.show(chain())
    desk.hand.click(0, 120)
    desk.hand.click(0, 240, SHIFT)
    desk.hand.key(Qt.Key.Key_C, CTRL)
    assert '"netdraft"' in QApplication.clipboard().text()
    desk.hand.key(Qt.Key.Key_V, CTRL)
    assert desk.canvas.selection == [5, 6]
    assert desk.edges() == {(1, 2), (2, 3), (3, 4), (5, 6)}
    nodes = editor.document.graph.nodes
    assert [nodes[5].name, nodes[6].name] == ["fc2", "relu2"]
    assert nodes[5].option("out_features") == 32
    assert desk.places()[5] == (32, 152)
    assert len(editor.steps) == 1
    desk.hand.key(Qt.Key.Key_V, CTRL)
    assert desk.places()[7] == (64, 184)


def test_a_copy_brings_the_names_that_it_uses_into_another_design(desk: Desk) -> None:
    desk.show(chain())
    desk.hand.click(0, 0)
    desk.hand.key(Qt.Key.Key_C, CTRL)
    editor = desk.show(Document())
    desk.hand.key(Qt.Key.Key_V, CTRL)
    assert desk.kinds() == ["Input"]
    assert set(editor.document.dimensions) == {"B"}
    assert editor.analysis.problems() == []


def test_cut_takes_the_nodes_away(desk: Desk) -> None:
    editor = desk.show(chain())
    desk.hand.click(0, 240)
    desk.hand.key(Qt.Key.Key_X, CTRL)
    assert desk.kinds() == ["Input", "Linear", "Output"]
    desk.hand.key(Qt.Key.Key_V, CTRL)
    assert desk.kinds() == ["Input", "Linear", "Output", "ReLU"]
    assert len(editor.steps) == 2


def test_duplicate_leaves_the_clipboard_alone(desk: Desk) -> None:
    desk.show(chain())
    QApplication.clipboard().setText("something else")
    desk.hand.click(0, 120)
    desk.hand.key(Qt.Key.Key_D, CTRL)
    assert desk.kinds()[-1] == "Linear"
    assert QApplication.clipboard().text() == "something else"


@pytest.mark.parametrize("text", ["", "hello", '{"format": "netdraft", "version": "x"}'])
def test_what_is_no_design_is_not_pasted(desk: Desk, text: str) -> None:
    editor = desk.show(chain())
    heard: list[str] = []
    desk.canvas.said.connect(heard.append)
    QApplication.clipboard().setText(text)
    desk.hand.key(Qt.Key.Key_V, CTRL)
    assert editor.steps == []
    assert len(heard) == 1


# What else happens meanwhile


def test_undo_in_the_middle_of_a_drag_gives_the_drag_up(desk: Desk) -> None:
    editor = desk.show(chain())
    desk.hand.drag((0, 120), (104, 120))
    desk.hand.press(104, 120)
    desk.hand.move(184, 200)
    editor.undo()
    assert desk.canvas.view.item.gesture is None
    desk.hand.release()
    assert desk.places()[2] == (0, 120)
    assert desk.canvas.stage.drawing.cards[2].box.centre == (0, 120)
    assert editor.undoable is None


def test_another_button_does_not_end_a_drag(desk: Desk) -> None:
    desk.show(chain())
    desk.hand.press(0, 120)
    desk.hand.move(80, 120)
    QTest.mouseRelease(desk.hand.viewport, Qt.MouseButton.RightButton, NONE, desk.hand.at)
    assert desk.canvas.view.item.gesture is not None
    desk.hand.release()
    assert desk.places()[2] == (80, 120)


def test_while_one_searches_the_layer_is_shown_where_it_would_stand(desk: Desk) -> None:
    desk.show(chain())
    desk.hand.drag((0, 152), (240, 304))
    desk.hand.type("linear 16")
    plan = desk.canvas.view.item.plan
    assert plan is not None
    assert plan.card.box.centre == (240, 304)
    assert plan.card.count == "+528"
    assert plan.above == (0, 152)
    desk.hand.key(Qt.Key.Key_Escape)
    assert desk.canvas.view.item.plan is None


def test_a_layer_is_added_below_the_selected_one_or_in_the_middle(desk: Desk) -> None:
    desk.show(Document())
    desk.canvas.add_kind("Input")
    desk.canvas.add_kind("Linear")
    assert desk.kinds() == ["Input", "Linear"]
    assert desk.edges() == {(1, 2)}
    assert desk.places()[2] == (desk.places()[1][0], desk.places()[1][1] + 17 + 40 + 32)


def test_painting_goes_on_when_one_node_cannot_be_painted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from designer.ui.canvas import nodes

    desk.show(chain())
    painted: list[int] = []
    paint_card = nodes.paint_card

    def paint(ink: object, card: object) -> None:
        painted.append(card.id)  # type: ignore[attr-defined]
        if card.id == 2:  # type: ignore[attr-defined]
            raise ValueError("this node is broken")
        paint_card(ink, card)  # type: ignore[arg-type]

    said: list[str] = []
    desk.canvas.said.connect(said.append)
    monkeypatch.setattr(nodes, "paint_card", paint)
    desk.hand.click(0, 240)
    desk.canvas.zoom_to(120)
    desk.canvas.view.viewport().repaint()
    assert {1, 2, 3, 4} <= set(painted)
    painted.clear()
    desk.canvas.zoom_to(130)
    desk.canvas.view.viewport().repaint()
    assert painted == [1, 3, 4]
    assert "Node 2 could not be painted" in caplog.text
    assert "fc1 could not be painted; the log says why." in said


def test_tab_takes_the_name_like_enter(desk: Desk) -> None:
    editor = desk.show(chain())
    desk.hand.click(0, 120)
    desk.hand.key(Qt.Key.Key_F2)
    desk.hand.type("first.half")
    desk.hand.key(Qt.Key.Key_Tab)
    assert editor.document.graph.nodes[2].name == "first.half"
    assert desk.hand.focus() is desk.canvas.view


def test_with_a_wire_selected_tab_adds_into_it(desk: Desk) -> None:
    editor = desk.show(chain())
    desk.hand.click(2, 190)
    desk.hand.key(Qt.Key.Key_Tab)
    desk.hand.type("linear 16")
    desk.hand.key(Qt.Key.Key_Return)
    assert desk.edges() == {(1, 2), (2, 5), (5, 3), (3, 4)}
    assert editor.document.graph.nodes[5].option("out_features") == 16
    assert len(editor.steps) == 1
    cards = desk.canvas.stage.drawing.cards
    assert cards[2].box.bottom < cards[5].box.y
    assert cards[5].box.bottom < cards[3].box.y


def test_a_layer_is_not_put_onto_another_one(desk: Desk) -> None:
    desk.show(chain())
    desk.hand.double_click(150, 120)
    desk.hand.type("relu")
    desk.hand.key(Qt.Key.Key_Return)
    cards = desk.canvas.stage.drawing.cards
    assert not cards[5].box.meets(cards[2].box)


def test_the_canvas_is_imported_without_what_the_first_paint_must_not_wait_for() -> None:
    code = (
        "import sys, designer.ui.canvas; "
        "print([m for m in ('networkx', 'numpy', 'torch') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
