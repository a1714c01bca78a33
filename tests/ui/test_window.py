"""The window: its measures, what it says, its panels, and what it remembers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from designer.ui.actions import ACTIONS, UnmatchedActionError
from designer.ui.panels import DOCK_TABS
from designer.ui.widgets.buttons import IconButton
from designer.ui.window import DocumentTab, MainWindow, Panels

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytestqt.qtbot import QtBot

    from designer.ui.actions import Choice
    from designer.ui.theme import Theme

OWN = {
    *("view.theme", "view.left", "view.right", "view.dock"),
    *("view.next-panel", "view.previous-panel", "help.search"),
}


class Canvas(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)


def page(height: int) -> QWidget:
    """A panel with a field in it, as high as that."""
    result = QWidget()
    column = QVBoxLayout(result)
    column.setContentsMargins(0, 0, 0, 0)
    column.addWidget(QLineEdit())
    column.addStretch(1)
    result.setMinimumHeight(height)
    return result


class Desk:
    """A window and what was done in it."""

    def __init__(self, theme: Theme, state: Mapping[str, object] | None = None) -> None:
        self.done: list[str] = []
        self.panels = Panels(
            palette=QLineEdit(),
            outline=QWidget(),
            canvas=Canvas(),
            inspector=page(300),
            variables=page(100),
            totals=page(200),
            problems=QPushButton("Insert Flatten"),
            code=QLabel("code"),
            code_tools=QLabel("PyTorch module"),
        )
        self.window = MainWindow(theme, self.panels, self.handlers(), self.choices(), state)

    def handlers(self) -> dict[str, Callable[[], object]]:
        return {a.id: self._handler(a.id) for a in ACTIONS if not a.choices and a.id not in OWN}

    def choices(self) -> dict[str, Callable[[], list[Choice]]]:
        return {a.id: list for a in ACTIONS if a.choices}

    def _handler(self, name: str) -> Callable[[], object]:
        def handle() -> None:
            self.done.append(name)

        return handle

    def show(self, qtbot: QtBot, width: int = 1600, height: int = 1000) -> MainWindow:
        qtbot.addWidget(self.window)
        self.window.resize(width, height)
        with qtbot.waitActive(self.window):
            self.window.show()
            self.window.activateWindow()
        return self.window


@pytest.fixture
def desk(theme: Theme) -> Desk:
    return Desk(theme)


@pytest.fixture
def window(qtbot: QtBot, desk: Desk) -> MainWindow:
    return desk.show(qtbot)


def with_focus() -> QWidget:
    widget = QApplication.focusWidget()
    assert widget is not None
    return widget


def place(window: QWidget, widget: QWidget) -> tuple[int, int, int, int]:
    """Where `widget` is in the window, as x, y, width, height."""
    rect = QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())
    return rect.x(), rect.y(), rect.width(), rect.height()


def test_the_measures_are_those_of_the_design(window: MainWindow, desk: Desk) -> None:
    assert place(window, window.top_bar) == (0, 0, 1600, 44)
    assert place(window, window.left) == (0, 44, 247, 930)
    assert place(window, desk.panels.canvas) == (248, 44, 1008, 718)
    assert place(window, window.right) == (1257, 44, 343, 930)
    assert place(window, window.dock) == (248, 763, 1008, 211)
    assert place(window, window.status) == (0, 974, 1600, 26)
    assert place(window, window.right.tabs)[3] == 36
    assert place(window, window.dock.tabs)[3] == 34


def test_the_controls_of_the_top_bar_are_where_the_design_has_them(window: MainWindow) -> None:
    assert place(window, window.top_bar.search)[1:] == (8, 208, 28)
    right_edge = place(window, window.top_bar.search)[0] + 208
    assert right_edge == pytest.approx(1447, abs=2)


def test_side_panels_own_the_corners(window: MainWindow) -> None:
    for side in (window.left, window.right):
        assert place(window, side)[1] + side.height() == place(window, window.status)[1]


def test_a_missing_handler_is_refused_at_the_start(theme: Theme, desk: Desk) -> None:
    handlers = desk.handlers()
    del handlers["file.export"]
    with pytest.raises(UnmatchedActionError, match=r"file\.export"):
        MainWindow(theme, desk.panels, handlers, desk.choices(), {})


def test_the_title_is_in_the_middle(window: MainWindow) -> None:
    window.set_title("GPT-2 small", edited=False)
    x, _, width, _ = place(window, window.top_bar._title)
    assert x + width / 2 == pytest.approx(800, abs=1)
    assert window.top_bar.title() == "GPT-2 small Saved"
    assert not window.isWindowModified()
    window.set_title("GPT-2 small", edited=True)
    assert window.top_bar.title() == "GPT-2 small Edited"
    assert window.isWindowModified()


@pytest.mark.skipif(sys.platform == "darwin", reason="there the menus are not in the window")
@pytest.mark.parametrize("width", [960, 1079, 1280, 2400])
def test_the_title_covers_nothing_at_any_width(qtbot: QtBot, desk: Desk, width: int) -> None:
    window = desk.show(qtbot, width)
    window.set_title("A network whose name is rather long, in fact longer than the bar", True)
    bar = window.top_bar
    title = QRect(*place(window, bar._title))
    for other in (bar._left, bar._right):
        assert not title.intersects(QRect(*place(window, other)))
    assert title.width() > 80


def test_undo_and_redo_follow_their_actions(qtbot: QtBot, window: MainWindow, desk: Desk) -> None:
    undo = next(b for b in window.top_bar.findChildren(IconButton) if b.text() == "Undo")
    assert undo.toolTip() == "Undo (Ctrl Z)"
    assert not undo.isEnabled()
    window.commands.update({"can-undo": True})
    QTest.mouseClick(undo, Qt.MouseButton.LeftButton)
    assert desk.done == ["edit.undo"]


def test_the_theme_button_changes_the_theme(qtbot: QtBot, window: MainWindow, theme: Theme) -> None:
    dark = window.grab().toImage()
    QTest.mouseClick(window.top_bar.theme_button, Qt.MouseButton.LeftButton)
    assert theme.name == "light"
    assert window.grab().toImage() != dark


def test_the_canvas_has_the_keyboard_first(qtbot: QtBot, window: MainWindow, desk: Desk) -> None:
    assert desk.panels.canvas.hasFocus()
    window.commands.update({"has-document": True})
    QTest.keyClick(desk.panels.canvas, Qt.Key.Key_Tab)
    assert desk.done == ["insert.quick-add"]


def test_tabs_appear_with_the_second_document(qtbot: QtBot, window: MainWindow) -> None:
    with qtbot.assertNotEmitted(window.document_chosen):
        window.set_documents([DocumentTab("one")], 0)
        assert window.documents.isHidden()
        window.set_documents([DocumentTab("one"), DocumentTab("a & b", True, "/x/a & b")], 1)
    assert not window.documents.isHidden()
    assert window.documents.currentIndex() == 1
    assert window.documents.tabText(1) == "a && b •"
    assert window.documents.tabToolTip(1) == "/x/a & b"


def test_a_document_is_chosen_and_closed_by_its_tab(qtbot: QtBot, window: MainWindow) -> None:
    window.set_documents([DocumentTab("one"), DocumentTab("two")], 0)
    with qtbot.waitSignal(window.document_chosen) as chosen:
        window.documents.setCurrentIndex(1)
    assert chosen.args == [1]
    close = window.documents.tabButton(0, window.documents.ButtonPosition.RightSide)
    with qtbot.waitSignal(window.document_close_asked) as closed:
        QTest.mouseClick(close, Qt.MouseButton.LeftButton)
    assert closed.args == [0]


def test_the_status_line_says_what_it_is_told(window: MainWindow) -> None:
    window.set_state("error", "1 shape disagrees: fc1")
    window.status.set_left("10 layers", "", "1 selected")
    window.status.set_right("B = 1", "", "Recomputed in 0.2 ms", "90%")
    assert window.status.texts() == [
        *("1 shape disagrees: fc1", "10 layers", "1 selected"),
        *("B = 1", "Recomputed in 0.2 ms", "90%"),
    ]
    assert window.status.state.accessibleName() == "1 shape disagrees: fc1"
    with pytest.raises(KeyError):
        window.set_state("bad", "x")


def test_each_state_has_its_own_colour(window: MainWindow) -> None:
    looks = []
    for kind in ("ok", "error", "warn", "hint"):
        window.set_state(kind, "All shapes agree")
        looks.append(window.status.state.grab().toImage())
    assert all(one != other for i, one in enumerate(looks) for other in looks[:i])


def test_a_click_on_the_state_shows_the_problems(qtbot: QtBot, window: MainWindow) -> None:
    window.show_code()
    window.toggle_dock()
    QTest.mouseClick(window.status.state, Qt.MouseButton.LeftButton)
    assert window.dock.is_open()
    assert window.dock.tabs.current() == 0


def test_badges(window: MainWindow) -> None:
    window.set_problem_count(1234, errors=2)
    window.set_variable_count(5)
    assert window.dock.tabs.buttons[0].badge() == "1,234"
    assert window.right.tabs.buttons[1].badge() == "5"


def test_the_dock_folds_down_to_its_tabs_and_comes_back(
    qtbot: QtBot, window: MainWindow, desk: Desk
) -> None:
    before = window.dock.height()
    QTest.keyClick(desk.panels.canvas, Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier)
    assert window.dock.height() == DOCK_TABS
    assert not window.commands["view.dock"].isChecked()
    QTest.mouseClick(window.dock.chevron, Qt.MouseButton.LeftButton)
    assert window.dock.height() == before
    assert window.commands["view.dock"].isChecked()


def test_a_tab_of_the_folded_dock_unfolds_it(qtbot: QtBot, window: MainWindow) -> None:
    window.toggle_dock()
    QTest.mouseClick(window.dock.tabs.buttons[1], Qt.MouseButton.LeftButton)
    assert window.dock.is_open()
    assert window.dock.stack.currentIndex() == 1


def test_tools_show_with_their_tab(window: MainWindow, desk: Desk) -> None:
    tools = desk.panels.code_tools
    assert tools is not None
    assert tools.isHidden()
    window.show_code()
    assert tools.isVisible()
    window.toggle_dock()
    assert tools.isHidden()
    window.show_problems()
    assert tools.isHidden()


@pytest.mark.parametrize(
    ("key", "side", "action"),
    [(Qt.Key.Key_B, "left", "view.left"), (Qt.Key.Key_I, "right", "view.right")],
)
def test_a_side_panel_is_hidden_and_comes_back_as_wide(
    qtbot: QtBot, window: MainWindow, desk: Desk, key: Qt.Key, side: str, action: str
) -> None:
    panel: QWidget = getattr(window, side)
    before = panel.width()
    QTest.keyClick(desk.panels.canvas, key, Qt.KeyboardModifier.ControlModifier)
    assert panel.isHidden()
    assert not window.commands[action].isChecked()
    QTest.keyClick(desk.panels.canvas, key, Qt.KeyboardModifier.ControlModifier)
    assert panel.width() == before
    assert window.commands[action].isChecked()


def test_side_panels_keep_to_their_limits(window: MainWindow) -> None:
    window._across.setSizes([10, 1000, 2000])
    assert window.left.width() == 199
    assert window.right.width() == 479
    window._across.setSizes([2000, 100, 10])
    assert window.left.width() == 399
    assert window.right.width() == 299


def test_the_totals_follow_the_inspector_and_stay_when_it_is_long(
    window: MainWindow, desk: Desk
) -> None:
    area = window.right.area
    assert place(window, desk.panels.totals)[1] == 44 + 36 + 300 + 1
    desk.panels.inspector.setMinimumHeight(3000)
    QApplication.processEvents()
    assert area.totals.height() == 200
    assert area.totals.geometry().bottom() == area.height() - 1
    desk.panels.totals.setMinimumHeight(3000)
    QApplication.processEvents()
    assert area.totals.height() == pytest.approx(area.height() * 0.45, abs=2)


def test_variables_come_to_the_front(window: MainWindow, desk: Desk) -> None:
    window.toggle_right()
    window.show_variables()
    assert desk.panels.variables.isVisible()
    assert not desk.panels.inspector.isVisible()
    assert place(window, desk.panels.totals)[1] == 44 + 36 + 100 + 1
    window.show_inspector()
    assert desk.panels.inspector.isVisible()


def test_f6_goes_round_the_panels_that_are_shown(
    qtbot: QtBot, window: MainWindow, desk: Desk
) -> None:
    def owner() -> QWidget:
        focus = with_focus()
        places = (desk.panels.canvas, window.dock, window.right, window.left)
        return next(p for p in places if p is focus or p.isAncestorOf(focus))

    def press(modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> QWidget:
        QTest.keyClick(with_focus(), Qt.Key.Key_F6, modifier)
        return owner()

    assert [press(), press(), press(), press()] == [
        *(window.dock, window.right, window.left, desk.panels.canvas)
    ]
    assert press(Qt.KeyboardModifier.ShiftModifier) is window.left
    window.toggle_right()
    assert [press(), press(), press()] == [desk.panels.canvas, window.dock, window.left]


def test_f6_goes_where_a_panel_wants_the_keyboard(window: MainWindow, desk: Desk) -> None:
    asked = desk.panels.problems
    window.dock.setFocusProxy(asked)
    QTest.keyClick(with_focus(), Qt.Key.Key_F6)
    assert with_focus() is asked


def test_the_search_for_actions_opens_under_its_field(
    qtbot: QtBot, window: MainWindow, desk: Desk
) -> None:
    canvas = desk.panels.canvas
    QTest.keyClick(canvas, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    frame = window.search.frame().translated(window.search.pos())
    field = QRect(*place(window, window.top_bar.search))
    assert frame.right() == pytest.approx(field.right(), abs=1)
    assert field.bottom() < frame.top() < field.bottom() + 8
    QTest.keyClicks(window.search.field, "left panel")
    QTest.keyClick(window.search.field, Qt.Key.Key_Return)
    assert window.left.isHidden()
    assert canvas.hasFocus()


def test_what_was_arranged_is_restored(qtbot: QtBot, theme: Theme, window: MainWindow) -> None:
    window.resize(1300, 800)
    window._across.setSizes([299, 598, 401])
    window._middle.setSizes([400, 328])
    window.show_code()
    window.toggle_left()
    state = window.state()
    other = Desk(theme, state)
    again = other.show(qtbot, 1300, 800)
    assert (again.right.width(), again.dock.height()) == (
        window.right.width(),
        window.dock.height(),
    )
    assert again.left.isHidden()
    assert again.dock.tabs.current() == 1
    again.toggle_left()
    assert again.left.width() == 299
    assert again.state().keys() == state.keys()


def test_a_folded_dock_is_restored_folded_and_unfolds_to_its_height(
    qtbot: QtBot, theme: Theme, window: MainWindow
) -> None:
    window._middle.setSizes([500, 429])
    height = window.dock.height()
    window.toggle_dock()
    again = Desk(theme, window.state()).show(qtbot)
    assert again.dock.height() == DOCK_TABS
    again.toggle_dock()
    assert again.dock.height() == height


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"left": "wide", "right": None, "dock": True, "geometry": 7, "dock-tab": "x"},
        {"left": 10**9, "right": -5, "dock": -1, "geometry": "§§§", "left-shown": "no"},
    ],
    ids=["empty", "wrong types", "wrong values"],
)
def test_a_broken_state_does_no_harm(qtbot: QtBot, theme: Theme, state: dict[str, object]) -> None:
    window = Desk(theme, state).show(qtbot)
    assert 199 <= window.left.width() <= 399
    assert 299 <= window.right.width() <= 479
    assert window.dock.height() >= 100


def test_closing_can_be_refused(window: MainWindow) -> None:
    window.ask_before_closing(lambda: False)
    assert not window.close()
    assert window.isVisible()
    window.ask_before_closing(lambda: True)
    assert window.close()


@pytest.mark.parametrize("scale", [0.9, 1.25, 1.5])
def test_the_whole_window_scales(
    qapp: QApplication, qtbot: QtBot, theme: Theme, desk: Desk, scale: float
) -> None:
    window = desk.show(qtbot)
    theme.apply(qapp, "dark", scale)
    QApplication.processEvents()
    assert window.top_bar.height() == round(44 * scale)
    assert window.status.height() == round(26 * scale)
    assert window.dock.tabs.height() == round(34 * scale)
    assert window.left.minimumWidth() == round(200 * scale) - 1
