"""The entry points of the installed package: `courier-numbers` and the others."""

from __future__ import annotations

from courier.cli import bootstrap


def numbers() -> int:
    """Run the client of the numbers application; return the exit status."""
    bootstrap.check_python()
    from courier.cli import command_line, numbers

    return command_line.finish(numbers.main)


def images() -> int:
    """Run the client of the images application; return the exit status."""
    bootstrap.check_python()
    from courier.cli import command_line, images

    return command_line.finish(images.main)


def watch() -> int:
    """Watch a set-up; return the exit status."""
    bootstrap.check_python()
    from courier.cli import command_line, watch

    return command_line.finish(watch.main)


def numbers_worker() -> int:
    """Run the worker of the numbers application; return the exit status."""
    bootstrap.start_worker("Worker of the numbers application.")
    from courier.cli import command_line, workers

    return command_line.finish(lambda: workers.numbers(description="Worker of the numbers application."))


def images_worker() -> int:
    """Run the worker of the images application; return the exit status."""
    bootstrap.start_worker("Worker of the images application.")
    from courier.cli import command_line, workers

    return command_line.finish(lambda: workers.images(description="Worker of the images application."))
