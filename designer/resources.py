"""Where the files that ship with Netdraft are: icons, fonts, themes, examples, probe scripts."""

from __future__ import annotations

from functools import cache
from pathlib import Path


def path(*parts: str) -> Path:
    """The path of a resource, as in `path("gallery", "gpt2.netdraft")`; it need not exist."""
    return folder().joinpath(*parts)


@cache
def folder() -> Path:
    """`designer/_resources` of an installed wheel, or `resources` beside it in a checkout.

    Raises FileNotFoundError when neither is there, since then the installation is incomplete.
    """
    package = Path(__file__).resolve().parent
    places = (package / "_resources", package.parent / "resources")
    for place in places:
        if place.is_dir():
            return place
    raise FileNotFoundError(f"the resources folder is missing: neither {places[0]} nor {places[1]}")
