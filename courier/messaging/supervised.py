"""What a worker process has from the process that supervises it: its number, and three inherited descriptors.

They are those of a pipe that the supervisor holds open, so that its end is noticed; of a pipe on which to report that
this process listens; and of the file of `PollTurns`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

from courier.messaging.poll_turns import PollTurns

#: The environment variable with all of them. It is not a setting, hence the underscore.
VARIABLE = "_COURIER_SUPERVISED"
#: What a process writes once it listens.
READY = b"r"
#: The descriptors on which this process has reported.
_reported: set[int] = set()


@dataclass(frozen=True, kw_only=True)
class Supervised:
    """What a supervised process has from its supervisor."""

    #: The number of the process: 0 is the first.
    number: int
    life: int
    ready: int
    turns: int

    @property
    def descriptors(self) -> tuple[int, int, int]:
        """The three descriptors."""
        return self.life, self.ready, self.turns

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of the process that gets them."""
        return {**given, VARIABLE: " ".join(map(str, (self.number, *self.descriptors)))}

    def report_ready(self) -> None:
        """Report that this process listens. A second report is none: the descriptor may be another file's by then."""
        if self.ready in _reported:
            return
        _reported.add(self.ready)
        with suppress(OSError):
            os.write(self.ready, READY)
            os.close(self.ready)

    def watch(self, orphaned: Callable[[], None]) -> None:
        """Call `orphaned` in another thread once the supervisor has ended."""

        def wait() -> None:
            os.read(self.life, 1)
            orphaned()

        threading.Thread(target=wait, name="supervisor", daemon=True).start()

    def poll_turns(self) -> PollTurns:
        """Return the turns that this process shares with the others."""
        return PollTurns(self.turns)


@cache
def inherited() -> Supervised | None:
    """Return what this process has from its supervisor; None if it has none. The variable is removed."""
    text = os.environ.pop(VARIABLE, "")
    if not text:
        return None
    number, life, ready, turns = map(int, text.split())
    for descriptor in (life, ready, turns):
        os.set_inheritable(descriptor, False)  # noqa: FBT003  it takes no name
    return Supervised(number=number, life=life, ready=ready, turns=turns)
