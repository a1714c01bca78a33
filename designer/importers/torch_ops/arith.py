"""Arithmetic and comparison of two tensors, or of a tensor and a number."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from designer.core.tensor import Tensor
from designer.importers.torch_ops.table import operation, same

if TYPE_CHECKING:
    from designer.importers.torch_ops.binding import Bound, Call

FLOATING = ("float", "bfloat", "complex")
"""How the names of dtypes begin in which a number with a point changes nothing."""


def number(call: Call, name: str, beside: Tensor) -> float:
    """An argument that is a number. Raises Unmapped where it would turn integers into floats."""
    found = call[name]
    if not isinstance(found, (int, float)):
        raise call.unmapped("{op} has {got} for {name}.", name=name, got=found)
    whole = isinstance(found, float) and found.is_integer()
    if whole and not beside.dtype.startswith(FLOATING):
        raise call.unmapped("{op} has {got} beside {dtype}.", got=found, dtype=beside.dtype)
    return found


def _plain(call: Call) -> None:
    """Refuse a factor of the second operand, and another division than the exact one."""
    if call.values.get("alpha", 1) != 1 or call.values.get("rounding_mode") is not None:
        raise call.unmapped("{op} with alpha or rounding_mode is no layer.")


@operation(
    "torch.add(input, other, *, alpha=1)",
    "torch.mul(input, other)",
    "torch.multiply(input, other)",
)
def joined(call: Call) -> Bound:
    """A sum or product, with a tensor or a number."""
    _plain(call)
    kind = "Add" if call.op.endswith("add") else "Multiply"
    x = call.tensor("input")
    if isinstance(call["other"], Tensor):
        return call.to(kind, {"xs": (x, call["other"])})
    return call.to(f"{kind}Scalar", {"x": x}, {"value": number(call, "other", x)})


@operation(
    "torch.sub(input, other, *, alpha=1)",
    "torch.subtract(input, other, *, alpha=1)",
    "torch.div(input, other, *, rounding_mode=None)",
    "torch.divide(input, other, *, rounding_mode=None)",
    "torch.true_divide(input, other)",
)
def apart(call: Call) -> Bound:
    """A difference or quotient, with a tensor or a number on the right."""
    _plain(call)
    kind = "Subtract" if "sub" in call.op else "Divide"
    x = call.tensor("input")
    if isinstance(call["other"], Tensor):
        return call.to(kind, {"a": x, "b": call["other"]})
    return call.to(f"{kind}Scalar", {"x": x}, {"value": number(call, "other", x)})


@operation("torch.rsub(input, other, *, alpha=1)")
def from_number(call: Call) -> Bound:
    """The first subtracted from the second."""
    _plain(call)
    x = call.tensor("input")
    if isinstance(call["other"], Tensor):
        return call.to("Subtract", {"a": call["other"], "b": x})
    options = {"value": number(call, "other", x), "reverse": True}
    return call.to("SubtractScalar", {"x": x}, options)


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
    return call.to(kind, {"a": x}, {"value": number(call, second, x)})


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
    return call.to("Where", inputs, {"value": number(call, "other", chosen)})


@operation("torch.masked_fill(input, mask, value)")
def masked_fill(call: Call) -> Bound:
    """A number where the mask is true; infinities are words here."""
    x = call.tensor("input")
    found = call["value"]
    if not isinstance(found, (int, float)):
        raise call.unmapped("{op} has {got} for value.", got=found)
    value = str(found) if math.isinf(found) else found
    return call.to("MaskedFill", {"x": x, "mask": call.tensor("mask")}, {"value": value})
