"""What the inspector shows when nothing is selected: the inputs and outputs of the design."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from designer.ui.inspector.facts import Wire, WireRow
from designer.ui.widgets.text import SectionTitle, TextLabel

if TYPE_CHECKING:
    from designer.core.analysis import Analysis
    from designer.core.editor import Notice
    from designer.core.graph import NodeId
    from designer.ui.theme import Theme

MOST_SHOWN = 16
_ENDS = ("Input", "Output")


def moves_ends(notice: Notice) -> bool:
    """Whether an edit has added or removed an input or output."""
    return any(
        node is not None and node.kind in _ENDS
        for _, change in notice.delta.of("node")
        for node in change
    )


class DesignPage(QWidget):
    """Inputs and outputs with their shapes; a click goes there."""

    node_wanted = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._ends: list[NodeId] = []
        self.rows: list[WireRow] = []
        self.title = SectionTitle(theme, "Inputs and outputs")
        self.hint = TextLabel(theme, "It has no input and no output yet.", "hint", "text-3")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(theme.px(16), theme.px(6), theme.px(16), theme.px(12))
        self._column.setSpacing(theme.px(1))
        self._column.addWidget(self.title)
        self._column.addWidget(self.hint)

    def find_ends(self, analysis: Analysis) -> None:
        """Look for inputs and outputs among all layers."""
        nodes = analysis.document.graph.nodes
        found = [id for id in analysis.network.ordered() if nodes[id].kind in _ENDS]
        self._ends = found[:MOST_SHOWN]
        self.show_ends(analysis)

    def show_ends(self, analysis: Analysis) -> None:
        """Show the shapes of the inputs and outputs."""
        # The selection can change before an edit that removes an end has been heard here.
        nodes = analysis.document.graph.nodes
        self._ends = [id for id in self._ends if id in nodes]
        while len(self.rows) < len(self._ends):
            row = WireRow(self._theme)
            row.node_wanted.connect(self.node_wanted.emit)
            self._column.addWidget(row)
            self.rows.append(row)
        self.hint.setVisible(not self._ends)
        for place, row in enumerate(self.rows):
            row.setVisible(place < len(self._ends))
            if place < len(self._ends):
                row.show_wire(_end(analysis, self._ends[place]))


def _end(analysis: Analysis, id: NodeId) -> Wire:
    node, finding = analysis.document.graph.nodes[id], analysis.findings[id]
    tensors = [*finding.inputs.values(), *finding.outputs.values()]
    first = tensors[0]
    tensor = first[0] if isinstance(first, tuple) else first
    return Wire("In" if node.kind == "Input" else "Out", tensor, None, node.name, id, False)
