"""The edits of custom layers as a whole: declared, changed, named, removed."""

from __future__ import annotations

import io
import re
import tokenize
from dataclasses import replace
from typing import TYPE_CHECKING

from designer.core.custom import CUSTOM, layer_class, misnamed
from designer.core.document import inside
from designer.core.edits import Refused, put_nodes
from designer.core.kinds import uses_of
from designer.core.layer import defaults
from designer.core.message import message
from designer.core.written import LONGEST_SOURCE, LONGEST_SOURCES

if TYPE_CHECKING:
    from designer.core.custom import Custom
    from designer.core.document import Draft, Edit
    from designer.core.graph import Node

UNWRITABLE = re.compile(r"[^\t\r -\ud7ff\ue000-\U0010ffff]")
"""Control characters, and halves of characters."""


def set_custom(custom: Custom) -> Edit:
    """Declare a custom layer, or change the one of this name; its uses follow.

    Uses keep the values of options that are still declared. What is wrong with shapes and source
    is shown at each use; refused is what no layer can be made of.
    """

    def edit(draft: Draft) -> None:
        known = draft.whole.customs.get(custom.name)
        _check(draft, custom, new=known is None)
        draft.put("custom", custom.name, custom)
        if known is None or known.options == custom.options:
            return
        for level, id in uses_of(draft.whole, f"{CUSTOM}{custom.name}"):
            node = draft.whole.at(level).graph.nodes[id]
            inside(level, put_nodes([(id, _fitted(node, custom))]))(draft)

    return edit


def _check(draft: Draft, custom: Custom, *, new: bool) -> None:
    """Refuse what no layer can be made of, and a new name that is taken."""
    wrong = misnamed(custom)
    if wrong is not None:
        raise Refused(wrong)
    if new and (custom.name in draft.whole.customs or custom.name in draft.whole.blocks):
        raise Refused(message("{name} is declared already.", name=custom.name))
    if len(custom.source) > LONGEST_SOURCE:
        text = "The source is longer than {limit:,} characters."
        raise Refused(message(text, limit=LONGEST_SOURCE))
    others = (c for name, c in draft.whole.customs.items() if name != custom.name)
    if sum(len(other.source) for other in others) + len(custom.source) > LONGEST_SOURCES:
        text = "All sources together are longer than {limit:,} characters."
        raise Refused(message(text, limit=LONGEST_SOURCES))
    for line, text in enumerate(custom.source.split("\n"), 1):
        if UNWRITABLE.search(text):
            reason = "Line {line} of the source holds a character that no design can hold."
            raise Refused(message(reason, line=line))


def _fitted(node: Node, custom: Custom) -> Node:
    """A use with the options that are declared now, in their order."""
    # An empty field stays empty only where it may be.
    given = {name: raw for name, raw in node.options if raw is not None}
    options = defaults(layer_class(custom))
    return replace(node, options=tuple((name, given.get(name, raw)) for name, raw in options))


def remove_custom(name: str) -> Edit:
    """Remove a custom layer that nothing uses."""

    def edit(draft: Draft) -> None:
        _declared(draft, name)
        found = uses_of(draft.whole, f"{CUSTOM}{name}")
        if found:
            level, id = found[0]
            user = draft.whole.at(level).graph.nodes[id].name
            raise Refused(message("{name} is used by {user}.", name=name, user=user))
        draft.put("custom", name, None)

    return edit


def rename_custom(old: str, new: str) -> Edit:
    """Give a custom layer another name wherever it is used, and its class in the source too."""

    def edit(draft: Draft) -> None:
        if old == new:
            return
        custom = _declared(draft, old)
        renamed = replace(custom, name=new, source=_renamed(custom.source, old, new))
        _check(draft, renamed, new=True)
        draft.put("custom", new, renamed)
        for level, id in uses_of(draft.whole, f"{CUSTOM}{old}"):
            node = replace(draft.whole.at(level).graph.nodes[id], kind=f"{CUSTOM}{new}")
            inside(level, put_nodes([(id, node)]))(draft)
        draft.put("custom", old, None)

    return edit


def _declared(draft: Draft, name: str) -> Custom:
    custom: Custom | None = draft.whole.customs.get(name)
    if custom is None:
        raise Refused(message("{name} is not declared.", name=name))
    return custom


def _renamed(source: str, old: str, new: str) -> str:
    """The text with a name replaced where it stands as a word of Python; else as it is."""
    lines = list(io.StringIO(source, newline=""))
    try:
        tokens = list(tokenize.generate_tokens(iter([*lines, ""]).__next__))
    except (tokenize.TokenError, SyntaxError, ValueError):
        return source
    before = [None, *tokens]
    for token, last in reversed(list(zip(tokens, before, strict=False))):
        attribute = last is not None and last.string == "."
        if token.type == tokenize.NAME and token.string == old and not attribute:
            (row, start), (_, end) = token.start, token.end
            line = lines[row - 1]
            lines[row - 1] = line[:start] + new + line[end:]
    return "".join(lines)
