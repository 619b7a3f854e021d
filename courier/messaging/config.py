"""How a worker works: concurrency, time limits, visibility timeout, retries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from courier.aws.message import Message
from courier.settings import Settings, load_settings


@dataclass(frozen=True, kw_only=True)
class WorkerConfig:
    """How a worker works. Times are in seconds; every field has a default.

    >>> WorkerConfig(concurrency=8).capacity
    8
    """

    #: How many requests are worked on at once, a thread each.
    concurrency: int = 4
    #: How many messages may be in flight at once, those being worked on included.
    #: 0: as many as are worked on, so that none waits here that another worker could have begun.
    capacity: int = 0
    #: How long one receive waits in a long poll (SQS allows up to 20).
    poll_seconds: int = 20
    #: The visibility timeout of a message in flight; a heartbeat renews it while the work lasts.
    visibility_seconds: int = 10
    #: How long a worker that was told to stop may take to finish what it has begun.
    grace_seconds: float = 30.0
    #: A request that is received so often is moved to the dead-letter queue without being tried again.
    max_deliveries: int = 5
    #: Work that takes longer is given up, and its request rejected.
    time_limit_seconds: float = 120.0
    #: Whether the handler runs in child processes, which a crash, a hang or too much memory ends instead of the worker.
    isolate: bool = False
    #: How much memory an isolated request may take, in megabytes (10^6 bytes).
    memory_megabytes: int = 1000
    #: Whether the worker stops by itself when its queue is empty.
    stop_when_empty: bool = False
    #: The Auto Scaling group and the instance that is not to be ended while there is work; empty: none.
    scaling_group: str = ""
    instance_id: str = ""
    #: Whether a message takes a good part of a second or more: few of these are in flight at once.
    is_expensive: Callable[[Message], bool] = lambda _message: False

    def __post_init__(self) -> None:
        """Fill in the capacity."""
        object.__setattr__(self, "capacity", self.capacity or self.concurrency)

    @classmethod
    def from_settings(cls, settings: Settings | None = None, **chosen: Any) -> WorkerConfig:  # noqa: ANN401  any field's
        """Return what the settings say (by default those of the environment), with what is `chosen` instead.

        None leaves the setting as it is. Raises: WrongSetting.

        >>> WorkerConfig.from_settings(concurrency=2).concurrency
        2
        """
        source = settings or load_settings()
        known = {field.name: getattr(source, field.name, None) for field in fields(cls)}
        given = known | {name: value for name, value in chosen.items() if value is not None}
        return cls(**{name: value for name, value in given.items() if value is not None})
