"""The programs in examples/, as their docstrings say to use them, on the local AWS."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.support.place import ROOT, Place, wait_for

#: Its programs have names of their own, which may be in use elsewhere.
pytestmark = pytest.mark.emulator

LINES_OF_UPPER = 12


@pytest.fixture
def place(bare_place: Place) -> Place:
    """An account with nothing in it: the examples make what they need."""
    bare_place.env = {**bare_place.env, "PYTHONPATH": str(ROOT)}
    return bare_place


def has_queue(place: Place, name: str) -> bool:
    return any(url.endswith(f"/{name}") for url in place.client("sqs").list_queues().get("QueueUrls", []))


def test_upper_is_a_worker_and_a_client_and_stops_gracefully(place: Place) -> None:
    worker = place.worker("examples/upper.py", ready=False)

    found = place.run("examples/upper.py", "hello", "there")

    assert (found.stdout, found.stderr) == ("HELLO THERE\n", "")
    assert worker.end(signal.SIGINT) == 0


def test_upper_is_short() -> None:
    code = (ROOT / "examples/upper.py").read_text().splitlines()

    assert len([line for line in code if line.strip() and '"""' not in line]) <= LINES_OF_UPPER


def test_a_text_that_fits_no_message_is_counted_through_the_bucket(place: Place, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("the cat and the dog " * 100_000)

    found = place.run("examples/word_count.py", "words", str(text))

    assert found.stderr == ""
    assert found.stdout.splitlines() == [
        f"500000 words in {text}",
        "  200000 the",
        *[f"  100000 {word}" for word in ("cat", "and", "dog")],
    ]
    assert "Contents" not in place.client("s3").list_objects_v2(Bucket="words")


def test_messages_sent_manually_are_answered_in_the_queue_for_all(place: Place) -> None:
    worker = place.worker("examples/by_hand.py", ready=False)
    wait_for(lambda: has_queue(place, "handRequests"), what="the queues")

    place.post("handRequests", "one two three")
    place.post("handRequests", "one two three", reverse="yes")
    replies = place.collect("handReplies", 2)

    assert sorted(reply["Body"] for reply in replies) == ["one\ntwo\nthree", "three\ntwo\none"]
    assert worker.end() == 0


def test_a_trace_goes_from_the_client_to_the_worker_and_requests_are_measured(place: Place) -> None:
    found = place.run("examples/traced.py", "hello")

    assert found.stderr == ""
    assert found.stdout.startswith("HELLO") or "\nHELLO\n" in found.stdout
    traces = [line.split('"')[3] for line in found.stdout.splitlines() if '"trace_id"' in line]
    assert len(traces) == 2
    assert len(set(traces)) == 1
    assert "courier.request.duration" in found.stdout
