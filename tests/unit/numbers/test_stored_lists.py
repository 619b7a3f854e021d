"""What a worker does with a list in the bucket, on one in memory."""

from __future__ import annotations

import io
import threading

import pytest

from courier.aws.s3 import Bucket
from courier.errors import BucketMissing, NotANumberList, ObjectMissing, ObjectReplaced, Rejected
from courier.numbers import partials, response
from courier.numbers.options import Extras
from courier.numbers.parser import ParseError
from courier.numbers.passes import PartialResult
from courier.numbers.plan import Plan
from courier.numbers.stored_lists import PASSES, StoredLists
from tests.support.fakes import WAIT_LIMIT_SECONDS, FakeAws, until

LIST = b"5,3,8,1,5\n"


@pytest.fixture
def bucket() -> Bucket:
    aws = FakeAws()
    aws.objects.create_bucket(Bucket="bucket")
    return Bucket(aws, "bucket", "numbers/unprocessed/")


def put(bucket: Bucket, content: bytes = LIST) -> str:
    """Store a list and return its ETag."""
    return bucket.store("list", io.BytesIO(content), media_type="text/plain").etag


def never() -> bool:
    return False


def answer(bucket: Bucket, **options: str) -> str:
    return StoredLists(bucket).answer("list", options, never)


def test_a_whole_list_is_answered_as_if_it_had_come_in_a_message(bucket: Bucket) -> None:
    put(bucket)

    found = response.decode(answer(bucket))

    assert (found.statistics["count"], found.statistics["sum"], found.statistics["median"]) == ("5", "22", "5")
    assert found.histogram is None


def test_a_histogram_is_drawn_if_it_is_requested(bucket: Bucket) -> None:
    put(bucket)

    found = response.decode(answer(bucket, **Extras(histogram=True).options))

    assert found.histogram
    assert sum(found.histogram.counts) == 5


def test_only_the_list_that_is_meant_is_worked_on(bucket: Bucket) -> None:
    etag = put(bucket)
    assert answer(bucket, etag=etag)
    put(bucket, b"1,2,3")

    with pytest.raises(ObjectReplaced, match="'list'"):
        answer(bucket, etag=etag)


def test_a_list_that_is_not_there_is_said(bucket: Bucket) -> None:
    with pytest.raises(ObjectMissing, match="'list'"):
        answer(bucket)


def test_a_bucket_that_is_not_there_is_said(bucket: Bucket) -> None:
    with pytest.raises(BucketMissing, match="nowhere"):
        answer(Bucket(bucket._aws, "nowhere", "numbers/unprocessed/"))


@pytest.mark.parametrize(("name", "value"), [("mode", "fast"), ("histogram", "no"), ("PartialResult", "look")])
def test_an_option_that_is_not_known_is_rejected_by_name(bucket: Bucket, name: str, value: str) -> None:
    put(bucket)

    with pytest.raises(Rejected, match=f"'{name}={value}'"):
        answer(bucket, **{name: value})


@pytest.mark.parametrize("name", ["", "a/b", "../list", ".list"])
def test_what_names_no_object_is_rejected(bucket: Bucket, name: str) -> None:
    with pytest.raises(Rejected):
        StoredLists(bucket).answer(name, {}, never)


def test_a_look_says_what_to_look_for_and_a_part_what_it_found(bucket: Bucket) -> None:
    etag = put(bucket)
    looked = answer(bucket, etag=etag, part="look")
    look = Plan.decode(looked)

    parts = [
        partials.decode(answer(bucket, etag=etag, part=span, look=looked), look) for span in ("0-5", f"5-{len(LIST)}")
    ]

    assert all(isinstance(part, PartialResult) for part in parts)
    assert sum(part.found.count for part in parts if isinstance(part, PartialResult)) == 5


@pytest.mark.parametrize("span", ["5-5", "6-5", "0-11", "11-12", "0", "-5", "0-5-9", "x-y", "0x1-5", "0-" + "9" * 16])
def test_a_part_that_is_none_of_the_list_is_rejected(bucket: Bucket, span: str) -> None:
    put(bucket)
    looked = answer(bucket, part="look")

    with pytest.raises(Rejected, match="10 bytes"):
        answer(bucket, part=span, look=looked)


def test_a_parse_error_in_a_whole_list_is_a_rejection_and_one_in_a_part_a_result(bucket: Bucket) -> None:
    put(bucket)
    looked = answer(bucket, part="look")
    put(bucket, b"5,3,x,1,5\n")

    with pytest.raises(NotANumberList, match=r"[Ii]tem 3"):
        answer(bucket)
    found = partials.decode(answer(bucket, part="0-10", look=looked), Plan.decode(looked))

    assert isinstance(found, ParseError)
    assert found.item == 3


def test_work_past_its_time_limit_is_canceled(bucket: Bucket) -> None:
    put(bucket)

    with pytest.raises(Rejected, match="too long"):
        StoredLists(bucket).answer("list", {}, lambda: True)


def test_no_more_passes_are_made_at_once_than_there_is_memory_for(bucket: Bucket) -> None:
    put(bucket)
    lists = StoredLists(bucket)
    free = threading.Event()
    working: list[int] = []

    def hold() -> bool:
        working.append(1)
        return not free.wait(WAIT_LIMIT_SECONDS)

    threads = [threading.Thread(target=lists.answer, args=("list", {}, hold)) for _ in range(PASSES)]
    for thread in threads:
        thread.start()
    until(lambda: len(working) == PASSES)

    with pytest.raises(Rejected, match="too long"):
        lists.answer("list", {}, lambda: True)

    free.set()
    for thread in threads:
        thread.join(WAIT_LIMIT_SECONDS)
    assert response.decode(lists.answer("list", {}, never)).statistics["count"] == "5"


def test_a_stored_list_has_no_modes(bucket: Bucket) -> None:
    put(bucket)

    with pytest.raises(Rejected, match="no modes"):
        answer(bucket, **Extras(modes=True).options)
