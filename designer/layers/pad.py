"""Padding: the last axes grow at both ends, or shrink where the padding is negative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from designer.core.layer import Layer, Result, layer
from designer.core.option import option
from designer.core.size import Size, is_unknown, value
from designer.layers.rules import (
    COMPLEX,
    FLOATS,
    INTEGERS,
    SPATIAL,
    check_dtype,
    image,
    known_zero,
)

if TYPE_CHECKING:
    from designer.core.layer import Inputs
    from designer.core.tensor import Tensor

PAIR = 2


@dataclass(frozen=True, eq=False)
class Padding(Layer):
    """What all paddings share."""

    padding: Size | tuple[Size, ...] = option(
        1, "Elements added at all ends, or at both ends of each axis, the last axis first."
    )

    axes: ClassVar[int]
    positional: ClassVar[tuple[str, ...]] = ("padding",)

    def infer(self, x: Tensor) -> Result:
        """[..., *spatial] to [..., *grown]."""
        pairs = self._pairs()
        self.check(x, len(pairs))
        sizes = x.last(len(pairs))
        names = _names(len(pairs))
        grown = tuple(map(self._grown, names, sizes, pairs))
        self.check_grown(x, grown)
        return Result((x.with_last(*grown),), code=self.module(f"nn.{self.kind}", *self.positional))

    def check(self, x: Tensor, axes: int) -> None:
        """Refuse an input whose last `axes` axes cannot be padded."""
        if x.rank is not None and x.rank < axes:
            raise self.refuse(
                "{layer} pads {expected} axes, got {got}.", port="x", expected=axes, got=x
            )

    def fits(self, size: Size, before: Size, after: Size) -> bool:
        """Whether an axis may be padded so, as far as that is known.

        No more may be cut off than there is.
        """
        return _least(_cropped(size, before, after), 0)

    def check_grown(self, x: Tensor, grown: tuple[Size, ...]) -> None:
        """Refuse an output that only some paddings refuse."""

    def _pairs(self) -> tuple[tuple[Size, Size], ...]:
        """The padding before and after each axis, the last axis last."""
        given = self.padding
        if not isinstance(given, tuple):
            return ((given, given),) * self.axes
        if len(given) % PAIR:
            raise self.refuse(
                "{layer} takes {expected} values of {option}, got {got}.",
                option="padding",
                expected=PAIR * self.axes,
                got=len(given),
            )
        return tuple(zip(given[::PAIR], given[1::PAIR], strict=True))[::-1]

    def _grown(self, name: str, size: Size, pair: tuple[Size, Size]) -> Size:
        if not is_unknown(size) and not self.fits(size, *pair):
            raise self.refuse(
                "{layer} cannot pad {axis} of {expected} with {before} and {after}.",
                option="padding",
                axis=name,
                expected=size,
                before=pair[0],
                after=pair[1],
            )
        return size + pair[0] + pair[1]

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The padding."""
        given = self.padding if isinstance(self.padding, tuple) else (self.padding,)
        return ", ".join(str(size).replace("-", "−") for size in given)


def _names(axes: int) -> tuple[str, ...]:
    return tuple(SPATIAL.get(axes, "")) or tuple(f"axis −{axes - i}" for i in range(axes))


def _least(size: Size, least: int) -> bool:
    """Whether a size is at least so large, as far as that is known."""
    number = value(size)
    return number is None or number >= least


def _cropped(size: Size, *ends: Size) -> Size:
    """What is left of an axis after negative padding alone."""
    return size + sum((end for end in ends if (value(end) or 0) < 0), start=0)


class InnerPadding(Padding):
    """Padding with values of the input."""

    def check(self, x: Tensor, axes: int) -> None:
        """Up to three axes behind that of the channels, and perhaps that of a batch."""
        if axes not in SPATIAL:
            raise self.refuse(
                "{layer} takes {expected} values of {option}, got {got}.",
                option="padding",
                expected=PAIR * self.axes,
                got=PAIR * axes,
            )
        self.ranked(x, (axes + 1, axes + 2), image("C" + SPATIAL[axes]))


class MirroredPadding(InnerPadding):
    """Padding with values of the input by a kernel that finds an empty input wrong."""

    def check(self, x: Tensor, axes: int) -> None:
        """Only the batch may be empty."""
        super().check(x, axes)
        check_dtype(self, x, (*FLOATS, *INTEGERS, *COMPLEX))
        if any(map(known_zero, x.last(axes + 1))):
            raise self.refuse("{layer} finds nothing to pad with in {got}.", port="x", got=x)

    def fits(self, size: Size, before: Size, after: Size) -> bool:
        """Something must be left."""
        return _least(size + before + after, 0)

    def check_grown(self, x: Tensor, grown: tuple[Size, ...]) -> None:
        """One axis of the output may be empty, not all."""
        if all(map(known_zero, grown)):
            raise self.refuse("{layer} leaves nothing of {got}.", port="x", option="padding", got=x)


class Reflection(MirroredPadding):
    """Padding with the values behind the edge, in reverse order."""

    def fits(self, size: Size, before: Size, after: Size) -> bool:
        """The edge itself is not repeated, so that the padding must be shorter than the axis."""
        room = all(_least(size - end, 1) for end in (before, after))
        return room and super().fits(size, before, after)


