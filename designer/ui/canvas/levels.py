"""How much is drawn at which zoom."""

from __future__ import annotations

from enum import IntEnum


class Level(IntEnum):
    """Detail, from coloured chips to everything."""

    FAR = 0
    SMALL = 1
    MIDDLE = 2
    FULL = 3


LIMITS = (0.22, 0.40, 0.70)
"""Zooms at which the next level begins."""

HOLD = 0.03
"""How far the zoom has to pass a limit, as a part of it, before the level changes."""

LEAST_ZOOM, MOST_ZOOM = 0.05, 4.0


def level(zoom: float, current: Level | None = None) -> Level:
    """The level at a zoom; close to a limit the current one stays."""
    found = Level(sum(zoom >= limit for limit in LIMITS))
    if current is None or abs(found - current) != 1:
        return found
    limit = LIMITS[min(found, current)]
    return current if abs(zoom - limit) <= HOLD * limit else found
