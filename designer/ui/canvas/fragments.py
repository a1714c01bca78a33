"""Parts of a design as designs of their own: what copying takes and pasting puts in."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from designer.core import edits
from designer.core.document import Document, drafted
from designer.core.graph import ParamRef, Source, Target
from designer.core.names import python_name
from designer.core.option import names_in
from designer.files.codec import FORMAT, read_document, write_document

if TYPE_CHECKING:
    from collections.abc import Iterable

    from designer.core.document import Draft, Edit
    from designer.core.graph import NodeId

WHERE = "the clipboard"


def fragment(document: Document, ids: Iterable[NodeId]) -> Document:
    """Some nodes with the wires and ties between them, and the names that they use."""
    chosen = set(ids)

    def edit(draft: Draft) -> None:
        _copy_names(document, chosen, draft)
        for id in sorted(chosen):
            draft.put_node(id, document.graph.nodes[id])
            draft.put_position(id, document.layout.get(id, (0.0, 0.0)))
        for id in sorted(chosen):
            for edge in document.graph.edges_into(id):
                if edge.source.node in chosen:
                    draft.put_edge(edge.target, edge.source)
        for param, owner in document.graph.ties.items():
            if param.node in chosen and owner.node in chosen:
                draft.put_tie(param, owner)

    return drafted(Document(), edit)[0]


def _copy_names(document: Document, ids: set[NodeId], draft: Draft) -> None:
    waiting = {
        name for id in ids for _, raw in document.graph.nodes[id].options for name in names_in(raw)
    }
    used: set[str] = set()
    while waiting:
        name = waiting.pop()
        used.add(name)
        variable = document.variables.get(name)
        if variable is not None:
            named = {n for n in variable.divisors if isinstance(n, str)}
            waiting |= (named | set(names_in(variable.value))) - used
    for section, values in (("variable", document.variables), ("dimension", document.dimensions)):
        for name, value in values.items():
            if name in used:
                draft.put(section, name, value)


def to_text(part: Document) -> str:
    """A fragment as the text that the clipboard holds; it is a design like any other."""
    return write_document(part).decode()


def is_fragment(text: str) -> bool:
    """Whether a text looks like one; reading it may still be refused."""
    head = text[:200].lstrip()
    return head.startswith("{") and f'"format": {json.dumps(FORMAT)}' in head


def from_text(text: str) -> Document:
    """The fragment in a text. Raises Refusal."""
    return read_document(text.encode("utf-8", "replace"), WHERE).document


def pasted(part: Document, dx: float, dy: float) -> Edit:
    """Put a fragment in; its first node gets the document's `next_id`, the others follow.

    Names that are taken get a number; variables and dimensions that are there already stay.
    """

    def edit(draft: Draft) -> None:
        first = draft.document.next_id
        new = {id: first + place for place, id in enumerate(part.graph.ids())}
        _paste_names(part, draft)
        for id in part.graph.ids():
            _paste_node(part, id, new[id], draft)
            x, y = part.layout.get(id, (0.0, 0.0))
            draft.put_position(new[id], (x + dx, y + dy))
        for (source, output), (node, port, slot) in part.graph.edges():
            draft.put_edge(Target(new[node], port, slot), Source(new[source], output))
        for param, owner in part.graph.ties.items():
            tied, root = ParamRef(new[param.node], param.param), new[owner.node]
            draft.put_tie(tied, ParamRef(root, owner.param))

    return edit


def _paste_names(part: Document, draft: Draft) -> None:
    known = draft.document.variables.keys() | draft.document.dimensions.keys()
    for section, values in (("variable", part.variables), ("dimension", part.dimensions)):
        for name, value in values.items():
            if name not in known:
                draft.put(section, name, value)


def _paste_node(part: Document, id: NodeId, new: NodeId, draft: Draft) -> None:
    node = part.graph.nodes[id]
    nodes = draft.graph.nodes.values()
    name = node.name
    if any(other.name == name for other in nodes):
        name = edits.fresh_name(draft, name.rstrip("0123456789") or name)
    taken = {other.attribute for other in nodes} | set(draft.document.variables)
    attribute = node.attribute if name == node.name else name
    draft.put_node(new, replace(node, name=name, attribute=python_name(attribute, taken)))
