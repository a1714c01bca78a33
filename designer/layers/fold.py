"""Images cut into overlapping blocks, and put together from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.layer import Layer, Result, layer
from designer.core.option import option
from designer.core.size import Size, product
from designer.layers.rules import (
    COMPLEX,
    FLOATS,
    SPATIAL,
    Window,
    check_dtype,
    divides,
    image,
    known_zero,
    per_axis,
    spread,
)

if TYPE_CHECKING:
    from designer.core.layer import Inputs
    from designer.core.tensor import Tensor

KERNEL = "Height and width of a block."
DILATION = "Distance between elements of a block, per axis."
PADDING = "Zeros added on both sides of the image, per axis."
STRIDE = "Distance between blocks, per axis."
DTYPES = (*FLOATS, *COMPLEX, "bool")
AXES = 2


class Blocks(Layer):
    """What cutting and putting together share."""

    kernel_size: Size | tuple[Size, ...]

    def windows(self) -> tuple[Window, ...]:
        """The block along each axis."""
        names = ("kernel_size", "stride", "padding", "dilation")
        return tuple(map(Window, *(per_axis(self, name, AXES, exactly=True) for name in names)))

    def checked(self, x: Tensor, ranks: tuple[int, ...], pattern: str) -> None:
        """Refuse a wrong rank or dtype, and what is empty beside the batch."""
        self.ranked(x, ranks, pattern)
        check_dtype(self, x, DTYPES)
        if any(map(known_zero, x.last(ranks[0]))):
            raise self.refuse("{layer} finds nothing in {got}.", port="x", got=x)

    def places(self, name: str, size: Size, window: Window, port: str | None) -> Size:
        """How many blocks there are along an axis; raises LayerError where none fits."""
        if not window.fits(size):
            at = {"option": "output_size"} if port is None else {"port": port}
            raise self.refuse(
                "{layer} expects {axis} of at least {expected}, got {got}.",
                axis=name,
                expected=window.reach - 2 * window.padding,
                got=size,
                **at,
            )
        return window.places(size)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The block: `3×3`."""
        return spread(per_axis(self, "kernel_size", AXES))


@layer(
    "Unfold",
    family="shape",
    aliases=("im2col", "sliding blocks", "patches", "展开块", "滑动块"),
)
class Unfold(Blocks):
    """Each block of an image becomes a column: [C, H, W] → [C·kh·kw, blocks]."""

    kernel_size: Size | tuple[Size, ...] = option(3, KERNEL, min=1)
    dilation: Size | tuple[Size, ...] = option(1, DILATION, min=1)
    padding: Size | tuple[Size, ...] = option(0, PADDING, min=0)
    stride: Size | tuple[Size, ...] = option(1, STRIDE, min=1)

    def infer(self, x: Tensor) -> Result:
        """[N, C, H, W] to [N, C·kh·kw, blocks]; the batch axis may be absent."""
        self.checked(x, (AXES + 1, AXES + 2), image("C" + SPATIAL[AXES]))
        windows = self.windows()
        sizes = zip(SPATIAL[AXES], x.last(AXES), windows, strict=True)
        blocks = product(self.places(*place, "x") for place in sizes)
        rows = x.axis(-AXES - 1) * product(window.kernel for window in windows)
        filled = x.with_last(*x.last(AXES + 1))
        y = filled.lead(AXES + 1)
        y = type(x)((*y.shape, rows, blocks), x.dtype, x.partial)
        return Result((y,), code=self.module("nn.Unfold", "kernel_size"))


@layer(
    "Fold",
    family="shape",
    aliases=("col2im", "overlap add", "合并块", "折叠"),
)
class Fold(Blocks):
    """Columns put together as blocks of an image, overlaps added: [C·kh·kw, blocks] → [C, H, W]."""

    output_size: Size | tuple[Size, ...] = option(32, "Height and width of the image.", min=1)
    kernel_size: Size | tuple[Size, ...] = option(3, KERNEL, min=1)
    dilation: Size | tuple[Size, ...] = option(1, DILATION, min=1)
    padding: Size | tuple[Size, ...] = option(0, PADDING, min=0)
    stride: Size | tuple[Size, ...] = option(1, STRIDE, min=1)

    def infer(self, x: Tensor) -> Result:
        """[N, C·kh·kw, blocks] to [N, C, *output_size]; the batch axis may be absent."""
        self.checked(x, (AXES, AXES + 1), "[N, C·k, blocks] or [C·k, blocks]")
        sizes = per_axis(self, "output_size", AXES, exactly=True)
        windows = self.windows()
        rows, columns = x.last(AXES)
        area = product(window.kernel for window in windows)
        if not divides(area, rows):
            raise self.refuse(
                "{layer} expects rows divisible by {expected}, got {got}.",
                port="x",
                option="kernel_size",
                expected=area,
                got=rows,
            )
        self._check_blocks(sizes, windows, columns)
        y = type(x)((*x.lead(AXES).shape, rows // area, *sizes), x.dtype, x.partial)
        return Result((y,), code=self.module("nn.Fold", "output_size", "kernel_size"))

    def _check_blocks(
        self, sizes: tuple[Size, ...], windows: tuple[Window, ...], columns: Size
    ) -> None:
        named = zip(SPATIAL[AXES], sizes, windows, strict=True)
        blocks = product(self.places(*place, None) for place in named)
        self.same(
            blocks,
            columns,
            self.refuse(
                "{layer} needs {expected} blocks for output_size, got {got}.",
                port="x",
                option="output_size",
                expected=blocks,
                got=columns,
            ),
        )
