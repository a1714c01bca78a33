"""What the app remembers between starts: sizes, theme, recent files and what was in view."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from platformdirs import user_state_path

from designer.files.refusal import Refusal
from designer.files.storage import save_file

FILE = "state.json"
MOST_RECENT = 12


class State:
    """Plain data in one file of the state folder.

    A file that cannot be read is set aside as `state.json.bad` and defaults are taken; a folder
    that cannot be written leaves the app without a memory, which is all it loses.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.path = (folder or user_state_path("netdraft", appauthor=False)) / FILE
        self.values: dict[str, Any] = self._read()

    def _read(self) -> dict[str, Any]:
        try:
            values = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError):
            self._set_aside()
            return {}
        return values if isinstance(values, dict) else {}

    def _set_aside(self) -> None:
        try:
            self.path.replace(self.path.with_name(FILE + ".bad"))
        except OSError:
            # It stays where it is, and the next save replaces it.
            return

    def save(self) -> bool:
        """Write the file; False where the folder cannot be written."""
        data = json.dumps(self.values, ensure_ascii=False, indent=1).encode()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            save_file(self.path, data)
        except (OSError, Refusal):
            return False
        return True

    def part(self, name: str) -> dict[str, Any]:
        """A group of values; empty where the file has none of that kind."""
        part = self.values.get(name)
        return part if isinstance(part, dict) else {}

    @property
    def theme(self) -> str:
        """`dark` or `light`, as the user chose; empty before that."""
        theme = self.values.get("theme")
        return theme if theme in ("dark", "light") else ""

    @property
    def recent(self) -> list[Path]:
        """Files opened or saved last, the newest first."""
        paths = self.values.get("recent")
        known = paths if isinstance(paths, list) else []
        return [Path(path) for path in known if isinstance(path, str)]

    def add_recent(self, path: Path) -> None:
        """Put a file at the head of the recent ones."""
        others = [other for other in self.recent if other != path]
        self.values["recent"] = [str(p) for p in (path, *others)[:MOST_RECENT]]

    def view_of(self, path: Path) -> dict[str, Any]:
        """What was last in view in a file."""
        view = self.part("views").get(str(path))
        return view if isinstance(view, dict) else {}

    def remember_view(self, path: Path, view: dict[str, object]) -> None:
        """Keep what is in view in a file, for the recent files only."""
        views = {**self.part("views"), str(path): view}
        known = {str(recent) for recent in self.recent}
        self.values["views"] = {key: kept for key, kept in views.items() if key in known}
