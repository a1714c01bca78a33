"""The rows of options: a name, the control that fits its type, and a line under it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from designer.core import numbers
from designer.core.entry import raw_of, text_of
from designer.core.expression import Expression
from designer.ui.inspector.reading import MIXED
from designer.ui.widgets.boxes import Divider
from designer.ui.widgets.buttons import Toggle
from designer.ui.widgets.fields import ComboBox
from designer.ui.widgets.segments import Segments
from designer.ui.widgets.text import ElidedLabel, SectionTitle, TextLabel, paragraph
from designer.ui.widgets.value_field import Remark, ScrubLabel, ValueField

if TYPE_CHECKING:
    from designer.core.option import Option, Raw
    from designer.ui.inspector.reading import View
    from designer.ui.theme import Theme

KEY_WIDTH = 96
ROW = 34


class Row(QWidget):
    """A name and a control; `changed` hands over a new raw value and the session it is part of."""

    changed = Signal(object, int)
    ended = Signal()

    def __init__(self, theme: Theme, option: Option, title: str = "") -> None:
        super().__init__()
        self.theme = theme
        self.option = option
        self.title = title or option.name
        self.help = ""
        self._line = paragraph(theme, "", "hint", "text-3")
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(0)
        self._grid.setColumnStretch(1, 1)
        self._grid.addWidget(self._line, 1, 1)
        self._line.hide()
        theme.changed.connect(self._measure)

    def control(self) -> QWidget:
        """What takes the keyboard."""
        raise NotImplementedError

    def _place(self, label: ElidedLabel, control: QWidget) -> None:
        self._label = label
        label.set_help(self.option.help)
        control.setToolTip(self.option.help)
        self._grid.addWidget(label, 0, 0)
        self._grid.addWidget(control, 0, 1)
        self._measure()

    def _measure(self) -> None:
        px = self.theme.px
        self._grid.setColumnMinimumWidth(0, px(KEY_WIDTH))
        self._grid.setRowMinimumHeight(0, px(ROW))
        self._line.setContentsMargins(0, 0, 0, px(5))
        self._label.setFixedWidth(px(KEY_WIDTH - 6))

    def show_view(self, view: View) -> None:
        """Bring the row up to date; what has not changed stays as it is."""
        if view.problem:
            self._say(view.problem, "error" if view.faulty else "warn")
        else:
            self._say(self.help if self.is_edited() else "", "text-3")

    def is_edited(self) -> bool:
        """Whether the keyboard is in the control."""
        return self.control().hasFocus()

    def _say(self, text: str, token: str) -> None:
        if (text, token) != (self._line.text(), self._line.property("token")):
            self._line.setText(text)
            self._line.setProperty("token", token)
            self._line.set_token(token)
        self._line.setVisible(bool(text))

    def line(self) -> str:
        """The line under the control; empty where there is none."""
        return self._line.text() if not self._line.isHidden() else ""


class ValueRow(Row):
    """A number, an expression, a list of them, or a text."""

    def __init__(self, theme: Theme, option: Option, title: str = "") -> None:
        super().__init__(theme, option, title)
        self.field = ValueField(theme, self.title)
        self.field.least = option.minimum
        self._place(ScrubLabel(theme, self.title, self.field), self.field)
        self._view: View | None = None
        self.field.typed.connect(self._typed)
        self.field.ended.connect(self.ended.emit)
        self.field.focused.connect(self._refocused)

    def control(self) -> QWidget:
        return self.field

    def _typed(self, text: str) -> None:
        self.changed.emit(raw_of(self.option, text), self.field.session)

    def _refocused(self) -> None:
        if self._view is not None:
            self.show_view(self._view)

    def show_view(self, view: View) -> None:
        self._view = view
        same = not view.mixed and raw_of(self.option, self.field.text()) == view.raw
        if not (same and self.is_edited()):
            self.field.show_text("" if view.mixed else text_of(view.raw))
        self.field.setPlaceholderText(MIXED if view.mixed else view.inferred or self._empty(view))
        self.field.set_remark(_remark(view))
        self.field.set_faulty(view.faulty)
        super().show_view(view)

    def _empty(self, view: View) -> str:
        if view.own:
            return view.own
        return "empty" if self.option.optional and view.raw is None else ""


def _remark(view: View) -> Remark:
    if view.faulty:
        return Remark("", "err", "error")
    if view.inferred:
        return Remark("from wire", "link", "text-3")
    words = f"= {view.value}" if view.value else ""
    return Remark(words, "check", "ok") if view.agrees else Remark(words)


class SwitchRow(Row):
    """A switch, with the parameters that it adds; an expression stands as text beside it."""

    def __init__(self, theme: Theme, option: Option, title: str = "") -> None:
        super().__init__(theme, option, title)
        self.toggle = Toggle(theme, self.title)
        self.toggle.clicked.connect(self._clicked)
        self.note = TextLabel(theme, "", "hint", "text-3")
        place = QWidget()
        line = QHBoxLayout(place)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(theme.px(8))
        line.addWidget(self.toggle)
        line.addWidget(self.note)
        line.addStretch(1)
        self._place(ElidedLabel(theme, self.title, "body", "text-2"), place)

    def _measure(self) -> None:
        super()._measure()
        # Two pixels less: those are around the switch for the ring of the focus.
        self._grid.setColumnMinimumWidth(0, self.theme.px(KEY_WIDTH - 2))
        # A switch leaves room beside it: names need not be cut.
        least = self.theme.px(KEY_WIDTH - 6)
        self._label.setFixedWidth(max(least, self._label.sizeHint().width() + self.theme.px(6)))

    def control(self) -> QWidget:
        return self.toggle

    def _clicked(self, on: bool) -> None:
        self.changed.emit(on, 0)

    def show_view(self, view: View) -> None:
        self.toggle.setChecked(view.on)
        self.note.setText(_switch_note(view))
        super().show_view(view)


def _switch_note(view: View) -> str:
    if view.mixed:
        return MIXED
    if isinstance(view.raw, Expression):
        return view.raw.text
    if not view.adds:
        return ""
    return f"{'adds' if view.adds > 0 else 'saves'} {numbers.count(abs(view.adds))}"


class ChoiceRow(Row):
    """A choice from a list."""

    def __init__(self, theme: Theme, option: Option, title: str = "") -> None:
        super().__init__(theme, option, title)
        self.box = ComboBox(theme, self.title)
        self.box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.box.activated.connect(self._chosen)
        self._place(ElidedLabel(theme, self.title, "body", "text-2"), self.box)
        self._more: str = ""
        self.box.addItems(option.choices)

    def control(self) -> QWidget:
        return self.box

    def _chosen(self, _: int) -> None:
        raw: Raw = self.box.currentText()
        if raw in self.option.choices:
            self.changed.emit(raw, 0)

    def show_view(self, view: View) -> None:
        text = MIXED if view.mixed else text_of(view.raw) or view.own
        if self.box.findText(text) < 0:
            self._forget_more()
            self._more = text
            self.box.addItem(text)
        elif text in self.option.choices:
            self._forget_more()
        self.box.setCurrentText(text)
        super().show_view(view)

    def _forget_more(self) -> None:
        """Take out an entry that is no choice: an expression, or «mixed»."""
        if self._more:
            self.box.removeItem(self.box.findText(self._more))
            self._more = ""


class SegmentRow(Row):
    """A choice of few words, all of them in sight."""

    def __init__(self, theme: Theme, option: Option, title: str, words: dict[str, str]) -> None:
        super().__init__(theme, option, title)
        self.segments = Segments(theme, title, words)
        self.segments.chosen.connect(self._chosen)
        place = QWidget()
        line = QHBoxLayout(place)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.segments)
        line.addStretch(1)
        self._place(ElidedLabel(theme, title, "body", "text-2"), place)

    def control(self) -> QWidget:
        return next(iter(self.segments.buttons.values()))

    def _chosen(self, value: str) -> None:
        self.changed.emit(value, 0)

    def show_view(self, view: View) -> None:
        self.segments.show_value("" if view.mixed else text_of(view.raw))
        super().show_view(view)


def row_for(theme: Theme, option: Option) -> Row:
    """The row whose control fits the type of an option."""
    if option.kind == "flag":
        return SwitchRow(theme, option)
    if option.kind == "choice" and option.choices:
        return ChoiceRow(theme, option)
    return ValueRow(theme, option)


class Arguments(QWidget):
    """The rows of a block's arguments, under a title of their own."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.column = QVBoxLayout()
        self.column.setSpacing(0)
        self.column.setContentsMargins(theme.px(16), theme.px(4), theme.px(16), 0)
        self.column.addWidget(SectionTitle(theme, "Block variables"))
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, theme.px(6), 0, 0)
        whole.setSpacing(0)
        whole.addWidget(Divider(theme))
        whole.addLayout(self.column)
        self.hide()
