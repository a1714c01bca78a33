"""Lines of text: labels in the theme's type, runs of several colours, names that elide."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent, QResizeEvent

    from designer.ui.theme import Theme

LINE = 18
ROW = 24


class TextLabel(QLabel):
    """Plain text in a role and a colour of the theme."""

    def __init__(
        self, theme: Theme, text: str = "", role: str = "body", token: str = "text"
    ) -> None:
        super().__init__(text)
        self._theme = theme
        self._role = role
        self._token = token
        self.setTextFormat(Qt.TextFormat.PlainText)
        theme.changed.connect(self.restyle)
        self.restyle()

    def set_token(self, token: str) -> None:
        """Change the colour."""
        self._token = token
        self.restyle()

    def restyle(self) -> None:
        """Take font and colour from the theme in force."""
        colours = self.palette()
        colours.setColor(QPalette.ColorRole.WindowText, self._theme.colour(self._token))
        self.setPalette(colours)
        self.setFont(self._theme.font(self._role))
        if not self.wordWrap():
            self.setMinimumHeight(self._theme.px(LINE))


def paragraph(theme: Theme, text: str = "", role: str = "hint", token: str = "text-2") -> TextLabel:
    """A label that wraps."""
    label = TextLabel(theme, text, role, token)
    label.setWordWrap(True)
    label.setMinimumHeight(0)
    return label


class ElidedLabel(TextLabel):
    """A name on one line; where it does not fit, its middle is left out and the tooltip has it."""

    elide = Qt.TextElideMode.ElideMiddle

    def __init__(
        self, theme: Theme, text: str = "", role: str = "body", token: str = "text"
    ) -> None:
        super().__init__(theme, text, role, token)
        self._help = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def setText(self, text: str) -> None:
        super().setText(text)
        self._explain()

    def set_help(self, text: str) -> None:
        """Say more in the tooltip, also where the whole name is shown."""
        self._help = text
        self._explain()

    def _explain(self) -> None:
        name = self.text() if self.shown() != self.text() else ""
        self.setToolTip("\n".join(part for part in (name, self._help) if part))

    def shown(self) -> str:
        """The text as drawn."""
        return self.fontMetrics().elidedText(self.text(), self.elide, self.contentsRect().width())

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + 2, self._theme.px(LINE))

    def minimumSizeHint(self) -> QSize:
        few = self.fontMetrics().horizontalAdvance("mm…")
        return QSize(min(few, self.sizeHint().width()), self._theme.px(LINE))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._explain()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setPen(self._theme.colour(self._token if self.isEnabled() else "text-off"))
            painter.drawText(
                self.contentsRect(), self.alignment() | Qt.TextFlag.TextSingleLine, self.shown()
            )


class SentenceLabel(ElidedLabel):
    """A sentence on one line: where it does not fit, its end is left out, which reads better."""

    elide = Qt.TextElideMode.ElideRight


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text in one role and colour, `gap` px after the one before it."""

    text: str
    token: str = "text"
    role: str = "body"
    gap: float = 0


