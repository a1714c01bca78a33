"""Python source written as ruff formats it: expression trees laid out in 88 columns.

It knows the syntax that generated code uses and no more: names, numbers, attributes, calls, items,
operators, tuples, lists and `one for _ in all`.
"""

from __future__ import annotations

import ast
import unicodedata
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COLUMNS = 88
STEP = 4

_OPERATORS: dict[type[ast.operator], tuple[str, int]] = {
    ast.Add: ("+", 1),
    ast.Sub: ("-", 1),
    ast.Mult: ("*", 2),
    ast.MatMult: ("@", 2),
    ast.Div: ("/", 2),
    ast.FloorDiv: ("//", 2),
    ast.Mod: ("%", 2),
    ast.Pow: ("**", 4),
}
_CONDITION, _UNARY, _POWER, _PRIMARY = 0, 3, 4, 5


class Flat(NamedTuple):
    """An expression on one line, and how strongly its outermost operation binds."""

    text: str
    level: int

    def above(self, level: int) -> str:
        """The text, in parentheses unless it binds more strongly than `level`."""
        return self.text if self.level > level else f"({self.text})"


def flat(node: ast.expr) -> str:
    """An expression on one line."""
    return _flat(node).text


def _flat(node: ast.expr) -> Flat:
    if isinstance(node, ast.BinOp):
        return _flat_operation(node)
    if isinstance(node, ast.IfExp | ast.GeneratorExp | ast.Starred):
        return Flat(_flat_loose(node), _CONDITION)
    if isinstance(node, ast.UnaryOp):
        return Flat(f"-{_negated(node.operand)}", _UNARY)
    return Flat(_flat_bracketed(node), _PRIMARY)


def _flat_loose(node: ast.IfExp | ast.GeneratorExp | ast.Starred) -> str:
    """What binds less than any operator; `one for _ in all` stands alone in a call's brackets."""
    if isinstance(node, ast.IfExp):
        return " ".join(_branches(node))
    if isinstance(node, ast.Starred):
        return f"*{_flat(node.value).above(_CONDITION)}"
    return " ".join((flat(node.elt), *_clauses(node)))


def _clauses(node: ast.GeneratorExp) -> list[str]:
    """`for _ in range(3)`"""
    return [f"for {flat(part.target)} in {flat(part.iter)}" for part in node.generators]


def _negated(operand: ast.expr) -> str:
    """What stands behind a minus; ruff puts a power in parentheses there."""
    text = _flat(operand)
    return f"({text.text})" if text.level == _POWER else text.above(_UNARY - 1)


def _flat_bracketed(node: ast.expr) -> str:
    if isinstance(node, ast.Tuple | ast.List):
        return _enclosed(node, ", ".join(map(flat, node.elts)))
    if isinstance(node, ast.Call):
        items = ", ".join(_flat_argument(argument) for argument in _arguments(node))
        return f"{_primary(node.func)}({items})"
    return _flat_primary(node)


def _branches(node: ast.IfExp) -> list[str]:
    return [flat(node.body), f"if {flat(node.test)}", f"else {flat(node.orelse)}"]


def _flat_primary(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Constant):
        return _constant(node.value)
    if isinstance(node, ast.Attribute):
        return f"{_primary(node.value)}.{node.attr}"
    if isinstance(node, ast.Subscript):
        return f"{_primary(node.value)}[{', '.join(map(_flat_index, _indices(node)))}]"
    raise TypeError(f"{type(node).__name__} is not written here")


def _constant(value: object) -> str:
    if isinstance(value, str):
        return _quoted(value)
    return "..." if value is ... else repr(value)


def _quoted(text: str) -> str:
    """A string literal in double quotes, as ruff prefers them, all in ASCII."""
    literal = ascii(text)
    body = literal[1:-1]
    if literal[0] == "'" and '"' not in body:
        return f'"{body}"'
    return literal


def _primary(node: ast.expr) -> str:
    text = _flat(node).above(_PRIMARY - 1)
    return f"({text})" if isinstance(node, ast.Constant) and text.isdigit() else text


def _flat_operation(node: ast.BinOp) -> Flat:
    first, rest = _operands(node)
    level = _OPERATORS[type(node.op)][1]
    if level == _POWER and not first.enclosed and _is_simple(node.left) and _is_simple(node.right):
        return Flat(f"{first}**{rest[0]}", level)
    return Flat(" ".join([str(first), *(f"{part.sign} {part}" for part in rest)]), level)


def _is_simple(node: ast.expr) -> bool:
    """Whether ruff writes a power of this without spaces."""
    if isinstance(node, ast.UnaryOp):
        return _is_simple(node.operand)
    if isinstance(node, ast.Attribute):
        return _is_simple(node.value) and not isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Name | ast.Constant)


def _same_level(node: ast.expr, like: ast.BinOp) -> bool:
    return (
        isinstance(node, ast.BinOp) and _OPERATORS[type(node.op)][1] == _OPERATORS[type(like.op)][1]
    )


