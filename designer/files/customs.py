"""Custom layers as a file holds them: declarations as plain data, sources as lists of lines."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from designer.core.custom import (
    CUSTOM,
    MOST_AXES,
    MOST_PARTS,
    Custom,
    CustomInput,
    CustomOption,
    CustomOutput,
    CustomParam,
    misnamed,
    option_of,
)
from designer.core.message import message
from designer.core.written import LONGEST_SOURCE, LONGEST_SOURCES
from designer.files import place as take
from designer.files.gathering import Part
from designer.files.limits import CUSTOMS, NAME_CHARACTERS, TEXT_CHARACTERS
from designer.files.plain import Rows
from designer.files.values import decoded, encoded, encoded_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from designer.core.option import Option
    from designer.files.gathering import Gathering
    from designer.files.place import Place

PARTS: dict[str, type[Any]] = {
    "inputs": CustomInput,
    "options": CustomOption,
    "outputs": CustomOutput,
    "params": CustomParam,
}
"""The lists of a declaration, in the order in which a file has them, and what they are made of."""

KNOWN = {key: frozenset(f.name for f in fields(kind)) - {"extra"} for key, kind in PARTS.items()}
CUSTOM_FIELDS = frozenset((*PARTS, "note", "flops", "source"))


def options_of_customs(customs: Mapping[str, Custom]) -> dict[str, tuple[Option, ...]]:
    """Of the kind of each custom layer its options."""
    return {f"{CUSTOM}{n}": tuple(map(option_of, c.options)) for n, c in customs.items()}


# Written


def plain_customs(customs: Mapping[str, Custom]) -> Rows:
    """The plain data of custom layers."""
    return Rows({name: _plain_custom(custom) for name, custom in customs.items()})


def _plain_custom(custom: Custom) -> dict[str, object]:
    return {
        "note": custom.note,
        **{key: Rows([_plain_part(p) for p in getattr(custom, key)]) for key in PARTS},
        "flops": custom.flops,
        "source": Rows(list(custom.source.split("\n"))),
        **encoded_fields(custom.extra),
    }


def _plain_part(part: Any) -> dict[str, object]:
    values = {f.name: getattr(part, f.name) for f in fields(part) if f.name != "extra"}
    plain = {key: encoded(value) for key, value in values.items()}
    return {**plain, **encoded_fields(part.extra)}


# Read


def customs_of(file: Gathering) -> dict[str, Custom]:
    """The custom layers of a file, as far as they can be read."""
    section, place = file.section(file.root, "customs"), file.root.place.at("customs")
    customs: dict[str, Custom] = {}
    with file.faulty():
        take.check_length(section, place, CUSTOMS)
        for name in section:
            with file.faulty():
                part = Part(take.mapping(section, name, place), place.at(name))
                customs[name] = _custom(file, name, part)
        _check_sources(customs, place)
    return customs


def _check_sources(customs: Mapping[str, Custom], place: Place) -> None:
    """Refuse texts that take long to read."""
    length = sum(len(custom.source) for custom in customs.values())
    if length > LONGEST_SOURCES:
        reason = "sources of {length:,} characters, at most {limit:,} are allowed."
        raise place.refusal(message(reason, length=length, limit=LONGEST_SOURCES))


def _custom(file: Gathering, name: str, part: Part) -> Custom:
    data, at = part
    lists = {key: tuple(_parts(file, part, key)) for key in PARTS}
    custom = Custom(
        name,
        **lists,
        flops=take.text(data, "flops", at) if "flops" in data else "",
        source=_source(data, at),
        note=take.text(data, "note", at, TEXT_CHARACTERS) if "note" in data else "",
        extra=file.extra("custom", data, CUSTOM_FIELDS, at),
    )
    wrong = misnamed(custom)
    if wrong is not None:
        raise at.refusal(wrong)
    return custom


def _source(data: dict[str, object], at: Place) -> str:
    """The text whose lines a file lists."""
    if "source" not in data:
        return ""
    lines = take.sequence(data, "source", at, LONGEST_SOURCE)
    place = at.at("source")
    source = "\n".join(take.text(lines, n, place, LONGEST_SOURCE) for n in range(len(lines)))
    if len(source) > LONGEST_SOURCE:
        reason = "{length:,} characters, at most {limit:,} are allowed."
        raise place.refusal(message(reason, length=len(source), limit=LONGEST_SOURCE))
    return source


def _parts(file: Gathering, owner: Part, key: str) -> Iterator[Any]:
    """The ports, options or tensors of a declaration."""
    if key not in owner.data:
        return
    items, place = take.sequence(owner.data, key, owner.place, MOST_PARTS), owner.place.at(key)
    for index in range(len(items)):
        data, at = take.mapping(items, index, place), place.at(index)
        take.text(data, "name", at)
        values = {name: _READ[name](data, name, at) for name in data if name in KNOWN[key]}
        extra = file.extra(f"custom {key}", data, KNOWN[key], at)
        yield PARTS[key](**values, extra=extra)


def _texts(data: dict[str, object], key: str, at: Place) -> tuple[str, ...]:
    items, place = take.sequence(data, key, at, MOST_AXES), at.at(key)
    return tuple(take.text(items, index, place) for index in range(len(items)))


def _long_text(data: dict[str, object], key: str, at: Place) -> str:
    return take.text(data, key, at, TEXT_CHARACTERS)


def _default(data: dict[str, object], key: str, at: Place) -> Any:
    if isinstance(data[key], str):
        return take.text(data, key, at, NAME_CHARACTERS)
    return decoded(data[key])


_READ: dict[str, Callable[[dict[str, object], str, Place], Any]] = {
    "name": take.text,
    "axes": _texts,
    "optional": take.boolean,
    "dtype": take.text,
    "type": take.text,
    "default": _default,
    "help": _long_text,
    "choices": _texts,
    "part": take.text,
    "when": take.text,
}
"""How each field of a part is read."""
