"""The places around the canvas: the left panel, the right one with the totals, the dock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QFrame,
    QScrollArea,
    QScrollBar,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from designer.ui.widgets.boxes import Divider
from designer.ui.widgets.buttons import IconButton
from designer.ui.widgets.tabs import PanelTabs

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent, QResizeEvent

    from designer.ui.theme import Theme

LEFT_WIDTH, LEFT_LEAST, LEFT_MOST = 248, 200, 400
RIGHT_WIDTH, RIGHT_LEAST, RIGHT_MOST = 344, 300, 480
DOCK_HEIGHT, DOCK_LEAST = 212, 120
SIDE_TABS, DOCK_TABS = 36, 34
TOTALS_SHARE = 0.45
"""What the totals keep of the right panel's height however long the inspector is."""

_NO_LIMIT = 16777215


class Panel(QWidget):
    """A surface in the panel colour that asks for a width when the window is first laid out."""

    def __init__(self, theme: Theme, width: int, least: int, most: int) -> None:
        super().__init__()
        self.theme = theme
        self._widths = (width, least, most)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(0)
        self._limit()
        theme.changed.connect(self._limit)

    def _limit(self) -> None:
        # The line between a panel and the canvas counts as the panel's: hence one less.
        _, least, most = self._widths
        self.setMinimumWidth(self.theme.px(least) - 1)
        self.setMaximumWidth(self.theme.px(most) - 1)
        self.update()

    def set_width(self, width: int) -> None:
        """Ask for `width` px, at 100%, when the window is laid out the first time."""
        _, least, most = self._widths
        self._widths = (max(least, min(width, most)), least, most)
        self.updateGeometry()

    def shown_width(self) -> int:
        """Its width in px at 100% while it is, or was last, shown."""
        if self.isVisible():
            self.set_width(round((self.width() + 1) / self.theme.scale))
        return self._widths[0]

    def sizeHint(self) -> QSize:
        return QSize(self.theme.px(self._widths[0]) - 1, self.theme.px(400))

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self.theme.colour("panel"))


class LeftPanel(Panel):
    """The list of layers and the outline of the design, under their tabs."""

    def __init__(self, theme: Theme, palette: QWidget, outline: QWidget) -> None:
        super().__init__(theme, LEFT_WIDTH, LEFT_LEAST, LEFT_MOST)
        self.tabs = PanelTabs(theme, ("Layers", "Outline"), 14, SIDE_TABS)
        self.stack = QStackedWidget()
        for page in (palette, outline):
            self.stack.addWidget(page)
        self.column.addWidget(self.tabs)
        self.column.addWidget(self.stack, 1)
        self.tabs.selected.connect(self.stack.setCurrentIndex)


class _Scroll(QScrollArea):
    """Scrolls a column that is as wide as the panel: its bar stands on the column's margin."""

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self.content = content
        self._bar = QScrollBar(Qt.Orientation.Vertical, self)
        self._follow()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(content)
        self.viewport().setAutoFillBackground(False)
        content.setAutoFillBackground(False)

    def _follow(self) -> None:
        own = self.verticalScrollBar()
        own.rangeChanged.connect(self._measure)
        own.valueChanged.connect(self._bar.setValue)
        self._bar.valueChanged.connect(own.setValue)
        self._bar.hide()

    def _measure(self, least: int, most: int) -> None:
        own = self.verticalScrollBar()
        self._bar.setRange(least, most)
        self._bar.setPageStep(own.pageStep())
        self._bar.setSingleStep(own.singleStep())
        self._bar.setVisible(most > least)
        self._bar.raise_()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        width = self._bar.sizeHint().width()
        self._bar.setGeometry(self.width() - width, 0, width, self.height())

    def natural_height(self, width: int) -> int:
        """The height at which the content of that width need not scroll."""
        content = self.content
        if content.hasHeightForWidth():
            return max(content.heightForWidth(width), content.minimumHeight())
        return max(content.sizeHint().height(), content.minimumHeight())


