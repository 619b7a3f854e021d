"""A numbers worker whose work takes as long as the body says: `slow 3` 3 s, `crash`, `exit` and `die` fail."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading

from courier import Request, Worker, WorkerConfig
from courier.cli import daemon
from courier.cli.command_line import finish
from courier.numbers import handler
from courier.numbers.application import application
from courier.settings import load_settings


def answer(request: Request) -> str:
    word, _, rest = request.body.partition(" ")
    if word == "slow":
        logging.getLogger("courier.tests").info("begun %s", rest)
        threading.Event().wait(float(rest))
        return '{"count": 1}'
    if word == "crash":
        raise ZeroDivisionError
    if word == "exit":
        sys.exit("This handler takes itself for a program.")
    if word == "long":
        return "x" * 2_000_000
    if word == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    return handler.answer(request)


def main() -> int:
    options = daemon.parse_options(None, description="a slow worker")
    daemon.set_up_log(options.log_format)
    settings = load_settings()
    config = WorkerConfig.from_settings(
        settings, concurrency=options.concurrency, capacity=100, stop_when_empty=options.stop_when_empty
    )
    return daemon.serve(Worker(answer, application(settings), config), "slow worker listens on it")


if __name__ == "__main__":
    sys.exit(finish(main))
