"""Run a worker: in the foreground until a signal, or in the background while a block runs."""

from __future__ import annotations

import logging
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

log = logging.getLogger(__name__)

#: The signals that stop a worker gracefully.
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
#: A queue of signal numbers; 0 means that the worker stops by itself.
Signals = queue.SimpleQueue[int]


class Runnable:
    """Base of what can be started, stopped and run."""

    #: The exit status of a program after `run`, and the reason if it stops by itself.
    exit_status = 0
    own_reason = "the queue is empty"
    #: Whether `run` has begun to stop.
    is_stopping = False

    def start(self) -> None:
        """Start the threads."""
        raise NotImplementedError

    def when_listening(self, ready: Callable[[], object]) -> None:
        """Call `ready` once it can receive requests: here at once."""
        ready()

    def wait(self) -> None:
        """Wait until it stops by itself."""
        raise NotImplementedError

    def stop(self, give_up: Callable[[], bool] = lambda: False) -> bool:
        """Stop gracefully, or at once when `give_up` returns True; return whether all requests were finished."""
        raise NotImplementedError

    def run(self, signals: Signals | None = None, ready: Callable[[], object] = lambda: None) -> bool:
        """Serve until SIGTERM or SIGINT, then stop gracefully; return whether all requests were finished.

        It blocks, and prints nothing: `logging.basicConfig(level=logging.INFO)` shows its log. `ready` is called in
        another thread once the worker has found its queue. Call it from the main thread. A second signal stops at
        once: what is unfinished is released, and the result is False. A program that handles signals itself puts their
        numbers in `signals`.
        """
        if signals is not None:
            return self._serve(signals, ready)
        with _received() as received:
            return self._serve(received, ready)

    def __enter__(self) -> Self:
        """Serve in the background."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop gracefully."""
        self.stop()

    def _serve(self, signals: Signals, ready: Callable[[], object]) -> bool:
        self.start()
        self.when_listening(ready)
        threading.Thread(target=self._watch, args=(signals,), name="watch", daemon=True).start()
        reason = signals.get()
        self.is_stopping = True
        log.info("stopping: %s", signal.Signals(reason).name if reason else self.own_reason)
        all_done = self.stop(give_up=lambda: _second_signal(signals))
        log.info("stopped")
        return all_done

    def _watch(self, signals: Signals) -> None:
        self.wait()
        signals.put(0)


@contextmanager
def _received() -> Iterator[Signals]:
    """Yield a queue that gets the numbers of signals."""
    signals: Signals = queue.SimpleQueue()
    before = {number: signal.signal(number, lambda number, _frame: signals.put(number)) for number in STOP_SIGNALS}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _second_signal(signals: Signals) -> bool:
    """Whether another signal has come (0 is not a signal)."""
    while not signals.empty():
        if signals.get():
            return True
    return False
