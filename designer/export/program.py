"""What is to be written, whatever the target: modules to make and calls to run, in their order."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple, cast

from designer.core import expression, size
from designer.core.blueprint import Blueprint
from designer.core.code import Support
from designer.core.composite import Definition
from designer.core.expression import Expression, Flag, Real
from designer.core.names import RESERVED, argument_names, python_name
from designer.core.option import names_in
from designer.core.parts import names_used, parts
from designer.core.size import Symbolic
from designer.core.written import Written
from designer.export.flow import NOTHING, Flow, reads
from designer.export.uses import code_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from designer.core.code import Call, Copies
    from designer.core.expression import Value as Known
    from designer.core.graph import NodeId, Source
    from designer.export.flow import Read, Step, Value
    from designer.export.uses import Drawn

DEFINED = frozenset((Blueprint, Definition, Support, Written))
"""What stands in a file besides its main class."""


@dataclass(frozen=True, slots=True)
class Constructed:
    """A variable as an argument of the constructor; `type` is int, float, bool or str.

    Without a default it is always given, unless there is a `formula`: a Size, or what carries its
    `source`.
    """

    name: str
    type: str
    default: int | float | bool | str | None
    formula: object = None


@dataclass(frozen=True, slots=True)
class Derived:
    """A variable that is worked out from others: `value` is a Size or carries its `source`."""

    name: str
    value: object


@dataclass(frozen=True, slots=True)
class Make:
    """A module to be made; `locked` where its parameters are not trained."""

    node: NodeId
    attribute: str
    call: Call | Copies
    locked: bool


class Preset(NamedTuple):
    """A class method that makes the module with the values of the preset `title`."""

    title: str
    method: str
    values: tuple[tuple[str, int | float | bool | str], ...]


class Tie(NamedTuple):
    """A parameter that takes over the tensor of another, each as (attribute, parameter)."""

    node: NodeId
    param: tuple[str, str]
    owner: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Program:
    """A design in creation order. `names` maps variables and dimensions to Python names.

    `stored` are the variables that the forward pass uses too.
    """

    name: str
    parameters: int
    constructed: tuple[Constructed, ...]
    presets: tuple[Preset, ...]
    derived: tuple[Derived, ...]
    stored: tuple[str, ...]
    makes: tuple[Make, ...]
    ties: tuple[Tie, ...]
    inputs: tuple[tuple[NodeId, str], ...]
    outputs: tuple[NodeId, ...]
    reads: tuple[Read, ...]
    steps: tuple[Step, ...]
    results: tuple[Value, ...]
    variables: Mapping[str, str]
    dimensions: Mapping[str, str]
    scope: Mapping[str, Known]


def class_name(title: str) -> str:
    """A class name for a title: `GPT-2 small` is `GPT2Small`; `Network` for none."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    words = re.findall(r"[A-Za-z0-9]+", plain)
    joined = "".join(word[0].upper() + word[1:] for word in words)[:60]
    if not joined or joined[0].isdigit():
        joined = f"Network{joined}"
    return f"{joined}_" if joined in RESERVED else joined


# Building


def build(analysis: Drawn, title: str = "", called: Mapping[Source, str] = NOTHING) -> Program:
    """The program of a design that can be exported: one without `export_problems`.

    `called` are names for values in the forward pass.
    """
    makes = tuple(_makes(analysis))
    flow = Flow(analysis, called)
    in_forward = {name for id in flow.live for name in names_used(_use(analysis, id))}
    used = in_forward.union(*(names_used(make.call) for make in makes))
    if isinstance(analysis, Blueprint):
        used |= set(analysis.formal)
    variables = _variable_names(analysis, used, _written_in(makes))
    constructed = tuple(_constructed(analysis, variables))
    dimensions = flow.dimension_names(in_forward)
    return Program(
        name=class_name(title),
        parameters=analysis.counted.parameters,
        constructed=constructed,
        presets=tuple(_presets(analysis, variables, constructed)),
        derived=tuple(_derived(analysis, variables)),
        stored=tuple(variables[name] for name in variables if name in in_forward),
        makes=makes,
        ties=tuple(_ties(analysis)),
        inputs=tuple(flow.arguments.items()),
        outputs=tuple(flow.outputs),
        reads=tuple(reads(analysis, flow.arguments, dimensions)),
        steps=tuple(flow.steps()),
        results=flow.results(),
        variables=variables,
        dimensions=dimensions,
        scope=analysis.scope,
    )


def build_definition(definition: Definition | Blueprint) -> Program:
    """The program of a class that modules of a design are made of.

    Uses of a composite differ in shapes, so its class tells none.
    """
    if isinstance(definition, Blueprint):
        made = build(definition, definition.kind)
    else:
        made = shapeless(build(definition, definition.kind, definition.called))
    names = {python: name for name, python in made.variables.items()}
    arguments = (_argument(definition, names[given.name], given) for given in made.constructed)
    return replace(made, constructed=tuple(arguments))


