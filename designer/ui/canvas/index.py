"""A grid over the canvas that finds what is in a box without looking at all else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from designer.core.graph import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from designer.ui.canvas.geometry import Box

K = TypeVar("K", int, Target)

CELL = 512.0
MOST_CELLS = 256


class Index(Generic[K]):
    """Boxes by key. What would fill very many cells is kept apart and always looked at."""

    def __init__(self) -> None:
        self.boxes: dict[K, Box] = {}
        self._cells: dict[tuple[int, int], set[K]] = {}
        self._large: set[K] = set()

    def put(self, key: K, box: Box, loose: bool = False) -> None:
        """Enter a box, or move it; `loose` for one that moves all the time."""
        old = self.boxes.get(key)
        if old is not None:
            if old == box and loose == (key in self._large):
                return
            self.remove(key)
        self.boxes[key] = box
        if loose or _count(box) > MOST_CELLS:
            self._large.add(key)
        else:
            for cell in _cells(box):
                self._cells.setdefault(cell, set()).add(key)

    def remove(self, key: K) -> None:
        """Take a box out; nothing happens where there is none."""
        box = self.boxes.pop(key, None)
        if box is None:
            return
        if key in self._large:
            self._large.discard(key)
            return
        for cell in _cells(box):
            keys = self._cells[cell]
            keys.discard(key)
            if not keys:
                del self._cells[cell]

    def within(self, box: Box) -> list[K]:
        """The keys whose boxes meet `box` or touch it, in the order of the keys."""
        if _count(box) > max(MOST_CELLS, len(self._cells)):
            near = set(self.boxes)
        else:
            near = set(self._large)
            for cell in _cells(box):
                near |= self._cells.get(cell, set())
        boxes = self.boxes
        return sorted(key for key in near if _touch(boxes[key], box))


def _touch(a: Box, b: Box) -> bool:
    across = a.x <= b.x + b.width and b.x <= a.x + a.width
    return across and a.y <= b.y + b.height and b.y <= a.y + a.height


def _span(low: float, size: float) -> range:
    return range(int(low // CELL), int((low + size) // CELL) + 1)


def _count(box: Box) -> int:
    return len(_span(box.x, box.width)) * len(_span(box.y, box.height))


def _cells(box: Box) -> Iterator[tuple[int, int]]:
    rows = _span(box.y, box.height)
    return ((x, y) for x in _span(box.x, box.width) for y in rows)
