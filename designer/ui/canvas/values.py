"""Sizes as the canvas shows them: variables by their values, free dimensions by their names."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from designer.core.size import Symbolic, at_values
from designer.core.tensor import Tensor

if TYPE_CHECKING:
    from designer.core.layer import Inputs, Layer, Result
    from designer.core.param import Axis, Param


def caption(layer: Layer, result: Result, inputs: Inputs) -> str:
    """A layer's caption with the values of variables."""
    return _layer(layer).caption(_result(result), {name: _any(v) for name, v in inputs.items()})


@lru_cache(maxsize=8192)
def tensor(shown: Tensor) -> Tensor:
    """A tensor with the values of variables."""
    if all(isinstance(axis, int) for axis in shown.shape):
        return shown
    return replace(shown, shape=tuple(at_values(axis) for axis in shown.shape))


def _any(value: Any) -> Any:
    """An option or input with values in place of variables."""
    if isinstance(value, Symbolic):
        return at_values(value)
    if isinstance(value, Tensor):
        return tensor(value)
    if type(value) is tuple:
        return tuple(_any(part) for part in value)
    return value


def _layer(layer: Layer) -> Layer:
    dataclass: Any = layer
    changed = {}
    for field in fields(dataclass):
        old = getattr(layer, field.name)
        new = _any(old)
        if new is not old and new != old:
            changed[field.name] = new
    return replace(dataclass, **changed) if changed else layer


def _result(result: Result) -> Result:
    if all(_plain(param) for param in result.params):
        return replace(result, outputs=tuple(map(tensor, result.outputs)))
    params = tuple(replace(param, axes=tuple(map(_axis, param.axes))) for param in result.params)
    return replace(result, outputs=tuple(map(tensor, result.outputs)), params=params)


def _plain(param: Param) -> bool:
    return all(isinstance(axis.size, int) for axis in param.axes)


def _axis(axis: Axis) -> Axis:
    return axis._replace(size=at_values(axis.size))
