"""The box beside the code: what the module comes to, and whether PyTorch agrees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from designer.core import cost, numbers, size
from designer.core.tensor import Tensor
from designer.export.uses import outputs_of
from designer.ui.widgets import paint
from designer.ui.widgets.boxes import IconLabel
from designer.ui.widgets.buttons import Control, TextButton
from designer.ui.widgets.text import KeyValueRow, Span, SpanLabel, paragraph

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from PySide6.QtGui import QPaintEvent

    from designer.core.analysis import Analysis
    from designer.export.check import Case, Report
    from designer.ui.theme import Theme

WIDTH = 280
ROW = 21
MOST_DIFFERENCES = 4
CHECK, CANCEL = "Check with PyTorch", "Cancel"
MATCHES = "The export matches the design"
DIFFERS = "The export does not match the design"


class Link(Control):
    """Words to click, in the accent."""

    radius = 4.0

    def __init__(self, theme: Theme, text: str) -> None:
        super().__init__(theme, text)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def set_text(self, text: str) -> None:
        """Show other words."""
        self.setText(text)
        self.setAccessibleName(text)
        self.restyle()

    def sizeHint(self) -> QSize:
        width = QFontMetricsF(self.theme.font("secondary")).horizontalAdvance(self.text())
        return QSize(round(width) + 2, self.theme.px(18))

    def draw(self, painter: QPainter, rect: QRectF) -> None:
        font = self.theme.font("secondary")
        font.setUnderline(self.pointed())
        painter.setFont(font)
        painter.setPen(self.ink("accent"))
        painter.drawText(0, round(paint.base_line(rect, QFontMetricsF(font))), self.text())


class Verdict(QWidget):
    """What the comparison came to: an icon with a sentence, and more sentences below."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._icon = IconLabel(theme, "check", "ok", 14)
        self._head = paragraph(theme, "", "secondary", "text")
        self._more = paragraph(theme, "", "hint", "text-2")
        head = QHBoxLayout()
        head.setSpacing(theme.px(7))
        head.addWidget(self._icon)
        head.addWidget(self._head, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.px(2))
        column.addLayout(head)
        column.addWidget(self._more)

    def show_sentence(self, icon: str, token: str, head: str, more: Sequence[str] = ()) -> None:
        """Show a sentence in a colour, with an icon, and others below it."""
        self._icon.set_icon(icon, token)
        self._head.set_token(token)
        self._head.setText(head)
        self._more.setText("\n".join(more))
        self._more.setVisible(bool(more))

    def text(self) -> str:
        """All sentences, a line each."""
        return "\n".join(part for part in (self._head.text(), self._more.text()) if part)


class SideBox(QScrollArea):
    """Facts about the module, the comparison, and where the selected layer is used.

    `check_wanted` and `cancel_wanted` are the user's; `line_wanted` asks for a line of the code.
    """

    check_wanted = Signal()
    cancel_wanted = Signal()
    line_wanted = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._lines: tuple[int, ...] = ()
        self._next = 0
        self.title = SpanLabel(theme)
        self.parameters = KeyValueRow(theme, "Parameters")
        self.output = SpanLabel(theme)
        self.shape = SpanLabel(theme, align=Qt.AlignmentFlag.AlignRight)
        self.verdict = Verdict(theme)
        self.check = TextButton(theme, CHECK)
        self.selected = paragraph(theme, "", "hint", "text-2")
        self.go = Link(theme, "")
        self._page = QWidget()
        self._page.setObjectName("page")
        self._column = QVBoxLayout(self._page)
        self._build()
        theme.changed.connect(self.restyle)
        self.restyle()

    def _build(self) -> None:
        output = QHBoxLayout()
        output.addWidget(self.output, 1)
        output.addWidget(self.shape)
        self._column.addWidget(self.title)
        self._column.addWidget(self.parameters)
        self._column.addLayout(output)
        self._column.addWidget(self.verdict)
        self._column.addSpacing(self._theme.px(4))
        self._column.addWidget(self.check)
        self._column.addSpacing(self._theme.px(6))
        self._column.addWidget(self.selected)
        self._column.addWidget(self.go)
        self._column.addStretch(1)
        self.setWidget(self._page)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        self.check.clicked.connect(self._pressed)
        self.go.clicked.connect(self._go)
        self.show_report(None)
        self.show_use("", ())

    def restyle(self) -> None:
        """Take sizes from the theme in force."""
        px = self._theme.px
        self.setFixedWidth(px(WIDTH))
        self._column.setContentsMargins(px(16), px(8), px(16), px(8))
        self._column.setSpacing(px(2))
        self.title.setFixedHeight(px(ROW))
        self.parameters.setFixedHeight(px(ROW))
        self.output.setFixedHeight(px(ROW))

    # What is shown

    def show_module(self, analysis: Analysis, lines: int) -> None:
        """Show what the module of a design comes to."""
        count = "1 line" if lines == 1 else f"{lines:,} lines"
        self.title.set_spans(
            Span("model.py", "text", "body-strong"), Span(count, "text-2", "secondary", gap=5)
        )
        totals = analysis.counted
        self.parameters.set_right(
            Span(numbers.count(totals.parameters), role="secondary"),
            short=(Span(numbers.short(totals.parameters), role="secondary"),),
        )
        at = _trials(analysis)
        key = f"{_outputs(analysis)} at {at}" if at else _outputs(analysis)
        self.output.set_spans(
            Span(key, "text-2", "secondary"), short=(Span(at or "Output", "text-2", "secondary"),)
        )
        self.shape.set_spans(Span(_shape(analysis), "text", "mono"))

    def show_report(self, report: Report | None) -> None:
        """Show what the comparison came to; None where there was none of the design as it is."""
        matches = report is not None and report.matches
        self.parameters.set_key("Parameters in PyTorch" if matches else "Parameters")
        # After restyle, which belongs to the row, the height is the box's again.
        self.parameters.setFixedHeight(self._theme.px(ROW))
        self.verdict.setVisible(report is not None)
        self.check.setVisible(not matches)
        self._name_button(CHECK)
        if report is not None:
            self.verdict.show_sentence(*_verdict(report))
            self.verdict.setToolTip(_cases(report))

    def show_running(self) -> None:
        """Say that the comparison is under way; the button ends it."""
        self.verdict.show_sentence("hint", "text-2", "Comparing with PyTorch…")
        self.verdict.setToolTip("")
        self.verdict.show()
        self._name_button(CANCEL)

    def running(self) -> bool:
        """Whether the button says Cancel."""
        return self.check.text() == CANCEL

    def _name_button(self, text: str) -> None:
        self.check.setText(text)
        self.check.setAccessibleName(text)
        self.check.restyle()

    def show_use(self, sentence: str, lines: tuple[int, ...]) -> None:
        """Say where the selected layer is used: `lines` are where its statements begin."""
        self._lines, self._next = lines, 1
        self.selected.setText(sentence)
        self.selected.setVisible(bool(sentence))
        self._show_link()

    def _show_link(self) -> None:
        several = len(self._lines) > 1
        self.go.setVisible(several)
        if several:
            self.go.set_text(f"Go to line {self._lines[self._next]:,}")

    # The user

    def _pressed(self) -> None:
        (self.cancel_wanted if self.running() else self.check_wanted).emit()

    def _go(self) -> None:
        line = self._lines[self._next]
        self._next = (self._next + 1) % len(self._lines)
        self._show_link()
        self.line_wanted.emit(line)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        with QPainter(self.viewport()) as painter:
            painter.fillRect(0, 0, 1, self.height(), self._theme.colour("border"))


