"""Calls written as text, `F.softmax(input, dim=None)`, and what each argument is for."""

from __future__ import annotations

import ast
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

IGNORED = "_"
"""What an argument is for that changes nothing in a drawing: `inplace`, `device`."""

FIXED = "only"
"""What an argument is for of which the layers know the default alone."""


ANY = "any"
"""What an argument is for that may be None though it must be given."""


class Written(NamedTuple):
    """A parsed call: the operation, and its parameters.

    The annotation of a parameter is what it is for: a port or an option, `_` or `only`; without
    one it is for the port or option of its own name.
    """

    op: str
    signature: Signature


def written(text: str) -> Written:
    """The parts of a call as text; it reads as a function definition does.

    Raises SyntaxError where it does not.
    """
    op, _, parameters = text.partition("(")
    (function,) = ast.parse(f"def _({parameters}: pass").body
    if not isinstance(function, ast.FunctionDef):
        raise SyntaxError(text)
    return Written(op, Signature(list(_parameters(function.args))))


def _parameters(arguments: ast.arguments) -> Iterator[Parameter]:
    placed = [*arguments.posonlyargs, *arguments.args]
    missing: list[ast.expr | None] = [None] * (len(placed) - len(arguments.defaults))
    for argument, default in zip(placed, [*missing, *arguments.defaults], strict=True):
        named = argument in arguments.args
        kind = Parameter.POSITIONAL_OR_KEYWORD if named else Parameter.POSITIONAL_ONLY
        yield _parameter(argument, kind, default)
    if arguments.vararg:
        yield _parameter(arguments.vararg, Parameter.VAR_POSITIONAL)
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield _parameter(argument, Parameter.KEYWORD_ONLY, default)
    if arguments.kwarg:
        yield _parameter(arguments.kwarg, Parameter.VAR_KEYWORD)


def _parameter(argument: ast.arg, kind: object, default: ast.expr | None = None) -> Parameter:
    return Parameter(
        argument.arg,
        kind,  # type: ignore[arg-type]
        default=Parameter.empty if default is None else ast.literal_eval(default),
        annotation=ast.unparse(argument.annotation) if argument.annotation else argument.arg,
    )
