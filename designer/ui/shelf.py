"""The blocks at the foot of the palette: those of the design, and those of the user's library."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QHBoxLayout, QMenu, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from designer.core.block import BLOCK
from designer.files.library import library
from designer.files.refusal import Refusal
from designer.ui import icons
from designer.ui.block_facts import BlockFact, block_facts
from designer.ui.dragging import MIME_LIBRARY, Draggable
from designer.ui.widgets import paint
from designer.ui.widgets.boxes import Divider
from designer.ui.widgets.buttons import Control, IconButton
from designer.ui.widgets.name_field import NameField
from designer.ui.widgets.text import TextLabel, paragraph

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent, QResizeEvent

    from designer.core.editor import Editable, Notice
    from designer.files.library import Entry
    from designer.ui.theme import Theme

EMPTY = "Select layers and press Ctrl G to make a block you can repeat."
PAUSE = 120
"""Milliseconds without an edit after which the blocks are counted anew."""

_CARD = 48
_MOST = 288
"""The foot of the palette scrolls where it would be higher."""

ENTER, OPEN, RENAME, DUPLICATE, REMOVE, KEEP = (
    "enter",
    "open",
    "rename",
    "duplicate",
    "remove",
    "keep",
)


class ShelfCard(Control):
    """A block as a small card: drag it, or double-click or press Enter to add it."""

    chosen = Signal()

    def __init__(self, theme: Theme, name: str, below: str, drag: Draggable | None) -> None:
        super().__init__(theme, name)
        self._below = below
        self._right = ""
        self._drag = drag
        self.faulty = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.OpenHandCursor if drag else Qt.CursorShape.ArrowCursor)

    def says(self) -> str:
        """All that stands on the card."""
        return " ".join(part for part in (self.text(), self._right, self._below) if part)

    def say(self, right: str, below: str) -> None:
        """Show something behind the name and under it."""
        self._right, self._below = right, below
        self.setAccessibleName(self.says())
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self.theme.px(120), self.theme.px(_CARD))

    def minimumSizeHint(self) -> QSize:
        return QSize(self.theme.px(80), self.theme.px(_CARD))

    def draw(self, painter: QPainter, rect: QRectF) -> None:
        theme, px = self.theme, self.theme.px
        fill = "pressed" if self.isDown() else "hover" if self.pointed() else "node"
        paint.box(painter, rect, px(6), theme.colour(fill), theme.colour("border"))
        icon = QRectF(px(10), px(9), px(15), px(15))
        icons.paint(painter, icon, "block", theme.ink("block"))
        painter.setFont(theme.font("hint"))
        wide = QFontMetricsF(painter.font()).horizontalAdvance(self._right)
        self._words(painter, self._right, "text-2", QPointF(rect.right() - px(10) - wide, px(21)))
        room = rect.width() - px(34 + 10)
        below = "error" if self.faulty else "text-2"
        self._words(painter, self._fitting(painter, self._below, room), below, self._place(38))
        painter.setFont(theme.font("body-strong"))
        name = self._fitting(painter, self.text(), room - wide - px(8))
        self._words(painter, name, "text", self._place(21))

    def _place(self, y: int) -> QPointF:
        return QPointF(self.theme.px(34), self.theme.px(y))

    def _fitting(self, painter: QPainter, text: str, room: float) -> str:
        metrics = QFontMetricsF(painter.font())
        return metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, room)

    def _words(self, painter: QPainter, text: str, token: str, place: QPointF) -> None:
        painter.setPen(self.theme.colour(token))
        painter.drawText(place, text)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None:
            self._drag.press(event)
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None and self._drag.dragged(self, event):
            self.setDown(False)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.chosen.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit()
        else:
            super().keyPressEvent(event)

    def make_menu(self) -> QMenu:
        """What can be done with the block."""
        raise NotImplementedError

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = self.make_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())


class BlockCard(ShelfCard):
    """A block of the design."""

    wanted = Signal(str, str)
    renamed = Signal(str, str)

    def __init__(self, theme: Theme, fact: BlockFact) -> None:
        super().__init__(theme, fact.name, fact.each, Draggable(f"{BLOCK}{fact.name}"))
        self.name = NameField(theme, "Name of the block", "body")
        self.name.setParent(self)
        self.name.accepted.connect(self._renamed)
        self.name.left.connect(self.name.hide)
        self.name.hide()
        self.show_fact(fact)

    def show_fact(self, fact: BlockFact) -> None:
        """Show what is known of the block."""
        self.setText(fact.name)
        self.setToolTip(fact.note)
        self.say(fact.times, fact.each)

    def make_menu(self) -> QMenu:
        menu = QMenu(self)
        words = {ENTER: "Enter", OPEN: "Open by itself"}
        if self._right == "not used":
            del words[ENTER]
        for verb, text in words.items():
            menu.addAction(text, partial(self.wanted.emit, verb, self.text()))
        menu.addSeparator()
        menu.addAction("Rename", self.edit_name)
        for verb, text in ((DUPLICATE, "Duplicate"), (KEEP, "Save to library")):
            menu.addAction(text, partial(self.wanted.emit, verb, self.text()))
        menu.addSeparator()
        menu.addAction("Remove", partial(self.wanted.emit, REMOVE, self.text()))
        return menu

    def edit_name(self) -> None:
        """Put the keyboard into the name."""
        self.name.reset(self.text())
        self.name.show()
        self.name.setFocus()
        self.name.selectAll()

    def _renamed(self, name: str) -> None:
        self.renamed.emit(self.text(), name.strip())

    def resizeEvent(self, event: QResizeEvent) -> None:
        px = self.theme.px
        self.name.setGeometry(px(25), px(3), self.width() - px(29), px(24))


class LibraryCard(ShelfCard):
    """A block of the library; one that cannot be used says why."""

    unwanted = Signal(str)

    def __init__(self, theme: Theme, entry: Entry) -> None:
        drag = None if entry.problem else Draggable(str(entry.path), MIME_LIBRARY)
        ports = f"{', '.join(entry.inputs)} → {', '.join(entry.outputs)}"
        below = str(entry.problem) if entry.problem else entry.note or ports
        super().__init__(theme, entry.name, below, drag)
        self.entry = entry
        self.faulty = entry.problem is not None
        self.setToolTip("\n".join(part for part in (below, str(entry.path)) if part))

    def make_menu(self) -> QMenu:
        menu = QMenu(self)
        if not self.entry.problem:
            menu.addAction("Add to the design", self.chosen.emit)
        menu.addAction("Remove from library", partial(self.unwanted.emit, str(self.entry.path)))
        return menu


class Shelf(QWidget):
    """Cards of both kinds, with a way to a new block."""

    kind_chosen = Signal(str)
    new_wanted = Signal()
    block_wanted = Signal(str, str)
    """What is to be done, and with which block."""
    renamed = Signal(str, str)
    library_chosen = Signal(str)
    library_unwanted = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._editor: Editable | None = None
        self.blocks: list[BlockCard] = []
        self.library: list[LibraryCard] = []
        self.new = IconButton(theme, "plus", "New block")
        self.new.clicked.connect(self.new_wanted.emit)
        self.hint = paragraph(theme, EMPTY, "hint", "text-2")
        self.trouble = paragraph(theme, "", "hint", "error")
        self._library_title = TextLabel(theme, "Library", "section", "text-2")
        self._blocks_column, self._library_column = QVBoxLayout(), QVBoxLayout()
        self._scroll = QScrollArea()
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self.refresh)
        self._build()
        self.refresh_library()

    def _build(self) -> None:
        px = self.theme.px
        head = QHBoxLayout()
        head.setContentsMargins(px(14), px(6), px(10), px(2))
        head.addWidget(TextLabel(self.theme, "Blocks in this design", "section", "text-2"), 1)
        head.addWidget(self.new)
        self.new.setFixedSize(px(24), px(24))
        self._build_page()
        self._scroll.setWidget(self._page)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(Divider(self.theme))
        whole.addLayout(head)
        whole.addWidget(self._scroll)

    def _build_page(self) -> None:
        px = self.theme.px
        self._page = QWidget()
        self._page.setObjectName("page")
        column = QVBoxLayout(self._page)
        column.setContentsMargins(px(14), 0, px(14), px(8))
        column.setSpacing(px(6))
        for part in (self._blocks_column, self._library_column):
            part.setSpacing(px(6))
        column.addLayout(self._blocks_column)
        column.addWidget(self.hint)
        column.addWidget(self._library_title)
        column.addLayout(self._library_column)
        column.addWidget(self.trouble)

    # The blocks of the design

    def set_editor(self, editor: Editable | None) -> None:
        """Show the blocks of another design."""
        if self._editor is not None:
            self._editor.unlisten(self._heard)
        self._editor = editor
        if editor is not None:
            editor.listen(self._heard)
        self.refresh()

    def _heard(self, notice: Notice) -> None:
        if self._editor is None:
            return
        if notice.delta.levels() or len(self.blocks) != len(self._editor.document.blocks):
            self.refresh()
        elif self.blocks:
            self._later.start(PAUSE)

    def refresh(self) -> None:
        """Show the blocks as they stand."""
        self._later.stop()
        facts = block_facts(self._editor) if self._editor else []
        if [card.text() for card in self.blocks] == [fact.name for fact in facts]:
            for card, fact in zip(self.blocks, facts, strict=True):
                card.show_fact(fact)
            return
        self._put(self._blocks_column, self.blocks, [])
        self.blocks = [self._card(fact) for fact in facts]
        self._put(self._blocks_column, [], self.blocks)
        self._fit()

    def _card(self, fact: BlockFact) -> BlockCard:
        card = BlockCard(self.theme, fact)
        card.chosen.connect(partial(self._choose, card))
        card.wanted.connect(self.block_wanted.emit)
        card.renamed.connect(self.renamed.emit)
        return card

    def _choose(self, card: BlockCard) -> None:
        self.kind_chosen.emit(f"{BLOCK}{card.text()}")

    @staticmethod
    def _put(column: QVBoxLayout, old: Sequence[QWidget], new: Sequence[QWidget]) -> None:
        for card in old:
            card.hide()
            card.deleteLater()
        for card in new:
            column.addWidget(card)

    # The library

    def refresh_library(self) -> None:
        """Read the library again."""
        try:
            entries, trouble = library(), ""
        except Refusal as refusal:
            entries, trouble = [], str(refusal)
        self._put(self._library_column, self.library, [])
        self.library = [self._library_card(entry) for entry in entries]
        self._put(self._library_column, [], self.library)
        self.trouble.setText(trouble)
        self._fit()

    def _library_card(self, entry: Entry) -> LibraryCard:
        card = LibraryCard(self.theme, entry)
        if not entry.problem:
            card.chosen.connect(partial(self.library_chosen.emit, str(entry.path)))
        card.unwanted.connect(self.library_unwanted.emit)
        return card

    def _fit(self) -> None:
        """As high as its cards, up to a limit."""
        self.hint.setVisible(not self.blocks)
        self._library_title.setVisible(bool(self.library))
        self.trouble.setVisible(bool(self.trouble.text()))
        width = max(self.width(), self.theme.px(200))
        column = self._page.layout()
        assert column is not None
        column.activate()
        height = max(column.heightForWidth(width), column.sizeHint().height())
        self._scroll.setFixedHeight(min(height, self.theme.px(_MOST)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()
