"""Cancellation: a flag that every wait of a client checks, and that wakes it.

A signal handler that raises is no way to cancel: where a callback, a destructor or a trace function happens to run,
what it raises is swallowed, and the wait goes on. Here the flag is set from outside, by a signal's watcher or by
another thread, and the exception comes from the wait itself.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

T = TypeVar("T")
#: Where an outcome is put, as a call that returns or raises it, or None, which only wakes.
_Waiting = queue.SimpleQueue[Callable[[], object] | None]

#: How long cleaning up may take after a cancellation, in seconds, all of it together.
CLEANUP_SECONDS = 2.5


#: The calls that make something which a canceled program takes away again: it must know whether they did.
MAKING = ("complete_multipart_upload", "create_multipart_upload", "create_queue", "put_object")
#: The calls that take as long as there is to send or to join, and so have no limit of their own.
LONG = ("complete_multipart_upload", "put_object", "upload_part")
#: How long a call of `MAKING` may take to end once it is canceled, in seconds.
GRACE_SECONDS = 2.0


class Canceled(KeyboardInterrupt):
    """The wait was canceled."""


class Cancellation:
    """What cancels the waits of one program. Safe for any number of threads, and in signal handlers.

    There is no lock in it: a handler may run in the middle of any of its methods, in the same thread.
    """

    def __init__(self) -> None:
        self._is_canceled = False
        self._waiting: dict[int, _Waiting] = {}
        self._thread = threading.local()
        self._cleanups = 0

    @property
    def is_canceled(self) -> bool:
        """Whether `cancel` was called, and `reset` was not called since."""
        return self._is_canceled

    @property
    def is_cleaning_up(self) -> bool:
        """Whether something is being cleaned up, in any thread."""
        return self._cleanups > 0

    def cancel(self) -> None:
        """Cancel all waits, those under way and those to come, until `reset`."""
        self._is_canceled = True
        for waiting in list(self._waiting.values()):
            waiting.put(None)

    def reset(self) -> None:
        """Forget the cancellation: what it was meant for has ended."""
        self._is_canceled = False

    def check(self) -> None:
        """Raise: Canceled, if it is, except while cleaning up."""
        if self._is_canceled and self._cleanup_ends_at is None:
            raise Canceled

    def run(self, call: Callable[[], T], *, grace_seconds: float = 0.0, limit_seconds: float | None = None) -> T:
        """Return what `call` returns. It runs in a thread of its own, which is abandoned at a cancellation or a limit.

        A call that makes something which is to be cleaned up is given `grace_seconds` to end all the same.
        Raises: Canceled; TimeoutError at the limit; and what `call` raises.
        """
        if limit_seconds is None and getattr(self._thread, "is_runner", False):
            return call()  # whoever waits for this thread can be canceled
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
        """Wait for so long, or until canceled; return whether it is canceled."""
        until = time.monotonic() + seconds
        waiting: _Waiting = queue.SimpleQueue()
        with self._registered(waiting):
            while not self._is_canceled and (left := until - time.monotonic()) > 0:
                with suppress(queue.Empty):
                    waiting.get(timeout=left)
        return self._is_canceled

    def is_set(self) -> bool:
        """Whether it is canceled: as `threading.Event` says it, in whose place this can stand."""
        return self._is_canceled

    @contextmanager
    def cleaning_up(self, seconds: float = CLEANUP_SECONDS) -> Iterator[None]:
        """Let this thread's calls run although it is canceled, for at most so long, and then raise Canceled."""
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
        """Return the outcome once it is there; None if it is given up before."""
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
    """A client of boto3 whose calls can be canceled while they wait for AWS, and take `limit_seconds` at most."""

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
        """Return the client's attribute; of a call of AWS's, what makes it so that it can be canceled."""
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
    """Return the next outcome, if it comes until a moment of monotonic time; skip a cancellation's wake-up."""
    while True:
        try:
            outcome = waiting.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            return None
        if outcome is not None:
            return outcome
