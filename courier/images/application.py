"""The images application: its queues and its worker program."""

from __future__ import annotations

from courier import Application
from courier.settings import Settings


def application(settings: Settings) -> Application:
    """Return the application with the queues of the settings."""
    return Application(
        "images",
        requests=settings.image_inbox,
        replies=settings.image_outbox,
        kind="image",  # as the first version's messages say
        program="images_worker.py",
    )
