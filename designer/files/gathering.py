"""Reading on where something is wrong, so that all of it can be told at once."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from designer.core.message import Message, message
from designer.core.offered import OFFERED, unknown_kind
from designer.files import place as take
from designer.files.limits import TEXT_CHARACTERS
from designer.files.packages import offers
from designer.files.place import Place
from designer.files.refusal import Refusal, shown
from designer.files.values import decoded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_LISTED = 100
SEVERAL = "{first} And {count:,} more faults."

Extra = tuple[tuple[str, object], ...]


class Part(NamedTuple):
    """An object of a file, and the place where it stands."""

    data: dict[str, object]
    place: Place


class Gathering:
    """The sections of one file, the faults in it, and notices of what was kept or put right."""

    def __init__(self, data: dict[str, object], where: str) -> None:
        self.root = Part(data, Place("$", where))
        self.faults: list[Message] = []
        self._lengths: dict[str, int] = {}
        """Of each list that graphs have the number of items in all graphs that were read."""
        self._notices: dict[str, tuple[Message, int]] = {}

    @contextmanager
    def faulty(self) -> Iterator[None]:
        """Go on after a Refusal, and keep what it says."""
        try:
            yield
        except Refusal as refusal:
            self.keep(refusal)

    def keep(self, refusal: Refusal) -> None:
        """Keep what a Refusal says."""
        self.faults.extend(refusal.problems)

    def check(self) -> None:
        """Raise one Refusal with all faults as its `problems`, if there are any."""
        if not self.faults:
            return
        first, count = self.faults[0], len(self.faults) - 1
        text = message(SEVERAL, first=first, count=count) if count else first
        raise Refusal(text, tuple(self.faults[:MOST_LISTED]))

    def section(self, owner: Part, key: str) -> Mapping[str, object]:
        """A section that is an object; empty where there is none."""
        with self.faulty():
            if key in owner.data:
                return take.mapping(owner.data, key, owner.place)
        return {}

    def items(self, owner: Part, key: str, limit: int) -> list[Any]:
        """A section that is a list; empty where there is none.

        All sections of this name in the file have at most `limit` items together.
        """
        with self.faulty():
            if key in owner.data:
                items = take.sequence(owner.data, key, owner.place, limit)
                self._check_sum(owner.place.at(key), key, len(items), limit)
                return items
        return []

    def _check_sum(self, place: Place, key: str, more: int, limit: int) -> None:
        before = self._lengths.get(key, 0)
        self._lengths[key] = before + more
        if before <= limit < before + more:
            reason = "{length:,} items with those of other graphs, at most {limit:,} are allowed."
            raise place.refusal(message(reason, length=before + more, limit=limit))

    def text(self, owner: Part, key: str) -> str:
        """A text that may be long; empty where there is none."""
        with self.faulty():
            if key in owner.data:
                return take.text(owner.data, key, owner.place, TEXT_CHARACTERS)
        return ""

    def extra(
        self, section: str, data: Mapping[str, object], known: frozenset[str], at: Place
    ) -> Extra:
        """The fields of an object that this version does not know: kept, and noticed."""
        if data.keys() <= known:
            return ()
        names = [name for name in data if name not in known]
        for name in names:
            text = message("The field {place} is unknown; it is kept.", place=at.at(name).path)
            self.notice(f"{section} {name}", text)
        return tuple((name, decoded(data[name])) for name in names)

    def notice(self, subject: str, text: Message) -> None:
        """Tell `text` once for a subject, with the number of times."""
        first, count = self._notices.get(subject, (text, 0))
        self._notices[subject] = first, count + 1

    def unknown_kind(self, kind: str) -> None:
        """Notice a layer of a kind that is not in the catalogue, and whose it is if known."""
        text = message('The kind "{kind}" is unknown; its layers are kept.', kind=shown(kind))
        if kind in offers():
            OFFERED[kind] = shown(offers()[kind])
            text = unknown_kind(kind)
        self.notice(f"kind {kind}", text)

    def notices(self) -> tuple[Message, ...]:
        """What there is to tell of a file that was read, in the order in which it was met."""
        return tuple(
            text if count == 1 else message("{text} ({count:,} times)", text=text, count=count)
            for text, count in self._notices.values()
        )
