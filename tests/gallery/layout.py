"""Arranges a drawn design as the window does, with the sizes that its layers have there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core import edits
from designer.core.level import Level
from designer.core.message import message
from designer.ui.canvas.arranging import arranged_level
from designer.ui.canvas.texts import Texts

if TYPE_CHECKING:
    from designer.core.editor import Editor

ARRANGE = message("Arrange")


def arrange(editor: Editor) -> None:
    """Arrange the design and each of its blocks; fonts must be loaded."""
    texts = Texts()
    levels = [editor, *(Level(editor, name) for name in editor.document.blocks)]
    for level in levels:
        level.apply(edits.move(arranged_level(level, texts.width)), ARRANGE)
