"""The command as people run it: a process of its own, with real exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from designer.files.codec import write_document

if TYPE_CHECKING:
    from pathlib import Path

    from designer.core.document import Document


def netdraft(
    *arguments: str | Path, folder: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `netdraft` with these arguments."""
    return subprocess.run(
        [sys.executable, "-m", "designer", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def saved(document: Document, folder: Path, name: str = "design.netdraft") -> Path:
    """A file with the document."""
    path = folder / name
    path.write_bytes(write_document(document))
    return path
