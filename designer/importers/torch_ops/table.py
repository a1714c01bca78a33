"""The operations that are known, and how one is entered: by its signature, or by a function."""

from __future__ import annotations

from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import TYPE_CHECKING

from designer.core.layer import (
    CATALOGUE,
    Layer,
    options_of,
    same_value,
)
from designer.core.message import message
from designer.importers.torch_ops.binding import BadCall, Bound, Call, Unmapped
from designer.importers.torch_ops.modules import BY_NAME, NOT_MODULES, REQUIRED, without_effect
from designer.importers.torch_ops.signature import ANY, FIXED, IGNORED, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from designer.core.option import Raw
    from designer.importers.torch_ops.binding import Adapter

FIRST = ("input", "self", "tensor", "tensors")
"""What PyTorch calls a first tensor that is called something else here."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of PyTorch: its parameters, and what makes a layer of its arguments.

    `kind` is the layer's where the parameters are its ports and options, one to one.
    """

    signature: Signature
    adapt: Adapter
    kind: str = ""


OPERATIONS: dict[str, Operation] = {}
"""Operations by name; modules whose arguments are the options of a kind are not among them."""


def operation(*calls: str) -> Callable[[Adapter], Adapter]:
    """Enter calls, written as `torch.chunk(input, chunks, dim=0)`, which the function adapts."""

    def enter(adapt: Adapter) -> Adapter:
        for call in calls:
            op, signature = written(call)
            _enter(op, Operation(signature, adapt))
        return adapt

    return enter


def _enter(op: str, entry: Operation) -> None:
    if op in OPERATIONS:
        raise TypeError(f"{op} is entered already")
    OPERATIONS[op] = entry


def same(kind: str, *calls: str, **fixed: Raw) -> None:
    """Enter calls whose arguments are ports and options of `kind`; `fixed` are further options."""
    for call in calls:
        op, signature = written(call)
        _enter(op, Operation(signature, matching(kind, signature, fixed), kind))


def matching(kind: str, signature: Signature, fixed: Mapping[str, Raw]) -> Adapter:
    """An adapter that puts each argument where the annotation of its parameter says."""

    def adapt(call: Call) -> Bound:
        inputs, options = received(call, kind)
        for parameter in signature.parameters.values():
            given = call[parameter.name]
            place = place_of(kind, parameter)
            if place == FIXED and not same_value(given, parameter.default):
                raise call.unmapped("{op} has {name} {got}.", name=parameter.name, got=given)
            if place in port_names(kind):
                inputs[place] = given
            elif place not in (FIXED, IGNORED):
                options[place] = given
        return call.to(kind, inputs, {**fixed, **options})

    return adapt


def place_of(kind: str, parameter: Parameter) -> str:
    """The port or option that a parameter is for, or `_` or `only`. LookupError where none is."""
    place: str = parameter.annotation
    if place in (IGNORED, FIXED, *port_names(kind), *option_names(kind)):
        return place
    if place in FIRST:
        return port_names(kind)[0]
    if place == "other":
        return port_names(kind)[1]
    raise LookupError(f"{kind} has neither port nor option {place}")


def port_names(kind: str) -> list[str]:
    """The input ports of a kind."""
    return [port.name for port in CATALOGUE[kind].ports]


def option_names(kind: str) -> list[str]:
    """The options of a kind."""
    return [option.name for option in options_of(CATALOGUE[kind])]


def received(call: Call, kind: str) -> tuple[dict[str, object], dict[str, object]]:
    """What a module is called with, by port and by option; nothing for a function.

    Positions are ports in order; `(h_0, c_0)` counts as two. Raises BadCall where there are too
    many, Unmapped for a name that is neither.
    """
    ports = port_names(kind)
    spread = list(_spread(call.inputs))
    if len(spread) > len(ports):
        raise call.bad("{op} takes {expected} inputs, got {got}.", expected=len(ports), got=spread)
    inputs: dict[str, object] = dict(zip(ports, spread, strict=False))
    options: dict[str, object] = {}
    for name, given in call.named.items():
        if name in ports or name in FIRST:
            inputs[name if name in ports else ports[0]] = given
        elif name in option_names(kind):
            options[name] = given
        else:
            raise call.unmapped("{op} is called with {name}.", name=name)
    return inputs, options


def _spread(values: Sequence[object]) -> Iterator[object]:
    for given in values:
        if isinstance(given, tuple):
            yield from given
        else:
            yield given


# Finding the operation of a call


