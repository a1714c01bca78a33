"""What a layer is: options, ports, and one rule from which shapes, counts and code follow."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeAlias, TypeVar

from designer.core import size as sizes
from designer.core.code import Call, Code, Module, Ref
from designer.core.message import Message, alternatives, message
from designer.core.option import Option, Raw, read_option
from designer.core.param import Param, Tally, summed
from designer.core.size import Size, Verdict, compare
from designer.core.tensor import ANYTHING, Tensor
from designer.core.work import BY_FAMILY

if TYPE_CHECKING:
    from collections.abc import Callable

    from designer.core.work import Work

FAMILIES: dict[str, str] = {
    "io": "Input and output",
    "linear": "Linear",
    "conv": "Convolution",
    "norm": "Normalisation",
    "act": "Activation",
    "pool": "Pooling",
    "rnn": "Recurrent",
    "attn": "Attention",
    "embed": "Embedding",
    "shape": "Shape",
    "merge": "Merge",
    "reg": "Regularisation",
    "block": "Ready-made blocks",
    "custom": "Custom",
}
"""Family key to its English name, in the order of the palette."""

Severity: TypeAlias = Literal["error", "incomplete", "warning", "hint"]
"""`error` and `incomplete` (something is missing yet) keep a design from being exported."""


class Port(NamedTuple):
    """A named input or output of a layer; a variadic input takes any number of wires, in order."""

    name: str
    optional: bool = False
    variadic: bool = False


@dataclass(frozen=True)
class Result:
    """What a layer makes of its inputs.

    `flops` counts matrix products, convolutions and attention, one multiply-add as 2. What else
    is computed comes from `work`, when it is asked for: read `elementwise`.
    `code` says how the layer is written; None for inputs and outputs, which are the frame itself.
    Code that takes long to make comes from `write`, when it is asked for: read `written`.
    """

    outputs: tuple[Tensor, ...]
    params: tuple[Param, ...] = ()
    flops: Size = 0
    code: Code | None = None
    write: Callable[[], Code] | None = field(default=None, compare=False)
    work: Callable[[], Size] | None = field(default=None, compare=False)

    @cached_property
    def elementwise(self) -> Size:
        """Element-wise operations, counted as `designer.core.work` says."""
        return sizes.UNKNOWN if self.work is None else self.work()

    @cached_property
    def written(self) -> Code | None:
        """How the layer is written."""
        return self.code if self.write is None else self.write()

    @cached_property
    def counts(self) -> tuple[Size, ...]:
        """The number of elements of each parameter and buffer."""
        return tuple(param.count for param in self.params)

    @cached_property
    def tally(self) -> Tally:
        """Exact numbers of elements by part."""
        return summed(zip(self.params, self.counts, strict=True))

    @cached_property
    def unsized(self) -> tuple[Param, ...]:
        """Parameters with a free dimension in their shape: no module can have them."""
        pairs = zip(self.params, self.counts, strict=True)
        return tuple(param for param, count in pairs if sizes.free_names(count))


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to say about a layer at one of its ports or options.

    `expected` and `got` are the two sizes that do not agree, where it is about sizes. With
    `training`, PyTorch refuses it while the model trains, and accepts it in evaluation.
    """

    severity: Severity
    message: Message
    port: str | None = None
    option: str | None = None
    expected: Size | None = None
    got: Size | None = None
    training: bool = False


class LayerError(ValueError):
    """A refusal: what PyTorch would refuse too. Carries the Remark that explains it."""

    def __init__(
        self,
        message: Message,
        *,
        port: str | None = None,
        option: str | None = None,
        expected: Size | None = None,
        got: Size | None = None,
    ) -> None:
        super().__init__(str(message))
        self.remark = Remark("error", message, port, option, expected, got)


Inputs: TypeAlias = Mapping[str, "Tensor | tuple[Tensor, ...]"]
"""Tensors by input port; a tuple at a variadic port; an optional port may be left out."""