class _Column(QWidget):
    """A page above, the totals at once below it; both scroll when the panel is too low."""

    def __init__(self, theme: Theme, pages: tuple[QWidget, ...], totals: QWidget) -> None:
        super().__init__()
        self.pages = tuple(_Scroll(page) for page in pages)
        self.totals = _Scroll(totals)
        self._line = Divider(theme)
        self._shown = self.pages[0]
        for part in (*self.pages, self.totals, self._line):
            part.setParent(self)
        for scroll in (*self.pages, self.totals):
            # A new layout inside is told to the content, its own new size to what holds it.
            scroll.content.installEventFilter(self)
            scroll.viewport().installEventFilter(self)
        self.show_page(0)

    def show_page(self, index: int) -> None:
        self._shown = self.pages[index]
        for page in self.pages:
            page.setVisible(page is self._shown)
        self.arrange()

    def arrange(self) -> None:
        """Give page and totals their heights."""
        width, height = self.width(), self.height() - 1
        below = self.totals.natural_height(width)
        least = min(below, round(height * TOTALS_SHARE))
        above = max(0, min(self._shown.natural_height(width), height - least))
        self._shown.setGeometry(0, 0, width, above)
        self._line.setGeometry(0, above, width, 1)
        self.totals.setGeometry(0, above + 1, width, max(0, min(below, height - above)))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self.arrange()
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.arrange()


class RightPanel(Panel):
    """Inspector and variables under their tabs, and below them, always, the totals."""

    def __init__(self, theme: Theme, pages: tuple[QWidget, QWidget], totals: QWidget) -> None:
        super().__init__(theme, RIGHT_WIDTH, RIGHT_LEAST, RIGHT_MOST)
        self.tabs = PanelTabs(theme, ("Inspector", "Variables"), 16, SIDE_TABS)
        self.area = _Column(theme, pages, totals)
        self.column.addWidget(self.tabs)
        self.column.addWidget(self.area, 1)
        self.tabs.selected.connect(self.area.show_page)


class Dock(QWidget):
    """Problems and code under the canvas; it folds down to its tabs."""

    height_wanted = Signal(int)

    def __init__(self, theme: Theme, pages: tuple[tuple[str, QWidget], ...]) -> None:
        super().__init__()
        self._theme = theme
        self._height = DOCK_HEIGHT
        self._open = True
        self._corners: dict[int, QWidget] = {}
        self.tabs = PanelTabs(theme, tuple(title for title, _ in pages), 14, DOCK_TABS)
        self.stack = QStackedWidget()
        self.chevron = IconButton(theme, "down", "Fold the dock")
        for _, page in pages:
            self.stack.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.tabs)
        column.addWidget(self.stack, 1)
        self.tabs.add_corner(self.chevron)
        self.tabs.selected.connect(self._show)
        theme.changed.connect(self._limit)
        self._limit()

    def set_corner(self, index: int, widget: QWidget) -> None:
        """Show `widget` at the right of the tabs while the tab `index` is chosen."""
        self._corners[index] = widget
        self.tabs.add_corner(widget)
        self.tabs.add_corner(self.chevron)
        self._show_corners()

    def set_height(self, height: int) -> None:
        """Ask for `height` px, at 100%, when the window is laid out the first time."""
        self._height = height
        self.updateGeometry()

    def open_height(self) -> int:
        """Its height in px at 100% while it is, or was last, unfolded."""
        if self.isVisible() and self._open:
            self._height = round((self.height() + 1) / self._theme.scale)
        return self._height

    def is_open(self) -> bool:
        """Whether more than the tabs is shown."""
        return self._open

    def set_open(self, is_open: bool) -> None:
        """Fold the dock down to its tabs, or unfold it."""
        if is_open == self._open:
            return
        height = self.open_height()
        self._open = is_open
        self.stack.setVisible(is_open)
        self.tabs.set_quiet(not is_open)
        self.chevron.set_icon("down" if is_open else "up")
        self.chevron.setToolTip("Fold the dock" if is_open else "Unfold the dock")
        self._limit()
        self._show_corners()
        self.height_wanted.emit(self._theme.px(height) - 1 if is_open else self.maximumHeight())

    def _show(self, index: int) -> None:
        self.stack.setCurrentIndex(index)
        self.set_open(True)
        self._show_corners()

    def _show_corners(self) -> None:
        for index, widget in self._corners.items():
            widget.setVisible(self._open and index == self.tabs.current())

    def _limit(self) -> None:
        tabs = self._theme.px(DOCK_TABS)
        self.setMinimumHeight(self._theme.px(DOCK_LEAST) if self._open else tabs)
        self.setMaximumHeight(_NO_LIMIT if self._open else tabs)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(400), self._theme.px(self._height) - 1)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self._theme.colour("panel"))
