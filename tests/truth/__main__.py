"""`python -m tests.truth FILE [...]`: recorded calls of PyTorch against the catalogue.

With `--seed S` also calls drawn anew, which PyTorch answers at once in a child process.
Prints a table by operation, how many cases were set aside, and `N passed, N failed`. The exit
code is 0 only when none failed, 2 when a file cannot be read. An operation without a layer has
failed. Set aside are cases that PyTorch refuses for a dtype, in a kernel library, for the order
in memory or for the numbers in a tensor (told by its sentence: `DTYPE`, `KERNEL`, `LAYOUT`,
`VALUES` in `recorded.py`) and the catalogue accepts; they count neither as passed nor as failed.
For files, PyTorch need not be there.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tests.truth.anew import anew
from tests.truth.judge import Outcome, judged
from tests.truth.recorded import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.truth.recorded import Case

QUESTION = ("args", "kw", "mode", "in", "inkw", "why")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit code."""
    options = _options().parse_args(arguments)
    try:
        cases = [case for path in options.files for case in read(path)]
        if options.seed is not None:
            cases += _drawn(options.seed, options.each)
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"Cannot read the cases: {error}", file=sys.stderr)
        return 2
    outcomes = [judged(case) for case in cases if options.op.search(case.op)]
    _print_table(outcomes, whole=options.all)
    failed = [outcome for outcome in outcomes if outcome.standing == "failed"]
    for outcome in failed[: options.show]:
        print(f"\n{outcome.case.id}  {_question(outcome.case)}\n    {outcome.difference}")
    counts = Counter(outcome.standing for outcome in outcomes)
    print(f"\n{counts['set aside']} set aside: refused for dtype, kernel, memory order or values")
    print(f"{counts['passed']} passed, {counts['failed']} failed")
    return 1 if failed or not outcomes else 0


def _drawn(seed: str, each: int) -> list[Case]:
    cases, crashed = anew(seed, each)
    for id in crashed:
        print(f"left out, since it crashes PyTorch: {id}")
    return cases


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.truth")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    parser.add_argument("--seed", metavar="S", help="draw calls anew, and ask PyTorch")
    parser.add_argument(
        "--each", type=int, default=10, metavar="N", help="draw N calls of each operation"
    )
    parser.add_argument(
        "--op", type=re.compile, default="", metavar="REGEX", help="only operations like this"
    )
    parser.add_argument(
        "--show", type=int, default=0, metavar="N", help="print N failed cases and what differs"
    )
    parser.add_argument(
        "--failing", dest="all", action="store_false", help="only operations with failures"
    )
    return parser


def _print_table(outcomes: Sequence[Outcome], *, whole: bool) -> None:
    rows: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        rows.setdefault(outcome.case.op, Counter())[outcome.standing] += 1
    width = max(map(len, rows), default=0)
    print(f"{'operation':{width}}  passed  failed  set aside")
    for op, counts in rows.items():
        if whole or counts["failed"]:
            numbers = (counts["passed"], counts["failed"], counts["set aside"])
            print(f"{op:{width}}  {numbers[0]:6}  {numbers[1]:6}  {numbers[2]:9}")


def _question(case: Case) -> str:
    asked = {name: case.answer[name] for name in QUESTION if name in case.answer}
    return json.dumps(asked, ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(main())
