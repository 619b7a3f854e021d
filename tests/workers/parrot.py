"""A child process without a sandbox that does what its orders say, such as `{"do": "echo", "value": 1}`."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

Report = dict[str, Any]
Order = dict[str, Any]


def breed(_order: Order) -> Report:
    return {"pid": subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL).pid}


def close(_order: Order) -> None:
    """Close the socket, and stay."""
    os.closerange(0, 100)
    threading.Event().wait()


def hang(_order: Order) -> None:
    threading.Event().wait()


def main() -> None:
    """Say that it is ready, and follow orders until they end."""
    line = socket.socket(fileno=os.dup(0))
    pause = threading.Event()

    def stammer(_order: Order) -> None:
        line.sendall(b'{"value": ')
        pause.wait(0.01)
        line.sendall('"ä"}\n'.encode())

    orders: dict[str, Callable[[Order], Report | None]] = {
        "echo": lambda order: {"value": order["value"]},
        "write": lambda order: {"count": os.write(int(sys.argv[1]), order["value"].encode())},
        "tell": lambda _: {"arguments": sys.argv[1:], "session": os.getsid(0), "environment": [*os.environ]},
        "breed": breed,
        "stammer": stammer,
        "lie": lambda _: line.sendall(b"no JSON\n"),
        "hang": hang,
        "exit": lambda _: os._exit(3),
        "kill": lambda _: os.kill(os.getpid(), signal.SIGSEGV),
        "close": close,
    }
    line.sendall(b'{"has_network": true}\n')
    for text in line.makefile("r"):
        order = json.loads(text)
        report = orders[order["do"]](order)
        if report is not None:
            line.sendall(json.dumps(report).encode() + b"\n")


if __name__ == "__main__":
    main()
