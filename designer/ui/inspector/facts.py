"""What a layer comes to: its shapes and neighbours, its tensors, and how they are counted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from designer.core import count, numbers, size
from designer.ui.inspector import block
from designer.ui.inspector.fields import KEY_WIDTH
from designer.ui.inspector.tensors import lines
from designer.ui.widgets.boxes import Divider, FormulaBox
from designer.ui.widgets.buttons import IconButton
from designer.ui.widgets.links import LinkButton
from designer.ui.widgets.text import ElidedLabel, KeyValueRow, Span, SpanLabel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from designer.core.analysis import Analysis
    from designer.core.finding import Finding
    from designer.core.graph import NodeId, ParamRef
    from designer.core.param import Param
    from designer.core.tensor import Tensor
    from designer.ui.inspector.tensors import Line
    from designer.ui.theme import Theme

MOST_WIRES = 8
_ROW = 23


class Wire(NamedTuple):
    """A port of the layer: its tensor, and the layer at the other end, if there is one."""

    label: str
    tensor: Tensor
    before: Tensor | None
    words: str
    node: NodeId | None
    faulty: bool


def shape_spans(tensor: Tensor, before: Tensor | None, faulty: bool = False) -> list[Span]:
    """`[B, T, 3072]`, with axes that differ from those `before` in a heavier weight."""
    quiet = "error" if faulty else "text-3"
    axes = [str(size.at_values(axis)) for axis in tensor.shape]
    old = None if before is None or before.partial else list(before.shape)
    spans = [
        Span("[…, " if tensor.partial and axes else "[…" if tensor.partial else "[", quiet, "mono")
    ]
    for place, axis in enumerate(axes):
        new = (
            not tensor.partial
            and old is not None
            and old[place : place + 1] != [tensor.shape[place]]
        )
        ink = "error" if faulty else "text" if new else "text-2"
        spans += [Span(", ", quiet, "mono")] if place else []
        spans.append(Span(axis, ink, "mono-strong" if new else "mono"))
    return [*spans, Span("]", quiet, "mono")]


def _shortened(spans: list[Span]) -> tuple[Span, ...]:
    """The first and the last axis of a shape of many."""
    return (*spans[:3], replace(spans[0], text="…, "), *spans[-2:]) if len(spans) > 6 else ()


def wires(analysis: Analysis, id: NodeId) -> list[Wire]:
    """The inputs and outputs of a layer, in order; no more than fit."""
    finding = analysis.findings[id]
    if finding.layer is None:
        return []
    found = [*_incoming(analysis, id, finding), *_outgoing(analysis, id, finding)]
    return found[:MOST_WIRES]


def _incoming(analysis: Analysis, id: NodeId, finding: Finding) -> Iterator[Wire]:
    graph = analysis.document.graph
    faulty = {(p.port, p.slot) for p in finding.problems if p.severity == "error" and p.port}
    ports = [port.name for port in finding.layer.inputs()] if finding.layer else []
    edges = [edge for edge in graph.edges_into(id) if edge.target.port in ports]
    for edge in sorted(edges, key=lambda edge: (ports.index(edge.target.port), edge.target.slot)):
        _, port, slot = edge.target
        theirs = analysis.findings[edge.source.node].outputs.get(edge.source.port)
        if theirs is not None:
            label = "In" if len(ports) == 1 else port
            name = graph.nodes[edge.source.node].name
            wrong = (port, slot) in faulty
            yield Wire(label, theirs, None, f"from {name}", edge.source.node, wrong)


def _outgoing(analysis: Analysis, id: NodeId, finding: Finding) -> Iterator[Wire]:
    graph = analysis.document.graph
    first = next(iter(finding.inputs.values()), None)
    before = first[0] if isinstance(first, tuple) else first
    taken: dict[str, list[NodeId]] = {}
    for edge in graph.edges_from(id):
        taken.setdefault(edge.source.port, []).append(edge.target.node)
    for port, tensor in finding.outputs.items():
        label = "Out" if len(finding.outputs) == 1 else port
        targets = taken.get(port, [])
        name = f"to {graph.nodes[targets[0]].name}" if targets else ""
        more = f" +{len(targets) - 1}" if len(targets) > 1 else ""
        yield Wire(label, tensor, before, name + more, targets[0] if targets else None, False)


class WireRow(QWidget):
    """A port with its shape, and a link to the layer at the other end."""

    node_wanted = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._node: NodeId | None = None
        self._label = ElidedLabel(theme, "", "secondary", "text-2")
        self.shape = SpanLabel(theme)
        self.link = LinkButton(theme, "")
        self.link.clicked.connect(self._go)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(0)
        for widget in (self._label, self.shape):
            self._row.addWidget(widget)
        self._row.addStretch(1)
        self._row.addWidget(self.link)
        theme.changed.connect(self._measure)
        self._measure()

    def _measure(self) -> None:
        self._label.setFixedWidth(self._theme.px(KEY_WIDTH))
        self.setFixedHeight(self._theme.px(_ROW))

    def show_wire(self, wire: Wire) -> None:
        """Show a port."""
        self._node = wire.node
        self._label.setText(wire.label)
        spans = shape_spans(wire.tensor, wire.before, wire.faulty)
        self.shape.set_spans(*spans, short=_shortened(spans))
        self.shape.setToolTip(f"{wire.tensor} {wire.tensor.dtype}")
        self.link.set_words(wire.words)
        self.link.setVisible(bool(wire.words))

    def text(self) -> str:
        """The row as plain text."""
        return f"{self._label.text()} {self.shape.text()} {self.link.text()}".strip()

    def _go(self) -> None:
        if self._node is not None:
            self.node_wanted.emit(self._node)


class TieRow(QWidget):
    """Says whose tensor a parameter shares, leads there, and gives it its own again."""

    node_wanted = Signal(int)
    untie_wanted = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._node: NodeId = 0
        self._param = ""
        self.link = LinkButton(theme, "", "link", "text-2")
        self.untie = IconButton(theme, "x", "Untie")
        self.link.clicked.connect(self._go)
        self.untie.clicked.connect(self._give_back)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.link)
        row.addStretch(1)
        row.addWidget(self.untie)

    def show_tie(self, param: str, owner: ParamRef, words: str) -> None:
        """Show the tie of a parameter."""
        self._node, self._param = owner.node, param
        self.link.set_words(words)
        self.untie.setAccessibleName(f"Untie {param}")

    def _go(self) -> None:
        self.node_wanted.emit(self._node)

    def _give_back(self) -> None:
        self.untie_wanted.emit(self._param)


class Facts(QWidget):
    """Shapes, tensors and formula of one layer."""

    node_wanted = Signal(int)
    untie_wanted = Signal(str)
    copied = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.wires: list[WireRow] = []
        self.tensors: list[KeyValueRow] = []
        self.ties: list[TieRow] = []
        self._lines = (Divider(theme), Divider(theme))
        self._parts = tuple(QVBoxLayout() for _ in range(3))
        self._box = QVBoxLayout()
        self.formula = FormulaBox(theme, "How this is counted")
        self.formula.copied.connect(self._copy)
        self._build()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in self._parts:
            part.setSpacing(0)
        self._box.addWidget(self.formula)
        column.addWidget(self._lines[0])
        column.addLayout(self._parts[0])
        column.addWidget(self._lines[1])
        column.addLayout(self._parts[1])
        column.addLayout(self._parts[2])
        column.addLayout(self._box)

    def show_node(self, analysis: Analysis, id: NodeId) -> None:
        """Bring everything up to date with a layer."""
        finding = analysis.findings[id]
        self._show_wires(wires(analysis, id))
        self._show_tensors(lines(analysis, finding))
        self._show_ties(analysis, finding)
        self._show_formula(analysis, finding)
        self._lines[0].setVisible(any(not row.isHidden() for row in self.wires))
        self._lines[1].setVisible(bool(finding.params))
        found: tuple[Sequence[QWidget], ...] = (self.wires, self.tensors, self.ties)
        for part, rows in zip(self._parts, found, strict=True):
            self._inset(part, 4, 4, any(not row.isHidden() for row in rows))
        self._inset(self._box, 2, 12, not self.formula.isHidden())

    def _inset(self, part: QVBoxLayout, above: int, below: int, shown: bool) -> None:
        """Room around a part; none where nothing of it is shown."""
        px = self._theme.px
        sides = (px(16), px(above), px(16), px(below))
        part.setContentsMargins(*(sides if shown else (0, 0, 0, 0)))

    def controls(self) -> list[QWidget]:
        """What takes the keyboard, from top to bottom."""
        ties = [control for row in self.ties for control in (row.link, row.untie)]
        return [*(row.link for row in self.wires), *ties, self.formula.copy_button]

    def _show_wires(self, found: Sequence[Wire]) -> None:
        while len(self.wires) < len(found):
            row = WireRow(self._theme)
            row.node_wanted.connect(self.node_wanted.emit)
            self._parts[0].addWidget(row)
            self.wires.append(row)
        for place, row in enumerate(self.wires):
            row.setVisible(place < len(found))
            if place < len(found):
                row.show_wire(found[place])

    def _show_tensors(self, found: Sequence[Line]) -> None:
        while len(self.tensors) < len(found):
            row = KeyValueRow(self._theme, "", KEY_WIDTH)
            self._parts[1].addWidget(row)
            self.tensors.append(row)
        for place, row in enumerate(self.tensors):
            row.setVisible(place < len(found))
            if place < len(found):
                line = found[place]
                row.set_key(line.key, line.help)
                row.set_middle(*line.middle, short=line.short_middle)
                row.set_right(*line.right, short=line.short_right)

    def _show_ties(self, analysis: Analysis, finding: Finding) -> None:
        tied = list(finding.tied.items())
        while len(self.ties) < len(tied):
            row = TieRow(self._theme)
            row.node_wanted.connect(self.node_wanted.emit)
            row.untie_wanted.connect(self.untie_wanted.emit)
            self._parts[2].addWidget(row)
            self.ties.append(row)
        for place, row in enumerate(self.ties):
            row.setVisible(place < len(tied))
            if place < len(tied):
                param, owner = tied[place]
                name = analysis.document.graph.nodes[owner.node].name
                row.show_tie(param, owner, f"{param} is tied to {name}.{owner.param}")

    def _show_formula(self, analysis: Analysis, finding: Finding) -> None:
        own = [p for p in finding.params if p.part != "buffer" and p.name not in finding.tied]
        self.formula.setVisible(bool(own or finding.tied))
        lines, notes = formula(analysis, finding, own)
        self.formula.set_lines(lines, notes)

    def _copy(self) -> None:
        text = self.formula.text()
        QGuiApplication.clipboard().setText(text)
        self.copied.emit(text)


def formula(
    analysis: Analysis, finding: Finding, own: Sequence[Param]
) -> tuple[list[list[Span]], list[str]]:
    """The lines of the box, and what stands at their right."""
    lines: list[list[Span]] = []
    notes: list[str] = []
    summed = block.counted(finding)
    share = numbers.percent(finding.counted.parameters, analysis.counted.parameters)
    if summed:
        lines, notes = summed, [*[""] * (len(summed) - 1), share]
    elif own:
        told = count.explain(own)
        lines = [
            [Span(told.names(), "text-2", "mono")],
            [
                Span(f"{told.figures()} = ", "text-2", "mono"),
                Span(told.result(), "text", "mono-strong"),
            ],
        ]
        notes = ["", share if told.total else ""]
    if finding.counted.idle:
        lines.append(
            [
                Span("active per token: ", "text-2", "mono"),
                Span(numbers.count(finding.counted.active), "text", "mono-strong"),
            ]
        )
        notes.append("")
    for param, owner in finding.tied.items():
        name = analysis.document.graph.nodes[owner.node].name
        lines.append(
            [
                Span(f"{param}: ", "text-2", "mono"),
                Span("0", "text", "mono-strong"),
                Span(f", counted in {name}", "text-2", "mono"),
            ]
        )
        notes.append("")
    return lines, notes
