"""What the Help menu shows: all keys, and what this program is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout

from designer.ui.actions import ACTIONS, key_text
from designer.ui.widgets.boxes import IconLabel
from designer.ui.widgets.popup import PopupFrame
from designer.ui.widgets.text import SectionTitle, TextLabel, paragraph

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QWidget

    from designer.ui.actions import Action
    from designer.ui.theme import Theme

_COLUMNS = 3

GESTURES = (
    ("Wheel", "Zoom at the pointer"),
    ("Space drag, middle drag", "Move the view"),
    ("Two fingers", "Move the view"),
    ("Drag from a port", "Pull a wire"),
    ("Arrows", "Go along the wires"),
    ("Shift Arrows", "Move the layer by 8"),
    ("Esc", "Cancel"),
)
"""What is done on the canvas without being an action."""


def _key_names(action: Action) -> str:
    return ", ".join(dict.fromkeys(key_text(key) for key in action.keys))


def sections(
    table: Sequence[Action] = ACTIONS,
) -> list[tuple[str, list[tuple[str, str]]]]:
    """The keys by menu, each as (key, what it does); then what is done on the canvas."""
    keyed = [action for action in table if action.keys]
    found = [
        (menu, [(_key_names(action), action.title) for action in actions])
        for menu, actions in groupby(keyed, key=lambda action: action.menu)
    ]
    return [*found, ("On the canvas", list(GESTURES))]


class KeysPopup(PopupFrame):
    """All keys at a glance; Esc or a click elsewhere closes it."""

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(theme, window, "Keys")
        columns = QHBoxLayout()
        columns.setContentsMargins(20, 16, 20, 20)
        columns.setSpacing(28)
        parts = [QVBoxLayout() for _ in range(_COLUMNS)]
        for part in parts:
            columns.addLayout(part)
        heights = [0] * _COLUMNS
        for title, rows in sections():
            shortest = heights.index(min(heights))
            heights[shortest] += len(rows) + 2
            parts[shortest].addLayout(self._section(title, rows))
        for part in parts:
            part.addStretch(1)
        self.body.addLayout(columns)

    def _section(self, title: str, rows: list[tuple[str, str]]) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(0, 1)
        grid.setContentsMargins(0, 0, 0, 12)
        grid.addWidget(SectionTitle(self.theme, title), 0, 0, 1, 2)
        for index, (key, does) in enumerate(rows, 1):
            grid.addWidget(TextLabel(self.theme, does, "secondary"), index, 0)
            label = TextLabel(self.theme, key, "secondary", "text-2")
            grid.addWidget(label, index, 1, Qt.AlignmentFlag.AlignRight)
        return grid

    def open_centred(self) -> None:
        """Show it in the middle of the window."""
        _open_centred(self, 0)


def release() -> str:
    """The version that is installed, or an empty text when it runs without being installed."""
    try:
        return version("netdraft")
    except PackageNotFoundError:
        return ""


class AboutPopup(PopupFrame):
    """The name, the version and the licence."""

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(theme, window, "About Netdraft")
        head = QHBoxLayout()
        head.setContentsMargins(20, 20, 20, 8)
        head.setSpacing(14)
        words = QVBoxLayout()
        words.addWidget(TextLabel(theme, f"Netdraft {release()}".strip(), "page-title"))
        words.addWidget(TextLabel(theme, "Neural networks, drawn and counted", "body", "text-2"))
        head.addWidget(IconLabel(theme, "logo", "accent", 32))
        head.addLayout(words)
        head.addStretch(1)
        rest = QVBoxLayout()
        rest.setContentsMargins(20, 4, 20, 20)
        rest.addWidget(
            paragraph(
                theme,
                "Free software under the MIT licence. "
                "The typefaces Inter and JetBrains Mono are under the SIL Open Font License 1.1.",
                "secondary",
            )
        )
        self.body.addLayout(head)
        self.body.addLayout(rest)

    def open_centred(self) -> None:
        """Show it in the middle of the window."""
        _open_centred(self, self.theme.px(380))


def _open_centred(popup: PopupFrame, width: int) -> None:
    """Open `popup` in the middle of its window, as wide as its contents when `width` is 0."""
    margins = popup.body.contentsMargins()
    natural = popup.body.sizeHint().width() - margins.left() - margins.right() + 2
    popup.open_at(QPoint(0, 0), width or natural)
    room, frame = popup.parentWidget(), popup.frame()
    if room is not None:
        middle = room.rect().center() - frame.center()
        popup.move(middle)
