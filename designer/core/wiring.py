"""What comes to a node's ports, and what is missing or does not belong there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from designer.core.finding import Problem
from designer.core.message import message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from designer.core.graph import NodeId, Source
    from designer.core.layer import Port


class Wiring(NamedTuple):
    """The sources at each of a node's ports, and what is missing or does not belong there."""

    ports: tuple[Port, ...]
    sources: tuple[tuple[Port, tuple[tuple[int, Source], ...]], ...]
    problems: tuple[Problem, ...]


def wiring(
    id: NodeId, ports: tuple[Port, ...], sources: Mapping[tuple[str, int], Source]
) -> Wiring:
    """The Wiring of a node with these ports and incoming wires by (port, slot)."""
    wires = tuple(
        (port, tuple(sorted((slot, s) for (name, slot), s in sources.items() if name == port.name)))
        for port in ports
    )
    known = {port.name for port in ports}
    gaps = [gap for port, wired in wires for gap in _gap(id, port, len(wired))]
    strays = [_stray(id, name, slot) for name, slot in sources if name not in known]
    return Wiring(ports, wires, (*gaps, *strays))


def _gap(id: NodeId, port: Port, wires: int) -> list[Problem]:
    least = 2 if port.variadic else 0 if port.optional else 1
    if wires >= least:
        return []
    if port.variadic:
        text = message(
            "{port} joins two or more wires, and has {count}.", port=port.name, count=wires
        )
    else:
        text = message("Nothing is connected to {port} yet.", port=port.name)
    return [Problem("incomplete", text, id, port.name)]


def _stray(id: NodeId, name: str, slot: int) -> Problem:
    text = message("This layer has no input {port} any more.", port=name)
    return Problem("error", text, id, name, slot)
