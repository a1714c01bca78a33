"""The class of a block: its graph with names for its arguments and for sizes of its inputs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from designer.core import size as sizes
from designer.core.document import Dimension, Variable
from designer.core.expression import Flag, Real, Text
from designer.core.frame import arriving, derived, ends, scope_of
from designer.core.names import python_name
from designer.core.option import names_in
from designer.core.parts import names_used

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from designer.core.analysis import Analysis
    from designer.core.block import BlockUse
    from designer.core.document import Document
    from designer.core.expression import Scope
    from designer.core.finding import Finding
    from designer.core.graph import NodeId
    from designer.core.network import Network
    from designer.core.param import Tally
    from designer.core.size import Size, Symbolic
    from designer.core.tensor import Tensor

MOST_ROUNDS = 8
"""How often sizes that turn out to be one are made one; each round makes one at least."""


class Formal(NamedTuple):
    """An axis of an input as the class sees it: a name, and the size that it has at this use."""

    name: str
    actual: Size


@dataclass(frozen=True, eq=False, repr=False)
class Blueprint:
    """A class of modules with the graph of a block.

    It has what an Analysis has, so that it is written as a design is. `formals` are sizes of the
    inputs that parameters depend on: they are arguments of the class too.
    """

    use: BlockUse
    analysis: Analysis
    formals: tuple[Formal, ...]

    @staticmethod
    def of(use: BlockUse, inputs: Mapping[str, Tensor]) -> Blueprint:
        """The class of a use that takes these inputs.

        Where the graph only works with the sizes of this use, the class is made for them alone.
        """
        analysis, formals = _General(use, inputs).settled()
        if any(problem.blocks for problem in analysis.problems()):
            return Blueprint(use, _particular(use, inputs), ())
        return Blueprint(use, analysis, formals)

    # What its class is called, and takes

    @property
    def kind(self) -> str:
        """The name of the block."""
        return self.use.title

    @property
    def names(self) -> tuple[str, ...]:
        """What the class may be called."""
        return (self.use.title,)

    @cached_property
    def summary(self) -> str:
        """The shapes that it takes and gives."""
        taken = [self.findings[id].outputs["out"] for id in ends(self.use.block, "Input")]
        given = [arriving(self.analysis, id) for id in ends(self.use.block, "Output")]
        text = f"{', '.join(map(str, taken))} to {', '.join(map(str, given))}."
        return text if len(text) <= LONGEST_SUMMARY else "A block of the design."

    @cached_property
    def formal(self) -> tuple[str, ...]:
        """The arguments of the class that its code uses, those that are always given first."""
        codes = [f.result.written for f in self.findings.values() if f.result]
        used = {name for c in codes if c for part in (c.make, c.use) for name in names_used(part)}
        arguments = self.use.block.arguments
        frontier = [name for name in used if name in arguments]
        for name in frontier:
            if name not in self._given and derived(arguments[name]):
                more = [n for n in names_in(arguments[name].value) if n not in used]
                used.update(more)
                frontier += more
        names = [name for name in arguments if name in used and name in self._fixed]
        names += [formal.name for formal in self.formals]
        return tuple(sorted(names, key=lambda name: self.default(name) is not None))

    @property
    def _given(self) -> Mapping[str, Any]:
        return self.use.values

    @cached_property
    def _fixed(self) -> set[str]:
        """Arguments of the block that are not worked out from others at this use."""
        return {
            name
            for name, argument in self.use.block.arguments.items()
            if name in self._given or not derived(argument)
        }

    def default(self, name: str) -> int | float | bool | str | None:
        """The default of an argument; None for a size, which is always given."""
        argument = self.use.block.arguments.get(name)
        value = argument.value if argument else None
        return value if isinstance(value, bool | float | str) else None

    def arguments(self) -> tuple[tuple[object, ...], tuple[tuple[str, object], ...]]:
        """The positional and keyword arguments that make a module for this use."""
        actual = {**self.use.scope, **{formal.name: formal.actual for formal in self.formals}}
        args = tuple(actual[name] for name in self.formal if self.default(name) is None)
        kwargs = tuple(
            (name, actual[name])
            for name in self.formal
            if self.default(name) is not None and name in self._given
        )
        return args, kwargs

    # What an analysis has

    @cached_property
    def document(self) -> Document:
        """The graph, with the arguments of the class as variables."""
        arguments = self.use.block.arguments
        # A plain value in place of a formula: these are given.
        variables = {name: Variable(0) for name in self.formal}
        variables |= {name: arguments[name] for name in arguments if name not in variables}
        named = [name for axis in self._axes() for name in sizes.names(axis)]
        dimensions = {name: Dimension() for name in named if name not in variables}
        dimensions |= self.analysis.document.dimensions
        return replace(self.analysis.document, variables=variables, dimensions=dimensions)

    def _axes(self) -> Iterator[Size]:
        for id in ends(self.use.block, "Input"):
            yield from self.findings[id].outputs["out"].shape

    @property
    def network(self) -> Network:
        """The order of the layers."""
        return self.analysis.network

    @property
    def findings(self) -> Mapping[NodeId, Finding]:
        """What is known of each layer."""
        return self.analysis.findings

    @property
    def scope(self) -> Scope:
        """The values of names."""
        return self.analysis.scope

    @property
    def counted(self) -> Tally:
        """The elements of one module."""
        return self.analysis.counted


LONGEST_SUMMARY = 80


def _particular(use: BlockUse, inputs: Mapping[str, Tensor]) -> Analysis:
    """A block's graph with the numbers of one use."""
    scope = {name: _number(value) for name, value in use.scope.items()}
    given = {
        id: replace(inputs[port.name], shape=tuple(map(sizes.at_values, inputs[port.name].shape)))
        for id, port in zip(ends(use.block, "Input"), use.ports, strict=True)
    }
    return use.analysed(given, scope)