def shapeless(made: Program) -> Program:
    """The program without the shapes of its values."""
    return replace(made, steps=tuple(replace(step, shape=None) for step in made.steps))


def _argument(definition: Definition | Blueprint, name: str, given: Constructed) -> Constructed:
    raw = definition.formula(name) if isinstance(definition, Blueprint) else None
    formula = None if raw is None else _evaluated(raw, definition)
    return replace(given, default=definition.default(name), formula=formula)


def functions_in(program: Program) -> list[Blueprint | Definition | Support | Written]:
    """The classes and functions that a program needs defined, in the order of their use."""
    codes = [*(make.call for make in program.makes), *(step.use for step in program.steps)]
    found = (part for code in codes for part in parts(code, DEFINED))
    return list(dict.fromkeys(found))


def _use(analysis: Drawn, id: NodeId) -> object:
    code = code_of(analysis, id)
    return code.use if code else None


def _makes(analysis: Drawn) -> Iterator[Make]:
    nodes = analysis.document.graph.nodes
    for id in analysis.network.ordered():
        code = code_of(analysis, id)
        if code is not None and code.make is not None:
            params = analysis.findings[id].params
            learns = any(param.part != "buffer" for param in params)
            locked = learns and not nodes[id].trainable
            yield Make(id, nodes[id].attribute, code.make, locked)


def _ties(analysis: Drawn) -> Iterator[Tie]:
    nodes = analysis.document.graph.nodes
    for id in analysis.network.ordered():
        for param, owner in analysis.findings[id].tied.items():
            theirs = (nodes[owner.node].attribute, owner.param)
            yield Tie(id, (nodes[id].attribute, param), theirs)


# Variables


def _written_in(makes: tuple[Make, ...]) -> set[str]:
    """The classes that a constructor calls by names that cannot change."""
    found = (part for make in makes for part in parts(make.call, frozenset((Written,))))
    return {written.name for written in found}


def _variable_names(analysis: Drawn, used: set[str], classes: set[str]) -> dict[str, str]:
    """The variables that the code needs, as declared, each with its Python name."""
    declared = analysis.document.variables
    needed: set[str] = set()
    waiting = [name for name in used if name in declared]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += [other for other in names_in(declared[name].value) if other in declared]
    taken = classes | {node.attribute for node in analysis.document.graph.nodes.values()}
    return argument_names((name for name in declared if name in needed), taken)


def _constructed(analysis: Drawn, names: Mapping[str, str]) -> Iterator[Constructed]:
    for name, python in names.items():
        if not _depends(analysis, name):
            default = _literal(analysis.scope[name])
            yield Constructed(python, type(default).__name__, default)


def _presets(
    analysis: Drawn, names: Mapping[str, str], constructed: tuple[Constructed, ...]
) -> Iterator[Preset]:
    """The presets that set arguments of the constructor."""
    given = {argument.name for argument in constructed}
    taken = {node.attribute for node in analysis.document.graph.nodes.values()}
    taken |= set(names.values())
    for title, preset in analysis.document.presets.items():
        values = tuple(
            (names[name], _literal(cast("Known", value)))
            for name, value in preset.items()
            if names.get(name) in given
        )
        if values:
            method = python_name(title.lower(), taken)
            taken.add(method)
            yield Preset(title, method, values)


def _depends(analysis: Drawn, name: str) -> bool:
    """Whether a variable is worked out from others."""
    return bool(names_in(analysis.document.variables[name].value))


def _literal(known: Known) -> int | float | bool | str:
    """The value of a variable as a plain literal."""
    if isinstance(known, Flag | bool):
        return bool(known)
    if isinstance(known, str):
        return str.__str__(known)
    if isinstance(known, Real | Fraction):
        return float(known)
    number = size.value(known) if isinstance(known, int | Symbolic) else known
    return 0 if number is None else number


def _derived(analysis: Drawn, names: Mapping[str, str]) -> Iterator[Derived]:
    """Variables over others, each after those that it uses."""
    waiting = [name for name in names if _depends(analysis, name)]
    done = {name for name in names if name not in waiting}
    while waiting:
        ready = [name for name in waiting if _uses(analysis, name) <= done]
        for name in ready:
            yield Derived(names[name], _formula(analysis, name))
        done.update(ready)
        waiting = [name for name in waiting if name not in done]


def _uses(analysis: Drawn, name: str) -> set[str]:
    return set(names_in(analysis.document.variables[name].value))


def _formula(analysis: Drawn, name: str) -> object:
    """What a variable is worked out by: a Size where it is whole, else its text."""
    raw = analysis.document.variables[name].value
    assert isinstance(raw, Expression)
    return _evaluated(raw, analysis)


def _evaluated(raw: Expression, analysis: Drawn) -> object:
    result = expression.evaluate(raw.text, analysis.scope)
    return Real(float(result), raw.text) if isinstance(result, Fraction) else result
