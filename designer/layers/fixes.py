"""Ways to mend a problem: edits that were tried, with the shape and the parameters they give."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from designer.core import edits, size
from designer.core.document import Dimension, Variable
from designer.core.expression import Expression
from designer.core.graph import Source, Target
from designer.core.layer import CATALOGUE
from designer.core.message import Message, message
from designer.core.tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from designer.core.document import Draft, Edit
    from designer.core.editor import Editable, Preview
    from designer.core.finding import Finding, Problem
    from designer.core.graph import NodeId
    from designer.core.option import Raw
    from designer.core.size import Size

ROW = 104.0
"""Distance from one layer to the next on the canvas, in pixels at 100 % zoom."""

MOST_SHOWN = 5
IMAGE_RANK = 4


@dataclass(frozen=True, slots=True)
class Fix:
    """An edit that mends a problem.

    `shape` is what the layer then takes (a fix that changes what comes in) or gives (one that
    changes the layer). `parameters` is the exact change. `note` says what else holds; `clean`
    whether no problem is left at this layer. `icon` is the kind of layer whose family it shows.
    """

    label: Message
    edit: Edit
    shape: Tensor | None
    parameters: int
    note: Message
    clean: bool
    icon: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that may mend a problem: tried before it is offered."""

    label: Message
    edit: Edit
    icon: str
    shows: str
    """`in`: the shape that arrives at the port is shown; `out`: the one that the layer gives."""
    doubts: tuple[Message, ...] = ()
    """What it does not mend, though the problem is gone."""
    size_follows: bool = False
    """Whether a pinned size may change with it."""


def fixes(editor: Editable, node: NodeId) -> list[Fix]:
    """Ways to mend the problems of a node, the best first.

    The first is the one that changes least and leaves all shapes agreeing. Each has been analysed:
    its shape and change are those that applying it gives.
    """
    found: dict[str, tuple[Cost, Fix]] = {}
    for problem in editor.analysis.problems_by_node.get(node, ()):
        for candidate in _candidates(editor, problem):
            tried = _tried(editor, problem, candidate)
            if tried is not None:
                found.setdefault(str(candidate.label), tried)
    ranked = sorted(found.values(), key=lambda item: item[0])
    rest = sorted(ranked[1:], key=lambda item: (item[0].errors, item[0].changes))
    return [fix for _, fix in (*ranked[:1], *rest)][:MOST_SHOWN]


class Cost(NamedTuple):
    """What speaks against a fix: errors and doubts that stay, places and parameters it changes."""

    left: int
    changes: int
    parameters: int
    errors: int


def _tried(editor: Editable, problem: Problem, candidate: Candidate) -> tuple[Cost, Fix] | None:
    """What a candidate gives; None where it does not mend the problem."""
    edit, preview = _with_size_following(editor, problem, candidate)
    if preview is None or problem.node is None:
        return None
    errors = _errors(preview.problems)
    if _stands(problem, preview.problems) or errors > _errors(editor.analysis.problems()):
        return None
    left = [p.message for p in preview.problems if p.node == problem.node and p.severity != "hint"]
    doubts = (*left, *candidate.doubts)
    finding = preview.findings.get(problem.node, editor.analysis.findings[problem.node])
    fix = Fix(
        candidate.label,
        edit,
        _shape(candidate, finding, problem),
        preview.parameters,
        doubts[0] if doubts else _agreed(errors),
        not doubts,
        candidate.icon,
    )
    changes = sum(key.section != "position" for key in preview.delta.changes)
    return Cost(errors + len(doubts), changes, abs(preview.parameters), errors), fix


def _agreed(problems: int) -> Message:
    return message("all shapes agree") if not problems else message("this layer's shapes agree")


def _errors(problems: Iterable[Problem]) -> int:
    return sum(problem.severity == "error" for problem in problems)


