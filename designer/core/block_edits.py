"""The edits of blocks as a whole: declared, named, copied, removed; and presets of variables."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from designer.core.block import BLOCK
from designer.core.document import Block, inside
from designer.core.edits import (
    Refused,
    check_alone,
    node_of,
    put_nodes,
)
from designer.core.graph import Graph
from designer.core.kinds import uses_of
from designer.core.layer import CATALOGUE
from designer.core.message import message
from designer.core.names import is_python_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from designer.core.document import Document, Draft, Edit, Position
    from designer.core.graph import NodeId
    from designer.core.option import Raw


def add_block(name: str, block: Block | None = None) -> Edit:
    """Declare a block, empty or with a graph."""

    def edit(draft: Draft) -> None:
        check_block_name(draft.whole, name)
        draft.put("block", name, block or Block())

    return edit


def fresh_block_name(document: Document, stem: str = "Block") -> str:
    """`stem`, or the same with the lowest number from 2 on that no block has."""
    numbered = (stem if n == 1 else f"{stem}{n}" for n in count(1))
    return next(name for name in numbered if name not in document.blocks)


def check_block_name(document: Document, name: str) -> None:
    """Refuse a name that no new block may have."""
    if name in document.blocks:
        raise Refused(message("There is a block {name} already.", name=name))
    if not is_python_name(name) or name in CATALOGUE:
        text = "{name} cannot be a class: letters, digits and _ in a name of its own."
        raise Refused(message(text, name=name))


def remove_block(name: str) -> Edit:
    """Remove a block that nothing uses."""

    def edit(draft: Draft) -> None:
        found = uses_of(draft.whole, f"{BLOCK}{name}")
        if found:
            level, id = found[0]
            user = draft.whole.at(level).graph.nodes[id].name
            raise Refused(message("{name} is used by {user}.", name=name, user=user))
        for id in draft.whole.blocks[name].graph.nodes:
            draft.put_position(id, None)
        draft.put("block", name, None)

    return edit


def rename_block(old: str, new: str) -> Edit:
    """Give a block another name, wherever it is used."""

    def edit(draft: Draft) -> None:
        if old == new:
            return
        check_block_name(draft.whole, new)
        draft.put("block", new, draft.whole.blocks[old])
        for level, id in uses_of(draft.whole, f"{BLOCK}{old}"):
            if level != old:
                node = replace(draft.whole.at(level).graph.nodes[id], kind=f"{BLOCK}{new}")
                inside(level, put_nodes([(id, node)]))(draft)
        draft.put("block", old, None)

    return edit


def set_note(name: str, note: str) -> Edit:
    """Say what a block is for."""

    def edit(draft: Draft) -> None:
        draft.put("block", name, replace(draft.whole.blocks[name], note=note))

    return edit


def make_own(id: NodeId) -> Edit:
    """Give a use a block of its own, equal to the one that it shared with others."""

    def edit(draft: Draft) -> None:
        node = node_of(draft, id)
        name = node.kind.removeprefix(BLOCK)
        block = draft.whole.blocks.get(name)
        if block is None or not node.kind.startswith(BLOCK):
            raise Refused(message("{name} is not a block.", name=node.name))
        check_alone(draft.graph, [id])
        stem = name.rstrip("0123456789") or name
        called = fresh_block_name(draft.whole, stem)
        copy, positions = renumbered(block, draft.whole.layout, draft.document.next_id)
        draft.put("block", called, copy)
        for new, position in positions.items():
            draft.put_position(new, position)
        draft.put_node(id, replace(node, kind=f"{BLOCK}{called}"))

    return edit


def renumbered(
    block: Block, layout: Mapping[NodeId, Position], first: NodeId
) -> tuple[Block, dict[NodeId, Position]]:
    """A block with new ids from `first` on, and the places of its layers."""
    graph, old = Graph(), block.graph
    new = {id: first + place for place, id in enumerate(old.ids())}
    for id, node in old.nodes.items():
        graph = graph.with_node(new[id], node.renumbered(new))
    for source, target in old.edges():
        graph = graph.with_edge(
            target._replace(node=new[target.node]), source._replace(node=new[source.node])
        )
    for param, owner in old.ties.items():
        graph = graph.with_tie(
            param._replace(node=new[param.node]), owner._replace(node=new[owner.node])
        )
    positions = {new[id]: layout[id] for id in old.nodes if id in layout}
    return replace(block, graph=graph), positions


# Presets


def set_preset(name: str, values: Mapping[str, Raw]) -> Edit:
    """Keep values of variables under a name: those of one model of a family."""

    def edit(draft: Draft) -> None:
        if not name.strip() or len(name) > 100 or not name.isprintable():
            raise Refused(message("A preset needs a name of at most 100 visible characters."))
        for variable in values:
            if variable not in draft.whole.variables:
                raise Refused(message("{name} is not declared.", name=variable))
        for variable, value in values.items():
            plain = isinstance(value, bool | int | float | str)
            if not plain or (isinstance(value, float) and not math.isfinite(value)):
                text = "A preset gives {name} a value: a number, true, false or text."
                raise Refused(message(text, name=variable))
        draft.put("preset", name, dict(values))

    return edit


def remove_preset(name: str) -> Edit:
    """Forget a preset; the variables keep their values."""

    def edit(draft: Draft) -> None:
        draft.put("preset", name, None)

    return edit


def use_preset(name: str) -> Edit:
    """Give the variables the values of a preset."""

    def edit(draft: Draft) -> None:
        preset = draft.whole.presets.get(name)
        if preset is None:
            raise Refused(message("There is no preset {name}.", name=name))
        for variable, value in preset.items():
            known = draft.whole.variables.get(variable)
            if known is not None:
                draft.put("variable", variable, replace(known, value=value))

    return inside("", edit)
