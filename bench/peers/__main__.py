"""Compare a worker with those that one might choose instead, on the same requests and the same local AWS.

    python -m bench.peers [--requests 2000] [--rounds 3] [--only NAME ...] [--python PROGRAM]

Makes a virtual environment of its own for them, and runs every contestant in it, ours too. All calls pass a gate
that counts them and, where asked, holds each back for 10 ms. The contestants take turns in each round; the
workers are idle all at once, and are ended three at a time (--at-once). Keeps the raw figures as
bench/results/peers.json, and writes the tables of docs/explanation/performance.md. On a slow machine: --requests 500.
"""

from __future__ import annotations

import subprocess
import sys

from bench import results
from bench.peers import comparison
from bench.throughput import ROOT


def main() -> int:
    """Measure, keep, and write the tables; return the exit status."""
    given = comparison.arguments(description=__doc__ or "")
    figures = comparison.figures(given)
    if given.only:
        print(figures)
        return 0
    results.store("peers", figures)
    return subprocess.run([sys.executable, "-m", "scripts.docs"], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
