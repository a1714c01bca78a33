"""What several families share: one value per axis, sliding windows, and checks of dtypes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from designer.core.message import message
from designer.core.size import UNKNOWN, ceil_div, is_unknown, minimum, value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from designer.core.layer import Layer
    from designer.core.message import Message
    from designer.core.size import Size
    from designer.core.tensor import Tensor

FLOATS = ("float64", "float32", "float16", "bfloat16")
INTEGERS = ("int64", "int32", "int16", "int8", "uint8")
COMPLEX = ("complex64", "complex128")
SIGNED = INTEGERS[:-1]
WHOLE = (*INTEGERS, "bool")
WIDE = ("float64", "float32")
NUMBERS = (*FLOATS, *INTEGERS, *COMPLEX)
REAL = (*FLOATS, *INTEGERS, "bool")
ALL = (*NUMBERS, "bool")
BINARY = 1 << 10
"""The largest denominator with which floats and fractions agree, for all sizes there may be."""
GROUPS: dict[tuple[str, ...], Message] = {
    FLOATS: message("floats"),
    (*FLOATS, *INTEGERS): message("floats and integers"),
    (*FLOATS, *SIGNED): message("floats and signed integers"),
    (*FLOATS, *COMPLEX): message("floats and complex numbers"),
    NUMBERS: message("numbers"),
    (*FLOATS, "int64"): message("floats and int64"),
    (*FLOATS, *COMPLEX, "bool"): message("floats, complex numbers and bool"),
    (*FLOATS, *WHOLE): message("real numbers"),
    (*WIDE, *WHOLE): message("float32, float64 and whole numbers"),
    REAL: message("real numbers and truth values"),
}
"""What several dtypes are called together."""


def check_dtype(layer: Layer, x: Tensor, accepted: Collection[str], port: str = "x") -> None:
    """Refuse a dtype that PyTorch has no kernel for; of a partial tensor nothing is certain."""
    if not x.partial and x.dtype not in accepted:
        group = GROUPS.get(tuple(accepted))
        wanted = ", ".join(accepted) if group is None else group
        raise layer.refuse(
            "{layer} takes {expected}, got {got}.", port=port, expected=wanted, got=x.dtype
        )


def check_float32(layer: Layer, x: Tensor, port: str = "x") -> None:
    """Refuse what cannot be multiplied with weights, which are float32."""
    check_dtype(layer, x, ("float32",), port)


def floating(dtype: str) -> str:
    """The dtype in which PyTorch computes a function of real numbers for this one."""
    return dtype if dtype in FLOATS or dtype in COMPLEX else "float32"


def known_zero(size: Size) -> bool:
    """Whether a size is known to be zero."""
    return value(size) == 0


def divides(divisor: Size, size: Size) -> bool:
    """Whether `divisor` divides `size`, as far as that is known."""
    return known_zero(size) or not value(size % divisor)


def scaled(size: Size, factor: float) -> Size:
    """⌊size · factor⌋ as PyTorch computes it in floats.

    Of a size without a value it is exact where the factor is a fraction of small binary numbers,
    such as 0.5 or 1.25, else UNKNOWN.
    """
    top, bottom = float(factor).as_integer_ratio()
    if bottom <= BINARY:
        return size * top // bottom
    number = value(size)
    return UNKNOWN if number is None else math.floor(number * factor)


def per_axis(layer: Layer, option: str, axes: int, *, exactly: bool = False) -> tuple[Size, ...]:
    """The values of an option for each of `axes` axes; a single one holds for all.

    Raises LayerError for a list of another length; of one value only unless `exactly`.
    """
    given: Size | tuple[Size, ...] = getattr(layer, option)
    if not isinstance(given, tuple):
        return (given,) * axes
    if len(given) == 1 and not exactly:
        return given * axes
    if len(given) != axes:
        raise layer.refuse(
            "{layer} takes {expected} values of {option}, got {got}.",
            option=option,
            expected=axes,
            got=len(given),
        )
    return given


class Window(NamedTuple):
    """A window that slides along one axis; `padding` is that of each side."""

    kernel: Size
    stride: Size
    padding: Size
    dilation: Size

    @property
    def reach(self) -> Size:
        """The extent of the window, gaps between its taps included."""
        return self.dilation * (self.kernel - 1) + 1

    def fits(self, size: Size) -> bool:
        """Whether the window has a place on the padded axis, as far as that is known."""
        room = value(self.room(size))
        return room is None or room >= 0

    def room(self, size: Size) -> Size:
        """How far the window can move on the padded axis."""
        return size + 2 * self.padding - self.reach

    def places(self, size: Size) -> Size:
        """How many places the window takes on an axis of this size."""
        return self.room(size) // self.stride + 1

    def places_up(self, size: Size) -> Size:
        """The same where the last one may hang over; it starts on the axis or its left padding."""
        most = (size + self.padding - 1) // self.stride
        return minimum(ceil_div(self.room(size), self.stride), most) + 1


def image(axes: Iterable[str]) -> str:
    """How the input of a layer is written that may have a batch: `[N, C, H, W] or [C, H, W]`.

    That of a volume is left out, so that the sentence stays short.
    """
    names = tuple(axes)
    plain = ", ".join(names)
    return f"[N, {plain}] or [{plain}]" if len(names) <= 3 else f"[N, {plain}]"


def like(x: Tensor, axes: Iterable[str]) -> str:
    """The same for the rank that `x` has: `[C, H, W]` when it has no batch."""
    names = tuple(axes)
    return f"[{', '.join(names)}]" if x.rank == len(names) else f"[N, {', '.join(names)}]"


SPATIAL = {1: "L", 2: "HW", 3: "DHW"}
"""What PyTorch calls the axes along which a window moves."""


def spread(sizes: tuple[Size, ...]) -> str:
    """Sizes of a window as on a node: `3×3`."""
    return "×".join(str(size) for size in sizes)


def filled(x: Tensor, *pinned: Size) -> Tensor:
    """`x`, with its last axes as `pinned` where they are not known."""
    pairs = zip(x.last(len(pinned)), pinned, strict=True)
    return x.with_last(*(option if is_unknown(got) else got for got, option in pairs))


def batch(x: Tensor, axes: int) -> Size:
    """The product of all axes before the last `axes`; UNKNOWN where some may be missing."""
    return x.lead(axes).count if not x.partial else x.count
