"""What the inspector says of some layers' options, read off document and analysis."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from designer.core import numbers, size
from designer.core.block import BlockUse
from designer.core.building import build
from designer.core.code import Call
from designer.core.entry import text_of
from designer.core.expression import Expression, Flag
from designer.core.layer import examine, options_of
from designer.core.option import names_in
from designer.core.param import tally
from designer.core.size import Symbolic

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from designer.core.analysis import Analysis
    from designer.core.editor import Editable
    from designer.core.finding import Finding, Problem
    from designer.core.graph import Node, NodeId
    from designer.core.kinds import Kinds
    from designer.core.option import Option, Raw
    from designer.core.param import Param

MIXED = "mixed"
"""Stands in a field where the selected layers differ."""


@dataclass(frozen=True, slots=True)
class View:
    """An option as its field shows it.

    `value` is what an expression comes to, `inferred` what the wire brings where the field is
    empty, `own` what a block takes there by itself, `agrees` whether a value was checked, `adds`
    the parameters that a switch adds.
    """

    raw: Raw = None
    mixed: bool = False
    value: str = ""
    inferred: str = ""
    own: str = ""
    agrees: bool = False
    problem: str = ""
    faulty: bool = False
    on: bool = False
    adds: int | None = None


def shared_options(nodes: Sequence[Node], kinds: Kinds) -> tuple[Option, ...]:
    """The options that all nodes have and that take the same values, in the first one's order."""
    if not nodes or any(node.kind not in kinds for node in nodes):
        return ()
    first = options_of(kinds[nodes[0].kind])
    others = [
        {_likeness(option) for option in options_of(kinds[kind])}
        for kind in {node.kind for node in nodes}
    ]
    return tuple(option for option in first if all(_likeness(option) in other for other in others))


def _likeness(option: Option) -> tuple[object, ...]:
    return (option.name, option.kind, option.many, option.choices, option.optional)


def view_of(editor: Editable, ids: Sequence[NodeId], option: Option) -> View:
    """How one option of the selected layers stands."""
    nodes = editor.document.graph.nodes
    raws = [dict(nodes[id].options).get(option.name, option.default) for id in ids]
    if len(ids) == 1:
        return _single_view(editor, ids[0], option, raws[0])
    problem, faulty = _fault(editor, ids, option)
    if any(repr(raw) != repr(raws[0]) for raw in raws[1:]):
        return View(mixed=True, problem=problem, faulty=faulty)
    on = _is_on(getattr(editor.analysis.findings[ids[0]].layer, option.name, None))
    return View(raw=raws[0], problem=problem, faulty=faulty, on=on)


def _single_view(editor: Editable, id: NodeId, option: Option, raw: Raw) -> View:
    finding = editor.analysis.findings[id]
    problem, faulty = _fault(editor, (id,), option)
    if isinstance(finding.layer, BlockUse):
        return _use_view(finding.layer, option, View(raw, problem=problem, faulty=faulty))
    value = getattr(finding.layer, option.name, None)
    known = "" if faulty else _shown_value(raw, value)
    return View(
        raw=raw,
        value=known,
        inferred=_inferred(finding, option) if raw is None else "",
        agrees=not problem and (bool(known) or _pinned(finding, option, raw)),
        on=_is_on(value),
        adds=added(editor, id, option) if option.kind == "flag" else None,
        problem=problem,
        faulty=faulty,
    )


def _use_view(use: BlockUse, option: Option, view: View) -> View:
    """How an option of a block's use stands: where an argument is empty the block's own shows."""
    argument, raw = use.block.arguments.get(option.name), view.raw
    given = getattr(use, option.name, None)
    value = given if given is not None else use.scope.get(option.name)
    own = ""
    if argument is not None and raw is None:
        own, raw = text_of(argument.value), argument.value
    known = "" if view.faulty else _shown_value(raw, value)
    fits = bool(known or own) and not view.problem and bool(quotients(use, option.name))
    return replace(view, value=known, own=own, agrees=fits, on=_is_on(value))


