"""The code panel: the PyTorch module of the design, as it is being drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from designer.export.pytorch import ExportError, Source, write
from designer.ui.code.comparison import Comparison
from designer.ui.code.find import FindLine
from designer.ui.code.obstacles import Obstacles
from designer.ui.code.side import SideBox, statements, use_sentence
from designer.ui.code.view import CodeView
from designer.ui.widgets.buttons import IconButton
from designer.ui.widgets.text import TextLabel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QResizeEvent, QShowEvent

    from designer.core.document import Document
    from designer.core.editor import Editable, Notice
    from designer.core.finding import Problem
    from designer.core.graph import NodeId
    from designer.export.check import Report
    from designer.ui.theme import Theme

AT_ONCE = 1_000
"""Layers of which the code can follow each keystroke."""

PAUSE = 500
"""Milliseconds without an edit after which the code of a larger design follows."""

WIDE = 700
"""Below this width there is no room for the box beside the code."""
_NOTHING = Source("", {})


class CodePanel(QWidget):
    """Code that follows the design; nothing is worked out while it is hidden."""

    node_wanted = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._editor: Editable | None = None
        self._source = _NOTHING
        self._nodes: tuple[NodeId, ...] = ()
        self._stale = False
        self._name = ""
        self.view = CodeView(theme)
        self.find_line = FindLine(theme, self.view)
        self.obstacles = Obstacles(theme)
        self.side = SideBox(theme)
        self.comparison = Comparison()
        self.copy = IconButton(theme, "copy", "Copy the code")
        self.tools = _tools(theme, self.copy)
        self.stack = QStackedWidget()
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._build()
        self._connect()
        self._show_obstacles([])

    def _build(self) -> None:
        code = QWidget()
        column = QVBoxLayout(code)
        column.addWidget(self.view, 1)
        column.addWidget(self.find_line)
        self.stack.addWidget(self.obstacles)
        self.stack.addWidget(code)
        row = QHBoxLayout(self)
        row.addWidget(self.stack, 1)
        row.addWidget(self.side)
        for layout in (column, row):
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(0)

    def _connect(self) -> None:
        self._later.timeout.connect(self.refresh)
        self.view.line_chosen.connect(self._choose_line)
        self.view.find_wanted.connect(self.find_line.open)
        self.obstacles.node_wanted.connect(self.node_wanted.emit)
        self.copy.clicked.connect(self.copy_code)
        self.side.line_wanted.connect(self._go_to)
        self.side.check_wanted.connect(self.compare)
        self.side.cancel_wanted.connect(self._forget_comparison)
        self.comparison.finished.connect(self._compared)

    def set_editor(self, editor: Editable | None) -> None:
        """Show the code of another design, or of none."""
        if self._editor is not None:
            self._editor.unlisten(self._heard)
        self._editor = editor
        self._nodes = ()
        self.view.set_text("")
        if editor is not None:
            editor.listen(self._heard)
        self._forget_comparison()
        self._go_stale()

    def set_name(self, name: str) -> None:
        """Say what the window calls the design: it names the class where there is no title."""
        if name != self._name:
            self._name = name
            self._go_stale()

    def _title(self) -> str:
        return (self._editor.document.title.strip() if self._editor else "") or self._name

    def _heard(self, notice: Notice) -> None:
        self._forget_comparison()
        if {key.section for key in notice.delta.changes} - {"position"}:
            self._go_stale()

    # The code

    def _go_stale(self) -> None:
        self._stale = True
        if self.isVisible():
            layers = len(self._editor.document.graph.nodes) if self._editor else 0
            self._later.start(PAUSE if layers > AT_ONCE else 0)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._bring_up_to_date()
        self._reveal()

    def _bring_up_to_date(self) -> None:
        if self._stale:
            self.refresh()

    def refresh(self) -> None:
        """Write the code of the design as it stands."""
        self._later.stop()
        self._stale = False
        problems: list[Problem] = []
        self._source = _NOTHING
        if self._editor is not None:
            try:
                self._source = write(self._editor.analysis, self._title())
            except ExportError as error:
                problems = error.problems
        if self._source.text:
            self._show_source()
        else:
            self._show_obstacles(problems)
        self._fit()

    def _show_source(self) -> None:
        assert self._editor is not None
        text = self._source.text.removesuffix("\n")
        self.view.set_text(text)
        self.side.show_module(self._editor.analysis, text.count("\n") + 1)
        self.stack.setCurrentIndex(1)
        self.copy.setEnabled(True)
        self._mark()

    def _show_obstacles(self, problems: list[Problem]) -> None:
        self.obstacles.show_problems(self._editor.analysis if self._editor else None, problems)
        self.stack.setCurrentIndex(0)
        self.find_line.hide()
        self.copy.setEnabled(False)

    def text(self) -> str:
        """The code of the design as it stands; empty where it cannot be exported."""
        self._bring_up_to_date()
        return self._source.text

    def copy_code(self) -> None:
        """Put the code on the clipboard."""
        QGuiApplication.clipboard().setText(self.text())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        wide = self.width() >= self._theme.px(WIDE)
        self.side.setVisible(wide and bool(self._source.text))

    # Lines and nodes

    def show_nodes(self, ids: Sequence[NodeId]) -> None:
        """Mark the lines that make and use these nodes, and bring one of them into view."""
        chosen = tuple(ids)
        moved, self._nodes = chosen != self._nodes, chosen
        self._mark()
        if moved:
            self._reveal()

    def _reveal(self) -> None:
        """Scroll as far as no line of the selected nodes is in view."""
        lines = self.view.marked()
        if lines and not set(lines) & set(self.view.in_view()):
            self.view.go_to(lines[0])

    def _mark(self) -> None:
        lines = {line for id in self._nodes for line in self._source.lines.get(id, ())}
        self.view.mark(lines)
        begins = tuple(first for first, _ in statements(lines))
        single = len(self._nodes) == 1 and self._editor is not None
        self.side.show_use(self._use(lines) if single else "", begins if single else ())

    def _use(self, lines: set[int]) -> str:
        assert self._editor is not None
        node = self._editor.document.graph.nodes.get(self._nodes[0])
        return use_sentence(node.name, lines) if node is not None else ""

    def _choose_line(self, line: int) -> None:
        """Ask for the node of a line; where it has several, for the one after the selected one."""
        found = [id for id, lines in self._source.lines.items() if line in lines]
        if found:
            selected = self._nodes[0] if self._nodes else None
            place = found.index(selected) + 1 if selected in found else 0
            self.node_wanted.emit(found[place % len(found)])

    def _go_to(self, line: int) -> None:
        self.view.go_to(line)

    # The comparison

    def compare(self) -> None:
        """Compare the export with PyTorch; the result is shown if nothing is edited meanwhile."""
        if self._editor is not None and self.text():
            self.comparison.start(self._editor.document)
            self.side.show_running()

    def _forget_comparison(self) -> None:
        self.comparison.stop()
        self.side.show_report(None)

    def _compared(self, document: Document, report: Report) -> None:
        if self._editor is not None and self._editor.document is document:
            self.side.show_report(report)


def _tools(theme: Theme, copy: QWidget) -> QWidget:
    tools = QWidget()
    row = QHBoxLayout(tools)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(theme.px(12))
    row.addWidget(TextLabel(theme, "PyTorch module", "body", "text-2"))
    row.addWidget(copy)
    return tools
