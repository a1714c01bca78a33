"""The outline: the whole design as a tree, with what each part comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from designer.ui import icons
from designer.ui.outline_model import Entry, OutlineModel, Place
from designer.ui.widgets import paint
from designer.ui.widgets.fields import SearchField
from designer.ui.widgets.text import paragraph

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QShowEvent

    from designer.core.editor import Editable, Notice
    from designer.core.graph import NodeId
    from designer.ui.theme import Theme

ROW = 26
PAUSE = 120
"""Milliseconds without an edit after which the tree is read again."""

UNFOLDED = 400
"""Designs of so many layers are unfolded from the start."""

_UNSEEN = frozenset({"position", "setting"})
_INDENT = 16
_EDGE = 14


class _Rows(QStyledItemDelegate):
    """Draws a row: icon, name, copies, and the count at the right."""

    def __init__(self, theme: Theme, model: OutlineModel) -> None:
        super().__init__()
        self._theme = theme
        self._model = model

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(self._theme.px(80), self._theme.px(ROW))

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        entry = self._model.entry(index)
        if entry is not None:
            painter.save()
            self._draw(painter, QRectF(option.rect), entry)
            painter.restore()

    def _draw(self, painter: QPainter, rect: QRectF, entry: Entry) -> None:
        theme, px, side = self._theme, self._theme.px, self._theme.px(15)
        icon = QRectF(rect.x() + px(2), rect.center().y() - side / 2, side, side)
        icons.paint(painter, icon, entry.icon, theme.ink(entry.family))
        left, right = rect.x() + px(23), rect.right() - px(_EDGE)
        painter.setFont(theme.font("hint"))
        metrics = QFontMetricsF(painter.font())
        name = QFontMetricsF(theme.font("body")).horizontalAdvance(f"{entry.name} {entry.copies}")
        figure = entry.figure()
        if left + name + px(8) + metrics.horizontalAdvance(figure) > right:
            figure = entry.figure(short=True)
        base = paint.base_line(rect, metrics)
        room = right - left - metrics.horizontalAdvance(figure) - px(8)
        painter.setPen(theme.colour("text-3" if figure == "tied" else "text-2"))
        painter.drawText(QPointF(right - metrics.horizontalAdvance(figure), base), figure)
        self._draw_name(painter, QPointF(left, base), entry, room)

    def _draw_name(self, painter: QPainter, at: QPointF, entry: Entry, room: float) -> None:
        theme = self._theme
        painter.setFont(theme.font("body-strong" if not entry.place.id else "body"))
        metrics = QFontMetricsF(painter.font())
        gap = theme.px(4)
        wide = metrics.horizontalAdvance(entry.copies) + gap if entry.copies else 0.0
        name = metrics.elidedText(entry.name, Qt.TextElideMode.ElideMiddle, max(room - wide, 0.0))
        painter.setPen(theme.colour("text"))
        painter.drawText(at, name)
        painter.setPen(theme.colour("text-2"))
        after = at.x() + metrics.horizontalAdvance(name) + gap
        painter.drawText(QPointF(after, at.y()), entry.copies)


class OutlineView(QTreeView):
    """The tree. A click goes to a layer; Enter and a double click go into a block."""

    def __init__(self, theme: Theme, model: OutlineModel) -> None:
        super().__init__()
        self._theme = theme
        self._entries = model
        self.level: tuple[NodeId, ...] = ()
        self.selected: frozenset[NodeId] = frozenset()
        self._rows = _Rows(theme, model)
        self.setModel(model)
        self.setItemDelegate(self._rows)
        self._quieten()
        theme.changed.connect(self.restyle)
        self.restyle()

    def _quieten(self) -> None:
        self.setAccessibleName("Outline")
        self.setHeaderHidden(True)
        self.setUniformRowHeights(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSelectionMode(QTreeView.SelectionMode.NoSelection)
        self.setEditTriggers(QTreeView.EditTrigger.NoEditTriggers)
        self.setExpandsOnDoubleClick(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)

    def restyle(self) -> None:
        """Take measures from the theme in force."""
        self.setIndentation(self._theme.px(_INDENT))
        self.viewport().update()

    def drawRow(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        rect: QRect = option.rect
        token = self._ground(index)
        if token:
            painter.fillRect(rect.adjusted(-rect.x(), 0, 0, 0), self._theme.colour(token))
        super().drawRow(painter, option, index)
        if self.hasFocus() and index == self.currentIndex():
            paint.focus_ring(painter, QRectF(rect), 4, self._theme)

    def _ground(self, index: QModelIndex | QPersistentModelIndex) -> str:
        entry = self._entries.entry(index)
        if entry is None:
            return ""
        if entry.place.path == self.level and entry.place.id in self.selected:
            return "accent-tint"
        if self.level and entry.unfolds and entry.level == self.level:
            return "pressed" if self.selected else "accent-tint"
        place = self.viewport().mapFromGlobal(self.cursor().pos())
        return "hover" if self.underMouse() and self.indexAt(place) == index else ""

    def drawBranches(
        self, painter: QPainter, rect: QRect, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        entry = self._entries.entry(index)
        if entry is None or not entry.unfolds:
            return
        side = self._theme.px(12)
        place = QRectF(0, 0, side, side)
        place.moveCenter(QPointF(rect.right() - self._theme.px(_INDENT) / 2 + 1, rect.center().y()))
        arrow = "down" if self.isExpanded(index) else "right"
        icons.paint(painter, place, arrow, self._theme.colour("text-3"))


class Outline(QWidget):
    """Finds layers in the whole design; `wanted` carries the place to go to."""

    wanted = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._editor: Editable | None = None
        self._folds: dict[Place, bool] = {}
        """What a person has unfolded or folded."""
        self._stale = False
        self.search = SearchField(theme, "Find in this design", "Ctrl F")
        self.model = OutlineModel()
        self.view = OutlineView(theme, self.model)
        self.none = paragraph(theme, "", "hint", "text-2")
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self.refresh)
        self._build(theme)
        self._connect()

    def _build(self, theme: Theme) -> None:
        px = theme.px
        head = QVBoxLayout()
        head.setContentsMargins(px(_EDGE), px(10), px(_EDGE), px(6))
        head.addWidget(self.search)
        self.none.setContentsMargins(px(_EDGE), px(4), px(_EDGE), 0)
        self.none.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.none)
        column.addWidget(self.view, 1)

    def _connect(self) -> None:
        self.search.textChanged.connect(self.refresh)
        self.search.returnPressed.connect(self._go_to_first)
        self.view.clicked.connect(self._clicked)
        self.view.activated.connect(self._entered)
        self.view.expanded.connect(self._unfolded)
        self.view.collapsed.connect(self._folded)

    # What is shown

    def set_editor(self, editor: Editable | None) -> None:
        """Show another design, or none."""
        if self._editor is not None:
            self._editor.unlisten(self._heard)
        self._editor = editor
        self._folds.clear()
        if editor is not None:
            editor.listen(self._heard)
        self.search.clear()
        self._renew()

    def _heard(self, notice: Notice) -> None:
        if not self.isVisible():
            self._stale = True
        elif any(change.new is None for _, change in notice.delta.of("node")):
            # Rows of layers that are gone must not be painted again.
            self.refresh()
        elif notice.nodes or {key.section for key in notice.delta.changes} - _UNSEEN:
            self._later.start(PAUSE)

    def _renew(self) -> None:
        self._stale = True
        if self.isVisible():
            self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self.refresh()

    def refresh(self) -> None:
        """Read the design again; nothing while it is out of sight."""
        self._later.stop()
        self._stale = not self.isVisible()
        if self._stale:
            return
        words = self.search.text().strip()
        self.model.rebuild(self._editor, words)
        root = self.model.root
        nothing = bool(words) and (root is None or not root.children)
        self.none.setText(f"No layer is called {words}.")
        self.none.setVisible(nothing)
        if root is not None:
            self.view.blockSignals(True)
            self._unfold(root, searching=bool(words))
            self.view.blockSignals(False)
        self.view.viewport().update()

    def _unfold(self, entry: Entry, *, searching: bool) -> None:
        """Unfold what was unfolded; of small designs everything, and what was searched for."""
        small = len(entry.children) <= UNFOLDED and len(entry.place.path) < 3
        usual = not entry.place.id or (small and self._is_small())
        if not (searching or self._folds.get(entry.place, usual)):
            return
        self.view.setExpanded(self.model.index_of(entry), True)
        for child in entry.children:
            if child.use is not None:
                self._unfold(child, searching=searching)

    def _is_small(self) -> bool:
        document = self._editor.document if self._editor else None
        return document is not None and len(document.graph.nodes) <= UNFOLDED

    def show_place(self, level: tuple[NodeId, ...], selected: Sequence[NodeId]) -> None:
        """Mark the level in front, and the layers that are selected at it."""
        self.view.level, self.view.selected = level, frozenset(selected)
        self.view.viewport().update()
        if self._stale or len(selected) != 1:
            return
        entry = self.model.find(Place(level, next(iter(selected))))
        if entry is not None and entry.place.id:
            self.view.setCurrentIndex(self.model.index_of(entry))

    def names(self) -> list[str]:
        """The names of the rows in sight, from top to bottom."""
        found, index = [], self.model.index(0, 0)
        while index.isValid():
            entry = self.model.entry(index)
            assert entry is not None
            found.append(entry.name)
            index = self.view.indexBelow(index)
        return found

    # What a person does

    def focus_search(self) -> None:
        """Put the keyboard into the field."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def _clicked(self, index: QModelIndex) -> None:
        entry = self.model.entry(index)
        if entry is not None:
            self.wanted.emit(entry.place)

    def _entered(self, index: QModelIndex) -> None:
        entry = self.model.entry(index)
        if entry is not None:
            self.wanted.emit(Place(entry.level) if entry.unfolds else entry.place)

    def _go_to_first(self) -> None:
        """Go to the first layer that has the words in its own name."""
        words, entry = self.search.text().strip().lower(), self.model.root
        frontier = [] if entry is None else list(entry.children)
        while words and frontier:
            first = frontier.pop(0)
            if words in first.name.lower():
                self.wanted.emit(first.place)
                return
            frontier[:0] = first.children if first.use is not None else []

    def _unfolded(self, index: QModelIndex) -> None:
        self._remember(index, True)

    def _folded(self, index: QModelIndex) -> None:
        self._remember(index, False)

    def _remember(self, index: QModelIndex, is_open: bool) -> None:
        entry = self.model.entry(index)
        if entry is not None and not self.search.text():
            self._folds[entry.place] = is_open
