"""The icons: line drawings that take the colour of what they stand on."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QIcon,
    QIconEngine,
    QImage,
    QPaintEngine,
    QPainter,
    QPixmap,
    QTransform,
)
from PySide6.QtSvg import QSvgRenderer
from shiboken6 import isValid

from designer import resources

if TYPE_CHECKING:
    from PySide6.QtCore import QRect

    from designer.ui.theme import Theme

KEPT_IMAGES = 2048


@functools.cache
def names() -> frozenset[str]:
    """The names of all icons."""
    return frozenset(file.stem for file in resources.path("icons").glob("*.svg"))


@functools.cache
def _drawing(name: str) -> str:
    if name not in names():
        raise KeyError(f"There is no icon called {name!r}.")
    return resources.path("icons", f"{name}.svg").read_text(encoding="utf-8")


def _renderer(name: str, colour: QColor) -> QSvgRenderer:
    text = _drawing(name).replace("currentColor", colour.name())
    renderer = QSvgRenderer(QByteArray(text.encode()))
    renderer.setAspectRatioMode(Qt.AspectRatioMode.KeepAspectRatio)
    return renderer


@functools.lru_cache(maxsize=KEPT_IMAGES)
def _image(name: str, rgba: int, width: int, height: int) -> QImage:
    # An image and not a pixmap: it may outlive the application object.
    image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    colour = QColor.fromRgba(rgba)
    with QPainter(image) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(colour.alphaF())
        _renderer(name, colour).render(painter, QRectF(0, 0, width, height))
    return image


def pixmap(name: str, colour: QColor, size: float, ratio: float = 1.0) -> QPixmap:
    """The icon as a square pixmap of `size` px for a screen of `ratio`; KeyError if unknown."""
    side = max(1, math.ceil(size * ratio - 1e-6))
    result = QPixmap.fromImage(_image(name, colour.rgba(), side, side))
    result.setDevicePixelRatio(ratio)
    return result


def paint(painter: QPainter, rect: QRectF, name: str, colour: QColor) -> None:
    """Draw the icon into `rect`, from a cached image that matches the device's pixels one to one.

    Without pixels (PDF, SVG) and under rotation it is drawn as lines. KeyError if unknown.
    """
    device = painter.deviceTransform()
    if not _has_pixels(painter) or device.m12() or device.m21():
        _renderer(name, colour).render(painter, rect)
        return
    _paint_pixels(painter, device.mapRect(rect), name, colour)


def _has_pixels(painter: QPainter) -> bool:
    return painter.paintEngine().type() == QPaintEngine.Type.Raster


def _paint_pixels(painter: QPainter, target: QRectF, name: str, colour: QColor) -> None:
    width, height = max(1, round(target.width())), max(1, round(target.height()))
    image = _image(name, colour.rgba(), width, height)
    painter.save()
    painter.resetTransform()
    # What is left is Qt's own scale to device pixels and the offset of the widget in its window.
    base = painter.deviceTransform()
    painter.setTransform(QTransform.fromScale(1 / base.m11(), 1 / base.m22()))
    x, y = round(target.x()), round(target.y())
    painter.drawImage(QPointF(x - base.dx(), y - base.dy()), image)
    painter.restore()


class TintedIcon(QIconEngine):
    """An icon in a colour of the theme, looked up whenever it is painted."""

    def __init__(self, theme: Theme, name: str, token: str) -> None:
        super().__init__()
        self._theme = theme
        self._name = name
        self._token = token

    def _colour(self, mode: QIcon.Mode) -> QColor:
        return self._theme.colour("text-off" if mode == QIcon.Mode.Disabled else self._token)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Draw the icon into `rect`."""
        paint(painter, QRectF(rect), self._name, self._colour(mode))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """The icon with `size` device pixels."""
        return self.scaledPixmap(size, mode, state, 1.0)

    def scaledPixmap(
        self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float
    ) -> QPixmap:
        """The icon `size` large, with pixels for a screen of ratio `scale`."""
        return pixmap(self._name, self._colour(mode), min(size.width(), size.height()), scale)

    def clone(self) -> QIconEngine:
        """Another engine for the same icon."""
        return _kept(TintedIcon(self._theme, self._name, self._token))


# Qt owns a clone but takes no reference to its Python half, which would be collected at once.
_CLONES: list[TintedIcon] = []


def _kept(engine: TintedIcon) -> TintedIcon:
    _CLONES[:] = [other for other in _CLONES if isValid(other)]
    _CLONES.append(engine)
    return engine


def icon(theme: Theme, name: str, token: str = "text-2") -> QIcon:
    """The icon for menus and buttons, in the colour `token`; KeyError if unknown."""
    _drawing(name)
    return QIcon(TintedIcon(theme, name, token))
