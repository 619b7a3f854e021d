"""A darkroom in which the picture's name says what goes wrong: `hang.png`, `spin.png`, `crash.png`, `eat.png`..."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import IO, Any

from courier import darkroom, development

darkroom.MAX_RESULT_BYTES = 1_000_000
really_process = development.process


def made(name: str, content: bytes = b"") -> development.Processed:
    return development.Processed(
        name=name, content=content, media_type="image/png", width=1, height=1, frames=1, notes=[]
    )


def hang(_source: IO[bytes]) -> development.Processed:
    threading.Event().wait()
    return made("never")


def spin(_source: IO[bytes]) -> development.Processed:
    while True:
        pass


def crash(_source: IO[bytes]) -> development.Processed:
    os.kill(os.getpid(), signal.SIGSEGV)
    return made("never")


def breed(_source: IO[bytes]) -> development.Processed:
    child = subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return made(str(child.pid))


def fault(_source: IO[bytes]) -> development.Processed:
    raise ZeroDivisionError


MISCHIEF: dict[str, Callable[[IO[bytes]], development.Processed]] = {
    "hang.png": hang,
    "spin.png": spin,
    "crash.png": crash,
    "breed.png": breed,
    "fault.png": fault,
    "eat.png": lambda _source: made("fat", bytes(3_000_000_000)),
    "flood.png": lambda _source: made("flood", bytes(darkroom.MAX_RESULT_BYTES + 1)),
    "secrets.png": lambda _source: made(" ".join(sorted(os.environ))),
    "echo.png": lambda source: made(f"echo-{os.getpid()}", source.read()),
    "escape.png": lambda _source: made("../outside.png"),
}


def process(file: IO[bytes], *, name: str, **rest: Any) -> development.Processed:
    work = MISCHIEF.get(name)
    return work(file) if work else really_process(file, name=name, **rest)


development.process = process

if __name__ == "__main__":
    sys.exit(darkroom.main(sys.argv[1:]))
