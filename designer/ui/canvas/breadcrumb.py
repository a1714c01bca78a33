"""Where one is: the way from the design into the block in front, at the upper left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QHBoxLayout

from designer.ui import icons
from designer.ui.canvas.controls import Overlay
from designer.ui.widgets import paint
from designer.ui.widgets.buttons import Control

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QWidget

    from designer.ui.theme import Theme

HEIGHT = 28
LONGEST = 200


class Crumb(Control):
    """One place on the way; a click goes there. The last is where one is."""

    def __init__(self, theme: Theme, title: str, copies: str, *, first: bool, last: bool) -> None:
        super().__init__(theme, title)
        self._title, self._copies = title, copies
        self._first, self._last = first, last
        self.setAccessibleName(f"{title} {copies}".strip())
        self.setToolTip("" if last else f"Go out to {title}")

    def _metrics(self) -> QFontMetricsF:
        return QFontMetricsF(self.theme.font("body-strong" if self._last else "body"))

    def _shown(self) -> str:
        room = self.theme.px(LONGEST)
        return self._metrics().elidedText(self._title, Qt.TextElideMode.ElideRight, room)

    def sizeHint(self) -> QSize:
        px = self.theme.px
        width = self._metrics().horizontalAdvance(self._shown()) + px(14)
        if not self._first:
            width += px(22)
        if self._copies:
            font = QFontMetricsF(self.theme.font("hint"))
            width += font.horizontalAdvance(self._copies) + px(6)
        return QSize(round(width), px(HEIGHT))

    def draw(self, painter: QPainter, rect: QRectF) -> None:
        theme, px = self.theme, self.theme.px
        if self.pointed() and not self._last:
            paint.box(painter, rect, px(6), theme.colour("hover"))
        x = rect.left() + px(7)
        if not self._first:
            box = QRectF(x, rect.center().y() - px(8), px(16), px(16))
            icons.paint(painter, box, "block", theme.colour("text" if self._last else "text-2"))
            x += px(22)
        painter.setFont(theme.font("body-strong" if self._last else "body"))
        painter.setPen(theme.colour("text" if self._last else "text-2"))
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(x, rect.top(), rect.width(), rect.height()), middle, self._shown())
        x += self._metrics().horizontalAdvance(self._shown()) + px(6)
        if self._copies:
            painter.setFont(theme.font("hint"))
            painter.setPen(theme.colour("text-3"))
            rest = QRectF(x, rect.top(), rect.width(), rect.height())
            painter.drawText(rest, middle, self._copies)


class Separator(Control):
    """The sign between two places."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "")
        self.setEnabled(False)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def sizeHint(self) -> QSize:
        return QSize(self.theme.px(16), self.theme.px(HEIGHT))

    def draw(self, painter: QPainter, rect: QRectF) -> None:
        px = self.theme.px
        box = QRectF(rect.center().x() - px(6), rect.center().y() - px(6), px(12), px(12))
        icons.paint(painter, box, "right", self.theme.colour("text-3"))


class Breadcrumb(Overlay):
    """The way into the block in front; not shown at the top of a design."""

    wanted = Signal(int)
    """How many blocks to stay in."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, parent)
        self._row = QHBoxLayout(self)
        self._row.setSpacing(0)
        self.crumbs: list[Crumb] = []
        self.hide()

    def show_way(self, places: Sequence[tuple[str, str]]) -> None:
        """Show the way: (title, copies) from the design on."""
        while (item := self._row.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.crumbs = []
        edge = self.theme.px(4)
        self._row.setContentsMargins(edge, edge, edge, edge)
        for place, (title, copies) in enumerate(places):
            if place:
                self._row.addWidget(Separator(self.theme))
            first, last = place == 0, place == len(places) - 1
            crumb = Crumb(self.theme, title, copies, first=first, last=last)
            crumb.setProperty("place", place)
            crumb.clicked.connect(self._clicked)
            self._row.addWidget(crumb)
            self.crumbs.append(crumb)
        self.setVisible(len(places) > 1)
        self.adjustSize()

    def _clicked(self) -> None:
        sender = self.sender()
        if sender is not None:
            self.wanted.emit(int(sender.property("place")))
