"""Custom layers: a document declares what they make of shapes, and holds the source of a module.

The declaration is all that the drawing knows of such a layer. The source is text: it is read as a
tree, goes into exported code, and is run by nobody but a child process that compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, make_dataclass
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, cast

from designer.core import size as sizes
from designer.core.block import stem_of
from designer.core.code import Call, Code, Module, Ref
from designer.core.expression import (
    Expression,
    ExpressionError,
    check_name,
    evaluate,
    names,
    whole,
)
from designer.core.grammar import parsed
from designer.core.layer import Layer, LayerError, Port, Remark, Result, note
from designer.core.message import message
from designer.core.names import is_python_name
from designer.core.option import Option, OptionError
from designer.core.param import Axis, Param
from designer.core.size import UNKNOWN
from designer.core.tensor import ANYTHING, DTYPE_BYTES, Tensor
from designer.core.written import Written, fault_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from designer.core.message import Message
    from designer.core.option import Raw
    from designer.core.param import Part
    from designer.core.size import Size

CUSTOM = "custom:"
"""What the kind of a custom layer begins with; its name follows."""

REST = "..."
"""Stands first in a shape for any number of axes."""

LEADING = "leading"
"""In expressions: the number of elements along the axes that `...` stands for."""

Type: TypeAlias = Literal["size", "integer", "real", "flag", "choice"]
TYPES: tuple[Type, ...] = ("size", "integer", "real", "flag", "choice")
NUMBERS = ("size", "integer", "real")
PARTS: tuple[Part, ...] = ("weight", "bias", "buffer")
MOST_PARTS = 1_000
MOST_AXES = 64
LONGEST_TEXT = 1_000
LONGEST_NOTE = 100_000


@dataclass(frozen=True, slots=True)
class CustomInput:
    """An input port and the shape that it takes: `("...", "T", "d")`.

    A name that no option has stands for the size that arrives; everything else must be equal to
    it. Without a dtype it takes any.
    """

    name: str
    axes: tuple[str, ...] = (REST,)
    optional: bool = False
    dtype: str = ""
    extra: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class CustomOutput:
    """An output port, its shape by expressions, and its dtype: without one that of the input."""

    name: str
    axes: tuple[str, ...] = (REST,)
    dtype: str = ""
    extra: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class CustomOption:
    """An argument of the constructor. A size without a default is taken from the inputs."""

    name: str
    type: Type = "size"
    default: Raw = None
    help: str = ""
    choices: tuple[str, ...] = ()
    extra: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class CustomParam:
    """A parameter or buffer by its state-dict name; it is there when the flag `when` is set."""

    name: str
    axes: tuple[str, ...] = ()
    part: Part = "weight"
    dtype: str = "float32"
    when: str = ""
    extra: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Custom:
    """A layer that a document declares, and the source of the `nn.Module` class `name`.

    `flops` is an expression; without one the operations are not known.
    """

    name: str
    inputs: tuple[CustomInput, ...] = (CustomInput("x"),)
    options: tuple[CustomOption, ...] = ()
    outputs: tuple[CustomOutput, ...] = (CustomOutput("out"),)
    params: tuple[CustomParam, ...] = ()
    flops: str = ""
    source: str = ""
    note: str = ""
    extra: tuple[tuple[str, object], ...] = ()

    @property
    def written(self) -> Written:
        """The class in exported code."""
        return Written(self.name, self.source)


# The rule


class CustomUse(Layer):
    """A use of a custom layer; each has a subclass of its own, made by `layer_class`."""

    custom: ClassVar[Custom]
    faults: ClassVar[tuple[Message, ...]]
    """What is wrong with the declaration or the source: said at each use."""

    def outputs(self) -> tuple[Port, ...]:
        """The declared output ports."""
        return tuple(Port(output.name) for output in self.custom.outputs)

    @property
    def called(self) -> str:
        """The name of its class."""
        return self.title

    def infer(self, **inputs: Tensor) -> Result:
        """What the declaration says of these inputs."""
        for fault in self.faults:
            note(Remark("error", fault))
        bound = _Bindings(self, inputs)
        outputs = tuple(
            bound.tensor(o, o.dtype or self._usual_dtype(inputs)) for o in self.custom.outputs
        )
        params = tuple(bound.param(p) for p in self.custom.params if self._has(p))
        flops = bound.size(self.custom.flops, "flops") if self.custom.flops else UNKNOWN
        return Result(outputs, params, flops, self._code(bound, inputs))

    def _usual_dtype(self, inputs: Mapping[str, Tensor]) -> str:
        return next((x.dtype for x in inputs.values()), "float32")

    def _has(self, param: CustomParam) -> bool:
        return not param.when or bool(getattr(self, param.when, True))

    def _code(self, bound: _Bindings, inputs: Mapping[str, Tensor]) -> Code:
        values = {option.name: getattr(self, option.name) for option in self.declared}
        kwargs = tuple(
            (name, bound.sizes.get(name, UNKNOWN) if value is None else value)
            for name, value in values.items()
        )
        given = [port for port in self.ports if port.name in inputs]
        optional = tuple((port.name, Ref(port.name)) for port in given if port.optional)
        use = Call(Module(), tuple(Ref(p.name) for p in given if not p.optional), optional)
        ports = tuple(output.name for output in self.custom.outputs)
        make = Call(self.custom.written, (), kwargs)
        return Code(use, make, ports if len(ports) > 1 else None)


ANNOTATED = CustomUse.__annotations__.keys() | Layer.__annotations__.keys()
"""What layers have besides their options."""


class _Bindings:
    """What the names of a declaration stand for, given some inputs.

    Raises LayerError where an input is not what is declared.
    """

    def __init__(self, layer: CustomUse, inputs: Mapping[str, Tensor]) -> None:
        self.layer = layer
        self.rest: Tensor | None = None
        values = ((option.name, getattr(layer, option.name)) for option in layer.declared)
        self.sizes: dict[str, Any] = {name: value for name, value in values if value is not None}
        present = [port for port in layer.custom.inputs if port.name in inputs]
        for port in present:
            self._check(port, inputs[port.name])
            self._bind(port, inputs[port.name])
        for name in _names_told(layer.custom.inputs):
            self.sizes.setdefault(name, UNKNOWN)
        self.sizes[LEADING] = self._leading()
        for port in present:
            self._compare(port, inputs[port.name])

    def _leading(self) -> Size:
        return UNKNOWN if self.rest is None else self.rest.count

    def _check(self, port: CustomInput, got: Tensor) -> None:
        """Refuse another dtype, and another number of axes."""
        if port.dtype and got.dtype != port.dtype and not got.partial:
            raise self._refused(port, port.dtype, got.dtype)
        least, known = len(_axes(port)), len(got.shape)
        most = None if _has_rest(port) else least
        fits = got.rank is None or got.rank >= least
        if not fits or (most is not None and known > most):
            raise self._refused(port, f"[{', '.join(port.axes)}]", got)

    def _refused(self, port: CustomInput, expected: object, got: object) -> LayerError:
        text = "{layer} expects {expected} at {port}, got {got}."
        said = message(text, layer=self.layer.called, expected=expected, port=port.name, got=got)
        return LayerError(said, port=port.name)

    def _bind(self, port: CustomInput, got: Tensor) -> None:
        """Let names stand for the sizes that arrive; a name that does so already must agree."""
        axes = _axes(port)
        if _has_rest(port):
            self._bind_rest(port, got.lead(len(axes)))
        for name, size in zip(axes, got.last(len(axes)), strict=True):
            if _is_name(name):
                known = self.sizes.get(name, UNKNOWN)
                self.sizes[name] = self._same(port, name, known, size)

    def _bind_rest(self, port: CustomInput, rest: Tensor) -> None:
        """Let `...` stand for the leading axes that arrive; known ones must agree."""
        if self.rest is None:
            self.rest = rest
            return
        both = (self.rest, rest)
        ranks = {tensor.rank for tensor in both if tensor.rank is not None}
        if len(ranks) > 1 or any(len(t.shape) > rank for t in both for rank in ranks):
            raise self._refused(port, *both)
        pairs = zip(*(tensor.shape[::-1] for tensor in both), strict=False)
        agreed = [self._same(port, REST, known, got) for known, got in pairs]
        longer = max(both, key=lambda tensor: (not tensor.partial, len(tensor.shape)))
        self.rest = longer.with_last(*agreed[::-1])

    def _same(self, port: CustomInput, axis: str, known: Any, got: Size) -> Size:
        """One size from two that must be equal; `axis` is what the declaration says there."""
        expected = self._whole(known, port)
        template = "{layer} expects {axis} = {expected} at {port}, got {got}."
        said = message(
            template,
            layer=self.layer.called,
            axis=axis,
            expected=expected,
            port=port.name,
            got=got,
        )
        refusal = LayerError(said, port=port.name, expected=expected, got=got)
        return self.layer.same(expected, got, refusal)

    def _whole(self, value: Any, port: CustomInput) -> Size:
        """A number that an option gives, as a size."""
        try:
            return whole(value)
        except ExpressionError as error:
            raise LayerError(_at(port.name, error.message), port=port.name) from None

    def _compare(self, port: CustomInput, got: Tensor) -> None:
        """Check the axes that are declared by an expression."""
        axes = _axes(port)
        for text, size in zip(axes, got.last(len(axes)), strict=True):
            if not _is_name(text):
                self._same(port, text, self.size(text, port.name), size)

    # What follows

    def size(self, text: str, place: str) -> Size:
        """The value of an expression; UNKNOWN where a name in it is, or it cannot be read."""
        try:
            used = names(text)
            if any(self.sizes.get(name, UNKNOWN) is UNKNOWN for name in used):
                return UNKNOWN
            return whole(evaluate(text, self.sizes))
        except ExpressionError as error:
            if self.layer.faults:
                # It is said already that something is wrong with the declaration.
                return UNKNOWN
            raise LayerError(_at(place, error.message)) from None

    def tensor(self, port: CustomOutput, dtype: str) -> Tensor:
        """What comes out of an output port."""
        shape = tuple(self._axis(text, port.name) for text in _axes(port))
        if not _has_rest(port):
            return Tensor(shape, dtype)
        rest = self.rest or ANYTHING
        return Tensor((*rest.shape, *shape), dtype, rest.partial)

    def param(self, declared: CustomParam) -> Param:
        """A parameter or buffer with its sizes."""
        axes = tuple(Axis(_label(text), self._axis(text, declared.name)) for text in declared.axes)
        return Param(declared.name, axes, declared.part, declared.dtype)

    def _axis(self, text: str, place: str) -> Size:
        size = self.size(text, place)
        if (sizes.value(size) or 0) < 0:
            reason = message("{axis} would be {size}.", axis=text, size=size)
            raise LayerError(_at(place, reason))
        return size


def _at(place: str, reason: Message) -> Message:
    return message("{place}: {reason}", place=place, reason=reason)


def _has_rest(port: CustomInput | CustomOutput) -> bool:
    return port.axes[:1] == (REST,)


def _axes(port: CustomInput | CustomOutput) -> tuple[str, ...]:
    """The declared axes without those that `...` stands for."""
    return port.axes[1:] if _has_rest(port) else port.axes


def _label(text: str) -> str:
    """An expression as a factor of a formula."""
    return text if text.isidentifier() or text.isdecimal() else f"({text})"


def _is_name(text: str) -> bool:
    return text.isidentifier()


def _names_told(inputs: Iterable[CustomInput]) -> set[str]:
    """The names that stand for sizes that arrive."""
    return {text for port in inputs for text in _axes(port) if _is_name(text)}


# Classes


@lru_cache(maxsize=10_000)
def layer_class(custom: Custom) -> type[CustomUse]:
    """The layer class of a custom layer; equal ones have one class.

    Raises ValueError where `misnamed` finds something.
    """
    wrong = misnamed(custom)
    if wrong is not None:
        raise ValueError(str(wrong))
    options = tuple(map(option_of, custom.options))
    typed = [(option.name, object, field(default=option.default)) for option in options]
    made = make_dataclass(custom.name, typed, bases=(CustomUse,), frozen=True, eq=False)
    made.__doc__ = custom.note or message("A custom layer of this design.").template
    ports = tuple(Port(port.name, optional=port.optional) for port in custom.inputs)
    words = {"kind": f"{CUSTOM}{custom.name}", "title": custom.name, "family": "custom"}
    rule = {"aliases": (), "stem": stem_of(custom.name), "declared": options, "ports": ports}
    own = {"custom": custom, "faults": faults(custom)}
    for key, value in {**words, **rule, **own}.items():
        setattr(made, key, value)
    return cast("type[CustomUse]", made)


def option_of(declared: CustomOption) -> Option:
    """The option of a layer that a declared one is."""
    return Option(
        declared.name,
        declared.type,
        declared.default,
        declared.help or message("An option of the custom layer.").template,
        choices=declared.choices,
        optional=declared.type == "size" and declared.default is None,
    )


# What is refused, and what is wrong


def misnamed(custom: Custom) -> Message | None:
    """Why no layer can be made of a declaration: its names, or values of its options."""
    if not is_python_name(custom.name):
        return message("{name} cannot be the name of a class.", name=custom.name[:60])
    if _oversized(custom):
        return message("The declaration of {name} is too long.", name=custom.name)
    groups: tuple[tuple[Any, ...], ...] = (custom.inputs, custom.outputs, custom.options)
    for group in (*groups, custom.params):
        found = [part.name for part in group]
        if len(set(found)) < len(found) or len(found) > MOST_PARTS:
            return message("Two parts of {name} have one name.", name=custom.name)
    for part in chain.from_iterable(groups):
        wrong = _misnamed(part.name)
        if wrong is not None:
            return wrong
    return next(
        filter(None, chain(map(_misplaced, custom.options), map(_odd, custom.params))), None
    )


def _oversized(custom: Custom) -> bool:
    """Whether a text or a list is longer than a file may hold."""
    notes = [custom.note, *(option.help for option in custom.options)]
    texts, lists = [custom.flops], []
    parts: Iterable[Any] = chain(custom.inputs, custom.options, custom.outputs, custom.params)
    for part in parts:
        values = [getattr(part, f.name) for f in fields(part) if f.name not in ("help", "extra")]
        texts += [value for value in values if isinstance(value, str)]
        lists += [value for value in values if isinstance(value, tuple)]
    texts += [text for found in lists for text in found if isinstance(text, str)]
    return (
        any(len(text) > LONGEST_TEXT for text in texts)
        or any(len(found) > MOST_AXES for found in lists)
        or any(len(note) > LONGEST_NOTE for note in notes)
    )


def _misnamed(name: str) -> Message | None:
    if name in ("self", LEADING):
        return message("{name} has a meaning already.", name=name)
    return check_name(name)


def _misplaced(option: CustomOption) -> Message | None:
    """Why a layer cannot have an option."""
    if hasattr(CustomUse, option.name) or option.name in ANNOTATED:
        return message("{name} has a meaning already.", name=option.name)
    if option.type not in TYPES or isinstance(option.default, Expression | tuple):
        return message("{name} has no type or default of an option.", name=option.name)
    try:
        option_of(option).evaluate(option.default, {})
    except (OptionError, ExpressionError) as error:
        return error.message
    return None


def _odd(param: CustomParam) -> Message | None:
    """Why a module cannot have a parameter."""
    parts = param.name.split(".")
    known = param.part in PARTS and param.dtype in DTYPE_BYTES
    if not known or not all(part.isidentifier() or part.isdecimal() for part in parts):
        return message("{name} cannot be a parameter.", name=param.name)
    return None


def faults(custom: Custom) -> tuple[Message, ...]:
    """What is wrong with a declaration and its source, as far as it is plain to see."""
    found = [*_faults_of_inputs(custom), *_faults_of_results(custom), *_faults_of_options(custom)]
    source = fault_of(custom.written)
    return (*found, source) if source is not None else tuple(found)


def _faults_of_inputs(custom: Custom) -> Iterator[Message]:
    told = _names_told(custom.inputs)
    for name in sorted(told):
        wrong = check_name(name)
        if wrong is not None:
            yield wrong
    known = told | _numbers(custom)
    for port in custom.inputs:
        yield from _faults_of_axes(port.name, _axes(port), known)
        yield from _fault_of_dtype(port)


def _faults_of_results(custom: Custom) -> Iterator[Message]:
    required = [port for port in custom.inputs if not port.optional]
    known = _names_told(required) | _numbers(custom)
    if any(_has_rest(port) for port in required):
        known.add(LEADING)
    if not custom.outputs:
        yield message("{name} has no output.", name=custom.name)
    for output in custom.outputs:
        if _has_rest(output) and LEADING not in known:
            yield _at(output.name, message("no required input has axes for ... to stand for."))
        yield from _faults_of_axes(output.name, _axes(output), known)
        yield from _fault_of_dtype(output)
    for param in custom.params:
        yield from _faults_of_axes(param.name, param.axes, known)
    if custom.flops:
        yield from _faults_of_axes("flops", (custom.flops,), known)


def _faults_of_options(custom: Custom) -> Iterator[Message]:
    flags = {option.name for option in custom.options if option.type == "flag"}
    for param in custom.params:
        if param.when and param.when not in flags:
            reason = message("{flag} is no option that is true or false.", flag=param.when)
            yield _at(param.name, reason)
    told = _names_told(port for port in custom.inputs if not port.optional)
    for option in custom.options:
        if option.type == "size" and option.default is None and option.name not in told:
            yield _at(option.name, message("it has no default, and no required input tells it."))


def _numbers(custom: Custom) -> set[str]:
    return {option.name for option in custom.options if option.type in NUMBERS}


def _faults_of_axes(place: str, axes: tuple[str, ...], known: set[str]) -> Iterator[Message]:
    for text in axes:
        if text == REST:
            yield _at(place, message("... stands for axes at the beginning of a shape only."))
            continue
        try:
            parsed(text)
            unknown = [name for name in names(text) if name not in known]
        except ExpressionError as error:
            yield _at(place, error.message)
            continue
        for name in unknown:
            yield _at(place, message("no required input or number tells {name}.", name=name))


def _fault_of_dtype(port: CustomInput | CustomOutput) -> Iterator[Message]:
    if port.dtype and port.dtype not in DTYPE_BYTES:
        yield _at(port.name, message("{dtype} is no dtype.", dtype=port.dtype))
