"""Many clients at once, some that ask one thing after another as people do, and some with batches."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from courier.aws.credentials import CredentialRefresh
from courier.aws.session import Aws
from courier.messaging.connection import Connection, exchange_for
from courier.messaging.pending import OutgoingRequest
from courier.messaging.protocol import Response
from courier.numbers.application import application
from courier.settings import load_settings

INTERACTIVE = 26
BATCHES = 4
TRIPS = 5
#: How long a person looks at an answer before the next question, in seconds.
THINKING_SECONDS = (0.2, 1.0)
BATCH_LINES = 45


@dataclass
class Crowd:
    """What a crowd met: the seconds of each interactive round trip, and what went wrong."""

    trips: int
    seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    answered: int = 0

    def percentile(self, share: float) -> float:
        """Return the seconds that this share of the round trips took at most."""
        return sorted(self.seconds)[min(len(self.seconds) - 1, int(share * len(self.seconds)))]

    def judge(self, number: int, result: object) -> None:
        """Enter one answer: that to a list whose sum is `number`."""
        if isinstance(result, Response) and json.loads(result.body)["sum"] == number:
            self.answered += 1
        else:
            self.wrong.append(f"{number}: {result}")


def run(trips: int = TRIPS) -> Crowd:
    """Let thirty clients ask at once, on the AWS that the environment points at; a worker must be there."""
    crowd = Crowd(trips=trips)
    aws = Aws(CredentialRefresh(seconds=0, tell=print))
    gate = threading.Barrier(INTERACTIVE + BATCHES)
    threads = [
        threading.Thread(
            target=_client, args=(aws, crowd, number, gate, _one_by_one if number < INTERACTIVE else _batch)
        )
        for number in range(INTERACTIVE + BATCHES)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return crowd


def _client(
    aws: Aws,
    crowd: Crowd,
    number: int,
    gate: threading.Barrier,
    ask: Callable[[Connection, Crowd, int], None],
) -> None:
    connection = Connection(
        application(load_settings()),
        credentials_seconds=0,
        tell=crowd.wrong.append,
    )
    connection._aws = aws  # one for all: to make thirty takes ten seconds of processor time
    connection.channel()
    gate.wait()
    ask(connection, crowd, number * 1000)


def _one_by_one(connection: Connection, crowd: Crowd, first: int) -> None:
    for number in range(first, first + crowd.trips):
        started = time.monotonic()
        outcome = connection.channel().exchange.request(OutgoingRequest(body=f"{number},0"), timeout_seconds=30)
        crowd.seconds.append(time.monotonic() - started)
        crowd.judge(number, outcome.result)
        threading.Event().wait(random.uniform(*THINKING_SECONDS))


def _batch(connection: Connection, crowd: Crowd, first: int) -> None:
    asked = [OutgoingRequest(body=f"{number},0") for number in range(first, first + BATCH_LINES)]
    with exchange_for(connection, asked) as (exchange, questions):
        for number, outcome in enumerate(exchange.request_many(questions, timeout_seconds=30), first):
            crowd.judge(number, outcome.result)
