"""Run aws_setup.sh to its end, and note what it prints and when."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

VERB_SECONDS = 1500


class VerbFailed(Exception):
    """aws_setup.sh ended with an error."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What aws_setup.sh printed, line by line, and when."""

    lines: list[tuple[float, str]]
    status: int

    @property
    def text(self) -> str:
        """Everything that was printed."""
        return "\n".join(line for _, line in self.lines)

    @property
    def error(self) -> str:
        """What was printed as an error, or last: other calls, at the same time, may have printed more since."""
        own = [line for _, line in self.lines if line.startswith("aws_setup.sh: ")]
        return (own or [line for _, line in self.lines] or [""])[-1]

    def when(self, text: str) -> float:
        """Return when a line with `text` was printed, on the monotonic clock. Raises: VerbFailed."""
        for moment, line in self.lines:
            if text in line:
                return moment
        raise VerbFailed(f"aws_setup.sh did not print {text!r}")


def run_script(command: Sequence[str], env: Mapping[str, str], show: Callable[[str], None]) -> Ended:
    """Run a command and show what it prints, indented. An exception ends it, with all that it has started."""
    lines: list[tuple[float, str]] = []
    # A session of its own: Ctrl-C reaches it only through this program.
    process = subprocess.Popen(
        command,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    limit = threading.Timer(VERB_SECONDS, _end, [process])
    limit.start()
    try:
        assert process.stdout is not None  # noqa: S101  it is a pipe
        with process.stdout as output:
            for line in output:
                lines.append((time.monotonic(), line.rstrip("\n")))
                show(f"  {line.rstrip()}")
        return Ended(lines=lines, status=process.wait())
    finally:
        limit.cancel()
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    process.wait()
