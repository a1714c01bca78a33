"""The table of actions makes menus and keys, and lets no action be without effect."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QMenuBar, QVBoxLayout, QWidget

from designer.ui import icons
from designer.ui.actions import (
    ACTIONS,
    CANVAS,
    CONDITIONS,
    Choice,
    Commands,
    UnmatchedActionError,
    key_text,
)
from designer.ui.command_search import CommandSearch, ranked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytestqt.qtbot import QtBot

    from designer.ui.theme import Theme

Handlers = dict[str, "Callable[[], object]"]
Choices = dict[str, "Callable[[], Sequence[Choice]]"]


class Desk:
    """Handlers that remember what was done."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.recent: list[str] = []

    def handlers(self) -> Handlers:
        return {a.id: self._handler(a.id) for a in ACTIONS if not a.choices}

    def choices(self) -> Choices:
        return {a.id: self._recent for a in ACTIONS if a.choices}

    def _recent(self) -> list[Choice]:
        return [Choice(name, self._handler(name), f"/home/{name}") for name in self.recent]

    def _handler(self, name: str) -> Callable[[], object]:
        def handle() -> None:
            self.done.append(name)

        return handle


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def commands(theme: Theme, desk: Desk) -> Commands:
    return Commands(theme, desk.handlers(), desk.choices())


def test_ids_and_keys_are_unique() -> None:
    ids = Counter(action.id for action in ACTIONS)
    keys = Counter(key for action in ACTIONS for key in action.keys)
    assert [name for name, n in (ids + keys).items() if n > 1] == []


@pytest.mark.parametrize("action", ACTIONS, ids=lambda a: a.id)
def test_an_action_is_well_formed(action: object) -> None:
    found = next(a for a in ACTIONS if a is action)
    assert found.enabled in ("", *CONDITIONS)
    assert found.icon == "" or found.icon in icons.names()
    assert found.title[0].isupper()
    for key in found.keys:
        assert QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText) == key


def test_keys_without_a_modifier_belong_to_the_canvas() -> None:
    """A letter typed into a field is never a command."""
    bare = {a.id for a in ACTIONS for key in a.keys if len(key) == 1 and a.scope != CANVAS}
    assert bare == {"help.keys"}


def test_an_action_without_a_handler_is_refused(theme: Theme, desk: Desk) -> None:
    handlers = desk.handlers()
    del handlers["file.save"]
    with pytest.raises(UnmatchedActionError, match=r"file\.save"):
        Commands(theme, handlers, desk.choices())


def test_a_submenu_without_choices_is_refused(theme: Theme, desk: Desk) -> None:
    with pytest.raises(UnmatchedActionError, match=r"file\.example, file\.recent"):
        Commands(theme, desk.handlers(), {})


def test_a_handler_without_an_action_is_refused(theme: Theme, desk: Desk) -> None:
    with pytest.raises(UnmatchedActionError, match=r"file\.sav\b"):
        Commands(theme, {**desk.handlers(), "file.sav": print}, desk.choices())


def test_every_action_stands_in_its_menu_and_runs(
    qtbot: QtBot, commands: Commands, desk: Desk
) -> None:
    bar = QMenuBar()
    qtbot.addWidget(bar)
    commands.fill(bar)
    titles = [entry.text() for entry in bar.actions()]
    assert titles == ["File", "Edit", "View", "Insert", "Design", "Help"]
    commands.update(dict.fromkeys(CONDITIONS, True))
    for menu in bar.actions():
        for entry in menu.menu().actions():  # type: ignore[attr-defined]
            entry.trigger()
    assert sorted(desk.done) == sorted(a.id for a in ACTIONS if not a.choices)


def test_groups_of_a_menu_are_separated(qtbot: QtBot, commands: Commands) -> None:
    bar = QMenuBar()
    qtbot.addWidget(bar)
    commands.fill(bar)
    file = [e.text() or "-" for e in bar.actions()[0].menu().actions()]  # type: ignore[attr-defined]
    assert file == [
        *("New", "Open…", "Open recent", "Open example", "Start page", "-"),
        *("Save", "Save as…", "Close tab", "-", "Export…", "-", "Quit"),
    ]


def test_conditions_switch_actions(commands: Commands) -> None:
    assert not commands["edit.undo"].isEnabled()
    assert commands["file.new"].isEnabled()
    commands.update({"can-undo": True})
    assert commands["edit.undo"].isEnabled()
    assert not commands["edit.redo"].isEnabled()


