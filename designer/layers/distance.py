"""How far two vectors are apart, or how alike they are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from designer.core.layer import Layer, Result, layer
from designer.core.option import option
from designer.core.tensor import Tensor
from designer.core.work import READING
from designer.layers.axes import FIRST_AXIS, LAST_AXIS, broadcast, joint_dtype, located, padded
from designer.layers.rules import FLOATS, NUMBERS, check_dtype, floating

if TYPE_CHECKING:
    from designer.core.layer import Inputs

REAL_PART = {"complex64": "float32", "complex128": "float64"}


@layer(
    "CosineSimilarity",
    family="merge",
    aliases=("cosine distance", "siamese", "余弦相似度"),
    stem="cosine",
)
class CosineSimilarity(Layer):
    """The cosine of the angle between vectors: y = a · b / (‖a‖ ‖b‖)."""

    work = READING

    dim: int = option(1, "The axis along which the vectors lie.", min=FIRST_AXIS, max=LAST_AXIS)
    eps: float = option(1e-8, "Smallest length that is divided by.", min=0)

    def infer(self, x1: Tensor, x2: Tensor) -> Result:
        """Two tensors that broadcast to [..., n, ...] to [..., ...]."""
        whole = broadcast(self, x1, x2, "x2")
        dtype = self._dtype(x1, x2)
        return Result((self._reduced(whole).with_dtype(dtype),), code=self.module(_nn(self)))

    def _dtype(self, x1: Tensor, x2: Tensor) -> str:
        """The joint dtype, which must be one of floats."""
        joint = joint_dtype(x1, x2)
        if not (x1.partial or x2.partial):
            check_dtype(self, Tensor((), joint), FLOATS, "x2")
        return joint

    def _reduced(self, x: Tensor) -> Tensor:
        places = located(self, x, self.dim, scalar=True)
        if places is None:
            return replace(x, shape=(), partial=True)
        shape = padded(x, self.dim).shape
        return replace(x, shape=(*shape[: places[0]], *shape[places[0] + 1 :]))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The axis."""
        return f"dim {self.dim}".replace("-", "−")


def _nn(layer: Layer) -> str:
    return f"nn.{layer.kind}"


@layer(
    "PairwiseDistance",
    family="merge",
    aliases=("euclidean distance", "lp distance", "siamese", "成对距离", "欧氏距离"),
    stem="distance",
)
class PairwiseDistance(Layer):
    """The p-norm of the difference along the last axis: y = ‖a − b + ε‖ₚ."""

    work = READING

    p: float = option(2.0, "The p of the norm: 2 is the Euclidean distance.")
    eps: float = option(1e-6, "Added to the difference.")
    keepdim: bool = option(False, "Keep the last axis, with size 1.")

    def infer(self, x1: Tensor, x2: Tensor) -> Result:
        """Two tensors that broadcast to [..., n] to [...]."""
        for port, x in (("x1", x1), ("x2", x2)):
            check_dtype(self, x, NUMBERS, port)
        whole = broadcast(self, x1, x2, "x2")
        joint = joint_dtype(x1, x2)
        dtype = REAL_PART.get(joint, floating(joint))
        y = replace(whole.lead(1), dtype=dtype)
        if self.keepdim and whole.shape:
            y = replace(y, shape=(*y.shape, 1))
        return Result((y,), code=self.module(_nn(self)))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The norm: `L2`."""
        return f"L{self.p:g}"
