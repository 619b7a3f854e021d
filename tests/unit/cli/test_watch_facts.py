"""What goes on as lines of text: one fact a line."""

from __future__ import annotations

from dataclasses import replace

from courier.cli.watch_facts import facts
from tests.support.live import live, queue, worker


def test_the_facts_are_one_a_line() -> None:
    lines = list(facts(live()))

    assert "queue requestQueue: 12 waiting, 4 in flight, the oldest for 35 s" in lines
    assert "queue requestQueue-dead: 3 dead letters" in lines
    assert any(
        line.startswith("last minute of numbers: 20 answered, 3 rejected (2 invalid, 1 timeout)") for line in lines
    )
    assert any("of anna" in line for line in lines)
    assert list(facts(live(0, note="Nobody.")))[-1] == "Nobody."


def test_a_queue_says_why_it_cannot_be_read_and_counts_what_is_delayed() -> None:
    queues = (
        queue("a", "requests", "numbers", waiting=1_000, delayed=234),
        queue("b", "dead", "numbers", problem="does not exist"),
    )

    lines = list(facts(live(0, queues=queues)))

    assert "queue a: 1,234 waiting, 0 in flight" in lines
    assert "queue b: does not exist" in lines


def test_workers_and_requests_are_named_with_their_times() -> None:
    lines = list(facts(live(1)))

    assert lines[0] == "account 000000000000, region us-east-1, endpoint http://127.0.0.1:4566"
    assert "worker numbers ip-10-0-0-1:1001: up 17 min, 1 requests in flight" in lines
    assert "in flight 1a3bc9fe of anna: numbers, working for 0.4 s" in lines
    requests = [line for line in lines if line.startswith("request ")]
    assert len(requests) == 6
    assert requests[0].startswith("request 15f00dcafe of ben: numbers, ok after 40 ms, at ")


def test_what_is_unknown_is_left_out() -> None:
    one = worker(1)
    nameless = replace(one, in_flight=(), recent=(replace(one.recent[0], name="", milliseconds=None),))

    lines = list(facts(live(0, workers=(nameless,), endpoint="")))

    assert lines[0] == "account 000000000000, region us-east-1"
    assert lines[-1].startswith("request 10f00dcafe: numbers, ok, at ")
