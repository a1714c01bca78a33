"""Blocks: graphs of a document that are used as layers."""

from __future__ import annotations

from dataclasses import field, make_dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, cast

from designer.core import size as sizes
from designer.core.blueprint import Blueprint
from designer.core.code import Call, Code, Module, Ref
from designer.core.copies import Bank, Repeat
from designer.core.document import Document
from designer.core.frame import Frame, arriving, ends, first, scope_of
from designer.core.layer import Layer, Port, Remark, Result, note
from designer.core.message import message
from designer.core.option import Option
from designer.core.param import state_place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from designer.core.analysis import Analysis
    from designer.core.document import Block, Dimension, Variable
    from designer.core.expression import Scope
    from designer.core.finding import Problem
    from designer.core.frame import Analyse
    from designer.core.graph import NodeId
    from designer.core.layer import Inputs
    from designer.core.message import Message
    from designer.core.option import Raw
    from designer.core.param import Param
    from designer.core.size import Size
    from designer.core.tensor import Tensor

BLOCK = "block:"
"""What the kind of a block's use begins with; the name of the block follows."""

COPIES, SHARING = "copies", "sharing"
"""The options that each use of a block has besides the block's arguments."""

OWN, SHARED, ROUTED = "own", "shared", "routed"


class Surroundings(NamedTuple):
    """What a block's graph sees of its document: kinds of blocks within it, and dimensions."""

    kinds: Mapping[str, type[Layer]]
    dimensions: Mapping[str, Dimension]
    analyse: Analyse


