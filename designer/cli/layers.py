"""`netdraft layers`: the whole catalogue, with options and help, made from the code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import designer.layers  # noqa: F401  (fills the catalogue)
from designer.cli import packages
from designer.cli.saying import listed, say, told, word
from designer.core.entry import text_of
from designer.core.help import paragraphs, torch_link, torch_name
from designer.core.layer import CATALOGUE, FAMILIES
from designer.core.message import message

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
    if not kinds:
        say(message("No layer has the words {words}.", words=arguments.words))
    if arguments.json:
        print(json.dumps([plain(kind) for kind in kinds], indent=2, ensure_ascii=True))
    else:
        print("".join(f"{line}\n" for line in listing(kinds)), end="")
    return 0 if kinds else 1


def _answers(kind: type[Layer], words: str) -> bool:
    names = (kind.kind, kind.title, word(kind.title), *kind.aliases)
    return any(words in name.lower() for name in names)


def plain(kind: type[Layer]) -> dict[str, Any]:
    """A layer as plain data."""
    return {
        "kind": kind.kind,
        "title": word(kind.title),
        "family": kind.family,
        "aliases": list(kind.aliases),
        "help": "\n\n".join(map(word, paragraphs(kind))),
        "torch": torch_name(kind),
        "link": torch_link(torch_name(kind)),
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
        "help": word(option.help),
    }


def listing(kinds: list[type[Layer]]) -> Iterator[str]:
    """The catalogue for people: by family, each layer with its help and its options."""
    for family, title in FAMILIES.items():
        members = [kind for kind in kinds if kind.family == family]
        if members:
            yield f"{word(title)} ({len(members)})"
        for kind in members:
            yield "  " + _said(kind.kind, word(paragraphs(kind)[0]))
            yield from _reference(torch_name(kind))
            for option in kind.declared:
                yield f"    {_described(option)}"


def _reference(name: str) -> Iterator[str]:
    link = torch_link(name)
    if link:
        yield "    " + told(message("PyTorch: {name}, {link}", name=name, link=link))


def _said(name: str, said: str) -> str:
    return told(message("{name}: {said}", name=name, said=said))


def _described(option: Option) -> str:
    """`stride = 1: Step between windows, per axis. (at least 1)`"""
    notes = []
    if option.minimum is not None:
        notes.append(message("at least {limit:g}", limit=option.minimum))
    if option.maximum is not None:
        notes.append(message("at most {limit:g}", limit=option.maximum))
    if option.choices:
        notes.append(message("one of {choices}", choices=", ".join(option.choices)))
    said = word(option.help)
    if notes:
        said = told(message("{help} ({limits})", help=said, limits=listed(notes)))
    default = text_of(option.default) or told(message("(empty)"))
    return _said(f"{option.name} = {default}", said)
