"""Retry transient errors, and report an outage once when it begins and once when it ends."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from courier.aws import backoff
from courier.errors import CourierError, NoCredentials, ServiceError

log = logging.getLogger(__name__)

T = TypeVar("T")


class Stop(Protocol):
    """A flag that ends waits: a `threading.Event` or a `Cancellation`."""

    def is_set(self) -> bool:
        """Whether it is set."""

    def wait(self, timeout: float, /) -> bool:
        """Wait up to `timeout` seconds until it is set; return whether it is."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A failed entry of a batch: its index and its error."""

    index: int
    error: CourierError

    @property
    def is_transient(self) -> bool:
        """Whether the same entry may succeed later."""
        return isinstance(self.error, ServiceError) and self.error.is_transient


class Retrier:
    """Retries one kind of call, for all threads that make it. `doing` describes the call in messages."""

    def __init__(
        self, doing: str, stopped: Stop, tell: Callable[[str], None] = lambda text: log.warning("%s", text)
    ) -> None:
        self._doing = doing
        self._stopped = stopped
        self._tell = tell
        self._lock = threading.Lock()
        self._since: float | None = None
        self._reported: object = None
        self._recovery = ""
        self._delays = backoff.delays()

    def record(self, error: ServiceError) -> float:
        """Report an error, unless it was just reported; return the seconds to wait before the next attempt."""
        with self._lock:
            if self._since is None:
                self._since = time.monotonic()
            # Report every problem with credentials: the user may be editing them.
            problem = error.message if isinstance(error, NoCredentials) else type(error)
            if self._reported != problem:
                self._reported, self._recovery = problem, error.recovery
                self._tell(f"{error.sentence.rstrip('.')}. Waiting and retrying. ({self._doing})")
            return next(self._delays)

    def wait(self, error: ServiceError, until: float = math.inf) -> None:
        """Wait before the next attempt, longer each time, up to `until`; return at once when `stopped` is set."""
        self._stopped.wait(min(self.record(error), max(0.0, until - time.monotonic())))

    def retry(self, call: Callable[[], T], until: float) -> T:
        """Return the result of `call`, retrying it after transient errors until monotonic time `until`.

        Raises: ServiceError if the error is final, or remains at `until`.
        """
        while True:
            try:
                found = call()
            except ServiceError as error:
                if not error.is_transient or self._is_over(until):
                    raise
                self.wait(error, until)
            else:
                self.succeeded()
                return found

    def retry_batch(
        self, call: Callable[[Sequence[T]], list[Failure]], items: Sequence[T], until: float
    ) -> list[Failure]:
        """Make a batch call, retrying items that failed with transient errors; return the failures that remain.

        Raises: ServiceError, as `retry` does.
        """
        final: list[Failure] = []
        left = list(enumerate(items))
        while True:
            batch = [item for _, item in left]
            failures = self.retry(lambda batch=batch: call(batch), until)  # type: ignore[misc]  # bound at once
            placed = [Failure(index=left[failure.index][0], error=failure.error) for failure in failures]
            again = [failure for failure in placed if failure.is_transient]
            final += [failure for failure in placed if not failure.is_transient]
            if not again or self._is_over(until):
                return final + again
            left = [(failure.index, items[failure.index]) for failure in again]
            self._wait_out_all(again, until)

    def succeeded(self) -> None:
        """Record that a call succeeded: the outage, if there was one, is over."""
        if self._since is None:
            return
        with self._lock:
            if self._since is not None and self._reported is not None:
                self._tell(f"{self._recovery} after {time.monotonic() - self._since:.0f} s. ({self._doing})")
            self._since = self._reported = None
            self._delays = backoff.delays()

    def _wait_out_all(self, failures: Sequence[Failure], until: float) -> None:
        error = failures[0].error
        if isinstance(error, ServiceError):
            self.wait(error, until)

    def _is_over(self, until: float) -> bool:
        return self._stopped.is_set() or time.monotonic() >= until
