"""The worker's loop with all its threads, on queues in memory; with real queues it is in tests/acceptance."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import repeat

import pytest

from courier.aws.message import Message
from courier.errors import NoRoom, Reason, Rejected, ServiceError, WrongUsage
from courier.messaging.application import Application
from courier.messaging.config import WorkerConfig
from courier.messaging.hooks import Hooks
from courier.messaging.in_flight import InFlightMessages
from courier.messaging.poll_turns import PollTurns
from courier.messaging.processor import Handler
from courier.messaging.protocol import Rejection, Reply, Request, Response, decode_reply, encode_request
from courier.messaging.states import State
from courier.messaging.worker import RECEIVERS, Worker
from courier.time_limit import paused
from tests.support.fakes import WAIT_LIMIT_SECONDS, FakeAws, client_error, no_network, until

REQUESTS, RESPONSES, DEAD = "requestQueue", "responseQueue", "requestQueue-dead"
NUMBERS = Application("numbers", requests=REQUESTS, replies=RESPONSES)


class WorkerHarness:
    """A worker of one kind and its queues."""

    def __init__(self, handler: Handler, **config: object) -> None:
        self.aws = FakeAws()
        self.queues = self.aws.queues
        for name in (REQUESTS, RESPONSES, DEAD):
            self.queues.create_queue(QueueName=name)
        defaults: dict[str, object] = {
            "concurrency": 1,
            "capacity": 10,
            "poll_seconds": 20,
            "visibility_seconds": 30,
            "grace_seconds": 30,
            "max_deliveries": 5,
            "time_limit_seconds": 60,
        }
        self.worker = Worker(handler, NUMBERS, WorkerConfig(**{**defaults, **config}), aws=self.aws)  # type: ignore[arg-type]

    def start(self) -> WorkerHarness:
        self.worker.start()
        return self

    def close(self) -> None:
        """End all threads that this worker has; its handlers are the test's to free."""
        self.worker.stop(give_up=lambda: True)
        self.queues.advance(100)

    def ask(self, request: Request) -> None:
        message = encode_request(request)
        named = {name: {"DataType": "String", "StringValue": value} for name, value in message.attributes.items()}
        url = self.queues.get_queue_url(QueueName=REQUESTS)["QueueUrl"]
        entry = {"Id": "0", "MessageBody": message.body, "MessageAttributes": named}
        self.queues.send_message_batch(QueueUrl=url, Entries=[entry])

    def post(self, *bodies: str) -> None:
        self.queues.put(REQUESTS, *bodies)

    def replies(self, queue: str = RESPONSES) -> list[Reply]:
        return [
            decode_reply(
                Message(
                    body=message.body,
                    attributes={name: value["StringValue"] for name, value in message.attributes.items()},
                )
            )
            for message in list(self.queues.queue(queue).messages)
        ]

    def bodies(self, queue: str = RESPONSES) -> list[str]:
        return self.queues.bodies(queue)

    def until_answered(self, *bodies: str) -> None:
        until(lambda: sorted(self.bodies()) == sorted(bodies), f"the answers {bodies}")

    def until_deleted(self) -> None:
        until(lambda: not self.bodies(REQUESTS), "the deletion of all requests")

    def visible(self) -> int:
        now = self.queues.now()
        return sum(message.visible_at <= now for message in self.queues.queue(REQUESTS).messages)


Open = Callable[..., WorkerHarness]


@pytest.fixture(autouse=True)
def _short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("courier.messaging.worker.EMPTY_SECONDS", 0.05)
    monkeypatch.setattr("courier.messaging.worker.BUSY_POLL_SECONDS", 0.05)
    monkeypatch.setattr("courier.messaging.worker.CHECK_SECONDS", 0.005)
    monkeypatch.setattr("courier.messaging.parking.CHECK_SECONDS", 0.005)
    monkeypatch.setattr("courier.aws.scale_in.CHECK_SECONDS", 0.005)
    monkeypatch.setattr("courier.aws.backoff.delays", lambda: repeat(0.001))


@pytest.fixture
def opened() -> Iterator[Open]:
    harnesses: list[WorkerHarness] = []

    def make(handler: Handler, **config: object) -> WorkerHarness:
        harnesses.append(WorkerHarness(handler, **config))
        return harnesses[-1]

    yield make
    for harness in harnesses:
        harness.close()


