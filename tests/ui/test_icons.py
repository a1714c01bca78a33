"""Icons take the colour asked for, and are sharp at every ratio of device pixels."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QBuffer, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QImage, QPainter
from PySide6.QtSvg import QSvgGenerator

from designer.ui import icons

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from designer.ui.theme import Theme

RED = QColor("#ff0000")
RATIOS = (1.0, 1.5, 2.0)


def canvas(ratio: float, side: int = 32) -> QImage:
    image = QImage(round(side * ratio), round(side * ratio), QImage.Format.Format_ARGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    return image


def drawn(image: QImage) -> set[tuple[int, int]]:
    return {
        (x, y)
        for x in range(image.width())
        for y in range(image.height())
        if image.pixelColor(x, y).alpha()
    }


@pytest.mark.parametrize("name", sorted(icons.names()))
def test_every_icon_is_drawn_in_the_colour_alone(qapp: QApplication, name: str) -> None:
    image = icons.pixmap(name, RED, 16).toImage()
    inked = [image.pixelColor(x, y) for x, y in drawn(image)]
    strongest = max(inked, key=lambda colour: colour.alpha())
    assert strongest.alpha() > 100
    assert all(c.green() == 0 and c.blue() == 0 and c.red() > 240 for c in inked if c.alpha() > 60)


@pytest.mark.parametrize("ratio", RATIOS)
def test_a_pixmap_has_the_pixels_of_its_screen(qapp: QApplication, ratio: float) -> None:
    result = icons.pixmap("linear", RED, 16, ratio)
    assert result.width() == round(16 * ratio)
    assert result.devicePixelRatio() == ratio


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("moved", [0.0, 3.0, 4.4])
def test_painting_puts_every_pixel_of_the_image_on_one_of_the_device(
    qapp: QApplication, ratio: float, moved: float
) -> None:
    image = canvas(ratio)
    with QPainter(image) as painter:
        painter.translate(moved, 2.0)
        icons.paint(painter, QRectF(1, 1, 16, 16), "linear", RED)
    wanted = icons.pixmap("linear", RED, 16, ratio).toImage()
    left, top = round((moved + 1) * ratio), round(3 * ratio)
    for x in range(wanted.width()):
        for y in range(wanted.height()):
            assert image.pixelColor(left + x, top + y) == wanted.pixelColor(x, y)


def test_a_zoomed_painter_gets_an_image_of_the_zoomed_size(qapp: QApplication) -> None:
    image = canvas(1, 64)
    with QPainter(image) as painter:
        painter.scale(2.5, 2.5)
        icons.paint(painter, QRectF(0, 0, 16, 16), "linear", RED)
    wanted = icons.pixmap("linear", RED, 40).toImage()
    assert drawn(image) == drawn(wanted)


def test_the_painter_is_left_as_it_was(qapp: QApplication) -> None:
    image = canvas(2)
    with QPainter(image) as painter:
        painter.translate(3, 4)
        before = painter.transform()
        icons.paint(painter, QRectF(0, 0, 16, 16), "x", RED)
        assert painter.transform() == before


def test_a_rotated_icon_is_drawn_too(qapp: QApplication) -> None:
    image = canvas(1)
    with QPainter(image) as painter:
        painter.translate(16, 0)
        painter.rotate(45)
        icons.paint(painter, QRectF(0, 0, 16, 16), "linear", RED)
    assert drawn(image)


def test_on_paper_an_icon_is_lines(qapp: QApplication) -> None:
    buffer = QBuffer()
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setSize(QSize(32, 32))
    with QPainter(generator) as painter:
        icons.paint(painter, QRectF(0, 0, 16, 16), "search", RED)
    text = bytes(buffer.data().data()).decode()
    assert "<image" not in text
    assert "#ff0000" in text


def test_an_unknown_icon_is_refused(qapp: QApplication, theme: Theme) -> None:
    with pytest.raises(KeyError, match="no icon called 'unicorn'"):
        icons.pixmap("unicorn", RED, 16)
    with pytest.raises(KeyError):
        icons.icon(theme, "unicorn")


def colours(icon: QIcon, mode: QIcon.Mode = QIcon.Mode.Normal) -> set[str]:
    image = icon.pixmap(QSize(32, 32), 1.0, mode).toImage()
    return {
        image.pixelColor(x, y).name()
        for x, y in drawn(image)
        if image.pixelColor(x, y).alpha() == 255
    }


def test_an_icon_follows_the_theme(theme: Theme) -> None:
    icon = icons.icon(theme, "linear", "text")
    assert colours(icon) == {theme.colour("text").name()}
    theme.toggle()
    assert colours(icon) == {theme.colour("text").name()}


def test_a_disabled_icon_is_dim(theme: Theme) -> None:
    icon = icons.icon(theme, "linear", "text")
    assert colours(icon, QIcon.Mode.Disabled) == {theme.colour("text-off").name()}


@pytest.mark.parametrize("ratio", RATIOS)
def test_an_icon_is_sharp_on_its_screen(theme: Theme, ratio: float) -> None:
    result = icons.icon(theme, "linear").pixmap(QSize(16, 16), ratio)
    assert result.width() == round(16 * ratio)
    assert result.devicePixelRatio() == pytest.approx(ratio)


def test_copies_of_an_icon_outlive_a_collection(theme: Theme) -> None:
    icon = icons.icon(theme, "linear", "text")
    for _ in range(50):
        copy = QIcon(icon)
        copy.setIsMask(True)
        gc.collect()
        assert colours(copy) == {theme.colour("text").name()}
