from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from courier.cancellation import CancelableClient, Canceled, Cancellation
from tests.support.fakes import WAIT_LIMIT_SECONDS


@pytest.fixture
def cancellation() -> Cancellation:
    return Cancellation()


@pytest.fixture
def never() -> Iterator[threading.Event]:
    """What nobody sets until the test is over."""
    event = threading.Event()
    yield event
    event.set()


def test_a_call_returns_what_it_returns_and_raises_what_it_raises(cancellation: Cancellation) -> None:
    assert cancellation.run(lambda: 7) == 7
    assert cancellation.run(lambda: None) is None
    with pytest.raises(ZeroDivisionError):
        cancellation.run(lambda: 1 // 0)


def test_a_call_under_way_is_abandoned_at_once(cancellation: Cancellation, never: threading.Event) -> None:
    begun = threading.Event()

    def call() -> None:
        begun.set()
        never.wait()

    def cancel() -> None:
        begun.wait()
        cancellation.cancel()

    threading.Thread(target=cancel).start()

    with pytest.raises(Canceled):
        cancellation.run(call)
    assert not never.is_set()


def test_no_call_begins_once_it_is_canceled_until_reset(cancellation: Cancellation) -> None:
    done: list[int] = []
    cancellation.cancel()

    with pytest.raises(Canceled):
        cancellation.run(lambda: done.append(1))
    with pytest.raises(Canceled):
        cancellation.check()
    assert cancellation.is_canceled
    assert cancellation.is_set()
    cancellation.reset()
    cancellation.check()
    cancellation.run(lambda: done.append(2))

    assert done == [2]


def test_a_call_that_makes_something_is_given_time_to_end(cancellation: Cancellation) -> None:
    def call() -> str:
        cancellation.cancel()  # while it is under way
        return "made"

    assert cancellation.run(call, grace_seconds=60) == "made"


def test_a_call_that_does_not_settle_is_given_up(cancellation: Cancellation, never: threading.Event) -> None:
    def call() -> None:
        cancellation.cancel()
        never.wait()

    with pytest.raises(Canceled):
        cancellation.run(call, grace_seconds=0.01)


def test_cleaning_up_goes_on_after_a_cancellation_for_a_while(cancellation: Cancellation) -> None:
    cancellation.cancel()

    with cancellation.cleaning_up(60):
        cancellation.check()
        assert cancellation.run(lambda: "cleaned") == "cleaned"

    with pytest.raises(Canceled):
        cancellation.run(lambda: "more")


def test_cleaning_up_does_not_take_longer_than_it_may(cancellation: Cancellation, never: threading.Event) -> None:
    cancellation.cancel()

    with pytest.raises(Canceled), cancellation.cleaning_up(0.01):
        cancellation.run(never.wait)


def test_a_call_in_a_call_runs_where_it_stands(cancellation: Cancellation) -> None:
    def outer() -> bool:
        here = threading.current_thread()
        return cancellation.run(threading.current_thread) is here

    assert cancellation.run(outer)


@pytest.mark.parametrize(
    "wait", [lambda one: one.wait(600), lambda one: one.run(threading.Event().wait)], ids=["wait", "run"]
)
def test_a_handler_of_a_signal_may_cancel_in_the_thread_that_waits(
    cancellation: Cancellation, wait: Callable[[Cancellation], object]
) -> None:
    before = signal.signal(signal.SIGALRM, lambda *_: cancellation.cancel())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        try:
            assert wait(cancellation) is True
        except Canceled:
            assert cancellation.is_canceled
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_wait_says_whether_it_was_canceled(cancellation: Cancellation) -> None:
    assert cancellation.wait(0.001) is False
    cancellation.cancel()
    assert cancellation.wait(600) is True


def test_a_call_is_abandoned_at_its_limit(cancellation: Cancellation, never: threading.Event) -> None:
    with pytest.raises(TimeoutError):
        cancellation.run(never.wait, limit_seconds=0.01)

    assert cancellation.run(lambda: 7, limit_seconds=WAIT_LIMIT_SECONDS) == 7


def test_a_call_within_another_has_its_own_limit(cancellation: Cancellation, never: threading.Event) -> None:
    with pytest.raises(TimeoutError, match=r"no response within 0\.01 s"):
        cancellation.run(lambda: cancellation.run(never.wait, limit_seconds=0.01))


def test_calls_of_a_client_have_a_limit_but_those_that_carry_what_is_long(
    cancellation: Cancellation, never: threading.Event
) -> None:
    def put_object() -> str:
        return "done" if never.wait(0.1) else "late"

    meta = SimpleNamespace(method_to_api_mapping=("put_object", "head_object"))
    client = SimpleNamespace(meta=meta, put_object=put_object, head_object=never.wait)
    made = CancelableClient(client, cancellation, limit_seconds=0.02)

    assert made.put_object() == "late"
    with pytest.raises(TimeoutError):
        made.head_object()
