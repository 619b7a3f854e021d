#!/usr/bin/env python3
"""Client of the numbers application: sends lists of numbers to a worker and shows their statistics."""

import sys

from courier.cli import bootstrap

if __name__ == "__main__":
    bootstrap.check_python()
    from courier.cli import command_line, numbers

    sys.exit(command_line.finish(numbers.main))