class SpanLabel(QWidget):
    """One line of spans. It never elides: where the line does not fit it shows its short form."""

    def __init__(
        self, theme: Theme, *spans: Span, align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft
    ) -> None:
        super().__init__()
        self._theme = theme
        self._align = align
        self._spans: tuple[Span, ...] = ()
        self._short: tuple[Span, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.set_spans(*spans)
        theme.changed.connect(self.restyle)

    def set_spans(self, *spans: Span, short: tuple[Span, ...] = ()) -> None:
        """Show `spans`, or `short` where they do not fit."""
        if (spans, short) == (self._spans, self._short):
            return
        self._spans, self._short = spans, short
        self.setAccessibleName(self.text())
        self.restyle()

    def text(self) -> str:
        """The whole line as plain text."""
        return _plain(self._spans)

    def shown(self) -> str:
        """The line as drawn."""
        return _plain(self._fitting())

    def restyle(self) -> None:
        """Measure and draw again."""
        self.updateGeometry()
        self.update()

    def _fitting(self) -> tuple[Span, ...]:
        fits = not self._short or self._width(self._spans) <= self.width() + 0.5
        return self._spans if fits else self._short

    def _width(self, spans: tuple[Span, ...]) -> float:
        return sum(
            self._theme.px(s.gap)
            + QFontMetricsF(self._theme.font(s.role)).horizontalAdvance(s.text)
            for s in spans
        )

    def sizeHint(self) -> QSize:
        return QSize(int(self._width(self._spans)) + 1, self._line_height())

    def minimumSizeHint(self) -> QSize:
        least = self._short or self._spans
        return QSize(int(self._width(least)) + 1, self._line_height())

    def _line_height(self) -> int:
        heights = (QFontMetricsF(self._theme.font(s.role)).height() for s in self._spans)
        return max((self._theme.px(LINE), *(round(height) for height in heights)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.setToolTip(self.text() if self._fitting() is not self._spans else "")

    def paintEvent(self, event: QPaintEvent) -> None:
        spans = self._fitting()
        x = 0.0
        if self._align & Qt.AlignmentFlag.AlignRight:
            x = self.width() - self._width(spans)
        with QPainter(self) as painter:
            self._paint_spans(painter, x, spans)

    def _paint_spans(
        self, painter: QPainter, x: float, spans: tuple[Span, ...], height: int = 0
    ) -> None:
        base = self._base_line(spans, height or self.height())
        for span in spans:
            font = self._theme.font(span.role)
            x += self._theme.px(span.gap)
            painter.setFont(font)
            painter.setPen(self._theme.colour(span.token))
            painter.drawText(QPointF(x, base), span.text)
            x += QFontMetricsF(font).horizontalAdvance(span.text)

    def _base_line(self, spans: tuple[Span, ...], height: int) -> float:
        if not spans:
            return 0.0
        tallest = max(
            (QFontMetricsF(self._theme.font(s.role)) for s in spans), key=lambda m: m.height()
        )
        return (height + tallest.ascent() - tallest.descent()) / 2


class SpanParagraph(SpanLabel):
    """Spans of a calculation that go on in further lines, broken before its signs.

    Where it takes more than `most` lines, the middle is left out.
    """

    most = 4

    def __init__(self, theme: Theme, *spans: Span) -> None:
        super().__init__(theme, *spans)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def lines(self, width: float) -> list[tuple[Span, ...]]:
        """The lines that it has at a width."""
        pieces = [piece for span in self._spans for piece in _pieces(span)]
        lines = self._filled(pieces, width)
        if len(lines) <= self.most:
            return lines
        tail: list[Span] = []
        for piece in reversed(pieces):
            if self._width((_DOTS, piece, *tail)) > width and tail:
                break
            tail.insert(0, piece)
        return [*lines[: self.most - 1], (_DOTS, *tail)]

    def _filled(self, pieces: list[Span], width: float) -> list[tuple[Span, ...]]:
        lines: list[tuple[Span, ...]] = [()]
        for piece in pieces:
            if lines[-1] and self._width((*lines[-1], piece)) > width + 0.5:
                lines.append((replace(piece, text=piece.text.lstrip(), gap=0),))
            else:
                lines[-1] = (*lines[-1], piece)
        return lines

    def shown(self) -> str:
        return "\n".join(map(_plain, self.lines(self.width())))

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return len(self.lines(width)) * self._line_height()

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(60), self._line_height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.setToolTip(self.text() if len(self.lines(self.width())) > self.most - 1 else "")

    def paintEvent(self, event: QPaintEvent) -> None:
        height = self._line_height()
        with QPainter(self) as painter:
            for line in self.lines(self.width()):
                self._paint_spans(painter, 0.0, line, height)
                painter.translate(0, height)


_DOTS = Span("… ", "text-3", "mono")
_BREAK = re.compile(r"(?= [+=×] )")


def _pieces(span: Span) -> list[Span]:
    """A span in parts between which a line may end."""
    first, *others = _BREAK.split(span.text)
    return [replace(span, text=first), *(replace(span, text=text, gap=0) for text in others)]


def _plain(spans: tuple[Span, ...]) -> str:
    return "".join(" " * bool(s.gap and i) + s.text for i, s in enumerate(spans))


class SectionTitle(QWidget):
    """The title of a section, with a quiet note at its right."""

    def __init__(self, theme: Theme, text: str, note: str = "") -> None:
        super().__init__()
        self._title = TextLabel(theme, text, "section", "text-2")
        self._note = TextLabel(theme, note, "hint", "text-3")
        row = _row(self)
        row.addWidget(self._title)
        row.addStretch(1)
        row.addWidget(self._note)

    def set_text(self, text: str) -> None:
        """Change the title."""
        self._title.setText(text)

    def set_note(self, note: str) -> None:
        """Change the note at the right."""
        self._note.setText(note)

    def note(self) -> str:
        """The note at the right."""
        return self._note.text()


class KeyValueRow(QWidget):
    """A name, a value beside it when there is a key column, and a value at the right."""

    def __init__(self, theme: Theme, key: str, key_width: int = 0, height: int = ROW) -> None:
        super().__init__()
        self._theme = theme
        self._key_width = key_width
        self._height = height
        self._key = ElidedLabel(theme, key, "secondary", "text-2")
        self._middle = SpanLabel(theme)
        self._right = SpanLabel(theme, align=Qt.AlignmentFlag.AlignRight)
        self._row = _row(self)
        self._row.addWidget(self._key)
        self._row.addWidget(self._middle)
        self._row.addStretch(1)
        self._row.addWidget(self._right)
        theme.changed.connect(self.restyle)
        self.restyle()

    def restyle(self) -> None:
        """Take sizes from the theme in force."""
        self.setFixedHeight(self._theme.px(self._height))
        self._row.setSpacing(self._theme.px(8))
        self._key.setHidden(not self._key.text() and not self._key_width)
        if self._key_width:
            self._row.setSpacing(0)
            self._key.setFixedWidth(self._theme.px(self._key_width))
        else:
            self._key.setMaximumWidth(self._key.sizeHint().width())

    def set_key(self, key: str, help: str = "") -> None:
        """Change the name; `help` is what its tooltip says besides."""
        self._key.setText(key)
        self._key.set_help(help)
        self.restyle()

    def set_middle(self, *spans: Span, short: tuple[Span, ...] = ()) -> None:
        """Show `spans` after the name, or `short` where they do not fit."""
        self._middle.set_spans(*spans, short=short)

    def set_right(self, *spans: Span, short: tuple[Span, ...] = ()) -> None:
        """Show `spans` at the right, or `short` where they do not fit."""
        self._right.set_spans(*spans, short=short)

    def text(self) -> str:
        """The whole row as plain text."""
        parts = (self._key.text(), self._middle.text(), self._right.text())
        return " ".join(part for part in parts if part)


def _row(widget: QWidget) -> QHBoxLayout:
    row = QHBoxLayout(widget)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(0)
    return row
