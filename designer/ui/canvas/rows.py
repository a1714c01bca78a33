"""A list of painted rows for popups: pointer and keys choose one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QSizePolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QMouseEvent, QPaintEvent, QResizeEvent

    from designer.ui.theme import Theme


class Row(NamedTuple):
    """A row: its height, how it is drawn, and whether it can be chosen.

    `draw` gets the painter, the place, and whether the row is the current one.
    """

    height: int
    draw: Callable[[QPainter, QRectF, bool], None]
    choosable: bool = True
    name: str = ""


class RowList(QAbstractScrollArea):
    """Rows below one another, as high as they need up to `most` px, then scrolled."""

    chosen = Signal(int)
    currentChanged = Signal(int)

    def __init__(self, theme: Theme, most: int) -> None:
        super().__init__()
        self.theme = theme
        self._most = most
        self._rows: tuple[Row, ...] = ()
        self.current = -1
        self._seen: QPoint | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setAutoFillBackground(False)
        self.viewport().setMouseTracking(True)
        self.setMouseTracking(True)

    def set_rows(self, rows: Sequence[Row], current: int = -1) -> None:
        """Show other rows; the first that can be chosen is current."""
        self._rows = tuple(rows)
        first = next((i for i, row in enumerate(rows) if row.choosable), -1)
        self.current = current if current >= 0 else first
        self._seen = None
        self._measure()
        self.verticalScrollBar().setValue(0)
        self.updateGeometry()
        self.viewport().update()
        self.currentChanged.emit(self.current)

    def rows(self) -> tuple[Row, ...]:
        """The rows shown."""
        return self._rows

    def _total(self) -> int:
        return sum(self.theme.px(row.height) for row in self._rows)

    def _measure(self) -> None:
        bar, room = self.verticalScrollBar(), self.viewport().height()
        bar.setRange(0, max(0, self._total() - room))
        bar.setPageStep(room)
        bar.setSingleStep(self.theme.px(30))

    def sizeHint(self) -> QSize:
        return QSize(self.theme.px(200), min(self._total(), self.theme.px(self._most)))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._measure()

    def step(self, by: int) -> None:
        """Make the next or previous row that can be chosen current; it goes round."""
        places = [i for i, row in enumerate(self._rows) if row.choosable]
        if not places:
            return
        now = places.index(self.current) if self.current in places else -1
        self._set_current(places[(now + by) % len(places)])
        rect = self.rect_of(self.current)
        bar = self.verticalScrollBar()
        bar.setValue(min(bar.value(), round(rect.top()) + bar.value()))
        below = rect.bottom() - self.viewport().height()
        if below > 0:
            bar.setValue(bar.value() + round(below))
        self.viewport().update()

    def choose(self) -> None:
        """Choose the current row."""
        if self.current >= 0:
            self.chosen.emit(self.current)

    def _set_current(self, index: int) -> None:
        if index != self.current:
            self.current = index
            self.viewport().update()
            self.currentChanged.emit(index)

    def rect_of(self, index: int) -> QRectF:
        """Where a row is, in the list's own coordinates."""
        above = sum(self.theme.px(row.height) for row in self._rows[:index])
        top = above - self.verticalScrollBar().value()
        return QRectF(0, top, self.viewport().width(), self.theme.px(self._rows[index].height))

    def _at(self, y: float) -> int:
        for index, row in enumerate(self._rows):
            rect = self.rect_of(index)
            if rect.top() <= y < rect.bottom():
                return index if row.choosable else -1
        return -1

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        # A list that opens under a resting pointer must not take the row there for chosen.
        at = event.globalPosition().toPoint()
        moved = self._seen is not None and at != self._seen
        self._seen = at
        index = self._at(event.position().y())
        if moved and index >= 0:
            self._set_current(index)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        index = self._at(event.position().y())
        if event.button() == Qt.MouseButton.LeftButton and index >= 0:
            self._set_current(index)
            self.choose()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self.viewport()) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for index, row in enumerate(self._rows):
                rect = self.rect_of(index)
                if rect.bottom() > 0 and rect.top() < self.viewport().height():
                    row.draw(painter, rect, index == self.current)
