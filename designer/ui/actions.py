"""Every command of the window as data: one table for menus, keys and the search for actions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu

from designer.ui.icons import icon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from PySide6.QtWidgets import QMenuBar, QWidget

    from designer.ui.theme import Theme

WINDOW = "window"
CANVAS = "canvas"

HAS_DOCUMENT = "has-document"
CAN_UNDO = "can-undo"
CAN_REDO = "can-redo"
HAS_SELECTION = "has-selection"
HAS_ONE_SELECTED = "has-one-selected"
CAN_PASTE = "can-paste"
HAS_LAYERS = "has-layers"
HAS_PROBLEMS = "has-problems"
HAS_FIXES = "has-fixes"
HAS_BLOCK = "has-block"
IN_BLOCK = "in-block"
CONDITIONS = (
    HAS_DOCUMENT,
    CAN_UNDO,
    CAN_REDO,
    HAS_SELECTION,
    HAS_ONE_SELECTED,
    CAN_PASTE,
    HAS_LAYERS,
    HAS_PROBLEMS,
    HAS_FIXES,
    HAS_BLOCK,
    IN_BLOCK,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A command: its title, its keys as portable text, its menu and when it can be used.

    Keys of scope `canvas` act only while the canvas has the keyboard. Titles end in `…` where a
    dialog follows. A `choices` action is a submenu whose entries are asked for when it opens.
    """

    id: str
    title: str
    menu: str
    keys: tuple[str, ...] = ()
    group: int = 0
    enabled: str = ""
    icon: str = ""
    scope: str = WINDOW
    checkable: bool = False
    choices: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of a submenu: its title, what choosing it does, and a fuller text if any."""

    title: str
    run: Callable[[], object]
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the search for actions lists."""

    title: str
    key: str
    menu: str
    enabled: bool
    run: Callable[[], object]


_FILE = "File"
_EDIT = "Edit"
_VIEW = "View"
_INSERT = "Insert"
_DESIGN = "Design"
_HELP = "Help"

