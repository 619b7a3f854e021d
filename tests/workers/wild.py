"""Handlers that do what no handler should."""

from __future__ import annotations

import os
import signal
import subprocess
import threading

from courier import Rejected, Request, Response
from courier.errors import AccessDenied, NoRoom, Throttled

#: How often each process was called.
calls: list[str] = []


def wild(request: Request) -> str | Response:  # noqa: C901, PLR0911, PLR0912  one case for each kind
    calls.append(request.body)
    match request.body:
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "hang":
            threading.Event().wait()
        case "eat":
            return "x" * 3_000_000_000
        case "reject":
            raise Rejected("No.", hint="Yes.", reason="negative")
        case "busy" if calls.count("busy") == 1:
            raise Throttled("The shop is closed.", hint="Come back.")
        case "full":
            raise NoRoom
        case "denied":
            raise AccessDenied("Not for you.", hint="Ask.")
        case "fail":
            raise ZeroDivisionError
        case "keys":
            return " ".join(sorted(os.environ))
        case "read":
            return repr(subprocess.run(["cat"], stdout=subprocess.PIPE, check=True, text=True).stdout)
        case "set":
            return Response(body="x", details={"a": {1}})
        case "half":
            return "\ud800"
        case "details":
            return Response(body=str(os.getpid()), details={"options": dict(request.options), "id": request.request_id})
    return f"{len(calls)} {request.body}"
