"""What a layer becomes in a program: small expression trees, rendered by the writer of a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from designer.core.size import Size

Argument: TypeAlias = object
"""An expression below, a Size, a Python literal, or a tuple or list of arguments."""


@dataclass(frozen=True, slots=True)
class Ref:
    """The value that arrives at an input port; a variadic port stands for all its values."""

    port: str


@dataclass(frozen=True, slots=True)
class Module:
    """The attribute that holds this layer's module."""


@dataclass(frozen=True, slots=True)
class Name:
    """A dotted name of the target library: `torch.float32`."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """`function(*args, **kwargs)`: a dotted name, an expression, a Support or a Definition."""

    function: object
    args: tuple[Argument, ...] = ()
    kwargs: tuple[tuple[str, Argument], ...] = ()


@dataclass(frozen=True, slots=True)
class Method:
    """`target.name(*args, **kwargs)`."""

    target: object
    name: str
    args: tuple[Argument, ...] = ()
    kwargs: tuple[tuple[str, Argument], ...] = ()


@dataclass(frozen=True, slots=True)
class Attribute:
    """`target.name`."""

    target: object
    name: str


@dataclass(frozen=True, slots=True)
class Item:
    """`target[index]`; a Python slice or `...` stands for itself, a tuple for several indices."""

    target: object
    index: object


@dataclass(frozen=True, slots=True)
class Infix:
    """`a + b + c`: the operands joined by one operator; a variadic Ref gives several operands."""

    operator: str
    operands: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Conditional:
    """`then if test else otherwise`."""

    test: object
    then: Argument
    otherwise: Argument


@dataclass(frozen=True, slots=True)
class Support:
    """A small function that the target library lacks: `source` defines `name`, once in a file."""

    name: str
    source: str


Returns: TypeAlias = "str | tuple[Returns, ...] | None"
"""How the call hands back its outputs: a port, a (nested) tuple of ports, None for one value."""


@dataclass(frozen=True, slots=True)
class Copies:
    """A numbered list of `count` modules, each made anew by `make`.

    With `first` that makes the first of them, and `make` the others.
    """

    make: Call | Copies
    count: Size
    first: Call | Copies | None = None


@dataclass(frozen=True, slots=True)
class Loop:
    """A layer used over and over: each time it takes what it gave before.

    `body` is one use, whose Module is the copy whose turn it is, and which hands back `returns`.
    `carried` are pairs of an input port and the output port that feeds it the next time. It goes
    through the modules of the layer's list, or `times` without one. `nested` is whether each of
    these is a list of modules itself.
    """

    body: object
    carried: tuple[tuple[str, str], ...]
    returns: Returns = None
    times: Size | None = None
    nested: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """How a layer is made (once, in the constructor) and used (in the forward pass).

    `make` is None for a plain function. `returns` names output ports, `("output", ("h_n", "c_n"))`;
    a port named `_` there is a value that the layer does not offer.
    """

    use: object
    make: Call | Copies | None = None
    returns: Returns = None


def call(function: str, *args: Argument, **kwargs: Argument) -> Code:
    """A plain function of the target library: `call("torch.flatten", Ref("x"), 1)`."""
    return Code(Call(function, args, tuple(kwargs.items())))


def method(port: str, name: str, *args: Argument, **kwargs: Argument) -> Code:
    """A method of the value at an input port: `method("x", "transpose", 1, 2)`."""
    return Code(Method(Ref(port), name, args, tuple(kwargs.items())))


def infix(operator: str, *operands: Argument) -> Code:
    """An operator between values: `infix("+", Ref("xs"))`."""
    return Code(Infix(operator, operands))
