"""The worker's loop with all its threads, on queues in memory; with real queues it is in tests/acceptance."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import repeat

import pytest

from courier.aws.message import Message
from courier.errors import NoRoom, Reason, Rejected
from courier.messaging.application import Application
from courier.messaging.config import WorkerConfig
from courier.messaging.in_flight import InFlightMessages
from courier.messaging.processor import Handler
from courier.messaging.protocol import Rejection, Reply, Request, Response, decode_reply, encode_request
from courier.messaging.worker import RECEIVERS, Worker
from tests.support.fakes import PATIENCE_SECONDS, FakeAws, client_error, no_network, until

REQUESTS, RESPONSES, DEAD = "requestQueue", "responseQueue", "requestQueue-dead"
NUMBERS = Application("numbers", requests=REQUESTS, replies=RESPONSES)


class Office:
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

    def start(self) -> Office:
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


Open = Callable[..., Office]


@pytest.fixture(autouse=True)
def _short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("courier.messaging.worker.EMPTY_SECONDS", 0.05)
    monkeypatch.setattr("courier.messaging.worker.BUSY_POLL_SECONDS", 0.05)
    monkeypatch.setattr("courier.messaging.worker.CHECK_SECONDS", 0.005)
    monkeypatch.setattr("courier.aws.scale_in.CHECK_SECONDS", 0.005)
    monkeypatch.setattr("courier.aws.backoff.delays", lambda: repeat(0.001))


@pytest.fixture
def opened() -> Iterator[Open]:
    offices: list[Office] = []

    def make(handler: Handler, **config: object) -> Office:
        offices.append(Office(handler, **config))
        return offices[-1]

    yield make
    for office in offices:
        office.close()


class Gate:
    """A handler that begins, and ends when it is told to."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.free = threading.Event()

    def __call__(self, request: Request) -> str:
        self.begun.append(request.body)
        assert self.free.wait(PATIENCE_SECONDS)
        return f"done {request.body}"


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.free.set()


def echo(request: Request) -> str:
    return f"<{request.body}>"


def test_a_request_is_answered_and_only_then_deleted(opened: Open) -> None:
    office = opened(echo)
    found: list[list[str]] = []
    office.queues.hooks["delete_message_batch"] = lambda _: found.append(office.bodies())
    office.ask(Request(body="1", request_id="a"))
    office.start()

    office.until_deleted()

    assert found == [["<1>"]]
    assert [(reply.request_id, type(reply)) for reply in office.replies()] == [("a", Response)]


def test_an_answer_goes_to_the_queue_that_its_request_names(opened: Open) -> None:
    office = opened(echo)
    office.queues.create_queue(QueueName="responseQueue-mine")
    office.ask(Request(body="1", reply_to="responseQueue-mine"))
    office.start()

    office.until_deleted()

    assert (office.bodies("responseQueue-mine"), office.bodies()) == (["<1>"], [])


def test_a_reply_queue_that_is_gone_holds_nobody_up(opened: Open, caplog: pytest.LogCaptureFixture) -> None:
    office = opened(echo)
    office.ask(Request(body="1", reply_to="responseQueue-gone"))
    office.ask(Request(body="2"))
    office.start()

    office.until_deleted()

    assert office.bodies() == ["<2>"]
    assert "responseQueue-gone" in caplog.text


