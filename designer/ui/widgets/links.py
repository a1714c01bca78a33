"""Words that lead somewhere: a flat button in the type of a hint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from designer.ui import icons
from designer.ui.widgets import paint
from designer.ui.widgets.buttons import Control

if TYPE_CHECKING:
    from designer.ui.theme import Theme


class LinkButton(Control):
    """Words, and an icon before them; under the pointer they take the colour of links."""

    radius = 4.0

    def __init__(self, theme: Theme, text: str, icon: str = "", token: str = "text-3") -> None:
        super().__init__(theme, text)
        self._icon = icon
        self._token = token
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def set_words(self, text: str) -> None:
        """Change the words."""
        if text != self.text():
            self.setText(text)
            self.setAccessibleName(text)
            self.setToolTip("")
            self.restyle()

    def _text_left(self) -> int:
        return self.theme.px(20 if self._icon else 0)

    def sizeHint(self) -> QSize:
        width = QFontMetricsF(self.theme.font("hint")).horizontalAdvance(self.text())
        return QSize(round(width) + self._text_left() + 1, self.theme.px(18))

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self.theme.px(40), self.sizeHint().width()), self.theme.px(18))

    def draw(self, painter: QPainter, rect: QRectF) -> None:
        ink = self.ink("accent" if self.pointed() else self._token)
        if self._icon:
            side = self.theme.px(14)
            place = QRectF(0, rect.center().y() - side / 2, side, side)
            icons.paint(painter, place, self._icon, ink)
        painter.setFont(self.theme.font("hint"))
        painter.setPen(ink)
        metrics = QFontMetricsF(painter.font())
        room = rect.width() - self._text_left()
        words = metrics.elidedText(self.text(), Qt.TextElideMode.ElideMiddle, room + 0.5)
        painter.drawText(QPointF(self._text_left(), paint.base_line(rect, metrics)), words)