class Layer:
    """A kind with its options, evaluated. Subclasses are frozen dataclasses made by `@layer`.

    A subclass writes `infer`, whose parameters are the input ports: a default of None makes a
    port optional, `*xs` makes it variadic. Sizes may be symbolic and inputs partial; `infer`
    works on what is known. Instances compare by identity; equal ones are shared by the analysis.
    """

    kind: ClassVar[str]
    title: ClassVar[str]
    family: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]]
    stem: ClassVar[str]
    """What a new node of this kind is called, before its number."""
    declared: ClassVar[tuple[Option, ...]]
    """The options, in the order in which they are declared."""
    ports: ClassVar[tuple[Port, ...]]
    """The input ports that the signature of `infer` names."""
    further: ClassVar[tuple[str, ...]] = ()
    """Optional input ports that `infer` takes as `**`, where there are many."""
    work: ClassVar[Work | None] = None
    """What it does for each element; as its family does where None."""
    preset: ClassVar[Mapping[str, Raw]] = {}
    """Options that a layer added by hand gets instead of PyTorch's defaults."""

    infer: Callable[..., Result]

    @classmethod
    def rule_parameters(cls) -> list[inspect.Parameter]:
        """The parameters of the rule that are input ports."""
        return list(inspect.signature(cls.infer).parameters.values())[1:]

    def inputs(self) -> tuple[Port, ...]:
        """The input ports."""
        return self.ports

    def outputs(self) -> tuple[Port, ...]:
        """The output ports, in the order of `Result.outputs`."""
        return (Port("out"),)

    @property
    def called(self) -> str:
        """What sentences call it."""
        return self.kind

    def batch_axis(self) -> int | None:
        """The axis of the first input that this layer takes for the batch, where that matters."""
        return None

    def hint_behind(self, before: Layer) -> Message | None:
        """Something worth saying about this layer directly behind another."""
        return None

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The few characters on the node that say what it does: `768 → 3072`."""
        for param in result.params:
            if param.part == "weight":
                return " → ".join(str(size) for size in reversed(param.shape))
        return ""

    def elementwise(self, inputs: Inputs, result: Result) -> Size:
        """The element-wise operations of the result that it made of these inputs."""
        work = BY_FAMILY.get(self.family) if self.work is None else self.work
        if work is None:
            return sizes.UNKNOWN
        given = next(iter(inputs.values()), None)
        x = next(iter(given), None) if isinstance(given, tuple) else given
        return work.of(x, next(iter(result.outputs), None), result.params)

    # What rules share

    def refuse(self, template: str, /, **values: object) -> LayerError:
        """A LayerError of this layer; `{layer}` in the template is what it is called.

        The keywords `port` and `option` also say where it is, `expected` and `got`, when sizes,
        which two do not agree.
        """
        place = {key: values[key] for key in ("port", "option") if key in values}
        pair = {key: values[key] for key in ("expected", "got") if _is_size(values.get(key))}
        return LayerError(message(template, layer=self.called, **values), **place, **pair)  # type: ignore[arg-type]

    def agree(self, option: str, got: Size, tensor: Tensor, pattern: str, port: str = "x") -> Size:
        """The size of an axis that an input determines and the user may pin.

        `pattern` shows the expected shape: `"[..., {}]"`. Returns the pinned size, else `got`.
        Raises LayerError where both are known to differ.
        """
        pinned: Size | None = getattr(self, option)
        if pinned is None:
            return got
        verdict = compare(pinned, got)
        if verdict is Verdict.DIFFERENT:
            raise LayerError(
                message(
                    "{layer} expects {expected}, got {got}.",
                    layer=self.called,
                    expected=pattern.format(pinned),
                    got=tensor,
                ),
                port=port,
                option=option,
                expected=pinned,
                got=got,
            )
        self._doubt(verdict, Remark("hint", _NOTHING, port, option, pinned, got))
        return pinned

    def same(self, a: Size, b: Size, refusal: LayerError) -> Size:
        """One size from two that must be equal; raises `refusal` where they differ."""
        verdict = compare(a, b)
        if verdict is Verdict.DIFFERENT:
            raise refusal
        at = refusal.remark
        self._doubt(verdict, Remark("hint", _NOTHING, at.port, at.option, a, b))
        return b if sizes.is_unknown(a) else a

    def _doubt(self, verdict: Verdict, remark: Remark) -> None:
        """Note a pair that fits at these values only, or cannot be compared."""
        expected, got = remark.expected, remark.got
        if verdict is Verdict.EQUAL_HERE:
            template = "{layer} needs {expected} = {got}: true at these values only."
        elif verdict is Verdict.UNDECIDED and not (_unknown(expected) or _unknown(got)):
            template = "{layer} needs {expected} = {got}: cannot be checked."
        else:
            return
        text = message(template, layer=self.called, expected=expected, got=got)
        note(Remark("hint", text, remark.port, remark.option, expected, got))

    def ranked(
        self, x: Tensor, ranks: tuple[int, ...], pattern: str | Message, port: str = "x"
    ) -> Tensor:
        """`x`, refused when its known rank is not among `ranks`.

        `pattern` shows what is expected: `"[N, C, H, W] or [C, H, W]"`.
        """
        fits = len(x.shape) <= max(ranks) if x.rank is None else x.rank in ranks
        if not fits:
            expected = alternatives(pattern) if isinstance(pattern, str) else pattern
            template = "{layer} expects {expected}, got {got}."
            raise self.refuse(template, port=port, expected=expected, got=x)
        return x

    def module(self, function: str, *positional: str, **filled: object) -> Code:
        """Code of a module whose arguments are this layer's options.

        `positional` are written first, without names; other options follow as keywords where they
        differ from PyTorch's defaults. `filled` gives sizes that were inferred. Options that
        PyTorch does not know are left out by listing them in `not_torch`.
        """
        values = {option.name: getattr(self, option.name) for option in options_of(type(self))}
        values |= filled
        keywords = tuple(
            (option.name, values[option.name])
            for option in options_of(type(self))
            if option.name not in (*positional, *self.not_torch)
            and not same_value(values[option.name], option.default)
        )
        make = Call(function, tuple(values[name] for name in positional), keywords)
        return Code(Call(Module(), self.arguments()), make)

    not_torch: ClassVar[tuple[str, ...]] = ()
    """Options that are not arguments of the PyTorch module."""

    def arguments(self) -> tuple[Ref, ...]:
        """The required inputs, as arguments of a call."""
        return tuple(Ref(port.name) for port in self.inputs() if not port.optional)


_NOTHING = Message("")


def _unknown(size: Size | None) -> bool:
    return size is None or sizes.is_unknown(size)


def _is_size(value: object) -> bool:
    return isinstance(value, (int, sizes.Symbolic))


def same_value(a: object, b: object) -> bool:
    """Whether two option values are equal and of one type (True is not 1)."""
    return type(a) is type(b) and a == b


def _signature_ports(kind: type[Layer]) -> tuple[Port, ...]:
    parameters = kind.rule_parameters()
    ports = tuple(
        Port(
            parameter.name,
            optional=parameter.default is None,
            variadic=parameter.kind is inspect.Parameter.VAR_POSITIONAL,
        )
        for parameter in parameters
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    )
    return ports + tuple(Port(name, optional=True) for name in kind.further)


CATALOGUE: dict[str, type[Layer]] = {}
"""Kind to layer class, in the order of registration; filled by importing `designer.layers`."""

L = TypeVar("L", bound=type[Any])


@typing.dataclass_transform(frozen_default=True, eq_default=False, field_specifiers=())
def layer(
    kind: str, *, family: str, aliases: tuple[str, ...] = (), title: str = "", stem: str = ""
) -> Callable[[L], L]:
    """Make a frozen dataclass of a Layer subclass and enter it in the catalogue."""

    def enter(cls: L) -> L:
        made = dataclass(frozen=True, eq=False)(cls)
        made.kind, made.family, made.aliases = kind, family, aliases
        made.title = title or kind
        made.declared, made.ports = _declared(made), _signature_ports(made)
        made.stem = stem or kind.removesuffix("1d").removesuffix("2d").removesuffix("3d").lower()
        if kind in CATALOGUE or family not in FAMILIES:
            raise TypeError(f"layer {kind!r} exists already, or {family!r} is no family")
        CATALOGUE[kind] = made
        return typing.cast("L", made)

    return enter


def options_of(kind: type[Layer]) -> tuple[Option, ...]:
    """The options of a layer class, in the order in which they are declared."""
    return kind.declared


def _declared(kind: type[Layer]) -> tuple[Option, ...]:
    return tuple(
        read_option(field.name, _annotation(kind, field.name), field.default, field.metadata)
        for field in fields(typing.cast("Any", kind))
    )


def _annotation(kind: type[Layer], name: str) -> object:
    """The type of a field, evaluated where it stands; other annotations are left alone."""
    owner = next(base for base in kind.__mro__ if name in vars(base).get("__annotations__", {}))
    lone = {"__annotations__": {name: owner.__annotations__[name]}, "__module__": owner.__module__}
    return typing.get_type_hints(type("Lone", (), lone))[name]


def defaults(kind: type[Layer]) -> tuple[tuple[str, Raw], ...]:
    """Options of a layer that a person adds: PyTorch's defaults, and the layer's preset."""
    return tuple(
        (option.name, kind.preset.get(option.name, option.default)) for option in options_of(kind)
    )


# One rule at a time is examined; remarks that do not refuse are gathered here meanwhile, so that
# a rule deep in shared code can make one without handing a list through every call.
_remarks: list[Remark] = []


def note(remark: Remark) -> None:
    """Add a remark to the examination that is going on."""
    _remarks.append(remark)


T = TypeVar("T")


def overheard(rule: Callable[[], T]) -> tuple[T, tuple[Remark, ...]]:
    """What a rule within a rule makes, and its remarks, which are taken out of the examination."""
    start = len(_remarks)
    made = rule()
    remarks = tuple(_remarks[start:])
    del _remarks[start:]
    return made, remarks


class Examined(NamedTuple):
    """A layer's result for given inputs, with remarks; no result where even its options refuse."""

    result: Result | None
    remarks: tuple[Remark, ...]


