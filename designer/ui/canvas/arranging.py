"""Arranging a level: the layout of the core, with the sizes that layers have on the canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.arrange import Figure, arranged
from designer.ui.canvas.drawing import Drawing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from designer.core.document import Position
    from designer.core.editor import Editable
    from designer.core.graph import NodeId
    from designer.ui.canvas.cards import Card


def arranged_level(level: Editable, measure: Callable[[str, str], float]) -> dict[NodeId, Position]:
    """New places for all layers of a level."""
    drawing = Drawing(measure)
    drawing.read(level)
    return new_places(drawing, drawing.cards)


def new_places(drawing: Drawing, ids: Iterable[NodeId]) -> dict[NodeId, Position]:
    """New places for some layers of a drawing; the first of them stays where it is."""
    editor, chosen = drawing.editor, set(ids)
    if editor is None or not chosen:
        return {}
    order = [id for id in editor.analysis.network.ordered() if id in chosen]
    found = arranged(drawing.graph, order, lambda id: _figure(drawing.cards[id]))
    old, new = drawing.cards[order[0]].box.centre, found[order[0]]
    dx, dy = old.x - new[0], old.y - new[1]
    return {id: (x + dx, y + dy) for id, (x, y) in found.items()}


def _figure(card: Card) -> Figure:
    inputs = tuple(dict.fromkeys(spot.port for spot in card.inputs))
    return Figure(card.box.width, card.box.height, inputs, tuple(s.port for s in card.outputs))
