"""Many clients at once, some that ask one thing after another as people do, and some with batches."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from courier.aws.credentials import CredentialRefresh
from courier.aws.session import Aws
from courier.messaging.connection import Connection, exchange_for
from courier.messaging.exchange import Exchange
from courier.messaging.pending import OutgoingRequest
from courier.messaging.protocol import Response
from courier.messaging.reply_queue import private_replies
from courier.numbers.application import application
from courier.settings import load_settings

INTERACTIVE = 26
BATCHES = 4
TRIPS = 5
#: How long a person looks at an answer before the next question, in seconds.
THINKING_SECONDS = (0.2, 1.0)
BATCH_LINES = 45


@dataclass(kw_only=True)
class Crowd:
    """What a crowd is, and what it met: the seconds of each interactive round trip, and what went wrong."""

    interactive: int = INTERACTIVE
    batches: int = BATCHES
    trips: int = TRIPS
    #: The share of the interactive clients that have a reply queue of their own, as menus do.
    private: float = 0.0
    #: How long a client waits for a response, in seconds.
    timeout_seconds: float = 30.0
    #: Whether the batches go on for as long as anybody asks.
    endless: bool = False
    seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    answered: int = 0
    #: How often the interactive clients received.
    receives: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def judge(self, number: int, result: object) -> None:
        """Enter one answer: that to a list whose sum is `number`."""
        if isinstance(result, Response) and json.loads(result.body)["sum"] == number:
            self.answered += 1
        else:
            self.wrong.append(f"{number}: {result}")

    def run(self) -> Crowd:
        """Let all ask at once, on the AWS that the environment points at; a worker must be there."""
        # One for the people and one for the batches: to make thirty takes ten seconds of processor time.
        people, others = (Aws(CredentialRefresh(seconds=0, tell=print)) for _ in range(2))
        people.sqs().meta.events.register("before-call.sqs.ReceiveMessage", self._count)
        gate = threading.Barrier(self.interactive + self.batches)
        asking = [self._thread(self._person, people, gate, one) for one in range(self.interactive)]
        first, last = self.interactive, self.interactive + self.batches
        batches = [self._thread(self._batch, others, gate, one, asking) for one in range(first, last)]
        for thread in (*asking, *batches):
            thread.start()
        for thread in (*asking, *batches):
            thread.join()
        return self

    def _thread(
        self, work: Callable[..., object], aws: Aws, gate: threading.Barrier, *arguments: object
    ) -> threading.Thread:
        """Return a thread whose failure is noted, and lets nobody wait at the gate."""

        def run() -> None:
            try:
                work(aws, gate, *arguments)
            except Exception as error:  # noqa: BLE001  the test shows it
                self.wrong.append(f"{arguments[0]}: {error!r}")
                gate.abort()

        return threading.Thread(target=run)

    def _count(self, **_: object) -> None:
        with self._lock:
            self.receives += 1

    def _connection(self, aws: Aws) -> Connection:
        made = Connection(application(load_settings()), credentials_seconds=0, tell=self.wrong.append)
        made._aws = aws
        made.channel()
        return made

    def _person(self, aws: Aws, gate: threading.Barrier, number: int) -> None:
        channel = self._connection(aws).channel()
        with ExitStack() as stack:
            exchange = channel.exchange
            if number < self.private * self.interactive:
                replies = stack.enter_context(private_replies(aws, channel.replies))
                exchange = channel.make_exchange(replies, is_expensive=False)
            gate.wait()
            self._ask(exchange, number * 1000)

    def _ask(self, exchange: Exchange, first: int) -> None:
        for number in range(first, first + self.trips):
            started = time.monotonic()
            outcome = exchange.request(OutgoingRequest(body=f"{number},0"), timeout_seconds=self.timeout_seconds)
            self.seconds.append(time.monotonic() - started)
            self.judge(number, outcome.result)
            threading.Event().wait(random.uniform(*THINKING_SECONDS))

    def _batch(self, aws: Aws, gate: threading.Barrier, number: int, people: list[threading.Thread]) -> None:
        connection = self._connection(aws)
        gate.wait()
        self._ask_many(connection, number * 1000)
        while self.endless and any(thread.is_alive() for thread in people):
            self._ask_many(connection, number * 1000)

    def _ask_many(self, connection: Connection, first: int) -> None:
        asked = [OutgoingRequest(body=f"{number},0") for number in range(first, first + BATCH_LINES)]
        with exchange_for(connection, asked) as (exchange, questions):
            for number, outcome in enumerate(
                exchange.request_many(questions, timeout_seconds=self.timeout_seconds), first
            ):
                self.judge(number, outcome.result)
