"""`netdraft layers --packages`: the packages that offer layers, and which of them are used."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from designer.cli.saying import LONGEST, say, told
from designer.core.message import message
from designer.files.packages import installed, load, load_enabled, plain_name
from designer.files.refusal import shown
from designer.files.settings import layer_packages, set_layer_packages

if TYPE_CHECKING:
    from collections.abc import Iterator


def use_enabled() -> None:
    """Load the layers of the enabled packages; what goes wrong is said, and no more."""
    for problem in load_enabled():
        say(problem)


def show(*, json_wanted: bool) -> int:
    """Print the installed packages that offer layers; nothing of them is imported."""
    enabled = set(map(plain_name, layer_packages()))
    if json_wanted:
        plain = [
            {"name": p.name, "version": p.version, "enabled": name in enabled, "layers": p.kinds}
            for name, p in installed().items()
        ]
        print(json.dumps(plain, indent=2, ensure_ascii=True))
    else:
        print("\n".join(_listing(enabled)))
    return 0


def _listing(enabled: set[str]) -> Iterator[str]:
    found = installed()
    for name, package in found.items():
        text = "{package} {version}, not enabled: {kinds}"
        if name in enabled:
            text = "{package} {version}, enabled: {kinds}"
        kinds = shown(", ".join(package.kinds), LONGEST)
        names = {"package": shown(package.name), "version": shown(package.version)}
        yield told(message(text, kinds=kinds, **names))
    for name in sorted(enabled - found.keys()):
        yield told(message("{package}, enabled, not installed", package=shown(name)))
    if not found and not enabled:
        yield told(message("No installed package offers layers."))


def enable(name: str) -> int:
    """Use the layers of a package from now on; 1 where it is not there or cannot be used."""
    plain, packages = plain_name(name), installed()
    if plain not in packages:
        say(message("No installed package {package} offers layers.", package=shown(name)))
        return 1
    enabled = layer_packages()
    if plain not in map(plain_name, enabled):
        set_layer_packages((*enabled, packages[plain].name))
    problems = load([plain])
    for problem in problems:
        say(problem)
    if not problems:
        kinds = ", ".join(packages[plain].kinds)
        text = message("{package} is enabled: {kinds}", package=packages[plain].name, kinds=kinds)
        print(told(text))
    return 1 if problems else 0


def disable(name: str) -> int:
    """Use the layers of a package no more; 1 where it was not enabled."""
    enabled = layer_packages()
    kept = [other for other in enabled if plain_name(other) != plain_name(name)]
    if len(kept) == len(enabled):
        say(message("{package} is not enabled.", package=shown(name)))
        return 1
    set_layer_packages(kept)
    print(told(message("{package} is not enabled any more.", package=shown(name))))
    return 0
