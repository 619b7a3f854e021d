"""What a request asks for beside the statistics of every list: a histogram, percentiles.

Loads no NumPy: clients do without.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from courier.errors import Rejected
from courier.text import quoted

#: The names of the options, and what has a histogram made.
HISTOGRAM, PERCENTILE = "histogram", "percentile"
YES = "yes"
#: How many percentiles an answer may have: a pass over a long list keeps values around each of them.
MAX_PERCENTILES = 10
_PERCENT = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,6})?")


@dataclass(frozen=True, kw_only=True)
class Extras:
    """What an answer is to have beside the usual; percentiles in the form that `percentiles` returns."""

    histogram: bool = False
    percentiles: tuple[str, ...] = ()

    @classmethod
    def of(cls, options: Mapping[str, str], *, others: Collection[str] = ()) -> Extras:
        """Return what a request's options ask for; `others` are options that are not looked at.

        Raises: Rejected for an option or a value that is not known.
        """
        for name, value in options.items():
            if name not in (HISTOGRAM, PERCENTILE, *others) or (name == HISTOGRAM and value != YES):
                known = ", ".join([*others, f"{HISTOGRAM}={YES}", f"{PERCENTILE}=5,95"])
                message = f"A numbers request has no option {quoted(f'{name}={value}')}."
                raise Rejected(message, hint=f"Known options: {known}.")
        return cls(histogram=HISTOGRAM in options, percentiles=percentiles(options.get(PERCENTILE, "")))

    @property
    def options(self) -> dict[str, str]:
        """The options of a request for these."""
        drawn = {HISTOGRAM: YES} if self.histogram else {}
        return drawn | ({PERCENTILE: ",".join(self.percentiles)} if self.percentiles else {})


def percentiles(text: str) -> tuple[str, ...]:
    """Return which percentiles a text names, as they are written: `5, 99.90` are 5 and 99.9; none if it is empty.

    Raises: Rejected.
    """
    found = dict.fromkeys(map(_percent, text.replace(",", " ").split()))
    if len(found) > MAX_PERCENTILES:
        raise Rejected(f"There are {len(found):,} percentiles.", hint=f"Ask for at most {MAX_PERCENTILES}.")
    return tuple(found)


def _percent(word: str) -> str:
    if not _PERCENT.fullmatch(word) or Decimal(word) > 100:  # noqa: PLR2004  per cent
        hint = "Write numbers from 0 to 100 with at most 6 decimals: 5,95,99.9."
        raise Rejected(f"{quoted(word)} is not a percentile.", hint=hint)
    return f"{Decimal(word).normalize():f}"
