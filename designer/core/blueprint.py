"""The class of a block: its graph with names for its arguments and for sizes of its inputs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from designer.core import size as sizes
from designer.core.document import Dimension, Variable
from designer.core.expression import Expression, Flag, Real, Text
from designer.core.frame import arriving, derived, ends, plain
from designer.core.names import argument_names, is_python_name, python_name
from designer.core.option import names_in
from designer.core.parts import names_used, parts
from designer.core.size import Verdict, compare
from designer.core.written import Written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from designer.core.analysis import Analysis
    from designer.core.block import BlockUse
    from designer.core.document import Document
    from designer.core.expression import Scope
    from designer.core.finding import Finding, Problem
    from designer.core.graph import NodeId
    from designer.core.network import Network
    from designer.core.param import Tally
    from designer.core.size import Size, Symbolic
    from designer.core.tensor import Tensor

MOST_ROUNDS = 12
"""How often sizes that turn out to be one are made one; each round makes one at least."""

LONGEST_SUMMARY = 80
LONGEST_NOTE = 400


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
        """The class of a use that takes these inputs, as general as the graph allows.

        Where the graph only works with the sizes of this use, the class is made for them alone.
        """
        drawn = use.inside(inputs)
        for general in (_General(use, inputs, *freedom) for freedom in FREEDOMS):
            analysis, formals = general.settled()
            blocked = any(problem.blocks for problem in analysis.problems())
            if not blocked and general.agrees(analysis, drawn):
                return Blueprint(use, analysis, formals)
        return Blueprint(use, _particular(use, inputs), ())

    # What its class is called, and takes

    @property
    def kind(self) -> str:
        """The name of the block."""
        return self.use.title

    @property
    def names(self) -> tuple[str, ...]:
        """What the class may be called."""
        title = self.use.title
        return (title if is_python_name(title) else python_name(title),)

    @cached_property
    def plain_summary(self) -> str:
        """The note of the block where it is plain text."""
        note = " ".join(self.use.block.note.split())
        fits = note.isprintable() and not set(note) & set('\\"')
        return note if note and fits and len(note) <= LONGEST_NOTE else PLAIN_SUMMARY

    @cached_property
    def summary(self) -> str:
        """The note; without one the shapes that it takes and gives."""
        if self.plain_summary != PLAIN_SUMMARY:
            return self.plain_summary
        taken = [self.findings[id].outputs["out"] for id in ends(self.use.block, "Input")]
        given = [arriving(self.analysis, id) for id in ends(self.use.block, "Output")]
        text = f"{', '.join(map(str, taken))} to {', '.join(map(str, given))}."
        return text if len(text) <= LONGEST_SUMMARY else PLAIN_SUMMARY

    @cached_property
    def formal(self) -> tuple[str, ...]:
        """The arguments of the class that its code uses, those that are always given first."""
        codes = [f.result.written for f in self.findings.values() if f.result]
        used = {name for c in codes if c for part in (c.make, c.use) for name in names_used(part)}
        arguments = self.use.block.arguments
        frontier = [name for name in used if name in arguments]
        for name in frontier:
            more = [n for n in _inputs_of(arguments[name]) if n in arguments and n not in used]
            used.update(more)
            frontier += more
        names = [name for name in arguments if name in used and name in self.analysis.scope]
        names += [formal.name for formal in self.formals]
        return tuple(sorted(names, key=self._may_lack))

    def _may_lack(self, name: str) -> bool:
        return self.default(name) is not None or self.formula(name) is not None

    def default(self, name: str) -> int | float | bool | str | None:
        """The default of an argument; None for a size, which is always given."""
        argument = self.use.block.arguments.get(name)
        value = argument.value if argument else None
        return value if isinstance(value, bool | float | str) else None

    def formula(self, name: str) -> Expression | None:
        """What an argument is worked out by where it is not given."""
        argument = self.use.block.arguments.get(name)
        if argument is None or not derived(argument):
            return None
        return cast("Expression", argument.value)

    def arguments(self) -> tuple[tuple[object, ...], tuple[tuple[str, object], ...]]:
        """The positional and keyword arguments that make a module for this use."""
        actual = {**self.use.scope, **{formal.name: formal.actual for formal in self.formals}}
        called = argument_names(self.formal, self._taken)
        args = tuple(actual[name] for name in self.formal if not self._may_lack(name))
        kwargs = tuple(
            (called[name], actual[name])
            for name in self.formal
            if self._may_lack(name) and name in self.use.values
        )
        return args, kwargs

    @property
    def _taken(self) -> set[str]:
        """What arguments may not be called: like a module, or a class whose name cannot change."""
        codes = [f.result.written for f in self.findings.values() if f.result]
        texts = parts([code.make for code in codes if code], frozenset((Written,)))
        nodes = self.use.block.graph.nodes.values()
        return {text.name for text in texts} | {node.attribute for node in nodes}

    # What an analysis has

    @cached_property
    def document(self) -> Document:
        """The graph, with the arguments of the class as variables."""
        variables = {name: Variable(0) for name in self.formal}
        named = [name for axis in self._axes() for name in sorted(sizes.names(axis))]
        dimensions = {name: Dimension() for name in named} | {**self.analysis.document.dimensions}
        dimensions = {name: d for name, d in dimensions.items() if name not in variables}
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

    @cached_property
    def scope(self) -> Scope:
        """The values of names."""
        formals = {formal.name: _named(formal.name, formal.actual) for formal in self.formals}
        return {**self.analysis.scope, **formals}

    @property
    def counted(self) -> Tally:
        """The elements of one module."""
        return self.analysis.counted


PLAIN_SUMMARY = "A block of the design."


def _inputs_of(argument: Variable) -> tuple[str, ...]:
    """The names that an argument is worked out from where it is not given."""
    return tuple(names_in(argument.value))


def _particular(use: BlockUse, inputs: Mapping[str, Tensor]) -> Analysis:
    """A block's graph with the numbers of one use."""
    scope = {name: plain(value) for name, value in use.scope.items()}
    given = {
        id: replace(inputs[port.name], shape=tuple(map(sizes.at_values, inputs[port.name].shape)))
        for id, port in zip(ends(use.block, "Input"), use.ports, strict=True)
    }
    return use.analysed(given, scope)


