"""Notice when calls to SQS are slow, as with a busy local AWS or a bad network: then a heartbeat may come late."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

#: From which time on a call is slow, and for how long that is taken to last, in seconds.
SLOW_CALL_SECONDS = 0.5
LASTING_SECONDS = 60.0


class SlowCalls:
    """Whether there were slow calls lately. Thread-safe: a time is replaced as a whole."""

    def __init__(self) -> None:
        self._until = -math.inf

    @property
    def are_recent(self) -> bool:
        """Whether there was one in the last minute."""
        return time.monotonic() < self._until

    @contextmanager
    def timing(self, wait_seconds: float = 0.0) -> Iterator[None]:
        """Time a call in the body, which may wait that long for messages; one that fails counts, too."""
        begun = time.monotonic()
        try:
            yield
        finally:
            now = time.monotonic()
            if now - begun - wait_seconds >= SLOW_CALL_SECONDS:
                self._until = now + LASTING_SECONDS