ACTIONS: tuple[Action, ...] = (
    Action(id="file.new", title="New", menu=_FILE, keys=("Ctrl+N",), icon="file"),
    Action(id="file.open", title="Open…", menu=_FILE, keys=("Ctrl+O",), icon="folder"),
    Action(id="file.recent", title="Open recent", menu=_FILE, choices=True),
    Action(id="file.example", title="Open example", menu=_FILE, choices=True),
    Action(id="file.start", title="Start page", menu=_FILE),
    Action(
        id="file.save",
        title="Save",
        menu=_FILE,
        keys=("Ctrl+S",),
        group=1,
        enabled=HAS_DOCUMENT,
    ),
    Action(
        id="file.save-as",
        title="Save as…",
        menu=_FILE,
        keys=("Ctrl+Shift+S",),
        group=1,
        enabled=HAS_DOCUMENT,
    ),
    Action(
        id="file.close",
        title="Close tab",
        menu=_FILE,
        keys=("Ctrl+W",),
        group=1,
        enabled=HAS_DOCUMENT,
    ),
    Action(
        id="file.export",
        title="Export…",
        menu=_FILE,
        keys=("Ctrl+E",),
        group=2,
        enabled=HAS_DOCUMENT,
        icon="export",
    ),
    Action(id="file.quit", title="Quit", menu=_FILE, keys=("Ctrl+Q",), group=3),
    Action(
        id="edit.undo",
        title="Undo",
        menu=_EDIT,
        keys=("Ctrl+Z",),
        enabled=CAN_UNDO,
        icon="undo",
    ),
    Action(
        id="edit.redo",
        title="Redo",
        menu=_EDIT,
        keys=("Ctrl+Shift+Z", "Ctrl+Y"),
        enabled=CAN_REDO,
        icon="redo",
    ),
    Action(
        id="edit.cut",
        title="Cut",
        menu=_EDIT,
        keys=("Ctrl+X",),
        group=1,
        enabled=HAS_SELECTION,
    ),
    Action(
        id="edit.copy",
        title="Copy",
        menu=_EDIT,
        keys=("Ctrl+C",),
        group=1,
        enabled=HAS_SELECTION,
        icon="copy",
    ),
    Action(
        id="edit.paste",
        title="Paste",
        menu=_EDIT,
        keys=("Ctrl+V",),
        group=1,
        enabled=CAN_PASTE,
    ),
    Action(
        id="edit.duplicate",
        title="Duplicate",
        menu=_EDIT,
        keys=("Ctrl+D",),
        group=1,
        enabled=HAS_SELECTION,
    ),
    Action(
        id="edit.delete",
        title="Delete",
        menu=_EDIT,
        keys=("Del", "Backspace"),
        group=1,
        enabled=HAS_SELECTION,
        scope=CANVAS,
    ),
    Action(
        id="edit.select-all",
        title="Select all",
        menu=_EDIT,
        keys=("Ctrl+A",),
        group=2,
        enabled=HAS_LAYERS,
    ),
    Action(
        id="edit.rename",
        title="Rename",
        menu=_EDIT,
        keys=("F2",),
        group=2,
        enabled=HAS_ONE_SELECTED,
    ),
    Action(
        id="edit.find",
        title="Find in design",
        menu=_EDIT,
        keys=("Ctrl+F",),
        group=2,
        enabled=HAS_DOCUMENT,
        icon="search",
    ),
    Action(id="view.zoom-in", title="Zoom in", menu=_VIEW, keys=("Ctrl++", "Ctrl+="), icon="plus"),
    Action(id="view.zoom-out", title="Zoom out", menu=_VIEW, keys=("Ctrl+-",), icon="minus"),
    Action(id="view.zoom-100", title="Zoom to 100%", menu=_VIEW, keys=("Ctrl+0",)),
    Action(
        id="view.fit-all",
        title="Fit all",
        menu=_VIEW,
        keys=("Shift+1", "Home"),
        enabled=HAS_LAYERS,
        icon="fit",
        scope=CANVAS,
    ),
    Action(
        id="view.fit-selection",
        title="Fit selection",
        menu=_VIEW,
        keys=("F", "."),
        enabled=HAS_SELECTION,
        icon="target",
        scope=CANVAS,
    ),
    Action(id="view.theme", title="Dark or light theme", menu=_VIEW, group=1),
    Action(
        id="view.left",
        title="Left panel",
        menu=_VIEW,
        keys=("Ctrl+B",),
        group=2,
        checkable=True,
    ),
    Action(
        id="view.right",
        title="Right panel",
        menu=_VIEW,
        keys=("Ctrl+I",),
        group=2,
        checkable=True,
    ),
    Action(id="view.dock", title="Dock", menu=_VIEW, keys=("Ctrl+J",), group=2, checkable=True),
    Action(id="view.next-panel", title="Next panel", menu=_VIEW, keys=("F6",), group=3),
    Action(
        id="view.previous-panel",
        title="Previous panel",
        menu=_VIEW,
        keys=("Shift+F6",),
        group=3,
    ),
    Action(
        id="insert.quick-add",
        title="Add a layer at the pointer",
        menu=_INSERT,
        keys=("Tab", "Shift+A"),
        enabled=HAS_DOCUMENT,
        icon="plus",
        scope=CANVAS,
    ),
    Action(
        id="insert.search",
        title="Search layers",
        menu=_INSERT,
        keys=("/",),
        enabled=HAS_DOCUMENT,
        icon="search",
        scope=CANVAS,
    ),
    Action(
        id="design.fixes",
        title="Fixes for the selected layer",
        menu=_DESIGN,
        keys=("Alt+Return", "Alt+Enter"),
        enabled=HAS_FIXES,
        icon="hint",
    ),
    Action(
        id="design.next-problem",
        title="Next problem",
        menu=_DESIGN,
        keys=("F8",),
        enabled=HAS_PROBLEMS,
    ),
    Action(
        id="design.previous-problem",
        title="Previous problem",
        menu=_DESIGN,
        keys=("Shift+F8",),
        enabled=HAS_PROBLEMS,
    ),
    Action(
        id="design.lock",
        title="Lock weights",
        menu=_DESIGN,
        keys=("L",),
        group=1,
        enabled=HAS_SELECTION,
        icon="lock",
        scope=CANVAS,
    ),
    Action(
        id="design.arrange",
        title="Arrange",
        menu=_DESIGN,
        keys=("Ctrl+L",),
        group=1,
        enabled=HAS_LAYERS,
        icon="arrange",
    ),
    Action(
        id="design.group",
        title="Make block",
        menu=_DESIGN,
        keys=("Ctrl+G",),
        group=2,
        enabled=HAS_SELECTION,
        icon="block",
    ),
    Action(
        id="design.unpack",
        title="Unpack block",
        menu=_DESIGN,
        keys=("Ctrl+Shift+G",),
        group=2,
        enabled=HAS_BLOCK,
    ),
    Action(
        id="design.enter",
        title="Enter block",
        menu=_DESIGN,
        keys=("Return", "Enter"),
        group=2,
        enabled=HAS_BLOCK,
        icon="enter",
        scope=CANVAS,
    ),
    Action(id="design.leave", title="Leave block", menu=_DESIGN, group=2, enabled=IN_BLOCK),
    Action(
        id="design.fold",
        title="Fold chain into a repeated block",
        menu=_DESIGN,
        group=3,
        enabled=HAS_SELECTION,
    ),
    Action(
        id="design.unfold",
        title="Unfold repeated block",
        menu=_DESIGN,
        group=3,
        enabled=HAS_BLOCK,
    ),
    Action(
        id="design.own",
        title="Make block its own",
        menu=_DESIGN,
        group=3,
        enabled=HAS_BLOCK,
    ),
    Action(
        id="design.keep",
        title="Save block to library",
        menu=_DESIGN,
        group=3,
        enabled=HAS_BLOCK,
    ),
    Action(
        id="design.share",
        title="Share module",
        menu=_DESIGN,
        group=4,
        enabled=HAS_SELECTION,
    ),
    Action(
        id="design.unshare",
        title="Use its own module",
        menu=_DESIGN,
        group=4,
        enabled=HAS_SELECTION,
    ),
    Action(
        id="help.search",
        title="Search actions",
        menu=_HELP,
        keys=("Ctrl+K",),
        icon="search",
    ),
    Action(id="help.keys", title="Keys", menu=_HELP, keys=("?",)),
    Action(id="help.about", title="About Netdraft", menu=_HELP, group=1),
)


