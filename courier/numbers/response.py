"""The response of the numbers worker: one line of JSON with all digits of every figure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from courier.errors import ResponseTimeout
from courier.numbers.rounding import Figure
from courier.text import printable

#: The names in a response that are not statistics.
ROUNDED = "rounded"
HISTOGRAM = "histogram"
MODES, MODES_COUNT = "modes", "modes_count"
#: Added by the client.
SKIPPED = "skipped"
#: The most modes in a response; each may have 800 digits.
MAX_MODES = 100
_string = json.encoder.encode_basestring_ascii


class Digits(str):
    """The text of a number in JSON."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Counts of bins; a bin includes its lower edge and excludes its upper edge."""

    #: The edges as text, one more than there are bins.
    edges: Sequence[str]
    counts: Sequence[int]


@dataclass(frozen=True, kw_only=True)
class NumbersResponse:
    """Statistics by name, as text; None if the list has no such value."""

    statistics: Mapping[str, str | None]
    #: The names of rounded statistics; the others are exact.
    rounded: Sequence[str]
    histogram: Histogram | None = None
    #: The least `MAX_MODES` of all modes, and the number of all; None: they were not requested.
    modes: tuple[Sequence[str], int] | None = None
    #: The number of missing values that the client skipped; None: it skips none.
    skipped: int | None = None

    @classmethod
    def of(
        cls,
        figures: Mapping[str, Figure | None],
        histogram: Histogram | None,
        modes: tuple[Sequence[str], int] | None = None,
    ) -> NumbersResponse:
        """Return the response with these figures."""
        return cls(
            statistics={name: figure and figure.text for name, figure in figures.items()},
            rounded=[name for name, figure in figures.items() if figure and not figure.is_exact],
            histogram=histogram,
            modes=modes,
        )


def encode(answer: NumbersResponse) -> str:
    """Return the response as a line of JSON with all digits, which Python's floats would not have."""
    pairs = [f"{_string(name)}: {text or 'null'}" for name, text in answer.statistics.items()]
    pairs.append(f'"{ROUNDED}": [{", ".join(map(_string, answer.rounded))}]')
    if answer.modes:
        shown, count = answer.modes
        pairs.append(f'"{MODES}": [{", ".join(shown)}], "{MODES_COUNT}": {count}')
    if answer.skipped is not None:
        pairs.append(f'"{SKIPPED}": {answer.skipped}')
    if answer.histogram:
        counts = ", ".join(map(str, answer.histogram.counts))
        pairs.append(f'"{HISTOGRAM}": {{"edges": [{", ".join(answer.histogram.edges)}], "counts": [{counts}]}}')
    return "{" + ", ".join(pairs) + "}"


def decode(body: str) -> NumbersResponse:
    """Parse a response's line. Raises: ResponseTimeout if it is not valid."""
    try:
        found = json.loads(body, parse_int=Digits, parse_float=Digits)
        rounded, histogram = found.pop(ROUNDED, []), found.pop(HISTOGRAM, None)
        modes, count = found.pop(MODES, None), found.pop(MODES_COUNT, None)
        answer = NumbersResponse(
            statistics={str(name): _digits(value) if value is not None else None for name, value in found.items()},
            rounded=_names(rounded),
            histogram=None if histogram is None else _histogram(histogram),
            modes=None if modes is None else ([_digits(mode) for mode in modes], int(_digits(count))),
        )
    except (ValueError, RecursionError, AttributeError, TypeError, KeyError) as error:
        raise ResponseTimeout(
            f"The response cannot be read: {printable(body, 80)}", hint="Check the version of the worker that sent it."
        ) from error
    return answer


def _histogram(found: Mapping[str, Sequence[object]]) -> Histogram:
    edges, counts = [_digits(edge) for edge in found["edges"]], [int(_digits(count)) for count in found["counts"]]
    if len(edges) != len(counts) + 1 or min(counts) < 0:
        raise ValueError
    return Histogram(edges=edges, counts=counts)


def _names(found: object) -> list[str]:
    if not isinstance(found, list) or any(type(name) is not str for name in found):
        raise TypeError
    return found


def _digits(value: object) -> str:
    if not isinstance(value, Digits):
        raise TypeError
    return value
