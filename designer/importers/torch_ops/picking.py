"""Operations that pick elements by indices, repeat, turn and slide over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.tensor import Tensor
from designer.importers.torch_ops.table import operation, same

if TYPE_CHECKING:
    from designer.importers.torch_ops.binding import Bound, Call

same("Gather", "torch.gather(input, dim, index, *, sparse_grad: _ = False)")
same("IndexSelect", "torch.index_select(input, dim, index)")
same("Expand", "torch.broadcast_to(input, size)", "Tensor.expand(self, *size)")
same("Expand", "Tensor.broadcast_to(self, *size)")
same("Repeat", "Tensor.repeat(self, *repeats)")
same("Flip", "Tensor.flip(self, *dims)")
same("Flip", "torch.fliplr(input)", dims=1)
same("Flip", "torch.flipud(input)", dims=0)
same("Roll", "torch.roll(input, shifts, dims=None)")
same("Rot90", "torch.rot90(input, k=1, dims=(0, 1))")
same("SlidingWindows", "Tensor.unfold(self, dimension: dim, size, step)")
same("Tril", "torch.tril(input, diagonal=0)")
same("Triu", "torch.triu(input, diagonal=0)")
same("Diagonal", "torch.diagonal(input, offset=0, dim1=0, dim2=1)")


@operation("torch.flip(input, dims)")
def flip(call: Call) -> Bound:
    """The axes in a tuple or list, of one too."""
    if not isinstance(call["dims"], (tuple, list)):
        raise call.bad("{op} takes a list of axes, got {got}.", got=call["dims"])
    return call.to("Flip", {"x": call.tensor("input")}, {"dims": call["dims"]})


@operation("torch.scatter(input, dim, index, src, *, reduce=None)")
def scatter(call: Call) -> Bound:
    """The source is a tensor or a number."""
    inputs = {"x": call.tensor("input"), "index": call.tensor("index")}
    if call["reduce"] is not None:
        raise call.unmapped("{op} has reduce {reduce}.", reduce=call["reduce"])
    if isinstance(call["src"], Tensor):
        return call.to("Scatter", {**inputs, "src": call["src"]}, {"dim": call["dim"]})
    return call.to("Scatter", inputs, {"dim": call["dim"], "value": call["src"]})


@operation("torch.take_along_dim(input, indices, dim=None)")
def take_along_dim(call: Call) -> Bound:
    """Along an axis, or from all elements in a row."""
    x, indices, dim = call.tensor("input"), call.tensor("indices"), call["dim"]
    if dim is not None:
        return call.to("TakeAlongDim", {"x": x, "index": indices}, {"dim": dim})
    every = {"start_dim": 0, "end_dim": -1}
    rows = {
        port: call.to("Flatten", {"x": one}, every) for port, one in (("x", x), ("index", indices))
    }
    return call.to("TakeAlongDim", rows, {"dim": 0})


@operation("F.one_hot(tensor, num_classes=-1, /)")
def one_hot(call: Call) -> Bound:
    """A row for each index; how long it is must be said, or the largest index decides."""
    if call["num_classes"] == -1:
        raise call.unmapped("{op} takes the number of classes from the values.")
    return call.to("OneHot", {"x": call.tensor("tensor")}, {"num_classes": call["num_classes"]})


@operation("torch.unbind(input, dim=0)")
def unbind(call: Call) -> Bound:
    """As many parts as the axis has places."""
    size = call.known_axis("input", "dim")
    if size == 0:
        raise call.unmapped("{op} makes no part of {x}.", x=call["input"])
    return call.to("Unbind", {"x": call.tensor("input")}, {"parts": size, "dim": call["dim"]})


@operation("torch.tile(input, dims)", "Tensor.tile(self, *dims)")
def tile(call: Call) -> Bound:
    """Copies along the last axes where fewer are listed."""
    x = call.tensor(next(iter(call.values)))
    dims = call["dims"]
    if not isinstance(dims, (tuple, list)):
        raise call.bad("{op} takes a list of axes, got {got}.", got=dims)
    if x.rank is None:
        raise call.unmapped("{op} needs to know the axes of {x}.", x=x)
    return call.to("Repeat", {"x": x}, {"repeats": (*(1,) * (x.rank - len(dims)), *dims)})


@operation("torch.repeat_interleave(input, repeats, dim=None, *, output_size=None)")
def repeat_interleave(call: Call) -> Bound:
    """The same number for each element."""
    if call["output_size"] is not None:
        raise call.unmapped("{op} has an output_size.")
    options = {"repeats": call.whole("repeats"), "dim": call["dim"]}
    return call.to("RepeatInterleave", {"x": call.tensor("input")}, options)
