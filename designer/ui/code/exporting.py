"""The code of a design as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.export.pytorch import write
from designer.export.saving import save_code

if TYPE_CHECKING:
    from pathlib import Path

    from designer.core.editor import Editable


def export_to(path: Path, editor: Editable, title: str, *, replace: bool = False) -> None:
    """Write the PyTorch module of a design to a file, whole or not at all.

    Raises ExportError where the design cannot be exported, and Refusal where the file cannot be
    written: Foreign where it was not exported before, unless the user said to `replace` it.
    """
    save_code(path, write(editor.analysis, title).text, replace=replace)
