"""Colours can be read, type is the bundled one, and a change of theme reaches everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontInfo, QFontMetricsF, QPalette
from PySide6.QtWidgets import QApplication, QMenu

from designer import resources
from designer.ui.sheet import style_sheet
from designer.ui.theme import ROLES, Role, Theme, load_fonts, make_font, system_theme, tokens

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

THEMES = ("dark", "light")
FAMILIES = (
    *("io", "linear", "conv", "norm", "act", "pool", "rnn"),
    *("attn", "embed", "shape", "merge", "reg", "block", "custom"),
)
SURFACES = ("app", "panel", "canvas", "field", "raised", "node")
TEXTS = ("text", "text-2", "text-3", "accent", "error", "warn", "ok")
ON_TINTS = ("accent-tint", "error-tint", "hover", "pressed", "frame", "comment")


def luminance(colour: QColor) -> float:
    """Relative luminance as WCAG defines it."""
    parts = [
        c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4
        for c in (colour.redF(), colour.greenF(), colour.blueF())
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, 1 to 21."""
    low, high = sorted((luminance(QColor(one)), luminance(QColor(other))))
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_and_white() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("name", THEMES)
def test_text_can_be_read_on_every_surface(name: str) -> None:
    theme = tokens(name)
    pairs = [(text, surface) for text in TEXTS for surface in SURFACES]
    pairs += [(text, tint) for text in ("text", "text-2") for tint in ON_TINTS]
    pairs += [
        ("accent-ink", "accent-fill"),
        ("accent-ink", "error-fill"),
        ("accent", "accent-tint"),
    ]
    weak = {p: contrast(theme[p[0]], theme[p[1]]) for p in pairs}
    assert {p: round(c, 2) for p, c in weak.items() if c < 4.495} == {}


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize("family", FAMILIES)
def test_family_colours_can_be_read(name: str, family: str) -> None:
    theme = tokens(name)
    for tint in (f"h-{family}", "node", "panel"):
        assert contrast(theme[f"f-{family}"], theme[tint]) >= 3
    assert contrast(theme["text-2"], theme[f"h-{family}"]) >= 4.5
    assert contrast(theme[f"g-{family}"], theme["node"]) >= 3


def test_both_themes_have_the_same_tokens() -> None:
    assert tokens("dark").colours.keys() == tokens("light").colours.keys()


def test_an_unknown_theme_or_token_is_refused() -> None:
    with pytest.raises(KeyError):
        tokens("sepia")
    with pytest.raises(KeyError):
        tokens("dark")["text-9"]


def test_a_family_has_ink_graphic_and_tint(theme: Theme) -> None:
    found = [theme.ink("linear"), theme.graphic("linear"), theme.tint("linear")]
    assert [colour.name() for colour in found] == ["#6cc3fa", "#4bade7", "#2b3a47"]


def test_the_bundled_faces_are_loaded(qapp: QApplication) -> None:
    assert {"Inter", "JetBrains Mono"} <= set(load_fonts())


def test_each_bundled_face_has_its_licence() -> None:
    for face in resources.path("fonts").glob("*.[ot]tf"):
        licence = face.with_name(f"{face.stem.split('-')[0]}-OFL.txt")
        assert "SIL OPEN FONT LICENSE" in licence.read_text(encoding="utf-8")


@pytest.mark.parametrize("role", ROLES)
def test_fonts_are_the_bundled_ones_in_their_weight(theme: Theme, role: str) -> None:
    info = QFontInfo(theme.font(role))
    assert info.family() == ("JetBrains Mono" if ROLES[role].mono else "Inter")
    assert info.weight() == ROLES[role].weight


@pytest.mark.parametrize("role", ["body", "hint", "mono", "section"])
def test_half_pixels_show_in_the_width(theme: Theme, role: str) -> None:
    text = "All shapes agree 124,439,808"
    exact = QFontMetricsF(make_font(Role(1000, ROLES[role].weight, ROLES[role].mono)))
    wanted = exact.horizontalAdvance(text) * ROLES[role].px / 1000
    got = QFontMetricsF(theme.font(role)).horizontalAdvance(text)
    assert got == pytest.approx(wanted, rel=0.01)


def test_digits_are_equally_wide_and_an_x_between_digits_stays_an_x(theme: Theme) -> None:
    metrics = QFontMetricsF(theme.font("body"))
    assert metrics.horizontalAdvance("1111") == metrics.horizontalAdvance("8888")
    plain = QFont(theme.font("body"))
    plain.unsetFeature(QFont.Tag("calt"))
    assert metrics.horizontalAdvance("1x1") != QFontMetricsF(plain).horizontalAdvance("1x1")


def test_the_scale_multiplies_sizes_and_is_kept_in_bounds(qapp: QApplication) -> None:
    theme = Theme(scale=1.5)
    assert theme.px(28) == 42
    assert theme.font("total").pixelSize() == 35
    assert Theme(scale=9).scale == 1.5
    assert Theme(scale=0.1).scale == 0.9


def test_applying_a_theme_changes_palette_and_says_so(
    qapp: QApplication, qtbot: QtBot, theme: Theme
) -> None:
    with qtbot.waitSignal(theme.changed):
        theme.toggle()
    assert theme.name == "light"
    assert theme.colour("text").name() == tokens("light")["text"]
    assert QApplication.palette().color(QPalette.ColorRole.Window).name() == tokens("light")["app"]
    assert tokens("light")["accent-tint"] in qapp.styleSheet()
    assert tokens("dark")["accent-tint"] not in qapp.styleSheet()


def test_the_desktop_may_ask_for_a_theme(qapp: QApplication) -> None:
    assert system_theme() in THEMES
    hints = qapp.styleHints()
    hints.setColorScheme(Qt.ColorScheme.Light)
    assert system_theme() == ("light" if hints.colorScheme() == Qt.ColorScheme.Light else "dark")
    hints.unsetColorScheme()


def test_toggling_before_applying_is_refused(qapp: QApplication) -> None:
    with pytest.raises(RuntimeError):
        Theme().toggle()


def test_colours_and_fonts_are_copies(theme: Theme) -> None:
    theme.colour("text").setAlpha(0)
    theme.font("body").setPixelSize(99)
    assert theme.colour("text").alpha() == 255
    assert theme.font("body").pixelSize() == 13


def test_the_sheet_has_no_name_left_and_scales() -> None:
    sheet = style_sheet(tokens("dark").colours, lambda value: round(2 * value))
    assert "@" not in sheet
    assert "dp" not in sheet
    assert "border-radius: 12px" in sheet


def test_the_sheet_reaches_a_menu(qtbot: QtBot, theme: Theme) -> None:
    menu = QMenu()
    qtbot.addWidget(menu)
    menu.addAction("Save")
    menu.resize(120, 60)
    shown = menu.grab().toImage()
    assert shown.pixelColor(60, 50).name() == tokens("dark")["raised"]
