"""What the canvas does to the document: each function makes one step of the history."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from designer.core import edits
from designer.core.block import BlockUse
from designer.core.building import Built, build
from designer.core.fragment import put_in
from designer.core.graph import Node, Source, Target
from designer.core.layer import defaults
from designer.core.message import message
from designer.ui.canvas import geometry
from designer.ui.canvas.geometry import GAP, SIZES, Point, snapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from designer.core.document import Document, Edit
    from designer.core.editor import Editable
    from designer.core.graph import Graph, NodeId
    from designer.core.layer import Layer
    from designer.core.message import Message
    from designer.core.option import Raw
    from designer.ui.canvas.cards import Card
    from designer.ui.canvas.drawing import Drawing
    from designer.ui.canvas.stage import Stage

_STEP_ASIDE = 256
_TRIES = 40
_PARAMETRIC = ("linear", "conv", "norm", "rnn", "attn", "embed")


class Ends(NamedTuple):
    """What a new layer is connected to: an output above it, an input below it."""

    source: Source | None = None
    target: Target | None = None


FREE = Ends()


def fresh_layer(editor: Editable, kind: str, options: Mapping[str, Raw] | None = None) -> Layer:
    """The layer that adding this kind gives; KeyError where there is no such kind."""
    return _built(editor, kind, options).layer


def takes(editor: Editable, kind: str, options: Mapping[str, Raw]) -> bool:
    """Whether a kind can have these options."""
    return not _built(editor, kind, options).problems


def _built(editor: Editable, kind: str, options: Mapping[str, Raw] | None) -> Built:
    layer = editor.kinds[kind]
    node = Node("", "", kind, defaults(layer)).with_options(options or {})
    return build(layer, node, editor.analysis.scope)


def shape_of(layer: Layer) -> geometry.Shape:
    """The shape of node that a new layer will have."""
    if layer.family == "io":
        return "io"
    if isinstance(layer, BlockUse):
        return "block"
    if any(port.variadic for port in layer.inputs()):
        return "merge"
    return "full" if layer.family in _PARAMETRIC else "compact"


def added(
    editor: Editable,
    kind: str,
    place: Point,
    ends: Ends = FREE,
    options: Mapping[str, Raw] | None = None,
) -> Edit:
    """The edit that adds a layer and connects it; its id is the document's `next_id`."""
    layer = fresh_layer(editor, kind, options)
    id = editor.document.next_id
    parts = [edits.add_node(kind, place, options)]
    if ends.source is not None and layer.inputs():
        parts.append(edits.connect(ends.source, Target(id, layer.inputs()[0].name)))
    if ends.target is not None and layer.outputs():
        parts.append(edits.connect(Source(id, layer.outputs()[0].name), ends.target))
    return edits.all_of(parts)


def add(
    stage: Stage,
    kind: str,
    place: Point,
    ends: Ends = FREE,
    options: Mapping[str, Raw] | None = None,
) -> None:
    """Add a layer, connect it, and select it."""
    editor = stage.editor
    if editor is None:
        return
    id = editor.document.next_id
    label = message("Add {kind}", kind=editor.kinds[kind].title)
    if stage.apply(added(editor, kind, place, ends, options), label):
        stage.select((id,))


def insert(
    stage: Stage,
    kind: str,
    target: Target,
    place: Point,
    options: Mapping[str, Raw] | None = None,
) -> None:
    """Add a layer into the wire that enters `target`; what follows makes room."""
    editor = stage.editor
    if editor is None:
        return
    layer = fresh_layer(editor, kind, options)
    if not (layer.inputs() and layer.outputs()):
        add(stage, kind, place)
        return
    id = editor.document.next_id
    ports = (layer.inputs()[0].name, layer.outputs()[0].name)
    centre, extra = between(stage.drawing, target, SIZES[shape_of(layer)][1], place)
    parts = [edits.make_room(target.node, extra)] if extra else []
    parts.append(edits.insert(target, kind, centre, options, ports))
    if stage.apply(edits.all_of(parts), message("Insert {kind}", kind=layer.title)):
        stage.select((id,))


def drop_in(stage: Stage, card: Card, target: Target, place: Point) -> None:
    """Put a layer that is there already into a wire."""
    centre, extra = between(stage.drawing, target, card.box.height, place)
    parts = [edits.make_room(target.node, extra)] if extra else []
    parts.append(edits.move({card.id: centre}))
    parts.append(edits.drop_in(card.id, target, (card.inputs[0].port, card.outputs[0].port)))
    stage.apply(edits.all_of(parts), message("Insert {name}", name=card.name))


