"""The search for actions: every command by name, with its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from designer.ui import fuzzy
from designer.ui.widgets import paint
from designer.ui.widgets.boxes import Divider, IconLabel
from designer.ui.widgets.popup import PopupFrame
from designer.ui.widgets.text import Span, SpanLabel, TextLabel

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtCore import QPoint, QSize
    from PySide6.QtWidgets import QWidget

    from designer.ui.actions import Entry
    from designer.ui.theme import Theme

WIDTH = 460
ROW = 34
SHOWN_ROWS = 9

_ENTRY = Qt.ItemDataRole.UserRole
_LETTERS = Qt.ItemDataRole.UserRole + 1

_MOVES = {
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_PageDown: SHOWN_ROWS,
    Qt.Key.Key_PageUp: -SHOWN_ROWS,
}


def ranked(entries: list[Entry], query: str) -> list[tuple[Entry, tuple[int, ...]]]:
    """The entries that answer `query`, best first, with the letters that do.

    What cannot be used now comes last, and only when it is asked for by name.
    """
    if not query.strip():
        return [(entry, ()) for entry in entries if entry.enabled]
    found = [(entry, fuzzy.match(query, entry.title)) for entry in entries]
    hits = [(entry, match) for entry, match in found if match is not None]
    hits.sort(key=lambda hit: (not hit[0].enabled, -hit[1].score))
    return [(entry, match.letters) for entry, match in hits]


class _Row(QStyledItemDelegate):
    """Draws an entry: its title with the letters found, its menu, its key."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        size = super().sizeHint(option, index)
        size.setHeight(self._theme.px(ROW))
        return size

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        entry: Entry = index.data(_ENTRY)
        rect = QRectF(option.rect)
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            paint.box(painter, rect, self._theme.px(6), self._theme.colour("accent-tint"))
        x = self._paint_title(painter, rect, entry, set(index.data(_LETTERS)))
        self._paint_text(painter, rect, x + self._theme.px(10), entry.menu, "hint", "text-2")
        right = QPointF(rect.right() - self._theme.px(10), rect.center().y())
        if entry.key:
            paint.paint_key_badge(painter, self._theme, right, entry.key)
        painter.restore()

    def _paint_title(
        self, painter: QPainter, rect: QRectF, entry: Entry, letters: set[int]
    ) -> float:
        x = rect.left() + self._theme.px(10)
        for place, letter in enumerate(entry.title):
            found = place in letters
            token = "text-off" if not entry.enabled else "accent" if found else "text"
            role = "body-strong" if found else "body"
            x = self._paint_text(painter, rect, x, letter, role, token)
        return x

    def _paint_text(
        self, painter: QPainter, rect: QRectF, x: float, text: str, role: str, token: str
    ) -> float:
        painter.setFont(self._theme.font(role))
        painter.setPen(self._theme.colour(token))
        metrics = QFontMetricsF(painter.font())
        painter.drawText(QPointF(x, paint.base_line(rect, metrics)), text)
        return x + metrics.horizontalAdvance(text)


class CommandSearch(PopupFrame):
    """A field and the actions that answer it; arrows choose, Enter runs, Esc closes."""

    def __init__(self, theme: Theme, window: QWidget, entries: Callable[[], list[Entry]]) -> None:
        super().__init__(theme, window, "Search actions")
        self._entries = entries
        self._now: list[Entry] = []
        self.field = QLineEdit()
        self.list = QListWidget()
        self._empty = TextLabel(theme, "", "body", "text-2")
        self._build()
        self._connect()

    def _build(self) -> None:
        theme = self.theme
        rows = QHBoxLayout()
        rows.setContentsMargins(6, 6, 6, 6)
        rows.addWidget(self.list)
        rows.addWidget(self._empty)
        self._empty.setContentsMargins(10, 8, 10, 8)
        self.body.addLayout(self._head())
        self.body.addWidget(Divider(theme))
        self.body.addLayout(rows)
        self.body.addWidget(Divider(theme))
        self.body.addLayout(self._foot())

    def _head(self) -> QHBoxLayout:
        self.field.setProperty("plain", True)
        self.field.setPlaceholderText("Search actions")
        self.field.setAccessibleName("Search actions")
        head = QHBoxLayout()
        head.setContentsMargins(16, 0, 16, 0)
        head.addWidget(IconLabel(self.theme, "search", "text-3"))
        head.addWidget(self.field)
        return head

    def _foot(self) -> QHBoxLayout:
        hints = ("↑ ↓ choose", "Enter run", "Esc close")
        foot = QHBoxLayout()
        foot.setContentsMargins(0, 8, 16, 8)
        foot.addWidget(SpanLabel(self.theme, *(Span(t, "text-2", "hint", 16) for t in hints)))
        foot.addStretch(1)
        return foot

    def _connect(self) -> None:
        self.list.setItemDelegate(_Row(self.theme, self.list))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName("Actions")
        self.list.itemClicked.connect(self._run)
        self.field.textChanged.connect(self._show_matches)
        self.field.installEventFilter(self)
        self.setFocusProxy(self.field)
        self.theme.changed.connect(self._restyle_field)
        self._restyle_field()

    def _restyle_field(self) -> None:
        self.field.setFont(self.theme.font("query"))
        self.field.setFixedHeight(self.theme.px(44))

    def open_under(self, place: QPoint) -> None:
        """Show it with its top left corner at `place` of the window, empty."""
        self._now = self._entries()
        self.field.clear()
        self._show_matches("")
        self.open_at(place, self.theme.px(WIDTH))

    def _show_matches(self, query: str) -> None:
        self.list.clear()
        for entry, letters in ranked(self._now, query):
            item = QListWidgetItem(entry.title)
            item.setData(_ENTRY, entry)
            item.setData(_LETTERS, letters)
            if not entry.enabled:
                item.setFlags(Qt.ItemFlag.ItemIsSelectable)
            self.list.addItem(item)
        self.list.setCurrentRow(0)
        self._fit_rows(query)

    def _fit_rows(self, query: str) -> None:
        rows = min(self.list.count(), SHOWN_ROWS)
        self._empty.setText(f"No action matches {query.strip()}.")
        self._empty.setVisible(rows == 0)
        self.list.setVisible(rows > 0)
        self.list.setFixedHeight(max(1, rows * self.theme.px(ROW)))
        self.fit(self.theme.px(WIDTH))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        typed = watched is self.field and event.type() == QEvent.Type.KeyPress
        if typed and isinstance(event, QKeyEvent) and self._key(event):
            return True
        return super().eventFilter(watched, event)

    def _key(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        if key in _MOVES:
            last = self.list.count() - 1
            self.list.setCurrentRow(max(0, min(self.list.currentRow() + _MOVES[key], last)))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._run(self.list.currentItem())
        elif key == Qt.Key.Key_Escape:
            self.close_popup()
        else:
            return False
        return True

    def _run(self, item: QListWidgetItem | None) -> None:
        entry: Entry | None = item.data(_ENTRY) if item else None
        if entry is not None and entry.enabled:
            self.close_popup()
            entry.run()
