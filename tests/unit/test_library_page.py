"""Every block of docs/tutorial/your-own-worker.md runs, in order, on queues in memory; and so does the README's."""

from __future__ import annotations

import os
import re
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from courier import WorkerConfig, testing
from courier.messaging.foreground import STOP_SIGNALS
from tests.support.fakes import until

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/tutorial/your-own-worker.md").read_text()


def blocks(text: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def stop_when_it_runs() -> None:
    """Send SIGTERM to this process as soon as a worker in the foreground hears it."""
    default = signal.getsignal(signal.SIGTERM)

    def send() -> None:
        until(lambda: signal.getsignal(signal.SIGTERM) is not default, "the worker's own handler")
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=send, daemon=True).start()


def test_every_block_runs() -> None:
    before = [signal.getsignal(number) for number in STOP_SIGNALS]
    namespace: dict[str, Any] = {}
    with testing.queues():
        for block in blocks(PAGE):
            if ".run(" in block:
                stop_when_it_runs()
            exec(block, namespace)  # noqa: S102  the page's own

    assert len(blocks(PAGE)) >= 9
    assert [signal.getsignal(number) for number in STOP_SIGNALS] == before


def test_the_readmes_program_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = blocks((ROOT / "README.md").read_text())
    with testing.queues():
        exec(block, {})  # noqa: S102  the page's own

    assert capsys.readouterr().out == "HELLO\n"


def test_the_defaults_are_those_of_the_code() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*?) \|", PAGE, re.MULTILINE))
    config = WorkerConfig()

    for name in ("concurrency", "poll_seconds", "visibility_seconds", "max_deliveries"):
        assert rows[name] == str(getattr(config, name))
    assert (rows["grace_seconds"], rows["time_limit_seconds"]) == ("30", "120")
    assert (config.grace_seconds, config.time_limit_seconds, config.stop_when_empty) == (30, 120, False)
