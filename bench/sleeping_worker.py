"""A worker of the library whose handler sleeps for as long as its request says, and notes when.

    python -m bench.sleeping_worker CONCURRENCY FILE

A request is its number and seconds, "17 0.25". FILE gets a line for each: its number, and when work on it began and
ended, in seconds since the epoch.
"""

from __future__ import annotations

import logging
import os
import sys
import time

from courier import Application, Request, Worker, WorkerConfig

NUMBERS = Application("numbers", requests="requestQueue", replies="responseQueue")


def main() -> None:
    """Serve until a signal."""
    logging.basicConfig(level=logging.INFO)
    # Appended lines of several processes do not mix.
    notes = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def sleep(request: Request) -> str:
        began = time.time()
        number, seconds = request.body.split()
        time.sleep(float(seconds))
        os.write(notes, f"{number} {began} {time.time()}\n".encode())
        return number

    config = WorkerConfig(concurrency=int(sys.argv[1]))
    Worker(sleep, NUMBERS, config).run(ready=lambda: print("listens on", file=sys.stderr, flush=True))


if __name__ == "__main__":
    main()
