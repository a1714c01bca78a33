"""Shapes and counts: from an edit, and from a file, beside torch on the meta device."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

from designer import resources
from designer.core import edits
from designer.core.analysis import Analysis
from designer.core.document import Dimension
from designer.core.editor import Editor
from designer.core.edits import Refused
from designer.core.expression import Expression
from designer.core.graph import Source, Target
from designer.core.message import message
from designer.files.codec import read_document
from tests.bench.designs import DIMENSIONS, chain, distinct, pictures, rebuilt, residual, straight
from tests.bench.measure import Figure, medians, milliseconds, percentile, typical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from designer.core.document import Document, Edit

E = Expression
STEP = message("Change")
SHAPE = (E("B"), E("T"), E("d"))
TRIED = (2, 16, 512)
EDITS = 400


def large(layers: int) -> Document:
    """A design of so many layers, most of them of the width `d`."""
    return chain(SHAPE, residual(layers, E("d")), d=512)


def field_edits(layers: int) -> Callable[[], float]:
    """What makes one edit of one option in the middle, to a value that was never there.

    It returns the milliseconds from the edit to the totals.
    """
    editor = Editor(chain(SHAPE, straight(layers, E("d")), d=512))
    middle = layers // 4 * 2
    assert editor.document.graph.nodes[middle].kind == "Linear"
    widths = iter(range(1000, 1_000_000))

    def edit() -> float:
        change = edits.set_options([middle], {"out_features": next(widths)})

        def run() -> None:
            editor.apply(change, STEP)
            editor.analysis.totals()

        return milliseconds(run)

    return edit


def p1() -> Iterator[Figure]:
    """One field of 10,000 layers."""
    edit = field_edits(10_000)
    peer = rebuilt(straight(10_000, E("d")), TRIED, {"d": 512})
    times: list[float] = []
    slow: list[float] = []
    for _ in range(3):
        slow.append(milliseconds(peer))
        times += [edit() for _ in range(EDITS)]
    mine, theirs = typical(times), typical(slow)
    beside = f"torch meta with shapes {theirs:,.0f} ms"
    yield Figure("edit of one field, 10,000 nodes", mine, 0.1, beside=beside)
    yield Figure("times faster than rebuilding", theirs / mine, 40_000, "×", at_least=True)


def p2() -> Iterator[Figure]:
    """The same, whatever the size."""
    small, great = field_edits(1_000), field_edits(100_000)
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(EDITS):
        times[0].append(small())
        times[1].append(great())
    a, b = map(typical, times)
    beside = f"{a:.3f} ms at 1,000 nodes, {b:.3f} ms at 100,000"
    yield Figure("edit of one field, 100,000 nodes to 1,000", b / a, 1.5, "×", beside=beside)


def p3() -> Iterator[Figure]:
    """Edits after which no shape is what it was, 10,000 layers."""
    steps = residual(10_000, E("d"))
    yield from _every_shape(
        "layers repeat", large(10_000), "d", 30, rebuilt(steps, TRIED, {"d": 512})
    )
    steps = distinct(10_000)
    alone = chain((E("t"), 8), steps, t=16)
    yield from _every_shape("all layers distinct", alone, "t", 150, rebuilt(steps, (16, 8), {}))


def _every_shape(
    what: str, document: Document, name: str, goal: float, peer: Callable[[], object]
) -> Iterator[Figure]:
    editor = Editor(document)
    sizes = iter(range(600, 700))

    def edit() -> None:
        variable = replace(document.variables[name], value=next(sizes))
        notice = editor.apply(edits.set_variable(name, variable), STEP)
        assert notice is not None
        assert len(notice.nodes) >= 10_000

    mine, theirs = medians(3, edit, peer)
    beside = f"torch meta with shapes {theirs:,.0f} ms"
    yield Figure(f"edit that changes every shape, {what}", mine, goal, beside=beside)
    yield Figure("times faster than rebuilding", theirs / mine, 30, "×", at_least=True)


# From a file to the total


TOTALS = {"gpt2": 124_439_808, "mlp-100": 642_008_005_000}
LARGE = {"gpt3-175b": 174_604_259_328, "deepseek-v3": 671_026_404_352}
ALONE = """
import sys
from designer.core.analysis import Analysis
import designer.layers
from designer.files.codec import read_document
from designer import resources
path = resources.path("gallery", "gpt2.netdraft")
assert Analysis(read_document(path.read_bytes(), path.name).document).totals().parameters
print(*({"torch", "sympy", "numpy"} & set(sys.modules)))
"""


def p4() -> Iterator[Figure]:
    """From a file to the exact total, in process."""
    peers = {"gpt2": _gpt2(), "mlp-100": _mlp()}
    for name, total in {**TOTALS, **LARGE}.items():
        data = resources.path("gallery", f"{name}.netdraft").read_bytes()

        def count(data: bytes = data, total: int = total) -> None:
            analysis = Analysis(read_document(data, "file").document)
            assert analysis.totals().parameters == total

        if name in LARGE:
            (mine,) = medians(15, count)
            yield Figure(f"{name} from file to total", mine, 10)
            continue
        assert peers[name]() == total
        mine, theirs = medians(15, count, peers[name])
        beside = f"torch meta, parameters only {theirs:,.0f} ms"
        yield Figure(f"{name} from file to total", mine, 10, beside=beside)
        yield Figure("times faster than torch", theirs / mine, 5, "×", at_least=True)
        yield Figure(f"{name}, edit of one field", _gallery_edit(data), 0.2)
    yield _imported()


def _imported() -> Figure:
    """Large packages that a count of GPT-2 imports in a process of its own."""
    command = [sys.executable, "-c", ALONE]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return Figure("of torch, sympy, numpy imported", len(found), 0, "", beside=" ".join(found))


def _gallery_edit(data: bytes) -> float:
    editor = Editor(read_document(data, "file").document)
    (name, *_) = (n for n, node in editor.document.graph.nodes.items() if node.kind == "Linear")
    times = []
    for width in range(2000, 2000 + EDITS):
        change = edits.set_options([name], {"out_features": width})
        times.append(_timed(editor, change))
    return typical(times)


def _mlp() -> Callable[[], int]:
    from torch import nn

    sizes = [100_000, *[80_000] * 100, 5_000]

    def run() -> int:
        pairs = pairwise(sizes)
        layers = nn.Sequential(*(nn.Linear(a, b, device="meta") for a, b in pairs))
        return sum(p.numel() for p in layers.parameters())

    return run


def _gpt2() -> Callable[[], int]:
    """GPT-2 as plain modules; its head is the embedding."""
    import torch
    from torch import nn

    def block() -> nn.Module:
        widths = ((768, 2304), (768, 768), (768, 3072), (3072, 768))
        parts: list[nn.Module] = [nn.Linear(*pair) for pair in widths]
        parts += [nn.LayerNorm(768), nn.LayerNorm(768), nn.GELU(), *(nn.Dropout() for _ in "abc")]
        return nn.ModuleList(parts)

    def run() -> int:
        with torch.device("meta"):
            tables = [nn.Embedding(50_257, 768), nn.Embedding(1024, 768)]
            model = nn.ModuleList([*tables, *(block() for _ in range(12)), nn.LayerNorm(768)])
        return sum(p.numel() for p in model.parameters())

    return run


# Free dimensions


def p6() -> Iterator[Figure]:
    """Free sizes instead of integers, 10,000 layers from scratch."""
    dimensions = {**DIMENSIONS, "H": Dimension(trial=32), "W": Dimension(trial=32)}
    steps = pictures(10_000)
    free = chain((E("B"), 16, E("H"), E("W")), steps, dimensions)
    fixed = chain((2, 16, 32, 32), steps)
    yield _slower("B, H, W free", free, fixed)
    steps = residual(10_000, 512)
    yield _slower("B, T free", chain((E("B"), E("T"), 512), steps), chain((2, 16, 512), steps))
    yield _imported()


def _slower(what: str, free: Document, fixed: Document) -> Figure:
    one, other = medians(5, lambda: Analysis(free), lambda: Analysis(fixed))
    beside = f"{one:.0f} ms free, {other:.0f} ms with integers"
    return Figure(f"{what}, to integers", one / other, 8, "×", beside=beside)


# Structure


def p7() -> Iterator[Figure]:
    """Wires, layers and undo in 10,000 nodes."""
    editor = Editor(large(10_000))
    pick = Random(1)
    wired = [_wire(editor, pick) for _ in range(1_000)]
    yield Figure(
        "new wire with cycle check, 99 %",
        percentile(wired, 99),
        0.5,
        beside=f"median {typical(wired):.3f} ms",
    )
    looped = [_loop(editor, pick) for _ in range(200)]
    yield Figure(
        "wire refused for its loop, 99 %",
        percentile(looped, 99),
        0.5,
        beside=f"median {typical(looped):.3f} ms",
    )
    put, undone, redone = [], [], []
    for _ in range(200):
        target = next(iter(editor.document.graph.edges_into(pick.randrange(5, 10_000)))).target
        put.append(_timed(editor, edits.insert(target, "ReLU", (0.0, 0.0))))
        undone.append(milliseconds(editor.undo))
        redone.append(milliseconds(editor.redo))
    yield Figure(
        "layer put into a wire", typical(put), 1, beside=f"99 % {percentile(put, 99):.2f} ms"
    )
    out = [_timed(editor, edits.take_out(_plain(editor, pick))) for _ in range(200)]
    yield Figure("layer taken out", typical(out), 1, beside=f"99 % {percentile(out, 99):.2f} ms")
    yield Figure("undo", typical(undone), 1, beside=f"99 % {percentile(undone, 99):.2f} ms")
    yield Figure("redo", typical(redone), 1, beside=f"99 % {percentile(redone, 99):.2f} ms")


def _timed(editor: Editor, edit: Edit) -> float:
    return milliseconds(lambda: editor.apply(edit, STEP))


def _adds(editor: Editor, pick: Random) -> int:
    """An Add of the design."""
    return pick.randrange(2, 2_499) * 4 + 1


def _wire(editor: Editor, pick: Random) -> float:
    """A further wire into an Add, from anywhere above it."""
    target = _adds(editor, pick)
    assert editor.document.graph.nodes[target].kind == "Add"
    source = pick.randrange(1, target)
    slot = max(editor.document.graph.slots(target, "xs")) + 1
    return _timed(editor, edits.connect(Source(source, "out"), Target(target, "xs", slot)))


def _loop(editor: Editor, pick: Random) -> float:
    """A wire into an Add from anywhere below it, which is refused."""
    target = _adds(editor, pick)
    source = pick.randrange(target + 1, 10_000)
    edit = edits.connect(Source(source, "out"), Target(target, "xs", 9_999))

    def run() -> None:
        try:
            editor.apply(edit, STEP)
        except Refused:
            return
        raise AssertionError("a loop was drawn")

    return milliseconds(run)


def _plain(editor: Editor, pick: Random) -> int:
    """An activation or norm, which the rest can do without."""
    while True:
        id = pick.randrange(2, 10_000)
        node = editor.document.graph.nodes.get(id)
        if node is not None and node.kind in ("GELU", "LayerNorm"):
            return id


TABLE: dict[str, Callable[[], Iterator[Figure]]] = {
    "P1": p1,
    "P2": p2,
    "P3": p3,
    "P4": p4,
    "P6": p6,
    "P7": p7,
}