def _outputs(analysis: Analysis) -> str:
    more = len(outputs_of(analysis)) - 1
    return f"Output 1 of {more + 1}" if more else "Output"


def _trials(analysis: Analysis) -> str:
    return ", ".join(f"{n} = {d.trial}" for n, d in analysis.document.dimensions.items())


def _shape(analysis: Analysis) -> str:
    """The shape of the first output at the trial sizes."""
    tensor = analysis.findings[outputs_of(analysis)[0]].inputs["x"]
    assert isinstance(tensor, Tensor)
    trials = cost.trials(analysis)
    axes = [size.value(size.substitute(axis, trials)) for axis in tensor.shape]
    return f"[{', '.join('?' if axis is None else str(axis) for axis in axes)}]"


def _verdict(report: Report) -> tuple[str, str, str, list[str]]:
    """Icon, colour, sentence and further sentences for a report."""
    if report.matches:
        return "check", "ok", MATCHES, []
    found = [f"{case.name}: {text}" for case in report.cases for text in case.differences]
    if found:
        more = len(found) - MOST_DIFFERENCES
        rest = [f"{more:,} more"] if more > 0 else []
        return "err", "error", DIFFERS, found[:MOST_DIFFERENCES] + rest
    reasons = [report.failure, *(case.skipped for case in report.cases)]
    sentence = next((str(reason) for reason in reasons if reason is not None), "")
    return "warn", "warn", "The export was not compared", [sentence]


def _cases(report: Report) -> str:
    lines = [f"torch {report.torch}"] if report.torch else []
    return "\n".join([*lines, *(f"{case.name}: {_outcome(case)}" for case in report.cases)])


def _outcome(case: Case) -> str:
    if case.skipped is not None:
        return str(case.skipped)
    if case.differences:
        return f"{len(case.differences):,} differences"
    return "equal" if case.device == "cpu" else "equal (shapes only)"


def statements(lines: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Lines that follow one another as one: (first, last)."""
    found: list[tuple[int, int]] = []
    for line in sorted(lines):
        if found and found[-1][1] == line - 1:
            found[-1] = (found[-1][0], line)
        else:
            found.append((line, line))
    return tuple(found)


def use_sentence(name: str, lines: Iterable[int]) -> str:
    """`Selected: fc1, used on lines 34 and 43.`"""
    parts = [f"{a:,}" if a == b else f"{a:,} to {b:,}" for a, b in statements(lines)]
    if not parts:
        return f"Selected: {name}, not in the code."
    one = len(parts) == 1 and "to" not in parts[0]
    listed = " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
    return f"Selected: {name}, used on {'line' if one else 'lines'} {listed}."
