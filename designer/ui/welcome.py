"""What an empty canvas shows: how to begin, and examples that open with a click."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QLineF, QObject, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPainterPath, QPalette, QPen
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from designer.core import numbers
from designer.core.size import at_values
from designer.ui.widgets import paint
from designer.ui.widgets.buttons import Control
from designer.ui.widgets.text import TextLabel

if TYPE_CHECKING:
    from PySide6.QtGui import QMoveEvent

    from designer.core.analysis import Analysis
    from designer.core.editor import Editable, Notice
    from designer.ui.theme import Theme

SENTENCE = "Drag a layer here, press Tab to search, or open a template."
OFFERED = ("cifar10-cnn", "gpt2-small", "linear-regression")
_CARD, _PICTURE, _WORDS = 208, 124, 76
_GAP = 14
_NODE = (176.0, 44.0)
"""How large a layer is in a picture, in the measures of the design."""
_NEAR = 160
"""Wires to layers further below are left out of a picture."""
_MOST_SCALE, _LEAST_SCALE = 0.25, 0.17


@dataclass(frozen=True, slots=True)
class Example:
    """A design of the gallery as its card shows it; `chips` are x, y and family."""

    title: str
    parameters: str
    layers: str
    shapes: str
    chips: tuple[tuple[float, float, str], ...]
    wires: tuple[tuple[float, float, float, float], ...]


@cache
def example(name: str) -> Example:
    """Read and count an example, once."""
    from designer.ui.documents import open_example

    document = open_example(name)
    analysis, graph = document.editor.analysis, document.editor.document.graph
    places = document.editor.document.layout
    families = {
        id: found.layer.family if found.layer else "custom"
        for id, found in analysis.findings.items()
    }
    ends = [(edge.source.node, edge.target.node) for edge in graph.edges()]
    return Example(
        document.name,
        numbers.count(analysis.totals().parameters),
        f"{len(graph.nodes):,} layers",
        _shapes(analysis),
        tuple((*places[id], family) for id, family in families.items() if id in places),
        tuple((*places[a], *places[b]) for a, b in ends if a in places and b in places),
    )


def _shapes(analysis: Analysis) -> str:
    """`[B, 3, 32, 32] → [B, 10]`: what goes in and what comes out first."""
    return " → ".join(_shape(analysis, kind) for kind in ("Input", "Output"))


def _shape(analysis: Analysis, kind: str) -> str:
    nodes = analysis.document.graph.nodes
    finding = next(analysis.findings[id] for id, node in nodes.items() if node.kind == kind)
    tensor = next(iter((*finding.outputs.values(), *finding.inputs.values())))
    first = tensor[0] if isinstance(tensor, tuple) else tensor
    return str(replace(first, shape=tuple(map(at_values, first.shape))))


class ExampleCard(Control):
    """A picture of an example, its name, its total and its shapes; a click opens it."""

    radius = 10.0

    def __init__(self, theme: Theme, name: str, shown: Example) -> None:
        super().__init__(theme, shown.title)
        self.name = name
        self._shown = shown
        self.setAccessibleName(f"Open the example {shown.title}, {shown.parameters} parameters")
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        return QSize(self.theme.px(_CARD), self.theme.px(_PICTURE + _WORDS))

    def draw(self, painter: QPainter, rect: QRectF) -> None:
        theme, px = self.theme, self.theme.px
        paint.box(painter, rect, px(10), theme.colour("panel"))
        inside = QPainterPath()
        inside.addRoundedRect(rect.adjusted(1, 1, -1, -1), px(9), px(9))
        top = QRectF(rect.x(), rect.y(), rect.width(), px(_PICTURE))
        painter.save()
        painter.setClipPath(inside)
        painter.fillRect(top, theme.colour("border"))
        top.setHeight(top.height() - 1)
        painter.fillRect(top, theme.colour("canvas"))
        painter.setClipRect(top, Qt.ClipOperation.IntersectClip)
        self._draw_picture(painter, top)
        painter.restore()
        edge = "accent" if self.pointed() else "border"
        paint.box(painter, rect, px(10), border=theme.colour(edge))
        self._draw_words(painter, rect.adjusted(px(12), px(_PICTURE), -px(12), 0))

    def _draw_picture(self, painter: QPainter, rect: QRectF) -> None:
        """The design from its top; what is too long runs out of the picture."""
        chips = self._shown.chips
        xs, ys = [chip[0] for chip in chips], [chip[1] for chip in chips]
        height = max(ys) - min(ys) + 2 * _NODE[1]
        scale = min(_MOST_SCALE, max(_LEAST_SCALE, (rect.height() - 20) / height))
        free = max(rect.height() - height * scale, 20) / 2
        painter.translate(rect.center().x(), rect.y() + free + _NODE[1] * scale)
        painter.scale(scale, scale)
        painter.translate(-(min(xs) + max(xs)) / 2, -min(ys))
        painter.setPen(QPen(self.theme.colour("wire"), 1 / scale))
        painter.drawLines([QLineF(*w) for w in self._shown.wires if 0 < w[3] - w[1] < _NEAR])
        painter.setPen(Qt.PenStyle.NoPen)
        for x, y, family in chips:
            painter.setBrush(self.theme.graphic(family))
            chip = QRectF(x - _NODE[0] / 2, y - _NODE[1] / 2, *_NODE)
            painter.drawRoundedRect(chip, 2 / scale, 2 / scale)

    def _draw_words(self, painter: QPainter, rect: QRectF) -> None:
        px, shown = self.theme.px, self._shown
        lines = (
            (shown.title, "body-strong", "text", 22),
            (f"{shown.parameters} parameters", "hint", "text-2", 42),
            (shown.shapes, "mono", "text-2", 61),
        )
        for text, role, token, y in lines:
            painter.setFont(self.theme.font(role))
            painter.setPen(self.theme.colour(token))
            metrics = QFontMetricsF(painter.font())
            words = metrics.elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
            painter.drawText(QPointF(rect.x(), rect.y() + px(y)), words)


class Welcome(QWidget):
    """Stands in the middle of a canvas while the design on it is empty."""

    wanted = Signal(str)
    """The name of an example that is to be opened."""

    def __init__(self, theme: Theme, ground: QWidget) -> None:
        super().__init__(ground)
        self._theme = theme
        self._ground = ground
        self._editor: Editable | None = None
        self.cards: list[ExampleCard] = []
        self.sentence = TextLabel(theme, SENTENCE, "body", "text-2")
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._row = QHBoxLayout()
        self._row.setSpacing(theme.px(_GAP))
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.px(20))
        self._column.addWidget(self.sentence)
        self._column.addLayout(self._row)
        # The gallery is read after the window has been painted.
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._make_cards)
        ground.installEventFilter(self)
        # Else the text would take the colour that it has in fields, the ground's role.
        self.setBackgroundRole(QPalette.ColorRole.Window)
        theme.changed.connect(self.arrange)
        self.hide()

    def set_editor(self, editor: Editable | None) -> None:
        """Stand on the canvas of another design, or of none."""
        if self._editor is not None:
            self._editor.unlisten(self._heard)
        self._editor = editor
        if editor is not None:
            editor.listen(self._heard)
        self.refresh()

    def _heard(self, notice: Notice) -> None:
        self.refresh()

    def refresh(self) -> None:
        """Show where the design is empty."""
        empty = self._editor is not None and not self._editor.document.graph.nodes
        if empty and not self.cards:
            self._later.start(0)
        if empty:
            self.arrange()
        self.setVisible(empty)

    def _make_cards(self) -> None:
        if self.cards:
            return
        for name in OFFERED:
            card = ExampleCard(self._theme, name, example(name))
            card.clicked.connect(self._open)
            self.cards.append(card)
            self._row.addWidget(card)
        self.arrange()

    def _open(self) -> None:
        card = self.sender()
        if isinstance(card, ExampleCard):
            self.wanted.emit(card.name)

    def arrange(self) -> None:
        """Take the middle of the canvas, with as many cards as there is room for."""
        px, room = self._theme.px, self._ground.size()
        self._row.setSpacing(px(_GAP))
        across = (room.width() - px(32) + px(_GAP)) // px(_CARD + _GAP)
        if room.height() < px(_PICTURE + _WORDS + 80):
            across = 0
        for place, card in enumerate(self.cards):
            card.setVisible(place < across)
        self._column.activate()
        self.resize(self._column.sizeHint())
        self.move((room.width() - self.width()) // 2, (room.height() - self.height()) // 2)

    def moveEvent(self, event: QMoveEvent) -> None:
        # A ground that scrolls takes along what stands on it.
        self.arrange()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.arrange()
        elif event.type() == QEvent.Type.DragEnter:
            # Where the layer would stand has to be seen.
            self.hide()
        elif event.type() == QEvent.Type.DragLeave:
            self.refresh()
        return False
