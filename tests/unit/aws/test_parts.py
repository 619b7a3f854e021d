"""The parts of an upload: their sizes, their order, how many are sent at a time, and what a failure leaves behind."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator

import pytest

from courier.aws.parts import read, send
from courier.cancellation import Canceled, Cancellation

SECONDS = 30


class Parts:
    """Parts of four bytes, counted as they are read and sent."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.read = self.ended = 0
        self.lock = threading.Lock()
        #: The most parts that were read and not yet sent.
        self.most = 0

    def __iter__(self) -> Iterator[bytes]:
        """Yield parts as they are read."""
        for _ in range(self.number):
            with self.lock:
                self.read += 1
                self.most = max(self.most, self.read - self.ended)
            yield b"1234"

    def end(self) -> None:
        with self.lock:
            self.ended += 1


def test_a_file_becomes_a_thousand_small_parts_and_then_large_ones() -> None:
    rest = io.BytesIO(b"x" * (2 * 999 + 7))

    assert [len(part) for part in read(b"xx", rest, 2, 5)] == [2] * 1_000 + [5, 2]


@pytest.mark.parametrize("most_bytes", [0, 4, 12])
def test_results_come_in_the_order_of_the_parts(most_bytes: int) -> None:
    parts = [bytes([65 + number]) * 4 for number in range(6)]

    found = list(send(lambda number, part: f"{number}{part[:1].decode()}", parts, most_bytes))

    assert found == [(f"{number}{chr(64 + number)}", 4) for number in range(1, 7)]


def test_parts_are_sent_together_up_to_the_limit() -> None:
    together, parts = threading.Barrier(3), Parts(9)

    def one(number: int, _part: bytes) -> str:
        together.wait(SECONDS)
        parts.end()
        return str(number)

    assert len(list(send(one, parts, 12))) == parts.ended == parts.number
    assert parts.most <= 4  # three, and one more is held


def test_a_failure_ends_after_the_calls_that_had_begun() -> None:
    begun, parts = threading.Barrier(3), Parts(9)

    def one(number: int, _part: bytes) -> str:
        begun.wait(SECONDS)
        if number == 1:
            raise ValueError("no")
        parts.end()
        return str(number)

    with pytest.raises(ValueError, match="no"):
        list(send(one, parts, 12))

    assert (parts.ended, parts.read) == (2, 4)


def test_a_cancellation_is_heard_amid_calls_that_never_end() -> None:
    cancellation, begun, never = Cancellation(), threading.Barrier(3), threading.Event()

    def one(_number: int, _part: bytes) -> str:
        def stuck() -> str:
            if begun.wait(SECONDS) == 0:
                cancellation.cancel()
            never.wait(SECONDS)
            return ""

        return cancellation.run(stuck)

    with pytest.raises(Canceled):
        list(send(one, Parts(9), 12))
    assert not never.is_set()
    never.set()
