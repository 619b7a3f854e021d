"""Judge a snapshot: a row for each thing, with a verdict and a fix. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from courier.aws.inventory import BucketState, QueueState, TopicState
from courier.aws.machines import ANYWHERE, GroupState, InstanceState, ScalingState
from courier.errors import CourierError
from courier.messaging.application import Application
from courier.monitoring.expected import Expected
from courier.monitoring.snapshot import Found, Machines, ProcessState, Snapshot


@dataclass(frozen=True, kw_only=True)
class Row:
    """What is known of one thing. It is wrong if there is a fix.

    `state` is one word for programs, `text` the same for people, `values` are further facts for programs.
    """

    kind: str
    name: str
    state: str
    text: str = ""
    fix: str = ""
    #: What to look at, though nothing is known to be wrong.
    advice: str = ""
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_wrong(self) -> bool:
        """Whether something must be done."""
        return bool(self.fix)

    def as_json(self) -> dict[str, object]:
        """Return the row for programs."""
        verdict = "wrong" if self.is_wrong else "ok"
        fixed = {"kind": self.kind, "name": self.name, "state": self.state}
        return {**fixed, **self.values, "verdict": verdict, "fix": self.fix or self.advice or None}

    def as_line(self) -> str:
        """Return the row for people, in one line."""
        verdict = "WRONG" if self.is_wrong else "ok"
        fix = f" -> {self.fix or self.advice}" if self.fix or self.advice else ""
        return f"{verdict:<6} {self.kind:<9} {self.name:<28} {self.text or self.state}{fix}"


def status_rows(snapshot: Snapshot, expected: Expected) -> Iterator[Row]:
    """Yield what exists, one row each, and what is wrong with it."""
    with_instance = expected.repair
    expected = as_made(snapshot, expected)
    yield from process_rows(snapshot.processes, expected)
    for name, queue in snapshot.queues.items():
        yield _queue_row(name, queue, snapshot, expected)
    yield bucket_row(snapshot, expected)
    yield from _alarm_rows(snapshot, expected)
    if is_without_machines(snapshot):
        text = f"none: the workers run elsewhere; for an instance, {with_instance}"
        yield Row(kind="instance", name=expected.role, state="none", text=text)
    elif snapshot.machines:
        yield from _machine_rows(snapshot, snapshot.machines, expected)


def process_rows(processes: Iterable[ProcessState], expected: Expected) -> Iterator[Row]:
    """Yield a row for each process of run_local.sh."""
    for process in processes:
        number = process.process_id
        if number is None:
            fix = expected.command("up")
            yield Row(kind="process", name=process.name, state="missing", text="is not running", fix=fix)
            continue
        text = f"{'does not respond' if process.is_silent else 'is running'} (process {number})"
        yield Row(
            kind="process",
            name=process.name,
            state="silent" if process.is_silent else "running",
            text=text,
            fix=f"{expected.command('down')}; {expected.command('up')}" if process.is_silent else "",
            values={"process_id": number},
        )


def as_made(snapshot: Snapshot, expected: Expected) -> Expected:
    """Return what is expected of this set-up, without machines if it has none: no fix may create them."""
    return replace(expected, ec2="") if is_without_machines(snapshot) else expected


def is_without_machines(snapshot: Snapshot) -> bool:
    """Whether the set-up has queues, and nothing that instances need: it was made with --no-ec2."""
    there = snapshot.machines
    if there is None or not any(isinstance(queue, QueueState) for queue in snapshot.queues.values()):
        return False
    # A Learner Lab has a role of its own, which no set-up makes.
    roles = () if snapshot.identity.is_lab else (there.profile_role, there.policy_version)
    return not there.instances and all(found is None for found in (there.group, there.scaling, *roles))


def unreadable(kind: str, name: str, error: CourierError) -> Row:
    """Return the row of what could not be read."""
    return Row(
        kind=kind, name=name, state="unknown", text=error.message, fix=error.hint or "Look at the message from AWS."
    )


def missing(kind: str, name: str, expected: Expected) -> Row:
    """Return the row of what does not exist."""
    fix = expected.recreate if kind == "queue" else expected.repair
    return Row(kind=kind, name=name, state="missing", fix=fix)


def _queue_row(name: str, found: Found[QueueState], snapshot: Snapshot, expected: Expected) -> Row:
    if isinstance(found, CourierError):
        return unreadable("queue", name, found)
    if found is None:
        return missing("queue", name, expected)
    fix = advice = ""
    if found.waiting and not found.in_flight and any(one.requests == name for one in snapshot.applications):
        # A moment proves nothing: a worker takes requests that have just come a moment later.
        advice = f"No worker may be running: {expected.command('doctor')}"
    application = next((one for one in snapshot.applications if one.dead_letters == name), None)
    if application and found.waiting + found.in_flight:
        client = _client(application, expected)
        fix = f"Show these dead letters: {client} dead; send them back to the workers: {client} redrive"
    return Row(
        kind="queue",
        name=name,
        state="exists",
        text=f"{found.waiting} waiting, {found.in_flight} in flight",
        fix=fix,
        advice=advice,
        values={"waiting": found.waiting, "in_flight": found.in_flight, "delayed": found.delayed},
    )


def _client(application: Application, expected: Expected) -> str:
    if expected.local:
        return f"./run_local.sh {application.name}"
    return f"python {application.name}_client.py"


def bucket_row(snapshot: Snapshot, expected: Expected) -> Row:
    """Return the row of the bucket: missing, this set-up's, one that was there before, or another set-up's."""
    name, found = snapshot.bucket_name, snapshot.bucket
    if isinstance(found, CourierError):
        return unreadable("bucket", name, found)
    if found is None:
        return missing("bucket", name, expected)
    owner = bucket_owner(snapshot, found, expected.name)
    if owner == expected.name:
        return Row(kind="bucket", name=name, state="exists")
    if owner is None and found.code_owner in (None, expected.name):
        text = "exists, and was there before"
        return Row(kind="bucket", name=name, state="exists", text=text, values={"was_there": True})
    owner = owner or found.code_owner
    return Row(
        kind="bucket",
        name=name,
        state="foreign",
        text=f"belongs to the set-up {owner}",
        fix="Set COURIER_BUCKET to another name.",
        values={"owner": owner},
    )


def bucket_owner(snapshot: Snapshot, bucket: BucketState, name: str) -> str | None:
    """Return the set-up that owns the bucket; None if it existed before.

    A bucket without tags under the name by convention is being created by the set-up `name`.
    """
    is_new = not bucket.has_tags and not snapshot.is_given_bucket
    return bucket.owner or (name if is_new else None)


def _alarm_rows(snapshot: Snapshot, expected: Expected) -> Iterator[Row]:
    if isinstance(snapshot.alarms, CourierError):
        yield unreadable("alarm", "alarms", snapshot.alarms)
        return
    for alarm in snapshot.alarms or ():
        is_on = alarm.state == "alarm"
        fix = expected.command("doctor") if is_on else ""
        yield Row(kind="alarm", name=alarm.name, state=alarm.state, text=alarm.reason if is_on else "", fix=fix)
    if snapshot.alarms:
        yield _topic_row(snapshot.topic, expected)


def _topic_row(found: Found[TopicState], expected: Expected) -> Row:
    if isinstance(found, CourierError):
        return unreadable("topic", expected.topic, found)
    fix = expected.up(" --alarm-mail ADDRESS")
    if found is None:
        text = "missing: no alarm sends mail"
        return Row(kind="topic", name=expected.topic, state="missing", text=text, fix=fix)
    text = f"{found.confirmed} addresses get mail" if found.confirmed != 1 else "1 address gets mail"
    if found.pending:
        text += f", {found.pending} not confirmed"
        fix = f"Open the link in the message from AWS; for a new message: {fix}"
    return Row(
        kind="topic",
        name=expected.topic,
        state="exists",
        text=text,
        fix="" if found.confirmed and not found.pending else fix,
        values={"confirmed": found.confirmed, "pending": found.pending},
    )


def _machine_rows(snapshot: Snapshot, there: Machines, expected: Expected) -> Iterator[Row]:
    identity = snapshot.identity
    yield _existence("role", expected.profile_in(identity), there.profile_role, expected)
    if not identity.is_lab:
        yield _existence("policy", expected.policy, there.policy_version, expected)
    yield _group_row(there.group, expected)
    if not is_without_ssh(there, expected):
        yield _existence("key", expected.key_in(identity), there.key, expected)
    yield from _scaling_rows(there.scaling, expected)
    yield from _instance_rows(there, expected)


def is_without_ssh(there: Machines, expected: Expected) -> bool:
    """Whether the set-up was made with --no-ssh, by its options or by its group's tag."""
    is_remembered = isinstance(there.group, GroupState) and there.group.ssh == "none" and not expected.ssh_cidr
    return bool(expected.no_ssh) or is_remembered