class UnmatchedActionError(LookupError):
    """Actions that would do nothing: the table has them, but nobody handles them."""


def check_handlers(
    table: Sequence[Action],
    handlers: Mapping[str, Callable[[], object]],
    choices: Mapping[str, Callable[[], Sequence[Choice]]],
) -> None:
    """UnmatchedActionError unless each action of `table` is handled, and nothing else is."""
    run = {action.id for action in table if not action.choices}
    opened = {action.id for action in table if action.choices}
    wrong = (run ^ handlers.keys()) | (opened ^ choices.keys())
    if wrong:
        names = ", ".join(sorted(wrong))
        raise UnmatchedActionError(f"These actions and their handlers do not match: {names}.")


def key_text(key: str) -> str:
    """A key as people read it: `Ctrl K`, and on macOS `⌘K`."""
    native = QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
    spaced = re.sub(r"\+(?=.)", " ", native)
    return spaced.replace("Return", "Enter").replace("Ctrl -", "Ctrl −")


class Command(QAction):
    """An action of the table that calls its handler."""

    def __init__(
        self, theme: Theme, action: Action, handler: Callable[[], object], parent: QObject
    ) -> None:
        super().__init__(action.title, parent)
        self.about = action
        self._handler = handler
        self.setObjectName(action.id)
        self.setCheckable(action.checkable)
        self.setEnabled(not action.enabled)
        self.setShortcuts([QKeySequence(key) for key in action.keys])
        self.setMenuRole(_ROLES.get(action.id, QAction.MenuRole.NoRole))
        if action.icon:
            self.setIcon(icon(theme, action.icon))
        if action.scope == CANVAS:
            self.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self.triggered.connect(self.run)

    def run(self) -> None:
        """Do what the action is for."""
        self._handler()


