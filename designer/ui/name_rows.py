"""The rows of names: a value, and what else is declared of it; and a field for a new one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QMenu, QVBoxLayout, QWidget

from designer.core.grammar import LONGEST_NAME
from designer.ui.widgets.buttons import IconButton
from designer.ui.widgets.links import LinkButton
from designer.ui.widgets.name_field import NameField
from designer.ui.widgets.text import TextLabel, paragraph
from designer.ui.widgets.value_field import Remark, ScrubLabel, ValueField

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtGui import QMouseEvent

    from designer.core.entry import Range
    from designer.ui.theme import Theme

KEY_WIDTH = 96
ROW = 34
_BUTTON = 24


class Shown(NamedTuple):
    """What a row shows of a name: its value as text, words at the right, what else is said."""

    name: str
    text: str
    words: str
    note: str
    extras: Mapping[str, str]
    problem: str = ""
    range: Range = (None, None)
    """As low and as high as stepping and dragging go."""


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
        self.field.least, self.field.most = shown.range
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
