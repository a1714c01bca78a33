"""The palette: every layer by family, to be searched, dragged to the canvas or added with Enter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QMenu,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from designer.core.custom import layer_class
from designer.core.layer import CATALOGUE, FAMILIES, Layer
from designer.ui import icons
from designer.ui.dragging import Draggable
from designer.ui.layer_search import found_kinds
from designer.ui.shelf import Shelf
from designer.ui.widgets import paint
from designer.ui.widgets.buttons import ChipButton, Control
from designer.ui.widgets.fields import SearchField
from designer.ui.widgets.links import LinkButton
from designer.ui.widgets.text import TextLabel, paragraph

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PySide6.QtGui import QContextMenuEvent, QMouseEvent

    from designer.core.custom import Custom
    from designer.core.editor import Editable, Notice
    from designer.ui.theme import Theme

ROW = 26
MOST_RECENT = 6


class FamilyRow(Control):
    """A family with its dot and the number of its layers; a click unfolds it."""

    radius = 4.0

    def __init__(self, theme: Theme, family: str, count: int) -> None:
        super().__init__(theme, FAMILIES[family])
        self._family = family
        self._count = count
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(self.theme.px(120), self.theme.px(ROW))

    def draw(self, painter: QPainter, rect: QRectF) -> None:
        theme, px = self.theme, self.theme.px
        if self.pointed():
            painter.fillRect(rect, theme.colour("hover"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = rect.center().y()
        arrow = QRectF(px(12), middle - px(6), px(12), px(12))
        icons.paint(painter, arrow, "down" if self.isChecked() else "right", theme.colour("text-3"))
        painter.setBrush(theme.graphic(self._family))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawEllipse(QPointF(px(34), middle), px(4), px(4))
        painter.setFont(theme.font("body-strong" if self.isChecked() else "body"))
        painter.setPen(theme.colour("text"))
        base = paint.base_line(rect, QFontMetricsF(painter.font()))
        painter.drawText(QPointF(px(46), base), self.text())
        painter.setFont(theme.font("hint"))
        painter.setPen(theme.colour("text-3"))
        width = QFontMetricsF(painter.font()).horizontalAdvance(str(self._count))
        painter.drawText(QPointF(rect.right() - px(14) - width, base), str(self._count))


class LayerRow(Control):
    """A layer of the catalogue: drag it, or press Enter or double-click to add it."""

    radius = 4.0
    chosen = Signal(str)

    def __init__(self, theme: Theme, layer: type[Layer]) -> None:
        super().__init__(theme, layer.title)
        self._layer = layer
        self._drag = Draggable(layer.kind)
        self.setToolTip(f"{layer.title}\n{(layer.__doc__ or '').splitlines()[0]}")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.OpenHandCursor)

    @property
    def kind(self) -> str:
        """The kind of layer that it stands for."""
        return self._layer.kind

    def sizeHint(self) -> QSize:
        return QSize(self.theme.px(120), self.theme.px(ROW))

    def draw(self, painter: QPainter, rect: QRectF) -> None:
        theme, px = self.theme, self.theme.px
        if self.pointed():
            painter.fillRect(rect, theme.colour("hover"))
        side = px(16)
        place = QRectF(px(36), rect.center().y() - side / 2, side, side)
        icons.paint(painter, place, family_icon(self._layer), theme.ink(self._layer.family))
        painter.setFont(theme.font("body"))
        painter.setPen(theme.colour("text"))
        metrics = QFontMetricsF(painter.font())
        room = rect.width() - px(60 + 14)
        name = metrics.elidedText(self.text(), Qt.TextElideMode.ElideMiddle, room)
        painter.drawText(QPointF(px(60), paint.base_line(rect, metrics)), name)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._drag.press(event)
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag.dragged(self, event):
            self.setDown(False)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.chosen.emit(self.kind)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit(self.kind)
        else:
            super().keyPressEvent(event)


class RecentChip(ChipButton):
    """A recently used layer: a click adds it, and it can be dragged."""

    def __init__(self, theme: Theme, layer: type[Layer]) -> None:
        super().__init__(theme, layer.title, family_icon(layer), f"f-{layer.family}")
        self._drag = Draggable(layer.kind)
        self.kind = layer.kind

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._drag.press(event)
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag.dragged(self, event):
            self.setDown(False)


def family_icon(layer: type[Layer]) -> str:
    """The icon that stands for a layer: its family's, and a few that have one of their own."""
    own = {"Input": "in", "Output": "out", "Concat": "concat"}
    return own.get(layer.kind, "in" if layer.family == "io" else layer.family)


