"""Trouble with AWS, waited out: told once when it begins and once when it is over."""

from __future__ import annotations

import logging
import threading
import time

from courier import backoff
from courier.errors import AwsTrouble

log = logging.getLogger(__name__)


class Outage:
    """One kind of call's trouble, shared by the threads that make it. `doing` says what they do."""

    def __init__(self, doing: str, stopped: threading.Event) -> None:
        self._doing = doing
        self._stopped = stopped
        self._lock = threading.Lock()
        self._since: float | None = None
        self._told: type[AwsTrouble] | None = None
        self._delays = backoff.delays()

    def wait_out(self, error: AwsTrouble) -> None:
        """Wait before the next try, longer each time; return at once when `stopped` is set."""
        with self._lock:
            if self._since is None:
                self._since = time.monotonic()
            if self._told is not type(error):
                self._told = type(error)
                log.warning("%s. Waiting, and trying again. (%s)", error.sentence.rstrip("."), self._doing)
            pause = next(self._delays)
        self._stopped.wait(pause)

    def over(self) -> None:
        """Note that a call was answered."""
        if self._since is None:
            return
        with self._lock:
            if self._since is not None:
                log.info("AWS answers again after %.0f s (%s)", time.monotonic() - self._since, self._doing)
            self._since = self._told = None
            self._delays = backoff.delays()
