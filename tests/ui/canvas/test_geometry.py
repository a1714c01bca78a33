"""Boxes, ports, routes and the grid that finds them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from designer.core.layer import Port
from designer.ui.canvas import geometry
from designer.ui.canvas.geometry import Box, Point
from designer.ui.canvas.index import Index
from designer.ui.canvas.levels import Level, level

numbers = st.floats(-5000, 5000).map(lambda x: round(x, 1))
boxes = st.builds(Box, numbers, numbers, st.floats(0, 400), st.floats(0, 400))
everywhere = st.builds(Box, numbers, numbers, st.floats(0, 30_000), st.floats(0, 30_000))
points = st.builds(Point, numbers, numbers)


def touches(a: Box, b: Box) -> bool:
    """Whether two boxes overlap or share an edge."""
    return a.x <= b.right and b.x <= a.right and a.y <= b.bottom and b.y <= a.bottom


@given(st.lists(boxes | everywhere, max_size=30), everywhere, st.data())
def test_the_index_finds_exactly_what_touches(
    entered: list[Box], asked: Box, data: st.DataObject
) -> None:
    index: Index[int] = Index()
    for key, box in enumerate(entered):
        index.put(key, box)
    for key in data.draw(st.lists(st.integers(0, 29), max_size=8)):
        index.remove(key)
    moved = data.draw(st.dictionaries(st.integers(0, 29), boxes, max_size=8))
    for key, box in moved.items():
        index.put(key, box)
    wanted = [key for key, box in sorted(index.boxes.items()) if touches(box, asked)]
    assert index.within(asked) == wanted


@given(points, points)
def test_a_direct_route_joins_its_ends_vertically(start: Point, end: Point) -> None:
    route = geometry.direct(start, end)
    assert route.line[0] == start
    assert geometry.distance(end, route.line) < 1e-6
    if route.kind == "straight":
        assert abs(start.x - end.x) < 1
        return
    reach = route.points[1].y - start.y
    assert 19.999 <= reach <= 96.001
    assert route.points[1].x == start.x
    assert route.points[2] == pytest.approx((end.x, end.y - reach))


@given(points, points, numbers)
def test_a_lane_leaves_and_enters_after_13_pixels(start: Point, end: Point, lane: float) -> None:
    route = geometry.around(start, end, lane)
    assert route.points[1] == (start.x, start.y + 13)
    assert route.points[-2] == (end.x, end.y - 13)
    turns = zip(route.points, route.points[1:], strict=False)
    assert all(a.x == b.x or a.y == b.y for a, b in turns)


@given(boxes, points, points)
def test_a_line_crosses_a_box_when_a_point_of_it_is_inside(box: Box, a: Point, b: Point) -> None:
    inside = any(
        box.x < a.x + (b.x - a.x) * t / 50 < box.right
        and box.y < a.y + (b.y - a.y) * t / 50 < box.bottom
        for t in range(51)
    )
    if inside and a != b:
        assert geometry.crosses((a, b), box)
    if geometry.crosses((a, b), box):
        assert touches(box, geometry.bounds((a, b)))


def test_ports_stand_32_apart_about_the_middle() -> None:
    box = Box(0, 0, 224, 64)
    spots = geometry.input_spots(7, box, (Port("q"), Port("k"), Port("v")), lambda _: 0)
    assert [spot.place for spot in spots] == [(80, 0), (112, 0), (144, 0)]
    assert [spot.label for spot in spots] == ["q", "k", "v"]
    (one,) = geometry.output_spots(7, box, ("out",))
    assert one.place == (112, 64)
    assert one.label == ""


def test_a_variadic_port_stands_for_its_next_free_slot() -> None:
    (spot,) = geometry.input_spots(7, Box(0, 0, 88, 30), (Port("xs", False, True),), lambda _: 3)
    assert (spot.slot, spot.variadic) == (3, True)


def test_a_node_grows_in_steps_up_to_a_limit() -> None:
    assert geometry.width_for("full", 100) == 224
    assert geometry.width_for("full", 225) == 240
    assert geometry.width_for("full", 9000) == 320
    assert geometry.width_for("compact", 177) == 192


def test_levels_change_at_their_limits_and_hold_close_to_them() -> None:
    shown = [level(zoom) for zoom in (0.05, 0.21, 0.22, 0.39, 0.4, 0.69, 0.7, 4.0)]
    assert shown == [0, 0, 1, 1, 2, 2, 3, 3]
    assert level(0.69, Level.FULL) is Level.FULL
    assert level(0.67, Level.FULL) is Level.MIDDLE
    assert level(0.71, Level.MIDDLE) is Level.MIDDLE
    assert level(0.73, Level.MIDDLE) is Level.FULL
    assert level(0.1, Level.FULL) is Level.FAR
