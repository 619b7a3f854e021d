"""Find the request queue before the first poll: only then does a worker listen."""

from __future__ import annotations

import threading
from collections.abc import Callable

from courier.aws.retry import Retrier
from courier.aws.sqs import Mailbox
from courier.errors import AwsError


class Listening:
    """Whether a worker listens to its queue, which may be created after it was started."""

    def __init__(self, inbox: Mailbox, retrier: Retrier) -> None:
        self._inbox = inbox
        self._retrier = retrier
        self._begun = threading.Event()

    def begin(self, stopping: threading.Event) -> None:
        """Look for the queue until it is found, or `stopping` is set."""
        while not (self._begun.is_set() or stopping.is_set()):
            try:
                self._inbox.find()
                self._begun.set()
            except AwsError as error:
                self._retrier.wait(error)

    def when_begun(self, ready: Callable[[], object]) -> None:
        """Call `ready` once the queue was found, in another thread."""
        threading.Thread(target=lambda: self._begun.wait() and ready(), name="ready", daemon=True).start()