def _stands(problem: Problem, problems: Iterable[Problem]) -> bool:
    """Whether a problem of the same severity is still at the same place."""
    place = (problem.node, problem.severity, problem.port, problem.option)
    return any((p.node, p.severity, p.port, p.option) == place for p in problems)


def _shape(candidate: Candidate, finding: Finding, problem: Problem) -> Tensor | None:
    if candidate.shows == "in":
        arrived = finding.inputs.get(problem.port or "")
        return arrived if isinstance(arrived, Tensor) else None
    return next(iter(finding.outputs.values()), None)


def _with_size_following(
    editor: Editable, problem: Problem, candidate: Candidate
) -> tuple[Edit, Preview | None]:
    """The edit, and where a pinned size then disagrees, the same with the size that fits.

    So `AdaptiveAvgPool2d(1) and Flatten` before a Linear also sets its in_features.
    """
    edit = candidate.edit
    preview = _preview(editor, edit)
    if preview is None or problem.node is None or not candidate.size_follows:
        return edit, preview
    left = next((p for p in preview.problems if _is_pin(p, problem)), None)
    if left is None or left.option is None or left.got is None:
        return edit, preview
    wider = edits.all_of((edit, edits.set_options((problem.node,), {left.option: raw(left.got)})))
    return wider, _preview(editor, wider)


def _is_pin(left: Problem, problem: Problem) -> bool:
    known = left.got is not None and not size.is_unknown(left.got)
    return left.node == problem.node and left.option is not None and known


def _preview(editor: Editable, edit: Edit) -> Preview | None:
    try:
        return editor.preview(edit)
    except edits.Refused:
        return None


def raw(got: Size) -> Raw:
    """A size as an option's raw value."""
    return got if isinstance(got, int) else Expression(str(got))


# Candidates


def _candidates(editor: Editable, problem: Problem) -> Iterator[Candidate]:
    for suggest in _SUGGESTIONS:
        yield from suggest(editor, problem)


def _declare_name(editor: Editable, problem: Problem) -> Iterator[Candidate]:
    name = problem.name
    if name is None or problem.node is None:
        return
    kind = editor.document.graph.nodes[problem.node].kind
    yield Candidate(
        message("Declare {name} as a variable, 128", name=name),
        edits.set_variable(name, Variable(128)),
        kind,
        "out",
    )
    yield Candidate(
        message("Declare {name} as a free dimension", name=name),
        edits.set_dimension(name, Dimension()),
        kind,
        "out",
    )


def _set_option(editor: Editable, problem: Problem) -> Iterator[Candidate]:
    """Give an option that does not fit the value that does."""
    if problem.node is None or not _known(problem.got):
        return
    assert problem.got is not None
    kind = editor.document.graph.nodes[problem.node].kind
    for option in _options_at_fault(editor, problem):
        yield Candidate(
            message("Set {option} to {value}", option=option, value=problem.got),
            edits.set_options((problem.node,), {option: raw(problem.got)}),
            kind,
            "out",
            tuple(_silenced(editor, problem, kind)),
        )


def _options_at_fault(editor: Editable, problem: Problem) -> Iterator[str]:
    """The option that a problem names, else those that have the value that does not fit."""
    if problem.option is not None:
        yield problem.option
        return
    layer = editor.analysis.findings[problem.node].layer if problem.node is not None else None
    for option in layer.declared if layer is not None else ():
        if _known(problem.expected) and getattr(layer, option.name) == problem.expected:
            yield option.name


def _silenced(editor: Editable, problem: Problem, kind: str) -> Iterator[Message]:
    """A Linear that takes an image's width as it comes agrees, and is hardly ever meant."""
    source = _source(editor, problem)
    arrived = editor.analysis.findings[source.node].outputs.get(source.port) if source else None
    if kind == "Linear" and arrived is not None and (arrived.rank or 0) >= IMAGE_RANK:
        yield message("acts on the width alone")


