"""The start page: recent files at the left, the gallery with its families and a search."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeySequence, QPainter, QPainterPath, QPen, QShortcut
from PySide6.QtWidgets import (
    QButtonGroup,
    QGridLayout,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from designer.ui import icons
from designer.ui.gallery import FAMILIES, Reading, Sample
from designer.ui.thumbnail import paint_thumbnail
from designer.ui.widgets import paint
from designer.ui.widgets.boxes import IconLabel
from designer.ui.widgets.buttons import Control, TextButton
from designer.ui.widgets.fields import SearchField
from designer.ui.widgets.tab_order import set_tab_order
from designer.ui.widgets.text import TextLabel, paragraph

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import (
        QDragEnterEvent,
        QDropEvent,
        QKeyEvent,
        QPaintEvent,
        QResizeEvent,
        QShowEvent,
    )

    from designer.ui.theme import Theme

ALL = "All"
SUFFIX = ".netdraft"
_SIDE = 332
_LEAST_CARD, _GAP, _INSET = 250, 18, 28
_PICTURE, _WORDS = 190, 98
_RECENT, _THUMB = 48, (52, 40)


class SampleCard(Control):
    """A design of the gallery: its picture, title, count, sentence and shapes. A click opens it."""

    radius = 10.0

    def __init__(self, theme: Theme, name: str, sample: Sample) -> None:
        super().__init__(theme, sample.title)
        self.name = name
        self.sample = sample
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.show_sample(sample)

    def show_sample(self, sample: Sample) -> None:
        """Show what is known of the design now."""
        self.sample = sample
        self.setText(sample.title)
        told = (sample.title, sample.parameters and f"{sample.parameters} parameters", sample.about)
        self.setAccessibleName(", ".join(part for part in told if part))
        self.setToolTip("\n".join(part for part in (sample.about, sample.source) if part))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self.theme.px(_LEAST_CARD), self.theme.px(_PICTURE + _WORDS))

    def minimumSizeHint(self) -> QSize:
        return QSize(self.theme.px(120), self.theme.px(_PICTURE + _WORDS))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def draw(self, painter: QPainter, rect: QRectF) -> None:
        theme, px = self.theme, self.theme.px
        paint.box(painter, rect, px(10), theme.colour("panel"))
        inside = QPainterPath()
        inside.addRoundedRect(rect.adjusted(1, 1, -1, -1), px(9), px(9))
        top = QRectF(rect.x(), rect.y(), rect.width(), px(_PICTURE))
        painter.save()
        painter.setClipPath(inside)
        painter.fillRect(top, theme.colour("border"))
        top.setHeight(top.height() - 1)
        painter.fillRect(top, theme.colour("canvas"))
        painter.restore()
        room = top.adjusted(px(34), px(14), -px(34), -px(14))
        paint_thumbnail(painter, room, theme, self.sample.picture)
        edge = theme.colour("accent" if self.pointed() else "border")
        paint.box(painter, rect, px(10), border=edge)
        self._draw_words(painter, rect.adjusted(px(15), px(_PICTURE), -px(15), 0))

    def _draw_words(self, painter: QPainter, rect: QRectF) -> None:
        theme, px, sample = self.theme, self.theme.px, self.sample
        painter.setFont(theme.font("body-medium"))
        figure = sample.parameters
        wide = QFontMetricsF(painter.font()).horizontalAdvance(figure)
        painter.setPen(theme.colour("text"))
        painter.drawText(QPointF(rect.right() - wide, rect.y() + px(24)), figure)
        about = _two_lines(sample.about, QFontMetricsF(theme.font("secondary")), rect.width())
        lines = (
            (sample.title, "body-strong", "text", 24, rect.width() - wide - px(10)),
            (about[0], "secondary", "text-2", 43, rect.width()),
            (about[1], "secondary", "text-2", 60, rect.width()),
            (sample.shapes, "mono", "text-2", 81, rect.width()),
        )
        for text, role, token, y, room in lines:
            painter.setFont(theme.font(role))
            painter.setPen(theme.colour(token))
            metrics = QFontMetricsF(painter.font())
            words = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
            painter.drawText(QPointF(rect.x(), rect.y() + px(y)), words)


def _two_lines(text: str, metrics: QFontMetricsF, room: float) -> tuple[str, str]:
    """A text broken between two words where its first line is full."""
    words = text.split(" ")
    first = len(words)
    while first > 1 and metrics.horizontalAdvance(" ".join(words[:first])) > room:
        first -= 1
    return " ".join(words[:first]), " ".join(words[first:])


class RecentRow(Control):
    """A file that was opened before: its picture, name, time and count."""

    def __init__(self, theme: Theme, path: Path, when: str) -> None:
        super().__init__(theme, path.stem)
        self.path = path
        self.sample = Sample(path.stem)
        self._when = when
        self.setToolTip(str(path))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_sample(self, sample: Sample) -> None:
        """Show what is known of the file now."""
        self.sample = sample
        self.setAccessibleName(f"{self.text()} {sample.parameters}".strip())
        if sample.trouble:
            self.setToolTip(sample.trouble)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self.theme.px(200), self.theme.px(_RECENT))

    def draw(self, painter: QPainter, rect: QRectF) -> None:
        theme, px = self.theme, self.theme.px
        if self.pointed():
            paint.box(painter, rect, px(6), theme.colour("hover"))
        thumb = QRectF(px(2), (rect.height() - px(_THUMB[1])) / 2, px(_THUMB[0]), px(_THUMB[1]))
        paint.box(painter, thumb, px(4), theme.colour("canvas"), theme.colour("border"))
        inside = thumb.adjusted(4, 4, -4, -4)
        paint_thumbnail(painter, inside, theme, self.sample.picture, words=False)
        painter.setFont(theme.font("secondary"))
        figure = self.sample.parameters
        metrics = QFontMetricsF(painter.font())
        wide = metrics.horizontalAdvance(figure)
        painter.setPen(theme.colour("text-2"))
        right = rect.right() - px(2) - wide
        painter.drawText(QPointF(right, paint.base_line(rect, metrics)), figure)
        self._draw_name(painter, QPointF(thumb.right() + px(12), rect.y()), right - px(8))

    def _draw_name(self, painter: QPainter, at: QPointF, right: float) -> None:
        theme, px = self.theme, self.theme.px
        below = "Cannot be read" if self.sample.trouble else self._when
        quiet = "error" if self.sample.trouble else "text-2"
        lines = ((self.text(), "body", "text", 21), (below, "secondary", quiet, 38))
        for text, role, token, y in lines:
            painter.setFont(theme.font(role))
            painter.setPen(theme.colour(token))
            room = right - at.x()
            metrics = QFontMetricsF(painter.font())
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, room)
            painter.drawText(QPointF(at.x(), at.y() + px(y)), shown)


class FamilyPill(Control):
    """A filter of the gallery."""

    radius = 14.0

    def __init__(self, theme: Theme, family: str) -> None:
        super().__init__(theme, family)
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        words = QFontMetricsF(self.theme.font("body-medium")).horizontalAdvance(self.text())
        return QSize(round(words) + self.theme.px(24), self.theme.px(28))

    def draw(self, painter: QPainter, rect: QRectF) -> None:
        theme, chosen = self.theme, self.isChecked()
        if chosen or self.pointed():
            fill = theme.colour("accent-tint" if chosen else "hover")
            paint.box(painter, rect, rect.height() / 2, fill)
        painter.setFont(theme.font("body-medium" if chosen else "body"))
        painter.setPen(theme.colour("text" if chosen else "text-2"))
        paint.centred_text(painter, rect, self.text())


class DropArea(QWidget):
    """Says that files can be dropped here."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(theme.px(104))
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, px = self._theme, self._theme.px
        rect = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        lines = (("Drop a design here", "body-strong", "text", 50), (SUFFIX, "hint", "text-2", 74))
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(theme.colour("border-strong"), 1, Qt.PenStyle.DashLine))
            painter.drawRoundedRect(rect, px(8), px(8))
            side = px(18)
            place = QRectF(rect.center().x() - side / 2, px(18), side, side)
            icons.paint(painter, place, "open", theme.colour("text-2"))
            for text, role, token, y in lines:
                painter.setFont(theme.font(role))
                painter.setPen(theme.colour(token))
                paint.centred_text(painter, QRectF(0, px(y - 6), self.width(), px(18)), text)


