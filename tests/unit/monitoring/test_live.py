"""What goes on in a set-up, of what its workers reported; `watch` shows it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from courier.monitoring.live import QueueNow, alive, downsampled, last_minute
from courier.monitoring.worker_status import Finished, Period
from tests.support.live import live, queue, worker
from tests.support.rows import validator

NOW = 2000.0


def finished(number: int, at: float) -> Finished:
    return Finished(id=f"r{number}", kind="numbers", name="", outcome="ok", at=at, milliseconds=1.0)


def period(begun: float, **counted: Any) -> Period:
    return Period(**{"begun": begun, "answered": 0, "rejected": {}, "times": {}, **counted})


def test_the_row_fits_its_schema() -> None:
    validator("watch").validate(live().as_json())
    validator("watch").validate(live(0, note="No worker reports.").as_json())


def test_foreign_text_is_escaped_in_the_row_and_a_clock_that_is_ahead_makes_no_negative_age() -> None:
    hostile = worker(1, host="\x1b[31m", rejected={"\x07": 1}, written_at=NOW + 9, polled_at=NOW + 9)

    row: dict[str, Any] = live(workers=[hostile]).as_json()

    assert "\\u001b" not in json.dumps(row)
    assert "\\u0007" not in json.dumps(row)
    (only,) = row["workers"]
    assert (only["seconds_since_report"], only["seconds_since_poll"]) == (0.0, 0.0)
    assert only["in_flight"][0]["seconds"] == 0.4


def test_stale_workers_and_those_of_other_applications_are_left_out() -> None:
    found = [worker(1), worker(3, written_at=1900.0), worker(5, application="upper"), worker(2)]

    assert [one.id for one in alive(found, ["numbers", "images"], NOW)] == ["w1", "w2"]


def test_workers_are_in_the_order_of_their_applications_and_the_oldest_is_first() -> None:
    found = [worker(2), worker(1), worker(3), worker(4, since=worker(2).since)]

    assert [one.id for one in alive(found, ["numbers", "images"], NOW)] == ["w3", "w1", "w2", "w4"]


def test_the_last_minute_is_that_of_all_workers_of_the_application() -> None:
    one = worker(1, periods=(period(1990, answered=2, times={"10": 2}), period(1995, rejected={"invalid": 1})))
    other = worker(3, periods=(period(1995, answered=98, rejected={"invalid": 2}, times={"10": 90, "500": 8}),))
    elsewhere = worker(2, periods=(period(1995, answered=1000),))

    found = last_minute("numbers", [one, other, elsewhere], NOW)

    assert (found.answered, found.rejected) == (100, {"invalid": 3})
    assert (found.p50, found.p95) == (10.0, 500.0)


def test_what_was_finished_earlier_is_not_of_the_last_minute() -> None:
    """A period counts if more than half of it is within the minute."""
    periods = (period(1937, answered=1), period(1938, answered=2), period(1999, answered=4))

    found = last_minute("numbers", [worker(1, periods=periods)], NOW)

    assert (found.answered, found.p50, found.p95) == (4 + 2, None, None)
    assert last_minute("numbers", [], NOW).answered == 0


def test_the_last_requests_are_those_of_all_workers_each_once() -> None:
    workers = [worker(1, recent=(finished(1, 10), finished(2, 30))), worker(3, recent=(finished(3, 20),))]

    one = live(workers=workers, remembered=[finished(2, 30), finished(4, 30)])

    assert [request.id for request in one.requests(10)] == ["r2", "r4", "r3", "r1"]
    assert [request.id for request in one.requests(2)] == ["r2", "r4"]


def test_the_number_of_dead_letters_is_unknown_where_their_queue_cannot_be_read() -> None:
    dead = queue("requestQueue-dead", "dead", "numbers", waiting=3, in_flight=2)

    def number(found: QueueNow) -> int | None:
        return live(queues=[queue("requestQueue", "requests", "numbers", waiting=9), found]).dead_letters("numbers")

    assert number(dead) == 5
    assert number(replace(dead, problem="denied")) is None
    assert live(queues=[dead]).dead_letters("images") is None


def test_it_is_well_while_every_queue_can_be_read() -> None:
    one = queue("requestQueue", "requests", "numbers")

    assert live(queues=[one]).is_well
    assert not live(queues=[one, replace(one, problem="denied")]).is_well


@given(st.lists(st.integers(0, 10**9), max_size=300), st.integers(1, 80))
def test_a_shortened_history_keeps_the_largest_numbers(history: list[int], columns: int) -> None:
    found = downsampled(history, columns)

    assert len(found) <= columns
    assert max(found, default=0) == max(history, default=0)


def test_a_shortened_history_ends_with_whole_columns() -> None:
    assert downsampled([9, 1, 2, 3, 4], 3) == [9, 2, 4]
    assert downsampled([1, 2, 3], 80) == [1, 2, 3]