def between(drawing: Drawing, target: Target, height: float, place: Point) -> tuple[Point, float]:
    """Where a layer goes in a wire, and by how much what follows has to move down."""
    wire, route = drawing.wires[target], drawing.route(target)
    above = drawing.cards[wire.edge.source.node].box.bottom
    below = drawing.cards[target.node].box.y
    straight = route.kind == "straight"
    x = route.start.x if straight else snapped(place.x)
    missing = height + 2 * GAP - (below - above)
    if not straight or missing <= 0:
        return Point(x, snapped(place.y)), 0.0
    return Point(x, above + GAP + height / 2), geometry.GRID * -(-missing // geometry.GRID)


def place_below(drawing: Drawing, card: Card, shape: geometry.Shape) -> Point:
    """A free place under a node, for a layer of that shape; beside it where that is taken."""
    width, height = SIZES[shape]
    y = card.box.bottom + GAP + height / 2
    return free_place(drawing, Point(card.box.centre.x, y), width, height)


def free_place(drawing: Drawing, wanted: Point, width: float, height: float) -> Point:
    """`wanted`, or the next place to the right of it where nothing stands."""
    place = wanted
    for _ in range(_TRIES):
        box = geometry.box_around(place, width, height)
        if not drawing.places.within(box.grown(8)):
            return place
        place = Point(place.x + _STEP_ASIDE, place.y)
    return place


def connect(stage: Stage, source: Source, target: Target) -> bool:
    """Draw a wire."""
    names = stage.drawing.cards
    label = message(
        "Connect {source} to {target}",
        source=names[source.node].name,
        target=names[target.node].name,
    )
    return stage.apply(edits.connect(source, target), label)


def cut(stage: Stage, target: Target) -> None:
    """Remove a wire."""
    name = stage.drawing.cards[target.node].name
    stage.apply(edits.disconnect(target), message("Cut the wire into {name}", name=name))


def remove(stage: Stage) -> None:
    """Remove what is selected, nodes or a wire."""
    wire = stage.marks.picked_wire
    if wire is not None:
        cut(stage, wire)
    elif stage.selection:
        stage.apply(edits.remove_nodes(stage.selection), _label(stage, "Delete"))


def take_out(stage: Stage) -> None:
    """Remove the selected nodes and join what they joined."""
    if stage.selection:
        parts = [edits.take_out(id) for id in stage.selection]
        stage.apply(edits.all_of(parts), _label(stage, "Take out"))


_LABELS = {
    "Delete": ("Delete {name}", "Delete {count} layers"),
    "Take out": ("Take out {name}", "Take out {count} layers"),
    "Move": ("Move {name}", "Move {count} layers"),
}


def _label(stage: Stage, verb: str, ids: Iterable[NodeId] | None = None) -> Message:
    chosen = list(stage.selection if ids is None else ids)
    one, many = _LABELS[verb]
    if len(chosen) == 1:
        return message(one, name=stage.drawing.cards[chosen[0]].name)
    return message(many, count=len(chosen))


def move(stage: Stage, ids: Iterable[NodeId], dx: float, dy: float, gesture: object = None) -> None:
    """Move nodes."""
    chosen = list(ids)
    if stage.editor is None or not chosen:
        return
    layout = stage.editor.document.layout
    places = {id: layout.get(id, (0.0, 0.0)) for id in chosen}
    moved = {id: (x + dx, y + dy) for id, (x, y) in places.items()}
    stage.apply(edits.move(moved), _label(stage, "Move", chosen), gesture)


def nudge(stage: Stage, dx: float, dy: float) -> None:
    """Move the selected nodes by a step; steps in a row are one."""
    move(stage, stage.selection, dx, dy, ("nudge", tuple(stage.selection)))


def rename(stage: Stage, id: NodeId, name: str) -> bool:
    """Give a node another name; False where it is refused."""
    old = stage.drawing.cards[id].name
    if name.strip() == old:
        return True
    label = message("Rename {old} to {name}", old=old, name=name.strip())
    return stage.apply(edits.rename(id, name), label)


def set_trainable(stage: Stage, ids: Iterable[NodeId], trainable: bool) -> None:
    """Train or lock the weights of some nodes."""
    label = message("Train weights") if trainable else message("Lock weights")
    stage.apply(edits.set_trainable(ids, trainable), label)


def paste(stage: Stage, part: Document, dx: float, dy: float, label: Message) -> None:
    """Put a fragment in, and select it."""
    if stage.editor is None or not part.graph.nodes:
        return
    first = stage.editor.document.next_id
    if stage.apply(put_in(part, dx, dy), label):
        stage.select(range(first, first + len(part.graph.nodes)))


# Reading the graph


def upstream(graph: Graph, node: NodeId) -> set[NodeId]:
    """A node and all that its inputs come from."""
    found, frontier = {node}, [node]
    while frontier:
        for source in graph.sources.get(frontier.pop(), {}).values():
            if source.node not in found:
                found.add(source.node)
                frontier.append(source.node)
    return found


def neighbour(drawing: Drawing, id: NodeId, direction: str) -> NodeId | None:
    """Where an arrow key leads: along a wire, or to the next node at that side."""
    graph = drawing.graph
    if direction == "down":
        near = [edge.target.node for edge in graph.edges_from(id)]
    elif direction == "up":
        near = [edge.source.node for edge in graph.edges_into(id)]
    else:
        return _beside(drawing, id, -1 if direction == "left" else 1)
    here = drawing.cards[id].box.centre.x
    return min(near, key=lambda n: abs(drawing.cards[n].box.centre.x - here), default=None)


def _beside(drawing: Drawing, id: NodeId, side: int) -> NodeId | None:
    here = drawing.cards[id].box.centre
    found: list[tuple[float, NodeId]] = []
    for other, card in drawing.cards.items():
        dx, dy = (card.box.centre.x - here.x) * side, abs(card.box.centre.y - here.y)
        if dx > 0 and dx >= dy:
            found.append((dx + 2 * dy, other))
    return min(found, default=(0.0, None))[1]
