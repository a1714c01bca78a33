"""Places on the canvas: boxes of nodes, places of ports, routes of wires. No toolkit is needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from designer.core.layer import Port

Shape: TypeAlias = Literal["full", "compact", "io", "merge", "block"]
Side: TypeAlias = Literal["top", "bottom", "left", "right"]

SIZES: dict[Shape, tuple[float, float]] = {
    "full": (224, 64),
    "compact": (176, 32),
    "io": (168, 34),
    "merge": (88, 30),
    "block": (336, 106),
}
RADII: dict[Shape, float] = {"full": 8, "compact": 8, "io": 17, "merge": 15, "block": 8}
WIDEST = 320
WIDER = 16
HEADER = 28
SNAP = 8
GRID = 16
GAP = 40
"""Between two nodes below one another: room for a wire's shape."""
PITCH = 32
CHIP, CHIP_PITCH, MOST_CHIPS = 26, 35, 9
"""The layers of a block on its node: a chip each, and how many there is room for."""
STACKED = ((4.0, 6.0), (8.0, 12.0))
"""How far the edges of further copies stand out below a block, and how far they are inset."""
LEAVE = 13
ASIDE = 22
LANE = 16
CORNER = 12


class Point(NamedTuple):
    """A place on the canvas, in pixels at 100 % zoom."""

    x: float
    y: float


class Box(NamedTuple):
    """An upright rectangle."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.height

    @property
    def centre(self) -> Point:
        """Its middle."""
        return Point(self.x + self.width / 2, self.y + self.height / 2)

    def contains(self, point: Point) -> bool:
        """Whether a point is in it or on its edge."""
        return self.x <= point.x <= self.right and self.y <= point.y <= self.bottom

    def meets(self, other: Box) -> bool:
        """Whether the two overlap by more than an edge."""
        across = self.x < other.right and other.x < self.right
        return across and self.y < other.bottom and other.y < self.bottom

    def grown(self, by: float, up: float | None = None) -> Box:
        """The box larger by `by` at each side, and by `up` above and below where that is given."""
        high = by if up is None else up
        return Box(self.x - by, self.y - high, self.width + 2 * by, self.height + 2 * high)

    def moved(self, dx: float, dy: float) -> Box:
        """The box at another place."""
        return self._replace(x=self.x + dx, y=self.y + dy)

    def united(self, other: Box) -> Box:
        """The smallest box around both."""
        x, y = min(self.x, other.x), min(self.y, other.y)
        return Box(x, y, max(self.right, other.right) - x, max(self.bottom, other.bottom) - y)


def box_around(centre: tuple[float, float], width: float, height: float) -> Box:
    """The box of that size around a point."""
    return Box(centre[0] - width / 2, centre[1] - height / 2, width, height)


def bounds(points: Iterable[tuple[float, float]]) -> Box:
    """The smallest box around some points; there must be one."""
    xs, ys = zip(*points, strict=True)
    return Box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))


def union(boxes: Iterable[Box]) -> Box | None:
    """The smallest box around some boxes; None around none."""
    found: Box | None = None
    for box in boxes:
        found = box if found is None else found.united(box)
    return found


def snapped(value: float, step: float = SNAP) -> float:
    """The nearest multiple of `step`."""
    return round(value / step) * step


def width_for(shape: Shape, needed: float) -> float:
    """The width of a node whose text needs `needed` pixels: it grows by steps, up to a limit."""
    width = SIZES[shape][0]
    while width < needed and width < WIDEST:
        width += WIDER
    return width


def chip_boxes(card: Box, layers: int) -> list[Box]:
    """Where the chips of a block's layers stand on its node; the last may stand for the rest."""
    count = min(layers, MOST_CHIPS)
    x = card.centre.x - (CHIP_PITCH * (count - 1) + CHIP) / 2
    return [Box(x + CHIP_PITCH * place, card.y + 37, CHIP, CHIP) for place in range(count)]


# Ports


class Spot(NamedTuple):
    """Where a port is drawn. A variadic input has one spot, for the first slot that is free."""

    node: int
    port: str
    slot: int
    output: bool
    place: Point
    side: Side
    variadic: bool = False
    label: str = ""


def input_spots(
    node: int, box: Box, ports: tuple[Port, ...], free_slot: Callable[[str], int]
) -> tuple[Spot, ...]:
    """The inputs of a node, on its upper edge."""
    labels = len(ports) > 1
    return tuple(
        Spot(
            node,
            port.name,
            free_slot(port.name) if port.variadic else 0,
            output=False,
            place=Point(x, box.y),
            side="top",
            variadic=port.variadic,
            label=port.name if labels else "",
        )
        for port, x in zip(ports, _along(box, len(ports)), strict=True)
    )


def stacked(box: Box) -> Box:
    """A node with the edges of its further copies, which stand out below it."""
    return box._replace(height=box.height + STACKED[-1][0])


def output_spots(node: int, box: Box, names: tuple[str, ...]) -> tuple[Spot, ...]:
    """The outputs of a node, on its lower edge."""
    labels = len(names) > 1
    return tuple(
        Spot(node, name, 0, True, Point(x, box.bottom), "bottom", label=name if labels else "")
        for name, x in zip(names, _along(box, len(names)), strict=True)
    )


