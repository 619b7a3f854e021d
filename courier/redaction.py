"""Remove secrets from text for terminals and logs."""

from __future__ import annotations

import re
import threading

#: The replacement of a secret.
HIDDEN = "***"
#: Shorter values are not AWS secrets (a local AWS accepts "test"), and would occur in ordinary words.
SHORTEST_SECRET = 8
#: User and password in a URL.
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+(?=@)")

_lock = threading.Lock()
_secrets: set[str] = set()


def remember(*values: str | None) -> None:
    """Have `scrub` hide these values from now on."""
    with _lock:
        _secrets.update(value.strip() for value in values if value and len(value.strip()) >= SHORTEST_SECRET)


def scrub(text: str) -> str:
    """Return `text` without secret values, and without the user and password of a URL."""
    with _lock:
        known = sorted(_secrets, key=len, reverse=True)
    for secret in known:
        text = text.replace(secret, HIDDEN)
    return _USER_INFO.sub(HIDDEN, text)
