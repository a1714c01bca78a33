"""Painting wires, the shapes written on them, and the links of shared weights."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QLineF, Qt
from PySide6.QtGui import QPainterPath

from designer.ui.canvas.geometry import ASIDE, CORNER, LANE, PITCH, Box, Point, Route, crosses
from designer.ui.canvas.ink import point_of
from designer.ui.canvas.labels import Span
from designer.ui.canvas.levels import Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from PySide6.QtGui import QPen

    from designer.core.graph import NodeId, Source, Target
    from designer.ui.canvas.cards import Card, Wire
    from designer.ui.canvas.drawing import Drawing
    from designer.ui.canvas.ink import Ink
    from designer.ui.canvas.labels import Spans


_MANY = 60
"""So many ways of one kind are drawn as short lines: curves cost a hundred times as much."""

_TOO_MANY = 300
"""So many short lines are drawn thin and without soft edges, a hundred times as fast."""


def path_of(route: Route) -> QPainterPath:
    """The line of a route, corners rounded."""
    path = QPainterPath(point_of(route.start))
    if route.kind == "cubic":
        path.cubicTo(*(point_of(point) for point in route.points[1:]))
        return path
    corners = route.points[1:-1]
    for before, corner, after in zip(route.points, corners, route.points[2:], strict=False):
        radius = min(CORNER, _length(before, corner) / 2, _length(corner, after) / 2)
        path.lineTo(point_of(_towards(corner, before, radius)))
        path.quadTo(point_of(corner), point_of(_towards(corner, after, radius)))
    path.lineTo(point_of(route.end))
    return path


def _length(a: Point, b: Point) -> float:
    return abs(a.x - b.x) + abs(a.y - b.y)


def _towards(a: Point, b: Point, by: float) -> Point:
    length = _length(a, b) or 1.0
    return Point(a.x + (b.x - a.x) * by / length, a.y + (b.y - a.y) * by / length)


def paint_wires(ink: Ink, drawing: Drawing, wires: Iterable[Wire], exposed: Box) -> None:
    """Draw wires below the nodes, plain ones first, as far as they are in the exposed box."""
    ink.painter.setBrush(Qt.BrushStyle.NoBrush)
    groups: dict[Style, list[Route]] = {_plain(ink): []}
    for wire in wires:
        if wire.edge.target != ink.marks.hidden_wire:
            style = _style(ink, wire) or _plain(ink)
            groups.setdefault(style, []).append(drawing.route(wire.edge.target))
    for style, routes in groups.items():
        ink.painter.setPen(_pen(ink, style))
        _draw(ink, routes, exposed)


def _draw(ink: Ink, routes: list[Route], exposed: Box) -> None:
    """Draw ways in the painter's pen; many of them, or small ones, as short lines in one go."""
    many = len(routes) > _MANY
    rough = many or ink.level is not Level.FULL
    lines: list[QLineF] = []
    for route in routes:
        if rough or route.kind == "straight":
            pieces = pairwise(route.line)
            lines += [QLineF(*a, *b) for a, b in pieces if _in_sight(a, b, exposed)]
        else:
            ink.painter.drawPath(path_of(route))
    hint = ink.painter.RenderHint.Antialiasing
    if len(lines) > _TOO_MANY:
        pen = ink.painter.pen()
        pen.setWidthF(1)
        pen.setCosmetic(True)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        ink.painter.setPen(pen)
        ink.painter.setRenderHint(hint, False)
    ink.painter.drawLines(lines)
    ink.painter.setRenderHint(hint)


def _in_sight(a: Point, b: Point, box: Box) -> bool:
    """Whether a piece of a line may be seen."""
    if a.x > b.x:
        a, b = b, a
    if a.x > box.x + box.width or b.x < box.x:
        return False
    return min(a.y, b.y) <= box.y + box.height and max(a.y, b.y) >= box.y


class Style(NamedTuple):
    """How a wire is drawn."""

    token: str
    width: float
    dashed: bool = False


def _pen(ink: Ink, style: Style) -> QPen:
    if style.dashed:
        return ink.dashed(style.token, style.width, 2, 5)
    return ink.pen(style.token, style.width)


def _plain(ink: Ink) -> Style:
    return Style("wire", 1.25 / ink.zoom if ink.level is Level.SMALL else 1.75)


def _style(ink: Ink, wire: Wire) -> Style | None:
    """How a wire in some state is drawn; None for a plain one."""
    marks, edge = ink.marks, wire.edge
    width = max(2.25, 1.25 / ink.zoom)
    if edge.target in (marks.split_wire, marks.hovered_wire):
        token = "accent" if edge.target == marks.split_wire else "text-2"
        return Style(token, max(2.5, width))
    if wire.state == "error":
        return Style("error", width)
    if wire.state == "unknown" and edge.target != marks.picked_wire:
        return Style("wire-dim", max(1.75, 1.25 / ink.zoom), dashed=True)
    beside = not marks.selected.isdisjoint((edge.source.node, edge.target.node))
    return Style("accent", width) if beside or edge.target == marks.picked_wire else None


