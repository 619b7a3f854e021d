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

    #: The number of requests processed concurrently, one thread each.
    concurrency: int = 4
    #: The most messages in flight, including those being processed.
    #: 0: the same as `concurrency`, so that no message waits here that another worker could process.
    capacity: int = 0
    #: The length of a long poll (SQS allows up to 20).
    poll_seconds: int = 20
    #: The visibility timeout of a message in flight; a heartbeat renews it until the message is done.
    visibility_seconds: int = 10
    #: How long a stopping worker may take to finish the requests it has begun.
    grace_seconds: float = 30.0
    #: A request that was received this many times is moved to the dead-letter queue and not tried again.
    max_deliveries: int = 5
    #: The time limit of the work on a request; beyond it the request is rejected.
    time_limit_seconds: float = 120.0
    #: Whether the handler runs in child processes, so that a crash or a hang does not end the worker.
    isolate: bool = False
    #: The memory limit of an isolated request, in megabytes (10^6 bytes).
    memory_megabytes: int = 1000
    #: Whether the worker stops when its queue is empty.
    stop_when_empty: bool = False
    #: The Auto Scaling group, and the instance to protect from scale-in while there is work; empty: none.
    scaling_group: str = ""
    instance_id: str = ""
    #: Whether a message is expensive (takes about half a second or more): few of these are in flight at once.
    is_expensive: Callable[[Message], bool] = lambda _message: False

    def __post_init__(self) -> None:
        """Fill in the capacity."""
        object.__setattr__(self, "capacity", self.capacity or self.concurrency)

    @classmethod
    def from_settings(cls, settings: Settings | None = None, **chosen: Any) -> WorkerConfig:  # noqa: ANN401  any field's
        """Return the configuration of `settings` (by default from the environment), overridden by `chosen`.

        A `chosen` value of None keeps the setting. Raises: WrongSetting.

        >>> WorkerConfig.from_settings(concurrency=2).concurrency
        2
        """
        source = settings or load_settings()
        known = {field.name: getattr(source, field.name, None) for field in fields(cls)}
        given = known | {name: value for name, value in chosen.items() if value is not None}
        return cls(**{name: value for name, value in given.items() if value is not None})
