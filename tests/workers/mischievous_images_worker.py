"""The images worker with a darkroom in which things go wrong."""

from __future__ import annotations

import sys

import images_worker
from courier.cli.command_line import finish

images_worker.DARKROOM = "tests.workers.mischief"

if __name__ == "__main__":
    sys.exit(finish(images_worker.main))
