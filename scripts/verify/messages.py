"""Checks of SQS: the round trip through queues with a delay, and queues that were just created."""

from __future__ import annotations

import secrets
import statistics
import time
from typing import Any

from botocore.exceptions import ClientError

from courier import Requester
from courier.messaging.reply_queue import READY_SECONDS
from courier.numbers.application import application
from courier.settings import load_settings
from scripts.verify.account import ANSWER_SECONDS, Account
from scripts.verify.runner import CheckFailed, Finding

ROUNDS = 20
#: What a request may take that waits for no delay: the queues' own is a second in each direction.
MOST_SECONDS = 1.0
GIVE_UP_SECONDS = 60.0


def round_trip(account: Account) -> Finding:
    """Measure single requests to an idle worker, through queues with a delay of a second each."""
    found = account.client("sqs").get_queue_url(QueueName=account.queues["COURIER_REQUEST_QUEUE"])["QueueUrl"]
    made = account.client("sqs").get_queue_attributes(QueueUrl=found, AttributeNames=["DelaySeconds"])["Attributes"]
    with Requester(application(load_settings()), timeout=ANSWER_SECONDS) as requester:
        requester.request("1")  # which connects
        took = sorted(requester.request("1, 5, 22").seconds for _ in range(ROUNDS))
    middle = statistics.median(took)
    figures = {
        "queue_delay_seconds": int(made["DelaySeconds"]),
        "median_seconds": round(middle, 3),
        "least_seconds": round(took[0], 3),
        "most_seconds": round(took[-1], 3),
    }
    if middle > MOST_SECONDS:
        raise CheckFailed(f"the median of {ROUNDS} requests is {middle:.3f} s", figures)
    return Finding(
        detail=f"median {middle * 1000:.0f} ms of {ROUNDS} requests, most {took[-1] * 1000:.0f} ms", figures=figures
    )


def reply_queue(account: Account, wait_seconds: float) -> Finding:
    """Create a queue, wait, and have another program look it up and send to it, as a worker does."""
    name = f"{account.name}-check-{secrets.token_hex(4)}"
    ours, workers = account.client("sqs"), account.client("sqs")
    url = ours.create_queue(QueueName=name)["QueueUrl"]
    time.sleep(wait_seconds)
    started = time.monotonic()
    errors: list[str] = []
    while not _answers(ours, workers, url, name, errors):
        if time.monotonic() - started > GIVE_UP_SECONDS:
            raise CheckFailed(f"it cannot be used after {GIVE_UP_SECONDS:.0f} s: {errors[-1]}")
        time.sleep(0.2)
    seconds = time.monotonic() - started
    ours.delete_queue(QueueUrl=url)
    figures = {"failed_attempts": len(errors), "usable_after_seconds": round(wait_seconds + seconds, 2)}
    if errors and wait_seconds >= READY_SECONDS:
        raise CheckFailed(f"{len(errors)} attempts failed, with {', '.join(sorted(set(errors)))}", figures)
    said = (
        f"{len(errors)} attempts failed ({', '.join(sorted(set(errors)))})" if errors else "the first attempt succeeded"
    )
    return Finding(detail=f"{said}, {wait_seconds:g} s after its creation", figures=figures)


def _answers(receiver: Any, sender: Any, url: str, name: str, errors: list[str]) -> bool:  # noqa: ANN401  boto3's
    try:
        there = sender.get_queue_url(QueueName=name)["QueueUrl"]
        sender.send_message(QueueUrl=there, MessageBody="reply")
        found = receiver.receive_message(QueueUrl=url, WaitTimeSeconds=5).get("Messages")
    except ClientError as error:
        errors.append(error.response["Error"]["Code"])
        return False
    if not found:
        errors.append("nothing received")
    return bool(found)
