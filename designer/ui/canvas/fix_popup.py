"""Ways to mend a problem, each with the shape and the change in parameters that it gives."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt, Signal

from designer.core.layer import CATALOGUE
from designer.ui import icons
from designer.ui.canvas import labels, values
from designer.ui.canvas.labels import Span
from designer.ui.canvas.pen import Pen
from designer.ui.canvas.rows import Row, RowList
from designer.ui.widgets import paint
from designer.ui.widgets.popup import PopupFrame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QKeyEvent, QPainter
    from PySide6.QtWidgets import QWidget

    from designer.layers.fixes import Fix
    from designer.ui.theme import Theme

_HEAD, _ROW = 38, 52
_MOST = 360


class FixPopup(PopupFrame):
    """Enter applies the current fix, at first the best one; Esc closes."""

    chosen = Signal(object)

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(theme, window, "Ways to fix")
        self.fixes: tuple[Fix, ...] = ()
        self.list = RowList(theme, _MOST)
        self.body.addWidget(self.list)
        self.body.addSpacing(5)
        self.list.chosen.connect(self._choose)

    def offer(self, name: str, fixes: Sequence[Fix]) -> None:
        """Show the fixes of a node."""
        self.fixes = tuple(fixes)
        self.setAccessibleName(f"Ways to fix {name}")
        head = Row(_HEAD, partial(self._draw_head, f"Ways to fix {name}"), choosable=False)
        rows = [Row(_ROW, partial(self._draw, fix), name=str(fix.label)) for fix in fixes]
        self.list.set_rows([head, *rows])

    def _choose(self, index: int) -> None:
        fix = self.fixes[index - 1]
        self.close_popup()
        self.chosen.emit(fix)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.list.choose()
        elif key in (Qt.Key.Key_Down, Qt.Key.Key_Tab):
            self.list.step(1)
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Backtab):
            self.list.step(-1)
        else:
            super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        # Tab goes through the fixes, as the arrows do.
        return False

    def _draw_head(self, title: str, painter: QPainter, rect: QRectF, current: bool) -> None:
        px, pen = self.theme.px, Pen(self.theme, painter)
        base = rect.center().y() + px(5)
        key = Span("Alt Enter", "text-3", "small")
        right = rect.right() - px(16)
        pen.write_right(right, base, key)
        pen.write(px(17), base, Span(title, "text-2", "hint"), right - px(90))

    def _draw(self, fix: Fix, painter: QPainter, rect: QRectF, current: bool) -> None:
        theme, px = self.theme, self.theme.px
        if current:
            inner = rect.adjusted(px(5), 0, -px(5), 0)
            paint.box(painter, inner, px(6), theme.colour("accent-tint"))
        self._draw_icon(fix, painter, rect)
        pen, left, right = Pen(theme, painter), px(55), rect.right() - px(17)
        change = _change(fix)
        base = rect.top() + px(21)
        room = right - left - pen.width(change) - px(10)
        pen.write(left, base, Span(str(fix.label), "text", "body-strong"), room)
        pen.write_right(right, base, change)
        base = rect.top() + px(40)
        icon, token = ("check", "ok") if fix.clean else ("warn", "warn")
        icons.paint(painter, QRectF(left, base - px(11), px(14), px(14)), icon, theme.colour(token))
        x = float(left + px(19))
        if fix.shape is not None:
            x = pen.spans(x, base, labels.shape_spans(values.tensor(fix.shape))) + px(8)
        note = Span(str(fix.note), "text-2" if fix.clean else "warn", "hint")
        pen.write(x, base, note, right - x - (px(30) if current else 0))
        if current:
            paint.paint_key_badge(painter, theme, QPointF(right, base - px(4)), "↵")

    def _draw_icon(self, fix: Fix, painter: QPainter, rect: QRectF) -> None:
        theme, px = self.theme, self.theme.px
        layer = CATALOGUE.get(fix.icon)
        family = layer.family if layer is not None else "shape"
        chip = QRectF(px(17), rect.top() + px(12), px(28), px(28))
        paint.box(painter, chip, px(6), theme.tint(family))
        inner = chip.adjusted(px(6), px(6), -px(6), -px(6))
        icons.paint(painter, inner, "in" if family == "io" else family, theme.ink(family))


def _change(fix: Fix) -> Span:
    if not fix.parameters:
        return Span("no new parameters", "text-2", "hint")
    return Span(labels.signed(fix.parameters), "text", "hint-medium")
