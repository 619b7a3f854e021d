"""`watch`: see what goes on in a set-up, refreshed each second: queues, workers, the last requests.

The console script courier-watch, and the verb of aws_setup.sh and run_local.sh.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

from courier.cli import bootstrap, output
from courier.cli.argument_parser import ArgumentParser
from courier.cli.client_command import client_command
from courier.cli.command_line import CANCELLATION, add_version
from courier.cli.help_format import HelpFormatter
from courier.settings import Settings, load_settings
from courier.text import printable

if TYPE_CHECKING:
    from courier.cli.watch_view import View
    from courier.monitoring.live import Live, QueueNow
    from courier.monitoring.live_reader import LiveReader
    from courier.monitoring.worker_status import WorkerStatus

T = TypeVar("T")

#: The interval of displays and of reading queues, and that of listing what workers report, on the real AWS, in seconds:
#: a list costs as much as twelve calls to SQS.
SECONDS = 1.0
LIST_SECONDS = 10.0
#: From which time on it is said that AWS does not respond: each read of the queues is one call to AWS and a second.
SILENT_SECONDS = 5.0
#: The longest time of one call to AWS, in seconds.
CALL_SECONDS = 10.0
#: The longest wait for the first report of what workers do.
FIRST_SECONDS = 10.0
_EPILOG = """\
On a terminal: q quits, p pauses, d shows dead letters, ? explains. Elsewhere, with COURIER_PLAIN=1, and on a terminal
that cannot move the cursor, the state is printed once, one fact a line. No payload is ever shown.

exit status: 0 done; 1 with --once, a queue is missing or cannot be read; 2 wrong usage or setting; 4 AWS not reachable,
no credentials or no region; 130 ended by Ctrl-C
"""


class Poller(Generic[T]):
    """Reads something again and again in a thread of its own, and keeps the latest."""

    def __init__(self, read: Callable[[], T], seconds: float) -> None:
        self._read = read
        self._seconds = seconds
        self.latest: T | None = None
        self.problem = ""
        self.count = 0
        #: When something was last read, or could not be, in monotonic time.
        self.ended_at = time.monotonic()
        self.first = threading.Event()

        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name="poller", daemon=True).start()

    def stop(self) -> None:
        """End after the current read."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            begun = time.monotonic()
            self._poll()
            self._stopped.wait(max(0.05, self._seconds - (time.monotonic() - begun)))

    def _poll(self) -> None:
        from courier.monitoring.live_reader import ERRORS

        try:
            self.latest, self.problem = self._read(), ""
        except ERRORS as error:
            self.problem = error.sentence
        except Exception as error:  # noqa: BLE001
            # The thread continues: what cannot be shown now may be shown in a second.
            self.problem = f"internal error of watch: {type(error).__name__}"
        self.count += 1
        self.ended_at = time.monotonic()
        self.first.set()