class Recents(QWidget):
    """The left side: a new design, files, and what was opened before."""

    new_wanted = Signal()
    open_wanted = Signal()
    file_wanted = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.rows: list[RecentRow] = []
        self.new = TextButton(theme, "New design", "plus", primary=True)
        self.open = TextButton(theme, "Open…", "folder")
        self.title = TextLabel(theme, "Recent", "section", "text-2")
        self.drop = DropArea(theme)
        self._column = QVBoxLayout()
        self.new.clicked.connect(self.new_wanted.emit)
        self.open.clicked.connect(self.open_wanted.emit)
        self._build()

    def _build(self) -> None:
        px = self.theme.px
        self.setFixedWidth(px(_SIDE))
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(TextLabel(self.theme, "Netdraft", "page-title", "text"))
        words.addWidget(
            TextLabel(self.theme, "Neural networks, drawn and counted", "body", "text-2")
        )
        head = QHBoxLayout()
        head.setSpacing(px(12))
        head.addWidget(IconLabel(self.theme, "logo", "accent", 28))
        head.addLayout(words, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(px(8))
        for button in (self.new, self.open):
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            buttons.addWidget(button)
        self._column.setSpacing(px(4))
        whole = QVBoxLayout(self)
        whole.setContentsMargins(px(28), px(30), px(28), px(20))
        whole.setSpacing(0)
        for part, space in ((head, 22), (buttons, 24)):
            whole.addLayout(part)
            whole.addSpacing(px(space))
        whole.addWidget(self.title)
        whole.addSpacing(px(8))
        whole.addLayout(self._column)
        whole.addStretch(1)
        whole.addWidget(self.drop)

    def show_files(self, files: Sequence[tuple[Path, str]]) -> None:
        """Show these files with the times of their last changes."""
        for row in self.rows:
            row.hide()
            row.deleteLater()
        self.rows = [RecentRow(self.theme, path, when) for path, when in files]
        for row in self.rows:
            row.clicked.connect(self._clicked)
            self._column.addWidget(row)
        self.title.setVisible(bool(self.rows))

    def _clicked(self) -> None:
        row = self.sender()
        if isinstance(row, RecentRow):
            self.file_wanted.emit(row.path)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self.theme.colour("panel"))
            line = self.rect().adjusted(self.width() - 1, 0, 0, 0)
            painter.fillRect(line, self.theme.colour("border"))


