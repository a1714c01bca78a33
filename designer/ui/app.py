"""The application: it joins window, panels and open documents."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6 import __version__ as qt_version
from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from designer.core import numbers
from designer.core.block import BLOCK
from designer.core.custom_edits import remove_custom
from designer.core.edits import Refused
from designer.core.level import Level
from designer.core.message import message
from designer.export.pytorch import export_problems
from designer.files.packages import load_enabled
from designer.ui import filing
from designer.ui.actions import (
    CAN_PASTE,
    CAN_REDO,
    CAN_UNDO,
    HAS_BLOCK,
    HAS_DOCUMENT,
    HAS_FIXES,
    HAS_LAYERS,
    HAS_ONE_SELECTED,
    HAS_PROBLEMS,
    HAS_SELECTION,
    IN_BLOCK,
)
from designer.ui.blocks import Blocks
from designer.ui.canvas import Canvas
from designer.ui.code import CodePanel
from designer.ui.custom_layer import CustomDialog
from designer.ui.descent import Descent
from designer.ui.desk import Desk
from designer.ui.faults import Faults
from designer.ui.help import AboutPopup, KeysPopup
from designer.ui.inspector import Inspector
from designer.ui.outline import Outline
from designer.ui.palette import Palette
from designer.ui.problems import ProblemsPanel, sorted_problems
from designer.ui.start import StartPage
from designer.ui.state import State
from designer.ui.theme import Theme, system_theme
from designer.ui.totals import TotalsPanel
from designer.ui.variables import Variables
from designer.ui.welcome import Welcome
from designer.ui.window import DocumentTab, MainWindow, Panels

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from designer.core.editor import Editable, Editor, Notice
    from designer.core.finding import Problem
    from designer.core.graph import NodeId
    from designer.core.message import Message
    from designer.ui.outline_model import Place

SAID_FOR = 6000
"""Milliseconds for which a sentence stays in the status line."""


class App(QObject):
    """One window with its documents as tabs."""

    def __init__(self, qt: QApplication, state: State) -> None:
        super().__init__()
        self.state = state
        self.theme = Theme()
        self.theme.apply(qt, state.theme or system_theme())
        self.desk = Desk(state)
        self.descent = Descent()
        self._listening: Editor | None = None
        self._said = ""
        self._build()
        self._quiet = QTimer(self.window)
        self._quiet.setSingleShot(True)
        self._quiet.timeout.connect(self._fall_silent)
        self._connect()
        self.faults = Faults(state.path.parent)
        self.faults.told.connect(self._tell_fault)

    def _build(self) -> None:
        theme = self.theme
        self.canvas = Canvas(theme)
        self.blocks = Blocks(self.desk, self.descent, self.canvas)
        self.welcome = Welcome(theme, self.canvas.view.viewport())
        self.palette = Palette(theme)
        self.outline = Outline(theme)
        self.start = StartPage(theme)
        self.inspector = Inspector(theme)
        self.variables = Variables(theme)
        self.totals = TotalsPanel(theme)
        self.problems = ProblemsPanel(theme)
        self.code = CodePanel(theme)
        self._show_document: tuple[Callable[[Editor | None], None], ...] = (
            self.variables.set_editor,
            self.code.set_editor,
            self.welcome.set_editor,
            self.palette.set_editor,
            self.outline.set_editor,
        )
        self._show_level: tuple[Callable[[Editable | None], None], ...] = (
            self.canvas.set_editor,
            self.inspector.set_editor,
            self.totals.set_editor,
            self.problems.set_editor,
        )
        panels = Panels(
            self.palette,
            self.outline,
            self.canvas,
            self.inspector,
            self.variables,
            self.totals,
            self.problems,
            self.code,
            self.code.tools,
            self.start,
        )
        desk = self.desk
        choices = {"file.recent": desk.recent_choices, "file.example": desk.example_choices}
        self.window = MainWindow(
            theme, panels, self._handlers(), choices, self.state.part("window")
        )
        desk.window = self.window
        self.palette.set_recent(self.state.values.get("layers", []))
        self.keys = KeysPopup(theme, self.window)
        self.about = AboutPopup(theme, self.window)

    def _handlers(self) -> dict[str, Callable[[], object]]:
        canvas = self.canvas
        return {
            "file.new": self.desk.new,
            "file.open": self.desk.ask_and_open,
            "file.start": self.show_start,
            "file.save": self.desk.save,
            "file.save-as": self.desk.save_as,
            "file.close": self.desk.close_current,
            "file.export": self.export,
            "file.quit": self._quit,
            "edit.undo": self.undo,
            "edit.redo": self.redo,
            "edit.cut": canvas.cut,
            "edit.copy": canvas.copy,
            "edit.paste": canvas.paste,
            "edit.duplicate": canvas.duplicate,
            "edit.delete": canvas.delete_selection,
            "edit.select-all": canvas.select_all,
            "edit.rename": canvas.rename_selected,
            "view.zoom-in": canvas.zoom_in,
            "view.zoom-out": canvas.zoom_out,
            "view.zoom-100": canvas.zoom_to_100,
            "view.fit-all": canvas.fit_all,
            "view.fit-selection": canvas.fit_selection,
            "insert.quick-add": canvas.quick_add,
            "insert.search": self._search_layers,
            "edit.find": self._find,
            "design.fixes": canvas.show_fixes,
            "design.next-problem": partial(self.go_to_problem, 1),
            "design.previous-problem": partial(self.go_to_problem, -1),
            "design.lock": canvas.lock_selection,
            "design.arrange": canvas.arrange,
            "design.group": canvas.group_selection,
            "design.unpack": canvas.unpack_selection,
            "design.enter": canvas.enter_selection,
            "design.leave": self.leave_block,
            "design.fold": canvas.fold_selection,
            "design.unfold": canvas.unfold_selection,
            "design.own": canvas.own_selection,
            "design.share": canvas.share_selection,
            "design.unshare": canvas.unshare_selection,
            "design.keep": self.keep_block,
            "help.keys": self._show_keys,
            "help.about": self._show_about,
        }

    def _connect(self) -> None:
        window, canvas, desk = self.window, self.canvas, self.desk
        window.ask_before_closing(self.may_quit)
        window.document_chosen.connect(desk.show_place)
        window.document_close_asked.connect(desk.close_place)
        desk.leaving.connect(self._leave)
        desk.shown.connect(self._show)
        desk.changed.connect(self.refresh)
        desk.said.connect(self.say)
        self._connect_start()
        self.descent.leaving.connect(self._leave_level)
        self.descent.moved.connect(self._show_in_front)
        canvas.enterWanted.connect(self.descent.enter)
        canvas.outWanted.connect(self._go_out)
        canvas.selectionChanged.connect(self._selection_changed)
        canvas.zoomChanged.connect(self._show_status)
        canvas.said.connect(self.say)
        self._connect_inspector()
        self._connect_palette()
        self.problems.fixes_wanted.connect(canvas.show_fixes)
        self.variables.count_changed.connect(window.set_variable_count)
        for panel in (self.inspector, self.totals, self.problems, self.code):
            panel.node_wanted.connect(canvas.go_to)
        self.theme.changed.connect(self._remember_theme)
        clipboard = QGuiApplication.clipboard()
        clipboard.dataChanged.connect(self._update_commands)

    def _connect_start(self) -> None:
        start, desk = self.start, self.desk
        self.welcome.wanted.connect(desk.open_example)
        start.recents.new_wanted.connect(desk.new)
        start.recents.open_wanted.connect(desk.ask_and_open)
        start.example_wanted.connect(desk.open_example)
        start.file_wanted.connect(self._open_from_start)

    def _open_from_start(self, path: Path) -> None:
        if self.desk.open(path):
            self.window.show_start(False)

    def show_start(self) -> None:
        """Bring the gallery and the recent files to the front."""
        self.start.set_recent(self.state.recent)
        self.window.show_start(True)

    def _connect_inspector(self) -> None:
        self.inspector.said.connect(self.say)
        self.inspector.fixes_wanted.connect(self.canvas.show_fixes)
        self.inspector.block_wanted.connect(self._do_with_block)

    def _connect_palette(self) -> None:
        self.palette.kind_chosen.connect(self._add_kind)
        self.outline.wanted.connect(self._go_to)
        self.palette.custom_wanted.connect(self._declare_custom)
        self.palette.custom_unwanted.connect(self._remove_custom)
        shelf, blocks = self.palette.shelf, self.blocks
        shelf.new_wanted.connect(blocks.new)
        shelf.block_wanted.connect(blocks.do)
        shelf.renamed.connect(blocks.rename)
        shelf.library_chosen.connect(blocks.put)
        shelf.library_unwanted.connect(blocks.forget)
        self.canvas.view.libraryDropped.connect(blocks.put)
        blocks.library_changed.connect(shelf.refresh_library)
        blocks.said.connect(self.say)

    # Documents

    @property
    def editor(self) -> Editor | None:
        """The editor of the document in front."""
        return self.desk.editor

    @property
    def level(self) -> Editable | None:
        """What is worked on: the design in front, or the block in it that was entered."""
        return self.descent.current

    def _leave(self) -> None:
        self.descent.go_out(0)
        self._leave_level()

    def _leave_level(self) -> None:
        if self.descent.depth:
            self.descent.keep_view(self.canvas.view_state())
        else:
            self.desk.keep_view(self.canvas.view_state())

    def _show(self) -> None:
        """Fill the panels with the document that has come to the front."""
        if self._listening is not None:
            self._listening.unlisten(self._heard)
        self.window.show_start(False)
        editor = self._listening = self.editor
        self.descent.set_editor(editor)
        for set_editor in self._show_document:
            set_editor(editor)
        if editor is not None:
            editor.listen(self._heard)
        self._show_in_front()

    def _show_in_front(self) -> None:
        """Fill canvas and panels with the level that has come to the front."""
        for set_editor in self._show_level:
            set_editor(self.level)
        view = self.descent.view()
        if not self.descent.depth and self.desk.current is not None:
            view = dict(self.desk.current.view)
        if view:
            self.canvas.restore_view_state(view)
        self._selection_changed(self.canvas.selection)
        self.refresh()

    def _go_to(self, place: Place) -> None:
        """Go to a layer, into the blocks that it is in."""
        self.descent.go_to(place.path)
        if place.id:
            self.canvas.go_to(place.id)

    def _find(self) -> None:
        self.window.show_outline()
        self.outline.focus_search()

    def _search_layers(self) -> None:
        self.window.show_layers()
        self.palette.focus_search()

    def _mark_place(self) -> None:
        path = self.level.path if isinstance(self.level, Level) else ()
        self.outline.show_place(path, self.canvas.selection)

    def leave_block(self) -> None:
        """Go out of the block that was entered."""
        self._go_out(-1)

    def _go_out(self, depth: int) -> None:
        wanted = self.descent.depth - 1 if depth < 0 else depth
        left = self.descent.go_out(wanted)
        if left is not None:
            self.canvas.select((left,))

    def may_quit(self) -> bool:
        """Ask for each document whose edits would be lost; then remember how things stood."""
        if not self.desk.may_lose_all():
            return False
        self._leave()
        self.state.values["window"] = self.window.state()
        self.state.values["layers"] = self.palette.recent
        self.state.save()
        return True

    def _quit(self) -> None:
        self.window.close()

    def export(self) -> None:
        """Export the design in front, or show what stands in the way."""
        blocking = export_problems(self.editor.analysis) if self.editor else []
        if blocking:
            self.window.show_problems()
            self.say(f"Not exported: {blocking[0].message}")
        else:
            self.desk.export()

    # Edits

    def undo(self) -> None:
        """Take back the last step of the document in front."""
        if self.editor is not None:
            self.editor.undo()

    def redo(self) -> None:
        """Make the next step again."""
        if self.editor is not None:
            self.editor.redo()

    def _add_kind(self, kind: str) -> None:
        self.canvas.add_kind(kind)
        self.palette.used(kind)
        self.canvas.setFocus()

    def _declare_custom(self, name: str) -> None:
        """Declare a custom layer, or change the one of this name."""
        if self.editor is not None:
            dialog = CustomDialog(self.theme, self.window, self.editor, name)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.open()

    def _remove_custom(self, name: str) -> None:
        if self.editor is None:
            return
        try:
            self.editor.apply(remove_custom(name), message("Remove {name}", name=name))
        except Refused as refused:
            self.say(str(refused))

    # Blocks

    def _do_with_block(self, verb: str) -> None:
        self.window.commands[f"design.{verb}"].trigger()

    def keep_block(self) -> None:
        """Save the block that the selected layer is a use of to the user's library."""
        if self.level is not None and self.canvas.selection:
            node = self.level.document.graph.nodes[self.canvas.selection[0]]
            self.blocks.keep(node.kind.removeprefix(BLOCK))

    def go_to_problem(self, step: int) -> None:
        """Go to the next or previous problem, from the selected layer on."""
        nodes = list(dict.fromkeys(p.node for p in sorted_problems(self.level) if p.node))
        if not nodes:
            return
        selected = self.canvas.selection
        if len(selected) == 1 and selected[0] in nodes:
            place = nodes.index(selected[0]) + step
        else:
            place = 0 if step > 0 else -1
        self.canvas.go_to(nodes[place % len(nodes)])

    # What is shown of the document in front

    def _heard(self, notice: Notice) -> None:
        added = [change.new for _, change in notice.delta.of("node") if change.old is None]
        for node in added[:1] if len(added) == 1 else ():
            self.palette.used(node.kind)
        self.refresh()

    def _selection_changed(self, ids: list[NodeId]) -> None:
        self.inspector.show_nodes(list(ids))
        self.code.show_nodes(list(ids))
        self._mark_place()
        if ids:
            self.window.show_inspector()
        self._show_status()
        self._update_commands()

    def refresh(self) -> None:
        """Bring title, tabs, status and commands up to date."""
        document = self.desk.current
        if document is None:
            return
        self.window.set_title(document.name, document.editor.modified, document.path is not None)
        self.code.set_name(document.name)
        tabs = [
            DocumentTab(d.name, d.editor.modified, str(d.path or "")) for d in self.desk.documents
        ]
        self.window.set_documents(tabs, self.desk.place)
        name = document.name
        trail = [(place.title or name, place.copies) for place in self.descent.trail()]
        self.canvas.breadcrumb.show_way(trail)
        self.inspector.show_copies(trail[-1][1])
        problems = sorted_problems(self.level)
        errors = sum(problem.severity == "error" for problem in problems)
        self.window.set_problem_count(len(problems), errors)
        self._show_state(problems)
        self._show_status()
        self._update_commands()

    def _show_state(self, problems: Sequence[Problem]) -> None:
        if self._said:
            self.window.set_state("hint", self._said)
        else:
            self.window.set_state(*self._sentence(problems))

    def _sentence(self, problems: Sequence[Problem]) -> tuple[str, str]:
        """The state of the design in a few words, with its kind."""
        first = problems[0] if problems else None
        if first is None:
            return "ok", "All shapes agree"
        name = self._problem_name(first)
        alike = sum(problem.severity == first.severity for problem in problems)
        if first.severity == "error":
            return "error", f"{_disagreeing(problems[:alike])}: {name}"
        if first.severity == "incomplete":
            return "hint", f"{name} has no input yet"
        return ("warn" if first.severity == "warning" else "hint"), f"{name}: {first.message}"

    def _problem_name(self, problem: Problem) -> str:
        if problem.node is None or self.level is None:
            return problem.option or ""
        return self.level.document.graph.nodes[problem.node].name

    def _show_status(self) -> None:
        editor = self.editor
        if editor is None:
            return
        selected = len(self.canvas.selection)
        self.window.status.set_left(
            self._layers_here(editor), f"{selected:,} selected" if selected else self._copies_here()
        )
        dimensions = editor.document.dimensions.items()
        self.window.status.set_right(
            " ".join(f"{name} = {dimension.trial}" for name, dimension in dimensions),
            "float32",
            f"Recomputed in {numbers.duration(editor.seconds)}" if editor.seconds else "",
            f"{self.canvas.zoom:.0f}%",
        )

    def _layers_here(self, editor: Editor) -> str:
        """`18 layers`, or `9 layers here, 18 in the design` within a block."""
        document = editor.document
        inside = (len(block.graph.nodes) for block in document.blocks.values())
        everywhere = len(document.graph.nodes) + sum(inside)
        if not self.descent.depth or self.level is None:
            return f"{everywhere:,} {'layer' if everywhere == 1 else 'layers'}"
        here = len(self.level.document.graph.nodes)
        return f"{here:,} {'layer' if here == 1 else 'layers'} here, {everywhere:,} in the design"

    def _copies_here(self) -> str:
        """What an edit reaches, within a block that stands for many layers."""
        trail = self.descent.trail()
        return (
            f"Changes apply to all {trail[-1].copies[1:]} copies"
            if trail and trail[-1].copies
            else ""
        )

    def say(self, sentence: str) -> None:
        """Show a sentence in the status line for a while."""
        self._said = sentence
        self._quiet.start(SAID_FOR)
        self._show_state(sorted_problems(self.level))

    def _fall_silent(self) -> None:
        self._said = ""
        self._show_state(sorted_problems(self.level))

    def _update_commands(self) -> None:
        editor, level, selection = self.editor, self.level, self.canvas.selection
        problems = level.analysis.problems() if level else []
        nodes = level.document.graph.nodes if level else {}
        one = nodes.get(selection[0]) if len(selection) == 1 else None
        faulty = {problem.node for problem in problems}
        self.window.commands.update(
            {
                HAS_DOCUMENT: editor is not None,
                CAN_UNDO: bool(editor and editor.undoable),
                CAN_REDO: bool(editor and editor.redoable),
                HAS_SELECTION: bool(selection),
                HAS_ONE_SELECTED: len(selection) == 1,
                CAN_PASTE: editor is not None and self.canvas.can_paste(),
                HAS_LAYERS: bool(nodes),
                HAS_PROBLEMS: any(problem.node for problem in problems),
                HAS_FIXES: len(selection) == 1 and selection[0] in faulty,
                HAS_BLOCK: one is not None and one.kind.startswith(BLOCK),
                IN_BLOCK: self.descent.depth > 0,
            }
        )

    def _show_keys(self) -> None:
        self.keys.open_centred()

    def _show_about(self) -> None:
        self.about.open_centred()

    def _remember_theme(self) -> None:
        self.state.values["theme"] = self.theme.name

    def _tell_fault(self, sentence: str) -> None:
        text = f"{sentence}\n\nThe app goes on; save your work. Details are in {self.faults.path}."
        filing.tell(self.window, "Something went wrong", text)


