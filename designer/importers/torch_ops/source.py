"""Values without inputs, casts, Einstein's summation, sampling and spectra."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.size import value
from designer.core.tensor import DTYPE_BYTES, Tensor
from designer.importers.torch_ops.table import operation, option_names, port_names, same

if TYPE_CHECKING:
    from designer.importers.torch_ops.binding import Bound, Call

CASTS = {
    "float": "float32",
    "double": "float64",
    "half": "float16",
    "bfloat16": "bfloat16",
    "long": "int64",
    "int": "int32",
    "short": "int16",
    "bool": "bool",
}
for _name, _dtype in CASTS.items():
    same("Cast", f"Tensor.{_name}(self, memory_format: _ = None)", dtype=_dtype)

same("RandomNormal", "torch.randn_like(input)")
same("ConstantLike", "torch.zeros_like(input)", value=0.0)
same("ConstantLike", "torch.ones_like(input)", value=1.0)
same("ConstantLike", "torch.full_like(input, fill_value: value)")


@operation(
    "torch.fft.rfft(input, n=None, dim=-1, norm=None)",
    "torch.fft.fft(input, n=None, dim=-1, norm=None)",
)
def spectrum(call: Call) -> Bound:
    """Along one axis."""
    if isinstance(call["dim"], bool) or not isinstance(call["dim"], int):
        raise call.bad("{op} takes one axis for dim, got {got}.", got=call["dim"])
    kind = call.op.rpartition(".")[2].upper()
    options = {"n" if kind == "RFFT" else "s": call["n"], "dim": call["dim"]}
    return call.to(kind, {"x": call.tensor("input")}, {**options, **_scaling(call)})


@operation(
    "torch.fft.fft2(input, s=None, dim=(-2, -1), norm=None)",
    "torch.fft.fftn(input, s=None, dim=None, norm=None)",
)
def spectra(call: Call) -> Bound:
    """Along several axes; those of the sizes, from behind, where none are named."""
    x, dim = call.tensor("input"), call["dim"]
    sizes = (call["s"],) if isinstance(call["s"], int) else call["s"]
    if dim is None and x.rank is None:
        raise call.unmapped("{op} needs to know the axes of {x}.", x=x)
    if dim is None:
        count = len(sizes) if isinstance(sizes, (tuple, list)) else x.rank or 0
        dim = tuple(range(-count, 0))
    return call.to("FFT", {"x": x}, {"s": sizes, "dim": dim, **_scaling(call)})


def _scaling(call: Call) -> dict[str, object]:
    return {"norm": "backward" if call["norm"] is None else call["norm"]}


@operation(
    "torch.stft(input, n_fft, hop_length=None, win_length=None, window=None, center=True,"
    " pad_mode='reflect', normalized=False, onesided=None, return_complex=None,"
    " align_to_window=None)"
)
def stft(call: Call) -> Bound:
    """Spectra of frames. Real input must say that the result is complex, or that it is not."""
    x, window = call.tensor("input"), call["window"]
    if not (window is None or isinstance(window, Tensor)):
        raise call.bad("{op} needs a tensor for window, got {got}.", got=window)
    if call["align_to_window"] is not None:
        raise call.unmapped("{op} has align_to_window {got}.", got=call["align_to_window"])
    dtypes = [one.dtype for one in (x, window) if isinstance(one, Tensor)]
    real = not any(dtype.startswith("complex") for dtype in dtypes)
    if real and call["return_complex"] is None:
        raise call.bad("{op} must be told return_complex for real values.")
    names = ("n_fft", "hop_length", "win_length", "center", "pad_mode", "normalized")
    options = {name: call[name] for name in names}
    options["onesided"] = real if call["onesided"] is None else call["onesided"]
    frames = call.to("STFT", {"x": x, "window": window}, options)
    return call.to("ViewAsReal", {"x": frames}) if call["return_complex"] is False else frames


same("CDist", "torch.cdist(x1: a, x2: b, p=2.0, compute_mode: _ = None)")
same("Cross", "torch.linalg.cross(input, other, *, dim=-1)")


@operation("Tensor.to(self, dtype)", "Tensor.type(self, dtype)")
def cast(call: Call) -> Bound:
    """A dtype by its name, `torch.float32` or `float32`; a device changes nothing."""
    name = str(call["dtype"]).removeprefix("torch.")
    if name not in DTYPE_BYTES:
        raise call.unmapped("{op} has {got}.", got=call["dtype"])
    return call.to("Cast", {"x": call.tensor("self")}, {"dtype": name})


@operation("torch.cross(input, other, dim=None)")
def cross(call: Call) -> Bound:
    """The axis is the first of 3 where none is given."""
    a, dim = call.tensor("input"), call["dim"]
    if dim is None:
        places = [axis for axis, size in enumerate(a.shape) if value(size) == 3]
        if a.rank is None or not all(value(size) is not None for size in a.shape):
            raise call.unmapped("{op} needs to know its axis.")
        if not places:
            raise call.bad("{op} finds no axis of 3 in {x}.", x=a)
        dim = places[0]
    return call.to("Cross", {"a": a, "b": call.tensor("other")}, {"dim": dim})


@operation("torch.einsum(equation, *operands)")
def einsum(call: Call) -> Bound:
    """The tensors one by one or in a list."""
    return call.to("Einsum", {"xs": call.tensors("operands")}, {"equation": call["equation"]})


@operation("torch.meshgrid(*tensors, indexing='ij')")
def meshgrid(call: Call) -> Bound:
    """Of two vectors; of one, it is that vector."""
    tensors = call.tensors("tensors")
    if len(tensors) == 1 and tensors[0].rank == 1 and call["indexing"] in ("ij", "xy"):
        return call.to("Identity", {"x": tensors[0]})
    if len(tensors) != 2:
        raise call.unmapped("{op} has {count} tensors.", count=len(tensors))
    inputs = dict(zip(("a", "b"), tensors, strict=True))
    return call.to("Meshgrid", inputs, {"indexing": call["indexing"]})


@operation("torch.arange(start, end=None, step=1, *, dtype=None)")
def arange(call: Call) -> Bound:
    """From 0 where one number is given."""
    start, end = (0, call["start"]) if call["end"] is None else (call["start"], call["end"])
    if any(isinstance(number, float) for number in (start, end, call["step"])):
        raise call.unmapped("{op} counts in fractions.")
    return call.to("Arange", {}, {"start": start, "end": end, "step": call["step"]})


@operation("torch.zeros(*size)", "torch.ones(*size)")
def constant(call: Call) -> Bound:
    """All elements are 0 or 1."""
    value = float(call.op.endswith("ones"))
    return call.to("Constant", {}, {"shape": call["size"], "value": value})


def _contracted(call: Call, rank: int) -> tuple[list[int], list[int]]:
    """The axes of both that are summed over. Raises BadCall where there are no two lists."""
    dims = call["dims"]
    if isinstance(dims, int) and not isinstance(dims, bool):
        if not 0 <= dims <= rank:
            raise call.bad("{op} has no {dims} axes.", dims=dims)
        return list(range(rank - dims, rank)), list(range(dims))
    if isinstance(dims, (tuple, list)) and len(dims) == 2:
        mine, theirs = dims
        lists = isinstance(mine, (tuple, list)) and isinstance(theirs, (tuple, list))
        if lists and all(isinstance(axis, int) for axis in (*mine, *theirs)):
            return list(mine), list(theirs)
    raise call.bad("{op} takes a number or two lists of axes, got {dims}.", dims=dims)


@operation("torch.tensordot(a, b, dims=2)")
def tensordot(call: Call) -> Bound:
    """Einstein's summation with a letter for each axis."""
    a, b = call.tensor("a"), call.tensor("b")
    if a.rank is None or b.rank is None:
        raise call.unmapped("{op} needs to know the axes of both tensors.")
    mine, theirs = _contracted(call, a.rank)
    dims = (mine, theirs)
    if len(mine) != len(theirs):
        raise call.bad("{op} needs as many axes of both, got {dims}.", dims=dims)
    for axes, x in ((mine, a), (theirs, b)):
        if len({axis % max(1, x.rank or 1) for axis in axes}) < len(axes):
            raise call.bad("{op} takes each axis once, got {dims}.", dims=dims)
    left = [chr(ord("a") + axis) for axis in range(a.rank)]
    right = [chr(ord("A") + axis) for axis in range(b.rank)]
    for one, other in zip(mine, theirs, strict=True):
        if not -a.rank <= one < a.rank or not -b.rank <= other < b.rank:
            raise call.bad("{op} has no axes {dims} here.", dims=dims)
        if 1 not in (value(a.axis(one)), value(b.axis(other))):
            call.equal(a.axis(one), b.axis(other))
        right[other] = left[one]
    out = [label for label in left if label not in right]
    out += [label for label in right if label not in left]
    equation = f"{''.join(left)},{''.join(right)}->{''.join(out)}"
    return call.to("Einsum", {"xs": (a, b)}, {"equation": equation})


@operation(
    "F.grid_sample(input, grid, mode='bilinear', padding_mode='zeros', align_corners=None)",
    "F.affine_grid(theta, size, align_corners=None)",
)
def sampled(call: Call) -> Bound:
    """The first two tensors are the ports; no word on corners is a no."""
    kind = "GridSample" if call.op == "F.grid_sample" else "AffineGrid"
    ports = port_names(kind)
    inputs = dict(zip(ports, call.values.values(), strict=False))
    options = {name: given for name, given in call.values.items() if name in option_names(kind)}
    return call.to(kind, inputs, {**options, "align_corners": bool(call["align_corners"])})
