"""One module in several places: layers that are the same as another of their graph."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, cast

from designer.core import size as sizes
from designer.core.copies import PIECES, alike
from designer.core.drafting import Refused, node_of
from designer.core.layer import Result
from designer.core.message import message
from designer.core.size import Verdict, compare
from designer.core.tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from designer.core.code import Code
    from designer.core.document import Draft, Edit
    from designer.core.graph import Graph, Node, NodeId
    from designer.core.message import Message
    from designer.core.param import Param


def owner_of(graph: Graph, node: Node) -> Node | None:
    """The layer whose module a node uses; None where it has its own, or where that cannot be."""
    owner = graph.nodes.get(node.same_as) if node.same_as is not None else None
    fits = owner is not None and owner.kind == node.kind and owner.same_as is None
    return owner if fits else None


def meant(graph: Graph, node: Node) -> Node:
    """A node with the options of the layer whose module it uses."""
    owner = owner_of(graph, node)
    return replace(node, options=owner.options, trainable=owner.trainable) if owner else node


def without_module(result: Result) -> Result:
    """What a layer adds that uses another's module: all but parameters, and nothing is made."""

    def write() -> Code:
        code = result.written
        assert code is not None
        return replace(code, make=None)

    return Result(result.outputs, (), result.flops, write=write, work=lambda: result.elementwise)


def misfit(name: str, owner: str, mine: Result, theirs: Result) -> Message | None:
    """Why the module of one layer cannot be another's too; None where it can."""
    for a, b in zip(mine.params, theirs.params, strict=False):
        if not _same_param(a, b):
            text = "{owner} has {param} {theirs}; {name} would need {shape}."
            shapes = {"theirs": Tensor(b.shape), "shape": Tensor(a.shape)}
            return message(text, owner=owner, param=b.name, name=name, **shapes)
    made, wanted = (result.written.make if result.written else None for result in (theirs, mine))
    if len(mine.params) != len(theirs.params) or not _same_made(made, wanted):
        text = "{name} would need another module than {owner} for its input."
        return message(text, name=name, owner=owner)
    return None


def _same_param(a: Param, b: Param) -> bool:
    if (a.name, a.part, len(a.shape)) != (b.name, b.part, len(b.shape)):
        return False
    return all(
        _may_be(*pair) for pair in zip((*a.shape, a.copies), (*b.shape, b.copies), strict=True)
    )


def _may_be(a: sizes.Size, b: sizes.Size) -> bool:
    return compare(a, b) is not Verdict.DIFFERENT


def _same_made(a: object, b: object) -> bool:
    """Whether two pieces of code make modules alike: sizes are compared by their values."""
    if _is_size(a) and _is_size(b):
        return _may_be(cast("sizes.Size", a), cast("sizes.Size", b))
    if isinstance(a, tuple | list) and isinstance(b, tuple | list):
        return len(a) == len(b) and all(map(_same_made, a, b))
    if type(a) is type(b) and type(a) in PIECES:
        names = [field.name for field in fields(cast("Any", a))]
        return all(_same_made(getattr(a, name), getattr(b, name)) for name in names)
    return alike(a, b) or a == b


def _is_size(value: object) -> bool:
    return isinstance(value, int | sizes.Symbolic) and not isinstance(value, bool)


# Edits


def calls_of(graph: Graph, id: NodeId) -> list[NodeId]:
    """The layers that are other calls of a layer's module, in stored order."""
    return sorted(other for other, node in graph.nodes.items() if node.same_as == id)


def one_with(graph: Graph, ids: Iterable[NodeId]) -> list[NodeId]:
    """Some layers, and all that are calls of the same modules."""
    chosen = dict.fromkeys(ids)
    owners = {_module_of(graph, id) for id in chosen}
    also = (id for id, node in graph.nodes.items() if node.same_as in owners)
    return [*chosen, *sorted({*owners, *also} - chosen.keys())]


def _module_of(graph: Graph, id: NodeId) -> NodeId:
    """The layer that has the module that a layer calls: itself, or another."""
    node = graph.nodes.get(id)
    return id if node is None or node.same_as is None else node.same_as


def share(id: NodeId, owner: NodeId) -> Edit:
    """Make a layer another call of the module of `owner`: with its options and its weights."""

    def edit(draft: Draft) -> None:
        root = _module_of(draft.graph, owner)
        node, theirs = node_of(draft, id), node_of(draft, root)
        if root == id:
            raise Refused(message("{name} is that layer itself.", name=node.name))
        if node.kind != theirs.kind or node.kind in ("Input", "Output"):
            text = "{name} and {owner} are no layers of one kind that could be the same."
            raise Refused(message(text, name=node.name, owner=theirs.name))
        move_ties(draft, id, root)
        for other in calls_of(draft.graph, id):
            draft.put_node(other, _as_call(node_of(draft, other), root, theirs))
        draft.put_node(id, _as_call(node, root, theirs))

    return edit


def _as_call(node: Node, owner: NodeId, theirs: Node) -> Node:
    return replace(node, options=theirs.options, trainable=theirs.trainable, same_as=owner)


def unshare(id: NodeId) -> Edit:
    """Give a layer a module of its own again, with the options that it has."""

    def edit(draft: Draft) -> None:
        draft.put_node(id, replace(node_of(draft, id), same_as=None))

    return edit


def move_ties(draft: Draft, id: NodeId, heir: NodeId) -> None:
    """Let ties with a layer's parameters be with those of another, where it has no such tie."""
    for param, owner in list(draft.graph.ties.items()):
        if id not in (param.node, owner.node):
            continue
        draft.put_tie(param, None)
        pair = [end._replace(node=heir) if end.node == id else end for end in (param, owner)]
        if pair[0] != pair[1] and pair[0] not in draft.graph.ties:
            draft.put_tie(*pair)


def check_alone(graph: Graph, ids: Iterable[NodeId]) -> None:
    """Refuse to take layers away from others that are calls of the same module."""
    chosen = set(ids)
    for id, node in graph.nodes.items():
        if node.same_as is not None and (id in chosen) != (node.same_as in chosen):
            owner = graph.nodes.get(node.same_as)
            text = "{name} and {owner} are one layer: take both, or give each weights of its own."
            raise Refused(message(text, name=node.name, owner=owner.name if owner else "?"))