# On macOS these two belong to the application's menu.
_ROLES = {
    "file.quit": QAction.MenuRole.QuitRole,
    "help.about": QAction.MenuRole.AboutRole,
}


class ChoiceMenu(QMenu):
    """A submenu that asks for its entries each time it opens; off while there is none."""

    def __init__(self, action: Action, choices: Callable[[], Sequence[Choice]]) -> None:
        super().__init__(action.title)
        self.about = action
        self._choices = choices
        self.setObjectName(action.id)
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self.refresh)

    def refresh(self) -> None:
        """Bring the entries up to date."""
        self.clear()
        for choice in self._choices():
            entry = self.addAction(choice.title.replace("&", "&&"))
            entry.setToolTip(choice.hint)
            entry.triggered.connect(_ignoring_state(choice.run))
        self.menuAction().setEnabled(not self.isEmpty())

    def entries(self) -> Iterator[Choice]:
        """What can be chosen now."""
        return iter(self._choices())


def _ignoring_state(run: Callable[[], object]) -> Callable[[bool], None]:
    def call(_checked: bool) -> None:
        run()

    return call


class Commands(QObject):
    """The actions of the window at work, by id."""

    def __init__(
        self,
        theme: Theme,
        handlers: Mapping[str, Callable[[], object]],
        choices: Mapping[str, Callable[[], Sequence[Choice]]],
        table: Sequence[Action] = ACTIONS,
    ) -> None:
        """UnmatchedActionError when an action has no handler or a handler no action."""
        super().__init__()
        check_handlers(table, handlers, choices)
        self._table = tuple(table)
        self._commands = {
            a.id: Command(theme, a, handlers[a.id], self) for a in table if not a.choices
        }
        self._submenus = {a.id: ChoiceMenu(a, choices[a.id]) for a in table if a.choices}

    def __getitem__(self, action_id: str) -> Command:
        """The command of that id; KeyError when there is none."""
        return self._commands[action_id]

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands.values())

    def fill(self, bar: QMenuBar) -> None:
        """Put every action into its menu, in the order of the table."""
        menus: dict[str, QMenu] = {}
        groups: dict[str, int] = {}
        for action in self._table:
            menu = menus.get(action.menu) or bar.addMenu(action.menu)
            if groups.get(action.menu, action.group) != action.group:
                menu.addSeparator()
            menus[action.menu], groups[action.menu] = menu, action.group
            self._add(menu, action)

    def _add(self, menu: QMenu, action: Action) -> None:
        if not action.choices:
            menu.addAction(self._commands[action.id])
            return
        submenu = self._submenus[action.id]
        menu.addMenu(submenu)
        menu.aboutToShow.connect(submenu.refresh)

    def attach(self, window: QWidget, canvas: QWidget) -> None:
        """Make the keys act: in the whole window, or while the canvas has the keyboard."""
        for command in self:
            (canvas if command.about.scope == CANVAS else window).addAction(command)

    def update(self, conditions: Mapping[str, bool]) -> None:
        """Switch the actions on or off whose condition is in `conditions`."""
        for command in self:
            if command.about.enabled in conditions:
                command.setEnabled(conditions[command.about.enabled])

    def entries(self) -> list[Entry]:
        """Everything that the search for actions offers, in the order of the table."""
        found: list[Entry] = []
        for action in self._table:
            if action.choices:
                found += [
                    Entry(f"{action.title}: {choice.title}", "", action.menu, True, choice.run)
                    for choice in self._submenus[action.id].entries()
                ]
            else:
                found.append(_entry(self._commands[action.id]))
        return found


def _entry(command: Command) -> Entry:
    about = command.about
    key = key_text(about.keys[0]) if about.keys else ""
    return Entry(about.title, key, about.menu, command.isEnabled(), command.trigger)
