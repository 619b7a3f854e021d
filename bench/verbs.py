"""Count the calls of the AWS CLI and the seconds of each verb of aws_setup.sh, with each version of the CLI.

    python -m bench.verbs [--cli PATH]...

Runs every verb that needs no terminal on moto, one after another, with each CLI (by default the one on PATH, and
/usr/bin/aws), and prints a table in Markdown. `status` and `doctor` start no CLI.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.engines import Engine

ROOT = Path(__file__).parents[1]
#: In this order; a name's second verb finds what the first has made.
VERBS = ("plan", "up", "up, again", "plan, again", "status", "doctor", "stop", "start", "deploy", "sweep", "down")
#: Notes each start, and becomes the CLI.
COUNTING = '#!/bin/sh\necho >>"$BENCH_CALLS"\nexec {cli} "$@"\n'
LONGEST_SECONDS = 900


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a verb took."""

    calls: int
    seconds: float
    cpu_seconds: float


def version_of(cli: str) -> str:
    """Return the version of a CLI, such as 2.9.19."""
    said = subprocess.run([cli, "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"aws-cli/(\S+)", said.stdout + said.stderr)
    return found[1] if found else "?"


def measure(cli: str, engine: Engine, folder: Path) -> Iterator[tuple[str, Measured]]:
    """Yield each verb and what it took with this CLI."""
    program, calls = folder / "bin" / "aws", folder / "calls"
    program.parent.mkdir(parents=True)
    program.write_text(COUNTING.format(cli=cli))
    program.chmod(0o755)
    env = engine.environment()
    env |= {"PATH": f"{program.parent}:{env['PATH']}", "HOME": str(folder), "SETUP_PROOF": "0", "SETUP_PAUSE": "1"}
    for verb in VERBS:
        calls.write_text("")
        before, started = _cpu_seconds(), time.monotonic()
        ended = subprocess.run(
            [ROOT / "aws_setup.sh", verb.partition(",")[0], "--ssh-cidr", "203.0.113.7", "--yes"],
            env={**env, "BENCH_CALLS": str(calls)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
            check=False,
        )
        # Without workers, the doctor finds that none responds.
        if ended.returncode not in (0, 1 if verb == "doctor" else 0):
            raise SystemExit(f"{verb} failed: {ended.stderr}")
        yield (
            verb,
            Measured(
                calls=calls.read_text().count("\n"),
                seconds=time.monotonic() - started,
                cpu_seconds=_cpu_seconds() - before,
            ),
        )


def shown(found: Iterator[tuple[str, Measured]]) -> Iterator[tuple[str, Measured]]:
    """Yield what was measured, and show it on stderr: all of it takes minutes."""
    for verb, one in found:
        print(f"{verb}: {one}", file=sys.stderr, flush=True)
        yield verb, one


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def table(found: dict[str, dict[str, Measured]]) -> str:
    """Return the table: a row a verb, a column a version."""
    lines = ["| verb | " + " | ".join(f"CLI {version}" for version in found) + " |", "| --- " * (len(found) + 1) + "|"]
    for verb in VERBS:
        cells = (one[verb] for one in found.values())
        shown = (f"{one.calls} starts, {one.cpu_seconds:.1f} CPU s, {one.seconds:.0f} s" for one in cells)
        lines.append(f"| `{verb.partition(',')[0]}`{verb[len(verb.partition(',')[0]) :]} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure each CLI and print the table; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cli", action="append", metavar="PATH", help="an AWS CLI (default: those that are found)")
    given = parser.parse_args(arguments)
    clis = given.cli or [cli for cli in (shutil.which("aws"), "/usr/bin/aws") if cli and os.access(cli, os.X_OK)]
    found: dict[str, dict[str, Measured]] = {}
    with tempfile.TemporaryDirectory() as name:
        for number, cli in enumerate(dict.fromkeys(clis)):
            folder = Path(name, str(number))
            (folder / "engine").mkdir(parents=True)
            engine = Engine(name="moto", folder=folder / "engine").start()
            try:
                found[version_of(cli)] = dict(shown(measure(cli, engine, folder / "home")))
            finally:
                engine.stop()
    print(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
