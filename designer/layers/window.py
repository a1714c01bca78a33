"""Attention within windows of an image: what Swin computes besides products of matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.code import Call, Code, Module, Ref, Support
from designer.core.layer import Layer, Result, layer
from designer.core.option import option
from designer.core.param import buffer
from designer.core.size import Size, value
from designer.core.tensor import Tensor
from designer.layers.rules import divides

if TYPE_CHECKING:
    from designer.core.layer import Inputs

IMAGES = "[B, H, W, C]"
WINDOW = "Positions along a side of a window."
SHIFT = "How far windows are moved, along sides that are longer than one."

INDEX = Support(
    "window_index",
    '''
def window_index(window: int) -> Tensor:
    """Number the offsets between the positions of a square window: [window ** 4]."""
    steps = torch.arange(window)
    rows, columns = steps.repeat_interleave(window), steps.repeat(window)
    down = rows[:, None] - rows + window - 1
    across = columns[:, None] - columns + window - 1
    return (down * (2 * window - 1) + across).flatten()
''',
)

ROLL = Support(
    "roll_windows",
    '''
def roll_windows(x: Tensor, window: int, shift: int, *, back: bool = False) -> Tensor:
    """Roll the images [B, H, W, C] along the sides that are longer than a window."""
    step = shift if back else -shift
    shifts = [step if size > window else 0 for size in x.shape[1:3]]
    return torch.roll(x, shifts, dims=(1, 2))
''',
)

MASK = Support(
    "window_mask",
    '''
def window_mask(x: Tensor, window: int, shift: int) -> Tensor:
    """Which positions in a window of rolled [B, H, W, C] were no neighbours before."""
    height, width = x.shape[1:3]
    rows = torch.arange(height, device=x.device)
    columns = torch.arange(width, device=x.device)
    down = (rows >= height - window).int() + (rows >= height - shift).int()
    across = (columns >= width - window).int() + (columns >= width - shift).int()
    parts = 3 * down[:, None] * (height > window) + across * (width > window)
    tiles = parts.unflatten(1, (-1, window)).unflatten(0, (-1, window))
    tiles = tiles.transpose(1, 2).flatten(2)
    return (tiles[..., None, :] != tiles[..., None])[:, :, None]
''',
)


def check_images(rule: Layer, x: Tensor, window: Size) -> None:
    """Refuse what is no batch of images that windows cover."""
    rule.ranked(x, (4,), IMAGES)
    for axis in (-3, -2):
        if not divides(window, x.axis(axis)):
            raise rule.refuse(
                "{layer} needs sides that are multiples of {expected}, got {got}.",
                port="x",
                option="window",
                expected=window,
                got=x.axis(axis),
            )


@layer(
    "WindowIndex",
    family="attn",
    aliases=("relative position index", "swin index", "相对位置索引", "窗口索引"),
    title="Index of offsets in a window",
    stem="index",
)
class WindowIndex(Layer):
    """Numbers of the offsets in a window, as in Swin: (Δh + w − 1) · (2w − 1) + Δw + w − 1."""

    window: Size = option(7, WINDOW, min=1)

    def infer(self) -> Result:
        """Whole numbers [window⁴] below (2·window − 1)²."""
        count = self.window * self.window * self.window * self.window
        made = Call("nn.Buffer", (Call(INDEX, (self.window,)),))
        kept = buffer("", "int64", pairs=count)
        return Result((Tensor((count,), "int64"),), (kept,), code=Code(Module(), made))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The window."""
        return f"{self.window}×{self.window}"


@layer(
    "RollWindows",
    family="attn",
    aliases=("shifted windows", "cyclic shift", "swin shift", "移动窗口", "循环移位"),
    title="Roll windows",
    stem="roll",
)
class RollWindows(Layer):
    """Images rolled along sides longer than a window, as in Swin: y[i] = x[(i + shift) mod H]."""

    window: Size = option(7, WINDOW, min=1)
    shift: int = option(3, SHIFT, min=0)
    back: bool = option(False, "Roll back to where the image was.")

    def infer(self, x: Tensor) -> Result:
        """[B, H, W, C] to the same shape."""
        self.ranked(x, (4,), IMAGES)
        back = (("back", True),) if self.back else ()
        return Result((x,), code=Code(Call(ROLL, (Ref("x"), self.window, self.shift), back)))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """How far."""
        return f"{'+' if self.back else '−'}{self.shift}"


@layer(
    "WindowMask",
    family="attn",
    aliases=("shifted window mask", "swin mask", "attention mask", "窗口掩码"),
    title="Mask of shifted windows",
    stem="mask",
)
class WindowMask(Layer):
    """Pairs in a rolled window that were no neighbours, to be hidden: part(i) ≠ part(j)."""

    window: Size = option(7, WINDOW, min=1)
    shift: int = option(3, SHIFT, min=0)

    def infer(self, x: Tensor) -> Result:
        """[B, H, W, C] to truth values [H / window, W / window, 1, window², window²]."""
        check_images(self, x, self.window)
        tall, wide = (x.axis(axis) // self.window for axis in (-3, -2))
        inside = self.window * self.window
        code = Code(Call(MASK, (Ref("x"), self.window, self.shift)))
        return Result((Tensor((tall, wide, 1, inside, inside), "bool"),), code=code)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The window and the shift."""
        side = value(self.window) or self.window
        return f"{side}×{side}, {self.shift}"
