"""The images worker with a sandbox child in which things go wrong."""

from __future__ import annotations

import sys

from courier.cli import workers
from courier.cli.command_line import finish
from courier.images import handler

handler.SANDBOX_MODULE = "tests.workers.mischief"

if __name__ == "__main__":
    sys.exit(finish(workers.images))
