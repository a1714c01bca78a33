"""The menu of the inspector: rename, lock, tie, delete."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu

from designer.core import edits
from designer.core.graph import ParamRef
from designer.core.message import message
from designer.ui import icons
from designer.ui.inspector import block, reading, ties

if TYPE_CHECKING:
    from designer.core.editor import Editable
    from designer.ui.inspector.panel import Inspector


def make(inspector: Inspector) -> QMenu:
    """A menu for what the inspector shows; it goes when it is closed."""
    menu = QMenu(inspector)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    editor = inspector.editor
    if editor is None:
        return menu
    if len(inspector.ids) == 1:
        menu.addAction("Rename", inspector.edit_name)
        _add_block(inspector, menu)
    _add_lock(inspector, editor, menu)
    if len(inspector.ids) == 1:
        _add_ties(inspector, editor, menu)
    menu.addSeparator()
    menu.addAction("Delete", inspector.delete)
    return menu


def _add_block(inspector: Inspector, menu: QMenu) -> None:
    verbs = inspector.verbs()
    if not verbs:
        return
    menu.addSeparator()
    for verb in verbs:
        wanted = partial(inspector.block_wanted.emit, verb)
        action = menu.addAction(block.WORDS[verb], wanted)
        if verb == block.ENTER:
            action.setIcon(icons.icon(inspector.theme, "enter"))
    menu.addSeparator()


def _add_lock(inspector: Inspector, editor: Editable, menu: QMenu) -> None:
    findings = (editor.analysis.findings[id] for id in inspector.ids)
    if not any(reading.trained_params(finding) for finding in findings):
        return
    trained = any(editor.document.graph.nodes[id].trainable for id in inspector.ids)
    words = "Lock weights" if trained else "Train weights"
    action = menu.addAction(words, partial(inspector.set_trainable, not trained))
    action.setIcon(icons.icon(inspector.theme, "lock"))


def _add_ties(inspector: Inspector, editor: Editable, menu: QMenu) -> None:
    analysis, id = editor.analysis, inspector.ids[0]
    for param in ties.tieable(analysis, id):
        ref = ParamRef(id, param.name)
        if param.name in analysis.findings[id].tied:
            label = message("Untie {param}", param=param.name)
            menu.addAction(str(label), partial(inspector.apply, edits.untie(ref), label))
            continue
        owners = ties.candidates(analysis, ref)
        submenu = menu.addMenu(f"Tie {param.name} to…") if owners else None
        for owner in owners if submenu else ():
            assert submenu is not None
            submenu.addAction(ties.ref_name(analysis, owner), partial(inspector.tie, ref, owner))
