"""Layers that are written in terms of simpler ones; everything else follows from that."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeAlias, cast

from designer.core import size as sizes
from designer.core.code import Call, Code, Loop, Module, Ref
from designer.core.document import Dimension, Document, Variable
from designer.core.expression import Flag, Real, Scope
from designer.core.finding import Finding
from designer.core.graph import Graph, Node, NodeId, Source, Target
from designer.core.layer import (
    Inputs,
    Layer,
    LayerError,
    Remark,
    Result,
    applied,
    note,
    overheard,
    same_value,
)
from designer.core.message import message
from designer.core.option import Option, Whole
from designer.core.param import Param, Tally, marked, state_place
from designer.core.parts import names_used

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from designer.core.message import Message
    from designer.core.size import Size
    from designer.core.tensor import Tensor

PART_SAYS = "{layer}, {part}: {said}"
BODY_SAYS = "{layer}: {said}"
"""What the layers of a body say, those with a name and those without."""

Part: TypeAlias = "Layer | tuple[Part, ...]"
"""What a chain is made of: layers, and chains of their own."""


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor in a body, and where it comes from there."""

    source: Source
    tensor: Tensor

    def axis(self, index: int) -> Size:
        """Size of an axis counted as Python does; UNKNOWN where it is not known."""
        return self.tensor.axis(index)


