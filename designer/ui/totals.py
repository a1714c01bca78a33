"""The totals panel: what the design comes to, and which layers make it up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from designer.core import cost, count, numbers
from designer.core.level import Level
from designer.core.size import value
from designer.ui.widgets.boxes import IconLabel, ShareBar
from designer.ui.widgets.text import KeyValueRow, SectionTitle, Span, SpanLabel, paragraph

if TYPE_CHECKING:
    from PySide6.QtGui import QMouseEvent

    from designer.core.analysis import Analysis, Totals
    from designer.core.count import Share
    from designer.core.editor import Editable, Notice
    from designer.core.graph import NodeId
    from designer.ui.theme import Theme

MOST_LAYERS = 6
AT_ONCE = 1_000
"""Layers that a walk over the design at each keystroke can take."""

ACTIVE = "Active per token"
"""Shown where it differs from the total: of experts only those that are chosen work."""

PAUSE = 150
"""Milliseconds without an edit after which a larger design is walked over."""


class LayerRow(QWidget):
    """A layer with its parameters, its share and a bar; a click asks for it."""

    wanted = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._node: NodeId = 0
        self._line = KeyValueRow(theme, "", height=18)
        self._bar = ShareBar(theme, "Share of all parameters")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, theme.px(3))
        column.setSpacing(theme.px(1))
        column.addWidget(self._line)
        column.addWidget(self._bar)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_share(self, name: str, family: str, share: Share, whole: int) -> None:
        """Show a layer's part of the `whole`."""
        self._node = share.node
        part = Span(numbers.percent(share.parameters, whole), "text-3", "hint", gap=7)
        self._line.set_key(name)
        self._line.set_right(
            Span(numbers.count(share.parameters), "text", "secondary"),
            part,
            short=(Span(numbers.short(share.parameters), "text", "secondary"), part),
        )
        self._bar.set_parts((share.fraction, f"g-{family}"))

    def text(self) -> str:
        """The row as one line of text."""
        return self._line.text()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.wanted.emit(self._node)


def _figure(totals: Totals, text: str) -> str:
    """A figure of the whole design, marked as a lower bound where something is unknown."""
    return text if totals.known else f"≥ {text}"


def _memory(totals: Totals) -> list[Span]:
    """`fp32 474.7 MiB bf16 237.4 int8 118.7`: the unit stands where it changes."""
    spans: list[Span] = []
    before = ""
    for dtype in cost.WEIGHT_BYTES:
        size = numbers.size_bytes(cost.weight_bytes(totals, dtype))
        figure, unit = size.rsplit(" ", 1)
        shown = figure if unit == before else size
        before = unit
        spans += [
            Span(dtype, "text-2", "secondary", gap=7),
            Span(_figure(totals, shown), "text", "secondary", gap=3),
        ]
    return spans


