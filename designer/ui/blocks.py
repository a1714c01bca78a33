"""What one does with the blocks of a design by their names, and with those of the library."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from designer.core.block_edits import (
    add_block,
    fresh_block_name,
    remove_block,
    rename_block,
    renumbered,
)
from designer.core.edits import Refused
from designer.core.message import message
from designer.files.library import load_block, remove
from designer.files.refusal import Refusal
from designer.ui import filing
from designer.ui.block_facts import way_to

if TYPE_CHECKING:
    from designer.core.document import Draft, Edit
    from designer.core.message import Message
    from designer.ui.canvas import Canvas
    from designer.ui.canvas.geometry import Point
    from designer.ui.descent import Descent
    from designer.ui.desk import Desk


def duplicated(name: str) -> Edit:
    """The edit that declares a block equal to another, under a name of its own."""

    def edit(draft: Draft) -> None:
        block = draft.whole.blocks[name]
        copy, positions = renumbered(block, draft.whole.layout, draft.whole.next_id)
        draft.put("block", fresh_block_name(draft.whole, name.rstrip("0123456789") or name), copy)
        for id, position in positions.items():
            draft.put_position(id, position)

    return edit


class Blocks(QObject):
    """Makes, opens, names and removes blocks; `said` carries a sentence for the status line."""

    said = Signal(str)
    library_changed = Signal()

    def __init__(self, desk: Desk, descent: Descent, canvas: Canvas) -> None:
        super().__init__()
        self._desk = desk
        self._descent = descent
        self._canvas = canvas
        self._verbs = {
            "enter": self.enter,
            "open": self._descent.open,
            "duplicate": self.duplicate,
            "remove": self.remove,
            "keep": self.keep,
        }

    def do(self, verb: str, name: str) -> None:
        """Do with a block what an entry of its menu says."""
        self._verbs[verb](name)

    def _apply(self, edit: Edit, label: Message) -> bool:
        editor = self._desk.editor
        if editor is None:
            return False
        try:
            editor.apply(edit, label)
        except Refused as refused:
            self.said.emit(str(refused.message))
            return False
        return True

    def new(self) -> None:
        """Declare an empty block and go into it."""
        editor = self._desk.editor
        if editor is None:
            return
        name = fresh_block_name(editor.document)
        if self._apply(add_block(name), message("Declare {name}", name=name)):
            self._descent.open(name)

    def enter(self, name: str) -> None:
        """Go into a block where it is used first."""
        editor = self._desk.editor
        way = way_to(editor.analysis, name) if editor is not None else ()
        if way:
            self._descent.go_to(way)
        else:
            self._descent.open(name)

    def rename(self, old: str, new: str) -> None:
        """Give a block another name."""
        self._apply(rename_block(old, new), message("Rename {old} to {name}", old=old, name=new))

    def duplicate(self, name: str) -> None:
        """Declare a block equal to another."""
        self._apply(duplicated(name), message("Duplicate"))

    def remove(self, name: str) -> None:
        """Remove a block that nothing uses."""
        self._apply(remove_block(name), message("Delete {name}", name=name))

    # The library

    def keep(self, name: str) -> None:
        """Save a block to the user's library."""
        editor = self._desk.editor
        if editor is not None and filing.keep_block(self._desk.window, editor.document, name):
            self.said.emit(f"{name} is in your library.")
            self.library_changed.emit()

    def put(self, path: str, place: Point | None = None) -> None:
        """Put a block of the library into the design, at a place or in the middle."""
        try:
            piece = load_block(Path(path))
        except Refusal as refusal:
            self.said.emit(str(refusal))
            return
        self._canvas.put_in(piece, message("Add {kind}", kind=Path(path).stem), place)

    def forget(self, path: str) -> None:
        """Take a block out of the library."""
        try:
            remove(Path(path))
        except Refusal as refusal:
            self.said.emit(str(refusal))
        self.library_changed.emit()
