"""The window: it arranges the panels around the canvas and knows nothing of what they show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QPoint, Qt, Signal
from PySide6.QtWidgets import QMainWindow, QSplitter, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from designer.ui.actions import ACTIONS, Commands
from designer.ui.command_search import WIDTH as SEARCH_WIDTH
from designer.ui.command_search import CommandSearch
from designer.ui.panels import (
    DOCK_HEIGHT,
    DOCK_LEAST,
    LEFT_WIDTH,
    RIGHT_WIDTH,
    Dock,
    LeftPanel,
    Panel,
    RightPanel,
)
from designer.ui.status_line import StatusLine
from designer.ui.top_bar import TopBar
from designer.ui.widgets.buttons import IconButton

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from PySide6.QtGui import QCloseEvent, QShowEvent

    from designer.ui.actions import Choice
    from designer.ui.theme import Theme

LAYERS, OUTLINE = 0, 1
INSPECTOR, VARIABLES = 0, 1
PROBLEMS, CODE = 0, 1

_FIRST_SIZE = (1440, 900)
_LEAST_SIZE = (960, 600)


@dataclass(frozen=True, slots=True)
class Panels:
    """What the window is filled with. Panels bring their own insets: 14 px left, 16 px right."""

    palette: QWidget
    outline: QWidget
    canvas: QWidget
    inspector: QWidget
    variables: QWidget
    totals: QWidget
    problems: QWidget
    code: QWidget
    code_tools: QWidget | None = None
    start: QWidget | None = None


@dataclass(frozen=True, slots=True)
class DocumentTab:
    """An open document as its tab shows it."""

    name: str
    edited: bool = False
    path: str = ""


class MainWindow(QMainWindow):
    """The main window. It handles the actions that concern itself; the others are passed in."""

    document_chosen = Signal(int)
    document_close_asked = Signal(int)

    def __init__(
        self,
        theme: Theme,
        panels: Panels,
        handlers: Mapping[str, Callable[[], object]],
        choices: Mapping[str, Callable[[], Sequence[Choice]]],
        state: Mapping[str, object] | None = None,
    ) -> None:
        """UnmatchedActionError when an action has no handler, or a handler no action."""
        super().__init__()
        self._theme = theme
        self._panels = panels
        self._may_close: Callable[[], bool] = _yes
        self.commands = Commands(theme, {**self._own_handlers(), **handlers}, choices, ACTIONS)
        self.top_bar = TopBar(theme, self.commands)
        self.left = LeftPanel(theme, panels.palette, panels.outline)
        self.right = RightPanel(theme, (panels.inspector, panels.variables), panels.totals)
        self.dock = Dock(theme, (("Problems", panels.problems), ("Code", panels.code)))
        self.documents = QTabBar()
        self.status = StatusLine(theme)
        self._pages = QStackedWidget()
        self.search = CommandSearch(theme, self, self.commands.entries)
        self._build()
        self._restore(state or {})

    def _own_handlers(self) -> dict[str, Callable[[], object]]:
        return {
            "view.theme": self._theme.toggle,
            "view.left": self.toggle_left,
            "view.right": self.toggle_right,
            "view.dock": self.toggle_dock,
            "view.next-panel": self.focus_next_panel,
            "view.previous-panel": self.focus_previous_panel,
            "help.search": self.open_search,
        }

    def _build(self) -> None:
        self.setMinimumSize(*_LEAST_SIZE)
        self.resize(*_FIRST_SIZE)
        self.setMenuWidget(self.top_bar)
        self._build_documents()
        self._middle = _split(
            Qt.Orientation.Vertical, _stacked(self.documents, self._panels.canvas), self.dock
        )
        self._middle.setStretchFactor(0, 1)
        self._across = _split(Qt.Orientation.Horizontal, self.left, self._middle, self.right)
        self._across.setStretchFactor(1, 1)
        self._pages.addWidget(_stacked(self._across, self.status, stretched=0))
        if self._panels.start is not None:
            self._pages.addWidget(self._panels.start)
        self.setCentralWidget(self._pages)
        self.commands.attach(self, self._panels.canvas)
        self.dock.chevron.clicked.connect(self.toggle_dock)
        self.dock.height_wanted.connect(self._fit_dock)
        self.status.state.clicked.connect(self.show_problems)
        if self._panels.code_tools is not None:
            self.dock.set_corner(CODE, self._panels.code_tools)

    def _build_documents(self) -> None:
        bar = self.documents
        bar.setObjectName("documents")
        bar.setAccessibleName("Open documents")
        bar.setExpanding(False)
        bar.setDrawBase(False)
        bar.setElideMode(Qt.TextElideMode.ElideMiddle)
        bar.setUsesScrollButtons(True)
        bar.hide()
        bar.currentChanged.connect(self.document_chosen.emit)
        self._theme.changed.connect(self._restyle_documents)
        self._restyle_documents()

    def _restyle_documents(self) -> None:
        self.documents.setFont(self._theme.font("body"))

    # What the window shows

    def set_title(self, name: str, edited: bool, in_file: bool = True) -> None:
        """Show the name of the document and whether it is saved, or has edits that are not."""
        self.top_bar.set_title(name, "Edited" if edited else "Saved" if in_file else "")
        self.setWindowTitle(f"{name}[*] – Netdraft")
        self.setWindowModified(edited)

    def set_documents(self, documents: Sequence[DocumentTab], current: int) -> None:
        """Show a tab per open document when there is more than one; emits nothing."""
        self.documents.blockSignals(True)
        while self.documents.count():
            self.documents.removeTab(0)
        for document in documents:
            self._add_document(document)
        self.documents.setCurrentIndex(current)
        self.documents.setVisible(len(documents) > 1)
        self.documents.blockSignals(False)

    def _add_document(self, document: DocumentTab) -> None:
        title = document.name.replace("&", "&&") + (" •" if document.edited else "")
        index = self.documents.addTab(title)
        self.documents.setTabToolTip(index, document.path)
        close = IconButton(self._theme, "x", f"Close {document.name}")
        close.setFixedSize(self._theme.px(20), self._theme.px(20))
        close.clicked.connect(self._close_clicked)
        self.documents.setTabButton(index, QTabBar.ButtonPosition.RightSide, close)

    def _close_clicked(self) -> None:
        side = QTabBar.ButtonPosition.RightSide
        for index in range(self.documents.count()):
            if self.documents.tabButton(index, side) is self.sender():
                self.document_close_asked.emit(index)
                return

    def set_state(self, kind: str, sentence: str) -> None:
        """Say how the design is: kind `ok`, `error`, `warn` or `hint`, and a sentence."""
        self.status.state.set_state(kind, sentence)

    def set_problem_count(self, count: int, errors: int) -> None:
        """Show the number of problems on their tab, in red while one of them is an error."""
        self.dock.tabs.set_badge(PROBLEMS, f"{count:,}", alarm=errors > 0)

    def set_variable_count(self, count: int) -> None:
        """Show the number of variables on their tab."""
        self.right.tabs.set_badge(VARIABLES, f"{count:,}")

    def show_start(self, shown: bool) -> None:
        """Bring the start page to the front, or the designs."""
        start = self._panels.start
        if start is not None:
            self._pages.setCurrentIndex(int(shown))
            self.top_bar.set_quiet(shown)
            (start if shown else self._panels.canvas).setFocus()

    def show_layers(self) -> None:
        """Bring the list of layers to the front."""
        self._show_side(self.left, True)
        self.left.tabs.select(LAYERS)

    def show_outline(self) -> None:
        """Bring the outline to the front."""
        self._show_side(self.left, True)
        self.left.tabs.select(OUTLINE)

    def show_variables(self) -> None:
        """Bring the variables to the front."""
        self._show_side(self.right, True)
        self.right.tabs.select(VARIABLES)

    def show_inspector(self) -> None:
        """Bring the inspector to the front."""
        self._show_side(self.right, True)
        self.right.tabs.select(INSPECTOR)

    def show_problems(self) -> None:
        """Bring the problems to the front."""
        self.dock.tabs.select(PROBLEMS)

    def show_code(self) -> None:
        """Bring the code to the front."""
        self.dock.tabs.select(CODE)

    # Actions of the window itself

    def open_search(self) -> None:
        """Open the search for actions, under its field."""
        button = self.top_bar.search
        right = button.mapTo(self, QPoint(button.width(), button.height()))
        self.search.open_under(right - QPoint(self._theme.px(SEARCH_WIDTH), -self._theme.px(4)))

    def toggle_left(self) -> None:
        """Show or hide the left panel."""
        self._show_side(self.left, self.left.isHidden())

    def toggle_right(self) -> None:
        """Show or hide the right panel."""
        self._show_side(self.right, self.right.isHidden())

    def _show_side(self, panel: Panel, shown: bool) -> None:
        width, place = self._theme.px(panel.shown_width()) - 1, self._across.indexOf(panel)
        if shown and panel.isHidden():
            panel.show()
            sizes = self._across.sizes()
            sizes[1] += sizes[place] - width
            sizes[place] = width
            self._across.setSizes(sizes)
        panel.setVisible(shown)
        self._mark_panels()

    def toggle_dock(self) -> None:
        """Fold the dock down to its tabs, or unfold it."""
        self.dock.set_open(not self.dock.is_open())

    def _fit_dock(self, height: int) -> None:
        room = sum(self._middle.sizes())
        self._middle.setSizes([room - height, height])
        self._mark_panels()

    def _mark_panels(self) -> None:
        self.commands["view.left"].setChecked(not self.left.isHidden())
        self.commands["view.right"].setChecked(not self.right.isHidden())
        self.commands["view.dock"].setChecked(self.dock.is_open())

    def focus_next_panel(self) -> None:
        """Move the keyboard to the next panel that is shown."""
        self._focus_panel(1)

    def focus_previous_panel(self) -> None:
        """Move the keyboard to the panel before."""
        self._focus_panel(-1)

    def _focus_panel(self, step: int) -> None:
        places = (self._panels.canvas, self.dock, self.right, self.left)
        shown = [place for place in places if place.isVisible()]
        focus: QWidget | None = self.focusWidget()
        inside = [
            i
            for i, p in enumerate(shown)
            if focus is not None and (p is focus or p.isAncestorOf(focus))
        ]
        start = inside[0] if inside else -step
        for offset in range(1, len(shown) + 1):
            if _focus_into(shown[(start + step * offset) % len(shown)]):
                return

    # Opening and closing

    def ask_before_closing(self, may_close: Callable[[], bool]) -> None:
        """Ask `may_close` when the user closes the window; it stays open when that says no."""
        self._may_close = may_close

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.focusWidget() is None:
            self._panels.canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._may_close():
            event.accept()
        else:
            event.ignore()

    def state(self) -> dict[str, object]:
        """Sizes and places as plain data, for the next start."""
        return {
            "geometry": bytes(self.saveGeometry().toBase64().data()).decode("ascii"),
            "left": self.left.shown_width(),
            "right": self.right.shown_width(),
            "dock": self.dock.open_height(),
            "left-shown": not self.left.isHidden(),
            "right-shown": not self.right.isHidden(),
            "dock-open": self.dock.is_open(),
            "dock-tab": self.dock.tabs.current(),
        }

    def _restore(self, state: Mapping[str, object]) -> None:
        geometry = state.get("geometry")
        if isinstance(geometry, str):
            self.restoreGeometry(QByteArray.fromBase64(geometry.encode("ascii", "ignore")))
        self.left.set_width(_whole(state, "left", LEFT_WIDTH))
        self.right.set_width(_whole(state, "right", RIGHT_WIDTH))
        self.dock.set_height(max(DOCK_LEAST, _whole(state, "dock", DOCK_HEIGHT)))
        self.left.setVisible(state.get("left-shown") is not False)
        self.right.setVisible(state.get("right-shown") is not False)
        if state.get("dock-tab") == CODE:
            self.dock.tabs.select(CODE)
        self.dock.set_open(state.get("dock-open") is not False)
        self._mark_panels()


def _whole(state: Mapping[str, object], key: str, default: int) -> int:
    value = state.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _yes() -> bool:
    return True


def _split(orientation: Qt.Orientation, *parts: QWidget) -> QSplitter:
    splitter = QSplitter(orientation)
    # Qt draws a handle of one pixel, and takes the pointer two pixels around it.
    splitter.setHandleWidth(1)
    splitter.setChildrenCollapsible(False)
    for index, part in enumerate(parts):
        splitter.addWidget(part)
        splitter.setStretchFactor(index, 0)
    return splitter


def _stacked(*parts: QWidget, stretched: int = 1) -> QWidget:
    box = QWidget()
    column = QVBoxLayout(box)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    for index, part in enumerate(parts):
        column.addWidget(part, 1 if index == stretched else 0)
    return box


def _focus_into(place: QWidget) -> bool:
    """Give the keyboard to `place`, or to the first control in it that takes it."""
    if place.focusProxy() is not None:
        place.setFocus(Qt.FocusReason.ShortcutFocusReason)
        return True
    for widget in (place, *place.findChildren(QWidget)):
        takes = widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        if takes == Qt.FocusPolicy.TabFocus and widget.isVisible() and widget.isEnabled():
            widget.setFocus(Qt.FocusReason.ShortcutFocusReason)
            return True
    return False