def _chain(node: ast.BinOp) -> list[tuple[str, ast.expr]]:
    """The operators of one level with their right operands, from left to right."""
    found: list[tuple[str, ast.expr]] = []
    place: ast.expr = node
    while isinstance(place, ast.BinOp) and _same_level(place, node):
        found.append((_OPERATORS[type(place.op)][0], place.right))
        place = place.left
    return found[::-1]


def _chain_start(node: ast.BinOp) -> ast.expr:
    place: ast.expr = node
    while isinstance(place, ast.BinOp) and _same_level(place, node):
        place = place.left
    return place


def _arguments(node: ast.Call) -> list[ast.expr | ast.keyword]:
    return [*node.args, *node.keywords]


def _flat_argument(argument: ast.expr | ast.keyword) -> str:
    if isinstance(argument, ast.keyword):
        return f"{argument.arg}={flat(argument.value)}"
    return flat(argument)


def _indices(node: ast.Subscript) -> list[ast.expr]:
    index = node.slice
    return list(index.elts) if isinstance(index, ast.Tuple) and index.elts else [index]


def _flat_index(index: ast.expr) -> str:
    """An index; ruff sets the colon of a slice off from anything but names and numbers."""
    if not isinstance(index, ast.Slice):
        return flat(index)
    bounds = (index.lower, index.upper, index.step)
    gap = "" if all(bound is None or _is_plain_bound(bound) for bound in bounds) else " "
    text = f"{_bound(index.lower)}{gap}:{gap}{_bound(index.upper)}"
    if index.step is not None:
        text += f"{gap}:{gap}{_bound(index.step)}"
    return text.strip()


def _is_plain_bound(bound: ast.expr) -> bool:
    if isinstance(bound, ast.UnaryOp):
        bound = bound.operand
    return isinstance(bound, ast.Name | ast.Constant)


def _bound(bound: ast.expr | None) -> str:
    return "" if bound is None else flat(bound)


def _enclosed(node: ast.Tuple | ast.List, items: str) -> str:
    if isinstance(node, ast.List):
        return f"[{items}]"
    return f"({items},)" if len(node.elts) == 1 else f"({items})"


# Several lines


def width(text: str) -> int:
    """Columns that a line takes; Chinese and other wide letters take two."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def fits(line: str) -> bool:
    """Whether a line is not too long."""
    return width(line) <= COLUMNS


def statement(lead: str, value: ast.expr, indent: int = 2 * STEP, comment: str = "") -> list[str]:
    """The lines of `lead value`, as in `x = value` and `return value`.

    The comment stands at the end of the line, where the whole fits into one.
    """
    start = f"{' ' * indent}{lead} "
    line = f"{start}{_bare(value)}"
    if comment and comment.isprintable() and fits(f"{line}  # {comment}"):
        return [f"{line}  # {comment}"]
    if fits(line):
        return [line]
    if _splits_itself(start, value):
        return _layout_statement(start, value, indent)
    pad = " " * indent
    return [f"{start}(", *_layout(f"{pad}    ", value, "", indent + STEP), f"{pad})"]


def block(lead: str, items: Sequence[str], tail: str, indent: int) -> list[str]:
    """`lead(items)tail`, as in the first line of a function; `lead` ends with the bracket."""
    pad = " " * indent
    line = f"{pad}{lead}{', '.join(items)}{tail}"
    if fits(line):
        return [line]
    joined = f"{pad}    {', '.join(items)}"
    inside = [joined] if fits(joined) else [f"{pad}    {item}," for item in items]
    return [f"{pad}{lead}", *inside, f"{pad}{tail}"]


def _bare(value: ast.expr) -> str:
    """A statement's expression on one line; a tuple needs no parentheses there."""
    text = flat(value)
    return text[1:-1] if isinstance(value, ast.Tuple) and len(value.elts) > 1 else text


def _splits_itself(start: str, value: ast.expr) -> bool:
    """Whether a statement too long is broken within brackets that its expression has."""
    if isinstance(value, ast.BinOp):
        first, rest = _operands(value)
        if len(rest) > 1:
            return False
        return first.enclosed or _ends_open(f"{start}{first} {rest[0].sign} ", rest[0])
    opened = _opened(value)
    return opened is not None and fits(f"{start}{opened.head}")


def _ends_open(start: str, last: _Operand) -> bool:
    if last.enclosed:
        return fits(f"{start}(")
    opened = _opened(last.node)
    return opened is not None and fits(f"{start}{opened.head}")


def _layout_statement(start: str, value: ast.expr, indent: int) -> list[str]:
    """The lines of a statement whose expression is broken within its last brackets."""
    if isinstance(value, ast.BinOp):
        first, (last,) = _operands(value)
        if first.enclosed:
            return _layout_operand(start, first, f" {last.sign} {last}", indent)
        return _layout_operand(f"{start}{first} {last.sign} ", last, "", indent)
    return _layout(start, value, "", indent)


