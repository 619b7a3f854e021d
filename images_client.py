#!/usr/bin/env python3
"""Client of the images application: uploads images, has a worker process them, downloads the results."""

import sys

from courier.cli import bootstrap

if __name__ == "__main__":
    bootstrap.check_python()
    from courier.cli import command_line, images

    sys.exit(command_line.finish(images.main))