def _reset_option(editor: Editable, problem: Problem) -> Iterator[Candidate]:
    """Give an option that cannot be used its default."""
    if problem.option is None or problem.node is None or problem.got is not None:
        return
    node = editor.document.graph.nodes[problem.node]
    declared = CATALOGUE[node.kind].declared if node.kind in CATALOGUE else ()
    for option in declared:
        if option.name == problem.option:
            yield Candidate(
                message("Set {option} back to {value}", option=option.name, value=option.default),
                edits.set_options((problem.node,), {option.name: option.default}),
                node.kind,
                "out",
            )


def _unify_names(editor: Editable, problem: Problem) -> Iterator[Candidate]:
    """Make two free dimensions one."""
    pair = (str(problem.expected), str(problem.got))
    dimensions = editor.document.dimensions
    if problem.node is not None and all(name in dimensions for name in pair):
        yield Candidate(
            message("Make {gone} and {keep} one dimension, {keep}", keep=pair[0], gone=pair[1]),
            edits.unify(*pair),
            editor.document.graph.nodes[problem.node].kind,
            "out",
        )


WIDTHS = ("out_features", "out_channels", "embedding_dim", "hidden_size")


def _set_source_width(editor: Editable, problem: Problem) -> Iterator[Candidate]:
    """Set the layer that gave an axis its size to the size that is expected, or the other way."""
    if problem.node is None or not (_known(problem.got) and _known(problem.expected)):
        return
    assert problem.expected is not None
    assert problem.got is not None
    wires = [edge.source.node for edge in editor.document.graph.edges_into(problem.node)]
    pairs = ((problem.got, problem.expected), (problem.expected, problem.got))
    for id in dict.fromkeys(node for wire in wires for node in _upstream(editor, wire)):
        layer = editor.analysis.findings[id].layer
        for option in WIDTHS:
            for old, new in pairs:
                if getattr(layer, option, None) == old:
                    yield _width_set(editor, id, option, new)


def _width_set(editor: Editable, id: NodeId, option: str, value: Size) -> Candidate:
    node = editor.document.graph.nodes[id]
    label = message("Set {option} of {name} to {value}", option=option, name=node.name, value=value)
    return Candidate(label, edits.set_options((id,), {option: raw(value)}), node.kind, "out")


def _upstream(editor: Editable, node: NodeId) -> Iterator[NodeId]:
    """A layer and those that lead to it by first inputs, nearest first; a few of them."""
    for _ in range(8):
        yield node
        into = next(iter(editor.document.graph.edges_into(node)), None)
        if into is None:
            return
        node = into.source.node


def _known(value: Size | None) -> bool:
    return value is not None and not size.is_unknown(value)


def _port(editor: Editable, problem: Problem) -> Target | None:
    """The input that a problem is about: its port, else the node's first."""
    if problem.node is None:
        return None
    layer = editor.analysis.findings[problem.node].layer
    first = next((port.name for port in layer.inputs()), None) if layer else None
    port = problem.port or first
    return Target(problem.node, port, problem.slot) if port else None


def _source(editor: Editable, problem: Problem) -> Source | None:
    target = _port(editor, problem)
    return editor.document.graph.source(target) if target else None


def _chains(tensor: Tensor) -> Iterator[tuple[Message, tuple[tuple[str, dict[str, Raw]], ...]]]:
    """Layers that are often missing before one that refuses `tensor`."""
    rank = tensor.rank or 0
    flatten: tuple[str, dict[str, Raw]] = ("Flatten", {})
    if rank > 2:
        yield message("Insert Flatten"), (flatten,)
    if 3 <= rank <= 5:
        pool = f"AdaptiveAvgPool{rank - 2}d"
        label = message("Insert {pool}(1) and Flatten", pool=pool)
        yield label, ((pool, {"output_size": 1}), flatten)
    if rank == 3:
        yield message("Insert Transpose"), (("Transpose", {"dim0": 1, "dim1": 2}),)
    yield message("Insert Unsqueeze"), (("Unsqueeze", {"dim": 1}),)


