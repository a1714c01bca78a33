"""A layer that is not placed yet, as it would stand while one still searches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from designer.ui.canvas import commands, geometry, labels, nodes, wires
from designer.ui.canvas.cards import Card, block_of

if TYPE_CHECKING:
    from designer.core.layer import Layer
    from designer.ui.canvas.drawing import Drawing
    from designer.ui.canvas.geometry import Point
    from designer.ui.canvas.ink import Ink
    from designer.ui.canvas.offers import Offer


@dataclass(frozen=True, slots=True)
class Plan:
    """The node, and the ends of the wires that would come with it."""

    card: Card
    above: Point | None = None
    below: Point | None = None

    def paint(self, ink: Ink) -> None:
        """Draw it in dashes, with its wires."""
        box = self.card.box
        painter = ink.painter
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(ink.pen("accent", max(2.25, 1.25 / ink.zoom)))
        if self.above is not None:
            top = geometry.Point(box.centre.x, box.y)
            painter.drawPath(wires.path_of(geometry.direct(self.above, top)))
        if self.below is not None:
            bottom = geometry.Point(box.centre.x, box.bottom)
            painter.drawPath(wires.path_of(geometry.direct(bottom, self.below)))
        nodes.paint_ghost(ink, self.card)


def planned(
    drawing: Drawing, layer: Layer, offer: Offer, place: Point, ends: commands.Ends
) -> Plan:
    """The plan of adding an offered layer at a place."""
    shape = commands.shape_of(layer)
    box = geometry.box_around(place, *geometry.SIZES[shape])
    count = "?" if offer.parameters is None else labels.signed(offer.parameters)
    card = Card(
        id=-1,
        name=layer.title,
        title=layer.title if shape == "full" else "",
        shape=shape,
        family=layer.family,
        icon=offer.icon,
        box=box,
        caption=offer.caption,
        count=count,
        **block_of(layer),
    )
    above = below = None
    if ends.source is not None and layer.inputs():
        outputs = drawing.cards[ends.source.node].outputs
        above = next(spot.place for spot in outputs if spot.port == ends.source.port)
    if ends.target is not None and layer.outputs():
        inputs = drawing.cards[ends.target.node].inputs
        below = next(spot.place for spot in inputs if spot.port == ends.target.port)
    return Plan(card, above, below)
