"""The parts of an upload: read from a file, and sent, several at a time, in bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from typing import Protocol

#: The most calls at a time.
_THREADS = 8
#: The number of parts before those that may be large.
_SMALL_PARTS = 1_000
#: What was returned for each part, and the part's size.
Sent = Generator[tuple[str, int], None, None]


class Readable(Protocol):
    """A file that can be read once, from its beginning to its end."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next `size` bytes, fewer only at the end."""


def read(part: bytes, file: Readable, small_bytes: int, large_bytes: int) -> Iterator[bytes]:
    """Yield a file's parts, of which `part` was read already: a thousand small ones, then large ones."""
    for number in count(1):
        if not part:
            return
        yield part
        part = file.read(small_bytes if number < _SMALL_PARTS else large_bytes)


def send(one: Callable[[int, bytes], str], parts: Iterable[bytes], most_bytes: int) -> Sent:
    """Yield what `one` returns for each part and its number from 1, and the part's size, in order.

    Threads send parts of together `most_bytes` at a time, and one more is held; with 0, the caller's thread sends them.
    Ends, or is closed, only after all calls have ended. Raises: what `one` and `parts` raise.
    """
    if not most_bytes:
        yield from ((one(number, part), len(part)) for number, part in enumerate(parts, start=1))
        return
    waiting: deque[tuple[Future[str], int]] = deque()
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="part") as pool:
        try:
            for number, part in enumerate(parts, start=1):
                while waiting and sum(size for _, size in waiting) + len(part) > most_bytes:
                    yield _outcome(waiting)
                waiting.append((pool.submit(one, number, part), len(part)))
            while waiting:
                yield _outcome(waiting)
        finally:
            for future, _ in waiting:
                future.cancel()


def _outcome(waiting: deque[tuple[Future[str], int]]) -> tuple[str, int]:
    future, size = waiting[0]
    found = future.result()
    waiting.popleft()
    return found, size
