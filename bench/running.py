"""Programs that run while a benchmark works: started, waited for, and ended however the benchmark ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[1]
END_SECONDS = 60.0


@contextmanager
def running(command: Sequence[str], env: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """Run a Python program during the body, which begins once it says that it listens."""
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        while "listens on" not in process.stderr.readline():
            assert process.poll() is None, f"{' '.join(command)} ended with {process.returncode}"
        threading.Thread(target=process.stderr.read, daemon=True).start()
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[str]) -> None:
    """End a program gracefully; kill one that does not end."""
    process.terminate()
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGCONT)  # one that is stopped would not notice
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
