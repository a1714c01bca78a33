"""Large designs, and the same networks built by torch on the meta device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import designer.layers  # noqa: F401  (fills the catalogue)
from designer.core import edits
from designer.core.document import Dimension, Document, Variable, drafted
from designer.core.expression import Expression
from designer.core.graph import Node, Source, Target
from designer.core.layer import CATALOGUE, defaults

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from designer.core.graph import NodeId
    from designer.core.option import Raw

    Step: TypeAlias = tuple[str, dict[str, Raw]]

E = Expression
DIMENSIONS = {"B": Dimension("batch", trial=2), "T": Dimension("tokens", trial=16)}


def node(kind: str, name: str, options: Mapping[str, Raw]) -> Node:
    """A node as the editor makes it, whose name is free for certain."""
    return Node(name, name, kind, defaults(CATALOGUE[kind])).with_options(options)


def chain(
    shape: Sequence[Raw],
    steps: Sequence[Step],
    dimensions: Mapping[str, Dimension] = DIMENSIONS,
    **variables: Raw,
) -> Document:
    """An Input of this shape, the steps one below another, and an Output.

    A step that joins wires gets the one before it and the one three before that.
    """
    every: list[Step] = [("Input", {"shape": tuple(shape)}), *steps, ("Output", {})]
    start = Document(
        title="Large",
        dimensions=dict(dimensions),
        variables={name: Variable(value) for name, value in variables.items()},
    )
    parts = [
        edits.put_nodes(
            (id, node(kind, f"n{id}", options)) for id, (kind, options) in enumerate(every, 1)
        ),
        *(edits.connect(Source(source, "out"), target) for source, target in wires(every)),
    ]
    document, _ = drafted(start, edits.all_of(parts))
    places = {id: (0.0, 96.0 * id) for id in document.graph.nodes}
    return drafted(document, edits.move(places))[0]


def wires(steps: Sequence[Step]) -> list[tuple[NodeId, Target]]:
    """Who feeds whom in a chain."""
    found: list[tuple[NodeId, Target]] = []
    for id, (kind, _) in enumerate(steps[1:], 2):
        port = CATALOGUE[kind]().inputs()[0]
        found.append((id - 1, Target(id, port.name)))
        if port.variadic:
            found.append((id - 4, Target(id, port.name, 1)))
    return found


def residual(layers: int, width: Raw) -> list[Step]:
    """Groups of Linear, LayerNorm, GELU and Add, all of one width: so many layers in all."""
    group: list[Step] = [
        ("Linear", {"out_features": width}),
        ("LayerNorm", {}),
        ("GELU", {}),
        ("Add", {}),
    ]
    return (group * (layers // 4 + 1))[:layers]


def straight(layers: int, width: Raw) -> list[Step]:
    """Linear layers of one width, each with an activation: so many layers in all."""
    group: list[Step] = [("Linear", {"out_features": width}), ("GELU", {})]
    return group * (layers // 2)


def distinct(layers: int) -> list[Step]:
    """Linear layers, each with an activation, of which no two have the same width."""
    linear: list[Step] = [("Linear", {"out_features": 8 + n}) for n in range(layers // 2)]
    return [step for one in linear for step in (one, ("ReLU", {}))]


def pictures(layers: int) -> list[Step]:
    """Convolutions that keep the size, norms and activations, with some poolings."""
    group: list[Step] = [
        ("Conv2d", {"out_channels": 16, "padding": 1}),
        ("BatchNorm2d", {}),
        ("ReLU", {}),
        ("MaxPool2d", {"kernel_size": 3, "stride": 1, "padding": 1}),
    ]
    return (group * (layers // 4 + 1))[:layers]


# torch


def rebuilt(
    steps: Sequence[Step], shape: Sequence[int], values: Mapping[str, int], *, shapes: bool = True
) -> Callable[[], int]:
    """What builds the same network on the meta device and returns its parameters.

    With `shapes` it also runs it, so that every shape is known.
    """
    import torch
    from torch import nn

    def sized(raw: Any) -> Any:
        return values[raw.text] if isinstance(raw, Expression) else raw

    def run() -> int:
        total, width = 0, shape[-1]
        x = torch.empty(*shape, device="meta")
        past = [x, x, x, x]
        for kind, options in steps:
            if kind == "Add":
                x = past[-1] + past[-4] if shapes else x
                past = [*past[1:], x]
                continue
            if kind == "Linear":
                out = sized(options["out_features"])
                module: nn.Module = nn.Linear(width, out, device="meta")
                width = out
            elif kind == "LayerNorm":
                module = nn.LayerNorm(width, device="meta")
            else:
                module = getattr(nn, kind)()
            total += sum(p.numel() for p in module.parameters())
            if shapes:
                x = module(x)
                past = [*past[1:], x]
        return total

    return run
