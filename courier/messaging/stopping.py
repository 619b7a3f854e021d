"""What a stopping worker does, for some seconds at most: its process is about to end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable

log = logging.getLogger(__name__)

#: The time limit of each step, in seconds.
STOPPING_SECONDS = 5.0


def within_seconds(work: Callable[[], None]) -> None:
    """Do `work`, a call to AWS, but for at most `STOPPING_SECONDS`."""
    thread = threading.Thread(target=work, name="stopping", daemon=True)
    thread.start()
    thread.join(STOPPING_SECONDS)
    if thread.is_alive():
        log.warning("AWS does not respond within %.0f s; stopping without it", STOPPING_SECONDS)


def join_others(threads: Iterable[threading.Thread]) -> None:
    """Wait for the end of all `threads` but this one, for at most `STOPPING_SECONDS`."""
    deadline = time.monotonic() + STOPPING_SECONDS
    for thread in threads:
        if thread is not threading.current_thread():
            thread.join(max(0.0, deadline - time.monotonic()))
