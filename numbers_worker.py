#!/usr/bin/env python3
"""Worker of the numbers application: takes lists of numbers from a queue and answers with their statistics."""

import sys

from courier.cli import bootstrap

if __name__ == "__main__":
    bootstrap.start_worker(__doc__ or "")
    from courier.cli import command_line, workers

    sys.exit(command_line.finish(lambda: workers.numbers(description=__doc__ or "")))
