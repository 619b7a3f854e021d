"""The numbers application: its queues and its worker program."""

from __future__ import annotations

from courier import Application
from courier.settings import Settings


def application(settings: Settings) -> Application:
    """Return the application with the queues of the settings."""
    return Application(
        "numbers", requests=settings.request_queue, replies=settings.response_queue, program="numbers_worker.py"
    )