def _layout(lead: str, node: ast.expr, tail: str, indent: int) -> list[str]:
    """The lines of an expression within brackets: `lead` before it, `tail` behind it."""
    line = f"{lead}{flat(node)}{tail}"
    if fits(line):
        return [line]
    broken = _LAYOUTS.get(type(node))
    if broken is not None:
        return broken(lead, node, tail, indent)
    opened = _opened(node)
    if opened is None:
        return [line]
    end = f"{' ' * indent}{opened.end}{tail}"
    return [f"{lead}{opened.head}", *_inside(opened, indent + STEP), end]


def _layout_starred(lead: str, node: ast.Starred, tail: str, indent: int) -> list[str]:
    pad = " " * indent
    inside = _layout(f"{pad}    ", node.value, "", indent + STEP)
    return [f"{lead}*(", *inside, f"{pad}){tail}"]


def _layout_generator(lead: str, node: ast.GeneratorExp, tail: str, indent: int) -> list[str]:
    clauses = [f"{' ' * indent}{clause}" for clause in _clauses(node)]
    clauses[-1] += tail
    return [*_layout(lead, node.elt, "", indent), *clauses]


def _layout_condition(lead: str, node: ast.IfExp, tail: str, indent: int) -> list[str]:
    first, *others = _branches(node)
    branches = [f"{' ' * indent}{part}" for part in others]
    branches[-1] += tail
    return [f"{lead}{first}", *branches]


class _Operand(NamedTuple):
    """An operand, the operator before it, and whether it stands in parentheses."""

    sign: str
    node: ast.expr
    enclosed: bool

    def __str__(self) -> str:
        return f"({flat(self.node)})" if self.enclosed else flat(self.node)


def _operands(node: ast.BinOp) -> tuple[_Operand, list[_Operand]]:
    """The first operand of a chain of one level, and the others."""
    sign, level = _OPERATORS[type(node.op)]
    if isinstance(node.op, ast.Pow):
        left = _Operand("", node.left, _flat(node.left).level <= level)
        return left, [_Operand(sign, node.right, _flat(node.right).level < _UNARY)]
    start = _chain_start(node)
    first = _Operand("", start, _flat(start).level < level)
    rest = [_Operand(sign, part, _flat(part).level <= level) for sign, part in _chain(node)]
    return first, rest


def _layout_operation(lead: str, node: ast.BinOp, tail: str, indent: int) -> list[str]:
    first, rest = _operands(node)
    lines = _layout_operand(lead, first, "", indent)
    for place, operand in enumerate(rest, 1):
        end = tail if place == len(rest) else ""
        lines += _layout_operand(f"{' ' * indent}{operand.sign} ", operand, end, indent)
    return lines


_LAYOUTS: dict[type[ast.expr], Callable[[str, Any, str, int], list[str]]] = {
    ast.BinOp: _layout_operation,
    ast.IfExp: _layout_condition,
    ast.GeneratorExp: _layout_generator,
    ast.Starred: _layout_starred,
}


def _layout_operand(lead: str, operand: _Operand, tail: str, indent: int) -> list[str]:
    if not operand.enclosed:
        return _layout(lead, operand.node, tail, indent)
    line = f"{lead}{operand}{tail}"
    if fits(line):
        return [line]
    pad = " " * indent
    inside = _layout(f"{pad}    ", operand.node, "", indent + STEP)
    return [f"{lead}(", *inside, f"{pad}){tail}"]


class _Opened(NamedTuple):
    """An expression that can be broken within its brackets.

    `joined` is whether its items may stay on one line there, `comma` whether one item alone is
    followed by a comma.
    """

    head: str
    items: Sequence[ast.expr | ast.keyword]
    end: str
    joined: bool = False
    comma: bool = False


def _opened(node: ast.expr) -> _Opened | None:
    if isinstance(node, ast.Call) and _arguments(node):
        return _Opened(f"{_primary(node.func)}(", _arguments(node), ")", joined=True)
    if isinstance(node, ast.Subscript):
        return _Opened(f"{_primary(node.value)}[", _indices(node), "]")
    if isinstance(node, ast.Tuple) and node.elts:
        return _Opened("(", node.elts, ")", comma=True)
    if isinstance(node, ast.List) and node.elts:
        return _Opened("[", node.elts, "]")
    return None


def _inside(opened: _Opened, indent: int) -> list[str]:
    pad = " " * indent
    joined = pad + ", ".join(map(_flat_item, opened.items))
    if (opened.joined or len(opened.items) == 1) and not opened.comma and fits(joined):
        return [joined]
    tail = "," if opened.comma or len(opened.items) > 1 else ""
    lines: list[str] = []
    for item in opened.items:
        lines += _item(pad, item, tail, indent)
    return lines


def _flat_item(item: ast.expr | ast.keyword) -> str:
    return _flat_index(item) if isinstance(item, ast.expr) else _flat_argument(item)


def _item(pad: str, item: ast.expr | ast.keyword, tail: str, indent: int) -> list[str]:
    if isinstance(item, ast.keyword):
        return _layout(f"{pad}{item.arg}=", item.value, tail, indent)
    if isinstance(item, ast.Slice):
        return [f"{pad}{_flat_index(item)}{tail}"]
    return _layout(pad, item, tail, indent)
