"""How fast and how exact lists are worked on, beside NumPy's floats. Ratios of processor time in one run.

    python -m bench.lists

1. A full message (1 MiB of integers, of two decimals, of six): text to all statistics, against np.fromstring and its
   min, max, mean and median; the aim is a third of the time.  2. Seventeen numbers: text to answer; the aim is 60
microseconds.  3. A full message whose last item is bad: rejected within 0.3 s; and hostile ones.  4. NIST's reference
datasets for univariate statistics: right digits of mean and standard deviation, of the 15 certified.
"""

from __future__ import annotations

import random
import time
import warnings
from collections.abc import Callable
from decimal import Context, Decimal
from functools import partial
from typing import Any

import numpy as np

from courier.errors import NotANumberList
from courier.messaging.protocol import Request
from courier.numbers import handler
from courier.numbers.stats import of_held, summarize
from tests.support import nist

FULL_BYTES = 1_048_576
HOSTILE = {
    "a million commas": "," * 1_000_000,
    "1e999999999": "1e999999999",
    "5,000 digits": "7" * 5_000,
    "a million line ends": "\n" * 1_000_000,
    "a million points": "." * 1_000_000,
    "a number of a million digits": "1" * 1_000_000,
}


def best(action: Callable[[], object], times: int = 20) -> float:
    """Return the least processor time that `action` takes, in seconds."""
    spent = []
    for _ in range(times):
        started = time.process_time()
        action()
        spent.append(time.process_time() - started)
    return min(spent)


def full_message(make: Callable[[random.Random], str]) -> str:
    """Return as many numbers as one message holds."""
    chosen, items, size = random.Random(1), [], 0
    while size < FULL_BYTES - 20:
        items.append(make(chosen))
        size += len(items[-1]) + 1
    return ",".join(items)


def floats(text: str) -> tuple[object, ...]:
    """Do what is usually done."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        values = np.fromstring(text, sep=",")
    return values.min(), values.max(), values.mean(), np.median(values)


def full_messages() -> dict[str, dict[str, float]]:
    """Return the processor milliseconds for full messages, ours and those of NumPy's floats."""
    makers: dict[str, Callable[[random.Random], str]] = {
        "integers": lambda chosen: str(chosen.randrange(-(10**6), 10**6)),
        "two decimals": lambda chosen: f"{chosen.uniform(-1e4, 1e4):.2f}",
        "six decimals": lambda chosen: f"{chosen.uniform(-1e3, 1e3):.6f}",
    }
    return {name: beside_floats(full_message(make)) for name, make in makers.items()}


def beside_floats(text: str) -> dict[str, float]:
    """Return the processor milliseconds that one list takes."""
    ours, theirs = best(partial(handler.answer, Request(body=text))), best(partial(floats, text))
    return {"courier": ours * 1e3, "NumPy's floats": theirs * 1e3}


def print_full_messages() -> None:
    """Print the ratios for full messages."""
    for name, spent in full_messages().items():
        ours, theirs = spent["courier"], spent["NumPy's floats"]
        print(f"{name:13} ours {ours:5.1f} ms, NumPy's floats {theirs:5.1f} ms: {theirs / ours:.2f} (aim 3)")


def short_list() -> float:
    """Return the processor microseconds that seventeen numbers take."""
    request = Request(body=",".join(str(number * 7 % 23) for number in range(17)))
    return best(lambda: [handler.answer(request) for _ in range(1000)], times=5) * 1e3


def rejections() -> None:
    """Print what rejecting takes."""
    makers = {
        "integers": full_message(lambda chosen: str(chosen.randrange(10))),
        "six decimals": full_message(lambda chosen: f"{chosen.uniform(-1e3, 1e3):.6f}"),
    }
    for name, text in makers.items():
        spent = best(partial(rejected, text[:-9] + ",x"), times=5)
        print(f"a full message of {name} with a bad last item: rejected in {spent:.2f} s (aim 0.3)")
    for name, text in HOSTILE.items():
        print(f"{name}: rejected in {best(partial(rejected, text), times=5) * 1e3:.0f} ms (aim 50)")


def rejected(text: str) -> None:
    """Have a list rejected."""
    try:
        handler.answer(Request(body=text))
    except NotANumberList:
        return
    raise AssertionError


def right_digits(found: str, certified: str) -> int:
    """Return how many of the certified digits are right, the last one rounded."""
    true = Decimal(certified)
    for digits in range(15, 0, -1):
        context = Context(prec=digits)
        if context.create_decimal(found) == context.create_decimal(true):
            return digits
    return 0


def reference_datasets() -> None:
    """Print the right digits of NIST's datasets, ours and NumPy's."""
    for title, dataset in nist.DATASETS.items():
        found = summarize(handler.read("\n".join(dataset.numbers)), of_held())
        values = np.array([float(number) for number in dataset.numbers])
        written = {name: figure.text if figure else "" for name, figure in found.items()}
        ours = [right_digits(written[key], getattr(dataset, key)) for key in ("mean", "stdev")]
        theirs = [
            right_digits(repr(float(values.mean())), dataset.mean),
            right_digits(repr(float(values.std(ddof=1))), dataset.stdev),
        ]
        print(f"NIST {title:10} right digits of mean, stdev: ours {ours}, NumPy {theirs}")


def measure(rounds: int = 5) -> dict[str, Any]:
    """Return the figures of each round."""
    return {"rounds": [full_messages() for _ in range(rounds)], "17 numbers, µs": short_list()}


def main() -> None:
    """Measure all of it and print it."""
    print_full_messages()
    print(f"17 numbers, text to answer: {short_list():.0f} microseconds (aim 60)")
    rejections()
    reference_datasets()


if __name__ == "__main__":
    main()
