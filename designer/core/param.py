"""Parameters and buffers of a layer: labelled axes, parts, and how many elements they have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from designer.core import size as sizes
from designer.core.size import Size, product

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Part: TypeAlias = Literal["weight", "bias", "buffer"]


class Axis(NamedTuple):
    """One labelled factor of a parameter's axis: `times` stacked pieces of `size`."""

    label: str
    size: Size
    times: int = 1


class Times(NamedTuple):
    """`times` pieces of `size` along one axis, as in the four gates of an LSTM."""

    times: int
    size: Size


@dataclass(frozen=True, slots=True)
class Span:
    """Copies of a tensor under consecutive numbers: `first`, … `first + count - 1`.

    Of them `active` work for one token, as experts do that a router chooses; None for all.
    """

    first: int
    count: Size
    active: Size | None = None


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter or buffer of a layer, under its state-dict name within the layer.

    With `spans` it stands for many of one shape: its name has a segment `*` for each of them,
    outermost first, as in `experts.*.weight`.
    """

    name: str
    axes: tuple[Axis, ...]
    part: Part
    dtype: str = "float32"
    persistent: bool = True
    norm: bool = False
    """Whether it is that of a normalisation within a composite."""
    spans: tuple[Span, ...] = ()
    trainable: bool = True
    owner: str = ""
    """The state-dict name within the layer of the tensor that it shares, with the same `*`."""

    @property
    def shape(self) -> tuple[Size, ...]:
        """Sizes of its axes, those of one copy."""
        return tuple(axis.size if axis.times == 1 else axis.times * axis.size for axis in self.axes)

    @property
    def count(self) -> Size:
        """Number of elements, of all copies."""
        return product(self.shape) * self.copies if self.spans else product(self.shape)

    @property
    def copies(self) -> Size:
        """How many tensors it stands for."""
        return product(tuple(span.count for span in self.spans))

    @property
    def active(self) -> Size:
        """Number of elements that work for one token."""
        working = (span.count if span.active is None else span.active for span in self.spans)
        return product(self.shape) * product(tuple(working))

    def under(self, owner: str) -> Param:
        """The same parameter outside the module `owner` that holds it."""
        shared = within(owner, self.owner) if self.owner else ""
        return replace(self, name=within(owner, self.name), owner=shared)

    def copied(self, span: Span) -> Param:
        """The same parameter of each module in a numbered list of them."""
        return replace(self.under("*"), spans=(span, *self.spans))

    def at(self, number: int) -> Param:
        """The same parameter of the copy with this number in the outermost list."""
        name, owner = (text.replace("*", str(number), 1) for text in (self.name, self.owner))
        return replace(self, name=name, owner=owner, spans=self.spans[1:])

    def shown(self) -> str:
        """Its name for a table: `experts.0…7.weight`."""
        return self.in_words(self.name)

    def in_words(self, name: str) -> str:
        """Its name or its owner's with the numbers of all copies in place of `*`."""
        for span in self.spans:
            name = name.replace("*", _run(span), 1)
        return name


def _run(span: Span) -> str:
    """The numbers of some copies: `0…7`, or `0…n_layers - 1` where they depend on a name."""
    last = span.count + (span.first - 1)
    if isinstance(last, int) and last <= span.first:
        return str(span.first)
    return f"{span.first}…{sizes.at_values(last)}"


def within(owner: str, name: str) -> str:
    """The state-dict name that a tensor of `owner` has outside it.

    A tensor without a name is the owner itself: a parameter that a module holds as its own.
    """
    return f"{owner}.{name}" if name else owner


def marked(kind: str, params: tuple[Param, ...]) -> tuple[Param, ...]:
    """The parameters of a layer of this kind within another: those of a normalisation say so."""
    return tuple(replace(p, norm=True) for p in params) if "Norm" in kind else params


def state_place(name: str, param: Param) -> int:
    """Sorts as a state dict does: a module's own parameters, its own buffers, then its parts."""
    if "." in name:
        return 2
    return int(param.part == "buffer")


