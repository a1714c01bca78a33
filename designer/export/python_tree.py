"""Python syntax trees of what layers become: of `designer.core.code`, sizes and literals."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from designer.core import expression, size
from designer.core.blueprint import Blueprint
from designer.core.code import (
    Attribute,
    Call,
    Conditional,
    Copies,
    Infix,
    Item,
    Method,
    Module,
    Name,
    Ref,
    Support,
)
from designer.core.composite import Definition
from designer.core.expression import Flag, Real, Text
from designer.core.option import Whole
from designer.core.size import Symbolic
from designer.core.written import Written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from designer.core.expression import Scope
    from designer.export.flow import Value


@lru_cache(maxsize=1 << 13)
def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def dotted(name: str) -> ast.expr:
    """`torch.float32` as a tree."""
    return _parsed(name)


def _python_function(node: ast.Call) -> ast.expr:
    """A function of the expression language as Python has it; round takes halves up."""
    assert isinstance(node.func, ast.Name)
    if node.func.id == "round":
        half = ast.BinOp(node.args[0], ast.Add(), ast.Constant(0.5))
        return ast.Call(dotted("math.floor"), [half], [])
    if node.func.id in ("sqrt", "ceil", "floor"):
        return ast.Call(dotted(f"math.{node.func.id}"), node.args, [])
    return node


def _renamed(node: ast.expr, names: Mapping[str, str]) -> ast.expr:
    """An expression that a user typed, with the names that the code has for its names."""
    if isinstance(node, ast.Name):
        return dotted(names.get(node.id, node.id))
    if isinstance(node, ast.BinOp):
        return ast.BinOp(_renamed(node.left, names), node.op, _renamed(node.right, names))
    if isinstance(node, ast.UnaryOp):
        operand = _renamed(node.operand, names)
        return operand if isinstance(node.op, ast.UAdd) else ast.UnaryOp(ast.USub(), operand)
    if isinstance(node, ast.Call):
        arguments = [_renamed(argument, names) for argument in node.args]
        return _python_function(ast.Call(node.func, arguments, []))
    return node


@dataclass(frozen=True)
class Expressions:
    """Makes Python trees of `designer.core.code`, with the names of one place in the code.

    `operands` are the trees of what arrives at the layer's input ports, `module` is what holds its
    module; `defined` are the names of classes and functions that the file defines.
    """

    names: Mapping[str, str]
    scope: Scope
    module: str = ""
    operands: Mapping[str, list[ast.expr]] | None = None
    defined: Mapping[object, str] | None = None

    def of(self, part: object) -> ast.expr:
        """The tree of one expression."""
        make = _TREES.get(type(part))
        if make is not None:
            return make(self, part)
        if isinstance(part, tuple):
            return ast.Tuple(self.each(part), ast.Load())
        if isinstance(part, list):
            return ast.List(self.each(part), ast.Load())
        return literal(part)

    def each(self, parts: Iterable[object]) -> list[ast.expr]:
        """The trees of several expressions; a variadic port gives several."""
        found: list[ast.expr] = []
        for part in parts:
            found += self.values(part) if isinstance(part, Ref) else [self.of(part)]
        return found

    def values(self, ref: Ref) -> list[ast.expr]:
        """The values at a port."""
        return (self.operands or {})[ref.port]

    def size(self, part: Symbolic) -> ast.expr:
        """A size as an expression over names."""
        return _parsed(size.python(part, self.names))

    def whole(self, part: Whole) -> ast.expr:
        """A whole number as the expression it came from, in whole arithmetic."""
        exact = expression.whole(expression.evaluate(part.source, self.scope))
        return _parsed(size.python(exact, self.names))

    def sourced(self, part: Real | Flag | Text) -> ast.expr:
        """A value as the expression it came from."""
        return _renamed(_parsed(part.source.strip()), self.names)

    def call(self, part: Call) -> ast.expr:
        """A call of a function or module."""
        named = isinstance(part.function, str)
        function = dotted(str(part.function)) if named else self.of(part.function)
        return ast.Call(function, self.each(part.args), self.keywords(part.kwargs))

    def keywords(self, pairs: tuple[tuple[str, object], ...]) -> list[ast.keyword]:
        """Keyword arguments."""
        return [ast.keyword(name, self.of(value)) for name, value in pairs]

    def method(self, part: Method) -> ast.expr:
        """A call of a method."""
        function = ast.Attribute(self.of(part.target), part.name, ast.Load())
        return ast.Call(function, self.each(part.args), self.keywords(part.kwargs))

    def attribute(self, part: Attribute) -> ast.expr:
        """An attribute of an expression."""
        return ast.Attribute(self.of(part.target), part.name, ast.Load())

    def item(self, part: Item) -> ast.expr:
        """An item or slice."""
        return ast.Subscript(self.of(part.target), self.index(part.index), ast.Load())

    def index(self, index: object) -> ast.expr:
        """What stands between square brackets."""
        if isinstance(index, tuple):
            return ast.Tuple([self.index(part) for part in index], ast.Load())
        if isinstance(index, slice):
            bounds = (index.start, index.stop, index.step)
            return ast.Slice(*(None if bound is None else self.of(bound) for bound in bounds))
        return self.of(index)

    def infix(self, part: Infix) -> ast.expr:
        """Operands joined by an operator, from left to right."""
        return joined(part.operator, self.each(part.operands))

    def definition(self, part: Blueprint | Definition | Support | Written) -> ast.expr:
        """A class or function that the file defines."""
        return dotted((self.defined or {})[part])

    def conditional(self, part: Conditional) -> ast.expr:
        """One of two values."""
        return ast.IfExp(self.of(part.test), self.of(part.then), self.of(part.otherwise))

    def copies(self, part: Copies) -> ast.expr:
        """A list of modules, each made anew."""
        each = self.of(part.make)
        if part.first is None:
            held: ast.expr = _times(each, self.of(part.count))
        elif part.count == 1:
            held = ast.List([self.of(part.first), each], ast.Load())
        else:
            others = ast.Starred(_times(each, self.of(part.count)), ast.Load())
            held = ast.List([self.of(part.first), others], ast.Load())
        return ast.Call(dotted("nn.ModuleList"), [held], [])


_TREES: dict[type, Callable[[Expressions, Any], ast.expr]] = {
    Symbolic: Expressions.size,
    Whole: Expressions.whole,
    Real: Expressions.sourced,
    Flag: Expressions.sourced,
    Text: Expressions.sourced,
    Call: Expressions.call,
    Method: Expressions.method,
    Attribute: Expressions.attribute,
    Item: Expressions.item,
    Infix: Expressions.infix,
    Conditional: Expressions.conditional,
    Ref: lambda trees, ref: trees.values(ref)[0],
    Copies: Expressions.copies,
    Module: lambda trees, _: dotted(trees.module),
    Name: lambda _, name: dotted(name.name),
    Blueprint: Expressions.definition,
    Definition: Expressions.definition,
    Written: Expressions.definition,
    Support: Expressions.definition,
}


def counting(count: ast.expr) -> ast.expr:
    """`range(count)`"""
    return ast.Call(ast.Name("range"), [count], [])


def _times(each: ast.expr, count: ast.expr) -> ast.expr:
    """`each for _ in range(count)`"""
    target = ast.Name("_", ast.Store())
    return ast.GeneratorExp(each, [ast.comprehension(target, counting(count), [], 0)])


def joined(operator: str, operands: list[ast.expr]) -> ast.expr:
    """Operands joined by an operator, from left to right."""
    example = _parsed(f"a {operator} b")
    assert isinstance(example, ast.BinOp)
    result, *others = operands
    for other in others:
        result = ast.BinOp(result, example.op, other)
    return result


def literal(part: object) -> ast.expr:
    if isinstance(part, int | float) and not isinstance(part, bool):
        return _number(part)
    return ast.Constant(part)  # type: ignore[arg-type]


def _number(number: int | float) -> ast.expr:
    if not math.isfinite(number):
        return ast.Call(ast.Name("float"), [ast.Constant(repr(float(number)))], [])
    if number < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-number))
    return ast.Constant(number)


def value_tree(value: Value) -> ast.expr:
    """A value by its name, or as an item of the tuple that has the name."""
    tree = dotted(value.name)
    for place in value.path:
        tree = ast.Subscript(tree, ast.Constant(place), ast.Load())
    return tree