class Composite(Layer):
    """A layer that is a body of simpler layers; subclasses write `body` and nothing else.

    `body(self, net, x, ...)` applies layers to values through the Net and returns its value, or a
    tuple of values in the order of the output ports. A parameter with the default None is an
    optional port. Sizes that an input determines are options that may be empty, read with
    `net.size`. Outputs, parameters, operations, remarks and code all follow from the body.
    """

    divisors: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Of an option the options that divide it wherever the body accepts them."""

    body: Callable[..., Any]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "infer" in vars(cls):
            raise TypeError(f"{cls.__name__} is a composite: its rule follows from its body")

    @classmethod
    def rule_parameters(cls) -> list[inspect.Parameter]:
        """The parameters of `body` behind the Net."""
        return list(inspect.signature(cls.body).parameters.values())[2:]

    def infer(self, **inputs: Tensor) -> Result:
        """What follows from the body, and the code of a module with that body."""
        net = Net(self, inputs)
        return replace(net.run(), write=lambda: self._code(net))

    def _code(self, net: Net) -> Code:
        definition, inputs = Definition(net.generic()), net.inputs
        make = Call(definition, *definition.arguments(net.chosen()))
        given = [port for port in self.inputs() if port.name in inputs]
        args = tuple(Ref(port.name) for port in given if not port.optional)
        kwargs = tuple((port.name, Ref(port.name)) for port in given if port.optional)
        ports = tuple(port.name for port in self.outputs())
        return Code(Call(Module(), args, kwargs), make, ports if len(ports) > 1 else None)

    def varied(self, formal: tuple[str, ...]) -> str:
        """What a class of this kind is called besides, where its options make its body another.

        `formal` are the options that are arguments of the class.
        """
        words = (_word(option, getattr(self, option.name), formal) for option in self.declared)
        return "".join(words)


def _word(option: Option, value: Any, formal: tuple[str, ...]) -> str:
    """How an option shows in the name of a class: `WithoutBias`, `WithDropout`."""
    name = _camel(option.name)
    if option.name in formal:
        return f"With{name}" if _may_lack(option) else ""
    if option.kind == "flag" and bool(value) != option.default:
        return f"With{name}" if value else f"Without{name}"
    if option.kind == "choice" and value != option.default:
        return f"With{name}{str(value).capitalize()}"
    return ""


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _may_lack(option: Option) -> bool:
    """Whether a body leaves something out where the option has its default."""
    return option.kind == "real" and option.default == 0


@dataclass(frozen=True, slots=True)
class Step:
    """A layer at work in a body; `name` is its attribute, or what its value is called."""

    id: NodeId
    name: str
    kind: str
    inputs: Mapping[str, tuple[Value, ...]]
    result: Result
    outputs: Mapping[str, Tensor]
    called: Mapping[Source, str]


class Net:
    """Applies layers to values while a body runs, and keeps what follows from it."""

    def __init__(self, whole: Composite, inputs: Mapping[str, Tensor]) -> None:
        self.whole = whole
        self.inputs = inputs
        self.given = {
            port: Value(Source(id, "out"), tensor)
            for id, (port, tensor) in enumerate(inputs.items(), 1)
        }
        self.steps: list[Step] = []
        self.params: list[Param] = []
        self.flops: Size = 0
        self.results: list[Result] = []
        self.returned: tuple[Value, ...] = ()
        self._modules: dict[str, object] = {}
        self._sizes: dict[str, Size] = {}
        self._places: dict[tuple[str, int], str] = {}
        self._heard: set[object] = set()

    def run(self) -> Result:
        """What the body gives for the inputs, without code."""
        returned = self.whole.body(self, **self.given)
        self.returned = returned if isinstance(returned, tuple) else (returned,)
        outputs = tuple(value.tensor for value in self.returned)
        params = sorted(self.params, key=lambda param: state_place(param.name, param))
        return Result(outputs, tuple(params), self.flops, work=self._elementwise)

    def _elementwise(self) -> Size:
        """The element-wise operations of all steps."""
        total: Size = 0
        for result in self.results:
            total = total + result.elementwise
        return total

    # What a body calls

    def size(self, option: str, x: Value, axis: int, pattern: str) -> Size:
        """The size of an axis, counted from the end, of an input; the option may pin it.

        `pattern` shows the expected shape: `"[..., {}]"`. Raises LayerError where both differ,
        and where there is no such axis.
        """
        port = next(port for port, value in self.given.items() if value is x)
        if x.tensor.rank is not None and x.tensor.rank < -axis:
            expected = pattern.format(option)
            template = "{layer} expects {expected}, got {got}."
            raise self.whole.refuse(template, port=port, expected=expected, got=x.tensor)
        agreed = self.whole.agree(option, x.axis(axis), x.tensor, pattern, port)
        self._sizes[option] = agreed
        self._places[port, axis] = option
        return agreed

    def usual(self, option: str, size: Size) -> Size:
        """An option that is `size` when empty."""
        given: Size | None = getattr(self.whole, option)
        self._sizes[option] = size if given is None else given
        return self._sizes[option]

    def use(self, name: str, layer: Layer, *values: Value | None, **named: Value | None) -> Value:
        """Apply a layer with a module of its own, as the attribute `name`.

        A layer without parameters may be used again under its name. Returns its first output.
        """
        return self.outputs(name, layer, (), *values, **named)[0]

    def outputs(
        self,
        name: str,
        layer: Layer,
        called: tuple[str, ...],
        *values: Value | None,
        **named: Value | None,
    ) -> tuple[Value, ...]:
        """The same for a layer with several outputs; `called` are names for them."""
        again = name in self._modules
        if again and (self._modules[name] is not layer or layer_learns(self.steps, name)):
            raise ValueError(f"{name} is another layer already")
        self._modules[name] = layer
        arrived = _arranged(layer, values, named)
        result = self._applied(name, layer, arrived)
        self._keep(name, layer.kind, result)
        return self._stepped(name, layer, arrived, _unmade(result) if again else result, called)

    def call(
        self, layer: Layer, *values: Value | None, called: str = "", **named: Value | None
    ) -> Value:
        """Apply a function, which has no module; `called` is a name for its value."""
        arrived = _arranged(layer, values, named)
        result = self._applied("", layer, arrived)
        self._keep("", layer.kind, result)
        wished = (called,) if called else ()
        return self._stepped(called or layer.stem, layer, arrived, result, wished)[0]

    def parts(self, layer: Layer, x: Value, called: tuple[str, ...]) -> tuple[Value, ...]:
        """Apply a function with several outputs; `called` are names for them."""
        arrived = _arranged(layer, (x,), {})
        result = self._applied("", layer, arrived)
        self._keep("", layer.kind, result)
        return self._stepped(layer.stem, layer, arrived, result, called)

    def chain(self, name: str, parts: tuple[Part, ...], x: Value) -> Value:
        """Apply layers one after another, as an `nn.Sequential` under the attribute `name`."""
        result = self._chained(name, parts, x.tensor)
        self.params += _within(name, result.params)
        self.flops = self.flops + result.flops
        id = self._next_id(name)
        outputs = {"out": result.outputs[0]}
        self.steps.append(Step(id, name, "Sequential", {"x": (x,)}, result, outputs, {}))
        return Value(Source(id, "out"), result.outputs[0])

    # How that is done

    def _chained(self, name: str, part: Part, x: Tensor) -> Result:
        if isinstance(part, Layer):
            result = self._rule(name, part, {part.inputs()[0].name: x})
            return replace(result, params=tuple(marked(part.kind, result.params)))
        params: list[Param] = []
        makes: list[Call] = []
        flops: Size = 0
        for place, inner in enumerate(part):
            result = self._chained(f"{name}.{place}", inner, x)
            x, flops = result.outputs[0], flops + result.flops
            params += _within(str(place), result.params)
            makes.append(_module_of(result))
        make = Call("nn.Sequential", tuple(makes))
        return Result((x,), tuple(params), flops, Code(Call(Module(), (Ref("x"),)), make))

    def _applied(self, name: str, layer: Layer, arrived: Mapping[str, tuple[Value, ...]]) -> Result:
        return self._rule(name, layer, _tensors(layer, arrived))

    def _rule(self, name: str, layer: Layer, inputs: Inputs) -> Result:
        """A layer's result; what it says names this composite and the layer's place in it."""
        try:
            result, remarks = overheard(lambda: applied(layer, inputs))
        except LayerError as error:
            raise LayerError(self._said(name, error.remark).message) from error
        self.results.append(result)
        for remark in remarks:
            pair = frozenset((remark.expected, remark.got))
            about = str(remark.message) if None in pair else pair
            if about not in self._heard:
                self._heard.add(about)
                note(self._said(name, remark))
        return result

    def _said(self, name: str, remark: Remark) -> Remark:
        said, within = _unwrapped(remark.message)
        part = ".".join(filter(None, (name, within)))
        values = {"layer": self.whole.kind, "said": said} | ({"part": part} if part else {})
        text = message(PART_SAYS if part else BODY_SAYS, **values)
        return Remark(remark.severity, text, training=remark.training)

    def _keep(self, name: str, kind: str, result: Result) -> None:
        self.params += _within(name, marked(kind, result.params))
        self.flops = self.flops + result.flops

    def _stepped(
        self,
        name: str,
        layer: Layer,
        arrived: Mapping[str, tuple[Value, ...]],
        result: Result,
        called: tuple[str, ...] = (),
    ) -> tuple[Value, ...]:
        id = self._next_id(name)
        ports = [port.name for port in layer.outputs()]
        outputs = dict(zip(ports, result.outputs, strict=True))
        wished = {Source(id, port): wish for port, wish in zip(ports, called, strict=False)}
        self.steps.append(Step(id, name, layer.kind, arrived, result, outputs, wished))
        return tuple(Value(Source(id, port), tensor) for port, tensor in outputs.items())

    def _next_id(self, name: str) -> NodeId:
        """The id of a step; its name must leave the names of options to the arguments."""
        if any(option.name == name for option in self.whole.declared):
            raise ValueError(f"{name} is an option already")
        return len(self.given) + len(self.steps) + 1

    # The same body with formal sizes

    def chosen(self) -> dict[str, Any]:
        """The options, with the sizes that inputs determine."""
        values = {option.name: getattr(self.whole, option.name) for option in self.whole.declared}
        return values | self._sizes

    def generic(self) -> Net:
        """The net of the same body with its options as names, and with sizes that are not known."""
        divisors = self.whole.divisors
        chosen = self.chosen()
        formals = {
            option.name: _formal(option, chosen[option.name], divisors.get(option.name, ()))
            for option in self.whole.declared
        }
        axes: dict[Size, Size] = {}
        inputs = {
            port: self._generic_input(port, tensor, formals, axes)
            for port, tensor in self.inputs.items()
        }
        net = Net(replace(cast("Any", self.whole), **formals), inputs)
        overheard(net.run)
        return net

    def _generic_input(
        self, port: str, tensor: Tensor, formals: Mapping[str, Any], axes: dict[Size, Size]
    ) -> Tensor:
        """A size that an option names is that option; another that is known becomes a free one."""
        shape = list(tensor.shape)
        for place, axis in enumerate(shape):
            option = self._places.get((port, place - len(shape)))
            if option is not None:
                shape[place] = formals[option]
            elif sizes.value(axis) not in (None, 1):
                shape[place] = axes.setdefault(axis, sizes.free(f"{port}_{place}"))
        return replace(tensor, shape=tuple(shape))


def _module_of(result: Result) -> Call:
    """How a link of a chain is made; raises TypeError for one that is no module by itself."""
    code = result.written
    if code is None or not isinstance(code.make, Call) or isinstance(code.use, Loop):
        raise TypeError("a chain is made of modules that are called")
    return code.make


def _unwrapped(said: Message) -> tuple[object, str]:
    """What a layer says, however deep it is, and its place within a composite that passes it on."""
    if said.template not in (PART_SAYS, BODY_SAYS):
        return said, ""
    values = dict(said.values)
    return values["said"], str(values.get("part", ""))


def _unmade(result: Result) -> Result:
    """A result of a module that is made already."""

    def write() -> Code:
        assert result.written is not None
        return replace(result.written, make=None)

    return replace(result, write=write)


def layer_learns(steps: list[Step], name: str) -> bool:
    """Whether the layer of that name has parameters or buffers."""
    return any(step.result.params for step in steps if step.name == name)


def _arranged(
    layer: Layer, values: tuple[Value | None, ...], named: Mapping[str, Value | None]
) -> dict[str, tuple[Value, ...]]:
    """Values by input port: those that are given in order, and those that are given by name."""
    waiting = list(values)
    found: dict[str, tuple[Value, ...]] = {}
    for port in layer.inputs():
        if port.variadic:
            arrived, waiting = tuple(waiting), []
        elif port.name in named:
            arrived = (named[port.name],)
        else:
            arrived = (waiting.pop(0),) if waiting else ()
        kept = tuple(value for value in arrived if value is not None)
        if kept:
            found[port.name] = kept
    return found


def _tensors(layer: Layer, arrived: Mapping[str, tuple[Value, ...]]) -> Inputs:
    variadic = {port.name for port in layer.inputs() if port.variadic}
    return {
        port: tuple(v.tensor for v in values) if port in variadic else values[0].tensor
        for port, values in arrived.items()
    }


def _within(name: str, params: tuple[Param, ...]) -> Iterator[Param]:
    return (param.under(name) for param in params) if name else iter(params)


def _formal(option: Option, value: Any, divisors: tuple[str, ...]) -> Any:
    """What stands for an option in the code of a class: its name, with the value that it has."""
    if value is None or isinstance(value, tuple):
        return value
    make = _FORMALS.get(option.kind)
    return str.__str__(value) if make is None else make(option.name, value, divisors)


def _formal_size(name: str, value: Size, divisors: tuple[str, ...]) -> Size:
    number = sizes.value(value)
    return sizes.free(name) if number is None else sizes.variable(name, number, divisors)


def _formal_real(name: str, value: float, _: tuple[str, ...]) -> float:
    """A plain 0 stays: a body leaves out what it switches off."""
    return Real(value, name) if varies(value) else value


_FORMALS: dict[str, Callable[[str, Any, tuple[str, ...]], Any]] = {
    "size": _formal_size,
    "integer": lambda name, value, _: Whole.of(int(value), name),
    "real": _formal_real,
    "flag": lambda name, value, _: Flag(bool(value), name),
}


def varies(share: float) -> bool:
    """Whether a share, as of dropout, is or may be more than 0."""
    return share != 0 or isinstance(share, Real)


class Course(NamedTuple):
    """The order of a body: its calls as they were made, each after those that it takes from."""

    ids: tuple[NodeId, ...]

    def ordered(self) -> list[NodeId]:
        """The nodes, those that values come from first."""
        return list(self.ids)


@dataclass(frozen=True, eq=False, repr=False)
class Definition:
    """A class of modules with the body of a composite; the sizes of its options are arguments.

    It has what an Analysis has, so that it is written as a design is.
    """

    net: Net

    @property
    def kind(self) -> str:
        """The kind of the composite."""
        return self.net.whole.kind

    @property
    def summary(self) -> str:
        """One sentence on what it does."""
        return (inspect.getdoc(type(self.net.whole)) or "").splitlines()[0]

    @property
    def plain_summary(self) -> str:
        """The same: it tells no shapes."""
        return self.summary

    @property
    def names(self) -> tuple[str, ...]:
        """What the class may be called: the kind, then with what sets this body apart."""
        options = self.net.whole.declared
        lacking = [o.name for o in options if _may_lack(o) and o.name not in self.formal]
        variant = self.kind + self.net.whole.varied(self.formal)
        without = "".join(f"Without{_camel(name)}" for name in lacking)
        return (self.kind, variant, variant + without)

    @cached_property
    def formal(self) -> tuple[str, ...]:
        """The options that are arguments, sizes first: those that the body's code uses."""
        codes = [step.result.written for step in self.net.steps]
        used = {name for c in codes if c for part in (c.make, c.use) for name in names_used(part)}
        formal = (option.name for option in self.net.whole.declared if option.name in used)
        return tuple(sorted(formal, key=lambda name: self.default(name) is not None))

    def default(self, name: str) -> int | float | bool | str | None:
        """The default of an argument; None for a size, which is always given."""
        option = next(option for option in self.net.whole.declared if option.name == name)
        plain = isinstance(option.default, int | float | str) and option.kind != "size"
        return cast("Any", option.default) if plain else None

    def arguments(
        self, chosen: Mapping[str, Any]
    ) -> tuple[tuple[object, ...], tuple[tuple[str, object], ...]]:
        """The positional and keyword arguments that make a module with these options."""
        given = [(name, chosen[name], self.default(name)) for name in self.formal]
        args = tuple(value for _, value, default in given if default is None)
        kwargs = tuple(
            (name, value)
            for name, value, default in given
            if default is not None and not same_value(value, default)
        )
        return args, kwargs

    # What an analysis has

    @cached_property
    def scope(self) -> Scope:
        """The arguments by name."""
        values = {name: getattr(self.net.whole, name) for name in self.formal}
        return {
            name: sizes.variable(name, int(value)) if isinstance(value, Whole) else value
            for name, value in values.items()
        }

    @cached_property
    def document(self) -> Document:
        """The body as a graph, with the arguments as variables."""
        graph = Graph()
        for id, port in enumerate(self.net.given, 1):
            graph = graph.with_node(id, Node(port, port, "Input"))
        for step in self.net.steps:
            graph = graph.with_node(step.id, Node(step.name, step.name, step.kind))
            for port, values in step.inputs.items():
                for slot, value in enumerate(values):
                    graph = graph.with_edge(Target(step.id, port, slot), value.source)
        for id, value in self._ends():
            graph = graph.with_node(id, Node(f"out{id}", f"out{id}", "Output"))
            graph = graph.with_edge(Target(id, "x"), value.source)
        return Document(graph=graph, variables=self._variables(), dimensions=self._dimensions())

    def _ends(self) -> Iterator[tuple[NodeId, Value]]:
        return enumerate(self.net.returned, len(self.net.given) + len(self.net.steps) + 1)

    def _variables(self) -> dict[str, Variable]:
        return {name: Variable(self.default(name)) for name in self.formal}

    def _dimensions(self) -> dict[str, Dimension]:
        shapes = [value.tensor.shape for value in self.net.given.values()]
        names = dict.fromkeys(n for s in shapes for axis in s for n in sizes.free_names(axis))
        return {name: Dimension() for name in names if name not in self.formal}

    @cached_property
    def network(self) -> Course:
        """The order of the body."""
        return Course(tuple(self.document.graph.ids()))

    @cached_property
    def findings(self) -> Mapping[NodeId, Finding]:
        """What is known of each step."""
        given = self.net.given.values()
        found = {v.source.node: Finding(None, outputs={"out": v.tensor}) for v in given}
        for step in self.net.steps:
            inputs = {port: values[0].tensor for port, values in step.inputs.items()}
            found[step.id] = Finding(None, inputs, step.result, step.outputs)
        for id, value in self._ends():
            found[id] = Finding(None, {"x": value.tensor})
        return found

    @property
    def counted(self) -> Tally:
        """Nothing: how many elements there are depends on the arguments."""
        return Tally()

    @cached_property
    def called(self) -> Mapping[Source, str]:
        """Names for values that are not called after their layer."""
        return {source: name for step in self.net.steps for source, name in step.called.items()}
