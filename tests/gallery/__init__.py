"""How the designs of the gallery are drawn: one function each, run by `python -m tests.gallery`.

A module of this folder draws a family; `@design("name")` enters a function that returns a Sketch.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.gallery.sketch import Sketch

DESIGNS: dict[str, Callable[[], Sketch]] = {}
"""Of each design how it is drawn, by the name of its file."""

_TOOLS = ("__init__", "__main__", "layout", "sketch")


def design(name: str) -> Callable[[Callable[[], Sketch]], Callable[[], Sketch]]:
    """Enter a function under the name of the file that it draws."""

    def enter(draw: Callable[[], Sketch]) -> Callable[[], Sketch]:
        if name in DESIGNS:
            raise ValueError(f"{name} is drawn already")
        DESIGNS[name] = draw
        return draw

    return enter


def all_designs() -> dict[str, Callable[[], Sketch]]:
    """All designs, from every module of this folder."""
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.stem not in _TOOLS and not path.stem.startswith("test_"):
            import_module(f"{__name__}.{path.stem}")
    return DESIGNS