def examine(layer: Layer, inputs: Inputs) -> Examined:
    """Apply a layer's rule.

    Where it refuses its inputs, the result is what holds for any input: its output as far as it
    is certain (`[…, 128]`) and its parameters as far as its own options say.
    """
    start = len(_remarks)
    try:
        result = applied(layer, inputs)
        return Examined(result, tuple(_remarks[start:]))
    except LayerError as error:
        return Examined(_certain(layer), (error.remark,))
    finally:
        # What examines is itself being examined where a layer is made of others.
        del _remarks[start:]


def _certain(layer: Layer) -> Result | None:
    anything: dict[str, Tensor | tuple[Tensor, ...]] = {
        port.name: (ANYTHING, ANYTHING) if port.variadic else ANYTHING
        for port in layer.inputs()
        if not port.optional
    }
    try:
        return applied(layer, anything)
    except LayerError:
        return None


def applied(layer: Layer, inputs: Inputs) -> Result:
    """A layer's rule for the tensors at its ports; raises LayerError where it refuses."""
    positional: list[Tensor] = []
    named: dict[str, Tensor] = {}
    for port in layer.inputs():
        value = inputs.get(port.name)
        if isinstance(value, tuple):
            positional.extend(value)
        elif value is not None:
            named[port.name] = value
    result = layer.infer(*positional, **named)
    if result.work is None:
        return replace(result, work=partial(layer.elementwise, inputs, result))
    return result
