"""One module in several places: layers that are the same as another of their graph."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, cast

from designer.core import size as sizes
from designer.core.copies import PIECES, alike
from designer.core.layer import Result
from designer.core.message import message
from designer.core.size import Verdict, compare
from designer.core.tensor import Tensor

if TYPE_CHECKING:
    from designer.core.code import Code
    from designer.core.graph import Graph, Node
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

    return Result(
        result.outputs, (), result.flops, write=write, work=lambda: result.elementwise
    )


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
