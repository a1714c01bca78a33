"""What the canvas draws, kept by node id and by wire, and brought up to date by notices."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from designer.core.graph import Edge, Source, Target
from designer.core.sharing import owner_of
from designer.ui.canvas import geometry, labels, values
from designer.ui.canvas.cards import Card, Wire, block_of, caption_of, icon_of, judged, shape_of
from designer.ui.canvas.geometry import Box, Point, Route, Spot
from designer.ui.canvas.index import Index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from designer.core.editor import Editable, Notice
    from designer.core.finding import Finding
    from designer.core.graph import Graph, Node, NodeId


class Drawing:
    """Cards by node id and wires by the input they enter, with an index of where they are.

    `measure` gives the width of a text in a role. Routes are worked out when they are first
    asked for, so that opening a large design does not wait for all of them.
    """

    def __init__(self, measure: Callable[[str, str], float]) -> None:
        self._measure = measure
        self._forget(None)

    def _forget(self, editor: Editable | None) -> None:
        """Draw nothing yet of a document."""
        self.editor: Editable | None = editor
        self.cards: dict[NodeId, Card] = {}
        self.wires: dict[Target, Wire] = {}
        self.places: Index[NodeId] = Index()
        self.ways: Index[Target] = Index()
        self._routes: dict[Target, Route] = {}
        self._shared: dict[NodeId, set[NodeId]] = {}
        self.hasty = False
        """While a node with very many wires is dragged, they are not led round others."""
        self._log: deque[tuple[int, tuple[NodeId, ...] | None]] = deque(maxlen=_KEPT_CHANGES)
        self.shapes: Index[Target] = Index()
        """The boxes of the shapes on wires that are written; kept by the painting too."""
        self.labels: dict[NodeId, Any] = {}
        """Where the shapes at a node stand; kept by the painting."""
        self.lifted: frozenset[NodeId] = frozenset()
        """Nodes that are being dragged: wires of others do not make way for them yet."""
        self._bounds: Box | None = None
        """Around all nodes; None where it has to be found anew."""
        self.version = 0
        """Goes up with every change, so that what is derived knows when it is old."""

    @property
    def graph(self) -> Graph:
        """The graph that is drawn; an editor must be set."""
        assert self.editor is not None
        return self.editor.document.graph

    def read(self, editor: Editable | None) -> None:
        """Draw another document, or nothing."""
        self._forget(editor)
        if editor is None:
            return
        for id in editor.document.graph.nodes:
            self._read_card(id)
        for edge in editor.document.graph.edges():
            self._read_wire(edge)

    def update(self, notice: Notice) -> None:
        """Follow a change of the document."""
        touched = self._touched(notice)
        wires = any(True for _ in notice.delta.of("edge"))
        nodes = any(
            change.old is None or change.new is None for _, change in notice.delta.of("node")
        )
        self._changed(touched, wires or nodes)
        for target, change in notice.delta.of("edge"):
            if change.new is None:
                self._drop_wire(target)
        areas = [area for id in sorted(touched) for area in self._reread(id)]
        for target, change in notice.delta.of("edge"):
            if change.new is not None:
                self._routes.pop(target, None)
                self._read_wire(Edge(change.new, target))
        self._reroute(areas)

    def _changed(self, ids: Iterable[NodeId], others: bool = False) -> None:
        """Note what has changed; `others` where there are now other nodes or wires than before."""
        self.version += 1
        self._log.append((self.version, None if others else tuple(ids)))

    def changed_since(self, version: int) -> set[NodeId] | None:
        """The nodes that look different since then; None where it may be all of them."""
        if not self._log or self._log[0][0] > version + 1:
            return None
        found: set[NodeId] = set()
        for number, ids in self._log:
            if number > version:
                if ids is None:
                    return None
                found.update(ids)
        return found

    def _touched(self, notice: Notice) -> set[NodeId]:
        touched = set(notice.nodes)
        for section in ("node", "position"):
            touched |= {id for id, _ in notice.delta.of(section)}
        for target, change in notice.delta.of("edge"):
            touched |= {target.node, *(end.node for end in change if end is not None)}
        for param, change in notice.delta.of("tie"):
            touched |= {param.node, *(end.node for end in change if end is not None)}
        for id, _ in notice.delta.of("node"):
            touched |= self._shared.get(id, set())
        return touched

    def _reread(self, id: NodeId) -> Iterator[Box]:
        """Draw a node anew; the places that it has left or taken."""
        old = self.cards.get(id)
        if id not in self.graph.nodes:
            self._drop_card(id)
            if old is not None:
                yield old.box
            return
        self._read_card(id)
        new = self.cards[id]
        moved = old is None or old.box != new.box or _spots(old) != _spots(new)
        if moved:
            yield new.box
            if old is not None:
                yield old.box
        for edge in self._edges(id):
            if moved:
                self._routes.pop(edge.target, None)
            self._read_wire(edge)

    def targets_at(self, id: NodeId) -> Iterator[Target]:
        """The inputs that the wires at a node enter, as far as they are drawn."""
        return (edge.target for edge in self._edges(id) if edge.target in self.wires)

    def _edges(self, id: NodeId) -> Iterator[Edge]:
        yield from self.graph.edges_into(id)
        yield from self.graph.edges_from(id)

    def _drop_card(self, id: NodeId) -> None:
        self._leave_box(self.cards.pop(id, None))
        self.places.remove(id)
        self._shared.pop(id, None)
        for label in self.labels.pop(id, ((), ()))[1]:
            self.shapes.remove(label.target)

    def _drop_wire(self, target: Target) -> None:
        self.wires.pop(target, None)
        self._routes.pop(target, None)
        self.ways.remove(target)

    # Cards

    def _read_card(self, id: NodeId) -> None:
        assert self.editor is not None
        node = self.graph.nodes[id]
        finding = self.editor.analysis.findings[id]
        card = self._card(id, node, finding)
        self._put_card(id, card)
        if card.owner is not None:
            self._shared.setdefault(card.owner, set()).add(id)

    def _card(self, id: NodeId, node: Node, finding: Finding) -> Card:
        kind = self.editor.kinds.get(node.kind) if self.editor else None
        family = kind.family if kind else "custom"
        card = Card(
            id=id,
            name=node.name,
            title=kind.title if kind else node.kind,
            shape=shape_of(family, finding, self.cards.get(id)),
            family=family,
            icon=icon_of(node.kind, family),
            box=_NOWHERE,
            caption=caption_of(family, finding),
            locked=not node.trainable,
            **block_of(finding.layer),
            **self._counted(node, finding),
            **judged(finding.problems),
        )
        return self._placed(card, finding)

    def _counted(self, node: Node, finding: Finding) -> dict[str, Any]:
        """What a card says of its parameters."""
        own = finding.counted
        same = owner_of(self.graph, node)
        if same is not None and finding.result is not None:
            return self._called(node, same)
        owner = min((ref.node for ref in finding.tied.values()), default=None)
        total = finding.result.tally.parameters if finding.result else 0
        count, note = labels.number(own.parameters), ""
        if own.unknown or finding.result is None:
            count = "?"
        elif owner is not None and not own.parameters:
            note = f"counted in {self.graph.nodes[owner].name}"
        elif not node.trainable and own.parameters:
            count, note = "0", "trainable"
        return {
            "count": count,
            "note": note,
            "parameters": own.parameters,
            "owner": owner,
            "hidden": total - own.parameters,
        }

    def _called(self, node: Node, owner: Node) -> dict[str, Any]:
        """What a card says that is another call of a module: it is counted where the module is."""
        assert self.editor is not None
        assert node.same_as is not None
        theirs = self.editor.analysis.findings[node.same_as]
        return {
            "count": "0",
            "note": f"counted in {owner.name}",
            "owner": node.same_as,
            "same": True,
            "hidden": theirs.counted.parameters,
        }

    def _placed(self, card: Card, finding: Finding) -> Card:
        """The card with its box, its ports, and which of them have wires."""
        assert self.editor is not None
        id, graph = card.id, self.graph
        inputs = finding.layer.inputs() if finding.layer else ()
        outputs = tuple(finding.outputs)
        width = geometry.width_for(card.shape, self._needed(card, max(len(inputs), len(outputs))))
        height = geometry.SIZES[card.shape][1]
        box = geometry.box_around(self.editor.document.layout.get(id, (0.0, 0.0)), width, height)
        slots = {port.name: graph.slots(id, port.name) for port in inputs}
        return replace(
            card,
            box=box,
            inputs=geometry.input_spots(id, box, inputs, lambda name: max((*slots[name], -1)) + 1),
            outputs=geometry.output_spots(
                id, geometry.stacked(box) if card.copies else box, outputs
            ),
            wired=frozenset(
                port.name for port in inputs if len(slots[port.name]) > int(port.variadic)
            ),
            feeds=frozenset(edge.source.port for edge in graph.edges_from(id)),
        )

    def _needed(self, card: Card, ports: int) -> float:
        """The width that a card's text takes, or 0 where it is short without doubt."""
        said = card.caption or (card.title if card.shape == "compact" else "")
        head = len(card.shown) + len(card.title if card.shape == "full" else said)
        body = len(card.caption) + len(card.count) + len(card.note)
        if card.shape == "block":
            return geometry.PITCH * ports + 24
        if max(head, body) <= _SHORT[card.shape] and ports <= 2 and not card.locked:
            return 0
        return self._measured(card, ports)

    def _measured(self, card: Card, ports: int) -> float:
        measure = self._measure
        if card.shape == "merge":
            return measure(card.shown, "body-strong") + 48
        head = 34 + measure(card.name, "body-strong") + 22
        if card.shape != "full":
            head += measure(card.caption or card.title, "mono")
            return max(head, geometry.PITCH * ports + 24)
        head += measure(card.title, "small") + (20 if card.locked else 0)
        body = 36 + measure(card.caption, "mono") + measure(card.count, "hint-medium")
        body += 7 + (measure(card.note, "hint") if card.note else 42)
        return max(head, body, geometry.PITCH * ports + 24)

    # Wires

    def _read_wire(self, edge: Edge) -> None:
        assert self.editor is not None
        findings = self.editor.analysis.findings
        source, target = self.cards.get(edge.source.node), self.cards.get(edge.target.node)
        if source is None or target is None:
            return
        finding = findings[edge.source.node]
        tensor = finding.outputs.get(edge.source.port)
        before = labels.first_input(finding)
        bad = edge.target.port in target.bad
        known = labels.is_known(tensor)
        waits = not known and source.state == "error"
        self.wires[edge.target] = Wire(
            edge,
            values.tensor(tensor) if tensor is not None else None,
            values.tensor(before) if before is not None else None,
            "error" if bad else "" if known else "unknown",
            f"waits for {source.name}" if waits else "",
        )
        if edge.target not in self._routes:
            self.ways.put(edge.target, geometry.bounds(self._ends(edge)).grown(8))

    def _ends(self, edge: Edge) -> tuple[Point, Point]:
        source, target = self.cards[edge.source.node], self.cards[edge.target.node]
        return (
            _spot_place(source.outputs, edge.source.port, source.box, source.box.bottom),
            _spot_place(target.inputs, edge.target.port, target.box, target.box.y),
        )

    def ends(self, target: Target) -> tuple[Point, Point]:
        """Where the wire into an input leaves and arrives; KeyError where there is none."""
        return self._ends(self.wires[target].edge)

    def route(self, target: Target) -> Route:
        """The way of the wire into an input; KeyError where there is none."""
        found = self._routes.get(target)
        if found is None:
            edge = self.wires[target].edge
            found = self._routes[target] = self._find_route(edge)
            loose = edge.source.node in self.lifted or edge.target.node in self.lifted
            self.ways.put(target, found.box, loose)
        return found

    def _find_route(self, edge: Edge) -> Route:
        start, end = self._ends(edge)
        ends = (edge.source.node, edge.target.node)
        if self.hasty and not self.lifted.isdisjoint(ends):
            return Route("straight", (start, end))
        route = geometry.direct(start, end)
        passed = self._passed(route, ends)
        if end.y > start.y + 4 and not passed:
            return route
        if not passed:
            passed = [self.cards[id].box for id in ends]
        lane = geometry.lane_beside(start, end, passed, self._others(ends))
        lane = self._free_lane(edge.target, lane, start, end)
        return self._lane_route(edge, start, end, lane)

    def _lane_route(self, edge: Edge, start: Point, end: Point, lane: float) -> Route:
        target = self.cards[edge.target.node]
        box = target.box
        outside = not box.x <= lane <= box.right
        if target.shape != "merge" or not outside:
            return geometry.around(start, end, lane)
        side: geometry.Side = "left" if lane < box.x else "right"
        x = box.x if side == "left" else box.right
        return geometry.around(start, Point(x, box.centre.y), lane, side)

    def _passed(self, route: Route, ends: tuple[NodeId, NodeId]) -> list[Box]:
        """The boxes of other nodes that a wire would go through."""
        out = self.lifted.union(ends)
        passed: dict[NodeId, Box] = {}
        # Piece by piece: the box around a long wire holds far more nodes than are near it.
        for piece in pairwise(route.line):
            for id in self.places.within(geometry.bounds(piece).grown(4)):
                box = self.cards[id].box
                if id not in out and id not in passed and geometry.crosses(piece, box.grown(4)):
                    passed[id] = box
        return list(passed.values())

    def _others(self, ends: tuple[NodeId, NodeId]) -> Callable[[Box], list[Box]]:
        def inside(box: Box) -> list[Box]:
            out = self.lifted.union(ends)
            return [self.cards[id].box for id in self.places.within(box) if id not in out]

        return inside

    def _free_lane(self, target: Target, lane: float, start: Point, end: Point) -> float:
        """A lane further out where another wire runs in this one already."""
        outward = -geometry.LANE if lane < (start.x + end.x) / 2 else geometry.LANE
        top, bottom = min(start.y, end.y), max(start.y, end.y)
        strip = Box(lane - 160, top, 320, bottom - top)
        used = {
            round(route.lane)
            for other in self.ways.within(strip)
            if other != target
            and (route := self._routes.get(other)) is not None
            and route.kind == "lane"
            and route.start != start
        }
        while any(abs(lane - other) < geometry.LANE - 4 for other in used):
            lane += outward
        return lane

    def _reroute(self, areas: Iterable[Box]) -> None:
        """Forget the ways that lead through places which have changed."""
        for area in areas:
            for target in self.ways.within(area.grown(geometry.ASIDE + 8)):
                wire = self.wires.get(target)
                if wire is not None and self._routes.pop(target, None) is not None:
                    self.ways.put(target, geometry.bounds(self._ends(wire.edge)).grown(8))

    # Dragging

    def lift(self, ids: Iterable[NodeId]) -> None:
        """Begin to drag nodes, or end it with none: then their wires find their way again."""
        dropped, self.lifted = self.lifted, frozenset(ids)
        edges = {edge for id in self.lifted for edge in self._edges(id)}
        self.hasty = len(edges) > _MANY_WIRES
        for id in dropped & self.cards.keys():
            for edge in self._edges(id):
                self._routes.pop(edge.target, None)
                if edge.target in self.wires:
                    self.ways.put(edge.target, geometry.bounds(self._ends(edge)).grown(8))

    def shift(self, ids: Iterable[NodeId], dx: float, dy: float) -> None:
        """Draw nodes elsewhere for as long as they are dragged; the document does not change."""
        moved = [id for id in ids if id in self.cards]
        self._changed(moved)
        for id in moved:
            self._put_card(id, self.cards[id].moved(dx, dy))
        for edge in (edge for id in moved for edge in self._edges(id)):
            self._routes.pop(edge.target, None)
            if edge.target in self.wires:
                box = geometry.bounds(self._ends(edge)).grown(8)
                self.ways.put(edge.target, box, loose=bool(self.lifted))

    # Where things are

    def bounds(self, ids: Iterable[NodeId] | None = None) -> Box | None:
        """The box around some nodes, or around all; None where there are none."""
        if ids is not None:
            return geometry.union(self.cards[id].box for id in ids if id in self.cards)
        if self._bounds is None:
            self._bounds = geometry.union(card.box for card in self.cards.values())
        return self._bounds

    def _leave_box(self, card: Card | None) -> None:
        """Forget the box around all nodes where a card that goes may have been what holds it."""
        if card is None or self._bounds is None:
            return
        # Sums of floats may be off by a hair: what comes near an edge counts as at it.
        if card.box.grown(1).united(self._bounds) != self._bounds:
            self._bounds = None

    def _put_card(self, id: NodeId, card: Card) -> None:
        """Draw a card at its place."""
        before = self.cards.get(id)
        if before is None or before.box != card.box:
            self._leave_box(before)
            if self._bounds is not None:
                self._bounds = self._bounds.united(card.box)
        self.cards[id] = card
        self.places.put(id, card.box)

    def cards_in(self, box: Box) -> list[Card]:
        """The nodes that meet a box, in stored order."""
        return [self.cards[id] for id in self.places.within(box)]

    def wires_in(self, box: Box) -> list[Wire]:
        """The wires that may be seen in a box."""
        return [self.wires[target] for target in self.ways.within(box.grown(_ASIDE))]

    def card_at(self, point: Point) -> Card | None:
        """The node at a point; of several the one drawn last."""
        found = self.places.within(Box(point.x, point.y, 0, 0))
        return self.cards[found[-1]] if found else None

    def spot_at(self, point: Point, reach: float) -> Spot | None:
        """The port whose square of `reach` to each side has the point; the nearest of several."""
        around = Box(point.x - reach, point.y - reach, 2 * reach, 2 * reach)
        near = [
            spot
            for card in self.cards_in(around)
            for spot in (*card.inputs, *card.outputs)
            if _hit(card, spot, point, reach)
        ]
        return min(near, key=lambda spot: span(spot.place, point), default=None)

    def wire_at(self, point: Point, reach: float) -> Target | None:
        """The wire within `reach` of a point; the nearest of several."""
        around = Box(point.x - reach, point.y - reach, 2 * reach, 2 * reach)
        near = [
            (geometry.distance(point, self.route(wire.edge.target).line), wire.edge.target)
            for wire in self.wires_in(around)
        ]
        best = min(near, default=None)
        return best[1] if best is not None and best[0] <= reach else None


