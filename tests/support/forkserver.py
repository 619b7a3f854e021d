"""Programs without their start: a server that has loaded what they import and gives each call a fork of its own.

Starting Python and reading modules is nine tenths of what the tests' programs cost. A fork has all of it in memory;
what runs in it is the program itself, with the caller's arguments, environment, folder and streams. The server must
have one thread and no connection of its own: whatever it has, every fork has.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from tests.support.engines import unmeasured

ROOT = Path(__file__).parents[2]
#: Every number on the socket has this number of digits: a call's size, its process, its status.
DIGITS = 12
START_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Call:
    """What is to be run, and where."""

    arguments: list[str]
    env: dict[str, str]
    folder: str
    #: Whether it leads a session, of the terminal that its standard input may be.
    is_leader: bool = False


def send(connection: Any, call: Call, streams: Sequence[int]) -> None:
    """Hand a call over, with the descriptors of its three streams; quickcli.c does the same."""
    env = (f"{name}={value}" for name, value in call.env.items())
    fields = ["leader" if call.is_leader else "", call.folder, str(len(call.arguments)), *call.arguments, *env]
    text = b"".join(os.fsencode(field) + b"\0" for field in fields)
    socket.send_fds(connection, [b"%*d" % (DIGITS, len(text))], list(streams))
    connection.sendall(text)


def receive_number(connection: socket.socket) -> int | None:
    """Return what the server says next, or None if it is gone."""
    text = b""
    with contextlib.suppress(ConnectionError):
        while len(text) < DIGITS and (more := connection.recv(DIGITS - len(text))):
            text += more
    return int(text) if len(text) == DIGITS else None


# The server


class Server:
    """Forks for each connection, and sends it the fork's process ID and exit status."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._ended, self._wake = socket.socketpair()
        self._callers: dict[int, socket.socket] = {}

    def serve(self) -> Call:
        """Serve until this process is ended; return only in a fork, with its call."""
        assert threading.active_count() == 1
        gc.collect()
        gc.freeze()
        for end in (self._ended, self._wake):
            end.settimeout(0)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._listener = bind(self._path)
        with selectors.DefaultSelector() as selector:
            for source in (self._listener, self._ended):
                selector.register(source, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in selector.select()]
                if self._ended in ready:
                    self._tell_of_ends()
                if self._listener in ready and (connection := self._fork()):
                    break
        with connection:
            return become(connection)

    def _fork(self) -> socket.socket | None:
        """Return the connection in the fork, and nothing in the server."""
        connection, _ = self._listener.accept()
        if pid := os.fork():
            self._callers[pid] = connection
            say(connection, pid)
            return None
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for inherited in (self._listener, self._ended, self._wake, *self._callers.values()):
            inherited.close()
        return connection

    def _tell_of_ends(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._ended.recv(64):
                pass
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                with self._callers.pop(found[0]) as connection:
                    say(connection, os.waitstatus_to_exitcode(found[1]))


def bind(path: str) -> socket.socket:
    """Return a socket that listens on the path. It is renamed only when a client can connect to it."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(f"{path}.new")
    listener.listen(64)
    Path(f"{path}.new").rename(path)
    return listener


def say(connection: socket.socket, number: int) -> None:
    """Send the caller a number."""
    with contextlib.suppress(OSError):  # the caller may have been killed
        connection.sendall(b"%*d" % (DIGITS, number))


def become(connection: socket.socket) -> Call:
    """Make this process what the caller would have started."""
    length, descriptors, _, _ = socket.recv_fds(connection, DIGITS, 3)
    with connection.makefile("rb") as file:
        call = _parsed(file.read(int(length)))
    if call.is_leader:
        os.setsid()
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    if call.is_leader and os.isatty(0):
        _take_terminal()
    os.chdir(call.folder)
    os.environ.clear()
    os.environ.update(call.env)
    time.tzset()
    _open_streams()
    return call


def _parsed(text: bytes) -> Call:
    leader, folder, count, *rest = map(os.fsdecode, text.split(b"\0")[:-1])
    env = dict(field.split("=", 1) for field in rest[int(count) :] if "=" in field)
    return Call(arguments=rest[: int(count)], env=env, folder=folder, is_leader=bool(leader))


def _take_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _open_streams() -> None:
    """Open the standard streams as Python does at its start."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        before = getattr(sys, name)
        is_raw = bool(number and os.environ.get("PYTHONUNBUFFERED"))
        raw: Any = open(number, "wb" if number else "rb", 0 if is_raw else -1, closefd=False)  # noqa: SIM115  it stays
        getattr(raw, "raw", raw).name = f"<{name}>"
        stream = io.TextIOWrapper(
            raw,
            before.encoding,
            before.errors,
            newline="\n",
            line_buffering=number == 2 or os.isatty(number),
            write_through=is_raw,
        )
        stream.mode = "w" if number else "r"  # type: ignore[misc]
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def close_streams() -> None:
    """Let go of the caller's streams, whose other ends may wait for that."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number, stream in enumerate((sys.stdin, sys.stdout, sys.stderr)):
        os.dup2(nowhere, number)
        stream.close()
    os.close(nowhere)


def finish(program: Callable[[], object]) -> NoReturn:
    """Run a program in a fork, and end as Python does, but for taking its modules apart, which takes long."""
    status = run(program)
    threading._shutdown()  # type: ignore[attr-defined]  # what Python itself calls, as the next
    atexit._run_exitfuncs()
    _end(flushed(status))


def run(program: Callable[[], object]) -> int:
    """Run it, and return what its exit status is to be; a negative one is a signal."""
    status: object = 0
    try:
        program()
    except SystemExit as ended:
        status = ended.code
    except BaseException as error:  # noqa: BLE001  whatever it is, it is said, and ends the program
        sys.excepthook(type(error), error, error.__traceback__)
        status = -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1
    if not isinstance(status, int | None):
        print(status, file=sys.stderr)
        status = 1
    return status or 0


def flushed(status: int) -> int:
    """Return the exit status, which is another one where what the program has printed cannot be written."""
    try:
        sys.stdout.flush()
    except OSError as error:
        print(f"Exception ignored in: {sys.stdout!r}\n{error!r}", file=sys.stderr)
        return 120
    return status


def _end(status: int) -> NoReturn:
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


# The caller


def start_server(module: str, path: Path) -> subprocess.Popen[bytes]:
    """Start the module that serves on `path`, and wait until it does."""
    with path.with_suffix(".log").open("ab") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", module, str(path)],
            cwd=ROOT,
            env=unmeasured(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while not path.exists():
        assert server.poll() is None, f"{module} ended at once: see {path.with_suffix('.log')}"
        assert time.monotonic() < deadline, f"{module} does not serve: see {path.with_suffix('.log')}"
        time.sleep(0.02)
    return server


class Fork(subprocess.Popen[Any]):
    """A process like any other, but that the server on `path` is its parent and not this process.

    Popen's own work begins with `_execute_child` and ends with the other two; they bear these names in Python 3.9 to
    3.14. Of what Popen can do, `preexec_fn`, `pass_fds` and changes of user are left out.
    """

    def __init__(self, path: str, arguments: Sequence[str], **options: Any) -> None:
        self._path = path
        self._lock = threading.Lock()
        super().__init__(arguments, **options)

    def _execute_child(self, args: Sequence[str], *given: Any) -> None:
        """Start it."""
        folder, env, pipes, is_leader = given[4], given[5], given[9:15], given[20]
        call = Call(
            arguments=list(args),
            env=dict(os.environ if env is None else env),
            folder=str(folder or Path.cwd()),
            is_leader=is_leader,
        )
        streams = [number if one == -1 else one for number, one in enumerate((pipes[0], pipes[3], pipes[5]))]
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._connection.connect(self._path)
            send(self._connection, call, streams)
            pid = receive_number(self._connection)
        except OSError:
            self._connection.close()
            raise
        assert pid is not None, "the server of forks is gone"
        self.pid = pid
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]  # Popen's

    def _internal_poll(self, _deadstate: int | None = None) -> int | None:
        """Return the exit status if it has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._wait(0)
        return self.returncode

    def _wait(self, timeout: float | None) -> int:
        """Return the exit status once it has ended. Raises: TimeoutExpired."""
        with self._lock:
            if self.returncode is None:
                with selectors.DefaultSelector() as selector:
                    selector.register(self._connection, selectors.EVENT_READ)
                    if not selector.select(timeout):
                        raise subprocess.TimeoutExpired(self.args, timeout or 0)
                status = receive_number(self._connection)
                self._connection.close()
                assert status is not None, "the server of forks is gone"
                self.returncode = status
        return self.returncode