def paint_side_ports(ink: Ink, drawing: Drawing, wires: Iterable[Wire]) -> None:
    """Draw the bars where wires enter a merge at its left or right edge."""
    if ink.level < Level.MIDDLE:
        return
    for wire in wires:
        box, end = drawing.cards[wire.edge.target.node].box, drawing.route(wire.edge.target).end
        if end.y == box.centre.y and end.x in (box.x, box.right):
            token = "error" if wire.state == "error" else "wire"
            bar = Box(end.x - 2.5, end.y - 7, 5, 14)
            ink.box(bar.grown(1.5), 4, "canvas")
            ink.box(bar, 2.5, token)


# Shapes

_BUBBLE_ROOM = 66
_SHAPE_WIDTH = 90
"""About as wide as a shape of four axes."""


class Label(NamedTuple):
    """A shape and where it stands: its left end and the middle of its height."""

    x: float
    middle: float
    spans: Spans
    width: float
    target: Target


def paint_labels(ink: Ink, drawing: Drawing, wires: Iterable[Wire]) -> None:
    """Write the shapes beside the wires: all of them, or further out the changed ones."""
    if ink.level < Level.MIDDLE:
        return
    marks = ink.marks
    for node in dict.fromkeys(wire.edge.source.node for wire in wires):
        for label in _laid(ink, drawing, node):
            if label.target == marks.hidden_wire:
                continue
            spans = label.spans
            if label.target in (marks.picked_wire, marks.hovered_wire):
                spans = tuple(span._replace(token="accent") for span in spans)
            _write(ink, label, spans)


def _laid(ink: Ink, drawing: Drawing, node: NodeId) -> list[Label]:
    """The labels of the wires that leave a node, kept as long as nothing has changed."""
    key = (drawing.version, ink.zoom, ink.level, ink.marks.told)
    kept = drawing.labels.get(node)
    if kept is None or kept[0] != key:
        for label in kept[1] if kept else ():
            drawing.shapes.remove(label.target)
        kept = drawing.labels[node] = key, list(_lay(ink, drawing, node))
    return kept[1]


def _lay(ink: Ink, drawing: Drawing, node: NodeId) -> Iterator[Label]:
    """Find places for the shapes at a node, none over another, nor over a node or a port's name."""
    card = drawing.cards[node]
    if drawing.hasty and node in drawing.lifted:
        return
    taken = [
        Box(spot.place.x, spot.place.y + 4, PITCH - 3, 14) for spot in card.outputs if spot.label
    ]
    written: set[Source] = set()
    for edge in drawing.graph.edges_from(node):
        wire = drawing.wires.get(edge.target)
        if wire is None or not wire.spans or (ink.level is Level.MIDDLE and not wire.changed):
            continue
        route = drawing.route(edge.target)
        if route.kind != "lane" and edge.source in written:
            continue
        if route.kind != "lane":
            written.add(edge.source)
            route = _spokesman(drawing, wire, route)
        label = _placed(ink, drawing, wire, route, taken)
        if label is not None:
            yield label


def _spokesman(drawing: Drawing, wire: Wire, route: Route) -> Route:
    """Of several wires from one output the one that its shape stands beside: a straight one."""
    edges = drawing.graph.edges_from(wire.edge.source.node)
    routes = [drawing.route(e.target) for e in edges if e.source == wire.edge.source]
    return next((other for other in routes if other.kind == "straight"), route)


def _placed(ink: Ink, drawing: Drawing, wire: Wire, route: Route, taken: list[Box]) -> Label | None:
    """The label at the first place where nothing is; None where there is no such place."""
    spans = wire.spans
    if wire.suffix and ink.level is Level.FULL:
        spans = (*spans, Span("  " + wire.suffix, "text-3", "small"))
    width, high = ink.spans_width(spans), 14 / min(1.0, ink.zoom)
    places = _fork_places(drawing, wire, width) or _label_places(ink, wire, route, width)
    boxes = [Box(x, middle - high / 2, width, high) for x, middle in places]
    free = [box for box in boxes if _is_free(drawing, box, taken)]
    # Best where no wire runs through it either; lanes side by side have no room but there.
    clear = (
        box for box in free if drawing.hasty or not _is_crossed(drawing, box, wire.edge.source.node)
    )
    crossed = free[0] if free and route.kind != "lane" else None
    chosen = next(clear, crossed)
    if chosen is None:
        return None
    taken.append(chosen)
    drawing.shapes.put(wire.edge.target, chosen)
    return Label(chosen.x, chosen.centre.y, spans, width, wire.edge.target)


def _is_free(drawing: Drawing, box: Box, taken: list[Box]) -> bool:
    """Whether no node and no other text is there."""
    if drawing.places.within(box.grown(-1)) or any(box.meets(other) for other in taken):
        return False
    written = drawing.shapes
    return not any(box.meets(written.boxes[target]) for target in written.within(box))


