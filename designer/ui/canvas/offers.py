"""What the search for layers offers: kinds that answer a query, each tried at its place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from designer.core.edits import Refused
from designer.ui.canvas import commands, values
from designer.ui.canvas.geometry import Point
from designer.ui.canvas.labels import first_input
from designer.ui.layer_search import matched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from designer.core.editor import Editable, Preview
    from designer.core.layer import Layer
    from designer.core.option import Raw
    from designer.core.tensor import Tensor


class Query(NamedTuple):
    """What was typed: words to look for, and a number for the first option, if there is one."""

    words: str
    number: int | float | None


@dataclass(frozen=True, slots=True)
class Offer:
    """A kind that can be added, with what that would give.

    `output` is the shape after it and `before` the one that comes in; `parameters` is None where
    the count is not known. `reason` says why it does not fit. `sets` names the option that the
    number in the query sets.
    """

    kind: str
    title: str
    icon: str
    family: str
    letters: tuple[int, ...] = ()
    caption: str = ""
    output: Tensor | None = None
    before: Tensor | None = None
    parameters: int | None = 0
    reason: str = ""
    sets: str = ""
    options: tuple[tuple[str, Raw], ...] = ()

    @property
    def fits(self) -> bool:
        """Whether it takes what comes in."""
        return not self.reason


def parse(text: str) -> Query:
    """`cnv 128` looks for «cnv» and sets the first option to 128."""
    words: list[str] = []
    number: int | float | None = None
    for word in text.split():
        found = _number(word)
        if found is not None and number is None and words:
            number = found
        else:
            words.append(word)
    return Query(" ".join(words), number)


def _number(word: str) -> int | float | None:
    for read in (int, float):
        try:
            found = read(word)
        except ValueError:
            continue
        return found if abs(found) < 2**63 else None
    return None


class Offers:
    """Tries kinds at one place; what was tried once is kept."""

    def __init__(self, editor: Editable, ends: commands.Ends) -> None:
        self._editor = editor
        self._ends = ends
        self._tried: dict[tuple[str, object], Offer] = {}

    def find(self, text: str, recent: Sequence[str] = ()) -> list[Offer]:
        """The kinds that answer a query, those that fit first, then the best match."""
        query = parse(text)
        ranked: list[tuple[bool, int, int, Offer]] = []
        for order, kind in enumerate(self._editor.kinds):
            found = matched(query.words, self._editor.kinds[kind])
            if found is None or not self._possible(kind):
                continue
            offer = self._offer(kind, query.number)
            place = recent.index(kind) - len(recent) if kind in recent else order
            score = 0 if not query.words else -found[0]
            ranked.append((not offer.fits, score, place, replace(offer, letters=found[1])))
        ranked.sort(key=lambda item: item[:3])
        return [offer for *_, offer in ranked]

    def _possible(self, kind: str) -> bool:
        """Whether the kind has the port that would be connected."""
        layer = commands.fresh_layer(self._editor, kind)
        fed = self._ends.source is None or bool(layer.inputs())
        return fed and (self._ends.target is None or bool(layer.outputs()))

    def _offer(self, kind: str, number: int | float | None) -> Offer:
        key = (kind, number)
        if key not in self._tried:
            self._tried[key] = self._try(kind, number)
        return self._tried[key]

    def _try(self, kind: str, number: int | float | None) -> Offer:
        sets = "" if number is None else _first_number(self._editor.kinds[kind])
        options: dict[str, Raw] = {sets: number} if sets else {}
        if not commands.takes(self._editor, kind, options):
            sets, options = "", {}
        layer = commands.fresh_layer(self._editor, kind, options)
        empty = Offer(
            kind, layer.title, _icon(layer), layer.family, sets=sets, options=tuple(options.items())
        )
        edit = commands.added(self._editor, kind, Point(0.0, 0.0), self._ends, options)
        id = self._editor.document.next_id
        try:
            preview = self._editor.preview(edit)
        except Refused as refused:
            return replace(empty, reason=str(refused.message))
        return self._told(empty, layer, preview, id)

    def _told(self, offer: Offer, layer: Layer, preview: Preview, id: int) -> Offer:
        finding = preview.findings[id]
        result = finding.result
        about = {id, self._ends.target.node} if self._ends.target else {id}
        wrong = [p for p in preview.problems if p.node in about and p.severity == "error"]
        unknown = result is None or preview.after.unknown > preview.before.unknown
        return replace(
            offer,
            caption=values.caption(layer, result, finding.inputs) if result is not None else "",
            output=next(iter(finding.outputs.values()), None),
            before=first_input(finding),
            parameters=None if unknown else preview.parameters,
            reason=str(wrong[0].message) if wrong else "",
        )


def _first_number(layer: type[Layer]) -> str:
    """The option that a number in the query is meant for."""
    numeric = [option for option in layer.declared if option.numeric]
    chosen = [option for option in numeric if not option.optional]
    return chosen[0].name if chosen else ""


def _icon(layer: Layer) -> str:
    if layer.family == "io":
        return "in" if layer.outputs() else "out"
    return layer.family
