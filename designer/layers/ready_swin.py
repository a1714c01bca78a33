"""Ready-made blocks of Swin transformers, named as in torchvision; images have channels last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from designer.core.code import Call, Code, Module, Ref, Support
from designer.core.composite import Composite, Net, Value
from designer.core.layer import Layer, Result, layer, same_value
from designer.core.option import option
from designer.core.param import buffer
from designer.core.size import Size, ceil_div, value
from designer.core.tensor import Tensor
from designer.layers.act import GELU
from designer.layers.attn import ScaledDotProductAttention
from designer.layers.linear import Linear
from designer.layers.merge import Add
from designer.layers.norm import LayerNorm
from designer.layers.ready_attention import (
    DROPOUT,
    HEADS,
    WIDTH,
    check_heads,
    joined_heads,
    split_heads,
)
from designer.layers.reg import Dropout
from designer.layers.rules import FLOATS, check_dtype
from designer.layers.shape import Split
from designer.layers.source import Parameter

if TYPE_CHECKING:
    from designer.core.layer import Inputs

WINDOW = "Width and height of a window."
SHIFT = "How far windows are moved down and right; less than window."
IMAGES = "[N, H, W, C]"

PARTITION = Support(
    "window_partition",
    '''
def window_partition(x: Tensor, window: int, shift: int = 0) -> Tensor:
    """Cut images [N, H, W, C] into [windows, window², C]; zeros fill the last ones."""
    below, right = -x.shape[1] % window, -x.shape[2] % window
    x = torch.nn.functional.pad(x, [0, 0, 0, right, 0, below])
    up, left = (-shift if size > window else 0 for size in x.shape[1:3])
    x = x.roll((up, left), (1, 2))
    x = x.unflatten(2, (-1, window)).unflatten(1, (-1, window))
    return x.transpose(2, 3).flatten(3, 4).flatten(0, 2)
''',
)
REVERSE = Support(
    "window_reverse",
    '''
def window_reverse(x: Tensor, like: Tensor, window: int, shift: int = 0) -> Tensor:
    """Put windows [windows, window², C] together as images of the size of `like`."""
    height, width = like.shape[1], like.shape[2]
    rows, columns = -(-height // window), -(-width // window)
    x = x.unflatten(1, (window, window)).unflatten(0, (-1, rows, columns))
    x = x.transpose(2, 3).flatten(3, 4).flatten(1, 2)
    x = x.roll((shift if rows > 1 else 0, shift if columns > 1 else 0), (1, 2))
    return x[:, :height, :width]
''',
)
INDEX = Support(
    "window_index",
    '''
def window_index(window: int) -> Tensor:
    """Number the offsets between the positions of a square window: [window ** 4]."""
    place = torch.arange(window)
    apart = place.unsqueeze(1) - place + window - 1
    index = apart[:, None, :, None] * (2 * window - 1) + apart[None, :, None, :]
    return index.flatten()
''',
)
BIAS = Support(
    "window_bias",
    '''
def window_bias(
    table: Tensor, index: Tensor, like: Tensor, window: int, shift: int = 0
) -> Tensor:
    """What is added to scores: by offset, and -100 where a moved window has a seam."""
    bias = table[index].unflatten(0, (window**2, -1)).permute(2, 0, 1).unsqueeze(0)
    if shift == 0:
        return bias
    sides = []
    for size in like.shape[1:3]:
        length = -(-size // window) * window
        at = torch.arange(length, device=table.device)
        parts = (at >= length - window).int() + (at >= length - shift).int()
        parts = parts if length > window else torch.zeros_like(parts)
        sides.append(parts.unflatten(0, (-1, window)))
    parts = 3 * sides[0][:, None, :, None] + sides[1][None, :, None, :]
    parts = parts.flatten(2).flatten(0, 1)
    seam = parts.unsqueeze(1) != parts.unsqueeze(2)
    mask = torch.zeros_like(seam, dtype=table.dtype).masked_fill(seam, -100.0)
    return (bias + mask.unsqueeze(1)).repeat(like.shape[0], 1, 1, 1)
''',
)
MERGE = Support(
    "merge_patches",
    '''
def merge_patches(x: Tensor) -> Tensor:
    """Each 2×2 pixels of [N, H, W, C] as one of 4 C channels; zeros fill odd sides."""
    x = torch.nn.functional.pad(x, [0, 0, 0, x.shape[2] % 2, 0, x.shape[1] % 2])
    corners = [x[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
    return torch.cat(corners, dim=-1)
''',
)


@dataclass(frozen=True, eq=False)
class Windowed(Layer):
    """What layers share that cut images into windows."""

    window: Size = option(7, WINDOW, min=1)
    shift: Size = option(0, SHIFT, min=0)

    def check_shift(self) -> None:
        """Refuse windows that are moved by a window or more."""
        room = value(self.window - self.shift)
        if room is not None and room < 1:
            template = "{layer} needs shift below {expected}, got {got}."
            raise self.refuse(template, option="shift", expected=self.window, got=self.shift)

    def windows(self, x: Tensor) -> Size:
        """How many windows there are of all images."""
        down, across = ceil_div(x.axis(-3), self.window), ceil_div(x.axis(-2), self.window)
        return x.axis(-4) * down * across

    def calling(self, function: Support) -> Code:
        """A call of the function with the inputs, the window, and the shift where there is one."""
        refs = tuple(Ref(port.name) for port in self.inputs())
        shift = () if same_value(self.shift, 0) else (self.shift,)
        return Code(Call(function, (*refs, self.window, *shift)))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The window: `7×7`."""
        return f"{self.window}×{self.window}"