def _existence(kind: str, name: str, found: object, expected: Expected) -> Row:
    if isinstance(found, CourierError):
        return unreadable(kind, name, found)
    return missing(kind, name, expected) if found is None else Row(kind=kind, name=name, state="exists")


def _group_row(found: Found[GroupState], expected: Expected) -> Row:
    if not isinstance(found, GroupState):
        return _existence("group", expected.group, found, expected)
    sources = ", ".join(rule.source for rule in found.rules if rule.covers_ssh)
    text = f"SSH from {sources or 'nobody'}"
    is_open = [f"{rule.port_text} open to {rule.source}" for rule in found.rules if rule.source in ANYWHERE]
    return Row(
        kind="group",
        name=expected.group,
        state="exists",
        text=", ".join([text, *is_open]),
        fix=expected.repair if is_open else "",
        values={"ssh_from": sources},
    )


def _scaling_rows(found: Found[ScalingState], expected: Expected) -> Iterator[Row]:
    if isinstance(found, CourierError):
        yield unreadable("machines", expected.template, found)
    elif found:
        values = {"wanted": found.wanted, "least": found.least, "most": found.most}
        text = f"{found.wanted} wanted, from {found.least} to {found.most}"
        yield Row(kind="machines", name=expected.template, state="exists", text=text, values=values)


def _instance_rows(there: Machines, expected: Expected) -> Iterator[Row]:
    if isinstance(there.instances, CourierError):
        yield unreadable("instance", expected.role, there.instances)
        return
    for one in there.instances or ():
        yield _instance_row(one, expected)
    if not there.instances:
        yield missing("instance", expected.role, expected)


def _instance_row(one: InstanceState, expected: Expected) -> Row:
    return Row(
        kind="instance",
        name=one.instance_id,
        state=one.state,
        text=f"{one.state}, {one.kind}, {one.address or 'no address'}",
        fix=expected.command("start") if one.state in ("stopping", "stopped") else "",
        values={"type": one.kind, "address": one.address},
    )
