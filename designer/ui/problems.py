"""The problems panel: what is wrong, where, and the first way to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from designer.core.level import Level
from designer.ui.widgets.boxes import IconLabel
from designer.ui.widgets.buttons import TextButton
from designer.ui.widgets.text import ElidedLabel, SentenceLabel, TextLabel

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent, QMouseEvent

    from designer.core.document import Document
    from designer.core.editor import Editable, Notice
    from designer.core.finding import Problem
    from designer.ui.theme import Theme

MOST_SHOWN = 100
_ICONS = {
    "error": ("err", "error"),
    "incomplete": ("hint", "text-2"),
    "warning": ("warn", "warn"),
    "hint": ("hint", "text-2"),
}
_ORDER = ("error", "incomplete", "warning", "hint")
_NAME_WIDTH = 88
_ROW = 36


class ProblemRow(QWidget):
    """One problem: its place, its sentence, and buttons for what mends it."""

    wanted = Signal(object)
    fix_wanted = Signal(object)
    more_wanted = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.problem: Problem | None = None
        self._icon = IconLabel(theme, "err", "error")
        self._name = ElidedLabel(theme, "", "section", "text")
        self._sentence = SentenceLabel(theme, "", "body", "text")
        self.fix = TextButton(theme, "")
        self.more = TextButton(theme, "More fixes")
        self._name.setFixedWidth(theme.px(_NAME_WIDTH))
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(14), 0, theme.px(14), 0)
        row.setSpacing(theme.px(10))
        for widget in (self._icon, self._name, self._sentence, self.fix, self.more):
            row.addWidget(widget)
        self.setFixedHeight(theme.px(_ROW))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.fix.clicked.connect(self._ask_fix)
        self.more.clicked.connect(self._ask_more)

    def show_problem(self, problem: Problem, name: str) -> None:
        """Show a problem at a layer or variable of that name."""
        self.problem = problem
        self._icon.set_icon(*_ICONS[problem.severity])
        self._name.setText(name)
        self._sentence.setText(str(problem.message))
        self.setAccessibleName(f"{problem.severity}, {name}: {problem.message}")
        self.show_fix("", 0)

    def show_fix(self, label: str, count: int) -> None:
        """Offer the first of `count` fixes under its label."""
        self.fix.setText(label)
        self.fix.updateGeometry()
        self.fix.setVisible(bool(label))
        self.more.setVisible(count > 1)

    def text(self) -> str:
        """Name and sentence."""
        return f"{self._name.text()}: {self._sentence.text()}"

    def _ask_fix(self) -> None:
        self.fix_wanted.emit(self.problem)

    def _ask_more(self) -> None:
        self.more_wanted.emit(self.problem)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.wanted.emit(self.problem)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.wanted.emit(self.problem)
        else:
            super().keyPressEvent(event)


class ProblemsPanel(QScrollArea):
    """All problems of the design, errors first.

    Finding the fixes of a problem means trying them, so their buttons appear a moment after the
    rows, and only for rows that are in view.
    """

    node_wanted = Signal(int)
    fixes_wanted = Signal(int)
    fixed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._editor: Editable | None = None
        self._rows: list[ProblemRow] = []
        self._page = QWidget()
        self._page.setObjectName("page")
        self.calm = TextLabel(theme, "All shapes agree.", "body", "text-2")
        self.rest = TextLabel(theme, "", "hint", "text-3")
        self._column = QVBoxLayout(self._page)
        self._column.setContentsMargins(0, theme.px(6), 0, theme.px(6))
        self._column.setSpacing(0)
        for label in (self.calm, self.rest):
            label.setContentsMargins(theme.px(14), theme.px(6), theme.px(14), 0)
            self._column.addWidget(label)
        self._column.addStretch(1)
        self.setWidget(self._page)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Problems")
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._show_fixes)
        self.refresh()

    def set_editor(self, editor: Editable | None) -> None:
        """Show another design, or none."""
        if self._editor is not None:
            self._editor.unlisten(self._heard)
        self._editor = editor
        if editor is not None:
            editor.listen(self._heard)
        self.refresh()

    def _heard(self, notice: Notice) -> None:
        sections = {key.section for key in notice.delta.changes}
        if notice.nodes or sections - {"position", "title", "setting"}:
            self.refresh()

    def refresh(self) -> None:
        """Show the problems as they stand."""
        problems = sorted_problems(self._editor)
        while len(self._rows) < min(len(problems), MOST_SHOWN):
            self._add_row()
        for place, row in enumerate(self._rows):
            row.setVisible(place < len(problems))
            if place < len(problems):
                row.show_problem(problems[place], self._name(problems[place]))
        self.calm.setVisible(self._editor is not None and not problems)
        self.rest.setVisible(len(problems) > MOST_SHOWN)
        self.rest.setText(f"{len(problems) - MOST_SHOWN:,} more")
        if problems:
            self._later.start(0)

    def _add_row(self) -> None:
        row = ProblemRow(self._theme)
        row.wanted.connect(self._go)
        row.fix_wanted.connect(self._fix)
        row.more_wanted.connect(self._more)
        self._column.insertWidget(2 + len(self._rows), row)
        self._rows.append(row)

    def rows(self) -> list[ProblemRow]:
        """The rows that are shown."""
        return [row for row in self._rows if not row.isHidden()]

    def _name(self, problem: Problem) -> str:
        if problem.node is None or self._editor is None:
            return problem.option or ""
        return self._editor.document.graph.nodes[problem.node].name

    def _show_fixes(self) -> None:
        from designer.layers.fixes import fixes

        if self._editor is None or not self.isVisible() or _slow(self._editor):
            return
        first: dict[int, tuple[str, int]] = {}
        view = self.viewport().rect()
        for row in self.rows():
            node = row.problem.node if row.problem else None
            top = row.mapTo(self.viewport(), row.rect().topLeft()).y()
            if node is None or node in first or top > view.bottom():
                continue
            found = fixes(self._editor, node)
            first[node] = (str(found[0].label), len(found)) if found else ("", 0)
            row.show_fix(*first[node])

    def showEvent(self, event: object) -> None:
        self._later.start(0)

    def _go(self, problem: Problem) -> None:
        if problem.node is not None:
            self.node_wanted.emit(problem.node)

    def _more(self, problem: Problem) -> None:
        if problem.node is not None:
            self.node_wanted.emit(problem.node)
            self.fixes_wanted.emit(problem.node)

    def _fix(self, problem: Problem) -> None:
        from designer.layers.fixes import fixes

        if problem.node is None or self._editor is None:
            return
        found = fixes(self._editor, problem.node)
        if found:
            self._editor.apply(found[0].edit, found[0].label)
            self.fixed.emit()


AT_ONCE = 1_000
"""Layers up to which what only code would show is looked for at each edit."""


def _slow(editor: Editable) -> bool:
    """Whether to try a fix takes long: within a block all of it is examined anew."""
    return isinstance(editor, Level) and len(editor.document.graph.nodes) > AT_ONCE


_latest: WeakKeyDictionary[Editable, tuple[Document, list[Problem]]] = WeakKeyDictionary()


def sorted_problems(editor: Editable | None) -> list[Problem]:
    """The problems of a design, errors first, then by layer in stored order.

    A walk over a large design is left to its code: there only the analysis is asked.
    """
    if editor is None:
        return []
    document, problems = _latest.get(editor, (None, []))
    if document is not editor.document:
        problems = sorted(_problems(editor), key=lambda p: _ORDER.index(p.severity))
        _latest[editor] = editor.document, problems
    return problems


def _problems(editor: Editable) -> list[Problem]:
    from designer.export.standing import standing_problems

    if len(editor.document.graph.nodes) > AT_ONCE:
        return editor.analysis.problems()
    return standing_problems(editor.analysis)
