"""Whether the local AWS responds: a process that is stopped, or hangs, takes connections and never answers.

run_local.sh runs this file as a script, with the standard library alone:

local_aws.py PORT SECONDS    status 0 if it responds within SECONDS, else 1
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence


def responds(port: int, seconds: float) -> bool:
    """Whether something answers a request to this port of 127.0.0.1, or ends the connection, within `seconds`."""
    try:
        with socket.create_connection(("127.0.0.1", port), seconds) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
            connection.recv(1)
    except (ConnectionResetError, BrokenPipeError):
        return True
    except OSError:
        return False
    return True


def main(arguments: Sequence[str]) -> int:
    """Return the exit status."""
    port, seconds = arguments
    return 0 if responds(int(port), float(seconds)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
