"""The document as an immutable value, and the Delta, which says as plain data what an edit did."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from immutables import Map

from designer.core.graph import Graph, Node, NodeId, ParamRef, Source, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from designer.core.custom import Custom
    from designer.core.option import Raw


@dataclass(frozen=True, slots=True)
class Variable:
    """A named value that options may use; it becomes a constructor argument in code.

    `value` is a literal (int, float, bool, str) or an Expression over other variables.
    `divisors` are the numbers and variables that are declared to divide it.
    `choices` makes a str variable one of these; `least` and `most` are the range that is meant,
    and outside it the design is warned of.
    """

    value: Raw
    note: str = ""
    choices: tuple[str, ...] = ()
    divisors: tuple[str | int, ...] = ()
    least: int | float | None = None
    most: int | float | None = None
    extra: tuple[tuple[str, object], ...] = ()

    @property
    def limited(self) -> bool:
        """Whether a range is declared."""
        return self.least is not None or self.most is not None

    def admits(self, number: float) -> bool:
        """Whether a number is within the range."""
        above = self.least is None or number >= self.least
        return above and (self.most is None or number <= self.most)


@dataclass(frozen=True, slots=True)
class Dimension:
    """A free dimension: an axis that has no value in the design, such as the batch.

    `trial` is the size with which memory and operations are worked out; `multiple` is a declared
    assumption about every size it will have.
    """

    meaning: str = ""
    trial: int = 1
    multiple: int = 1
    extra: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """A graph that layers of the design are uses of; its key in the document names its class.

    Its Inputs and Outputs are the ports. `arguments` are the only variables that its options may
    use; their values are what a use takes that gives none.
    """

    graph: Graph = field(default_factory=Graph)
    arguments: Mapping[str, Variable] = field(default_factory=dict)
    note: str = ""
    extra: tuple[tuple[str, object], ...] = ()


Preset: TypeAlias = "Mapping[str, Raw]"
"""Values of variables that belong together: those of one model of a family."""

Position: TypeAlias = tuple[float, float]
"""Centre of a node on the canvas, in pixels at 100 % zoom."""


class Key(NamedTuple):
    """What a change is about.

    Sections and their ids: `node` and `position` (NodeId), `edge` (Target), `tie` (ParamRef),
    `variable`, `dimension`, `preset`, `block`, `custom` and `setting` (name); `title`,
    `variable order`, `dimension order` and `preset order` have None. `level` is the block that it
    is in, "" outside; the variables of a block are its arguments.
    """

    section: str
    id: Hashable
    level: str = ""


class Change(NamedTuple):
    """A value before and after; None where there was or is none."""

    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Delta:
    """What an edit set and removed. Applying `inverse` after it gives the first document back."""

    changes: Mapping[Key, Change]

    def inverse(self) -> Delta:
        """The Delta that takes this one back."""
        return Delta({key: Change(new, old) for key, (old, new) in self.changes.items()})

    def of(self, section: str) -> Iterable[tuple[Any, Change]]:
        """The changes of one section outside blocks: (id, change)."""
        return (
            (key.id, change)
            for key, change in self.changes.items()
            if key.section == section and not key.level
        )

    def levels(self) -> set[str]:
        """The blocks that it changes, those that it adds and removes too."""
        blocks = {str(key.id) for key in self.changes if key.section == "block"}
        return blocks | {key.level for key in self.changes if key.level}

    def at(self, level: str) -> Delta:
        """What it does at one level, as if that were the whole document."""
        own = {
            key._replace(level=""): change
            for key, change in self.changes.items()
            if key.level == level or key.section in _EVERYWHERE
        }
        return Delta(own)

    def __bool__(self) -> bool:
        return bool(self.changes)


Names: TypeAlias = "Mapping[str, Any]"


@dataclass(frozen=True, slots=True)
class Document:
    """All that a file holds. Node ids are unique in the document and never used again.

    `variables`, `dimensions`, `presets`, `blocks` and `customs` keep the order in which they were
    declared; `layout` has the nodes of all levels. `extra` keeps fields of the file that this
    version does not know.
    """

    title: str = ""
    graph: Graph = field(default_factory=Graph)
    variables: Mapping[str, Variable] = field(default_factory=dict)
    dimensions: Mapping[str, Dimension] = field(default_factory=dict)
    presets: Mapping[str, Preset] = field(default_factory=dict)
    blocks: Mapping[str, Block] = field(default_factory=dict)
    customs: Mapping[str, Custom] = field(default_factory=dict)
    layout: Map[NodeId, Position] = field(default_factory=Map)
    settings: Mapping[str, object] = field(default_factory=dict)
    next_id: NodeId = field(default=1, compare=False)
    extra: tuple[tuple[str, object], ...] = ()

    def at(self, level: str) -> Document:
        """A block as if it were the whole document, with its arguments as variables.

        Raises KeyError where there is no such block.
        """
        if not level:
            return self
        block = self.blocks[level]
        return replace(
            self,
            title=level,
            graph=block.graph,
            variables=block.arguments,
            presets={},
            settings={},
            extra=(),
        )

    def get(self, key: Key) -> Any:
        """The value at a key; None where there is none."""
        if key.level and key.level not in self.blocks:
            return None
        return _GET[key.section](self.at(key.level), key.id)

    def put(self, key: Key, value: Any) -> Document:
        """The document with the value at a key set, or removed where `value` is None."""
        changed = _PUT[key.section](self.at(key.level), key.id, value)
        return self._with(key.level, changed) if key.level else changed

    def _with(self, level: str, changed: Document) -> Document:
        """The document with a block as it was changed."""
        block = replace(self.blocks[level], graph=changed.graph, arguments=changed.variables)
        blocks = {**self.blocks, level: block}
        return replace(self, blocks=blocks, layout=changed.layout, next_id=changed.next_id)

    def apply(self, delta: Delta) -> Document:
        """The document after a Delta."""
        document = self
        for key, change in delta.changes.items():
            document = document.put(key, change.new)
        return document


def _put_node(document: Document, id: Any, node: Node | None) -> Document:
    graph = document.graph.with_node(id, node)
    return replace(document, graph=graph, next_id=max(document.next_id, id + 1))


def _put_block(document: Document, name: Any, block: Block | None) -> Document:
    ids = block.graph.nodes if block else ()
    next_id = max(document.next_id, max(ids, default=0) + 1)
    return replace(document, blocks=_named(document.blocks, name, block), next_id=next_id)


def _put_layout(document: Document, id: Any, position: Position | None) -> Document:
    layout = document.layout
    if position is not None:
        return replace(document, layout=layout.set(id, position))
    # Files need not have a place for every layer.
    return replace(document, layout=layout.delete(id)) if id in layout else document


def _named(values: Names, name: str, value: Any) -> Names:
    """Set or remove one of few named values."""
    if value is None:
        return {key: kept for key, kept in values.items() if key != name}
    return {**values, name: value}


def _reordered(values: Names, order: tuple[str, ...] | None) -> Names:
    known = [name for name in order or () if name in values]
    return {name: values[name] for name in (*known, *(n for n in values if n not in known))}


_GET: dict[str, Callable[[Document, Any], Any]] = {
    "node": lambda document, id: document.graph.nodes.get(id),
    "edge": lambda document, target: document.graph.source(target),
    "tie": lambda document, param: document.graph.ties.get(param),
    "position": lambda document, id: document.layout.get(id),
    "variable": lambda document, name: document.variables.get(name),
    "variable order": lambda document, _: tuple(document.variables),
    "dimension": lambda document, name: document.dimensions.get(name),
    "dimension order": lambda document, _: tuple(document.dimensions),
    "preset": lambda document, name: document.presets.get(name),
    "preset order": lambda document, _: tuple(document.presets),
    "block": lambda document, name: document.blocks.get(name),
    "custom": lambda document, name: document.customs.get(name),
    "setting": lambda document, name: document.settings.get(name),
    "title": lambda document, _: document.title,
}

_PUT: dict[str, Callable[[Document, Any, Any], Document]] = {
    "node": _put_node,
    "edge": lambda document, target, source: replace(
        document, graph=document.graph.with_edge(target, source)
    ),
    "tie": lambda document, param, owner: replace(
        document, graph=document.graph.with_tie(param, owner)
    ),
    "position": _put_layout,
    "variable": lambda document, name, value: replace(
        document, variables=_named(document.variables, name, value)
    ),
    "variable order": lambda document, _, order: replace(
        document, variables=_reordered(document.variables, order)
    ),
    "dimension": lambda document, name, value: replace(
        document, dimensions=_named(document.dimensions, name, value)
    ),
    "dimension order": lambda document, _, order: replace(
        document, dimensions=_reordered(document.dimensions, order)
    ),
    "preset": lambda document, name, value: replace(
        document, presets=_named(document.presets, name, value)
    ),
    "preset order": lambda document, _, order: replace(
        document, presets=_reordered(document.presets, order)
    ),
    "block": _put_block,
    "custom": lambda document, name, value: replace(
        document, customs=_named(document.customs, name, value)
    ),
    "setting": lambda document, name, value: replace(
        document, settings=_named(document.settings, name, value)
    ),
    "title": lambda document, _, title: replace(document, title=title or ""),
}

SECTIONS = tuple(_PUT)

LEVELLED = frozenset(("node", "edge", "tie", "variable", "variable order"))
"""The sections that blocks have too; all others are the document's alone."""

