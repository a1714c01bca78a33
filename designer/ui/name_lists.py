"""The lists of names: variables or a block's arguments, and free dimensions."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from designer.core import edits, numbers, size
from designer.core.document import Dimension, Variable
from designer.core.edits import Refused
from designer.core.entry import (
    divisors_of,
    range_of,
    text_of,
    text_of_range,
    variable_raw,
)
from designer.core.expression import Expression
from designer.core.message import message
from designer.core.option import names_in
from designer.core.size import Symbolic
from designer.ui.name_rows import NameRow, NewName, Shown
from designer.ui.widgets.tab_order import set_tab_order

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from designer.core.analysis import Analysis
    from designer.core.document import Edit
    from designer.core.editor import Editable, Notice
    from designer.core.graph import Node
    from designer.core.message import Message
    from designer.ui.theme import Theme

_IGNORED = frozenset({"position", "setting", "title", "edge"})

NOTE, RANGE, DIVISORS = "Note", "Range", "Divided by"
MEANING, MULTIPLE = "Meaning", "Multiple of"


class NameList(QWidget):
    """Rows of names, and below them the way to a new one."""

    extras: tuple[str, ...] = ()
    changed = Signal()

    def __init__(self, theme: Theme, new: str) -> None:
        super().__init__()
        self.theme = theme
        self.editor: Editable | None = None
        self.rows: list[NameRow] = []
        self.new = NewName(theme, new)
        self.new.wanted.connect(self._add)
        self._column = QVBoxLayout()
        self._column.setSpacing(0)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(self._column)
        whole.addWidget(self.new)

    # What each kind of name knows

    def shown(self, editor: Editable) -> list[Shown]:
        """What the rows show."""
        raise NotImplementedError

    def set_value(self, row: NameRow, name: str, text: str, session: int) -> None:
        """Take the text of a row's field."""
        raise NotImplementedError

    def with_extra(self, row: NameRow, name: str, title: str, text: str) -> Edit | None:
        """The edit that says something else of a name; None where the row says why not."""
        raise NotImplementedError

    def declared(self, name: str) -> Edit:
        """The edit that declares a new name."""
        raise NotImplementedError

    # What is shown

    def set_editor(self, editor: Editable | None) -> None:
        """Show the names of another design or block, or none."""
        if self.editor is not None:
            self.editor.unlisten(self._heard)
        self.editor = editor
        if editor is not None:
            editor.listen(self._heard)
        self.new.close_field()
        self.refresh()

    def _heard(self, notice: Notice) -> None:
        sections = {key.section for key in notice.delta.changes}
        if not sections or not sections <= _IGNORED:
            self.refresh()

    def refresh(self) -> None:
        """Show all names as they stand."""
        shown = self.shown(self.editor) if self.editor else []
        while len(self.rows) < len(shown):
            self._add_row()
        for place, row in enumerate(self.rows):
            row.setVisible(place < len(shown))
            if place < len(shown):
                row.show_name(shown[place])
        self.changed.emit()

    def _add_row(self) -> None:
        row = NameRow(self.theme, self.extras)
        self._column.addWidget(row)
        row.typed.connect(partial(self.set_value, row))
        row.extra_typed.connect(partial(self._set_extra, row))
        row.renamed.connect(partial(self._rename, row))
        row.delete_wanted.connect(partial(self._delete, row))
        row.ended.connect(self._end)
        self.rows.append(row)
        set_tab_order(self.controls())

    def controls(self) -> list[QWidget]:
        """What takes the keyboard, from top to bottom."""
        parts = ((row.name, row.field, row.menu_button, row.extra) for row in self.rows)
        return [*(control for row in parts for control in row), self.new.link, self.new.field]

    def row(self, name: str) -> NameRow | None:
        """The row of a name; None where there is none."""
        return next((r for r in self.rows if not r.isHidden() and r.shown.name == name), None)

    # Edits

    def apply(self, edit: Edit, label: Message, gesture: Hashable = None) -> str:
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

    def _set_extra(self, row: NameRow, name: str, title: str, text: str, session: int) -> None:
        edit = self.with_extra(row, name, title, text)
        if edit is not None:
            label = message("Describe {name}", name=name)
            row.refuse(self.apply(edit, label, (title, name, session)))

    def _rename(self, row: NameRow, old: str, new: str) -> None:
        label = message("Rename {old} to {name}", old=old, name=new)
        refused = self.apply(edits.rename_name(old, new), label)
        if refused:
            row.refuse(refused)

    def _delete(self, row: NameRow, name: str) -> None:
        row.refuse(self.apply(edits.remove_name(name), message("Delete {name}", name=name)))

    def _add(self, typed: str) -> None:
        name = typed.strip()
        refused = self.apply(self.declared(name), message("Declare {name}", name=name))
        if refused:
            self.new.refuse(refused)
            return
        self.new.close_field()
        row = self.row(name)
        if row is not None:
            row.field.setFocus()
            row.field.selectAll()