FREEDOMS = ((True, True), (True, False), (False, True), (False, False))
"""Whether sizes that are equal at a use have names of their own, and whether 1 has a name: the
most general first, for which all uses have one class."""

FITS = (Verdict.IDENTICAL, Verdict.EQUAL_HERE)


class _General:
    """A block's graph with names in place of its arguments and of the sizes of its inputs."""

    def __init__(
        self, use: BlockUse, inputs: Mapping[str, Tensor], apart: bool, ones: bool
    ) -> None:
        self.use = use
        self.inputs = inputs
        self.ids = ends(use.block, "Input")
        self.scope = {
            name: _formal(name, use.scope[name], argument)
            for name, argument in use.block.arguments.items()
            if name in use.scope
        }
        nodes = use.block.graph.nodes
        self._elsewhere = {
            name
            for id, node in nodes.items()
            if id not in self.ids
            for _, raw in node.options
            for name in names_in(raw)
        }
        self.taken = {node.attribute for node in nodes.values()} | use.block.arguments.keys()
        self._apart, self._ones = apart, ones
        self.actual: dict[str, Size] = {}
        """Of each name that stands for an axis, the size that it has at this use."""
        self.same: dict[str, Size] = {}
        """What turned out to be another size, or got a better name."""
        self.given = self._given()

    # Names for axes

    def _given(self) -> dict[NodeId, Tensor]:
        """The inputs with names for their axes."""
        tensors = [self.inputs[port.name] for port in self.use.ports]
        axes = [axis for tensor in tensors for axis in tensor.shape]
        dimensions = {str(axis) for axis in axes if sizes.value(axis) is None}
        found: dict[Size, Size] = {}
        given: dict[NodeId, Tensor] = {}
        for id, port, tensor in zip(self.ids, self.use.ports, tensors, strict=True):
            declared = _declared(self.use, id, tensor)
            shape = []
            for place, axis in enumerate(tensor.shape):
                if self._stays(axis, dimensions):
                    shape.append(axis)
                    continue
                shared = sizes.value(axis) is None or not self._apart
                if not (shared and axis in found):
                    wished = (declared[place], f"{port.name}_{place}")
                    found[axis] = self._axis(axis, *wished)
                shape.append(found[axis])
            given[id] = replace(tensor, shape=tuple(shape))
        return given

    def _axis(self, axis: Size, declared: str, wished: str) -> Size:
        """What stands for an axis: an argument that it is declared to be, or a name of its own."""
        argument = self.scope.get(declared)
        if isinstance(argument, sizes.Symbolic):
            if compare(cast("Size", self.use.scope[declared]), axis) in FITS:
                return argument
        elif declared and declared not in self._elsewhere and declared not in self.taken:
            wished = declared
        name = python_name(wished, self.taken)
        self.taken.add(name)
        self.actual[name] = axis
        return _named(name, axis)

    def _stays(self, axis: Size, dimensions: set[str]) -> bool:
        """Whether an axis is what it is in the class too."""
        if isinstance(axis, int):
            return axis <= 0 or (axis == 1 and not self._ones)
        if sizes.is_unknown(axis):
            return True
        names = sizes.names(axis)
        clear = not names & self.use.block.arguments.keys()
        return sizes.value(axis) is None and names <= dimensions and clear

    # Sizes that are one

    def settled(self) -> tuple[Analysis, tuple[Formal, ...]]:
        """The Analysis in which sizes that have to be equal are one, and those it is made with."""
        analysis = self.analysed()
        for _ in range(MOST_ROUNDS):
            if not self._unify(analysis):
                break
            analysis = self.analysed()
        formals = self._renamed(analysis)
        return (self.analysed() if formals else analysis), formals

    def analysed(self) -> Analysis:
        """The Analysis with the names as they are now."""
        given = {
            id: replace(tensor, shape=tuple(map(self._meant, tensor.shape)))
            for id, tensor in self.given.items()
        }
        return self.use.analysed(given, self.scope)

    def _meant(self, size: Size) -> Size:
        for _ in self.same:
            meant = sizes.substitute(size, self.same)
            if meant == size:
                break
            size = meant
        return size

    def _unify(self, analysis: Analysis) -> bool:
        """Make a size of an input one with what it has to be equal to, where the graph says so.

        What has a plain name or is a number goes first.
        """
        pairs = [pair for pair in map(_pair, analysis.problems()) if pair]
        simple = [pair for pair in pairs if all(_is_simple(size) for size in pair)]
        made = [self._made_one(*map(self._meant, pair)) for pair in simple or pairs]
        return any(made)

    def _made_one(self, a: Size, b: Size) -> bool:
        for one, other in ((a, b), (b, a)):
            name = str(one)
            if name in self.actual and name not in self.same and name not in sizes.names(other):
                self.same[name] = other
                return True
        return False

    def _renamed(self, analysis: Analysis) -> tuple[Formal, ...]:
        """The sizes of inputs that modules are made with, which are named after what they are."""
        made = [f.result.written for f in analysis.findings.values() if f.result]
        used = {name for code in made if code for name in names_used(code.make)}
        found: list[Formal] = []
        for name, actual in list(self.actual.items()):
            if name in used and name not in self.same:
                called = self._label(analysis, name)
                self.same[name] = _named(called, actual)
                found.append(Formal(called, actual))
        return tuple(found)

    def _label(self, analysis: Analysis, name: str) -> str:
        """What the first parameter with an axis of this size calls it."""
        if name in self._declared_names:
            return name
        labels = (
            axis.label
            for finding in analysis.findings.values()
            for param in finding.params
            for axis in param.axes
            if str(axis.size) == name
        )
        called = python_name(next(labels, name), self.taken - {name})
        self.taken.add(called)
        return called

    @cached_property
    def _declared_names(self) -> set[str]:
        """Names of axes that the block's Inputs declare."""
        tensors = zip(self.ids, self.use.ports, strict=True)
        return {
            name
            for id, port in tensors
            for name in _declared(self.use, id, self.inputs[port.name])
            if name in self.actual
        }

    # What it says of this use

    def agrees(self, analysis: Analysis, drawn: Analysis) -> bool:
        """Whether it gives what the graph gives with the sizes of this use."""
        named = {str(self.same.get(name, name)): size for name, size in self.actual.items()}
        outside = {n: v for n, v in self.use.scope.items() if isinstance(v, int | sizes.Symbolic)}
        back = {**outside, **self.actual, **named}
        return all(
            _shapes(analysis, id, back) == _shapes(drawn, id, {})
            for id in analysis.document.graph.nodes
        )


