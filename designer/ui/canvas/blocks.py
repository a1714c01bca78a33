"""What one does with blocks on the canvas: make, take apart, fold and unfold them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core import size as sizes
from designer.core.block import BlockUse
from designer.core.block_edits import make_own
from designer.core.edits import all_of
from designer.core.folding import fold, unfold
from designer.core.grouping import group
from designer.core.message import message
from designer.core.sharing import share, unshare
from designer.core.unpacking import unpack

if TYPE_CHECKING:
    from designer.core.editor import Editable
    from designer.core.graph import NodeId, Source
    from designer.core.tensor import Tensor
    from designer.ui.canvas.stage import Stage


def make_block(stage: Stage) -> None:
    """Make a block of the selected nodes, and select its use."""
    editor = stage.editor
    if editor is None:
        return
    use = editor.document.next_id
    if stage.apply(group(stage.selection, tensors=_tensors(editor)), message("Make block")):
        stage.select((use,))


def _tensors(editor: Editable) -> dict[Source, Tensor]:
    """What is on the wires."""
    findings = editor.analysis.findings
    return {
        edge.source: findings[edge.source.node].outputs[edge.source.port]
        for edge in editor.document.graph.edges()
        if edge.source.port in findings[edge.source.node].outputs
    }


def unpack_block(stage: Stage) -> None:
    """Put the layers of the selected block in its place, and select them."""
    chosen, editor = _chosen(stage), stage.editor
    if chosen is None or editor is None:
        return
    before = set(editor.document.graph.nodes)
    if stage.apply(unpack(chosen), message("Unpack block")):
        stage.select(set(editor.document.graph.nodes) - before)


def fold_chain(stage: Stage) -> None:
    """Fold the selected chain into one repeated block, and select it."""
    editor = stage.editor
    if editor is None:
        return
    before = set(editor.document.graph.nodes)
    chosen = stage.selection
    if stage.apply(fold(chosen, tensors=_tensors(editor)), message("Fold chain")):
        after = set(editor.document.graph.nodes)
        stage.select((after - before) or (after & set(chosen)))


def unfold_block(stage: Stage) -> None:
    """Put a chain of single uses in place of the selected repeated block."""
    chosen, editor = _chosen(stage), stage.editor
    if chosen is None or editor is None:
        return
    layer = editor.analysis.findings[chosen].layer
    copies = sizes.value(layer.copies) if isinstance(layer, BlockUse) else None
    if copies is None or copies < 2:
        stage.said.emit("Select a block that is repeated.")
        return
    before = set(editor.document.graph.nodes)
    if stage.apply(unfold(chosen, copies), message("Unfold block")):
        stage.select({chosen, *(set(editor.document.graph.nodes) - before)})


def own_block(stage: Stage) -> None:
    """Give the selected use a block of its own."""
    chosen = _chosen(stage)
    if chosen is not None:
        stage.apply(make_own(chosen), message("Make block its own"))


def share_module(stage: Stage) -> None:
    """Make the other selected layers further calls of the first one's module."""
    editor, chosen = stage.editor, stage.selection
    if editor is None or len(chosen) < 2:
        stage.said.emit("Select two or more layers of one kind.")
        return
    # The topmost one keeps the module.
    owner = min(chosen, key=lambda id: (stage.drawing.cards[id].box.y, id))
    parts = [share(id, owner) for id in chosen if id != owner]
    stage.apply(all_of(parts), message("Share module of {name}", name=_name(editor, owner)))


def own_module(stage: Stage) -> None:
    """Give the selected layers modules of their own again."""
    editor = stage.editor
    if editor is None:
        return
    nodes = editor.document.graph.nodes
    calls = [id for id in stage.selection if nodes[id].same_as is not None]
    if not calls:
        stage.said.emit("Select a layer that uses another one's module.")
        return
    stage.apply(all_of([unshare(id) for id in calls]), message("Use its own module"))


def _name(editor: Editable, id: NodeId) -> str:
    return editor.document.graph.nodes[id].name


def _chosen(stage: Stage) -> NodeId | None:
    """The one selected node; says so where it is not one."""
    if len(stage.selection) == 1:
        return stage.selection[0]
    stage.said.emit("Select one block.")
    return None
