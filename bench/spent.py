"""Run a program as a process of its own, and tell what it took.

    python -I -S bench/spent.py COMMAND [ARGUMENT ...]     its input is the program's; writes JSON

A process counts what it shares with its parent at the fork as its own memory. So this small one starts the program, and
not a benchmark that has worked before; it needs nothing but the standard library.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def of(command: Sequence[str], source: Path | None = None) -> dict[str, Any]:
    """Run a program with the file `source` as its input.

    Returns its `output`, its processor `seconds` and its seconds on the clock (`wall seconds`), start included, and its
    `peak MB` of resident memory (MiB). Raises: RuntimeError for a program that fails.
    """
    with (source or Path("/dev/null")).open("rb") as given:
        launcher = [sys.executable, "-I", "-S", str(Path(__file__).resolve()), *command]
        done = subprocess.run(launcher, cwd=ROOT, stdin=given, stdout=subprocess.PIPE, check=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    if status := found.pop("status"):
        raise RuntimeError(f"{command[0]} ended with {status}")
    return found


def _main(command: Sequence[str]) -> None:
    started = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False, text=True)
    took, usage = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    found = {
        "status": done.returncode,
        "output": done.stdout.strip(),
        "seconds": usage.ru_utime + usage.ru_stime,
        "wall seconds": took,
        "peak MB": usage.ru_maxrss / 1024,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    _main(sys.argv[1:])
