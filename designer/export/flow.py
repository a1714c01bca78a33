"""The forward pass: which calls it makes, and what their values are called."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from designer.core import size
from designer.core.code import Infix, Loop, Module
from designer.core.graph import Source
from designer.core.names import LONGEST_LOCAL, local_name, python_name
from designer.core.size import Symbolic
from designer.core.tensor import Tensor
from designer.export.uses import code_of, inputs_of, live, outputs_of, used_outputs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from designer.core.code import Returns
    from designer.core.graph import NodeId
    from designer.core.size import Size
    from designer.export.uses import Drawn

NOTHING: Mapping[Source, str] = MappingProxyType({})

LONGEST_RESULT = 28
"""The same for one of several results, which also has the port in its name."""

LONGEST_TARGETS = 70
"""Where a call's results and its module have longer names, one name holds all results."""

LONGEST_RUN = 24
"""Dimensions whose names take more are read one after another."""

MOST_OPERANDS = 40
"""Longer sums are written in several statements, so that they stay readable and compile."""

CHAIN = ("x", "h", "y", "z")
"""What the value of a plain chain is called: the first that nothing else is called."""


class Value(NamedTuple):
    """A value in the forward pass: a name, and where it is in there if the name holds a tuple."""

    name: str
    path: tuple[int, ...] = ()


Targets: TypeAlias = "str | tuple[Targets, ...]"
"""The names that a call's results get, nested as the call returns them; `_` for none."""


@dataclass(frozen=True, slots=True)
class Step:
    """A call in the forward pass. `targets` is None where its value is returned at once.

    `operands` are the values at its input ports; `shape` is that of its result where it differs
    from what comes in. `link` is whether its value goes into the next call and nowhere else.
    """

    node: NodeId
    attribute: str
    use: object
    targets: Targets | None
    operands: Mapping[str, tuple[Value, ...]]
    shape: Tensor | None
    link: bool


@dataclass(frozen=True, slots=True)
class Read:
    """Free dimensions that are read from consecutive axes of an input.

    With one name it is `(axis - offset) // scale`.
    """

    names: tuple[str, ...]
    input: str
    start: int
    rank: int
    scale: int = 1
    offset: int = 0


