"""A list that does not fit a message, with bucket, queues and a worker in memory; real ones are in tests/acceptance."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from courier import Application, Requester
from courier.aws.message import Message
from courier.aws.s3 import Bucket, StoredObject
from courier.cancellation import Canceled
from courier.errors import CourierError, NotANumberList, Rejected, ResponseTimeout
from courier.messaging.protocol import Rejection, Reply, Request, Response, decode_request, encode_reply
from courier.numbers.claim_check import StoredListClient, stored
from courier.numbers.options import Extras
from courier.numbers.stored_lists import StoredLists
from courier.progress import Progress
from courier.settings import LISTS
from tests.support.fakes import FakeAws, client_error

DRAWN = Extras(histogram=True)
REQUESTS, REPLIES = "requestQueue", "responseQueue"
NUMBERS = Application("numbers", requests=REQUESTS, replies=REPLIES, program="numbers_worker.py")


class ClaimCheckHarness:
    """An account with a worker that answers whenever the client looks for answers."""

    def __init__(self) -> None:
        self.aws = FakeAws()
        self.aws.queues.waits = False
        for name in (REQUESTS, REPLIES):
            self.aws.queues.create_queue(QueueName=name)
        self.aws.objects.create_bucket(Bucket="bucket")
        self.bucket = Bucket(self.aws, "bucket", LISTS)
        self.lists = StoredLists(self.bucket)
        self.asked: list[Request] = []
        #: What becomes of a request instead of an answer, if anything.
        self.instead: Callable[[Request], Reply | None] = lambda _request: None
        self.aws.queues.hooks["receive_message"] = self._answer_all

    def put(self, content: bytes) -> StoredObject:
        return self.bucket.store("list", io.BytesIO(content), media_type="text/plain")

    def _answer_all(self, _given: Mapping[str, Any]) -> None:
        queue = self.aws.queues.queue(REQUESTS)
        # The last comes first: parts may be done in any order.
        while queue.messages:
            sent = queue.messages.pop()
            attributes = {name: value["StringValue"] for name, value in sent.attributes.items()}
            request = decode_request(Message(body=sent.body, attributes=attributes))
            self.asked.append(request)
            reply = self.instead(request) or self._work(request)
            message = encode_reply(replace(reply, request_id=request.request_id, deadline=request.deadline))
            named = {name.replace("-", "_"): value for name, value in message.attributes.items()}
            self.aws.queues.put(request.reply_to, message.body, **named)

    def _work(self, request: Request) -> Reply:
        try:
            name = request.body.removeprefix(LISTS)
            return Response(body=self.lists.answer(name, request.options, lambda: False))
        except CourierError as error:
            return Rejection(reason=error.sentence)


class Bar:
    """A progress bar."""

    def __init__(self) -> None:
        self.expected: list[int | None] = []
        self.moved = 0

    def advance(self, count: int) -> None:
        self.moved += count

    @property
    def on_progress(self) -> Progress:
        return Progress(expect=self.expected.append, advance=self.advance)


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch) -> ClaimCheckHarness:
    made = ClaimCheckHarness()
    monkeypatch.setattr("courier.aws.session.Aws", lambda *_: made.aws)
    monkeypatch.setattr("courier.messaging.reply_queue.READY_SECONDS", 0.0)
    return made


def client_for_parts(part_bytes: int = 1_000, extras: Extras = Extras()) -> StoredListClient:  # noqa: B008  it cannot change
    return StoredListClient(requester=Requester(NUMBERS, tell=lambda _: None), part_bytes=part_bytes, extras=extras)


LIST = b",".join(b"%d.5" % (number % 97) for number in range(400))


def test_a_short_list_is_one_request_for_what_was_stored(harness: ClaimCheckHarness) -> None:
    found = harness.put(b"5,3,8,1,5")

    answer = client_for_parts().request(found, Bar().on_progress)

    (request,) = harness.asked
    assert (request.body, request.options) == (f"{LISTS}list", {"etag": found.etag})
    assert (answer.statistics["count"], answer.statistics["median"], answer.histogram) == ("5", "5", None)


def test_a_histogram_is_requested_if_it_is_wanted(harness: ClaimCheckHarness) -> None:
    found = harness.put(b"5,3,8,1,5")

    answer = client_for_parts(extras=DRAWN).request(found, Bar().on_progress)

    assert harness.asked[0].options["histogram"] == "yes"
    assert answer.histogram


@pytest.mark.parametrize("extras", [DRAWN, Extras(), Extras(percentiles=("5", "99.9"))])
def test_a_long_list_in_parts_has_the_answer_of_the_whole(harness: ClaimCheckHarness, extras: Extras) -> None:
    found = harness.put(LIST)
    whole = client_for_parts(10**6, extras).request(found, Bar().on_progress)
    harness.asked.clear()
    bar = Bar()

    answer = client_for_parts(300, extras).request(found, bar.on_progress)

    assert answer == whole
    assert [name for name in answer.statistics if name.startswith("p")] == [f"p{one}" for one in extras.percentiles]
    parts = {request.options["part"] for request in harness.asked}
    assert parts == {
        "look",
        *(f"{start}-{min(start + 300, len(LIST))}" for start in range(0, len(LIST), 300)),
    }
    assert all(request.options["etag"] == found.etag for request in harness.asked)
    assert bar.expected[0] == len(LIST)
    assert bar.moved == bar.expected[-1]


def test_many_parts_are_answered_by_a_queue_of_their_own(harness: ClaimCheckHarness) -> None:
    client_for_parts(300).request(harness.put(LIST), Bar().on_progress)

    assert {request.reply_to for request in harness.asked} != {REPLIES}
    assert harness.aws.queues.names() == [REQUESTS, REPLIES]


def test_what_is_no_number_is_said_with_its_place_in_the_whole_list(harness: ClaimCheckHarness) -> None:
    content = LIST + b",x," + LIST
    place = len(LIST) + 2

    with pytest.raises(NotANumberList, match=f"401.*{place:,}.*'x'"):
        client_for_parts(300).request(harness.put(content), Bar().on_progress)


def test_a_worker_that_rejects_is_heard(harness: ClaimCheckHarness) -> None:
    harness.instead = lambda request: Rejection(reason="Too busy.") if request.options.get("part") else None

    with pytest.raises(Rejected, match="Too busy"):
        client_for_parts(300).request(harness.put(LIST), Bar().on_progress)


def test_a_part_that_is_none_is_no_answer(harness: ClaimCheckHarness) -> None:
    harness.instead = lambda request: Response(body="{}") if "-" in request.options.get("part", "") else None

    with pytest.raises(ResponseTimeout):
        client_for_parts(300).request(harness.put(LIST), Bar().on_progress)


# The list in the bucket


def test_a_list_is_in_the_bucket_for_as_long_as_it_is_needed(harness: ClaimCheckHarness) -> None:
    moved: list[int] = []

    with stored(harness.bucket, io.BytesIO(b"1,2"), moved.append, print) as found:
        assert [one.name for one in harness.bucket.names()] == [found.name]

    assert (list(harness.bucket.names()), moved) == ([], [3])


@pytest.mark.parametrize("error", [KeyboardInterrupt, Canceled, NotANumberList])
def test_it_is_taken_out_also_if_something_fails(harness: ClaimCheckHarness, error: type[BaseException]) -> None:
    notices: list[str] = []

    with pytest.raises(error), stored(harness.bucket, io.BytesIO(b"1,2"), lambda _: None, notices.append):
        raise error

    assert (list(harness.bucket.names()), notices) == ([], [])


def test_one_that_cannot_be_taken_out_is_reported(harness: ClaimCheckHarness) -> None:
    notices: list[str] = []
    harness.aws.objects.fail("delete_object", client_error("AccessDenied"))

    with stored(harness.bucket, io.BytesIO(b"1,2"), lambda _: None, notices.append):
        pass

    assert len(notices) == 1
    assert "left in the bucket" in notices[0]


def test_no_two_lists_have_the_same_name(harness: ClaimCheckHarness) -> None:
    with (
        stored(harness.bucket, io.BytesIO(b"1"), lambda _: None, print) as one,
        stored(harness.bucket, io.BytesIO(b"2"), lambda _: None, print) as other,
    ):
        assert one.name != other.name