def _along(box: Box, count: int) -> Iterator[float]:
    first = box.centre.x - PITCH * (count - 1) / 2
    return (first + PITCH * index for index in range(count))


# Routes


@dataclass(frozen=True)
class Route:
    """The way of a wire. `points` is the line itself, or the control points of a cubic.

    `lane` is the x of the upright part that a wire takes outside the nodes it passes.
    """

    kind: Literal["straight", "cubic", "lane"]
    points: tuple[Point, ...]
    lane: float = 0

    @property
    def start(self) -> Point:
        """Where it leaves."""
        return self.points[0]

    @property
    def end(self) -> Point:
        """Where it arrives."""
        return self.points[-1]

    @cached_property
    def line(self) -> tuple[Point, ...]:
        """The way as short straight pieces."""
        return tuple(_cubic(self.points)) if self.kind == "cubic" else self.points

    @cached_property
    def box(self) -> Box:
        """The smallest box around it."""
        return bounds(self.line)


_STEPS = 16


def _cubic(control: tuple[Point, ...]) -> Iterator[Point]:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = control
    for step in range(_STEPS + 1):
        t = step / _STEPS
        s = 1 - t
        a, b, c, d = s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t
        yield Point(a * ax + b * bx + c * cx + d * dx, a * ay + b * by + c * cy + d * dy)


def direct(start: Point, end: Point, side: Side = "top") -> Route:
    """A straight line where the ends are above one another, else one curve."""
    if abs(start.x - end.x) < 1 and end.y > start.y and side == "top":
        return Route("straight", (start, end))
    reach = min(max(0.5 * abs(end.y - start.y), 20.0), 96.0)
    before = {
        "top": Point(end.x, end.y - reach),
        "bottom": Point(end.x, end.y + reach),
        "left": Point(end.x - reach, end.y),
        "right": Point(end.x + reach, end.y),
    }[side]
    return Route("cubic", (start, Point(start.x, start.y + reach), before, end))


def around(start: Point, end: Point, lane: float, enter: Side = "top") -> Route:
    """A wire that goes down, across to `lane`, along it, and back to an input.

    It enters from above, or at the left or right edge where `enter` says so.
    """
    leave = start.y + LEAVE
    if enter == "top":
        arrive = end.y - LEAVE
        tail: tuple[Point, ...] = (Point(lane, arrive), Point(end.x, arrive), end)
    else:
        tail = (Point(lane, end.y), end)
    return Route("lane", (start, Point(start.x, leave), Point(lane, leave), *tail), lane)


def crosses(line: Iterable[Point], box: Box) -> bool:
    """Whether a line of straight pieces goes through a box."""
    return any(_piece_crosses(a, b, box) for a, b in pairwise(line))


def _piece_crosses(a: Point, b: Point, box: Box) -> bool:
    """Liang and Barsky's clipping: is a part of the piece within the box."""
    low, high = 0.0, 1.0
    dx, dy = b.x - a.x, b.y - a.y
    for p, q in (
        (-dx, a.x - box.x),
        (dx, box.right - a.x),
        (-dy, a.y - box.y),
        (dy, box.bottom - a.y),
    ):
        if p == 0:
            if q <= 0:
                return False
            continue
        low, high = (max(low, q / p), high) if p < 0 else (low, min(high, q / p))
    return low < high


def distance(point: Point, line: Iterable[Point]) -> float:
    """The distance of a point from a line of straight pieces."""
    return min(_piece_distance(point, a, b) for a, b in pairwise(line))


def _piece_distance(point: Point, a: Point, b: Point) -> float:
    dx, dy = b.x - a.x, b.y - a.y
    length = dx * dx + dy * dy
    t = 0.0 if length == 0 else ((point.x - a.x) * dx + (point.y - a.y) * dy) / length
    t = min(max(t, 0.0), 1.0)
    return float(((point.x - a.x - t * dx) ** 2 + (point.y - a.y - t * dy) ** 2) ** 0.5)


def lane_beside(
    start: Point, end: Point, passed: list[Box], inside: Callable[[Box], list[Box]]
) -> float:
    """Where a lane runs that keeps clear of the nodes it passes, on the shorter side.

    `inside` gives the nodes that meet a box.
    """
    left = _clear(min(box.x for box in passed) - ASIDE, -1, start, end, inside)
    right = _clear(max(box.right for box in passed) + ASIDE, 1, start, end, inside)
    return left if start.x + end.x - 2 * left <= 2 * right - start.x - end.x else right


_TRIES = 24


def _clear(
    x: float, step: int, start: Point, end: Point, inside: Callable[[Box], list[Box]]
) -> float:
    top, bottom = min(start.y + LEAVE, end.y - LEAVE), max(start.y + LEAVE, end.y - LEAVE)
    for _ in range(_TRIES):
        met = inside(Box(x - 8, top, 16, max(bottom - top, 1)))
        if not met:
            break
        edge = min(box.x for box in met) if step < 0 else max(box.right for box in met)
        x = edge + step * ASIDE
    return x
