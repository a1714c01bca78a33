"""The variables panel: named values that options use, and trial sizes of free dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from designer.ui.name_lists import DimensionList, VariableList
from designer.ui.presets import Presets
from designer.ui.widgets.boxes import Divider
from designer.ui.widgets.text import SectionTitle, TextLabel

if TYPE_CHECKING:
    from designer.core.editor import Editable
    from designer.ui.name_rows import NameRow
    from designer.ui.theme import Theme


class Variables(QWidget):
    """Variables, and the free dimensions with the sizes that they are tried with."""

    count_changed = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.presets = Presets(theme)
        self.variable_list = VariableList(theme, "New variable")
        self.dimension_list = DimensionList(theme, "New dimension")
        self._title = SectionTitle(theme, "Sizes of unknown dimensions")
        self._hint = TextLabel(theme, "Used for memory and FLOP only.", "hint", "text-3")
        self._build()
        for names in (self.variable_list, self.dimension_list):
            names.changed.connect(self._count)
        self.set_editor(None)

    def _build(self) -> None:
        px = self.theme.px
        column = QVBoxLayout(self)
        column.setContentsMargins(0, px(10), 0, px(8))
        column.setSpacing(0)
        above, below = QVBoxLayout(), QVBoxLayout()
        for part in (above, below):
            part.setSpacing(0)
            part.setContentsMargins(px(16), px(4), px(10), px(4))
        above.addWidget(self.presets)
        above.addWidget(self.variable_list)
        below.addSpacing(px(4))
        below.addWidget(self._title)
        below.addWidget(self._hint)
        below.addSpacing(px(2))
        below.addWidget(self.dimension_list)
        column.addLayout(above)
        column.addWidget(Divider(self.theme))
        column.addLayout(below)
        column.addStretch(1)

    def set_editor(self, editor: Editable | None) -> None:
        """Show the names of another design, or none."""
        self.setEnabled(editor is not None)
        self.presets.set_editor(editor)
        for names in (self.variable_list, self.dimension_list):
            names.set_editor(editor)

    def _count(self) -> None:
        editor = self.variable_list.editor
        self._hint.setVisible(bool(editor and editor.document.dimensions))
        self.count_changed.emit(len(editor.document.variables) if editor else 0)

    @property
    def variables(self) -> list[NameRow]:
        """The rows of the variables."""
        return self.variable_list.rows

    @property
    def dimensions(self) -> list[NameRow]:
        """The rows of the free dimensions."""
        return self.dimension_list.rows

    def row(self, name: str) -> NameRow:
        """The row of a variable or free dimension; KeyError where there is none."""
        found = self.variable_list.row(name) or self.dimension_list.row(name)
        if found is None:
            raise KeyError(name)
        return found
