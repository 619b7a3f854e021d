"""Run one contestant: `python -m bench.peers.contestants NAME serve|send`.

`send` reads requests from standard input, a line each: an id, a space, the numbers. It says when each is sent.
"""

from __future__ import annotations

import sys
from importlib import import_module


def main(name: str, action: str) -> None:
    """Serve, or send what standard input has."""
    contestant = import_module(f"bench.peers.contestants.{name}")
    if action == "serve":
        contestant.serve()
        return
    send = contestant.sender()
    for line in sys.stdin:
        request_id, _, numbers = line.rstrip("\n").partition(" ")
        send(request_id, numbers)
        print("sent", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
