"""The options of a numbers request: a histogram, percentiles and all modes, beside the statistics of every list.

Does not import NumPy, which clients do not need.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from courier.errors import Rejected
from courier.text import quoted

#: The names of the options, and the value that requests a histogram or all modes.
HISTOGRAM, PERCENTILE, MODES = "histogram", "percentile", "modes"
YES = "yes"
#: The most percentiles of a request: a pass over a long list keeps values around each of them.
MAX_PERCENTILES = 10
_PERCENT = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,6})?")


@dataclass(frozen=True, kw_only=True)
class Extras:
    """What a response has beside the usual statistics; percentiles as `percentiles` returns them."""

    histogram: bool = False
    percentiles: tuple[str, ...] = ()
    #: Whether to return all modes, and not only the least.
    modes: bool = False

    @classmethod
    def of(cls, options: Mapping[str, str], *, others: Collection[str] = ()) -> Extras:
        """Parse a request's options, ignoring `others`. Raises: Rejected for an unknown option or value."""
        if not options:
            return _NOTHING
        for name, value in options.items():
            if name not in (HISTOGRAM, PERCENTILE, MODES, *others) or (name in {HISTOGRAM, MODES} and value != YES):
                known = ", ".join([*others, f"{HISTOGRAM}={YES}", f"{PERCENTILE}=5,95", f"{MODES}={YES}"])
                message = f"A numbers request has no option {quoted(f'{name}={value}')}."
                raise Rejected(message, hint=f"Known options: {known}.")
        return cls(
            histogram=HISTOGRAM in options,
            percentiles=percentiles(options.get(PERCENTILE, "")),
            modes=MODES in options,
        )

    @property
    def options(self) -> dict[str, str]:
        """The request's options for these."""
        texts = {
            HISTOGRAM: YES * self.histogram,
            PERCENTILE: ",".join(self.percentiles),
            MODES: YES * self.modes,
        }
        return {name: text for name, text in texts.items() if text}


_NOTHING = Extras()


def percentiles(text: str) -> tuple[str, ...]:
    """Parse percentiles into their shortest form: `5, 99.90` are 5 and 99.9; none if the text is empty.

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
