"""What the user has settled for good: one plain file in the platform's folder for settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platformdirs import user_config_path

from designer.core.message import message
from designer.files import place as take
from designer.files.place import Place
from designer.files.plain import read_plain, write_plain
from designer.files.refusal import refusal
from designer.files.storage import read_file, save_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FILE = "settings.json"
PACKAGES = "layer_packages"
MOST_PACKAGES = 1_000


def settings_path() -> Path:
    """Where the file is, whether it is there or not."""
    return user_config_path("netdraft", appauthor=False) / FILE


def layer_packages(path: Path | None = None) -> tuple[str, ...]:
    """The packages whose layers the user has enabled, by the names that the user gave.

    There are none without a file. Raises Refusal for a file that cannot be read.
    """
    return _packages(_read(path or settings_path()), path or settings_path())


def set_layer_packages(names: Iterable[str], path: Path | None = None) -> None:
    """Enable these packages and no others; the other settings stay.

    Raises Refusal where the file that is there cannot be read, or no file can be written.
    """
    target = path or settings_path()
    values = _read(target)
    _packages(values, target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = message("the folder cannot be made: {reason}.", reason=error.strerror)
        raise refusal(str(target.parent), reason) from None
    save_file(target, write_plain({**values, PACKAGES: list(names)}))


def _read(path: Path) -> dict[str, object]:
    if _is_missing(path):
        return {}
    return take.as_mapping(read_plain(read_file(path), str(path)), Place("$", str(path)))


def _is_missing(path: Path) -> bool:
    """Whether there is no file; one behind a closed door is not missing."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _packages(values: dict[str, object], path: Path) -> tuple[str, ...]:
    place = Place("$", str(path))
    names = take.sequence(values, PACKAGES, place, MOST_PACKAGES) if PACKAGES in values else []
    return tuple(take.text(names, index, place.at(PACKAGES)) for index in range(len(names)))