def _disagreeing(errors: Sequence[Problem]) -> str:
    """How many errors there are, and whether they are all about shapes."""
    one = len(errors) == 1
    if all(problem.port for problem in errors):
        return f"{len(errors):,} {'shape disagrees' if one else 'shapes disagree'}"
    return f"{len(errors):,} {'problem' if one else 'problems'}"


def bad_pair(qt: str, python: tuple[int, int]) -> str:
    """Why this Qt cannot run on this Python; empty where it can."""
    if qt.startswith("6.12.0") and python <= (3, 11):
        return (
            f"PySide6 {qt} corrupts memory on Python {python[0]}.{python[1]}: "
            "install another version, such as PySide6-Essentials 6.11.3."
        )
    return ""


def main(paths: Sequence[str] = ()) -> int:
    """Open the window with these files, or an empty design; returns the exit code."""
    problem = bad_pair(qt_version, sys.version_info[:2])
    if problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    # Qt 6.7 and newer tries them in this order; without it fcitx gets no keys.
    os.environ.setdefault("QT_IM_MODULES", "wayland;fcitx;ibus")
    qt = QApplication.instance() or QApplication(["netdraft"])
    assert isinstance(qt, QApplication)
    qt.setApplicationName("Netdraft")
    qt.setDesktopFileName("netdraft")
    # The palette shows the layers of the packages that the user has enabled.
    left_out = load_enabled()
    app = App(qt, State())
    app.faults.install()
    app.window.show()
    # The window is painted first; reading and analysing documents come after.
    QTimer.singleShot(0, app, partial(_open_first, app, tuple(paths), left_out))
    return qt.exec()


def _open_first(app: App, paths: Sequence[str], left_out: Sequence[Message]) -> None:
    if left_out:
        filing.tell(app.window, "Layers left out", "\n".join(map(str, left_out)))
    opened = [app.desk.open(Path(path)) for path in paths]
    if not any(opened):
        app.desk.new()
        app.show_start()
