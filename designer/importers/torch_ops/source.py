"""Values without inputs, casts, Einstein's summation, sampling and spectra."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.tensor import DTYPE_BYTES
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
same("RFFT", "torch.fft.rfft(input, n=None, dim=-1, norm='backward')")
same("FFT", "torch.fft.fft(input, n: only = None, dim=-1, norm='backward')")
same("FFT", "torch.fft.fft2(input, s: only = None, dim=(-2, -1), norm='backward')")
same(
    "STFT",
    "torch.stft(input, n_fft, hop_length=None, win_length: only = None, window: only = None, "
    "center=True, pad_mode: only = 'reflect', normalized=False, onesided=True, "
    "return_complex: _ = True)",
)
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
    dim = call["dim"]
    if dim is None:
        raise call.unmapped("{op} needs to know its axis.")
    return call.to("Cross", {"a": call.tensor("input"), "b": call.tensor("other")}, {"dim": dim})


@operation("torch.einsum(equation, *operands)")
def einsum(call: Call) -> Bound:
    """The tensors one by one or in a list."""
    return call.to("Einsum", {"xs": call.tensors("operands")}, {"equation": call["equation"]})


@operation("torch.meshgrid(*tensors, indexing='ij')")
def meshgrid(call: Call) -> Bound:
    """Of two vectors."""
    tensors = call.tensors("tensors")
    if len(tensors) != 2:
        raise call.unmapped("{op} has {count} tensors.", count=len(tensors))
    inputs = dict(zip(("a", "b"), tensors, strict=True))
    return call.to("Meshgrid", inputs, {"indexing": call["indexing"]})


@operation("torch.arange(start, end=None, step=1, *, dtype: _ = None)")
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


@operation("torch.tensordot(a, b, dims=2)")
def tensordot(call: Call) -> Bound:
    """Einstein's summation with a letter for each axis."""
    a, b = call.tensor("a"), call.tensor("b")
    if a.rank is None or b.rank is None:
        raise call.unmapped("{op} needs to know the axes of both tensors.")
    dims = call["dims"]
    if isinstance(dims, int):
        dims = (range(a.rank - dims, a.rank), range(dims))
    mine, theirs = (list(part) for part in dims)  # type: ignore[attr-defined]
    if len(mine) != len(theirs):
        raise call.bad("{op} needs as many axes of both, got {dims}.", dims=dims)
    left = [chr(ord("a") + axis) for axis in range(a.rank)]
    right = [chr(ord("A") + axis) for axis in range(b.rank)]
    for one, other in zip(mine, theirs, strict=True):
        if not -a.rank <= one < a.rank or not -b.rank <= other < b.rank:
            raise call.bad("{op} has no axes {dims} here.", dims=dims)
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
