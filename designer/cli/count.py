"""`netdraft count`: every number of a design, for people and for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from designer.cli.blocks import kind_in_words, plain_uses, table_of_uses
from designer.cli.choosing import with_values
from designer.cli.opening import open_document, placed
from designer.cli.saying import columns, left, listed, right, say, told
from designer.core import cost, count, numbers, size
from designer.core.analysis import Analysis
from designer.core.block import BlockUse
from designer.core.message import message
from designer.core.param import within
from designer.core.tensor import Tensor
from designer.export.uses import outputs_of
from designer.files.refusal import shown

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable, Iterator, Sequence

    from designer.core.finding import Finding
    from designer.core.graph import NodeId

NAME_WIDTH = 32
LONGEST_PERIOD = 32
"""Layers that repeat as a group are found up to this many in the group."""

LEAST_REPEATS = 3
LONGEST_FORMULA = 200
HEADINGS = (
    message("layer"),
    message("kind"),
    message("output"),
    message("parameters"),
    message("share"),
)
MOST_LISTED = 1_000_000
"""Tensors that are listed one by one."""

MOST_TERMS = 8
"""The total is also written as a sum where it has no more terms."""


def run(arguments: Namespace) -> int:
    """Print the count of a design; 1 where something in it blocks an exact count."""
    document = open_document(arguments.file)
    analysis = Analysis(with_values(document, arguments.preset, arguments.set))
    blocking = [problem for problem in analysis.problems() if problem.blocks]
    if arguments.json:
        found = plain(analysis)
        if arguments.blocks:
            found["blocks"] = plain_uses(analysis)
        print(json.dumps(found, indent=2, ensure_ascii=True))
    else:
        blocks = ["", *table_of_uses(analysis)] if arguments.blocks else []
        print("\n".join([*table(analysis), *blocks]))
        for problem in blocking:
            say(placed(problem, analysis.document))
    return 1 if blocking else 0


# For programs


def plain(analysis: Analysis) -> dict[str, Any]:
    """All counts as plain data: tensors in state-dict order, free axes as text, unknown as null."""
    totals, forward = analysis.totals(), cost.whole_forward(analysis)
    return {
        "parameters": totals.parameters,
        "trainable": totals.trainable,
        "active": totals.active,
        "buffers": totals.buffers,
        "weights": totals.weights,
        "biases": totals.biases,
        "known": totals.known,
        "flops": forward.flops if forward.until is None else None,
        "elementwise": forward.elementwise if forward.beyond is None else None,
        "tensors": [_tensor(row) for row in _rows(analysis)],
        "outputs": list(_outputs(analysis)),
        "problems": list(plain_problems(analysis)),
    }


def _rows(analysis: Analysis) -> Iterator[count.Row]:
    """Every tensor; where there are too many to list, one row for all copies of each."""
    listed = count.tensors(analysis) <= MOST_LISTED
    return count.rows(analysis) if listed else count.grouped_rows(analysis)


def _tensor(row: count.Row) -> dict[str, Any]:
    copies = {"copies": _axis(row.param.copies)} if row.param.spans else {}
    return copies | {
        "name": row.key,
        "shape": _axes(row.param.shape),
        "role": row.param.part,
        "norm": row.norm,
        "trainable": row.trainable,
        "shared_with": row.owner,
    }


def _axes(shape: Iterable[size.Size]) -> list[int | str | None]:
    return [_axis(axis) for axis in shape]


def _axis(axis: size.Size) -> int | str | None:
    if size.is_unknown(axis):
        return None
    number = size.value(axis)
    return str(size.at_values(axis)) if number is None else number


def _outputs(analysis: Analysis) -> Iterator[dict[str, Any]]:
    for id in outputs_of(analysis):
        tensor = next(iter(analysis.findings[id].inputs.values()))
        assert isinstance(tensor, Tensor)
        yield {
            "name": analysis.document.graph.nodes[id].name,
            "shape": None if tensor.partial else _axes(tensor.shape),
            "dtype": tensor.dtype,
        }


def plain_problems(analysis: Analysis) -> Iterator[dict[str, Any]]:
    """Problems as plain data, with the sentence that people see."""
    nodes = analysis.document.graph.nodes
    for problem in analysis.problems():
        yield {
            "severity": problem.severity,
            "layer": None if problem.node is None else nodes[problem.node].name,
            "port": problem.port,
            "option": problem.option,
            "message": told(problem.message),
        }


# For people


class Line(NamedTuple):
    """A layer in the table, or `times` layers that are alike up to their names."""

    name: str
    kind: str
    shape: str
    parameters: int | None
    times: int = 1
    tied: str = ""
    """The state-dict keys in which its tied parameters are counted."""
    copies: int = 1
    """How many equal parts its parameters have: those of the copies of a block."""


def table(analysis: Analysis) -> Iterator[str]:
    """The lines of the count: layers in creation order, then the totals."""
    layers = [_line(analysis, id) for id in analysis.network.ordered()]
    total = analysis.counted.parameters
    lines = list(grouped(layers))
    cells = [tuple(map(told, HEADINGS))]
    cells += [_cells(line, total) for line in lines]
    widths = [max(map(columns, column)) for column in zip(*cells, strict=True)]
    notes = ["", *(_note(line) for line in lines)]
    sides = (left, left, left, right, right)
    for row, note in zip(cells, notes, strict=True):
        placed = (side(text, width) for side, text, width in zip(sides, row, widths, strict=True))
        yield f"{'  '.join(placed)}{note}".rstrip()
    yield ""
    yield from totals(analysis, lines)


def _line(analysis: Analysis, id: NodeId) -> Line:
    node, finding = analysis.document.graph.nodes[id], analysis.findings[id]
    tensors = finding.outputs.values() or (t for t in finding.inputs.values())
    shape = ", ".join(_shape(tensor) for tensor in tensors if isinstance(tensor, Tensor))
    known = not finding.counted.unknown and finding.result is not None
    count = finding.counted.parameters if known else None
    kind, name = kind_in_words(finding.layer, node.kind), shown(node.name, NAME_WIDTH)
    return Line(name, kind, shape, count, tied=_owners(analysis, id), copies=_copies(finding))


def _copies(finding: Finding) -> int:
    """How many copies a layer has that are alike and have weights of their own."""
    copies = size.value(finding.layer.copies) if isinstance(finding.layer, BlockUse) else None
    alike = all(param.spans and param.spans[0].first == 0 for param in finding.params)
    return copies if copies and alike and not finding.tied else 1


def _owners(analysis: Analysis, id: NodeId) -> str:
    nodes = analysis.document.graph.nodes
    owners = analysis.findings[id].tied.values()
    return ", ".join(within(nodes[owner.node].attribute, owner.param) for owner in owners)


def _shape(tensor: Tensor) -> str:
    return str(Tensor(tuple(map(size.at_values, tensor.shape)), tensor.dtype, tensor.partial))


def _note(line: Line) -> str:
    return "  " + told(message("tied to {owners}", owners=line.tied)) if line.tied else ""


def _cells(line: Line, total: int) -> tuple[str, ...]:
    count, times = line.parameters, line.times
    several = f"{times} × " if times > 1 else ""
    figure = "" if count == 0 else several + numbers.count(count)
    if line.tied:
        figure = several + numbers.count(count)
    share = numbers.percent(count * times, total) if count else ""
    return line.name, several + line.kind, line.shape, figure, share


def grouped(layers: Sequence[Line]) -> Iterator[Line]:
    """The layers, with repeated groups of them written once."""
    place = 0
    while place < len(layers):
        period, times = _repeats(layers, place)
        for offset in range(period):
            first = layers[place + offset]
            last = layers[place + offset + period * (times - 1)]
            name = first.name if times == 1 else f"{first.name} … {last.name}"
            yield first._replace(name=name, times=times)
        place += period * times


def _repeats(layers: Sequence[Line], place: int) -> tuple[int, int]:
    """The shortest group that repeats at a place, and how often; (1, 1) where none does."""
    for period in range(1, LONGEST_PERIOD + 1):
        times, start = 1, place + period
        while _alike(layers, place, start, period):
            times, start = times + 1, start + period
        if times >= LEAST_REPEATS:
            return period, times
    return 1, 1


def _alike(layers: Sequence[Line], a: int, b: int, period: int) -> bool:
    """Whether two groups of layers differ in their names only."""
    if b + period > len(layers):
        return False
    return all(layers[a + step][1:] == layers[b + step][1:] for step in range(period))


def totals(analysis: Analysis, lines: Sequence[Line]) -> Iterator[str]:
    """The totals, as sums where that makes them plain."""
    found, forward = analysis.totals(), cost.whole_forward(analysis)
    figure = numbers.count if found.known else numbers.at_least
    least = "" if found.known else "≥ "
    sizes = (
        message("{size} in {dtype}", size=f"{least}{numbers.size_bytes(number)}", dtype=dtype)
        for dtype in cost.WEIGHT_BYTES
        for number in (cost.weight_bytes(found, dtype),)
    )
    rows = [
        (message("parameters"), figure(found.parameters) + _as_sum(lines)),
        *([(message("active per token"), figure(found.active))] if found.idle else []),
        (message("trainable"), figure(found.trainable)),
        (message("weights"), figure(found.weights)),
        (message("biases"), figure(found.biases)),
        (message("buffers"), figure(found.buffers)),
        (message("memory"), listed(sizes)),
        (message("operations"), _operations(forward)),
    ]
    formula = count.symbolic_total(analysis)
    if found.known and size.names(formula) and len(str(formula)) <= LONGEST_FORMULA:
        rows.append((message("formula"), str(formula)))
    width = max(columns(told(label)) for label, _ in rows)
    for label, text in rows:
        yield f"{left(told(label), width)}  {text}"


def _operations(forward: cost.Forward) -> str:
    """Operations of a forward pass, element-wise ones apart."""
    products = _at_least(forward.flops, forward.until)
    others = _at_least(forward.elementwise, forward.beyond)
    template = "{products}; element-wise, apart: {others}"
    return told(message(template, products=products, others=others))


def _at_least(operations: int, until: NodeId | None) -> str:
    """Operations; more than these where those of a layer are not known."""
    return numbers.flops(operations) if until is None else f"≥ {numbers.flops(operations)}"


def _as_sum(lines: Sequence[Line]) -> str:
    """` = 8,000,080,000 + 99 × 6,400,080,000 + 400,005,000`, where it is short enough."""
    terms: list[tuple[int, int]] = []
    for line in lines:
        if line.parameters is None:
            return ""
        if line.parameters:
            terms.append((line.times * line.copies, line.parameters // line.copies))
    written = [
        f"{times} × {numbers.count(count)}" if times > 1 else numbers.count(count)
        for times, count in terms
    ]
    plain = len(written) > 1 or any(times > 1 for times, _ in terms)
    return f" = {' + '.join(written)}" if plain and len(written) <= MOST_TERMS else ""
