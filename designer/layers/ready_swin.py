"""Ready-made blocks of Swin: attention within windows of an image, named as in torchvision."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from designer.core.composite import Composite, Net, Value
from designer.core.layer import layer
from designer.core.option import option
from designer.core.size import Size, value
from designer.layers.act import GELU
from designer.layers.alike import ReshapeLike
from designer.layers.arith import MaskedFill
from designer.layers.attn import ScaledDotProductAttention
from designer.layers.index import Index
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
from designer.layers.shape import Flatten, Permute, Split, Unflatten
from designer.layers.source import Parameter
from designer.layers.window import SHIFT, WINDOW, RollWindows, WindowIndex, WindowMask, check_images

if TYPE_CHECKING:
    from collections.abc import Mapping

    from designer.core.layer import Inputs, Result

ACROSS = (0, 1, 3, 2, 4, 5)
"""Swaps the rows within a window and the windows side by side; twice is nothing."""


class Windowed(Composite):
    """What attention and block share: windows over images, and how far they are shifted."""

    n_heads: Size
    window: Size
    shift: int

    def checked(self, net: Net, x: Value) -> Size:
        """The width of images whose sides windows cover, and which the heads divide."""
        check_images(self, x.tensor, self.window)
        side = value(self.window)
        if side is not None and self.shift >= side:
            template = "{layer} needs a shift below {expected}, got {got}."
            raise self.refuse(template, option="shift", expected=side, got=self.shift)
        width = net.size("d_model", x, -1, "[..., {}]")
        check_heads(self, width, self.n_heads)
        return width

    def varied(self, formal: tuple[str, ...]) -> str:
        """Options that change the body, and whether the windows are shifted."""
        return super().varied(formal) + ("Shifted" if self.shift else "")

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The heads and the window."""
        return f"{self.n_heads} heads, {self.window}×{self.window}"


@layer(
    "WindowAttention",
    family="block",
    aliases=("swin attention", "shifted window attention", "relative bias", "窗口注意力"),
    title="Window attention (Swin)",
    stem="attn",
)
class WindowAttention(Windowed):
    """Attention within windows, shifted or not: y = softmax(q kᵀ / √d + b) v Wₒᵀ."""

    d_model: Size | None = option(None, WIDTH, min=1)
    n_heads: Size = option(3, HEADS, min=1)
    window: Size = option(7, WINDOW, min=1)
    shift: int = option(0, SHIFT, min=0)
    dropout: float = option(0.0, DROPOUT, min=0, max=1)

    divisors: ClassVar[Mapping[str, tuple[str, ...]]] = {"d_model": ("n_heads",)}

    def body(self, net: Net, x: Value) -> Value:
        """[B, H, W, d_model], sides multiples of the window, to the same shape."""
        width = self.checked(net, x)
        bias = self._bias(net, x)
        h = x
        if self.shift:
            h = net.call(RollWindows(window=self.window, shift=self.shift), x, called="rolled")
        h = self._cut(net, h)
        h = net.use("qkv", Linear(in_features=width, out_features=3 * width), h)
        names = ("query", "key", "value")
        thirds = zip("qkv", net.parts(Split(chunks=3, dim=-1), h, names), strict=True)
        q, k, v = (split_heads(net, part, self.n_heads, called) for called, part in thirds)
        attention = ScaledDotProductAttention(dropout_p=self.dropout)
        h = joined_heads(net, net.call(attention, q, k, v, bias))
        h = net.use("proj", Linear(in_features=width, out_features=width), h)
        return self._joined(net, h, x)

    def _bias(self, net: Net, x: Value) -> Value:
        """What is added to the scores: a learned number by head for each offset."""
        side, inside = 2 * self.window - 1, self.window * self.window
        table = Parameter(shape=(side * side, self.n_heads))
        table_value = net.use("relative_position_bias_table", table)
        index = net.use("relative_position_index", WindowIndex(window=self.window))
        h = net.call(Index(dims=(0,)), table_value, index)
        h = net.call(Unflatten(dim=0, unflattened_size=(inside, inside)), h)
        bias = net.call(Permute(dims=(2, 0, 1)), h, called="bias")
        if not self.shift:
            return bias
        strangers = net.call(WindowMask(window=self.window, shift=self.shift), x, called="mask")
        return net.call(MaskedFill(), bias, strangers, called="bias")

    def _cut(self, net: Net, x: Value) -> Value:
        """[B, H, W, C] to [B, H / w, W / w, w², C]."""
        h = net.call(Unflatten(dim=2, unflattened_size=(-1, self.window)), x)
        h = net.call(Unflatten(dim=1, unflattened_size=(-1, self.window)), h)
        h = net.call(Permute(dims=ACROSS), h)
        return net.call(Flatten(start_dim=3, end_dim=4), h)

    def _joined(self, net: Net, x: Value, like: Value) -> Value:
        """[B, H / w, W / w, w², C] back to images."""
        h = net.call(Unflatten(dim=3, unflattened_size=(self.window, self.window)), x)
        h = net.call(ReshapeLike(), net.call(Permute(dims=ACROSS), h), like)
        if not self.shift:
            return h
        return net.call(RollWindows(window=self.window, shift=self.shift, back=True), h)


