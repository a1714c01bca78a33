"""Documents as hypothesis draws them: anything that a file can hold, in blocks too."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

import designer.layers  # noqa: F401 (fills the catalogue)
from designer.core.block import BLOCK, use_options
from designer.core.document import Block, Dimension, Document, Variable
from designer.core.expression import Expression
from designer.core.graph import Graph, Node, ParamRef, Source, Target
from designer.core.layer import CATALOGUE, defaults
from designer.core.names import python_name
from designer.files.limits import AXIS, COORDINATE
from designer.files.values import Fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypothesis.strategies import DrawFn

    from designer.core.graph import NodeId

CONTROLS = "".join(map(chr, range(32)))
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=CONTROLS), max_size=12)
NAMES = st.sampled_from(["a", "b", "d_model", "n_heads", "width"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
    | st.sampled_from(["same", "valid", "zeros", "circular", "4*d_model"])
    | st.builds(Expression, TEXTS | st.sampled_from(["same", "zeros", "4*d_model", "true"]))
)
RAWS: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.sampled_from(["x", "y y", "__init__"]), inner, max_size=3).map(
            lambda fields: Fields(fields.items())
        )
    ),
    max_leaves=6,
)
EXTRAS = st.dictionaries(st.sampled_from(["colour", "group", "x-1"]), RAWS, max_size=2).map(
    lambda fields: tuple(fields.items())
)
VARIABLES = st.builds(
    Variable,
    value=RAWS,
    note=TEXTS,
    choices=st.lists(TEXTS, max_size=2).map(tuple),
    divisors=st.lists(NAMES | st.integers(1, 64), max_size=2).map(tuple),
    extra=EXTRAS,
)
PRESETS = st.dictionaries(
    NAMES,
    st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    max_size=3,
)


@st.composite
def nodes(draw: DrawFn, id: int, blocks: Mapping[str, Block]) -> Node:
    uses = {f"{BLOCK}{name}": block for name, block in blocks.items()}
    unknown = ["Unknown", "os.system", f"{BLOCK}Gone"]
    kind = draw(st.sampled_from([*CATALOGUE, *unknown]) | st.sampled_from([*uses, "Linear"]))
    options = dict(defaults(CATALOGUE[kind])) if kind in CATALOGUE else {}
    options |= use_options(uses[kind]) if kind in uses else ()
    for name in draw(st.lists(st.sampled_from([*options, "extra option"]), max_size=4)):
        options[name] = draw(RAWS)
    name = draw(TEXTS)
    return Node(
        name=name,
        attribute=python_name(draw(st.just(name) | TEXTS)) + f"_{id}",
        kind=kind,
        options=tuple(options.items()),
        trainable=draw(st.booleans()),
        extra=draw(EXTRAS),
    )


@st.composite
def graphs(draw: DrawFn, ids: list[NodeId], blocks: Mapping[str, Block]) -> Graph:
    graph = Graph()
    for id in ids:
        graph = graph.with_node(id, draw(nodes(id, blocks)))
    ports = st.sampled_from(["x", "out", "other port"])
    # Wires go along the drawn order of the ids: none closes a loop.
    for place in draw(st.lists(st.integers(1, max(1, len(ids) - 1)), max_size=10)):
        if place < len(ids):
            source = Source(ids[draw(st.integers(0, place - 1))], draw(ports))
            target = Target(ids[place], draw(ports), draw(st.integers(0, 3)))
            graph = graph.with_edge(target, source)
    if len(ids) > 1:
        owner = ParamRef(ids[0], "weight")
        for id in draw(st.lists(st.sampled_from(ids[1:]), max_size=2)):
            graph = graph.with_tie(ParamRef(id, "weight"), owner)
    return graph


@st.composite
def documents(draw: DrawFn) -> Document:
    """Documents with blocks, of which later ones use earlier ones; all ids are drawn at once."""
    positive = st.integers(1, AXIS)
    dimensions = st.builds(Dimension, TEXTS, positive, positive, EXTRAS)
    ids = draw(st.lists(st.integers(1, 60), unique=True, max_size=14))
    next_id = max(ids, default=0) + 1
    blocks: dict[str, Block] = {}
    for name in draw(st.lists(st.sampled_from(["Mlp", "Layer", "A1", "b"]), unique=True)):
        count = draw(st.integers(0, 3))
        own, ids = ids[:count], ids[count:]
        arguments = draw(st.dictionaries(NAMES, VARIABLES, max_size=2))
        blocks[name] = Block(draw(graphs(own, blocks)), arguments, draw(TEXTS), draw(EXTRAS))
    document = Document(
        title=draw(TEXTS),
        graph=draw(graphs(ids, blocks)),
        variables=draw(st.dictionaries(NAMES, VARIABLES, max_size=3)),
        dimensions=draw(st.dictionaries(st.sampled_from(["B", "T"]), dimensions)),
        presets=draw(st.dictionaries(st.sampled_from(["small", "大 XL"]), PRESETS)),
        blocks=draw(st.permutations(list(blocks.items())).map(dict)),
        settings=draw(st.dictionaries(TEXTS, RAWS, max_size=2)),
        extra=draw(EXTRAS),
    )
    layout = document.layout
    places = st.floats(-COORDINATE, COORDINATE)
    graphs_of_all = [document.graph, *(block.graph for block in document.blocks.values())]
    for id in (id for graph in graphs_of_all for id in graph.ids()[1:]):
        layout = layout.set(id, (draw(places), draw(places)))
    return replace(document, layout=layout, next_id=next_id)
