"""The card at a wire or chip: a shape and what its axes mean, or a layer inside a block."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QCursor, QPainter
from PySide6.QtWidgets import QWidget

from designer.core import cost, size
from designer.core.block import BlockUse
from designer.ui.canvas import labels, values
from designer.ui.canvas.labels import Span
from designer.ui.canvas.pen import Pen
from designer.ui.widgets import paint

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from designer.core.analysis import Analysis
    from designer.core.graph import NodeId, Target
    from designer.core.tensor import Tensor
    from designer.ui.canvas.cards import Member
    from designer.ui.canvas.stage import Stage
    from designer.ui.theme import Theme

_WIDTH, _LINE, _INSET = 232, 19, 14


class AxisLine(NamedTuple):
    """One axis: as the wire shows it, what it means, and its value or trial value."""

    name: str
    meaning: str
    value: str


def axis_lines(tensor: Tensor, analysis: Analysis) -> list[AxisLine]:
    """The axes of a value explained, first axis first."""
    trials = cost.trials(analysis)
    lines: list[AxisLine] = []
    for axis in tensor.shape:
        name = str(axis)
        dimension = analysis.document.dimensions.get(name)
        variable = analysis.document.variables.get(name)
        meaning = dimension.meaning if dimension else variable.note if variable else ""
        value = size.value(size.substitute(axis, trials))
        shown = "" if value is None or str(value) == name else f"{value:,}"
        lines.append(AxisLine(name, meaning, shown))
    return lines


def _axis_spans(line: AxisLine) -> tuple[Span, ...]:
    return (
        Span(line.name, "text-2", "mono"),
        Span(line.meaning, "text-2", "hint"),
        Span(line.value, "text-2", "hint-medium"),
    )


class HoverCard(QWidget):
    """Shows itself while the pointer rests on a wire or on the chip of a layer; takes no clicks."""

    def __init__(self, theme: Theme, stage: Stage, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._stage = stage
        self._canvas = parent
        self._target: Target | None = None
        self._chip: tuple[NodeId, Member] | None = None
        self._inside: list[tuple[Span, ...]] = []
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_wire(self, target: Target | None) -> None:
        """Show the card of a wire beside the pointer, or hide it."""
        self._target, self._chip = target, None
        self._show()

    def show_member(self, use: NodeId | None, member: Member | None) -> None:
        """Show the card of a layer inside a block beside the pointer, or hide it."""
        chip = (use, member) if use is not None and member is not None else None
        if chip != self._chip:
            self._target, self._chip = None, chip
            # Found once: to look into a large block takes its time.
            self._inside = self._member_lines(*chip) if chip is not None else []
            self._show()

    def _show(self) -> None:
        if not self.lines():
            self.hide()
            return
        self.setFixedSize(self._theme.px(_WIDTH), self._theme.px(self._height()))
        at = self._canvas.mapFromGlobal(QCursor.pos()) + QPoint(24, -20)
        room = self._canvas.size()
        x = max(8, min(at.x(), room.width() - self.width() - 8))
        y = max(8, min(at.y(), room.height() - self.height() - 8))
        self.move(x, y)
        self.show()
        self.raise_()
        self.update()

    def _tensor(self) -> Tensor | None:
        drawing = self._stage.drawing
        if drawing.editor is None or self._target not in drawing.wires:
            return None
        source = drawing.wires[self._target].edge.source
        return drawing.editor.analysis.findings[source.node].outputs.get(source.port)

    def _height(self) -> int:
        return _INSET * 2 + _LINE * len(self.lines()) + 8

    def lines(self) -> list[tuple[Span, ...]]:
        """What the card says, line by line: left, then middle, then right."""
        if self._chip is not None:
            return self._inside
        drawing, tensor = self._stage.drawing, self._tensor()
        if drawing.editor is None or self._target is None or tensor is None:
            return []
        edge, analysis = drawing.wires[self._target].edge, drawing.editor.analysis
        ends = f"{drawing.cards[edge.source.node].name} to {drawing.cards[edge.target.node].name}"
        found: list[tuple[Span, ...]] = [
            (
                Span(ends, "text", "body-strong"),
                Span("", "text-2", "hint"),
                Span(tensor.dtype, "text-3", "hint"),
            ),
            (Span(str(values.tensor(tensor)), "text", "mono"),),
        ]
        found += [_axis_spans(line) for line in axis_lines(tensor, analysis)]
        total = cost.tensor_bytes(tensor, analysis)
        shown = "?" if total is None else labels.binary(total)
        found.append(
            (Span("Activation", "text-2", "hint"), Span(""), Span(shown, "text", "hint-medium"))
        )
        return found

    def _member_lines(self, use: NodeId, member: Member) -> list[tuple[Span, ...]]:
        """Name and type of a layer inside a block, where it is, and its parameters."""
        editor, card = self._stage.drawing.editor, self._stage.drawing.cards.get(use)
        finding = editor.analysis.findings.get(use) if editor is not None else None
        if card is None or finding is None or not isinstance(finding.layer, BlockUse):
            return []
        block = finding.layer
        inner = block.inside(finding.inputs).findings.get(member.id)
        if inner is None:
            return []
        counted = inner.counted
        count = "?" if counted.unknown or inner.result is None else f"{counted.parameters:,}"
        title = inner.layer.title if inner.layer is not None else ""
        blank = Span("", "text-2", "hint")
        return [
            (Span(member.name, "text", "body-strong"), blank, Span(title, "text-3", "hint")),
            (Span(f"in {card.name} {card.copies}".rstrip(), "text-2", "hint"),),
            (Span("Parameters", "text-2", "hint"), blank, Span(count, "text", "hint-medium")),
        ]

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, px = self._theme, self._theme.px
        with QPainter(self) as painter:
            rect = QRectF(self.rect())
            paint.box(painter, rect, px(10), theme.colour("raised"), theme.colour("border-strong"))
            pen = Pen(theme, painter)
            lines = self.lines()
            for index, line in enumerate(lines):
                last = index == len(lines) - 1
                y = px(_INSET + _LINE * index + 14 + (8 if last else 0))
                if last:
                    painter.setPen(theme.colour("border"))
                    painter.drawLine(
                        QPointF(px(_INSET), y - px(17)),
                        QPointF(self.width() - px(_INSET), y - px(17)),
                    )
                self._write(pen, y, line)

    def _write(self, pen: Pen, y: float, line: tuple[Span, ...]) -> None:
        px = self._theme.px
        left, right = px(_INSET), self.width() - px(_INSET)
        if len(line) == 1:
            pen.write(left, y, line[0], right - left)
            return
        first, middle, last = line
        taken = pen.width(last)
        pen.write_right(right, y, last)
        room = right - taken - px(8) - left
        pen.write(left, y, first, room)
        if middle.text:
            x = max(left + px(46), left + pen.width(first) + px(8))
            pen.write(x, y, middle, right - taken - px(8) - x)
