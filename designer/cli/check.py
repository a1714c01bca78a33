"""`netdraft check`: what is wrong with a design, and whether its export is what was drawn."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from designer.cli.count import plain_problems
from designer.cli.opening import open_analysis, sentence
from designer.export.check import check
from designer.export.pytorch import export_problems

if TYPE_CHECKING:
    from argparse import Namespace

    from designer.core.analysis import Analysis
    from designer.export.check import Case, Report


def run(arguments: Namespace) -> int:
    """Print problems, and with --torch differences; 1 where there are any that count."""
    analysis = open_analysis(arguments.file)
    blocking = export_problems(analysis)
    report = check(analysis.document) if arguments.torch and not blocking else None
    if arguments.json:
        print(json.dumps(_plain(analysis, report), indent=2))
    else:
        _print_problems(analysis)
        if report is not None:
            _print_report(report)
    return 1 if blocking or (report is not None and not report.matches) else 0


def _plain(analysis: Analysis, report: Report | None) -> dict[str, Any]:
    found: dict[str, Any] = {"problems": list(plain_problems(analysis))}
    if report is not None:
        found["torch"] = {
            "version": report.torch,
            "matches": report.matches,
            "failure": None if report.failure is None else str(report.failure),
            "cases": [_plain_case(case) for case in report.cases],
        }
    return found


def _plain_case(case: Case) -> dict[str, Any]:
    return {
        "name": str(case.name),
        "device": case.device,
        "skipped": None if case.skipped is None else str(case.skipped),
        "differences": [str(difference) for difference in case.differences],
    }


def _print_problems(analysis: Analysis) -> None:
    problems = analysis.problems()
    told = {*problems}
    problems += [problem for problem in export_problems(analysis) if problem not in told]
    for problem in problems:
        print(f"{problem.severity}: {sentence(problem, analysis.document)}")
    if not problems:
        print("No problems.")


def _print_report(report: Report) -> None:
    if report.failure is not None:
        print(f"The export was not compared: {report.failure}")
        return
    for case in report.cases:
        print(f"{case.name}: {_outcome(case)}")
        for difference in case.differences:
            print(f"  {difference}")
    verdict = "matches" if report.matches else "does not match"
    print(f"The export {verdict} the design (torch {report.torch}).")


def _outcome(case: Case) -> str:
    if case.skipped is not None:
        return f"skipped, since the design has a problem there: {case.skipped}"
    if case.differences:
        return f"{len(case.differences)} differences"
    return "equal" if case.device == "cpu" else "equal (shapes only)"