class Gallery(QWidget):
    """The cards, as many in a row as there is room for; families and words choose among them."""

    wanted = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.cards: dict[str, SampleCard] = {}
        self.search = SearchField(theme, "Search templates", "/")
        self.pills = {family: FamilyPill(theme, family) for family in (ALL, *FAMILIES)}
        self.none = paragraph(theme, "", "body", "text-2")
        self._group = QButtonGroup(self)
        self._page = QWidget()
        self._grid = QGridLayout(self._page)
        self._scroll = QScrollArea()
        self._across = 0
        self._build()
        self.search.textChanged.connect(self.choose)
        self.search.returnPressed.connect(self._open_first)
        self._group.buttonClicked.connect(self.choose)
        self.pills[ALL].setChecked(True)

    def _build(self) -> None:
        px = self.theme.px
        head = QHBoxLayout()
        head.setContentsMargins(px(_INSET), px(24), px(_INSET), px(14))
        head.setSpacing(px(6))
        head.addWidget(TextLabel(self.theme, "Templates", "page-title", "text"))
        head.addSpacing(px(10))
        for pill in self.pills.values():
            self._group.addButton(pill)
            head.addWidget(pill)
        head.addStretch(1)
        self.search.setFixedWidth(px(240))
        head.addWidget(self.search)
        self._build_grid()
        self.none.setContentsMargins(px(_INSET), px(8), px(_INSET), 0)
        self.none.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.none)
        column.addWidget(self._scroll, 1)

    def _build_grid(self) -> None:
        px = self.theme.px
        self._page.setObjectName("page")
        self._grid.setContentsMargins(px(_INSET), px(2), px(_INSET), px(_INSET))
        self._grid.setSpacing(px(_GAP))
        self._grid.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._scroll.setWidget(self._page)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def show_samples(self, samples: dict[str, Sample]) -> None:
        """Show cards for these designs."""
        for name, sample in samples.items():
            if name not in self.cards:
                card = self.cards[name] = SampleCard(self.theme, name, sample)
                card.setParent(self._page)
                card.clicked.connect(self._clicked)
        set_tab_order([self.search, *self.pills.values(), *self.cards.values()])
        self.choose()

    def _clicked(self) -> None:
        card = self.sender()
        if isinstance(card, SampleCard):
            self.wanted.emit(card.name)

    def tell(self, name: str, sample: Sample) -> None:
        """Show what is known of a design now."""
        card = self.cards.get(name)
        if card is not None:
            fitted = self._fits(card.sample)
            card.show_sample(sample)
            if self._fits(sample) != fitted:
                self.choose()

    @property
    def family(self) -> str:
        """The family that is chosen; empty for all."""
        chosen = self._group.checkedButton()
        return "" if chosen is None or chosen is self.pills[ALL] else chosen.text()

    def _fits(self, sample: Sample) -> bool:
        return sample.answers(self.family, self.search.text())

    def shown(self) -> list[SampleCard]:
        """The cards that family and words have chosen."""
        return [card for card in self.cards.values() if self._fits(card.sample)]

    def choose(self) -> None:
        """Lay out the cards that fit."""
        chosen = self.shown()
        for card in self.cards.values():
            self._grid.removeWidget(card)
            card.setVisible(False)
        self._across = self._columns()
        for place, card in enumerate(chosen):
            self._grid.addWidget(card, place // self._across, place % self._across)
            card.setVisible(True)
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, int(column < self._across))
        self.none.setText(f"No template matches {self.search.text().strip()}.")
        self.none.setVisible(not chosen and bool(self.cards))

    def _columns(self) -> int:
        room = self.width() - 2 * self.theme.px(_INSET) + self.theme.px(_GAP)
        return max(1, room // self.theme.px(_LEAST_CARD + _GAP))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._columns() != self._across:
            self.choose()

    def _open_first(self) -> None:
        chosen = self.shown()
        if chosen:
            self.wanted.emit(chosen[0].name)


class StartPage(QWidget):
    """What stands in the window before there is a design."""

    example_wanted = Signal(str)
    file_wanted = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.recents = Recents(theme)
        self.gallery = Gallery(theme)
        self.reading = Reading(self.isVisible)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.recents)
        row.addWidget(self.gallery, 1)
        self.setAcceptDrops(True)
        self.gallery.wanted.connect(self.example_wanted.emit)
        self.recents.file_wanted.connect(self.file_wanted.emit)
        self.reading.told.connect(self._tell)
        theme.changed.connect(self.update)
        find = QShortcut(QKeySequence("/"), self, self.gallery.search.setFocus)
        find.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)

    def set_recent(self, paths: Sequence[Path]) -> None:
        """Show these files, as far as they are there."""
        files = [(path, moment) for path in paths if (moment := changed(path)) is not None]
        now = datetime.now().astimezone()
        self.recents.show_files([(path, when(moment, now)) for path, moment in files])

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        paths = [row.path for row in self.recents.rows]
        self.reading.begin(path for path in paths if str(path) not in self.reading.samples)
        self.gallery.show_samples(
            {name: s for name, s in self.reading.samples.items() if not name.endswith(SUFFIX)}
        )
        for row in self.recents.rows:
            row.show_sample(self.reading.samples.get(str(row.path), row.sample))

    def _tell(self, name: str) -> None:
        sample = self.reading.samples[name]
        self.gallery.tell(name, sample)
        for row in self.recents.rows:
            if str(row.path) == name:
                row.show_sample(sample)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self.theme.colour("app"))

    # Files that are dropped

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _dropped(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        for path in _dropped(event):
            self.file_wanted.emit(path)
        event.acceptProposedAction()


def _dropped(event: QDropEvent) -> list[Path]:
    paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
    return [path for path in paths if path.suffix == SUFFIX]


def changed(path: Path) -> datetime | None:
    """When a file was changed; None where it is not there."""
    try:
        return datetime.fromtimestamp(path.stat().st_mtime).astimezone()
    except OSError:
        return None


def when(moment: datetime, now: datetime) -> str:
    """`Today 14:02`, `Yesterday`, `18 November`, and with the year where it is another one."""
    if moment.date() == now.date():
        return f"Today {moment:%H:%M}"
    if moment.date() == (now - timedelta(days=1)).date():
        return "Yesterday"
    year = "" if moment.year == now.year else f" {moment.year}"
    return f"{moment.day} {_MONTHS[moment.month - 1]}{year}"


_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
