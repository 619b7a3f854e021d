"""What a person who waits for a response sees: how long, how many requests are ahead, and that no worker is there.

In the live line of a terminal, each second; elsewhere one line each on stderr. It asks AWS in a thread of its own, so
that it delays no response, and goes on without the permission to ask.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from courier.cancellation import Canceled
from courier.errors import CourierError

if TYPE_CHECKING:
    from courier.aws.sqs import Depth
    from courier.cli.screen import Screen
    from courier.messaging.connection import Connection

#: When it is said how long the wait has been, and how often that changes in a live line, in seconds.
LONG_SECONDS = 2.0
TICK_SECONDS = 1.0
#: When it is said how many requests are ahead, and how often AWS is asked, in seconds.
ASK_SECONDS = 5.0
#: When a request that no worker has taken is said to have none, in seconds.
NOBODY_SECONDS = 10.0

#: Returns the state of the request queue; None: unknown.
Ask = Callable[[], "Depth | None"]


@contextlib.contextmanager
def informed(screen: Screen, text: str, connection: Connection) -> Iterator[None]:
    """Show `text` while the body waits for a response, and what is known about the wait."""
    with screen.waiting(text) as update:
        report = _Report(screen, text, update, lambda: _depth(connection), lambda: how_to_start(connection))
        try:
            yield
        finally:
            report.end()


@contextlib.contextmanager
def workers_watched(screen: Screen, connection: Connection) -> Iterator[Callable[[], None]]:
    """Say once during a batch if no worker takes its requests; yields what to call at each outcome."""
    ended, heard = threading.Event(), threading.Event()

    def look() -> None:
        idle = 0
        while not ended.wait(ASK_SECONDS):
            was_heard = heard.is_set()
            heard.clear()
            idle = idle + 1 if not was_heard and _is_idle(_depth(connection)) else 0
            if idle >= NOBODY_SECONDS / ASK_SECONDS and not ended.is_set():
                screen.note(f"No worker has taken anything for {NOBODY_SECONDS:g} s: {how_to_start(connection)}")
                return

    threading.Thread(target=look, name="workers", daemon=True).start()
    try:
        yield heard.set
    finally:
        ended.set()


class _Report:
    """Reports on one wait, until its end."""

    def __init__(
        self,
        screen: Screen,
        text: str,
        update: Callable[[str], None] | None,
        ask: Ask,
        how: Callable[[], str],
    ) -> None:
        self._screen = screen
        self._text = text
        self._update = update
        self._ask = ask
        self._how = how
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._begun = time.monotonic()
        #: Whether requests have waited and none was in flight at each look.
        self._idle = True
        #: Which kinds of facts were said: that no worker has taken anything, and others.
        self._said: set[bool] = set()
        self._is_new = False
        threading.Thread(target=self._run, name="waiting", daemon=True).start()

    def end(self) -> None:
        """Report nothing more."""
        with self._lock:
            self._ended.set()

    def _run(self) -> None:
        if self._ended.wait(LONG_SECONDS):
            return
        self._show("")
        ask_at, fact = self._begun + ASK_SECONDS, ""
        while not self._ended.wait(min(TICK_SECONDS, ASK_SECONDS)):
            if is_due := time.monotonic() >= ask_at:
                ask_at = time.monotonic() + ASK_SECONDS
                fact = self._fact()
            # Without a live line, each kind of fact is shown once.
            if self._update or (is_due and fact and self._is_new):
                self._show(fact)

    def _fact(self) -> str:
        found = self._ask()
        if found is None:
            return ""
        self._idle = self._idle and _is_idle(found)
        is_nobody = self._idle and time.monotonic() - self._begun >= NOBODY_SECONDS
        self._is_new = is_nobody not in self._said
        self._said.add(is_nobody)
        return f"no worker has taken anything: {self._how()}" if is_nobody else describe(found)

    def _show(self, fact: str) -> None:
        seconds = time.monotonic() - self._begun
        with self._lock:
            if self._ended.is_set():
                return
            if self._update:
                self._update(f"{self._text}, {seconds:.0f} s{': ' * bool(fact)}{fact}")
            else:
                self._screen.note(f"Still waiting after {seconds:.0f} s{': ' * bool(fact)}{fact}")


def _is_idle(depth: Depth | None) -> bool:
    """Whether requests wait and none is in flight."""
    return depth is not None and depth.visible > 0 and not depth.in_flight


def describe(depth: Depth) -> str:
    """Say what a request waits for, which is itself one of those in the queue."""
    if not depth.visible and not depth.in_flight:
        return "the queue is empty: the response is on its way, or the request was purged or is a dead letter"
    if not depth.in_flight and depth.visible == 1:
        return "it is the next, and no worker has taken it yet"
    return f"at most {max(0, depth.visible - 1):,} ahead, {depth.in_flight:,} in progress"


def _depth(connection: Connection) -> Depth | None:
    if not connection.is_open:
        return None
    try:
        return connection.channel().requests.depth()
    except (CourierError, Canceled):
        return None


def how_to_start(connection: Connection) -> str:
    """Say how a worker is started on this set-up."""
    from courier.aws.errors import IS_CHECKOUT

    program = connection.application.program
    if not IS_CHECKOUT:
        return "ask the operator"
    if _is_local(connection.aws().endpoint()):
        return f"start one with ./run_local.sh up, or python {program}"
    return f"ask the operator, or start one with ./aws_setup.sh start, or python {program}"


def _is_local(endpoint: str) -> bool:
    host = urlsplit(endpoint).hostname or ""
    with contextlib.suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")
