"""Generated code put in a file, without replacing what somebody else has written there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.message import message
from designer.export.pytorch import HEADER
from designer.files.refusal import Refusal, refusal
from designer.files.storage import read_file, save_file

if TYPE_CHECKING:
    from pathlib import Path

SHADOWING = ("torch.py", "math.py")
"""Files that would be imported in place of what the code imports."""


class Foreign(Refusal):
    """The file there was not exported by Netdraft: the caller asks before it is replaced."""


def save_code(path: Path, text: str, *, replace: bool = False) -> None:
    """Put generated code in a file, whole or not at all.

    Raises Refusal where it cannot be written: Foreign where a file is there that does not begin
    with the two lines of an export, unless `replace`.
    """
    if path.name.lower() in SHADOWING:
        reason = message("the code could not import {name} beside it.", name=path.stem)
        raise refusal(str(path), reason)
    if not replace and path.exists() and not _is_export(path):
        reason = message("this file was not exported by Netdraft.")
        raise refusal(str(path), reason, kind=Foreign)
    save_file(path, text.encode())


def _is_export(path: Path) -> bool:
    try:
        return read_file(path).startswith(HEADER.encode())
    except Refusal:
        return False
