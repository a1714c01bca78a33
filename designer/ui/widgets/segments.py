"""A switch of several words, one of which is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QSizePolicy, QWidget

from designer.ui.widgets import paint
from designer.ui.widgets.buttons import Control

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from designer.ui.theme import Theme

HEIGHT = 24
_INSET, _LEAST_INSET = 8, 3


class Segment(Control):
    """One word of the switch."""

    def __init__(self, theme: Theme, value: str, title: str) -> None:
        super().__init__(theme, title)
        self.value = value
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        return self._size(_INSET)

    def minimumSizeHint(self) -> QSize:
        return self._size(_LEAST_INSET)

    def _size(self, inset: int) -> QSize:
        # As wide as the word in its heavier weight, so that choosing it moves nothing.
        words = QFontMetricsF(self.theme.font("hint-medium")).horizontalAdvance(self.text())
        return QSize(round(words) + 2 * self.theme.px(inset), self.theme.px(HEIGHT))

    def draw(self, painter: QPainter, rect: QRectF) -> None:
        theme, chosen = self.theme, self.isChecked()
        if chosen:
            tint, edge = theme.colour("accent-tint"), theme.colour("accent")
            paint.box(painter, rect, theme.px(6), tint, edge)
        elif self.pointed():
            paint.box(painter, rect.adjusted(1, 1, -1, -1), theme.px(5), theme.colour("hover"))
        painter.setFont(theme.font("hint-medium" if chosen else "hint"))
        painter.setPen(self.ink("text" if chosen or self.pointed() else "text-2"))
        paint.centred_text(painter, rect, self.text())


class Segments(QWidget):
    """Says by `chosen` which value a person takes; `show_value` chooses without saying so."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, name: str, titles: dict[str, str]) -> None:
        super().__init__()
        self._theme = theme
        self._group = QButtonGroup(self)
        self.buttons = {value: Segment(theme, value, title) for value, title in titles.items()}
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for button in self.buttons.values():
            self._group.addButton(button)
            row.addWidget(button)
        self._group.buttonClicked.connect(self._clicked)
        theme.changed.connect(self.update)

    def value(self) -> str:
        """The value that is chosen; empty where none is."""
        button = self._group.checkedButton()
        return button.value if isinstance(button, Segment) else ""

    def show_value(self, value: str) -> None:
        """Choose a value; none where it is not one of them."""
        self._group.setExclusive(False)
        for known, button in self.buttons.items():
            button.setChecked(known == value)
        self._group.setExclusive(True)

    def _clicked(self, button: Segment) -> None:
        self.chosen.emit(button.value)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            edge, fill = self._theme.colour("border-strong"), self._theme.colour("field")
            paint.box(painter, QRectF(self.rect()), self._theme.px(6), fill, edge)
