"""Arithmetic and comparison of two tensors, or of a tensor and a number."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from designer.core.tensor import Tensor
from designer.importers.torch_ops.binding import Call
from designer.importers.torch_ops.table import operation, same
from designer.layers.axes import joint_dtype

if TYPE_CHECKING:
    from designer.importers.torch_ops.binding import Bound

FLOATING = ("float", "bfloat", "complex")
"""How the names of dtypes begin in which a number with a point changes nothing."""


def number(call: Call, name: str, x: Tensor) -> float:
    """An argument that is a number; one that is whole is an integer beside integers."""
    found = call[name]
    if not isinstance(found, (int, float)):
        raise call.bad("{op} needs a number for {name}, got {got}.", name=name, got=found)
    return int(found) if isinstance(found, bool) and x.dtype != "bool" else found


def beside(call: Call, name: str, x: Tensor) -> Tensor | Bound:
    """`x` as the number `name` leaves its dtype: a point makes integers float32, `2.0` too."""
    whole = isinstance(call[name], float) and number(call, name, x).is_integer()
    if whole and not x.dtype.startswith(FLOATING):
        return call.to("Cast", {"x": x}, {"dtype": "float32"})
    return x


def scaled(call: Call, x: Tensor | Bound, factor: str, dtype: str) -> Tensor | Bound:
    """`x` times an argument; itself where that is 1. Raises BadCall where it does not fit."""
    given = call[factor]
    fits = isinstance(given, (int, float)) and not isinstance(given, bool)
    if not fits or (isinstance(given, float) and not dtype.startswith(FLOATING)):
        raise call.bad("{op} has {given} for {factor}.", factor=factor, given=given)
    return x if given == 1 else call.to("MultiplyScalar", {"x": x}, {"value": given})


def _right(call: Call, x: Tensor) -> Tensor | Bound | None:
    """The tensor on the right, times alpha where there is one; None where it is a number."""
    other = call["other"]
    if not isinstance(other, Tensor):
        if call.values.get("alpha", 1) != 1:
            raise call.unmapped("{op} has a number with alpha.")
        return None
    return scaled(call, other, "alpha", joint_dtype(x, other)) if "alpha" in call.values else other


@operation(
    "torch.add(input, other, *, alpha=1)",
    "torch.mul(input, other)",
    "torch.multiply(input, other)",
)
def joined(call: Call) -> Bound:
    """A sum or product, with a tensor or a number."""
    kind = "Add" if call.op.endswith("add") else "Multiply"
    x = call.tensor("input")
    second = _right(call, x)
    if second is not None:
        return call.to(kind, {"xs": (x, second)})
    value = {"value": number(call, "other", x)}
    return call.to(f"{kind}Scalar", {"x": beside(call, "other", x)}, value)


@operation("torch.sub(input, other, *, alpha=1)", "torch.subtract(input, other, *, alpha=1)")
def subtracted(call: Call) -> Bound:
    """A difference, with a tensor or a number on the right."""
    x = call.tensor("input")
    return _apart(call, "Subtract", x, _right(call, x))


@operation(
    "torch.div(input, other, *, rounding_mode=None)",
    "torch.divide(input, other, *, rounding_mode=None)",
    "torch.true_divide(input, other)",
)
def divided(call: Call) -> Bound:
    """A quotient, with a tensor or a number on the right, as it is or rounded."""
    x, mode = call.tensor("input"), call.values.get("rounding_mode")
    if mode == "floor":
        return compared(Call("torch.floor_divide", {"input": x, "other": call["other"]}))
    if mode not in (None, "trunc"):
        raise call.bad("{op} has no rounding_mode {got}.", got=mode)
    quotient = _apart(call, "Divide", x, _right(call, x))
    if mode is None:
        return quotient
    operands = [one for one in (x, call["other"]) if isinstance(one, Tensor)]
    if not all(one.dtype.startswith(FLOATING) for one in operands):
        raise call.unmapped("{op} truncates integers.")
    return call.to("Trunc", {"x": quotient})


def _apart(call: Call, kind: str, x: Tensor, second: Tensor | Bound | None) -> Bound:
    if second is not None:
        return call.to(kind, {"a": x, "b": second})
    value = {"value": number(call, "other", x)}
    return call.to(f"{kind}Scalar", {"x": beside(call, "other", x)}, value)


@operation("torch.rsub(input, other, *, alpha=1)")
def from_number(call: Call) -> Bound:
    """The first subtracted from the second."""
    x = call.tensor("input")
    if isinstance(call["other"], Tensor):
        dtype = joint_dtype(x, call["other"])
        return call.to("Subtract", {"a": call["other"], "b": scaled(call, x, "alpha", dtype)})
    options = {"value": number(call, "other", x), "reverse": True}
    return call.to("SubtractScalar", {"x": beside(call, "other", x)}, options)


WITH_NUMBERS = {
    "pow": "Power",
    "remainder": "Remainder",
    "floor_divide": "FloorDivide",
    "eq": "Equal",
    "ne": "NotEqual",
    "not_equal": "NotEqual",
    "lt": "Less",
    "less": "Less",
    "le": "LessEqual",
    "less_equal": "LessEqual",
    "gt": "Greater",
    "greater": "Greater",
    "ge": "GreaterEqual",
    "greater_equal": "GreaterEqual",
}
"""Functions that take a number in place of the second tensor."""


@operation(
    *(f"torch.{name}(input, {'exponent' if name == 'pow' else 'other'})" for name in WITH_NUMBERS)
)
def compared(call: Call) -> Bound:
    """One of these, with a tensor or a number on the right."""
    kind = WITH_NUMBERS[call.op.rpartition(".")[2]]
    x, (_, second) = call.tensor("input"), call.values
    if isinstance(call[second], Tensor):
        return call.to(kind, {"a": x, "b": call[second]})
    value = {"value": number(call, second, x)}
    return call.to(kind, {"a": beside(call, second, x)}, value)


for pair, layer in {
    "maximum": "Maximum",
    "minimum": "Minimum",
    "atan2": "Atan2",
    "arctan2": "Atan2",
    "logical_and": "LogicalAnd",
    "logical_or": "LogicalOr",
}.items():
    same(layer, f"torch.{pair}(input, other)")

same("Lerp", "torch.lerp(input, end: b, weight)")


@operation("torch.where(condition, input, other)")
def where(call: Call) -> Bound:
    """A choice between two tensors, or between a tensor and a number."""
    condition, chosen = call.tensor("condition"), call.tensor("input")
    inputs = {"condition": condition, "a": chosen}
    if isinstance(call["other"], Tensor):
        return call.to("Where", {**inputs, "b": call["other"]})
    value = {"value": number(call, "other", chosen)}
    return call.to("Where", {**inputs, "a": beside(call, "other", chosen)}, value)


@operation("torch.masked_fill(input, mask, value)")
def masked_fill(call: Call) -> Bound:
    """A number where the mask is true; infinities are words here."""
    x = call.tensor("input")
    found = call["value"]
    if not isinstance(found, (int, float)):
        raise call.bad("{op} needs a number for value, got {got}.", got=found)
    value = str(found) if math.isinf(found) else found
    return call.to("MaskedFill", {"x": x, "mask": call.tensor("mask")}, {"value": value})
