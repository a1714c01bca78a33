"""The languages that Netdraft speaks: for each a catalogue of templates, which needs no Qt.

A catalogue is the JSON files of `resources/translations/<language>/`, each an object from an
English template to the translated one. English is its own catalogue, and has none.
"""

from __future__ import annotations

import json
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from designer import resources
from designer.core.message import Message, message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

ENGLISH = "en"
FOLDER = "translations"

NAMES = {ENGLISH: "English", "zh_CN": "简体中文"}
"""Languages by the name that they give themselves."""

SETTING = "NETDRAFT_LANGUAGE"
"""The environment variable that names the language of Netdraft alone."""

VARIABLES = (SETTING, "LC_ALL", "LC_MESSAGES", "LANG")
"""Where the environment says the language; the first that is set decides."""

SIMPLIFIED = ("zh", "zh_cn", "zh_sg", "zh_my", "zh_hans")
"""How systems call Simplified Chinese, alone or before a country."""


class Loaded(NamedTuple):
    """The catalogue of a language, and what of it could not be read."""

    catalogue: Mapping[str, str]
    problems: tuple[Message, ...] = ()


def languages() -> dict[str, str]:
    """The languages there are, by their codes, with the names that they give themselves."""
    return dict(NAMES)


def catalogue(language: str) -> Mapping[str, str]:
    """Template to translated template, for `Message.render`; empty for English and the unknown."""
    return loaded(language).catalogue


@cache
def loaded(language: str) -> Loaded:
    """A language, read once; a file that cannot be read leaves out its part."""
    if language == ENGLISH or language not in NAMES:
        return Loaded(MappingProxyType({}))
    folder = resources.path(FOLDER, language)
    return read(folder)


def read(folder: Path) -> Loaded:
    """The catalogue in the files of a folder."""
    found: dict[str, str] = {}
    problems: list[Message] = []
    paths = sorted(folder.glob("*.json"))
    if not paths:
        problems.append(message("There are no translations in {folder}.", folder=folder))
    for path in paths:
        try:
            found |= _read_file(path)
        except (OSError, ValueError, RecursionError) as error:
            text = "The translations in {file} cannot be read: {reason}"
            problems.append(message(text, file=path, reason=error))
    return Loaded(MappingProxyType(found), tuple(problems))


def _read_file(path: Path) -> dict[str, str]:
    """The templates of a file. Raises OSError; ValueError or RecursionError where it has none."""
    plain = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(plain, dict) or not all(isinstance(text, str) for text in plain.values()):
        raise ValueError("it is no object of texts.")
    return plain


def chosen(wished: str | None, environment: Mapping[str, str]) -> str:
    """The language to speak: the one that is wished for, else the environment's, else English.

    Languages are named as systems do: `zh_CN.UTF-8`, `zh-Hans`, `C`.
    """
    named = next(_named(wished, environment), ENGLISH)
    return known(named) or ENGLISH


def _named(wished: str | None, environment: Mapping[str, str]) -> Iterator[str]:
    if wished:
        yield wished
    yield from (environment[name] for name in VARIABLES if environment.get(name))


def known(name: str) -> str | None:
    """The code of the language that a system calls `name`; None where there is none."""
    plain = name.partition(".")[0].partition("@")[0].replace("-", "_").lower()
    if plain in ("c", "posix") or plain.partition("_")[0] == ENGLISH:
        return ENGLISH
    if plain in SIMPLIFIED or plain.startswith("zh_hans_"):
        return "zh_CN"
    return None
