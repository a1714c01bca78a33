"""Parameters and buffers of a layer: labelled axes, parts, and how many elements they have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from designer.core import size as sizes
from designer.core.size import Size, product

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
class Param:
    """One parameter or buffer of a layer, under its state-dict name within the layer."""

    name: str
    axes: tuple[Axis, ...]
    part: Part
    dtype: str = "float32"
    persistent: bool = True
    norm: bool = False
    """Whether it is that of a normalisation within a composite."""

    @property
    def shape(self) -> tuple[Size, ...]:
        """Sizes of its axes."""
        return tuple(axis.size if axis.times == 1 else axis.times * axis.size for axis in self.axes)

    @property
    def count(self) -> Size:
        """Number of elements."""
        return product(self.shape)


def within(owner: str, name: str) -> str:
    """The state-dict name that a tensor of `owner` has outside it.

    A tensor without a name is the owner itself: a parameter that a module holds as its own.
    """
    return f"{owner}.{name}" if name else owner


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
    """Elements by part; `unknown` is the number of tensors whose size is not known."""

    weights: int = 0
    biases: int = 0
    buffers: int = 0
    unknown: int = 0

    def __add__(self, other: Tally) -> Tally:  # type: ignore[override]
        a, b, c, d = other
        return Tally(self[0] + a, self[1] + b, self[2] + c, self[3] + d)

    def __sub__(self, other: Tally) -> Tally:
        a, b, c, d = other
        return Tally(self[0] - a, self[1] - b, self[2] - c, self[3] - d)

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return self.weights + self.biases


_PART_INDEX: dict[Part, int] = {"weight": 0, "bias": 1, "buffer": 2}


def tally(params: Iterable[Param]) -> Tally:
    """The Tally of some parameters."""
    return summed((param, param.count) for param in params)


def summed(counted: Iterable[tuple[Param, Size]]) -> Tally:
    """The Tally of parameters whose numbers of elements are known already."""
    counts = [0, 0, 0, 0]
    for param, size in counted:
        count = sizes.value(size)
        if count is None:
            counts[3] += 1
        else:
            counts[_PART_INDEX[param.part]] += count
    return Tally(*counts)
