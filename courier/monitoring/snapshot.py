"""Read the state of a set-up at one moment, with calls side by side. `status`, `doctor` and live views share it."""

from __future__ import annotations

import re
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import ParamSpec, TypeAlias, TypeVar

from courier.aws import inventory, machines
from courier.aws.inventory import AlarmState, BucketSettings, BucketState, Identity, QueueState, TopicState
from courier.aws.machines import GroupState, InstanceState, RoleState, ScalingState
from courier.aws.session import Aws
from courier.errors import AwsError, CourierError, Rejected
from courier.messaging.application import Application
from courier.messaging.reply_queue import STALE_SECONDS
from courier.monitoring.expected import Expected, queue_names

T = TypeVar("T")
P = ParamSpec("P")
#: What was found; None if it does not exist, or the error that kept it from being read.
Found: TypeAlias = T | CourierError | None

#: The most calls at once.
LANES = 16
ADDRESS_SECONDS = 10.0
_ADDRESS = re.compile(r"[0-9]+(\.[0-9]+){3}")
#: The end of the name of a client's private reply queue.
_PRIVATE = re.compile(r"-[0-9a-f]{16,32}")


@dataclass(frozen=True, kw_only=True)
class ProcessState:
    """A process of run_local.sh; without an ID it is not running. A silent one runs and does not respond."""

    name: str
    process_id: int | None
    is_silent: bool = False


@dataclass(frozen=True, kw_only=True)
class WorkerState:
    """Whether a worker of an application responds: after how long, or why not."""

    application: Application
    seconds: float | None
    error: CourierError | None = None


@dataclass(frozen=True, kw_only=True)
class Machines:
    """What the workers run on."""

    group: Found[GroupState]
    key: Found[str]
    profile_role: Found[str]
    policy_version: Found[str]
    scaling: Found[ScalingState]
    instances: Found[Sequence[InstanceState]]


@dataclass(frozen=True, kw_only=True)
class ReplyQueues:
    """How many private reply queues there are, and how many of them crashed clients left."""

    count: int
    stale: int