@dataclass(kw_only=True)
class Watch:
    """What is watched."""

    reader: LiveReader
    queues: Poller[list[QueueNow]]
    workers: Poller[list[WorkerStatus]]

    @property
    def changes(self) -> tuple[int, int, int]:
        """The numbers of what was read, and whole seconds, for the clock."""
        return self.queues.count, self.workers.count, int(time.monotonic())

    def live(self) -> Live:
        """Return the latest of all."""
        note = self.workers.problem and f"What workers report cannot be read: {self.workers.problem}"
        note = self.queues.problem or note
        if not self.workers.first.is_set():
            note = "Reading what workers report."
        silent_seconds = time.monotonic() - self.queues.ended_at
        if silent_seconds >= SILENT_SECONDS:
            note = f"AWS has not responded for {silent_seconds:.0f} s."
        return self.reader.live(self.queues.latest or [], self.workers.latest or [], note)

    def begin(self) -> None:
        """Begin to read. Raises: AwsError if the account cannot be read."""
        self.queues.start()
        CANCELLATION.run(self.reader.identity)
        self.workers.start()

    def end(self) -> None:
        """Read no more."""
        self.queues.stop()
        self.workers.stop()

    def wait_for_first(self) -> None:
        """Wait until all was read once, or tried."""
        self.wait_for_queues()
        CANCELLATION.run(lambda: self.workers.first.wait(FIRST_SECONDS))

    def wait_for_queues(self) -> None:
        """Wait until the queues were read once, or tried."""
        CANCELLATION.run(lambda: self.queues.first.wait(FIRST_SECONDS))


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    script = os.environ.get("SETUP_PROGRAM")
    parser = ArgumentParser(
        prog=f"{script} watch" if script else "courier-watch",
        description="See what goes on in a set-up, refreshed each second.",
        epilog=_EPILOG,
        formatter_class=HelpFormatter,
    )
    parser.add_argument("--once", action="store_true", help="print the state once, one fact a line, and exit")
    parser.add_argument("--json", action="store_true", help="print only JSON on stdout: one line a second")
    parser.add_argument("--name", default="lab3", metavar="NAME", help="the set-up's name (default: lab3)")
    add_version(parser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Watch; return the exit status. Raises: CourierError; Canceled."""
    given = build_parser().parse_args(arguments)
    bootstrap.require_packages()
    settings = load_settings()
    watch = _made(settings, given.name)
    try:
        watch.begin()
        if given.json:
            return _rows(watch, once=given.once)
        if given.once or settings.plain or sys.platform == "win32" or not output.can_move_cursor(sys.stdout):
            return _once(watch)
        return _screen(watch)
    finally:
        watch.end()


def _made(settings: Settings, name: str) -> Watch:
    from courier.aws.credentials import CredentialRefresh
    from courier.aws.session import connect
    from courier.images.application import application as images_application
    from courier.monitoring.expected import Expected
    from courier.monitoring.live_reader import LiveReader
    from courier.numbers.application import application as numbers_application

    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    refresh = CredentialRefresh(seconds=0, tell=_ignore, call_seconds=CALL_SECONDS)
    applications = (numbers_application(settings), images_application(settings))
    reader = LiveReader(connect(refresh), applications, is_real=not endpoint, endpoint=endpoint)
    expected = Expected(name=name)

    def workers() -> list[WorkerStatus]:
        buckets = expected.buckets(reader.identity(), settings.bucket, is_real=not endpoint)
        return reader.workers(buckets)

    return Watch(
        reader=reader,
        queues=Poller(reader.queues, SECONDS),
        workers=Poller(workers, SECONDS if endpoint else LIST_SECONDS),
    )


def _once(watch: Watch) -> int:
    from courier.cli.watch_facts import facts

    watch.wait_for_first()
    live = watch.live()
    for line in facts(live):
        print(printable(line, None))
    return int(not live.is_well)


def _rows(watch: Watch, *, once: bool) -> int:
    watch.wait_for_first()
    while True:
        live = watch.live()
        print(json.dumps(live.as_json()), flush=True)
        if once:
            return int(not live.is_well)
        if CANCELLATION.wait(SECONDS):
            CANCELLATION.check()


def _screen(watch: Watch) -> int:
    from courier.cli.watch_terminal import WatchTerminal
    from courier.cli.watch_view import View, display

    clients = {one.name: client_command(one.name) for one in watch.reader.applications}
    screen = Shown(watch, View(clients=clients, ascii_only=not _shows_blocks()))
    watch.wait_for_queues()
    WatchTerminal(
        lambda width, height: display(screen.live(), width, height, screen.view), screen.press, screen.changes
    ).run()
    return 0


def _ignore(_sentence: str) -> None:
    """Write nothing beside the display, which has the errors of the calls."""


class Shown:
    """What the terminal shows, and what keys change."""

    def __init__(self, watch: Watch, view: View) -> None:
        self._watch = watch
        self._held: Live | None = None
        self.view = view

    def live(self) -> Live:
        """Return what is shown: the latest, or what it was when it was paused."""
        return self._held or self._watch.live()

    def changes(self) -> object:
        """Return something that differs when there is something new to show."""
        return None if self._held else self._watch.changes

    def press(self, key: str) -> None:
        """Do what a key is for; ignores others."""
        if key == "p":
            self._held = None if self._held else self._watch.live()
            self.view = replace(self.view, is_paused=self._held is not None)
        elif key in "d?":
            page = {"d": "dead", "?": "help"}[key]
            self.view = replace(self.view, page="main" if self.view.page == page else page)


def _shows_blocks() -> bool:
    """Whether the output's encoding has the characters of a sparkline."""
    try:
        "▁█…".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


if __name__ == "__main__":
    from courier.cli import command_line

    sys.argv[0] = os.environ.get("SETUP_PROGRAM", "courier-watch")
    sys.exit(command_line.finish(main))