def _shapes(analysis: Analysis, id: NodeId, names: Mapping[str, Size]) -> list[object]:
    """The parameters and outputs of a layer, with numbers where they are known."""

    def known(shape: tuple[Size, ...]) -> tuple[Size, ...]:
        return tuple(sizes.at_values(sizes.substitute(axis, names)) for axis in shape)

    finding = analysis.findings[id]
    params: list[object] = [(param.name, known(param.shape)) for param in finding.params]
    return params + [known(tensor.shape) for tensor in finding.outputs.values()]


def _pair(problem: Problem) -> tuple[Size, Size] | None:
    """Two sizes that are equal at these values only."""
    if problem.severity != "hint" or problem.expected is None or problem.got is None:
        return None
    return problem.expected, problem.got


def _is_simple(size: Size) -> bool:
    """Whether a size is a number or one name."""
    return isinstance(size, int) or str(size) in sizes.names(size)


def _declared(use: BlockUse, id: NodeId, tensor: Tensor) -> list[str]:
    """The names that an Input declares for the axes of its tensor; "" for those without one."""
    raw = dict(use.block.graph.nodes[id].options).get("shape")
    axes = raw if isinstance(raw, tuple) and len(raw) == len(tensor.shape) else ()
    texts = [axis.text.strip() if isinstance(axis, Expression) else "" for axis in axes]
    return [text if text.isidentifier() else "" for text in texts] or [""] * len(tensor.shape)


def _named(name: str, actual: Size) -> Size:
    """A name with the value of a size, if it has one."""
    number = sizes.value(actual)
    return sizes.free(name) if number is None else sizes.variable(name, number)


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
