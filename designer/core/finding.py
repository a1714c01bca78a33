"""What the analysis knows of a node, and what is wrong there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from designer.core.param import Tally

if TYPE_CHECKING:
    from collections.abc import Mapping

    from designer.core.graph import NodeId, ParamRef
    from designer.core.layer import (
        Inputs,
        Layer,
        Result,
        Severity,
    )
    from designer.core.message import Message
    from designer.core.param import Param
    from designer.core.size import Size
    from designer.core.tensor import Tensor

_NOTHING = Tally()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong, or worth saying, at a node, and there at a port or an option.

    `node` is None for a variable; its name is then `option`. `name` is an undeclared name, where
    that is what is wrong. `expected` and `got` are two sizes that do not agree.
    """

    severity: Severity
    message: Message
    node: NodeId | None = None
    port: str | None = None
    slot: int = 0
    option: str | None = None
    expected: Size | None = None
    got: Size | None = None
    name: str | None = None

    @property
    def blocks(self) -> bool:
        """Whether the design cannot be exported as long as this stands."""
        return self.severity in ("error", "incomplete")


@dataclass(frozen=True, slots=True)
class Finding:
    """A node examined with its inputs.

    `layer` has defaults in place of options that cannot be used; `result` is None then. `counted`
    is what this node adds to the totals: parameters tied to another node's are not in it.
    """

    layer: Layer | None
    inputs: Inputs = field(default_factory=dict)
    result: Result | None = None
    outputs: Mapping[str, Tensor] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    tied: Mapping[str, ParamRef] = field(default_factory=dict)
    counted: Tally = _NOTHING
    trainable: int = 0

    @property
    def params(self) -> tuple[Param, ...]:
        """Its parameters and buffers in state-dict order, tied ones included."""
        return self.result.params if self.result else ()
