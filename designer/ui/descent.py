"""Which level of a design is worked on: the design itself, or a block that was entered."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QObject, Signal

from designer.core import size as sizes
from designer.core.block import BLOCK, BlockUse
from designer.core.level import Level

if TYPE_CHECKING:
    from designer.core.editor import Editable, Editor, Notice
    from designer.core.graph import NodeId


class Place(NamedTuple):
    """One part of the way from the design to the level in front; `copies` where there are many."""

    title: str
    copies: str = ""


class Descent(QObject):
    """The way into the blocks of one design at a time.

    `leaving` comes before another level is put in front and `moved` after it.
    """

    leaving = Signal()
    moved = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._editor: Editor | None = None
        self._levels: list[Level] = []
        self._views: dict[tuple[str, tuple[NodeId, ...]], dict[str, object]] = {}

    @property
    def current(self) -> Editable | None:
        """The level in front."""
        return self._levels[-1] if self._levels else self._editor

    @property
    def depth(self) -> int:
        """How many blocks were entered, one within the other."""
        return len(self._levels)

    def set_editor(self, editor: Editor | None) -> None:
        """Begin at the top of a design, without telling of it."""
        if self._editor is not None:
            self._editor.unlisten(self._heard)
        self._close(0)
        self._views.clear()
        self._editor = editor
        if editor is not None:
            editor.listen(self._heard)

    # Ways

    def enter(self, id: NodeId) -> bool:
        """Go into the block that a layer of this level is a use of; False where it is none."""
        current = self.current
        node = current.document.graph.nodes.get(id) if current is not None else None
        if self._editor is None or node is None or not node.kind.startswith(BLOCK):
            return False
        name = node.kind.removeprefix(BLOCK)
        if name not in self._editor.document.blocks:
            return False
        alone = bool(self._levels) and not self._levels[-1].path
        path = (*self._levels[-1].path, id) if self._levels else (id,)
        self.leaving.emit()
        self._levels.append(Level(self._editor, name, () if alone else path))
        self.moved.emit()
        return True

    def open(self, name: str) -> bool:
        """Go to a block by itself, whether it is used or not; False where there is none."""
        if self._editor is None or name not in self._editor.document.blocks:
            return False
        self.leaving.emit()
        self._close(0)
        self._levels.append(Level(self._editor, name))
        self.moved.emit()
        return True

    def go_to(self, path: tuple[NodeId, ...]) -> bool:
        """Go to the level to which these uses lead, from the top; False where they lead nowhere."""
        here = self._levels[-1].path if self._levels else ()
        if self._levels and len(here) != len(self._levels):
            self.go_out(0)
            here = ()
        shared = 0
        while shared < min(len(here), len(path)) and here[shared] == path[shared]:
            shared += 1
        self.go_out(shared)
        return all(self.enter(id) for id in path[shared:])

    def leave(self) -> NodeId | None:
        """Go out of the block in front; the use that was left."""
        return self.go_out(len(self._levels) - 1) if self._levels else None

    def go_out(self, depth: int) -> NodeId | None:
        """Go out until `depth` blocks are left to go out of; the use that was left last."""
        if not 0 <= depth < len(self._levels):
            return None
        self.leaving.emit()
        left = self._levels[depth]
        self._close(depth)
        self.moved.emit()
        return left.path[-1] if left.path else None

    def _close(self, depth: int) -> None:
        for level in self._levels[depth:]:
            level.close()
        del self._levels[depth:]

    def _heard(self, notice: Notice) -> None:
        """Follow blocks to their new names, and go out of what is no longer there."""
        for level in self._levels:
            level.block = _renamed(notice).get(level.block, level.block)
        gone = next((n for n, level in enumerate(self._levels) if not level.exists), None)
        if gone is not None:
            self.go_out(gone)

    # What is told of it

    def trail(self) -> list[Place]:
        """The way from the design to the level in front."""
        if self._editor is None:
            return []
        places = [Place(self._editor.document.title)]
        outer: Editable = self._editor
        for level in self._levels:
            copies = ""
            if level.path:
                result = outer.analysis.findings[level.path[-1]].layer
                number = result.copies if isinstance(result, BlockUse) else 1
                copies = "" if number == 1 else f"×{sizes.at_values(number)}"
            places.append(Place(level.block, copies))
            outer = level
        return places

    def keep_view(self, view: dict[str, object]) -> None:
        """Remember what was in view at the level in front, if it is a block."""
        if self._levels:
            self._views[self._key()] = view

    def view(self) -> dict[str, object] | None:
        """What was last in view at the level in front; None for the design, or the first time."""
        return self._views.get(self._key()) if self._levels else None

    def _key(self) -> tuple[str, tuple[NodeId, ...]]:
        return self._levels[-1].block, self._levels[-1].path


def _renamed(notice: Notice) -> dict[str, str]:
    """The new names of blocks by their old ones: the layers in them are the same."""
    changes = list(notice.delta.of("block"))
    gone = {id: change.old for id, change in changes if change.new is None}
    come = {id: change.new for id, change in changes if change.old is None}
    return {
        str(old): str(new)
        for old, before in gone.items()
        for new, after in come.items()
        if set(before.graph.nodes) == set(after.graph.nodes)
    }
