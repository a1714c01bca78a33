"""The help of a layer: what its docstring says, and what PyTorch calls it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from designer.core import code, size
from designer.core.layer import defaults, examine, options_of
from designer.core.option import OptionError, names_in
from designer.core.tensor import ANYTHING

if TYPE_CHECKING:
    from designer.core.layer import Inputs, Layer

LINK = "https://docs.pytorch.org/docs/stable/generated/{name}.html"

_SHORT = {"nn.": "torch.nn.", "F.": "torch.nn.functional."}
"""How generated code begins names, and how PyTorch's documentation does."""

_MOVED = {
    "torch.nn.Parameter": "torch.nn.parameter.Parameter",
    "torch.nn.Buffer": "torch.nn.parameter.Buffer",
}
_WITHOUT_PAGE = {"torch.nn.CrossMapLRN2d"}
_OPERATORS = {
    "+": "torch.add",
    "-": "torch.sub",
    "*": "torch.mul",
    "/": "torch.div",
    "//": "torch.floor_divide",
    "%": "torch.remainder",
    "**": "torch.pow",
    "@": "torch.matmul",
}


def paragraphs(kind: type[Layer]) -> tuple[str, ...]:
    """The paragraphs of a layer's help, each in one line; the first is a sentence with a formula.

    At least one, which is empty where nobody wrote any.
    """
    text = inspect.cleandoc(kind.__doc__ or "")
    return tuple(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def torch_name(kind: type[Layer]) -> str:
    """What PyTorch calls a layer: `torch.nn.Linear`; empty for what PyTorch has no name for."""
    values = dict(defaults(kind))
    scope = {name: size.free(name) for raw in values.values() for name in names_in(raw)}
    try:
        layer = kind(**{o.name: o.evaluate(values[o.name], scope) for o in options_of(kind)})
    except OptionError:
        # A layer of another package may have options that must be given.
        return ""
    needed = (port for port in layer.inputs() if not port.optional)
    inputs: Inputs = {
        port.name: (ANYTHING, ANYTHING) if port.variadic else ANYTHING for port in needed
    }
    result = examine(layer, inputs).result
    if result is None or result.code is None:
        return ""
    return _named(result.code.make or result.code.use)


def torch_link(name: str) -> str:
    """Where PyTorch's documentation tells of what it calls `name`; empty where it does not."""
    return LINK.format(name=name) if name and name not in _WITHOUT_PAGE else ""


def _named(expression: object) -> str:
    match expression:
        case code.Call(function=str(name)):
            start, dot, rest = name.partition(".")
            full = f"{_SHORT.get(start + dot, start + dot)}{rest}"
            return _MOVED.get(full, full)
        case code.Method(name=name):
            return f"torch.Tensor.{name}"
        case code.Infix(operator=operator):
            return _OPERATORS.get(operator, "")
    return ""
