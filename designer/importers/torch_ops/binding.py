"""From a call of PyTorch to the layer that does the same: arguments to ports and options."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import designer.layers  # noqa: F401  (fills the catalogue)
from designer.core.expression import Expression
from designer.core.layer import CATALOGUE
from designer.core.message import Message, message
from designer.core.size import Symbolic, Verdict, compare, value
from designer.core.tensor import Tensor
from designer.importers.torch_ops.modules import STRICT_FLAGS, STRICT_KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from designer.core.layer import Port, Result
    from designer.core.option import Option, Raw
    from designer.core.size import Size

One: TypeAlias = "Tensor | Bound"
Fed: TypeAlias = "One | tuple[One, ...]"
Adapter: TypeAlias = "Callable[[Call], Bound]"
T = TypeVar("T")


class CallError(ValueError):
    """A call that cannot become a layer; `message` says why."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


class Unmapped(CallError):
    """A call that PyTorch may accept and no layer expresses."""


class BadCall(CallError):
    """A call that PyTorch refuses for its arguments, whatever the tensors hold.

    `early` where the module cannot even be made.
    """

    def __init__(self, message: Message, early: bool = False) -> None:
        super().__init__(message)
        self.early = early


@dataclass(frozen=True, slots=True)
class Bound:
    """A layer of the catalogue in place of a call: its kind, raw options and inputs by port.

    An input may be another Bound, where one call needs several layers: its first output is meant.
    `held` are tensors that the call brings for parameters which the layer has as its own, as
    `F.linear` does its weight; by parameter name.
    """

    kind: str
    options: Mapping[str, Raw]
    inputs: Mapping[str, Fed]
    held: Mapping[str, Tensor] = field(default_factory=dict)

    def fault(self, result: Result) -> Message | None:
        """Why the tensors in `held` cannot be the layer's parameters, where they cannot."""
        params = {param.name: param for param in result.params}
        for name, tensor in self.held.items():
            param = params.get(name)
            own = None if param is None else Tensor(param.shape, param.dtype)
            if own is None or not _alike(own, tensor):
                return message(
                    "{layer} expects {param} {expected}, got {got}.",
                    layer=self.kind,
                    param=name,
                    expected="-" if own is None else own,
                    got=tensor,
                )
        return None


def _alike(own: Tensor, given: Tensor) -> bool:
    if given.partial:
        return True
    if (own.dtype, own.rank) != (given.dtype, given.rank):
        return False
    pairs = zip(own.shape, given.shape, strict=True)
    return all(compare(a, b) is not Verdict.DIFFERENT for a, b in pairs)


