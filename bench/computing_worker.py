"""A worker of the library whose handler computes in Python for some milliseconds of processor time.

python -m bench.computing_worker PROCESSES MILLISECONDS
"""

from __future__ import annotations

import logging
import sys
import time

from courier import Application, Request, Worker, WorkerConfig

NUMBERS = Application("numbers", requests="requestQueue", replies="responseQueue")


def compute(request: Request) -> str:
    """Compute for as long as the command line says."""
    until, found = time.thread_time() + float(sys.argv[2]) / 1000, 0
    while time.thread_time() < until:
        found = (found * 31 + len(request.body)) % 1_000_003
    return str(found)


def main() -> None:
    """Serve until a signal."""
    logging.basicConfig(level=logging.INFO)
    config = WorkerConfig(processes=int(sys.argv[1]), capacity=20, concurrency=2)
    Worker(compute, NUMBERS, config).run(ready=lambda: print("listens on", file=sys.stderr, flush=True))


if __name__ == "__main__":
    main()