@layer(
    "SwinBlock",
    family="block",
    aliases=("swin transformer", "shifted window block", "hierarchical vit", "窗口变换器块"),
    title="Swin block",
    stem="block",
)
class SwinBlock(Windowed):
    """Attention within windows and an MLP, as in Swin: y = x + f(norm(x))."""

    d_model: Size | None = option(None, WIDTH, min=1)
    n_heads: Size = option(3, HEADS, min=1)
    window: Size = option(7, WINDOW, min=1)
    shift: int = option(0, SHIFT, min=0)
    d_hidden: Size | None = option(None, "Size within the MLP; 4·d_model when empty.", min=1)
    dropout: float = option(0.0, DROPOUT, min=0, max=1)
    eps: float = option(1e-5, "Added to the variance, so that nothing is divided by 0.")

    divisors: ClassVar[Mapping[str, tuple[str, ...]]] = {"d_model": ("n_heads",)}

    def body(self, net: Net, x: Value) -> Value:
        """[B, H, W, d_model], sides multiples of the window, to the same shape."""
        width = self.checked(net, x)
        hidden = net.usual("d_hidden", 4 * width)
        attention = WindowAttention(
            n_heads=self.n_heads, window=self.window, shift=self.shift, dropout=self.dropout
        )
        h = net.use("attn", attention, net.use("norm1", LayerNorm(eps=self.eps), x))
        x = net.call(Add(), x, h, called="mixed")
        drop = Dropout(p=self.dropout)
        wide = Linear(in_features=width, out_features=hidden)
        mlp = (wide, GELU(), drop, Linear(in_features=hidden, out_features=width), drop)
        return net.call(
            Add(), x, net.chain("mlp", mlp, net.use("norm2", LayerNorm(eps=self.eps), x))
        )


@layer(
    "PatchMerging",
    family="block",
    aliases=("swin downsample", "space to depth", "merge patches", "图像块合并"),
    title="Patch merging (Swin)",
    stem="merge",
)
class PatchMerging(Composite):
    """Four neighbours side by side, normalised and mapped to twice the width, as in Swin."""

    d_model: Size | None = option(None, WIDTH, min=1)
    eps: float = option(1e-5, "Added to the variance, so that nothing is divided by 0.")

    def body(self, net: Net, x: Value) -> Value:
        """[B, H, W, d_model], sides even, to [B, H / 2, W / 2, 2·d_model]."""
        check_images(self, x.tensor, 2)
        width = net.size("d_model", x, -1, "[..., {}]")
        h = net.call(Unflatten(dim=2, unflattened_size=(-1, 2)), x)
        h = net.call(Unflatten(dim=1, unflattened_size=(-1, 2)), h)
        h = net.call(Permute(dims=(0, 1, 3, 4, 2, 5)), h)
        h = net.use("norm", LayerNorm(eps=self.eps), net.call(Flatten(start_dim=3), h))
        back = Linear(in_features=4 * width, out_features=2 * width, bias=False)
        return net.use("reduction", back, h)
