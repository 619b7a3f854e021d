"""The numbers application: its queues and its worker's program."""

from __future__ import annotations

from courier import Application
from courier.settings import Settings


def application(settings: Settings) -> Application:
    """Return the application that the settings make."""
    return Application(
        "numbers", requests=settings.request_queue, replies=settings.response_queue, program="numbers_worker.py"
    )
