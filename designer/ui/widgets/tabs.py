"""The tabs of a panel: words with a line under the chosen one, and a count beside some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QWidget

from designer.ui.widgets import paint
from designer.ui.widgets.buttons import Control

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from designer.ui.theme import Theme

_GAP = 19
_BADGE_GAP = 7


class TabButton(Control):
    """One tab."""

    radius = 4.0

    def __init__(self, theme: Theme, title: str) -> None:
        super().__init__(theme, title)
        self._badge = ""
        self._alarm = False
        self._quiet = False
        self.setCheckable(True)

    def badge(self) -> str:
        """The text of the badge; empty when there is none."""
        return self._badge

    def set_badge(self, badge: str, alarm: bool = False) -> None:
        """Show `badge` beside the title, in red when `alarm`."""
        self._badge, self._alarm = badge, alarm
        self.setAccessibleName(f"{self.text()} {badge}".strip())
        self.restyle()

    def set_quiet(self, quiet: bool) -> None:
        """Draw no difference between chosen and not."""
        self._quiet = quiet
        self.update()

    def sizeHint(self) -> QSize:
        # Always as wide as the title in its heavier weight, so that choosing a tab moves nothing.
        width = QFontMetricsF(self.theme.font("body-strong")).horizontalAdvance(self.text())
        if self._badge:
            width += self.theme.px(_BADGE_GAP) + self._badge_width()
        return QSize(round(width), self.theme.px(28))

    def _badge_width(self) -> float:
        width = QFontMetricsF(self.theme.font("badge")).horizontalAdvance(self._badge)
        return max(width + self.theme.px(10), self.theme.px(17))

    def draw(self, painter: QPainter, rect: QRectF) -> None:
        chosen = self.isChecked() and not self._quiet
        rect = rect.adjusted(0, 0, 0, -1)
        painter.setFont(self.theme.font("body-strong" if chosen else "body"))
        painter.setPen(self.ink("text" if chosen or self.pointed() else "text-2"))
        metrics = QFontMetricsF(painter.font())
        painter.drawText(QPointF(0, paint.base_line(rect, metrics)), self.text())
        if self._badge:
            self._draw_badge(painter, rect)
        if chosen:
            self._draw_line(painter, QRectF(self.rect()))

    def _draw_badge(self, painter: QPainter, rect: QRectF) -> None:
        width, height = self._badge_width(), self.theme.px(17)
        place = QRectF(rect.width() - width, rect.center().y() - height / 2, width, height)
        fill = self.theme.colour("error-fill" if self._alarm else "pressed")
        paint.box(painter, place, height / 2, fill)
        painter.setFont(self.theme.font("badge"))
        painter.setPen(self.theme.colour("accent-ink" if self._alarm else "text-2"))
        paint.centred_text(painter, place, self._badge)

    def _draw_line(self, painter: QPainter, rect: QRectF) -> None:
        # Twice as high as it shows: only the two upper corners are round.
        line = QRectF(0, rect.height() - self.theme.px(2), rect.width(), 2 * self.theme.px(2))
        painter.setClipRect(rect)
        paint.box(painter, line, self.theme.px(2), self.theme.colour("accent"))
        painter.setClipping(False)


class PanelTabs(QWidget):
    """A row of tabs over a panel; `selected` says which one was chosen, arrows move along them."""

    selected = Signal(int)

    def __init__(self, theme: Theme, titles: tuple[str, ...], inset: int, height: int) -> None:
        super().__init__()
        self._theme = theme
        self._inset = inset
        self._height = height
        self._group = QButtonGroup(self)
        self.buttons = tuple(TabButton(theme, title) for title in titles)
        self._row = QHBoxLayout(self)
        for index, button in enumerate(self.buttons):
            self._group.addButton(button, index)
            self._row.addWidget(button)
        self._row.addStretch(1)
        self.buttons[0].setChecked(True)
        self._group.idClicked.connect(self.selected.emit)
        theme.changed.connect(self.restyle)
        self.restyle()

    def current(self) -> int:
        """The index of the chosen tab."""
        return self._group.checkedId()

    def select(self, index: int) -> None:
        """Choose a tab, and say so."""
        self.buttons[index].setChecked(True)
        self.selected.emit(index)

    def set_badge(self, index: int, badge: str, alarm: bool = False) -> None:
        """Show `badge` beside a title, in red when `alarm`; an empty one goes."""
        self.buttons[index].set_badge(badge, alarm)

    def set_quiet(self, quiet: bool) -> None:
        """Mark no tab as chosen, as while the panel below is folded away."""
        for button in self.buttons:
            button.set_quiet(quiet)

    def add_corner(self, widget: QWidget) -> None:
        """Put a control at the right end."""
        self._row.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)

    def restyle(self) -> None:
        """Take sizes from the theme in force."""
        px = self._theme.px
        self.setFixedHeight(px(self._height))
        self._row.setContentsMargins(px(self._inset), 0, px(8), 0)
        self._row.setSpacing(px(_GAP))
        for button in self.buttons:
            button.setFixedHeight(px(self._height))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            line = QRectF(0, self.height() - 1, self.width(), 1)
            painter.fillRect(line, self._theme.colour("border"))
