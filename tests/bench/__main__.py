"""`python -m tests.bench [ID ...]`: figures beside goals; exit code 1 where one is missed."""

from __future__ import annotations

import argparse
import sys

from tests.bench import counting, exports, files

TABLES = {**counting.TABLE, **files.TABLE, **exports.TABLE}


def main(ids: list[str]) -> int:
    """Run the tables with these ids, or all; 0 where every goal is reached."""
    missed = 0
    for id in ids or TABLES:
        print(f"{id}  {(TABLES[id].__doc__ or '').splitlines()[0]}", flush=True)
        for figure in TABLES[id]():
            missed += not figure.passed
            what, value, goal, verdict, beside = figure.cells()
            cells = (what.ljust(46), value.rjust(12), goal.rjust(14), verdict, beside)
            print("   ", "  ".join(cells).rstrip(), flush=True)
    print(f"{missed} missed" if missed else "all reached")
    return int(missed > 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("id", nargs="*", metavar="ID", help=", ".join(TABLES))
    chosen = parser.parse_args().id
    unknown = [id for id in chosen if id not in TABLES]
    if unknown:
        parser.error(f"there is no table {unknown[0]}")
    sys.exit(main(chosen))
