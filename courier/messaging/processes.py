"""What a worker does to be served by several processes: in the first, supervise; in each of the others, serve."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable

from courier.errors import CourierError, WrongUsage
from courier.messaging.config import WorkerConfig
from courier.messaging.foreground import Runnable, Signals
from courier.messaging.poll_turns import PollTurns
from courier.messaging.supervised import inherited
from courier.messaging.supervisor import Supervisor

log = logging.getLogger(__name__)


class InProcesses(Runnable):
    """What `run` serves in several processes, if its configuration has more than one."""

    def __init__(self, config: WorkerConfig) -> None:
        self._processes = config.processes
        self._grace_seconds = config.grace_seconds
        self._stop_when_empty = config.stop_when_empty
        self._supervised = inherited() if config.processes > 1 else None
        # Each of those that drain a queue has to see for itself that it is empty.
        is_sharing = self._supervised is not None and not config.stop_when_empty
        self._turns = self._supervised.poll_turns() if self._supervised and is_sharing else PollTurns()

    def run(self, signals: Signals | None = None, ready: Callable[[], object] = lambda: None) -> bool:
        """Serve until SIGTERM or SIGINT, then stop gracefully; return whether all requests were finished.

        It blocks, and prints nothing: `logging.basicConfig(level=logging.INFO)` shows its log, and `ready` is called
        once the worker listens. Call it from the main thread. A second signal stops at once: what is unfinished is
        released, and the result is False. A program that handles signals itself puts their numbers in `signals`.
        With several `processes`, each runs this program from its beginning to this call, which serves there.
        Raises: CourierError if the first of them could not begin.
        """
        if self._processes == 1 or self._supervised:
            return super().run(signals, ready)
        supervisor = Supervisor(
            self._processes, grace_seconds=self._grace_seconds, stop_when_empty=self._stop_when_empty
        )
        all_done = supervisor.run(signals, ready)
        if supervisor.exit_status:
            raise CourierError(f"No worker: {supervisor.own_reason}.", hint="Its own output says why.")
        return all_done

    def check_is_alone(self) -> None:
        """Check that this process is to serve. Raises: WrongUsage if it is to start others, which only `run` does."""
        if self._processes > 1 and not self._supervised:
            raise WrongUsage("Only run() serves in several processes.", hint="In the background, set processes=1.")

    def _serve(self, signals: Signals, ready: Callable[[], object]) -> bool:
        supervised = self._supervised
        if supervised is None:
            return super()._serve(signals, ready)
        supervised.watch(lambda: self._orphaned(signals))
        return super()._serve(signals, supervised.report_ready)

    def _orphaned(self, signals: Signals) -> None:
        if not self.is_stopping:
            log.warning("the process that supervises this one has ended")
            signals.put(signal.SIGTERM)
