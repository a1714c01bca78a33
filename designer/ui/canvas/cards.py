"""Nodes and wires as they are drawn: what they say, and what they look like."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from designer.core import size
from designer.core.block import BlockUse
from designer.core.layer import CATALOGUE
from designer.ui.canvas import geometry, labels, values
from designer.ui.canvas.geometry import MOST_CHIPS, Box, Point, Spot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from designer.core.finding import Finding, Problem
    from designer.core.graph import Edge, Node, NodeId
    from designer.core.layer import Layer, Result
    from designer.core.tensor import Tensor
    from designer.ui.canvas.labels import Spans

_FULL = ("linear", "conv", "norm", "rnn", "attn", "embed", "block", "custom")
"""Families whose nodes are full where the analysis cannot say whether they have parameters."""


class Member(NamedTuple):
    """A layer of a block as it stands on the block's node: a chip with its icon."""

    id: NodeId
    name: str
    icon: str
    family: str


@dataclass(frozen=True, slots=True)
class Card:
    """A node as it is drawn."""

    id: NodeId
    name: str
    title: str
    shape: geometry.Shape
    family: str
    icon: str
    box: Box
    caption: str = ""
    count: str = ""
    note: str = ""
    parameters: int = 0
    locked: bool = False
    block: bool = False
    """Whether it is a use of a block, which can be gone into."""
    copies: str = ""
    """`×12` where there are many."""
    members: tuple[Member, ...] = ()
    """The layers of a block."""
    owner: NodeId | None = None
    """The node that owns the tensor which this one shares."""
    same: bool = False
    """Whether it is another call of that node's module, and not only a tensor is shared."""
    hidden: int = 0
    """Parameters that are counted there."""
    state: str = ""
    """`error`, `warning`, or nothing."""
    problem: Problem | None = None
    bad: frozenset[str] = frozenset()
    inputs: tuple[Spot, ...] = ()
    outputs: tuple[Spot, ...] = ()
    wired: frozenset[str] = frozenset()
    """Inputs that have a wire (a variadic one: enough wires)."""
    feeds: frozenset[str] = frozenset()
    """Outputs that have a wire."""

    @property
    def shown(self) -> str:
        """The name on it; a merge that nobody has named shows what it does."""
        plain = self.shape == "merge" and self.name.rstrip("0123456789_") == self.title.lower()
        return self.title if plain else self.name

    @property
    def outline(self) -> Box:
        """The box around it and its further copies."""
        return geometry.stacked(self.box) if self.copies else self.box

    @property
    def chips(self) -> list[tuple[Box, Member]]:
        """The layers of the block that have a chip; where not all have room the last stay out."""
        shown = len(self.members) if len(self.members) <= MOST_CHIPS else MOST_CHIPS - 1
        boxes = geometry.chip_boxes(self.box, len(self.members))
        return list(zip(boxes, self.members[:shown], strict=False))

    def member_at(self, place: Point) -> Member | None:
        """The layer of the block whose chip is at a place."""
        return next((member for box, member in self.chips if box.contains(place)), None)

    def moved(self, dx: float, dy: float) -> Card:
        """The same card at another place."""
        return replace(
            self,
            box=self.box.moved(dx, dy),
            inputs=tuple(_moved(spot, dx, dy) for spot in self.inputs),
            outputs=tuple(_moved(spot, dx, dy) for spot in self.outputs),
        )


def _moved(spot: Spot, dx: float, dy: float) -> Spot:
    return spot._replace(place=Point(spot.place.x + dx, spot.place.y + dy))


@dataclass(frozen=True, slots=True)
class Wire:
    """A wire as it is drawn, without its way."""

    edge: Edge
    tensor: Tensor | None = None
    before: Tensor | None = None
    """What comes into the layer that the wire leaves."""
    state: str = ""
    """`error`, `unknown`, or nothing."""
    suffix: str = ""

    @property
    def spans(self) -> Spans:
        """The shape as it is written; nothing where nothing is known of it."""
        tensor = self.tensor
        if tensor is None or (tensor.partial and not tensor.shape):
            return ()
        return labels.shape_spans(tensor, self.before, "error" if self.state == "error" else "")

    @property
    def changed(self) -> bool:
        """Whether the layer that it leaves has changed the shape."""
        return self.tensor is not None and self.tensor != self.before


def judged(problems: tuple[Problem, ...]) -> dict[str, Any]:
    """What a card says of its problems."""
    if not problems:
        return {}
    errors = [p for p in problems if p.severity == "error"]
    warnings = [p for p in problems if p.severity == "warning"]
    return {
        "state": "error" if errors else "warning" if warnings else "",
        "problem": next(iter(errors or warnings), None),
        "bad": frozenset(p.port for p in errors if p.port is not None),
    }


def block_of(layer: Layer | None) -> dict[str, Any]:
    """What a card says of the block that a layer is a use of."""
    if not isinstance(layer, BlockUse):
        return {}
    copies = f"{_MODES[layer.sharing]}{size.at_values(layer.copies)}"
    nodes = layer.block.graph.nodes
    shown = (id for id in layer.block.graph.ids() if nodes[id].kind not in ("Input", "Output"))
    kinds = layer.surroundings.kinds
    members = tuple(_member(id, nodes[id], kinds) for id in shown)
    return {"block": True, "copies": "" if layer.single else copies, "members": members}


_MODES = {"own": "×", "shared": "shared ×", "routed": "bank ×"}


def _member(id: NodeId, node: Node, kinds: Mapping[str, type[Layer]]) -> Member:
    kind = CATALOGUE.get(node.kind) or kinds.get(node.kind)
    family = kind.family if kind else "custom"
    return Member(id, node.name, icon_of(node.kind, family), family)


def shape_of(family: str, finding: Finding, previous: Card | None) -> geometry.Shape:
    if family == "io" or isinstance(finding.layer, BlockUse):
        return "io" if family == "io" else "block"
    if finding.layer is not None and any(port.variadic for port in finding.layer.inputs()):
        return "merge"
    if finding.result is not None:
        return "full" if any(p.part != "buffer" for p in finding.result.params) else "compact"
    # While an option cannot be read the node keeps its size: it must not jump as one types.
    if previous is not None:
        return previous.shape
    return "full" if family in _FULL else "compact"


def caption_of(family: str, finding: Finding) -> str:
    if family == "io":
        return _dtype(finding)
    if finding.layer is None or finding.result is None:
        return ""
    if isinstance(finding.layer, BlockUse):
        return _each(finding.layer, finding.result)
    return values.caption(finding.layer, finding.result, finding.inputs)


def _each(layer: BlockUse, result: Result) -> str:
    """What one of many copies has: `7,087,872 each`; nothing for one alone."""
    total, copies = result.tally.parameters, size.value(layer.copies)
    if layer.single or result.tally.unknown or not copies:
        return ""
    if layer.sharing == "shared":
        return f"{total:,} shared"
    return f"{total // copies:,} each" if total % copies == 0 else ""


def _dtype(finding: Finding) -> str:
    """The element type of what enters or leaves the network, where it is known."""
    tensor = next(iter(finding.outputs.values()), None) or labels.first_input(finding)
    if tensor is None or (tensor.partial and not tensor.shape):
        return ""
    return tensor.dtype


def icon_of(kind: str, family: str) -> str:
    if family == "io":
        return "out" if kind == "Output" else "in"
    if family == "merge":
        return "concat" if kind in ("Concat", "Stack") else "merge"
    return family