class Circular(InnerPadding):
    """Padding with the values from the other end."""

    def check(self, x: Tensor, axes: int) -> None:
        """The rank must be that of the kind, whatever axes are padded."""
        self.ranked(x, (self.axes + 1, self.axes + 2), image("C" + SPATIAL[self.axes]))
        super().check(x, axes)

    def fits(self, size: Size, before: Size, after: Size) -> bool:
        """The padding goes round at most once."""
        room = all(_least(size - end, 0) for end in (before, after))
        return room and super().fits(size, before, after)


@dataclass(frozen=True, eq=False)
class FilledPadding(Padding):
    """The options of padding with a given value."""

    value: float = option(0.0, "What the padding is filled with.")

    positional = ("padding", "value")


@layer(
    "ConstantPad1d",
    family="shape",
    aliases=("constant padding", "padding", "常数填充", "填充"),
    stem="pad",
)
class ConstantPad1d(FilledPadding):
    """Pad one axis with one value: [..., L] → [..., before + L + after]."""

    axes = 1


@layer(
    "ConstantPad2d",
    family="shape",
    aliases=("constant padding", "padding", "常数填充", "填充"),
    stem="pad",
)
class ConstantPad2d(FilledPadding):
    """Pad an image with one value: [H, W] → [top + H + bottom, left + W + right]."""

    axes = 2


@layer(
    "ConstantPad3d",
    family="shape",
    aliases=("constant padding", "padding", "常数填充", "填充"),
    stem="pad",
)
class ConstantPad3d(FilledPadding):
    """Pad a volume with one value, before and after each axis: L → before + L + after."""

    axes = 3


@layer(
    "ZeroPad1d",
    family="shape",
    aliases=("zero padding", "padding", "零填充", "填充"),
    stem="pad",
)
class ZeroPad1d(Padding):
    """Pad one axis with zeros: [..., L] → [..., before + L + after]."""

    axes = 1


@layer(
    "ZeroPad2d",
    family="shape",
    aliases=("zero padding", "padding", "零填充", "填充"),
    stem="pad",
)
class ZeroPad2d(Padding):
    """Pad an image with zeros: [H, W] → [top + H + bottom, left + W + right]."""

    axes = 2


@layer(
    "ZeroPad3d",
    family="shape",
    aliases=("zero padding", "padding", "零填充", "填充"),
    stem="pad",
)
class ZeroPad3d(Padding):
    """Pad a volume with zeros, before and after each axis: L → before + L + after."""

    axes = 3


@layer(
    "ReflectionPad1d",
    family="shape",
    aliases=("mirror padding", "padding", "反射填充", "填充"),
    stem="pad",
)
class ReflectionPad1d(Reflection):
    """Pad one axis with its mirror image, the edge itself left out: y[−i] = x[i]."""

    axes = 1


@layer(
    "ReflectionPad2d",
    family="shape",
    aliases=("mirror padding", "padding", "反射填充", "填充"),
    stem="pad",
)
class ReflectionPad2d(Reflection):
    """Pad an image with its mirror image, the edge itself left out: y[−i] = x[i]."""

    axes = 2


@layer(
    "ReflectionPad3d",
    family="shape",
    aliases=("mirror padding", "padding", "反射填充", "填充"),
    stem="pad",
)
class ReflectionPad3d(Reflection):
    """Pad a volume with its mirror image, the edge itself left out: y[−i] = x[i]."""

    axes = 3


@layer(
    "ReplicationPad1d",
    family="shape",
    aliases=("edge padding", "padding", "复制填充", "填充"),
    stem="pad",
)
class ReplicationPad1d(MirroredPadding):
    """Pad one axis with the value at its edge: y[−i] = x[0]."""

    axes = 1


@layer(
    "ReplicationPad2d",
    family="shape",
    aliases=("edge padding", "padding", "复制填充", "填充"),
    stem="pad",
)
class ReplicationPad2d(MirroredPadding):
    """Pad an image with the value at its edge: y[−i] = x[0]."""

    axes = 2


@layer(
    "ReplicationPad3d",
    family="shape",
    aliases=("edge padding", "padding", "复制填充", "填充"),
    stem="pad",
)
class ReplicationPad3d(MirroredPadding):
    """Pad a volume with the value at its edge: y[−i] = x[0]."""

    axes = 3


@layer(
    "CircularPad1d",
    family="shape",
    aliases=("wrap around", "padding", "循环填充", "填充"),
    stem="pad",
)
class CircularPad1d(Circular):
    """Pad one axis with the values from its other end: y[−i] = x[L − i]."""

    axes = 1


@layer(
    "CircularPad2d",
    family="shape",
    aliases=("wrap around", "padding", "循环填充", "填充"),
    stem="pad",
)
class CircularPad2d(Circular):
    """Pad an image with the values from its other end: y[−i] = x[L − i]."""

    axes = 2


@layer(
    "CircularPad3d",
    family="shape",
    aliases=("wrap around", "padding", "循环填充", "填充"),
    stem="pad",
)
class CircularPad3d(Circular):
    """Pad a volume with the values from its other end: y[−i] = x[L − i]."""

    axes = 3