def quotients(use: BlockUse, name: str) -> list[str]:
    """`768 ÷ 12 = 64` for an argument that is declared to divide others, where it does."""
    found = []
    below = _whole(use, name)
    for other, argument in use.block.arguments.items():
        above = _whole(use, other)
        if name in argument.divisors and above and below and above % below == 0:
            parts = (numbers.count(n) for n in (above, below, above // below))
            found.append("{} ÷ {} = {}".format(*parts))
    return found


def _whole(use: BlockUse, name: str) -> int | None:
    """The value of an argument, where it is a known size."""
    value = use.scope.get(name)
    return size.value(value) if isinstance(value, int | Symbolic) else None


def _fault(editor: Editable, ids: Iterable[NodeId], option: Option) -> tuple[str, bool]:
    """The worst problem at the option, as its sentence, and whether it is an error."""
    found = [
        problem
        for id in ids
        for problem in editor.analysis.problems_by_node.get(id, ())
        if problem.option == option.name
    ]
    errors = [problem for problem in found if problem.severity == "error"]
    shown = next(iter(errors or found), None)
    return str(shown.message) if shown else "", bool(errors)


def _is_on(value: object) -> bool:
    return bool(value) if isinstance(value, bool | Flag) else False


def _pinned(finding: Finding, option: Option, raw: Raw) -> bool:
    """Whether a size stands where one would be inferred, and a wire has confirmed it."""
    inputs = finding.inputs.values()
    known = bool(inputs) and not any(isinstance(x, tuple) or x.partial for x in inputs)
    return option.kind == "size" and option.optional and raw is not None and known


def _shown_value(raw: Raw, value: object) -> str:
    """`3,072` for `4*d_model`; empty where the value says no more than the text does."""
    text = _value_text(value) if _has_expression(raw) else ""
    return "" if text == text_of(raw) else text


def _has_expression(raw: Raw) -> bool:
    if isinstance(raw, tuple):
        return any(names_in(part) for part in raw)
    return isinstance(raw, Expression)


def _value_text(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(size.at_values(part)) if _is_size(part) else "–" for part in value)
    if isinstance(value, Symbolic | int) and not isinstance(value, bool | Flag):
        known = size.value(value)
        return str(value) if known is None else numbers.count(known)
    return "" if value is None else str(value)


def _is_size(value: object) -> bool:
    return isinstance(value, Symbolic | int)


def _inferred(finding: Finding, option: Option) -> str:
    """What the layer takes where the option is empty; empty where nothing determines it."""
    code = finding.result.written if finding.result else None
    make = code.make if code else None
    value = _argument(make, finding, option) if isinstance(make, Call) else None
    parts = value if isinstance(value, tuple) else (value,)
    if any(not _is_size(part) or size.is_unknown(part) for part in parts):
        return ""
    return ", ".join(str(size.at_values(part)) for part in parts)


def _argument(make: Call, finding: Finding, option: Option) -> object:
    """The value of an option as code writes it: the first ones by place, others by name."""
    if not str(make.function).startswith("nn.") or finding.layer is None:
        return None
    names = [declared.name for declared in finding.layer.declared]
    return (dict(zip(names, make.args, strict=False)) | dict(make.kwargs)).get(option.name)


def added(editor: Editable, id: NodeId, option: Option) -> int | None:
    """The parameters that a switch adds to its layer when it is on; None where it cannot be."""
    with_it, without = (_count_with(editor, id, option, value) for value in (True, False))
    return None if with_it is None or without is None else with_it - without


def _count_with(editor: Editable, id: NodeId, option: Option, value: bool) -> int | None:
    node, finding = editor.document.graph.nodes[id], editor.analysis.findings[id]
    kind = editor.analysis.kind(node.kind)
    assert kind is not None
    built = build(kind, node.with_options({option.name: value}), editor.analysis.scope)
    result = None if built.problems else examine(built.layer, finding.inputs).result
    if result is None:
        return None
    counted = tally(param for param in result.params if param.name not in finding.tied)
    return None if counted.unknown else counted.parameters


def trained_params(finding: Finding) -> tuple[Param, ...]:
    """The parameters of a layer, without buffers."""
    return tuple(param for param in finding.params if param.part != "buffer")


def loose_problems(finding: Finding, shown: Iterable[Option]) -> list[Problem]:
    """The problems of a layer that stand under no field."""
    names = {option.name for option in shown}
    return [problem for problem in finding.problems if problem.option not in names]


def agreement(analysis: Analysis, id: NodeId, option: Option) -> str:
    """`mlp_down takes 3,072: agrees.` for the size that a layer gives to the one behind it."""
    if not option.name.startswith("out_"):
        return ""
    taker = _taker(analysis, id)
    finding = analysis.findings[taker] if taker is not None else None
    sizes = (
        (axis.size for p in trained_params(finding) for axis in p.axes if axis.label[:3] == "in_")
        if finding
        else iter(())
    )
    wanted = next(sizes, None)
    if taker is None or finding is None or wanted is None:
        return ""
    name = analysis.document.graph.nodes[taker].name
    verdict = (
        "disagrees"
        if any(p.expected is not None for p in finding.problems if p.blocks)
        else "agrees"
    )
    return f"{name} takes {numbers.count(size.value(wanted))}: {verdict}."


_FAR = 8
"""So many layers without parameters are looked through for the one that takes a size."""


def _taker(analysis: Analysis, id: NodeId) -> NodeId | None:
    graph = analysis.document.graph
    for _ in range(_FAR):
        targets = graph.targets.get(id, ())
        if len(targets) != 1:
            return None
        id = targets[0].node
        if trained_params(analysis.findings[id]):
            return id
    return None
