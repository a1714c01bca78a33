"""Drawing designs in code: layers, wires and blocks through the editor's own edits."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import designer.layers  # noqa: F401 - fills the catalogue
from designer.core import block_edits, edits
from designer.core.block import BLOCK
from designer.core.document import Dimension, Document, Variable
from designer.core.editor import Editor
from designer.core.expression import Expression
from designer.core.graph import ParamRef, Source, Target
from designer.core.level import Level
from designer.core.message import message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from designer.core.document import Edit
    from designer.core.editor import Editable
    from designer.core.graph import NodeId
    from designer.core.option import Raw

STEP = message("Draw")

Port = tuple["NodeId", str]
"""An output of a layer other than its first."""


class Sketch:
    """A design that is being drawn. Text in options is an expression where the option takes one.

    `family` groups it on the start page; `about` is one sentence, `source` where its numbers are
    from.
    """

    def __init__(self, title: str, family: str, about: str, source: str = "") -> None:
        settings = {"family": family, "about": about, "source": source}
        self.editor = Editor(Document(title=title, settings=settings))
        self._levels: list[Editable] = [self.editor]

    @property
    def document(self) -> Document:
        """The design as it is now."""
        return self.editor.document

    def do(self, edit: Edit) -> None:
        """Make an edit of the level that is being drawn."""
        self._levels[-1].apply(edit, STEP)

    # Names

    def dimension(self, name: str, meaning: str, trial: int = 1, multiple: int = 1) -> None:
        """Declare a free dimension."""
        self.do(edits.set_dimension(name, Dimension(meaning, trial, multiple)))

    def variable(self, name: str, value: Raw, note: str = "", *divisors: str | int) -> None:
        """Declare a variable, or an argument of the block that is being drawn."""
        self.do(edits.set_variable(name, Variable(_raw(value), note, divisors=divisors)))

    def preset(self, name: str, **values: Raw) -> None:
        """Keep values of variables under a name."""
        self.do(block_edits.set_preset(name, {key: _raw(value) for key, value in values.items()}))

    # Layers

    def add(self, kind: str, *sources: NodeId | Port, name: str = "", **options: Any) -> NodeId:
        """Add a layer and feed its inputs, in their order, from these."""
        level = self._levels[-1]
        id = level.document.next_id
        given = {option: self._fitting(kind, option, raw) for option, raw in options.items()}
        self.do(edits.add_node(kind, (0.0, 100.0 * id), given, name))
        layer = level.analysis.findings[id].layer
        assert layer is not None
        ports = layer.inputs()
        for place, source in enumerate(sources):
            port = ports[0] if ports[0].variadic else ports[place]
            self.wire(source, id, port.name, place if port.variadic else 0)
        return id

    def _fitting(self, kind: str, option: str, raw: Raw) -> Raw:
        """Text as an expression, unless the option takes it as it stands."""
        layer = self.editor.kinds[kind]
        declared = next(found for found in layer.declared if found.name == option)
        if isinstance(raw, str) and raw in declared.choices:
            return raw
        return raw if declared.kind == "text" else _raw(raw)

    def wire(self, source: NodeId | Port, target: NodeId, port: str, slot: int = 0) -> None:
        """Connect an output, the first where none is named, to an input."""
        node, output = source if isinstance(source, tuple) else (source, self._first(source))
        self.do(edits.connect(Source(node, output), Target(target, port, slot)))

    def ports(self, node: NodeId) -> tuple[str, ...]:
        """The names of a layer's outputs."""
        return tuple(self._levels[-1].analysis.findings[node].outputs)

    def _first(self, node: NodeId) -> str:
        return self.ports(node)[0]

    def input(self, name: str, *shape: Raw, dtype: str = "float32") -> NodeId:
        """Add an Input; text in the shape is an expression."""
        axes = tuple(_raw(axis) for axis in shape)
        return self.add("Input", name=name, shape=axes, dtype=dtype)

    def output(self, source: NodeId | Port, name: str = "out") -> NodeId:
        """Add an Output."""
        return self.add("Output", source, name=name)

    def chain(self, source: NodeId | Port, *layers: tuple[str, str, dict[str, Raw]]) -> NodeId:
        """Add layers one behind another, each (kind, name, options); the last one's id."""
        for kind, name, options in layers:
            source = self.add(kind, source, name=name, **options)
        assert isinstance(source, int)
        return source

    def tie(self, node: NodeId, param: str, owner: NodeId, owned: str) -> None:
        """Let a parameter share the tensor of another."""
        self.do(edits.tie(ParamRef(node, param), ParamRef(owner, owned)))

    # Blocks

    @contextmanager
    def block(self, name: str, note: str = "") -> Iterator[None]:
        """Declare a block and draw its graph; its Inputs and Outputs are its ports."""
        self.editor.apply(block_edits.add_block(name), STEP)
        if note:
            self.editor.apply(block_edits.set_note(name, note), STEP)
        level = Level(self.editor, name)
        self._levels.append(level)
        try:
            yield
        finally:
            self._levels.pop()
            level.close()

    def use(
        self, block: str, *sources: NodeId | Port, name: str, copies: Raw = 1, **options: Any
    ) -> NodeId:
        """Add a use of a block, once or in copies."""
        return self.add(f"{BLOCK}{block}", *sources, name=name, copies=copies, **options)


def _raw(value: Raw) -> Raw:
    if isinstance(value, tuple):
        return tuple(_raw(part) for part in value)
    return Expression(value) if isinstance(value, str) else value
