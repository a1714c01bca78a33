"""Element-wise operations of layers: counted apart, by one convention.

Matrix products, convolutions and attention are `Result.flops`. What else a layer computes is
counted by the elements that it goes through:

- arithmetic, comparisons, functions and activations: 1 for each element of the output,
- softmax: 5 for each (largest, difference, exponential, sum, quotient),
- norms: 5 for each (mean, difference, square, its mean, quotient), and 1 for each learned vector,
- a learned offset: 1 for each element of the output,
- reductions, pooling and losses: 1 for each element of the first input,
- scores of attention: 6 for each, softmax and scaling, and 1 for a mask,
- moving, picking, padding and casting elements, and dropout, as in evaluation: nothing.

What the convention does not reach, recurrent layers and PyTorch's own transformers, is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from designer.core.param import Param
    from designer.core.size import Size
    from designer.core.tensor import Tensor

SOFTMAX = 5
SCORE = SOFTMAX + 1


class Work(NamedTuple):
    """Operations for each element of the first output, of the first input, and of the first output
    for each learned part that is listed.
    """

    output: int = 0
    input: int = 0
    learned: tuple[str, ...] = ()

    def of(self, x: Tensor | None, y: Tensor | None, params: tuple[Param, ...]) -> Size:
        """The operations of a layer that makes `y` of `x` with these parameters."""
        learned = sum(param.part in self.learned for param in params)
        each, read = self.output + learned, self.input
        return (each * y.count if y and each else 0) + (read * x.count if x and read else 0)


MOVING = Work()
"""What only moves elements."""

EACH = Work(output=1)
"""Arithmetic and functions."""

READING = Work(input=1)
"""Reductions, pooling and losses."""

BY_FAMILY: Mapping[str, Work] = {
    "act": EACH,
    "merge": EACH,
    "norm": Work(output=5, learned=("weight", "bias")),
    "pool": READING,
    "linear": Work(learned=("bias",)),
    "conv": Work(learned=("bias",)),
    **dict.fromkeys(("io", "shape", "embed", "attn", "reg"), MOVING),
}
"""What the layers of a family do, where a layer does not say otherwise."""