_MANY_WIRES = 40
_KEPT_CHANGES = 64

_NOWHERE = Box(0, 0, 0, 0)

_SHORT: dict[geometry.Shape, int] = {"full": 15, "compact": 10, "io": 10, "merge": 4}
"""Letters that fit in any case; measuring ten thousand names takes its time."""

_ASIDE = 200
"""How far a wire may run outside the box around its ends."""

_INSIDE = 0.25
"""The part of a node's height at an edge where a port is hit rather than the node."""


def span(a: Point, b: Point) -> float:
    """The distance of two points."""
    return float(((a.x - b.x) ** 2 + (a.y - b.y) ** 2) ** 0.5)


def _hit(card: Card, spot: Spot, point: Point, reach: float) -> bool:
    dx, dy = point.x - spot.place.x, point.y - spot.place.y
    inward = -dy if spot.output else dy
    deep = min(reach, card.box.height * _INSIDE)
    return abs(dx) <= reach and -reach <= inward <= deep


def _spots(card: Card) -> tuple[object, ...]:
    return tuple((spot.port, spot.place) for spot in (*card.inputs, *card.outputs))


def _spot_place(spots: tuple[Spot, ...], port: str, box: Box, y: float) -> Point:
    """Where a port is; a port that the layer has no more stands at the end of the edge."""
    for spot in spots:
        if spot.port == port:
            return spot.place
    return Point(box.right - 16, y)


def source_of(spot: Spot) -> Source:
    """The output that a spot stands for."""
    return Source(spot.node, spot.port)


def target_of(spot: Spot) -> Target:
    """The input that a spot stands for."""
    return Target(spot.node, spot.port, spot.slot)
