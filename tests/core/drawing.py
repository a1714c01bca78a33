"""Drawing in tests: a document built step by step, as the editor's edits build it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import designer.layers  # noqa: F401 - fills the catalogue
from designer.core import edits
from designer.core.document import Dimension, Document, Variable
from designer.core.editor import Editor
from designer.core.expression import Expression
from designer.core.graph import ParamRef, Source, Target
from designer.core.message import message

if TYPE_CHECKING:
    from designer.core.document import Edit
    from designer.core.finding import Finding
    from designer.core.graph import NodeId
    from designer.core.option import Raw

STEP = message("Draw")


class Drawing:
    """An editor with shorthands for what tests draw all the time."""

    def __init__(self, **variables: Raw) -> None:
        dimensions = {"B": Dimension("batch"), "T": Dimension("tokens", trial=8)}
        declared = {name: Variable(value) for name, value in variables.items()}
        self.editor = Editor(Document(dimensions=dimensions, variables=declared))

    def do(self, edit: Edit) -> None:
        """Make an edit."""
        self.editor.apply(edit, STEP)

    def add(self, kind: str, *sources: NodeId, name: str = "", **options: Raw) -> NodeId:
        """Add a layer below the others and connect its inputs to the first outputs of `sources`."""
        node = self.editor.document.next_id
        self.do(edits.add_node(kind, (0.0, 100.0 * node), options, name))
        layer = self.editor.analysis.findings[node].layer
        assert layer is not None
        ports = layer.inputs()
        for place, source in enumerate(sources):
            port = ports[0] if ports[0].variadic else ports[place]
            self.wire(source, node, port.name, place if port.variadic else 0)
        return node

    def wire(self, source: NodeId, target: NodeId, port: str = "x", slot: int = 0) -> None:
        """Connect the first output of a node to an input."""
        output = next(iter(self.editor.analysis.findings[source].outputs))
        self.do(edits.connect(Source(source, output), Target(target, port, slot)))

    def input(self, *shape: Raw, dtype: str = "float32") -> NodeId:
        """Add an input; text in the shape is an expression."""
        axes = tuple(Expression(axis) if isinstance(axis, str) else axis for axis in shape)
        return self.add("Input", shape=axes, dtype=dtype)

    def tie(self, node: NodeId, owner: NodeId, param: str = "weight") -> None:
        """Tie a parameter of a node to that of another."""
        self.do(edits.tie(ParamRef(node, param), ParamRef(owner, param)))

    def finding(self, node: NodeId) -> Finding:
        """What the analysis knows of a node."""
        return self.editor.analysis.findings[node]

    def shape(self, node: NodeId) -> str:
        """The shape of a node's first output."""
        return str(next(iter(self.finding(node).outputs.values())))

    @property
    def parameters(self) -> int:
        """The design's total."""
        return self.editor.analysis.totals().parameters


def cifar10(drawing: Drawing, *, flatten: bool = True, in_features: int | None = None) -> NodeId:
    """The CIFAR-10 CNN; returns its first Linear."""
    node = drawing.input("B", 3, 32, 32)
    for width in (32, 64, 128):
        node = drawing.add("Conv2d", node, out_channels=width, kernel_size=3)
        node = drawing.add("ReLU", node)
        node = drawing.add("MaxPool2d", node, kernel_size=2)
    if flatten:
        node = drawing.add("Flatten", node)
    first = node = drawing.add("Linear", node, in_features=in_features, out_features=128)
    node = drawing.add("ReLU", node)
    node = drawing.add("Linear", node, out_features=10)
    node = drawing.add("Softmax", node, dim=-1)
    drawing.add("Output", node)
    return first
