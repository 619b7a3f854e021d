"""An application: its name, its queues, and where bodies go that fit no message."""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass

from courier.errors import WrongUsage
from courier.text import quoted

#: What a request queue's dead-letter queue is called: the queue's name and this (aws_setup.sh knows it, too).
DEAD_SUFFIX = "-dead"
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
_QUEUE_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")


@dataclass(frozen=True)
class Application:
    """What its workers and its clients agree on. Raises: WrongUsage if a name cannot be a queue's.

    >>> Application("upper", requests="upperRequests", replies="upperReplies").dead_letters
    'upperRequests-dead'
    """

    name: str
    _: KW_ONLY
    requests: str
    replies: str
    #: What its requests are called in messages, if not by the application's name.
    kind: str = ""
    #: The S3 bucket for bodies that fit no message; None: such bodies are rejected.
    bucket: str | None = None
    #: The program that starts a worker, for the hint where none answers.
    program: str = ""

    def __post_init__(self) -> None:
        """Check the names."""
        object.__setattr__(self, "kind", self.kind or self.name)
        for queue in (self.requests, self.replies):
            if not _QUEUE_NAME.fullmatch(queue):
                raise WrongUsage(f"{quoted(queue)} is no queue's name: it must be 1 to 80 letters, digits, - or _")
        if self.requests == self.replies:
            raise WrongUsage(f"{self.name} has the queue {self.requests} for requests and for replies.")

    @property
    def dead_letters(self) -> str:
        """The name of the queue for requests that no worker could answer."""
        return self.requests + DEAD_SUFFIX