@dataclass(frozen=True, slots=True)
class ModuleCall:
    """A module that is an argument of another: `nn.X` with the arguments that made it."""

    op: str
    args: Sequence[object] = ()
    kwargs: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """The arguments of one call by parameter name, defaults filled in.

    Of a module, these are the arguments that make it; `inputs` and `named` are those with which
    it is called then.
    """

    op: str
    values: Mapping[str, object]
    inputs: Sequence[object] = ()
    named: Mapping[str, object] = field(default_factory=dict)

    def __getitem__(self, name: str) -> object:
        return self.values[name]

    def tensor(self, name: str) -> Tensor:
        """The argument `name`, which PyTorch takes as a tensor only. Raises BadCall, Unmapped."""
        found = self.values[name]
        if isinstance(found, (int, float)) and not isinstance(found, bool):
            raise self.unmapped("{op} has a number for {name}.", name=name)
        if not isinstance(found, Tensor):
            raise self.bad("{op} needs a tensor for {name}, got {got}.", name=name, got=found)
        return found

    def tensors(self, name: str) -> tuple[Tensor, ...]:
        """The argument `name`, one tensor or more in a tuple or list. Raises BadCall."""
        found = self.values[name]
        several = tuple(found) if isinstance(found, (tuple, list)) else ()
        given = tuple(one for one in several if isinstance(one, Tensor))
        if not given or len(given) < len(several):
            raise self.bad("{op} needs tensors for {name}, got {got}.", name=name, got=found)
        return given

    def ranked(self, name: str, *ranks: int) -> Tensor:
        """A tensor that must have one of these numbers of axes. Raises BadCall, Unmapped."""
        found = self.tensor(name)
        if found.rank is None:
            raise self.unmapped("{op} needs to know the axes of {name}.", name=name)
        if found.rank not in ranks:
            axes = " or ".join(map(str, ranks))
            raise self.bad(
                "{op} takes {axes} axes for {name}, got {x}.", axes=axes, name=name, x=found
            )
        return found

    def whole(self, name: str) -> int:
        """The argument `name`, a whole number. Raises BadCall."""
        found = self.values[name]
        if not isinstance(found, int) or isinstance(found, bool):
            raise self.bad("{op} needs a whole number for {name}, got {got}.", name=name, got=found)
        return found

    def axis(self, tensor: str, dim: str) -> Size:
        """The size of the axis `dim` of an argument. Raises BadCall where there is no such axis."""
        x, index = self.tensor(tensor), self.whole(dim)
        if x.rank is not None and not -x.rank <= index < x.rank:
            raise self.bad("{op} takes no {dim} {index} of {x}.", dim=dim, index=index, x=x)
        return x.axis(index)

    def known_axis(self, tensor: str, dim: str) -> int:
        """The same as a number. Raises Unmapped where it has no value."""
        number = value(self.axis(tensor, dim))
        if number is None:
            raise self.unmapped("{op} needs to know axis {dim} here.", dim=self[dim])
        return number

    def equal(self, a: Size, b: Size) -> None:
        """Refuse two sizes that differ. Raises BadCall."""
        if compare(a, b) is Verdict.DIFFERENT:
            raise self.bad("{op} needs equal sizes, got {a} and {b}.", a=a, b=b)

    def unmapped(self, template: str, **values: object) -> Unmapped:
        """An Unmapped about this call; `{op}` in the template is the operation."""
        return Unmapped(message(template, op=self.op, **values))

    def bad(self, template: str, *, early: bool = False, **values: object) -> BadCall:
        """A BadCall about this call; `{op}` in the template is the operation."""
        return BadCall(message(template, op=self.op, **values), early)

    def to(
        self,
        kind: str,
        inputs: Mapping[str, object],
        options: Mapping[str, object] | None = None,
        held: Mapping[str, object] | None = None,
    ) -> Bound:
        """The layer `kind` with these inputs and options; inputs and held of None are left out.

        Raises Unmapped where an input is no tensor or an option is one.
        """
        ports = {port.name: port for port in CATALOGUE[kind].ports}
        fed = {name: self._fed(ports[name], given) for name, given in inputs.items()}
        taken = self._taken(kind, options or {})
        raws = {name: self._raw(name, given) for name, given in taken.items()}
        own = {name: self._held(name, given) for name, given in (held or {}).items()}
        bound = Bound(kind, raws, _given(fed), _given(own))
        self._check_precision(bound)
        for port in ports.values():
            if not (port.optional or bound.inputs.get(port.name)):
                raise self.bad("{op} needs a tensor for {name}.", name=port.name)
        return bound

    def _check_precision(self, bound: Bound) -> None:
        """Unmapped where all is in one precision that is not the layers', float32."""
        fed = [one.dtype for one in bound.inputs.values() if isinstance(one, Tensor)]
        for name, weight in bound.held.items():
            alike = all(dtype in (weight.dtype, "int64", "int32") for dtype in fed)
            if weight.dtype != "float32" and alike:
                raise self.unmapped("{op} has {name} in {got}.", name=name, got=weight.dtype)

    def _taken(self, kind: str, options: Mapping[str, object]) -> dict[str, object]:
        """Options as PyTorch takes them: anything for some flags, and flags for fractions."""
        declared = {option.name: option for option in CATALOGUE[kind].declared}
        module = self.op.startswith("nn.")
        return {
            name: _lenient(kind, declared[name], one) if module else _plain(declared[name], one)
            for name, one in options.items()
        }

    def _fed(self, port: Port, given: object) -> Fed | None:
        if given is None and port.optional:
            return None
        if not port.variadic:
            return self._one(port.name, given)
        several = given if isinstance(given, (tuple, list)) else (given,)
        return tuple(self._one(port.name, part) for part in several)

    def _one(self, name: str, given: object) -> One:
        if given is None or isinstance(given, (str, tuple, list)):
            raise self.bad("{op} needs a tensor for {name}, got {got}.", name=name, got=given)
        if not isinstance(given, (Tensor, Bound)):
            raise self.unmapped("{op} has no tensor for {name}, but {got}.", name=name, got=given)
        return given

    def _held(self, name: str, given: object) -> Tensor | None:
        if not (given is None or isinstance(given, Tensor)):
            raise self.bad("{op} needs a tensor for {name}, got {got}.", name=name, got=given)
        return given

    def _raw(self, name: str, given: object) -> Raw:
        if isinstance(given, (tuple, list)):
            return tuple(self._raw(name, part) for part in given)
        if isinstance(given, Symbolic):
            return Expression(str(given))
        if given is None or isinstance(given, (bool, int, float, str, Expression)):
            return given
        raise self.unmapped("{op} has {got} for {name}.", name=name, got=given)


def _lenient(kind: str, option: Option, given: object) -> object:
    """A module's option: what has a length or is not 0 is true, but for some flags."""
    strict = option.optional or option.name in STRICT_FLAGS or kind in STRICT_KINDS
    return bool(given) if option.kind == "flag" and not strict else _plain(option, given)


def _plain(option: Option, given: object) -> object:
    """A function's option: true is 1, and a flag that chooses a function is what is true."""
    if option.name == "return_indices":
        return bool(given)
    return int(given) if option.kind == "real" and isinstance(given, bool) else given


def _given(values: Mapping[str, T | None]) -> dict[str, T]:
    return {name: given for name, given in values.items() if given is not None}
