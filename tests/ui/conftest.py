"""The theme that the widgets under test are drawn in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from designer.ui.theme import Theme

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    """The dark theme at 100%, in force."""
    result = Theme()
    result.apply(qapp, "dark")
    return result
