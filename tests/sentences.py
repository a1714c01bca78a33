"""Every template that the package gives a Message, read off its source.

A template need not stand in the call: constants, tables, both ends of a condition, texts that are
put together, and what the callers of a function hand in are followed to the texts that they are.
"""

from __future__ import annotations

import ast
import itertools
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import designer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(designer.__file__).parent
MAKERS = {"message": 0, "Message": 0, "refuse": 0, "Option": 3}
"""What takes a template, and at which place."""

NO_TEMPLATE = ("template", "message")
"""Attributes that hold what was made into a Message already."""

DEEPEST = 12

Function: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef"


class Where(NamedTuple):
    """A place in the source: a module, and the functions that it stands in, the innermost last."""

    module: str
    functions: tuple[Function, ...] = ()


class Call(NamedTuple):
    """A call, and where it stands."""

    node: ast.Call
    where: Where


@dataclass
class Module:
    """A source file, with the values of its names and what it imports from the package."""

    name: str
    tree: ast.Module
    values: dict[str, list[ast.expr]] = field(default_factory=lambda: defaultdict(list))
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)


class NotATemplate(Exception):
    """A text that only a run would show."""

    def __init__(self, node: ast.AST, where: Where) -> None:
        line = getattr(node, "lineno", 0)
        super().__init__(f"{where.module}:{line}: {ast.unparse(node)[:120]}")