@pytest.fixture
def long_linger(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time that an answer waits for others which no test has."""
    monkeypatch.setattr("courier.messaging.outbox.LINGER_SECONDS", 10 * PATIENCE_SECONDS)


@pytest.mark.usefixtures("long_linger")
def test_answers_to_what_came_together_leave_together(opened: Open) -> None:
    office = opened(echo)
    office.post(*"0123456789")
    office.start()

    office.until_deleted()

    assert [len(given["Entries"]) for given in office.queues.given("send_message_batch")] == [10]


@pytest.mark.usefixtures("long_linger")
def test_no_answer_waits_for_what_was_given_back(opened: Open, gate: Gate) -> None:
    office = opened(gate).start()
    office.post("1", "2", "3")
    until(lambda: gate.begun and office.visible() == 0)
    stopping = threading.Thread(target=office.worker.stop)

    stopping.start()
    until(lambda: office.visible() == 2, "the release of what was not begun")
    gate.free.set()

    office.until_answered("done 1")
    stopping.join(PATIENCE_SECONDS)


def test_what_comes_when_the_worker_is_about_to_stop_is_given_back(opened: Open, gate: Gate) -> None:
    office = opened(gate).start()
    until(lambda: office.queues.given("receive_message"))

    office.aws.stopping.set()
    office.post("1", "2")

    until(lambda: len(office.queues.given("change_message_visibility_batch")) == 2, "two releases")
    until(lambda: office.visible() == 2)
    assert gate.begun == []


def test_a_refused_request_is_answered_with_the_reason(opened: Open) -> None:
    def refuse(_: Request) -> str:
        raise Rejected("No such picture.", reason=Reason.CORRUPT)

    office = opened(refuse).start()
    office.post("1")

    office.until_deleted()

    (reply,) = office.replies()
    assert isinstance(reply, Rejection)
    assert (reply.reason, reply.code) == ("No such picture.", "corrupt")


def test_a_bug_in_a_handler_is_refused_and_logged_and_the_next_request_goes_on(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(request: Request) -> str:
        return str(1 // int(request.body))

    office = opened(fail).start()
    office.post("0", "1")

    office.until_deleted()

    assert [type(reply) for reply in office.replies()] == [Rejection, Response]
    assert "ZeroDivisionError" in caplog.text


def test_work_is_done_side_by_side_as_often_as_the_terms_say_and_no_more(opened: Open, gate: Gate) -> None:
    office = opened(gate, concurrency=3).start()
    office.post(*"12345")

    until(lambda: len(gate.begun) == 3)
    until(lambda: office.visible() == 0, "the receipt of all")
    assert len(gate.begun) == 3
    gate.free.set()

    office.until_answered(*(f"done {number}" for number in "12345"))


def test_what_is_held_is_kept_from_others_by_a_heartbeat(
    opened: Open, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("courier.messaging.in_flight.FIRST_VISIBILITY_SECONDS", 0.06)
    office = opened(gate).start()
    office.post("1")

    until(lambda: office.queues.given("change_message_visibility_batch"), "a heartbeat")

    (entry,) = office.queues.given("change_message_visibility_batch")[0]["Entries"]
    assert entry["VisibilityTimeout"] == 30
    assert office.queues.given("receive_message")[0]["VisibilityTimeout"] == 0.06


def test_an_idle_worker_polls_as_long_as_it_may_and_a_busy_one_shortly(opened: Open, gate: Gate) -> None:
    office = opened(gate).start()
    until(lambda: office.queues.given("receive_message"))
    office.post("1")

    until(lambda: len(office.queues.given("receive_message")) > 1)

    first, second, *_ = office.queues.given("receive_message")
    assert (first["WaitTimeSeconds"], second["WaitTimeSeconds"]) == (20, 0.05)


def test_no_poll_is_longer_than_the_terms_say(opened: Open, gate: Gate) -> None:
    office = opened(gate, poll_seconds=0).start()
    office.post("1")

    until(lambda: len(office.queues.given("receive_message")) > 3)

    assert {given["WaitTimeSeconds"] for given in office.queues.given("receive_message")} == {0}


def test_a_long_queue_is_received_by_several_and_a_quiet_one_by_one(opened: Open) -> None:
    office = opened(echo, capacity=100, concurrency=2)
    office.post(*(f"{number}" for number in range(95)))
    receiving: set[str] = set()
    waiting: set[str] = set()

    def together(given: Mapping[str, int]) -> None:
        name = threading.current_thread().name
        receiving.add(name)
        if given["WaitTimeSeconds"]:
            waiting.add(name)
        if len(office.queues.given("receive_message")) > 1:
            until(lambda: len(receiving) >= RECEIVERS, "all receivers")

    office.queues.hooks["receive_message"] = together
    office.start()

    office.until_deleted()
    until(lambda: office.queues.given("receive_message")[-1]["WaitTimeSeconds"] == 20, "a long poll")

    for number in range(20):
        office.post(f"late {number}")
        office.until_deleted()
    helped = sum(given["WaitTimeSeconds"] == 0 for given in office.queues.given("receive_message"))
    assert helped < 3 * RECEIVERS + 10
    assert len(office.bodies()) == 95 + 20
    assert (len(receiving), len(waiting)) == (RECEIVERS, 1)


def test_no_more_is_received_than_the_worker_may_hold(opened: Open, gate: Gate) -> None:
    office = opened(gate, capacity=3).start()
    office.post(*(f"{number}" for number in range(9)))

    until(lambda: office.visible() == 6)
    until(lambda: gate.begun)
    assert office.visible() == 6
    gate.free.set()

    office.until_deleted()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (no_network(), "cannot be reached"),
        (client_error("RequestThrottled"), "Throttled"),
        (client_error("AccessDenied"), "Denied"),
    ],
)
def test_a_receive_that_fails_is_made_again_and_told(
    opened: Open, error: Exception, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    office = opened(echo)
    office.queues.fail("receive_message", *[error] * 3)
    office.post("1")
    with caplog.at_level(logging.WARNING):
        office.start()
        office.until_deleted()
        until(lambda: "AWS responds again" in caplog.text)

    assert caplog.text.count(said) == 1
    assert office.bodies() == ["<1>"]


def test_in_trouble_only_one_receiver_tries_again(opened: Open) -> None:
    office = opened(echo, capacity=100)
    office.post(*(f"{number}" for number in range(30)))
    left = 30
    tried: list[str] = []

    def fail(_: object) -> None:
        nonlocal left
        if len(office.queues.given("receive_message")) > 1 and left > 0:
            left -= 1
            tried.append(threading.current_thread().name)
            raise no_network()

    office.queues.hooks["receive_message"] = fail
    office.start()

    office.until_deleted()

    assert max(tried.count(name) for name in tried) >= 30 - 2 * RECEIVERS


def test_trouble_takes_no_room_away(opened: Open) -> None:
    office = opened(echo, capacity=2)
    office.queues.fail("receive_message", *[no_network()] * 5)
    office.post("1")
    office.start()

    office.until_deleted()


def test_an_answer_is_sent_until_aws_takes_it(opened: Open) -> None:
    office = opened(echo)
    office.post("1")
    office.queues.fail("send_message_batch", no_network(), no_network())
    office.start()

    office.until_deleted()

    assert office.bodies() == ["<1>"]


def test_trouble_that_passes_while_working_is_waited_out(opened: Open) -> None:
    tries: list[str] = []

    def full(request: Request) -> str:
        tries.append(request.body)
        if len(tries) < 3:
            raise NoRoom
        return "done"

    office = opened(full).start()
    office.post("1")

    office.until_deleted()

    assert tries == ["1"] * 3
    assert office.bodies() == ["done"]


def test_a_worker_that_stops_gives_back_what_waits_for_trouble_to_pass(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    tries = threading.Semaphore(0)

    def full(_: Request) -> str:
        tries.release()
        raise NoRoom

    office = opened(full).start()
    office.post("1")
    assert tries.acquire(timeout=PATIENCE_SECONDS)

    assert office.worker.stop()

    assert office.visible() == 1
    assert office.bodies() == []
    assert "is released" in caplog.text
    assert "Traceback" not in caplog.text


def test_a_worker_stops_although_aws_is_silent(
    opened: Open, gate: Gate, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("courier.messaging.worker.STOPPING_SECONDS", 0.01)
    office = opened(gate, grace_seconds=0, scaling_group="group", instance_id="i-1").start()
    office.post("1", "2")
    until(lambda: gate.begun and office.visible() == 0)
    until(lambda: office.aws.machines.protected)
    free = threading.Event()
    office.queues.hooks["change_message_visibility_batch"] = lambda _: free.wait(PATIENCE_SECONDS)
    office.aws.machines.hooks["set_instance_protection"] = lambda _: free.wait(PATIENCE_SECONDS)

    assert not office.worker.stop()

    assert caplog.text.count("stopping without it") == 3
    free.set()


def test_a_worker_that_stops_finishes_what_it_began_and_gives_back_the_rest(
    opened: Open, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    office = opened(gate).start()
    office.post("1", "2", "3")
    until(lambda: gate.begun == ["1"] and office.visible() == 0)
    stopping = threading.Thread(target=office.worker.stop)

    stopping.start()
    until(lambda: office.visible() == 2, "the release of what was not begun")
    gate.free.set()
    stopping.join(PATIENCE_SECONDS)

    assert office.bodies() == ["done 1"]
    assert sorted(office.bodies(REQUESTS)) == ["2", "3"]
    assert gate.begun == ["1"]
    assert "released" not in caplog.text


def test_a_worker_that_stops_waits_for_what_it_began(opened: Open, gate: Gate) -> None:
    office = opened(gate).start()
    office.post("1")
    until(lambda: gate.begun)
    looks = 0

    def give_up() -> bool:
        nonlocal looks
        looks += 1
        if looks == 3:
            gate.free.set()
        return False

    assert office.worker.stop(give_up)

    assert looks >= 3
    assert office.bodies() == ["done 1"]


def test_nobody_need_say_for_how_long_it_waits(opened: Open, gate: Gate) -> None:
    office = opened(gate).start()
    office.post("1")
    until(lambda: gate.begun)
    threading.Timer(0.25, gate.free.set).start()  # some of its looks later

    assert office.worker.stop()


def test_what_is_not_finished_within_the_grace_period_is_given_back_and_told(
    opened: Open, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    office = opened(gate, grace_seconds=0).start()
    office.post("1")
    until(lambda: gate.begun)

    assert not office.worker.stop()

    assert office.visible() == 1
    assert "released 1 unfinished" in caplog.text


def test_whoever_stops_it_may_cut_the_grace_period_short(opened: Open, gate: Gate) -> None:
    office = opened(gate, grace_seconds=3600).start()
    office.post("1")
    until(lambda: gate.begun)

    assert not office.worker.stop(give_up=lambda: True)

    assert office.visible() == 1


def test_work_that_ends_after_its_worker_gave_up_is_not_answered(opened: Open, gate: Gate) -> None:
    office = opened(gate, grace_seconds=0).start()
    office.post("1")
    until(lambda: gate.begun)
    office.worker.stop()

    gate.free.set()

    until(lambda: not any(thread.name == "replier-0" and thread.is_alive() for thread in threading.enumerate()))
    assert office.bodies(REQUESTS) == ["1"]


def test_what_a_poll_brings_after_the_end_is_given_back(opened: Open) -> None:
    office = opened(echo).start()
    until(lambda: office.queues.given("receive_message"))

    assert office.worker.stop()
    office.post("1")

    until(lambda: office.queues.given("change_message_visibility_batch"), "a release")
    until(lambda: office.visible() == 1)
    assert office.queues.queue(REQUESTS).messages[0].receive_count == 1
    assert office.bodies() == []


def test_what_is_given_back_is_not_caught_by_a_poll_of_its_own(
    opened: Open, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("courier.messaging.worker.BUSY_POLL_SECONDS", PATIENCE_SECONDS)
    office = opened(gate, grace_seconds=0)
    done: list[str] = []

    def hold(_: object) -> None:
        if len(office.queues.given("receive_message")) > 1:
            until(office.aws.stopping.is_set)
            done.append("poll ended")
            raise no_network()

    office.queues.hooks["receive_message"] = hold
    office.queues.hooks["change_message_visibility_batch"] = lambda _: done.append("released")
    office.start().post("1")
    until(lambda: gate.begun and len(office.queues.given("receive_message")) > 1)

    office.worker.stop()

    assert done == ["poll ended", "released"]


@pytest.mark.parametrize(("is_busy", "is_hurried", "waits"), [(True, False, 1), (True, True, 0), (False, False, 0)])
def test_only_who_is_busy_and_not_hurried_waits_for_its_last_poll(
    opened: Open, gate: Gate, monkeypatch: pytest.MonkeyPatch, *, is_busy: bool, is_hurried: bool, waits: int
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(InFlightMessages, "wait_until_nothing_comes", lambda _, seconds: waited.append(seconds))
    office = opened(gate, grace_seconds=0).start()
    if is_busy:
        office.post("1")
        until(lambda: gate.begun)

    office.worker.stop(give_up=lambda: is_hurried)

    assert len(waited) == waits
    assert all(seconds > 0.05 for seconds in waited)  # longer than such a poll


def test_a_release_that_fails_is_told_and_ends_nothing(
    opened: Open, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    office = opened(gate, grace_seconds=0).start()
    office.post("1")
    until(lambda: gate.begun)
    office.queues.fail("change_message_visibility_batch", no_network())

    assert not office.worker.stop()

    assert "could not release 1" in caplog.text


def test_a_single_request_that_cannot_be_released_is_told(
    opened: Open, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    office = opened(gate, grace_seconds=0).start()
    office.post("1")
    until(lambda: gate.begun)
    office.queues.failing = lambda name, _: ("Gone", True) if name.startswith("change") else None

    office.worker.stop()

    assert "could not be released" in caplog.text
    assert "Gone" in caplog.text


def test_a_worker_that_is_to_drain_its_queue_ends_when_it_is_empty(opened: Open) -> None:
    office = opened(echo, stop_when_empty=True)
    office.post(*"123")
    office.start()

    office.worker.wait()

    assert office.worker.stop()
    assert sorted(office.bodies()) == ["<1>", "<2>", "<3>"]
    assert office.bodies(REQUESTS) == []


def test_a_worker_that_drains_does_not_end_while_it_works(opened: Open, gate: Gate) -> None:
    office = opened(gate, stop_when_empty=True)
    office.post("1")
    office.start()
    until(lambda: gate.begun)

    until(lambda: len(office.queues.given("receive_message")) > 3, "some empty polls")
    assert not office.aws.stopping.is_set()
    gate.free.set()

    office.worker.wait()
    assert office.bodies() == ["done 1"]


def test_one_that_drains_listens_shortly_and_takes_trouble_for_no_sign(opened: Open) -> None:
    office = opened(echo, stop_when_empty=True)
    office.queues.fail("receive_message", *[no_network()] * 3)
    office.post("1")
    office.start()

    office.worker.wait()

    assert office.bodies(REQUESTS) == []
    assert {given["WaitTimeSeconds"] for given in office.queues.given("receive_message")} <= {0, 0.05}


def test_a_worker_that_is_not_to_drain_stays(opened: Open) -> None:
    office = opened(echo, poll_seconds=0).start()

    until(lambda: len(office.queues.given("receive_message")) > 5, "some empty polls")

    assert not office.aws.stopping.is_set()


def test_work_over_its_time_limit_is_refused_and_another_thread_goes_on(
    opened: Open, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    free, ended = threading.Event(), threading.Event()

    def hang(request: Request) -> str:
        if request.body != "hang":
            return gate(request)
        assert free.wait(PATIENCE_SECONDS)
        ended.set()
        return "done"

    office = opened(hang, time_limit_seconds=0.05).start()
    office.post("hang")
    office.until_deleted()

    (refused,) = office.replies()
    assert isinstance(refused, Rejection)
    assert refused.code == "timeout"
    assert "took too long" in caplog.text
    free.set()
    assert ended.wait(PATIENCE_SECONDS)
    gate.free.set()
    office.post("1")
    office.until_deleted()
    assert office.bodies()[1:] == ["done 1"]  # what hung is not answered twice


def test_a_thread_whose_work_was_given_up_takes_no_more(opened: Open) -> None:
    free = threading.Event()
    threads: list[str] = []

    def hang(request: Request) -> str:
        threads.append(threading.current_thread().name)
        if request.body == "hang":
            assert free.wait(PATIENCE_SECONDS)
        return request.body

    office = opened(hang, time_limit_seconds=0.05).start()
    office.post("hang")
    office.until_deleted()
    free.set()
    office.post(*(f"{number}" for number in range(50)))
    office.until_deleted()

    assert set(threads[1:]).isdisjoint(threads[:1])


def test_a_request_that_was_received_too_often_is_put_aside_untried(opened: Open, gate: Gate) -> None:
    office = opened(gate, max_deliveries=2)
    office.post("1")
    office.queues.queue(REQUESTS).messages[0].receive_count = 1
    office.start()

    office.until_deleted()

    assert gate.begun == []
    assert office.bodies(DEAD) == ["1"]
    assert [type(reply) for reply in office.replies()] == [Rejection]


def test_a_request_whose_asker_has_gone_is_deleted_untried(opened: Open, gate: Gate) -> None:
    office = opened(gate)
    office.ask(Request(body="1", deadline=time.time() - 60))
    office.start()

    office.until_deleted()

    assert (gate.begun, office.bodies()) == ([], [])


def test_a_fault_of_its_own_is_logged_and_the_thread_begins_again(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    office = opened(echo)
    faults = [ZeroDivisionError("ours")]
    moments: list[float] = []

    def fail(_: object) -> None:
        moments.append(time.monotonic())
        if faults:
            raise faults.pop()

    office.queues.hooks["receive_message"] = fail
    office.start().post("1")

    office.until_deleted()

    assert "ZeroDivisionError: ours" in caplog.text
    assert moments[1] - moments[0] > 0.9  # a fault that stays must not fill the log


def test_its_machine_is_protected_while_it_works(opened: Open, gate: Gate) -> None:
    office = opened(gate, scaling_group=f"group-{time.monotonic_ns()}", instance_id="i-1").start()
    office.post("1")

    until(lambda: office.aws.machines.protected == {"i-1": True})
    gate.free.set()
    office.until_deleted()
    office.worker.stop()

    assert office.aws.machines.protected == {"i-1": False}


@pytest.mark.parametrize("config", [{"scaling_group": "group"}, {"instance_id": "i-1"}, {}])
def test_a_machine_of_no_group_needs_no_protection(opened: Open, config: dict[str, str]) -> None:
    office = opened(echo, **config).start()
    office.post("1")
    office.until_deleted()

    office.worker.stop()

    assert office.aws.machines.operations == []


def test_two_expensive_requests_leave_others_for_other_workers(opened: Open, gate: Gate) -> None:
    office = opened(gate, capacity=4, is_expensive=lambda message: message.body == "expensive").start()
    office.post("expensive")
    until(lambda: gate.begun)
    office.post("expensive", "1", "2")
    until(lambda: office.visible() == 2)

    assert len(office.bodies(REQUESTS)) == 4
    gate.free.set()
    office.until_deleted()


def test_its_threads_end_with_it(opened: Open) -> None:
    before = set(threading.enumerate())
    office = opened(echo).start()
    assert all(thread.daemon for thread in set(threading.enumerate()) - before)

    office.close()

    def left() -> set[str]:
        return {thread.name for thread in set(threading.enumerate()) - before if not thread.name.startswith("handler")}

    until(lambda: not left(), "the end of all threads but idle handlers")
