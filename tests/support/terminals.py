"""Programs on terminals: standard output and standard error each a terminal, a file or a pipe, and what a person sees.

What is on the screen is what pyte, a model of a terminal, makes of what arrived.
"""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import termios
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyte

from tests.support import quickprograms
from tests.support.engines import unmeasured
from tests.support.forkserver import ROOT

COLUMNS, LINES = 80, 24
#: A screen on which nothing scrolls away.
TALL = 500
SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Seen:
    """How a run ended, and what arrived at both outputs; with both on one terminal, all of it is in `out`."""

    status: int
    out: bytes
    err: bytes
    columns: int

    def screen(self, content: bytes | None = None) -> list[str]:
        """Return the lines that are left on a terminal, without empty ones at its end."""
        return screen(self.out if content is None else content, self.columns)


def screen(content: bytes, columns: int) -> list[str]:
    """Return the lines that are left on a terminal of that width, without empty ones at its end."""
    shown = pyte.Screen(columns, TALL)
    pyte.ByteStream(shown).feed(content)
    return "\n".join(line.rstrip() for line in shown.display).rstrip("\n").split("\n")


def run(
    program: str,
    arguments: Sequence[str],
    *,
    env: Mapping[str, str],
    folder: Path,
    out: str = "pty",
    err: str = "pty",
    columns: int = COLUMNS,
) -> Seen:
    """Run a program to its end; `out` and `err` are pty, file, or gone (a pipe that nobody reads); `out` may be a pipe.

    Two ptys are one terminal, and standard input is the same.
    """
    with ExitStack() as stack:
        leader, follower = terminal(columns)
        files = {name: stack.enter_context(tempfile.TemporaryFile()) for name in ("out", "err")}
        reading, gone = os.pipe()
        os.close(reading)
        pipe_out, pipe_in = os.pipe()
        ends: dict[str, Any] = {"pty": follower, "gone": gone, "pipe": pipe_in}
        reader = stack.enter_context(ThreadPoolExecutor(1))
        process = quickprograms.popen(
            [sys.executable, str(ROOT / program), *arguments],
            cwd=folder,
            env=unmeasured({"TERM": "xterm-256color", **env}),
            stdin=follower if "pty" in (out, err) else subprocess.DEVNULL,
            stdout=ends.get(out, files["out"]),
            stderr=ends.get(err, files["err"]),
            start_new_session=True,
        )
        os.close(follower)
        os.close(gone)
        os.close(pipe_in)
        piped = reader.submit(_read_pipe, pipe_out)
        arrived = read_all(leader)
        os.close(leader)
        status = process.wait()
        kept = {name: os.pread(file.fileno(), 1 << 24, 0) for name, file in files.items()}
        kept["out"] += piped.result()
    if "pty" in (out, err):
        kept["out" if out == "pty" else "err"] = arrived
    return Seen(status=status, out=kept["out"], err=kept["err"], columns=columns)


def _read_pipe(end: int) -> bytes:
    with open(end, "rb") as pipe:
        return pipe.read()


def terminal(columns: int) -> tuple[int, int]:
    """Return both ends of a new terminal."""
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (LINES, columns))
    return leader, follower


def read_all(leader: int) -> bytes:
    """Return what arrives at a terminal until nobody has it open any more."""
    arrived = b""
    while select.select([leader], [], [], SECONDS)[0]:
        try:
            more = os.read(leader, 65536)
        except OSError:  # EIO: the other end is closed
            break
        arrived += more
    return arrived


def chunked(rows: Sequence[str], columns: int) -> list[str]:
    """Return rows as a terminal of that width shows them when nobody breaks them."""
    return [row[start : start + columns].rstrip() for row in rows for start in range(0, max(1, len(row)), columns)]


def without_times(text: str) -> str:
    """Return a text in which all that differs from run to run has a fixed value: times in seconds."""
    # The digits may be broken, too, or push the row's last brace to the next line of a terminal.
    text = re.sub(r'(seconds":\n? )[\d.]+(?:\n[\d.]*(?=\}))?', r"\g<1>0", text)
    return re.sub(r"\b[\d.]+ s\b", "0 s", text)
