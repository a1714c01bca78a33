"""The keys shown are those of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from designer.ui.actions import ACTIONS, key_text
from designer.ui.help import AboutPopup, KeysPopup, release, sections
from designer.ui.widgets.text import TextLabel

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from designer.ui.theme import Theme


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    result = QWidget()
    result.resize(1200, 800)
    qtbot.addWidget(result)
    with qtbot.waitActive(result):
        result.show()
        result.activateWindow()
    return result


def test_every_key_of_every_action_is_listed() -> None:
    listed = {does: keys for _, rows in sections() for keys, does in rows}
    for action in ACTIONS:
        if action.keys:
            assert {key_text(key) for key in action.keys} == set(listed[action.title].split(", "))


def test_each_menu_is_one_section() -> None:
    titles = [title for title, _ in sections()]
    assert len(titles) == len(set(titles))


@pytest.mark.parametrize("kind", [KeysPopup, AboutPopup])
def test_a_popup_opens_in_the_middle_and_closes(
    window: QWidget, theme: Theme, kind: type[KeysPopup] | type[AboutPopup]
) -> None:
    popup = kind(theme, window)
    popup.open_centred()
    assert popup.isVisible()
    frame = popup.frame().translated(popup.pos())
    assert window.rect().contains(frame)
    assert (frame.center() - window.rect().center()).manhattanLength() <= 2
    for label in popup.findChildren(TextLabel):
        assert label.width() >= label.minimumSizeHint().width()
    QTest.keyClick(popup, Qt.Key.Key_Escape)
    assert popup.isHidden()


def test_the_version_is_named(window: QWidget, theme: Theme) -> None:
    popup = AboutPopup(theme, window)
    texts = [label.text() for label in popup.findChildren(TextLabel)]
    assert texts[0] == f"Netdraft {release()}".strip()
    assert any("MIT licence" in text for text in texts)