def found(op: str) -> Operation | None:
    """The operation of this name; a method of tensors is the function of the same name.

    None where no layer does what it does.
    """
    entered = OPERATIONS.get(op)
    if entered is None and op.startswith("Tensor."):
        entered = OPERATIONS.get(op.replace("Tensor.", "torch.", 1))
    return entered or _of_module(op)


def _of_module(op: str) -> Operation | None:
    space, _, name = op.partition(".")
    kind = name.removeprefix("Lazy")
    if space != "nn" or kind not in CATALOGUE or kind in NOT_MODULES:
        return None
    if OPERATIONS.get(f"nn.{kind}"):
        return _lazy(OPERATIONS[f"nn.{kind}"])
    signature = _made_with(CATALOGUE[kind])
    plain = Operation(signature, matching(kind, signature, {}))
    return plain if kind == name else _lazy(plain)


def _made_with(kind: type[Layer]) -> Signature:
    """How a module is made whose arguments are the options of its kind."""
    options = [option for option in options_of(kind) if option.name not in kind.not_torch]
    required = REQUIRED.get(kind.kind, 0)
    learnt = [
        _argument(option.name, Parameter.empty if place < required else option.default)
        for place, option in enumerate(options)
    ]
    named = [parameter for parameter in learnt if (kind.kind, parameter.name) in BY_NAME]
    placed = [parameter for parameter in learnt if parameter not in named]
    return Signature(
        [
            *placed,
            *(_argument(name, default, IGNORED) for name, default in without_effect(kind.kind)),
            *(parameter.replace(kind=Parameter.KEYWORD_ONLY) for parameter in named),
        ]
    )


def _argument(name: str, default: object, place: str = "") -> Parameter:
    kind = Parameter.POSITIONAL_OR_KEYWORD
    return Parameter(name, kind, default=default, annotation=place or name)


def _lazy(plain: Operation) -> Operation:
    """The same without the first argument, which a lazy module takes from its first input."""
    first, *others = plain.signature.parameters.values()

    def adapt(call: Call) -> Bound:
        values = {first.name: None, **call.values}
        return plain.adapt(Call(call.op, values, call.inputs, call.named))

    return Operation(Signature(others), adapt)


def supported(op: str) -> bool:
    """Whether layers do what this operation does."""
    return found(op) is not None


def bind(
    op: str,
    args: Sequence[object] = (),
    kwargs: Mapping[str, object] | None = None,
    inputs: Sequence[object] = (),
    inkw: Mapping[str, object] | None = None,
) -> Bound:
    """The layer that does what a call does.

    `op` is `nn.X`, `F.f`, `torch.f` or `Tensor.m`, whose first input is the tensor itself. A
    module is made with `args` and `kwargs` and called with `inputs` and `inkw`; a function gets
    all of them. Arguments are Tensor, ModuleCall, numbers, text, flags, None, slice, Ellipsis,
    and tuples and lists of these. Raises Unmapped where no layer does it, BadCall where PyTorch
    refuses such arguments.
    """
    known = found(op)
    if known is None:
        raise Unmapped(message("No layer does what {op} does.", op=op))
    kwargs, inkw = kwargs or {}, inkw or {}
    if op.startswith("nn."):
        values = _arguments(op, known.signature, args, kwargs, early=True)
        return known.adapt(Call(op, values, inputs, inkw))
    values = _arguments(op, known.signature, (*args, *inputs), {**kwargs, **inkw}, early=False)
    return known.adapt(Call(op, values))


def _arguments(
    op: str,
    signature: Signature,
    args: Sequence[object],
    kwargs: Mapping[str, object],
    *,
    early: bool,
) -> dict[str, object]:
    """Arguments by parameter name, with defaults; `*sizes` may come as one tuple or list."""
    try:
        given = signature.bind(*args, **kwargs)
    except TypeError as error:
        reason = message("{op}: {reason}.", op=op, reason=str(error))
        raise BadCall(reason, early) from None
    given.apply_defaults()
    for name, parameter in signature.parameters.items():
        required = parameter.default is Parameter.empty and parameter.annotation != ANY
        if required and given.arguments.get(name, parameter) is None:
            raise BadCall(message("{op} needs a value for {name}.", op=op, name=name), early)
    return {
        name: _listed(value) if _is_rest(signature, name) else value
        for name, value in given.arguments.items()
    }


def _is_rest(signature: Signature, name: str) -> bool:
    return signature.parameters[name].kind is Parameter.VAR_POSITIONAL


def _listed(rest: tuple[object, ...]) -> tuple[object, ...]:
    if len(rest) == 1 and isinstance(rest[0], (tuple, list)):
        return tuple(rest[0])
    return rest
