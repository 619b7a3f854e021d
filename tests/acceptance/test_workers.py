"""The worker programs: what they take, how they fail, how they end."""

from __future__ import annotations

import json
import re
import signal
import time

import pytest

from courier.messaging.config import FIRST_VISIBILITY_SECONDS
from tests.support.place import ROOT, Place, wait_for

WORKER = "numbers_worker.py"
SLOW = str(ROOT / "tests/workers/slow_numbers_worker.py")


def bodies(place: Place, count: int) -> list[str]:
    return sorted(message["Body"] for message in place.collect("responseQueue", count))


def test_a_message_sent_manually_is_answered_to_the_default_queue(place: Place) -> None:
    place.worker(WORKER)

    place.post("requestQueue", "1,5,22")

    (message,) = place.collect("responseQueue")
    assert json.loads(message["Body"])["median"] == 5
    assert message["MessageAttributes"]["status"]["StringValue"] == "ok"
    assert place.depth("requestQueue") == 0


@pytest.mark.parametrize(
    ("body", "attributes", "said"),
    [
        ("1,x", {}, "Item 2 (character 3) is 'x'"),
        ("1", {"options": "{"}, "The attribute options"),
        ("1", {"options": '{"a": "b"}'}, "no option 'a=b'"),
        ("1", {"version": "7"}, "protocol version '7'"),
        ("1", {"deadline": "soon"}, "The attribute deadline"),
        ("1", {"kind": "image"}, "numbers, not 'image'"),
        ("1", {"reply_to": "requestQueue"}, "'requestQueue' is not a reply queue"),
    ],
)
def test_what_cannot_be_done_is_rejected_and_does_not_come_back(
    place: Place, body: str, attributes: dict[str, str], said: str
) -> None:
    place.worker(WORKER)

    place.post("requestQueue", body, request_id="mine", **attributes)

    (message,) = place.collect("responseQueue")
    assert message["Body"].startswith("?Error. ")
    assert said in message["Body"]
    assert message["MessageAttributes"]["request-id"]["StringValue"] == "mine"
    assert message["MessageAttributes"]["status"]["StringValue"] == "error"
    wait_for(lambda: place.depth("requestQueue") == 0)


def test_a_foreign_queue_is_never_written_to(place: Place) -> None:
    place.create_queue("victim")
    worker = place.worker(WORKER)

    place.post("requestQueue", "1", request_id="mine", reply_to=place.named("victim"))

    (message,) = place.collect("responseQueue")
    assert "is not a reply queue" in message["Body"]
    assert place.depth("victim") == 0
    assert "rejected" in worker.log
    assert f"queue {place.named('victim')}" in worker.log


def test_a_clients_own_reply_queue_is_answered(place: Place) -> None:
    place.create_queue("responseQueue-mine")
    place.worker(WORKER)

    place.post("requestQueue", "1,2", request_id="mine", reply_to=place.named("responseQueue-mine"))

    (message,) = place.collect("responseQueue-mine")
    assert json.loads(message["Body"])["sum"] == 3
    assert place.depth("responseQueue") == 0


def test_a_reply_queue_that_is_gone_holds_nobody_up(place: Place) -> None:
    worker = place.worker(WORKER)

    place.post("requestQueue", "1,2", request_id="mine", reply_to=place.named("responseQueue-gone"))
    place.post("requestQueue", "3,4")

    assert [json.loads(body)["sum"] for body in bodies(place, 1)] == [7]
    worker.until_logged(f"1 responses to {place.named('responseQueue-gone')} are lost: ")
    wait_for(lambda: place.depth("requestQueue") == 0)


@pytest.mark.parametrize("fault", ["crash", "exit"])
def test_a_handler_that_raises_costs_its_client_a_rejection_and_the_worker_nothing(place: Place, fault: str) -> None:
    worker = place.worker(SLOW, "--concurrency", "1")

    place.post("requestQueue", fault)
    place.post("requestQueue", "1,2")

    rejected, answered = sorted(bodies(place, 2), key=lambda body: not body.startswith("?Error. "))
    assert "Internal error" in rejected
    assert json.loads(answered)["sum"] == 3
    assert worker.log.count("Traceback") == 1


