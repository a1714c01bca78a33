"""The one style sheet, for the standard controls; what it cannot say is painted in `widgets`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# `@name` is a colour, `12dp` a measure at 100%. Fonts are set on widgets: no half pixels here.
_TEMPLATE = """
QMainWindow, QDialog, QMessageBox { background: @app; }
QWidget#panel, QScrollArea#panel, QWidget#dock { background: @panel; }
QScrollArea { border: none; background: transparent; }
QScrollArea > QWidget > QWidget#page { background: transparent; }
QLabel { background: transparent; }

QToolTip {
    background: @raised; color: @text; border: 1px solid @border-strong;
    padding: 0 2dp;
}

QMenuBar { background: transparent; border: none; spacing: 0; padding: 0; margin: 0; }
QMenuBar::item { background: transparent; color: @text-2; padding: 5dp 9dp; border-radius: 6dp; }
QMenuBar::item:selected { background: @hover; color: @text; }
QMenuBar::item:pressed { background: @pressed; color: @text; }

QMenu { background: @raised; color: @text; border: 1px solid @border-strong; padding: 5dp; }
QMenu::item { padding: 5dp 24dp 5dp 10dp; border-radius: 4dp; min-height: 16dp; }
QMenu::item:selected { background: @accent-tint; }
QMenu::item:disabled { color: @text-off; }
QMenu::icon { padding-left: 8dp; }
QMenu::separator { height: 1px; background: @border; margin: 5dp 6dp; }

QLineEdit, QSpinBox, QDoubleSpinBox, QPlainTextEdit, QTextEdit {
    background: @field; color: @text; border: 1px solid @border-strong; border-radius: 6dp;
    padding: 0 8dp; selection-background-color: @accent-fill; selection-color: @accent-ink;
}
QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox { min-height: 26dp; max-height: 26dp; }
SearchField { min-height: 28dp; max-height: 28dp; }
QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QPlainTextEdit:focus, QTextEdit:focus,
QComboBox:focus { border: 2px solid @accent; padding: 0 7dp; }
QLineEdit[state="error"], QComboBox[state="error"] { border: 2px solid @error; padding: 0 7dp; }
QLineEdit:disabled, QComboBox:disabled { color: @text-off; }
QLineEdit[plain="true"], QLineEdit[plain="true"]:focus { border: none; background: transparent; }
QPlainTextEdit[plain="true"], QPlainTextEdit[plain="true"]:focus,
QTextEdit[plain="true"], QTextEdit[plain="true"]:focus {
    border: none; border-radius: 0; background: @panel; padding: 0;
}

QComboBox {
    background: @field; color: @text; border: 1px solid @border-strong; border-radius: 6dp;
    padding: 0 8dp;
}
QComboBox::drop-down { border: none; width: 22dp; }
QComboBox::down-arrow { image: none; }
QComboBox QAbstractItemView {
    background: @raised; color: @text; border: 1px solid @border-strong; outline: none;
    selection-background-color: @accent-tint; selection-color: @text; padding: 4dp;
}

QPushButton {
    background: @node; color: @text; border: 1px solid @border-strong; border-radius: 6dp;
    padding: 0 12dp; min-height: 26dp; max-height: 26dp;
}
QPushButton:hover { background: @hover; }
QPushButton:pressed { background: @pressed; }
QPushButton:disabled { color: @text-off; }
QPushButton:default { background: @accent-fill; border-color: @accent-fill; color: @accent-ink; }

QCheckBox { color: @text; spacing: 8dp; }

QTreeView, QListView, QTableView {
    background: transparent; color: @text; border: none; outline: none;
    selection-background-color: @accent-tint; selection-color: @text;
    alternate-background-color: @panel;
}
QTreeView::item, QListView::item { min-height: 26dp; border: none; }
QTreeView::item:hover, QListView::item:hover { background: @hover; }
QTreeView::item:selected, QListView::item:selected { background: @accent-tint; color: @text; }
QHeaderView::section {
    background: @panel; color: @text-3; border: none; border-bottom: 1px solid @border;
    padding: 4dp 8dp;
}

QSplitter::handle { background: @border; }
QAbstractScrollArea::corner { background: transparent; }
QScrollBar { background: transparent; border: none; margin: 0; }
QScrollBar:vertical { width: 10dp; }
QScrollBar:horizontal { height: 10dp; }
QScrollBar::handle { background: @border-strong; border-radius: 3dp; margin: 2dp; }
QScrollBar::handle:vertical { min-height: 28dp; }
QScrollBar::handle:horizontal { min-width: 28dp; }
QScrollBar::handle:hover { background: @text-3; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QTabBar#documents { background: @app; border: none; }
QTabBar#documents::tab {
    background: transparent; color: @text-2; border: none; border-right: 1px solid @border;
    padding: 0 14dp; min-height: 32dp; max-height: 32dp;
}
QTabBar#documents::tab:selected { background: @canvas; color: @text; }
QTabBar#documents::tab:hover:!selected { background: @hover; }
"""


def style_sheet(colours: Mapping[str, str], px: Callable[[float], int]) -> str:
    """The sheet in `colours`, with measures scaled by `px`; KeyError for an unknown colour."""
    text = re.sub(r"@([a-z0-9-]+)", lambda m: colours[m[1]], _TEMPLATE)
    return re.sub(r"\b(\d+)dp\b", lambda m: f"{px(int(m[1]))}px", text)
