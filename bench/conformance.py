"""What becomes of every cell of the conformance matrix, and the table of it in docs/reference/conformance.md.

    python -m bench.conformance [--list] [FORMAT...]

Each file is made from known samples, given to the worker's own function with operations that leave an image as it is,
and its result judged: right, rejected for a true reason, noted (a note names the difference), or wrong. Where
tifffile and pyvips are installed (bench/requirements.txt), they look at each file and each result as well. The table
is written when all formats are run.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.support.conformance.cell import Cell
from tests.support.conformance.judge import PIPELINES, Verdict, judge
from tests.support.conformance.matrix import MAKERS, cells

TABLE = Path(__file__).parents[1] / "docs/reference/conformance.md"
HEAD = """# Conformance

What becomes of image files of every kind, each made from known samples and given to the worker's own function with
operations that leave an image as it is ({pipelines}). Written by `python -m bench.conformance`; the tests hold a part
of it to "wrong = 0" (`tests/unit/images/test_conformance.py`).

- **right**: the pixels of the result are those of the file, or their equal in sRGB
- **noted**: a note of the response names what is different, such as 8 bits for 16
- **rejected**: the sentence says truly why
- **wrong**: anything else

| format | files | results | right | noted | rejected | wrong | files that another program reads as we made them |
|---|--:|--:|--:|--:|--:|--:|--:|
"""


def _opinion() -> Any:
    try:
        from bench import second_opinion
    except ImportError:
        return None
    return second_opinion


def _row(name: str, files: int, seen: Counter[Verdict], opinions: Counter[bool | None]) -> str:
    share = f"{opinions[True]:,} of {opinions[True] + opinions[False]:,}" if opinions[True] + opinions[False] else "-"
    counts = " | ".join(
        f"{seen[verdict]:,}" for verdict in (Verdict.RIGHT, Verdict.NOTED, Verdict.REJECTED, Verdict.WRONG)
    )
    return f"| {name} | {files:,} | {seen.total():,} | {counts} | {share} |"


def _judged(name: str, found: list[Cell], *, is_listed: bool) -> tuple[Counter[Verdict], Counter[bool | None]]:
    """Judge the cells of a format, and print those that are wrong, or all."""
    other = _opinion()
    seen: Counter[Verdict] = Counter()
    opinions: Counter[bool | None] = Counter()
    for cell in found:
        opinions[agreed := other.agrees(cell) if other else None] += 1
        if agreed is False:
            print(f"{name}: another program reads {cell.name} otherwise")
        for operations in PIPELINES:
            verdict, why = judge(cell, operations, other.decoded if other else None)
            seen[verdict] += 1
            if is_listed or verdict is Verdict.WRONG:
                print(f"{name}: {cell.name}: {operations}: {verdict.value} {why}")
    return seen, opinions


def main(arguments: list[str]) -> int:
    """Judge the matrix; return 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="print what became of every cell, not only what is wrong")
    parser.add_argument("formats", nargs="*", choices=[*MAKERS, []], metavar="FORMAT", help=", ".join(MAKERS))
    given = parser.parse_args(arguments)
    started = time.process_time()
    rows, whole, files, all_opinions = [], Counter[Verdict](), 0, Counter[bool | None]()
    for name in given.formats or MAKERS:
        found = list(cells(name))
        assert len({(cell.format, cell.name) for cell in found}) == len(found), "two cells have one name"
        seen, opinions = _judged(name, found, is_listed=given.list)
        rows.append(_row(name, len(found), seen, opinions))
        whole, files, all_opinions = whole + seen, files + len(found), all_opinions + opinions
    rows.append(_row("**all**", files, whole, all_opinions))
    table = HEAD.format(pipelines=" and ".join(f"`{one}`" for one in PIPELINES)) + "\n".join(rows) + "\n"
    print(table + f"\n{time.process_time() - started:.0f} s of processor time")
    if not given.formats:
        TABLE.write_text(table)
    return int(whole[Verdict.WRONG] > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
