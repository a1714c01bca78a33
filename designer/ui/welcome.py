"""What an empty canvas shows: how to begin, and examples that open with a click."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPainterPath, QPalette
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from designer.ui.gallery import example
from designer.ui.thumbnail import paint_thumbnail
from designer.ui.widgets import paint
from designer.ui.widgets.buttons import Control
from designer.ui.widgets.text import TextLabel

if TYPE_CHECKING:
    from PySide6.QtGui import QMoveEvent

    from designer.core.editor import Editable, Notice
    from designer.ui.gallery import Sample
    from designer.ui.theme import Theme

SENTENCE = "Drag a layer here, press Tab to search, or open a template."
OFFERED = ("cifar10-cnn", "gpt2", "linear-regression")
_CARD, _PICTURE, _WORDS = 208, 124, 76
_GAP = 14


class ExampleCard(Control):
    """A picture of an example, its name, its total and its shapes; a click opens it."""

    radius = 10.0

    def __init__(self, theme: Theme, name: str, shown: Sample) -> None:
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
        inside_picture = top.adjusted(px(12), px(12), -px(12), -px(12))
        paint_thumbnail(painter, inside_picture, theme, self._shown.picture)
        painter.restore()
        edge = "accent" if self.pointed() else "border"
        paint.box(painter, rect, px(10), border=theme.colour(edge))
        self._draw_words(painter, rect.adjusted(px(12), px(_PICTURE), -px(12), 0))

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
