"""The small controls: what they show, how they are used by keyboard, what screen readers hear."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QColor, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from designer.ui.widgets.boxes import Card, Divider, FormulaBox, IconLabel, ShareBar
from designer.ui.widgets.buttons import (
    ChipButton,
    Control,
    IconButton,
    TextButton,
    Toggle,
    follow,
)
from designer.ui.widgets.fields import ComboBox, SearchButton, SearchField
from designer.ui.widgets.popup import MARGIN, PopupFrame, shadow
from designer.ui.widgets.tabs import PanelTabs, TabButton
from designer.ui.widgets.text import (
    ElidedLabel,
    KeyValueRow,
    SectionTitle,
    Span,
    SpanLabel,
    TextLabel,
    paragraph,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QImage
    from pytestqt.qtbot import QtBot

    from designer.ui.theme import Theme


def pixels(image: QImage, colour: QColor) -> int:
    """How many pixels have exactly this colour."""
    wanted = colour.rgb()
    return sum(
        image.pixel(x, y) == wanted for x in range(image.width()) for y in range(image.height())
    )


def shown(widget: QWidget) -> QImage:
    return widget.grab().toImage()


def every_control(theme: Theme) -> list[Control]:
    return [
        IconButton(theme, "undo", "Undo"),
        TextButton(theme, "Insert Flatten"),
        TextButton(theme, "Export…", "export", primary=True),
        ChipButton(theme, "Linear", "linear", "f-linear"),
        Toggle(theme, "bias"),
        SearchButton(theme, "Search actions", "Ctrl K", 208),
        TabButton(theme, "Problems"),
    ]


@pytest.mark.parametrize("name", ["dark", "light"])
@pytest.mark.parametrize("scale", [0.9, 1.0, 1.5])
def test_every_control_is_drawn_at_every_scale(
    qapp: QApplication, qtbot: QtBot, theme: Theme, name: str, scale: float
) -> None:
    controls = every_control(theme)
    theme.apply(qapp, name, scale)
    for control in controls:
        qtbot.addWidget(control)
        image = shown(control)
        assert len({image.pixel(x, image.height() // 2) for x in range(image.width())}) > 1
        control.setEnabled(False)
        assert shown(control) != image


def test_every_control_has_a_name_and_takes_the_keyboard(qtbot: QtBot, theme: Theme) -> None:
    for control in every_control(theme):
        qtbot.addWidget(control)
        assert control.accessibleName()
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus


@pytest.fixture
def row(qtbot: QtBot, theme: Theme) -> QWidget:
    """A window with two switches, without the keyboard."""
    window = QWidget()
    layout = QHBoxLayout(window)
    window.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    layout.addWidget(Toggle(theme, "bias"))
    layout.addWidget(Toggle(theme, "Trainable"))
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    window.setFocus()
    return window


def test_a_switch_is_toggled_by_keyboard_and_by_mouse(qtbot: QtBot, row: QWidget) -> None:
    toggle = row.findChildren(Toggle)[0]
    QTest.keyClick(row, Qt.Key.Key_Tab)
    assert toggle.hasFocus()
    QTest.keyClick(toggle, Qt.Key.Key_Space)
    assert toggle.isChecked()
    QTest.mouseClick(toggle, Qt.MouseButton.LeftButton)
    assert not toggle.isChecked()


def test_a_switch_that_is_on_is_filled_with_the_accent(row: QWidget, theme: Theme) -> None:
    toggle = row.findChildren(Toggle)[0]
    assert pixels(shown(toggle), theme.colour("accent-fill")) == 0
    toggle.setChecked(True)
    assert pixels(shown(toggle), theme.colour("accent-fill")) > 100


def test_the_focus_shows_after_a_key_only(qtbot: QtBot, row: QWidget, theme: Theme) -> None:
    toggle = row.findChildren(Toggle)[0]
    quiet = shown(toggle)
    QTest.keyClick(row, Qt.Key.Key_Tab)
    assert shown(toggle) != quiet
    QTest.mouseClick(toggle, Qt.MouseButton.LeftButton)
    QTest.mouseClick(toggle, Qt.MouseButton.LeftButton)
    QTest.mouseMove(row, QPoint(1, 1))
    assert toggle.hasFocus()
    assert shown(toggle) == quiet


def test_a_button_follows_its_action(qtbot: QtBot, theme: Theme) -> None:
    done: list[str] = []
    action, button = QAction("Undo"), IconButton(theme, "undo", "Undo")
    qtbot.addWidget(button)
    action.setEnabled(False)
    action.triggered.connect(lambda: done.append("undo"))
    follow(button, action)
    assert not button.isEnabled()
    action.setEnabled(True)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert done == ["undo"]


def test_labels_show_markup_as_it_is(qtbot: QtBot, theme: Theme) -> None:
    label = TextLabel(theme, "<b>x</b>")
    qtbot.addWidget(label)
    plain = TextLabel(theme, "x")
    qtbot.addWidget(plain)
    assert label.sizeHint().width() > 3 * plain.sizeHint().width()


def test_a_label_takes_its_colour_from_the_theme(qtbot: QtBot, theme: Theme) -> None:
    label = TextLabel(theme, "████", "total", "ok")
    qtbot.addWidget(label)
    assert pixels(shown(label), theme.colour("ok")) > 20
    theme.toggle()
    assert pixels(shown(label), theme.colour("ok")) > 20
    label.set_token("error")
    assert pixels(shown(label), theme.colour("error")) > 20


def test_a_paragraph_wraps(qtbot: QtBot, theme: Theme) -> None:
    label = paragraph(theme, "A number or an expression. mlp_down takes 3,072: agrees.")
    qtbot.addWidget(label)
    assert label.heightForWidth(200) >= 2 * label.heightForWidth(900)


def test_a_name_elides_in_the_middle_and_its_tooltip_is_whole(qtbot: QtBot, theme: Theme) -> None:
    label = ElidedLabel(theme, "encoder_layer_with_a_long_name_7")
    qtbot.addWidget(label)
    label.resize(120, 18)
    label.grab()
    assert label.shown().startswith("enc")
    assert label.shown().endswith("_7")
    assert "…" in label.shown()
    assert label.toolTip() == label.text()
    label.setText("fc1")
    assert (label.shown(), label.toolTip()) == ("fc1", "")
    label.setText("encoder_layer_with_a_long_name_8")
    assert label.toolTip() == label.text()
    label.resize(600, 18)
    label.grab()
    assert label.shown() == label.text()
    assert label.toolTip() == ""


def test_a_number_never_elides_but_takes_its_short_form(qtbot: QtBot, theme: Theme) -> None:
    label = SpanLabel(theme)
    qtbot.addWidget(label)
    label.set_spans(Span("124,439,808"), short=(Span("124.4M"),))
    label.resize(200, 18)
    label.grab()
    assert (label.shown(), label.toolTip()) == ("124,439,808", "")
    label.resize(50, 18)
    label.grab()
    assert (label.shown(), label.toolTip()) == ("124.4M", "124,439,808")
    assert label.minimumSizeHint().width() < label.sizeHint().width()


def test_a_line_is_as_high_as_its_largest_type(qtbot: QtBot, theme: Theme) -> None:
    small, large = SpanLabel(theme, Span("1")), SpanLabel(theme, Span("1", "text", "total"))
    qtbot.addWidget(small)
    qtbot.addWidget(large)
    assert small.sizeHint().height() == 18
    assert large.sizeHint().height() >= 23


def test_spans_are_heard_as_one_line(qtbot: QtBot, theme: Theme) -> None:
    label = SpanLabel(theme, Span("fp32", "text-3"), Span("474.7 MiB", gap=5))
    qtbot.addWidget(label)
    assert label.accessibleName() == "fp32 474.7 MiB"


def test_spans_have_their_own_colours_and_keep_to_the_right(qtbot: QtBot, theme: Theme) -> None:
    label = SpanLabel(theme, align=Qt.AlignmentFlag.AlignRight)
    qtbot.addWidget(label)
    label.set_spans(Span("██", "error", "total"), Span("██", "ok", "total", 8))
    label.resize(300, 30)
    image = shown(label)
    assert pixels(image, theme.colour("error")) > 20
    assert pixels(image.copy(270, 0, 30, 30), theme.colour("ok")) > 20
    assert pixels(image.copy(0, 0, 150, 30), theme.colour("error")) == 0


def test_a_key_value_row_reads_in_order(qtbot: QtBot, theme: Theme) -> None:
    row = KeyValueRow(theme, "weight", 96)
    qtbot.addWidget(row)
    row.set_middle(Span("[3072, 768]", "text-2", "mono"))
    row.set_right(Span("2,359,296"))
    assert row.text() == "weight [3072, 768] 2,359,296"
    assert row.height() == 24
    row.set_key("bias")
    assert row.text().startswith("bias")


def test_a_section_title_has_a_note(qtbot: QtBot, theme: Theme) -> None:
    title = SectionTitle(theme, "Totals", "whole design")
    qtbot.addWidget(title)
    title.set_text("Totals of this block")
    title.set_note("one copy")
    assert [label.text() for label in title.findChildren(TextLabel)] == [
        "Totals of this block",
        "one copy",
    ]


def test_tabs_choose_by_click_and_by_arrow(qtbot: QtBot, theme: Theme) -> None:
    tabs = PanelTabs(theme, ("Problems", "Code"), 14, 34)
    qtbot.addWidget(tabs)
    with qtbot.waitActive(tabs):
        tabs.show()
        tabs.activateWindow()
    with qtbot.waitSignal(tabs.selected) as chosen:
        QTest.mouseClick(tabs.buttons[1], Qt.MouseButton.LeftButton)
    assert chosen.args == [1]
    assert tabs.current() == 1
    tabs.buttons[1].setFocus()
    with qtbot.waitSignal(tabs.selected) as chosen:
        QTest.keyClick(tabs.buttons[1], Qt.Key.Key_Left)
    assert (chosen.args, tabs.current()) == ([0], 0)


def test_a_badge_is_heard_and_red_in_alarm(qtbot: QtBot, theme: Theme) -> None:
    tabs = PanelTabs(theme, ("Problems", "Code"), 14, 34)
    qtbot.addWidget(tabs)
    button = tabs.buttons[0]
    before = button.sizeHint().width()
    tabs.set_badge(0, "2", alarm=True)
    assert button.accessibleName() == "Problems 2"
    assert button.sizeHint().width() > before
    assert pixels(shown(button), theme.colour("error-fill")) > 50
    tabs.set_badge(0, "0")
    assert pixels(shown(button), theme.colour("error-fill")) == 0


def test_choosing_a_tab_moves_nothing(qtbot: QtBot, theme: Theme) -> None:
    tabs = PanelTabs(theme, ("Problems", "Code"), 14, 34)
    qtbot.addWidget(tabs)
    before = [button.sizeHint() for button in tabs.buttons]
    tabs.select(1)
    assert [button.sizeHint() for button in tabs.buttons] == before


def test_a_search_field_shows_its_key_until_something_is_typed(qtbot: QtBot, theme: Theme) -> None:
    field = SearchField(theme, "Search 153 layers", "/")
    qtbot.addWidget(field)
    field.resize(220, 28)
    empty = shown(field).copy(190, 4, 26, 20)
    field.setText("c")
    assert shown(field).copy(190, 4, 26, 20) != empty
    assert field.accessibleName() == "Search 153 layers"
    assert field.placeholderText() == "Search 153 layers"


def test_escape_clears_a_search_field_then_leaves_it(qtbot: QtBot, theme: Theme) -> None:
    field = SearchField(theme, "Search layers")
    qtbot.addWidget(field)
    QTest.keyClicks(field, "conv")
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == ""
    with qtbot.waitSignal(field.left):
        QTest.keyClick(field, Qt.Key.Key_Escape)


def test_a_combo_box_has_an_arrow_and_ignores_the_wheel(qtbot: QtBot, theme: Theme) -> None:
    box = ComboBox(theme, "padding_mode")
    qtbot.addWidget(box)
    box.addItems(["zeros", "reflect"])
    box.resize(200, 28)
    arrow = shown(box).copy(174, 6, 24, 16)
    assert pixels(arrow, theme.colour("field")) < 24 * 16
    assert box.accessibleName() == "padding_mode"
    turn = QWheelEvent(
        QPointF(9, 9),
        QPointF(9, 9),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(box, turn)
    assert box.currentText() == "zeros"


def test_a_compact_search_button_says_its_words_in_a_tooltip(qtbot: QtBot, theme: Theme) -> None:
    button = SearchButton(theme, "Search actions", "Ctrl K", 208)
    qtbot.addWidget(button)
    assert button.sizeHint().width() == 208
    button.set_compact(True)
    assert button.sizeHint().width() < 40
    assert button.toolTip() == "Search actions (Ctrl K)"


def test_a_formula_shows_its_lines(qtbot: QtBot, theme: Theme) -> None:
    box = FormulaBox(theme, "How this is counted")
    qtbot.addWidget(box)
    box.set_lines(
        [[Span("in × out")], [Span("768 × 10 = "), Span("7,680", "text", "mono-strong")]],
        ["", "22.8%"],
    )
    assert box.text() == "in × out\n768 × 10 = 7,680"
    box.set_lines([[Span("out")]])
    assert box.text() == "out"
    copy = box.findChildren(IconButton)[0]
    with qtbot.waitSignal(box.copied):
        QTest.mouseClick(copy, Qt.MouseButton.LeftButton)


def test_shares_are_as_wide_as_they_are_and_none_is_invisible(qtbot: QtBot, theme: Theme) -> None:
    bar = ShareBar(theme, "weights and biases", 4)
    qtbot.addWidget(bar)
    bar.resize(200, 4)
    bar.set_parts((0.5, "accent"), (0.0001, "error"), (0.0, "ok"))
    assert bar.widths() == [100, 2, 0]
    image = shown(bar)
    assert pixels(image.copy(2, 1, 96, 2), theme.colour("accent")) == 192
    assert pixels(image, theme.colour("ok")) == 0


def test_a_small_share_takes_its_room_from_the_largest(qtbot: QtBot, theme: Theme) -> None:
    bar = ShareBar(theme, "weights and biases", 4)
    qtbot.addWidget(bar)
    bar.resize(200, 4)
    bar.set_parts((0.9999, "accent"), (0.0001, "error"), track=False)
    image = shown(bar)
    assert image.pixelColor(198, 2).red() > image.pixelColor(198, 2).blue()
    assert image.pixelColor(190, 2).name() == theme.colour("accent").name()


def test_a_hollow_share_is_an_outline(qtbot: QtBot, theme: Theme) -> None:
    bar = ShareBar(theme, "lm_head", 5)
    qtbot.addWidget(bar)
    bar.resize(100, 5)
    bar.set_parts((1.0, "g-linear"), track=False)
    full = pixels(shown(bar), theme.colour("g-linear"))
    bar.set_parts((1.0, "g-linear"), hollow=True, track=False)
    assert 0 < pixels(shown(bar), theme.colour("g-linear")) < full


@pytest.mark.parametrize(
    "make",
    [Divider, Card, lambda theme: IconLabel(theme, "check", "ok")],
    ids=["divider", "card", "icon"],
)
def test_boxes_follow_the_theme(
    qtbot: QtBot, theme: Theme, make: Callable[[Theme], QWidget]
) -> None:
    widget = make(theme)
    qtbot.addWidget(widget)
    widget.resize(60, widget.sizeHint().height() if widget.maximumHeight() < 99 else 40)
    dark = shown(widget)
    theme.toggle()
    assert shown(widget) != dark


class Desk:
    """A window with a field, a button and a popup over them."""

    def __init__(self, qtbot: QtBot, theme: Theme) -> None:
        self.window = QWidget()
        self.window.resize(600, 500)
        column = QVBoxLayout(self.window)
        self.field = QLineEdit()
        self.button = QPushButton("Elsewhere")
        column.addWidget(self.field)
        column.addWidget(self.button)
        self.popup = PopupFrame(theme, self.window, "Ways to fix fc1")
        self.inside = QLineEdit()
        self.popup.body.addWidget(self.inside)
        self.popup.setFocusProxy(self.inside)
        qtbot.addWidget(self.window)
        with qtbot.waitActive(self.window):
            self.window.show()
            self.window.activateWindow()
        self.field.setFocus()


@pytest.fixture
def desk(qtbot: QtBot, theme: Theme) -> Desk:
    return Desk(qtbot, theme)


def test_a_popup_takes_the_keyboard_and_gives_it_back(qtbot: QtBot, desk: Desk) -> None:
    desk.popup.open_at(QPoint(100, 100), 200)
    assert desk.inside.hasFocus()
    with qtbot.waitSignal(desk.popup.closed):
        QTest.keyClick(desk.inside, Qt.Key.Key_Escape)
    assert desk.popup.isHidden()
    assert desk.field.hasFocus()


def test_a_click_elsewhere_closes_a_popup_and_one_inside_does_not(qtbot: QtBot, desk: Desk) -> None:
    desk.popup.open_at(QPoint(100, 100), 200)
    QTest.mouseClick(desk.inside, Qt.MouseButton.LeftButton)
    assert desk.popup.isVisible()
    QTest.mouseClick(desk.button, Qt.MouseButton.LeftButton)
    assert desk.popup.isHidden()


def test_a_click_on_the_shadow_closes_a_popup(qtbot: QtBot, desk: Desk) -> None:
    desk.popup.open_at(QPoint(100, 100), 200)
    QTest.mouseClick(desk.popup, Qt.MouseButton.LeftButton, pos=QPoint(3, 30))
    assert desk.popup.isHidden()


@pytest.mark.parametrize("place", [QPoint(-50, -50), QPoint(590, 490), QPoint(200, 150)])
def test_a_popup_stays_inside_the_window(desk: Desk, place: QPoint) -> None:
    desk.popup.open_at(place, 200)
    frame = desk.popup.frame().translated(desk.popup.pos())
    assert desk.window.rect().adjusted(8, 8, -8, -8).contains(frame)
    assert frame.width() == 200


def test_a_popup_where_it_fits_is_where_it_was_asked_for(desk: Desk) -> None:
    desk.popup.open_at(QPoint(200, 150), 200)
    assert desk.popup.mapToParent(desk.popup.frame().topLeft()) == QPoint(200, 150)


@pytest.mark.parametrize("name", ["dark", "light"])
@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_a_shadow_is_drawn_once_and_fades_outwards(name: str, ratio: float, theme: Theme) -> None:
    image = shadow(name, ratio)
    assert shadow(name, ratio) is image
    middle = image.height() // 2
    alphas = [image.pixelColor(x, middle).alpha() for x in range(middle)]
    assert alphas == sorted(alphas)
    assert alphas[0] <= 3
    assert abs(alphas[-1] - (128 if name == "dark" else 41)) <= 3


def test_a_popup_darkens_what_is_around_it(desk: Desk, theme: Theme) -> None:
    theme.toggle()
    before = desk.window.grab().toImage()
    desk.popup.open_at(QPoint(200, 150), 200)
    after = desk.window.grab().toImage()
    below = QPoint(300, 150 + desk.popup.frame().height() + 8)
    assert after.pixelColor(below).lightness() < before.pixelColor(below).lightness()
    assert MARGIN.bottom() > MARGIN.top()