@layer(
    "WindowPartition",
    family="shape",
    aliases=("swin windows", "shifted windows", "tiles", "窗口划分", "移动窗口"),
    title="Cut into windows",
    stem="windows",
)
class WindowPartition(Windowed):
    """Images cut into windows: [N, H, W, C] → [N · ⌈H/w⌉ · ⌈W/w⌉, w², C]."""

    def infer(self, x: Tensor) -> Result:
        """[N, H, W, C] to [windows, window², C]."""
        self.ranked(x, (4,), IMAGES)
        self.check_shift()
        y = Tensor((self.windows(x), self.window**2, x.axis(-1)), x.dtype)
        return Result((y,), code=self.calling(PARTITION))


@layer(
    "WindowReverse",
    family="shape",
    aliases=("swin windows", "merge windows", "窗口还原", "移动窗口"),
    title="Put windows together",
    stem="image",
)
class WindowReverse(Windowed):
    """Windows as images again: [N · ⌈H/w⌉ · ⌈W/w⌉, w², C] → [N, H, W, C]."""

    def infer(self, x: Tensor, like: Tensor) -> Result:
        """[windows, window², C] and the images that were cut to [N, H, W, C]."""
        self.ranked(x, (3,), "[windows, w², C]")
        self.ranked(like, (4,), IMAGES, "like")
        self.check_shift()
        pairs = ((self.windows(like), x.axis(-3)), (self.window**2, x.axis(-2)))
        for expected, got in pairs:
            template = "{layer} needs {expected} at port x, got {got}."
            refusal = self.refuse(template, port="x", expected=expected, got=got)
            self.same(expected, got, refusal)
        y = Tensor((*(like.axis(at) for at in (-4, -3, -2)), x.axis(-1)), x.dtype)
        return Result((y,), code=self.calling(REVERSE))


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
        count = self.window**4
        made = Call("nn.Buffer", (Call(INDEX, (self.window,)),))
        kept = buffer("", "int64", pairs=count)
        return Result((Tensor((count,), "int64"),), (kept,), code=Code(Module(), made))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The window: `7×7`."""
        return f"{self.window}×{self.window}"


@layer(
    "WindowBias",
    family="attn",
    aliases=("relative position bias", "shifted window mask", "swin mask", "相对位置偏置"),
    title="Relative position bias of windows",
    stem="bias",
)
class WindowBias(Windowed):
    """What is added to scores in windows: bᵢⱼ of the distance, −100 where a window has a seam."""

    def infer(self, table: Tensor, index: Tensor, like: Tensor) -> Result:
        """[(2 w − 1)², heads], [w⁴] and [N, H, W, C] to [windows or 1, heads, w², w²]."""
        self.ranked(table, (2,), "[(2 w - 1)², heads]", "table")
        self.ranked(index, (1,), "[w⁴]", "index")
        self.ranked(like, (4,), IMAGES, "like")
        check_dtype(self, table, FLOATS, "table")
        check_dtype(self, index, ("int64",), "index")
        self.check_shift()
        self._check_rows("table", (2 * self.window - 1) ** 2, table.axis(-2))
        self._check_rows("index", self.window**4, index.axis(-1))
        count = 1 if value(self.shift) == 0 else self.windows(like)
        inner = self.window**2
        y = Tensor((count, table.axis(-1), inner, inner), table.dtype)
        return Result((y,), code=self.calling(BIAS))

    def _check_rows(self, port: str, expected: Size, got: Size) -> None:
        template = "{layer} needs {expected} rows at port {port}, got {got}."
        self.same(expected, got, self.refuse(template, port=port, expected=expected, got=got))


@layer(
    "MergePatches",
    family="shape",
    aliases=("space to depth", "patch merging", "focus", "像素合并", "块合并"),
    title="Merge 2×2 pixels",
    stem="merge",
)
class MergePatches(Layer):
    """Each 2×2 pixels as one with all their channels: [N, H, W, C] → [N, ⌈H/2⌉, ⌈W/2⌉, 4·C]."""

    def infer(self, x: Tensor) -> Result:
        """[N, H, W, C] to [N, ⌈H/2⌉, ⌈W/2⌉, 4·C]."""
        self.ranked(x, (4,), IMAGES)
        half = (ceil_div(x.axis(at), 2) for at in (-3, -2))
        y = Tensor((x.axis(-4), *half, 4 * x.axis(-1)), x.dtype)
        return Result((y,), code=Code(Call(MERGE, (Ref("x"),))))


@layer(
    "WindowAttention",
    family="block",
    aliases=("swin attention", "shifted window attention", "local attention", "窗口注意力"),
    title="Window attention",
    stem="attn",
)
class WindowAttention(Composite):
    """Attention of the pixels of a window, as in Swin: y = softmax(q kᵀ / √d + b) v Wₒᵀ."""

    d_model: Size | None = option(None, WIDTH, min=1)
    n_heads: Size = option(3, HEADS, min=1)
    window: Size = option(7, WINDOW, min=1)
    shift: Size = option(0, SHIFT, min=0)

    divisors: ClassVar[Mapping[str, tuple[str, ...]]] = {"d_model": ("n_heads",)}

    def body(self, net: Net, x: Value) -> Value:
        """[N, H, W, d_model] to the same shape."""
        width = net.size("d_model", x, -1, "[N, H, W, {}]")
        self.ranked(x.tensor, (4,), IMAGES)
        check_heads(self, width, self.n_heads)
        moved = {"window": self.window, "shift": self.shift}
        h = net.call(WindowPartition(**moved), x, called="windows")
        h = net.use("qkv", Linear(out_features=3 * width), h)
        names = ("query", "key", "value")
        thirds = zip("qkv", net.parts(Split(chunks=3, dim=-1), h, names), strict=True)
        q, k, v = (split_heads(net, part, self.n_heads, called) for called, part in thirds)
        shape = ((2 * self.window - 1) ** 2, self.n_heads)
        table = net.use("relative_position_bias_table", Parameter(shape=shape))
        index = net.use("relative_position_index", WindowIndex(window=self.window))
        bias = net.call(WindowBias(**moved), table, index, x, called="bias")
        h = joined_heads(net, net.call(ScaledDotProductAttention(), q, k, v, bias))
        h = net.use("proj", Linear(in_features=width, out_features=width), h)
        return net.call(WindowReverse(**moved), h, x)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The window and the number of heads."""
        return f"{self.window}×{self.window}, {self.n_heads} heads"


