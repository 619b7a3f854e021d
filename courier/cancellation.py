"""Cancellation: a flag that wakes every wait of a client.

A signal handler that raises is not reliable: if a callback, a destructor or a trace function happens to run, the
exception is swallowed, and the wait continues. Here another thread sets the flag, and the wait itself raises.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

T = TypeVar("T")
#: A queue for an outcome, as a function that returns or raises it, or None, which only wakes.
_Waiting = queue.SimpleQueue[Callable[[], object] | None]

#: The time limit of all cleanup after a cancellation, in seconds.
CLEANUP_SECONDS = 2.5


#: Calls that create something that a canceled program cleans up, so that it needs their outcome.
MAKING = ("complete_multipart_upload", "create_multipart_upload", "create_queue", "put_object")
#: Calls whose duration depends on the amount of data, and which have no time limit.
LONG = ("complete_multipart_upload", "put_object", "upload_part")
#: How long a call of `MAKING` may continue after a cancellation, in seconds.
GRACE_SECONDS = 2.0


class Canceled(KeyboardInterrupt):
    """The wait was canceled."""


class Cancellation:
    """Cancels the waits of a program. Safe for threads and signal handlers.

    It has no lock, since a handler may interrupt any of its methods in the same thread.
    """

    def __init__(self) -> None:
        self._is_canceled = False
        self._waiting: dict[int, _Waiting] = {}
        self._thread = threading.local()
        self._cleanups = 0

    @property
    def is_canceled(self) -> bool:
        """Whether `cancel` was called, and not `reset` after it."""
        return self._is_canceled

    @property
    def is_cleaning_up(self) -> bool:
        """Whether any thread is cleaning up."""
        return self._cleanups > 0

    def cancel(self) -> None:
        """Cancel all waits, current and future, until `reset`."""
        self._is_canceled = True
        for waiting in list(self._waiting.values()):
            waiting.put(None)

    def reset(self) -> None:
        """End the cancellation, after the canceled action has ended."""
        self._is_canceled = False

    def check(self) -> None:
        """Raise Canceled if it is canceled, except while cleaning up."""
        if self._is_canceled and self._cleanup_ends_at is None:
            raise Canceled

    def run(self, call: Callable[[], T], *, grace_seconds: float = 0.0, limit_seconds: float | None = None) -> T:
        """Return the result of `call`, which runs in its own thread, abandoned at a cancellation or the time limit.

        After a cancellation the call may continue for `grace_seconds`.
        Raises: Canceled; TimeoutError at the limit; and what `call` raises.
        """
        if limit_seconds is None and getattr(self._thread, "is_runner", False):
            return call()  # the wait for this thread can be canceled
        self.check()
        waiting: _Waiting = queue.SimpleQueue()
        thread = threading.Thread(target=self._run, args=(call, waiting), name="call", daemon=True)
        with self._registered(waiting):
            thread.start()
            outcome = self._outcome(waiting, grace_seconds, limit_seconds)
        if outcome is None:
            raise Canceled
        return outcome()  # type: ignore[return-value]  # it is what `call` returned

    def wait(self, seconds: float) -> bool:
        """Wait for `seconds`, or until canceled; return whether it is canceled."""
        until = time.monotonic() + seconds
        waiting: _Waiting = queue.SimpleQueue()
        with self._registered(waiting):
            while not self._is_canceled and (left := until - time.monotonic()) > 0:
                with suppress(queue.Empty):
                    waiting.get(timeout=left)
        return self._is_canceled

    def is_set(self) -> bool:
        """Whether it is canceled; with `wait`, the interface of `threading.Event`."""
        return self._is_canceled

    @contextmanager
    def cleaning_up(self, seconds: float = CLEANUP_SECONDS) -> Iterator[None]:
        """Allow this thread's calls after a cancellation for `seconds`; they then raise Canceled."""
        outer, self._thread.cleanup_ends_at = self._cleanup_ends_at, time.monotonic() + seconds
        self._cleanups += 1
        try:
            yield
        finally:
            self._cleanups -= 1
            self._thread.cleanup_ends_at = outer

    @property
    def _cleanup_ends_at(self) -> float | None:
        return getattr(self._thread, "cleanup_ends_at", None)

    def _outcome(
        self, waiting: _Waiting, grace_seconds: float, limit_seconds: float | None
    ) -> Callable[[], object] | None:
        """Wait for the outcome; None if it was canceled first."""
        ends_at = self._cleanup_ends_at
        if ends_at is not None:
            return _get(waiting, ends_at)
        if not self._is_canceled:
            outcome = _first(waiting, limit_seconds)
            if outcome is not None:
                return outcome
        with self.cleaning_up(grace_seconds):
            return _get(waiting, time.monotonic() + grace_seconds)

    @contextmanager
    def _registered(self, waiting: _Waiting) -> Iterator[None]:
        self._waiting[id(waiting)] = waiting
        try:
            yield
        finally:
            self._waiting.pop(id(waiting), None)

    def _run(self, call: Callable[[], object], waiting: _Waiting) -> None:
        self._thread.is_runner = True
        try:
            found = call()
        except BaseException as error:  # noqa: BLE001  it is raised where the outcome is waited for
            waiting.put(_raising(error))
        else:
            waiting.put(lambda: found)


class CancelableClient:
    """A boto3 client whose calls can be canceled, and have the time limit `limit_seconds`."""

    def __init__(
        self,
        client: Any,  # noqa: ANN401  any of boto3's
        cancellation: Cancellation,
        limit_seconds: float | None = None,
    ) -> None:
        self._client = client
        self._cancellation = cancellation
        self._limit_seconds = limit_seconds

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  the client's own
        """Return the client's attribute; for a call to AWS, a function that makes it in a cancelable way."""
        found = getattr(self._client, name)
        if name not in self._client.meta.method_to_api_mapping:
            return found
        grace_seconds = GRACE_SECONDS if name in MAKING else 0.0
        limit_seconds = None if name in LONG else self._limit_seconds
        return lambda **given: self._cancellation.run(
            lambda: found(**given), grace_seconds=grace_seconds, limit_seconds=limit_seconds
        )


def _raising(error: BaseException) -> Callable[[], object]:
    def outcome() -> object:
        raise error

    return outcome


def _first(waiting: _Waiting, limit_seconds: float | None) -> Callable[[], object] | None:
    try:
        return waiting.get(timeout=limit_seconds)
    except queue.Empty:
        raise TimeoutError(f"no response within {limit_seconds:g} s") from None


def _get(waiting: _Waiting, until: float) -> Callable[[], object] | None:
    """Return the next outcome before monotonic time `until`, if any; skip the wake-up of a cancellation."""
    while True:
        try:
            outcome = waiting.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            return None
        if outcome is not None:
            return outcome
