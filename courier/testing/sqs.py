"""SQS in memory: standard queues, as AWS documents them."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from courier.testing.message import (
    ARN,
    DEFAULTS,
    MAX_BATCH,
    MAX_BYTES,
    NAME,
    PURGE_SECONDS,
    URL,
    Message,
    Queue,
    chosen,
    demand,
    demand_batch,
)
from courier.testing.service import MemoryService, client_error, operation


class MemorySqs(MemoryService):
    """Queues for a test; `advance` moves their clock."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()
        self._queues: dict[str, Queue] = {}
        self._passed = 0.0
        #: Whether a long poll takes time; if not, it advances the clock instead.
        self.waits = True
        #: Returns an entry's failure, as in `Failed`: a code, and whether it is the sender's fault; None: no failure.
        self.failing: Callable[[str, Mapping[str, Any]], tuple[str, bool] | None] = lambda _operation, _entry: None

        self.is_closed = False
        #: The delays of the next messages, in seconds.
        self.late: list[float] = []
        #: The number of next messages that arrive twice.
        self.twice = 0
        #: The number of next messages that a lost worker receives, by queue.
        self.lost: dict[str, int] = {}

    # For tests

    def now(self) -> float:
        """Return the time of this clock, in seconds."""
        return time.monotonic() + self._passed

    def advance(self, seconds: float) -> None:
        """Advance the clock of all queues, and wake long polls."""
        with self._changed:
            self._passed += seconds
            self._changed.notify_all()

    def queue(self, name: str) -> Queue:
        """Return a queue, which a test may change."""
        return self._queues[name]

    def names(self) -> list[str]:
        """Return the names of the queues."""
        return sorted(self._queues)

    def bodies(self, name: str) -> list[str]:
        """Return the bodies of all messages in a queue, visible or not."""
        with self._changed:
            return [message.body for message in self._queues[name].messages]

    def close(self) -> None:
        """End all long polls, also future ones."""
        with self._changed:
            self.is_closed = True
            self._changed.notify_all()

    def put(self, name: str, *bodies: str, **attributes: str) -> None:
        """Send messages with these attributes, whose names have _ for -."""
        named = {
            key.replace("_", "-"): {"DataType": "String", "StringValue": value} for key, value in attributes.items()
        }
        with self._changed:
            for body in bodies:
                self._arrive(self._queues[name], Message(body=body, attributes=named, group="", due_at=self.now()))
            self._changed.notify_all()

    # Queues

    @operation("QueueName", "Attributes")
    def create_queue(self, given: Mapping[str, Any]) -> dict[str, Any]:
        name, wanted = given["QueueName"], given.get("Attributes", {})
        demand(bool(NAME.fullmatch(name)), "Can only include alphanumeric characters, - or _. 1 to 80.")
        made = Queue(name=name, attributes={**DEFAULTS, **wanted}, created=time.time())
        with self._changed:
            found = self._queues.setdefault(name, made).attributes
        if any(found.get(key) != value for key, value in wanted.items()):
            raise client_error("QueueAlreadyExists", "A queue already exists with the same name and a different value.")
        return {"QueueUrl": URL + name}

    @operation("QueueName")
    def get_queue_url(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return {"QueueUrl": URL + self._find(URL + given["QueueName"]).name}

    @operation("QueueNamePrefix", "MaxResults")
    def list_queues(self, given: Mapping[str, Any]) -> dict[str, Any]:
        found = [URL + name for name in self.names() if name.startswith(given.get("QueueNamePrefix", ""))]
        return {"QueueUrls": found[: given.get("MaxResults", 1000)]} if found else {}

    @operation("QueueUrl")
    def delete_queue(self, given: Mapping[str, Any]) -> dict[str, Any]:
        with self._changed:
            del self._queues[self._find(given["QueueUrl"]).name]
            self._changed.notify_all()
        return {}

    @operation("QueueUrl")
    def purge_queue(self, given: Mapping[str, Any]) -> dict[str, Any]:
        queue = self._find(given["QueueUrl"])
        if queue.purged_at is not None and self.now() - queue.purged_at < PURGE_SECONDS:
            raise client_error("AWS.SimpleQueueService.PurgeQueueInProgress", "Only one PurgeQueue in 60 seconds.")
        with self._changed:
            queue.purged_at = self.now()
            queue.messages.clear()
        return {}

    @operation("QueueUrl", "AttributeNames")
    def get_queue_attributes(self, given: Mapping[str, Any]) -> dict[str, Any]:
        queue = self._find(given["QueueUrl"])
        with self._changed:
            now = self.now()
            delayed = sum(message.due_at > now for message in queue.messages)
            hidden = sum(message.visible_at > now for message in queue.messages)
        counted = {
            "ApproximateNumberOfMessages": str(len(queue.messages) - delayed - hidden),
            "ApproximateNumberOfMessagesNotVisible": str(hidden),
            "ApproximateNumberOfMessagesDelayed": str(delayed),
            "CreatedTimestamp": str(int(queue.created)),
            "QueueArn": ARN + queue.name,
        }
        return {"Attributes": chosen({**queue.attributes, **counted}, given["AttributeNames"])}

    # Messages

    @operation("QueueUrl", "Entries")
    def send_message_batch(self, given: Mapping[str, Any]) -> dict[str, Any]:
        queue = self._find(given["QueueUrl"])
        made = {entry["Id"]: self._message(queue, entry) for entry in given["Entries"]}
        if sum(message.size for message in made.values()) > MAX_BYTES:
            raise client_error("AWS.SimpleQueueService.BatchRequestTooLong", "Batch requests cannot be longer.")
        limit = int(queue.attributes["MaximumMessageSize"])
        if any(message.size > limit for message in made.values()):
            raise client_error("InvalidParameterValue", f"Message must be shorter than {limit} bytes.")

        def send(entry: Mapping[str, Any]) -> str | None:
            if not (code := made[entry["Id"]].error_code):
                self._arrive(queue, made[entry["Id"]])
            return code

        return self._each("send_message_batch", given["Entries"], send)

    @operation(
        "QueueUrl",
        "MaxNumberOfMessages",
        "WaitTimeSeconds",
        "VisibilityTimeout",
        "MessageAttributeNames",
        "MessageSystemAttributeNames",
    )
    def receive_message(self, given: Mapping[str, Any]) -> dict[str, Any]:
        limit, wait = given.get("MaxNumberOfMessages", 1), given.get("WaitTimeSeconds", 0)
        demand(1 <= limit <= MAX_BATCH, "MaxNumberOfMessages must be between 1 and 10.")
        demand(0 <= wait <= 20, "WaitTimeSeconds must be between 0 and 20.")
        deadline = self.now() + wait
        with self._changed:
            while True:
                queue = self._find(given["QueueUrl"])
                ready = self._ready(queue)
                if ready or self.is_closed or self.now() >= deadline:
                    break
                pause = self._pause(queue, deadline)
                if self.waits:
                    self._changed.wait(pause)
                else:
                    self._passed += pause
            hidden = given.get("VisibilityTimeout", int(queue.attributes["VisibilityTimeout"]))
            demand(0 <= hidden <= 43_200, "VisibilityTimeout must be between 0 and 43200.")
            taken = [self._take(message, hidden, given) for message in ready[:limit]]
            gone = min(self.lost.get(queue.name, 0), len(taken))
            if gone:
                self.lost[queue.name] -= gone
                taken = taken[gone:]
        return {"Messages": taken} if taken else {}

    @operation("QueueUrl", "Entries")
    def delete_message_batch(self, given: Mapping[str, Any]) -> dict[str, Any]:
        queue = self._find(given["QueueUrl"])

        def delete(entry: Mapping[str, Any]) -> None:
            queue.messages[:] = [one for one in queue.messages if one.handle != entry["ReceiptHandle"]]

        return self._each("delete_message_batch", given["Entries"], delete)

    @operation("QueueUrl", "Entries")
    def change_message_visibility_batch(self, given: Mapping[str, Any]) -> dict[str, Any]:
        queue = self._find(given["QueueUrl"])

        def change(entry: Mapping[str, Any]) -> str:
            found = next((one for one in queue.messages if one.handle == entry["ReceiptHandle"]), None)
            if found is None or found.visible_at <= self.now():
                return "ReceiptHandleIsInvalid"
            found.visible_at = self.now() + entry["VisibilityTimeout"]
            return ""

        return self._each("change_message_visibility_batch", given["Entries"], change)

    # The inside

    def _arrive(self, queue: Queue, message: Message) -> None:
        message.due_at += self.late.pop(0) if self.late else 0.0
        queue.messages.append(message)
        if self.twice > 0:
            self.twice -= 1
            queue.messages.append(replace(message))

    def _ready(self, queue: Queue) -> list[Message]:
        """Return the visible messages; those received too often are moved to the dead-letter queue instead."""
        ready = [message for message in queue.messages if max(message.due_at, message.visible_at) <= self.now()]
        policy = json.loads(queue.attributes.get("RedrivePolicy", "{}"))
        if not policy:
            return ready
        dead = [message for message in ready if message.receive_count >= int(policy["maxReceiveCount"])]
        for message in dead:
            queue.messages.remove(message)
            self._queues[policy["deadLetterTargetArn"].removeprefix(ARN)].messages.append(message)
        return [message for message in ready if message not in dead]

    def _find(self, url: str) -> Queue:
        name = url.removeprefix(URL)
        if name not in self._queues:
            raise client_error("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
        return self._queues[name]

    def _message(self, queue: Queue, entry: Mapping[str, Any]) -> Message:
        attributes = entry.get("MessageAttributes", {})
        demand(len(attributes) <= 10, "Number of message attributes exceeds the allowed maximum of 10.")
        demand(all(one["StringValue"] for one in attributes.values()), "Message attributes must have a value.")
        delay = entry.get("DelaySeconds", int(queue.attributes["DelaySeconds"]))
        return Message(
            body=entry["MessageBody"],
            attributes=attributes,
            group=entry.get("MessageGroupId", ""),
            due_at=self.now() + delay,
        )

    def _each(
        self, name: str, entries: list[Mapping[str, Any]], act: Callable[[Mapping[str, Any]], str | None]
    ) -> dict[str, Any]:
        """Do a batch's entries one by one; each succeeds or fails for itself."""
        demand_batch(entries)
        failed = []
        with self._changed:
            for entry in entries:
                fields = self.failing(name, entry)
                code, is_ours = fields or (act(entry), True)
                if code:
                    failed.append({"Id": entry["Id"], "SenderFault": is_ours, "Code": code, "Message": "No."})
            self._changed.notify_all()
        lost = {one["Id"] for one in failed}
        answer = {"Successful": [{"Id": entry["Id"]} for entry in entries if entry["Id"] not in lost]}
        return {**answer, "Failed": failed} if failed else answer

    def _pause(self, queue: Queue, deadline: float) -> float:
        """Return for how long nothing can become visible of itself, in real seconds."""
        soon = [max(message.due_at, message.visible_at) for message in queue.messages]
        return max(0.0, min([deadline, *soon]) - self.now())

    def _take(self, message: Message, hidden: float, given: Mapping[str, Any]) -> dict[str, Any]:
        message.visible_at = self.now() + hidden
        message.receive_count += 1
        message.handle = uuid.uuid4().hex
        sent = str(int(message.sent_at * 1000))
        fields = {"ApproximateReceiveCount": str(message.receive_count), "SentTimestamp": sent}
        fields |= {"MessageGroupId": message.group} if message.group else {}
        found: dict[str, Any] = {
            "MessageId": message.message_id,
            "ReceiptHandle": message.handle,
            "Body": message.body,
            "Attributes": chosen(fields, given.get("MessageSystemAttributeNames", [])),
            "MessageAttributes": chosen(message.attributes, given.get("MessageAttributeNames", [])),
        }
        return {name: value for name, value in found.items() if value != {}}
