"""The bubble that says at a port what is wrong there, with the light bulb for fixes."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from PySide6.QtGui import QPolygonF

from designer.ui.canvas import labels
from designer.ui.canvas.geometry import Box, Point
from designer.ui.canvas.ink import point_of

if TYPE_CHECKING:
    from designer.core.graph import NodeId
    from designer.ui.canvas.cards import Card
    from designer.ui.canvas.ink import Ink
    from designer.ui.canvas.labels import Spans

HEIGHT = 30.0
_RADIUS = 7.0
_BULB = 24.0


@dataclass(frozen=True, slots=True)
class Bubble:
    """Where a bubble is, what it says, the place of its light bulb, and what it points at."""

    node: NodeId
    box: Box
    bulb: Box
    tip: Point
    spans: Spans
    token: str
    icon: str


def bubble_of(ink: Ink, card: Card, edge: float = inf) -> Bubble | None:
    """The bubble of a node's problem, left of the `edge` of the view; None where it has none."""
    if card.problem is None:
        return None
    spans = labels.sentence_spans(card.problem)
    grow = max(1.0, 0.8 / ink.zoom)
    width = 34 + ink.spans_width(spans) + 18 + _BULB + 4
    spot = next((s for s in card.inputs if s.port == card.problem.port), None)
    if spot is not None:
        tip, x = spot.place, spot.place.x + 23
    else:
        tip, x = Point(card.box.right - 8, card.box.y), card.box.right - 4
    x = min(x, edge - 8 / ink.zoom - width)
    box = Box(x, tip.y - 11 - HEIGHT * grow, width, HEIGHT * grow)
    bulb = Box(box.right - _BULB - 5, box.centre.y - _BULB / 2, _BULB, _BULB)
    error = card.state == "error"
    token, icon = ("error", "err") if error else ("warn", "warn")
    return Bubble(card.id, box, bulb, tip, spans, token, icon)


def paint_bubble(ink: Ink, bubble: Bubble) -> None:
    """Draw a bubble above everything else."""
    box, painter = bubble.box, ink.painter
    painter.setPen(ink.pen(bubble.token, 1))
    painter.setBrush(ink.colour(bubble.token))
    x = max(box.x + 6, bubble.tip.x - 6)
    foot = (Point(x, box.bottom - 4), Point(x + 12, box.bottom - 1))
    painter.drawPolygon(QPolygonF([point_of(p) for p in (*foot, bubble.tip)]))
    ink.box(box, _RADIUS, f"{bubble.token}-tint", ink.pen(bubble.token, 1))
    ink.icon(box.x + 9, box.centre.y - 8, bubble.icon, bubble.token)
    ink.spans(box.x + 32, box.centre.y + 4.5, bubble.spans)
    ink.box(bubble.bulb, 5, "pressed")
    ink.icon(bubble.bulb.x + 4, bubble.bulb.y + 4, "hint", "warn")