class CustomRow(LayerRow):
    """A custom layer of the design; its menu changes and removes it."""

    change_wanted = Signal(str)
    remove_wanted = Signal(str)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.addAction("Change…").triggered.connect(self._change)
        menu.addAction("Remove").triggered.connect(self._remove)
        menu.popup(event.globalPos())

    def _change(self) -> None:
        self.change_wanted.emit(self.text())

    def _remove(self) -> None:
        self.remove_wanted.emit(self.text())


class Customs(QWidget):
    """The custom layers of the design in front, and the way to a new one."""

    def __init__(self, theme: Theme, palette: Palette) -> None:
        super().__init__()
        self._theme = theme
        self._palette = palette
        self.rows: list[CustomRow] = []
        self.new = LinkButton(theme, "New custom layer…")
        self.new.clicked.connect(self._new)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        holder = QHBoxLayout()
        holder.setContentsMargins(theme.px(36), theme.px(4), 0, theme.px(4))
        holder.addWidget(self.new)
        holder.addStretch(1)
        self._column.addLayout(holder)

    def show_layers(self, layers: Sequence[type[Layer]]) -> None:
        """Show these custom layers."""
        for row in self.rows:
            row.hide()
            row.deleteLater()
        self.rows = [CustomRow(self._theme, layer) for layer in layers]
        for place, row in enumerate(self.rows):
            row.chosen.connect(self._palette.kind_chosen)
            row.change_wanted.connect(self._palette.custom_wanted)
            row.remove_wanted.connect(self._palette.custom_unwanted)
            self._column.insertWidget(place, row)

    def _new(self) -> None:
        self._palette.custom_wanted.emit("")


