"""Networks that fail between the programs and AWS."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from courier.images.preview import sample
from tests.support.gate import BAD_GATEWAY, GATEWAY_TIMEOUT, SERVER_ERROR, THROTTLED, UNAVAILABLE, Gate
from tests.support.place import ATTRIBUTES, WAIT_SECONDS, Place, wait_for

CLIENT = "numbers_client.py"
IMAGES = "images_client.py"
WORKER = "numbers_worker.py"
SQS_OF_A_WORKER = ("ReceiveMessage", "SendMessageBatch", "DeleteMessageBatch")
SQS_OF_A_CLIENT = ("GetQueueUrl", "SendMessageBatch", "ReceiveMessage", "DeleteMessageBatch")


@pytest.fixture
def gate(place: Place) -> Iterator[Gate]:
    made = Gate(place.env["AWS_ENDPOINT_URL"])
    yield made
    made.heal()
    made.close()


FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "reset": ("reset", {}),
    "cut": ("cut", {}),
    "500": ("answer", {"answer": SERVER_ERROR}),
    "503": ("answer", {"answer": UNAVAILABLE}),
    "502": ("answer", {"answer": BAD_GATEWAY}),
    "504": ("answer", {"answer": GATEWAY_TIMEOUT}),
    "no json": ("answer", {"answer": (200, "<html><body>Please log in.</body></html>")}),
    "throttled": ("answer", {"answer": THROTTLED}),
    "latency": ("latency", {"seconds": 1.0}),
    "lost answer": ("lost_answer", {}),
}


@pytest.mark.long
@pytest.mark.parametrize("fault", ["reset", "cut", "502", "no json", "lost answer"])
def test_a_workers_every_call_fails_for_seconds_and_all_are_answered_once_it_heals(
    place: Place, gate: Gate, fault: str
) -> None:
    kind, how = FAULTS[fault]
    worker = place.worker(WORKER, AWS_ENDPOINT_URL=gate.url, COURIER_VISIBILITY_SECONDS="3", COURIER_POLL_SECONDS="1")
    for operation in SQS_OF_A_WORKER:
        gate.fail(kind, operation, times=6, **how)
    for number in range(20):
        place.post("requestQueue", f"{number}", request_id=f"r{number}")

    answers = {
        message["MessageAttributes"]["request-id"]["StringValue"]: json.loads(message["Body"])["sum"]
        for message in place.collect("responseQueue", 20)
    }
    wait_for(lambda: place.depth("requestQueue") == 0)
    while len(answers) < 20:
        for message in place.collect("responseQueue", 1):
            answers[message["MessageAttributes"]["request-id"]["StringValue"]] = json.loads(message["Body"])["sum"]

    assert answers == {f"r{number}": number for number in range(20)}
    assert worker.process.poll() is None
    assert "Traceback" not in worker.log


@pytest.mark.long
@pytest.mark.parametrize("fault", ["cut", "throttled", "504", "no json", "lost answer"])
def test_a_clients_every_call_fails_for_seconds_and_it_gets_its_answers(place: Place, gate: Gate, fault: str) -> None:
    kind, how = FAULTS[fault]
    place.worker(WORKER)
    for operation in SQS_OF_A_CLIENT:
        gate.fail(kind, operation, times=6, **how)

    lines = "".join(f"{number}\n" for number in range(15))
    done = place.run(CLIENT, "batch", "-", "--timeout", "40", text=lines, env={"AWS_ENDPOINT_URL": gate.url})

    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["sum"] for line in done.stdout.splitlines()] == list(range(15))
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 10


@pytest.mark.long
def test_answers_to_a_queue_of_a_clients_own_are_late_and_not_lost(place: Place, gate: Gate) -> None:
    worker = place.worker(WORKER, AWS_ENDPOINT_URL=gate.url)
    gate.fail("answer", "SendMessageBatch", times=30, answer=BAD_GATEWAY)

    lines = "".join(f"{number}\n" for number in range(200))
    done = place.run(CLIENT, "batch", "-", "--timeout", "60", text=lines)

    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["sum"] for line in done.stdout.splitlines()] == list(range(200))
    assert " are lost" not in worker.log


def test_a_reply_queue_that_takes_nothing_holds_up_nobody_else(place: Place, gate: Gate) -> None:
    worker = place.worker(WORKER, AWS_ENDPOINT_URL=gate.url)
    place.client("sqs").create_queue(QueueName="responseQueue-broken")
    gate.fail("answer", "SendMessageBatch", about="responseQueue-broken", answer=BAD_GATEWAY)
    for number in range(120):  # more than a worker holds
        place.post(
            "requestQueue",
            "1",
            request_id=f"r{number}",
            reply_to="responseQueue-broken",
            deadline=f"{time.time() + 900}",
        )
    worker.until_logged("(replying to responseQueue-broken)")

    done = place.run(CLIENT, "batch", "-", "--timeout", "300", text="1\n2\n3\n")

    assert done.returncode == 0, done.stderr
    wait_for(lambda: place.depth("requestQueue") == 120)  # the others are being deleted
    gate.heal()
    assert len(place.collect("responseQueue-broken", 120)) == 120
    wait_for(lambda: place.depth("requestQueue") == 0)


def test_a_list_is_stored_through_a_bucket_that_fails(place: Place, gate: Gate) -> None:
    place.worker(WORKER)
    (place.folder / "numbers.txt").write_text("1,2,3\n" * 300_000)
    for operation in ("S3:PUT", "S3:HEAD", "S3:POST", "GetCallerIdentity"):
        gate.fail("answer", operation, times=4, answer=BAD_GATEWAY)

    done = place.run(CLIENT, "file", "numbers.txt", "--json", "--timeout", "60", env={"AWS_ENDPOINT_URL": gate.url})

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["sum"] == 6 * 300_000


def test_a_message_that_is_no_longer_ours_is_answered_and_reported_once(place: Place, gate: Gate) -> None:
    rejection = {"__type": "com.amazonaws.sqs#ReceiptHandleIsInvalid", "message": "The receipt handle has expired."}
    worker = place.worker("tests/workers/slow_numbers_worker.py", AWS_ENDPOINT_URL=gate.url)
    gate.fail("answer", "ChangeMessageVisibilityBatch", answer=(404, rejection))

    place.post("requestQueue", "slow 4", request_id="mine")

    (message,) = place.collect("responseQueue")
    assert message["MessageAttributes"]["request-id"]["StringValue"] == "mine"
    assert worker.log.count("no longer be extended") <= 2  # it may have come a second time
    assert gate.calls["ChangeMessageVisibilityBatch"] <= 2


def test_a_dead_aws_costs_little_and_is_reported_once(place: Place, gate: Gate) -> None:
    worker = place.worker(WORKER, AWS_ENDPOINT_URL=gate.url)
    wait_for(lambda: gate.calls["ReceiveMessage"])
    gate.fail("reset")
    place.post("requestQueue", "1,2", request_id="mine")
    worker.until_logged("Waiting and retrying")

    calls = sum(gate.calls.values())
    started = time.monotonic()
    wait_for(lambda: time.monotonic() - started > 5)
    made = sum(gate.calls.values()) - calls
    gate.heal()

    # Its heartbeat failed, too: it may have come, and be answered, a second time, which a client drops.
    answers = place.collect("responseQueue")
    assert {json.loads(message["Body"])["sum"] for message in answers} == {3}
    assert made < 50  # two kinds of call in five seconds; a busy loop makes hundreds a second
    for doing in ("receiving", "answering"):
        assert worker.log.count(f"Waiting and retrying. ({doing})") <= 1
    worker.until_logged("responds again after")


def test_a_black_hole_is_left_in_time(place: Place, gate: Gate) -> None:
    worker = place.worker(WORKER, AWS_ENDPOINT_URL=gate.url, COURIER_POLL_SECONDS="1")
    gate.fail("black_hole", "SendMessageBatch", times=1, seconds=5.0)
    place.post("requestQueue", "1,2", request_id="mine")

    (message,) = place.collect("responseQueue")
    assert json.loads(message["Body"])["sum"] == 3
    assert worker.process.poll() is None


@pytest.mark.parametrize(
    "command",
    [(CLIENT, "send", "1,2"), (CLIENT, "purge", "--yes"), ("images_client.py", "list")],
    ids=lambda command: command[1],
)
def test_a_client_waits_no_longer_for_an_aws_that_is_silent_than_it_was_reported(
    place: Place, gate: Gate, command: tuple[str, ...]
) -> None:
    gate.fail("black_hole", seconds=WAIT_SECONDS)

    done = place.run(*command, "--timeout", "2", env={"AWS_ENDPOINT_URL": gate.url})

    assert done.returncode == 4
    assert "AWS cannot be reached (no response within 5 s)." in done.stderr
    assert len(done.stderr.splitlines()) == 1


#: Commands, and the call in the middle of each that AWS does not answer.
SILENT = (
    ("SendMessageBatch", CLIENT, "send", "1,2"),
    ("ReceiveMessage", CLIENT, "send", "1,2"),
    ("ReceiveMessage", CLIENT, "batch", "lines.txt"),
    ("GetQueueAttributes", CLIENT, "file", "long.txt"),
    ("S3:PUT", CLIENT, "file", "long.txt"),
    ("PurgeQueue", CLIENT, "purge", "--yes"),
    ("ReceiveMessage", CLIENT, "dead"),
    ("ReceiveMessage", CLIENT, "redrive", "--yes"),
    ("S3:POST", CLIENT, "check"),
    ("S3:PUT", IMAGES, "upload", "cat.png"),
    ("S3:GET", IMAGES, "list"),
    ("S3:GET", IMAGES, "download", "there.png"),
    ("SendMessageBatch", IMAGES, "process", "dog.png"),
    ("S3:HEAD", IMAGES, "run", "cat.png", "dog.png"),
)


def test_a_client_ends_where_aws_falls_silent_in_the_middle_of_what_it_does(place: Place) -> None:
    place.client("sqs").create_queue(QueueName="requestQueue-dead", Attributes=ATTRIBUTES)
    place.worker(WORKER)
    place.client("s3").put_object(Bucket=place.bucket, Key="images/processed/there.png", Body=sample())
    for name in ("cat.png", "dog.png"):
        (place.folder / name).write_bytes(sample())
    (place.folder / "lines.txt").write_text("1\n" * 50)
    (place.folder / "long.txt").write_text("1,2,3\n" * 300_000)

    def ended(silent: str, *command: str) -> tuple[int, str]:
        gate = Gate(place.env["AWS_ENDPOINT_URL"])
        gate.fail("black_hole", silent, seconds=WAIT_SECONDS)
        done = place.run(*command, "--timeout", "1", env={"AWS_ENDPOINT_URL": gate.url})
        gate.close()
        return done.returncode, done.stderr

    with ThreadPoolExecutor(len(SILENT)) as pool:
        found = dict(zip(SILENT, pool.map(lambda one: ended(*one), SILENT), strict=True))

    wrong = {one: said for one, said in found.items() if said[0] != 4 or "AWS cannot be reached" not in said[1]}
    assert wrong == {}


def test_an_image_survives_a_bucket_that_fails(place: Place, gate: Gate) -> None:
    (place.folder / "cat.png").write_bytes(sample())
    place.worker("images_worker.py", AWS_ENDPOINT_URL=gate.url, COURIER_POLL_SECONDS="1")
    gate.fail("cut", "S3:GET", times=2)
    gate.fail("answer", "S3:PUT", times=2, answer=UNAVAILABLE)

    done = place.run("images_client.py", "run", "cat.png", "--timeout", "40")

    assert done.returncode == 0, done.stderr
    assert (place.folder / "cat-grayscale.png").exists()


def test_a_download_that_is_cut_off_goes_on_where_it_was(place: Place, gate: Gate) -> None:
    content = random.Random(1).randbytes(1_000_000)
    place.client("s3").put_object(Bucket=place.bucket, Key="images/processed/cat.png", Body=content)
    gate.fail("cut", "S3:GET", times=3)

    done = place.run("images_client.py", "download", "cat.png", env={"AWS_ENDPOINT_URL": gate.url})

    assert done.returncode == 0, done.stderr
    assert (place.folder / "cat.png").read_bytes() == content
    assert gate.calls["S3:GET"] == 4


def test_a_download_that_falls_silent_in_the_middle_is_given_up(place: Place, gate: Gate) -> None:
    place.client("s3").put_object(Bucket=place.bucket, Key="images/processed/cat.png", Body=b"x" * 1_000_000)
    gate.fail("cut", "S3:GET", seconds=WAIT_SECONDS)

    done = place.run("images_client.py", "download", "cat.png", "--timeout", "1", env={"AWS_ENDPOINT_URL": gate.url})

    assert done.returncode == 4
    assert "AWS cannot be reached (" in done.stderr
    assert list(place.folder.glob("*.png*")) == []


def test_a_purge_that_sqs_rejects_is_explained(place: Place, gate: Gate) -> None:
    rejection = {"__type": "com.amazonaws.sqs#PurgeQueueInProgress", "message": "Only one PurgeQueue every 60 seconds."}
    gate.fail("answer", "PurgeQueue", answer=(403, rejection))
    place.post("requestQueue", "1,2")

    done = place.run(CLIENT, "purge", "--yes", env={"AWS_ENDPOINT_URL": gate.url})

    assert "requestQueue was purged less than 60 s ago" in done.stdout
    assert "purge again" in done.stdout
    assert place.depth("requestQueue") == 1


QUEUE_COMMANDS = {
    "purge": (("purge", "--yes"), ("GetQueueAttributes", "PurgeQueue")),
    "dead": (("dead",), ("GetQueueUrl", "ReceiveMessage", "ChangeMessageVisibilityBatch", "GetQueueAttributes")),
    "check": (("check",), ("GetQueueAttributes",)),
    "redrive": (("redrive", "--yes"), ("GetQueueUrl", "ReceiveMessage", "SendMessageBatch", "DeleteMessageBatch")),
}


@pytest.mark.parametrize("command", QUEUE_COMMANDS)
@pytest.mark.parametrize("fault", ["502", "throttled"])
def test_a_command_for_queues_outlasts_calls_that_fail(place: Place, gate: Gate, command: str, fault: str) -> None:
    arguments, operations = QUEUE_COMMANDS[command]
    kind, how = FAULTS[fault]
    place.client("sqs").create_queue(QueueName="requestQueue-dead", Attributes=ATTRIBUTES)
    if command == "check":
        place.worker(WORKER)
    place.post("requestQueue-dead", "x", reason="Too often.")
    for operation in operations:
        gate.fail(kind, operation, times=4, **how)

    done = place.run(CLIENT, *arguments, "--json", env={"AWS_ENDPOINT_URL": gate.url})

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report.get("purged", True), report.get("count", 1), report.get("dead_letters", 1)) == (True, 1, 1)
    assert report.get("sent_back", 1) == 1
    assert "Waiting and retrying. (calling AWS)" in done.stderr


@pytest.mark.parametrize("fault", ["502", "cut"])
def test_a_list_of_what_is_stored_outlasts_calls_that_fail(place: Place, gate: Gate, fault: str) -> None:
    kind, how = FAULTS[fault]
    place.client("s3").put_object(Bucket=place.bucket, Key="images/unprocessed/cat.png", Body=b"x")
    gate.fail(kind, "S3:GET", times=4, **how)

    done = place.run("images_client.py", "list", "--json", env={"AWS_ENDPOINT_URL": gate.url})

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["name"] == "cat.png"
    assert "Waiting and retrying. (calling AWS)" in done.stderr


def test_a_purge_that_is_rejected_after_a_failure_is_not_taken_for_one_that_was_done(place: Place, gate: Gate) -> None:
    rejection = {"__type": "com.amazonaws.sqs#PurgeQueueInProgress", "message": "Only one PurgeQueue every 60 seconds."}
    gate.fail("answer", "PurgeQueue", times=4, answer=BAD_GATEWAY)
    gate.fail("answer", "PurgeQueue", answer=(403, rejection))
    place.post("requestQueue", "1,2")

    done = place.run(CLIENT, "purge", "--yes", "--json", env={"AWS_ENDPOINT_URL": gate.url})

    assert json.loads(done.stdout) == {"queue": "requestQueue", "purged": False, "requests": 1}
    assert place.depth("requestQueue") == 1
