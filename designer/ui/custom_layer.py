"""The window in which a custom layer is declared: ports, options, tensors, and the source text."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from designer.core import edits
from designer.core.custom import (
    PARTS,
    TYPES,
    Custom,
    CustomInput,
    CustomOption,
    CustomOutput,
    CustomParam,
    faults,
    misnamed,
)
from designer.core.custom_edits import rename_custom, set_custom
from designer.core.custom_entry import YES, part_of, texts_of
from designer.core.edits import Refused
from designer.core.message import message
from designer.core.tensor import DTYPE_BYTES
from designer.ui.widgets.buttons import TextButton
from designer.ui.widgets.fields import ComboBox
from designer.ui.widgets.text import SectionTitle, TextLabel, paragraph

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QKeyEvent

    from designer.core.editor import Editable
    from designer.ui.theme import Theme

INDENT = "    "
DTYPES = ("", *DTYPE_BYTES)
SOUND = (
    "The declaration is sound. Whether the text keeps to it, the comparison with PyTorch says: "
    "only there the text is run."
)
START = """\
class {name}(nn.Module):
    def __init__(self) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return x
"""
"""What a new layer begins with."""


class Column(NamedTuple):
    """A column of a table: the field that it holds, its title, and what may be chosen there."""

    field: str
    title: str
    choices: tuple[str, ...] = ()


SHAPE = Column("axes", "Shape")

TABLES: dict[str, tuple[str, type[Any], tuple[Column, ...]]] = {
    "inputs": (
        "Inputs",
        CustomInput,
        (
            Column("name", "Name"),
            SHAPE,
            Column("optional", "Optional", ("", YES)),
            Column("dtype", "Dtype", DTYPES),
        ),
    ),
    "options": (
        "Options",
        CustomOption,
        (
            Column("name", "Name"),
            Column("type", "Type", TYPES),
            Column("default", "Default"),
            Column("choices", "Choices"),
            Column("help", "Help"),
        ),
    ),
    "outputs": (
        "Outputs",
        CustomOutput,
        (Column("name", "Name"), SHAPE, Column("dtype", "Dtype", DTYPES)),
    ),
    "params": (
        "Parameters and buffers",
        CustomParam,
        (
            Column("name", "Name"),
            SHAPE,
            Column("part", "Part", PARTS),
            Column("dtype", "Dtype", DTYPES[1:]),
            Column("when", "If"),
        ),
    ),
}
"""The lists of a declaration: title, what a row is, and its columns."""


class _Chooser(QStyledItemDelegate):
    """Edits a cell by a list of choices."""

    def __init__(self, theme: Theme, column: Column, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._column = column

    def createEditor(
        self,
        parent: QWidget,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> QWidget:
        box = ComboBox(self._theme, self._column.title)
        box.setParent(parent)
        box.addItems(self._column.choices)
        box.setCurrentText(str(index.data() or ""))
        return box

    def setModelData(self, editor: QWidget, model: Any, index: Any) -> None:
        assert isinstance(editor, ComboBox)
        model.setData(index, editor.currentText())


class PartsTable(QWidget):
    """One list of a declaration, a row for each port, option or tensor."""

    changed = Signal()

    def __init__(self, theme: Theme, key: str) -> None:
        super().__init__()
        self._theme = theme
        title, self._made, self._columns = TABLES[key]
        self.table = QTableWidget(0, len(self._columns))
        self._extras: list[tuple[tuple[str, object], ...]] = []
        """Of each row what no column shows."""
        self.add = TextButton(theme, "Add")
        self.remove = TextButton(theme, "Remove")
        self._build(title)
        self.add.clicked.connect(self.add_row)
        self.remove.clicked.connect(self._remove_row)
        self.table.itemChanged.connect(self.changed)

    def _build(self, title: str) -> None:
        table, theme = self.table, self._theme
        table.setAccessibleName(title)
        table.setHorizontalHeaderLabels([column.title for column in self._columns])
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(theme.px(28))
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setFont(theme.font("mono"))
        table.setMinimumHeight(theme.px(84))
        for place, column in enumerate(self._columns):
            if column.choices:
                table.setItemDelegateForColumn(place, _Chooser(theme, column, table))
        head = QHBoxLayout()
        head.addWidget(SectionTitle(theme, title), 1)
        head.addWidget(self.add)
        head.addWidget(self.remove)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addLayout(head)
        whole.addWidget(table)

    def show_parts(self, parts: Sequence[Any]) -> None:
        """Fill the table."""
        self.table.setRowCount(0)
        self._extras.clear()
        for part in parts:
            self._append(part)

    def add_row(self) -> None:
        """Add a row for something new, and edit its name."""
        self._append(self._made(""))
        row = self.table.rowCount() - 1
        self.table.setCurrentCell(row, 0)
        self.table.edit(self.table.model().index(row, 0))
        self.changed.emit()

    def _append(self, part: Any) -> None:
        row, texts = self.table.rowCount(), texts_of(part)
        self.table.blockSignals(True)
        self.table.insertRow(row)
        for place, column in enumerate(self._columns):
            self.table.setItem(row, place, QTableWidgetItem(texts[column.field]))
        self._extras.append(part.extra)
        self.table.blockSignals(False)

    def _remove_row(self) -> None:
        row = self.table.currentRow()
        if row >= 0:
            self.table.removeRow(row)
            del self._extras[row]
            self.changed.emit()

    def parts(self) -> tuple[Any, ...]:
        """What the rows declare."""
        return tuple(self._part(row) for row in range(self.table.rowCount()))

    def _part(self, row: int) -> Any:
        items = (self.table.item(row, place) for place in range(len(self._columns)))
        pairs = zip(self._columns, items, strict=True)
        texts = {column.field: item.text() if item else "" for column, item in pairs}
        return part_of(self._made, texts, self._extras[row])


class SourceField(QPlainTextEdit):
    """The source text; Tab indents by four blanks."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setAccessibleName("Source")
        self.setFont(theme.font("code"))
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Tab and not event.modifiers():
            self.insertPlainText(INDENT)
        else:
            super().keyPressEvent(event)


