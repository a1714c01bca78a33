"""The variables panel: named values that options use, and trial sizes of free dimensions."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QMenu, QVBoxLayout, QWidget

from designer.core import edits, numbers, size
from designer.core.document import Dimension, Variable
from designer.core.edits import Refused
from designer.core.entry import divisors_of, text_of, variable_raw
from designer.core.expression import Expression
from designer.core.grammar import LONGEST_NAME
from designer.core.message import message
from designer.core.option import names_in
from designer.core.size import Symbolic
from designer.ui.widgets.boxes import Divider
from designer.ui.widgets.buttons import IconButton
from designer.ui.widgets.links import LinkButton
from designer.ui.widgets.name_field import NameField
from designer.ui.widgets.tab_order import set_tab_order
from designer.ui.widgets.text import SectionTitle, TextLabel, paragraph
from designer.ui.widgets.value_field import Remark, ScrubLabel, ValueField

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    from PySide6.QtGui import QMouseEvent

    from designer.core.analysis import Analysis
    from designer.core.document import Edit
    from designer.core.editor import Editable, Notice
    from designer.core.graph import Node
    from designer.core.message import Message
    from designer.ui.theme import Theme

KEY_WIDTH = 96
ROW = 34
_BUTTON = 24
_IGNORED = frozenset({"position", "setting", "title", "edge"})

NOTE, DIVISORS = "Note", "Divided by"
MEANING, MULTIPLE = "Meaning", "Multiple of"


class Shown(NamedTuple):
    """What a row shows of a name: its value as text, words at the right, what else is said."""

    name: str
    text: str
    words: str
    note: str
    extras: Mapping[str, str]
    problem: str = ""


class _NameLabel(ScrubLabel):
    """The name: a drag along it changes the number, a double click edits it."""

    edit_wanted = Signal()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.edit_wanted.emit()


class NameRow(QWidget):
    """A name with its value, and under it a field for what else is declared of it."""

    typed = Signal(str, str, int)
    extra_typed = Signal(str, str, str, int)
    renamed = Signal(str, str)
    delete_wanted = Signal(str)
    ended = Signal()

    def __init__(self, theme: Theme, extras: tuple[str, ...]) -> None:
        super().__init__()
        self.theme = theme
        self.shown = Shown("", "", "", "", {})
        self.field = ValueField(theme, "Value")
        self.label = _NameLabel(theme, "", self.field, "mono")
        self.name = NameField(theme, "New name", "mono")
        self.menu_button = IconButton(theme, "dots", "More")
        self.extra_label = TextLabel(theme, "", "hint", "text-2")
        self.extra = ValueField(theme, "", "hint")
        self._line = paragraph(theme, "", "hint", "text-3")
        self._extras = extras
        self._refusal = ""
        self._unread = False
        """Whether the field holds a text that the document did not take."""
        self._grid = QGridLayout(self)
        self._build()
        self._connect()

    def _build(self) -> None:
        grid, px = self._grid, self.theme.px
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(0)
        grid.setColumnStretch(1, 1)
        for first in (self.label, self.name):
            grid.addWidget(first, 0, 0)
            first.setFixedWidth(px(KEY_WIDTH - 6))
        self.name.setMaxLength(LONGEST_NAME)
        self.name.hide()
        self.menu_button.setFixedSize(px(_BUTTON), px(_BUTTON))
        grid.addWidget(self.field, 0, 1)
        grid.addWidget(self.menu_button, 0, 2)
        grid.addWidget(self.extra_label, 1, 0)
        grid.addWidget(self.extra, 1, 1)
        grid.addWidget(self._line, 2, 1)
        grid.setColumnMinimumWidth(0, px(KEY_WIDTH))
        grid.setRowMinimumHeight(0, px(ROW))
        self._line.setContentsMargins(0, 0, 0, px(5))
        for widget in (self.extra_label, self.extra, self._line):
            widget.hide()

    def _connect(self) -> None:
        self.field.typed.connect(self._typed)
        self.field.focused.connect(self._say)
        self.field.ended.connect(self._end)
        self.extra.typed.connect(self._extra_typed)
        self.extra.ended.connect(self._close_extra)
        self.label.edit_wanted.connect(self.edit_name)
        self.name.accepted.connect(self._renamed)
        self.name.left.connect(self._close_name)
        self.menu_button.clicked.connect(self._open_menu)

    def show_name(self, shown: Shown) -> None:
        """Bring the row up to date; what is being typed stays as it is."""
        if shown.name != self.shown.name:
            self._close_name()
            self._refusal = ""
        self.shown = shown
        self.label.setText(shown.name)
        self.label.set_help(shown.note)
        self.name.show_name(shown.name)
        self.field.setAccessibleName(shown.name)
        self.menu_button.setAccessibleName(f"More for {shown.name}")
        self.field.set_remark(Remark(shown.words))
        if not self._unread:
            self.field.show_text(shown.text)
        self._say()

    def refuse(self, sentence: str, keep_text: bool = False) -> None:
        """Say in a line why something was not done; empty takes that back."""
        self._refusal = sentence
        self._unread = keep_text and bool(sentence)
        self._say()

    def _say(self) -> None:
        wrong = self._refusal or self.shown.problem
        text = wrong or (self.shown.note if self.field.hasFocus() else "")
        self._line.setText(text)
        self._line.set_token("error" if wrong else "text-3")
        self._line.setVisible(bool(text))
        self.field.set_faulty(bool(self.shown.problem or self._unread))

    def line(self) -> str:
        """The line under the field; empty where there is none."""
        return "" if self._line.isHidden() else self._line.text()

    def _typed(self, text: str) -> None:
        self._refusal, self._unread = "", False
        self.typed.emit(self.shown.name, text, self.field.session)

    def _end(self) -> None:
        if self._unread:
            self.refuse("")
            self.field.show_text(self.shown.text)
        self.ended.emit()

    # The name

    def edit_name(self) -> None:
        """Put the keyboard into the name."""
        self.label.hide()
        self.name.show()
        self.name.setFocus()
        self.name.selectAll()

    def _renamed(self, name: str) -> None:
        self.renamed.emit(self.shown.name, name.strip())

    def _close_name(self) -> None:
        self.name.hide()
        self.label.show()

    # What else is declared

    def edit_extra(self, title: str) -> None:
        """Open the field for a note, divisors, a meaning or a multiple."""
        self.extra_label.setText(title)
        self.extra.setAccessibleName(f"{title}, {self.shown.name}")
        self.extra.show_text(self.shown.extras[title])
        self.extra.show()
        self.extra_label.show()
        self.extra.setFocus()

    def _extra_typed(self, text: str) -> None:
        self.refuse("")
        title = self.extra_label.text()
        self.extra_typed.emit(self.shown.name, title, text, self.extra.session)

    def _close_extra(self) -> None:
        self.extra.hide()
        self.extra_label.hide()
        self.ended.emit()

    # The menu

    def make_menu(self) -> QMenu:
        """What can be done to this name."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Rename", self.edit_name)
        for title in self._extras:
            menu.addAction(title, partial(self.edit_extra, title))
        menu.addSeparator()
        menu.addAction("Delete", lambda: self.delete_wanted.emit(self.shown.name))
        return menu

    def _open_menu(self) -> None:
        button = self.menu_button
        self.make_menu().popup(button.mapToGlobal(button.rect().bottomLeft()))


