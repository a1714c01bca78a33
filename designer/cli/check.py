"""`netdraft check`: what is wrong with a design, and whether its export is what was drawn."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from designer.cli.count import plain_problems
from designer.cli.opening import line, open_analysis, placed
from designer.cli.saying import told
from designer.core.message import message
from designer.export.check import check
from designer.export.pytorch import export_problems

if TYPE_CHECKING:
    from argparse import Namespace

    from designer.core.analysis import Analysis
    from designer.core.message import Message
    from designer.export.check import Case, Report

SEVERITIES = {
    "error": message("error"),
    "incomplete": message("incomplete"),
    "warning": message("warning"),
    "hint": message("hint"),
}


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
            "failure": None if report.failure is None else told(report.failure),
            "cases": [_plain_case(case) for case in report.cases],
        }
    return found


def _plain_case(case: Case) -> dict[str, Any]:
    return {
        "name": told(case.name),
        "device": case.device,
        "skipped": None if case.skipped is None else told(case.skipped),
        "differences": [told(difference) for difference in case.differences],
    }


def _print_problems(analysis: Analysis) -> None:
    problems = analysis.problems()
    known = {*problems}
    problems += [problem for problem in export_problems(analysis) if problem not in known]
    for problem in problems:
        said = placed(problem, analysis.document)
        severity = SEVERITIES[problem.severity]
        print(line(message("{severity}: {said}", severity=severity, said=said)))
    if not problems:
        print(told(message("No problems.")))


def _print_report(report: Report) -> None:
    if report.failure is not None:
        print(told(message("The export was not compared: {reason}", reason=report.failure)))
        return
    for case in report.cases:
        print(told(message("{case}: {outcome}", case=case.name, outcome=_outcome(case))))
        for difference in case.differences:
            print(f"  {told(difference)}")
    text = "The export does not match the design (torch {version})."
    if report.matches:
        text = "The export matches the design (torch {version})."
    print(told(message(text, version=report.torch)))


def _outcome(case: Case) -> Message:
    if case.skipped is not None:
        text = "skipped, since the design has a problem there: {reason}"
        return message(text, reason=case.skipped)
    if len(case.differences) == 1:
        return message("1 difference")
    if case.differences:
        return message("{count} differences", count=len(case.differences))
    return message("equal") if case.device == "cpu" else message("equal (shapes only)")