def _axes(named: Mapping[str, Size | Times]) -> tuple[Axis, ...]:
    return tuple(
        Axis(label, size.size, size.times) if isinstance(size, Times) else Axis(label, size)
        for label, size in named.items()
    )


def weight(name: str, /, **axes: Size | Times) -> Param:
    """A learned weight; the keywords label its axes, in the order of its shape."""
    return Param(name, _axes(axes), "weight")


def bias(name: str, /, **axes: Size | Times) -> Param:
    """A learned bias; the keywords label its axes."""
    return Param(name, _axes(axes), "bias")


def buffer(name: str, /, dtype: str = "float32", **axes: Size | Times) -> Param:
    """A buffer that the state dict holds; without axes it is a scalar."""
    return Param(name, _axes(axes), "buffer", dtype)


class Tally(NamedTuple):
    """Elements by part; `unknown` is the number of tensors whose size is not known.

    Of the parameters `frozen` are never trained, and `idle` do not work for one token.
    """

    weights: int = 0
    biases: int = 0
    buffers: int = 0
    unknown: int = 0
    frozen: int = 0
    idle: int = 0

    def __add__(self, other: Tally) -> Tally:  # type: ignore[override]
        a, b, c, d, e, f = other
        return Tally(self[0] + a, self[1] + b, self[2] + c, self[3] + d, self[4] + e, self[5] + f)

    def __sub__(self, other: Tally) -> Tally:
        a, b, c, d, e, f = other
        return Tally(self[0] - a, self[1] - b, self[2] - c, self[3] - d, self[4] - e, self[5] - f)

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return self.weights + self.biases

    @property
    def active(self) -> int:
        """Parameters that work for one token."""
        return self.parameters - self.idle

    @property
    def trainable(self) -> int:
        """Parameters that are trained, unless their layer is locked."""
        return self.parameters - self.frozen


_PART_INDEX: dict[Part, int] = {"weight": 0, "bias": 1, "buffer": 2}
_UNKNOWN, _FROZEN, _IDLE = 3, 4, 5


def expanded(params: Iterable[Param]) -> Iterator[Param]:
    """Each copy of each parameter, in the order of a state dict: one module after another.

    Where it is not known how many copies there are, they stay together.
    """
    for inside, together in groupby(params, list_of):
        number = sizes.value(inside[1].count) if inside else None
        if inside is None or number is None:
            yield from together
            continue
        group = tuple(together)
        deeper = any(len(param.spans) > 1 for param in group)
        for place in range(inside[1].first, inside[1].first + number):
            copies = (param.at(place) for param in group)
            yield from expanded(copies) if deeper else copies


def list_of(param: Param, depth: int = 0) -> tuple[list[str], Span] | None:
    """The numbered list of modules that a parameter is in, by its name, counted from outside."""
    if depth >= len(param.spans):
        return None
    return param.name.split("*")[: depth + 1], param.spans[depth]


def tally(params: Iterable[Param]) -> Tally:
    """The Tally of some parameters."""
    return summed((param, param.count) for param in params)


def summed(counted: Iterable[tuple[Param, Size]]) -> Tally:
    """The Tally of parameters whose numbers of elements are known already.

    What shares another's tensor is not counted.
    """
    counts = [0] * len(Tally._fields)
    for param, size in counted:
        count = sizes.value(size)
        if param.owner:
            continue
        if count is None:
            counts[_UNKNOWN] += 1
            continue
        counts[_PART_INDEX[param.part]] += count
        if param.part != "buffer" and (param.spans or not param.trainable):
            counts[_FROZEN] += 0 if param.trainable else count
            counts[_IDLE] += count - _or_all(sizes.value(param.active), count)
    return Tally(*counts)


def _or_all(active: int | None, count: int) -> int:
    """As long as it is not known how many work, they all do."""
    return count if active is None else min(active, count)