class Gate:
    """A handler that begins, and ends when the test lets it."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.free = threading.Event()

    def __call__(self, request: Request) -> str:
        self.begun.append(request.body)
        assert self.free.wait(WAIT_LIMIT_SECONDS)
        return f"done {request.body}"


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.free.set()


def echo(request: Request) -> str:
    return f"<{request.body}>"


def test_a_request_is_answered_and_only_then_deleted(opened: Open) -> None:
    harness = opened(echo)
    found: list[list[str]] = []
    harness.queues.hooks["delete_message_batch"] = lambda _: found.append(harness.bodies())
    harness.ask(Request(body="1", request_id="a"))
    harness.start()

    harness.until_deleted()

    assert found == [["<1>"]]
    assert [(reply.request_id, type(reply)) for reply in harness.replies()] == [("a", Response)]


def test_a_worker_runs_once(opened: Open) -> None:
    harness = opened(echo).start()

    with pytest.raises(WrongUsage, match="runs once") as raised:
        harness.worker.start()

    assert raised.value.hint == "Make another."


def test_a_worker_says_when_it_has_found_its_queue(opened: Open) -> None:
    harness = opened(echo)
    listens: list[bool] = []
    harness.worker.when_listening(lambda: listens.append(bool(harness.queues.given("get_queue_url"))))
    assert listens == []

    harness.start()

    until(lambda: listens)
    assert listens == [True]


def test_a_worker_of_several_processes_serves_in_run_alone(opened: Open) -> None:
    with pytest.raises(WrongUsage, match=r"Only run\(\)"):
        opened(echo, processes=2).start()


def test_an_answer_goes_to_the_queue_that_its_request_names(opened: Open) -> None:
    harness = opened(echo)
    harness.queues.create_queue(QueueName="responseQueue-mine")
    harness.ask(Request(body="1", reply_to="responseQueue-mine"))
    harness.start()

    harness.until_deleted()

    assert (harness.bodies("responseQueue-mine"), harness.bodies()) == (["<1>"], [])


def test_a_reply_queue_that_is_gone_holds_nobody_up(
    opened: Open, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("courier.messaging.replies.NEW_SECONDS", 0.1)
    harness = opened(echo)
    harness.ask(Request(body="1", reply_to="responseQueue-gone"))
    harness.ask(Request(body="2"))
    harness.start()

    harness.until_deleted()

    assert harness.bodies() == ["<2>"]
    assert "responseQueue-gone" in caplog.text


@pytest.fixture
def long_linger(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time that an answer waits for others which no test has."""
    monkeypatch.setattr("courier.messaging.outbox.LINGER_SECONDS", 10 * WAIT_LIMIT_SECONDS)


@pytest.mark.usefixtures("long_linger")
def test_answers_to_what_came_together_leave_together(opened: Open) -> None:
    harness = opened(echo)
    harness.post(*"0123456789")
    harness.start()

    harness.until_deleted()

    assert [len(given["Entries"]) for given in harness.queues.given("send_message_batch")] == [10]


@pytest.mark.usefixtures("long_linger")
def test_no_answer_waits_for_what_was_given_back(opened: Open, gate: Gate) -> None:
    harness = opened(gate).start()
    harness.post("1", "2", "3")
    until(lambda: gate.begun and harness.visible() == 0)
    stopping = threading.Thread(target=harness.worker.stop)

    stopping.start()
    until(lambda: harness.visible() == 2, "the release of what was not begun")
    gate.free.set()

    harness.until_answered("done 1")
    stopping.join(WAIT_LIMIT_SECONDS)


def test_what_comes_when_the_worker_is_about_to_stop_is_given_back(opened: Open, gate: Gate) -> None:
    harness = opened(gate).start()
    until(lambda: harness.queues.given("receive_message"))

    harness.aws.stopping.set()
    harness.post("1", "2")

    until(lambda: len(harness.queues.given("change_message_visibility_batch")) == 2, "two releases")
    until(lambda: harness.visible() == 2)
    assert gate.begun == []


