"""The line at the bottom of the window: whether all shapes agree, and what the numbers are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from designer.ui import icons
from designer.ui.widgets import paint
from designer.ui.widgets.buttons import Control
from designer.ui.widgets.text import TextLabel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QPaintEvent

    from designer.ui.theme import Theme

HEIGHT = 26

_STATES = {
    "ok": ("check", "ok"),
    "error": ("err", "error"),
    "warn": ("warn", "warn"),
    "hint": ("hint", "text-2"),
}


class StateButton(Control):
    """The state of the design in one sentence; a click goes to what is wrong."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "")
        self._kind = "ok"
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def set_state(self, kind: str, sentence: str) -> None:
        """Show `sentence` with the icon and colour of `kind`; KeyError for an unknown kind."""
        if kind not in _STATES:
            raise KeyError(kind)
        self._kind = kind
        self.setText(sentence)
        self.setAccessibleName(sentence)
        self.setToolTip(sentence)
        self.restyle()

    def sizeHint(self) -> QSize:
        width = QFontMetricsF(self.theme.font("hint")).horizontalAdvance(self.text())
        return QSize(round(width) + self.theme.px(20), self.theme.px(20))

    def minimumSizeHint(self) -> QSize:
        return QSize(self.theme.px(60), self.theme.px(20))

    def draw(self, painter: QPainter, rect: QRectF) -> None:
        icon, token = _STATES[self._kind]
        side = self.theme.px(14)
        colour = self.theme.colour(token)
        icons.paint(painter, QRectF(0, rect.center().y() - side / 2, side, side), icon, colour)
        painter.setFont(self.theme.font("hint"))
        painter.setPen(colour)
        metrics = QFontMetricsF(painter.font())
        x = self.theme.px(19)
        text = metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, rect.width() - x + 1)
        painter.drawText(QPointF(x, paint.base_line(rect, metrics)), text)


class _Separator(QWidget):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setFixedWidth(1)
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        height = self._theme.px(12)
        line = QRect(0, (self.height() - height) // 2, 1, height)
        with QPainter(self) as painter:
            painter.fillRect(line, self._theme.colour("border-strong"))


class _Texts(QWidget):
    """Texts in a row, a thin line between each two; empty ones take no room."""

    def __init__(self, theme: Theme, roles: Sequence[str], leading: bool) -> None:
        super().__init__()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(14)
        self._leading = leading
        self.labels = [TextLabel(theme, "", role, "text-2") for role in roles]
        self._lines = [_Separator(theme) for _ in roles]
        for line, label in zip(self._lines, self.labels, strict=True):
            self._row.addWidget(line)
            self._row.addWidget(label)
        self.set_texts(())

    def set_texts(self, texts: Sequence[str]) -> None:
        before = self._leading
        for index, label in enumerate(self.labels):
            text = texts[index] if index < len(texts) else ""
            label.setText(text)
            label.setVisible(bool(text))
            self._lines[index].setVisible(bool(text) and before)
            before = before or bool(text)


class StatusLine(QWidget):
    """The line itself."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.state = StateButton(theme)
        self._left = _Texts(theme, ("hint",) * 3, leading=True)
        self._right = _Texts(theme, ("mono", "hint", "hint", "hint"), leading=False)
        self._row = QHBoxLayout(self)
        self._row.setSpacing(14)
        self._row.addWidget(self.state)
        self._row.addWidget(self._left)
        self._row.addStretch(1)
        self._row.addWidget(self._right)
        theme.changed.connect(self.restyle)
        self.restyle()

    def set_left(self, *texts: str) -> None:
        """Show up to three texts after the state, as `9 layers`, `1 selected`."""
        self._left.set_texts(texts)

    def set_right(self, sizes: str, dtype: str, computed: str, zoom: str) -> None:
        """Show what the numbers are for, how long they took, and the zoom; empty ones go."""
        self._right.set_texts((sizes, dtype, computed, zoom))

    def texts(self) -> list[str]:
        """All texts shown, from left to right."""
        labels = self._left.labels + self._right.labels
        return [self.state.text(), *(label.text() for label in labels if label.text())]

    def restyle(self) -> None:
        """Take sizes from the theme in force."""
        px = self._theme.px
        self.setFixedHeight(px(HEIGHT))
        self._row.setContentsMargins(px(12), 1, px(12), 0)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self._theme.colour("app"))
            painter.fillRect(QRect(0, 0, self.width(), 1), self._theme.colour("border"))