class Palette(QWidget):
    """The list of layers, with search and the recently used ones on top.

    `custom_wanted` carries the name of a custom layer that is to be changed, empty for a new one.
    """

    kind_chosen = Signal(str)
    custom_wanted = Signal(str)
    custom_unwanted = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._editor: Editable | None = None
        self._declared: Mapping[str, Custom] = {}
        self._recent: list[str] = []
        self.search = SearchField(theme, f"Search {len(CATALOGUE)} layers", "/")
        self.chips: list[RecentChip] = []
        self.families: dict[str, FamilyRow] = {}
        self.shelf = Shelf(theme)
        self.shelf.kind_chosen.connect(self.kind_chosen.emit)
        self.found: list[LayerRow] = []
        self._bodies: dict[str, QWidget] = {}
        self._build()
        self.search.textChanged.connect(self._search)
        self.search.returnPressed.connect(self._choose_first)

    def _build(self) -> None:
        px = self._theme.px
        self._recent_title = TextLabel(self._theme, "Recently used", "section", "text-2")
        self._chips = QGridLayout()
        self._chips.setSpacing(px(6))
        top = QVBoxLayout()
        top.setContentsMargins(px(14), px(10), px(14), px(6))
        top.setSpacing(px(8))
        top.addWidget(self.search)
        top.addWidget(self._recent_title)
        top.addLayout(self._chips)
        self._title = TextLabel(self._theme, "Layers by family", "section", "text-2")
        self._title.setContentsMargins(px(14), px(6), 0, px(4))
        self._none = paragraph(self._theme)
        self._none.setContentsMargins(px(14), px(4), px(14), 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self._title)
        column.addWidget(self._none)
        column.addWidget(self._scroller(), 1)
        column.addWidget(self.shelf)
        self.set_recent([])
        self._none.hide()

    def _scroller(self) -> QScrollArea:
        page = QWidget()
        page.setObjectName("page")
        self._list = QVBoxLayout(page)
        self._list.setContentsMargins(0, 0, 0, self._theme.px(8))
        self._list.setSpacing(0)
        for family in FAMILIES:
            layers = [layer for layer in CATALOGUE.values() if layer.family == family]
            if layers:
                self._add_family(family, layers)
        self.customs = Customs(self._theme, self)
        title = TextLabel(self._theme, "Custom layers of this design", "section", "text-2")
        title.setContentsMargins(self._theme.px(14), self._theme.px(10), 0, self._theme.px(4))
        self._own = (title, self.customs)
        for widget in self._own:
            widget.hide()
            self._list.addWidget(widget)
        self._results = QVBoxLayout()
        self._list.addLayout(self._results)
        self._list.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(page)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return scroll

    def _add_family(self, family: str, layers: Sequence[type[Layer]]) -> None:
        row = FamilyRow(self._theme, family, len(layers))
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        body.hide()
        self.families[family], self._bodies[family] = row, body
        row.toggled.connect(self._unfold)
        self._list.addWidget(row)
        self._list.addWidget(body)

    def _unfold(self, shown: bool) -> None:
        """Show or hide the layers of the family that was clicked; they are made on first sight."""
        family = next(f for f, row in self.families.items() if row is self.sender())
        body = self._bodies[family]
        column = body.layout()
        if column is not None and shown and not column.count():
            for layer in CATALOGUE.values():
                if layer.family == family:
                    column.addWidget(self._row(layer))
        body.setVisible(shown)

    def _row(self, layer: type[Layer]) -> LayerRow:
        row = LayerRow(self._theme, layer)
        row.chosen.connect(self.kind_chosen.emit)
        return row

    # The design in front

    def set_editor(self, editor: Editable | None) -> None:
        """Show the custom layers of another design."""
        if self._editor is not None:
            self._editor.unlisten(self._heard)
        self._editor = editor
        if editor is not None:
            editor.listen(self._heard)
        self._declared = editor.document.customs if editor else {}
        self._show_customs()
        self.shelf.set_editor(editor)

    def _heard(self, _: Notice) -> None:
        if self._editor is not None and self._editor.document.customs is not self._declared:
            self._declared = self._editor.document.customs
            self._show_customs()

    def _show_customs(self) -> None:
        self.customs.show_layers([layer_class(custom) for custom in self._declared.values()])
        self._show_own()

    def _show_own(self) -> None:
        searching = bool(self.search.text().strip())
        for widget in self._own:
            widget.setVisible(self._editor is not None and not searching)
        self.shelf.setVisible(self._editor is not None and not searching)

    # Search

    def _search(self, text: str) -> None:
        searching = bool(text.strip())
        for row in self.found:
            row.hide()
            row.deleteLater()
        own = self._editor.kinds.declared() if self._editor else ()
        layers = {layer.kind: layer for layer in (*CATALOGUE.values(), *own)}
        kinds = found_kinds(text, layers.values()) if searching else []
        self.found = [self._row(layers[kind]) for kind in kinds]
        for row in self.found:
            self._results.addWidget(row)
        for name, family in self.families.items():
            family.setVisible(not searching)
            self._bodies[name].setVisible(not searching and family.isChecked())
        self._title.setVisible(not searching)
        self._show_own()
        self._none.setVisible(searching and not self.found)
        self._none.setText(f"No layer matches {text.strip()}.")
        self._show_recent()

    def _choose_first(self) -> None:
        if self.found:
            self.kind_chosen.emit(self.found[0].kind)

    def focus_search(self) -> None:
        """Put the keyboard into the search field."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    # Recently used

    @property
    def recent(self) -> list[str]:
        """Kinds used last, the newest first."""
        return list(self._recent)

    def used(self, kind: str) -> None:
        """Put a kind at the head of the recently used ones."""
        self.set_recent([kind, *(other for other in self._recent if other != kind)])

    def set_recent(self, kinds: Sequence[str]) -> None:
        """Show these kinds as recently used, as many as there is room for."""
        self._recent = [kind for kind in kinds if kind in CATALOGUE][:MOST_RECENT]
        for chip in self.chips:
            chip.hide()
            chip.deleteLater()
        self.chips = [RecentChip(self._theme, CATALOGUE[kind]) for kind in self._recent]
        for place, chip in enumerate(self.chips):
            chip.clicked.connect(self._chip_clicked)
            self._chips.addWidget(chip, place // 2, place % 2)
        self._show_recent()

    def _show_recent(self) -> None:
        shown = bool(self._recent) and not self.search.text().strip()
        self._recent_title.setVisible(shown)
        for chip in self.chips:
            chip.setVisible(shown)

    def _chip_clicked(self) -> None:
        chip = self.sender()
        if isinstance(chip, RecentChip):
            self.kind_chosen.emit(chip.kind)