class VariableList(NameList):
    """The variables of a design, or the arguments of a block."""

    extras = (NOTE, RANGE, DIVISORS)

    def __init__(self, theme: Theme, new: str) -> None:
        super().__init__(theme, new)
        self._uses: Counter[str] = Counter()

    def set_editor(self, editor: Editable | None) -> None:
        self._uses.clear()
        for node in editor.document.graph.nodes.values() if editor else ():
            self._uses.update(_used_by(node))
        super().set_editor(editor)

    def _heard(self, notice: Notice) -> None:
        for _, (old, new) in notice.delta.of("node"):
            self._uses.subtract(_used_by(old))
            self._uses.update(_used_by(new))
        super()._heard(notice)

    def shown(self, editor: Editable) -> list[Shown]:
        return _variables(editor, self._uses)

    def set_value(self, row: NameRow, name: str, text: str, session: int) -> None:
        assert self.editor is not None
        variable = self.editor.document.variables[name]
        changed = replace(variable, value=variable_raw(variable.value, text))
        label = message("Set {option} to {value}", option=name, value=text)
        gesture = ("variable", name, session)
        row.refuse(self.apply(edits.set_variable(name, changed), label, gesture))

    def with_extra(self, row: NameRow, name: str, title: str, text: str) -> Edit | None:
        assert self.editor is not None
        variable = self.editor.document.variables[name]
        if title == RANGE:
            found = range_of(text)
            if found is None:
                row.refuse("A range reads 1 to 64, ≥ 1 or ≤ 64.", keep_text=True)
                return None
            return edits.set_variable(name, replace(variable, least=found[0], most=found[1]))
        return edits.set_variable(name, _with_extra(variable, title, text))

    def declared(self, name: str) -> Edit:
        return edits.set_variable(name, Variable(1))


class DimensionList(NameList):
    """The free dimensions, with the sizes that they are tried with."""

    extras = (MEANING, MULTIPLE)

    def shown(self, editor: Editable) -> list[Shown]:
        return _dimensions(editor)

    def set_value(self, row: NameRow, name: str, text: str, session: int) -> None:
        assert self.editor is not None
        trial = _positive(text)
        if trial is None:
            row.refuse("A size to try is a whole number from 1 on.", keep_text=True)
            return
        changed = replace(self.editor.document.dimensions[name], trial=trial)
        label = message("Try {name} = {trial}", name=name, trial=trial)
        row.refuse(self.apply(edits.set_dimension(name, changed), label, ("trial", name, session)))

    def with_extra(self, row: NameRow, name: str, title: str, text: str) -> Edit | None:
        assert self.editor is not None
        dimension = self.editor.document.dimensions[name]
        if title == MEANING:
            return edits.set_dimension(name, replace(dimension, meaning=text))
        multiple = _positive(text or "1")
        if multiple is None:
            row.refuse("A multiple is a whole number from 1 on.")
            return None
        return edits.set_dimension(name, replace(dimension, multiple=multiple))

    def declared(self, name: str) -> Edit:
        return edits.set_dimension(name, Dimension())


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
            {
                NOTE: variable.note,
                RANGE: text_of_range(variable.least, variable.most),
                DIVISORS: ", ".join(map(str, variable.divisors)),
            },
            faults.get(name, ""),
            (variable.least, variable.most),
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
    meant = text_of_range(variable.least, variable.most)
    parts = (variable.note, meant, f"{divided} {verb} it" if divided else "")
    return ". ".join(part for part in parts if part)


def _dimensions(editor: Editable) -> list[Shown]:
    return [
        Shown(
            name,
            str(dimension.trial),
            dimension.meaning,
            f"Always a multiple of {dimension.multiple}." if dimension.multiple != 1 else "",
            {MEANING: dimension.meaning, MULTIPLE: str(dimension.multiple)},
            range=(1, None),
        )
        for name, dimension in editor.document.dimensions.items()
    ]