_EVERYWHERE = frozenset(("position", "dimension", "dimension order"))
"""The sections of the document that all levels see."""


class Draft:
    """A document being edited: every change goes through `put`, which keeps the Delta.

    An edit is a function that takes a Draft; `drafted` runs it. `level` is the block that is being
    edited, "" outside: `document` and `graph` are then those of the block.
    """

    def __init__(self, document: Document, level: str = "") -> None:
        self.before = document
        self.whole = document
        self.level = level
        self._old: dict[Key, Any] = {}

    @property
    def document(self) -> Document:
        """The level that is being edited, as it is now."""
        return self.whole.at(self.level)

    @property
    def graph(self) -> Graph:
        """The graph of that level, as it is now."""
        return self.whole.blocks[self.level].graph if self.level else self.whole.graph

    def put(self, section: str, id: Hashable, value: Any) -> None:
        """Set a value, or remove it with None."""
        key = Key(section, id, self.level if section in LEVELLED else "")
        self._old.setdefault(key, self.whole.get(key))
        self.whole = self.whole.put(key, value)

    def put_node(self, id: NodeId, node: Node | None) -> None:
        """Set or remove a node."""
        self.put("node", id, node)

    def put_edge(self, target: Target, source: Source | None) -> None:
        """Set or remove the wire into an input."""
        self.put("edge", target, source)

    def put_tie(self, param: ParamRef, owner: ParamRef | None) -> None:
        """Tie a parameter to another, or untie it."""
        self.put("tie", param, owner)

    def put_position(self, id: NodeId, position: Position | None) -> None:
        """Set or remove a node's place on the canvas."""
        self.put("position", id, position)

    def delta(self) -> Delta:
        """What has changed, without what came back to its old value."""
        pairs = {key: Change(old, self.whole.get(key)) for key, old in self._old.items()}
        return Delta(settled(pairs))


def settled(changes: Mapping[Key, Change]) -> dict[Key, Change]:
    """Changes without those that came back, and without details of a block that is there whole."""
    whole = {key.id for key in changes if key.section == "block"}
    return {
        key: change
        for key, change in changes.items()
        if change.old != change.new and key.level not in whole
    }


Edit: TypeAlias = "Callable[[Draft], None]"
"""A pure edit: it reads and changes only the Draft it is given, and may raise Refused."""


def drafted(document: Document, edit: Edit, level: str = "") -> tuple[Document, Delta]:
    """The document after an edit of one level, and the Delta from the one to the other."""
    draft = Draft(document, level)
    edit(draft)
    return draft.whole, draft.delta()


def inside(level: str, edit: Edit) -> Edit:
    """An edit of a block, as an edit of any level."""

    def at_level(draft: Draft) -> None:
        outer, draft.level = draft.level, level
        try:
            edit(draft)
        finally:
            draft.level = outer

    return at_level
