"""A model of an Auto Scaling group whose policy tracks the backlog per instance, as `setup/autoscaling.sh` makes it.

What is known of it are AWS's documentation and that set-up; how CloudWatch's metrics lag and how fast EC2 is are
assumptions, and fields of `Policy`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simpy import Environment

from bench.fleet_model import Cpu, Credits, Service, Worker
from bench.fleet_queue import Queue, Steps
from courier.aws.scale_in import IDLE_SECONDS


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A kind of instance."""

    name: str
    cores: int
    #: CPU credits that it earns, in seconds of a core for each second; 0: it is not burstable.
    earns: float = 0.0

    def cpu(self, env: Environment, idle_seconds: float) -> Cpu:
        """Return the cores of one that has been idle that long."""
        most = 86_400 * self.earns
        credit = Credits(rate=self.earns, most=most, balance=min(most, idle_seconds * self.earns))
        return Cpu(env, self.cores, credit if self.earns else None)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A group's policy. Times are in seconds.

    Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html
    """

    #: Waiting requests per instance that target tracking keeps, and the fewest and most instances.
    backlog: float = 100.0
    least: int = 1
    most: int = 4
    #: For this long after an instance is in service, it does not count as capacity, and nothing is scaled in. 300 is
    #: AWS's default, from the group's cooldown.
    warm_up_seconds: float = 300.0
    #: The period of the alarms, and how many periods in a row end in an alarm: above the target, and below 0.9 of it.
    period_seconds: float = 60.0
    periods_out: int = 3
    periods_in: int = 15
    #: Assumed: how old the newest value of SQS's metrics in CloudWatch is, in periods.
    late_periods: int = 1
    #: Assumed: from the launch to `InService`.
    in_service_seconds: float = 40.0
    #: From the launch to workers that listen, with `standard` credits: four to six minutes.
    boot_seconds: float = 300.0
    #: Whether an instance that works is protected from scale-in.
    is_protecting: bool = True


#: Below this share of the target, instances are scaled in.
LOW_SHARE = 0.9


class Instance:
    """An instance: it boots, then its workers serve; it is paid from its launch to its end."""

    def __init__(self, env: Environment, launched_at: float) -> None:
        self._env = env
        self.launched_at = launched_at
        self.ended_at: float | None = None
        self.workers: list[Worker] = []

    def serve(self, cpu: Cpu, applications: Sequence[tuple[Queue, Service, int]]) -> None:
        """Start the workers of each application: queue, service, processes."""
        self.workers = [
            Worker(self._env, queue, service, cpu)
            for queue, service, processes in applications
            for _ in range(processes)
        ]

    @property
    def is_protected(self) -> bool:
        """Whether a worker works, or has worked in the last `IDLE_SECONDS`."""
        since = self._env.now - IDLE_SECONDS
        return any(worker.is_busy or worker.busy_at > since for worker in self.workers)

    def end(self) -> None:
        """Terminate it."""
        self.ended_at = self._env.now
        for worker in self.workers:
            worker.kill()


class Group:
    """A group of instances under a policy; a fixed number of them if the policy's least and most are the same."""

    def __init__(
        self,
        env: Environment,
        policy: Policy,
        machine: Machine,
        applications: Sequence[tuple[Queue, Service, int]],
        *,
        idle_seconds: float = 0.0,
    ) -> None:
        self._env = env
        self._policy = policy
        self._machine = machine
        self._applications = applications
        self._metric: list[float] = []
        self.instances: list[Instance] = []
        #: The cores of all instances that have ever served.
        self.cpus: list[Cpu] = []
        for _ in range(policy.least):
            # These were launched long before the load begins.
            self.instances.append(Instance(env, -policy.warm_up_seconds - policy.in_service_seconds))
            self._serve(self.instances[-1], idle_seconds)
        if policy.most > policy.least:
            env.process(self._track())

    @property
    def alive(self) -> list[Instance]:
        """The instances that are paid now."""
        return [one for one in self.instances if one.ended_at is None]

    @property
    def most(self) -> int:
        """The most instances at once."""
        changes = sorted(
            change
            for one in self.instances
            for change in ((one.launched_at, 1), (math.inf if one.ended_at is None else one.ended_at, -1))
        )
        found = now = 0
        for _, step in changes:
            now += step
            found = max(found, now)
        return found

    def seconds(self) -> float:
        """Return the seconds that all instances together were paid for since the load began."""
        ends = ((one, self._env.now if one.ended_at is None else one.ended_at) for one in self.instances)
        return sum(end - max(0.0, one.launched_at) for one, end in ends)

    def _track(self) -> Steps:
        policy = self._policy
        while True:
            yield self._env.timeout(policy.period_seconds)
            backlog = sum(len(queue.visible) for queue, _, _ in self._applications)
            self._metric.append(backlog / max(1, len(self._since(policy.in_service_seconds))))
            known = self._metric[: len(self._metric) - policy.late_periods]
            if _all(known, policy.periods_out, lambda value: value > policy.backlog):
                self._scale_out(known[-1])
            elif _all(known, policy.periods_in, lambda value: value < LOW_SHARE * policy.backlog):
                self._scale_in()

    def _since(self, seconds: float) -> list[Instance]:
        """Return those that were launched at least that long ago."""
        return [one for one in self.alive if self._env.now - one.launched_at >= seconds]

    def _warm(self) -> list[Instance]:
        return self._since(self._policy.in_service_seconds + self._policy.warm_up_seconds)

    def _scale_out(self, metric: float) -> None:
        wanted = math.ceil(max(1, len(self._warm())) * metric / self._policy.backlog)
        for _ in range(min(self._policy.most, wanted) - len(self.alive)):
            instance = Instance(self._env, self._env.now)
            self.instances.append(instance)
            self._env.process(self._boot(instance))

    def _boot(self, instance: Instance) -> Steps:
        yield self._env.timeout(self._policy.boot_seconds)
        if instance.ended_at is None:
            # The boot has used up what credits there were.
            self._serve(instance, idle_seconds=0.0)

    def _serve(self, instance: Instance, idle_seconds: float) -> None:
        self.cpus.append(self._machine.cpu(self._env, idle_seconds))
        instance.serve(self.cpus[-1], self._applications)

    def _scale_in(self) -> None:
        """End one instance a period, which AWS calls gradually; none while another one warms up."""
        alive = self.alive
        if len(alive) <= self._policy.least or len(self._warm()) < len(alive):
            return
        for instance in alive:
            if not (self._policy.is_protecting and instance.is_protected):
                instance.end()
                return


def _all(values: Sequence[float], count: int, test: Callable[[float], bool]) -> bool:
    """Whether the last `count` values are there and pass the test."""
    return len(values) >= count and all(map(test, values[-count:]))
