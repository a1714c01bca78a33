"""A tensor as the drawing knows it: sizes of its axes, as far as they are known, and a dtype."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from designer.core.size import UNKNOWN, product

if TYPE_CHECKING:
    from designer.core.size import Size

DTYPE_BYTES = {
    "float64": 8,
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "int64": 8,
    "int32": 4,
    "int16": 2,
    "int8": 1,
    "uint8": 1,
    "bool": 1,
    "complex64": 8,
    "complex128": 16,
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """Shape and dtype of a value on a wire.

    With `partial`, `shape` holds the last axes only and any number of axes may stand before
    them: `Tensor((128,), partial=True)` is `[…, 128]`, and `Tensor((), partial=True)` is a value
    of which nothing is known.
    """

    shape: tuple[Size, ...]
    dtype: str = "float32"
    partial: bool = False

    @property
    def rank(self) -> int | None:
        """Number of axes; None when leading axes may be missing."""
        return None if self.partial else len(self.shape)

    @property
    def count(self) -> Size:
        """Number of elements."""
        return UNKNOWN if self.partial else product(self.shape)

    def axis(self, index: int) -> Size:
        """Size of an axis counted as Python does; UNKNOWN where it is not known.

        Raises IndexError when the rank is known and has no such axis.
        """
        if not self.partial:
            return self.shape[index]
        if index < 0 and -index <= len(self.shape):
            return self.shape[index]
        return UNKNOWN

    def last(self, count: int) -> tuple[Size, ...]:
        """The last `count` axes, UNKNOWN where they are not known (the rank must allow it)."""
        return tuple(self.axis(index) for index in range(-count, 0))

    def lead(self, count: int) -> Tensor:
        """The same tensor without its last `count` axes."""
        kept = self.shape[: max(0, len(self.shape) - count)]
        return Tensor(kept, self.dtype, self.partial)

    def with_last(self, *sizes: Size) -> Tensor:
        """The same tensor with its last axes replaced by `sizes`, one for one."""
        lead = self.shape[: max(0, len(self.shape) - len(sizes))]
        return Tensor((*lead, *sizes), self.dtype, self.partial)

    def with_shape(self, shape: tuple[Size, ...]) -> Tensor:
        """A tensor of the same dtype whose shape is `shape`, all axes known."""
        return Tensor(shape, self.dtype)

    def with_dtype(self, dtype: str) -> Tensor:
        """The same shape with another dtype."""
        return Tensor(self.shape, dtype, self.partial)

    def __str__(self) -> str:
        """`[B, 3, 32, 32]`, or `[…, 128]` where leading axes are unknown."""
        axes = [str(size) for size in self.shape]
        return f"[{', '.join(['…', *axes] if self.partial else axes)}]"


ANYTHING = Tensor((), partial=True)
