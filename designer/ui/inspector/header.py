"""The head of the inspector: what is selected, its name to edit, and what can be done to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from designer.core.edits import NAME_LIMIT
from designer.ui import icons
from designer.ui.widgets import paint
from designer.ui.widgets.buttons import IconButton
from designer.ui.widgets.name_field import NameField
from designer.ui.widgets.text import SentenceLabel, TextLabel, paragraph

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from designer.ui.theme import Theme

_TILE = 32
_NO_LIMIT = 16777215


class Tile(QWidget):
    """The icon of a family on its tint."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._look = ("block", "text-2", "pressed")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def show_family(self, family: str) -> None:
        """Show a family's icon; without one that of a design."""
        look = (_ICONS.get(family, family), f"f-{family}", f"h-{family}")
        self._look = look if family else ("block", "text-2", "pressed")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(_TILE), self._theme.px(_TILE))

    def paintEvent(self, event: QPaintEvent) -> None:
        icon, ink, tint = self._look
        rect, side = QRectF(self.rect()), self._theme.px(18)
        place = QRectF(0, 0, side, side)
        place.moveCenter(rect.center())
        with QPainter(self) as painter:
            paint.box(painter, rect, self._theme.px(6), self._theme.colour(tint))
            icons.paint(painter, place, icon, self._theme.colour(ink))


_ICONS = {"io": "in"}


class Header(QWidget):
    """Icon, name and type, and a button for the menu."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.tile = Tile(theme)
        self.name = NameField(theme, "Name", "inspector-name")
        self.name.setMaxLength(NAME_LIMIT)
        self.copies = TextLabel(theme, "", "inspector-name", "text-3")
        self.copies.hide()
        self.kind = SentenceLabel(theme, "", "secondary", "text-2")
        self.menu_button = IconButton(theme, "dots", "More")
        self.refusal = paragraph(theme, "", "hint", "error")
        self.refusal.hide()
        self._build()
        self.name.textChanged.connect(self._fit_name)

    def _build(self) -> None:
        px = self._theme.px
        words = QVBoxLayout()
        words.setSpacing(0)
        title = QHBoxLayout()
        title.setSpacing(0)
        title.addWidget(self.name)
        title.addWidget(self.copies)
        words.addLayout(title)
        words.addWidget(self.kind)
        # Under the name, whose field has an edge and an inset of its own.
        self.kind.setContentsMargins(px(9), 0, 0, 0)
        self.name.setFixedHeight(px(24))
        row = QHBoxLayout()
        row.setSpacing(px(2))
        row.addWidget(self.tile)
        row.addLayout(words, 1)
        row.addWidget(self.menu_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(16), px(12), px(12), px(4))
        column.setSpacing(px(4))
        column.addLayout(row)
        column.addWidget(self.refusal)

    def show_subject(self, name: str, kind: str, family: str = "", editable: bool = True) -> None:
        """Show what is selected."""
        self.tile.show_family(family)
        self.name.setReadOnly(not editable)
        self.name.show_name(name)
        self.kind.setText(kind)

    def show_copies(self, copies: str) -> None:
        """Show `×12` beside the name, or nothing."""
        self.copies.setText(copies)
        self.copies.setVisible(bool(copies))
        self._fit_name()

    def _fit_name(self) -> None:
        """What stands beside the name stands right behind it."""
        width = self.name.fontMetrics().horizontalAdvance(self.name.text()) + self._theme.px(24)
        most = _NO_LIMIT if self.copies.isHidden() else width
        self.name.setMaximumWidth(most)

    def refuse(self, sentence: str) -> None:
        """Say why the name was not taken; empty takes that back."""
        self.refusal.setText(sentence)
        self.refusal.setVisible(bool(sentence))