class NewName(QWidget):
    """A link that becomes a field for the name of something new."""

    wanted = Signal(str)

    def __init__(self, theme: Theme, words: str) -> None:
        super().__init__()
        self.link = LinkButton(theme, words, "plus", "text-2")
        self.field = NameField(theme, words, "mono")
        self.field.setMaxLength(LONGEST_NAME)
        self.field.setPlaceholderText("name")
        self._line = paragraph(theme, "", "hint", "error")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, theme.px(5), 0, theme.px(5))
        column.setSpacing(theme.px(2))
        for widget in (self.link, self.field, self._line):
            column.addWidget(widget)
        self.link.clicked.connect(self.open)
        self.field.accepted.connect(self.wanted.emit)
        self.field.left.connect(self.close_field)
        self.close_field()

    def open(self) -> None:
        """Ask for a name."""
        self.link.hide()
        self.field.show()
        self.field.setFocus()

    def close_field(self) -> None:
        """Go back to the link."""
        self.field.reset("")
        self.field.hide()
        self._line.hide()
        self.link.show()

    def refuse(self, sentence: str) -> None:
        """Say why the name was not taken."""
        self._line.setText(sentence)
        self._line.show()

    def line(self) -> str:
        """Why the name was not taken; empty where nothing is said."""
        return "" if self._line.isHidden() else self._line.text()


