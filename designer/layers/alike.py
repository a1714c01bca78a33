"""Layers that give a tensor the shape of another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.code import Call, Code, Method, Ref, Support
from designer.core.layer import Layer, Remark, Result, layer, note
from designer.core.message import message
from designer.core.size import value

if TYPE_CHECKING:
    from designer.core.layer import Inputs
    from designer.core.tensor import Tensor

PLANE = 2
"""The axes of an image that are padded: height and width."""

PAD_LIKE = Support(
    "pad_like",
    '''
def pad_like(x: Tensor, like: Tensor) -> Tensor:
    """Put zeros around the images x until they are as high and wide as `like`."""
    rows, columns = like.shape[-2] - x.shape[-2], like.shape[-1] - x.shape[-1]
    left, top = columns // 2, rows // 2
    return torch.nn.functional.pad(x, [left, columns - left, top, rows - top])
''',
)


@layer(
    "PadLike",
    family="shape",
    aliases=("pad to match", "align sizes", "center crop", "skip connection", "填充对齐", "填充"),
    title="Pad to the size of another",
    stem="pad",
)
class PadLike(Layer):
    """Zeros around an image, [..., h, w] → [..., H, W] of another one; a larger one is cut."""

    def infer(self, x: Tensor, like: Tensor) -> Result:
        """[..., h, w] and [..., H, W] to [..., H, W]."""
        for port, tensor in (("x", x), ("like", like)):
            if tensor.rank is not None and tensor.rank < PLANE:
                raise self.refuse("{layer} expects [..., H, W], got {got}.", port=port, got=tensor)
        self._remark_cut(x, like)
        y = x.with_last(*like.last(PLANE))
        return Result((y,), code=Code(Call(PAD_LIKE, (Ref("x"), Ref("like")))))

    def _remark_cut(self, x: Tensor, like: Tensor) -> None:
        """Padding is what is meant; a larger image comes from the wrong wire, mostly."""
        for got, expected in zip(x.last(PLANE), like.last(PLANE), strict=True):
            excess = value(got - expected)
            if excess is not None and excess > 0:
                template = "{layer} cuts {got} down to {expected}."
                text = message(template, layer=self.kind, got=got, expected=expected)
                note(Remark("warning", text, "x", expected=expected, got=got))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """Height and width of the output."""
        y = result.outputs[0]
        return "×".join(str(size) for size in y.last(PLANE)) if y.shape else ""


@layer(
    "ReshapeLike",
    family="shape",
    aliases=("reshape_as", "view_as", "same shape", "仿照形状", "重塑"),
    title="Reshape like another",
    stem="reshape",
)
class ReshapeLike(Layer):
    """The same elements in the same order, in the shape of another tensor."""

    def infer(self, x: Tensor, like: Tensor) -> Result:
        """[...] and another shape of as many elements to that shape."""
        template = "{layer} needs {expected} elements, got {got}."
        refusal = self.refuse(template, port="x", expected=like.count, got=x.count)
        self.same(like.count, x.count, refusal)
        code = Code(Method(Ref("x"), "reshape_as", (Ref("like"),)))
        return Result((like.with_dtype(x.dtype),), code=code)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The shape."""
        return ", ".join(str(size) for size in result.outputs[0].shape)
