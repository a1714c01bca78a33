"""Finding the wires that close loops."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


def closing_wires(followers: Mapping[int, Iterable[int]]) -> list[tuple[int, int]]:
    """The wires (from, to) that close a loop on a walk along all wires; without them none is left.

    `followers` gives the nodes that a node feeds.
    """
    closing: list[tuple[int, int]] = []
    done: set[int] = set()
    for start in followers:
        if start not in done:
            closing += _walk(start, followers, done)
    return closing


def _walk(
    start: int, followers: Mapping[int, Iterable[int]], done: set[int]
) -> Iterator[tuple[int, int]]:
    """The closing wires among what can be reached from `start`, which is then added to `done`."""
    way = [(start, iter(followers[start]))]
    on_way = {start}
    while way:
        node, rest = way[-1]
        follower = next(rest, None)
        if follower is None:
            way.pop()
            on_way.discard(node)
            done.add(node)
        elif follower in on_way:
            yield node, follower
        elif follower not in done:
            on_way.add(follower)
            way.append((follower, iter(followers.get(follower, ()))))
