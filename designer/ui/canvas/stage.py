"""What the parts of the canvas share: the editor, what is drawn, what is picked out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from designer.core.edits import Refused
from designer.ui.canvas.drawing import Drawing
from designer.ui.canvas.far import Far
from designer.ui.canvas.ink import Marks
from designer.ui.canvas.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from designer.core.document import Edit
    from designer.core.editor import Editable, Notice
    from designer.core.graph import NodeId, Target
    from designer.core.message import Message


class Stage(QObject):
    """The drawing of one editor with selection and marks.

    All edits of the canvas go through `apply`.
    """

    changed = Signal()
    """Something has to be painted anew."""
    aboutToEdit = Signal()
    """The document has changed, and the drawing is about to follow."""
    edited = Signal()
    """The document has changed, or is another one."""
    selectionChanged = Signal(object)
    said = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.texts = Texts()
        self.drawing = Drawing(self.texts.width)
        self.far = Far(self.drawing)
        self.marks = Marks()
        self.zoom = 1.0

    @property
    def editor(self) -> Editable | None:
        """The editor whose document is drawn."""
        return self.drawing.editor

    def set_editor(self, editor: Editable | None) -> None:
        """Draw another document, or none."""
        if self.editor is not None:
            self.editor.unlisten(self._heard)
        self.marks = Marks()
        self.drawing.read(editor)
        if editor is not None:
            editor.listen(self._heard)
        self.selectionChanged.emit(self.selection)
        self._settle()

    def _heard(self, notice: Notice) -> None:
        self.aboutToEdit.emit()
        self.drawing.update(notice)
        if self.marks.hovered not in self.drawing.cards:
            self.marks.hovered = None
        gone = [id for id in self.marks.selected if id not in self.drawing.cards]
        if gone:
            self.select(self.marks.selected.difference(gone))
        chip = self.marks.chip
        if chip is not None and chip not in self._chips():
            self.marks.chip = None
        for name in ("hovered_wire", "picked_wire", "hidden_wire", "split_wire"):
            if getattr(self.marks, name) not in self.drawing.wires:
                setattr(self.marks, name, None)
        self._settle()

    def _chips(self) -> set[tuple[NodeId, NodeId]]:
        """The layers that can be picked out on the one selected use of a block."""
        cards = [self.drawing.cards[id] for id in self.selection]
        return {(card.id, member.id) for card in cards for member in card.members}

    def _settle(self) -> None:
        self.settle_bubble()
        self.edited.emit()
        self.changed.emit()

    # Edits

    def apply(self, edit: Edit, label: Message, gesture: Hashable = None) -> bool:
        """Make an edit; where it is refused, say why and return False."""
        if self.editor is None:
            return False
        try:
            self.editor.apply(edit, label, gesture)
        except Refused as refused:
            self.said.emit(str(refused.message))
            return False
        return True

    # Selection

    @property
    def selection(self) -> list[NodeId]:
        """The selected nodes in stored order."""
        return sorted(self.marks.selected)

    def select(self, ids: Iterable[NodeId]) -> None:
        """Select these nodes and no others."""
        chosen = frozenset(id for id in ids if id in self.drawing.cards)
        self.marks.picked_wire = None
        if self.marks.chip is not None and chosen != {self.marks.chip[0]}:
            self.marks.chip = None
        if chosen != self.marks.selected:
            self.marks.selected = chosen
            self.selectionChanged.emit(self.selection)
            self.settle_bubble()
        self.changed.emit()

    def pick_chip(self, use: NodeId, layer: NodeId | None) -> None:
        """Pick out a layer of a block on its use, without going in; None picks out none."""
        self.marks.chip = (use, layer) if layer is not None else None
        self.changed.emit()

    def toggle(self, id: NodeId) -> None:
        """Select a node besides the others, or no longer."""
        self.select(self.marks.selected ^ {id})

    def pick_wire(self, target: Target | None) -> None:
        """Select a wire instead of nodes."""
        self.select(())
        self.marks.picked_wire = target
        self.changed.emit()

    def settle_bubble(self) -> None:
        """Find the node whose problem is shown: the one pointed at, selected, or the first."""
        cards, marks = self.drawing.cards, self.marks
        pointed = [marks.hovered, *(self.selection if len(marks.selected) == 1 else ())]
        chosen = [id for id in pointed if id is not None and cards[id].problem is not None]
        marks.told = chosen[0] if chosen else self._first_error()

    def _first_error(self) -> NodeId | None:
        if self.editor is None:
            return None
        problems = self.editor.analysis.problems_by_node
        wrong = (id for id in sorted(problems) if any(p.severity == "error" for p in problems[id]))
        return next(wrong, None)
