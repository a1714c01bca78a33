"""The shapes on wires: none stands over another, nor over a layer."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from designer import resources
from designer.files.codec import read_document
from designer.ui.canvas.geometry import Box

if TYPE_CHECKING:
    from designer.core.document import Document
    from tests.ui.canvas.conftest import Desk

NAMES = sorted(path.stem for path in resources.path("gallery").glob("*.netdraft"))


def design(name: str) -> Document:
    """A design of the gallery."""
    path = resources.path("gallery", f"{name}.netdraft")
    return read_document(path.read_bytes(), name).document


@pytest.mark.parametrize("name", NAMES)
def test_shapes_and_layers_stand_apart(desk: Desk, name: str) -> None:
    document = design(name)
    for level in ("", *document.blocks):
        desk.show(document.at(level) if level else document)
        desk.canvas.fit_all()
        desk.canvas.zoom_to(100)
        desk.canvas.grab()
        drawing = desk.canvas.stage.drawing
        labels = [label for _, laid in drawing.labels.values() for label in laid]
        shapes = [Box(label.x, label.middle - 7, label.width, 14) for label in labels]
        assert [pair for pair in combinations(shapes, 2) if pair[0].meets(pair[1])] == []
        covered = [shape for shape in shapes if drawing.places.within(shape.grown(-1))]
        assert covered == []


def test_there_are_shapes_to_look_at(desk: Desk) -> None:
    desk.show(design("unet"))
    desk.canvas.fit_all()
    desk.canvas.grab()
    assert any(laid for _, laid in desk.canvas.stage.drawing.labels.values())


def test_a_name_has_room_beside_what_stands_for_a_caption(desk: Desk) -> None:
    desk.show(design("llama-2").at("Attention"))
    drawing = desk.canvas.stage.drawing
    (card,) = [card for card in drawing.cards.values() if card.name == "k_turned"]
    texts = desk.canvas.stage.texts
    taken = texts.width(card.name, "body-strong") + texts.width(card.title, "mono")
    assert card.box.width >= 34 + taken + 10
