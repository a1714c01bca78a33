"""What a block's graph is examined with: tensors at its Inputs, values of its arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from designer.core import expression
from designer.core import size as sizes
from designer.core.expression import Expression, Flag
from designer.core.option import names_in
from designer.core.tensor import ANYTHING, Tensor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from designer.core.analysis import Analysis
    from designer.core.document import Block, Document, Variable
    from designer.core.expression import Scope
    from designer.core.graph import NodeId
    from designer.core.layer import Layer


@dataclass(frozen=True)
class Frame:
    """What a block's graph is examined with: tensors at its Inputs, and values of its arguments.

    `kinds` are the classes of the blocks within it.
    """

    given: Mapping[NodeId, Tensor]
    scope: Scope
    kinds: Mapping[str, type[Layer]]


class Analyse(Protocol):
    """Examines a graph within a frame, as `Analysis.within` does."""

    def __call__(self, document: Document, frame: Frame) -> Analysis:
        """The Analysis of a block's graph."""


def ends(block: Block, kind: str) -> list[NodeId]:
    """The Inputs or Outputs of a block, in stored order: its ports."""
    return sorted(id for id, node in block.graph.nodes.items() if node.kind == kind)


def scope_of(arguments: Mapping[str, Variable], given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of all arguments; those that cannot be worked out are left out.

    Those that are not given have no name outside their block: they are plain values, or worked out
    from what is given.
    """
    declared = {name: argument.value for name, argument in arguments.items() if name not in given}
    own: dict[str, Any] = {n: raw for n, raw in declared.items() if not isinstance(raw, Expression)}
    formulas = {name: raw for name, raw in declared.items() if name not in own}
    values, _ = expression.resolve(formulas, known={**given, **own})
    return {**given, **own, **values}


def plain(value: Any) -> Any:
    """A value without the names that it came from, where it has a value without them."""
    if isinstance(value, sizes.Symbolic):
        return sizes.at_values(value)
    if isinstance(value, bool | Flag):
        return bool(value)
    if isinstance(value, str):
        return str.__str__(value)
    return float(value) if isinstance(value, float) else value


def arriving(inner: Analysis, id: NodeId) -> Tensor:
    """The tensor at an Output."""
    return first(inner.findings[id].inputs.get("x"))


def first(value: Tensor | tuple[Tensor, ...] | None) -> Tensor:
    """The tensor at a port that takes one; ANYTHING where there is none."""
    return value if isinstance(value, Tensor) else ANYTHING


def derived(argument: Variable) -> bool:
    """Whether an argument is worked out from others where a use gives none."""
    return isinstance(argument.value, Expression) and bool(names_in(argument.value))
