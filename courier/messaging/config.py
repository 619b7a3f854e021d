"""How a worker works: concurrency, time limits, visibility timeout, retries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from courier.aws.message import Message
from courier.errors import WrongUsage
from courier.settings import Settings, load_settings

#: The visibility timeout of a receive, in seconds. It is short because a process that is killed in a long poll may
#: take a batch with it, which is visible again after this time. The first heartbeat sets the longer timeout.
FIRST_VISIBILITY_SECONDS = 3
#: The shortest poll of an idle worker, in seconds: the limit by `max_deliveries` does not go below it.
SHORTEST_POLL_SECONDS = 2
#: The least and the greatest value of a field; a least value that is a float allows fractions.
_RANGES: dict[str, tuple[float, int]] = {
    "processes": (1, 64),
    "concurrency": (1, 1000),
    "capacity": (0, 10_000),
    "poll_seconds": (0, 20),  # SQS's limit
    "visibility_seconds": (1, 43_200),  # SQS's limit
    "grace_seconds": (0.0, 43_200),
    "max_deliveries": (2, 1000),  # a request is tried at every delivery but the last
    "time_limit_seconds": (0.001, 43_200),
    "memory_megabytes": (50, 1_000_000),
}


@dataclass(frozen=True, kw_only=True)
class WorkerConfig:
    """How a worker works. Times are in seconds; every field has a default.

    >>> WorkerConfig(concurrency=8).capacity
    8
    """

    #: The number of requests processed concurrently, one thread each.
    concurrency: int = 4
    #: The number of processes that `run` serves with, each this program once more, with threads and a `concurrency` of
    #: its own: for a handler that computes in Python, one for each core. An isolated handler has its own processes.
    processes: int = 1
    #: The most messages in flight, including those being processed.
    #: 0: the same as `concurrency`, so that no message waits here that another worker could process.
    capacity: int = 0
    #: The longest long poll (SQS allows up to 20). It lasts at most 3 seconds for each of `max_deliveries` but two.
    poll_seconds: int = 20
    #: The visibility timeout of a message in flight; a heartbeat renews it until the message is done.
    visibility_seconds: int = 10
    #: How long a stopping worker may take to finish the requests it has begun.
    grace_seconds: float = 30.0
    #: The delivery at which a request is not tried, but rejected and moved to the dead-letter queue: 5 means four
    #: attempts. Deliveries to workers that were stopped or killed count; retries after a transient error do not.
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
        """Fill in the capacity. Raises: WrongUsage for a value with which no request would be processed."""
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            kinds = (int, float) if isinstance(low, float) else (int,)
            if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
                whole = "" if float in kinds else "a whole number "
                raise WrongUsage(f"{name} is {value!r}, and must be {whole}from {low:g} to {high:,}.")
        if self.isolate and self.processes > 1:
            message = "An isolated handler works in processes of its own, `concurrency` of them."
            raise WrongUsage(message, hint="Set processes=1.")
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


def idle_poll_seconds(config: WorkerConfig) -> int:
    """Return the length of an idle worker's poll: short enough to leave each request an attempt.

    A poll that a stopped worker leaves may receive a request, which is visible again after its first timeout. Then the
    poll of another worker that was stopped at the same time may receive it, and all these deliveries count.
    """
    lost_deliveries = config.max_deliveries - 2  # one for an attempt; at the last, the request is rejected
    longest = lost_deliveries * min(FIRST_VISIBILITY_SECONDS, config.visibility_seconds)
    return min(config.poll_seconds, max(SHORTEST_POLL_SECONDS, longest))