class CustomDialog(QDialog):
    """Declares a custom layer, or changes one; everything is done in one step of undo.

    What is wrong is said while it is typed. Only what no layer can be made of is refused.
    """

    def __init__(self, theme: Theme, parent: QWidget, editor: Editable, name: str = "") -> None:
        super().__init__(parent)
        self._theme = theme
        self._editor = editor
        self._before = editor.document.customs.get(name)
        self.shown = self._before or _fresh(editor)
        self.name = _field(theme, "Name", self.shown.name)
        self.note = _field(theme, "Note", self.shown.note)
        self.flops = _field(theme, "Operations", self.shown.flops)
        self.tables = {key: PartsTable(theme, key) for key in TABLES}
        self.source = SourceField(theme)
        self.said = paragraph(theme, "", "body")
        self.take = TextButton(theme, "Change" if self._before else "Declare", primary=True)
        self.leave = TextButton(theme, "Cancel")
        self._fill()
        self._build()
        self._connect()
        self.judge()

    def _fill(self) -> None:
        for key, table in self.tables.items():
            table.show_parts(getattr(self.shown, key))
        self.source.setPlainText(self.shown.source)
        # The field makes all line ends one: a text that nobody touched stays as it was.
        self._first_text = self.source.toPlainText()

    def _build(self) -> None:
        theme, px = self._theme, self._theme.px
        self.setWindowTitle("Custom layer")
        self.resize(px(1080), px(760))
        form = QFormLayout()
        for field in (self.name, self.note, self.flops):
            form.addRow(TextLabel(theme, field.accessibleName()), field)
        left, right, both = QVBoxLayout(), QVBoxLayout(), QHBoxLayout()
        left.addLayout(form)
        for table in self.tables.values():
            left.addWidget(table, 1)
        right.addWidget(SectionTitle(theme, "Source of the module"))
        right.addWidget(self.source, 1)
        both.addLayout(left, 1)
        both.addLayout(right, 1)
        buttons = QHBoxLayout()
        buttons.addWidget(self.said, 1)
        buttons.addWidget(self.leave)
        buttons.addWidget(self.take)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(px(20), px(16), px(20), px(16))
        whole.setSpacing(px(12))
        whole.addLayout(both, 1)
        whole.addLayout(buttons)

    def _connect(self) -> None:
        for field in (self.name, self.note, self.flops):
            field.textChanged.connect(self.judge)
        for table in self.tables.values():
            table.changed.connect(self.judge)
        self.source.textChanged.connect(self.judge)
        self.take.clicked.connect(self.accept)
        self.leave.clicked.connect(self.reject)

    # What is declared

    def custom(self) -> Custom:
        """The layer as it is declared in the fields."""
        text = self.source.toPlainText()
        return replace(
            self.shown,
            name=self.name.text().strip(),
            note=self.note.text().strip(),
            flops=self.flops.text().strip(),
            source=self.shown.source if text == self._first_text else text,
            **{key: table.parts() for key, table in self.tables.items()},
        )

    def judge(self) -> None:
        """Say what is wrong."""
        custom = self.custom()
        wrong = misnamed(custom)
        self.take.setEnabled(wrong is None)
        found = [wrong] if wrong is not None else faults(custom)
        self._say(" ".join(map(str, found)) or SOUND, bad=bool(found))

    def _say(self, sentence: str, *, bad: bool) -> None:
        self.said.setText(sentence)
        self.said.set_token("error" if bad else "text-2")

    def accept(self) -> None:
        """Declare it, or say why it is refused and stay."""
        custom = self.custom()
        steps = [set_custom(custom)]
        if self._before is not None:
            steps.insert(0, rename_custom(self._before.name, custom.name))
        label = message("Declare {name}", name=custom.name)
        try:
            self._editor.apply(edits.all_of(steps), label)
        except Refused as refused:
            self._say(str(refused), bad=True)
            return
        super().accept()


def _field(theme: Theme, name: str, text: str) -> QLineEdit:
    field = QLineEdit(text)
    field.setAccessibleName(name)
    field.setFont(theme.font("body"))
    return field


def _fresh(editor: Editable) -> Custom:
    """A layer that gives back what it gets, under a name that is free."""
    taken = {*editor.document.customs, *editor.document.blocks}
    names = ("Custom", *(f"Custom{number}" for number in range(2, len(taken) + 3)))
    name = next(name for name in names if name not in taken)
    return Custom(name, source=START.format(name=name))
