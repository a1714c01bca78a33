"""Code to read: line numbers, lines of the selected layers marked, changes put in place."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QKeySequence,
    QPainter,
    QTextBlockFormat,
    QTextCursor,
    QTextDocument,
    QTextOption,
)
from PySide6.QtWidgets import QTextEdit, QWidget

from designer.ui.code.colouring import Colouring

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent, QResizeEvent

    from designer.ui.theme import Theme

LINE = 19
MARGIN = 4
NUMBERS = 39
"""The least width of the line numbers; longer numbers get more."""
BAR = 2


class LineNumbers(QWidget):
    """The numbers beside the code."""

    def __init__(self, view: CodeView) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self) -> QSize:
        return QSize(self._view.numbers_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            self._view.paint_numbers(painter, QRectF(self.rect()))


class CodeView(QTextEdit):
    """Python code that cannot be edited. Lines are counted from 1.

    `line_chosen` says that a line was clicked, or Enter pressed on it.
    """

    line_chosen = Signal(int)
    find_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._lines = [""]
        self._marked: frozenset[int] = frozenset()
        self._numbers = LineNumbers(self)
        self._line_format = QTextBlockFormat()
        self._colouring = Colouring(theme, self.document())
        self._set_up()
        self.verticalScrollBar().valueChanged.connect(self._moved)
        theme.changed.connect(self.restyle)
        self.restyle()

    def _set_up(self) -> None:
        self.setAccessibleName("Code")
        self.setProperty("plain", True)
        self.setUndoRedoEnabled(False)
        self.setReadOnly(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setLineWrapMode(QTextEdit.LineWrapMode.NoWrap)
        self.setWordWrapMode(QTextOption.WrapMode.NoWrap)

    def restyle(self) -> None:
        """Take font, colours and sizes from the theme in force."""
        self.setFont(self._theme.font("code"))
        self.document().setDefaultFont(self._theme.font("code"))
        self.document().setDocumentMargin(self._theme.px(MARGIN))
        height = QTextBlockFormat.LineHeightTypes.FixedHeight.value
        self._line_format.setLineHeight(self._theme.px(LINE), height)
        every = QTextCursor(self.document())
        every.select(QTextCursor.SelectionType.Document)
        every.setBlockFormat(self._line_format)
        self._colouring.restyle()
        self._lay_out()
        self._moved()

    # The text

    def text(self) -> str:
        """The code as it is shown."""
        return "\n".join(self._lines)

    def set_text(self, text: str) -> None:
        """Show other code. Only lines that differ are replaced: selection and place stay."""
        lines = text.split("\n")
        place = self.verticalScrollBar().value()
        is_first = self._lines == [""]
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        for start, stop, new in reversed(differences(self._lines, lines)):
            self._replace(cursor, start, stop, new)
        cursor.endEditBlock()
        self._lines = lines
        if is_first:
            # Text that comes where the cursor is takes it along to its end.
            self.moveCursor(QTextCursor.MoveOperation.Start)
        self.verticalScrollBar().setValue(place)
        self._lay_out()
        self._moved()

    def _replace(self, cursor: QTextCursor, start: int, stop: int, new: Sequence[str]) -> None:
        """Put `new` in place of the lines from `start` up to `stop`, counted from 0."""
        text = "\n".join(new)
        if start < stop and new:
            self._select(cursor, self._start(start), self._end(stop - 1))
        elif start:
            # After the line before, with or without its own line end.
            self._select(cursor, self._end(start - 1), self._end(max(stop, start) - 1))
            text = "\n" + text if new else ""
        else:
            self._select(cursor, 0, self._start(stop))
            text = text + "\n" if new else ""
        cursor.insertText(text)

    def _select(self, cursor: QTextCursor, start: int, end: int) -> None:
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)

    def _start(self, line: int) -> int:
        return self.document().findBlockByNumber(line).position()

    def _end(self, line: int) -> int:
        block = self.document().findBlockByNumber(line)
        return block.position() + block.length() - 1

    # Lines

    def marked(self) -> list[int]:
        """The lines that are marked."""
        return sorted(self._marked)

    def mark(self, lines: Iterable[int]) -> None:
        """Mark these lines, and no others."""
        self._marked = frozenset(lines)
        self.viewport().update()
        self._numbers.update()

    def in_view(self) -> range:
        """The lines that are wholly in view."""
        top = self.verticalScrollBar().value() - self._theme.px(MARGIN)
        height = self._theme.px(LINE)
        first = max(0, -(-top // height))
        return range(first + 1, (top + self.viewport().height()) // height + 1)

    def go_to(self, line: int) -> None:
        """Bring a line into the middle of the view."""
        middle = (self.viewport().height() - self._theme.px(LINE)) // 2
        self.verticalScrollBar().setValue(self._top(line) - middle)

    def _top(self, line: int) -> int:
        """Where a line begins in the document."""
        return self._theme.px(MARGIN) + (line - 1) * self._theme.px(LINE)

    def line_at(self, y: int) -> int | None:
        """The line at a height in the viewport; None below the last one."""
        top = y + self.verticalScrollBar().value() - self._theme.px(MARGIN)
        line = top // self._theme.px(LINE) + 1
        return line if 1 <= line <= len(self._lines) else None

    def find_text(self, wanted: str, backwards: bool = False) -> bool:
        """Select the next place, or the one before, where `wanted` stands; False for none."""
        flags = QTextDocument.FindFlag(0)
        if backwards:
            flags |= QTextDocument.FindFlag.FindBackward
        document, here = self.document(), self.textCursor()
        found = document.find(wanted, here, flags)
        if found.isNull():
            found = document.find(wanted, document.characterCount() - 1 if backwards else 0, flags)
        if not found.isNull():
            self.setTextCursor(found)
        return not found.isNull()

    # Drawing

    def numbers_width(self) -> int:
        """The width of the column of line numbers."""
        digits = self.fontMetrics().horizontalAdvance("0" * len(str(len(self._lines))))
        return max(self._theme.px(NUMBERS), digits + self._theme.px(10 + 12))

    def _lay_out(self) -> None:
        width = self.numbers_width()
        if self.viewportMargins().left() != width:
            self.setViewportMargins(width, 0, 0, 0)
        self._numbers.setGeometry(QRect(0, 0, width, self.viewport().height()))
        self._numbers.update()

    def _moved(self) -> None:
        view = self.in_view()
        self._colouring.show_lines(range(max(0, view.start - 2), view.stop + 1))
        self._numbers.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()
        self._moved()

    def _paint_marks(self, painter: QPainter, width: float) -> None:
        height, above = self._theme.px(LINE), self.verticalScrollBar().value()
        for line in self._marked:
            place = QRectF(0, self._top(line) - above, width, height)
            painter.fillRect(place, self._theme.colour("accent-tint"))

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self.viewport()) as painter:
            self._paint_marks(painter, self.viewport().width())
        super().paintEvent(event)

    def paint_numbers(self, painter: QPainter, rect: QRectF) -> None:
        """Draw the column of line numbers."""
        painter.fillRect(rect, self._theme.colour("panel"))
        self._paint_marks(painter, rect.width())
        painter.setFont(self._theme.font("code"))
        height, above = self._theme.px(LINE), self.verticalScrollBar().value()
        right = rect.width() - self._theme.px(12)
        view = self.in_view()
        for line in range(max(1, view.start - 1), min(view.stop + 1, len(self._lines) + 1)):
            top = self._top(line) - above
            marked = line in self._marked
            painter.setPen(self._theme.colour("text-2" if marked else "text-3"))
            place = QRectF(0, top, right, height)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | _MIDDLE, str(line))
            if marked:
                bar = QRectF(0, top, self._theme.px(BAR), height)
                painter.fillRect(bar, self._theme.colour("accent"))

    # The user

    def event(self, event: QEvent) -> bool:
        # The window may have other uses for these keys; here they are the code's.
        if event.type() == QEvent.Type.ShortcutOverride and _is_find(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if _is_find(event):
            self.find_wanted.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.line_chosen.emit(self.textCursor().blockNumber() + 1)
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        line = self.line_at(round(event.position().y()))
        left = event.button() == Qt.MouseButton.LeftButton
        if left and line is not None and not self.textCursor().hasSelection():
            self.line_chosen.emit(line)


_MIDDLE = Qt.AlignmentFlag.AlignVCenter


def _is_find(event: QEvent) -> bool:
    matches = getattr(event, "matches", None)
    return matches is not None and bool(matches(QKeySequence.StandardKey.Find))


def differences(old: list[str], new: list[str]) -> list[tuple[int, int, list[str]]]:
    """What makes `new` of `old`: lines from, up to (from 0), and what comes in their place."""
    first = 0
    while first < min(len(old), len(new)) and old[first] == new[first]:
        first += 1
    last = 0
    most = min(len(old), len(new)) - first
    while last < most and old[-1 - last] == new[-1 - last]:
        last += 1
    middle = old[first : len(old) - last], new[first : len(new) - last]
    return [
        (first + start, first + stop, middle[1][into:upto])
        for kind, start, stop, into, upto in _steps(*middle)
        if kind != "equal"
    ]


def _steps(old: list[str], new: list[str]) -> list[tuple[str, int, int, int, int]]:
    """The steps from one text to another, as difflib gives them."""
    if len(old) != len(new):
        return list(SequenceMatcher(None, old, new).get_opcodes())
    # Most edits change words within lines: those lines are found without a search.
    changed = [place for place, (a, b) in enumerate(zip(old, new, strict=True)) if a != b]
    runs: list[tuple[str, int, int, int, int]] = []
    for place in changed:
        start = place
        if runs and runs[-1][2] == place:
            start = runs.pop()[1]
        runs.append(("replace", start, place + 1, start, place + 1))
    return runs
