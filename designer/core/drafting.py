"""What all edits are made of: refusals, several edits as one, layers that must be there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.message import Message, message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from designer.core.document import Draft, Edit
    from designer.core.graph import Node, NodeId


class Refused(ValueError):
    """An edit that cannot be made; `message` says why."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


def all_of(edits: Iterable[Edit]) -> Edit:
    """Several edits as one."""
    parts = tuple(edits)

    def edit(draft: Draft) -> None:
        for part in parts:
            part(draft)

    return edit


def node_of(draft: Draft, id: NodeId) -> Node:
    """A layer of the level that is being edited; Refused where there is none."""
    node = draft.graph.nodes.get(id)
    if node is None:
        raise Refused(message("There is no layer {id} in this design.", id=id))
    return node