@dataclass(frozen=True, kw_only=True)
class Details:
    """What only the doctor reads."""

    settings: Found[BucketSettings] = None
    role: Found[RoleState] = None
    client_policy: Found[object] = None
    reply_queues: Found[ReplyQueues] = None
    #: This machine's public address; None if it could not be found.
    address: Found[str] = None


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A set-up at one moment. What was not read is None."""

    identity: Identity
    applications: Sequence[Application]
    queues: Mapping[str, Found[QueueState]]
    bucket_name: str
    bucket: Found[BucketState]
    is_given_bucket: bool = False
    is_real: bool = True
    clock_seconds: float = 0.0
    alarms: Found[Sequence[AlarmState]] = None
    #: Read if there are alarms.
    topic: Found[TopicState] = None
    machines: Machines | None = None
    details: Details | None = None
    processes: Sequence[ProcessState] = ()
    workers: Sequence[WorkerState] = ()


def attempt(call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T | CourierError:
    """Return the result of `call`, or the error of AWS that it raised."""
    try:
        return call(*args, **kwargs)
    except (AwsError, Rejected) as error:
        return error


def read_queues(aws: Aws, names: Sequence[str], *, with_tags: bool = False) -> dict[str, Found[QueueState]]:
    """Return the states of these queues, read at about the same moment."""
    with ThreadPoolExecutor(LANES) as pool:
        found = pool.map(lambda name: attempt(inventory.queue, aws, name, with_tags=with_tags), names)
        return dict(zip(names, found, strict=True))


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Reads snapshots of one set-up."""

    aws: Aws
    expected: Expected
    applications: Sequence[Application]
    #: The bucket's name, if a setting gives it.
    given_bucket: str | None
    is_real: bool
    #: Whether details are read, too.
    is_deep: bool
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(LANES))

    def read(self) -> Snapshot:
        """Return what exists now. Raises: AwsError if the account cannot be read."""
        queues = self._begin(read_queues, self.aws, queue_names(self.applications), with_tags=self.is_deep)
        identity = inventory.identity(self.aws)
        bucket = self._begin(self._bucket, identity)
        alarms = self._begin(inventory.alarms, self.aws, self.expected.alarms.split()) if self.expected.alarms else None
        read_machines = self._machines(identity) if self.expected.ec2 else None
        details = self._details(identity, bucket, read_machines) if self.is_deep else None
        found_alarms = alarms.result() if alarms else None
        topic = None
        if found_alarms and not isinstance(found_alarms, CourierError):
            topic = attempt(inventory.topic, self.aws, self.expected.topic_arn(identity))
        name, state = self._named(bucket.result(), identity)
        found = queues.result()
        return Snapshot(
            identity=identity,
            applications=self.applications,
            queues=found if isinstance(found, dict) else dict.fromkeys(queue_names(self.applications), found),
            bucket_name=name,
            bucket=state,
            is_given_bucket=self.given_bucket is not None,
            is_real=self.is_real,
            clock_seconds=self.aws.clock.difference_seconds,
            alarms=found_alarms,
            topic=topic,
            machines=read_machines,
            details=details,
        )

    def _begin(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T | CourierError]:
        return self.pool.submit(attempt, call, *args, **kwargs)

    def _bucket(self, identity: Identity) -> BucketState | None:
        with_code = self.is_deep or self.given_bucket is not None
        for name in self.expected.buckets(identity, self.given_bucket, is_real=self.is_real):
            found = inventory.bucket(self.aws, name, account=identity.account, with_code=with_code)
            if found:
                return found
        return None

    def _named(self, found: Found[BucketState], identity: Identity) -> tuple[str, Found[BucketState]]:
        if isinstance(found, BucketState):
            return found.name, found
        return self.expected.buckets(identity, self.given_bucket, is_real=self.is_real)[-1], found

    def _machines(self, identity: Identity) -> Machines:
        aws, expected = self.aws, self.expected
        group = self._begin(machines.security_group, aws, expected.group)
        key = self._begin(machines.key_pair, aws, expected.key_in(identity))
        role = self._begin(machines.profile_role, aws, expected.profile_in(identity))
        version = None if identity.is_lab else self._begin(machines.policy_version, aws, expected.policy_arn(identity))
        scaling = self._begin(machines.scaling_group, aws, expected.template)
        instances = self._begin(machines.instances, aws, expected.name, with_credits=self.is_deep)
        return Machines(
            group=group.result(),
            key=key.result(),
            profile_role=role.result(),
            policy_version=version.result() if version else None,
            scaling=scaling.result(),
            instances=instances.result(),
        )

    def _details(
        self, identity: Identity, bucket: Future[BucketState | CourierError | None], there: Machines | None
    ) -> Details:
        aws, expected, found = self.aws, self.expected, bucket.result()
        version = there.policy_version if there else None
        has_roles = there is not None and not identity.is_lab
        settings = role = policy = address = None
        if isinstance(found, BucketState):
            settings = self._begin(inventory.bucket_settings, aws, found.name, account=identity.account)
        if has_roles:
            role = self._begin(machines.role, aws, expected.role, policy=expected.role_policy)
        if has_roles and isinstance(version, str):
            policy = self._begin(machines.policy_document, aws, expected.policy_arn(identity), version)
        if there is not None and expected.address_url and not expected.no_ssh:
            address = self._begin(own_address, expected.address_url)
        replies = self._begin(self._reply_queues)
        return Details(
            settings=settings.result() if settings else None,
            role=role.result() if role else None,
            client_policy=policy.result() if policy else None,
            reply_queues=replies.result(),
            address=address.result() if address else None,
        )

    def _reply_queues(self) -> ReplyQueues:
        """Return the number of clients' private reply queues."""
        names = [
            name
            for one in self.applications
            for name in inventory.queue_names(self.aws, f"{one.replies}-")
            if _PRIVATE.fullmatch(name.removeprefix(one.replies))
        ]
        found = read_queues(self.aws, names).values()
        until = time.time() - STALE_SECONDS
        return ReplyQueues(count=len(names), stale=sum(_is_older(one, until) for one in found))


def _is_older(queue: Found[QueueState], until: float) -> bool:
    return isinstance(queue, QueueState) and float(queue.attributes.get("CreatedTimestamp", "inf")) <= until


def own_address(url: str) -> str | None:
    """Return this machine's public address as AWS sees it; None if it cannot be found."""
    try:
        with urllib.request.urlopen(url, timeout=ADDRESS_SECONDS) as response:  # noqa: S310  aws_setup.sh's own URL
            text = response.read(100).decode("ascii", "replace").strip()
    except (OSError, ValueError):
        return None
    return text if _ADDRESS.fullmatch(text) else None
