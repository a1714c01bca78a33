"""What a file declares by name: variables, free dimensions, and presets of variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.document import Dimension, Variable
from designer.core.expression import check_name
from designer.core.message import message
from designer.files import place as take
from designer.files.gathering import Part
from designer.files.limits import AXIS, NODES, PRESET_CHARACTERS, PRESETS, TEXT_CHARACTERS
from designer.files.plain import Rows
from designer.files.values import Spelling, decoded, encoded, encoded_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from designer.core.document import Preset
    from designer.core.option import Raw
    from designer.files.gathering import Gathering
    from designer.files.place import Place

VARIABLE_FIELDS = frozenset(("value", "note", "choices", "divisors", "least", "most"))
DIMENSION_FIELDS = frozenset(("meaning", "trial", "multiple"))
LITERALS = (bool, int, float, str)


# Variables, and the arguments of blocks


def plain_variables(variables: Mapping[str, Variable]) -> Rows:
    """The plain data of variables or arguments."""
    return Rows({name: _plain_variable(variable) for name, variable in variables.items()})


def _plain_variable(variable: Variable) -> dict[str, object]:
    limits = {"least": variable.least, "most": variable.most}
    return {
        "value": encoded(variable.value, Spelling(True, variable.choices)),
        "note": variable.note,
        "choices": list(variable.choices),
        "divisors": list(variable.divisors),
        **{k: limit for k, limit in limits.items() if limit is not None},
        **encoded_fields(variable.extra),
    }


def variables_of(file: Gathering, owner: Part, key: str = "variables") -> dict[str, Variable]:
    """The variables of the document, or the arguments of a block."""
    section, place = file.section(owner, key), owner.place.at(key)
    variables: dict[str, Variable] = {}
    for name in section:
        with file.faulty():
            data = take.mapping(section, name, place)
            _check_name(name, place)
            variables[name] = _variable(file, data, place.at(name))
    return variables


def _check_name(name: str, place: Place) -> None:
    problem = check_name(name)
    if problem is not None:
        raise place.at(name).refusal(problem)


def _variable(file: Gathering, data: dict[str, object], at: Place) -> Variable:
    choices = tuple(_strings(data, "choices", at))
    return Variable(
        value=decoded(take.field(data, "value", at), Spelling(True, choices)),
        note=take.text(data, "note", at, TEXT_CHARACTERS) if "note" in data else "",
        choices=choices,
        divisors=tuple(_divisors(data, at)),
        **_range(data, at),
        extra=file.extra("variable", data, VARIABLE_FIELDS, at),
    )


def _range(data: dict[str, object], at: Place) -> dict[str, int | float]:
    """The declared range, as far as there is one."""
    keys = [key for key in ("least", "most") if key in data]
    found: dict[str, int | float] = {key: take.number(data, key, at) for key in keys}
    for key, limit in found.items():
        if not abs(limit) <= AXIS:
            raise at.at(key).refusal(message("{number} is too large.", number=limit))
    if found.get("least", -AXIS) > found.get("most", AXIS):
        raise at.at("most").refusal(message("the range is empty."))
    return found


def _strings(data: dict[str, object], key: str, at: Place) -> Iterable[str]:
    items = take.sequence(data, key, at, NODES) if key in data else []
    return (take.text(items, index, at.at(key)) for index in range(len(items)))


def _divisors(data: dict[str, object], at: Place) -> Iterable[str | int]:
    items = take.sequence(data, "divisors", at, NODES) if "divisors" in data else []
    for index, item in enumerate(items):
        if isinstance(item, str):
            yield take.text(items, index, at.at("divisors"))
        else:
            yield take.integer(items, index, at.at("divisors"))


# Free dimensions


def plain_dimensions(dimensions: Mapping[str, Dimension]) -> Rows:
    """The plain data of free dimensions."""
    return Rows({name: _plain_dimension(dimension) for name, dimension in dimensions.items()})


def _plain_dimension(dimension: Dimension) -> dict[str, object]:
    return {
        "meaning": dimension.meaning,
        "trial": dimension.trial,
        "multiple": dimension.multiple,
        **encoded_fields(dimension.extra),
    }


def dimensions_of(
    file: Gathering, owner: Part, variables: Mapping[str, Variable]
) -> dict[str, Dimension]:
    """The free dimensions of the document."""
    section, place = file.section(owner, "dimensions"), owner.place.at("dimensions")
    dimensions: dict[str, Dimension] = {}
    for name in section:
        with file.faulty():
            data = take.mapping(section, name, place)
            _check_name(name, place)
            if name in variables:
                raise place.at(name).refusal(message("is declared as a variable too."))
            dimensions[name] = _dimension(file, data, place.at(name))
    return dimensions


def _dimension(file: Gathering, data: dict[str, object], at: Place) -> Dimension:
    text = take.text(data, "meaning", at, TEXT_CHARACTERS) if "meaning" in data else ""
    return Dimension(
        meaning=text,
        trial=take.integer(data, "trial", at, min=1, max=AXIS) if "trial" in data else 1,
        multiple=take.integer(data, "multiple", at, min=1, max=AXIS) if "multiple" in data else 1,
        extra=file.extra("dimension", data, DIMENSION_FIELDS, at),
    )


# Presets


def plain_presets(presets: Mapping[str, Preset]) -> Rows:
    """The plain data of presets: of each the values by variable."""
    return Rows(
        {name: {k: encoded(v) for k, v in preset.items()} for name, preset in presets.items()}
    )


def presets_of(
    file: Gathering, owner: Part, variables: Mapping[str, Variable]
) -> dict[str, Preset]:
    """The presets of the document."""
    section, place = file.section(owner, "presets"), owner.place.at("presets")
    presets: dict[str, Preset] = {}
    with file.faulty():
        take.check_length(section, place, PRESETS)
        for name in section:
            with file.faulty():
                _check_preset_name(name, place)
                preset = Part(take.mapping(section, name, place), place.at(name))
                presets[name] = {key: _literal(file, preset, key, variables) for key in preset.data}
    return presets


def _check_preset_name(name: str, place: Place) -> None:
    if not name.strip() or len(name) > PRESET_CHARACTERS or not name.isprintable():
        reason = message("A preset needs a name of at most 100 visible characters.")
        raise place.at(name).refusal(reason)


def _literal(file: Gathering, preset: Part, key: str, variables: Mapping[str, Variable]) -> Raw:
    """The value that a preset has for a variable: a number, true, false or a text."""
    value, at = preset.data[key], preset.place.at(key)
    if not isinstance(value, LITERALS):
        raise at.refusal(message("must be a number, true, false or a text."))
    if key not in variables:
        text = "{place} is for a variable that is not declared; it is kept."
        file.notice(f"preset {key}", message(text, place=at.path))
    return value
