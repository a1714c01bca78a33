"""What stands in the way of the code, sentence by sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from designer.export.uses import inputs_of, outputs_of
from designer.ui.widgets.boxes import IconLabel
from designer.ui.widgets.buttons import TextButton
from designer.ui.widgets.text import TextLabel, paragraph

if TYPE_CHECKING:
    from designer.core.analysis import Analysis
    from designer.core.finding import Problem
    from designer.ui.theme import Theme

MOST_SHOWN = 50
NO_ENDS = "The code appears when the design has an input and an output."
FAULTY = "The code appears when the design can be exported."


class Obstacle(QWidget):
    """One sentence, and a button that leads to the layer that it is about."""

    wanted = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._node: int | None = None
        self._icon = IconLabel(theme, "err", "error", 14)
        self.show_layer = TextButton(theme, "")
        self._sentence = paragraph(theme, "", "body", "text")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.px(8))
        row.addWidget(self._icon)
        row.addWidget(self.show_layer)
        row.addWidget(self._sentence, 1)
        self.show_layer.clicked.connect(self._ask)

    def show_problem(self, problem: Problem, name: str) -> None:
        """Show a problem at a layer or variable of that name."""
        self._node = problem.node
        is_error = problem.severity == "error"
        self._icon.set_icon("err" if is_error else "hint", "error" if is_error else "text-2")
        self._sentence.setText(str(problem.message))
        self.show_layer.setText(name)
        self.show_layer.setAccessibleName(f"Show {name}")
        self.show_layer.setVisible(problem.node is not None)
        self.show_layer.updateGeometry()

    def text(self) -> str:
        """The sentence."""
        return self._sentence.text()

    def _ask(self) -> None:
        if self._node is not None:
            self.wanted.emit(self._node)


class Obstacles(QScrollArea):
    """Why there is no code: a heading, and the problems to be mended first."""

    node_wanted = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._rows: list[Obstacle] = []
        self.heading = TextLabel(theme, NO_ENDS, "body", "text-2")
        self.rest = TextLabel(theme, "", "hint", "text-3")
        page = QWidget()
        page.setObjectName("page")
        self._column = QVBoxLayout(page)
        self._column.setContentsMargins(theme.px(14), theme.px(12), theme.px(16), theme.px(12))
        self._column.setSpacing(theme.px(6))
        self._column.addWidget(self.heading)
        self._column.addWidget(self.rest)
        self._column.addStretch(1)
        self.setWidget(page)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setAutoFillBackground(False)

    def show_problems(self, analysis: Analysis | None, problems: list[Problem]) -> None:
        """Show why a design has no code; no design has none either."""
        ends = analysis is not None and inputs_of(analysis) and outputs_of(analysis)
        self.heading.setText(FAULTY if ends else NO_ENDS)
        # That an end is missing is what the heading says.
        told = [p for p in problems if ends or p.node is not None or p.option is not None]
        while len(self._rows) < min(len(told), MOST_SHOWN):
            self._add_row()
        for place, row in enumerate(self._rows):
            row.setVisible(place < len(told))
            if place < len(told) and analysis is not None:
                row.show_problem(told[place], _name(analysis, told[place]))
        self.rest.setVisible(len(told) > MOST_SHOWN)
        self.rest.setText(f"{len(told) - MOST_SHOWN:,} more")

    def _add_row(self) -> None:
        row = Obstacle(self._theme)
        row.wanted.connect(self.node_wanted.emit)
        self._column.insertWidget(1 + len(self._rows), row)
        self._rows.append(row)

    def rows(self) -> list[Obstacle]:
        """The sentences that are shown."""
        return [row for row in self._rows if not row.isHidden()]


def _name(analysis: Analysis, problem: Problem) -> str:
    if problem.node is None:
        return problem.option or ""
    return analysis.document.graph.nodes[problem.node].name
