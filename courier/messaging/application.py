"""An application: its name, its queues and its bucket for large bodies."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from courier.errors import WrongUsage
from courier.settings import QUEUE_NAME
from courier.text import quoted

#: The suffix of a request queue's dead-letter queue; aws_setup.sh uses the same.
DEAD_SUFFIX = "-dead"


@dataclass(frozen=True)
class Application:
    """What workers and clients must agree on. Raises: WrongUsage for an invalid queue name.

    >>> Application("upper", requests="upperRequests", replies="upperReplies").dead_letters
    'upperRequests-dead'
    """

    name: str
    _: KW_ONLY
    requests: str
    replies: str
    #: The kind of its requests in messages; by default the application's name.
    kind: str = ""
    #: The S3 bucket for bodies that are too large for a message; None: such bodies are rejected.
    bucket: str | None = None
    #: The program that starts a worker, for the hint when no worker responds.
    program: str = ""

    def __post_init__(self) -> None:
        """Check the names."""
        object.__setattr__(self, "kind", self.kind or self.name)
        for queue in (self.requests, self.replies, self.dead_letters):
            if not QUEUE_NAME.fullmatch(queue):
                raise WrongUsage(f"{quoted(queue)} is no queue's name: it must be 1 to 80 letters, digits, - or _")
        if self.requests == self.replies:
            raise WrongUsage(f"{self.name} has the queue {self.requests} for requests and for replies.")

    @property
    def dead_letters(self) -> str:
        """The name of the dead-letter queue."""
        return self.requests + DEAD_SUFFIX
