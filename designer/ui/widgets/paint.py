"""Shapes that several controls draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen

if TYPE_CHECKING:
    from PySide6.QtGui import QColor

    from designer.ui.theme import Theme

FOCUS_WIDTH = 1.5


def box(
    painter: QPainter,
    rect: QRectF,
    radius: float,
    fill: QColor | None = None,
    border: QColor | None = None,
) -> None:
    """A rounded box with a border of 1 px inside `rect`."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush if fill is None else fill)
    painter.setPen(Qt.PenStyle.NoPen if border is None else QPen(border, 1))
    inside = rect if border is None else rect.adjusted(0.5, 0.5, -0.5, -0.5)
    corner = radius if border is None else radius - 0.5
    painter.drawRoundedRect(inside, corner, corner)


def focus_ring(painter: QPainter, rect: QRectF, radius: float, theme: Theme) -> None:
    """The ring around what has the keyboard, inside `rect`."""
    half = FOCUS_WIDTH / 2
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(theme.colour("text"), FOCUS_WIDTH))
    painter.drawRoundedRect(rect.adjusted(half, half, -half, -half), radius, radius)


def centred_text(painter: QPainter, rect: QRectF, text: str) -> None:
    """`text` in the middle of `rect`, in the painter's font and pen."""
    metrics = QFontMetricsF(painter.font())
    x = rect.center().x() - metrics.horizontalAdvance(text) / 2
    painter.drawText(QPointF(x, base_line(rect, metrics)), text)


def base_line(rect: QRectF, metrics: QFontMetricsF) -> float:
    """Where a line of text stands that is centred in the height of `rect`."""
    return rect.center().y() + (metrics.ascent() - metrics.descent()) / 2


def key_badge_width(theme: Theme, key: str, boxed: bool = True) -> float:
    """The width that `paint_key_badge` takes."""
    width = QFontMetricsF(theme.font("small")).horizontalAdvance(key)
    return max(width + theme.px(12), theme.px(18)) if boxed else width


def paint_key_badge(
    painter: QPainter, theme: Theme, right: QPointF, key: str, boxed: bool = True
) -> None:
    """A key as a small box (or as quiet text), its right edge centred on `right`."""
    width, height = key_badge_width(theme, key, boxed), theme.px(18)
    rect = QRectF(right.x() - width, right.y() - height / 2, width, height)
    if boxed:
        box(painter, rect, theme.px(4), border=theme.colour("border-strong"))
    painter.setFont(theme.font("small"))
    painter.setPen(theme.colour("text-3" if not boxed else "text-2"))
    centred_text(painter, rect, key)
