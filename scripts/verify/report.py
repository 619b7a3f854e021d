"""The results as a table for people and as rows of JSON for an issue, without what identifies the account."""

from __future__ import annotations

import json
import re
import shutil
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from scripts.verify.runner import Result, Status

#: Account ids, access key ids, and addresses but for those that stand for all or for this machine.
_PRIVATE = (
    (re.compile(r"(?<!\d)\d{12}(?!\d)"), "ACCOUNT"),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}"), "KEY"),
    (re.compile(r"\b(?!127\.|0\.0\.0\.0)\d{1,3}(?:\.\d{1,3}){3}(?:/\d+)?(?![\d.])"), "ADDRESS"),
)
#: List prices of us-east-1 in dollars an hour, November 2026: a t3.micro, its public address and its disk.
HOUR_DOLLARS = 0.0104 + 0.005 + 8 * 0.08 / 730
#: The CPU credits of a first boot, at most, and requests, storage and metrics.
FIXED_DOLLARS = 0.025 + 0.01
#: Of two instances more, and of the alarms, in the hour and a half of --long.
LONG_DOLLARS = 2 * 1.5 * HOUR_DOLLARS + 0.01
MINUTES, LONG_MINUTES = 20, 110
WIDTH = 110


def redact(text: str) -> str:
    """Return `text` without account ids, access key ids and addresses."""
    for pattern, instead in _PRIVATE:
        text = pattern.sub(instead, text)
    return text


def estimated_dollars(*, is_long: bool) -> float:
    """Return what a run costs at most, in dollars."""
    minutes = LONG_MINUTES if is_long else MINUTES
    return HOUR_DOLLARS * minutes / 60 + FIXED_DOLLARS + (LONG_DOLLARS if is_long else 0)


def rows(results: Iterable[Result], run: Mapping[str, Any], left: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield the rows: the run, each check, and what is left of the set-up (docs/reference/json)."""
    yield {"kind": "run", **run}
    for result in results:
        yield {
            "kind": "check",
            "check": result.check.name,
            "proves": result.check.proves,
            "status": result.status.value,
            "seconds": result.seconds,
            "detail": result.detail,
            "figures": dict(result.figures),
        }
    for what in left:
        yield {"kind": "left", "what": what}


def json_lines(found: Iterable[Mapping[str, Any]]) -> str:
    """Return rows as JSON, one a line."""
    return "".join(redact(json.dumps(row)) + "\n" for row in found)


def table(results: Sequence[Result], width: int = 0) -> str:
    """Return a table: name, status and seconds of each check, with its sentence below."""
    wide = max((len(result.check.name) for result in results), default=0)
    columns = min(width or shutil.get_terminal_size().columns, WIDTH)
    return "\n".join(line for result in results for line in _lines(result, wide, columns))


def _lines(result: Result, wide: int, columns: int) -> Iterator[str]:
    seconds = f"{result.seconds:7.1f} s" if result.status in (Status.PASSED, Status.FAILED) else ""
    yield f"{result.check.name:<{wide}}  {result.status.value:<8} {seconds}".rstrip()
    indent = " " * (wide + 2)
    text = redact(f"{result.check.proves}: {result.detail}" if result.detail else result.check.proves)
    yield from textwrap.wrap(text, columns, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def summary(results: Iterable[Result]) -> str:
    """Return the number of checks with each status."""
    counts = dict.fromkeys(Status, 0)
    for result in results:
        counts[result.status] += 1
    return ", ".join(f"{count} {status.value}" for status, count in counts.items() if count)