class BlockUse(Layer):
    """A use of a block; each block has a subclass of its own, made by `block_class`."""

    block: ClassVar[Block]
    surroundings: ClassVar[Surroundings]
    copies: Size
    sharing: str

    # Ports

    def inputs(self) -> tuple[Port, ...]:
        """The block's Inputs; those of a bank of experts where copies are routed."""
        return self._wrapped.inputs() if self.sharing == ROUTED else self.ports

    def outputs(self) -> tuple[Port, ...]:
        """The block's Outputs."""
        nodes = self.block.graph.nodes
        return tuple(Port(nodes[id].attribute) for id in ends(self.block, "Output"))

    # The rule

    @property
    def single(self) -> bool:
        """Whether it is one copy, which needs no list: the number 1 as it stands."""
        return self.sharing != ROUTED and type(self.copies) is int and self.copies == 1

    @cached_property
    def _wrapped(self) -> Layer:
        one = replace(cast("Any", self), copies=1, sharing=OWN)
        if self.sharing == ROUTED:
            return Bank(one, self.copies)
        return Repeat(one, self.copies, shared=self.sharing == SHARED)

    def infer(self, **inputs: Tensor) -> Result:
        """What follows from the block's graph."""
        if not self.single:
            return self._wrapped.infer(**inputs)
        inner = self.inside(inputs)
        self._tell(inner)
        if not ends(self.block, "Output"):
            note(Remark("incomplete", message("{block} has no Output yet.", block=self.title)))
        return self._result(inner, inputs)

    def inside(self, inputs: Inputs) -> Analysis:
        """The Analysis of the block's graph with these inputs, for one copy."""
        if self.sharing == ROUTED:
            x, chosen = first(inputs.get("x")), first(inputs.get("chosen"))
            inputs = {port.name: Bank(self, 1).rows(x, chosen) for port in self.ports[:1]}
        ids = ends(self.block, "Input")
        given = {id: first(inputs.get(port.name)) for id, port in zip(ids, self.ports, strict=True)}
        return self.analysed(given, self.scope)

    @classmethod
    def alone(cls) -> Analysis:
        """The Analysis of the block where it is not used: with the shapes of its Inputs."""
        use = cls(**{option.name: option.default for option in cls.declared})
        return use.analysed({}, use.scope)

    def analysed(self, given: Mapping[NodeId, Tensor], scope: Scope) -> Analysis:
        """The Analysis of the block's graph with tensors at its Inputs and values of arguments."""
        kinds, dimensions, analyse = self.surroundings
        block = self.block
        document = Document(self.title, block.graph, block.arguments, dimensions)
        return analyse(document, Frame(given, scope, kinds))

    @cached_property
    def values(self) -> dict[str, Any]:
        """The arguments that this use gives."""
        values = {name: getattr(self, name) for name in self.block.arguments}
        return {name: value for name, value in values.items() if value is not None}

    @cached_property
    def scope(self) -> Scope:
        """All arguments: given ones, and others as the block declares them."""
        return scope_of(self.block.arguments, self.values)

    def _result(self, inner: Analysis, inputs: Mapping[str, Tensor]) -> Result:
        outputs = tuple(arriving(inner, id) for id in ends(self.block, "Output"))
        findings = inner.findings.values()
        params = sorted(params_of(inner), key=lambda param: state_place(param.name, param))
        flops: Size = 0
        for finding in findings:
            flops = flops + (finding.result.flops if finding.result else sizes.UNKNOWN)
        return Result(
            outputs,
            tuple(params),
            flops,
            write=lambda: self._code(inputs),
            work=lambda: elementwise_of(inner),
        )

    def _tell(self, inner: Analysis) -> None:
        """Say at the use the worst of what is wrong inside."""
        found = [problem for problem in inner.problems() if problem.severity != "hint"]
        for severity in ("error", "incomplete", "warning"):
            worst = [problem for problem in found if problem.severity == severity]
            if worst:
                note(Remark(worst[0].severity, _inside(inner, worst)))
                return

    # Code

    def _code(self, inputs: Mapping[str, Tensor]) -> Code:
        blueprint = Blueprint.of(self, inputs)
        make = Call(blueprint, *blueprint.arguments())
        args = tuple(Ref(port.name) for port in self.ports)
        ports = tuple(port.name for port in self.outputs())
        return Code(Call(Module(), args), make, ports if len(ports) > 1 else None)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The arguments that are given: `d_model = 768`."""
        return ", ".join(f"{name} = {_shown(v)}" for name, v in list(self.values.items())[:2])


def _shown(value: object) -> object:
    return sizes.at_values(value) if isinstance(value, sizes.Symbolic) else value


def params_of(inner: Analysis) -> Iterator[Param]:
    """The parameters and buffers of a graph in the order of its layers, under their full names."""
    nodes = inner.document.graph.nodes
    for id in inner.network.ordered():
        node, finding = nodes[id], inner.findings[id]
        for param in finding.params:
            outside = param.under(node.attribute)
            tie = finding.tied.get(param.name)
            trained = nodes[tie.node].trainable if tie else node.trainable
            yield replace(
                outside,
                norm=param.norm or "Norm" in node.kind,
                trainable=param.trainable and trained,
                owner=f"{nodes[tie.node].attribute}.{tie.param}" if tie else outside.owner,
            )


def _inside(inner: Analysis, problems: list[Problem]) -> Message:
    first, more = problems[0], len(problems) - 1
    node = inner.document.graph.nodes.get(first.node) if first.node is not None else None
    part = node.name if node else str(first.option)
    if more:
        template = "Inside, {part}: {said} And {more} more."
        return message(template, part=part, said=first.message, more=more)
    return message("Inside, {part}: {said}", part=part, said=first.message)


# Classes


def block_class(name: str, block: Block, surroundings: Surroundings) -> type[BlockUse]:
    """The layer class of a block."""
    options = tuple(argument_options(block.arguments))
    fields = [(o.name, object, field(default=o.default)) for o in options]
    made = make_dataclass(name, fields, bases=(BlockUse,), frozen=True, eq=False)
    made.__doc__ = block.note or message("A block of this design.").template
    ports = tuple(Port(block.graph.nodes[id].attribute) for id in ends(block, "Input"))
    words = {"kind": f"{BLOCK}{name}", "title": name, "family": "block", "aliases": ()}
    rule = {"stem": stem_of(name), "declared": options, "ports": ports}
    parts = {"block": block, "surroundings": surroundings}
    for key, value in {**words, **rule, **parts}.items():
        setattr(made, key, value)
    return cast("type[BlockUse]", made)


def stem_of(name: str) -> str:
    """What a new use of a block is called: `EncoderLayer` is `encoder_layer`."""
    parts = ["_" + c.lower() if c.isupper() and at else c.lower() for at, c in enumerate(name)]
    return "".join(parts).replace("__", "_")


def use_options(block: Block) -> tuple[tuple[str, Raw], ...]:
    """The options of a new use: no argument is given, and it is one copy."""
    return (*((name, None) for name in block.arguments), (COPIES, 1), (SHARING, OWN))


def has_meaning(name: str) -> bool:
    """Whether no argument can have a name, since uses of blocks have something else under it."""
    return hasattr(BlockUse, name) or name in ANNOTATED


ANNOTATED = BlockUse.__annotations__.keys() | Layer.__annotations__.keys()
"""What uses of blocks have besides their arguments."""


def argument_options(arguments: Mapping[str, Variable]) -> Iterator[Option]:
    """The options of the uses of a block with these arguments."""
    for name, argument in arguments.items():
        yield Option(
            name,
            _kind(argument),
            None,
            argument.note or "An argument of the block; its own value when empty.",
            choices=argument.choices,
            optional=True,
        )
    yield Option(COPIES, "size", 1, "How many copies run one after another.", minimum=1)
    yield Option(
        SHARING,
        "choice",
        OWN,
        "Whether copies have weights of their own, share them, or are experts that are routed to.",
        choices=(OWN, SHARED, ROUTED),
    )


def _kind(argument: Variable) -> Any:
    """The type of an argument, after its value; what is worked out is a size."""
    kinds: tuple[tuple[type, str], ...] = ((bool, "flag"), (float, "real"), (str, "choice"))
    found = (kind for type_, kind in kinds if isinstance(argument.value, type_))
    return next(found, "size")


def elementwise_of(analysis: Analysis) -> Size:
    """The element-wise operations of all layers of a graph."""
    total: Size = 0
    for finding in analysis.findings.values():
        total = total + (finding.result.elementwise if finding.result else sizes.UNKNOWN)
    return total
