"""From what is typed for a file to an analysed design."""

from __future__ import annotations

from typing import TYPE_CHECKING

import designer.layers  # noqa: F401  (fills the catalogue)
from designer.cli.place import find
from designer.cli.saying import LONGEST, say, told
from designer.core.analysis import Analysis
from designer.core.message import message
from designer.files.codec import read_document
from designer.files.refusal import shown
from designer.files.storage import read_file

if TYPE_CHECKING:
    from designer.core.analysis import Analysis as Analysed
    from designer.core.document import Document
    from designer.core.finding import Problem
    from designer.core.message import Message


def open_document(file: str) -> Document:
    """The document of a file or example; what there is to tell of it goes to standard error.

    Raises Refusal where it cannot be read.
    """
    path = find(file)
    loaded = read_document(read_file(path), str(path))
    for notice in loaded.notices:
        say(notice)
    return loaded.document


def open_analysis(file: str) -> Analysed:
    """The analysis of a file or example. Raises Refusal where it cannot be read."""
    return Analysis(open_document(file))


def placed(problem: Problem, document: Document) -> Message:
    """A problem with the place where it is: `fc1: Linear expects ...`."""
    node = document.graph.nodes.get(problem.node) if problem.node is not None else None
    place = node.name if node else problem.option
    if not place:
        return problem.message
    return message("{place}: {said}", place=place, said=problem.message)


def line(text: Message) -> str:
    """A message as one line of output may show it."""
    return shown(told(text), LONGEST)
