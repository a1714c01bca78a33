"""Which file is meant by what is typed. Imports little: the window waits for it."""

from __future__ import annotations

import re
from pathlib import Path

from designer import resources

EXAMPLE = re.compile(r"[A-Za-z0-9_-]+")


def find(file: str) -> Path:
    """The file that is meant: a path, or the name of an example where there is no such file."""
    path = Path(file)
    if EXAMPLE.fullmatch(file) and not path.exists():
        example = resources.path("gallery", f"{file}.netdraft")
        return example if example.exists() else path
    return path
