"""A block being worked on: its graph as if it were a design, with the shapes of one use."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from designer.core.block import BLOCK, BlockUse
from designer.core.document import inside
from designer.core.editor import Editable, Notice, look

if TYPE_CHECKING:
    from collections.abc import Hashable

    from designer.core.analysis import Analysis
    from designer.core.document import Document, Edit
    from designer.core.editor import Editor, Preview
    from designer.core.graph import NodeId
    from designer.core.kinds import Kinds
    from designer.core.message import Message


class _Seen(NamedTuple):
    """A block as it was at one document of the design."""

    whole: Document
    document: Document
    analysis: Analysis


class Level(Editable):
    """A block of a design. Edits of it are edits of the design, in whose history they are.

    `path` are the uses that were entered, the outermost first; shapes are those of that use. With
    an empty path it is a block by itself, with its own values of its arguments.
    """

    def __init__(self, editor: Editor, block: str, path: tuple[NodeId, ...] = ()) -> None:
        super().__init__()
        self.editor = editor
        self.block = block
        self.path = path
        self._seen = self._look()
        self._told = self._seen
        """What those who listen know."""
        editor.listen(self._heard)

    def close(self) -> None:
        """Stop following the design."""
        self.editor.unlisten(self._heard)

    @property
    def document(self) -> Document:
        return self._present().document

    @property
    def analysis(self) -> Analysis:
        return self._present().analysis

    def _present(self) -> _Seen:
        """Document and analysis of the design as it is now, whoever hears of an edit first.

        Where the block is gone they stay as they were.
        """
        if self._seen.whole is not self.editor.document and self.exists:
            self._seen = self._look()
        return self._seen

    def _look(self) -> _Seen:
        whole = self.editor.document
        return _Seen(whole, whole.at(self.block), self._examined())

    @property
    def kinds(self) -> Kinds:
        return self.editor.kinds

    @property
    def seconds(self) -> float:
        return self.editor.seconds

    @property
    def exists(self) -> bool:
        """Whether the block and the uses on the path to it are still there."""
        document, level = self.editor.document, ""
        for id in self.path:
            node = document.at(level).graph.nodes.get(id)
            if node is None or node.kind.removeprefix(BLOCK) not in document.blocks:
                return False
            level = node.kind.removeprefix(BLOCK)
        return self.block in document.blocks and (not self.path or level == self.block)

    def _examined(self) -> Analysis:
        analysis = self.editor.analysis
        if not self.path:
            alone = cast("type[BlockUse]", analysis.kinds[f"{BLOCK}{self.block}"])
            return alone.alone()
        for id in self.path:
            finding = analysis.findings[id]
            analysis = cast("BlockUse", finding.layer).inside(finding.inputs)
        return analysis

    def _heard(self, notice: Notice) -> None:
        if self.exists:
            self._tell(self._follow(notice))

    def _follow(self, notice: Notice) -> Notice:
        """Take in an edit of the design; what it is to the block."""
        before, after = self._told.analysis.findings, self.analysis.findings
        self._told = self._seen
        ids = before.keys() | after.keys()
        changed = frozenset(id for id in ids if before.get(id) != after.get(id))
        return Notice(notice.delta.at(self.block), changed)

    def apply(self, edit: Edit, label: Message, gesture: Hashable = None) -> Notice | None:
        return self.editor.apply(inside(self.block, edit), label, gesture)

    def end_gesture(self) -> None:
        self.editor.end_gesture()

    def preview(self, edit: Edit) -> Preview:
        seen = self._present()
        told = self._told

        def see(notice: Notice) -> Preview:
            return look(self.analysis, seen.analysis.totals(), self._follow(notice))

        try:
            return self.editor.previewed(inside(self.block, edit), see)
        finally:
            self._seen, self._told = seen, told
