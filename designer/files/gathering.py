"""Reading on where something is wrong, so that all of it can be told at once."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from designer.core.message import Message, message
from designer.core.offered import OFFERED, unknown_kind
from designer.files import place as take
from designer.files.packages import offers
from designer.files.place import Place
from designer.files.refusal import Refusal, shown
from designer.files.values import decoded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_LISTED = 100
SEVERAL = "{first} And {count:,} more faults."

Extra = tuple[tuple[str, object], ...]


class Gathering:
    """The sections of one file, the faults in it, and notices of what was kept or put right."""

    def __init__(self, data: dict[str, object], where: str) -> None:
        self.data = data
        self.place = Place("$", where)
        self.faults: list[Message] = []
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

    def section(self, key: str) -> Mapping[str, object]:
        """A section that is an object; empty where there is none."""
        with self.faulty():
            if key in self.data:
                return take.mapping(self.data, key, self.place)
        return {}

    def items(self, key: str, limit: int) -> list[object]:
        """A section that is a list of at most `limit` items; empty where there is none."""
        with self.faulty():
            if key in self.data:
                return take.sequence(self.data, key, self.place, limit)
        return []

    def extra(
        self, section: str, data: dict[str, object], known: frozenset[str], at: Place
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
