"""Programs on terminals: standard output and standard error each a terminal or a file, and what a person would see.

A server has the programs loaded and gives each run a fork of its own, which ends as Python ends: a run costs a
fifth of a start. What is on the screen is what pyte, a model of a terminal, makes of what arrived.

    python -m tests.support.terminals     serves requests, a line of JSON each, until its input ends
"""

from __future__ import annotations

import base64
import fcntl
import importlib
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyte

from tests.support.engines import unmeasured

ROOT = Path(__file__).parents[2]
COLUMNS, LINES = 80, 24
#: A screen on which nothing scrolls away.
TALL = 500
#: Loaded before the first run, beside the programs.
HEAVY = ("boto3", "botocore.auth", "courier.requester", "courier.picturedesk", "courier.claimcheck", "rich.progress")
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
        screen = pyte.Screen(self.columns, TALL)
        pyte.ByteStream(screen).feed(self.out if content is None else content)
        return "\n".join(line.rstrip() for line in screen.display).rstrip("\n").split("\n")


class Programs:
    """Runs programs on terminals; a process of its own, to be closed."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.support.terminals"],
            cwd=ROOT,
            env=unmeasured(dict(os.environ)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self,
        program: str,
        arguments: Sequence[str],
        *,
        env: Mapping[str, str],
        folder: Path,
        out: str = "pty",
        err: str = "pty",
        columns: int = COLUMNS,
    ) -> Seen:
        """Run a program to its end; `out` and `err` are pty, file, or gone (a pipe that nobody reads).

        Two ptys are one terminal.
        """
        assert self._server.stdin
        assert self._server.stdout
        request = {
            "module": Path(program).stem,
            "arguments": list(arguments),
            "env": {"TERM": "xterm-256color", "LANG": "C.UTF-8", **env},
            "folder": str(folder),
            "out": out,
            "err": err,
            "columns": columns,
            "encoding": env.get("PYTHONIOENCODING", "utf-8"),
        }
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        answer = json.loads(self._server.stdout.readline())
        said, errors = (base64.b64decode(answer[name]) for name in ("out", "err"))
        return Seen(status=answer["status"], out=said, err=errors, columns=columns)

    def close(self) -> None:
        """End the server."""
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.close()
        self._server.wait(20)
        self._server.stdout.close()


def chunked(rows: Sequence[str], columns: int) -> list[str]:
    """Return rows as a terminal of that width shows them when nobody breaks them."""
    return [row[start : start + columns].rstrip() for row in rows for start in range(0, max(1, len(row)), columns)]


def without_times(text: str) -> str:
    """Return a text in which all that differs from run to run has a fixed value: times in seconds."""
    text = re.sub(r'(seconds": )[\d.]+', r"\g<1>0", text)
    return re.sub(r"\b[\d.]+ s\b", "0 s", text)


def _serve() -> None:
    for name in (*HEAVY, "numbers_client", "images_client"):
        importlib.import_module(name)
    for line in sys.stdin:
        request = json.loads(line)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            answer = _run(request, {"out": out.fileno(), "err": err.fileno()})
        print(json.dumps(answer), flush=True)


def _run(request: dict[str, Any], files: dict[str, int]) -> dict[str, Any]:
    """Run one program in a fork and return what became of it."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, request["columns"], 0, 0))
    reading, gone = os.pipe()
    os.close(reading)
    ends = {name: {"pty": slave, "gone": gone, "file": files[name]}[request[name]] for name in files}
    child = os.fork()
    if child == 0:
        os.close(master)
        _become(request, slave, ends)
    os.close(slave)
    os.close(gone)
    arrived = _read_all(master)
    os.close(master)
    _, status = os.waitpid(child, 0)
    kept = {name: os.pread(fd, 1 << 24, 0) for name, fd in files.items()}
    if request["out"] == "pty":
        kept["out"] = arrived
    elif request["err"] == "pty":
        kept["err"] = arrived
    coded = {name: base64.b64encode(content).decode() for name, content in kept.items()}
    return {"status": os.waitstatus_to_exitcode(status), **coded}


def _read_all(master: int) -> bytes:
    """Return what arrives at a terminal until nobody has it open any more."""
    arrived = b""
    while select.select([master], [], [], SECONDS)[0]:
        try:
            more = os.read(master, 65536)
        except OSError:  # EIO: the other end is closed
            break
        arrived += more
    return arrived


def _become(request: dict[str, Any], slave: int, ends: dict[str, int]) -> None:
    """Go on as a program that has just been started."""
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    has_terminal = "pty" in (request["out"], request["err"])
    for number, fd in enumerate((slave if has_terminal else nothing, ends["out"], ends["err"])):
        os.dup2(fd, number)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["folder"])
    sys.argv = [f"{request['module']}.py", *request["arguments"]]
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding=request["encoding"], errors=errors, buffering=1 if os.isatty(number) else -1)  # noqa: PTH123, SIM115
        for number, mode, errors in ((0, "r", "strict"), (1, "w", "strict"), (2, "w", "backslashreplace"))
    )
    commandline = importlib.import_module("courier.commandline")
    sys.exit(commandline.finish(importlib.import_module(request["module"]).main))


if __name__ == "__main__":
    _serve()
