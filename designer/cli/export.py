"""`netdraft export`: a design as PyTorch code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from designer.cli.opening import open_analysis, placed
from designer.cli.place import find
from designer.cli.saying import say
from designer.core.message import message
from designer.export.pytorch import export_problems, write
from designer.export.saving import Foreign, save_code
from designer.files.refusal import refusal

if TYPE_CHECKING:
    from argparse import Namespace

STANDARD_OUTPUT = "-"


def run(arguments: Namespace) -> int:
    """Write the code to standard output or a file; 1 where the design has problems."""
    analysis = open_analysis(arguments.file)
    problems = export_problems(analysis)
    for problem in problems:
        say(placed(problem, analysis.document))
    if problems:
        return 1
    text = write(analysis, analysis.document.title or find(arguments.file).stem).text
    if arguments.output == STANDARD_OUTPUT:
        print(text, end="")
    else:
        save(Path(arguments.output), text, force=arguments.force)
    return 0


def save(path: Path, text: str, *, force: bool) -> None:
    """Put the code in a file; raises Refusal where that would replace something else."""
    try:
        save_code(path, text, replace=force)
    except Foreign:
        reason = message("this file was not exported by Netdraft; --force replaces it.")
        raise refusal(str(path), reason) from None
