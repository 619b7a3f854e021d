"""A sandbox child in which the image's name says what goes wrong: `hang.png`, `spin.png`, `crash.png`, `eat.png`..."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from courier import sandbox_child
from courier.errors import NotAnImage, Reason
from courier.images import memory, processor
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


def kill_once(source: IO[bytes]) -> processor.Processed:
    """Be killed, as by the kernel, until the named file is there."""
    mark = Path(source.read().decode())
    if mark.exists():
        return made("survived")
    mark.touch()
    return killed(source)


def killed(_source: IO[bytes]) -> processor.Processed:
    os.kill(os.getpid(), signal.SIGKILL)
    return made("never")


def close(_source: IO[bytes]) -> processor.Processed:
    """Close the socket, as an image might that took this process over, and stay."""
    os.closerange(3, 100)
    threading.Event().wait()
    return made("never")


def standing(_source: IO[bytes]) -> processor.Processed:
    """Report what the kernel ends first, which privileges there are, and who this is."""
    status = Path("/proc/self/status").read_text().splitlines()
    fields = dict(line.split(":\t", 1) for line in status)
    said = [Path("/proc/self/oom_score_adj").read_text().strip(), fields["CapEff"], fields["Uid"].split()[0]]
    return made(" ".join(said))


def connect(source: IO[bytes]) -> processor.Processed:
    """Report whether an address can be reached."""
    host, port = source.read().decode().split()
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except OSError as error:
        return made(str(error))
    return made("connected")


def half_work(_source: IO[bytes]) -> processor.Processed:
    """Work for half a second of CPU time."""
    until = time.process_time() + 0.5
    while time.process_time() < until:
        pass
    return made("worked")


def damaged(_source: IO[bytes]) -> processor.Processed:
    """Reject what may be an image for which there was no memory."""
    held = bytes(150_000_000)
    raise NotAnImage(f"The image is damaged: {len(held)}.", reason=Reason.CORRUPT)


def fault(_source: IO[bytes]) -> processor.Processed:
    raise ZeroDivisionError


MISCHIEF: dict[str, Callable[[IO[bytes]], processor.Processed]] = {
    "hang.png": hang,
    "spin.png": spin,
    "crash.png": crash,
    "fault.png": fault,
    "eat.png": lambda _source: made("fat", bytes(3_000_000_000)),
    "kill-once.png": kill_once,
    "killed.png": killed,
    "close.png": close,
    "standing.png": standing,
    "connect.png": connect,
    "half-work.png": half_work,
    "damaged.png": damaged,
    "flood.png": lambda _source: made("flood", bytes(sandbox_child.MAX_RESULT_BYTES + 1)),
    "secrets.png": lambda _source: made(" ".join(sorted(os.environ))),
    "echo.png": lambda source: made(f"echo-{os.getpid()}", source.read()),
    "escape.png": lambda _source: made("../outside.png"),
}


def process(file: IO[bytes], *, name: str, **rest: Any) -> processor.Processed:
    work = MISCHIEF.get(name)
    return work(file) if work else really_process(file, name=name, **rest)


def needs(order: Mapping[str, Any], source: IO[bytes]) -> float:
    """Return what an order says of itself, or what images take."""
    return float(order["needs"]) if "needs" in order else memory.needs(order, source)


processor.process = process

if __name__ == "__main__":
    sys.exit(sandbox_child.serve(sys.argv[1:], work, needs, keeps_network=False))
