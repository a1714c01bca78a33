"""The order in which Tab goes through controls."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from collections.abc import Iterable


def set_tab_order(controls: Iterable[QWidget]) -> None:
    """Let Tab go through the controls in this order; Qt's own is that of their creation."""
    for before, after in pairwise(controls):
        QWidget.setTabOrder(before, after)
