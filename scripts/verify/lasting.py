"""Checks that take their time, of --long: long polls for an hour, and a group that scales out and in."""

from __future__ import annotations

import secrets
import time

from botocore.exceptions import BotoCoreError, ClientError

from scripts.verify.account import Account, wait_until
from scripts.verify.machine import on_instance
from scripts.verify.runner import CheckFailed, Figure, Finding

POLL_SECONDS = 20
#: What a poll may take beyond its time before it counts as one that hung.
LATE_SECONDS = 5.0
#: More than `backlog_per_machine` of setup/autoscaling.sh.
BACKLOG = 400
OUT_SECONDS, IN_SECONDS = 1200, 2400


def long_polls(account: Account) -> Finding:
    """Poll an empty queue for an hour; at the end, a message must arrive at once."""
    sqs = account.client("sqs")
    url = sqs.create_queue(QueueName=f"{account.name}-check-poll-{secrets.token_hex(4)}")["QueueUrl"]
    started = time.monotonic()
    polls, errors, longest = 0, 0, 0.0
    while (left := account.poll_seconds - (time.monotonic() - started)) > 0:
        begun = time.monotonic()
        try:
            sqs.receive_message(QueueUrl=url, WaitTimeSeconds=min(POLL_SECONDS, max(1, round(left))))
        except (BotoCoreError, ClientError):
            errors += 1
        polls += 1
        longest = max(longest, time.monotonic() - begun)
    sqs.send_message(QueueUrl=url, MessageBody="late")
    begun = time.monotonic()
    found = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=POLL_SECONDS).get("Messages")
    figures: dict[str, Figure] = {
        "polls": polls,
        "errors": errors,
        "longest_seconds": round(longest, 2),
        "last_seconds": round(time.monotonic() - begun, 2),
    }
    sqs.delete_queue(QueueUrl=url)
    if not found or errors or longest > POLL_SECONDS + LATE_SECONDS:
        raise CheckFailed(f"{errors} of {polls} polls failed; the longest took {longest:.1f} s", figures)
    return Finding(detail=f"{polls} polls, none failed, the longest {longest:.1f} s", figures=figures)


def scale_out(account: Account) -> Finding:
    """Have requests wait, with no worker to take them, until the group starts a second instance."""
    account.setup("up", "--workers", "1-2")
    wait_until(lambda: account.instances("running"), OUT_SECONDS, "the group's first instance")
    on_instance(account, "systemctl stop courier-worker@images")
    url = _fill(account)
    started = time.monotonic()
    try:
        wait_until(lambda: len(account.instances("running")) > 1, OUT_SECONDS, "a second instance", pause=5)
    finally:
        account.client("sqs").purge_queue(QueueUrl=url)
    seconds = time.monotonic() - started
    return Finding(detail=f"a second instance runs after {seconds:.0f} s", figures={"seconds": round(seconds, 1)})


def _fill(account: Account) -> str:
    """Have more requests wait than one instance may have, and return the queue's URL."""
    sqs = account.client("sqs")
    url = str(sqs.get_queue_url(QueueName=account.queues["COURIER_IMAGE_INBOX"])["QueueUrl"])
    entries = [{"Id": str(number), "MessageBody": "none.jpg"} for number in range(10)]
    for _ in range(BACKLOG // len(entries)):
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    return url


def scale_in(account: Account) -> Finding:
    """Wait until the group ends the second instance, and have the other answer."""
    started = time.monotonic()
    wait_until(lambda: len(account.instances("running")) == 1, IN_SECONDS, "the end of the second instance", pause=10)
    seconds = time.monotonic() - started
    account.ask()
    return Finding(
        detail=f"one instance is left after {seconds:.0f} s, and answers", figures={"seconds": round(seconds, 1)}
    )
