"""The plan of a pass: what it searches for, as sent to the workers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import count

from courier.errors import MalformedMessage
from courier.numbers.brackets import RankBracket
from courier.numbers.histogram import BinCounts
from courier.numbers.options import MAX_PERCENTILES
from courier.numbers.streaming import OnePass

#: The most decimals, and the most digits before the point, of a number in the grammar.
MAX_DECIMALS = 1_000
#: Each quartile and each percentile is between two neighbors, each of which may need a bracket.
MAX_BRACKETS = 2 * (3 + MAX_PERCENTILES)

#: A value as an integer in units of 10**-decimals, and `decimals`.
Edge = tuple[int, int] | None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a pass needs to know: the bin counts' first exponent, and the brackets' edges."""

    exponent: int
    brackets: Sequence[tuple[Edge, Edge]]

    @classmethod
    def of(cls, exponent: int, brackets: Iterable[RankBracket]) -> Plan:
        """Return a plan with these brackets."""
        return cls(exponent=exponent, brackets=[(_edge_of(one.low), _edge_of(one.high)) for one in brackets])

    def encode(self) -> str:
        """Return the plan as JSON."""
        return json.dumps({"exponent": self.exponent, "brackets": self.brackets})

    @classmethod
    def decode(cls, text: str) -> Plan:
        """Parse the JSON of `encode`. Raises: MalformedMessage."""
        try:
            found = json.loads(text)
            return cls(
                exponent=power_of_ten(found["exponent"]),
                brackets=[(_edge(low), _edge(high)) for low, high in found["brackets"][:MAX_BRACKETS]],
            )
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise MalformedMessage("The plan for the list cannot be read.") from error

    def open(self, *, seed: int = 0, limit: int) -> OnePass:
        """Return a new pass whose brackets keep up to `limit` values each."""
        brackets = [RankBracket(_value(low), _value(high)) for low, high in self.brackets]
        return OnePass(brackets, BinCounts(self.exponent), seed=seed, limit=limit)


def power_of_ten(found: object) -> int:
    """Check an exponent or a number of decimals in a message. Raises: TypeError if no list has it."""
    if type(found) is not int or abs(found) > MAX_DECIMALS:
        raise TypeError
    return found


def _edge(found: Sequence[object] | None) -> Edge:
    if found is None:
        return None
    units, decimals = found
    if type(units) is not int or power_of_ten(decimals) < 0:
        raise TypeError
    return units, power_of_ten(decimals)


def _edge_of(value: Fraction | None) -> Edge:
    if value is None:
        return None
    decimals = next(power for power in count() if 10**power % value.denominator == 0)
    return int(value * 10**decimals), decimals


def _value(edge: Edge) -> Fraction | None:
    return None if edge is None else Fraction(edge[0], 10 ** edge[1])