class TotalsPanel(QWidget):
    """Totals of the design, recomputed with every edit."""

    node_wanted = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._editor: Editable | None = None
        self.title = SectionTitle(theme, "Totals", "whole design")
        self.total = SpanLabel(theme)
        self.split_bar = ShareBar(theme, "Weights and biases", height=4)
        self.split = KeyValueRow(theme, "")
        self.rows = {
            key: KeyValueRow(theme, key)
            for key in (ACTIVE, "Buffers", "Memory", "Training, Adam", "Forward", "Checkpoint")
        }
        self.layers_title = SectionTitle(theme, "Parameters by layer")
        self.layers = [LayerRow(theme) for _ in range(MOST_LAYERS)]
        self.more = SpanLabel(theme)
        self.ties = paragraph(theme)
        self.tie_icon = IconLabel(theme, "link", "text-3")
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._show_breakdown)
        self._build()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(self._theme.px(16), self._theme.px(8), self._theme.px(16), 16)
        column.setSpacing(self._theme.px(2))
        for widget in (self.title, self.total, self.split_bar, self.split, *self.rows.values()):
            column.addWidget(widget)
        column.insertSpacing(2, self._theme.px(4))
        column.addSpacing(self._theme.px(8))
        column.addWidget(self.layers_title)
        column.addSpacing(self._theme.px(4))
        for layer in self.layers:
            layer.wanted.connect(self.node_wanted.emit)
            column.addWidget(layer)
        column.addWidget(self.more)
        column.addWidget(self._tie_row())
        column.addStretch(1)
        self.refresh()

    def _tie_row(self) -> QWidget:
        """The tied weights in words, beside the sign of a link."""
        self._tied = QWidget()
        row = QHBoxLayout(self._tied)
        row.setContentsMargins(0, self._theme.px(8), 0, 0)
        row.setSpacing(self._theme.px(8))
        row.addWidget(self.tie_icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.ties, 1)
        return self._tied

    def set_editor(self, editor: Editable | None) -> None:
        """Show another design, or none."""
        if self._editor is not None:
            self._editor.unlisten(self._heard)
        self._editor = editor
        if editor is not None:
            editor.listen(self._heard)
        within = isinstance(editor, Level)
        self.title.set_note("this block, one copy" if within else "whole design")
        self.refresh()

    def _heard(self, notice: Notice) -> None:
        sections = {key.section for key in notice.delta.changes}
        if notice.nodes or sections - {"position", "title", "setting"}:
            self.refresh()

    def refresh(self) -> None:
        """Show the totals as they stand; what takes a walk over a large design follows a pause."""
        self.setVisible(self._editor is not None)
        if self._editor is None:
            return
        self._show_total(self._editor.analysis.totals())
        if len(self._editor.document.graph.nodes) > AT_ONCE:
            self._later.start(PAUSE)
        else:
            self._show_breakdown()

    def _show_breakdown(self) -> None:
        self._later.stop()
        if self._editor is None:
            return
        self._show_costs(self._editor.analysis.totals())
        self._show_layers()
        self._show_ties()

    def _show_total(self, totals: Totals) -> None:
        note = f"{numbers.count(totals.trainable)} trainable" if totals.frozen else "trainable"
        after = Span(note, "text-2", "body", gap=8)
        shown, short = (
            _figure(totals, write(totals.parameters)) for write in (numbers.count, numbers.short)
        )
        self.total.set_spans(
            Span(shown, role="total"), after, short=(Span(short, role="total"), after)
        )
        whole = max(totals.parameters, 1)
        self.split_bar.set_parts(
            (totals.weights / whole, "accent"), (totals.biases / whole, "text-2")
        )
        self.split.set_middle(
            Span("Weights", "text-2", "secondary"),
            Span(_figure(totals, numbers.count(totals.weights)), "text", "secondary", gap=4),
        )
        self.split.set_right(
            Span("Biases", "text-2", "secondary"),
            Span(_figure(totals, numbers.count(totals.biases)), "text", "secondary", gap=4),
        )
        self.rows[ACTIVE].setVisible(bool(totals.idle))
        self._value(
            ACTIVE,
            numbers.percent(totals.active, whole),
            _figure(totals, numbers.count(totals.active)),
        )

    def _show_costs(self, totals: Totals) -> None:
        assert self._editor is not None
        analysis = self._editor.analysis
        memory = _memory(totals)
        self.rows["Memory"].set_right(*memory, short=tuple(memory[:4]))
        self.rows["Buffers"].setVisible(bool(totals.buffers))
        held = _figure(totals, numbers.count(totals.buffers))
        self.rows["Buffers"].set_right(Span(held, role="secondary"))
        training, checkpoint = cost.training_bytes(totals), cost.checkpoint_bytes(analysis)
        training_size = _figure(totals, numbers.size_bytes(training))
        self._value("Training, Adam", "without activations", training_size)
        buffers = "fp32 with buffers" if totals.buffers else "fp32"
        self._value("Checkpoint", buffers, _figure(totals, numbers.size_bytes(checkpoint)))
        self._show_forward(analysis)

    def _show_forward(self, analysis: Analysis) -> None:
        forward = cost.forward(analysis)
        at = ", ".join(f"{n} = {d.trial}" for n, d in analysis.document.dimensions.items())
        if forward.until is not None:
            until = analysis.document.graph.nodes[forward.until].name
            at = ", ".join(part for part in (at, f"up to {until}") if part)
        self.rows["Forward"].set_middle(Span(at, "text-3", "hint"))
        self.rows["Forward"].set_right(Span(numbers.flops(forward.flops), role="secondary"))

    def _value(self, key: str, note: str, figure: str) -> None:
        self.rows[key].set_middle(Span(note, "text-3", "hint"))
        self.rows[key].set_right(Span(figure, role="secondary"))

    def _show_layers(self) -> None:
        assert self._editor is not None
        analysis = self._editor.analysis
        shares = count.shares(analysis, MOST_LAYERS)
        whole = analysis.counted.parameters
        for place, row in enumerate(self.layers):
            row.setVisible(place < len(shares))
            if place < len(shares):
                share = shares[place]
                layer = analysis.findings[share.node].layer
                name = analysis.document.graph.nodes[share.node].name
                row.show_share(name, layer.family if layer else "custom", share, whole)
        more = count.layers_with_parameters(analysis) - len(shares)
        self.layers_title.setVisible(bool(shares))
        self.more.setVisible(more > 0)
        self.more.set_spans(Span(f"{more:,} more", "text-3", "hint"))

    def _show_ties(self) -> None:
        assert self._editor is not None
        analysis = self._editor.analysis
        nodes = analysis.document.graph.nodes
        lines = []
        for param, owner in list(count.tied_rows(analysis).items())[:3]:
            theirs = next(p for p in analysis.findings[owner.node].params if p.name == owner.param)
            size = numbers.count(value(theirs.count))
            owner_name = f"{nodes[owner.node].name}.{owner.param}"
            lines.append(f"{nodes[param.node].name} uses {owner_name}, {size}, counted once.")
        self._tied.setVisible(bool(lines))
        self.ties.setText("\n".join(lines))
