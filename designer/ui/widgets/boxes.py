"""Boxes: cards, the box of a formula, bars of shares, lines between sections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from designer.ui import icons
from designer.ui.widgets import paint
from designer.ui.widgets.buttons import IconButton
from designer.ui.widgets.text import Span, SpanLabel, SpanParagraph, TextLabel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QPaintEvent

    from designer.ui.theme import Theme

LEAST_SHARE = 2
"""Nothing that counts is drawn narrower than this."""


class Divider(QWidget):
    """A line of one pixel across."""

    def __init__(self, theme: Theme, token: str = "border") -> None:
        super().__init__()
        self._theme = theme
        self._token = token
        self.setFixedHeight(1)
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self._theme.colour(self._token))


class IconLabel(QWidget):
    """An icon that is not a button; it says nothing that no words say."""

    def __init__(self, theme: Theme, icon: str, token: str = "text-2", size: int = 16) -> None:
        super().__init__()
        self._theme = theme
        self._icon = icon
        self._token = token
        self._size = size
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.restyle)

    def set_icon(self, icon: str, token: str) -> None:
        """Show another icon, or the same in another colour."""
        self._icon, self._token = icon, token
        self.update()

    def restyle(self) -> None:
        """Measure and draw again."""
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        side = self._theme.px(self._size)
        return QSize(side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        side = self._theme.px(self._size)
        with QPainter(self) as painter:
            place = QRectF(0, (self.height() - side) / 2, side, side)
            icons.paint(painter, place, self._icon, self._theme.colour(self._token))


class Card(QWidget):
    """A rounded box with a border around what `body` holds."""

    def __init__(self, theme: Theme, fill: str = "node", border: str = "border") -> None:
        super().__init__()
        self.theme = theme
        self._fill = fill
        self._border = border
        self.body = QVBoxLayout(self)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        theme.changed.connect(self.restyle)
        self.restyle()

    def restyle(self) -> None:
        """Take sizes from the theme in force."""
        px = self.theme.px
        self.body.setContentsMargins(px(12), px(8), px(12), px(8))
        self.body.setSpacing(px(1))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self.theme
        with QPainter(self) as painter:
            paint.box(
                painter,
                QRectF(self.rect()),
                theme.px(7),
                theme.colour(self._fill),
                theme.colour(self._border),
            )


class FormulaBox(Card):
    """A calculation, one line of spans below another; `copied` asks for its text as a copy."""

    copied = Signal()

    def __init__(self, theme: Theme, title: str) -> None:
        super().__init__(theme, "field", "border")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self._lines: list[SpanParagraph] = []
        self._notes: list[SpanLabel] = []
        self.copy_button = IconButton(theme, "copy", "Copy the formula")
        self.copy_button.clicked.connect(self.copied.emit)
        head = QHBoxLayout()
        head.addWidget(TextLabel(theme, title, "hint", "text-2"))
        head.addStretch(1)
        head.addWidget(self.copy_button)
        self.body.addLayout(head)
        self.restyle()

    def restyle(self) -> None:
        super().restyle()
        px = self.theme.px
        self.body.setContentsMargins(px(12), px(7), px(7), px(9))
        if hasattr(self, "copy_button"):
            self.copy_button.setFixedSize(px(22), px(22))

    def set_lines(self, lines: Sequence[Sequence[Span]], notes: Sequence[str] = ()) -> None:
        """Show these lines; `notes` stand at the right of the lines of the same index."""
        while len(self._lines) < len(lines):
            self._add_line()
        for index, label in enumerate(self._lines):
            shown = index < len(lines)
            note = notes[index] if index < len(notes) else ""
            label.set_spans(*(lines[index] if shown else ()))
            label.setVisible(shown)
            self._notes[index].set_spans(*((Span(note, "text-3", "hint"),) if note else ()))
            self._notes[index].setVisible(shown and bool(note))

    def _add_line(self) -> None:
        line = SpanParagraph(self.theme)
        note = SpanLabel(self.theme, align=Qt.AlignmentFlag.AlignRight)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, self.theme.px(5), 0)
        row.addWidget(line, 1)
        row.addWidget(note, 0, Qt.AlignmentFlag.AlignBottom)
        self.body.addLayout(row)
        self._lines.append(line)
        self._notes.append(note)

    def text(self) -> str:
        """The lines shown, as plain text."""
        return "\n".join(line.text() for line in self._lines if line.text())


class ShareBar(QWidget):
    """Shares of a whole as one bar: `set_parts` takes (share from 0 to 1, colour token) pairs."""

    def __init__(self, theme: Theme, name: str, height: int = 3) -> None:
        super().__init__()
        self._theme = theme
        self._thickness = height
        self._parts: tuple[tuple[float, str], ...] = ()
        self._hollow = False
        self._track = True
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.restyle)

    def restyle(self) -> None:
        """Measure and draw again."""
        self.updateGeometry()
        self.update()

    def set_parts(
        self, *parts: tuple[float, str], hollow: bool = False, track: bool = True
    ) -> None:
        """Draw `parts` one after another; `hollow` as an outline, without a `track` on nothing."""
        self._parts, self._hollow, self._track = parts, hollow, track
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(60), self._theme.px(self._thickness))

    def widths(self) -> list[float]:
        """The width of each part in pixels: 0 for a share of 0, else at least `LEAST_SHARE`."""
        return [
            max(LEAST_SHARE, share * self.width()) if share > 0 else 0 for share, _ in self._parts
        ]

    def paintEvent(self, event: QPaintEvent) -> None:
        rect = QRectF(self.rect())
        with QPainter(self) as painter:
            if self._track:
                paint.box(painter, rect, rect.height() / 2, self._theme.colour("border"))
            self._paint_parts(painter, rect)

    def _paint_parts(self, painter: QPainter, rect: QRectF) -> None:
        x, gap = 0.0, self._theme.px(2)
        widths = self.widths()
        over = sum(widths) + gap * (len(widths) - 1) - rect.width()
        for width, (_, token) in zip(widths, self._parts, strict=True):
            # What small parts take beyond their share comes off the largest one.
            room = width - max(0.0, over) if width == max(widths) else width
            if width:
                self._paint_part(painter, QRectF(x, 0, max(room, 0.0), rect.height()), token)
                x += room + gap

    def _paint_part(self, painter: QPainter, rect: QRectF, token: str) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = self._theme.colour(token)
        radius = min(rect.height(), rect.width()) / 2
        if self._hollow:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colour, 1))
            painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
        else:
            paint.box(painter, rect, radius, colour)