def _insert_before(editor: Editable, problem: Problem) -> Iterator[Candidate]:
    """Put layers into the wire that brings the wrong shape."""
    target, source = _port(editor, problem), _source(editor, problem)
    if target is None or source is None or problem.severity == "hint":
        return
    arrived = editor.analysis.findings[source.node].outputs.get(source.port)
    if arrived is None or arrived.rank is None:
        return
    for label, chain in _chains(arrived):
        if all(kind in CATALOGUE for kind, _ in chain):
            flat = chain[-1][0] == "Flatten"
            edit = insert_chain(target, chain)
            yield Candidate(label, edit, chain[0][0], "in", size_follows=flat)


def insert_chain(target: Target, chain: Iterable[tuple[str, dict[str, Raw]]]) -> Edit:
    """Put new layers, in order, into the wire that comes into `target`; what follows makes room."""
    parts = tuple(chain)

    def edit(draft: Draft) -> None:
        for kind, options in parts:
            x, y = draft.document.layout.get(target.node, (0.0, 0.0))
            edits.make_room(target.node, ROW)(draft)
            edits.insert(target, kind, (x, y), options)(draft)

    return edit


def _insert_activation(editor: Editable, problem: Problem) -> Iterator[Candidate]:
    """Put an activation between two layers that are linear together."""
    target = _port(editor, problem)
    if problem.severity == "hint" and problem.expected is None and target is not None:
        edit = insert_chain(target, (("ReLU", {}),))
        yield Candidate(message("Insert ReLU"), edit, "ReLU", "in")


def _connect_nearest(editor: Editable, problem: Problem) -> Iterator[Candidate]:
    """Connect an input that has no wire to outputs that are free, the nearest above first."""
    target = _port(editor, problem)
    if problem.severity != "incomplete" or target is None:
        return
    graph = editor.document.graph
    # Places are those of all levels: what stands within blocks is out of reach.
    layout = {id: place for id, place in editor.document.layout.items() if id in graph.nodes}
    here = layout.get(target.node, (0.0, 0.0))
    free = [
        (abs(x - here[0]) + (here[1] - y), id)
        for id, (x, y) in layout.items()
        if id != target.node and y < here[1] and not graph.targets.get(id)
    ]
    slot = max((*graph.slots(target.node, target.port), -1)) + 1
    for _, id in sorted(free)[:2]:
        for port in editor.analysis.findings[id].outputs:
            node = graph.nodes[id]
            edit = edits.connect(Source(id, port), target._replace(slot=slot))
            yield Candidate(message("Connect {name}", name=node.name), edit, node.kind, "out")


def _declare_divisor(editor: Editable, problem: Problem) -> Iterator[Candidate]:
    """Declare that one variable divides another, where sizes agree at these values only."""
    if problem.severity != "hint" or problem.node is None or problem.expected is None:
        return
    variables = editor.document.variables
    used = [
        n for n in size.names(problem.expected) | size.names(problem.got or 0) if n in variables
    ]
    kind = editor.document.graph.nodes[problem.node].kind
    for whole in sorted(used):
        for part in sorted(used):
            if part != whole and part not in variables[whole].divisors:
                yield Candidate(
                    message("Declare that {part} divides {whole}", part=part, whole=whole),
                    _with_divisor(whole, part, variables[whole]),
                    kind,
                    "out",
                )


def _with_divisor(whole: str, part: str, variable: Variable) -> Edit:
    declared = replace(variable, divisors=(*variable.divisors, part))
    return edits.set_variable(whole, declared)


_SUGGESTIONS: tuple[Callable[[Editable, Problem], Iterator[Candidate]], ...] = (
    _declare_name,
    _set_option,
    _insert_before,
    _unify_names,
    _set_source_width,
    _declare_divisor,
    _reset_option,
    _insert_activation,
    _connect_nearest,
)
