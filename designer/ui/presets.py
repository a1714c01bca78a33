"""The presets of a design: which one the values of the variables are, and changing to another."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from designer.core.block_edits import remove_preset, set_preset, use_preset
from designer.core.edits import Refused
from designer.core.expression import Expression
from designer.core.message import message
from designer.ui.name_rows import KEY_WIDTH, ROW
from designer.ui.widgets.buttons import IconButton
from designer.ui.widgets.fields import ComboBox
from designer.ui.widgets.links import LinkButton
from designer.ui.widgets.name_field import NameField
from designer.ui.widgets.text import TextLabel, paragraph

if TYPE_CHECKING:
    from designer.core.document import Document, Draft, Edit, Preset
    from designer.core.editor import Editable, Notice
    from designer.core.message import Message
    from designer.ui.theme import Theme

CHANGED = "changed"
"""Stands where the values are those of no preset."""

_LONGEST = 100
_BUTTON = 24


def present(document: Document) -> str:
    """The preset whose values the variables have; empty where there is none."""
    variables = document.variables
    for name, preset in document.presets.items():
        known = {key: raw for key, raw in preset.items() if key in variables}
        if known and all(_same(variables[key].value, raw) for key, raw in known.items()):
            return name
    return ""


def _same(a: object, b: object) -> bool:
    # True is 1 to Python, and 1 is 1.0: to code they are not.
    return type(a) is type(b) and a == b


def values(document: Document) -> Preset:
    """The present values of the variables that are not worked out from others."""
    found = document.variables.items()
    return {name: v.value for name, v in found if not isinstance(v.value, Expression)}


def renamed(old: str, new: str) -> Edit:
    """The edit that gives a preset another name and leaves it where it is."""

    def edit(draft: Draft) -> None:
        presets = draft.whole.presets
        if old == new:
            return
        if new in presets:
            raise Refused(message("There is a preset {name} already.", name=new))
        order = tuple(new if name == old else name for name in presets)
        set_preset(new, presets[old])(draft)
        remove_preset(old)(draft)
        draft.put("preset order", None, order)

    return edit


class Presets(QWidget):
    """A choice among the presets, and what can be done with them."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.editor: Editable | None = None
        self.last = ""
        """The preset that the values were last: what they would be kept in again."""
        self._renaming = ""
        self._label = TextLabel(theme, "Preset", "body", "text-2")
        self.box = ComboBox(theme, "Preset")
        self.menu_button = IconButton(theme, "dots", "More for presets")
        self.link = LinkButton(theme, "Save values as a preset", "plus", "text-2")
        self.name = NameField(theme, "Name of the preset", "body")
        self._line = paragraph(theme, "", "hint", "error")
        self._choice = QWidget()
        self._build()
        self._connect()

    def _build(self) -> None:
        px = self.theme.px
        row = QHBoxLayout(self._choice)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self._label.setFixedWidth(px(KEY_WIDTH))
        self._choice.setMinimumHeight(px(ROW))
        self.menu_button.setFixedSize(px(_BUTTON), px(_BUTTON))
        self.box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.box.setMinimumContentsLength(6)
        row.addWidget(self._label)
        row.addWidget(self.box, 1)
        row.addWidget(self.menu_button)
        self.name.setMaxLength(_LONGEST)
        self.name.setPlaceholderText("name of the preset")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, px(4))
        column.setSpacing(px(3))
        for widget in (self._choice, self.name, self._line, self.link):
            column.addWidget(widget)
        self.name.hide()
        self._line.hide()

    def _connect(self) -> None:
        self.box.activated.connect(self._chosen)
        self.menu_button.clicked.connect(self._open_menu)
        self.link.clicked.connect(self.ask_name)
        self.name.accepted.connect(self._named)
        self.name.left.connect(self._close_name)

    # What is shown

    def set_editor(self, editor: Editable | None) -> None:
        """Show the presets of another design, or none."""
        if self.editor is not None:
            self.editor.unlisten(self._heard)
        self.editor, self.last = editor, ""
        if editor is not None:
            editor.listen(self._heard)
        self._close_name()
        self.refresh()

    def _heard(self, notice: Notice) -> None:
        if any(key.section.startswith(("variable", "preset")) for key in notice.delta.changes):
            self.refuse("")
            self.refresh()

    def refresh(self) -> None:
        """Show the presets, and which one the values are."""
        document = self.editor.document if self.editor else None
        names = list(document.presets) if document else []
        now = present(document) if document else ""
        self.last = now or (self.last if self.last in names else "")
        shown = names if now else [CHANGED, *names]
        if [self.box.itemText(place) for place in range(self.box.count())] != shown:
            self.box.clear()
            self.box.addItems(shown)
        self.box.setCurrentIndex(shown.index(now or CHANGED))
        self._choice.setVisible(bool(names))
        self.link.setVisible(not names and not self.name.isVisible())
        self.setVisible(bool(names) or bool(document and document.variables))

    def refuse(self, sentence: str) -> None:
        """Say why something was not done; empty takes that back."""
        self._line.setText(sentence)
        self._line.setVisible(bool(sentence))

    def line(self) -> str:
        """Why something was not done; empty where nothing is said."""
        return self._line.text()

    # Edits

    def _apply(self, edit: Edit, label: Message) -> bool:
        if self.editor is None:
            return False
        try:
            self.editor.apply(edit, label)
        except Refused as refusal:
            self.refuse(str(refusal.message))
            return False
        self.refuse("")
        return True

    def _chosen(self, _: int) -> None:
        name = self.box.currentText()
        document = self.editor.document if self.editor else None
        if document is None or name not in document.presets:
            self.refresh()
            return
        self._apply(use_preset(name), message("Use the preset {name}", name=name))
        self.refresh()

    def ask_name(self) -> None:
        """Ask for the name of a new preset."""
        self._ask("")

    def _ask(self, renaming: str) -> None:
        self._renaming = renaming
        self.link.hide()
        self.name.reset(self._renaming)
        self.name.show()
        self.name.setFocus()
        self.name.selectAll()

    def _named(self, typed: str) -> None:
        name = typed.strip()
        if self._renaming:
            label = message("Rename {old} to {name}", old=self._renaming, name=name)
            done = self._apply(renamed(self._renaming, name), label)
        else:
            done = self._save(name, fresh=True)
        if done:
            self._close_name()

    def _save(self, name: str, *, fresh: bool = False) -> bool:
        """Keep the present values under a name."""
        document = self.editor.document if self.editor else None
        if document is None:
            return False
        if fresh and name in document.presets:
            self.refuse(f"There is a preset {name} already.")
            return False
        label = message("Save the preset {name}", name=name)
        return self._apply(set_preset(name, values(document)), label)

    def _remove(self, name: str) -> None:
        self._apply(remove_preset(name), message("Delete {name}", name=name))

    def _close_name(self) -> None:
        self.name.reset("")
        self.name.hide()
        self.refresh()

    # The menu

    def make_menu(self) -> QMenu:
        """What can be done with the presets; some with the one that the values are or were."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Save values as a new preset", self.ask_name)
        now = present(self.editor.document) if self.editor else ""
        if self.last and not now:
            menu.addAction(f"Save values in {self.last}", partial(self._save, self.last))
        if self.last:
            menu.addSeparator()
            menu.addAction(f"Rename {self.last}", partial(self._ask, self.last))
            menu.addAction(f"Remove {self.last}", partial(self._remove, self.last))
        return menu

    def _open_menu(self) -> None:
        button = self.menu_button
        self.make_menu().popup(button.mapToGlobal(button.rect().bottomLeft()))