def _number(value: Any) -> Any:
    return sizes.at_values(value) if isinstance(value, sizes.Symbolic) else value


class _General:
    """A block's graph with names in place of its arguments and of the sizes of its inputs."""

    def __init__(self, use: BlockUse, inputs: Mapping[str, Tensor]) -> None:
        self.use = use
        self.inputs = inputs
        self.scope = self._formal_scope()
        nodes = use.block.graph.nodes.values()
        self.taken = {node.attribute for node in nodes} | use.block.arguments.keys()
        self.formals = self._formal_axes()
        self.same: dict[Size, Size] = {}
        """What turned out to be another size, and that size."""

    def settled(self) -> tuple[Analysis, tuple[Formal, ...]]:
        """The Analysis in which sizes that have to be equal are one, and those it is made with."""
        analysis = self.analysed()
        for _ in range(MOST_ROUNDS):
            if not self._unify(analysis):
                break
            analysis = self.analysed()
        formals = self._named(analysis)
        return (self.analysed() if formals else analysis), formals

    def analysed(self) -> Analysis:
        """The Analysis with the names as they are now."""
        ids = ends(self.use.block, "Input")
        given = {
            id: self._general(self.inputs[port.name])
            for id, port in zip(ids, self.use.ports, strict=True)
        }
        return self.use.analysed(given, self.scope)

    def _formal_scope(self) -> Scope:
        arguments = self.use.block.arguments
        actual = self.use.scope
        formals = {
            name: _formal(name, actual[name], argument)
            for name, argument in arguments.items()
            if name in actual and (name in self.use.values or not derived(argument))
        }
        return scope_of(arguments, formals)

    def _formal_axes(self) -> dict[Size, Size]:
        """Of each size of an input, what stands for it; plain names of dimensions stay."""
        axes = [axis for port in self.use.ports for axis in self.inputs[port.name].shape]
        plain = {str(axis) for axis in axes if sizes.value(axis) is None}
        found: dict[Size, Size] = {}
        for port in self.use.ports:
            for place, axis in enumerate(self.inputs[port.name].shape):
                if axis not in found and not self._stays(axis, plain):
                    name = python_name(f"{port.name}_{place}", self.taken)
                    self.taken.add(name)
                    found[axis] = _named(name, axis)
        return found

    def _stays(self, axis: Size, plain: set[str]) -> bool:
        if isinstance(axis, int):
            return axis <= 1
        if sizes.is_unknown(axis):
            return True
        names = sizes.names(axis)
        clear = not names & self.use.block.arguments.keys()
        return sizes.value(axis) is None and names <= plain and clear

    def _general(self, tensor: Tensor) -> Tensor:
        shape = (self._meant(self.formals.get(axis, axis)) for axis in tensor.shape)
        return replace(tensor, shape=tuple(shape))

    def _meant(self, size: Size) -> Size:
        while size in self.same:
            size = self.same[size]
        return size

    def _unify(self, analysis: Analysis) -> bool:
        """Make a size of an input one with what it has to be equal to, where the graph says so."""
        own = {self._meant(formal) for formal in self.formals.values()}
        changed = False
        for problem in analysis.problems():
            pair = (problem.expected, problem.got)
            if problem.severity != "hint" or None in pair:
                continue
            a, b = (self._meant(cast("Size", size)) for size in pair)
            if a in own and self._may_be(a, b):
                self.same[a] = b
            elif b in own and self._may_be(b, a):
                self.same[b] = a
            else:
                continue
            changed = True
            own = {self._meant(formal) for formal in self.formals.values()}
        return changed

    def _may_be(self, formal: Size, other: Size) -> bool:
        return formal != other and not sizes.names(formal) & sizes.names(other)

    def _named(self, analysis: Analysis) -> tuple[Formal, ...]:
        """The sizes of inputs that modules are made with, which are named after what they are."""
        made = [f.result.written for f in analysis.findings.values() if f.result]
        used = {name for code in made if code for name in names_used(code.make)}
        found: list[Formal] = []
        for actual, formal in self.formals.items():
            if formal not in self.same and str(formal) in used:
                name = python_name(_label(analysis, formal) or str(formal), self.taken)
                self.taken.add(name)
                self.same[formal] = _named(name, actual)
                found.append(Formal(name, actual))
        return tuple(found)


def _named(name: str, actual: Size) -> Size:
    """A name with the value of a size, if it has one."""
    number = sizes.value(actual)
    return sizes.free(name) if number is None else sizes.variable(name, number)


def _label(analysis: Analysis, size: Size) -> str:
    """What the first parameter with an axis of this size calls it."""
    for finding in analysis.findings.values():
        for param in finding.params:
            for axis in param.axes:
                if axis.size == size:
                    return axis.label
    return ""


def _formal(name: str, value: Any, argument: Variable) -> Any:
    """What stands for an argument in the code of the class: its name, with its value."""
    if isinstance(value, bool | Flag):
        return Flag(bool(value), name)
    if isinstance(value, str):
        return Text(value, name)
    if isinstance(value, int | sizes.Symbolic):
        return _formal_size(name, value, argument)
    return Real(float(value), name)


def _formal_size(name: str, value: int | Symbolic, argument: Variable) -> Size:
    number = sizes.value(value)
    return sizes.free(name) if number is None else sizes.variable(name, number, argument.divisors)