class Flow:
    """The calls that the outputs of a design need, in creation order, with names for values.

    A value that only the next call uses is part of a chain, `x`; what is used again or later is
    named after its layer. A tensor that the module holds is read where it is used, `self.weight`.
    The names depend on the design alone.
    """

    def __init__(self, analysis: Drawn, called: Mapping[Source, str] = NOTHING) -> None:
        """`called` are names for values, where not their layer's and their port's."""
        self.analysis = analysis
        self._called = called
        self.nodes = analysis.document.graph.nodes
        needed = live(analysis)
        self._held = [id for id in needed if self._use(id) == Module()]
        self.live = [id for id in needed if id not in self._held]
        self.outputs = outputs_of(analysis)
        self._users = used_outputs(analysis)
        self._ports: dict[NodeId, list[str]] = {}
        for source in self._users:
            self._ports.setdefault(source.node, []).append(source.port)
        for id in needed:
            ports = self._ports[id]
            ports += [port for _, port in self._carried(id) if port not in ports]
        self._place = {id: place for place, id in enumerate(self.live)}
        self._taken: set[str] = set()
        self.arguments = {id: self._claim(self._attribute(id)) for id in inputs_of(analysis)}
        self._names = {id: self._claim(self._wished(id)) for id in self.live if self._kept(id)}
        self._chain = self._chain_name()
        self._values: dict[Source, Value] = {}
        self._enter()
        self._targets: dict[NodeId, Targets | None] = {}
        for id in self.live:
            self._targets[id] = self._target(id)
            self._loop_in_place(id)

    def _attribute(self, id: NodeId) -> str:
        return self.nodes[id].attribute

    def _module(self, id: NodeId) -> str:
        """The attribute that holds the module: another layer's where it is the same one."""
        owner = self.nodes[id].same_as
        return self._attribute(id if owner is None else owner)

    def _claim(self, name: str, longest: int = LONGEST_LOCAL) -> str:
        claimed = local_name(name, self._taken, longest)
        self._taken.add(claimed)
        return claimed

    def _wished(self, id: NodeId) -> str:
        ports = self._ports[id]
        wished = self._called.get(Source(id, ports[0])) if len(ports) == 1 else None
        return wished or self._attribute(id)

    # Which values get a name

    def _kept(self, id: NodeId) -> bool:
        """Whether a call's result is more than a link of a chain."""
        sources = [Source(id, port) for port in self._ports[id]]
        places = {self._use_place(u) for source in sources for u in self._users.get(source, ())}
        if len(sources) > 1 or any(source in self._called for source in sources):
            return True
        stays = any(self._each_time(source) for source in sources)
        return stays or places != {self._place[id] + 1} or self._is_long(id)

    def _each_time(self, source: Source) -> bool:
        """Whether a loop takes a value again in each round, in which the chain goes on."""
        for user in self._users.get(source, ()):
            carried = [port for port, _ in self._carried(user)]
            edges = self.analysis.document.graph.edges_into(user) if carried else ()
            if any(e.source == source and e.target.port not in carried for e in edges):
                return True
        return False

    def _use_place(self, user: NodeId) -> int:
        return self._place.get(user, len(self.live))

    def _is_long(self, id: NodeId) -> bool:
        """Whether a sum is so long that it takes several statements."""
        return isinstance(self._use(id), Infix) and len(self._operands(id)) > MOST_OPERANDS

    def _use(self, id: NodeId) -> object:
        code = code_of(self.analysis, id)
        return code.use if code else None

    def _returns(self, id: NodeId) -> Returns:
        code = code_of(self.analysis, id)
        return code.returns if code else None

    def _chain_name(self) -> str:
        """What links of chains are called: never like a value that is still needed."""
        links = [place for place, id in enumerate(self.live) if id not in self._names]
        first = min(links, default=0)
        over = {
            name
            for id, name in self.arguments.items()
            if self._last_use(id) <= first and not self._loops_to_name(id)
        }
        taken = self._taken - over
        return next((name for name in CHAIN if name not in taken), "") or python_name("x", taken)

    def _last_use(self, id: NodeId) -> int:
        ports = self._ports.get(id, ())
        users = (u for port in ports for u in self._users.get(Source(id, port), ()))
        return max(map(self._use_place, users), default=-1)

    # What they are called

    def _enter(self) -> None:
        for id, name in self.arguments.items():
            for port in self.analysis.findings[id].outputs:
                self._values[Source(id, port)] = Value(name)
        for id in self._held:
            self._values[Source(id, self._ports[id][0])] = Value(f"self.{self._module(id)}")

    def _target(self, id: NodeId) -> Targets | None:
        """The names for a call's results; None where it is returned at once."""
        returns = self._returns(id)
        name = self._names.get(id, self._chain)
        if isinstance(returns, tuple):
            return self._targets_of_several(id, returns, name)
        self._values[Source(id, self._ports[id][0])] = Value(name)
        return None if self._is_returned(id) else name

    def _is_returned(self, id: NodeId) -> bool:
        last = self._place[id] == len(self.live) - 1 and not isinstance(self._use(id), Loop)
        return last and len(self.outputs) == 1 and id not in self._names

    def _targets_of_several(self, id: NodeId, returns: tuple[Returns, ...], name: str) -> Targets:
        ports = self._ports[id]
        names = {ports[0]: name}
        if len(ports) > 1:
            names = {port: self._result(id, name, port) for port in ports}
        targets = _nested(returns, names)
        length = len(target_text(targets)) + len(self._attribute(id))
        if length <= LONGEST_TARGETS or isinstance(self._use(id), Loop):
            self._values |= {Source(id, port): Value(names[port]) for port in ports}
            return targets
        for port, path in _paths(returns):
            self._values[Source(id, port)] = Value(name, path)
        return name

    def _result(self, id: NodeId, name: str, port: str) -> str:
        wished = self._called.get(Source(id, port)) or _result_name(name, port)
        return self._claim(wished, LONGEST_RESULT)

    # Loops

    def _carried(self, id: NodeId) -> tuple[tuple[str, str], ...]:
        """The input ports of a loop and the outputs that feed them the next time."""
        use = self._use(id)
        return use.carried if isinstance(use, Loop) else ()

    def _loop_in_place(self, id: NodeId) -> None:
        """Where nobody else needs what a loop starts from, both have one name: `x = block(x)`."""
        for port, output in self._carried(id):
            source, result = self._source(id, port), Source(id, output)
            start = self._values[source]
            if len(self._users[source]) > 1 or start.path or source.node in self._held:
                continue
            if id in self._names and start.name == self._chain:
                self._rename(source, self._values[result].name)
            else:
                self._rename_result(id, result, start.name)

    def _loops_to_name(self, argument: NodeId) -> bool:
        """Whether an argument goes through loops alone to a value that is kept under its name."""
        ports = self._ports.get(argument, ())
        source = Source(argument, ports[0]) if ports else None
        while source is not None and len(self._users.get(source, ())) == 1:
            user = self._users[source][0]
            outputs = [o for port, o in self._carried(user) if self._source(user, port) == source]
            if outputs and user in self._names:
                return True
            source = Source(user, outputs[0]) if outputs else None
        return False

    def _source(self, id: NodeId, port: str) -> Source:
        edges = self.analysis.document.graph.edges_into(id)
        return next(edge.source for edge in edges if edge.target.port == port)

    def _is_link(self, id: NodeId) -> bool:
        return id in self._place and id not in self._names

    def _rename(self, source: Source, name: str) -> None:
        """Give the link of a chain that leads into a loop the name of the loop's result."""
        self._rename_result(source.node, source, name)
        for port, output in self._carried(source.node):
            start = self._source(source.node, port)
            alone = output == source.port and len(self._users[start]) == 1
            if alone and self._is_link(start.node):
                self._rename(start, name)

    def _rename_result(self, id: NodeId, result: Source, name: str) -> None:
        before = self._values[result].name
        self._values[result] = Value(name)
        self._targets[id] = _with_name(self._targets[id], before, name)

    def _operands(self, id: NodeId) -> list[Source]:
        edges = self.analysis.document.graph.edges_into(id)
        return [edge.source for edge in edges]

    # What a program needs

    def steps(self) -> Iterator[Step]:
        """The calls in their order."""
        for id in self.live:
            yield Step(
                id,
                self._module(id),
                self._use(id),
                self._targets[id],
                self._arrivals(id),
                self._changed_shape(id),
                link=id not in self._names and self._targets[id] is not None,
            )

    def _arrivals(self, id: NodeId) -> dict[str, tuple[Value, ...]]:
        """The values at the input ports."""
        found: dict[str, tuple[Value, ...]] = {}
        for edge in self.analysis.document.graph.edges_into(id):
            port = edge.target.port
            found[port] = (*found.get(port, ()), self._values[edge.source])
        return found

    def _changed_shape(self, id: NodeId) -> Tensor | None:
        finding = self.analysis.findings[id]
        first = next(iter(finding.inputs.values()), None)
        before = first[0] if isinstance(first, tuple) and first else first
        after = finding.outputs[self._ports[id][0]]
        same = isinstance(before, Tensor) and before.shape == after.shape
        return None if same else after

    def results(self) -> tuple[Value, ...]:
        """What is returned, in stored order; nothing where the last call is returned at once."""
        if self.live and self._targets[self.live[-1]] is None:
            return ()
        edges = (next(self.analysis.document.graph.edges_into(id)) for id in self.outputs)
        return tuple(self._values[edge.source] for edge in edges)

    def dimension_names(self, used: set[str]) -> dict[str, str]:
        """The free dimensions among `used`, as declared, each with its Python name."""
        declared = self.analysis.document.dimensions
        taken = self._taken | {self._chain}
        names: dict[str, str] = {}
        for name in declared:
            if name in used:
                names[name] = local_name(name.lower(), taken)
                taken.add(names[name])
        return names