def test_an_answer_that_no_message_holds_becomes_a_rejection(place: Place) -> None:
    place.worker(SLOW)

    place.post("requestQueue", "long", request_id="mine")

    (message,) = place.collect("responseQueue")
    assert "could not be sent. The message has 2,0" in message["Body"]
    wait_for(lambda: place.depth("requestQueue") == 0)


def test_a_request_whose_client_has_gone_is_not_worked_on(place: Place) -> None:
    worker = place.worker(WORKER)

    place.post("requestQueue", "1,2", request_id="late", deadline=str(time.time() - 10))

    worker.until_logged("request late numbers expired")
    wait_for(lambda: place.depth("requestQueue") == 0)
    assert place.depth("responseQueue") == 0


def test_a_worker_may_start_before_its_queues_exist(bare_place: Place) -> None:
    worker = bare_place.worker(WORKER, ready=False)
    worker.until_logged(f"The queue {bare_place.named('requestQueue')} does not exist in us-east-1 at http")
    assert "./aws_setup.sh queues" in worker.log
    assert "listens on" not in worker.log

    bare_place.create_queues()
    bare_place.post("requestQueue", "1,2")

    assert [json.loads(body)["sum"] for body in bodies(bare_place, 1)] == [3]
    assert worker.log.count("does not exist") == worker.log.count("listens on") == 1


def test_an_unreachable_aws_is_waited_for_quietly(place: Place) -> None:
    worker = place.worker(WORKER, ready=False, AWS_ENDPOINT_URL="http://127.0.0.1:1")

    worker.until_logged("cannot be reached")

    assert worker.process.poll() is None
    assert worker.end() == 0
    assert worker.log.count("cannot be reached") == 1
    assert "Traceback" not in worker.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_does_not_wait_for_an_idle_long_poll(place: Place, number: signal.Signals) -> None:
    gate = place.gate()
    gate.fail("black_hole", "ReceiveMessage", seconds=3600.0)  # a poll without an end
    worker = place.worker(WORKER, AWS_ENDPOINT_URL=gate.url)
    wait_for(lambda: gate.calls["ReceiveMessage"])

    assert worker.end(number) == 0

    assert gate.calls["ReceiveMessage"] == 1  # a thread that waits for it tries again when it has taken too long
    assert f"stopping: {number.name}" in worker.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_a_job_lets_it_finish(place: Place, number: signal.Signals) -> None:
    worker = place.worker(SLOW)
    place.post("requestQueue", "slow 4", request_id="mine")  # longer than a worker waits for its own polls
    worker.until_logged("begun")

    assert worker.end(number) == 0

    (message,) = place.collect("responseQueue")
    assert message["MessageAttributes"]["status"]["StringValue"] == "ok"
    assert place.depth("requestQueue") == 0


def test_what_is_not_finished_within_the_grace_period_is_released_at_once(place: Place) -> None:
    worker = place.worker(SLOW, COURIER_GRACE_SECONDS="0.5", COURIER_VISIBILITY_SECONDS="600")
    place.post("requestQueue", "slow 60", request_id="mine")
    worker.until_logged("begun")

    assert worker.end() == 0

    assert "released 1 unfinished" in worker.log
    (message,) = place.collect("requestQueue")
    assert message["Body"] == "slow 60"


def test_a_second_signal_does_not_wait_for_the_grace_period(place: Place) -> None:
    worker = place.worker(SLOW, COURIER_VISIBILITY_SECONDS="600", COURIER_GRACE_SECONDS="3600")
    place.post("requestQueue", "slow 3600", request_id="mine")
    worker.until_logged("begun")
    worker.process.send_signal(signal.SIGTERM)
    worker.until_logged("stopping")

    assert worker.end() == 0

    assert len(place.collect("requestQueue")) == 1


