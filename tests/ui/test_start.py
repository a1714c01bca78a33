"""The start page by real events: the gallery with families and words, recent files, dropping."""

from __future__ import annotations

import shutil
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from designer.ui.app import App
from designer.ui.documents import example_path, examples
from designer.ui.gallery import FAMILIES, Sample, example
from designer.ui.start import ALL, SampleCard, StartPage, when
from designer.ui.state import State
from tests.ui.canvas.conftest import LEFT, NONE

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QWidget
    from pytestqt.qtbot import QtBot

    from designer.ui.theme import Theme

COPY = Qt.DropAction.CopyAction
FEW = ("cifar10-cnn", "linear-regression", "mlp", "gpt2")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gallery of four designs."""
    monkeypatch.setattr("designer.ui.gallery.examples", lambda: list(FEW))


@pytest.fixture
def app(qtbot: QtBot, qapp: QApplication, tmp_path: Path, few: None) -> App:
    """The app with its start page in front, and one recent file."""
    recent = tmp_path / "my-design.netdraft"
    shutil.copy(example_path("mlp"), recent)
    state = State(tmp_path / "state")
    state.add_recent(tmp_path / "gone.netdraft")
    state.add_recent(recent)
    app = App(qapp, state)

    def leave(_: QWidget) -> None:
        for document in app.desk.documents:
            document.editor.mark_saved()

    qtbot.addWidget(app.window, before_close_func=leave)
    app.window.resize(1500, 950)
    with qtbot.waitExposed(app.window):
        app.window.show()
    app.desk.new()
    app.show_start()
    app.window.activateWindow()
    return app


def titles(page: StartPage) -> list[str]:
    return [card.text() for card in page.gallery.shown() if card.isVisible()]


def wait_until_read(app: App, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not app.start.reading.busy, timeout=20_000)


def test_names_are_there_at_once_and_counts_follow(app: App, qtbot: QtBot) -> None:
    cards = app.start.gallery.cards
    assert list(cards) == list(FEW)
    assert not any(card.sample.parameters for card in cards.values())
    wait_until_read(app, qtbot)
    said = {name: (card.text(), card.sample.parameters) for name, card in cards.items()}
    assert said["cifar10-cnn"] == ("CIFAR-10 CNN", "160,202")
    assert said["linear-regression"] == ("Linear regression", "2")
    assert said["gpt2"][1] == "124,439,808"
    assert cards["gpt2"].sample.shapes == "[B, T] → [B, T, 50257]"


def test_one_design_is_read_between_two_events(app: App, qtbot: QtBot) -> None:
    app.start.reading.samples.clear()
    told: list[str] = []
    app.start.reading.told.connect(told.append)
    app.start.reading.begin()
    assert not told
    app.start.reading._work()
    assert len(told) == 1


def test_it_stands_before_the_designs_and_goes_when_one_is_opened(app: App, qtbot: QtBot) -> None:
    assert app.start.isVisible()
    assert not app.canvas.isVisible()
    wait_until_read(app, qtbot)
    QTest.mouseClick(app.start.gallery.cards["cifar10-cnn"], LEFT)
    assert app.desk.current is not None
    assert app.desk.current.name == "CIFAR-10 CNN"
    assert app.canvas.isVisible()
    assert len(app.desk.documents) == 1
    app.window.commands["file.start"].trigger()
    assert app.start.isVisible()


def test_a_new_design_and_a_recent_file_open_from_it(app: App, qtbot: QtBot) -> None:
    QTest.mouseClick(app.start.recents.new, LEFT)
    assert app.canvas.isVisible()
    app.show_start()
    (row,) = app.start.recents.rows
    qtbot.waitUntil(lambda: bool(row.sample.parameters), timeout=20_000)
    assert row.sample.parameters == example("mlp").parameters
    QTest.mouseClick(row, LEFT)
    assert app.desk.current is not None
    assert app.desk.current.path == row.path
    assert app.canvas.isVisible()


def test_families_and_words_choose(app: App, qtbot: QtBot) -> None:
    wait_until_read(app, qtbot)
    gallery = app.start.gallery
    QTest.mouseClick(gallery.pills["Language"], LEFT)
    assert titles(app.start) == ["GPT-2"]
    QTest.mouseClick(gallery.pills[ALL], LEFT)
    assert len(titles(app.start)) == 4
    app.start.setFocus()
    QTest.keyClick(app.start, Qt.Key.Key_Slash)
    assert gallery.search.hasFocus()
    QTest.keyClicks(gallery.search, "regr")
    assert titles(app.start) == ["Linear regression"]
    QTest.keyClicks(gallery.search, "zz")
    assert gallery.none.isVisible()
    assert gallery.none.text() == "No template matches regrzz."
    for _ in "zz":
        QTest.keyClick(gallery.search, Qt.Key.Key_Backspace)
    QTest.keyClick(gallery.search, Qt.Key.Key_Return)
    assert app.desk.current is not None
    assert app.desk.current.name == "Linear regression"


@pytest.mark.parametrize(("width", "across"), [(1500, 4), (1000, 2)])
def test_as_many_cards_stand_in_a_row_as_fit(app: App, width: int, across: int) -> None:
    app.window.resize(width, 950)
    QApplication.processEvents()
    cards = list(app.start.gallery.cards.values())
    tops = [card.y() for card in cards]
    assert tops.count(tops[0]) == across
    assert max(card.geometry().right() for card in cards) < app.start.gallery.width()


def test_a_dropped_file_is_opened(app: App, tmp_path: Path) -> None:
    path = tmp_path / "dropped.netdraft"
    shutil.copy(example_path("linear-regression"), path)
    data, place = QMimeData(), QPointF(300, 300)
    data.setUrls([QUrl.fromLocalFile(str(path))])
    enter = QDragEnterEvent(place.toPoint(), COPY, data, LEFT, NONE)
    QApplication.sendEvent(app.start, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(app.start, QDropEvent(place, COPY, data, LEFT, NONE))
    assert app.desk.current is not None
    assert app.desk.current.path == path


def test_a_recent_file_that_cannot_be_read_says_so(
    qtbot: QtBot, theme: Theme, tmp_path: Path, few: None
) -> None:
    path = tmp_path / "torn.netdraft"
    path.write_text("{", encoding="utf-8")
    page = StartPage(theme)
    qtbot.addWidget(page)
    page.resize(1200, 800)
    page.set_recent([path])
    page.show()
    qtbot.waitUntil(lambda: bool(page.recents.rows[0].sample.trouble), timeout=20_000)
    assert page.recents.rows[0].toolTip() == page.recents.rows[0].sample.trouble


def test_times_are_told_as_people_do() -> None:
    now = datetime(2026, 11, 22, 15, 0)
    told = [
        when(datetime(2026, 11, 22, 14, 2), now),
        when(datetime(2026, 11, 21, 23, 59), now),
        when(datetime(2026, 3, 1, 9, 0), now),
        when(datetime(2025, 12, 31, 9, 0), now),
    ]
    assert told == ["Today 14:02", "Yesterday", "1 March", "31 December 2025"]


def test_every_design_of_the_gallery_says_what_it_is() -> None:
    for name in examples():
        sample = example(name)
        assert sample.family in (*FAMILIES, ""), name
        assert bool(sample.about) == bool(sample.family), name
        assert sample.picture.chips, name
        assert sample.parameters[0].isdigit(), name


def test_a_card_is_found_by_all_its_words(theme: Theme, qtbot: QtBot) -> None:
    sample = Sample("GPT-2", "Language", "Twelve blocks", "Radford 2019")
    card = SampleCard(theme, "gpt2", sample)
    qtbot.addWidget(card)
    assert sample.answers("", "radford BLOCKS")
    assert sample.answers("Language", "gpt")
    assert not sample.answers("Vision", "gpt")
    assert not sample.answers("", "gpt vision")
    assert card.accessibleName() == "GPT-2, Twelve blocks"
