"""Claim checks: lists that are too large for a message are stored in the bucket.

A short stored list is one request. A longer one is cut into ranges, one request each, which workers may process in any
order, and more than once; the results are merged here. See docs/adr/0011-claim-check.md.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from itertools import count

from courier import Request, Requester
from courier.aws.parts import Readable
from courier.aws.s3 import IN_FLIGHT_BYTES, Advance, Bucket, StoredObject
from courier.cancellation import Canceled
from courier.errors import AwsError, CourierError
from courier.numbers import partials
from courier.numbers.brackets import MAX_KEPT
from courier.numbers.list_source import ListSource
from courier.numbers.options import Extras
from courier.numbers.parser import ParseError
from courier.numbers.plan import Plan
from courier.numbers.ranges import ByteRange, mixed
from courier.numbers.response import NumbersResponse, decode
from courier.numbers.search import summarize_stream
from courier.numbers.stats import of_any
from courier.numbers.streaming import OnePass
from courier.progress import Progress, Reporter
from courier.settings import LISTS


@contextmanager
def stored(bucket: Bucket, file: Readable, progress: Advance, warn: Callable[[str], None]) -> Iterator[StoredObject]:
    """Store a list in the bucket while the body runs, then delete it; `warn` reports a failed deletion.

    The bucket's lifecycle deletes lists of programs that crashed. Raises: AwsError.
    """
    name = secrets.token_hex(16)
    try:
        yield bucket.store(name, file, media_type="text/plain", progress=progress, in_flight_bytes=IN_FLIGHT_BYTES)
    finally:
        try:
            with bucket.cleaning_up():
                bucket.delete(name)
        except (AwsError, Canceled) as error:
            why = error.message if isinstance(error, AwsError) else "it could not be removed in time."
            warn(f"The list is left in the bucket, for a day at most: {why}")


@dataclass(frozen=True, kw_only=True)
class StoredListClient:
    """Requests the statistics of stored lists."""

    requester: Requester
    part_bytes: int
    extras: Extras

    def request(self, found: StoredObject, moved: Progress) -> NumbersResponse:
        """Return the response for a stored list; `moved` gets the progress.

        Raises: NotANumberList or Rejected; ResponseTimeout; AwsError.
        """
        spans = list(_cut(found.size_bytes, self.part_bytes))
        with self.requester:
            if len(spans) == 1:
                return decode(self._one(_request(found, **self.extras.options)))
            percentiles = replace(self.extras, histogram=False).options
            first = Plan.decode(self._one(_request(found, part="look", **percentiles)))
            passes = count(1)

            def make_pass(plan: Plan) -> OnePass:
                if (number := next(passes)) > 1:
                    moved.begin(f"Narrowing the quartiles, pass {number}")
                moved.expect(found.size_bytes)
                return self._pass(found, spans, plan, moved)

            figures, histogram = summarize_stream(first, make_pass, of_any(self.extras.percentiles), limit=MAX_KEPT)
        return NumbersResponse.of(figures, histogram if self.extras.histogram else None)

    def _one(self, request: Request) -> str:
        return self.requester.request(request, expensive=True).body

    def _pass(self, found: StoredObject, spans: Sequence[ByteRange], plan: Plan, moved: Progress) -> OnePass:
        """Request a pass over every range, and merge the results in the list's order."""
        whole = plan.open(limit=MAX_KEPT)
        signs: dict[str, tuple[int, int]] = {}
        wanted = plan.encode()
        requests = (_request(found, part=f"{span.start}-{span.stop}", look=wanted) for span in spans)
        with closing(self.requester.request_many(requests, expensive=True)) as results:
            for span, result in zip(spans, results, strict=True):
                if isinstance(result, CourierError):
                    raise result
                part = partials.decode(result.body, plan)
                if isinstance(part, ParseError):
                    raise part.shifted(whole.count, span.start).rejection
                for sign, (item, character) in part.signs.items():
                    signs.setdefault(sign, (item + whole.count, character + span.start))
                if parse_error := mixed(signs):
                    raise parse_error.rejection
                whole.merge(part.found)
                moved.advance(span.stop - span.start)
        return whole


def request(
    client: StoredListClient, bucket_name: str | None, source: ListSource, name: str, terminal: Reporter
) -> tuple[NumbersResponse, float]:
    """Store a list, request its statistics, and delete it; return the response, and the seconds it took.

    Raises: NotANumberList or Rejected; ResponseTimeout; AwsError.
    """
    bucket = Bucket(client.requester.aws(), bucket_name, LISTS)
    bucket.check()
    source.check_beginning()
    with ExitStack() as stack, terminal.moving(f"Uploading {name}") as moved:
        moved.expect(source.size_bytes)
        found = stack.enter_context(stored(bucket, source, source.tracked(moved.advance), terminal.warn))
        started = time.monotonic()
        moved.begin(f"Working through {name} (Ctrl-C to cancel)")
        return client.request(found, moved), time.monotonic() - started


def _request(found: StoredObject, **options: str) -> Request:
    return Request(body=LISTS + found.name, options={"etag": found.etag, **options})


def _cut(size: int, part_bytes: int) -> Iterator[ByteRange]:
    for start in range(0, size, part_bytes):
        yield ByteRange(start=start, stop=min(size, start + part_bytes), size=size)
