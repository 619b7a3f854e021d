"""Lists stored in the bucket, as a worker reads them: the message brings the claim check.

A request's body is the object's name with its prefix; its options may pin the ETag, and ask for a look or
for a pass over one range instead of for the whole answer. Whoever does a range twice finds the same.
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
from courier.numbers.passes import PartialResult, look, pass_over
from courier.numbers.plan import Plan
from courier.numbers.ranges import ByteRange, Slipped
from courier.numbers.response import NumbersAnswer, encode
from courier.numbers.search import conclude
from courier.numbers.stats import of_any
from courier.numbers.streaming import OnePass
from courier.text import quoted

#: What a request for a part says: a look, or a range of bytes, and for the latter what to look for.
ETAG, PART, LOOK = "etag", "part", "look"
#: How many of a look's blocks are fetched at once.
_FETCHES = 8
#: How many passes a worker makes at once, whatever it has received: each needs its memory.
PASSES = 2
_RANGE = re.compile(r"([0-9]{1,15})-([0-9]{1,15})")


class LongLists:
    """Does what requests about lists in the bucket ask for. For any number of threads."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._turn = threading.BoundedSemaphore(PASSES)

    def answer(self, name: str, options: Mapping[str, str], is_over: Callable[[], bool]) -> str:
        """Return the answer's line about the list `name`, unless its time `is_over` before.

        Raises: NotANumberList; ObjectMissing; ObjectReplaced; Rejected for what cannot be asked, and when
        its time is over; AwsError.
        """
        extras = Extras.of(options, others=(ETAG, PART, LOOK))
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
        if wanted == LOOK:
            return self._look(found, extras).encode()
        span, plan = _span(wanted, found), Plan.decode(options.get(LOOK, ""))
        try:
            return partials.encode(self._pass(found, span, plan, partials.limit(plan), is_over))
        except Slipped as error:
            return partials.encode(error.slip)

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
            except Slipped as error:
                raise error.slip.error from error

        plan = self._look(found, extras)
        figures, histogram = conclude(plan, make_pass, of_any(extras.percentiles), limit=MAX_KEPT)
        return encode(NumbersAnswer.of(figures, histogram if extras.histogram else None))

    def _look(self, found: StoredObject, extras: Extras) -> Plan:
        def fetch_one(one: range) -> bytes:
            return b"".join(_first(self._bucket.blocks(found, one.start, one.stop), len(one)))

        def fetch(ranges: Sequence[range]) -> Iterator[bytes]:
            with ThreadPoolExecutor(_FETCHES) as pool:
                yield from pool.map(fetch_one, ranges)

        return look(fetch, found.size_bytes, of_any(extras.percentiles))

    def _pass(
        self, found: StoredObject, span: ByteRange, plan: Plan, limit: int, is_over: Callable[[], bool]
    ) -> PartialResult:
        def blocks() -> Iterator[bytes]:
            for block in self._bucket.blocks(found, span.first_byte, span.stop):
                _check(is_over)
                yield block

        return pass_over(span, blocks(), plan, limit=limit)


def _check(is_over: Callable[[], bool]) -> None:
    """Leave work that nobody waits for any more: given up by its worker, or by its asker."""
    if is_over():
        raise Rejected("Processing took too long and was stopped.", hint="Split the list into smaller parts.")


def _first(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield blocks until there are so many bytes."""
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
