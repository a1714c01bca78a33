"""The whole app, used as people use it: only mouse and keys, from an empty canvas to code."""

from __future__ import annotations

import runpy
from typing import TYPE_CHECKING

import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from designer.ui.app import App, bad_pair
from designer.ui.documents import open_document
from designer.ui.state import State
from designer.ui.theme import system_theme
from tests.ui.canvas.conftest import CTRL, LEFT, NONE
from tests.ui.person import Person

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QApplication, QWidget
    from pytestqt.qtbot import QtBot


@pytest.fixture
def person(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Person:
    """Somebody in front of the app with an empty design."""
    app = App(qapp, State(tmp_path / "state"))

    def leave(_: QWidget) -> None:
        for document in app.desk.documents:
            document.editor.mark_saved()

    qtbot.addWidget(app.window, before_close_func=leave)
    app.window.resize(1500, 950)
    with qtbot.waitExposed(app.window):
        app.window.show()
    app.desk.new()
    app.window.activateWindow()
    app.canvas.setFocus()
    return Person(app)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which file dialogs open."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def draw_cifar10(person: Person) -> None:
    """Draw the CIFAR-10 CNN from nothing; Input and the first layers by mouse, others by key."""
    draw_stem(person)
    for width in (64, 128):
        person.add("relu")
        person.add("maxpool2d")
        person.fill("kernel_size", "2")
        person.add("conv2d")
        person.fill("out_channels", str(width))
        person.fill("kernel_size", "3")
    person.add("relu")
    person.add("maxpool2d")
    person.fill("kernel_size", "2")
    person.add("flatten")
    person.add("linear")
    person.fill("out_features", "128")
    person.add("relu")
    person.add("linear")
    person.fill("out_features", "10")
    person.add("softmax")
    person.fill("dim", "-1")
    person.add("output")


def draw_stem(person: Person) -> None:
    """The input and the first convolution: dragged from the palette and wired port to port."""
    image = person.drop("Input", 0, -280)
    person.click(image)
    person.fill("shape", "B, 3, 32, 32")
    conv = person.drop("Conv2d", 0, -180)
    person.pull(image, conv)
    person.click(conv)
    person.fill("out_channels", "32")
    person.fill("kernel_size", "3")


def test_a_person_draws_the_cifar10_cnn_and_exports_code_that_runs(
    person: Person, home: Path
) -> None:
    draw_cifar10(person)
    analysis = person.editor.analysis
    assert not analysis.problems()
    counts = [f.counted.parameters for f in analysis.findings.values() if f.counted.parameters]
    assert counts == [896, 18_496, 73_856, 65_664, 1_290]
    assert "160,202" in person.app.totals.total.text()
    assert person.app.window.status.texts()[0] == "All shapes agree"
    model = home / "model.py"
    person.choose_file("model.py")
    person.press(Qt.Key.Key_E, CTRL)
    text = model.read_text(encoding="utf-8")
    assert text == person.app.code.text()
    space = runpy.run_path(str(model))
    module = space[text.split("class ")[1].split("(")[0]]()
    assert sum(p.numel() for p in module.parameters()) == 160_202
    out = module(torch.rand(2, 3, 32, 32))
    assert out.shape == (2, 10)
    assert torch.allclose(out.sum(-1), torch.ones(2))


def test_totals_follow_every_keystroke_and_a_field_is_one_step(person: Person) -> None:
    image = person.drop("Input", 0, -200)
    person.click(image)
    person.fill("shape", "B, 8")
    person.add("linear")
    steps = len(person.editor.steps)
    before = person.editor.document
    assert person.fill("out_features", "256") == [18, 225, 2304]
    assert len(person.editor.steps) == steps + 1
    person.app.canvas.setFocus()
    person.press(Qt.Key.Key_Z, CTRL)
    assert person.editor.document == before


def test_a_wrong_size_shows_its_sentence_and_enter_takes_the_first_fix(person: Person) -> None:
    image = person.drop("Input", 0, -280)
    person.click(image)
    person.fill("shape", "B, 128, 2, 2")
    fc = person.add("linear")
    person.fill("in_features", "512")
    assert person.app.inspector.rows["in_features"].line() == (
        "Linear expects [..., 512], got [B, 128, 2, 2]."
    )
    assert person.app.window.status.texts()[0] == "1 shape disagrees: fc1"
    person.app.canvas.setFocus()
    person.click(fc)
    person.press(Qt.Key.Key_Return, Qt.KeyboardModifier.AltModifier)
    person.press(Qt.Key.Key_Return)
    kinds = [node.kind for node in person.editor.document.graph.nodes.values()]
    assert sorted(kinds) == ["Flatten", "Input", "Linear"]
    assert not person.editor.analysis.problems()


def test_a_design_is_saved_closed_and_opened_again(person: Person, home: Path) -> None:
    draw_cifar10(person)
    path = home / "mine.netdraft"
    person.choose_file("mine.netdraft")
    person.press(Qt.Key.Key_S, CTRL)
    assert not person.editor.modified
    drawn = person.editor.document
    person.press(Qt.Key.Key_W, CTRL)
    assert not person.editor.document.graph.nodes
    person.choose_file("mine.netdraft")
    person.press(Qt.Key.Key_O, CTRL)
    assert person.editor.document == drawn
    assert open_document(path).editor.document == drawn
    assert [c.title for c in person.app.desk.recent_choices()] == ["mine.netdraft"]


def test_unsaved_edits_are_asked_about_before_they_go(person: Person) -> None:
    person.drop("Linear", 0, 0)
    person.answer("Cancel")
    person.press(Qt.Key.Key_W, CTRL)
    assert person.editor.document.graph.nodes
    person.answer("Cancel")
    assert not person.app.window.close()
    person.answer("Discard")
    person.press(Qt.Key.Key_W, CTRL)
    assert not person.editor.document.graph.nodes


def test_a_file_that_is_no_design_is_refused_and_nothing_changes(
    person: Person, home: Path
) -> None:
    person.drop("Linear", 0, 0)
    before = person.editor
    path = home / "broken.netdraft"
    path.write_bytes(b'{"format": "netdraft", "version": 1, "nodes": [')
    person.choose_file("broken.netdraft", then="OK")
    person.press(Qt.Key.Key_O, CTRL)
    assert person.editor is before
    assert path.read_bytes().endswith(b"[")


def test_several_designs_are_tabs(person: Person) -> None:
    person.drop("Linear", 0, 0)
    person.press(Qt.Key.Key_N, CTRL)
    assert person.app.window.documents.count() == 2
    assert not person.editor.document.graph.nodes
    bar = person.app.window.documents
    QTest.mouseClick(bar, LEFT, NONE, bar.tabRect(0).center())
    assert person.editor.document.graph.nodes


def test_the_theme_is_remembered(person: Person, tmp_path: Path) -> None:
    assert person.app.theme.name == system_theme() == "dark"
    assert not person.app.state.theme
    QTest.mouseClick(person.app.window.top_bar.theme_button, LEFT)
    assert person.app.theme.name == "light"
    assert person.app.window.close()
    assert State(tmp_path / "state").theme == "light"


def test_a_state_file_that_is_broken_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{nope")
    state = State(tmp_path)
    assert state.values == {}
    assert (tmp_path / "state.json.bad").exists()
    state.add_recent(tmp_path / "a.netdraft")
    assert state.save()
    assert State(tmp_path).recent == [tmp_path / "a.netdraft"]


def test_an_exception_in_a_slot_is_told_and_the_app_goes_on(
    person: Person, qtbot: QtBot, tmp_path: Path
) -> None:
    error = ValueError("something odd")
    with qtbot.waitSignal(person.app.faults.told) as told:
        person.answer("OK")
        person.app.faults.catch(ValueError, error, None)
    assert told.args == ["ValueError: something odd"]
    assert "something odd" in (tmp_path / "state" / "netdraft.log").read_text()
    person.drop("Linear", 0, 0)


def test_a_pair_of_qt_and_python_that_is_known_to_fail_is_named() -> None:
    assert "6.11.3" in bad_pair("6.12.0", (3, 11))
    assert not bad_pair("6.12.0", (3, 12))
    assert not bad_pair("6.11.3", (3, 11))
