"""Answer requests for stored lists, in a worker: the message carries the claim check.

A request's body is the object's name with its prefix. Its options may pin the ETag, and request a plan or a pass over
one range instead of the statistics. A pass over the same range always returns the same.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from courier.aws.s3 import Bucket, StoredObject
from courier.errors import Rejected
from courier.files import check_name
from courier.numbers import partials
from courier.numbers.brackets import MAX_KEPT
from courier.numbers.options import Extras
from courier.numbers.passes import PartialResult, make_plan, pass_over
from courier.numbers.plan import Plan
from courier.numbers.ranges import ByteRange, InvalidItem
from courier.numbers.response import NumbersResponse, encode
from courier.numbers.search import summarize_stream
from courier.numbers.stats import of_any
from courier.numbers.streaming import OnePass
from courier.text import quoted

#: Options of a request for a part: `part` is "look" for a plan, or a range of bytes with its plan in `look`.
ETAG, PART, PLAN = "etag", "part", "look"
#: The blocks of a sample that are fetched concurrently.
_FETCHES = 8
#: The most concurrent passes of a worker: each needs memory.
PASSES = 2
_RANGE = re.compile(r"([0-9]{1,15})-([0-9]{1,15})")


class StoredLists:
    """Answers requests for stored lists. Thread-safe."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._turn = threading.BoundedSemaphore(PASSES)

    def answer(self, name: str, options: Mapping[str, str], is_over: Callable[[], bool]) -> str:
        """Return the response's line for the list `name`.

        Raises: NotANumberList; ObjectMissing; ObjectReplaced; Rejected for an invalid request, and once `is_over`
        returns True; AwsError.
        """
        extras = Extras.of(options, others=(ETAG, PART, PLAN))
        if extras.modes:
            raise Rejected("A stored list has no modes: they need the whole list at once.")
        while not self._turn.acquire(timeout=1):
            _check(is_over)
        try:
            return self._answer(name, options, extras, is_over)
        finally:
            self._turn.release()

    def _answer(self, name: str, options: Mapping[str, str], extras: Extras, is_over: Callable[[], bool]) -> str:
        found = self._found(check_name(name), options.get(ETAG, ""))
        wanted = options.get(PART, "")
        if not wanted:
            return self._whole(found, extras, is_over)
        if wanted == PLAN:
            return self._plan(found, extras).encode()
        span, plan = _span(wanted, found), Plan.decode(options.get(PLAN, ""))
        try:
            return partials.encode(self._pass(found, span, plan, partials.limit(plan), is_over))
        except InvalidItem as error:
            return partials.encode(error.parse_error)

    def _found(self, name: str, etag: str) -> StoredObject:
        found = self._bucket.find(name)
        if found is None:
            self._bucket.check()
            raise self._bucket.missing(name)
        if etag and etag != found.etag:
            raise self._bucket.replaced(name)
        return found

    def _whole(self, found: StoredObject, extras: Extras, is_over: Callable[[], bool]) -> str:
        span = ByteRange(start=0, stop=found.size_bytes, size=found.size_bytes)

        def make_pass(plan: Plan) -> OnePass:
            try:
                return self._pass(found, span, plan, MAX_KEPT, is_over).found
            except InvalidItem as error:
                raise error.parse_error.rejection from error

        plan = self._plan(found, extras)
        figures, histogram = summarize_stream(plan, make_pass, of_any(extras.percentiles), limit=MAX_KEPT)
        return encode(NumbersResponse.of(figures, histogram if extras.histogram else None))

    def _plan(self, found: StoredObject, extras: Extras) -> Plan:
        def fetch_one(one: range) -> bytes:
            return b"".join(_first(self._bucket.blocks(found, one.start, one.stop), len(one)))

        def fetch(ranges: Sequence[range]) -> Iterator[bytes]:
            with ThreadPoolExecutor(_FETCHES) as pool:
                yield from pool.map(fetch_one, ranges)

        return make_plan(fetch, found.size_bytes, of_any(extras.percentiles))

    def _pass(
        self, found: StoredObject, span: ByteRange, plan: Plan, limit: int, is_over: Callable[[], bool]
    ) -> PartialResult:
        def blocks() -> Iterator[bytes]:
            for block in self._bucket.blocks(found, span.first_byte, span.stop):
                _check(is_over)
                yield block

        return pass_over(span, blocks(), plan, limit=limit)


def _check(is_over: Callable[[], bool]) -> None:
    """Stop work that exceeds its time limit, or whose client no longer waits. Raises: Rejected."""
    if is_over():
        raise Rejected("Processing took too long and was stopped.", hint="Split the list into smaller parts.")


def _first(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield blocks until they have `size` bytes."""
    for block in blocks:
        yield block
        size -= len(block)
        if size <= 0:
            return


def _span(text: str, found: StoredObject) -> ByteRange:
    match = _RANGE.fullmatch(text)
    start, stop = (int(match[1]), int(match[2])) if match else (0, 0)
    if not start < stop <= found.size_bytes:
        raise Rejected(f"A part of a list of {found.size_bytes:,} bytes cannot be {quoted(text)}.")
    return ByteRange(start=start, stop=stop, size=found.size_bytes)