def _is_crossed(drawing: Drawing, box: Box, node: NodeId) -> bool:
    """Whether a wire runs through a place, or the shape of another node's wire stands there."""
    for target in drawing.ways.within(box.grown(_SHAPE_WIDTH, _SHAPE_WIDTH)):
        route = drawing.route(target)
        if crosses(route.line, box.grown(-2)):
            return True
        other = drawing.wires[target].edge.source.node != node
        if other and route.kind == "straight" and box.meets(_beside(route)):
            return True
    return False


def _beside(route: Route) -> Box:
    """About where the shape of a straight wire stands."""
    middle = (route.start.y + route.end.y) / 2
    return Box(route.start.x + 12, middle - 7, _SHAPE_WIDTH, 14)


def _fork_places(drawing: Drawing, wire: Wire, width: float) -> list[tuple[float, float]]:
    """The middle of a fork, where curves leave one output to both sides."""
    edges = drawing.graph.edges_from(wire.edge.source.node)
    routes = [drawing.route(e.target) for e in edges if e.source == wire.edge.source]
    near = [route for route in routes if route.kind != "lane"]
    sides = {route.end.x > route.start.x for route in near}
    if len(sides) < 2 or any(route.kind == "straight" for route in near):
        return []
    return [(near[0].start.x - width / 2, near[0].start.y + 22)]


def _write(ink: Ink, label: Label, spans: Spans) -> None:
    """Write a shape from its picture."""
    high = 28 / min(1.0, ink.zoom)
    area = Box(label.x, label.middle - high / 2, label.width, high)
    draw = partial(_draw_spans, x=label.x, base=label.middle + 4, spans=spans)
    ink.pictures.paint(ink, spans, None, area, draw)


def _draw_spans(ink: Ink, x: float, base: float, spans: Spans) -> None:
    ink.spans(x, base, spans)


def _label_places(ink: Ink, wire: Wire, route: Route, width: float) -> list[tuple[float, float]]:
    """Where a shape may stand, best first: its left end and the middle of its height."""
    start, end = route.start, route.end
    if route.kind == "lane":
        top, bottom = route.points[2].y, route.points[3].y
        beside = [route.lane - 10 - width, route.lane + 10]
        outward = beside if route.lane <= start.x else beside[::-1]
        heights = [top + (bottom - top) * part for part in (0.5, 0.4, 0.6, 0.3, 0.7, 0.15, 0.85)]
        return [(x, y) for x in outward for y in heights]
    right, left = start.x + 12, start.x - 12 - width
    if route.kind == "straight":
        y = (start.y + end.y) / 2
        if wire.state == "error" and ink.marks.told == wire.edge.target.node:
            # The bubble stands in the lower half, at the right.
            room = end.y - start.y > _BUBBLE_ROOM
            return [(right, start.y + 14)] if room else [(left, y)]
        return [(right, y), (left, y), (right, end.y - 14), (left, end.y - 14)]
    # Beside the source, on the outer side of the curve; else above the input, on its outer side.
    y, low = start.y + 17, end.y - 16
    if end.x > start.x:
        return [(left, y), (right, y), (end.x + 12, low), (end.x - 12 - width, low)]
    return [(right, y), (left, y), (end.x - 12 - width, low), (end.x + 12, low)]


# Shared weights


def paint_ties(ink: Ink, drawing: Drawing, cards: Iterable[Card]) -> None:
    """Draw the dashed link from a node to the one whose weights it shares."""
    if ink.level < Level.MIDDLE:
        return
    for card in cards:
        if card.owner is not None and card.owner in drawing.cards:
            _paint_tie(ink, drawing, card, drawing.cards[card.owner])


def _paint_tie(ink: Ink, drawing: Drawing, card: Card, owner: Card) -> None:
    text = f"{'same as' if card.same else 'tied to'} {owner.name}"
    width = ink.width(text, "small") + 40
    pill = Box(card.box.x - 15 - width, card.box.centre.y - 11, width, 22)
    top, bottom = sorted((owner.box.centre.y, card.box.centre.y))
    between = drawing.places.within(Box(owner.box.x, top, owner.box.width, bottom - top))
    boxes = [drawing.cards[id].box.x for id in between]
    lane = min(min(boxes, default=owner.box.x) - ASIDE - 2 * LANE, pill.x - ASIDE)
    points = (
        Point(owner.box.x, owner.box.centre.y),
        Point(lane, owner.box.centre.y),
        Point(lane, card.box.centre.y),
        Point(card.box.x, card.box.centre.y),
    )
    painter = ink.painter
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(ink.dashed("text-3", 1.25, 2, 5))
    painter.drawPath(path_of(Route("lane", points, lane)))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink.colour("text-3"))
    painter.drawEllipse(point_of(points[0]), 3, 3)
    ink.box(pill, 11, "node", ink.pen("node-border", 1))
    ink.icon(pill.x + 9, pill.y + 4, "link", "text-2", 14)
    ink.text(pill.x + 28, pill.centre.y + 4, text, ("small", "text-2"))
