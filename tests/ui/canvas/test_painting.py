"""What stands on the screen: colours at places, at each level of detail and in both themes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QColor

from designer.core import edits
from designer.core.message import message
from designer.ui.canvas.geometry import Point
from designer.ui.canvas.texts import SMALLEST, face
from designer.ui.theme import ROLES, Theme
from tests.ui.canvas.conftest import SHIFT, Desk, chain
from tests.ui.canvas.test_fix_popup import broken

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from designer.core.editor import Editor

THEMES = ("dark", "light")


def colour(desk: Desk, x: float, y: float) -> str:
    """The colour on the screen over a place on the canvas."""
    image = desk.canvas.view.grab().toImage()
    return image.pixelColor(desk.hand.pixel(x, y) * image.devicePixelRatio()).name()


def shown(desk: Desk, zoom: float, theme: Theme, app: QApplication, name: str) -> Editor:
    """The chain at some zoom in a theme, its Linear in the middle."""
    theme.apply(app, name)
    editor = desk.show(chain())
    desk.canvas.zoom_to(zoom)
    return editor


@pytest.mark.parametrize("name", THEMES)
def test_close_by_a_node_has_a_tinted_head_and_a_body(
    desk: Desk, theme: Theme, qapp: QApplication, name: str
) -> None:
    shown(desk, 100, theme, qapp, name)
    assert colour(desk, 20, 120 - 28) == theme.tint("linear").name()
    assert colour(desk, -107, 120 + 20) == theme.colour("node").name()
    assert colour(desk, -70, 252) == theme.tint("act").name()
    assert colour(desk, -130, 120) == theme.colour("canvas").name()


@pytest.mark.parametrize("name", THEMES)
def test_further_away_nodes_are_chips_and_then_boxes(
    desk: Desk, theme: Theme, qapp: QApplication, name: str
) -> None:
    shown(desk, 30, theme, qapp, name)
    assert colour(desk, -95, 120) == theme.ink("linear").name()
    desk.canvas.zoom_to(15)
    assert colour(desk, 0, 120) == theme.graphic("linear").name()
    assert colour(desk, 0, 240) == theme.graphic("act").name()


def test_a_selected_node_has_a_ring(desk: Desk, theme: Theme, qapp: QApplication) -> None:
    shown(desk, 100, theme, qapp, "dark")
    ring = (-112 - 3, 125)
    assert colour(desk, *ring) == theme.colour("canvas").name()
    desk.hand.click(40, 120)
    assert colour(desk, *ring) == theme.colour("accent").name()
    desk.hand.click(40, 120, SHIFT)
    assert colour(desk, *ring) == theme.colour("canvas").name()


def nearest(theme: Theme, shown: str, *names: str) -> str:
    """Which of some colours a pixel on a soft edge has."""

    def apart(name: str) -> int:
        a, b = QColor(shown), theme.colour(name)
        return sum(abs(x - y) for x, y in zip(a.getRgb(), b.getRgb(), strict=True))  # type: ignore[call-overload]

    return min(names, key=apart)


def test_wires_show_their_state(desk: Desk, theme: Theme, qapp: QApplication) -> None:
    editor = shown(desk, 100, theme, qapp, "dark")

    def state() -> str:
        tokens = ("wire", "text-2", "accent", "error", "canvas")
        return nearest(theme, colour(desk, 0, 65), *tokens)

    assert state() == "wire"
    desk.hand.move(0, 65)
    assert state() == "text-2"
    desk.hand.move(300, 65)
    desk.hand.click(40, 120)
    assert state() == "accent"
    editor.apply(edits.set_options((2,), {"in_features": 3}), message("set"))
    assert state() == "error"


def test_an_error_has_an_outline_and_a_bubble(desk: Desk, theme: Theme, qapp: QApplication) -> None:
    theme.apply(qapp, "dark")
    desk.show(broken())
    assert colour(desk, -112, 150) == theme.colour("error").name()
    bubble = desk.canvas.view.item.bubble
    assert bubble is not None
    assert colour(desk, bubble.box.x + 6, bubble.box.y + 8) == theme.colour("error-tint").name()
    said = "".join(span.text for span in bubble.spans)
    assert said == "Linear expects [..., 512], got [B, 128, 2, 2]."


@pytest.mark.parametrize("zoom", [0.22, 0.3, 0.4, 0.55, 0.7, 0.9, 1.0, 2.0])
@pytest.mark.parametrize("role", ["small", "mono", "hint", "body-strong"])
def test_no_text_is_too_small_to_read(zoom: float, role: str) -> None:
    assert ROLES[role].px * face(role, zoom).grow * zoom >= SMALLEST - 1e-9


def test_a_bubble_stays_in_view(desk: Desk) -> None:
    desk.show(broken())
    view, told = desk.canvas.view, desk.canvas.stage.drawing.cards[2].box
    places = []
    for room in (500, 20):
        view.centre_on(Point(told.right + room - view.shown().width / 2, told.centre.y))
        view.grab()
        bubble = view.item.bubble
        assert bubble is not None
        assert bubble.box.right <= view.shown().right
        places.append(bubble.box.x)
    assert places[1] < places[0]
