from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.monitoring.worker_status import (
    MOST_CHARACTERS,
    MOST_IN_FLIGHT,
    Finished,
    InFlight,
    Period,
    WorkerStatus,
    decode,
)

STATUS = WorkerStatus(
    id="abc",
    application="numbers",
    program="numbers_worker.py",
    host="here",
    process_id=7,
    since=1000.0,
    written_at=1060.0,
    beat_seconds=15.0,
    polled_at=1059.0,
    answered=3,
    retries=1,
    rejected={"invalid": 2},
    in_flight=(InFlight(id="r1", kind="numbers", name="anna", state="working", since=1059.5),),
    recent=(Finished(id="r0", kind="numbers", name="", outcome="ok", at=1059.0, milliseconds=40.0),),
    periods=(Period(begun=1055.0, answered=3, rejected={"invalid": 2}, times={"40": 5}),),
)


def test_a_status_comes_back_as_it_was() -> None:
    assert decode(STATUS.encode()) == STATUS
    unpolled = replace(STATUS, polled_at=None)
    assert decode(unpolled.encode().encode()) == unpolled


def test_a_worker_that_has_missed_three_reports_is_stale() -> None:
    assert not STATUS.is_stale(1060 + 44)
    assert STATUS.is_stale(1060 + 46)


@pytest.mark.parametrize(
    "changed",
    [
        {"version": 2},
        {"id": 5},
        {"since": "soon"},
        {"since": float("inf")},
        {"since": True},
        {"since": 10**400},
        {"in_flight": [{}]},
        {"in_flight": 3},
        {"recent": "xyz"},
        {"rejected": []},
        {"periods": [None]},
    ],
)
def test_what_is_no_status_is_none(changed: dict[str, Any]) -> None:
    assert decode(json.dumps({**json.loads(STATUS.encode()), **changed})) is None


@given(st.binary(max_size=200))
def test_whatever_stands_in_an_object_raises_nothing(content: bytes) -> None:
    decode(content)
    decode(b'{"version": 1, "in_flight": [], "recent": ' + content)


def test_long_texts_and_lists_are_cut() -> None:
    given_ = json.loads(STATUS.encode())
    given_["host"] = "x" * 10_000
    given_["in_flight"] *= 1000

    found = decode(json.dumps(given_))

    assert found
    assert len(found.host) == MOST_CHARACTERS
    assert len(found.in_flight) == MOST_IN_FLIGHT
