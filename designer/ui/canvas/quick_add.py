"""The search for a layer at the pointer, with what each would give there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from designer.ui import icons
from designer.ui.canvas import commands, labels, values
from designer.ui.canvas.geometry import Point
from designer.ui.canvas.labels import Span
from designer.ui.canvas.offers import Offer, Offers
from designer.ui.canvas.pen import Pen
from designer.ui.canvas.rows import Row, RowList
from designer.ui.widgets import paint
from designer.ui.widgets.boxes import Divider
from designer.ui.widgets.popup import PopupFrame
from designer.ui.widgets.text import Span as LabelSpan
from designer.ui.widgets.text import SpanLabel

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from designer.core.editor import Editable
    from designer.core.tensor import Tensor
    from designer.ui.theme import Theme

_MOST_RECENT = 8
_LIST_HEIGHT = 420
_ROW, _SMALL_ROW, _HEAD = 34, 32, 30
_COLUMNS = (186, 314)
"""Where the captions and the shapes begin, in pixels from the left."""


class QuickAdd(PopupFrame):
    """Type to search; Enter adds the current layer, Esc closes."""

    chosen = Signal(str, object, object, object)
    """Kind, place, ends, options."""
    considered = Signal(object)
    """The offer that is current now, or None."""

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(theme, window, "Add a layer")
        self.from_wire = False
        self.recent: list[str] = []
        self.shown: list[Offer | None] = []
        self.place = Point(0.0, 0.0)
        self.ends = commands.FREE
        self._offers: Offers | None = None
        self.field = QLineEdit()
        self.field.setProperty("plain", True)
        self.field.setAccessibleName("Search layers")
        self.field.setPlaceholderText("Search layers")
        self._context = SpanLabel(theme)
        self.list = RowList(theme, _LIST_HEIGHT)
        self._footer = _Footer(theme)
        self._build()
        self.restyle()

    def _build(self) -> None:
        top = QHBoxLayout()
        top.setContentsMargins(14, 8, 16, 8)
        top.setSpacing(8)
        top.addWidget(_Magnifier(self.theme))
        top.addWidget(self.field, 1)
        top.addWidget(self._context)
        self.body.addLayout(top)
        self.body.addWidget(Divider(self.theme))
        self.body.addWidget(self.list)
        self.body.addWidget(Divider(self.theme))
        self.body.addWidget(self._footer)
        self.field.installEventFilter(self)
        self.field.textChanged.connect(self._search)
        self.list.chosen.connect(self._choose)
        self.list.currentChanged.connect(self._tell_option)

    def restyle(self) -> None:
        super().restyle()
        if hasattr(self, "field"):
            self.field.setFont(self.theme.font("body"))
            self.list.viewport().update()

    def offer(self, editor: Editable, ends: commands.Ends, place: Point, from_wire: bool) -> None:
        """Prepare for another place."""
        self._offers = Offers(editor, ends)
        self.ends, self.place, self.from_wire = ends, place, from_wire
        self._context.set_spans(*_context(editor, ends))
        self.field.blockSignals(True)
        self.field.clear()
        self.field.blockSignals(False)
        self._search("")

    def _search(self, text: str) -> None:
        if self._offers is None:
            return
        found = self._offers.find(text, self.recent)
        fitting = [offer for offer in found if offer.fits]
        rest = [offer for offer in found if not offer.fits]
        free = self.ends == commands.FREE
        rows: list[Row] = []
        self.shown = []
        self._section(rows, "Layers" if free else "Fits here", fitting, columns=True)
        self._section(rows, "Needs another shape first", rest, columns=False)
        if not found:
            self._empty(rows, text)
        self.list.set_rows(rows)
        if self.isVisible():
            self.fit(self.frame().width())
            self._stay_inside()

    def _section(self, rows: list[Row], title: str, offers: list[Offer], columns: bool) -> None:
        if not offers:
            return
        rows.append(Row(_HEAD, partial(self._draw_head, title, columns), choosable=False))
        self.shown.append(None)
        for offer in offers:
            draw = partial(self._draw_offer, offer)
            rows.append(Row(_ROW if offer.fits else _SMALL_ROW, draw, name=offer.kind))
            self.shown.append(offer)

    def _empty(self, rows: list[Row], text: str) -> None:
        said = f"No layer matches {text.strip()}."
        rows.append(Row(_ROW, partial(self._draw_head, said, False), choosable=False))
        self.shown.append(None)

    def _stay_inside(self) -> None:
        room = self.window().height()
        over = self.y() + self.frame().bottom() + 8 - room
        if over > 0:
            self.move(self.x(), self.y() - over)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field and isinstance(event, QKeyEvent):
            return event.type() == QEvent.Type.KeyPress and self._key(event)
        return super().eventFilter(watched, event)

    def _key(self, event: QKeyEvent) -> bool:
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.list.choose()
        elif key in (Qt.Key.Key_Down, Qt.Key.Key_Tab):
            self.list.step(1)
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Backtab):
            self.list.step(-1)
        elif key == Qt.Key.Key_Escape:
            self.close_popup()
        else:
            return False
        return True

    def _choose(self, index: int) -> None:
        offer = self.shown[index]
        if offer is None:
            return
        self.recent = [offer.kind, *(kind for kind in self.recent if kind != offer.kind)]
        del self.recent[_MOST_RECENT:]
        self.close_popup()
        self.chosen.emit(offer.kind, self.place, self.ends, dict(offer.options))

    def _tell_option(self, index: int) -> None:
        offer = self.shown[index] if 0 <= index < len(self.shown) else None
        self.considered.emit(offer)
        if offer is not None and offer.sets:
            value = dict(offer.options)[offer.sets]
            self._footer.set_note(f"{value} sets {offer.sets}")
        else:
            self._footer.set_note("")

    # Rows

    def _draw_head(
        self, title: str, columns: bool, painter: QPainter, rect: QRectF, current: bool
    ) -> None:
        base = rect.bottom() - self.theme.px(9)
        pen = Pen(self.theme, painter)
        pen.write(self.theme.px(16), base, Span(title, "text-2", "hint"))
        if columns:
            for x, name in zip(_COLUMNS, ("Fields", "Output"), strict=True):
                pen.write(self.theme.px(x), base, Span(name, "text-3", "hint"))
            pen.write_right(
                rect.right() - self.theme.px(16), base, Span("Parameters", "text-3", "hint")
            )

    def _draw_offer(self, offer: Offer, painter: QPainter, rect: QRectF, current: bool) -> None:
        theme, px = self.theme, self.theme.px
        if current:
            inner = rect.adjusted(px(5), 1, -px(5), -1)
            paint.box(painter, inner, px(6), theme.colour("accent-tint"))
        pen = Pen(theme, painter)
        base = rect.center().y() + px(4.5)
        icon = QRectF(px(17), rect.center().y() - px(8), px(16), px(16))
        icons.paint(painter, icon, offer.icon, theme.ink(offer.family))
        pen.spans(px(42), base, _title_spans(offer), px(_COLUMNS[0] - 8))
        if not offer.fits:
            room = rect.right() - px(16) - px(_COLUMNS[0])
            pen.write(px(_COLUMNS[0]), base, Span(offer.reason, "text-2", "hint"), room)
            return
        between = px(_COLUMNS[1] - _COLUMNS[0] - 10)
        pen.write(px(_COLUMNS[0]), base, Span(offer.caption, "text-2", "mono"), between)
        if offer.output is not None and (offer.output.shape or not offer.output.partial):
            pen.spans(px(_COLUMNS[1]), base, _shape(offer.output, offer.before))
        pen.write_right(rect.right() - px(16), base, _parameters(offer))


def _shape(output: Tensor, before: Tensor | None) -> labels.Spans:
    return labels.shape_spans(
        values.tensor(output), values.tensor(before) if before is not None else None
    )


def _title_spans(offer: Offer) -> list[Span]:
    """The title with the letters that were typed in the accent colour."""
    spans: list[Span] = []
    for place, letter in enumerate(offer.title):
        hit = place in offer.letters
        token = "accent" if hit else "text" if offer.fits else "text-2"
        if spans and spans[-1].token == token:
            spans[-1] = spans[-1]._replace(text=spans[-1].text + letter)
        else:
            spans.append(Span(letter, token, "body-strong" if hit else "body"))
    return spans


def _parameters(offer: Offer) -> Span:
    if offer.parameters is None:
        return Span("?", "text-2", "hint-medium")
    if not offer.parameters:
        return Span("0", "text-3", "hint")
    return Span(labels.signed(offer.parameters), "text", "hint-medium")


def _context(editor: Editable, ends: commands.Ends) -> list[LabelSpan]:
    """After or before what the layer will stand: a name, and the shape there."""
    nodes = editor.document.graph.nodes
    if ends.source is not None:
        tensor = editor.analysis.findings[ends.source.node].outputs.get(ends.source.port)
        said = [LabelSpan(f"after {_short(nodes[ends.source.node].name)}", "text-3", "hint")]
        if tensor is not None:
            said.append(LabelSpan(str(values.tensor(tensor)), "text-2", "mono", 10))
        return said
    if ends.target is not None:
        return [LabelSpan(f"before {_short(nodes[ends.target.node].name)}", "text-3", "hint")]
    return []


def _short(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:11]}…{name[-11:]}"


class _Magnifier(QWidget):
    """The sign of a search."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setFixedSize(theme.px(16), theme.px(16))

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            icons.paint(painter, QRectF(self.rect()), "search", self._theme.colour("text-3"))


class _Footer(QWidget):
    """The keys of the popup, and what a number that was typed sets."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._note = ""
        self.setFixedHeight(theme.px(36))

    def set_note(self, note: str) -> None:
        """Show a note at the right."""
        self._note = note
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, px = self._theme, self._theme.px
        with QPainter(self) as painter:
            pen, middle = Pen(theme, painter), self.height() / 2
            x = float(px(16))
            for keys, said in ((("↑", "↓"), "choose"), (("↵",), "insert"), (("Esc",), "cancel")):
                for key in keys:
                    width = paint.key_badge_width(theme, key)
                    paint.paint_key_badge(painter, theme, QPointF(x + width, middle), key)
                    x += width + px(4)
                x = pen.write(x + px(4), middle + px(4), Span(said, "text-2", "hint")) + px(16)
            pen.write_right(
                self.width() - px(16), middle + px(4), Span(self._note, "text-3", "hint")
            )
