"""All that stands against a design: what its analysis finds, and what only its code would show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.finding import Problem
from designer.core.message import message
from designer.export.pytorch import export_problems
from designer.export.uses import code_of, inputs_of, live, outputs_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from designer.core.analysis import Analysis


def standing_problems(analysis: Analysis) -> list[Problem]:
    """The problems of a design as it is drawn.

    A design without ends is being drawn still: that they are missing is left to the export.
    """
    found = analysis.problems()
    if inputs_of(analysis) and outputs_of(analysis):
        found += [problem for problem in export_problems(analysis) if problem not in found]
        found += _unreached(analysis)
    return found


def _unreached(analysis: Analysis) -> Iterator[Problem]:
    """Layers that no Output depends on: they are made, and never called."""
    reached = set(live(analysis))
    for id in analysis.document.graph.ids():
        if code_of(analysis, id) is not None and id not in reached:
            yield Problem("hint", message("No Output depends on it: forward leaves it out."), id)
