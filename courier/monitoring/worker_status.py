"""What a worker reports of itself: a small JSON object, with no payload. Decoding never raises.

Anybody with write access to the bucket may write such an object: texts are cut, numbers checked.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

#: The prefix of these objects in the bucket.
PREFIX = "status/"
VERSION = 1
#: How many of its last requests a worker reports.
RECENT = 20
#: The most requests in flight that it reports, and the most characters of each text.
MOST_IN_FLIGHT = 64
MOST_CHARACTERS = 128
#: The largest object that is read, in bytes.
MOST_BYTES = 100_000
#: The length of a period, in seconds, and the number of them in a minute.
PERIOD_SECONDS = 5
PERIODS = 12
#: A worker that has not reported for this many of its intervals is taken for dead.
STALE_BEATS = 3

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class InFlight:
    """A request that a worker holds; times are in seconds since the epoch, by AWS's clock."""

    id: str
    kind: str
    name: str
    state: str
    since: float


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A request that a worker has answered or rejected. The outcome is `ok` or the reason's code."""

    id: str
    kind: str
    name: str
    outcome: str
    at: float
    #: From its sending to its reply; None: unknown.
    milliseconds: float | None


@dataclass(frozen=True, kw_only=True)
class Period:
    """What a worker finished in `PERIOD_SECONDS`: counts, and times by bucket (`latency`)."""

    begun: float
    answered: int
    rejected: Mapping[str, int]
    times: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class WorkerStatus:
    """A worker at one moment."""

    id: str
    application: str
    program: str
    host: str
    process_id: int
    since: float
    written_at: float
    #: The longest time between two reports, in seconds.
    beat_seconds: float
    #: When its last poll of the queue succeeded; None: none did yet.
    polled_at: float | None
    answered: int
    retries: int
    rejected: Mapping[str, int]
    in_flight: tuple[InFlight, ...]
    recent: tuple[Finished, ...]
    periods: tuple[Period, ...]

    def is_stale(self, now: float) -> bool:
        """Whether it should have reported since."""
        return now - self.written_at > STALE_BEATS * self.beat_seconds

    def encode(self) -> str:
        """Return it as JSON."""
        return json.dumps({"version": VERSION, **asdict(self)}, separators=(",", ":"))


def decode(text: str | bytes) -> WorkerStatus | None:
    """Return the status in a text; None if there is none, or one of another version."""
    try:
        found = json.loads(text)
        if not isinstance(found, dict) or found.get("version") != VERSION:
            return None
        lists: dict[str, Any] = {
            "in_flight": tuple(_read(InFlight, one) for one in found["in_flight"][:MOST_IN_FLIGHT]),
            "recent": tuple(_read(Finished, one) for one in found["recent"][-RECENT:]),
            "periods": tuple(_read(Period, one) for one in found["periods"][-PERIODS - 1 :]),
        }
        return _read(WorkerStatus, {**found, **lists})
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None


def _read(kind: type[T], found: Mapping[str, Any]) -> T:
    """Return a value of a class whose fields have simple types. Raises: ValueError; TypeError; KeyError."""
    return kind(**{one.name: _READ[str(one.type)](found[one.name]) for one in fields(kind)})  # type: ignore[arg-type]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value[:MOST_CHARACTERS]


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(value)
    return float(value)


def _count(value: object) -> int:
    return max(0, int(_number(value)))


def _counts(value: object) -> dict[str, int]:
    if not isinstance(value, dict):
        raise TypeError(value)
    return {_text(name): _count(number) for name, number in list(value.items())[:100]}


def _maybe(value: object) -> float | None:
    return None if value is None else _number(value)


_READ: dict[str, Any] = {
    "str": _text,
    "int": _count,
    "float": _number,
    "float | None": _maybe,
    "Mapping[str, int]": _counts,
    "tuple[InFlight, ...]": tuple,
    "tuple[Finished, ...]": tuple,
    "tuple[Period, ...]": tuple,
}
