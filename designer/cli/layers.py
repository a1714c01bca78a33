"""`netdraft layers`: the whole catalogue, with options and help, made from the code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import designer.layers  # noqa: F401  (fills the catalogue)
from designer.cli import packages
from designer.core.entry import text_of
from designer.core.layer import CATALOGUE, FAMILIES

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from designer.core.layer import Layer
    from designer.core.option import Option


def run(arguments: Namespace) -> int:
    """Print every layer, or those whose kind or title holds the words that are given.

    Or see to the packages that offer layers, where that is asked for.
    """
    if arguments.enable is not None:
        return packages.enable(arguments.enable)
    if arguments.disable is not None:
        return packages.disable(arguments.disable)
    if arguments.packages:
        return packages.show(json_wanted=arguments.json)
    wanted = arguments.words.lower()
    kinds = [kind for kind in CATALOGUE.values() if _answers(kind, wanted)]
    if arguments.json:
        print(json.dumps([plain(kind) for kind in kinds], indent=2, ensure_ascii=True))
    else:
        print("\n".join(listing(kinds)))
    return 0 if kinds else 1


def _answers(kind: type[Layer], words: str) -> bool:
    return any(words in name.lower() for name in (kind.kind, kind.title, *kind.aliases))


def plain(kind: type[Layer]) -> dict[str, Any]:
    """A layer as plain data."""
    return {
        "kind": kind.kind,
        "title": kind.title,
        "family": kind.family,
        "aliases": list(kind.aliases),
        "help": (kind.__doc__ or "").strip(),
        "inputs": [port._asdict() for port in kind.ports],
        "options": [_plain_option(option) for option in kind.declared],
    }


def _plain_option(option: Option) -> dict[str, Any]:
    return {
        "name": option.name,
        "type": option.kind,
        "default": text_of(option.default),
        "limits": [option.minimum, option.maximum],
        "choices": list(option.choices),
        "help": option.help,
    }


def listing(kinds: list[type[Layer]]) -> Iterator[str]:
    """The catalogue for people: by family, each layer with its help and its options."""
    for family, title in FAMILIES.items():
        members = [kind for kind in kinds if kind.family == family]
        if members:
            yield f"{title} ({len(members)})"
        for kind in members:
            yield f"  {kind.kind}: {_first_line(kind)}"
            for option in kind.declared:
                yield f"    {_described(option)}"


def _first_line(kind: type[Layer]) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]


def _described(option: Option) -> str:
    """`stride = 1: Step between windows, per axis. (at least 1)`"""
    notes = [
        f"at least {option.minimum:g}" if option.minimum is not None else "",
        f"at most {option.maximum:g}" if option.maximum is not None else "",
        f"one of {', '.join(option.choices)}" if option.choices else "",
    ]
    said = ", ".join(note for note in notes if note)
    default = text_of(option.default) or "(empty)"
    return f"{option.name} = {default}: {option.help}{f' ({said})' if said else ''}"