def test_a_submenu_shows_what_can_be_chosen_now(
    qtbot: QtBot, commands: Commands, desk: Desk
) -> None:
    bar = QMenuBar()
    qtbot.addWidget(bar)
    commands.fill(bar)
    file = bar.actions()[0].menu()
    submenu = file.actions()[2].menu()  # type: ignore[attr-defined]
    file.aboutToShow.emit()  # type: ignore[attr-defined]
    assert not submenu.menuAction().isEnabled()
    desk.recent = ["A & B", "cnn"]
    file.aboutToShow.emit()  # type: ignore[attr-defined]
    assert submenu.menuAction().isEnabled()
    assert [entry.text() for entry in submenu.actions()] == ["A && B", "cnn"]
    submenu.actions()[0].trigger()
    assert desk.done == ["A & B"]


def test_canvas_keys_act_on_the_canvas_only(qtbot: QtBot, commands: Commands, desk: Desk) -> None:
    window, canvas, field = QWidget(), QWidget(), QLineEdit()
    canvas.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    column = QVBoxLayout(window)
    column.addWidget(canvas)
    column.addWidget(field)
    qtbot.addWidget(window)
    commands.attach(window, canvas)
    commands.update(dict.fromkeys(CONDITIONS, True))
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    field.setFocus()
    QTest.keyClicks(field, "fl/?")
    QTest.keyClick(field, Qt.Key.Key_Backspace)
    assert (field.text(), desk.done) == ("fl/", [])
    QTest.keyClick(field, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    canvas.setFocus()
    for key in (Qt.Key.Key_F, Qt.Key.Key_L, Qt.Key.Key_Tab, Qt.Key.Key_Delete):
        QTest.keyClick(canvas, key)
    assert desk.done == [
        *("file.save", "view.fit-selection", "design.lock", "insert.quick-add", "edit.delete")
    ]


@pytest.mark.parametrize(
    ("key", "shown"),
    [("Ctrl+K", "Ctrl K"), ("Ctrl++", "Ctrl +"), ("Ctrl+-", "Ctrl −"), ("Alt+Return", "Alt Enter")],
)
def test_keys_read_as_on_the_keyboard(key: str, shown: str) -> None:
    assert key_text(key) == shown


def test_the_search_lists_what_can_be_used(commands: Commands, desk: Desk) -> None:
    desk.recent = ["cnn"]
    listed = [entry.title for entry, _ in ranked(commands.entries(), "")]
    assert "Open recent: cnn" in listed
    assert "New" in listed
    assert "Undo" not in listed


def test_the_search_puts_the_best_first_and_the_useless_last(commands: Commands) -> None:
    found = [entry.title for entry, _ in ranked(commands.entries(), "save")]
    assert found == ["Save", "Save as…", "Save block to library"]
    commands.update({"has-document": False, "can-undo": True})
    found = [entry.title for entry, _ in ranked(commands.entries(), "o")]
    assert found.index("Undo") < found.index("Export…")


@pytest.fixture
def search(qtbot: QtBot, theme: Theme, commands: Commands) -> CommandSearch:
    window = QWidget()
    window.resize(900, 700)
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    popup = CommandSearch(theme, window, commands.entries)
    popup.open_under(window.rect().center())
    popup.setProperty("window", window)
    return popup


def test_the_search_is_driven_by_keys(qtbot: QtBot, search: CommandSearch, desk: Desk) -> None:
    QTest.keyClicks(search.field, "zoom")
    shown = [search.list.item(row).text() for row in range(search.list.count())]
    assert shown == ["Zoom in", "Zoom out", "Zoom to 100%"]
    QTest.keyClick(search.field, Qt.Key.Key_Down)
    QTest.keyClick(search.field, Qt.Key.Key_Return)
    assert desk.done == ["view.zoom-out"]
    assert search.isHidden()


def test_the_search_says_when_nothing_matches(
    qtbot: QtBot, search: CommandSearch, desk: Desk
) -> None:
    QTest.keyClicks(search.field, "cnvx")
    assert search.list.isHidden()
    assert search._empty.text() == "No action matches cnvx."
    QTest.keyClick(search.field, Qt.Key.Key_Return)
    assert desk.done == []
    assert search.isVisible()


def test_what_cannot_be_used_does_not_run(qtbot: QtBot, search: CommandSearch, desk: Desk) -> None:
    QTest.keyClicks(search.field, "undo")
    QTest.keyClick(search.field, Qt.Key.Key_Return)
    assert desk.done == []


def test_escape_closes_the_search(qtbot: QtBot, search: CommandSearch) -> None:
    with qtbot.waitSignal(search.closed):
        QTest.keyClick(search.field, Qt.Key.Key_Escape)
    assert search.isHidden()


def test_the_search_draws_its_rows(search: CommandSearch, theme: Theme) -> None:
    search.field.setText("zoom")
    shown = search.list.viewport().grab().toImage()
    row = search.list.visualItemRect(search.list.item(0))
    assert shown.pixelColor(row.center()).name() == theme.colour("accent-tint").name()
