"""A gate in front of a local AWS: passes everything through, or does to chosen calls what networks do."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

THROTTLED = (400, {"__type": "com.amazonaws.sqs#RequestThrottled", "message": "Slow down."})
SERVER_ERROR = (500, {"__type": "InternalError", "message": "Oops."})
UNAVAILABLE = (503, {"__type": "ServiceUnavailable", "message": "Later."})
#: What a proxy between us and AWS answers.
BAD_GATEWAY = (502, "<html><body><h1>502 Bad Gateway</h1></body></html>")
GATEWAY_TIMEOUT = (504, "<html><body><h1>504 Gateway Time-out</h1></body></html>")


@dataclass(kw_only=True)
class Fault:
    """What happens to calls whose operation is among `operations` (all, if none is named), `times` times."""

    kind: str
    operations: tuple[str, ...] = ()
    times: int = 1_000_000
    seconds: float = 0.0
    #: A status, and what is answered: JSON, or text as it is.
    answer: tuple[int, dict[str, str] | str] = SERVER_ERROR
    #: Only calls that have this in their body.
    about: str = ""

    def takes(self, operation: str, body: bytes = b"") -> bool:
        """Whether this call is one of those; counts it if so."""
        if self.times <= 0 or (self.operations and operation not in self.operations):
            return False
        if self.about.encode() not in body:
            return False
        self.times -= 1
        return True


class _QuietServer(ThreadingHTTPServer):
    """A server to which a client that has died is nothing to speak of."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: resets are what this server is for."""


class Gate:
    """An HTTP server that forwards to `upstream` and injects faults."""

    def __init__(self, upstream: str) -> None:
        self._upstream = urlsplit(upstream)
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self.calls: Counter[str] = Counter()
        self._server = _QuietServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def fail(self, kind: str, *operations: str, **how: Any) -> None:
        """Begin a fault: latency, answer, lost_answer, reset, cut or black_hole."""
        with self._lock:
            self._faults.append(Fault(kind=kind, operations=operations, **how))

    def heal(self) -> None:
        """End all faults."""
        with self._lock:
            self._faults.clear()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def fault_for(self, operation: str, body: bytes = b"") -> Fault | None:
        """Return the fault that takes this call, if any does."""
        with self._lock:
            self.calls[operation] += 1
            return next((fault for fault in self._faults if fault.takes(operation, body)), None)

    def forward(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """Make the call at the real server and return (status, headers, body)."""
        connection = http.client.HTTPConnection(self._upstream.hostname or "", self._upstream.port, timeout=40)
        try:
            headers = {name: value for name, value in request.headers.items() if name.lower() != "connection"}
            connection.request(request.command, request.path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            #: Headers and body are two writes: with Nagle's algorithm, the second would wait 40 ms for the first's ACK.
            disable_nagle_algorithm = True

            def handle_any(self) -> None:
                body = _read_body(self)
                target = self.headers.get("X-Amz-Target", "")
                operation = target.rpartition(".")[2] or f"S3:{self.command}"
                fault = gate.fault_for(operation, body)
                _ACTIONS[fault.kind if fault else "pass"](gate, self, body, fault or Fault(kind="pass"))

            do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = handle_any  # noqa: N815  http.server's names

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def _read_body(request: BaseHTTPRequestHandler) -> bytes:
    if "100-continue" in request.headers.get("Expect", ""):
        del request.headers["Expect"]
    if "chunked" in request.headers.get("Transfer-Encoding", ""):
        del request.headers["Transfer-Encoding"]
        chunks = []
        while size := int(request.rfile.readline().split(b";")[0], 16):
            chunks.append(request.rfile.read(size))
            request.rfile.readline()
        request.rfile.readline()
        return b"".join(chunks)
    return request.rfile.read(int(request.headers.get("Content-Length") or 0))


def _answer(request: BaseHTTPRequestHandler, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
    request.send_response_only(status)
    for name, value in headers:
        if name.lower() not in {"connection", "transfer-encoding", "content-length"}:
            request.send_header(name, value)
    length = next((value for name, value in headers if name.lower() == "content-length"), str(len(body)))
    request.send_header("Content-Length", length if request.command == "HEAD" else str(len(body)))
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(body)


def _pass(gate: Gate, request: BaseHTTPRequestHandler, body: bytes, _: Fault) -> None:
    try:
        _answer(request, *gate.forward(request, body))
    except OSError:
        _hang_up(request)


def _late(gate: Gate, request: BaseHTTPRequestHandler, body: bytes, fault: Fault) -> None:
    time.sleep(fault.seconds)
    _pass(gate, request, body, fault)


def _reject(_: Gate, request: BaseHTTPRequestHandler, __: bytes, fault: Fault) -> None:
    status, content = fault.answer
    if isinstance(content, str):
        _answer(request, status, [("Content-Type", "text/html")], content.encode())
        return
    _answer(request, status, [("Content-Type", "application/x-amz-json-1.0")], json.dumps(content).encode())


def _lose_answer(gate: Gate, request: BaseHTTPRequestHandler, body: bytes, _: Fault) -> None:
    gate.forward(request, body)
    _hang_up(request)


def _reset(_: Gate, request: BaseHTTPRequestHandler, __: bytes, ___: Fault) -> None:
    _hang_up(request)


def _cut(gate: Gate, request: BaseHTTPRequestHandler, body: bytes, fault: Fault) -> None:
    """Send the head of the answer and half of its body, then nothing for some seconds, if any, and hang up."""
    status, headers, content = gate.forward(request, body)
    request.send_response_only(status)
    for name, value in headers:
        if name.lower() not in {"connection", "transfer-encoding", "content-length"}:
            request.send_header(name, value)
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content[: len(content) // 2])
    time.sleep(fault.seconds)
    _hang_up(request)


def _swallow(_: Gate, request: BaseHTTPRequestHandler, __: bytes, fault: Fault) -> None:
    time.sleep(fault.seconds)
    _hang_up(request)


def _hang_up(request: BaseHTTPRequestHandler) -> None:
    """Reset the connection, as a peer that has died does."""
    request.close_connection = True
    request.wfile.flush()
    linger = struct.pack("ii", 1, 0)
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    request.connection.close()


_ACTIONS: dict[str, Callable[[Gate, BaseHTTPRequestHandler, bytes, Fault], None]] = {
    "pass": _pass,
    "latency": _late,
    "answer": _reject,
    "lost_answer": _lose_answer,
    "reset": _reset,
    "cut": _cut,
    "black_hole": _swallow,
}