@layer(
    "SwinBlock",
    family="block",
    aliases=("swin transformer", "swin-t", "shifted windows", "移动窗口", "窗口变换器块"),
    title="Swin block",
    stem="block",
)
class SwinBlock(Composite):
    """Attention in windows and MLP, as in Swin: h = x + A(LN(x)), y = h + MLP(LN(h))."""

    d_model: Size | None = option(None, WIDTH, min=1)
    n_heads: Size = option(3, HEADS, min=1)
    window: Size = option(7, WINDOW, min=1)
    shift: Size = option(0, SHIFT, min=0)
    d_hidden: Size | None = option(None, "Size within the MLP; 4·d_model when empty.", min=1)
    dropout: float = option(0.0, DROPOUT, min=0, max=1)

    divisors: ClassVar[Mapping[str, tuple[str, ...]]] = {"d_model": ("n_heads",)}

    def body(self, net: Net, x: Value) -> Value:
        """[N, H, W, d_model] to the same shape."""
        width = net.size("d_model", x, -1, "[N, H, W, {}]")
        self.ranked(x.tensor, (4,), IMAGES)
        check_heads(self, width, self.n_heads)
        hidden = net.usual("d_hidden", 4 * width)
        attention = WindowAttention(n_heads=self.n_heads, window=self.window, shift=self.shift)
        h = net.use("attn", attention, net.use("norm1", LayerNorm(), x))
        x = net.call(Add(), x, h, called="mixed")
        drop = Dropout(p=self.dropout)
        first = Linear(in_features=width, out_features=hidden)
        mlp = (first, GELU(), drop, Linear(in_features=hidden, out_features=width), drop)
        return net.call(Add(), x, net.chain("mlp", mlp, net.use("norm2", LayerNorm(), x)))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The window and the number of heads."""
        return f"{self.window}×{self.window}, {self.n_heads} heads"


@layer(
    "PatchMerging",
    family="block",
    aliases=("swin downsampling", "space to depth", "块合并", "下采样"),
    title="Patch merging (Swin)",
    stem="merge",
)
class PatchMerging(Composite):
    """Half the image with twice the channels, as in Swin: y = LN(merged 2×2 pixels) Wᵀ."""

    d_model: Size | None = option(None, WIDTH, min=1)

    def body(self, net: Net, x: Value) -> Value:
        """[N, H, W, d_model] to [N, ⌈H/2⌉, ⌈W/2⌉, 2·d_model]."""
        width = net.size("d_model", x, -1, "[N, H, W, {}]")
        self.ranked(x.tensor, (4,), IMAGES)
        h = net.use("norm", LayerNorm(), net.call(MergePatches(), x, called="merged"))
        last = Linear(in_features=4 * width, out_features=2 * width, bias=False)
        return net.use("reduction", last, h)
