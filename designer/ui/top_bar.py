"""The bar at the top of the window: menus, the document's name, undo, search, theme, export."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QRectF, QSize
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QHBoxLayout, QMenuBar, QSizePolicy, QWidget

from designer.ui import icons
from designer.ui.actions import key_text
from designer.ui.widgets.buttons import IconButton, TextButton, follow
from designer.ui.widgets.fields import SearchButton
from designer.ui.widgets.text import ElidedLabel, TextLabel

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent, QResizeEvent

    from designer.ui.actions import Commands
    from designer.ui.theme import Theme

HEIGHT = 44
_LOGO = 19
_SEARCH_WIDTH = 208
_ROOMY = 1080
"""Narrower than this, the search for actions is only its icon."""


class _Logo(QWidget):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName("Netdraft")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(_LOGO), self._theme.px(_LOGO))

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            icons.paint(painter, QRectF(self.rect()), "logo", self._theme.colour("accent"))


class _Title(QWidget):
    """The document's name and, quieter, whether it is saved."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.name = ElidedLabel(theme, "", "body-strong", "text")
        self.state = TextLabel(theme, "", "body", "text-3")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.name)
        row.addWidget(self.state)

    def set_text(self, name: str, state: str) -> None:
        self.name.setText(name)
        self.state.setText(state)
        self.setAccessibleName(f"{name} {state}".strip())

    def natural_width(self) -> int:
        return self.name.sizeHint().width() + 8 + self.state.sizeHint().width()


class TopBar(QWidget):
    """The bar; it takes its buttons from the actions."""

    def __init__(self, theme: Theme, commands: Commands) -> None:
        super().__init__()
        self._theme = theme
        self.menus = QMenuBar(self)
        self.menus.setNativeMenuBar(sys.platform == "darwin")
        self.menus.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        commands.fill(self.menus)
        self.search = SearchButton(theme, "Search actions", key_text("Ctrl+K"), _SEARCH_WIDTH)
        self.theme_button = IconButton(theme, "sun", "Dark or light theme")
        self._title = _Title(theme, self)
        self._left = QWidget()
        self._right = QWidget()
        self._build(commands)
        theme.changed.connect(self.restyle)
        self.restyle()

    def _build(self, commands: Commands) -> None:
        theme = self._theme
        undo, redo = IconButton(theme, "undo", "Undo"), IconButton(theme, "redo", "Redo")
        export = TextButton(theme, "Export…", "export", primary=True)
        pairs = (
            (undo, "edit.undo"),
            (redo, "edit.redo"),
            (self.search, "help.search"),
            (self.theme_button, "view.theme"),
            (export, "file.export"),
        )
        for button, action in pairs:
            follow(button, commands[action])
        self._of_design = (undo, redo, export)
        for button, action in pairs[:2]:
            button.setToolTip(f"{button.text()} ({key_text(commands[action].about.keys[0])})")
        self._left_row = _row(self._left, _Logo(theme), self.menus)
        self._right_row = _row(self._right, undo, redo, self.search, self.theme_button, export)
        self._right_row.insertSpacing(2, 10)
        self._right_row.insertSpacing(4, 8)
        self._right_row.insertSpacing(6, 8)
        outer = _row(self, self._left)
        outer.addStretch(1)
        outer.addWidget(self._right)

    def set_title(self, name: str, state: str) -> None:
        """Show the document's name and its state in the middle of the window."""
        self._title.set_text(name, state)
        self._place_title()

    def set_quiet(self, quiet: bool) -> None:
        """Leave out what belongs to a design."""
        self._title.setVisible(not quiet)
        for button in self._of_design:
            button.setVisible(not quiet)

    def title(self) -> str:
        """What the middle says."""
        return self._title.accessibleName()

    def restyle(self) -> None:
        """Take sizes from the theme in force."""
        px = self._theme.px
        self.setFixedHeight(px(HEIGHT))
        self._left_row.setContentsMargins(px(13), 0, 0, 0)
        self._left_row.setSpacing(px(7))
        self._right_row.setContentsMargins(0, 0, px(12), 0)
        self.menus.setFont(self._theme.font("body"))
        self.theme_button.set_icon("sun" if self._theme.name == "dark" else "moon")
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.search.set_compact(self.width() < self._theme.px(_ROOMY))
        self._place_title()

    def _place_title(self) -> None:
        low = self._left.sizeHint().width() + 16
        high = self.width() - self._right.sizeHint().width() - 16
        width = max(0, min(self._title.natural_width(), high - low))
        x = min(max((self.width() - width) // 2, low), max(low, high - width))
        self._title.setGeometry(QRect(x, 0, width, self.height()))

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self._theme.colour("app"))
            line = QRect(0, self.height() - 1, self.width(), 1)
            painter.fillRect(line, self._theme.colour("border"))


def _row(parent: QWidget, *widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout(parent)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(0)
    for widget in widgets:
        row.addWidget(widget)
    return row
