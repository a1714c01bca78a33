"""From older versions of the format to the present one, on plain data, one version at a time."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from designer.core.message import message
from designer.files.place import Place, integer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Upgrade: TypeAlias = "Callable[[dict[str, object]], dict[str, object]]"

VERSION = 1
"""The version that is written."""

UPGRADES: Mapping[int, Upgrade] = MappingProxyType({})
"""`UPGRADES[n]` makes version n + 1 of plain data from version n, and stays as it is for ever."""


def upgraded(
    data: dict[str, object],
    where: str,
    upgrades: Mapping[int, Upgrade] = UPGRADES,
    latest: int = VERSION,
) -> dict[str, object]:
    """The data in the version `latest`; raises Refusal where there is no way from its version."""
    place = Place("$", where)
    version = integer(data, "version", place, min=1)
    if version > latest:
        reason = "version {version} needs a newer Netdraft: this one reads up to version {latest}."
        raise place.at("version").refusal(message(reason, version=version, latest=latest))
    for number in range(version, latest):
        data = {**upgrades[number](data), "version": number + 1}
    return data
