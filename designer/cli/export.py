"""`netdraft export`: a design as PyTorch code."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from designer.cli.opening import find, open_analysis, say, sentence
from designer.core.message import message
from designer.export.pytorch import HEADER, export_problems, write
from designer.files.refusal import Refusal, refusal
from designer.files.storage import read_file, save_file

if TYPE_CHECKING:
    from argparse import Namespace

STANDARD_OUTPUT = "-"
SHADOWING = ("torch.py", "math.py")
"""Files that would be imported in place of what the code imports."""


def run(arguments: Namespace) -> int:
    """Write the code to standard output or a file; 1 where the design has problems."""
    analysis = open_analysis(arguments.file)
    problems = export_problems(analysis)
    for problem in problems:
        say(sentence(problem, analysis.document))
    if problems:
        return 1
    text = write(analysis, analysis.document.title or find(arguments.file).stem).text
    if arguments.output == STANDARD_OUTPUT:
        sys.stdout.write(text)
    else:
        save(Path(arguments.output), text, force=arguments.force)
    return 0


def save(path: Path, text: str, *, force: bool) -> None:
    """Put the code in a file; raises Refusal where that would replace something else."""
    if path.name.lower() in SHADOWING:
        reason = message("the code could not import {name} beside it.", name=path.stem)
        raise refusal(str(path), reason)
    if not force and path.exists() and not _is_ours(path):
        reason = message("this file was not exported by Netdraft; --force replaces it.")
        raise refusal(str(path), reason)
    save_file(path, text.encode())


def _is_ours(path: Path) -> bool:
    try:
        return read_file(path).startswith(HEADER.encode())
    except Refusal:
        return False