@pytest.mark.long
def test_what_was_not_begun_is_another_workers_at_once(place: Place) -> None:
    first = place.worker(SLOW, "--concurrency", "1", COURIER_VISIBILITY_SECONDS="600")
    place.post("requestQueue", "slow 10", request_id="begun")
    first.until_logged("begun")
    for number in range(3):
        place.post("requestQueue", f"{number}", request_id=f"waiting-{number}")
    wait_for(
        lambda: place.depth("requestQueue") == 4 and place.visible("requestQueue") == 0,
        what="all in the first worker's hands",
    )
    held = time.monotonic()
    wait_for(lambda: time.monotonic() - held > FIRST_VISIBILITY_SECONDS + 0.5, what="a renewal for 600 s")

    first.process.send_signal(signal.SIGTERM)
    second = place.worker(WORKER)

    for number in range(3):
        second.until_logged(f"waiting-{number} numbers ok")
    assert first.process.wait() == 0
    assert len(place.collect("responseQueue", 4)) == 4


def test_a_job_longer_than_its_visibility_timeout_is_done_once(place: Place) -> None:
    workers = [place.worker(SLOW, COURIER_VISIBILITY_SECONDS="1") for _ in range(2)]

    place.post("requestQueue", "slow 4", request_id="mine")

    place.collect("responseQueue")
    assert sum(worker.log.count("begun") for worker in workers) == 1


def test_a_drained_queue_ends_a_worker_with_that_option(place: Place) -> None:
    for number in range(25):
        place.post("requestQueue", f"{number}")

    worker = place.worker(WORKER, "--stop-when-empty", ready=False)

    assert worker.process.wait() == 0
    assert "stopping: the queue is empty" in worker.log
    assert place.depth("requestQueue") == 0
    assert len(place.collect("responseQueue", 25)) == 25


def test_one_line_of_log_for_a_request_in_json_if_asked(place: Place) -> None:
    worker = place.worker(WORKER, "--log-format", "json")
    place.post("requestQueue", "1,2", request_id="mine")
    worker.until_logged("mine")
    assert worker.end() == 0

    lines = [json.loads(line) for line in worker.log.splitlines()]
    (line,) = [line for line in lines if "request_id" in line]
    assert (line["request_id"], line["kind"], line["outcome"], line["level"]) == ("mine", "numbers", "ok", "info")
    assert line["milliseconds"] > 0


def test_no_payload_and_no_key_is_logged(place: Place) -> None:
    worker = place.worker(WORKER, AWS_SECRET_ACCESS_KEY="a-secret-key")
    place.post("requestQueue", "31415926,x")
    place.post("requestQueue", "31415926,27182818")
    place.collect("responseQueue", 2)

    assert worker.end() == 0
    assert len(set(re.findall(r"request (\w+)", worker.log))) == 2
    for secret in ("31415926", str(31415926 + 27182818), place.env["AWS_ACCESS_KEY_ID"], "a-secret-key"):
        assert secret not in worker.log


def test_as_many_requests_are_worked_on_at_once_as_configured(place: Place) -> None:
    worker = place.worker(SLOW, "--concurrency", "4")

    for _ in range(4):
        place.post("requestQueue", "slow 2")

    wait_for(lambda: worker.log.count("begun") == 4)
    assert "numbers ok" not in worker.log
    place.collect("responseQueue", 4)


def test_the_next_request_is_not_held_up_by_the_poll_of_a_worker_that_stopped(place: Place) -> None:
    first = place.worker(WORKER, COURIER_VISIBILITY_SECONDS="600")
    place.post("requestQueue", "1")
    first.until_logged("numbers ok")
    wait_for(lambda: place.depth("requestQueue") == 0)
    assert first.end() == 0

    place.worker(WORKER)
    done = place.run("numbers_client.py", "send", "1,2", "--json")

    assert json.loads(done.stdout)["sum"] == 3  # the dead poll may take it, for 3 s and not for 600


@pytest.mark.parametrize("program", [WORKER, "images_worker.py"])
def test_usage(place: Place, program: str) -> None:
    helped = place.run(program, "--help")
    wrong = place.run(program, "--concurrency", "0")
    unset = place.run(program, env={"COURIER_POLL_SECONDS": "x"})

    assert helped.returncode == 0
    assert "--stop-when-empty" in helped.stdout
    assert "exit status" in helped.stdout
    assert (wrong.returncode, unset.returncode) == (2, 2)
    assert "COURIER_POLL_SECONDS is 'x'" in unset.stderr


