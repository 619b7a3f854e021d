"""A body is read to its end although its connection breaks; through a bucket that is in test_s3."""

from __future__ import annotations

import io
from typing import Any

import pytest
from botocore.exceptions import ClientError, IncompleteReadError
from botocore.response import StreamingBody

from courier.aws.download import CHUNK_BYTES, Download
from tests.support.fakes import client_error

CONTENT = bytes(number % 251 for number in range(3 * CHUNK_BYTES + 7))


class Object:
    """An object whose responses break off after some bytes each."""

    def __init__(self, content: bytes, *cut_after: int) -> None:
        self._content = content
        self._cut_after = [*cut_after]
        self.streams: list[io.BytesIO] = []
        self.bodies: list[StreamingBody] = []
        self.ranges: list[tuple[int, int]] = []

    def get(self, start: int, stop: int) -> Any:
        """Return the response for a range."""
        self.ranges.append((start, stop))
        content = self._content[start:stop]
        self.streams.append(io.BytesIO(content[: self._cut_after.pop(0)] if self._cut_after else content))
        self.bodies.append(StreamingBody(self.streams[-1], len(content)))
        return {"Body": self.bodies[-1], "ContentLength": len(content)}

    def download(self, start: int = 0) -> Download:
        return Download(self.get(start, len(self._content)), start, self.get)


def test_a_body_is_read_by_chunks_until_nothing_is_missing() -> None:
    one = Object(CONTENT)
    download, sizes = one.download(), list[int]()

    assert download.is_short
    while chunk := download.read():
        sizes.append(len(chunk))

    assert sizes == [CHUNK_BYTES] * 3 + [7]
    assert not download.is_short
    assert one.ranges == [(0, len(CONTENT))]


def test_an_empty_body_misses_nothing() -> None:
    download = Object(b"").download()

    assert (download.is_short, download.read()) == (False, b"")


def test_after_a_break_the_next_read_requests_the_rest_from_there() -> None:
    one = Object(CONTENT, CHUNK_BYTES, 2 * CHUNK_BYTES)
    download, found = one.download(start=5), b""
    for _ in range(2):
        with pytest.raises(IncompleteReadError):
            while True:
                found += download.read()
        assert download.is_short
        assert one.streams[-1].closed
    while chunk := download.read():
        found += chunk

    assert found == CONTENT[5:]
    assert one.ranges == [(start + 5, len(CONTENT)) for start in (0, CHUNK_BYTES, 3 * CHUNK_BYTES)]


def test_a_rest_that_cannot_be_requested_is_requested_again_by_the_next_read() -> None:
    one, failures = Object(b"12345", 0), [client_error("SlowDown")]

    def rest(start: int, stop: int) -> Any:
        if failures:
            raise failures.pop()
        return one.get(start, stop)

    download = Download(one.get(0, 5), 0, rest)
    with pytest.raises(IncompleteReadError):
        download.read()
    with pytest.raises(ClientError):
        download.read()

    assert download.read() == b"12345"


def test_a_read_that_is_canceled_closes_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Object(b"12345")
    download = one.download()

    def cancel(_size: int) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(one.bodies[0], "read", cancel)
    with pytest.raises(KeyboardInterrupt):
        download.read()

    assert one.streams[0].closed
    assert download.read() == b"12345"