def test_a_rejected_request_is_answered_with_the_reason(opened: Open) -> None:
    def reject(_: Request) -> str:
        raise Rejected("No such image.", reason=Reason.CORRUPT)

    harness = opened(reject).start()
    harness.post("1")

    harness.until_deleted()

    (reply,) = harness.replies()
    assert isinstance(reply, Rejection)
    assert (reply.reason, reply.code) == ("No such image.", "corrupt")


def test_a_bug_in_a_handler_is_rejected_and_logged_and_the_next_request_goes_on(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(request: Request) -> str:
        return str(1 // int(request.body))

    harness = opened(fail).start()
    harness.post("0", "1")

    harness.until_deleted()

    assert [type(reply) for reply in harness.replies()] == [Rejection, Response]
    assert "ZeroDivisionError" in caplog.text


def test_work_is_done_side_by_side_as_often_as_the_terms_say_and_no_more(opened: Open, gate: Gate) -> None:
    harness = opened(gate, concurrency=3).start()
    harness.post(*"12345")

    until(lambda: len(gate.begun) == 3)
    until(lambda: harness.visible() == 0, "the receipt of all")
    assert len(gate.begun) == 3
    gate.free.set()

    harness.until_answered(*(f"done {number}" for number in "12345"))


def test_what_is_held_is_kept_from_others_by_a_heartbeat(
    opened: Open, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("courier.messaging.in_flight.FIRST_VISIBILITY_SECONDS", 0.06)
    harness = opened(gate).start()
    harness.post("1")

    until(lambda: harness.queues.given("change_message_visibility_batch"), "a heartbeat")

    (entry,) = harness.queues.given("change_message_visibility_batch")[0]["Entries"]
    assert entry["VisibilityTimeout"] == 30
    assert harness.queues.given("receive_message")[0]["VisibilityTimeout"] == 0.06


def test_an_idle_worker_polls_as_long_as_it_may_and_a_busy_one_shortly(opened: Open, gate: Gate) -> None:
    harness = opened(gate).start()
    until(lambda: harness.queues.given("receive_message"))
    harness.post("1")

    until(lambda: len(harness.queues.given("receive_message")) > 1)

    first, second, *_ = harness.queues.given("receive_message")
    assert (first["WaitTimeSeconds"], second["WaitTimeSeconds"]) == (9, 0.05)


class Turns(PollTurns):
    """Another process polls for all, a number of times; notes whether this one was idle."""

    def __init__(self, others: int) -> None:
        super().__init__()
        self.were_idle: list[bool] = []
        self._others = others

    @contextmanager
    def turn(self, stopping: threading.Event, longest_seconds: float, *, is_idle: bool) -> Iterator[bool]:
        self.were_idle.append(is_idle)
        with super().turn(stopping, longest_seconds, is_idle=is_idle):
            yield len(self.were_idle) > self._others


def test_an_idle_worker_polls_in_its_turn_alone_and_reports_the_others_turns(opened: Open, gate: Gate) -> None:
    harness, polled = opened(gate), list[int]()
    harness.worker._turns = turns = Turns(3)
    harness.worker._hooks = Hooks(on_polled=polled.append)
    harness.post("1")
    harness.start()

    until(lambda: gate.begun and len(turns.were_idle) > 4)

    assert polled[:4] == [0, 0, 0, 1]
    assert turns.were_idle[:5] == [True, True, True, True, False]


def test_no_poll_is_longer_than_the_terms_say(opened: Open, gate: Gate) -> None:
    harness = opened(gate, poll_seconds=0).start()
    harness.post("1")

    until(lambda: len(harness.queues.given("receive_message")) > 3)

    assert {given["WaitTimeSeconds"] for given in harness.queues.given("receive_message")} == {0}


def test_a_long_queue_is_received_by_several_and_a_quiet_one_by_one(opened: Open) -> None:
    harness = opened(echo, capacity=100, concurrency=2)
    harness.post(*(f"{number}" for number in range(95)))
    receiving: set[str] = set()
    waiting: set[str] = set()

    def together(given: Mapping[str, int]) -> None:
        name = threading.current_thread().name
        receiving.add(name)
        if given["WaitTimeSeconds"]:
            waiting.add(name)
        if len(harness.queues.given("receive_message")) > 1:
            until(lambda: len(receiving) >= RECEIVERS, "all receivers")

    harness.queues.hooks["receive_message"] = together
    harness.start()

    harness.until_deleted()
    until(lambda: 9 in {given["WaitTimeSeconds"] for given in harness.queues.given("receive_message")}, "a long poll")

    for number in range(20):
        harness.post(f"late {number}")
        harness.until_deleted()
    helped = sum(given["WaitTimeSeconds"] == 0 for given in harness.queues.given("receive_message"))
    assert helped < 3 * RECEIVERS + 10
    assert len(harness.bodies()) == 95 + 20
    assert (len(receiving), len(waiting)) == (RECEIVERS, 1)


def test_no_more_is_received_than_the_worker_may_hold(opened: Open, gate: Gate) -> None:
    harness = opened(gate, capacity=3).start()
    harness.post(*(f"{number}" for number in range(9)))

    until(lambda: harness.visible() == 6)
    until(lambda: gate.begun)
    assert harness.visible() == 6
    gate.free.set()

    harness.until_deleted()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (no_network(), "cannot be reached"),
        (client_error("RequestThrottled"), "Throttled"),
        (client_error("AccessDenied"), "Denied"),
    ],
)
def test_a_receive_that_fails_is_retried_and_reported(
    opened: Open, error: Exception, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    harness = opened(echo)
    harness.queues.fail("receive_message", *[error] * 3)
    harness.post("1")
    with caplog.at_level(logging.WARNING):
        harness.start()
        harness.until_deleted()
        until(lambda: "AWS responds again" in caplog.text)

    assert caplog.text.count(said) == 1
    assert harness.bodies() == ["<1>"]


def test_in_an_outage_only_one_receiver_retries(opened: Open) -> None:
    harness = opened(echo, capacity=100)
    harness.post(*(f"{number}" for number in range(30)))
    left = 30
    tried: list[str] = []

    def fail(_: object) -> None:
        nonlocal left
        if len(harness.queues.given("receive_message")) > 1 and left > 0:
            left -= 1
            tried.append(threading.current_thread().name)
            raise no_network()

    harness.queues.hooks["receive_message"] = fail
    harness.start()

    harness.until_deleted()

    assert max(tried.count(name) for name in tried) >= 30 - 2 * RECEIVERS


def test_an_outage_takes_no_capacity_away(opened: Open) -> None:
    harness = opened(echo, capacity=2)
    harness.queues.fail("receive_message", *[no_network()] * 5)
    harness.post("1")
    harness.start()

    harness.until_deleted()


def test_an_answer_is_sent_until_aws_takes_it(opened: Open) -> None:
    harness = opened(echo)
    harness.post("1")
    harness.queues.fail("send_message_batch", no_network(), no_network())
    harness.start()

    harness.until_deleted()

    assert harness.bodies() == ["<1>"]


def test_a_transient_error_while_working_is_retried(opened: Open) -> None:
    tries: list[str] = []

    def full(request: Request) -> str:
        tries.append(request.body)
        if len(tries) < 3:
            raise NoRoom
        return "done"

    harness = opened(full).start()
    harness.post("1")

    harness.until_deleted()

    assert tries == ["1"] * 3
    assert harness.bodies() == ["done"]


def test_a_worker_that_stops_releases_requests_that_wait_for_a_retry(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    tries = threading.Semaphore(0)

    def full(_: Request) -> str:
        tries.release()
        raise NoRoom

    harness = opened(full).start()
    harness.post("1")
    assert tries.acquire(timeout=WAIT_LIMIT_SECONDS)

    assert harness.worker.stop()

    assert harness.visible() == 1
    assert harness.bodies() == []
    assert "is released" in caplog.text
    assert "Traceback" not in caplog.text


class Down(ServiceError):
    """The dictionary is down."""

    is_transient = True


def failing_for(*bodies: str) -> Handler:
    def work(request: Request) -> str:
        if request.body in bodies:
            raise Down
        return echo(request)

    return work


def test_requests_whose_handler_has_a_transient_error_stop_no_other_request(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    down = [f"down {number}" for number in range(8)]
    harness = opened(failing_for(*down), concurrency=2, capacity=2).start()
    harness.post(*down, "up")

    harness.until_answered("<up>")

    assert sorted(harness.bodies(REQUESTS)) == down
    until(lambda: caplog.text.count("is retried: The dictionary is down.") >= len(down))
    assert caplog.text.count("is retried: The dictionary is down.") == len(down)
    assert "Waiting and retrying" not in caplog.text
    assert {message.receive_count for message in harness.queues.queue(REQUESTS).messages} == {1}


def test_a_handlers_transient_error_is_retried_after_pauses_that_grow(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[int] = []

    def delay(attempt: int, *, cap_seconds: float) -> float:
        pauses.append(attempt)
        return 0.001 * cap_seconds

    monkeypatch.setattr("courier.aws.backoff.delay", delay)
    errors = [Down() for _ in range(3)]

    def recovering(request: Request) -> str:
        if errors:
            raise errors.pop()
        return echo(request)

    harness = opened(recovering).start()
    harness.post("1")

    harness.until_answered("<1>")

    assert pauses == [1, 2, 3]


def test_a_request_that_fails_until_its_deadline_is_rejected_with_the_reason_and_kept(opened: Open) -> None:
    harness = opened(failing_for("1")).start()
    harness.ask(Request(body="1", request_id="a", deadline=time.time() + 1.2))

    harness.until_deleted()

    (rejection,) = harness.replies()
    assert isinstance(rejection, Rejection)
    assert (rejection.request_id, rejection.code) == ("a", Reason.DEAD)
    assert "The dictionary is down." in rejection.reason
    assert harness.bodies(DEAD) == ["1"]


def test_a_request_without_a_deadline_is_retried_for_some_minutes(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("courier.messaging.processor.DEFAULT_LIFETIME_SECONDS", 0.0)
    harness = opened(failing_for("1")).start()
    harness.post("1")

    harness.until_deleted()

    assert harness.bodies(DEAD) == ["1"]
    assert [type(reply) for reply in harness.replies()] == [Rejection]


def test_a_dead_letter_queue_that_cannot_be_reached_loses_no_request_that_failed_to_the_last(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("courier.messaging.processor.DEFAULT_LIFETIME_SECONDS", 0.0)
    harness = opened(failing_for("1"))
    harness.queues.fail("send_message_batch", *(no_network() for _ in range(3)))
    harness.start().post("1")

    harness.until_deleted()

    assert harness.bodies(DEAD) == ["1"]


def test_a_worker_that_stops_releases_its_parked_requests_at_once(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("courier.aws.backoff.delay", lambda _attempt, **_: 1000.0)
    harness = opened(failing_for("1")).start()
    harness.post("1")
    until(lambda: harness.worker.in_flight._count[State.PARKED] == 1)

    assert harness.worker.stop()

    assert harness.visible() == 1


def test_a_worker_stops_although_aws_is_silent(
    opened: Open, gate: Gate, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("courier.messaging.stopping.STOPPING_SECONDS", 0.01)
    harness = opened(gate, grace_seconds=0, scaling_group="group", instance_id="i-1").start()
    harness.post("1", "2")
    until(lambda: gate.begun and harness.visible() == 0)
    until(lambda: harness.aws.machines.protected)
    free = threading.Event()
    harness.queues.hooks["change_message_visibility_batch"] = lambda _: free.wait(WAIT_LIMIT_SECONDS)
    harness.aws.machines.hooks["set_instance_protection"] = lambda _: free.wait(WAIT_LIMIT_SECONDS)

    assert not harness.worker.stop()

    assert caplog.text.count("stopping without it") == 3
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "stopping")
    free.set()


def test_what_is_given_back_is_visible_when_the_stop_returns(
    opened: Open, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("courier.messaging.stopping.STOPPING_SECONDS", WAIT_LIMIT_SECONDS)
    harness = opened(gate).start()
    harness.post("1", "2", "3")
    until(lambda: gate.begun and harness.visible() == 0)
    slowly = threading.Event()
    harness.queues.hooks["change_message_visibility_batch"] = lambda _: slowly.wait(0.05)

    assert not harness.worker.stop(give_up=lambda: True)

    assert harness.visible() == 3


def test_a_worker_that_stops_finishes_what_it_began_and_gives_back_the_rest(
    opened: Open, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    harness = opened(gate).start()
    harness.post("1", "2", "3")
    until(lambda: gate.begun == ["1"] and harness.visible() == 0)
    stopping = threading.Thread(target=harness.worker.stop)

    stopping.start()
    until(lambda: harness.visible() == 2, "the release of what was not begun")
    gate.free.set()
    stopping.join(WAIT_LIMIT_SECONDS)

    assert harness.bodies() == ["done 1"]
    assert sorted(harness.bodies(REQUESTS)) == ["2", "3"]
    assert gate.begun == ["1"]
    assert "released" not in caplog.text


def test_a_worker_that_stops_waits_for_what_it_began(opened: Open, gate: Gate) -> None:
    harness = opened(gate).start()
    harness.post("1")
    until(lambda: gate.begun)
    looks = 0

    def give_up() -> bool:
        nonlocal looks
        looks += 1
        if looks == 3:
            gate.free.set()
        return False

    assert harness.worker.stop(give_up)

    assert looks >= 3
    assert harness.bodies() == ["done 1"]


def test_nobody_need_say_for_how_long_it_waits(opened: Open, gate: Gate) -> None:
    harness = opened(gate).start()
    harness.post("1")
    until(lambda: gate.begun)
    threading.Timer(0.25, gate.free.set).start()  # some of its looks later

    assert harness.worker.stop()


def test_what_is_not_finished_within_the_grace_period_is_released_and_reported(
    opened: Open, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    harness = opened(gate, grace_seconds=0).start()
    harness.post("1")
    until(lambda: gate.begun)

    assert not harness.worker.stop()

    assert harness.visible() == 1
    assert "released 1 unfinished" in caplog.text


def test_a_second_stop_cuts_the_grace_period_short(opened: Open, gate: Gate) -> None:
    harness = opened(gate, grace_seconds=3600).start()
    harness.post("1")
    until(lambda: gate.begun)

    assert not harness.worker.stop(give_up=lambda: True)

    assert harness.visible() == 1


def test_work_that_ends_after_its_worker_gave_up_is_not_answered(opened: Open, gate: Gate) -> None:
    harness = opened(gate, grace_seconds=0).start()
    harness.post("1")
    until(lambda: gate.begun)
    harness.worker.stop()

    gate.free.set()

    until(lambda: not any(thread.name == "replier-0" and thread.is_alive() for thread in threading.enumerate()))
    assert harness.bodies(REQUESTS) == ["1"]


def test_what_a_poll_brings_after_the_end_is_given_back(opened: Open) -> None:
    harness = opened(echo).start()
    until(lambda: harness.queues.given("receive_message"))

    assert harness.worker.stop()
    harness.post("1")

    until(lambda: harness.queues.given("change_message_visibility_batch"), "a release")
    until(lambda: harness.visible() == 1)
    assert harness.queues.queue(REQUESTS).messages[0].receive_count == 1
    assert harness.bodies() == []


def test_what_is_given_back_is_not_caught_by_a_poll_of_its_own(
    opened: Open, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("courier.messaging.worker.BUSY_POLL_SECONDS", WAIT_LIMIT_SECONDS)
    harness = opened(gate, grace_seconds=0)
    done: list[str] = []

    def hold(_: object) -> None:
        if len(harness.queues.given("receive_message")) > 1:
            until(harness.aws.stopping.is_set)
            done.append("poll ended")
            raise no_network()

    harness.queues.hooks["receive_message"] = hold
    harness.queues.hooks["change_message_visibility_batch"] = lambda _: done.append("released")
    harness.start().post("1")
    until(lambda: gate.begun and len(harness.queues.given("receive_message")) > 1)

    harness.worker.stop()

    assert done == ["poll ended", "released"]


@pytest.mark.parametrize(("is_busy", "is_hurried", "waits"), [(True, False, 1), (True, True, 0), (False, False, 0)])
def test_only_who_is_busy_and_not_hurried_waits_for_its_last_poll(
    opened: Open, gate: Gate, monkeypatch: pytest.MonkeyPatch, *, is_busy: bool, is_hurried: bool, waits: int
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(InFlightMessages, "wait_until_nothing_comes", lambda _, seconds: waited.append(seconds))
    harness = opened(gate, grace_seconds=0).start()
    if is_busy:
        harness.post("1")
        until(lambda: gate.begun)

    harness.worker.stop(give_up=lambda: is_hurried)

    assert len(waited) == waits
    assert all(seconds > 0.05 for seconds in waited)  # longer than such a poll


def test_a_release_that_fails_is_reported_and_ends_nothing(
    opened: Open, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    harness = opened(gate, grace_seconds=0).start()
    harness.post("1")
    until(lambda: gate.begun)
    harness.queues.fail("change_message_visibility_batch", no_network())

    assert not harness.worker.stop()

    assert "could not release 1" in caplog.text


def test_a_single_request_that_cannot_be_released_is_reported(
    opened: Open, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    harness = opened(gate, grace_seconds=0).start()
    harness.post("1")
    until(lambda: gate.begun)
    harness.queues.failing = lambda name, _: ("Gone", True) if name.startswith("change") else None

    harness.worker.stop()

    assert "could not be released" in caplog.text
    assert "Gone" in caplog.text


def test_a_worker_that_is_to_drain_its_queue_ends_when_it_is_empty(opened: Open) -> None:
    harness = opened(echo, stop_when_empty=True)
    harness.post(*"123")
    harness.start()

    harness.worker.wait()

    assert harness.worker.stop()
    assert sorted(harness.bodies()) == ["<1>", "<2>", "<3>"]
    assert harness.bodies(REQUESTS) == []


def test_a_worker_that_drains_does_not_end_while_it_works(opened: Open, gate: Gate) -> None:
    harness = opened(gate, stop_when_empty=True)
    harness.post("1")
    harness.start()
    until(lambda: gate.begun)

    until(lambda: len(harness.queues.given("receive_message")) > 3, "some empty polls")
    assert not harness.aws.stopping.is_set()
    gate.free.set()

    harness.worker.wait()
    assert harness.bodies() == ["done 1"]


def test_a_draining_worker_polls_shortly_and_does_not_take_an_error_for_an_empty_queue(opened: Open) -> None:
    harness = opened(echo, stop_when_empty=True)
    harness.queues.fail("receive_message", *[no_network()] * 3)
    harness.post("1")
    harness.start()

    harness.worker.wait()

    assert harness.bodies(REQUESTS) == []
    assert {given["WaitTimeSeconds"] for given in harness.queues.given("receive_message")} <= {0, 0.05}


def test_a_worker_that_is_not_to_drain_stays(opened: Open) -> None:
    harness = opened(echo, poll_seconds=0).start()

    until(lambda: len(harness.queues.given("receive_message")) > 5, "some empty polls")

    assert not harness.aws.stopping.is_set()


def test_work_over_its_time_limit_is_rejected_and_another_thread_goes_on(
    opened: Open, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    free, ended = threading.Event(), threading.Event()

    def hang(request: Request) -> str:
        if request.body != "hang":
            return gate(request)
        assert free.wait(WAIT_LIMIT_SECONDS)
        ended.set()
        return "done"

    harness = opened(hang, time_limit_seconds=0.05).start()
    harness.post("hang")
    harness.until_deleted()

    (rejected,) = harness.replies()
    assert isinstance(rejected, Rejection)
    assert rejected.code == "timeout"
    assert "took too long" in caplog.text
    free.set()
    assert ended.wait(WAIT_LIMIT_SECONDS)
    gate.free.set()
    harness.post("1")
    harness.until_deleted()
    assert harness.bodies()[1:] == ["done 1"]  # what hung is not answered twice


def test_work_with_a_time_limit_of_its_own_has_that_alone(opened: Open) -> None:
    late = threading.Event()

    def in_sandbox(request: Request) -> str:
        with paused():
            assert late.wait(WAIT_LIMIT_SECONDS)
        return request.body

    office = opened(in_sandbox, time_limit_seconds=0.05).start()
    office.post("1")
    until(lambda: office.worker.in_flight.unfinished == 1, "the work")
    time.sleep(0.1)
    assert office.worker.in_flight.take_late(0.05) == []
    late.set()
    office.until_deleted()

    assert office.bodies() == ["1"]


def test_a_thread_whose_work_was_given_up_takes_no_more(opened: Open) -> None:
    free = threading.Event()
    threads: list[str] = []

    def hang(request: Request) -> str:
        threads.append(threading.current_thread().name)
        if request.body == "hang":
            assert free.wait(WAIT_LIMIT_SECONDS)
        return request.body

    harness = opened(hang, time_limit_seconds=0.05).start()
    harness.post("hang")
    harness.until_deleted()
    free.set()
    harness.post(*(f"{number}" for number in range(50)))
    harness.until_deleted()

    assert set(threads[1:]).isdisjoint(threads[:1])


@pytest.mark.parametrize(
    ("max_deliveries", "visibility_seconds", "poll_seconds"), [(5, 10, 9), (3, 10, 3), (5, 1, 3), (9, 10, 20)]
)
def test_the_polls_of_any_number_of_stopped_workers_leave_a_request_an_attempt(
    opened: Open, max_deliveries: int, visibility_seconds: int, poll_seconds: int
) -> None:
    harness = opened(echo, max_deliveries=max_deliveries, visibility_seconds=visibility_seconds).start()
    until(lambda: harness.queues.given("receive_message"))

    (poll, *_) = harness.queues.given("receive_message")

    assert poll["WaitTimeSeconds"] == poll_seconds
    lost_deliveries = math.ceil(poll["WaitTimeSeconds"] / poll["VisibilityTimeout"])
    assert lost_deliveries + 1 < max_deliveries


def test_a_request_received_too_often_goes_to_the_dead_letter_queue_untried(opened: Open, gate: Gate) -> None:
    harness = opened(gate, max_deliveries=2)
    harness.post("1")
    harness.queues.queue(REQUESTS).messages[0].receive_count = 1
    harness.start()

    harness.until_deleted()

    assert gate.begun == []
    assert harness.bodies(DEAD) == ["1"]
    assert [type(reply) for reply in harness.replies()] == [Rejection]


def test_a_request_whose_client_has_gone_is_deleted_untried(opened: Open, gate: Gate) -> None:
    harness = opened(gate)
    harness.ask(Request(body="1", deadline=time.time() - 60))
    harness.start()

    harness.until_deleted()

    assert (gate.begun, harness.bodies()) == ([], [])


def test_a_fault_of_its_own_is_logged_and_the_thread_begins_again(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    harness = opened(echo)
    faults = [ZeroDivisionError("ours")]
    moments: list[float] = []

    def fail(_: object) -> None:
        moments.append(time.monotonic())
        if faults:
            raise faults.pop()

    harness.queues.hooks["receive_message"] = fail
    harness.start().post("1")

    harness.until_deleted()

    assert "ZeroDivisionError: ours" in caplog.text
    assert "AttributeError" not in caplog.text
    assert moments[1] - moments[0] > 0.9  # a fault that stays must not fill the log


def test_its_machine_is_protected_while_it_works(opened: Open, gate: Gate) -> None:
    harness = opened(gate, scaling_group=f"group-{time.monotonic_ns()}", instance_id="i-1").start()
    harness.post("1")

    until(lambda: harness.aws.machines.protected == {"i-1": True})
    gate.free.set()
    harness.until_deleted()
    harness.worker.stop()

    assert harness.aws.machines.protected == {"i-1": False}


@pytest.mark.parametrize("config", [{"scaling_group": "group"}, {"instance_id": "i-1"}, {}])
def test_a_machine_of_no_group_needs_no_protection(opened: Open, config: dict[str, str]) -> None:
    harness = opened(echo, **config).start()
    harness.post("1")
    harness.until_deleted()

    harness.worker.stop()

    assert harness.aws.machines.operations == []


def test_two_expensive_requests_leave_others_for_other_workers(opened: Open, gate: Gate) -> None:
    harness = opened(gate, capacity=4, is_expensive=lambda message: message.body == "expensive").start()
    harness.post("expensive")
    until(lambda: gate.begun)
    harness.post("expensive", "1", "2")
    until(lambda: harness.visible() == 2)

    assert len(harness.bodies(REQUESTS)) == 4
    gate.free.set()
    harness.until_deleted()


def test_its_threads_end_with_it(opened: Open) -> None:
    before = set(threading.enumerate())
    harness = opened(echo).start()
    assert all(thread.daemon for thread in set(threading.enumerate()) - before)

    harness.close()

    def left() -> set[str]:
        return {thread.name for thread in set(threading.enumerate()) - before if not thread.name.startswith("handler")}

    until(lambda: not left(), "the end of all threads but idle handlers")
