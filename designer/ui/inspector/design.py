"""What the inspector shows when nothing is selected: the design, or the block that was entered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from designer.core.block_edits import set_note
from designer.core.edits import Refused
from designer.core.level import Level
from designer.core.message import message
from designer.ui.inspector.facts import Wire, WireRow
from designer.ui.inspector.fields import KEY_WIDTH
from designer.ui.name_lists import VariableList
from designer.ui.widgets.text import SectionTitle, TextLabel
from designer.ui.widgets.value_field import ValueField

if TYPE_CHECKING:
    from designer.core.analysis import Analysis
    from designer.core.editor import Editable, Notice
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


class BlockPart(QWidget):
    """What a block is for, and its arguments."""

    said = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._level: Level | None = None
        self.note = ValueField(theme, "Note", "hint")
        self.note.setPlaceholderText("What the block is for")
        self.arguments = VariableList(theme, "New block variable")
        self._build(theme)
        self.note.typed.connect(self._set_note)
        self.note.ended.connect(self._end)

    def _build(self, theme: Theme) -> None:
        label = TextLabel(theme, "Note", "body", "text-2")
        label.setFixedWidth(theme.px(KEY_WIDTH))
        above = QHBoxLayout()
        above.setSpacing(0)
        above.setContentsMargins(0, 0, 0, theme.px(8))
        above.addWidget(label)
        above.addWidget(self.note)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, theme.px(4))
        column.setSpacing(theme.px(4))
        column.addLayout(above)
        column.addWidget(SectionTitle(theme, "Block variables"))
        column.addWidget(self.arguments)

    def set_level(self, level: Level | None) -> None:
        """Show a block, or none."""
        self._level = level
        self.arguments.set_editor(level)
        self.setVisible(level is not None)
        self.refresh()

    def refresh(self) -> None:
        """Show the note as it stands."""
        if self._level is not None and self._level.exists:
            self.note.show_text(self._level.editor.document.blocks[self._level.block].note)

    def _set_note(self, text: str) -> None:
        if self._level is None:
            return
        name = self._level.block
        try:
            gesture = ("block note", name, self.note.session)
            label = message("Describe {name}", name=name)
            self._level.editor.apply(set_note(name, text), label, gesture)
        except Refused as refusal:
            self.said.emit(str(refusal.message))

    def _end(self) -> None:
        if self._level is not None:
            self._level.end_gesture()


class DesignPage(QWidget):
    """Inputs and outputs with their shapes; a click goes there. Of a block also its arguments."""

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
        self.block = BlockPart(theme)
        self.block.hide()
        self._column.addWidget(self.block)
        self._column.addWidget(self.title)
        self._column.addWidget(self.hint)

    def set_editor(self, editor: Editable | None) -> None:
        """Show another design or block, or none."""
        self.block.set_level(editor if isinstance(editor, Level) else None)
        if editor is not None:
            self.find_ends(editor.analysis)

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
        self.block.refresh()
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