def test_a_request_that_was_received_too_often_is_given_up_with_a_reason_and_kept(place: Place) -> None:
    place.create_queue("requestQueue-dead")
    place.post("requestQueue", "die", request_id="poison")
    killed = 0
    for _ in range(2):
        worker = place.worker(SLOW, COURIER_MAX_DELIVERIES="3")
        killed += worker.process.wait() == -signal.SIGKILL

    worker = place.worker(SLOW, COURIER_MAX_DELIVERIES="3")
    (message,) = place.collect("responseQueue")

    assert killed == 2
    assert message["Body"].startswith("?Error. ")
    assert "3 workers received it" in message["Body"]
    assert message["MessageAttributes"]["request-id"]["StringValue"] == "poison"
    worker.until_logged("poison numbers dead")
    assert worker.process.poll() is None
    dead = json.loads(place.run("numbers_client.py", "dead", "--json").stdout)
    assert (dead["count"], dead["letters"][0]["body"]) == (1, "die")


def test_dead_letters_are_sent_back_and_answered(place: Place) -> None:
    place.create_queue("requestQueue-dead")
    for number in range(12):
        attributes = {"request_id": f"dead{number}", "reply_to": place.named("responseQueue-gone"), "deadline": "1000"}
        place.post("requestQueue-dead", f"{number}", reason="x", **attributes)
    wait_for(lambda: place.depth("requestQueue-dead") == 12)

    done = place.run("numbers_client.py", "redrive", "--yes")
    place.worker(WORKER)

    assert "12 requests" in done.stdout
    sums = sorted(json.loads(body)["sum"] for body in bodies(place, 12))
    assert sums == list(range(12))
    assert place.depth("requestQueue-dead") == 0


def test_work_that_takes_too_long_is_rejected_and_the_worker_goes_on(place: Place) -> None:
    worker = place.worker(SLOW, "--concurrency", "1", COURIER_TIME_LIMIT_SECONDS="1")
    place.post("requestQueue", "slow 3", request_id="endless")
    worker.until_logged("begun")
    begun = time.monotonic()
    place.post("requestQueue", "1,2", request_id="next")

    messages = place.collect("responseQueue", 2)

    found = {one["MessageAttributes"]["request-id"]["StringValue"]: one["Body"] for one in messages}
    assert found["endless"].startswith("?Error. ")
    assert "more than 1 s" in found["endless"]
    assert json.loads(found["next"])["sum"] == 3
    wait_for(lambda: place.depth("requestQueue") == 0)
    wait_for(lambda: time.monotonic() - begun > 3.5, what="the work's end")
    assert place.depth("responseQueue") == 0  # what it still returned was dropped


@pytest.mark.emulator  # nobody else may write what CloudWatch says of SQS
@pytest.mark.parametrize(
    ("client", "program"), [("numbers_client.py", WORKER), ("images_client.py", "images_worker.py")]
)
def test_a_check_tells_whether_all_is_well(place: Place, client: str, program: str) -> None:
    place.worker(program)
    inbox = "requestQueue" if program == WORKER else "imageInbox"
    place.client("cloudwatch").put_metric_data(
        Namespace="AWS/SQS",
        MetricData=[
            {
                "MetricName": "ApproximateAgeOfOldestMessage",
                "Dimensions": [{"Name": "QueueName", "Value": inbox}],
                "Value": 77,
            }
        ],
    )

    well = place.run(client, "check", "--json")

    facts = json.loads(well.stdout)
    assert well.returncode == 0
    assert facts["account"] == place.env["AWS_ACCESS_KEY_ID"]
    assert facts["worker_answers_in_seconds"] < 5
    assert facts["dead_letters"] is None
    assert facts["oldest_request_seconds"] == 77
    assert abs(facts["clock_difference_seconds"]) < 5


def test_a_check_without_a_worker_says_so(place: Place) -> None:
    done = place.run("numbers_client.py", "check", "--timeout", "1")

    assert done.returncode == 3
    assert re.search(r"worker answers in seconds +│ +none", done.stdout)
    assert "python numbers_worker.py" in done.stderr
    assert "purged" in done.stderr
