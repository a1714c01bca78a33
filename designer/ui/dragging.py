"""What a drag onto the canvas carries, and how it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QDrag
from PySide6.QtWidgets import QApplication

from designer.ui.layer_search import MIME_KIND

if TYPE_CHECKING:
    from PySide6.QtCore import QPointF
    from PySide6.QtGui import QMouseEvent
    from PySide6.QtWidgets import QWidget

MIME_LIBRARY = "application/x-netdraft-library"
"""What a drag of a block of the library carries: its file."""


class Draggable:
    """What a press on a layer's row or chip can become: a drag that carries its kind."""

    def __init__(self, kind: str, mime: str = MIME_KIND) -> None:
        self.kind = kind
        self._mime = mime
        self._pressed: QPointF | None = None

    def press(self, event: QMouseEvent) -> None:
        """Remember where a drag may begin."""
        left = event.button() == Qt.MouseButton.LeftButton
        self._pressed = event.position() if left else None

    def dragged(self, source: QWidget, event: QMouseEvent) -> bool:
        """Begin the drag once the pointer has gone far enough; True where it did."""
        if self._pressed is None:
            return False
        way = (event.position() - self._pressed).manhattanLength()
        if way < QApplication.startDragDistance():
            return False
        self._pressed = None
        drag = QDrag(source)
        drag.setMimeData(self.data())
        drag.exec(Qt.DropAction.CopyAction)
        return True

    def data(self) -> QMimeData:
        """What the drag carries."""
        data = QMimeData()
        data.setData(self._mime, self.kind.encode())
        return data
