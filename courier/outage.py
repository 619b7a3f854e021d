"""Trouble with AWS or the machine, waited out: told once when it begins and once when it is over."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from courier import backoff
from courier.errors import Trouble

log = logging.getLogger(__name__)

T = TypeVar("T")


class Stop(Protocol):
    """What ends every wait once it is set: a `threading.Event`, or a `Cancellation`."""

    def is_set(self) -> bool:
        """Whether it is set."""

    def wait(self, timeout: float, /) -> bool:
        """Wait for so many seconds, or until it is set; return whether it is."""


class Outage:
    """One kind of call's trouble, shared by the threads that make it. `doing` says what they do."""

    def __init__(
        self, doing: str, stopped: Stop, tell: Callable[[str], None] = lambda text: log.warning("%s", text)
    ) -> None:
        self._doing = doing
        self._stopped = stopped
        self._tell = tell
        self._lock = threading.Lock()
        self._since: float | None = None
        self._told: type[Trouble] | None = None
        self._delays = backoff.delays()

    def wait_out(self, error: Trouble) -> None:
        """Wait before the next try, longer each time; return at once when `stopped` is set."""
        with self._lock:
            if self._since is None:
                self._since = time.monotonic()
            if self._told is not type(error):
                self._told = type(error)
                self._tell(f"{error.sentence.rstrip('.')}. Waiting, and trying again. ({self._doing})")
            pause = next(self._delays)
        self._stopped.wait(pause)

    def persist(self, call: Callable[[], T], until: float) -> T:
        """Return what `call` returns, made again and again while there is passing trouble.

        Raises: Trouble if it lasts, or has lasted when monotonic time passes `until`.
        """
        while True:
            try:
                found = call()
            except Trouble as error:
                if not error.is_passing or self._stopped.is_set() or time.monotonic() >= until:
                    raise
                self.wait_out(error)
            else:
                self.over()
                return found

    def over(self) -> None:
        """Note that a call was answered."""
        if self._since is None:
            return
        with self._lock:
            if self._since is not None and self._told is not None:
                self._tell(f"{self._told.relief} after {time.monotonic() - self._since:.0f} s. ({self._doing})")
            self._since = self._told = None
            self._delays = backoff.delays()
