"""What holds for all tests: no display, English, no look at the user's settings and state."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    import pytest

# Before anything imports Qt, which reads these once. A real display is used only by name.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# Several processes test at a time: each has one core for PyTorch.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Sentences are compared as they stand in the code, whatever this machine speaks.
os.environ["NETDRAFT_LANGUAGE"] = "en"

_home = tempfile.TemporaryDirectory(prefix="netdraft-tests-", ignore_cleanup_errors=True)


def _isolate(home: Path) -> None:
    """Point every place for settings, state and caches into `home`, child processes included."""
    places = {
        "HOME": home,
        "USERPROFILE": home,
        "APPDATA": home / "roaming",
        "LOCALAPPDATA": home / "local",
        "XDG_CONFIG_HOME": home / "config",
        "XDG_DATA_HOME": home / "data",
        "XDG_STATE_HOME": home / "state",
        "XDG_CACHE_HOME": home / "cache",
    }
    for name, place in places.items():
        place.mkdir(exist_ok=True)
        os.environ[name] = str(place)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of this project's tests."""
    parser.addoption(
        "--long", action="store_true", help="also draw many calls of PyTorch from new seeds"
    )
    parser.addoption("--seeds", metavar="S,...", help="the seeds for --long; else of the day")


def pytest_unconfigure() -> None:
    """Remove the home of this run."""
    _home.cleanup()


_isolate(Path(_home.name))

# A busy machine is no failure. In CI the same examples every time, so that red means a change.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