class Variables(QWidget):
    """Variables, and the free dimensions with the sizes that they are tried with."""

    count_changed = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.editor: Editable | None = None
        self.variables: list[NameRow] = []
        self.dimensions: list[NameRow] = []
        self.new_variable = NewName(theme, "New variable")
        self.new_dimension = NewName(theme, "New dimension")
        self._uses: Counter[str] = Counter()
        self._variable_column, self._dimension_column = QVBoxLayout(), QVBoxLayout()
        self._title = SectionTitle(theme, "Sizes of unknown dimensions")
        self._hint = TextLabel(theme, "Used for memory and FLOP only.", "hint", "text-3")
        self._build()
        self.new_variable.wanted.connect(self._add_variable)
        self.new_dimension.wanted.connect(self._add_dimension)
        self.refresh()

    def _build(self) -> None:
        px = self.theme.px
        column = QVBoxLayout(self)
        column.setContentsMargins(0, px(10), 0, px(8))
        column.setSpacing(0)
        above, below = QVBoxLayout(), QVBoxLayout()
        for part in (above, below, self._variable_column, self._dimension_column):
            part.setSpacing(0)
        for part in (above, below):
            part.setContentsMargins(px(16), px(4), px(10), px(4))
        above.addLayout(self._variable_column)
        above.addWidget(self.new_variable)
        self._hint.setContentsMargins(px(KEY_WIDTH), 0, 0, 0)
        below.addSpacing(px(4))
        below.addWidget(self._title)
        below.addSpacing(px(2))
        below.addLayout(self._dimension_column)
        below.addWidget(self._hint)
        below.addWidget(self.new_dimension)
        column.addLayout(above)
        column.addWidget(Divider(self.theme))
        column.addLayout(below)
        column.addStretch(1)

    # What is shown

    def set_editor(self, editor: Editable | None) -> None:
        """Show the names of another design, or none."""
        if self.editor is not None:
            self.editor.unlisten(self._heard)
        self.editor = editor
        self._uses.clear()
        if editor is not None:
            editor.listen(self._heard)
            for node in editor.document.graph.nodes.values():
                self._uses.update(_used_by(node))
        for new in (self.new_variable, self.new_dimension):
            new.close_field()
        self.refresh()

    def _heard(self, notice: Notice) -> None:
        for _, (old, new) in notice.delta.of("node"):
            self._uses.subtract(_used_by(old))
            self._uses.update(_used_by(new))
        if not {key.section for key in notice.delta.changes} <= _IGNORED:
            self.refresh()

    def refresh(self) -> None:
        """Show all names as they stand."""
        self.setEnabled(self.editor is not None)
        variables = _variables(self.editor, self._uses) if self.editor else []
        dimensions = _dimensions(self.editor) if self.editor else []
        self._fill(self.variables, variables)
        self._fill(self.dimensions, dimensions)
        self._hint.setVisible(bool(dimensions))
        self.count_changed.emit(len(variables))

    def _fill(self, rows: list[NameRow], shown: list[Shown]) -> None:
        while len(rows) < len(shown):
            rows.append(self._make_row(rows is self.variables))
            self._order_tabs()
        for place, row in enumerate(rows):
            row.setVisible(place < len(shown))
            if place < len(shown):
                row.show_name(shown[place])

    def _make_row(self, for_variable: bool) -> NameRow:
        row = NameRow(self.theme, (NOTE, DIVISORS) if for_variable else (MEANING, MULTIPLE))
        column = self._variable_column if for_variable else self._dimension_column
        column.addWidget(row)
        set_value = self._set_variable if for_variable else self._set_trial
        row.typed.connect(partial(set_value, row))
        row.extra_typed.connect(partial(self._set_extra, row))
        row.renamed.connect(partial(self._rename, row))
        row.delete_wanted.connect(partial(self._delete, row))
        row.ended.connect(self._end)
        if not for_variable:
            row.field.least = 1
        return row

    def _order_tabs(self) -> None:
        controls: list[QWidget] = []
        for rows, new in (
            (self.variables, self.new_variable),
            (self.dimensions, self.new_dimension),
        ):
            for row in rows:
                controls += [row.name, row.field, row.menu_button, row.extra]
            controls += [new.link, new.field]
        set_tab_order(controls)

    def row(self, name: str) -> NameRow:
        """The row of a variable or free dimension; KeyError where there is none."""
        rows = (*self.variables, *self.dimensions)
        found = next((r for r in rows if not r.isHidden() and r.shown.name == name), None)
        if found is None:
            raise KeyError(name)
        return found

    # Edits

    def _apply(self, edit: Edit, label: Message, gesture: Hashable = None) -> str:
        """Make an edit; why it was refused, or nothing."""
        if self.editor is None:
            return ""
        try:
            self.editor.apply(edit, label, gesture)
        except Refused as refusal:
            return str(refusal.message)
        return ""

    def _end(self) -> None:
        if self.editor is not None:
            self.editor.end_gesture()

    def _set_variable(self, row: NameRow, name: str, text: str, session: int) -> None:
        assert self.editor is not None
        variable = self.editor.document.variables[name]
        changed = replace(variable, value=variable_raw(variable.value, text))
        label = message("Set {option} to {value}", option=name, value=text)
        row.refuse(
            self._apply(edits.set_variable(name, changed), label, ("variable", name, session))
        )

    def _set_trial(self, row: NameRow, name: str, text: str, session: int) -> None:
        assert self.editor is not None
        trial = _positive(text)
        if trial is None:
            row.refuse("A size to try is a whole number from 1 on.", keep_text=True)
            return
        changed = replace(self.editor.document.dimensions[name], trial=trial)
        label = message("Try {name} = {trial}", name=name, trial=trial)
        row.refuse(self._apply(edits.set_dimension(name, changed), label, ("trial", name, session)))

    def _set_extra(self, row: NameRow, name: str, title: str, text: str, session: int) -> None:
        assert self.editor is not None
        document = self.editor.document
        gesture = (title, name, session)
        if title in (NOTE, DIVISORS):
            variable = document.variables[name]
            edit = edits.set_variable(name, _with_extra(variable, title, text))
        elif title == MEANING:
            edit = edits.set_dimension(name, replace(document.dimensions[name], meaning=text))
        else:
            multiple = _positive(text or "1")
            if multiple is None:
                row.refuse("A multiple is a whole number from 1 on.")
                return
            edit = edits.set_dimension(name, replace(document.dimensions[name], multiple=multiple))
        row.refuse(self._apply(edit, message("Describe {name}", name=name), gesture))

    def _rename(self, row: NameRow, old: str, new: str) -> None:
        label = message("Rename {old} to {name}", old=old, name=new)
        refused = self._apply(edits.rename_name(old, new), label)
        if refused:
            row.refuse(refused)

    def _delete(self, row: NameRow, name: str) -> None:
        row.refuse(self._apply(edits.remove_name(name), message("Delete {name}", name=name)))

    def _add_variable(self, name: str) -> None:
        edit = edits.set_variable(name.strip(), Variable(1))
        self._add(self.new_variable, name.strip(), edit)

    def _add_dimension(self, name: str) -> None:
        edit = edits.set_dimension(name.strip(), Dimension())
        self._add(self.new_dimension, name.strip(), edit)

    def _add(self, new: NewName, name: str, edit: Edit) -> None:
        refused = self._apply(edit, message("Declare {name}", name=name))
        if refused:
            new.refuse(refused)
            return
        new.close_field()
        field = self.row(name).field
        field.setFocus()
        field.selectAll()