def _with_name(targets: Targets | None, before: str, name: str) -> Targets | None:
    """Targets with another name in place of one."""
    if isinstance(targets, tuple):
        return tuple(_with_name(part, before, name) or part for part in targets)
    return name if targets == before else targets


def _result_name(name: str, port: str) -> str:
    """`lstm1_h_n`; parts that have numbers only are `split1_0`, `split1_1`."""
    number = port.removeprefix("out")
    return f"{name}_{number if number.isdigit() else port}"


def _nested(returns: Returns, names: Mapping[str, str]) -> Targets:
    """The names in place of the ports; what nobody uses is `_`."""
    if not isinstance(returns, tuple):
        return names.get(returns or "", "_")
    parts = tuple(_nested(part, names) for part in returns)
    return "_" if parts and all(part == "_" for part in parts) else parts


def _paths(returns: Returns, path: tuple[int, ...] = ()) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Each port with its place in the returned tuple."""
    if isinstance(returns, tuple):
        for place, part in enumerate(returns):
            yield from _paths(part, (*path, place))
    elif returns is not None:
        yield returns, path


def targets_of(returns: Returns, targets: Targets) -> Iterator[tuple[str, str]]:
    """Each port that a call hands back with the name that its value gets."""
    if isinstance(targets, tuple):
        assert isinstance(returns, tuple)
        for part, names in zip(returns, targets, strict=True):
            yield from targets_of(part, names)
    elif isinstance(returns, str):
        yield returns, targets


def one_of(name: str) -> str:
    """What one of several is called: `block` of `blocks`; `each` where the name tells nothing."""
    plain = name.rstrip("0123456789_")
    for ending, instead in (("ies", "y"), ("xes", "x"), ("ches", "ch"), ("sses", "ss"), ("s", "")):
        stem = plain.removesuffix(ending)
        if plain.endswith(ending) and len(stem) > 1 and not plain.endswith("ss"):
            return f"{stem}{instead}"
    return "each"


def target_text(targets: Targets, nested: bool = False) -> str:
    """Targets as they stand before the equals sign."""
    if isinstance(targets, str):
        return targets
    text = ", ".join(target_text(part, True) for part in targets)
    if len(targets) == 1:
        return f"({text},)"
    return f"({text})" if nested else text


# Free dimensions


def reads(
    analysis: Drawn, arguments: Mapping[NodeId, str], names: Mapping[str, str]
) -> Iterator[Read]:
    """How the dimensions in `names` are read from the inputs; those that cannot be are left out."""
    left = dict(names)
    for id, argument in arguments.items():
        shape = _shape(analysis, id)
        yield from _runs(shape, argument, left)
    for id, argument in arguments.items():
        yield from _scaled(_shape(analysis, id), argument, left)


def _shape(analysis: Drawn, id: NodeId) -> tuple[Size, ...]:
    return next(iter(analysis.findings[id].outputs.values())).shape


def _runs(shape: tuple[Size, ...], argument: str, left: dict[str, str]) -> Iterator[Read]:
    """Axes that are dimensions, each run of them at once; takes them out of `left`."""
    run: list[str] = []
    for place, axis in enumerate((*shape, 0)):
        name = str(axis)
        if run and (name not in left or len(", ".join(run)) > LONGEST_RUN):
            yield Read(tuple(run), argument, place - len(run), len(shape))
            run = []
        if name in left:
            run.append(left.pop(name))


def _scaled(shape: tuple[Size, ...], argument: str, left: dict[str, str]) -> Iterator[Read]:
    """Axes such as 2*T + 1, from which a dimension can be worked out."""
    for place, axis in enumerate(shape):
        found = [name for name in size.free_names(axis) if name in left]
        for name in found[:1]:
            offset, one = (size.substitute(axis, {name: value}) for value in (0, 1))
            scale = one - offset
            if not isinstance(offset, Symbolic) and not isinstance(scale, Symbolic) and scale > 0:
                yield Read((left.pop(name),), argument, place, len(shape), scale, offset)
