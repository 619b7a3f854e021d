"""A sandbox child in which the image's name says what goes wrong: `hang.png`, `spin.png`, `crash.png`, `eat.png`..."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import IO, Any

from courier import sandbox_child
from courier.images import processor
from courier.images.sandbox_child import work

sandbox_child.MAX_RESULT_BYTES = 1_000_000
really_process = processor.process


def made(name: str, content: bytes = b"") -> processor.Processed:
    return processor.Processed(
        name=name, content=content, media_type="image/png", width=1, height=1, frames=1, notes=[]
    )


def hang(_source: IO[bytes]) -> processor.Processed:
    threading.Event().wait()
    return made("never")


def spin(_source: IO[bytes]) -> processor.Processed:
    while True:
        pass


def crash(_source: IO[bytes]) -> processor.Processed:
    os.kill(os.getpid(), signal.SIGSEGV)
    return made("never")


def breed(_source: IO[bytes]) -> processor.Processed:
    child = subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return made(str(child.pid))


def fault(_source: IO[bytes]) -> processor.Processed:
    raise ZeroDivisionError


MISCHIEF: dict[str, Callable[[IO[bytes]], processor.Processed]] = {
    "hang.png": hang,
    "spin.png": spin,
    "crash.png": crash,
    "breed.png": breed,
    "fault.png": fault,
    "eat.png": lambda _source: made("fat", bytes(3_000_000_000)),
    "flood.png": lambda _source: made("flood", bytes(sandbox_child.MAX_RESULT_BYTES + 1)),
    "secrets.png": lambda _source: made(" ".join(sorted(os.environ))),
    "echo.png": lambda source: made(f"echo-{os.getpid()}", source.read()),
    "escape.png": lambda _source: made("../outside.png"),
}


def process(file: IO[bytes], *, name: str, **rest: Any) -> processor.Processed:
    work = MISCHIEF.get(name)
    return work(file) if work else really_process(file, name=name, **rest)


processor.process = process

if __name__ == "__main__":
    sys.exit(sandbox_child.serve(sys.argv[1:], work))
