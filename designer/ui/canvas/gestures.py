"""What a pressed pointer does, one object for each gesture, from begin to end or cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import Qt

from designer.core import edits
from designer.core.graph import Source, Target
from designer.ui.canvas import commands, geometry, nodes, wires
from designer.ui.canvas.cards import Card, block_of
from designer.ui.canvas.drawing import source_of, span, target_of
from designer.ui.canvas.geometry import Box, Point, Spot, snapped
from designer.ui.canvas.ink import rect_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from designer.core.graph import NodeId
    from designer.ui.canvas.ink import Ink
    from designer.ui.canvas.stage import Stage

SNAP_REACH = 28
WIRE_REACH = 5
THRESHOLD = 4

_NO_INSERTION = Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ShiftModifier


class Pointer(NamedTuple):
    """Where the pointer is on the canvas and on the screen, and the keys held down."""

    place: Point
    screen: Point
    keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier


class Gesture:
    """One gesture. It begins when it is made; after `end` or `cancel` it is not used again."""

    cursor: Qt.CursorShape | None = None

    def move(self, at: Pointer) -> None:
        """Follow the pointer."""

    def end(self, at: Pointer) -> None:
        """Do what it was for."""

    def cancel(self) -> None:
        """Leave everything as it was before."""

    def paint(self, ink: Ink) -> None:
        """Draw what shows only during the gesture."""


class Pan(Gesture):
    """Drag the view. `scroll` moves it by pixels of the screen."""

    cursor = Qt.CursorShape.ClosedHandCursor

    def __init__(self, at: Pointer, scroll: Callable[[float, float], None]) -> None:
        self._scroll = scroll
        self._begin = self._last = at.screen

    def move(self, at: Pointer) -> None:
        self._go(at.screen)

    def cancel(self) -> None:
        self._go(self._begin)

    def _go(self, place: Point) -> None:
        self._scroll(place.x - self._last.x, place.y - self._last.y)
        self._last = place


class RubberBand(Gesture):
    """Select what a box touches; with Shift besides what is selected already."""

    def __init__(self, stage: Stage, at: Pointer) -> None:
        self._stage = stage
        self._begin = self._last = at.place
        self._before = stage.marks.selected
        self._more = bool(at.keys & Qt.KeyboardModifier.ShiftModifier)
        if not self._more:
            stage.select(())

    def _box(self) -> Box:
        return geometry.bounds((self._begin, self._last))

    def move(self, at: Pointer) -> None:
        self._last = at.place
        touched = self._stage.drawing.places.within(self._box())
        self._stage.select((*(self._before if self._more else ()), *touched))

    def cancel(self) -> None:
        self._stage.select(self._before)

    def paint(self, ink: Ink) -> None:
        fill = ink.colour("accent")
        fill.setAlphaF(0.10)
        pen = ink.pen("accent", 1)
        pen.setCosmetic(True)
        ink.painter.setPen(pen)
        ink.painter.setBrush(fill)
        ink.painter.drawRect(rect_of(self._box()))


class MoveNodes(Gesture):
    """Drag the selected nodes; one that has no wires goes into a wire on which it is dropped."""

    def __init__(self, stage: Stage, at: Pointer, grabbed: NodeId) -> None:
        self._stage = stage
        self._begin = at
        self._grabbed = grabbed
        self._ids = stage.selection
        self._centre = stage.drawing.cards[grabbed].box.centre
        self._shift = Point(0.0, 0.0)
        self._moving = False

    def move(self, at: Pointer) -> None:
        if not self._moving and span(at.screen, self._begin.screen) < THRESHOLD:
            return
        if not self._moving:
            self._stage.drawing.lift(self._ids)
        self._moving = True
        dx, dy = at.place.x - self._begin.place.x, at.place.y - self._begin.place.y
        centre = self._centre
        shift = Point(
            snapped(centre.x + dx) - centre.x if dx else 0.0,
            snapped(centre.y + dy) - centre.y if dy else 0.0,
        )
        self._go(shift)
        self._stage.marks.split_wire = self._wire(at)
        self._stage.changed.emit()

    def _go(self, shift: Point) -> None:
        dx, dy = shift.x - self._shift.x, shift.y - self._shift.y
        if dx or dy:
            self._stage.drawing.shift(self._ids, dx, dy)
            self._shift = shift

    def _wire(self, at: Pointer) -> Target | None:
        """The wire that the node would go into."""
        drawing = self._stage.drawing
        card = drawing.cards[self._grabbed]
        loose = not any(True for _ in drawing.graph.edges_into(card.id)) and not card.feeds
        if len(self._ids) > 1 or not (loose and card.inputs and card.outputs):
            return None
        if at.keys & _NO_INSERTION:
            return None
        return drawing.wire_at(card.box.centre, WIRE_REACH + card.box.height / 4)

    def end(self, at: Pointer) -> None:
        stage, shift = self._stage, self._shift
        wire, stage.marks.split_wire = stage.marks.split_wire, None
        place = stage.drawing.cards[self._grabbed].box.centre
        self._put_back()
        if not self._moving:
            # A click on one of several: from now on it is the only one.
            stage.select((self._grabbed,))
        elif wire is not None:
            commands.drop_in(stage, stage.drawing.cards[self._grabbed], wire, place)
        elif shift.x or shift.y:
            commands.move(stage, self._ids, shift.x, shift.y)
        stage.changed.emit()

    def cancel(self) -> None:
        self._stage.marks.split_wire = None
        self._put_back()
        self._stage.changed.emit()

    def _put_back(self) -> None:
        self._go(Point(0.0, 0.0))
        self._stage.drawing.lift(())


class PullWire(Gesture):
    """Pull a wire from a port to one of the other kind, or to empty space to add a layer there.

    `offer` is called with the place and the port where it ends in empty space.
    """

    cursor = Qt.CursorShape.CrossCursor

    def __init__(
        self, stage: Stage, at: Pointer, spot: Spot, offer: Callable[[Point, Spot], None]
    ) -> None:
        self._stage = stage
        self._spot = spot
        self._begin = at
        self._last = at.place
        self._offer = offer
        self._moved = False
        graph = stage.drawing.graph
        self._blocked = (
            commands.upstream(graph, spot.node)
            if spot.output
            else set(edits.downstream(graph, spot.node))
        )
        stage.marks.accepts = self._accepts
        stage.changed.emit()

    def _accepts(self, spot: Spot) -> bool:
        return spot.output != self._spot.output and spot.node not in self._blocked

    def move(self, at: Pointer) -> None:
        stage = self._stage
        self._last = at.place
        self._moved = self._moved or span(at.screen, self._begin.screen) >= THRESHOLD
        nearest = self._nearest(at.place)
        if nearest != stage.marks.nearest:
            stage.marks.nearest = nearest
            stage.marks.hidden_wire = self._replaced(nearest)
        card = stage.drawing.card_at(at.place)
        if nearest is None and card is not None and card.id in self._blocked:
            own = card.id == self._spot.node
            said = "A layer cannot feed itself." if own else "This wire would close a loop."
            stage.said.emit(said)
        stage.changed.emit()

    def _replaced(self, nearest: Spot | None) -> Target | None:
        """The wire that connecting here takes away."""
        entered = nearest if self._spot.output else self._spot
        if nearest is None or entered is None:
            return None
        target = target_of(entered)
        return target if target in self._stage.drawing.wires else None

    def _nearest(self, place: Point) -> Spot | None:
        reach = SNAP_REACH / self._stage.zoom
        drawing = self._stage.drawing
        around = Box(place.x - reach, place.y - reach, 2 * reach, 2 * reach)
        found = [
            (span(spot.place, place), spot)
            for card in drawing.cards_in(around)
            for spot in self._spots(card)
            if span(spot.place, place) <= reach or card.box.contains(place)
        ]
        return (
            min(found, key=lambda pair: (_taken(drawing.cards, pair[1], pair[0]), pair[0]))[1]
            if found
            else None
        )

    def _spots(self, card: Card) -> list[Spot]:
        ports = card.inputs if self._spot.output else card.outputs
        return [spot for spot in ports if self._accepts(spot)]

    def end(self, at: Pointer) -> None:
        nearest = self._stage.marks.nearest
        self._finish()
        if nearest is not None:
            out, into = (self._spot, nearest) if self._spot.output else (nearest, self._spot)
            commands.connect(self._stage, source_of(out), target_of(into))
        elif self._moved and self._stage.drawing.card_at(at.place) is None:
            self._offer(at.place, self._spot)

    def cancel(self) -> None:
        self._finish()

    def _finish(self) -> None:
        marks = self._stage.marks
        marks.accepts = marks.nearest = marks.hidden_wire = None
        self._stage.changed.emit()

    def paint(self, ink: Ink) -> None:
        nearest = ink.marks.nearest
        end = nearest.place if nearest is not None else self._last
        paint_pulled(ink, self._spot, end)


def paint_pulled(ink: Ink, spot: Spot, end: Point) -> None:
    """The wire between a port and a place, as while it is pulled."""
    out, into = (spot.place, end) if spot.output else (end, spot.place)
    ink.painter.setBrush(Qt.BrushStyle.NoBrush)
    ink.painter.setPen(ink.pen("accent", max(2.25, 1.25 / ink.zoom)))
    ink.painter.drawPath(wires.path_of(geometry.direct(out, into)))


def _taken(cards: dict[int, Card], spot: Spot, distance: float) -> bool:
    """Far from all its ports a node offers a free one first."""
    return distance > PORT_NEAR and spot.port in cards[spot.node].wired


PORT_NEAR = 16


class DropLayer(Gesture):
    """Bring a layer from the palette: onto empty canvas, or into a wire."""

    def __init__(self, stage: Stage, at: Pointer, kind: str) -> None:
        self._stage = stage
        self._kind = kind
        self._shape, self._card = self._ghost()
        self._centre = at.place
        self.move(at)

    def _ghost(self) -> tuple[geometry.Shape, Card]:
        assert self._stage.editor is not None
        layer = commands.fresh_layer(self._stage.editor, self._kind)
        shape = commands.shape_of(layer)
        box = geometry.box_around((0, 0), *geometry.SIZES[shape])
        icon = layer.family
        if layer.family == "io":
            icon = "in" if layer.outputs() else "out"
        return shape, Card(-1, layer.title, "", shape, layer.family, icon, box, **block_of(layer))

    def move(self, at: Pointer) -> None:
        self._centre = Point(snapped(at.place.x), snapped(at.place.y))
        blocked = bool(at.keys & _NO_INSERTION) or self._shape == "io"
        reach = max(WIRE_REACH / self._stage.zoom, 12)
        wire = None if blocked else self._stage.drawing.wire_at(at.place, reach)
        self._stage.marks.split_wire = wire
        self._stage.changed.emit()

    def end(self, at: Pointer) -> None:
        wire = self._stage.marks.split_wire
        self.cancel()
        if wire is not None:
            commands.insert(self._stage, self._kind, wire, self._centre)
        else:
            commands.add(self._stage, self._kind, self._centre)

    def cancel(self) -> None:
        self._stage.marks.split_wire = None
        self._stage.changed.emit()

    def paint(self, ink: Ink) -> None:
        nodes.paint_ghost(ink, self._card.moved(*self._centre))


def wire_ends(spot: Spot) -> commands.Ends:
    """What a layer added at the end of a pulled wire is connected to."""
    if spot.output:
        return commands.Ends(source=Source(spot.node, spot.port))
    return commands.Ends(target=target_of(spot))
