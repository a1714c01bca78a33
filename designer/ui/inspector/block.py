"""A use of a block: what it says of itself, how it is counted, and where its title leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from designer.core import numbers, size
from designer.core.block import BLOCK, COPIES, OWN, ROUTED, SHARED, SHARING, BlockUse
from designer.core.kinds import uses_of
from designer.ui.widgets.links import LinkButton
from designer.ui.widgets.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from designer.core.analysis import Analysis
    from designer.core.document import Document
    from designer.core.finding import Finding
    from designer.core.graph import Node
    from designer.core.option import Option
    from designer.ui.theme import Theme

TITLES = {COPIES: "Repeat", SHARING: "Copies"}
"""What the options that every use of a block has are called."""

SHARINGS = {OWN: "Own weights", SHARED: "Shared", ROUTED: "Routed"}

ENTER, UNPACK, OWN_BLOCK, UNFOLD, KEEP = "enter", "unpack", "own", "unfold", "keep"
"""What can be done with a use of a block."""

WORDS = {
    ENTER: "Enter block",
    UNPACK: "Unpack",
    OWN_BLOCK: "Make its own",
    UNFOLD: "Unfold",
    KEEP: "Save to library",
}


def is_use(node: Node) -> bool:
    """Whether a layer is a use of a block."""
    return node.kind.startswith(BLOCK)


def in_order(options: Iterable[Option]) -> tuple[Option, ...]:
    """The options of uses with those that every use has first: how many, and whose weights."""
    found = {option.name: option for option in options}
    first = [found.pop(name) for name in TITLES if name in found]
    return (*first, *found.values())


def offered(document: Document, use: BlockUse, kind: str) -> list[str]:
    """What can be done with a use, in the order of the menu."""
    verbs = [ENTER, UNPACK]
    if len(uses_of(document, kind)) > 1:
        verbs.append(OWN_BLOCK)
    if not use.single and use.sharing != ROUTED:
        verbs.append(UNFOLD)
    return [*verbs, KEEP]


def subtitle(use: BlockUse) -> str:
    """`TransformerBlock with 9 layers`"""
    nodes = use.block.graph.nodes.values()
    layers = sum(node.kind not in ("Input", "Output") for node in nodes)
    return f"{use.title} with {layers:,} {'layer' if layers == 1 else 'layers'}"


def counted(finding: Finding) -> list[list[Span]]:
    """One copy as a sum of its layers, then all copies; nothing where that is not the count.

    A first copy that differs from the others, and weights of unknown size, are counted otherwise.
    """
    use, result = finding.layer, finding.result
    if not isinstance(use, BlockUse) or result is None or result.tally.unknown:
        return []
    inner = use.inside(finding.inputs)
    one, copies = inner.counted.parameters, size.value(use.copies)
    times = 1 if use.sharing == SHARED else copies
    if times is None or one * times != result.tally.parameters or not one:
        return []
    return [*_one(inner, one), *_all(use, copies, result.tally.parameters)]


def _one(inner: Analysis, total: int) -> list[list[Span]]:
    nodes = inner.document.graph.nodes
    parts = [
        (nodes[id].name, inner.findings[id].counted.parameters) for id in inner.network.ordered()
    ]
    parts = [(name, count) for name, count in parts if count]
    figures = " + ".join(numbers.count(count) for _, count in parts)
    result = Span(numbers.count(total), "text", "mono-strong")
    names = [Span(" + ".join(name for name, _ in parts), "text-2", "mono")]
    if len(parts) == 1:
        return [[Span(f"{parts[0][0]} = ", "text-2", "mono"), result]]
    return [names, [Span(f"{figures} = ", "text-2", "mono"), result]]


def _all(use: BlockUse, copies: int | None, total: int) -> list[list[Span]]:
    if use.single or copies is None:
        return []
    words = {
        SHARED: f"shared by {numbers.count(copies)} copies = ",
        ROUTED: f"× {numbers.count(copies)} experts = ",
    }
    text = words.get(use.sharing, f"× {numbers.count(copies)} copies = ")
    return [[Span(text, "text-2", "mono"), Span(numbers.count(total), "text", "mono-strong")]]


class BlockLinks(QWidget):
    """What one does most with a block, as words to click."""

    wanted = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        icons = {ENTER: "enter"}
        self.links = {
            verb: LinkButton(theme, WORDS[verb], icons.get(verb, ""), "text-2")
            for verb in (ENTER, UNPACK, OWN_BLOCK)
        }
        row = QHBoxLayout(self)
        row.setContentsMargins(0, theme.px(4), 0, theme.px(2))
        row.setSpacing(theme.px(16))
        for link in self.links.values():
            link.clicked.connect(self._clicked)
            row.addWidget(link)
        row.addStretch(1)

    def show_verbs(self, verbs: Sequence[str]) -> None:
        """Show the links of what can be done."""
        for verb, link in self.links.items():
            link.setVisible(verb in verbs)
        self.setVisible(bool(verbs))

    def _clicked(self) -> None:
        for verb, link in self.links.items():
            if link is self.sender():
                self.wanted.emit(verb)
