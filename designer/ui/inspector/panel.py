"""The panel: what is selected, its options as fields, and what it comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from designer.core import edits, numbers
from designer.core.block import SHARING, BlockUse
from designer.core.block_edits import rename_block
from designer.core.edits import Refused
from designer.core.entry import text_of
from designer.core.graph import ParamRef
from designer.core.level import Level
from designer.core.message import Message, message
from designer.core.option import Option
from designer.ui.inspector import block, menu, reading
from designer.ui.inspector.block import BlockLinks
from designer.ui.inspector.design import DesignPage, moves_ends
from designer.ui.inspector.facts import Facts
from designer.ui.inspector.fields import Arguments, Row, SegmentRow, SwitchRow, ValueRow, row_for
from designer.ui.inspector.header import Header
from designer.ui.widgets.links import LinkButton
from designer.ui.widgets.tab_order import set_tab_order
from designer.ui.widgets.text import KeyValueRow, Span, paragraph

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from PySide6.QtWidgets import QMenu

    from designer.core.document import Edit
    from designer.core.editor import Editable, Notice
    from designer.core.graph import Node, NodeId
    from designer.core.option import Raw
    from designer.ui.theme import Theme

FIXES_AFTER = 150
"""Milliseconds without an edit after which ways to fix a problem are looked for."""

TRAINABLE = Option("Trainable", "flag", True, "Whether training changes the weights.")


class Inspector(QWidget):
    """The selected layers, or the design where none is selected."""

    node_wanted = Signal(int)
    fixes_wanted = Signal(int)
    block_wanted = Signal(str)
    """What is to be done with the block that the selected layer is a use of."""
    said = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.editor: Editable | None = None
        self.ids: tuple[NodeId, ...] = ()
        self.rows: dict[str, Row] = {}
        self._options: tuple[Option, ...] = ()
        self._uses = False
        """Whether all selected layers are uses of blocks."""
        self._ordered: list[QWidget] = []
        self._copies = ""
        self.header = Header(theme)
        self.problems = paragraph(theme, "", "hint", "error")
        self.fix_link = LinkButton(theme, "Ways to fix it", "hint", "accent")
        self.trainable = SwitchRow(theme, TRAINABLE)
        self.sum = KeyValueRow(theme, "Parameters")
        self.facts = Facts(theme)
        self.design = DesignPage(theme)
        self.links = BlockLinks(theme)
        self.arguments = Arguments(theme)
        self._option_column = QVBoxLayout()
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._build()
        self._connect()
        self._refresh()

    def _build(self) -> None:
        px = self.theme.px
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._option_column.setSpacing(0)
        self._option_column.setContentsMargins(px(16), 0, px(16), 0)
        form = QVBoxLayout()
        form.setContentsMargins(px(16), 0, px(16), px(6))
        form.setSpacing(0)
        for widget in (self.trainable, self.sum, self.links, self.problems, self.fix_link):
            form.addWidget(widget)
        column.addWidget(self.header)
        column.addLayout(self._option_column)
        column.addWidget(self.arguments)
        column.addLayout(form)
        column.addWidget(self.facts)
        column.addWidget(self.design)
        column.addStretch(1)

    def _connect(self) -> None:
        self.header.name.accepted.connect(self._rename)
        self.header.menu_button.clicked.connect(self._open_menu)
        self.trainable.changed.connect(self._set_trainable)
        self.fix_link.clicked.connect(self._ask_fixes)
        self.links.wanted.connect(self.block_wanted.emit)
        self.facts.node_wanted.connect(self.node_wanted.emit)
        self.design.node_wanted.connect(self.node_wanted.emit)
        self.design.block.said.connect(self.said.emit)
        self.facts.untie_wanted.connect(self._untie)
        self.facts.copied.connect(self._tell_copied)
        self._later.timeout.connect(self._look_for_fixes)

    # What is shown

    def set_editor(self, editor: Editable | None) -> None:
        """Show another design, or none; nothing is selected then."""
        if self.editor is not None:
            self.editor.unlisten(self._heard)
        self.editor = editor
        self.ids = ()
        if editor is not None:
            editor.listen(self._heard)
        self.design.set_editor(editor)
        self._refresh()

    def show_nodes(self, ids: Sequence[NodeId]) -> None:
        """Show these layers; the design where there are none."""
        nodes = self.editor.document.graph.nodes if self.editor else {}
        there = tuple(id for id in ids if id in nodes)
        if there != self.ids:
            self._leave_fields()
            self.ids = there
            self.header.refuse("")
            self.header.name.give_up()
        self._refresh()

    def _leave_fields(self) -> None:
        self._end()
        for row in self.rows.values():
            if isinstance(row, ValueRow):
                row.field.begin_session()

    def _heard(self, notice: Notice) -> None:
        sections = {key.section for key in notice.delta.changes}
        # To a block an edit outside of it is one without changes of its own.
        if self.editor is None or (sections and sections <= _IGNORED):
            return
        if moves_ends(notice):
            self.design.find_ends(self.editor.analysis)
        nodes = self.editor.document.graph.nodes
        self.ids = tuple(id for id in self.ids if id in nodes)
        self._refresh()

    def _nodes(self) -> list[Node]:
        assert self.editor is not None
        return [self.editor.document.graph.nodes[id] for id in self.ids]

    def _refresh(self) -> None:
        self.header.setVisible(self.editor is not None)
        self.header.show_copies("" if self.ids else self._copies)
        self.facts.setVisible(len(self.ids) == 1)
        self.design.setVisible(self.editor is not None and not self.ids)
        self._show_options()
        if self.editor is None:
            return
        if not self.ids:
            self._show_design(self.editor)
        elif len(self.ids) == 1:
            self._show_layer(self.editor, self.ids[0])
        else:
            self._show_several(self.editor)

    def _show_options(self) -> None:
        options = (
            reading.shared_options(self._nodes(), self.editor.kinds)
            if self.editor and self.ids
            else ()
        )
        uses = bool(self.ids) and all(map(block.is_use, self._nodes()))
        options = block.in_order(options) if uses else options
        if (options, uses) != (self._options, self._uses):
            self._options, self._uses = options, uses
            self._make_rows()
        self.links.show_verbs(self.verbs())
        for name, row in self.rows.items():
            assert self.editor is not None
            if isinstance(row, ValueRow) and len(self.ids) == 1:
                row.help = self._help(self.editor, row.option)
            row.show_view(reading.view_of(self.editor, self.ids, self.rows[name].option))

    def _help(self, editor: Editable, option: Option) -> str:
        agreement = reading.agreement(editor.analysis, self.ids[0], option)
        layer = editor.analysis.findings[self.ids[0]].layer
        divided = reading.quotients(layer, option.name) if isinstance(layer, BlockUse) else []
        return " ".join(part for part in (option.help, agreement, ", ".join(divided)) if part)

    def _make_rows(self) -> None:
        for row in self.rows.values():
            row.hide()
            row.deleteLater()
        self.rows = {option.name: self._row(option) for option in self._options}
        for name, row in self.rows.items():
            row.changed.connect(lambda raw, session, name=name: self._set(name, raw, session))
            row.ended.connect(self._end)
            inside = self._uses and name not in block.TITLES
            (self.arguments.column if inside else self._option_column).addWidget(row)
            row.show()
        self.arguments.setVisible(self._uses and len(self.rows) > len(block.TITLES))
        self._order_tabs()

    def _row(self, option: Option) -> Row:
        if not self._uses:
            return row_for(self.theme, option)
        title = block.TITLES.get(option.name, "")
        if option.name == SHARING:
            return SegmentRow(self.theme, option, title, block.SHARINGS)
        return ValueRow(self.theme, option, title) if title else row_for(self.theme, option)

    def verbs(self) -> list[str]:
        """What can be done with the block that the one selected layer is a use of."""
        if self.editor is None or len(self.ids) != 1:
            return []
        use, kind = self.editor.analysis.findings[self.ids[0]].layer, self._nodes()[0].kind
        if not isinstance(use, BlockUse):
            return []
        return block.offered(self.editor.document, use, kind)

    def _order_tabs(self) -> None:
        controls = [
            self.header.name,
            self.header.menu_button,
            *(row.control() for row in self.rows.values()),
            self.trainable.toggle,
            *self.links.links.values(),
            self.fix_link,
            *self.facts.controls(),
        ]
        if controls != self._ordered:
            self._ordered = controls
            set_tab_order(controls)

    def show_copies(self, copies: str) -> None:
        """How many copies of the block that was entered there are: `×12`, or nothing."""
        self._copies = copies
        self.header.show_copies("" if self.ids else copies)

    def _show_design(self, editor: Editable) -> None:
        analysis = editor.analysis
        layers = len(editor.document.graph.nodes)
        total = numbers.count(analysis.counted.parameters)
        self.header.name.setPlaceholderText("Untitled")
        self.header.show_subject(
            editor.document.title, _plural(layers, "layer") + f", {total} parameters"
        )
        self.header.menu_button.hide()
        for widget in (self.trainable, self.sum, self.problems, self.fix_link):
            widget.hide()
        self.design.show_ends(analysis)

    def _show_layer(self, editor: Editable, id: NodeId) -> None:
        node, finding = editor.document.graph.nodes[id], editor.analysis.findings[id]
        kind = editor.kinds.get(node.kind)
        title, family = (kind.title, kind.family) if kind else (node.kind, "custom")
        if isinstance(finding.layer, BlockUse):
            title = block.subtitle(finding.layer)
        self.header.show_subject(node.name, title, family)
        self.header.menu_button.show()
        self.sum.hide()
        self._show_trainable(bool(reading.trained_params(finding)))
        self._show_problems(id)
        self.facts.show_node(editor.analysis, id)
        self._order_tabs()

    def _show_several(self, editor: Editable) -> None:
        findings = [editor.analysis.findings[id] for id in self.ids]
        families = {finding.layer.family for finding in findings if finding.layer}
        kinds = {finding.layer.title for finding in findings if finding.layer}
        self.header.show_subject(
            _plural(len(self.ids), "layer"),
            kinds.pop() if len(kinds) == 1 else _plural(len(kinds), "type"),
            families.pop() if len(families) == 1 else "",
            editable=False,
        )
        self.header.menu_button.show()
        self._show_trainable(any(reading.trained_params(finding) for finding in findings))
        parameters = sum(finding.counted.parameters for finding in findings)
        known = not any(finding.counted.unknown for finding in findings)
        shown = numbers.count(parameters) if known else numbers.at_least(parameters)
        self.sum.set_right(Span(shown, "text", "secondary-medium"))
        self.sum.show()
        self.problems.hide()
        self.fix_link.hide()

    def _show_trainable(self, has_parameters: bool) -> None:
        states = {node.trainable for node in self._nodes()}
        self.trainable.setVisible(has_parameters)
        self.trainable.show_view(reading.View(mixed=len(states) > 1, on=states == {True}))

    # Problems that stand under no field

    def _show_problems(self, id: NodeId) -> None:
        assert self.editor is not None
        finding = self.editor.analysis.findings[id]
        loose = reading.loose_problems(finding, self._options)
        lines = dict.fromkeys(str(problem.message) for problem in loose)
        self.problems.set_token(_ink(problem.severity for problem in loose))
        self.problems.setText("\n".join(lines))
        self.problems.setVisible(bool(lines))
        worth = any(problem.severity in ("error", "warning") for problem in finding.problems)
        if worth:
            # Fixes are found by trying them, which a keystroke must not wait for.
            self._later.start(FIXES_AFTER)
        else:
            self._later.stop()
            self.fix_link.hide()

    def _look_for_fixes(self) -> None:
        from designer.layers.fixes import fixes

        found = fixes(self.editor, self.ids[0]) if self.editor and len(self.ids) == 1 else []
        self.fix_link.set_words("Ways to fix it" if len(found) > 1 else "A way to fix it")
        self.fix_link.setVisible(bool(found))

    def _ask_fixes(self) -> None:
        if len(self.ids) == 1:
            self.fixes_wanted.emit(self.ids[0])

    # Edits

    def apply(self, edit: Edit, label: Message, gesture: Hashable = None) -> bool:
        """Make an edit; a refusal is said, and nothing has changed then."""
        if self.editor is None:
            return False
        try:
            self.editor.apply(edit, label, gesture)
        except Refused as refusal:
            self.said.emit(str(refusal.message))
            return False
        return True

    def _set(self, name: str, raw: Raw, session: int) -> None:
        gesture = ("option", self.ids, name, session) if session else None
        label = message("Set {option} to {value}", option=name, value=text_of(raw))
        if raw is None:
            label = message("Clear {option}", option=name)
        self.apply(edits.set_options(self.ids, {name: raw}), label, gesture)

    def _end(self) -> None:
        if self.editor is not None:
            self.editor.end_gesture()

    def _set_trainable(self, on: bool, _: int) -> None:
        label = message("Train weights") if on else message("Lock weights")
        self.apply(edits.set_trainable(self.ids, on), label)

    def _rename(self, name: str) -> None:
        if self.editor is None:
            return
        if self.ids:
            old = self.editor.document.graph.nodes[self.ids[0]].name
            edit = edits.rename(self.ids[0], name)
            label = message("Rename {old} to {name}", old=old, name=name.strip())
        else:
            edit, label = self._retitled(self.editor, name.strip())
        try:
            # The name of a block is the design's, not its own.
            outer = self.editor.editor if isinstance(self.editor, Level) else None
            (self.editor if self.ids or outer is None else outer).apply(edit, label)
        except Refused as refusal:
            self.header.refuse(str(refusal.message))
        else:
            self.header.refuse("")
            self._refresh()

    def _retitled(self, editor: Editable, name: str) -> tuple[Edit, Message]:
        if not isinstance(editor, Level):
            return edits.set_title(name), message("Change the title")
        label = message("Rename {old} to {name}", old=editor.block, name=name)
        return rename_block(editor.block, name), label

    def _untie(self, param: str) -> None:
        label = message("Untie {param}", param=param)
        self.apply(edits.untie(ParamRef(self.ids[0], param)), label)

    def _tell_copied(self, _: str) -> None:
        self.said.emit("The formula is on the clipboard.")

    # The menu

    def make_menu(self) -> QMenu:
        """The menu of what can be done to the selected layers."""
        return menu.make(self)

    def _open_menu(self) -> None:
        button = self.header.menu_button
        self.make_menu().popup(button.mapToGlobal(button.rect().bottomLeft()))

    def edit_name(self) -> None:
        """Put the keyboard into the name."""
        self.header.name.setFocus()
        self.header.name.selectAll()

    def delete(self) -> None:
        """Remove the selected layers."""
        if self.editor is None or not self.ids:
            return
        ids, nodes = self.ids, self._nodes()
        many = message("Delete {count} layers", count=len(ids))
        one = message("Delete {name}", name=nodes[0].name)
        self.apply(edits.remove_nodes(ids), one if len(ids) == 1 else many)

    def set_trainable(self, on: bool) -> None:
        """Train or lock the selected layers."""
        self._set_trainable(on, 0)

    def tie(self, param: ParamRef, owner: ParamRef) -> None:
        """Let a parameter share another's tensor."""
        self.apply(edits.tie(param, owner), message("Tie {param}", param=param.param))


_IGNORED = frozenset({"position", "setting"})


def _ink(severities: object) -> str:
    found = set(severities)  # type: ignore[call-overload]
    return "error" if "error" in found else "warn" if "warning" in found else "text-3"


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
