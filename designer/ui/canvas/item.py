"""The one item of the scene: it paints all nodes and wires that can be seen."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF
from PySide6.QtWidgets import QGraphicsItem

from designer.ui.canvas import nodes, wires
from designer.ui.canvas.bubbles import Bubble, bubble_of, paint_bubble
from designer.ui.canvas.geometry import Box
from designer.ui.canvas.ink import Ink
from designer.ui.canvas.levels import Level, level
from designer.ui.canvas.pictures import Pictures

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter
    from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

    from designer.ui.canvas.cards import Card
    from designer.ui.canvas.gestures import Gesture
    from designer.ui.canvas.plan import Plan
    from designer.ui.canvas.stage import Stage
    from designer.ui.theme import Theme

_log = logging.getLogger(__name__)

EXTENT = 1_000_000.0
"""How far the canvas reaches from its middle."""

_BLEED = 24.0
"""How far a node draws outside its box."""


class BatchItem(QGraphicsItem):
    """Paints the drawing of a stage, and above it the gesture that is going on."""

    def __init__(self, stage: Stage, theme: Theme) -> None:
        super().__init__()
        self._stage = stage
        self._theme = theme
        self._pictures = Pictures()
        self._faulty: tuple[int, frozenset[int]] = (-1, frozenset())
        self.level: Level | None = None
        self.gesture: Gesture | None = None
        self.bubble: Bubble | None = None
        self.plan: Plan | None = None
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)

    def boundingRect(self) -> QRectF:
        return QRectF(-EXTENT, -EXTENT, 2 * EXTENT, 2 * EXTENT)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionGraphicsItem,
        widget: QWidget | None = None,
    ) -> None:
        # An exception that leaves paint would come back with every repaint, or end the process.
        painter.save()
        try:
            self._paint(self.ink(painter), _box(option))
        except Exception:  # noqa: BLE001
            _log.exception("The canvas could not be painted.")
            self._stage.said.emit("The canvas could not be painted; the log says why.")
        finally:
            painter.restore()

    def ink(self, painter: QPainter) -> Ink:
        """A painter with what the parts need to paint."""
        stage = self._stage
        self.level = level(stage.zoom, self.level)
        total = stage.editor.analysis.counted.parameters if stage.editor else 0
        return Ink(
            painter=painter,
            theme=self._theme,
            texts=stage.texts,
            pictures=self._pictures,
            zoom=stage.zoom,
            level=self.level,
            marks=stage.marks,
            total=total,
        )

    def _paint(self, ink: Ink, exposed: Box) -> None:
        painter = ink.painter
        painter.setRenderHints(
            painter.RenderHint.Antialiasing | painter.RenderHint.TextAntialiasing
        )
        drawing = self._stage.drawing
        if drawing.editor is None:
            return
        if ink.level is Level.FAR:
            self._stage.far.paint(ink)
            self.bubble = None
        else:
            self._paint_near(ink, exposed)
        if self.gesture is not None:
            self.gesture.paint(ink)
        if self.plan is not None and ink.level >= Level.MIDDLE:
            self.plan.paint(ink)

    def _paint_near(self, ink: Ink, exposed: Box) -> None:
        drawing = self._stage.drawing
        cards = drawing.cards_in(exposed.grown(_BLEED + 4 / ink.zoom))
        seen = drawing.wires_in(exposed)
        wires.paint_ties(ink, drawing, [c for c in drawing.cards.values() if c.owner is not None])
        wires.paint_wires(ink, drawing, seen, exposed.grown(8))
        for card in cards:
            self._paint_card(ink, card)
        wires.paint_side_ports(ink, drawing, seen)
        wires.paint_labels(ink, drawing, seen)
        told = drawing.cards.get(self._stage.marks.told or -1)
        busy = self._stage.marks.accepts is not None
        shown = told is not None and ink.level >= Level.MIDDLE and not busy
        self.bubble = bubble_of(ink, told, self._edge()) if told is not None and shown else None
        if self.bubble is not None:
            paint_bubble(ink, self.bubble)

    def _edge(self) -> float:
        """The right edge of what is in view."""
        view = self.scene().views()[0]
        return view.mapToScene(view.viewport().rect().topRight()).x()

    def _paint_picture(self, ink: Ink, card: Card) -> None:
        """Draw one node, from its picture unless its ports are different for the moment."""
        if ink.marks.accepts is not None:
            nodes.paint_card(ink, card)
            return
        chip = ink.marks.chip if ink.marks.chip and ink.marks.chip[0] == card.id else None
        key = (card.id, ink.marks.hovered == card.id, ink.total, chip)
        area = nodes.area_of(ink, card)
        ink.pictures.paint(ink, key, card, area, partial(nodes.paint_card, card=card))

    def _paint_card(self, ink: Ink, card: Card) -> None:
        """Draw one node; one that cannot be drawn is left out until the drawing changes."""
        version, faulty = self._faulty
        if version != self._stage.drawing.version:
            self._faulty = version, faulty = self._stage.drawing.version, frozenset()
        if card.id in faulty:
            return
        try:
            nodes.paint_rings(ink, card)
            self._paint_picture(ink, card)
        except Exception:  # noqa: BLE001
            _log.exception("Node %d could not be painted.", card.id)
            self._stage.said.emit(f"{card.name} could not be painted; the log says why.")
            self._faulty = version, faulty | {card.id}


def _box(option: QStyleOptionGraphicsItem) -> Box:
    """What has to be painted."""
    exposed = option.exposedRect
    return Box(exposed.x(), exposed.y(), exposed.width(), exposed.height())
