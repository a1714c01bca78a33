"""Operations that join several tensors, and products of matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.size import value
from designer.importers.torch_ops.arith import scaled
from designer.importers.torch_ops.table import operation, same
from designer.layers.axes import joint_dtype

if TYPE_CHECKING:
    from designer.core.tensor import Tensor
    from designer.importers.torch_ops.binding import Bound, Call

same("Concat", "torch.cat(tensors, dim=0)", "torch.concat(tensors, dim=0)")
same("Concat", "torch.concatenate(tensors, axis: dim = 0)")
same("Stack", "torch.stack(tensors, dim=0)")
same("MatMul", "torch.matmul(input, other)")


@operation("torch.mm(input, mat2)")
def matrices(call: Call) -> Bound:
    """A product of two matrices."""
    return call.to("MatMul", {"a": call.ranked("input", 2), "b": call.ranked("mat2", 2)})


@operation("torch.bmm(input, mat2)")
def batches(call: Call) -> Bound:
    """Products of as many matrices on both sides; nothing broadcasts."""
    a, b = call.ranked("input", 3), call.ranked("mat2", 3)
    call.equal(a.axis(0), b.axis(0))
    return call.to("MatMul", {"a": a, "b": b})


@operation("torch.outer(input, vec2)", "torch.ger(input, vec2)")
def outer(call: Call) -> Bound:
    """Each element of one vector with each of another."""
    column = call.to("Unsqueeze", {"x": call.ranked("input", 1)}, {"dim": 1})
    return call.to("Multiply", {"xs": (column, call.ranked("vec2", 1))})


@operation("torch.addmm(input, mat1, mat2, *, beta=1, alpha=1)")
def added_matrices(call: Call) -> Bound:
    """A product of two matrices and what is added to it."""
    a, b = call.ranked("mat1", 2), call.ranked("mat2", 2)
    return _added(call, a, b)


@operation("torch.baddbmm(input, batch1, batch2, *, beta=1, alpha=1)")
def added_batches(call: Call) -> Bound:
    """Products of as many matrices on both sides and what is added to them."""
    a, b = call.ranked("batch1", 3), call.ranked("batch2", 3)
    call.equal(a.axis(0), b.axis(0))
    return _added(call, a, b)


def _added(call: Call, a: Tensor, b: Tensor) -> Bound:
    """A sum in which the product is not stretched."""
    x, shape = call.tensor("input"), (*a.shape[:-1], b.axis(-1))
    if len(x.shape) > len(shape):
        raise call.bad("{op} adds at most {axes} axes, got {x}.", axes=len(shape), x=x)
    for mine, theirs in zip(reversed(x.shape), reversed(shape), strict=False):
        if value(mine) != 1:
            call.equal(mine, theirs)
    product = call.to("MatMul", {"a": a, "b": b})
    dtype = joint_dtype(a, b)
    terms = (scaled(call, x, "beta", dtype), scaled(call, product, "alpha", dtype))
    return call.to("Add", {"xs": terms})


def _ranks(call: Call) -> tuple[tuple[Tensor, ...], list[int]]:
    """The tensors that are joined, and how many axes each has."""
    tensors = call.tensors("tensors")
    ranks = [x.rank for x in tensors if x.rank is not None]
    if len(ranks) < len(tensors):
        raise call.unmapped("{op} needs to know the axes of all tensors.")
    return tensors, ranks


def _widened(call: Call, x: Tensor, *dims: int) -> Tensor | Bound:
    """`x` with further axes of 1."""
    wide: Tensor | Bound = x
    for dim in dims:
        wide = call.to("Unsqueeze", {"x": wide}, {"dim": dim})
    return wide


@operation("torch.hstack(tensors)")
def side_by_side(call: Call) -> Bound:
    """Along the second axis; vectors along their only one. A scalar counts as a vector."""
    tensors, ranks = _ranks(call)
    full = [_widened(call, x, *[0] * (1 - rank)) for x, rank in zip(tensors, ranks, strict=True)]
    return call.to("Concat", {"xs": full}, {"dim": 0 if ranks[0] < 2 else 1})


@operation("torch.vstack(tensors)")
def on_top(call: Call) -> Bound:
    """Along the first axis; a vector counts as a row."""
    tensors, ranks = _ranks(call)
    full = [_widened(call, x, *[0] * (2 - rank)) for x, rank in zip(tensors, ranks, strict=True)]
    return call.to("Concat", {"xs": full}, {"dim": 0})


@operation("torch.dstack(tensors)")
def in_depth(call: Call) -> Bound:
    """Along the third axis; a vector [n] counts as [1, n, 1], a matrix [m, n] as [m, n, 1]."""
    tensors, ranks = _ranks(call)
    new = {0: (0, 0, 0), 1: (0, 2), 2: (2,)}
    pairs = zip(tensors, ranks, strict=True)
    return call.to(
        "Concat", {"xs": [_widened(call, x, *new.get(n, ())) for x, n in pairs]}, {"dim": 2}
    )
