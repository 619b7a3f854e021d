#!/usr/bin/env python3
"""Worker of the images application: takes names of images from a queue, processes them and stores the results."""

import sys

from courier.cli import bootstrap

if __name__ == "__main__":
    bootstrap.start_worker(__doc__ or "")
    from courier.cli import command_line, workers

    sys.exit(command_line.finish(lambda: workers.images(description=__doc__ or "")))
