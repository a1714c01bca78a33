"""From a node's raw options to its layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from designer.core.expression import ExpressionError, UnknownName
from designer.core.finding import Problem
from designer.core.layer import options_of
from designer.core.option import OptionError, names_in

if TYPE_CHECKING:
    from designer.core.expression import Scope
    from designer.core.graph import Node
    from designer.core.layer import Layer


@dataclass(frozen=True, slots=True)
class Built:
    """A node's options evaluated: the layer, and the problems of options that cannot be used."""

    layer: Layer
    problems: tuple[Problem, ...]


def build(kind: type[Layer], node: Node, scope: Scope) -> Built:
    """The layer of a node of this kind, and what is wrong with its options.

    An option that cannot be used is shown as a problem and has its default in the layer.
    """
    raw = dict(node.options)
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for option in options_of(kind):
        try:
            values[option.name] = option.evaluate(raw.get(option.name, option.default), scope)
        except UnknownName as error:
            problems.append(Problem("error", error.message, option=option.name, name=error.name))
        except (OptionError, ExpressionError) as error:
            problems.append(Problem("error", error.message, option=option.name))
    return Built(kind(**values), tuple(problems))


def names_of(node: Node) -> tuple[str, ...]:
    """The names that a node's options use, each once."""
    return tuple(dict.fromkeys(name for _, raw in node.options for name in names_in(raw)))
