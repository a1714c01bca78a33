"""An empty canvas: how to begin, and examples that open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

import designer.layers  # noqa: F401
from designer.core import edits
from designer.core.document import Document
from designer.core.editor import Editor
from designer.core.message import message
from designer.ui.gallery import example
from designer.ui.welcome import OFFERED, Welcome

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from designer.ui.theme import Theme


class Ground(QWidget):
    """What the welcome stands on, with its editor."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.editor = Editor(Document())
        self.welcome = Welcome(theme, self)


@pytest.fixture
def ground(qtbot: QtBot, theme: Theme) -> Ground:
    """A ground with an empty design, with room for all cards."""
    widget = Ground(theme)
    qtbot.addWidget(widget)
    widget.resize(1000, 700)
    with qtbot.waitExposed(widget):
        widget.show()
    widget.welcome.set_editor(widget.editor)
    qtbot.waitUntil(lambda: len(widget.welcome.cards) == len(OFFERED))
    return widget


def add_layer(ground: Ground) -> None:
    ground.editor.apply(edits.add_node("ReLU", (0, 0)), message("Add ReLU"))


def test_examples_show_their_totals_and_shapes() -> None:
    shown = [(example(n).title, example(n).parameters, example(n).shapes) for n in OFFERED]
    assert shown == [
        ("CIFAR-10 CNN", "160,202", "[B, 3, 32, 32] → [B, 10]"),
        ("GPT-2", "124,439,808", "[B, T] → [B, T, 50257]"),
        ("Linear regression", "2", "[B, 1] → [B, 1]"),
    ]


def test_a_click_on_a_card_asks_for_its_example(ground: Ground, qtbot: QtBot) -> None:
    for card in ground.welcome.cards:
        with qtbot.waitSignal(ground.welcome.wanted) as asked:
            QTest.mouseClick(card, Qt.MouseButton.LeftButton)
        assert asked.args == [card.name]


def test_it_goes_with_the_first_layer_and_comes_back_with_undo(ground: Ground) -> None:
    assert ground.welcome.isVisible()
    sentence = "Drag a layer here, press Tab to search, or open a template."
    assert ground.welcome.sentence.text() == sentence
    add_layer(ground)
    assert not ground.welcome.isVisible()
    ground.editor.undo()
    assert ground.welcome.isVisible()


def test_it_stands_in_the_middle_also_after_its_ground_has_scrolled(ground: Ground) -> None:
    middle = ground.rect().center()
    assert (ground.welcome.geometry().center() - middle).manhattanLength() <= 2
    ground.scroll(40, -30)
    assert (ground.welcome.geometry().center() - middle).manhattanLength() <= 2


@pytest.mark.parametrize(("size", "cards"), [((1000, 700), 3), ((500, 700), 2), ((900, 240), 0)])
def test_only_cards_with_room_are_shown(ground: Ground, size: tuple[int, int], cards: int) -> None:
    ground.resize(*size)
    assert sum(card.isVisible() for card in ground.welcome.cards) == cards
    assert ground.rect().contains(ground.welcome.geometry())