def _with_extra(variable: Variable, title: str, text: str) -> Variable:
    if title == NOTE:
        return replace(variable, note=text)
    return replace(variable, divisors=divisors_of(text))


def _positive(text: str) -> int | None:
    plain = text.strip().replace("_", "")
    if not plain.isdecimal() or len(plain) > 19:
        return None
    return int(plain) or None


def _used_by(node: Node | None) -> Iterable[str]:
    """Each name once for each option that uses it."""
    for _, raw in node.options if node else ():
        yield from set(names_in(raw))


def _variables(editor: Editable, uses: Counter[str]) -> list[Shown]:
    document, analysis = editor.document, editor.analysis
    faults = {problem.option: str(problem.message) for problem in analysis.name_problems}
    among = Counter(
        name
        for variable in document.variables.values()
        for name in {*names_in(variable.value), *map(str, variable.divisors)}
    )
    return [
        Shown(
            name,
            text_of(variable.value),
            _words(analysis, name, variable, uses[name] + among[name]),
            _remarks(variable),
            {NOTE: variable.note, DIVISORS: ", ".join(map(str, variable.divisors))},
            faults.get(name, ""),
        )
        for name, variable in document.variables.items()
    ]


def _words(analysis: Analysis, name: str, variable: Variable, uses: int) -> str:
    used = f"{uses:,} field" if uses == 1 else f"{uses:,} fields"
    value = analysis.scope.get(name)
    if not isinstance(variable.value, Expression) or value is None:
        return used
    known = size.value(value) if isinstance(value, Symbolic) else None
    return f"= {value if known is None else numbers.count(known)}"


def _remarks(variable: Variable) -> str:
    divided = ", ".join(map(str, variable.divisors))
    verb = "divide" if len(variable.divisors) > 1 else "divides"
    return ". ".join(
        part for part in (variable.note, f"{divided} {verb} it" if divided else "") if part
    )


def _dimensions(editor: Editable) -> list[Shown]:
    return [
        Shown(
            name,
            str(dimension.trial),
            dimension.meaning,
            f"Always a multiple of {dimension.multiple}." if dimension.multiple != 1 else "",
            {MEANING: dimension.meaning, MULTIPLE: str(dimension.multiple)},
        )
        for name, dimension in editor.document.dimensions.items()
    ]