class Sources:
    """The source of the package, and the templates in it."""

    def __init__(self, root: Path = ROOT) -> None:
        self.modules: dict[str, Module] = {}
        self.functions: dict[str, list[tuple[Function, Where]]] = defaultdict(list)
        self.calls: dict[str, list[Call]] = defaultdict(list)
        self.attributes: dict[str, list[tuple[ast.expr, Where]]] = defaultdict(list)
        for path in sorted(root.rglob("*.py")):
            name = ".".join(path.relative_to(root.parent).with_suffix("").parts)
            self._enter(name.removesuffix(".__init__"), ast.parse(path.read_text("utf-8")))

    def _enter(self, name: str, tree: ast.Module) -> None:
        module = self.modules[name] = Module(name, tree)
        for statement in tree.body:
            for target, value in _assigned(statement):
                module.values[target].append(value)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("designer"):
                for alias in node.names:
                    module.imports[alias.asname or alias.name] = (str(node.module), alias.name)
        self._walk(tree, Where(name))

    def _walk(self, tree: ast.AST, where: Where) -> None:
        for node in ast.iter_child_nodes(tree):
            inner = where
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self.functions[node.name].append((node, where))
                inner = Where(where.module, (*where.functions, node))
            elif isinstance(node, ast.ClassDef):
                for statement in node.body:
                    for target, value in _assigned(statement):
                        self.attributes[target].append((value, where))
            elif isinstance(node, ast.Call):
                self.calls[_called(node)].append(Call(node, where))
            self._walk(node, inner)

    @cached_property
    def templates(self) -> dict[str, str]:
        """Template to the module that has it."""
        return self._found[0]

    @cached_property
    def untold(self) -> list[str]:
        """Places where only a run would show the template."""
        return self._found[1]

    @cached_property
    def _found(self) -> tuple[dict[str, str], list[str]]:
        found: dict[str, str] = {}
        untold: list[str] = []
        for maker, place in MAKERS.items():
            for node, where in self.calls[maker]:
                if _is_passed_on(node, where, place) or _is_of_a_field(maker, where):
                    continue
                try:
                    for text in self.texts(node.args[place], where):
                        found.setdefault(text, where.module)
                except NotATemplate as error:
                    untold.append(str(error))
        return found, untold

    # Following

    def texts(self, node: ast.AST, where: Where, depth: int = 0) -> set[str]:
        """The texts that an expression may be. Raises NotATemplate where that is not known."""
        if depth > DEEPEST:
            raise NotATemplate(node, where)
        follow = getattr(self, f"_{type(node).__name__.lower()}", None)
        if follow is None:
            raise NotATemplate(node, where)
        texts: set[str] = follow(node, where, depth + 1)
        return texts

    def _all(self, nodes: Iterable[ast.AST], where: Where, depth: int) -> set[str]:
        return {text for node in nodes for text in self.texts(node, where, depth)}

    def _constant(self, node: ast.Constant, where: Where, depth: int) -> set[str]:
        if not isinstance(node.value, str):
            raise NotATemplate(node, where)
        return {node.value}

    def _ifexp(self, node: ast.IfExp, where: Where, depth: int) -> set[str]:
        return self._all((node.body, node.orelse), where, depth)

    def _boolop(self, node: ast.BoolOp, where: Where, depth: int) -> set[str]:
        return self._all(node.values, where, depth)

    def _binop(self, node: ast.BinOp, where: Where, depth: int) -> set[str]:
        if not isinstance(node.op, ast.Add):
            raise NotATemplate(node, where)
        left, right = (self.texts(part, where, depth) for part in (node.left, node.right))
        return {a + b for a, b in itertools.product(left, right)}

    def _joinedstr(self, node: ast.JoinedStr, where: Where, depth: int) -> set[str]:
        parts = [
            self.texts(part.value if isinstance(part, ast.FormattedValue) else part, where, depth)
            for part in node.values
        ]
        return {"".join(choice) for choice in itertools.product(*parts)}

    def _subscript(self, node: ast.Subscript, where: Where, depth: int) -> set[str]:
        return self.texts(node.value, where, depth)

    def _dict(self, node: ast.Dict, where: Where, depth: int) -> set[str]:
        return self._all(node.values, where, depth)

    def _tuple(self, node: ast.Tuple, where: Where, depth: int) -> set[str]:
        return self._all(node.elts, where, depth)

    _list = _tuple

    def _attribute(self, node: ast.Attribute, where: Where, depth: int) -> set[str]:
        if node.attr in NO_TEMPLATE:
            return set()
        held = self.attributes[node.attr]
        if not held:
            raise NotATemplate(node, where)
        return {text for value, at in held for text in self.texts(value, at, depth)}

    def _call(self, node: ast.Call, where: Where, depth: int) -> set[str]:
        name = _called(node)
        if name in MAKERS:
            return set()
        if name == "get":
            return self._all([node.func.value, *node.args[1:]], where, depth)  # type: ignore[attr-defined]
        private = name.startswith("_")
        functions = [f for f in self.functions[name] if not private or f[1].module == where.module]
        if not functions:
            raise NotATemplate(node, where)
        return {
            text
            for function, at in functions
            for returned in _returned(function)
            for text in self.texts(returned, Where(at.module, (*at.functions, function)), depth)
        }

    def _name(self, node: ast.Name, where: Where, depth: int) -> set[str]:
        for level in range(len(where.functions), 0, -1):
            function = where.functions[level - 1]
            inside = Where(where.module, where.functions[:level])
            known = (value for name, value in _locals(function) if name == node.id)
            values = [value for value in known if value.lineno <= node.lineno]
            if values:
                return self._all(values, inside, depth)
            if node.id in _parameters(function):
                return self._handed(function, node.id, inside, depth)
        module = self.modules[where.module]
        if module.values[node.id]:
            return self._all(module.values[node.id], Where(where.module), depth)
        if node.id in module.imports:
            source, name = module.imports[node.id]
            return self._all(self.modules[source].values[name], Where(source), depth)
        raise NotATemplate(node, where)

    def _handed(self, function: Function, name: str, where: Where, depth: int) -> set[str]:
        """What the callers of a function give it as the parameter `name`."""
        found: set[str] = set()
        place = _parameters(function).index(name)
        default = _default(function, name)
        if default is not None:
            found |= self.texts(default, where, depth)
        private = function.name.startswith("_")
        calls = [
            call
            for call in self.calls[function.name]
            if not private or call.where.module == where.module
        ]
        if not calls:
            raise NotATemplate(function, where)
        for node, at in calls:
            given = next((k.value for k in node.keywords if k.arg == name), None)
            if given is None and place < len(node.args):
                given = node.args[place]
            if given is not None:
                found |= self.texts(given, at, depth)
        return found


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _assigned(statement: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """The names that a statement sets, with what they are set to."""
    if isinstance(statement, ast.Assign):
        targets, value = statement.targets, statement.value
    elif isinstance(statement, ast.AnnAssign | ast.NamedExpr) and statement.value is not None:
        targets, value = [statement.target], statement.value
    elif isinstance(statement, ast.For):
        targets, value = [statement.target], statement.iter
    else:
        return
    for target in targets:
        if isinstance(target, ast.Name):
            yield target.id, value
        elif isinstance(target, ast.Tuple):
            yield from _unpacked(target, value)


def _unpacked(target: ast.Tuple, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Names set together: from as many values, or from rows of as many."""
    if not isinstance(value, ast.Tuple | ast.List):
        yield from ((name.id, value) for name in target.elts if isinstance(name, ast.Name))
        return
    same = len(value.elts) == len(target.elts)
    rows = [value] if same and not isinstance(value.elts[0], ast.Tuple) else value.elts
    for row in rows:
        if isinstance(row, ast.Tuple) and len(row.elts) == len(target.elts):
            for name, part in zip(target.elts, row.elts, strict=True):
                if isinstance(name, ast.Name):
                    yield name.id, part


def _locals(function: Function) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(function):
        yield from _assigned(node)


def _returned(function: Function) -> Iterator[ast.expr]:
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and node.value is not None:
            yield node.value


def _parameters(function: Function) -> list[str]:
    names = [argument.arg for argument in function.args.args]
    names += [argument.arg for argument in function.args.posonlyargs]
    return [*(names[1:] if names[:1] in (["self"], ["cls"]) else names), *_named(function)]


def _named(function: Function) -> list[str]:
    return [argument.arg for argument in function.args.kwonlyargs]


def _default(function: Function, name: str) -> ast.expr | None:
    arguments = function.args
    given = arguments.args[len(arguments.args) - len(arguments.defaults) :]
    pairs = [*zip(given, arguments.defaults, strict=True)]
    pairs += [(a, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d]
    return next((value for argument, value in pairs if argument.arg == name), None)


def _is_passed_on(node: ast.Call, where: Where, place: int) -> bool:
    """Whether a maker only hands its own parameter to the next one, whose callers are known."""
    inside = bool(where.functions) and where.functions[-1].name in MAKERS
    return len(node.args) <= place or inside


def _is_of_a_field(maker: str, where: Where) -> bool:
    """Fields of the window refuse with sentences that were made before."""
    return maker == "refuse" and where.module.startswith("designer.ui")
