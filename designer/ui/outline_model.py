"""The outline of a design as a tree: blocks unfold to the layers in them, when one looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, Qt

from designer.core import numbers, size
from designer.core.block import BlockUse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from designer.core.analysis import Analysis
    from designer.core.editor import Editable
    from designer.core.graph import NodeId

MOST_SEARCHED = 50_000
"""So many layers, those in blocks too, are looked through for a name."""

Index = QModelIndex | QPersistentModelIndex


class Place(NamedTuple):
    """Where a layer is: the uses of blocks that lead to its level, and its id; 0 for the design."""

    path: tuple[NodeId, ...] = ()
    id: NodeId = 0


class Entry:
    """A row of the outline; what is in a block is found when it is first asked for."""

    __slots__ = ("_children", "analysis", "name", "parent", "place", "row", "use")

    def __init__(self, parent: Entry | None, row: int, place: Place, analysis: Analysis) -> None:
        self.parent = parent
        self.row = row
        self.place = place
        self.analysis = analysis
        """What is known of the level that it is at; for the design itself, of its layers."""
        self._children: list[Entry] | None = None
        self.use: BlockUse | None = None
        self.name = analysis.document.title or "Untitled"
        if place.id:
            self.name = analysis.document.graph.nodes[place.id].name
            layer = analysis.findings[place.id].layer
            self.use = layer if isinstance(layer, BlockUse) else None

    @property
    def unfolds(self) -> bool:
        """Whether there is something below it."""
        return not self.place.id or self.use is not None

    @property
    def level(self) -> tuple[NodeId, ...]:
        """The way to the level that it unfolds to."""
        return (*self.place.path, self.place.id) if self.place.id else ()

    @property
    def children(self) -> list[Entry]:
        """The layers in it, in the order in which they are worked out."""
        if self._children is None:
            self._children = list(self._found()) if self.unfolds else []
        return self._children

    def keep(self, entries: list[Entry]) -> None:
        """Show only these of the layers in it."""
        for row, entry in enumerate(entries):
            entry.row = row
        self._children = entries

    def _found(self) -> Iterator[Entry]:
        inner, level = self._inner(), self.level
        for row, id in enumerate(inner.network.ordered()):
            yield Entry(self, row, Place(level, id), inner)

    def _inner(self) -> Analysis:
        if self.use is None:
            return self.analysis
        return self.use.inside(self.analysis.findings[self.place.id].inputs)

    # What is said of it

    @property
    def family(self) -> str:
        """The family of the layer; that of blocks for the design."""
        layer = self.analysis.findings[self.place.id].layer if self.place.id else None
        return layer.family if layer else "custom" if self.place.id else "block"

    @property
    def icon(self) -> str:
        """Its icon."""
        if self.family != "io":
            return self.family
        kind = self.analysis.document.graph.nodes[self.place.id].kind
        return "out" if kind == "Output" else "in"

    @property
    def copies(self) -> str:
        """`×12` where there are many."""
        if self.use is None or self.use.single:
            return ""
        return f"×{size.at_values(self.use.copies)}"

    def figure(self, short: bool = False) -> str:
        """Its parameters, of all copies; `tied` where they are counted elsewhere."""
        write = numbers.short if short else numbers.count
        if not self.place.id:
            return write(self.analysis.counted.parameters)
        finding = self.analysis.findings[self.place.id]
        tally = finding.counted
        if tally.unknown:
            return "?"
        if not tally.parameters:
            return "tied" if finding.tied else ""
        return write(tally.parameters)


class OutlineModel(QAbstractItemModel):
    """The entries for a tree view. `rebuild` reads the design again."""

    def __init__(self) -> None:
        super().__init__()
        self.root: Entry | None = None

    def rebuild(self, editor: Editable | None, words: str = "") -> None:
        """Read a design; with `words` only what has them in its name, and what that is in."""
        self.beginResetModel()
        self.root = Entry(None, 0, Place(), editor.analysis) if editor is not None else None
        if self.root is not None and words:
            _sift(self.root, words.lower(), [MOST_SEARCHED])
        self.endResetModel()

    def entry(self, index: Index) -> Entry | None:
        """The entry at an index."""
        found = index.internalPointer() if index.isValid() else None
        return found if isinstance(found, Entry) else None

    def index_of(self, entry: Entry) -> QModelIndex:
        """The index of an entry."""
        return self.createIndex(entry.row, 0, entry)

    def find(self, place: Place) -> Entry | None:
        """The entry of a layer; None where it is not in the tree."""
        entry = self.root
        for id in (*place.path, place.id):
            if entry is None or not id:
                return entry
            entry = next((e for e in entry.children if e.place.id == id), None)
        return entry

    # What a view asks

    def index(self, row: int, column: int, parent: Index | None = None) -> QModelIndex:
        above = self.entry(parent) if parent is not None else None
        if above is None:
            ok = self.root is not None and row == column == 0
            return self.createIndex(0, 0, self.root) if ok else QModelIndex()
        if column or not 0 <= row < len(above.children):
            return QModelIndex()
        return self.createIndex(row, 0, above.children[row])

    def parent(self, index: Index | None = None) -> Any:
        """The index of what an entry is in."""
        entry = self.entry(index) if index is not None else None
        if entry is None or entry.parent is None:
            return QModelIndex()
        return self.index_of(entry.parent)

    def hasChildren(self, parent: Index | None = None) -> bool:
        entry = self.entry(parent) if parent is not None else None
        return self.root is not None if entry is None else entry.unfolds

    def rowCount(self, parent: Index | None = None) -> int:
        entry = self.entry(parent) if parent is not None else None
        if entry is None:
            return int(self.root is not None)
        return len(entry.children)

    def columnCount(self, parent: Index | None = None) -> int:
        return 1

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The name, or all that the row says for a screen reader."""
        entry = self.entry(index)
        if entry is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.name
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return " ".join(part for part in (entry.name, entry.copies, entry.figure()) if part)
        return None


def _sift(entry: Entry, words: str, left: list[int]) -> bool:
    """Keep what has the words in its name; whether anything is kept."""
    kept = []
    for child in entry.children:
        left[0] -= 1
        if left[0] < 0:
            break
        if (child.use is not None and _sift(child, words, left)) or words in child.name.lower():
            kept.append(child)
    entry.keep(kept)
    return bool(kept)
