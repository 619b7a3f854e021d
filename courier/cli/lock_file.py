"""Find, await and stop processes by the locks that they hold on files.

A lock file has the process ID of its holder; a worker adds a line `ready` once it listens. The lock ends with the
process. run_local.sh runs this file as a script, with the standard library alone; the lock of NAME is FOLDER/NAME.lock:

lock_file.py FOLDER hold NAME COMMAND...         take the lock and become COMMAND, in a session of its own
lock_file.py FOLDER holders NAME...              print the holder of each, or -; status 0 if each has one
lock_file.py FOLDER wait STATE SECONDS PID NAME  until the lock is `held`, or its holder `ready`; status 1 if PID has
                                                ended instead, 2 at the time limit
lock_file.py FOLDER stop SECONDS NAME...         end the holders, after SECONDS by force; print those that are left:
                                                status 1
lock_file.py FOLDER after PID COMMAND...         become COMMAND once the parent, process PID, has ended
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

POLL_SECONDS = 0.05
#: How long to try to take a lock, which other processes hold for a moment to read its file.
TAKE_SECONDS = 2.0
#: The time limit for a process that was just started to take its lock.
STARTING_SECONDS = 5.0
#: The time limit for a killed process to end; one that waits for a broken disk may never end.
KILLED_SECONDS = 5.0
#: The interval between checks whether the parent has ended.
PARENT_SECONDS = 0.3
#: The suffix of a file with the ID of a process that was started and does not yet hold the lock.
STARTED = ".started"


def hold(path: str, command: Sequence[str]) -> None:
    """Take the lock and become `command`, in a new session. Raises: OSError."""
    if os.getpid() != os.getsid(0):
        os.setsid()
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    until = time.monotonic() + TAKE_SECONDS
    while not _is_taken(lock, fcntl.LOCK_EX):
        if time.monotonic() > until:
            raise BlockingIOError(f"held by process {holder(path) or 'unknown'}")
        time.sleep(POLL_SECONDS)
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    # exec keeps the lock as long as the descriptor is open.
    os.set_inheritable(lock, True)  # noqa: FBT003  it takes no name
    os.execvp(command[0], list(command))  # noqa: S606  this is what it is for


def holder(path: str) -> int | None:
    """Return the process ID of the lock's holder; None without a holder."""
    text = _held_text(path).split()
    return int(text[0]) if text and text[0].isdigit() else None


def is_ready(path: str) -> bool:
    """Whether the holder of the lock is a worker that listens."""
    return "ready" in _held_text(path).split()


def wait(path: str, state: str, seconds: float, process: int) -> int:
    """Wait until the lock is `held`, or its holder `ready`.

    Return 0; 1 if `process` ended instead; 2 at the time limit.
    """
    until = time.monotonic() + seconds
    is_there = is_ready if state == "ready" else holder
    while True:
        # Checked first, since the process may become ready, or end, between the two checks.
        is_alive = _is_alive(process)
        if is_there(path):
            return 0
        if not is_alive and not holder(path):
            return 1
        if time.monotonic() > until:
            return 2
        time.sleep(POLL_SECONDS)


def stop(seconds: float, paths: Sequence[str]) -> list[int]:
    """End the holders, after `seconds` by force; return those that are left."""
    for path in paths:
        _await_started(path)
    running = {path: process for path, process in zip(paths, map(holder, paths)) if process}
    # Checked twice, since a new holder may not yet have overwritten the previous holder's ID.
    time.sleep(POLL_SECONDS if running else 0)
    for number, limit in ((signal.SIGTERM, seconds), (signal.SIGKILL, KILLED_SECONDS)):
        running = {path: process for path, process in running.items() if holder(path) == process}
        for process in running.values():
            _send(process, number)
        until = time.monotonic() + limit
        while running and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
            running = {path: process for path, process in running.items() if holder(path) == process}
    return list(running.values())


def after(parent: int, command: Sequence[str]) -> None:
    """Become `command` once `parent` has ended, in a new session and without SIGHUP. Raises: OSError."""
    os.setsid()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    while os.getppid() == parent:
        time.sleep(PARENT_SECONDS)
    os.execvp(command[0], list(command))  # noqa: S606  this is what it is for


def _await_started(path: str) -> None:
    """Wait until a process that was just started holds its lock."""
    try:
        process = int(Path(path + STARTED).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return
    wait(path, "held", STARTING_SECONDS, process)


def _held_text(path: str) -> str:
    """Return the text of a lock file; empty if the lock has no holder."""
    try:
        lock = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return ""
    try:
        # Shared, so that several processes can check at once.
        return "" if _is_taken(lock, fcntl.LOCK_SH) else os.read(lock, 100).decode("ascii", "replace")
    finally:
        os.close(lock)


def _is_taken(lock: int, kind: int) -> bool:
    """Try to take a lock; return whether that succeeded."""
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _send(process: int, number: int) -> None:
    try:
        os.kill(process, number)
    except OSError:
        # It has ended, or belongs to another user; its lock shows whether it is left.
        return


def main(arguments: Sequence[str]) -> int:
    """Run a command; return the exit status. Raises: OSError."""
    folder, command, *rest = arguments

    def lock_of(name: str) -> str:
        return str(Path(folder, f"{name}.lock"))

    if command == "hold":
        hold(lock_of(rest[0]), rest[1:])
    if command == "after":
        after(int(rest[0]), rest[1:])
    if command == "wait":
        state, seconds, process, name = rest
        return wait(lock_of(name), state, float(seconds), int(process))
    if command == "stop":
        left = stop(float(rest[0]), [lock_of(name) for name in rest[1:]])
        return _print(left, succeeded=not left)
    found = [holder(lock_of(name)) for name in rest]
    return _print(found, succeeded=all(found))


def _print(processes: Sequence[int | None], *, succeeded: bool) -> int:
    sys.stdout.write("".join(f"{process or '-'}\n" for process in processes))
    return 0 if succeeded else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except OSError as error:
        sys.exit(f"lock_file.py: {error}")
