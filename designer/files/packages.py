"""Layers of other packages: found by their entry points, imported only where enabled by name.

A package names each of its layers as an entry point of the group `netdraft.layers`: the name is
the layer's kind, the value its class. So it is known what a package offers before any of it runs.
"""

from __future__ import annotations

import re
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

import designer.layers  # noqa: F401 (fills the catalogue)
from designer.core.layer import CATALOGUE, Layer
from designer.core.message import message
from designer.files.refusal import Refusal, shown
from designer.files.settings import layer_packages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from designer.core.message import Message

GROUP = "netdraft.layers"
LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Package:
    """An installed distribution that offers layers; `points` holds one entry point for each."""

    name: str
    version: str
    points: tuple[EntryPoint, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the layers that it offers."""
        return tuple(point.name for point in self.points)


def plain_name(name: str) -> str:
    """A package's name as all its spellings have it: `Acme_Layers` is `acme-layers`."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def installed() -> dict[str, Package]:
    """The packages that offer layers, by plain name; nothing of them is imported."""
    found: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        if point.dist is not None:
            found.setdefault(point.dist.name, []).append(point)
    packages = (
        Package(name, points[0].dist.version, tuple(sorted(points, key=lambda p: p.name)))
        for name, points in sorted(found.items())
        if points[0].dist is not None
    )
    return {plain_name(package.name): package for package in packages}


@cache
def offers() -> Mapping[str, str]:
    """Kind to the installed package that offers it, as things stood at the first call."""
    return {kind: package.name for package in installed().values() for kind in package.kinds}


def load_enabled() -> tuple[Message, ...]:
    """Load the layers of all packages that the user has enabled; what went wrong, in sentences."""
    try:
        names = layer_packages()
    except Refusal as refusal:
        return refusal.problems
    return load(names) if names else ()


def load(names: Iterable[str]) -> tuple[Message, ...]:
    """Enter the layers of these packages in the catalogue; what went wrong, in sentences.

    A package of which anything goes wrong gives no layer at all.
    """
    packages = installed()
    problems: list[Message] = []
    for name in dict.fromkeys(map(plain_name, names)):
        if name in packages:
            problem = _load(packages[name])
        else:
            text = "{package} is enabled, but no such package offers layers here."
            problem = message(text, package=shown(name))
        if problem is not None:
            problems.append(problem)
    return tuple(problems)


_LOADED: set[str] = set()
"""Plain names of the packages that are in the catalogue: loading one again changes nothing."""


def _load(package: Package) -> Message | None:
    name = plain_name(package.name)
    if name in _LOADED:
        return None
    before = dict(CATALOGUE)
    problem = _misnamed(package) or _entered(package, before)
    if problem is None:
        _LOADED.add(name)
        return None
    # In place: others hold this very dictionary.
    CATALOGUE.clear()
    CATALOGUE.update(before)
    return message(
        "The layers of {package} are left out: {reason}",
        package=shown(package.name),
        reason=problem,
    )


def _misnamed(package: Package) -> Message | None:
    """What its entry points cannot be called; known before anything is imported."""
    for kind in package.kinds:
        if kind in CATALOGUE:
            return message("there is a layer {kind} already.", kind=kind)
        if not (kind.isidentifier() and kind.isascii()):
            return message('"{kind}" cannot be the name of a layer.', kind=shown(kind))
    return None


def _entered(package: Package, before: Mapping[str, type[Layer]]) -> Message | None:
    """Import its layers; what is wrong with what they have made of the catalogue."""
    try:
        # What a package prints while it is imported is no part of our output.
        with redirect_stdout(sys.stderr):
            for point in package.points:
                point.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001 (whatever a package raises is told)
        reason = shown(str(error), LONGEST_REASON)
        return message("{error}: {reason}", error=type(error).__name__, reason=reason)
    return _difference(package, before)


def _difference(package: Package, before: Mapping[str, type[Layer]]) -> Message | None:
    """Where the catalogue is not what it was, with the layers that the package names."""
    for kind, made in before.items():
        if CATALOGUE.get(kind) is not made:
            return message("it changes the layer {kind}.", kind=kind)
    for kind in package.kinds:
        if kind not in CATALOGUE:
            return message("it has no layer {kind}.", kind=kind)
    for kind in sorted(CATALOGUE.keys() - before.keys() - set(package.kinds)):
        return message("no entry point names its layer {kind}.", kind=shown(kind))
    return None
